//! Devices as Verilog-A modules.

use super::device::Device;
use super::expression::{Sign, Symbol};
use super::listing::{Dialect, Role, Temporary, listing, number, wrapped};
use std::fmt::Write as _;

struct VerilogA;

impl Dialect for VerilogA {
    fn symbol(&self, symbol: &Symbol) -> String {
        match symbol {
            Symbol::Voltage(node, reference) => format!("V({node},{reference})"),
            Symbol::Parameter(name) => name.clone(),
        }
    }

    fn positive(&self, argument: String, _: Role) -> String {
        argument
    }

    fn temporary(&self, number: usize, _: Role, _: Sign, text: String) -> Temporary {
        Temporary { stored: text, value: format!("x{number}"), logarithm: None }
    }
}

/// The module as text.
pub fn module(device: &Device) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for comment in &device.comments {
        let _ = writeln!(text, "// {}", one_line(comment));
    }
    let ports: Vec<&str> = device.ports.iter().map(|port| port.name).collect();
    let ports = ports.join(", ");
    text.push_str("`include \"constants.vams\"\n`include \"disciplines.vams\"\n\n");
    let _ = writeln!(text, "module {}({ports});", device.name);
    let _ = writeln!(text, "inout {ports};");
    let _ = writeln!(text, "electrical {ports};");
    if !device.inner.is_empty() {
        let _ = writeln!(text, "electrical {};", device.inner.join(", "));
    }
    for parameter in &device.parameters {
        let value = number(parameter.value);
        let value = value.trim_start_matches('(').trim_end_matches(')');
        let known = one_line(&parameter.known);
        let _ = writeln!(text, "parameter real {} = {value}; // {}: {known}", parameter.name, parameter.unit);
    }
    let list = listing(device.graph(), &device.formulas(), &VerilogA);
    for statement in &list.statements {
        let _ = writeln!(text, "real x{};", statement.number);
    }
    text.push_str("\nanalog begin\n");
    for statement in &list.statements {
        let line = format!("    x{} = {};", statement.number, statement.text);
        let _ = writeln!(text, "{}", wrapped(&line, "        "));
    }
    for resistance in &device.resistances {
        let (from, to, name) = (resistance.from, resistance.to, resistance.parameter);
        let _ = writeln!(text, "    I({from},{to}) <+ V({from},{to}) / {name};");
    }
    for (current, formula) in device.currents.iter().zip(&list.formulas) {
        let line = format!("    I({},{}) <+ {formula};", current.from, current.to);
        let _ = writeln!(text, "{}", wrapped(&line, "        "));
    }
    text.push_str("end\nendmodule\n");
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
