//! Charge in the nitride with its profile, under gate voltage, temperature and ionising dose at once.
//!
//! Beams of carriers enter the nitride from both sides: what tunnels in from the channel and from the gate
//! ([`Barrier`]) and what radiation sets free in the oxides and their fields sweep in ([`Radiation`]). Along
//! its way a beam F is captured by the traps that can still take its carriers,
//!
//! ```text
//! dF/dx = −F (1 − f)/λ,   λ = 1/(σ N_t),   f = filled fraction of the traps,
//! ```
//!
//! and what crosses the nitride leaves. Trapped carriers are emitted by the rates of [`Emission`], and by
//! radiation. The traps are amphoteric: one holds an electron or a hole, so a carrier of the other sign
//! first empties it. The fields follow from the whole profile at every moment.

mod law;
mod stepper;
#[cfg(test)]
mod tests;

use crate::constants::ELEMENTARY_CHARGE;
use crate::ode::OdeError;
use crate::sonos::collection::{Radiation, SurfacePotential};
use crate::sonos::emission::Emission;
use crate::sonos::profile::Profile;
use crate::sonos::{Fields, Stack};
use crate::tunnelling::injection::Barrier;

/// The traps of the nitride.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traps {
    /// Density N_t in 1/m³. Default 3e25 = 3e19 cm⁻³ (literature: 1e18 to 1e20 cm⁻³).
    pub density_per_m3: f64,
    /// Where the traps begin, in m from the tunnel oxide. Default 0.
    pub from_m: f64,
    /// Where they end. Default the whole nitride of the default stack.
    pub to_m: f64,
    /// Capture length λ of electrons in m while all traps are free. Default 3 nm (assumed; the literature
    /// finds one to ten nanometres, with cross sections of 1e-13 to 1e-12 cm²).
    pub electron_length_m: f64,
    /// Capture length of holes in m. Default 3 nm (assumed, as for electrons).
    pub hole_length_m: f64,
}

impl Default for Traps {
    fn default() -> Self {
        Self { density_per_m3: 3e25, from_m: 0.0, to_m: 8e-9, electron_length_m: 3e-9, hole_length_m: 3e-9 }
    }
}

impl Traps {
    /// Charge in C/m² that fills all traps.
    #[must_use]
    pub fn full_charge(&self) -> f64 {
        ELEMENTARY_CHARGE * self.density_per_m3 * (self.to_m - self.from_m)
    }
}

/// Emission of both carriers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Emissions {
    /// Of electrons.
    pub electrons: Emission,
    /// Of holes.
    pub holes: Emission,
}

/// A charge-trap cell with its profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nitride {
    /// The stack; its temperature is replaced by that of the conditions.
    pub stack: Stack,
    /// The traps.
    pub traps: Traps,
    /// Barrier of electrons, at the channel and at the gate.
    pub electrons: Barrier,
    /// Barrier of holes at the channel.
    pub holes: Barrier,
    /// Whether the gate injects electrons through the blocking oxide.
    pub gate_injection: bool,
    /// How the surface potential is found.
    pub surface_potential: SurfacePotential,
    /// Emission from the traps; none keeps every carrier.
    pub emission: Option<Emissions>,
    /// The source of radiation.
    pub radiation: Radiation,
    /// Dose D_x in rad(SiO2) over which radiation empties the traps; infinite for never.
    pub detrapping_dose_rad: f64,
}

impl Default for Nitride {
    fn default() -> Self {
        Self {
            stack: Stack::default(),
            traps: Traps::default(),
            electrons: Barrier::ELECTRONS,
            holes: Barrier::HOLES,
            gate_injection: true,
            surface_potential: SurfacePotential::SelfConsistent,
            emission: None,
            radiation: Radiation::CO60,
            detrapping_dose_rad: f64::INFINITY,
        }
    }
}

/// What acts on the cell for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Gate voltage in V; source, drain and bulk grounded.
    pub gate_v: f64,
    /// Temperature in K.
    pub temperature_k: f64,
    /// Dose rate in rad(Si)/s.
    pub dose_rate_rad_per_s: f64,
}

/// Charge per gate area in C/m² that has gone each way, electrons negative: what is stored grows by
/// `channel + gate + swept − passed − emitted`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Entered from the channel by tunnelling.
    pub channel: f64,
    /// Entered from the gate by tunnelling.
    pub gate: f64,
    /// Swept in from the oxides after radiation set it free.
    pub swept: f64,
    /// Crossed the nitride without being captured.
    pub passed: f64,
    /// Captured once and emitted.
    pub emitted: f64,
    /// All that entered or was emitted whatever its sign: the scale of the error of the balance.
    pub turnover: f64,
}

impl Tally {
    /// What must have been added to the stored charge, in C/m².
    #[must_use]
    pub fn stored(&self) -> f64 {
        self.channel + self.gate + self.swept - self.passed - self.emitted
    }
}

/// The charge of a cell and its history in sums.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The charge.
    pub profile: Profile,
    /// What has gone each way since the state was made.
    pub tally: Tally,
}

/// Accuracy and effort of following a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Error in V that a step may add to the threshold shift, as a first-order method would estimate it; the
    /// steps are of second order, so the error made is far smaller.
    pub shift_v: f64,
    /// Relative error of a step in the charge of a cell, in the same sense.
    pub relative: f64,
    /// Most steps before giving up.
    pub max_steps: u32,
}

impl Default for Accuracy {
    fn default() -> Self {
        Self { shift_v: 5e-5, relative: 1e-2, max_steps: 100_000 }
    }
}

impl Nitride {
    /// A cell without charge on `cells` cells of the nitride.
    #[must_use]
    pub fn empty(&self, cells: usize) -> State {
        State { profile: Profile::empty(&self.stack, cells), tally: Tally::default() }
    }

    /// Surface potential in V and oxide fields of a profile at a gate voltage and a temperature.
    #[must_use]
    pub fn fields(&self, profile: &Profile, gate_v: f64, temperature_k: f64) -> (f64, Fields) {
        law::Law::new(self, profile, Conditions { gate_v, temperature_k, dose_rate_rad_per_s: 0.0 })
            .fields(&profile.cells)
    }

    /// Follows a state under constant conditions; `hear` is told the state at each of `times_s` (ascending
    /// from 0, the start of these conditions). Returns the number of steps.
    ///
    /// # Errors
    /// [`OdeError`] when a time is not usable, the steps run out, or the state stops being finite. `state`
    /// is then the last good one.
    pub fn follow(
        &self,
        state: &mut State,
        conditions: Conditions,
        times_s: &[f64],
        accuracy: Accuracy,
        mut hear: impl FnMut(f64, &State),
    ) -> Result<u32, OdeError> {
        let law = law::Law::new(self, &state.profile, conditions);
        let mut stepper = stepper::Stepper::new(&law, accuracy);
        let mut now = 0.0;
        for (index, &time) in times_s.iter().enumerate() {
            if !(time.is_finite() && time >= now) {
                return Err(OdeError::Points { index, point: time, start: 0.0 });
            }
            stepper.advance(state, now, time)?;
            now = time;
            hear(time, state);
        }
        Ok(stepper.steps())
    }
}
