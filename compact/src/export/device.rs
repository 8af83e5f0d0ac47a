//! Devices as circuit simulators see them: terminals, parameters, currents as formulas, resistances.

use super::expression::{Expression, Graph};
use crate::card::DeviceCard;
use crate::ekv::{self, Bias, Ekv, REFERENCE_TEMPERATURE_K};
use crate::inference::milo;
use crate::model::ModelInfo;
use crate::real::Real;
use crate::transistor::{self, Transistor};

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

/// Builds the circuit of a model.
type Build = fn(&mut Device, &[f64]);

/// The models that have a circuit.
fn circuits() -> [(&'static ModelInfo, Build); 3] {
    [(&ekv::INFO, ekv), (&transistor::INFO, transistor), (&milo::INFO, milo)]
}

/// Names of the models that circuit simulators can have.
pub fn devices() -> Vec<&'static str> {
    circuits().iter().map(|(info, _)| info.name).collect()
}

const TEMPERATURE: &str = "temperature_k";

impl Device {
    /// The device of a card; none where the model has no circuit.
    pub fn from_card(card: &DeviceCard) -> Option<Self> {
        let (info, build) = circuits().into_iter().find(|(info, _)| info.name == card.model)?;
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

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Formulas of the parameters, as the law takes them.
    fn values<'g>(graph: &'g Graph, info: &ModelInfo) -> Vec<Expression<'g>> {
        info.parameters.iter().map(|of| graph.parameter(of.name)).collect()
    }
}

fn parameter(card: &DeviceCard, of: &crate::model::ParameterInfo, value: f64) -> DeviceParameter {
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

fn ekv(device: &mut Device, _: &[f64]) {
    device.ports = vec![
        Port { name: "d", meaning: "drain" },
        Port { name: "g", meaning: "gate" },
        Port { name: "s", meaning: "source" },
    ];
    let graph = &device.graph;
    let law = Ekv::from_values(&Device::values(graph, &ekv::INFO));
    let current = law.current_a(Bias {
        gate_v: graph.voltage("g", "s"),
        drain_v: graph.voltage("d", "s"),
        temperature_k: graph.parameter(TEMPERATURE),
    });
    device.currents = vec![Current { from: "d", to: "s", formula: graph.index(current) }];
}

/// A resistance that the card does not have leaves no node: simulators round 0 ohm up.
fn transistor(device: &mut Device, values: &[f64]) {
    device.ports = vec![
        Port { name: "d", meaning: "drain" },
        Port { name: "g", meaning: "gate" },
        Port { name: "s", meaning: "source" },
        Port { name: "b", meaning: "body" },
    ];
    let mut inner_end = |outer: &'static str, inner: &'static str, name: &'static str| {
        let place = transistor::INFO.parameters.iter().position(|of| of.name == name);
        if place.is_some_and(|place| values[place] > 0.0) {
            device.inner.push(inner);
            device.resistances.push(Resistance { from: outer, to: inner, parameter: name });
            inner
        } else {
            device.parameters.retain(|parameter| parameter.name != name);
            outer
        }
    };
    let (drain_end, source_end) = (inner_end("d", "di", "drain_ohm"), inner_end("s", "si", "source_ohm"));

    let graph = &device.graph;
    let values = Device::values(graph, &transistor::INFO);
    let law = Transistor::from_values(&values, graph.parameter(TEMPERATURE));
    let sign = law.polarity;
    let inward = |node| sign * graph.voltage(node, "b");
    let (gate, drain, source) = (inward("g"), inward(drain_end), inward(source_end));
    let (outer_drain, outer_source) = (inward("d"), inward("s"));
    let forward = drain.if_below(source, || Expression::from(-1.0), || Expression::from(1.0));
    let channel = sign * forward * law.channel(gate, drain.max(source), drain.min(source));
    let leakage = sign * law.leakage_a(gate - outer_drain.min(outer_source), outer_drain - outer_source);
    device.currents = vec![
        Current { from: drain_end, to: source_end, formula: graph.index(channel) },
        Current { from: "d", to: "s", formula: graph.index(leakage) },
    ];
}

/// A cell whose current is not proportional to the voltage. Its state is a parameter of its own.
fn milo(device: &mut Device, _: &[f64]) {
    /// In the middle of the measured states, uS.
    const STATE_US: f64 = 100.0;
    device.ports = vec![
        Port { name: "p", meaning: "electrode of the positive read voltage" },
        Port { name: "n", meaning: "the other electrode" },
    ];
    device.parameters.retain(|parameter| milo::CURVE.contains(&parameter.name.as_str()));
    device.parameters.push(DeviceParameter {
        name: "conductance_us".into(),
        value: STATE_US,
        unit: "uS".into(),
        known: "state of the cell, set where it is used".into(),
    });
    let graph = &device.graph;
    let constants = milo::CURVE.map(|name| graph.parameter(name));
    let current = milo::current_a(&constants, graph.parameter("conductance_us"), graph.voltage("p", "n"));
    device.currents = vec![Current { from: "p", to: "n", formula: graph.index(current) }];
}
