//! Curved cells and gates behind wires: what one input costs, next to an exact solution of the same input in the
//! same run.
//!
//! Segments have 1 ohm, cells log-uniform conductances from 1 to 100 uS at a full input of 0.2 V, and are the more
//! curved the less they conduct: a mixture of sinh(3 u) and u. Inputs are uniform, of eight bits.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use mho_network::wires::{
    Arriving, Bends, Cell, Crossbar, Curved, Gates, SEGMENTS, Shapes, Solved, Topology, WireError, Wires,
};

#[path = "timing/mod.rs"]
mod timing;

use timing::{numbers, wall_ms};

/// Conductance of the largest cell (S).
const MOST_S: f64 = 1e-4;

fn bends(n: usize, full_v: f64, most_a: f64) -> Option<Bends> {
    let at = |k: usize| k as f64 / SEGMENTS as f64;
    let sinh: Vec<f64> = (0..=SEGMENTS).map(|k| (3.0 * at(k)).sinh() / 3.0_f64.sinh()).collect();
    let line: Vec<f64> = (0..=SEGMENTS).map(at).collect();
    let full: Vec<f64> = numbers(n * n, 1).into_iter().map(|u| 10f64.powf(-2.0 + 2.0 * u)).collect();
    let bent = full.iter().map(|c| most_a * c * (1.0 - 0.8 * c)).collect();
    let straight = full.iter().map(|c| most_a * 0.8 * c * c).collect();
    let shapes = Arc::new(Shapes::new([sinh.as_slice(), &line])?);
    Some(Bends { shapes, parts: vec![vec![bent, straight]], full_v })
}

fn curved(n: usize, ohm: f64, tolerance: f64) -> Result<(), WireError> {
    let wires = Wires { row_ohm: ohm, column_ohm: ohm, ..Wires::default() };
    let unit = Wires { row_ohm: ohm * MOST_S, column_ohm: ohm * MOST_S, ..Wires::default() };
    let (Some(si), Some(own)) = (bends(n, 0.2, 0.2 * MOST_S), bends(n, 1.0, 1.0)) else { return Ok(()) };
    let exact = Crossbar::curved(n, n, si, &wires)?;
    let many = Curved::<f32>::new(n, n, own, &unit, tolerance)?;
    let batch = 64;
    let x: Vec<f64> = numbers(n * batch, 7).into_iter().map(|u| (255.0 * u).round() / 255.0).collect();
    let narrow: Vec<f32> = x.iter().map(|&x| x as f32).collect();
    let columns: Vec<(usize, f32)> = (0..n).map(|j| (j, 1.0)).collect();
    let mut out = vec![0.0_f32; n * batch];
    let mut solved = Solved::default();
    let all = wall_ms(5, || {
        out.fill(0.0);
        let arriving = Arriving { columns: &columns, batch, currents: &mut out, variances: &mut [] };
        solved = many.add(black_box(&narrow), arriving);
    });
    let many = many.with_noise(&[vec![0.02; n * n]])?;
    let mut variances = vec![0.0_f32; n * batch];
    let noisy = wall_ms(5, || {
        out.fill(0.0);
        let arriving = Arriving { columns: &columns, batch, currents: &mut out, variances: &mut variances };
        many.add(black_box(&narrow), arriving);
    });
    let input: Vec<f64> = (0..n).map(|i| 0.2 * x[i * batch]).collect();
    let mut found = exact.solve(&input)?;
    let one = wall_ms(3, || {
        if let Ok(solution) = exact.solve(black_box(&input)) {
            found = solution;
        }
    });
    let unit_a = 0.2 * MOST_S;
    let rms = (found.column_current_a.iter().map(|i| i * i).sum::<f64>() / n as f64).sqrt();
    let off = (0..n).fold(0.0_f64, |most, j| {
        most.max((f64::from(out[j * batch]) * unit_a - found.column_current_a[j]).abs())
    });
    println!(
        "{n} x {n}, {ohm} ohm, to {tolerance:.0e}: {:.3} ms an input, {:.3} with its noise ({:.2} turns, error {:.0e}); one \
         exact solution {one:.2} ms, {:.0} times",
        all / batch as f64,
        noisy / batch as f64,
        solved.turns as f64 / solved.vectors as f64,
        off / rms,
        one * batch as f64 / all
    );
    Ok(())
}

/// Patterns of open gates, half of them open, with the noise of each.
fn gated(n: usize) -> Result<(), WireError> {
    let unit = MOST_S;
    let wires = Wires { row_ohm: unit, column_ohm: unit, topology: Topology::GatedRows, ..Wires::default() };
    let cells: Vec<f64> = numbers(n * n, 1).into_iter().map(|u| 10f64.powf(-2.0 + 2.0 * u)).collect();
    let sigma: Vec<f64> = cells.iter().map(|g| 0.02 * g).collect();
    let exact = Crossbar::new(n, n, cells.clone(), &wires, Cell::Linear)?;
    let gates = Gates::<f32>::new(n, n, vec![cells], &wires, 1e-5)?;
    let noisy = gates.clone().with_noise(std::slice::from_ref(&sigma))?;
    let batch = 128;
    let on: Vec<f32> = numbers(n * batch, 7).into_iter().map(|u| if u < 0.5 { 1.0 } else { 0.0 }).collect();
    let columns: Vec<(usize, f32)> = (0..n).map(|j| (j, 1.0)).collect();
    let (mut currents, mut variances) = (vec![0.0_f32; n * batch], vec![0.0_f32; n * batch]);
    let time = |gates: &Gates<f32>, currents: &mut [f32], variances: &mut [f32]| {
        wall_ms(5, || {
            variances.fill(0.0);
            gates.add(
                black_box(&on),
                Arriving { columns: &columns, batch, currents: &mut *currents, variances: &mut *variances },
            );
        }) / batch as f64
    };
    let plain = time(&gates, &mut currents, &mut []);
    let with = time(&noisy, &mut currents, &mut variances);
    let mut adjoint = f64::INFINITY;
    let (mut worst, mut mean) = (0.0_f64, 0.0);
    for k in 0..4 {
        let input: Vec<f64> = (0..n).map(|i| f64::from(on[i * batch + k])).collect();
        let start = Instant::now();
        let found = exact.read_noise(&input, sigma.clone())?;
        adjoint = adjoint.min(1e3 * start.elapsed().as_secs_f64());
        for (j, found) in found.iter().enumerate() {
            let off = (f64::from(variances[j * batch + k]).sqrt() / found - 1.0).abs();
            (worst, mean) = (worst.max(off), mean + off / (4 * n) as f64);
        }
    }
    println!(
        "{n} x {n}, gates: {plain:.3} ms a pattern, {with:.3} with its noise, which is off by at most {worst:.0e}, {mean:.0e} in \
         the mean; the exact noise of one pattern {adjoint:.1} ms, {:.0} times",
        adjoint / (with - plain).max(1e-6)
    );
    Ok(())
}

fn main() -> Result<(), WireError> {
    mho_data::memory::keep_freed();
    for n in [64, 128, 256] {
        gated(n)?;
    }
    for n in [64, 128, 256] {
        for (ohm, tolerance) in [(1.0, 1e-3), (1.0, 1e-4), (1.0, 1e-5), (5.0, 1e-4)] {
            curved(n, ohm, tolerance)?;
        }
    }
    Ok(())
}
