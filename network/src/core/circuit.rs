//! Arrays behind wires whose currents are no product: those that the inputs gate, where currents follow from the
//! pattern of open gates, and those of curved cells, where they follow from all inputs.

use std::sync::Arc;

use super::curves::Curves;
use super::mapping::{Array, Mapping, Sign};
use super::spec::CoreError;
use crate::converter::Real;
use crate::wires::{Arriving, Bends, Curved, Gates, Solved, WireError, Wires};

/// Wires of arrays that are solved for each vector of inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Circuit {
    /// The lines.
    pub wires: Wires,
    /// Conductance of the largest weight at the full input (S).
    pub conductance_s: f64,
    /// Whether both cells of a pair hang on one node of a column line, with rows of their own.
    pub interleaved: bool,
    /// Largest error: of a column voltage as a part of the supply's for gates, of a current as a part of the root
    /// mean square for curved cells.
    pub tolerance: f64,
    /// Gain of each output in front of its converter; empty for none.
    pub gains: Vec<f64>,
}

/// One array, or the two of interleaved pairs.
#[derive(Clone, Debug)]
pub(super) struct CircuitArray<T> {
    /// Slice of the weights.
    pub slice: usize,
    /// Lines that its columns are, and the part of their currents that counts: one of equal copies, with the gain
    /// of the output.
    columns: Vec<(usize, T)>,
    currents: Currents<T>,
}

/// Where currents come from.
#[derive(Clone, Debug)]
enum Currents<T> {
    Gates(Gates<T>),
    Curved(Curved<T>),
}

