//! Pairs of cells and gated inputs, against exact nodal analysis.

use super::*;
use mho_data::npy::Archive;

/// The number after `name` in a key such as `sep_inter_rin0.0001_rout0_tin0_tout0`.
fn number(key: &str, name: &str) -> f64 {
    key.split('_').find_map(|part| part.strip_prefix(name).and_then(|text| text.parse().ok())).unwrap()
}

fn transposed(values: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|at| values[at % n * n + at / n]).collect()
}

/// Every topology of the other simulator: voltage inputs or gates with a supply line beside each output
/// line, single or interleaved cells, wires and terminals with and without resistance.
#[test]
fn every_topology_equals_nodal_analysis() {
    for n in [8, 64] {
        let name = format!("golden/crosssim/c_parasitics_{n}.npz");
        let Some(path) = mho_data::shared::find(&name) else { return };
        let archive = Archive::from_npz(&std::fs::read(path).unwrap(), &name).unwrap();
        let values = |name: &str| archive.get(name).unwrap().values.clone();
        // Stored outputs x inputs, in units of the largest conductance; resistances in units of its inverse.
        let (positive, negative) = (transposed(&values("G"), n), transposed(&values("Gneg"), n));
        let mut seen = 0;
        for (key, array) in &archive.members {
            let Some(key) = key.strip_suffix("/nodal") else { continue };
            seen += 1;
            let gated = key.starts_with("sep");
            let wires = Wires {
                row_ohm: number(key, "rin"),
                column_ohm: number(key, "rout"),
                row_terminal_ohm: number(key, "tin"),
                column_terminal_ohm: number(key, "tout"),
                topology: if gated { Topology::GatedColumns } else { Topology::InputSource },
                ..Wires::default()
            };
            let input = values(if gated { "xbin" } else { "x" });
            let solve = |wires: &Wires| {
                if key.contains("inter") {
                    let (positive, negative) = (positive.clone(), negative.clone());
                    let layout = PairLayout::Interleaved;
                    let pairs = Pairs::new(n, n, positive, negative, layout, wires, Cell::Linear).unwrap();
                    let effective = pairs.effective().map(|effective| effective.difference_s);
                    (pairs.solve_many(&input).unwrap().current_a, effective)
                } else {
                    let one = Crossbar::new(n, n, positive.clone(), wires, Cell::Linear).unwrap();
                    let solution = one.solve(&input).unwrap();
                    assert!(solution.converged);
                    let effective = one.effective().map(|effective| effective.matrix().to_vec());
                    (solution.column_current_a, effective)
                }
            };
            // The reference has 1e-12 where it says none: what none gives is as near as that.
            let (found, effective) = solve(&wires);
            let tolerance = if wires.row_ohm * wires.column_ohm > 0.0 { 1e-11 } else { 1e-8 };
            assert!(difference(&found, &array.values) < tolerance, "{key}");
            let stand_in = |ohm: f64| if ohm == 0.0 { 1e-12 } else { ohm };
            let wires =
                Wires { row_ohm: stand_in(wires.row_ohm), column_ohm: stand_in(wires.column_ohm), ..wires };
            let (near, _) = solve(&wires);
            assert!(difference(&near, &array.values) < 1e-11, "{key} {}", difference(&near, &array.values));
            assert_eq!(effective.is_err(), gated);
            if let Ok(effective) = effective {
                assert!(difference(&product(&input, &effective), &array.values) < tolerance, "{key}");
            }
        }
        assert_eq!(seen, 24);
    }
}

fn sample(n: usize, seed: usize) -> Vec<f64> {
    (0..n).map(|at| 1e-6 * (1 + (at * 7919 + seed * 104_729) % 97) as f64).collect()
}

