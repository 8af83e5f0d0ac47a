//! Laws that every array obeys.

use super::*;

/// Any end.
fn ends() -> impl Strategy<Value = Ends> {
    prop_oneof![Just(Ends::First), Just(Ends::Last), Just(Ends::Both)]
}

/// Any resistance, none among them.
fn ohm() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.01f64..1000.0]
}

fn wires() -> impl Strategy<Value = Wires> {
    (ohm(), ohm(), ohm(), ohm(), ends(), ends()).prop_map(
        |(row, column, row_end, column_end, drive, sense)| Wires {
            row_ohm: row,
            column_ohm: column,
            row_terminal_ohm: row_end,
            column_terminal_ohm: column_end,
            drive,
            sense,
            ..Wires::default()
        },
    )
}

/// Shape, conductances (some open), and input.
fn array() -> impl Strategy<Value = (usize, usize, Vec<f64>, Vec<f64>)> {
    (1usize..12, 1usize..12).prop_flat_map(|(rows, columns)| {
        let cell = prop_oneof![1 => Just(0.0), 4 => 1e-7f64..1e-3];
        let g = proptest::collection::vec(cell, rows * columns);
        (Just(rows), Just(columns), g, proptest::collection::vec(-1.0f64..1.0, rows))
    })
}

fn transposed(g: &[f64], columns: usize) -> Vec<f64> {
    (0..g.len()).map(|at| g[at % (g.len() / columns) * columns + at / (g.len() / columns)]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn kirchhoff_and_conservation((rows, columns, g, input) in array(), wires in wires()) {
        let array = Crossbar::new(rows, columns, g, &wires, Cell::Linear).unwrap();
        let solution = array.solve(&input).unwrap();
        prop_assert!(solution.converged);
        // Rounding of a node's voltage times the conductance of its wires, 100 S at least here.
        prop_assert!(solution.residual_a < 1e-12, "{}", solution.residual_a);
        let sent: f64 = solution.row_current_a.iter().sum();
        let received: f64 = solution.column_current_a.iter().sum();
        prop_assert!((sent - received).abs() <= 1e-12 * (1e-6 + sent.abs()));
        // The array only consumes power.
        let power: f64 = solution.row_current_a.iter().zip(&input).map(|(i, v)| i * v).sum();
        prop_assert!(power >= -1e-18);
    }

    #[test]
    fn effective_equals_each_input((rows, columns, g, input) in array(), wires in wires()) {
        let array = Crossbar::new(rows, columns, g, &wires, Cell::Linear).unwrap();
        let solution = array.solve(&input).unwrap();
        let effective = array.effective().unwrap();
        let scale: f64 = solution.cell_current_a.iter().map(|i| i.abs()).sum::<f64>() + 1e-20;
        for (found, exact) in product(&input, effective.matrix()).iter().zip(&solution.column_current_a) {
            prop_assert!((found - exact).abs() <= 1e-10 * scale, "{found} {exact}");
        }
        prop_assert!(effective.error_s.unwrap() <= 1e-10 * array.layers.conductance_s[0].iter().sum::<f64>());
    }

    /// Rows and columns exchanged, driven and sensed the other way: the same conductances (reciprocity),
    /// and the resistances belong to their own lines.
    #[test]
    fn reciprocity((rows, columns, g, _) in array(), wires in wires()) {
        let turned = Wires {
            row_ohm: wires.column_ohm,
            column_ohm: wires.row_ohm,
            row_terminal_ohm: wires.column_terminal_ohm,
            column_terminal_ohm: wires.row_terminal_ohm,
            drive: wires.sense,
            sense: wires.drive,
            ..wires
        };
        let there = Crossbar::new(rows, columns, g.clone(), &wires, Cell::Linear).unwrap();
        let back = Crossbar::new(columns, rows, transposed(&g, columns), &turned, Cell::Linear).unwrap();
        let (there, back) = (there.effective().unwrap(), back.effective().unwrap());
        let scale = g.iter().sum::<f64>() + 1e-20;
        for (a, b) in there.matrix().iter().zip(transposed(back.matrix(), rows)) {
            prop_assert!((a - b).abs() <= 1e-11 * scale, "{a} {b}");
        }
    }

    /// An array mirrored with its ends is the same array.
    #[test]
    fn mirrored((rows, columns, g, input) in array(), wires in wires()) {
        let flip = |ends| match ends { Ends::First => Ends::Last, Ends::Last => Ends::First, Ends::Both => Ends::Both };
        let turned = Wires { drive: flip(wires.drive), sense: flip(wires.sense), ..wires };
        let one = Crossbar::new(rows, columns, g.clone(), &wires, Cell::Linear).unwrap();
        let reversed = g.iter().rev().copied().collect();
        let other = Crossbar::new(rows, columns, reversed, &turned, Cell::Linear).unwrap();
        let one = one.solve(&input).unwrap();
        let other = other.solve(&input.iter().rev().copied().collect::<Vec<_>>()).unwrap();
        let scale: f64 = one.cell_current_a.iter().map(|i| i.abs()).sum::<f64>() + 1e-20;
        for (a, b) in one.column_current_a.iter().zip(other.column_current_a.iter().rev()) {
            prop_assert!((a - b).abs() <= 1e-11 * scale);
        }
    }

    /// Resistances that go to zero go to what zero gives: lines merge without a jump.
    #[test]
    fn small_resistances_tend_to_none((rows, columns, g, input) in array(), wires in wires()) {
        let tiny = |ohm: f64| if ohm == 0.0 { 1e-7 } else { ohm };
        let near = Wires {
            row_ohm: tiny(wires.row_ohm),
            column_ohm: tiny(wires.column_ohm),
            row_terminal_ohm: tiny(wires.row_terminal_ohm),
            column_terminal_ohm: tiny(wires.column_terminal_ohm),
            ..wires
        };
        let exact = Crossbar::new(rows, columns, g.clone(), &wires, Cell::Linear).unwrap().solve(&input).unwrap();
        let near = Crossbar::new(rows, columns, g, &near, Cell::Linear).unwrap().solve(&input).unwrap();
        let scale: f64 = exact.cell_current_a.iter().map(|i| i.abs()).sum::<f64>() + 1e-20;
        for (a, b) in exact.column_current_a.iter().zip(&near.column_current_a) {
            // 1e-7 ohm times at most 12 mS per line, over a dozen segments.
            prop_assert!((a - b).abs() <= 1e-7 * scale, "{a} {b}");
        }
    }

    /// Newton's solution balances the cells' own currents, and tends to the linear one at low voltage.
    #[test]
    fn curved_cells((rows, columns, g, input) in array(), wires in wires(), a in 0.1f64..8.0) {
        let curved = Crossbar::new(rows, columns, g.clone(), &wires, Cell::Sinh(a)).unwrap();
        let solution = curved.solve(&input).unwrap();
        prop_assert!(solution.converged, "{}", solution.residual_a);
        prop_assert!(solution.residual_a < 1e-11, "{}", solution.residual_a);
        let small: Vec<f64> = input.iter().map(|v| 1e-6 * v).collect();
        let linear = Crossbar::new(rows, columns, g, &wires, Cell::Linear).unwrap().solve(&small).unwrap();
        let solution = curved.solve(&small).unwrap();
        let scale: f64 = linear.cell_current_a.iter().map(|i| i.abs()).sum::<f64>() + 1e-26;
        for (a, b) in solution.column_current_a.iter().zip(&linear.column_current_a) {
            // (8 * 1e-6)^2 / 6 and rounding.
            prop_assert!((a - b).abs() <= 1e-9 * scale, "{a} {b}");
        }
    }
}

#[test]
fn ideal_wires_give_the_plain_product() {
    let g: Vec<f64> = (0..12).map(|at| 1e-6 * (at + 1) as f64).collect();
    let array = Crossbar::new(3, 4, g.clone(), &Wires::default(), Cell::Linear).unwrap();
    assert!(difference(array.effective().unwrap().matrix(), &g) < 1e-15);
    let input = [0.1, -0.2, 0.3];
    assert!(difference(&array.solve(&input).unwrap().column_current_a, &product(&input, &g)) < 1e-15);
}

/// Far beyond what circuits have: 64 x 64 cells whose lines all but isolate them. The bound stays a bound.
#[test]
fn strong_coupling() {
    for ohm in [1e2, 1e4, 1e6] {
        let wires = Wires { row_ohm: ohm, column_ohm: 0.5 * ohm, ..Wires::default() };
        let g: Vec<f64> = (0..64 * 64).map(|at| 1e-6 * (1 + (at * 7919) % 100) as f64).collect();
        let array = Crossbar::new(64, 64, g, &wires, Cell::Linear).unwrap();
        let effective = array.effective().unwrap();
        let input: Vec<f64> = (0..64).map(|i| ((i * 37) % 64) as f64 / 64.0).collect();
        let solution = array.solve(&input).unwrap();
        assert!(solution.converged);
        let found = product(&input, effective.matrix());
        println!("{ohm}: {:?} {:e} {}", effective.method, effective.error_s.unwrap(), solution.iterations);
        let total: f64 = solution.column_current_a.iter().sum();
        for (found, exact) in found.iter().zip(&solution.column_current_a) {
            assert!((found - exact).abs() <= 1e-9 * total, "{found} {exact}");
            assert!((found - exact).abs() <= 64.0 * effective.error_s.unwrap() + 1e-13 * total);
        }
    }
}

#[test]
fn what_no_circuit_has_is_refused() {
    let new = |g: Vec<f64>, wires: &Wires, cell| Crossbar::new(1, 2, g, wires, cell);
    let plain = Wires::default();
    for g in [vec![1e-6], vec![1e-6, f64::NAN], vec![-1e-6, 1e-6], vec![f64::INFINITY, 0.0]] {
        assert!(new(g, &plain, Cell::Linear).is_err());
    }
    let bad = Wires { column_ohm: -1.0, ..plain };
    assert!(new(vec![1e-6; 2], &bad, Cell::Linear).is_err());
    assert!(new(vec![1e-6; 2], &plain, Cell::Sinh(0.0)).is_err());
    let array = new(vec![1e-6; 2], &plain, Cell::Sinh(1.0)).unwrap();
    assert!(array.solve(&[f64::NAN]).is_err() && array.solve(&[0.0, 1.0]).is_err());
    assert_eq!(array.effective().unwrap_err(), WireError::NonLinear);
}
