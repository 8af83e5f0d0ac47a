//! Parameters of the filament.

use crate::constants::{BOLTZMANN as K, ELEMENTARY_CHARGE as Q};

/// How the filament loses its heat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Thermal {
    /// Along its length to ends at ambient temperature, and sideways.
    Distributed {
        /// Thermal conductivity in W/(m K).
        conductivity_w_mk: f64,
        /// Heat capacity in J/(m³ K).
        capacity_j_m3k: f64,
        /// Sideways loss in W/(m³ K).
        loss_w_m3k: f64,
    },
    /// One temperature T = T_0 + R_th I V.
    Lumped {
        /// Thermal resistance in K/W.
        resistance_k_w: f64,
    },
}

/// Parameters of the filament.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// Length in m.
    pub length_m: f64,
    /// Radius in m.
    pub radius_m: f64,
    /// Number of cells along it.
    pub cells: usize,
    /// Hopping distance in m.
    pub hop_m: f64,
    /// Attempt frequency in Hz.
    pub attempt_hz: f64,
    /// Activation energy of hopping in eV.
    pub hop_barrier_ev: f64,
    /// Charge of a vacancy in elementary charges.
    pub valence: f64,
    /// Sites for vacancies in 1/m³.
    pub density_max: f64,
    /// Density in 1/m³ from which conduction is metallic.
    pub metallic_density: f64,
    /// Prefactor of the conductivity in S/m without vacancies.
    pub conductivity_low: f64,
    /// Prefactor of the conductivity in S/m at the metallic density and above.
    pub conductivity_high: f64,
    /// Activation energy in eV of conduction without vacancies; it falls to 0 at the metallic density.
    pub activation_ev: f64,
    /// Flow of heat.
    pub thermal: Thermal,
    /// Temperature in K of the surroundings.
    pub ambient_k: f64,
    /// Resistance in ohm in series.
    pub series_ohm: f64,
}

impl Default for Law {
    /// A filament of the kind in HfO2 or TaOx. Every value is assumed, within the ranges of the literature.
    fn default() -> Self {
        Self {
            length_m: 10e-9,
            radius_m: 5e-9,
            cells: 30,
            hop_m: 0.25e-9,
            attempt_hz: 1e13,
            hop_barrier_ev: 0.9,
            valence: 2.0,
            density_max: 5e27,
            metallic_density: 1e27,
            conductivity_low: 1e3,
            conductivity_high: 3e5,
            activation_ev: 0.05,
            thermal: Thermal::Distributed {
                conductivity_w_mk: 10.0,
                capacity_j_m3k: 3e6,
                // 2 k/(r² ln(R/r)) with 1 W/(m K) of oxide out to R = 10 r.
                loss_w_m3k: 3.5e16,
            },
            ambient_k: 300.0,
            series_ohm: 500.0,
        }
    }
}

impl Law {
    /// Cross section in m².
    #[must_use]
    pub fn area(&self) -> f64 {
        std::f64::consts::PI * self.radius_m.powi(2)
    }

    /// Distance of nodes in m.
    #[must_use]
    pub fn spacing(&self) -> f64 {
        self.length_m / self.cells as f64
    }

    /// Electronic conductivity in S/m at a vacancy density in 1/m³.
    #[must_use]
    pub fn conductivity(&self, density: f64, temperature_k: f64) -> f64 {
        let part = (density / self.metallic_density).clamp(0.0, 1.0);
        let prefactor = self.conductivity_low * (self.conductivity_high / self.conductivity_low).powf(part);
        prefactor * (-Q * self.activation_ev * (1.0 - part) / (K * temperature_k)).exp()
    }
}
