//! The charge-sheet transistor below the stack.

use crate::constants::VACUUM_PERMITTIVITY;
use crate::sonos::Stack;
use crate::sonos::surface::Surface;

/// Low-field electron mobility in m²/(V s): 670 cm²/(V s) (fitted to inversion layers, literature).
const MOBILITY: f64 = 0.067;
/// Field in V/m at which vertical-field scattering halves the mobility: 0.67 MV/cm (fitted, literature).
const MOBILITY_FIELD: f64 = 0.67e8;
/// Exponent of the mobility law (fitted, literature).
const MOBILITY_EXPONENT: f64 = 1.6;
/// Mobility loss per interface trap in m²: 7e-13 cm² (fitted, literature on irradiated MOSFETs).
const TRAP_SCATTERING_M2: f64 = 7e-17;
/// Energy in eV over which interface traps count as scattering centres: the band gap (assumed).
const TRAP_WINDOW_EV: f64 = 1.12;
/// Junction leakage in A (assumed; far below the floor of the instrument).
const LEAKAGE_A: f64 = 1e-13;

/// A transistor of given geometry.
#[derive(Debug, Clone, Copy)]
pub struct Transistor {
    /// The stack on the channel.
    pub stack: Stack,
    /// Channel width in m.
    pub width_m: f64,
    /// Channel length in m.
    pub length_m: f64,
}

impl Transistor {
    /// Drain current in A at gate and drain voltages in V, a threshold shift in V by trapped charge, and an
    /// interface-trap density in 1/(m² eV).
    ///
    /// Brews's charge sheet in its source-drain symmetric form: drift with the mean inversion charge plus
    /// diffusion by the difference of charges,
    /// I = μ (W/L) C_g [ ½(q_S + q_D)(ψ_D − ψ_S) + φ_t (q_S − q_D) ].
    #[must_use]
    pub fn drain_current_a(&self, gate_v: f64, drain_v: f64, shift_v: f64, traps_per_m2_ev: f64) -> f64 {
        let stack = &self.stack;
        let surface = Surface::with_interface_traps(stack, traps_per_m2_ev);
        let effective = gate_v - stack.phi_ms_v - shift_v;
        let source_psi = surface.psi_s(effective, 0.0);
        let drain_psi = surface.psi_s(effective, drain_v);
        let source = surface.inversion_v(source_psi, 0.0);
        let drain = surface.inversion_v(drain_psi, drain_v);
        let capacitance = stack.capacitance();

        let inversion = 0.5 * (source + drain);
        let depletion = (surface.charge_v(source_psi, 0.0) - source).max(0.0);
        let field =
            capacitance * (depletion + 0.5 * inversion) / (stack.silicon_permittivity * VACUUM_PERMITTIVITY);
        let scattering = 1.0 + (field / MOBILITY_FIELD).powf(MOBILITY_EXPONENT);
        let coulomb = 1.0 + TRAP_SCATTERING_M2 * traps_per_m2_ev * TRAP_WINDOW_EV;
        let mobility = MOBILITY / (scattering * coulomb);

        let flow = inversion * (drain_psi - source_psi) + stack.thermal_voltage_v() * (source - drain);
        LEAKAGE_A.copysign(drain_v) + mobility * self.width_m / self.length_m * capacitance * flow
    }

    /// Threshold shift in V at which the transistor carries `current_a` (positive) at these voltages.
    ///
    /// Currents outside what shifts of ±4 V can give are clipped to that range.
    #[must_use]
    pub fn shift_for_current(&self, gate_v: f64, drain_v: f64, current_a: f64, traps_per_m2_ev: f64) -> f64 {
        let (mut low, mut high) = (-4.0, 4.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.drain_current_a(gate_v, drain_v, middle, traps_per_m2_ev) > current_a {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }
}
