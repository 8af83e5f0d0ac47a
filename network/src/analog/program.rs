//! Programming the arrays of one matrix: draws, drift, dose, stuck cells, read noise, wires.

use super::cells::{CellCurrents, ReadNoise};
use super::draws::{AHEAD, CellDraws, Draws};
use crate::array::Compensation;
use crate::core::Mapping;

/// What all matrices share at one condition.
#[derive(Debug)]
pub(super) struct Programming {
    /// Currents of cells; without, every cell carries its target.
    pub(super) currents: Option<CellCurrents>,
    /// The same just after programming, when drift is compensated.
    pub(super) fresh: Option<CellCurrents>,
    /// Read noise, if on.
    pub(super) noise: Option<ReadNoise>,
    /// How often cells were programmed anew.
    pub(super) cycle: u64,
    /// Fractions of cells stuck at the smallest and at the largest current.
    pub(super) stuck: [f64; 2],
    /// What is done against drift.
    pub(super) compensation: Compensation,
}

impl Programming {
    /// Whether cells carry their targets, without noise.
    pub(super) fn is_ideal(&self) -> bool {
        self.currents.is_none() && self.noise.is_none() && self.stuck == [0.0; 2]
    }

    /// Programs all cells of a mapping; returns their mean current over the largest, and the gains that a
    /// compensation of drift wants.
    pub(super) fn program(&self, mapping: &mut Mapping, layer: usize, draws: &Draws) -> (f64, Gains) {
        let mut fresh = match &self.fresh {
            Some(fresh) => sums(mapping, |mapping| self.cells(Some(fresh), mapping, layer, draws)),
            None => Vec::new(),
        };
        self.cells(self.currents.as_ref(), mapping, layer, draws);
        let (mut sum, mut count) = (0.0, 0);
        for array in &mapping.arrays {
            sum += array.conductances.iter().sum::<f64>();
            count += array.conductances.len();
        }
        if let Some(noise) = &self.noise {
            for array in &mut mapping.arrays {
                array.noise = array.conductances.iter().map(|&g| noise.sigma(g)).collect();
            }
        }
        let gains = if fresh.is_empty() { Gains::default() } else { self.gains(mapping, &mut fresh) };
        (sum / count.max(1) as f64, gains)
    }

    /// Draws the currents of all cells.
    fn cells(&self, currents: Option<&CellCurrents>, mapping: &mut Mapping, layer: usize, draws: &Draws) {
        let none = Vec::new();
        let purposes = currents.map_or(&none, |currents| &currents.purposes);
        let mut stream = draws.cells(layer, self.cycle, purposes);
        let least = mapping.spec().conductance_min();
        let mut normals = Vec::new();
        for array in &mut mapping.arrays {
            for cells in array.conductances.chunks_mut(AHEAD) {
                let first = stream.next(cells.len(), &mut normals);
                if let Some(currents) = currents {
                    currents.draw(cells, &normals);
                }
                self.stick(cells, least, &stream, first);
            }
        }
    }

    /// Puts the stuck ones among cells at the ends of the range.
    fn stick(&self, cells: &mut [f64], least: f64, stream: &CellDraws, first: u64) {
        let [low, high] = self.stuck;
        if low + high == 0.0 {
            return;
        }
        for (number, cell) in (first..).zip(cells) {
            let at = stream.stuck(number);
            if at < low {
                *cell = least;
            } else if at >= 1.0 - high {
                *cell = 1.0;
            }
        }
    }

    /// Gains of the outputs that make up for what their currents have lost.
    fn gains(&self, mapping: &mut Mapping, fresh: &mut [f64]) -> Gains {
        let mut now = sums(mapping, |_| ());
        if self.compensation == Compensation::Global {
            for sums in [&mut *fresh, &mut now[..]] {
                let all = sums.iter().sum();
                sums.fill(all);
            }
        }
        let gain = |(fresh, now): (&f64, &f64)| if *now > 0.0 { fresh / now } else { 1.0 };
        Gains(fresh.iter().zip(&now).map(gain).collect())
    }
}

/// Gain of each output line, in front of its converter; empty without compensation.
#[derive(Debug, Default)]
pub(super) struct Gains(Vec<f64>);

impl Gains {
    /// Raises what arrives at the ends of the lines, currents and noise alike.
    pub(super) fn apply(&self, mapping: &mut Mapping) {
        if self.0.is_empty() {
            return;
        }
        for array in &mut mapping.arrays {
            let rows = array.inputs.len().max(1);
            // A reference column has the gain of the output before it.
            let last = array.outputs.end.saturating_sub(1);
            for cells in [&mut array.conductances, &mut array.noise] {
                for (column, cells) in cells.chunks_mut(rows).enumerate() {
                    let gain = self.0[(array.outputs.start + column).min(last)];
                    cells.iter_mut().for_each(|g| *g *= gain);
                }
            }
        }
    }
}

/// Sum of the cells of every output, both of a pair, after `change` on a copy.
fn sums(mapping: &Mapping, change: impl FnOnce(&mut Mapping)) -> Vec<f64> {
    let mut mapping = mapping.clone();
    change(&mut mapping);
    let mut sums = vec![0.0; mapping.outputs];
    for array in &mapping.arrays {
        let rows = array.inputs.len().max(1);
        for (output, cells) in array.outputs.clone().zip(array.conductances.chunks(rows)) {
            sums[output] += cells.iter().sum::<f64>();
        }
    }
    sums
}
