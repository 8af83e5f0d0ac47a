//! Programming the arrays of one matrix: draws, drift, dose, stuck cells, read noise, wires.

use std::convert::Infallible;

use super::cells::{CellCurrents, ReadNoise};
use super::draws::{AHEAD, CellDraws, Draws};
use crate::array::Compensation;
use crate::converter::Real;
use crate::core::curves::Curves;
use crate::core::stripes::Stripes;
use crate::core::{Array, Mapping};

/// What all matrices share at one condition.
#[derive(Debug)]
pub(super) struct Programming {
    /// Currents of cells; without, every cell carries its target.
    pub(super) currents: Option<CellCurrents>,
    /// The same just after programming, when drift is compensated.
    pub(super) fresh: Option<CellCurrents>,
    /// Currents of curved cells at other inputs than the full one.
    pub(super) curves: Option<Curves>,
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
        let nothing = self.currents.is_none() && self.noise.is_none() && self.curves.is_none();
        nothing && self.stuck == [0.0; 2]
    }

    /// Draws of the cells of a matrix for currents.
    fn stream(&self, currents: Option<&CellCurrents>, layer: usize, draws: &Draws) -> CellDraws {
        draws.cells(layer, self.cycle, currents.map_or(&[], |currents| &currents.purposes))
    }

    /// What the cells of a matrix are programmed with in this turn of programming, one after the other.
    pub(super) fn cells_of(&self, layer: usize, cycle: u64, draws: &Draws) -> CellDraws {
        draws.cells(layer, cycle, self.currents.as_ref().map_or(&[], |currents| &currents.purposes))
    }

    /// What the cells of a matrix are programmed with, one after the other.
    pub(super) fn cells(&self, layer: usize, draws: &Draws) -> CellDraws {
        self.stream(self.currents.as_ref(), layer, draws)
    }

    /// Programs the cells of some arrays, with their read noise.
    pub(super) fn program(&self, arrays: &mut [Array], least: f64, stream: &mut CellDraws) {
        for array in arrays {
            self.draw(self.currents.as_ref(), array, least, stream);
            if let Some(noise) = &self.noise {
                array.noise.clear();
                array.noise.extend(array.conductances.iter().map(|&g| noise.sigma(g)));
            }
        }
    }

    /// Draws the currents of the cells of an array.
    fn draw(&self, currents: Option<&CellCurrents>, array: &mut Array, least: f64, stream: &mut CellDraws) {
        let mut first = array.first as u64;
        for cells in array.conductances.chunks_mut(AHEAD) {
            if let Some(currents) = currents {
                let normals: Vec<&[f32]> = stream.of(first, cells.len()).collect();
                currents.draw(cells, &normals);
            }
            self.stick(cells, least, stream, first);
            first += cells.len() as u64;
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

    /// Gains of the outputs of a matrix that make up for what its currents have lost.
    pub(super) fn gains<T: Real>(
        &self,
        stripes: &Stripes,
        weights: &[T],
        layer: usize,
        draws: &Draws,
    ) -> Gains {
        let Some(fresh) = &self.fresh else { return Gains::default() };
        let sums = |currents: Option<&CellCurrents>| {
            let mut stream = self.stream(currents, layer, draws);
            let mut sums = vec![0.0; stripes.frame().outputs];
            let least = stripes.frame().spec().conductance_min();
            let result = stripes.each(weights, false, |stripe| {
                for array in &mut stripe.arrays {
                    self.draw(currents, array, least, &mut stream);
                    let rows = array.inputs.len().max(1);
                    for (output, cells) in array.outputs.clone().zip(array.conductances.chunks(rows)) {
                        sums[output] += cells.iter().sum::<f64>();
                    }
                }
                Ok::<(), Infallible>(())
            });
            match result {
                Ok(()) => sums,
            }
        };
        let (mut fresh, mut now) = (sums(Some(fresh)), sums(self.currents.as_ref()));
        if self.compensation == Compensation::Global {
            for sums in [&mut fresh, &mut now] {
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
    /// One for each output, or none.
    pub(super) fn of_outputs(&self) -> &[f64] {
        &self.0
    }

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
