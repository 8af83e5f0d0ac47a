use super::*;

#[test]
fn one_cell_is_a_divider() {
    let wires = Wires { row_ohm: 100.0, column_ohm: 200.0, column_terminal_ohm: 50.0, ..Wires::default() };
    let array = Crossbar::new(1, 1, vec![1e-3], &wires, Cell::Linear).unwrap();
    let found = array.solve(&[0.5]).unwrap().column_current_a[0];
    assert!((found - 0.5 / 1350.0).abs() < 1e-15, "{found}");
}

/// Arrays of the golden folder: log-uniform cells by a linear congruential generator, 2.5 ohm wires.
/// Reference: sparse LU, equal to an independent circuit simulator to 5e-13 (6e-12 with sinh cells).
fn golden(name: &str, n: usize, cell: Cell, tolerance: f64) {
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
    let g = nodes.iter().map(|row| row[2]).collect();
    let input: Vec<f64> = (0..n).map(|i| 0.2 * ((7 * i) % 10) as f64 / 9.0).collect();
    let wires = Wires { row_ohm: 2.5, column_ohm: 2.5, ..Wires::default() };
    let array = Crossbar::new(n, n, g, &wires, cell).unwrap();
    let solution = array.solve(&input).unwrap();
    assert!(solution.converged && solution.residual_a < 1e-14, "{}", solution.residual_a);
    for (found, row) in solution.column_current_a.iter().zip(&columns) {
        assert!((found / row[2] - 1.0).abs() < tolerance, "{found} {}", row[2]);
    }
    for (at, row) in nodes.iter().enumerate() {
        assert!(
            (solution.row_v[at] / row[3] - 1.0).abs() < tolerance,
            "{at}: {} {}",
            solution.row_v[at],
            row[3]
        );
        assert!((solution.column_v[at] / row[4] - 1.0).abs() < tolerance, "{at}");
    }
    if let Some(effective) = array.effective() {
        for (j, found) in solution.column_current_a.iter().enumerate() {
            let product: f64 = input.iter().enumerate().map(|(i, v)| v * effective[i * n + j]).sum();
            assert!((product / found - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn currents_and_voltages_equal_sparse_lu() {
    golden("crossbar_4_lcg_rw2.5", 4, Cell::Linear, 1e-9);
    golden("crossbar_32_lcg_rw2.5", 32, Cell::Linear, 1e-9);
    golden("crossbar_32_lcg_rw2.5_nl4", 32, Cell::Sinh(4.0), 1e-8);
}
