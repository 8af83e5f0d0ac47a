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
    let lines: Vec<usize> = (0..columns).map(|j| columns - 1 - j).collect();
    let mut out = vec![T::of(1.0); columns * batch];
    let solved = array.add(&narrow, batch, T::of(0.5), &lines, &mut out);
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
