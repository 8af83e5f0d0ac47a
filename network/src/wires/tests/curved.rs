//! Curved cells for many inputs, against the solution of each.

use super::*;
use crate::converter::Real;
use crate::wires::curved::{Bends, Curved};
use crate::wires::shapes::{SEGMENTS, Shapes};
use mho_data::random::Stream;
use std::sync::Arc;

/// Two functions whose mixture makes cells the more curved the less they conduct: sinh(3 u) / sinh(3), and u.
fn shapes() -> Shapes<f64> {
    let at = |k: usize| k as f64 / SEGMENTS as f64;
    let sinh: Vec<f64> = (0..=SEGMENTS).map(|k| (3.0 * at(k)).sinh() / 3.0_f64.sinh()).collect();
    let line: Vec<f64> = (0..=SEGMENTS).map(at).collect();
    Shapes::new([sinh.as_slice(), &line]).unwrap()
}

/// Cells that conduct between 0.01 and 1 at the full voltage.
fn bends(rows: usize, columns: usize, layers: usize) -> Bends {
    let stream = Stream::new(3, &["curved"], &[]);
    let full = |at: usize| 10f64.powf(-2.0 * stream.uniform(at as u64));
    let cells = rows * columns;
    let layer = |layer: usize| {
        let of = |part: fn(f64) -> f64| (0..cells).map(|at| part(full(layer * cells + at))).collect();
        vec![of(|c| c * (1.0 - 0.8 * c)), of(|c| 0.8 * c * c)]
    };
    Bends { shapes: Arc::new(shapes()), parts: (0..layers).map(layer).collect(), full_v: 1.0 }
}

/// Inputs of eight bits with a sign, of which one vector is empty and one full.
fn inputs(rows: usize, batch: usize) -> Vec<f64> {
    let stream = Stream::new(4, &["curved"], &[]);
    let one = |at: usize| match at % batch {
        0 => 0.0,
        1 => 1.0,
        _ => ((2.0 * stream.uniform(at as u64) - 1.0) * 127.0).round() / 127.0,
    };
    (0..rows * batch).map(one).collect()
}

/// Largest error over the root mean square current of an input, and the turns of one.
fn worst<T: Real>(
    (rows, columns, layers): (usize, usize, usize),
    wires: &Wires,
    tolerance: f64,
    batch: usize,
) -> (f64, f64) {
    let bends = bends(rows, columns, layers);
    let array = Curved::<T>::new(rows, columns, bends.clone(), wires, tolerance).unwrap();
    let x = inputs(rows, batch);
    let narrow: Vec<T> = x.iter().map(|&x| T::of(x)).collect();
    let lines: Vec<(usize, T)> = (0..columns).map(|j| (columns - 1 - j, T::of(0.5))).collect();
    let mut out = vec![T::of(1.0); columns * batch];
    let arriving = Arriving { columns: &lines, batch, currents: &mut out, variances: &mut [] };
    let solved = array.add(&narrow, arriving);
    assert_eq!((solved.vectors, solved.unconverged), (batch as u64 - 1, 0));
    let exact = Layers::curved(rows, columns, bends, wires).unwrap();
    let mut worst = 0.0_f64;
    for k in 0..batch {
        let input: Vec<f64> = (0..rows).map(|i| x[i * batch + k]).collect();
        let balance = exact.answer(&input).unwrap();
        assert!(balance.converged && balance.residual_a < 1e-10);
        let exact = balance.column_current_a(columns);
        let size = (exact.iter().map(|i| i * i).sum::<f64>() / columns as f64).sqrt();
        for j in 0..columns {
            let found = (out[(columns - 1 - j) * batch + k].to_f64() - 1.0) / 0.5;
            worst = worst.max((found - exact[j]).abs() / size.max(1e-3));
        }
    }
    (worst, solved.turns as f64 / solved.vectors as f64)
}

fn circuits() -> Vec<(&'static str, Wires)> {
    let base = Wires { row_ohm: 2e-3, column_ohm: 1e-3, ..Wires::default() };
    vec![
        ("usual", base),
        ("both ends", Wires { drive: Ends::Both, sense: Ends::Both, ..base }),
        ("other ends", Wires { drive: Ends::Last, sense: Ends::First, row_terminal_ohm: 0.01, ..base }),
        ("terminals", Wires { row_terminal_ohm: 0.02, column_terminal_ohm: 0.01, ..Wires::default() }),
        ("rows", Wires { column_ohm: 0.0, ..base }),
        ("columns", Wires { row_ohm: 0.0, column_terminal_ohm: 0.01, ..base }),
        ("lossy", Wires { row_ohm: 0.05, column_ohm: 0.05, ..Wires::default() }),
    ]
}

#[test]
fn many_inputs_are_what_each_alone_is() {
    for (name, wires) in circuits() {
        for shape in [(9, 13, 1), (20, 7, 2)] {
            // Newton's last step counts as converged at 1e-10 of the voltage.
            let (error, turns) = worst::<f64>(shape, &wires, 1e-10, 19);
            println!("{name} {shape:?}: {error:.1e} in double precision, {turns:.2} turns");
            assert!(error < 1e-8, "{name} {shape:?}: {error}");
            for tolerance in [1e-3, 1e-4, 1e-5] {
                let (error, turns) = worst::<f32>(shape, &wires, tolerance, 19);
                println!("{name} {shape:?}: {error:.1e} for {tolerance:.0e}, {turns:.2} turns");
                assert!(error < tolerance, "{name} {shape:?}: {error}");
            }
        }
    }
}

