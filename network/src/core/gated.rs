//! Arrays whose cells the inputs gate, with wires: currents follow from the pattern of open gates.

use super::mapping::{Array, Mapping, Sign};
use super::spec::CoreError;
use crate::converter::Real;
use crate::wires::{Gates, WireError, Wires};

/// Wires of gated arrays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gated {
    /// The lines; rows are those that supply the cells.
    pub wires: Wires,
    /// Conductance of the largest weight (S).
    pub conductance_s: f64,
    /// Whether both cells of a pair hang on one node of a column line, with supplies of their own.
    pub interleaved: bool,
    /// Largest error of a column voltage, as a part of the supply's.
    pub tolerance: f64,
}

/// One array, or the two of interleaved pairs.
#[derive(Clone, Debug)]
pub(super) struct GatedArray<T> {
    /// Slice of the weights.
    pub slice: usize,
    /// Part of its currents that counts: one of equal copies.
    pub share: T,
    /// Lines that its columns are, in their order.
    pub lines: Vec<usize>,
    pub gates: Gates<T>,
}

impl Gated {
    /// The arrays of one tile; `reference` is the line of its reference column.
    pub(super) fn arrays<T: Real>(
        &self,
        mapping: &Mapping,
        own: &[Array],
        reference: usize,
    ) -> Result<Vec<GatedArray<T>>, CoreError> {
        let copies = mapping.spec().cells_per_weight;
        let share = T::of(1.0 / copies as f64);
        let make = |layers: &[&Array]| -> Result<GatedArray<T>, CoreError> {
            let array = layers[0];
            let columns = array.outputs.len() + usize::from(mapping.encoding.has_reference());
            let first = if array.sign == Sign::Negative { mapping.outputs } else { 0 };
            let mut lines: Vec<usize> = array.outputs.clone().map(|j| first + j).collect();
            lines.resize(columns, reference);
            let rows = array.inputs.len();
            let cells = layers.iter().map(|array| by_rows(&array.conductances, rows)).collect();
            let gates = self.gates(rows, columns, cells)?;
            Ok(GatedArray { slice: array.slice, share, lines, gates })
        };
        if own.iter().any(|array| array.inputs.is_empty() || array.outputs.is_empty()) {
            return Ok(Vec::new());
        }
        if !self.interleaved {
            return own.iter().map(|array| make(&[array])).collect();
        }
        let pairs = own.chunks(2 * copies).flat_map(|group| {
            let (positive, negative) = group.split_at(copies.min(group.len()));
            positive.iter().zip(negative)
        });
        pairs.map(|(positive, negative)| make(&[positive, negative])).collect()
    }

    /// An array with conductances (row by row) in units of the largest.
    fn gates<T: Real>(
        &self,
        rows: usize,
        columns: usize,
        cells: Vec<Vec<f64>>,
    ) -> Result<Gates<T>, WireError> {
        let Wires { row_ohm, column_ohm, row_terminal_ohm, column_terminal_ohm, .. } = self.wires;
        let wires = Wires {
            row_ohm: row_ohm * self.conductance_s,
            column_ohm: column_ohm * self.conductance_s,
            row_terminal_ohm: row_terminal_ohm * self.conductance_s,
            column_terminal_ohm: column_terminal_ohm * self.conductance_s,
            ..self.wires
        };
        Gates::new(rows, columns, cells, &wires, self.tolerance)
    }

    /// Replaces the noise of cells by what arrives of it.
    ///
    /// # Errors
    /// For numbers that no array has.
    pub fn noise(&self, arrays: &mut [Array]) -> Result<(), WireError> {
        for array in arrays {
            let rows = array.inputs.len();
            if array.noise.is_empty() || rows == 0 {
                continue;
            }
            let columns = array.noise.len() / rows;
            // The other cells of interleaved pairs load the line no more than half of its own do.
            let gates = self.gates::<f64>(rows, columns, vec![by_rows(&array.conductances, rows)])?;
            let arriving = gates.noise(&[by_rows(&array.noise, rows)])?;
            for (at, sigma) in arriving.into_iter().flatten().enumerate() {
                array.noise[at % columns * rows + at / columns] = sigma;
            }
        }
        Ok(())
    }
}

/// Cells of an array (line by line) row by row.
fn by_rows(cells: &[f64], rows: usize) -> Vec<f64> {
    let columns = cells.len() / rows.max(1);
    (0..rows).flat_map(|row| (0..columns).map(move |column| cells[column * rows + row])).collect()
}
