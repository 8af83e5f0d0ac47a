//! Charge collection under ionising dose: how a stored threshold shift relaxes.
//!
//! Radiation generates electron-hole pairs in both oxides. The oxide field separates a fraction of them (the
//! escape yield) and sweeps one carrier type into the nitride, where it is trapped. With the field positive
//! from gate to silicon, electrons of the tunnel oxide and holes of the blocking oxide enter the nitride;
//! with the opposite field, the opposite carriers. Per dose D the trapped charge Q changes by
//!
//! ```text
//! dQ/dD = q g₀ { t_to f(E_to) [−η_e H(E_to) + η_h H(−E_to)] + t_bo f(E_bo) [η_h H(E_bo) − η_e H(−E_bo)] } − Q/D_x
//! f(E)  = (|E| / (|E| + E₁))^m
//! ```
//!
//! The fields depend on the charge, so a stored state relaxes towards a fixed point. f is continuous but not
//! smooth at zero field; |E| is replaced by √(E² + E_s²) and the step H(E) by the positive part of
//! tanh(E/E_s), E_s = 1 kV/cm.

use crate::constants::{ELEMENTARY_CHARGE, OXIDE_PAIR_DENSITY, VACUUM_PERMITTIVITY};
use crate::ode::{self, OdeError};
use crate::sonos::surface::Surface;
use crate::sonos::{Fields, Stack};
use nalgebra::SVector;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Field of the regularisation in V/m: 1 kV/cm, far below every field that matters.
pub(crate) const SMOOTHING_FIELD: f64 = 1.0e5;

/// What a radiation source does in SiO2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Radiation {
    /// Pairs per m³ and rad(SiO2). Default 8.1e18 (8.1e12 cm⁻³; derived, see [`OXIDE_PAIR_DENSITY`]).
    pub pairs_per_m3_rad: f64,
    /// Field E₁ of the escape yield in V/m. Co-60: 0.55 MV/cm (fitted to measured yields, literature).
    pub yield_field_v_per_m: f64,
    /// Exponent m of the escape yield. Co-60: 0.7 (fitted to measured yields, literature).
    pub yield_exponent: f64,
    /// Dose in SiO2 per dose in Si. Co-60: 1.0; 10 keV X-rays: 0.55 (derived from absorption).
    pub oxide_dose_per_silicon_dose: f64,
}

impl Default for Radiation {
    fn default() -> Self {
        Self::CO60
    }
}

impl Radiation {
    /// Co-60 gamma rays.
    pub const CO60: Self = Self {
        pairs_per_m3_rad: OXIDE_PAIR_DENSITY,
        yield_field_v_per_m: 0.55e8,
        yield_exponent: 0.7,
        oxide_dose_per_silicon_dose: 1.0,
    };
    /// X-rays of 10 keV: E₁ = 1.35 MV/cm, m = 0.9 (fitted to measured yields, literature).
    pub const X_RAYS_10_KEV: Self = Self {
        pairs_per_m3_rad: OXIDE_PAIR_DENSITY,
        yield_field_v_per_m: 1.35e8,
        yield_exponent: 0.9,
        oxide_dose_per_silicon_dose: 0.55,
    };

    /// Fraction of the pairs that escape recombination at a field in V/m.
    #[must_use]
    pub fn escape_yield(&self, field_v_per_m: f64) -> f64 {
        let field = field_v_per_m.hypot(SMOOTHING_FIELD);
        (field / (field + self.yield_field_v_per_m)).powf(self.yield_exponent)
    }
}

/// How the surface potential is found while charge is collected.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurfacePotential {
    /// Solved with the charge of the state at every step; source and drain grounded.
    #[default]
    SelfConsistent,
    /// Held at this value in V: a simplification, kept for comparison.
    Fixed(f64),
}

/// Charge collection of one kind of cell under one bias.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Collection {
    /// The cell.
    pub stack: Stack,
    /// The source of radiation.
    pub radiation: Radiation,
    /// Probability that an electron swept into the nitride stays. Default 1 (assumed; fits: 0.3 to 1).
    pub eta_e: f64,
    /// Probability that a hole swept into the nitride stays. Default 1 (assumed; fits: 0.3 to 1).
    pub eta_h: f64,
    /// Dose D_x in rad(SiO2) over which radiation empties the traps; infinite (off) by default (assumed;
    /// literature expects several Mrad or more).
    pub detrapping_dose_rad: f64,
    /// Gate voltage during irradiation in V. Default 0 (unbiased).
    pub bias_v: f64,
    /// How the surface potential is found.
    pub surface_potential: SurfacePotential,
}

