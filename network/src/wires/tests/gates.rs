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
    let lines: Vec<(usize, T)> = (0..columns).map(|j| (columns - 1 - j, T::of(0.5))).collect();
    let mut out = vec![T::of(1.0); columns * batch];
    gates.add(&on, Arriving { columns: &lines, batch, currents: &mut out, variances: &mut [] });
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

/// Noise of the cells that are on, for patterns of few and of many gates, against exact adjoint solutions.
#[test]
fn noise_is_that_of_the_pattern() {
    let (rows, columns, batch) = (24, 12, 20);
    let lines: Vec<(usize, f64)> = (0..columns).map(|j| (j, 0.5)).collect();
    let base = Wires { row_ohm: 1e-3, column_ohm: 2e-3, topology: Topology::GatedRows, ..Wires::default() };
    for (wires, layers) in [
        (base, 1),
        (base, 2),
        (Wires { row_terminal_ohm: 0.01, row_ohm: 0.0, sense: Ends::Both, ..base }, 1),
        (Wires { column_ohm: 0.0, ..base }, 1),
        (Wires { column_ohm: 0.0, column_terminal_ohm: 0.02, ..base }, 1),
    ] {
        let g = array(rows, columns, layers);
        let sigma: Vec<Vec<f64>> = g.iter().map(|g| g.iter().map(|g| 0.01 + 0.05 * g).collect()).collect();
        let gates = Gates::<f64>::new(rows, columns, g.clone(), &wires, 1e-6).unwrap();
        let gates = gates.with_noise(&sigma).unwrap();
        let on: Vec<f64> = (0..rows * batch)
            .map(|at| if 7 * (at / batch) % rows < 1 + at % batch { 1.0 } else { 0.0 })
            .collect();
        let (mut currents, mut variances) = (vec![0.0; columns * batch], vec![0.0; columns * batch]);
        let out = Arriving { columns: &lines, batch, currents: &mut currents, variances: &mut variances };
        let solved = gates.add(&on, out);
        assert_eq!((solved.vectors, solved.alone, solved.unconverged), (batch as u64, 0, 0));
        let array = Layers::new(rows, columns, g, &wires, Cell::Linear).unwrap();
        let (mut losses, mut worst, mut sum) = (0.0_f64, 0.0_f64, 0.0);
        for k in 0..batch {
            let input: Vec<f64> = (0..rows).map(|i| on[i * batch + k]).collect();
            let exact = array.variance(&input, &sigma, false).unwrap();
            for j in 0..columns {
                let ideal: f64 = sigma
                    .iter()
                    .map(|s| (0..rows).map(|i| input[i] * s[i * columns + j].powi(2)).sum::<f64>())
                    .sum();
                losses = losses.max(1.0 - (exact[j] / ideal).sqrt());
                let off = ((variances[j * batch + k] / 0.25 / exact[j]).sqrt() - 1.0).abs();
                (worst, sum) = (worst.max(off), sum + off);
            }
        }
        println!("{wires:?}: worst {worst:.1e}, mean {:.1e}", sum / (batch * columns) as f64);
        // What cells send into other columns is left out.
        assert!(worst < 3e-3, "{wires:?}: {worst}");
        assert!(losses > 0.03, "the wires matter: {losses}");
    }
}
