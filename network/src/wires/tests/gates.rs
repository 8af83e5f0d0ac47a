//! Gated arrays for many patterns, against the solution of each.

use super::*;
use crate::converter::Real;
use mho_data::random::Stream;

/// Conductances between 0.01 and 1, and patterns of which one has no open gate and one all.
fn array(rows: usize, columns: usize, layers: usize) -> Vec<Vec<f64>> {
    let stream = Stream::new(3, &["gates"], &[]);
    let cell = |at: usize| 10f64.powf(-2.0 * stream.uniform(at as u64));
    (0..layers)
        .map(|layer| (0..rows * columns).map(|at| cell(layer * rows * columns + at)).collect())
        .collect()
}

fn patterns<T: Real>(rows: usize, batch: usize) -> Vec<T> {
    let stream = Stream::new(4, &["gates"], &[]);
    let on = |at: usize| match at % batch {
        0 => false,
        1 => true,
        _ => stream.uniform(at as u64) < 0.4,
    };
    (0..rows * batch).map(|at| if on(at) { T::ONE } else { T::default() }).collect()
}

/// Largest error of the currents of `T`, over the largest current of one pattern after the other.
fn worst<T: Real>(rows: usize, columns: usize, layers: usize, wires: &Wires, tolerance: f64) -> (f64, f64) {
    let (cells, batch) = (array(rows, columns, layers), 37);
    let gates = Gates::<T>::new(rows, columns, cells.clone(), wires, tolerance).unwrap();
    let on = patterns::<T>(rows, batch);
    let lines: Vec<usize> = (0..columns).map(|j| columns - 1 - j).collect();
    let mut out = vec![T::of(1.0); columns * batch];
    gates.add(&on, batch, T::of(0.5), &lines, &mut out);
    let mut worst = 0.0_f64;
    for k in 0..batch {
        let input: Vec<f64> = (0..rows).map(|i| on[i * batch + k].to_f64()).collect();
        let exact = match &cells[..] {
            [only] => {
                let array = Crossbar::new(rows, columns, only.clone(), wires, Cell::Linear).unwrap();
                array.solve(&input).unwrap().column_current_a
            }
            [plus, minus] => {
                let (plus, minus, layout) = (plus.clone(), minus.clone(), PairLayout::Interleaved);
                let pairs = Pairs::new(rows, columns, plus, minus, layout, wires, Cell::Linear).unwrap();
                pairs.solve_many(&input).unwrap().current_a
            }
            _ => unreachable!(),
        };
        // What all open cells could carry.
        let scale: f64 =
            (0..rows * columns).map(|at| input[at / columns] * cells[0][at]).sum::<f64>() / columns as f64;
        for j in 0..columns {
            let found = (out[(columns - 1 - j) * batch + k].to_f64() - 1.0) / 0.5;
            worst = worst.max((found - exact[j]).abs() / scale.max(1e-9));
        }
    }
    (worst, gates.error)
}

#[test]
fn patterns_together_are_patterns_alone() {
    for (rows, columns) in [(7, 5), (16, 9), (33, 18)] {
        for layers in [1, 2] {
            for ohm in [0.0, 1e-4, 3e-3] {
                for (drive, sense) in
                    [(Ends::First, Ends::Last), (Ends::Both, Ends::First), (Ends::Last, Ends::Both)]
                {
                    for merged in [false, true] {
                        let wires = Wires {
                            row_ohm: ohm,
                            column_ohm: if merged { 0.0 } else { 2.0 * ohm },
                            row_terminal_ohm: 0.0,
                            column_terminal_ohm: 5.0 * ohm,
                            drive,
                            sense,
                            topology: Topology::GatedRows,
                        };
                        let (error, bound) = worst::<f64>(rows, columns, layers, &wires, 1e-9);
                        assert!(
                            bound <= 1e-9 && error <= 1e-8,
                            "{rows} x {columns}, {wires:?}: {error:e} {bound:e}"
                        );
                        let (error, bound) = worst::<f32>(rows, columns, layers, &wires, 1e-3);
                        // Single precision: a few 1e-7 times the length of a line.
                        assert!(
                            error <= 2.0 * bound + 3e-5,
                            "{rows} x {columns}, {wires:?}: {error:e} {bound:e}"
                        );
                    }
                }
            }
        }
    }
}

/// Lines that all but isolate their cells: too many turns, so that each pattern is solved alone.
#[test]
fn isolated_cells_are_solved_one_by_one() {
    let wires = Wires { row_ohm: 1.0, column_ohm: 1.0, topology: Topology::GatedRows, ..Wires::default() };
    let (error, bound) = worst::<f64>(20, 20, 1, &wires, 1e-6);
    assert!(error < 1e-8 && bound == 0.0, "{error:e} {bound:e}");
}

/// Noise of cells that are on, half of the rows being on, against exact adjoint solutions.
#[test]
fn noise_arrives_as_it_does_with_half_of_the_gates_open() {
    let (rows, columns) = (24, 12);
    let g = array(rows, columns, 1).remove(0);
    let wires = Wires { row_ohm: 1e-3, column_ohm: 2e-3, topology: Topology::GatedRows, ..Wires::default() };
    let sigma: Vec<f64> = g.iter().map(|g| 0.01 + 0.05 * g).collect();
    let gates = Gates::<f64>::new(rows, columns, vec![g.clone()], &wires, 1e-6).unwrap();
    let map = gates.noise(std::slice::from_ref(&sigma)).unwrap().remove(0);
    let array = Crossbar::new(rows, columns, g, &wires, Cell::Linear).unwrap();
    let on = patterns::<f64>(rows, 12);
    let mut losses = 0.0_f64;
    for k in 2..12 {
        let input: Vec<f64> = (0..rows).map(|i| on[i * 12 + k]).collect();
        let exact = array.read_noise(&input, sigma.clone()).unwrap();
        for j in 0..columns {
            let sum = |list: &[f64]| -> f64 {
                (0..rows).map(|i| input[i] * list[i * columns + j].powi(2)).sum::<f64>().sqrt()
            };
            losses = losses.max(1.0 - sum(&map) / sum(&sigma));
            // Patterns of 24 gates with more and with fewer of them open than half, on lines that lose a sixth.
            assert!((sum(&map) / exact[j] - 1.0).abs() < 0.06, "{} {}", sum(&map), exact[j]);
        }
    }
    assert!(losses > 0.05, "the wires matter: {losses}");
}
