//! Devices as circuit simulators see them: terminals, parameters, currents as formulas, resistances.

use super::expression::{Expression, Graph};
use crate::card::DeviceCard;
use crate::ekv::REFERENCE_TEMPERATURE_K;
use crate::model::{self, ModelInfo};

/// A terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Name of the node.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
}

/// A parameter with its value on the card.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceParameter {
    /// Name as on the card.
    pub name: String,
    /// Value in `unit`.
    pub value: f64,
    /// Unit in words.
    pub unit: String,
    /// Standard deviation where known, how and from where the value is known.
    pub known: String,
}

/// A current between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Current {
    /// Where it leaves the circuit.
    pub from: &'static str,
    /// Where it comes back.
    pub to: &'static str,
    /// Index of its formula.
    formula: usize,
}

/// A resistance between two nodes, by the name of its parameter (ohm).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resistance {
    /// One node.
    pub from: &'static str,
    /// The other.
    pub to: &'static str,
    /// The parameter.
    pub parameter: &'static str,
}

/// A device with the values of a card.
#[derive(Debug)]
pub struct Device {
    /// Name of the module; letters, digits and underscores.
    pub name: String,
    /// Lines that say what it is and where its numbers come from.
    pub comments: Vec<String>,
    /// Terminals in order.
    pub ports: Vec<Port>,
    /// Nodes inside.
    pub inner: Vec<&'static str>,
    /// Parameters in the order of the model, then the temperature.
    pub parameters: Vec<DeviceParameter>,
    /// Currents.
    pub currents: Vec<Current>,
    /// Resistances.
    pub resistances: Vec<Resistance>,
    graph: Graph,
}

/// Gives a device the terminals, resistances and currents of a law; the values are those of the card, in the order
/// of its parameters.
pub type Circuit = fn(&mut Device, &[f64]);

const TEMPERATURE: &str = "temperature_k";

impl Device {
    /// The device of a card; none where the model has no circuit.
    pub fn from_card(card: &DeviceCard) -> Option<Self> {
        let entry = model::entry(&card.model)?;
        let (info, build) = (entry.info, entry.circuit?);
        let values = card.values(info);
        let mut parameters: Vec<DeviceParameter> =
            info.parameters.iter().zip(&values).map(|(of, &value)| parameter(card, of, value)).collect();
        parameters.push(DeviceParameter {
            name: TEMPERATURE.into(),
            value: REFERENCE_TEMPERATURE_K,
            unit: "K".into(),
            known: "temperature of the device".into(),
        });
        let mut device = Self {
            name: format!("mho_{}", info.name.replace('-', "_")),
            comments: comments(card, info),
            ports: Vec::new(),
            inner: Vec::new(),
            parameters,
            currents: Vec::new(),
            resistances: Vec::new(),
            graph: Graph::default(),
        };
        build(&mut device, &values);
        Some(device)
    }

    /// Formula of each current.
    pub(super) fn formulas(&self) -> Vec<usize> {
        self.currents.iter().map(|current| current.formula).collect()
    }

    /// The formulas of its currents.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// A current from a node to another, by the index of its formula in [`Self::graph`].
    pub fn flows(&mut self, from: &'static str, to: &'static str, formula: usize) {
        self.currents.push(Current { from, to, formula });
    }
}

impl Graph {
    /// Formulas of the parameters of a model, as its law takes them.
    pub fn parameters(&self, info: &ModelInfo) -> Vec<Expression<'_>> {
        info.parameters.iter().map(|of| self.parameter(of.name)).collect()
    }

    /// Temperature of the device, K.
    pub fn temperature_k(&self) -> Expression<'_> {
        self.parameter(TEMPERATURE)
    }
}

fn parameter(card: &DeviceCard, of: &model::ParameterInfo, value: f64) -> DeviceParameter {
    let known = match card.parameters.get(of.name) {
        None => format!("default: {}", of.source),
        Some(found) => {
            let kind = format!("{:?}", found.kind).to_lowercase();
            let std = found.std.map_or_else(String::new, |std| format!("std {std:.3e}, "));
            format!("{std}{kind}: {}", found.source)
        }
    };
    DeviceParameter { name: of.name.into(), value, unit: of.unit.into(), known }
}

fn comments(card: &DeviceCard, info: &ModelInfo) -> Vec<String> {
    let mut lines = vec![
        format!("mho: {}", info.title),
        format!("model {} version {}, card from: {}", info.name, info.version, card.provenance.origin),
    ];
    if card.provenance.origin.contains("synthetic") {
        lines.push("SYNTHETIC: these numbers come from invented data, not from a device".into());
    }
    lines.extend(card.provenance.data.iter().map(|data| format!("data: {data}")));
    if !card.provenance.misfit.is_empty() {
        lines.push(format!("misfit: {}", card.provenance.misfit));
    }
    lines.extend(card.provenance.notes.iter().map(|note| format!("note: {note}")));
    lines.push(format!("law: {}", info.law));
    lines.push(format!("valid: {}", info.validity));
    lines.extend(
        card.validity
            .iter()
            .filter(|(key, _)| *key != "law")
            .map(|(key, text)| format!("valid for {key}: {text}")),
    );
    lines
}
