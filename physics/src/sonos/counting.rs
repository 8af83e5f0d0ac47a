//! Counting statistics: a cell catches a whole number of charges, so equal cells drift apart with dose.
//!
//! Captures are independent events; an event may bring a cluster of several charges. The threshold shift is
//! then a compound Poisson variable: its variance grows linearly with dose, its skewness falls with it.

use crate::sonos::Stack;
use crate::sonos::collection::Collection;
use mho_data::random::Stream;
use serde::{Deserialize, Serialize};

/// Counting statistics of one cell at one state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Counting {
    /// Threshold shift of one charge in V.
    pub step_v: f64,
    /// Mean electrons caught per rad(Si); each raises the threshold by a step.
    pub electrons_per_rad: f64,
    /// Mean holes caught per rad(Si); each lowers the threshold by a step.
    pub holes_per_rad: f64,
    /// Cluster factor F: variance over that of single charges. 1 means single charges (default,
    /// assumed), 1 to 5 is expected. Cluster sizes are geometric with mean (F + 1)/2.
    pub cluster_factor: f64,
}

impl Counting {
    /// Statistics of `collection`'s cell at a threshold shift in V, single charges.
    ///
    /// The capture rates are those at `shift_v`; they change by a few percent over 100 krad.
    #[must_use]
    pub fn at(collection: &Collection, shift_v: f64) -> Self {
        let captured = collection.captured(shift_v);
        let area = collection.stack.gate_area_m2;
        Self {
            step_v: collection.stack.step_v(),
            electrons_per_rad: captured.electrons_per_m2_rad * area,
            holes_per_rad: captured.holes_per_m2_rad * area,
            cluster_factor: 1.0,
        }
    }

    /// Statistics of a cell that catches `holes_per_m2_rad` (1/(m² rad(Si))) holes and no electrons.
    #[must_use]
    pub fn of_density(stack: &Stack, holes_per_m2_rad: f64) -> Self {
        Self {
            step_v: stack.step_v(),
            electrons_per_rad: 0.0,
            holes_per_rad: holes_per_m2_rad * stack.gate_area_m2,
            cluster_factor: 1.0,
        }
    }

    /// Mean number of charges caught up to a dose in rad(Si), both signs.
    #[must_use]
    pub fn mean_charges(&self, dose_rad: f64) -> f64 {
        (self.electrons_per_rad + self.holes_per_rad) * dose_rad
    }

    /// Standard deviation of the threshold in V after a dose in rad(Si): step·√(F·λ).
    #[must_use]
    pub fn sigma_vt(&self, dose_rad: f64) -> f64 {
        self.step_v * (self.cluster_factor * self.mean_charges(dose_rad)).sqrt()
    }

    /// Growth of the variance in V² per rad(Si).
    #[must_use]
    pub fn variance_per_rad(&self) -> f64 {
        self.step_v * self.step_v * self.cluster_factor * (self.electrons_per_rad + self.holes_per_rad)
    }

    /// Skewness of the threshold shift after a dose in rad(Si); negative where holes dominate.
    ///
    /// Zero at zero dose, where there is no scatter.
    #[must_use]
    pub fn skewness(&self, dose_rad: f64) -> f64 {
        let all = self.mean_charges(dose_rad);
        if all <= 0.0 {
            return 0.0;
        }
        // Moments of a geometric cluster size with mean m: E[s²] = 2m² − m, E[s³] = 6m³ − 6m² + m.
        let mean = self.mean_cluster();
        let second = 2.0 * mean - 1.0;
        let third = 6.0 * mean * mean - 6.0 * mean + 1.0;
        let sign =
            (self.electrons_per_rad - self.holes_per_rad) / (self.electrons_per_rad + self.holes_per_rad);
        // The number of charges comes last: it may be tiny, and its power would vanish.
        third * sign / (second.powf(1.5) * all.sqrt())
    }

    fn mean_cluster(&self) -> f64 {
        0.5 * (self.cluster_factor.max(1.0) + 1.0)
    }

