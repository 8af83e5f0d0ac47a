//! `evaluate.*`: networks on arrays of the device, over doses, times, effects and tables.

use super::artifact::{cells_table, network, table, with_table};
use super::reach;
use crate::analysis::sets::Sets;
use crate::stage::{Artifact, Context, Outputs, ParamError, Role, Shard, Stage, StageError, resolve_as};
use mho_data::table::Table;
use mho_lut::AnyTable;
use mho_network::analog::{Devices, arranged};
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::{Condition, Evaluator};
use mho_network::input_noise::{InputNoise, InputNoiseError};
use mho_network::results::{Labels, evaluation_table};
use mho_network::samples::Feed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `evaluate.grid`: every dose at every time.
pub(super) struct Grid;
/// `evaluate.ablation`: one effect after the other.
pub(super) struct Ablation;
/// `evaluate.tables`: the doses for each of many tables.
pub(super) struct Tables;

/// What all evaluations take.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Common {
    /// Data set.
    dataset: String,
    /// Independent drawings of all cells.
    trials: u64,
    /// Test images to use, the first ones; 0: all of them.
    images: usize,
    /// The array, as in `array.toml`.
    array: ArrayConfig,
    /// Effects that are switched on.
    pub(super) effects: Effects,
    /// Noise on the test images: `gaussian:0.1`, `speckle:0.1` or `salt-and-pepper:0.1`; empty: none.
    input_noise: String,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            dataset: "fashion-demo".into(),
            trials: 10,
            images: 0,
            array: ArrayConfig::default(),
            effects: Effects::ALL,
            input_noise: String::new(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct GridParams {
    #[serde(flatten)]
    common: Common,
    /// Doses (krad(Si)).
    doses_krad_si: Vec<f64>,
    /// Times (s).
    times_s: Vec<f64>,
}

impl Default for GridParams {
    fn default() -> Self {
        Self { common: Common::default(), doses_krad_si: vec![0.0], times_s: vec![0.0] }
    }
}

/// Checks the parameters, and that an array of this kind is simulated.
pub(super) fn checked<P: Serialize + for<'a> Deserialize<'a> + Default>(
    given: &Value,
) -> Result<Value, ParamError> {
    let resolved = resolve_as::<P>(given)?;
    for key in ["doses_krad_si", "times_s"] {
        let list = given.get(key).and_then(Value::as_array);
        if let Some(bad) = list.into_iter().flatten().find(|v| v.as_f64().is_none_or(|x| x < 0.0)) {
            return Err(ParamError {
                key: key.into(),
                found: bad.to_string(),
                expected: "numbers from 0".into(),
            });
        }
    }
    if let Err(error) = noise_of(given.get("input_noise").and_then(Value::as_str).unwrap_or_default()) {
        let (found, expected) =
            (format!("`{}`", error.found), "gaussian:LEVEL, speckle:LEVEL or salt-and-pepper:LEVEL");
        return Err(ParamError { key: "input_noise".into(), found, expected: expected.into() });
    }
    if given.get("trials").and_then(Value::as_u64) == Some(0) {
        return Err(ParamError {
            key: "trials".into(),
            found: "0".into(),
            expected: "at least one trial".into(),
        });
    }
    if let Some(array) = resolved.get("array") {
        let wrong = |key: String, found: String, expected: String| ParamError { key, found, expected };
        let config: ArrayConfig = serde_json::from_value(array.clone())
            .map_err(|error| wrong("array".into(), error.to_string(), "an array that is simulated".into()))?;
        config
            .check()
            .map_err(|error| wrong(format!("array.{}", error.field), error.found, error.expected))?;
    }
    Ok(resolved)
}

/// Noise on inputs; an empty text is none.
fn noise_of(text: &str) -> Result<Option<InputNoise>, InputNoiseError> {
    (!text.is_empty()).then(|| text.parse()).transpose()
}

/// Trials of one network on one table at some conditions.
pub(super) fn evaluate(
    context: &Context<'_>,
    common: &Common,
    artifact: Option<&Artifact>,
    conditions: &[Condition],
) -> Result<Table, StageError> {
    let source = context.input("network")?;
    let mut net = network(source)?;
    net.graph = arranged(&net.graph, &common.array).map_err(StageError::failed)?.into_owned();
    let table = artifact.map(cells_table).transpose()?;
    let devices = match &table {
        None => None,
        Some(AnyTable::Ensemble(ensemble)) => Some(Devices::from(ensemble.best())),
        Some(table) => Some(Devices::of(table).ok_or_else(|| {
            StageError::Failed("a table of updates describes no cells that are read".into())
        })?),
    };
    let sets = Sets::find(&common.dataset)?;
    let (test, (train, apart)) =
        (sets.test().map_err(StageError::failed)?, sets.calibration().map_err(StageError::failed)?);
    if !apart {
        context.warn(format!("{}: converters were calibrated on the test set", common.dataset));
    }
    let limit = (common.images > 0).then_some(common.images);
    let feed = |set| Feed::new(set, &net.graph, &net.input).map_err(StageError::failed);
    let evaluator =
        Evaluator::new(&net.graph, feed(&test)?.limited(limit), &feed(&train)?, &common.array, devices)
            .map_err(StageError::failed)?
            .with_input_noise(noise_of(&common.input_noise).map_err(StageError::failed)?);
    match &table {
        Some(AnyTable::Grid(table)) => reach::check(&context.target, table, conditions)?,
        Some(AnyTable::Ensemble(ensemble)) => reach::check(&context.target, ensemble.best(), conditions)?,
        _ => {}
    }
    if let Some(AnyTable::Ensemble(ensemble)) = &table {
        context.warn(format!(
            "the table is an ensemble of {}: its best estimate alone is evaluated here; `mho evaluate --table` takes \
             all members, in a study table.device-samples and table.device-choices with evaluate.tables",
            ensemble.members().len()
        ));
    }
    let read_v = table.as_ref().and_then(|table| match table {
        AnyTable::Grid(table) => table.read_voltage_v(),
        AnyTable::History(table) => table.read_voltage_v(),
        AnyTable::Ensemble(ensemble) => ensemble.best().read_voltage_v(),
        AnyTable::Update(_) => None,
    });
    if let Some(read_v) = read_v.filter(|read_v| differs(&common.array, *read_v)) {
        context.warn(format!(
            "cells are read at {} V, and the currents of the table were read at {read_v} V: wires and conductances \
             are those of the first; array = {{ cell = {{ read_voltage_v = {read_v} }} }} takes the second",
            common.array.cell.read_voltage_v
        ));
    }
    let possible = evaluator.possible_effects();
    let conditions: Vec<Condition> =
        conditions.iter().map(|c| Condition { effects: c.effects.and(possible), ..*c }).collect();
    let done = std::sync::Mutex::new(0.0);
    let results = evaluator
        .evaluate_with(&conditions, 0..common.trials, context.seed, &|part| {
            let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *done += part;
            (context.progress)(*done);
        })
        .map_err(StageError::failed)?;
    let labels = Labels {
        network: source.target().trim_start_matches("train-").to_owned(),
        dataset: common.dataset.clone(),
        table: devices.map_or(String::new(), |devices| devices.name().to_owned()),
        array: array_label(&common.array, devices),
    };
    Ok(evaluation_table(&results, &labels))
}

/// Whether an array is read at another voltage than a table was, where that matters: the voltage turns currents into
/// conductances, which wires see and cells are given in.
fn differs(array: &ArrayConfig, read_v: f64) -> bool {
    let cell = &array.cell;
    let matters =
        array.wires().is_some() || cell.conductance_max_us.is_some() || cell.conductance_min_us.is_some();
    matters && (cell.read_voltage_v - read_v).abs() > 1e-9 * read_v
}

/// The array as results call it: its size, and its range where that is the table's and not the study's.
fn array_label(array: &ArrayConfig, devices: Option<Devices<'_>>) -> String {
    let size = format!("{} x {}", array.array.rows, array.array.columns);
    match devices {
        Some(devices) if !array.cell.says_current_max() => {
            let least = devices.least_na().filter(|_| !array.cell.says_current_min());
            let from = least.map_or_else(String::new, |least| format!(" from {least}"));
            format!("{size}{from} to {} nA (of the table)", devices.range_na())
        }
        _ => size,
    }
}

fn joined(context: &Context<'_>) -> Result<Outputs, StageError> {
    let mut whole = Table::new();
    for artifact in context.inputs("shards") {
        whole.append(&table(artifact)?).map_err(StageError::failed)?;
    }
    let outputs = with_table(Outputs::new(), "trials", &whole)?;
    let name = context.target.clone();
    Ok(outputs.exported("csv", "evaluations", format!("{name}.csv"), whole.to_csv()))
}

fn numbers(params: &Value, key: &str) -> Vec<f64> {
    match params.get(key).and_then(Value::as_array) {
        Some(list) => list.iter().filter_map(Value::as_f64).collect(),
        None => vec![0.0],
    }
}

/// The parameters of a target with some replaced: those of one shard.
fn with(params: &Value, changes: &[(&str, Value)]) -> Value {
    let mut map = params.as_object().cloned().unwrap_or_default();
    for (key, value) in changes {
        map.insert((*key).to_owned(), value.clone());
    }
    Value::Object(map)
}

const ROLES: &[Role] = &[Role::required("network"), Role::optional("table")];

impl Stage for Grid {
    fn name(&self) -> &'static str {
        "evaluate.grid"
    }

    fn version(&self) -> u32 {
        3
    }

    fn about(&self) -> &'static str {
        "accuracy of a network over doses and times"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<GridParams>(given)
    }

    fn seconds(&self) -> f64 {
        6.0
    }

    fn shards(&self, params: &Value, _inputs: &[Artifact]) -> Vec<Shard> {
        let times = numbers(params, "times_s");
        numbers(params, "doses_krad_si")
            .into_iter()
            .flat_map(|dose| times.iter().map(move |&time| (dose, time)))
            .map(|(dose, time)| Shard {
                name: format!("{dose} krad(Si), {time} s"),
                params: with(params, &[("doses_krad_si", json!([dose])), ("times_s", json!([time]))]),
                reads: None,
            })
            .collect()
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: GridParams = context.params()?;
        let mut conditions = Vec::new();
        for &dose_krad_si in &params.doses_krad_si {
            for &time_s in &params.times_s {
                conditions.push(Condition::new(time_s, dose_krad_si, params.common.effects));
            }
        }
        let trials = evaluate(context, &params.common, context.optional("table"), &conditions)?;
        with_table(Outputs::new(), "trials", &trials)
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        joined(context)
    }
}

