//! The law as a circuit: a channel between two inner ends, and a leakage beside it.

use super::{INFO, Transistor};
use crate::export::{Device, Expression, Port, Resistance};
use crate::real::Real;

/// Terminals, resistances and currents. A resistance that the card does not have leaves no node: simulators round
/// 0 ohm up.
pub(super) fn circuit(device: &mut Device, values: &[f64]) {
    device.ports = vec![
        Port { name: "d", meaning: "drain" },
        Port { name: "g", meaning: "gate" },
        Port { name: "s", meaning: "source" },
        Port { name: "b", meaning: "body" },
    ];
    let mut inner_end = |outer: &'static str, inner: &'static str, name: &'static str| {
        let place = INFO.parameters.iter().position(|of| of.name == name);
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

    let graph = device.graph();
    let law = Transistor::from_values(&graph.parameters(&INFO), graph.temperature_k());
    let sign = law.polarity;
    let inward = |node| sign * graph.voltage(node, "b");
    let (gate, drain, source) = (inward("g"), inward(drain_end), inward(source_end));
    let (outer_drain, outer_source) = (inward("d"), inward("s"));
    let forward = drain.if_below(source, || Expression::from(-1.0), || Expression::from(1.0));
    let channel = sign * forward * law.channel(gate, drain.max(source), drain.min(source));
    let leakage = sign * law.leakage_a(gate - outer_drain.min(outer_source), outer_drain - outer_source);
    let (channel, leakage) = (graph.index(channel), graph.index(leakage));
    device.flows(drain_end, source_end, channel);
    device.flows("d", "s", leakage);
}
