//! Charge trapped in the oxide and traps at the interface.

use super::Grid;
use crate::sonos::collection::Collection;

/// Holes trapped in the blocking oxide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OxideTraps {
    /// Probability A that a hole that escaped recombination is trapped (assumed: about 0.01 in thin oxides,
    /// which tunnelling empties; 0.1 to 1 in thick ones).
    pub efficiency: f64,
    /// Thickness in m of the oxide that traps.
    pub thickness_m: f64,
    /// Density N_max in 1/m² at which all traps are filled.
    pub full_per_m2: f64,
}

impl OxideTraps {
    /// Density in 1/m² up to each dose of the grid. Within a step the field is that of its middle, so the
    /// approach to the full density is an exact exponential.
    pub(super) fn grow(&self, collection: &Collection, grid: &Grid, path: &[f64]) -> Vec<f64> {
        let radiation = &collection.radiation;
        let pairs = radiation.pairs_per_m3_rad * radiation.oxide_dose_per_silicon_dose;
        let mut density = vec![0.0];
        for index in 1..grid.doses.len() {
            let field = collection.fields(0.5 * (path[index] + path[index - 1])).blocking_v_per_m;
            let brought = pairs
                * radiation.escape_yield(field)
                * self.thickness_m
                * self.efficiency
                * (grid.doses[index] - grid.doses[index - 1]);
            let before = density[index - 1];
            density.push(before - (self.full_per_m2 - before) * (-brought / self.full_per_m2).exp_m1());
        }
        density
    }
}

/// Traps at the interface of silicon and tunnel oxide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InterfaceTraps {
    /// Density in 1/(m² eV) that 1 krad(Si) makes in the end.
    pub per_m2_ev_at_krad: f64,
    /// Exponent b of the dose (literature: 2/3 to 1).
    pub exponent: f64,
    /// Time in s from which they build up, logarithmically (literature: about 1 s).
    pub from_s: f64,
    /// Time in s at which all are there (literature: about 1e5 s).
    pub to_s: f64,
    /// Mobility loss α in m² per trap and area (fitted, literature: 7e-13 cm²).
    pub scattering_m2: f64,
    /// Energy window in eV over which traps count as scatterers (assumed: the gap).
    pub window_ev: f64,
}

impl Default for InterfaceTraps {
    fn default() -> Self {
        Self {
            per_m2_ev_at_krad: 0.0,
            exponent: 2.0 / 3.0,
            from_s: 1.0,
            to_s: 1e5,
            scattering_m2: 7e-17,
            window_ev: crate::constants::SILICON_GAP_V,
        }
    }
}

impl InterfaceTraps {
    /// Part of the traps that is there `age_s` after the dose that makes them: log₁₀(1 + t/t₁) scaled to one;
    /// none before.
    #[must_use]
    pub fn built(&self, age_s: f64) -> f64 {
        ((age_s.max(0.0) / self.from_s).ln_1p() / (self.to_s / self.from_s).ln_1p()).clamp(0.0, 1.0)
    }

    /// Density in 1/(m² eV) at a time in s, every interval of the grid with its own age.
    pub(super) fn density(&self, grid: &Grid, time_s: f64) -> f64 {
        let final_density = |dose: f64| self.per_m2_ev_at_krad * (1e-3 * dose).powf(self.exponent);
        (1..grid.doses.len())
            .map(|index| {
                let made = final_density(grid.doses[index]) - final_density(grid.doses[index - 1]);
                made * self.built(time_s - 0.5 * (grid.times[index] + grid.times[index - 1]))
            })
            .sum()
    }

    /// Slope factor for a density in 1/(m² eV): n₀ + q D_it/C_g.
    #[must_use]
    pub fn slope_factor(&self, fresh: f64, traps_per_m2_ev: f64, capacitance: f64) -> f64 {
        fresh + crate::constants::ELEMENTARY_CHARGE * traps_per_m2_ev / capacitance
    }

    /// Mobility over that without traps: 1/(1 + α N_it).
    #[must_use]
    pub fn mobility_ratio(&self, traps_per_m2_ev: f64) -> f64 {
        1.0 / (1.0 + self.scattering_m2 * traps_per_m2_ev * self.window_ev)
    }
}
