//! Wires of programmed arrays: the exact linear map of each takes the place of its conductances.

use std::f64::consts::FRAC_1_PI;

use super::error::AnalogError;
use crate::array::{ArrayConfig, Pairs as Layout};
use crate::core::{Array, Mapping, Sign};
use crate::wires::{Cell, Crossbar, PairLayout, Pairs, WireError, Wires};

/// Squared mean over mean square of inputs: those with a sign are as often below zero as above, those
/// without are taken for the positive parts of normal numbers.
fn coherence(mapping: &Mapping) -> f64 {
    if mapping.spec().input.signed() { 0.0 } else { FRAC_1_PI }
}

/// Replaces the conductances of all arrays of a layer by those whose plain product with the inputs gives
/// the exact currents, and the noise of their cells by what arrives of it.
pub(super) fn apply(
    mapping: &mut Mapping,
    array: &ArrayConfig,
    wires: &Wires,
    layer: &str,
) -> Result<(), AnalogError> {
    let arrays = Solved { most_s: array.cell.conductance_max_s(), wires, coherence: coherence(mapping) };
    let copies = mapping.spec().cells_per_weight;
    let solved = if array.array.pairs == Layout::Interleaved {
        mapping.arrays.chunks_mut(2 * copies).try_for_each(|group| {
            let (positive, negative) = group.split_at_mut(copies.min(group.len()));
            positive.iter_mut().zip(negative).try_for_each(|(plus, minus)| arrays.pair(plus, minus))
        })
    } else {
        mapping.arrays.iter_mut().try_for_each(|array| arrays.one(array))
    };
    solved.map_err(|error| AnalogError::Wires { layer: layer.to_owned(), error })
}

struct Solved<'a> {
    /// Conductance of the largest weight (S).
    most_s: f64,
    wires: &'a Wires,
    coherence: f64,
}

impl Solved<'_> {
    fn one(&self, array: &mut Array) -> Result<(), WireError> {
        let Some((rows, columns)) = shape(array) else { return Ok(()) };
        let conductances = self.by_rows(&array.conductances, rows, columns);
        let crossbar = Crossbar::new(rows, columns, conductances, self.wires, Cell::Linear)?;
        if !array.noise.is_empty() {
            let sigma = self.by_rows(&array.noise, rows, columns);
            let variance = crossbar.variance_map(sigma, self.coherence)?;
            self.write(&variance, columns, &mut array.noise, f64::sqrt);
        }
        self.write(crossbar.effective()?.matrix(), columns, &mut array.conductances, |g| g);
        Ok(())
    }

    /// The two cells of a pair on one node of a common line. That line carries the difference, so that the
    /// noise of both stands with the positive cells.
    fn pair(&self, positive: &mut Array, negative: &mut Array) -> Result<(), WireError> {
        debug_assert!(positive.sign == Sign::Positive);
        let Some((rows, columns)) = shape(positive) else { return Ok(()) };
        let lists = |plus: &[f64], minus: &[f64]| [plus, minus].map(|list| self.by_rows(list, rows, columns));
        let [plus, minus] = lists(&positive.conductances, &negative.conductances);
        let layout = PairLayout::Interleaved;
        let pairs = Pairs::new(rows, columns, plus, minus, layout, self.wires, Cell::Linear)?;
        if !positive.noise.is_empty() {
            let [plus, minus] = lists(&positive.noise, &negative.noise);
            let variance = pairs.variance_map(plus, minus, self.coherence)?;
            self.write(&variance, columns, &mut positive.noise, f64::sqrt);
            negative.noise.fill(0.0);
        }
        let effective = pairs.effective()?;
        for (array, list) in [positive, negative].into_iter().zip(effective.signs_s()) {
            self.write(&list, columns, &mut array.conductances, |g| g);
        }
        Ok(())
    }

    /// Cells of an array (line by line, over the largest) row by row in S.
    fn by_rows(&self, cells: &[f64], rows: usize, columns: usize) -> Vec<f64> {
        let row = |row| (0..columns).map(move |column| cells[column * rows + row] * self.most_s);
        (0..rows).flat_map(row).collect()
    }

    /// The way back, of numbers that `unit` makes conductances (S).
    fn write(&self, found: &[f64], columns: usize, cells: &mut [f64], unit: impl Fn(f64) -> f64) {
        let rows = found.len() / columns;
        for (row, line) in found.chunks_exact(columns).enumerate() {
            for (column, &value) in line.iter().enumerate() {
                cells[column * rows + row] = unit(value) / self.most_s;
            }
        }
    }
}

/// Rows and columns, if there are any.
fn shape(array: &Array) -> Option<(usize, usize)> {
    let rows = array.inputs.len();
    let columns = array.conductances.len() / rows.max(1);
    (rows > 0 && columns > 0).then_some((rows, columns))
}
