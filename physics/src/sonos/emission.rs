//! How fast a trapped carrier leaves: by tunnelling to the silicon and by thermal emission, in parallel.
//!
//! ```text
//! 1/τ(x, E_t, F) = exp[−2 κ_ox t_to − 2 κ_N x]/τ₀ + A T² exp[−(E_t − β √|F|)/kT]
//! κ_ox = √(2 m_ox q (E_t + ΔE))/ħ,   κ_N = √(2 m_N q E_t)/ħ,   β = √(q/(π ε_∞ ε₀))
//! ```
//!
//! The first part (Lundkvist et al. 1973) empties the nitride from the tunnel oxide inwards, a front that
//! moves by ln 10/(2 κ_N) per decade of time. The second (Poole-Frenkel; McWhorter, Miller and Dellin 1990
//! use both together) empties shallow traps first: after a time t those above the demarcation energy
//! kT ln(A T² t) are empty.

use crate::constants::{
    BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK, REDUCED_PLANCK, VACUUM_PERMITTIVITY, thermal_voltage,
};
use crate::sonos::Stack;

/// Emission of one kind of carrier from its traps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Emission {
    /// Trap depth E_t in eV below the nitride band (above it for holes).
    pub depth_ev: f64,
    /// Standard deviation of the trap depth in eV; zero for a single level.
    pub depth_spread_ev: f64,
    /// Band offset ΔE between nitride and oxide in eV.
    pub offset_ev: f64,
    /// Tunnelling mass in the oxide over the electron mass.
    pub oxide_mass: f64,
    /// Tunnelling mass in the nitride over the electron mass.
    pub nitride_mass: f64,
    /// Attempt time τ₀ of tunnelling in s.
    pub attempt_s: f64,
    /// Capture cross section σ_t of the empty trap in m².
    pub cross_section_m2: f64,
    /// Effective mass of the nitride band over the electron mass.
    pub band_mass: f64,
    /// High-frequency relative permittivity ε_∞ of the nitride.
    pub fast_permittivity: f64,
    /// Whether carriers tunnel to the silicon.
    pub tunnelling: bool,
    /// Whether carriers are emitted thermally.
    pub thermal: bool,
    /// Whether the field lowers the thermal barrier (Poole-Frenkel).
    pub poole_frenkel: bool,
}

impl Emission {
    /// Electrons: 1.4 eV deep (assumed; the literature has 1.0 to 1.8 eV), masses 0.5 and attempt time
    /// 1e-13 s (assumed, usual), offset 1.05 eV (measured), cross section 1e-14 cm² (literature: 1e-15 to
    /// 1e-13 cm²), band mass 0.42 (assumed), ε_∞ 4 (measured, square of the refractive index 2.0).
    pub const ELECTRONS: Self = Self {
        depth_ev: 1.4,
        depth_spread_ev: 0.0,
        offset_ev: 1.05,
        oxide_mass: 0.5,
        nitride_mass: 0.5,
        attempt_s: 1e-13,
        cross_section_m2: 1e-18,
        band_mass: 0.42,
        fast_permittivity: 4.0,
        tunnelling: true,
        thermal: true,
        poole_frenkel: true,
    };
    /// Holes: as electrons, with the valence-band offset of 2.7 eV of the injection barrier.
    pub const HOLES: Self = Self { offset_ev: 2.7, ..Self::ELECTRONS };

    /// Decay constant κ in the oxide in 1/m for a trap of `depth_ev`.
    #[must_use]
    pub fn oxide_decay(&self, depth_ev: f64) -> f64 {
        decay(self.oxide_mass, depth_ev + self.offset_ev)
    }

    /// Decay constant κ in the nitride in 1/m for a trap of `depth_ev`.
    #[must_use]
    pub fn nitride_decay(&self, depth_ev: f64) -> f64 {
        decay(self.nitride_mass, depth_ev)
    }

    /// Tunnelling rate in 1/s of a trap of `depth_ev` at `place_m` from the tunnel oxide.
    #[must_use]
    pub fn tunnelling_rate(&self, stack: &Stack, depth_ev: f64, place_m: f64) -> f64 {
        if !self.tunnelling {
            return 0.0;
        }
        let action =
            self.oxide_decay(depth_ev) * stack.tunnel_oxide_m + self.nitride_decay(depth_ev) * place_m;
        (-2.0 * action).exp() / self.attempt_s
    }

    /// Factor A T² of thermal emission in 1/s: 2 σ_t v_th N_c.
    #[must_use]
    pub fn thermal_factor(&self, temperature_k: f64) -> f64 {
        let mass = self.band_mass * ELECTRON_MASS;
        let energy = BOLTZMANN * temperature_k;
        let velocity = (3.0 * energy / mass).sqrt();
        let states = 2.0 * (2.0 * std::f64::consts::PI * mass * energy / (PLANCK * PLANCK)).powf(1.5);
        2.0 * self.cross_section_m2 * velocity * states
    }

    /// Barrier lowering β√|F| in eV at a field in V/m, at most the whole trap depth.
    #[must_use]
    pub fn lowering_ev(&self, field_v_per_m: f64) -> f64 {
        if !self.poole_frenkel {
            return 0.0;
        }
        let permittivity = std::f64::consts::PI * self.fast_permittivity * VACUUM_PERMITTIVITY;
        (ELEMENTARY_CHARGE * field_v_per_m.abs() / permittivity).sqrt()
    }