impl Default for Collection {
    fn default() -> Self {
        Self {
            stack: Stack::default(),
            radiation: Radiation::CO60,
            eta_e: 1.0,
            eta_h: 1.0,
            detrapping_dose_rad: f64::INFINITY,
            bias_v: 0.0,
            surface_potential: SurfacePotential::SelfConsistent,
        }
    }
}

/// Why no shift could be computed.
#[derive(Debug, Clone, Error, PartialEq)]
pub enum CollectionError {
    /// A parameter is not a usable number.
    #[error("parameter {name} = {value} of the charge collection is out of range, expected {expected}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What would be accepted.
        expected: &'static str,
    },
    /// The integration failed.
    #[error(transparent)]
    Integration(#[from] OdeError),
}

/// Charges captured in the nitride per gate area and rad(Si), by sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Captured {
    /// Electrons, which raise the threshold, in 1/(m² rad).
    pub electrons_per_m2_rad: f64,
    /// Holes, which lower it, in 1/(m² rad).
    pub holes_per_m2_rad: f64,
}

/// Constants of the right-hand side, worked out once per integration.
struct Law {
    surface: Surface,
    fixed_psi: Option<f64>,
    gate_drive: f64,
    eot: f64,
    top: f64,
    oxide: f64,
    tunnel_pairs: f64,
    blocking_pairs: f64,
    radiation: Radiation,
    eta_e: f64,
    eta_h: f64,
    per_detrapping: f64,
}

impl Law {
    fn captured(&self, shift: f64) -> Captured {
        let effective = self.gate_drive - shift;
        let psi = self.fixed_psi.unwrap_or_else(|| self.surface.psi_s(effective, 0.0));
        let tunnel = (effective - psi) / self.eot;
        let blocking = tunnel + shift * self.top / self.oxide;
        let from_tunnel = self.tunnel_pairs * self.radiation.escape_yield(tunnel);
        let from_blocking = self.blocking_pairs * self.radiation.escape_yield(blocking);
        let tunnel_sign = (tunnel / SMOOTHING_FIELD).tanh();
        let blocking_sign = (blocking / SMOOTHING_FIELD).tanh();
        Captured {
            electrons_per_m2_rad: self.eta_e
                * (from_tunnel * tunnel_sign.max(0.0) + from_blocking * (-blocking_sign).max(0.0)),
            holes_per_m2_rad: self.eta_h
                * (from_tunnel * (-tunnel_sign).max(0.0) + from_blocking * blocking_sign.max(0.0)),
        }
    }

    fn rate(&self, shift: f64) -> f64 {
        let captured = self.captured(shift);
        ELEMENTARY_CHARGE * (captured.electrons_per_m2_rad - captured.holes_per_m2_rad) / self.top
            - shift * self.per_detrapping
    }
}

impl Collection {
    fn law(&self) -> Law {
        let stack = &self.stack;
        let dose = self.radiation.oxide_dose_per_silicon_dose;
        let pairs = self.radiation.pairs_per_m3_rad * dose;
        Law {
            surface: Surface::new(stack),
            fixed_psi: match self.surface_potential {
                SurfacePotential::SelfConsistent => None,
                SurfacePotential::Fixed(psi) => Some(psi),
            },
            gate_drive: self.bias_v - stack.phi_ms_v,
            eot: stack.eot_m(),
            top: stack.top_capacitance(stack.centroid_m),
            oxide: stack.oxide_permittivity * VACUUM_PERMITTIVITY,
            tunnel_pairs: pairs * stack.tunnel_oxide_m,
            blocking_pairs: pairs * stack.blocking_oxide_m,
            radiation: self.radiation,
            eta_e: self.eta_e,
            eta_h: self.eta_h,
            per_detrapping: dose / self.detrapping_dose_rad,
        }
    }

