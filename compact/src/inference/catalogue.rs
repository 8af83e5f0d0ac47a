//! All laws by name.

use super::bulk::Bulk;
use super::cmo::Cmo;
use super::generic::Generic;
use super::hermes::Hermes;
use super::joshi::Joshi;
use super::milo::Milo;
use super::pcm::Pcm;
use super::plan::Plan;
use super::taox::Taox;
use super::wan::Wan;
use super::{Cell, bulk, cmo, generic, hermes, joshi, milo, pcm, taox, wan};
use crate::card::DeviceCard;
use crate::export::Circuit;
use crate::model::ModelInfo;

/// A law with how to make its cells and what of it is fitted.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// Law and parameters.
    pub info: &'static ModelInfo,
    /// From all values in the order of the law.
    build: fn(&[f64]) -> Box<dyn Cell>,
    /// Which parameters which statistics of cells determine.
    pub plan: Plan,
    /// What circuit simulators get of it.
    pub(super) circuit: Option<Circuit>,
}

impl Model {
    /// Cells with values in the order of the law; those missing at the end are defaults.
    pub fn cell(&self, values: &[f64]) -> Box<dyn Cell> {
        let mut whole = self.info.defaults();
        for (slot, value) in whole.iter_mut().zip(values) {
            *slot = *value;
        }
        (self.build)(&whole)
    }

    /// The same law with other values of what a measurement does not tell, by name; unknown names are left out. What
    /// describes it stays for as long as the program runs: a command makes one.
    #[must_use]
    pub fn holding(mut self, held: &[(String, f64)]) -> Self {
        let mut parameters = self.info.parameters.to_vec();
        for (name, value) in held {
            if let Some(info) = parameters.iter_mut().find(|info| info.name == name) {
                info.default = *value;
            }
        }
        self.info = Box::leak(Box::new(ModelInfo { parameters: parameters.leak(), ..*self.info }));
        self
    }

    /// Cells with the published (or assumed) values.
    pub fn default_cell(&self) -> Box<dyn Cell> {
        self.cell(&[])
    }

    /// Cells with the values of a card.
    pub fn from_card(&self, card: &DeviceCard) -> Box<dyn Cell> {
        self.cell(&card.values(self.info))
    }
}

macro_rules! build {
    ($law:ident) => {
        |values| Box::new($law::from_values(values))
    };
}

/// The laws of resistive cells.
pub const MODELS: [Model; 15] = [
    Model { info: &pcm::INFO, build: build!(Pcm), plan: Plan::PCM, circuit: None },
    Model { info: &joshi::INFO, build: build!(Joshi), plan: Plan::JOSHI, circuit: None },
    Model { info: &hermes::INFO, build: build!(Hermes), plan: Plan::HERMES, circuit: None },
    Model { info: &hermes::ONE, build: build!(Hermes), plan: Plan::HERMES, circuit: None },
    Model { info: &wan::INFO, build: build!(Wan), plan: Plan::WAN, circuit: None },
    Model { info: &cmo::INFO, build: build!(Cmo), plan: Plan::CMO, circuit: None },
    Model { info: &cmo::COARSE, build: build!(Cmo), plan: Plan::CMO, circuit: None },
    Model { info: &milo::INFO, build: build!(Milo), plan: Plan::MILO, circuit: Some(milo::circuit) },
    Model { info: &taox::INFO, build: build!(Taox), plan: Plan::TAOX, circuit: None },
    Model { info: &bulk::INFO, build: build!(Bulk), plan: Plan::BULK, circuit: None },
    Model { info: &generic::INFO, build: build!(Generic), plan: Plan::INDEPENDENT, circuit: None },
    Model { info: &generic::PROPORTIONAL, build: build!(Generic), plan: Plan::PROPORTIONAL, circuit: None },
    Model { info: &generic::INVERSE, build: build!(Generic), plan: Plan::INVERSE, circuit: None },
    Model { info: &generic::PARABOLIC, build: build!(Generic), plan: Plan::PARABOLIC, circuit: None },
    Model {
        info: &generic::STATE_INDEPENDENT,
        build: build!(Generic),
        plan: Plan::STATE_INDEPENDENT,
        circuit: None,
    },
];

/// The law of this name.
pub fn find(name: &str) -> Option<&'static Model> {
    const ALL: &[Model] = &MODELS;
    ALL.iter().find(|model| model.info.name == name)
}
