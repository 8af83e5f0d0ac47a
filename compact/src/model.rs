//! What a device model is, apart from its equation: parameters with units, bounds and sources.

use serde::Serialize;

use crate::fit::Regression;
pub use crate::fit::Transform;
use mho_data::InputError;
use mho_data::measurement::Measurement;
pub use mho_data::provenance::Kind;

/// A parameter of a model: what it means, where its default comes from, what values it may take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ParameterInfo {
    /// Name with its unit as suffix, as it stands in cards (`t_0_s`).
    pub name: &'static str,
    /// Unit in words (`s`, `V`, `1`).
    pub unit: &'static str,
    /// Value before any fit.
    pub default: f64,
    /// Smallest value a fit may give.
    pub lower: f64,
    /// Largest value a fit may give.
    pub upper: f64,
    /// Scale on which the fit moves and on which its uncertainty is about normal.
    pub transform: Transform,
    /// How the default is known.
    pub kind: Kind,
    /// Where the default comes from.
    pub source: &'static str,
    /// What it is, in a sentence.
    pub meaning: &'static str,
}

impl ParameterInfo {
    /// The parameter as a fit sees it, started at `start` (moved inside the bounds where needed).
    pub fn starting_at(&self, start: f64) -> crate::fit::Parameter {
        crate::fit::Parameter::new(self.name, self.unit, start, self.lower, self.upper, self.transform)
    }
}

/// A device model: its law in words and symbols, its parameters, its range of validity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ModelInfo {
    /// Name on the command line (`sonos-retention`).
    pub name: &'static str,
    /// Version of the law; raised when equal parameters come to mean other currents.
    pub version: u32,
    /// One line for a list.
    pub title: &'static str,
    /// The equation in plain text.
    pub law: &'static str,
    /// Parameters in the order in which the law takes them.
    pub parameters: &'static [ParameterInfo],
    /// Where the law holds and what it leaves out.
    pub validity: &'static str,
    /// Papers and design notes that the law comes from.
    pub references: &'static [&'static str],
}

impl ModelInfo {
    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&ParameterInfo> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Default values in the order of the law.
    pub fn defaults(&self) -> Vec<f64> {
        self.parameters.iter().map(|parameter| parameter.default).collect()
    }
}

/// How a model is fitted to a measurement: the readings that it takes, with its law and start values.
pub type Fitting = fn(&Measurement) -> Result<Regression<'static>, InputError>;

/// A model with what can be done with it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its law and parameters.
    pub info: &'static ModelInfo,
    /// Measurements that it is fitted to; none where it is not fitted from files.
    pub kinds: &'static [mho_data::measurement::Kind],
    /// From such a measurement to the fit.
    pub fitting: Option<Fitting>,
}

/// All models that are fitted through [`Regression`]; a model's file offers its entries, and this list names
/// them.
pub fn entries() -> Vec<Entry> {
    use mho_data::measurement::Kind::{IdVg, StateCurrent, Threshold};
    const STATES: &[mho_data::measurement::Kind] = &[StateCurrent];
    const THRESHOLDS: &[mho_data::measurement::Kind] = &[Threshold];
    let entry = |info, kinds, fitting: Fitting| Entry { info, kinds, fitting: Some(fitting) };
    let mut all = vec![
        entry(&crate::transistor::INFO, &[IdVg], crate::transistor::fitting::regression),
        entry(&crate::tid::EXP, THRESHOLDS, crate::tid::exp),
        entry(&crate::tid::STRETCHED, THRESHOLDS, crate::tid::stretched),
        entry(&crate::tid::TWO_TERM, THRESHOLDS, crate::tid::two_term),
        entry(&crate::tid::COLLECT, THRESHOLDS, crate::tid::collect_charge),
        entry(&crate::spread::THRESHOLD_SPREAD, THRESHOLDS, crate::spread::threshold_spread),
        entry(&crate::retention::INFO, STATES, crate::retention::regression),
        entry(&crate::current_shift::INFO, STATES, crate::current_shift::regression),
        entry(&crate::programming::INFO, STATES, crate::programming::regression),
        entry(&crate::spread::READ_NOISE, STATES, crate::spread::read_noise),
    ];
    all.extend_from_slice(crate::update::ENTRIES);
    all
}

/// All models, in the order in which `mho models` lists them.
pub fn registry() -> &'static [&'static ModelInfo] {
    &[
        &crate::ekv::INFO,
        &crate::transistor::INFO,
        &crate::programming::INFO,
        &crate::retention::INFO,
        &crate::tid::EXP,
        &crate::tid::STRETCHED,
        &crate::tid::TWO_TERM,
        &crate::tid::COLLECT,
        &crate::current_shift::INFO,
        &crate::spread::READ_NOISE,
        &crate::spread::THRESHOLD_SPREAD,
        &crate::update::CONSTANT_STEP,
        &crate::update::LINEAR_STEP,
        &crate::update::SOFT_BOUNDS,
        &crate::update::SOFT_BOUNDS_REFERENCE,
        &crate::update::NEUROSIM,
        &crate::update::EXP_STEP,
        &crate::update::POW_STEP,
        &crate::update::PIECEWISE_STEP,
        &crate::update::LOGARITHMIC_RAMP,
        &crate::update::CROSSSIM_ASYMMETRIC,
        &crate::update::CROSSSIM_SYMMETRIC,
        &crate::update::ECRAM,
        &crate::update::DOMAIN_WALL,
    ]
}

/// The model of this name.
pub fn find(name: &str) -> Option<&'static ModelInfo> {
    registry().iter().copied().find(|model| model.name == name)
}