    fn check(&self) -> Result<(), CollectionError> {
        if let Some(name) = self.stack.defect() {
            return Err(CollectionError::Parameter {
                name,
                value: f64::NAN,
                expected: "positive finite dimensions with the centroid inside the nitride",
            });
        }
        let not_negative = "a finite number of at least 0";
        for (name, value) in [
            ("eta_e", self.eta_e),
            ("eta_h", self.eta_h),
            ("pairs_per_m3_rad", self.radiation.pairs_per_m3_rad),
            ("yield_field_v_per_m", self.radiation.yield_field_v_per_m),
            ("yield_exponent", self.radiation.yield_exponent),
            ("oxide_dose_per_silicon_dose", self.radiation.oxide_dose_per_silicon_dose),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(CollectionError::Parameter { name, value, expected: not_negative });
            }
        }
        if self.detrapping_dose_rad.is_nan() || self.detrapping_dose_rad <= 0.0 {
            return Err(CollectionError::Parameter {
                name: "detrapping_dose_rad",
                value: self.detrapping_dose_rad,
                expected: "a positive dose, or infinity for none",
            });
        }
        if !self.bias_v.is_finite() {
            return Err(CollectionError::Parameter {
                name: "bias_v",
                value: self.bias_v,
                expected: "a finite voltage",
            });
        }
        Ok(())
    }

    /// Charges captured per gate area and rad(Si) at a threshold shift in V from neutral.
    #[must_use]
    pub fn captured(&self, shift_v: f64) -> Captured {
        self.law().captured(shift_v)
    }

    /// Fields of the oxides at a threshold shift in V from neutral, under the bias of the irradiation.
    #[must_use]
    pub fn fields(&self, shift_v: f64) -> Fields {
        let psi = match self.surface_potential {
            SurfacePotential::SelfConsistent => {
                Surface::new(&self.stack).psi_s(self.bias_v - self.stack.phi_ms_v - shift_v, 0.0)
            }
            SurfacePotential::Fixed(psi) => psi,
        };
        self.stack.fields(self.bias_v, psi, self.stack.charge_for_shift(shift_v))
    }

    /// Rate of the threshold shift in V per rad(Si) at a shift in V from neutral.
    #[must_use]
    pub fn rate(&self, shift_v: f64) -> f64 {
        self.law().rate(shift_v)
    }

    /// Threshold shifts in V from neutral at each dose in rad(Si) (ascending), starting from
    /// `initial_shift_v` at dose 0.
    ///
    /// # Errors
    /// [`CollectionError`] when a parameter, the start or a dose is not usable, or the integration fails.
    pub fn threshold_shift(
        &self,
        initial_shift_v: f64,
        doses_rad: &[f64],
    ) -> Result<Vec<f64>, CollectionError> {
        self.check()?;
        if initial_shift_v.is_nan() || initial_shift_v.abs() > MAX_SHIFT_V {
            return Err(CollectionError::Parameter {
                name: "initial_shift_v",
                value: initial_shift_v,
                expected: "a shift within ±20 V",
            });
        }
        let law = self.law();
        let states = ode::integrate(
            |_, shift: &SVector<f64, 1>| SVector::from([law.rate(shift[0])]),
            0.0,
            SVector::from([initial_shift_v]),
            doses_rad,
            TOLERANCE,
        )?;
        Ok(states.into_iter().map(|state| state[0]).collect())
    }

    /// The shift in V from neutral at which dose no longer moves the threshold, or none within ±20 V.
    ///
    /// It is the one that a neutral cell drifts to.
    #[must_use]
    pub fn fixed_point(&self) -> Option<f64> {
        self.check().ok()?;
        let law = self.law();
        let at_neutral = law.rate(0.0);
        if at_neutral == 0.0 {
            return Some(0.0);
        }
        let step = 0.05f64.copysign(at_neutral);
        let mut near = 0.0;
        let mut far = step;
        while law.rate(far) * at_neutral > 0.0 {
            near = far;
            far += step;
            if far.abs() > MAX_SHIFT_V {
                return None;
            }
        }
        for _ in 0..60 {
            let middle = 0.5 * (near + far);
            if law.rate(middle) * at_neutral > 0.0 {
                near = middle;
            } else {
                far = middle;
            }
        }
        Some(0.5 * (near + far))
    }
}

/// Largest shift in V that the law accepts; oxides break down long before.
const MAX_SHIFT_V: f64 = 20.0;

/// Tolerances of the dose integration: well below a microvolt, so that finite differences of fits are clean.
const TOLERANCE: ode::Options = ode::Options { relative: 1e-8, absolute: 1e-9, max_steps: 20_000 };

#[cfg(test)]
mod tests;