#[derive(Serialize, Deserialize)]
struct AblationParams {
    #[serde(flatten)]
    common: Common,
    /// Dose at which effects are compared (krad(Si)).
    dose_krad_si: f64,
    /// Time at which effects are compared (s).
    time_s: f64,
}

impl Default for AblationParams {
    fn default() -> Self {
        Self { common: Common::default(), dose_krad_si: 100.0, time_s: 432_000.0 }
    }
}

impl Stage for Ablation {
    fn name(&self) -> &'static str {
        "evaluate.ablation"
    }

    fn version(&self) -> u32 {
        3
    }

    fn about(&self) -> &'static str {
        "accuracy with one effect after the other switched on"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<AblationParams>(given)
    }

    fn seconds(&self) -> f64 {
        5.0
    }

    fn shards(&self, params: &Value, _inputs: &[Artifact]) -> Vec<Shard> {
        Effects::ABLATION
            .iter()
            .map(|(label, effects)| Shard {
                name: (*label).to_owned(),
                params: with(params, &[("effects", json!(effects))]),
                reads: None,
            })
            .collect()
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: AblationParams = context.params()?;
        let AblationParams { common, dose_krad_si, time_s } = params;
        let condition = Condition::new(time_s, dose_krad_si, common.effects);
        let trials = evaluate(context, &common, context.optional("table"), &[condition])?;
        with_table(Outputs::new(), "trials", &trials)
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        joined(context)
    }
}

