//! Temperatures over time, with the balance of energy.

use super::super::implicit::{self, Accuracy, Cell, Stalled};
use super::Slab;

/// Energies in J/m² since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Balance {
    /// Made by the sources.
    pub made: f64,
    /// Lost sideways.
    pub lost: f64,
    /// Gone out of the left and the right end.
    pub out: [f64; 2],
    /// Gain of the stored heat.
    pub gained: f64,
}

impl Balance {
    /// What is missing: made - lost - out - gained.
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.made - self.lost - self.out[0] - self.out[1] - self.gained
    }
}

/// The state at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Time in s.
    pub time_s: f64,
    /// Temperatures in K at the nodes.
    pub temperatures_k: Vec<f64>,
    /// Energies since the start.
    pub balance: Balance,
}

/// A slab on its way through time.
#[derive(Debug, Clone)]
pub struct Warming {
    slab: Slab,
    cells: Vec<Cell<1>>,
    step: f64,
    accuracy: Accuracy,
    start: f64,
    now: Moment,
}

fn temperatures(cells: &[Cell<1>]) -> Vec<f64> {
    cells.iter().map(|cell| cell[0]).collect()
}

impl Warming {
    /// A slab that has these temperatures at time 0; fixed ends take their temperature at once.
    ///
    /// # Errors
    /// [`Stalled`] when a temperature is not finite.
    pub fn new(slab: Slab, temperatures_k: &[f64], accuracy: Accuracy) -> Result<Self, Stalled> {
        let cells: Vec<Cell<1>> = temperatures_k.iter().map(|&temperature| [temperature]).collect();
        let cells = implicit::consistent(&slab, 0.0, &cells, accuracy)?;
        let temperatures_k = temperatures(&cells);
        let start = slab.stored(&temperatures_k);
        let now = Moment { time_s: 0.0, temperatures_k, balance: Balance::default() };
        Ok(Self { slab, cells, step: 0.0, accuracy, start, now })
    }

    /// The present state.
    #[must_use]
    pub fn now(&self) -> &Moment {
        &self.now
    }

    /// Goes on to `time_s` with all sources times `scale`.
    ///
    /// # Errors
    /// [`Stalled`] with the time reached; [`Warming::now`] is the state there.
    pub fn advance(&mut self, time_s: f64, scale: f64) -> Result<(), Stalled> {
        if scale != self.slab.scale {
            self.step = 1e-6 * (time_s - self.now.time_s);
        }
        self.slab.scale = scale;
        let Self { slab, now, .. } = self;
        let mut reached = now.time_s;
        let result = implicit::advance(
            &*slab,
            &mut self.cells,
            (now.time_s, time_s),
            &mut self.step,
            self.accuracy,
            |taken| {
                reached = taken.time;
                for (_, weight, cells) in taken.stages {
                    let temperatures = temperatures(cells);
                    let [made, lost] = slab.made_and_lost(&temperatures);
                    let out = slab.outflow(&temperatures);
                    now.balance.made += weight * made;
                    now.balance.lost += weight * lost;
                    now.balance.out[0] += weight * out[0];
                    now.balance.out[1] += weight * out[1];
                }
            },
        );
        now.time_s = if result.is_ok() { time_s } else { reached };
        now.temperatures_k = temperatures(&self.cells);
        now.balance.gained = slab.stored(&now.temperatures_k) - self.start;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Conductivity, Element, End, Link};
    use super::*;

    fn slab(cells: usize, exponent: f64, source: f64, loss: f64, ends: [End; 2]) -> Slab {
        let element = Element {
            length_m: 1e-6 / cells as f64,
            conductivity: Conductivity { value_w_mk: 1.4, exponent, reference_k: 300.0 },
            capacity_j_m3k: 1.6e6,
            source_w_m3: source,
            loss_w_m3k: loss,
            ambient_k: 300.0,
        };
        Slab::new(vec![Link::Bulk(element); cells], ends[0], ends[1])
    }

    /// The slowest mode of a slab between cold ends decays as exp(-pi² k t/(c L²)).
    #[test]
    fn a_mode_decays_with_its_time_constant() {
        let cells = 100;
        let slab = slab(cells, 0.0, 0.0, 0.0, [End::Fixed(300.0); 2]);
        let start: Vec<f64> = (0..=cells)
            .map(|node| 300.0 + 50.0 * (std::f64::consts::PI * node as f64 / cells as f64).sin())
            .collect();
        let accuracy = Accuracy { relative: 1e-9, ..Accuracy::default() };
        let mut warming = Warming::new(slab, &start, accuracy).unwrap();
        let time = 1.6e6 * 1e-12 / (std::f64::consts::PI.powi(2) * 1.4);
        warming.advance(2.0 * time, 1.0).unwrap();
        let left = (warming.now().temperatures_k[cells / 2] - 300.0) / 50.0;
        // The mesh lowers the rate by pi²/(12 · 100²) = 8e-5.
        assert!((left / (-2.0f64).exp() - 1.0).abs() < 3e-4, "{left}");
    }

    #[test]
    fn energy_is_balanced_and_the_end_is_the_steady_state() {
        let film = End::Convective { coefficient_w_m2k: 1e6, ambient_k: 290.0 };
        for ends in [[End::Fixed(300.0), film], [End::Insulated, film], [End::Insulated, End::Insulated]] {
            let slab = slab(40, 0.8, 5e13, 1e12, ends);
            let steady = slab.steady(300.0).unwrap();
            let mut warming = Warming::new(slab, &[300.0; 41], Accuracy::default()).unwrap();
            for (time, scale) in [(1e-8, 1.0), (2e-6, 1.0), (3e-6, 0.0), (2e-3, 1.0)] {
                warming.advance(time, scale).unwrap();
                let balance = warming.now().balance;
                // Newton's tolerance, 1e-8 of 300 K per step.
                let tolerance: f64 = 1e-7 * 300.0 * 1.6;
                assert!(balance.residual().abs() < tolerance.max(1e-9 * balance.made), "{time}: {balance:?}");
            }
            for (found, steady) in warming.now().temperatures_k.iter().zip(&steady) {
                assert!((found - steady).abs() < 1e-2, "{found} {steady}");
            }
        }
    }
}
