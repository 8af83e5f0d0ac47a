//! A dose given at a rate, and what happens while it is given and after.
//!
//! The collection equation ([`Collection`]) says how much charge the dose brings into the nitride. Around it:
//!
//! - annealing: what dose has brought leaves again by R(t)/R₀ = 1 − a log₁₀(1 + t/t_a), either as a
//!   convolution over the exposure or through a [`Ladder`](crate::sonos::ladder::Ladder), whose charge can act back on the fields;
//! - charge trapped in the oxide, dN/dD = g₀ f(E) t A (1 − N/N_max), threshold −q N/C_g;
//! - interface traps, a D^b, which build up over decades of time, raise the threshold, the slope factor
//!   n = n₀ + q D_it/C_g and lower the mobility, μ₀/(1 + α N_it).

mod annealing;
mod damage;
#[cfg(test)]
mod tests;

pub use annealing::Annealing;
pub use damage::{InterfaceTraps, OxideTraps};

use crate::constants::ELEMENTARY_CHARGE;
use crate::sonos::collection::{Collection, CollectionError};
use crate::sonos::counting::Counting;
use crate::sonos::ladder::LadderError;

/// An exposure: its rate and when it is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposure {
    /// Dose rate in rad(Si)/s.
    pub rate_rad_per_s: f64,
    /// Doses in rad(Si), ascending, at which the cell is looked at while it is irradiated.
    pub doses_rad: Vec<f64>,
    /// Times in s, ascending, after the last dose at which it is looked at again.
    pub after_s: Vec<f64>,
}

/// A cell under dose with everything that dose does to it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Dose {
    /// Charge collection in the nitride.
    pub collection: Collection,
    /// Annealing of what it brings.
    pub annealing: Option<Annealing>,
    /// Charge trapped in the oxide.
    pub oxide: Option<OxideTraps>,
    /// Interface traps.
    pub interface: Option<InterfaceTraps>,
}

/// A cell at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Time since the exposure began in s.
    pub time_s: f64,
    /// Dose so far in rad(Si).
    pub dose_rad: f64,
    /// Threshold shift in V of the charge in the nitride.
    pub nitride_v: f64,
    /// Threshold shift in V of the charge in the oxide, not positive.
    pub oxide_v: f64,
    /// Threshold shift in V of the interface traps, not negative.
    pub interface_v: f64,
    /// Interface traps in 1/(m² eV).
    pub traps_per_m2_ev: f64,
    /// Electrons caught so far per m².
    pub electrons_per_m2: f64,
    /// Holes caught so far per m².
    pub holes_per_m2: f64,
}

impl Moment {
    /// All of the threshold shift in V from neutral.
    #[must_use]
    pub fn shift_v(&self) -> f64 {
        self.nitride_v + self.oxide_v + self.interface_v
    }