/// Layouts differ in their wires alone: without resistance they agree, with it each equals the array that
/// its description draws.
#[test]
fn layouts() {
    let (rows, columns) = (7, 5);
    let (positive, negative) = (sample(35, 1), sample(35, 2));
    let input: Vec<f64> = (0..2 * rows).map(|i| 0.1 * (i as f64 - 5.0)).collect();
    let new = |layout, wires: &Wires, cell| {
        Pairs::new(rows, columns, positive.clone(), negative.clone(), layout, wires, cell).unwrap()
    };
    let ideal: Vec<f64> = positive.iter().zip(&negative).map(|(a, b)| a - b).collect();
    let wires = Wires { row_ohm: 20.0, column_ohm: 50.0, row_terminal_ohm: 3.0, ..Wires::default() };
    for layout in [PairLayout::Separate, PairLayout::Interleaved, PairLayout::Alternating] {
        let plain = new(layout, &Wires::default(), Cell::Linear).effective().unwrap();
        assert!(difference(&plain.difference_s, &ideal) < 1e-14);
        let array = new(layout, &wires, Cell::Linear);
        let effective = array.effective().unwrap();
        let currents = array.solve_many(&input).unwrap();
        assert!(currents.unconverged == 0);
        for (k, input) in input.chunks(rows).enumerate() {
            let found = &currents.current_a[k * columns..(k + 1) * columns];
            assert!(difference(&product(input, &effective.difference_s), found) < 1e-10);
        }
        // Cells of a nearly linear law take the path of one input at a time.
        let curved = new(layout, &wires, Cell::Sinh(1e-4)).solve_many(&input).unwrap();
        assert!(difference(&curved.current_a, &currents.current_a) < 1e-8);
    }
    // Alternating cells are an array of twice the columns.
    let both = (0..35).flat_map(|at| [positive[at], negative[at]]).collect();
    let wide = Crossbar::new(rows, 2 * columns, both, &wires, Cell::Linear).unwrap();
    let wide = wide.solve(&input[..rows]).unwrap().column_current_a;
    let wide: Vec<f64> = wide.chunks(2).map(|pair| pair[0] - pair[1]).collect();
    let found = new(PairLayout::Alternating, &wires, Cell::Linear).solve_many(&input[..rows]).unwrap();
    assert!(difference(&found.current_a, &wide) < 1e-10);
    // Interleaved cells that balance leave nothing on their column.
    let zero = Pairs::new(
        rows,
        columns,
        positive.clone(),
        positive.clone(),
        PairLayout::Interleaved,
        &wires,
        Cell::Linear,
    );
    let zero = zero.unwrap().effective().unwrap().difference_s;
    assert!(zero.iter().all(|g| g.abs() < 1e-16));
}

/// Gates with the supply along the rows: an input of ones is the array itself, a closed row is no row.
#[test]
fn gates() {
    let (rows, columns) = (9, 6);
    let g = sample(54, 3);
    let wires = Wires { row_ohm: 30.0, column_ohm: 40.0, ..Wires::default() };
    for topology in [Topology::GatedRows, Topology::GatedColumns] {
        let gated = Wires { topology, ..wires };
        let array = Crossbar::new(rows, columns, g.clone(), &gated, Cell::Linear).unwrap();
        let inputs = [vec![0.3; rows], (0..rows).map(|i| 0.3 * (i % 2) as f64).collect()].concat();
        let many = array.solve_many(&inputs).unwrap();
        for (k, input) in inputs.chunks(rows).enumerate() {
            let solution = array.solve(input).unwrap();
            assert!(solution.converged && solution.residual_a < 1e-14);
            assert_eq!(many.current_a[k * columns..(k + 1) * columns], solution.column_current_a);
            let mut open = g.clone();
            for (row, v) in open.chunks_mut(columns).zip(input) {
                row.iter_mut().for_each(|g| *g = if *v == 0.0 { 0.0 } else { *g });
            }
            if topology == Topology::GatedRows {
                let plain = Crossbar::new(rows, columns, open, &wires, Cell::Linear).unwrap();
                let plain = plain.solve(input).unwrap().column_current_a;
                assert!(difference(&solution.column_current_a, &plain) < 1e-12);
            } else {
                let sent: f64 = solution.cell_current_a.iter().sum();
                let received: f64 = solution.column_current_a.iter().sum();
                assert!((sent - received).abs() < 1e-12 * sent);
            }
        }
        let mixed = array.solve(&[0.1, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap_err();
        assert!(mixed.to_string().contains("gates"), "{mixed}");
    }
}