    /// Threshold shift in V of cell `index` after a dose in rad(Si), less the mean shift.
    ///
    /// A pure function of its arguments: the events are Poisson draws, the cluster sizes geometric ones
    /// (their sum is a normal draw when there are more events than `INDICES` leaves room for).
    #[must_use]
    pub fn deviation_v(&self, dose_rad: f64, stream: &Stream, index: u64) -> f64 {
        let base = index * INDICES;
        let electrons = self.charges(self.electrons_per_rad * dose_rad, stream, base);
        let holes = self.charges(self.holes_per_rad * dose_rad, stream, base + INDICES / 2);
        let mean = (self.electrons_per_rad - self.holes_per_rad) * dose_rad;
        self.step_v * (electrons - holes - mean)
    }

    /// Charges of one sign when `mean` are expected; uses the numbers `base..base + INDICES / 2`.
    fn charges(&self, mean: f64, stream: &Stream, base: u64) -> f64 {
        let cluster = self.mean_cluster();
        let events = stream.poisson(base, mean / cluster);
        if cluster <= 1.0 {
            return events as f64;
        }
        if events < INDICES / 2 {
            // Inverse of the geometric distribution on 1, 2, … with mean m: 1 + ⌊ln u / ln(1 − 1/m)⌋.
            let slope = (-1.0 / cluster).ln_1p();
            return (1..=events).map(|j| 1.0 + (stream.uniform(base + j).ln() / slope).floor()).sum();
        }
        let events = events as f64;
        events * cluster + (events * (cluster * cluster - cluster)).sqrt() * stream.normal(base + 1)
    }
}

/// Random numbers set aside for one sample.
const INDICES: u64 = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    /// The density the reference values assume: 3.5e6 charges per cm² and rad.
    const DENSITY: f64 = 3.5e10;

    #[test]
    fn sigma_at_the_reference_areas() {
        for (area_um2, charges, sigma) in
            [(0.01, 35.0, 16.7e-3), (0.02, 70.0, 11.8e-3), (0.05, 175.0, 7.5e-3)]
        {
            let stack = Stack { gate_area_m2: area_um2 * 1e-12, ..Stack::default() };
            let counting = Counting::of_density(&stack, DENSITY);
            assert!((counting.mean_charges(100e3) - charges).abs() < 1e-9);
            assert!((counting.sigma_vt(100e3) - sigma).abs() < 0.05e-3, "{}", counting.sigma_vt(100e3));
            assert!((counting.sigma_vt(400e3) / counting.sigma_vt(100e3) - 2.0).abs() < 1e-12);
            assert!((counting.skewness(100e3) + charges.powf(-0.5)).abs() < 1e-12);
        }
    }

    fn moments(counting: &Counting, dose: f64, count: u64) -> (f64, f64, f64) {
        let stream = Stream::new(3, &["counting test"], &[]);
        let draws: Vec<f64> = (0..count).map(|i| counting.deviation_v(dose, &stream, i)).collect();
        let n = count as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let third = draws.iter().map(|x| (x - mean).powi(3)).sum::<f64>() / n;
        (mean, variance.sqrt(), third / variance.powf(1.5))
    }

    #[test]
    fn sampler_matches_the_closed_form() {
        let stack = Stack { gate_area_m2: 0.01e-12, ..Stack::default() };
        let collection = Collection { stack, ..Collection::default() };
        for cluster_factor in [1.0, 3.0] {
            for (shift, dose) in [(0.5, 3e3), (2.0, 20e3), (2.0, 100e3), (-2.0, 100e3)] {
                let counting = Counting { cluster_factor, ..Counting::at(&collection, shift) };
                let (mean, sigma, skewness) = moments(&counting, dose, 40_000);
                let expected = counting.sigma_vt(dose);
                assert!(mean.abs() < 0.02 * expected, "mean {mean} of sigma {expected}");
                assert!((sigma / expected - 1.0).abs() < 0.02, "sigma {sigma} against {expected}");
                let skewed = counting.skewness(dose);
                assert!(
                    (skewness - skewed).abs() < 0.03 + 0.08 * skewed.abs(),
                    "{skewness} against {skewed}"
                );
            }
        }
    }

    #[test]
    fn sign_of_the_skewness_follows_the_carrier() {
        let collection = Collection::default();
        assert!(Counting::at(&collection, 2.0).skewness(3e3) < 0.0, "holes discharge a programmed cell");
        assert!(Counting::at(&collection, -2.0).skewness(3e3) > 0.0, "electrons discharge an erased cell");
        assert_eq!(Counting::at(&collection, 1.0).skewness(0.0), 0.0);
    }
}