    /// Counting statistics of what was caught so far; none below a nanorad, where no cell has caught anything.
    #[must_use]
    pub fn counting(&self, collection: &Collection, cluster_factor: f64) -> Option<Counting> {
        (self.dose_rad > 1e-9).then(|| {
            let per_rad = collection.stack.gate_area_m2 / self.dose_rad;
            Counting {
                step_v: collection.stack.step_v(),
                electrons_per_rad: self.electrons_per_m2 * per_rad,
                holes_per_rad: self.holes_per_m2 * per_rad,
                cluster_factor,
            }
        })
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DoseError {
    /// The charge collection failed.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// The annealing law makes no ladder.
    #[error(transparent)]
    Ladder(#[from] LadderError),
}

/// Sub-steps of an exposure: the charge moves a few hundredths of the way in each, so that second-order
/// steps are good to microvolts.
const SUBSTEPS: usize = 400;

/// The exposure on a grid of doses that contains every wanted one.
pub(crate) struct Grid {
    pub(crate) doses: Vec<f64>,
    pub(crate) times: Vec<f64>,
    /// Where in the grid the wanted doses are.
    wanted: Vec<usize>,
}

impl Grid {
    fn new(exposure: &Exposure) -> Self {
        let end = exposure.doses_rad.last().copied().unwrap_or(0.0);
        let mut doses: Vec<f64> = (0..=SUBSTEPS).map(|index| end * index as f64 / SUBSTEPS as f64).collect();
        doses.extend(&exposure.doses_rad);
        doses.sort_by(f64::total_cmp);
        // Doses that differ by rounding alone would make steps without duration.
        doses.dedup_by(|a, b| (*a - *b).abs() <= 1e-9 * end);
        let wanted = exposure
            .doses_rad
            .iter()
            .map(|dose| doses.partition_point(|known| *known < dose - 1e-9 * end).min(doses.len() - 1))
            .collect();
        let times = doses.iter().map(|dose| dose / exposure.rate_rad_per_s).collect();
        Self { doses, times, wanted }
    }
}

impl Dose {
    /// Follows a cell that starts `initial_v` from neutral: a moment for each dose, then for each time after.
    ///
    /// # Errors
    /// [`DoseError`] when a parameter is unusable or the collection fails.
    pub fn follow(&self, initial_v: f64, exposure: &Exposure) -> Result<Vec<Moment>, DoseError> {
        let grid = Grid::new(exposure);
        let end_time = grid.times.last().copied().unwrap_or(0.0);
        let end_dose = grid.doses.last().copied().unwrap_or(0.0);
        let times: Vec<f64> = grid
            .wanted
            .iter()
            .map(|index| grid.times[*index])
            .chain(exposure.after_s.iter().map(|after| end_time + after))
            .collect();
        let places = grid.wanted.iter().copied().chain(exposure.after_s.iter().map(|_| grid.doses.len() - 1));

        let plain = self.collection.threshold_shift(initial_v, &grid.doses)?;
        let (path, seen) = match self.annealing {
            None => (plain.clone(), None),
            Some(annealing) => {
                let annealed = annealing.apply(&self.collection, &grid, &plain, &times)?;
                (annealed.path, Some(annealed.seen))
            }
        };
        let (electrons, holes) = self.caught(&grid, &path);
        let oxide = self.oxide.map(|oxide| oxide.grow(&self.collection, &grid, &path));
        let capacitance = self.collection.stack.capacitance();
        Ok(times
            .iter()
            .zip(places)
            .enumerate()
            .map(|(index, (&time_s, place))| {
                let traps_per_m2_ev =
                    self.interface.map_or(0.0, |interface| interface.density(&grid, time_s));
                let bend = self.collection.stack.fermi_potential_v();
                Moment {
                    time_s,
                    dose_rad: if place + 1 == grid.doses.len() { end_dose } else { grid.doses[place] },
                    nitride_v: seen.as_ref().map_or(path[place], |seen| seen[index]),
                    oxide_v: oxide
                        .as_ref()
                        .map_or(0.0, |density| -ELEMENTARY_CHARGE * density[place] / capacitance),
                    interface_v: ELEMENTARY_CHARGE * traps_per_m2_ev * bend / capacitance,
                    traps_per_m2_ev,
                    electrons_per_m2: electrons[place],
                    holes_per_m2: holes[place],
                }
            })
            .collect())
    }

    /// Electrons and holes caught per m² up to each dose of the grid, by the trapezoidal rule.
    fn caught(&self, grid: &Grid, path: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let rates: Vec<_> = path.iter().map(|shift| self.collection.captured(*shift)).collect();
        let (mut electrons, mut holes) = (vec![0.0], vec![0.0]);
        for index in 1..grid.doses.len() {
            let half = 0.5 * (grid.doses[index] - grid.doses[index - 1]);
            let (a, b) = (rates[index - 1], rates[index]);
            electrons.push(electrons[index - 1] + half * (a.electrons_per_m2_rad + b.electrons_per_m2_rad));
            holes.push(holes[index - 1] + half * (a.holes_per_m2_rad + b.holes_per_m2_rad));
        }
        (electrons, holes)
    }
}
