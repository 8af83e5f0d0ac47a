//! `table.device`, `table.device-samples`, `table.device-choices`: any device, from the cards that `mho fit` wrote or
//! from measured cells as they are.

use super::super::artifact::{card, measurement};
use super::assemble::Device;
use super::parts::{Named, Reading};
use super::sampled::{self, Sampled, one};
use super::{certificate_json, compiled, gathered, shards, tell, with_device_table};
use crate::stage::{Artifact, Context, Outputs, ParamError, Role, Shard, Stage, StageError, resolve_as};
use mho_data::provenance::Origin;
use mho_data::random::Stream;
use mho_lut::{CellReading, CompileOptions, DeviceTable, MeasuredOptions, compile_measured};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `table.device`: the best estimate of every card.
pub(crate) struct OfDevice;
/// `table.device-samples`: parameters drawn from the cards' covariances; measured cells drawn with replacement.
pub(crate) struct DeviceSamples;
/// `table.device-choices`: another card in the place of one.
pub(crate) struct DeviceChoices;

const ROLES: &[Role] = &[Role::optional("cards"), Role::optional("cells")];

#[derive(Clone, Serialize, Deserialize)]
struct Params {
    #[serde(flatten)]
    reading: Reading,
    /// Largest interpolation error, as a fraction of the largest current.
    tolerance_fraction: f64,
    /// Longest time (s); by default what the cards were fitted to, and five days at least.
    time_max_s: Option<f64>,
    /// Largest dose (krad(Si)); by default what the cards were fitted to, and 1000 at least.
    dose_max_krad_si: Option<f64>,
    /// Fewest measured cells of a state at a time and dose.
    least_cells: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            reading: Reading::default(),
            tolerance_fraction: 1e-3,
            time_max_s: None,
            dose_max_krad_si: None,
            least_cells: MeasuredOptions::default().least_cells,
        }
    }
}

pub(super) fn checked<P: Serialize + for<'a> Deserialize<'a> + Default>(
    given: &Value,
) -> Result<Value, ParamError> {
    let outside = |key: &str, least: f64, with: bool| {
        let value = given.get(key).and_then(Value::as_f64);
        value.filter(|v| !(*v > least || (with && *v == least))).map(|found| ParamError {
            key: key.into(),
            found: found.to_string(),
            expected: format!("a number {} {least}", if with { "from" } else { "above" }),
        })
    };
    let above = ["current_max_na", "read_v", "read_drain_v", "gate_area_um2", "tolerance_fraction"];
    let from = ["dose_c_spread", "time_max_s", "dose_max_krad_si"];
    let wrong = above.iter().find_map(|key| outside(key, 0.0, false));
    match wrong.or_else(|| from.iter().find_map(|key| outside(key, 0.0, true))) {
        Some(error) => Err(error),
        None => resolve_as::<P>(given),
    }
}

/// What a table is made from.
enum Source {
    Cards(Device),
    Cells { readings: Vec<CellReading>, origin: Origin, file: String },
}

impl Source {
    fn read(context: &Context<'_>, params: &Params) -> Result<Self, StageError> {
        let cards = named(context, "cards")?;
        if !context.inputs("cells").is_empty() {
            if !cards.is_empty() {
                let why =
                    format!("target `{}` has cards and measured cells, expected one of them", context.target);
                return Err(StageError::Failed(why));
            }
            let cells = measurement(context, "cells")?;
            let readings = CellReading::from_table(&cells.table).map_err(StageError::failed)?;
            let file = context.named("cells", "table")?.target().to_owned();
            return Ok(Self::Cells { readings, origin: cells.sidecar.origin, file });
        }
        Ok(Self::Cards(Device::new(cards, &params.reading)?))
    }

    fn sampled(self, seed: u64, index: u64) -> Self {
        match self {
            Self::Cards(device) => Self::Cards(device.sampled(seed, index)),
            Self::Cells { readings, origin, file } => {
                Self::Cells { readings: resampled(&readings, seed, index), origin, file }
            }
        }
    }

    fn table(&self, context: &Context<'_>, params: &Params, name: &str) -> Result<DeviceTable, StageError> {
        match self {
            Self::Cards(device) => {
                let source = device.source(name)?;
                let info = source.describe();
                // An axis that no card knows of is left out. A nameless end is that of the built-in study.
                let reach = |asked: Option<f64>, known: f64, usual: f64| match asked {
                    Some(asked) => asked,
                    None if known > 0.0 => known.max(usual),
                    None => 0.0,
                };
                let usual = CompileOptions::default();
                let dose_max = reach(params.dose_max_krad_si, info.dose_max_krad_si, usual.dose_max_krad_si);
                let options = CompileOptions {
                    tolerance_fraction: params.tolerance_fraction,
                    time_max_s: reach(params.time_max_s, info.time_max_s, usual.time_max_s),
                    dose_max_krad_si: if info.dose_max_krad_si > 0.0 { dose_max } else { 0.0 },
                };
                compiled(context, source.as_ref(), &options)
            }
            Self::Cells { readings, origin, file } => {
                let largest = readings.iter().map(|r| r.current_na / r.state).filter(|c| c.is_finite());
                let options = MeasuredOptions {
                    name: name.to_owned(),
                    origin: *origin,
                    current_max_na: params
                        .reading
                        .current_max_na
                        .unwrap_or_else(|| middle(largest).unwrap_or(f64::NAN)),
                    read_voltage_v: None,
                    least_cells: params.least_cells,
                    // Left-out nodes measure the grid that was measured, which no refinement betters.
                    tolerance_fraction: params.tolerance_fraction,
                };
                let table = compile_measured(readings, &options).map_err(|error| match error {
                    mho_lut::TableError::Asked(what) => {
                        mho_data::InputError::new(file, what, "readings of enough cells").into()
                    }
                    other => StageError::failed(other),
                })?;
                tell(context, &table);
                Ok(table)
            }
        }
    }
}