    /// Thermal rate in 1/s of a trap of `depth_ev` at a field in V/m.
    #[must_use]
    pub fn thermal_rate(&self, temperature_k: f64, depth_ev: f64, field_v_per_m: f64) -> f64 {
        if !self.thermal {
            return 0.0;
        }
        let barrier = (depth_ev - self.lowering_ev(field_v_per_m)).max(0.0);
        self.thermal_factor(temperature_k) * (-barrier / thermal_voltage(temperature_k)).exp()
    }

    /// Both rates in 1/s.
    #[must_use]
    pub fn rate(
        &self,
        stack: &Stack,
        temperature_k: f64,
        depth_ev: f64,
        place_m: f64,
        field_v_per_m: f64,
    ) -> f64 {
        self.tunnelling_rate(stack, depth_ev, place_m)
            + self.thermal_rate(temperature_k, depth_ev, field_v_per_m)
    }

    /// Demarcation energy kT ln(A T² t) in eV: shallower traps have emitted after `time_s` without field.
    #[must_use]
    pub fn demarcation_ev(&self, temperature_k: f64, time_s: f64) -> f64 {
        thermal_voltage(temperature_k) * (self.thermal_factor(temperature_k) * time_s).ln()
    }

    /// Place in m up to which tunnelling has emptied traps of the mean depth after `time_s`; negative before
    /// the first have gone.
    #[must_use]
    pub fn front_m(&self, stack: &Stack, time_s: f64) -> f64 {
        let first = self.tunnelling_rate(stack, self.depth_ev, 0.0);
        (time_s * first).ln() / (2.0 * self.nitride_decay(self.depth_ev))
    }

    /// Trap depths in eV with their weights (which add to one): a normal distribution as `count` slices of
    /// equal width over ±3.5 standard deviations, never shallower than 1 meV.
    #[must_use]
    pub fn levels(&self, count: usize) -> Vec<(f64, f64)> {
        if self.depth_spread_ev <= 0.0 || count < 2 {
            return vec![(self.depth_ev, 1.0)];
        }
        let step = 7.0 / count as f64;
        let raw: Vec<(f64, f64)> = (0..count)
            .map(|index| {
                let z = -3.5 + (index as f64 + 0.5) * step;
                ((self.depth_ev + z * self.depth_spread_ev).max(1e-3), (-0.5 * z * z).exp())
            })
            .collect();
        let all: f64 = raw.iter().map(|(_, weight)| weight).sum();
        raw.into_iter().map(|(depth, weight)| (depth, weight / all)).collect()
    }
}

/// √(2 m q E)/ħ in 1/m.
fn decay(mass: f64, barrier_ev: f64) -> f64 {
    (2.0 * mass * ELECTRON_MASS * ELEMENTARY_CHARGE * barrier_ev.max(0.0)).sqrt() / REDUCED_PLANCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_numbers_of_the_front() {
        let electrons = Emission::ELECTRONS;
        let stack = Stack::default();
        assert!((electrons.oxide_decay(1.4) / 5.67e9 - 1.0).abs() < 1e-3);
        assert!((electrons.nitride_decay(1.4) / 4.29e9 - 1.0).abs() < 1e-3);
        // The decay constant above is rounded to three digits and enters as exp(2 κ · 2 nm).
        let first_s = 1.0 / electrons.tunnelling_rate(&stack, 1.4, 0.0);
        assert!((first_s - 0.9e-3).abs() < 0.2e-3, "{first_s}");
        let per_decade = electrons.front_m(&stack, 1e5) - electrons.front_m(&stack, 1e4);
        assert!((per_decade - 0.269e-9).abs() < 0.0005e-9, "{per_decade}");
    }

    /// β of Poole-Frenkel for ε_∞ = 4 is 0.379 eV at 1 MV/cm: √(q F/(π ε)).
    #[test]
    fn poole_frenkel_slope() {
        let electrons = Emission::ELECTRONS;
        assert!((electrons.lowering_ev(1e8) - 0.3795).abs() < 5e-4, "{}", electrons.lowering_ev(1e8));
        let log = |field: f64| electrons.thermal_rate(300.0, 1.4, field).ln();
        let slope = (log(1e8) - log(0.25e8)) / (1e4 - 0.5e4);
        let expected = electrons.lowering_ev(1.0) / thermal_voltage(300.0);
        assert!((slope / expected - 1.0).abs() < 1e-10);
    }

    /// A T² grows with the square of temperature, and at the demarcation energy the rate times the time is 1.
    #[test]
    fn thermal_factor_and_demarcation() {
        let electrons = Emission::ELECTRONS;
        let ratio = electrons.thermal_factor(400.0) / electrons.thermal_factor(300.0);
        assert!((ratio - (4.0f64 / 3.0).powi(2)).abs() < 1e-12);
        let depth = electrons.demarcation_ev(350.0, 1e4);
        assert!((electrons.thermal_rate(350.0, depth, 0.0) * 1e4 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn levels_keep_mean_and_spread() {
        let spread = Emission { depth_spread_ev: 0.1, ..Emission::ELECTRONS };
        let levels = spread.levels(21);
        let mean: f64 = levels.iter().map(|(depth, weight)| depth * weight).sum();
        let variance: f64 = levels.iter().map(|(depth, weight)| weight * (depth - mean).powi(2)).sum();
        assert!((mean - 1.4).abs() < 1e-12);
        // Cutting at 3.5 σ loses 0.3 % of the spread.
        assert!((variance.sqrt() / 0.1 - 1.0).abs() < 5e-3, "{}", variance.sqrt());
        assert_eq!(Emission::ELECTRONS.levels(21), [(1.4, 1.0)]);
    }
}
