//! Graphs on simulated arrays of published devices: accuracy over trials.

use mho_compact::cell::{CellParameters, DoseLaw, PublishedCell, SonosCell};
use mho_compact::inference::{TableSource, find};
use mho_compact::tid::Law;
use mho_data::provenance::Origin;
use mho_data::published::PublishedSonos;
use mho_lut::{CompileOptions, DeviceTable, compile};
use mho_network::analog::{Arrays, Devices};
use mho_network::array::ArrayConfig;
use mho_network::evaluate::Condition;
use mho_network::graph::Graph;

use super::sets::{Samples, right};

/// Anything that can go wrong on the way.
pub type Wrong = Box<dyn std::error::Error + Send + Sync>;

/// A day in s.
pub const DAY_S: f64 = 86_400.0;

/// Longest time of tables (s).
const LONGEST_S: f64 = 5.0 * DAY_S;

/// A device as a table, and the default array with its currents.
///
/// The device by name: `tcas2022` and `iedm2022` (published SONOS arrays), `sonos-dose` (the default SONOS
/// cell with a gate of 0.05 um2 under dose), or a law of `mho models` with values in its order.
///
/// # Errors
/// An unknown name, or a law without an answer.
pub fn device(name: &str, values: &[f64]) -> Result<(DeviceTable, ArrayConfig), Wrong> {
    let mut array = ArrayConfig::default();
    let options =
        CompileOptions { time_max_s: LONGEST_S, dose_max_krad_si: 0.0, ..CompileOptions::default() };
    match name {
        "tcas2022" | "iedm2022" => {
            let cell = PublishedCell::new(PublishedSonos::named(name)?, array.cell.largest_current_na());
            Ok((compile(&cell, &options)?, array))
        }
        "sonos-dose" => {
            let mut parameters = CellParameters::default();
            let read_gate_v = SonosCell::default_read_gate_v(&parameters.retention, 0.0);
            // D_c = 1.7 Mrad(Si) towards neutral: design notes A.7, assumed
            let law = Law::Exp { dose_c_krad_si: 1700.0, vt_inf_v: 0.0 };
            parameters.dose = DoseLaw::Threshold { law, read_gate_v };
            let options = CompileOptions { time_max_s: 0.0, dose_max_krad_si: 1000.0, ..options };
            Ok((compile(&SonosCell::new(parameters), &options)?, array))
        }
        _ => {
            let model = find(name).ok_or_else(|| format!("no model {name}"))?;
            let read_v = array.cell.read_voltage_v;
            let source = TableSource::new(name, Origin::Published, model.cell(values), read_v);
            let [least, most] = source.cell.window_us();
            let table = compile(&source, &options)?;
            array.cell.current_max_na = Some(table.current_max_na());
            if least > 0.0 {
                array.cell.on_off_ratio = most / least;
            }
            Ok((table, array))
        }
    }
}

/// Accuracy over trials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    /// Mean share of right answers.
    pub top1: f64,
    /// The worst and the best trial.
    pub range: [f64; 2],
    /// Mean share of labels among the five largest outputs.
    pub top5: f64,
    /// Share of the conversions of sums that were outside the range of their converter.
    pub outputs_saturated: f64,
    /// Trials; 1 where all are alike.
    pub trials: u64,
}

/// Evaluates a graph at each condition; the cells of a trial are the same at all conditions.
///
/// # Errors
/// What arrays, table or graph refuse.
pub fn evaluate(
    graph: &Graph,
    (samples, calibration): (&Samples, &Samples),
    (array, table): (&ArrayConfig, Option<&DeviceTable>),
    conditions: &[Condition],
    (trials, seed): (u64, u64),
) -> Result<Vec<Accuracy>, Wrong> {
    let inputs = std::slice::from_ref(&calibration.inputs);
    let arrays = Arrays::new(graph, inputs, array, table.map(Devices::from))?;
    let count = samples.len().max(1) as f64;
    let mut found = Vec::with_capacity(conditions.len());
    for condition in conditions {
        let trials = if arrays.is_random(condition) { trials } else { 1 };
        let mut sum = Accuracy {
            top1: 0.0,
            range: [f64::INFINITY, f64::NEG_INFINITY],
            top5: 0.0,
            outputs_saturated: 0.0,
            trials,
        };
        for trial in 0..trials {
            let programmed = arrays.program(condition, &arrays.draws(seed, trial))?;
            let [first, among_five] = right(graph, &programmed, samples)?.map(|right| right as f64 / count);
            let share = 1.0 / trials as f64;
            sum.top1 += share * first;
            sum.top5 += share * among_five;
            sum.range = [sum.range[0].min(first), sum.range[1].max(first)];
            let layers = programmed.statistics();
            let conversions: u64 = layers.iter().map(|layer| layer.output_conversions).sum();
            let saturated: u64 = layers.iter().map(|layer| layer.outputs_saturated).sum();
            sum.outputs_saturated += share * saturated as f64 / conversions.max(1) as f64;
        }
        found.push(sum);
    }
    Ok(found)
}