/// The middle one, or the lower of the two.
pub(crate) fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// The cells of every state drawn with replacement, each with all of its readings.
pub(crate) fn resampled(readings: &[CellReading], seed: u64, index: u64) -> Vec<CellReading> {
    let mut states: BTreeMap<u64, BTreeMap<&str, Vec<&CellReading>>> = BTreeMap::new();
    for reading in readings {
        let cells = states.entry(reading.state.to_bits()).or_default();
        cells.entry(&reading.cell).or_default().push(reading);
    }
    let stream = Stream::new(seed, &["table.device-samples", "cells"], &[index]);
    let mut drawn = Vec::with_capacity(readings.len());
    let mut draw = 0;
    for cells in states.values() {
        let cells: Vec<&Vec<&CellReading>> = cells.values().collect();
        for copy in 0..cells.len() {
            let chosen = cells[((stream.uniform(draw) * cells.len() as f64) as usize).min(cells.len() - 1)];
            drawn.extend(
                chosen.iter().map(|r| CellReading { cell: format!("{copy} {}", r.cell), ..(*r).clone() }),
            );
            draw += 1;
        }
    }
    drawn
}

/// The cards of a role, called as the study knows them.
fn named(context: &Context<'_>, role: &str) -> Result<Vec<Named>, StageError> {
    let cards = context.inputs(role).into_iter().filter(|artifact| artifact.file.ends_with(".toml"));
    cards.map(|artifact| Ok(Named { file: artifact.name.clone(), card: card(artifact)? })).collect()
}

impl Stage for OfDevice {
    fn name(&self) -> &'static str {
        "table.device"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "device table of any device: from cards, or from measured cells as they are"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<Params>(given)
    }

    fn seconds(&self) -> f64 {
        1.0
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let table = Source::read(context, &params)?.table(context, &params, &context.target)?;
        for note in table.notes() {
            context.warn(note.clone());
        }
        let outputs = with_device_table(Outputs::new(), "table", &context.target, &table)?;
        let about = serde_json::to_vec(&certificate_json(&table)).map_err(StageError::failed)?;
        Ok(outputs.with("about", "about.json", about).with("origin", "origin.txt", table.origin().label()))
    }
}

impl Stage for DeviceSamples {
    fn name(&self) -> &'static str {
        "table.device-samples"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "device tables of samples of the fitted parameters, or of measured cells drawn with replacement"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<Sampled<Params>>(given)
    }

    fn seconds(&self) -> f64 {
        8.0
    }

    fn shards(&self, params: &Value, _inputs: &[Artifact]) -> Vec<Shard> {
        sampled::samples(params)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Sampled<Params> = context.params()?;
        let (index, name) = (params.index(), sampled::name(params.index()));
        let source = Source::read(context, &params.table)?.sampled(context.seed, index);
        one(&source.table(context, &params.table, &name)?, &name)
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        Ok(gathered(context))
    }
}

#[derive(Default, Serialize, Deserialize)]
struct ChoicesParams {
    #[serde(flatten)]
    table: Params,
    /// The rival card of one shard; the device itself where it is empty.
    rival: Option<String>,
}

impl Stage for DeviceChoices {
    fn name(&self) -> &'static str {
        "table.device-choices"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "device tables with a rival card in the place of one, one at a time"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("cards"), Role::required("rivals")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<ChoicesParams>(given)
    }

    fn seconds(&self) -> f64 {
        3.0
    }

    fn shards(&self, params: &Value, inputs: &[Artifact]) -> Vec<Shard> {
        let rivals = inputs.iter().filter(|a| a.role == "rivals" && a.file.ends_with(".toml"));
        let items = std::iter::once(("as chosen".to_owned(), "rival", json!("")))
            .chain(rivals.map(|a| (a.name.clone(), "rival", json!(a.name))))
            .collect();
        shards(params, items, "")
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let ChoicesParams { table: params, rival } = context.params()?;
        let device = Device::new(named(context, "cards")?, &params.reading)?;
        let rival = rival.filter(|rival| !rival.is_empty());
        let (device, name) = match rival {
            None => (device, "as chosen".to_owned()),
            Some(rival) => {
                let chosen = named(context, "rivals")?.into_iter().find(|named| named.file == rival);
                let named = chosen.ok_or_else(|| StageError::Failed(format!("no rival card {rival}")))?;
                let name = format!("law {}", named.card.model);
                (device.with(named)?, name)
            }
        };
        one(&Source::Cards(device).table(context, &params, &name)?, &name)
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        Ok(gathered(context))
    }
}
