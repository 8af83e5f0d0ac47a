//! Arrays of the folder of reference data.

use super::*;
use mho_data::npy::Archive;

/// Log-uniform cells by a linear congruential generator, 2.5 ohm wires. Reference: sparse LU, equal to an
/// independent circuit simulator to 5e-13 (6e-12 with sinh cells).
fn against_simulator(name: &str, n: usize, cell: Cell, tolerance: f64) {
    let path = |what: &str| mho_data::shared::find(&format!("golden/crossbar/{name}_{what}.csv"));
    let (Some(columns), Some(nodes)) = (path("columns"), path("nodes")) else {
        println!("SKIPPED: no golden/crossbar/{name}");
        return;
    };
    let read = |path: std::path::PathBuf| -> Vec<Vec<f64>> {
        let text = std::fs::read_to_string(path).unwrap();
        let rows = text.lines().skip(2).map(|line| line.split(',').map(|x| x.parse().unwrap()).collect());
        rows.collect()
    };
    let (columns, nodes) = (read(columns), read(nodes));
    let g: Vec<f64> = nodes.iter().map(|row| row[2]).collect();
    let input: Vec<f64> = (0..n).map(|i| 0.2 * ((7 * i) % 10) as f64 / 9.0).collect();
    let wires = Wires { row_ohm: 2.5, column_ohm: 2.5, ..Wires::default() };
    let array = Crossbar::new(n, n, g, &wires, cell).unwrap();
    let solution = array.solve(&input).unwrap();
    assert!(solution.converged && solution.residual_a < 1e-14, "{}", solution.residual_a);
    for (found, row) in solution.column_current_a.iter().zip(&columns) {
        assert!((found / row[2] - 1.0).abs() < tolerance, "{found} {}", row[2]);
    }
    for (at, row) in nodes.iter().enumerate() {
        assert!((solution.row_v[at] / row[3] - 1.0).abs() < tolerance, "{at}: {}", solution.row_v[at]);
        assert!((solution.column_v[at] / row[4] - 1.0).abs() < tolerance, "{at}");
    }
    if cell == Cell::Linear {
        let effective = array.effective().unwrap();
        for (found, exact) in product(&input, effective.matrix()).iter().zip(&solution.column_current_a) {
            assert!((found / exact - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn currents_and_voltages_equal_a_circuit_simulator() {
    against_simulator("crossbar_4_lcg_rw2.5", 4, Cell::Linear, 1e-9);
    against_simulator("crossbar_32_lcg_rw2.5", 32, Cell::Linear, 1e-9);
    against_simulator("crossbar_32_lcg_rw2.5_nl4", 32, Cell::Sinh(4.0), 1e-8);
}

/// The array `rows x columns x inputs` of an archive, for one input.
fn of_input(archive: &Archive, name: &str, input: usize) -> Vec<f64> {
    let array = archive.get(name).unwrap();
    let inputs = *array.shape.last().unwrap();
    array.values.iter().skip(input).step_by(inputs).copied().collect()
}

/// Sparse LU of another program, linear cells, unequal wires, open cells, rows without resistance.
#[test]
fn every_array_of_the_other_solver() {
    let names = ["c02_2x3", "c03_5x3", "c05_8x8", "c06_8x8_rwl0", "c09_10x16_open", "c11_32x32"];
    for name in names {
        let Some(path) = mho_data::shared::find(&format!("golden/crossbar/{name}.npz")) else { return };
        let archive = Archive::from_npz(&std::fs::read(path).unwrap(), name).unwrap();
        let (g, v) = (archive.get("G").unwrap(), archive.get("V").unwrap());
        let (rows, columns, inputs) = (g.shape[0], g.shape[1], v.shape[1]);
        let ohm = |name: &str| archive.get(name).unwrap().values[0];
        let wires = Wires { row_ohm: ohm("r_wl"), column_ohm: ohm("r_bl"), ..Wires::default() };
        let array = Crossbar::new(rows, columns, g.values.clone(), &wires, Cell::Linear).unwrap();
        let effective = array.effective().unwrap();
        for k in 0..inputs {
            let input = of_input(&archive, "V", k);
            let solution = array.solve(&input).unwrap();
            assert!(solution.converged && solution.residual_a < 1e-14, "{name}: {}", solution.residual_a);
            let near = |found: &[f64], expected: &[f64], what: &str| {
                for (found, expected) in found.iter().zip(expected) {
                    // Open cells and wires behind them carry nothing; their numbers there are rounding.
                    let off = (found - expected).abs();
                    assert!(off <= 1e-9 * expected.abs() + 1e-18, "{name} {what}: {found} {expected}");
                }
            };
            let expected = &archive.get("I_out").unwrap().values[k * columns..(k + 1) * columns];
            near(&solution.column_current_a, expected, "currents");
            near(&product(&input, effective.matrix()), expected, "effective");
            near(&solution.cell_current_a, &of_input(&archive, "I_dev", k), "cells");
            near(&solution.column_v, &of_input(&archive, "V_bl", k), "column nodes");
            near(&solution.row_v, &of_input(&archive, "V_wl", k), "row nodes");
        }
    }
}
