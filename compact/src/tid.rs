//! Threshold voltage against total ionizing dose: three closed forms and the charge-collection ODE.
//!
//! [`Law`] evaluates one; [`fit`] finds its parameters from thresholds at several doses, with one start
//! per device and everything else shared; [`compare`] ranks the laws on the same data.

mod collect;
mod fitting;
mod info;
mod slope;

pub use collect::CollectLaw;
pub use fitting::{
    Ranked, TidFit, VtPoint, collect_charge, compare, exp, fit, points, regression, stretched, two_term,
};
pub use info::{COLLECT, EXP, STRETCHED, TWO_TERM};

pub(crate) use slope::slope_words;

use crate::card::DeviceCard;
use crate::model::{Entry, Fitting, ModelInfo, Simulation};
use mho_data::measurement::Kind;
use mho_physics::sonos::collection::CollectionError;

/// The laws as commands find them.
pub const ENTRIES: &[Entry] = &[
    entry(&EXP, exp),
    entry(&STRETCHED, stretched),
    entry(&TWO_TERM, two_term),
    entry(&COLLECT, collect_charge),
];

const fn entry(info: &'static ModelInfo, fitting: Fitting) -> Entry {
    Entry {
        info,
        kinds: &[Kind::Threshold],
        fitting: Some(fitting),
        simulation: Simulation::new(&["start_v", "dose_krad_si"], &["vt_v"], |card| {
            let law = Law::from_card(card).map(Evaluator::new);
            Box::new(move |at| vec![law.as_ref().map_or(f64::NAN, |law| law.threshold_v(at[0], at[1]))])
        }),
        circuit: None,
    }
}

/// A dose law with its parameters. Thresholds in V, doses in krad(Si).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// `tid-exp`: V = V_inf + (V_0 - V_inf) exp(-D/D_c).
    Exp {
        /// D_c, krad(Si).
        dose_c_krad_si: f64,
        /// V_inf, V.
        vt_inf_v: f64,
    },
    /// `tid-stretched`: exp(-(D/D_c)^b) instead.
    Stretched {
        /// D_c, krad(Si).
        dose_c_krad_si: f64,
        /// V_inf, V.
        vt_inf_v: f64,
        /// b.
        exponent: f64,
    },
    /// `tid-two-term`: (1 - f) exp(-D/D_c) + f exp(-D/D_2) instead.
    TwoTerm {
        /// D_c, krad(Si).
        dose_c_krad_si: f64,
        /// V_inf, V.
        vt_inf_v: f64,
        /// f.
        fast_fraction: f64,
        /// D_2, krad(Si).
        dose_fast_krad_si: f64,
    },
    /// `tid-collect`: charge collection in the oxides under the field of the state.
    Collect(CollectLaw),
}

impl Law {
    /// The law of `model` with values in the order of its parameters; `None` if `model` is no dose law
    /// or values are missing.
    pub fn from_values(model: &ModelInfo, values: &[f64]) -> Option<Self> {
        Some(match (model.name, values) {
            ("tid-exp", &[dose_c_krad_si, vt_inf_v]) => Self::Exp { dose_c_krad_si, vt_inf_v },
            ("tid-stretched", &[dose_c_krad_si, vt_inf_v, exponent]) => {
                Self::Stretched { dose_c_krad_si, vt_inf_v, exponent }
            }
            ("tid-two-term", &[dose_c_krad_si, vt_inf_v, fast_fraction, dose_fast_krad_si]) => {
                Self::TwoTerm { dose_c_krad_si, vt_inf_v, fast_fraction, dose_fast_krad_si }
            }
            ("tid-collect", &[eta_e, eta_h, phi_ms_v, vt_neutral_v]) => {
                Self::Collect(CollectLaw { eta_e, eta_h, phi_ms_v, vt_neutral_v })
            }
            _ => return None,
        })
    }

    /// The law on a card; `None` if the card is of another model.
    pub fn from_card(card: &DeviceCard) -> Option<Self> {
        let model = crate::model::find(&card.model)?;
        Self::from_values(model, &card.values(model))
    }

    /// Thresholds, V, at ascending doses of a device that starts at `start_v`.
    ///
    /// # Errors
    /// [`CollectionError`] from the integration of `tid-collect`; the closed forms have none.
    pub fn thresholds_v(&self, start_v: f64, doses_krad_si: &[f64]) -> Result<Vec<f64>, CollectionError> {
        if let Self::Collect(law) = self {
            return law.thresholds_v(start_v, doses_krad_si);
        }
        Ok(doses_krad_si.iter().map(|&dose| self.closed_form_v(start_v, dose)).collect())
    }

    /// Threshold, V, at one dose.
    ///
    /// # Errors
    /// As [`Self::thresholds_v`].
    pub fn threshold_v(&self, start_v: f64, dose_krad_si: f64) -> Result<f64, CollectionError> {
        if let Self::Collect(law) = self {
            let found = law.thresholds_v(start_v, &[dose_krad_si])?;
            return Ok(found.first().copied().unwrap_or(start_v));
        }
        Ok(self.closed_form_v(start_v, dose_krad_si))
    }

    /// The threshold that dose no longer moves, V; NaN where the collection has none.
    pub fn fixed_point_v(&self) -> f64 {
        match self {
            Self::Exp { vt_inf_v, .. }
            | Self::Stretched { vt_inf_v, .. }
            | Self::TwoTerm { vt_inf_v, .. } => *vt_inf_v,
            Self::Collect(law) => law.fixed_point_v(),
        }
    }

    fn closed_form_v(&self, start_v: f64, dose: f64) -> f64 {
        let dose = dose.max(0.0);
        let (inf_v, kept) = match *self {
            Self::Exp { dose_c_krad_si, vt_inf_v } => (vt_inf_v, (-dose / dose_c_krad_si).exp()),
            Self::Stretched { dose_c_krad_si, vt_inf_v, exponent } => {
                (vt_inf_v, (-(dose / dose_c_krad_si).powf(exponent)).exp())
            }
            Self::TwoTerm { dose_c_krad_si, vt_inf_v, fast_fraction, dose_fast_krad_si } => (
                vt_inf_v,
                (1.0 - fast_fraction) * (-dose / dose_c_krad_si).exp()
                    + fast_fraction * (-dose / dose_fast_krad_si).exp(),
            ),
            Self::Collect(_) => (start_v, 0.0),
        };
        inf_v + (start_v - inf_v) * kept
    }
}

/// A law made ready for many thresholds: the collection by its flow, the closed forms as they are.
#[derive(Debug, Clone)]
pub struct Evaluator {
    law: Law,
    flow: Option<collect::Flow>,
}

impl Evaluator {
    /// Prepares a law.
    pub fn new(law: Law) -> Self {
        let flow = match &law {
            Law::Collect(law) => Some(collect::Flow::new(law, &collect::Release::new(law))),
            _ => None,
        };
        Self { law, flow }
    }

    /// The law.
    pub fn law(&self) -> &Law {
        &self.law
    }

    /// Threshold, V, of a device that starts at `start_v`, after a dose in krad(Si).
    pub fn threshold_v(&self, start_v: f64, dose_krad_si: f64) -> f64 {
        match &self.flow {
            Some(flow) => flow.thresholds_v(start_v, &[dose_krad_si]).first().copied().unwrap_or(start_v),
            None => self.law.closed_form_v(start_v, dose_krad_si),
        }
    }
}

#[cfg(test)]
mod tests;