impl Circuit {
    /// The arrays of one tile; `reference` is the line of its reference column.
    pub(super) fn arrays<T: Real>(
        &self,
        mapping: &Mapping,
        own: &[Array],
        reference: usize,
    ) -> Result<Vec<CircuitArray<T>>, CoreError> {
        let copies = mapping.spec().cells_per_weight;
        let make = |layers: &[&Array]| -> Result<CircuitArray<T>, CoreError> {
            let array = layers[0];
            let count = array.outputs.len() + usize::from(mapping.encoding.has_reference());
            let first = if array.sign == Sign::Negative { mapping.outputs } else { 0 };
            // A reference column has the gain of the output before it.
            let last = array.outputs.end.saturating_sub(1);
            let column = |k: usize| {
                let output = array.outputs.start + k;
                let line = if output <= last { first + output } else { reference };
                let gain = self.gains.get(output.min(last)).copied().unwrap_or(1.0);
                (line, T::of(gain / copies as f64))
            };
            let rows = array.inputs.len();
            let currents = self.currents(rows, count, layers, mapping.curves.as_ref())?;
            Ok(CircuitArray { slice: array.slice, columns: (0..count).map(column).collect(), currents })
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

    /// An array of cells in units of the largest.
    fn currents<T: Real>(
        &self,
        rows: usize,
        columns: usize,
        layers: &[&Array],
        curves: Option<&Curves>,
    ) -> Result<Currents<T>, WireError> {
        let Wires { row_ohm, column_ohm, row_terminal_ohm, column_terminal_ohm, .. } = self.wires;
        let wires = Wires {
            row_ohm: row_ohm * self.conductance_s,
            column_ohm: column_ohm * self.conductance_s,
            row_terminal_ohm: row_terminal_ohm * self.conductance_s,
            column_terminal_ohm: column_terminal_ohm * self.conductance_s,
            ..self.wires
        };
        let cells: Vec<Vec<f64>> = layers.iter().map(|array| by_rows(&array.conductances, rows)).collect();
        let noisy = layers.iter().any(|array| !array.noise.is_empty());
        let noise: Vec<Vec<f64>> = layers.iter().map(|array| by_rows(&array.noise, rows)).collect();
        let Some(curves) = curves.filter(|_| !self.wires.topology.gated()) else {
            let gates = Gates::new(rows, columns, cells, &wires, self.tolerance)?;
            return Ok(Currents::Gates(if noisy { gates.with_noise(&noise)? } else { gates }));
        };
        let parts = |cells: &Vec<f64>| -> Vec<Vec<f64>> {
            let term = |k: usize| cells.iter().map(|&cell| curves.part(k, cell)).collect();
            (0..curves.count()).map(term).collect()
        };
        let shapes = Arc::new(curves.shapes());
        let bends = Bends { shapes, parts: cells.iter().map(parts).collect(), full_v: 1.0 };
        let curved = Curved::new(rows, columns, bends, &wires, self.tolerance)?;
        Ok(Currents::Curved(if noisy { curved.with_noise(&noise)? } else { curved }))
    }
}

impl<T: Real> CircuitArray<T> {
    /// Whether its cells have read noise.
    pub fn is_noisy(&self) -> bool {
        match &self.currents {
            Currents::Gates(gates) => gates.is_noisy(),
            Currents::Curved(curved) => curved.is_noisy(),
        }
    }

    /// Adds the currents of its columns for a batch of inputs (rows x batch), and the variances of their noise if it
    /// has any, to those of the lines.
    pub fn add(&self, inputs: &[T], batch: usize, currents: &mut [T], variances: &mut [T]) -> Solved {
        let arriving = Arriving { columns: &self.columns, batch, currents, variances };
        match &self.currents {
            Currents::Gates(gates) => gates.add(inputs, arriving),
            Currents::Curved(curved) => curved.add(inputs, arriving),
        }
    }
}

/// Cells of an array (line by line) row by row.
fn by_rows(cells: &[f64], rows: usize) -> Vec<f64> {
    let columns = cells.len() / rows.max(1);
    (0..rows).flat_map(|row| (0..columns).map(move |column| cells[column * rows + row])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{MappingStyle, Subtract};
    use crate::core::{Core, CoreSpec};
    use mho_data::random::Stream;

    fn curves() -> Curves {
        let of = |cells: &[f64], x: f64| -> Result<Vec<f64>, ()> {
            let bent = |c: f64| 3.0 * (1.0 - 0.4 * c);
            Ok(cells.iter().map(|&c| c * (bent(c) * x).sinh() / bent(c).sinh()).collect())
        };
        Curves::new(1e-5, of).unwrap()
    }

    /// On wires without resistance a circuit of curved cells is what products over curved cells are, whatever the
    /// mapping; with gains it is that many times as much; with resistance it is less.
    #[test]
    fn without_resistance_circuits_are_products() {
        let (outputs, inputs, batch) = (7, 11, 18);
        let stream = Stream::new(5, &["circuit"], &[]);
        let numbers = |count: usize, first: usize| -> Vec<f64> {
            (0..count).map(|i| 2.0 * stream.uniform((first + i) as u64) - 1.0).collect()
        };
        let (weights, x) = (numbers(outputs * inputs, 0), numbers(inputs * batch, 1000));
        use MappingStyle::{Differential, OffsetColumn, OffsetDigital, TwoSided};
        for style in [Differential, TwoSided, OffsetDigital, OffsetColumn] {
            for (slices, cells_per_weight, slice_bits) in [(1, 1, 0), (1, 2, 3), (2, 1, 0)] {
                for (subtract, interleaved) in
                    [(Subtract::Array, false), (Subtract::Digital, false), (Subtract::Array, true)]
                {
                    let pairs = matches!(style, Differential | TwoSided);
                    if interleaved && !pairs || slices > 1 && style == TwoSided {
                        continue;
                    }
                    let mut spec = CoreSpec {
                        style,
                        slices,
                        cells_per_weight,
                        subtract,
                        weight_bits: 8,
                        on_off_ratio: 40.0,
                        rows: 6,
                        columns: 4,
                        ..CoreSpec::default()
                    };
                    (spec.input.bits, spec.input.slice_bits) = (7, slice_bits);
                    let mut mapping = Mapping::new(&weights, outputs, inputs, &spec).unwrap();
                    mapping.curves = Some(curves());
                    let read = |mapping: &Mapping| {
                        let core = Core::<f64>::new(mapping).unwrap();
                        core.multiply(&x, batch).unwrap()
                    };
                    let product = read(&mapping);
                    assert_eq!(product.counts.solved, Solved::default());
                    let mut circuit = Circuit {
                        wires: Wires::default(),
                        conductance_s: 1e-5,
                        interleaved,
                        tolerance: 1e-9,
                        gains: Vec::new(),
                    };
                    let most = product.outputs.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
                    let mut check = |circuit: &Circuit, gain: f64| -> f64 {
                        mapping.circuit = Some(circuit.clone());
                        let found = read(&mapping);
                        assert!(found.counts.solved.vectors > 0);
                        assert_eq!(found.counts.solved.unconverged + found.counts.solved.alone, 0);
                        let off = found.outputs.iter().zip(&product.outputs);
                        off.fold(0.0_f64, |worst, (a, b)| worst.max((a - gain * b).abs())) / most
                    };
                    let off = check(&circuit, 1.0);
                    assert!(off < 1e-12, "{style:?} {slices} {slice_bits} {subtract:?} {interleaved}: {off}");
                    if spec.style != OffsetDigital {
                        circuit.gains = vec![1.5; outputs];
                        assert!(check(&circuit, 1.5) < 1e-12);
                        circuit.gains.clear();
                    }
                    (circuit.wires.row_ohm, circuit.wires.column_ohm) = (100.0, 200.0);
                    assert!(check(&circuit, 1.0) > 1e-4);
                }
            }
        }
    }
}
