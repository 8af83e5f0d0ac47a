//! Arrays with resistive wires: one exact solution, effective conductances, and their cost per trial.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use mho_network::wires::{Cell, Crossbar, WireError, Wires};

/// Best time (s) of `repeats` runs.
fn best(repeats: usize, mut run: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..repeats {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

/// Log-uniform conductances from 1 to 100 uS (S): the pattern of the reference arrays.
fn conductances(count: usize) -> Vec<f64> {
    let mut s = 1u64;
    let mut next = || {
        s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (s >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..count).map(|_| 10f64.powf(-6.0 + 2.0 * next())).collect()
}

fn main() -> Result<(), WireError> {
    let wires = Wires { row_ohm: 1.0, column_ohm: 1.0, ..Wires::default() };
    for n in [128, 256, 512] {
        let array = Crossbar::new(n, n, conductances(n * n), &wires, Cell::Linear)?;
        let input: Vec<f64> = (0..n).map(|i| 0.2 * ((7 * i) % 10) as f64 / 9.0).collect();
        let one = best(7, || {
            black_box(array.solve(&input).ok());
        });
        let solution = array.solve(&input)?;
        println!(
            "{n}: solve {:.2} ms, {} iterations, residual {:.1e} A",
            1e3 * one,
            solution.iterations,
            solution.residual_a
        );
        if n < 512 {
            for threads in [1, 2] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let Ok(pool) = pool else { continue };
                let all = best(3, || {
                    black_box(pool.install(|| array.effective().ok()));
                });
                let effective = array.effective()?;
                println!(
                    "{n}: effective, {threads} threads: {:.1} ms, {:?}, error {:.1e} S",
                    1e3 * all,
                    effective.method,
                    effective.error_s.unwrap_or(0.0)
                );
            }
        }
    }
    Ok(())
}
