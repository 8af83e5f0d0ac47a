//! Counting statistics: a cell catches a whole number of charges, so equal cells drift apart with dose.
//!
//! Captures are independent events; an event may bring a cluster of several charges. The threshold shift is
//! then a compound Poisson variable: its variance grows linearly with dose, its skewness falls with it.

use crate::collection::Collection;
use crate::sonos::Stack;
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
        let second = (2.0 * mean - 1.0) * all;
        let third =
            (6.0 * mean * mean - 6.0 * mean + 1.0) * (self.electrons_per_rad - self.holes_per_rad) * dose_rad;
        third / second.powf(1.5)
    }

    fn mean_cluster(&self) -> f64 {
        0.5 * (self.cluster_factor.max(1.0) + 1.0)
    }
}

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
}
