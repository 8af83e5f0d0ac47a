//! Devices as SPICE subcircuits of behavioural sources, in the form that ngspice reads.

use super::device::Device;
use super::expression::{Sign, Symbol};
use super::listing::{Dialect, Role, Temporary, listing, number, wrapped};
use std::fmt::Write as _;

struct Spice;

impl Dialect for Spice {
    fn symbol(&self, symbol: &Symbol) -> String {
        match symbol {
            Symbol::Voltage(node, reference) => format!("V({node},{reference})"),
            Symbol::Parameter(name) => name.clone(),
        }
    }

    /// On the way to a solution the voltages of inner nodes can have any sign.
    fn positive(&self, argument: String, role: Role) -> String {
        match role {
            Role::Fixed => argument,
            Role::Varying => format!("max({argument}, 1e-300)"),
        }
    }

    /// Positive numbers as logarithms, which stay positive whatever the voltage.
    fn temporary(&self, number: usize, role: Role, sign: Sign, text: String) -> Temporary {
        let name = format!("V(n{number})");
        match (role, sign) {
            (Role::Fixed, _) => Temporary { stored: text, value: format!("p{number}"), logarithm: None },
            (Role::Varying, Sign::Any) => Temporary { stored: text, value: name, logarithm: None },
            (Role::Varying, Sign::Positive) => Temporary {
                stored: format!("ln({})", self.positive(text, role)),
                value: format!("exp({name})"),
                logarithm: Some(name),
            },
        }
    }
}

/// The subcircuit as text.
///
/// Formulas of parameters alone are `.param` lines; intermediate results that several formulas use are the
/// voltages of inner nodes.
pub fn subcircuit(device: &Device) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for comment in &device.comments {
        let _ = writeln!(text, "* {}", one_line(comment));
    }
    let ports: Vec<&str> = device.ports.iter().map(|port| port.name).collect();
    let meanings: Vec<String> =
        device.ports.iter().map(|port| format!("{} {}", port.name, port.meaning)).collect();
    let _ = writeln!(text, "* nodes: {}", meanings.join(", "));
    let _ = writeln!(text, "* use: Xname {} {} [parameter=value ...]", ports.join(" "), device.name);
    let _ = writeln!(text, "* currents to 1e-6: .options reltol=1e-9 abstol=1e-18 vntol=1e-15 gmin=1e-18");
    for parameter in &device.parameters {
        let _ = writeln!(text, "*   {} ({}): {}", parameter.name, parameter.unit, one_line(&parameter.known));
    }
    let _ = writeln!(text, ".subckt {} {}", device.name, ports.join(" "));
    for parameter in &device.parameters {
        let _ = writeln!(text, "+ {}={}", parameter.name, bare(parameter.value));
    }
    let list = listing(device.graph(), &device.formulas(), &Spice);
    for statement in &list.statements {
        let line = match statement.role {
            Role::Fixed => format!(".param p{}={{{}}}", statement.number, statement.text),
            Role::Varying => format!("Bn{0} n{0} 0 V = {1}", statement.number, statement.text),
        };
        let _ = writeln!(text, "{}", wrapped(&line, "+ "));
    }
    for resistance in &device.resistances {
        let (from, to, name) = (resistance.from, resistance.to, resistance.parameter);
        let _ = writeln!(text, "R{from} {from} {to} {{{name}}}");
    }
    for (index, (current, formula)) in device.currents.iter().zip(&list.formulas).enumerate() {
        let line = format!("Bi{} {} {} I = {formula}", index + 1, current.from, current.to);
        let _ = writeln!(text, "{}", wrapped(&line, "+ "));
    }
    let _ = writeln!(text, ".ends {}", device.name);
    text
}

/// A number without brackets.
fn bare(value: f64) -> String {
    number(value).trim_start_matches('(').trim_end_matches(')').into()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