impl Stage for Tables {
    fn name(&self) -> &'static str {
        "evaluate.tables"
    }

    fn version(&self) -> u32 {
        3
    }

    fn about(&self) -> &'static str {
        "accuracy over doses and times for each of many tables"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("network"), Role::required("tables")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<GridParams>(given)
    }

    fn seconds(&self) -> f64 {
        15.0
    }

    fn shards(&self, params: &Value, inputs: &[Artifact]) -> Vec<Shard> {
        let networks: Vec<&Artifact> = inputs.iter().filter(|a| a.role == "network").collect();
        let (doses, times) = (numbers(params, "doses_krad_si"), numbers(params, "times_s"));
        let places: Vec<(f64, f64)> =
            doses.iter().flat_map(|&dose| times.iter().map(move |&time| (dose, time))).collect();
        inputs
            .iter()
            .filter(|artifact| artifact.role == "tables")
            .flat_map(|table| places.iter().map(move |&place| (table, place)))
            .map(|(table, (dose, time))| Shard {
                name: format!("{}, {dose} krad(Si), {time} s", table.output()),
                params: with(params, &[("doses_krad_si", json!([dose])), ("times_s", json!([time]))]),
                reads: Some(networks.iter().map(|a| a.name.clone()).chain([table.name.clone()]).collect()),
            })
            .collect()
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: GridParams = context.params()?;
        let mut conditions = Vec::new();
        for &dose_krad_si in &params.doses_krad_si {
            for &time_s in &params.times_s {
                conditions.push(Condition::new(time_s, dose_krad_si, params.common.effects));
            }
        }
        let trials = evaluate(context, &params.common, context.optional("tables"), &conditions)?;
        with_table(Outputs::new(), "trials", &trials)
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        joined(context)
    }
}
