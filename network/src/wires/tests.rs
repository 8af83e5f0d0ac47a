use super::*;
use proptest::prelude::*;

mod curved;
mod gates;
mod golden;
mod laws;
mod noise;
mod pairs;
mod update;

/// Largest difference of two lists over the largest size of the second.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    found.iter().zip(expected).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs())) / scale
}

/// Plain product of inputs with a matrix, inputs x outputs.
fn product(input: &[f64], matrix: &[f64]) -> Vec<f64> {
    let columns = matrix.len() / input.len();
    (0..columns).map(|j| input.iter().enumerate().map(|(i, v)| v * matrix[i * columns + j]).sum()).collect()
}

#[test]
fn one_cell_is_a_divider() {
    let wires = Wires { row_ohm: 100.0, column_ohm: 200.0, column_terminal_ohm: 50.0, ..Wires::default() };
    let array = Crossbar::new(1, 1, vec![1e-3], &wires, Cell::Linear).unwrap();
    let found = array.solve(&[0.5]).unwrap().column_current_a[0];
    assert!((found - 0.5 / 1350.0).abs() < 1e-15, "{found}");
}
