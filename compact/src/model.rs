//! What a device model is, apart from its equation: parameters with units, bounds and sources.

use serde::Serialize;
use std::sync::LazyLock;

use crate::card::DeviceCard;
use crate::export::Circuit;
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

/// The law of a card, from a point of its axes to its results.
pub type Simulated = Box<dyn Fn(&[f64]) -> Vec<f64> + Send + Sync>;

/// A law over the axes that it depends on. Axes and results are named as columns, with their units.
#[derive(Debug, Clone, Copy)]
pub struct Simulation {
    /// What the law depends on, in the order of a point.
    pub axes: &'static [&'static str],
    /// What it gives, in order.
    pub results: &'static [&'static str],
    /// An axis that may stand behind the others, with the result that it adds.
    pub further: Option<(&'static str, &'static str)>,
    /// The law of a card of this model.
    pub law: fn(&DeviceCard) -> Simulated,
}

impl Simulation {
    /// A law without further axis.
    pub const fn new(
        axes: &'static [&'static str],
        results: &'static [&'static str],
        law: fn(&DeviceCard) -> Simulated,
    ) -> Self {
        Self { axes, results, further: None, law }
    }
}

/// A model with all that can be done with it. The file of a law offers one; [`entries`] names the file.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its law and parameters.
    pub info: &'static ModelInfo,
    /// Measurements that it is fitted to; none where it is not fitted through [`Regression`].
    pub kinds: &'static [mho_data::measurement::Kind],
    /// From such a measurement to the fit.
    pub fitting: Option<Fitting>,
    /// What `mho simulate` evaluates.
    pub simulation: Simulation,
    /// What circuit simulators get, where the law is a circuit.
    pub circuit: Option<Circuit>,
}

/// All models, in the order in which `mho models` lists them: each file of a law names its own.
pub fn entries() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        [
            crate::ekv::ENTRIES,
            crate::transistor::ENTRIES,
            crate::programming::ENTRIES,
            crate::retention::ENTRIES,
            crate::tid::ENTRIES,
            crate::current_shift::ENTRIES,
            crate::spread::ENTRIES,
            crate::update::ENTRIES,
            crate::inference::ENTRIES,
        ]
        .concat()
    });
    &ALL
}

/// What [`entries`] says of each law, in the same order.
pub fn registry() -> &'static [&'static ModelInfo] {
    static ALL: LazyLock<Vec<&'static ModelInfo>> =
        LazyLock::new(|| entries().iter().map(|entry| entry.info).collect());
    &ALL
}

/// The model of this name.
pub fn find(name: &str) -> Option<&'static ModelInfo> {
    entry(name).map(|entry| entry.info)
}

/// The model of this name, with what can be done with it.
pub fn entry(name: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.info.name == name)
}
