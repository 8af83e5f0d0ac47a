//! Times on a machine that does other things too: works take turns, the best of each counts, and time in
//! which the processor was taken away is left out where the system tells it.
#![allow(dead_code)]

use std::time::Instant;

/// Best time (s) of each work. The works take turns, so that a busy moment meets all of them.
pub fn turns(rounds: usize, works: &mut [Box<dyn FnMut() + '_>]) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; works.len()];
    for _ in 0..rounds {
        for (work, least) in works.iter_mut().zip(&mut least) {
            *least = least.min(seconds(work));
        }
    }
    least
}

/// Best time (s) of one work.
pub fn best(rounds: usize, mut work: impl FnMut()) -> f64 {
    (0..rounds).map(|_| seconds(&mut work)).fold(f64::INFINITY, f64::min)
}

/// Best time (ms) of one work on whatever threads: that of this thread alone would miss the others.
pub fn wall_ms(rounds: usize, mut work: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        work();
        least = least.min(1e3 * start.elapsed().as_secs_f64());
    }
    least
}

/// Numbers in [0, 1) of the generator of the reference arrays.
pub fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut s = seed;
    let mut next = || {
        s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (s >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..count).map(|_| next()).collect()
}

fn seconds(work: &mut impl FnMut()) -> f64 {
    let (start, before) = (Instant::now(), on_processor_s());
    work();
    let wall = start.elapsed().as_secs_f64();
    match (before, on_processor_s()) {
        (Some(before), Some(after)) => wall.min(after - before),
        _ => wall,
    }
}

/// Time (s) that this thread has run, where Linux counts it. Giving way brings the count up to date.
fn on_processor_s() -> Option<f64> {
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(1e-9 * text.split_whitespace().next()?.parse::<f64>().ok()?)
}
