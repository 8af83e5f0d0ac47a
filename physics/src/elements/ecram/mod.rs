//! The electrochemical cell (ECRAM): a channel that conducts by the ions that a gate has pushed into it.
//!
//! A gate voltage V_G above the open-circuit voltage of the channel inserts ions through an interface and a
//! solid electrolyte; they spread in the channel by diffusion:
//!
//! - interface: j = j₀ [exp(α q η/kT) − exp(−(1−α) q η/kT)], η = V_G − E_eq(x_s) − j R_s (Butler and Volmer);
//! - channel of thickness L: ∂x/∂t = D ∂²x/∂z², −D ∂x/∂z = j/(q c_max) at the interface, 0 at the far side;
//! - read-out: conductance linear in the inserted charge, G = G_empty + (G_full − G_empty) x̄;
//! - an electronic leak R_leak across the electrolyte, which discharges the cell at open circuit.
//!
//! x is the fraction of filled sites, x_s its value at the interface, x̄ its mean. Currents are positive when
//! they insert. Sources: J. Newman and N. Balsara, Electrochemical Systems, chapters 8 and 22 (interface and
//! insertion); J. Crank, The Mathematics of Diffusion, chapter 4 (slab); E. J. Fuller et al., Adv. Mater. 29,
//! 1604310 (2017) (the lithium cell).

mod interface;
mod open_circuit;
mod slab;
mod transient;

pub use interface::{Exchange, overpotential};
pub use open_circuit::{OpenCircuit, OpenCircuitError};
pub use slab::Slab;
pub use transient::{Drive, Halt, Point, Run, Segment, run};

use crate::constants::{BOLTZMANN, ELEMENTARY_CHARGE};

/// Everything that makes a cell, at its reference temperature. Where a value comes from is the business of
/// who gives it: each is an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Gated area in m².
    pub area_m2: f64,
    /// Thickness of the channel in m, the way of the diffusion.
    pub thickness_m: f64,
    /// Density of ion sites in 1/m³.
    pub sites_per_m3: f64,
    /// Diffusivity of the ions in the channel in m²/s.
    pub diffusivity_m2_per_s: f64,
    /// Activation energy of the diffusivity in eV.
    pub diffusion_activation_ev: f64,
    /// Exchange current density in A/m², at half filling.
    pub exchange_a_per_m2: f64,
    /// How the exchange current depends on the filling.
    pub exchange: Exchange,
    /// Activation energy of the exchange current in eV.
    pub exchange_activation_ev: f64,
    /// Transfer coefficient α of the inserting direction, inside (0, 1).
    pub transfer: f64,
    /// Resistance of electrolyte and gate in series in Ω.
    pub series_ohm: f64,
    /// Activation energy of the electrolyte's conductance in eV.
    pub electrolyte_activation_ev: f64,
    /// Resistance of the electronic leak between gate and channel in Ω; infinity for none.
    pub leak_ohm: f64,
    /// Activation energy of the leak's conductance in eV.
    pub leak_activation_ev: f64,
    /// Temperature in K at which all the above holds.
    pub reference_k: f64,
    /// Open-circuit gate voltage against filling.
    pub open_circuit: OpenCircuit,
    /// Conductance of the empty channel in S.
    pub empty_s: f64,
    /// Conductance of the full channel in S; smaller than that of the empty one where ions deplete it.
    pub full_s: f64,
}

/// The values of a cell that depend on temperature, per area, at one temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtTemperature {
    /// Thermal voltage kT/q in V.
    pub thermal_v: f64,
    /// Diffusivity in m²/s.
    pub diffusivity_m2_per_s: f64,
    /// Exchange current density at half filling in A/m².
    pub exchange_a_per_m2: f64,
    /// Series resistance times area in Ω m².
    pub series_ohm_m2: f64,
    /// Leak conductance per area in S/m².
    pub leak_s_per_m2: f64,
}

/// The factor exp(−E_a/k (1/T − 1/T_ref)) by which a process is faster than at the reference (Arrhenius).
#[must_use]
pub fn arrhenius(activation_ev: f64, reference_k: f64, temperature_k: f64) -> f64 {
    (activation_ev * ELEMENTARY_CHARGE / BOLTZMANN * (1.0 / reference_k - 1.0 / temperature_k)).exp()
}

impl Cell {
    /// The values at a temperature.
    #[must_use]
    pub fn at(&self, temperature_k: f64) -> AtTemperature {
        let faster = |activation_ev| arrhenius(activation_ev, self.reference_k, temperature_k);
        AtTemperature {
            thermal_v: BOLTZMANN * temperature_k / ELEMENTARY_CHARGE,
            diffusivity_m2_per_s: self.diffusivity_m2_per_s * faster(self.diffusion_activation_ev),
            exchange_a_per_m2: self.exchange_a_per_m2 * faster(self.exchange_activation_ev),
            series_ohm_m2: self.series_ohm * self.area_m2 / faster(self.electrolyte_activation_ev),
            leak_s_per_m2: faster(self.leak_activation_ev) / (self.leak_ohm * self.area_m2),
        }
    }

    /// Charge in C that fills the empty channel.
    #[must_use]
    pub fn capacity_c(&self) -> f64 {
        ELEMENTARY_CHARGE * self.sites_per_m3 * self.thickness_m * self.area_m2
    }

    /// Conductance in S at a mean filling.
    #[must_use]
    pub fn conductance_s(&self, mean_fraction: f64) -> f64 {
        self.empty_s + (self.full_s - self.empty_s) * mean_fraction
    }
}

#[cfg(test)]
mod tests;