/// An input's currents and their noise are the same whatever inputs stand beside it.
#[test]
fn company_does_not_matter() {
    let (rows, columns, batch) = (12, 9, 21);
    let wires = Wires { row_ohm: 0.01, column_ohm: 0.02, ..Wires::default() };
    let bends = bends(rows, columns, 2);
    let sigma = vec![vec![0.02; rows * columns]; 2];
    let array = Curved::<f32>::new(rows, columns, bends, &wires, 1e-4).unwrap().with_noise(&sigma).unwrap();
    let lines: Vec<(usize, f32)> = (0..columns).map(|j| (j, 1.0)).collect();
    let solve = |x: &[f32], batch: usize| {
        let (mut currents, mut variances) = (vec![0.0; columns * batch], vec![0.0; columns * batch]);
        array.add(x, Arriving { columns: &lines, batch, currents: &mut currents, variances: &mut variances });
        (currents, variances)
    };
    let all: Vec<f32> = inputs(rows, batch).iter().map(|&x| x as f32).collect();
    let (currents, variances) = solve(&all, batch);
    for k in 0..batch {
        let one: Vec<f32> = (0..rows).map(|i| all[i * batch + k]).collect();
        let alone = solve(&one, 1);
        for j in 0..columns {
            assert_eq!((currents[j * batch + k], variances[j * batch + k]), (alone.0[j], alone.1[j]));
        }
    }
}

/// Read noise of every input against its exact adjoint solution.
#[test]
fn noise_is_that_of_the_input() {
    let batch = 19;
    for (name, wires) in circuits() {
        for (rows, columns, layers) in [(24, 12, 1), (20, 14, 2)] {
            let bends = bends(rows, columns, layers);
            let sigma: Vec<Vec<f64>> = bends
                .parts
                .iter()
                .map(|parts| {
                    (0..rows * columns).map(|at| 0.01 + 0.05 * (parts[0][at] + parts[1][at])).collect()
                })
                .collect();
            let array = Curved::<f64>::new(rows, columns, bends.clone(), &wires, 1e-6).unwrap();
            let array = array.with_noise(&sigma).unwrap();
            let x = inputs(rows, batch);
            let lines: Vec<(usize, f64)> = (0..columns).map(|j| (j, 1.0)).collect();
            let (mut currents, mut variances) = (vec![0.0; columns * batch], vec![0.0; columns * batch]);
            let out = Arriving { columns: &lines, batch, currents: &mut currents, variances: &mut variances };
            assert_eq!(array.add(&x, out).unconverged, 0);
            let exact = Layers::curved(rows, columns, bends, &wires).unwrap();
            let (mut worst, mut losses) = (0.0_f64, 0.0_f64);
            for k in 1..batch {
                let input: Vec<f64> = (0..rows).map(|i| x[i * batch + k]).collect();
                let exact = exact.variance(&input, &sigma, false).unwrap();
                for j in 0..columns {
                    let ideal: f64 = sigma
                        .iter()
                        .map(|s| (0..rows).map(|i| (input[i] * s[i * columns + j]).powi(2)).sum::<f64>())
                        .sum();
                    losses = losses.max(1.0 - (exact[j] / ideal).sqrt());
                    worst = worst.max(((variances[j * batch + k] / exact[j]).sqrt() - 1.0).abs());
                }
            }
            println!("{name} {rows} x {columns}: worst {worst:.1e}, {losses:.2} lost");
            let allowed = if name == "lossy" { 5e-2 } else { 3e-3 };
            assert!(worst < allowed, "{name}: {worst}");
        }
    }
}

/// Curves of one shape are those of another law.
#[test]
fn listed_sinh_is_sinh() {
    let (rows, columns, a) = (15, 11, 12.0);
    let wires = Wires { row_ohm: 50.0, column_ohm: 80.0, sense: Ends::Both, ..Wires::default() };
    let full_v = 0.25;
    let g: Vec<f64> = bends(rows, columns, 1).parts[0][0].iter().map(|c| 1e-4 * c).collect();
    let law = |v: f64| (a * v).sinh() / a;
    let list: Vec<f64> = (0..=SEGMENTS).map(|k| law(full_v * k as f64 / SEGMENTS as f64)).collect();
    let shapes = Arc::new(Shapes::new([list.as_slice()]).unwrap());
    let bends = Bends { shapes, parts: vec![vec![g.clone()]], full_v };
    let input: Vec<f64> = inputs(rows, 3).chunks(3).map(|x| full_v * x[2]).collect();
    let found = Crossbar::curved(rows, columns, bends, &wires).unwrap().solve(&input).unwrap();
    let exact = Crossbar::new(rows, columns, g, &wires, Cell::Sinh(a)).unwrap().solve(&input).unwrap();
    assert!(found.converged && found.residual_a < 1e-14, "{}", found.residual_a);
    // Straight lines between 257 points: an eighth of the second derivative times the square of a step.
    let off = 0.125 * (a * full_v / SEGMENTS as f64).powi(2) * law(full_v) / full_v * a;
    assert!(difference(&found.column_current_a, &exact.column_current_a) < off.max(1e-4));
    // What no array has is refused.
    let bends = |parts| Bends { shapes: Arc::new(shapes_of(1)), parts, full_v: 1.0 };
    assert!(Crossbar::curved(1, 1, bends(vec![vec![vec![f64::NAN]]]), &wires).is_err());
    assert!(Crossbar::curved(1, 1, bends(vec![vec![vec![1.0, 2.0]]]), &wires).is_err());
    assert!(Crossbar::curved(1, 1, bends(vec![vec![]]), &wires).is_err());
    assert!(Curved::<f32>::new(1, 1, bends(vec![vec![vec![1.0]]; 3]), &wires, 1e-4).is_err());
}

fn shapes_of(count: usize) -> Shapes<f64> {
    let line: Vec<f64> = (0..=SEGMENTS).map(|k| k as f64).collect();
    Shapes::new((0..count).map(|_| line.as_slice())).unwrap()
}
