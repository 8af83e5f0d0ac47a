//! Wires of programmed arrays: the exact linear map of each takes the place of its conductances.

use super::error::AnalogError;
use crate::array::{ArrayConfig, Pairs};
use crate::core::{Array, Mapping, Sign};
use crate::wires::{Cell, Crossbar, Wires};

/// Replaces the conductances of all arrays of a layer by those whose plain product with the inputs gives
/// the exact currents, and scales the noise of every cell by how much of it arrives.
pub(super) fn apply(
    mapping: &mut Mapping,
    array: &ArrayConfig,
    wires: &Wires,
    layer: &str,
) -> Result<(), AnalogError> {
    let most_s = array.cell.conductance_max_s();
    let copies = mapping.spec().cells_per_weight;
    if array.array.pairs == Pairs::Interleaved {
        for group in mapping.arrays.chunks_mut(2 * copies) {
            let (positive, negative) = group.split_at_mut(copies.min(group.len()));
            for (positive, negative) in positive.iter_mut().zip(negative) {
                solve(&mut [positive, negative], most_s, wires, layer)?;
            }
        }
        return Ok(());
    }
    mapping.arrays.iter_mut().try_for_each(|array| solve(&mut [array], most_s, wires, layer))
}

/// Arrays that share their column lines, each with rows of its own, side by side.
fn solve(arrays: &mut [&mut Array], most_s: f64, wires: &Wires, layer: &str) -> Result<(), AnalogError> {
    let Some(first) = arrays.first() else { return Ok(()) };
    debug_assert!(arrays.len() == 1 || first.sign == Sign::Positive);
    let (own, families) = (first.inputs.len(), arrays.len());
    let columns = first.conductances.len() / own.max(1);
    if own == 0 || columns == 0 {
        return Ok(());
    }
    let rows = own * families;
    // Row by row, inputs of the arrays taking turns.
    let at = |row: usize, column: usize| (row % families, column * own + row / families);
    let mut conductances = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        for column in 0..columns {
            let (family, cell) = at(row, column);
            conductances.push(arrays[family].conductances[cell] * most_s);
        }
    }
    let wrong = |error| AnalogError::Wires { layer: layer.to_owned(), error };
    let crossbar = Crossbar::new(rows, columns, conductances, wires, Cell::Linear).map_err(wrong)?;
    let effective = crossbar.effective().map_err(wrong)?;
    for (row, line) in effective.matrix().chunks_exact(columns).enumerate() {
        for (column, &through) in line.iter().enumerate() {
            let (family, cell) = at(row, column);
            let Array { conductances, noise, .. } = &mut *arrays[family];
            let through = through / most_s;
            if let Some(sigma) = noise.get_mut(cell) {
                // dI/dG of the cell to first order in the wires: what arrives of its current.
                let arrives = if conductances[cell] > 0.0 { through / conductances[cell] } else { 1.0 };
                *sigma *= arrives.clamp(0.0, 1.0);
            }
            conductances[cell] = through;
        }
    }
    Ok(())
}
