//! Weights that a core holds, from its conductances.

use super::lines::Lines;
use super::{Core, Plan};
use crate::converter::Real;

impl<T: Real> Core<T> {
    /// The weights that the conductances stand for, outputs x inputs (rows of biases among them, at their end),
    /// in the precision of the core.
    pub fn read_back(&self) -> Vec<f64> {
        let mut weights = match &self.plan {
            Plan::Linear(matrix) => matrix.iter().map(|w| w.to_f64()).collect(),
            Plan::Lines(lines) => lines.weights(self.outputs, self.rows()),
        };
        weights.iter_mut().for_each(|w| *w /= self.input_max);
        weights
    }
}

impl<T: Real> Lines<T> {
    /// Outputs for full inputs, outputs x inputs.
    fn weights(&self, outputs: usize, inputs: usize) -> Vec<f64> {
        let mut weights = vec![-self.offset.to_f64(); outputs * inputs];
        for tile in &self.tiles {
            let rows = tile.inputs.len();
            for (lines, worth) in tile.slices.iter().zip(&self.worth) {
                let (line, worth) = (|j: usize| &lines[j * rows..(j + 1) * rows], worth.to_f64());
                for j in 0..outputs {
                    let row = &mut weights[j * inputs..][tile.inputs.clone()];
                    row.iter_mut().zip(line(j)).for_each(|(w, g)| *w += worth * g.to_f64());
                    if let Some(other) = self.subtrahend.of(j, outputs) {
                        row.iter_mut().zip(line(other)).for_each(|(w, g)| *w -= worth * g.to_f64());
                    }
                }
            }
        }
        for (row, part) in weights.chunks_exact_mut(inputs.max(1)).zip(&self.columns) {
            row.iter_mut().for_each(|w| *w *= part.to_f64());
        }
        weights
    }
}
