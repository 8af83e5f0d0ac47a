//! Arrays with resistive wires: one exact solution, effective conductances, and their cost per trial.
//!
//! Segments have 1 ohm, cells log-uniform conductances from 1 to 100 uS: the pattern of the reference arrays. Each
//! line ends with a ratio to something timed in the same run: a plain relaxation of Kirchhoff's law by rows and
//! columns in turn, or the product that the effective matrix serves.
#![allow(clippy::print_stdout)]

use std::hint::black_box;

use mho_network::wires::{Cell, Crossbar, WireError, Wires};

#[path = "timing/mod.rs"]
mod timing;

use timing::{numbers, wall_ms};

/// The reference: rows and columns solved in turn by Thomas's algorithm, each with the other's last
/// voltages, to 1e-10 of the input. Returns the number of rounds.
fn relaxation(n: usize, g: &[f64], input: &[f64], row_v: &mut [f64], column_v: &mut [f64]) -> usize {
    // One line at a time: `at(k)` are its nodes, a source of `source` V lies one segment before its node
    // `from`, and `other` are the voltages across its cells.
    let solve = |at: &dyn Fn(usize) -> usize, last: bool, source: f64, v: &mut [f64], other: &[f64]| {
        let (mut pivot, mut sum) = (vec![0.0; n], vec![0.0; n]);
        let mut change = 0.0_f64;
        for k in 0..n {
            let end = if k == if last { n - 1 } else { 0 } { 1.0 } else { 0.0 };
            let beside = f64::from(u8::from(k > 0)) + f64::from(u8::from(k + 1 < n));
            let (before, carried) = if k > 0 { (pivot[k - 1], sum[k - 1]) } else { (0.0, 0.0) };
            let current = g[at(k)] * other[at(k)] + end * source;
            pivot[k] = 1.0 / (g[at(k)] + end + beside - before);
            sum[k] = (current + carried) * pivot[k];
        }
        for k in (0..n).rev() {
            let new = sum[k] + if k + 1 < n { pivot[k] * v[at(k + 1)] } else { 0.0 };
            change = change.max((new - v[at(k)]).abs());
            v[at(k)] = new;
        }
        change
    };
    row_v.fill(0.0);
    column_v.fill(0.0);
    for round in 1..1000 {
        let mut change = 0.0_f64;
        for (i, source) in input.iter().enumerate() {
            change = change.max(solve(&|k| i * n + k, false, *source, row_v, column_v));
        }
        for j in 0..n {
            change = change.max(solve(&|k| k * n + j, true, 0.0, column_v, row_v));
        }
        if change < 2e-11 {
            return round;
        }
    }
    0
}

fn solutions(n: usize, array: &Crossbar, g: &[f64]) -> Result<(), WireError> {
    let input: Vec<f64> = (0..n).map(|i| 0.2 * ((7 * i) % 10) as f64 / 9.0).collect();
    let one = wall_ms(if n > 256 { 7 } else { 15 }, || {
        black_box(array.solve(&input).ok());
    });
    let solution = array.solve(&input)?;
    let (mut row_v, mut column_v) = (vec![0.0; n * n], vec![0.0; n * n]);
    let mut rounds = 0;
    let plain = wall_ms(2, || rounds = relaxation(n, g, &input, &mut row_v, &mut column_v));
    let off = column_v.iter().zip(&solution.column_v).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
    println!(
        "{n} x {n}: one exact solution {one:.2} ms ({} iterations, residual {:.1e} A); {:.1} times as fast as \
         relaxation to 1e-10 ({rounds} rounds, {off:.0e} V apart)",
        solution.iterations,
        solution.residual_a,
        plain / one
    );
    Ok(())
}

fn matrices(n: usize, g: &[f64], wires: &Wires) -> Result<(), WireError> {
    let array = Crossbar::new(n, n, g.to_vec(), wires, Cell::Linear)?;
    let input: Vec<f64> = numbers(n, 5);
    let each = wall_ms(3, || {
        black_box(array.solve(&input).ok());
    });
    let repeats = if n > 128 { 2 } else { 5 };
    let mut single = 0.0;
    for threads in [1, 2] {
        let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() else { continue };
        let all = wall_ms(repeats, || {
            black_box(pool.install(|| array.effective().ok()));
        });
        if threads == 1 {
            single = all;
        }
        println!(
            "{n} x {n}: effective conductances, {threads} threads {all:.1} ms; {:.1} times as fast as {n} single \
             solutions, {:.2} times one thread",
            n as f64 * each / all,
            single / all
        );
    }
    let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(1).build() else { return Ok(()) };
    let known = array.effective()?;
    // Each trial draws its own conductances: 5 % of each, uniform.
    let noise = numbers(n * n, 9);
    let trial: Vec<f64> = g.iter().zip(&noise).map(|(g, u)| g * (1.0 + 0.17 * (u - 0.5))).collect();
    for tolerance in [1e-2, 1e-3, 1e-4, 1e-6] {
        let mut method = None;
        let update = wall_ms(repeats, || {
            pool.install(|| method = known.update(trial.clone(), tolerance).ok().map(|new| new.method));
        });
        println!(
            "{n} x {n}: next trial (5 %) to {tolerance:.0e}: {update:.1} ms, {:.3} of a solution, {method:?}",
            update / single
        );
    }
    let sigma: Vec<f64> = g.iter().map(|g| 0.02 * g).collect();
    let map = wall_ms(repeats, || {
        black_box(pool.install(|| array.variance_map(sigma.clone(), 0.3).ok()));
    });
    println!("{n} x {n}: map of read-noise variances {map:.1} ms, {:.2} of a solution", map / single);
    let inputs = numbers(n * n, 7);
    let many = wall_ms(repeats, || {
        black_box(pool.install(|| array.solve_many(&inputs).ok()));
    });
    println!(
        "{n} x {n}: {n} inputs together {many:.1} ms, {:.1} times as fast as one by one",
        n as f64 * each / many
    );
    Ok(())
}

fn main() -> Result<(), WireError> {
    mho_data::memory::keep_freed();
    let wires = Wires { row_ohm: 1.0, column_ohm: 1.0, ..Wires::default() };
    for n in [128, 256, 512] {
        let g: Vec<f64> = numbers(n * n, 1).into_iter().map(|u| 10f64.powf(-6.0 + 2.0 * u)).collect();
        solutions(n, &Crossbar::new(n, n, g.clone(), &wires, Cell::Linear)?, &g)?;
        if n < 512 {
            matrices(n, &g, &wires)?;
        }
    }
    Ok(())
}
