//! `igzo`: the weight of a capacitor cell against time and temperature.

use super::{check, check_list};
use crate::elements::igzo::{Node, Transistor, bias_shift_v, weight_error};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "igzo",
    title: "oxide-transistor capacitor cell (2T1C): leak, retention, bias stress and weight error",
    example: include_str!("../../../../data/files/physics/igzo.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: Vec<f64>,
    time_s: Vec<f64>,
    stored_v: f64,
    drain_v: f64,
    loss_v: f64,
    refresh_s: Option<f64>,
    node: NodeInput,
    transistor: TransistorInput,
    stress: StressInput,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeInput {
    capacitance_ff: f64,
    leak_a: f64,
    leak_activation_ev: f64,
    reference_k: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TransistorInput {
    aspect: f64,
    mobility_cm2_per_v_s: f64,
    oxide_uf_per_cm2: f64,
    threshold_v: f64,
    swing_mv_per_decade: f64,
    reference_k: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StressInput {
    amplitude_mv: f64,
    time_constant_s: f64,
    exponent: f64,
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let (node, transistor) = read(&document, &input)?;
    let names = [
        "temperature_k",
        "time_s",
        "node_v",
        "threshold_shift_v",
        "current_a",
        "weight_change",
        "weight_change_linear",
    ];
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    let mut empty = 0_usize;
    for &kelvin in &input.temperature_k {
        let start = transistor.operate(input.stored_v, input.drain_v, kelvin);
        for &time in &input.time_s {
            // A refresh restores the node; the stress goes on.
            let since = input.refresh_s.map_or(time, |period| time % period);
            let node_v = node.voltage_v(input.stored_v, since, kelvin);
            empty += usize::from(node_v == 0.0 && input.stored_v > 0.0);
            let stress = &input.stress;
            let shift =
                bias_shift_v(1e-3 * stress.amplitude_mv, stress.time_constant_s, stress.exponent, time);
            let current = transistor.operate(node_v - shift, input.drain_v, kelvin).current_a;
            let change = if start.current_a > 0.0 { current / start.current_a - 1.0 } else { 0.0 };
            let lost = input.stored_v - node_v + shift;
            let row = [kelvin, time, node_v, shift, current, change, weight_error(start, lost)];
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
    }
    let mut table = Table::new();
    for (name, column) in names.iter().zip(columns) {
        table.push_float(*name, column);
    }
    let first = input.temperature_k[0];
    let start = transistor.operate(input.stored_v, input.drain_v, first);
    let mut solution = Solution::new(table)
        .with("retention_s", node.retention_s(input.loss_v, first))
        .with("leak_a", node.leak_at(first))
        .with("current_at_start_a", start.current_a)
        .with("transconductance_at_start_s", start.transconductance_s)
        .with("rows_with_an_empty_node", empty as f64);
    if empty > 0 {
        solution.notes.push(format!("in {empty} rows the node has lost all of its charge"));
    }
    if start.current_a == 0.0 {
        solution
            .notes
            .push("the transistor carries no current at the start: changes are given as 0".to_owned());
    }
    if request.profiles {
        let retention = input.temperature_k.iter().map(|&k| node.retention_s(input.loss_v, k)).collect();
        solution.profiles = Some(
            Table::new()
                .with_float("temperature_k", input.temperature_k.clone())
                .with_float("leak_a", input.temperature_k.iter().map(|&k| node.leak_at(k)).collect())
                .with_float("retention_s", retention),
        );
    }
    Ok(solution)
}

fn read(document: &Document<'_>, input: &Input) -> Result<(Node, Transistor), SolverError> {
    let (node, transistor, stress) = (&input.node, &input.transistor, &input.stress);
    check_list(document, "temperature_k", &input.temperature_k, (100.0, 1000.0), "K")?;
    check_list(document, "time_s", &input.time_s, (0.0, 1e12), "s")?;
    if input.temperature_k.len() * input.time_s.len() > 1_000_000 {
        let found = format!("{} temperatures", input.temperature_k.len());
        return Err(document.refuse(&["temperature_k".into()], found, "a million rows at most").into());
    }
    check(
        document,
        &[],
        &[
            ("stored_v", input.stored_v, 0.0, 20.0, "V"),
            ("drain_v", input.drain_v, 0.0, 20.0, "V"),
            ("loss_v", input.loss_v, 0.0, 20.0, "V"),
            ("refresh_s", input.refresh_s.unwrap_or(1.0), 1e-9, 1e12, "s"),
        ],
    )?;
    check(
        document,
        &["node".into()],
        &[
            ("capacitance_ff", node.capacitance_ff, 1e-3, 1e9, "fF"),
            ("leak_a", node.leak_a, 1e-27, 1e-3, "A"),
            ("leak_activation_ev", node.leak_activation_ev, 0.0, 3.0, "eV"),
            ("reference_k", node.reference_k, 100.0, 1000.0, "K"),
        ],
    )?;
    check(
        document,
        &["transistor".into()],
        &[
            ("aspect", transistor.aspect, 1e-3, 1e6, ""),
            ("mobility_cm2_per_v_s", transistor.mobility_cm2_per_v_s, 1e-3, 1e4, "cm2/(V s)"),
            ("oxide_uf_per_cm2", transistor.oxide_uf_per_cm2, 1e-3, 100.0, "uF/cm2"),
            ("threshold_v", transistor.threshold_v, -20.0, 20.0, "V"),
            ("swing_mv_per_decade", transistor.swing_mv_per_decade, 10.0, 10_000.0, "mV"),
            ("reference_k", transistor.reference_k, 100.0, 1000.0, "K"),
        ],
    )?;
    check(
        document,
        &["stress".into()],
        &[
            ("amplitude_mv", stress.amplitude_mv, -10_000.0, 10_000.0, "mV"),
            ("time_constant_s", stress.time_constant_s, 1e-9, 1e12, "s"),
            ("exponent", stress.exponent, 0.01, 2.0, ""),
        ],
    )?;
    Ok((
        Node {
            capacitance_f: 1e-15 * node.capacitance_ff,
            leak_a: node.leak_a,
            leak_activation_ev: node.leak_activation_ev,
            reference_k: node.reference_k,
        },
        Transistor {
            aspect: transistor.aspect,
            mobility_m2_per_v_s: 1e-4 * transistor.mobility_cm2_per_v_s,
            oxide_f_per_m2: 1e-2 * transistor.oxide_uf_per_cm2,
            threshold_v: transistor.threshold_v,
            swing_v_per_decade: 1e-3 * transistor.swing_mv_per_decade,
            reference_k: transistor.reference_k,
        },
    ))
}
