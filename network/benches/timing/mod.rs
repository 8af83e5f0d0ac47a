//! Times on a machine that does other things too: rounds over all works, the best of each.
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

fn seconds(work: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}
