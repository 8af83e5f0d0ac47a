//! `table.*`: device tables compiled from cards, or from published statistics directly.

use super::artifact::{card, origin_of, table};
use crate::stage::{Artifact, Context, Outputs, ParamError, Role, Shard, Stage, StageError, resolve_as};
use mho_compact::card::DeviceCard;
use mho_compact::cell::{CellParameters, DoseLaw, PublishedCell, SonosCell};
use mho_compact::current_shift::{self, CurrentShift};
use mho_compact::ekv::Ekv;
use mho_compact::programming::Programming;
use mho_compact::retention::Retention;
use mho_compact::tid::Law;
use mho_data::published::PublishedSonos;
use mho_data::random::Stream;
use mho_data::table::Table;
use mho_lut::{CellSource, CompileOptions, DeviceTable, compile};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `table.sonos`: the best estimate of every card.
pub(super) struct Sonos;
/// `table.samples`: samples of the cards' parameters from their covariances.
pub(super) struct Samples;
/// `table.choices`: the default table with one choice changed at a time.
pub(super) struct Choices;
/// `table.published`: published statistics as they are.
pub(super) struct FromPublished;

const ROLES: &[Role] = &[
    Role::optional("transfer"),
    Role::required("retention"),
    Role::required("programming"),
    Role::optional("dose"),
    Role::optional("thresholds"),
];

/// What a table of a SONOS cell needs besides the cards.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Params {
    /// Gate area, which sets the counting statistics of trapped charge (um2).
    pub(crate) gate_area_um2: f64,
    /// Charges that are caught together.
    pub(crate) cluster_factor: f64,
    /// Spread of ln D_c from cell to cell.
    pub(crate) dose_c_spread: f64,
    /// V_inf - V_N (V) in place of the fitted one.
    pub(crate) v_inf_offset_v: Option<f64>,
    /// D_c (krad(Si)) in place of the fitted one; with `v_inf_offset_v` no dose card is needed.
    pub(crate) dose_c_krad_si: Option<f64>,
    /// Current of state 1 (nA).
    pub(crate) current_max_na: f64,
    /// Largest interpolation error, as a fraction of the largest current.
    pub(crate) tolerance_fraction: f64,
    /// Longest time (s).
    pub(crate) time_max_s: f64,
    /// Largest dose (krad(Si)).
    pub(crate) dose_max_krad_si: f64,
}

impl Default for Params {
    fn default() -> Self {
        let cell = CellParameters::default();
        Self {
            gate_area_um2: cell.gate_area_m2 * 1e12,
            cluster_factor: cell.cluster_factor,
            dose_c_spread: cell.dose_c_spread,
            v_inf_offset_v: None,
            dose_c_krad_si: None,
            current_max_na: cell.current_max_na,
            tolerance_fraction: 1e-3,
            time_max_s: 432_000.0,
            dose_max_krad_si: 1000.0,
        }
    }
}

/// The cards that a cell is made from.
#[derive(Clone)]
pub(crate) struct Cards {
    pub(crate) transfer: Option<DeviceCard>,
    pub(crate) retention: DeviceCard,
    pub(crate) programming: DeviceCard,
    pub(crate) dose: Option<DeviceCard>,
    /// Threshold (V) of the state nearest to neutral, before any dose.
    pub(crate) vt_neutral_v: Option<f64>,
}

impl Cards {
    fn read(context: &Context<'_>) -> Result<Self, StageError> {
        let optional = |role: &str| context.optional(role).map(card).transpose();
        let thresholds = context.optional("thresholds").map(table).transpose()?;
        Ok(Self {
            transfer: optional("transfer")?,
            retention: card(context.input("retention")?)?,
            programming: card(context.input("programming")?)?,
            dose: optional("dose")?,
            vt_neutral_v: thresholds.as_ref().map(neutral_threshold_v).transpose()?.flatten(),
        })
    }

    /// The cards with parameters drawn from their covariances; draw `index` is always the same.
    fn sampled(&self, seed: u64, index: u64) -> Self {
        let draw = |name: &str, card: &DeviceCard| {
            card.sampled(&Stream::new(seed, &["table.samples", name], &[]), index)
        };
        Self {
            transfer: self.transfer.as_ref().map(|card| draw("transfer", card)),
            retention: draw("retention", &self.retention),
            programming: draw("programming", &self.programming),
            dose: self.dose.as_ref().map(|card| draw("dose", card)),
            vt_neutral_v: self.vt_neutral_v,
        }
    }

    /// The cell that these cards describe.
    pub(crate) fn cell(&self, params: &Params, name: &str) -> Result<SonosCell, StageError> {
        let mut retention = Retention::from_card(&self.retention);
        let mut origin = origin_of(&self.retention).and(origin_of(&self.programming));
        let mut notes = vec![format!("gate area {} um2 (assumed within 0.03 to 0.1)", params.gate_area_um2)];
        if let Some(card) = &self.transfer {
            let ekv = Ekv::from_card(card);
            retention.slope_factor = ekv.slope_factor;
            retention.i_spec_a = ekv.i_spec_a;
            origin = origin.and(origin_of(card));
        }
        let dose = self.dose_law(params, &retention, &mut notes)?;
        if let Some(card) = &self.dose {
            origin = origin.and(origin_of(card));
        }
        let fitted_to = self.dose.as_ref().and_then(|card| card.validity.get("dose_krad_si"));
        let dose_max_krad_si = fitted_to
            .and_then(|range| range.rsplit(' ').next())
            .and_then(|number| number.parse().ok())
            .unwrap_or(CellParameters::default().dose_max_krad_si);
        Ok(SonosCell::new(CellParameters {
            name: name.to_owned(),
            origin,
            current_max_na: params.current_max_na,
            retention,
            programming: Programming::from_card(&self.programming),
            dose,
            gate_area_m2: params.gate_area_um2 * 1e-12,
            cluster_factor: params.cluster_factor,
            dose_c_spread: params.dose_c_spread,
            dose_max_krad_si,
            notes,
            ..CellParameters::default()
        }))
    }

    fn dose_law(
        &self,
        params: &Params,
        retention: &Retention,
        notes: &mut Vec<String>,
    ) -> Result<DoseLaw, StageError> {
        let neutral = self.vt_neutral_v.unwrap_or(0.0);
        let read_gate_v = SonosCell::default_read_gate_v(retention, neutral);
        let threshold = |law: Law| DoseLaw::Threshold { law, read_gate_v };
        let Some(card) = &self.dose else {
            return Ok(match (params.dose_c_krad_si, params.v_inf_offset_v) {
                (Some(dose_c_krad_si), offset) => {
                    notes.push(format!("D_c = {dose_c_krad_si} krad(Si) is assumed"));
                    threshold(Law::Exp { dose_c_krad_si, vt_inf_v: neutral + offset.unwrap_or(0.0) })
                }
                _ => DoseLaw::None,
            });
        };
        if card.model == current_shift::INFO.name {
            return Ok(DoseLaw::Current(CurrentShift::from_card(card)));
        }
        let mut law = Law::from_card(card)
            .ok_or_else(|| StageError::Failed(format!("a card of model {} is no dose law", card.model)))?;
        if let Law::Exp { dose_c_krad_si, vt_inf_v } = &mut law {
            if let Some(offset) = params.v_inf_offset_v {
                notes.push(format!("V_inf - V_N = {offset} V is assumed"));
                *vt_inf_v = neutral + offset;
            }
            if let Some(assumed) = params.dose_c_krad_si {
                notes.push(format!("D_c = {assumed} krad(Si) is assumed"));
                *dose_c_krad_si = assumed;
            }
        }
        Ok(threshold(law))
    }
}

/// The mean threshold, at the lowest dose, of the state whose label is the number nearest to zero.
fn neutral_threshold_v(points: &Table) -> Result<Option<f64>, StageError> {
    let wrong = |error: mho_data::table::TableError| StageError::failed(error);
    let states = points.texts("state").map_err(wrong)?;
    let (dose, vt) = (points.floats("dose_krad_si").map_err(wrong)?, points.floats("vt_v").map_err(wrong)?);
    let lowest = dose.iter().copied().fold(f64::INFINITY, f64::min);
    let size = |label: &str| label.trim().parse::<f64>().map_or(f64::INFINITY, f64::abs);
    let least = states.iter().map(|label| size(label)).fold(f64::INFINITY, f64::min);
    let chosen: Vec<f64> = (0..points.len())
        .filter(|&row| dose[row] <= lowest && (size(&states[row]) <= least || least.is_infinite()))
        .map(|row| vt[row])
        .collect();
    Ok((!chosen.is_empty()).then(|| chosen.iter().sum::<f64>() / chosen.len() as f64))
}

fn compiled(
    context: &Context<'_>,
    source: &dyn CellSource,
    params: &Params,
) -> Result<DeviceTable, StageError> {
    let options = CompileOptions {
        tolerance_fraction: params.tolerance_fraction,
        time_max_s: params.time_max_s,
        dose_max_krad_si: params.dose_max_krad_si,
    };
    let table = compile(source, &options).map_err(StageError::failed)?;
    let certificate = table.certificate();
    if !certificate.met() {
        context.warn(format!(
            "interpolation error {:.2e} of the range at state {:.3}, {:.0} s, {:.0} krad(Si), wanted {:.2e}",
            certificate.max_error_fraction,
            certificate.state,
            certificate.time_s,
            certificate.dose_krad_si,
            certificate.tolerance_fraction
        ));
    }
    if !certificate.monotone {
        context.warn("the mean current does not rise with the state everywhere");
    }
    if table.extrapolated_nodes() > 0 {
        context.warn(format!(
            "{} of the table's nodes lie outside of what its cards were fitted to",
            table.extrapolated_nodes()
        ));
    }
    Ok(table)
}

fn with_device_table(
    outputs: Outputs,
    role: &str,
    name: &str,
    table: &DeviceTable,
) -> Result<Outputs, StageError> {
    let bytes = table.to_bytes().map_err(StageError::failed)?;
    let outputs = outputs.exported(role, "tables", format!("{name}.safetensors"), bytes);
    Ok(outputs)
}

fn certificate_json(table: &DeviceTable) -> Value {
    json!({
        "name": table.name(),
        "origin": table.origin().label(),
        "certificate": table.certificate(),
        "extrapolated_nodes": table.extrapolated_nodes(),
        "states": table.state_axis().nodes().len(),
        "times": table.time_axis().nodes().len(),
        "doses": table.dose_axis().nodes().len(),
        "notes": table.notes(),
    })
}

impl Stage for Sonos {
    fn name(&self) -> &'static str {
        "table.sonos"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "device table over state, time and dose from the fitted cards"
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
        let cell = Cards::read(context)?.cell(&params, &context.target)?;
        let table = compiled(context, &cell, &params)?;
        let outputs = with_device_table(Outputs::new(), "table", &context.target, &table)?;
        let about = serde_json::to_vec(&certificate_json(&table)).map_err(StageError::failed)?;
        Ok(outputs.with("about", "about.json", about))
    }
}

fn checked<P: Serialize + for<'a> Deserialize<'a> + Default>(given: &Value) -> Result<Value, ParamError> {
    for key in ["gate_area_um2", "current_max_na", "tolerance_fraction", "dose_c_krad_si"] {
        if let Some(value) = given.get(key).and_then(Value::as_f64)
            && value <= 0.0
        {
            return Err(ParamError {
                key: key.into(),
                found: value.to_string(),
                expected: "a number above 0".into(),
            });
        }
    }
    resolve_as::<P>(given)
}

#[derive(Serialize, Deserialize)]
struct SamplesParams {
    #[serde(flatten)]
    table: Params,
    /// How many samples.
    samples: u64,
    /// The sample of one shard.
    sample: Option<u64>,
}

impl Default for SamplesParams {
    fn default() -> Self {
        Self { table: Params::default(), samples: 12, sample: None }
    }
}

impl Stage for Samples {
    fn name(&self) -> &'static str {
        "table.samples"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "device tables of samples of the fitted parameters"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<SamplesParams>(given)
    }

    fn seconds(&self) -> f64 {
        8.0
    }

    fn shards(&self, params: &Value, _inputs: &[Artifact]) -> Vec<Shard> {
        let count = params.get("samples").and_then(Value::as_u64).unwrap_or(SamplesParams::default().samples);
        shards(
            params,
            (0..count).map(|k| (format!("sample-{k:02}"), "sample", json!(k))).collect(),
            "samples",
        )
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: SamplesParams = context.params()?;
        let index = params.sample.unwrap_or(0);
        let name = format!("sample-{index:02}");
        let cell = Cards::read(context)?.sampled(context.seed, index).cell(&params.table, &name)?;
        let table = compiled(context, &cell, &params.table)?;
        Ok(Outputs::new().with(
            name.clone(),
            format!("{name}.safetensors"),
            table.to_bytes().map_err(StageError::failed)?,
        ))
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        Ok(gathered(context))
    }
}

/// Shards with one parameter more each, without the parameter that says how many there are.
fn shards(params: &Value, items: Vec<(String, &str, Value)>, without: &str) -> Vec<Shard> {
    items
        .into_iter()
        .map(|(name, key, value)| {
            let mut params = params.as_object().cloned().unwrap_or_default();
            params.remove(without);
            params.insert(key.to_owned(), value);
            Shard { name, params: Value::Object(params), reads: None }
        })
        .collect()
}

/// The outputs of the shards as they are.
fn gathered(context: &Context<'_>) -> Outputs {
    let mut outputs = Outputs::new();
    for artifact in &context.artifacts {
        outputs = outputs.with(artifact.output(), artifact.file.clone(), artifact.bytes.clone());
    }
    outputs
}

#[derive(Serialize, Deserialize)]
struct ChoicesParams {
    #[serde(flatten)]
    table: Params,
    /// Other gate areas (um2).
    gate_areas_um2: Vec<f64>,
    /// Other values of V_inf - V_N (V).
    v_inf_offsets_v: Vec<f64>,
    /// The choice of one shard.
    choice: Option<Choice>,
}

impl Default for ChoicesParams {
    fn default() -> Self {
        Self {
            table: Params::default(),
            gate_areas_um2: vec![0.03, 0.1],
            v_inf_offsets_v: vec![-0.45, 0.0, 0.2],
            choice: None,
        }
    }
}

/// One choice that differs from the default table.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    /// The dose law of this card.
    Law(String),
    /// Gate area (um2).
    GateArea(f64),
    /// V_inf - V_N (V).
    Offset(f64),
}

impl Choice {
    fn name(&self) -> String {
        match self {
            Self::Law(law) => format!("law {law}"),
            Self::GateArea(area) => format!("gate area {area} um2"),
            Self::Offset(offset) => format!("V_inf - V_N = {offset:+} V"),
        }
    }
}

impl Stage for Choices {
    fn name(&self) -> &'static str {
        "table.choices"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "device tables with one choice of model changed at a time"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<ChoicesParams>(given)
    }

    fn seconds(&self) -> f64 {
        10.0
    }

    fn shards(&self, params: &Value, inputs: &[Artifact]) -> Vec<Shard> {
        let numbers = |key: &str, default: Vec<f64>| -> Vec<f64> {
            match params.get(key).and_then(Value::as_array) {
                Some(list) => list.iter().filter_map(Value::as_f64).collect(),
                None => default,
            }
        };
        let defaults = ChoicesParams::default();
        let laws = inputs.iter().filter(|artifact| artifact.role == "dose").map(|artifact| {
            let law = if artifact.output() == "card" { artifact.target() } else { artifact.output() };
            Choice::Law(law.to_owned())
        });
        let areas = numbers("gate_areas_um2", defaults.gate_areas_um2).into_iter().map(Choice::GateArea);
        let offsets = numbers("v_inf_offsets_v", defaults.v_inf_offsets_v).into_iter().map(Choice::Offset);
        let items = laws.chain(areas).chain(offsets).map(|choice| {
            let value = serde_json::to_value(&choice).unwrap_or(Value::Null);
            (choice.name(), "choice", value)
        });
        let mut shards = shards(params, items.collect(), "gate_areas_um2");
        for shard in &mut shards {
            if let Value::Object(map) = &mut shard.params {
                map.remove("v_inf_offsets_v");
            }
        }
        shards
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let ChoicesParams { mut table, choice, .. } = context.params()?;
        let choice = choice.ok_or_else(|| StageError::Failed("a shard without a choice".into()))?;
        let mut cards = Cards::read(context)?;
        match &choice {
            Choice::Law(law) => {
                let chosen = context.inputs("dose").into_iter().find(|artifact| {
                    artifact.output() == law || (artifact.output() == "card" && artifact.target() == law)
                });
                cards.dose = chosen.map(card).transpose()?;
            }
            Choice::GateArea(area) => table.gate_area_um2 = *area,
            // Only the closed form has a V_inf to set.
            Choice::Offset(offset) => {
                table.v_inf_offset_v = Some(*offset);
                let closed =
                    context.inputs("dose").into_iter().find(|artifact| artifact.output() == "tid-exp");
                cards.dose = closed.map(card).transpose()?;
            }
        }
        let name = choice.name();
        let compiled = compiled(context, &cards.cell(&table, &name)?, &table)?;
        Ok(Outputs::new().with(name, "table.safetensors", compiled.to_bytes().map_err(StageError::failed)?))
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        Ok(gathered(context))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishedParams {
    /// Name of the set.
    set: String,
    /// Current of state 1 (nA).
    current_max_na: f64,
    /// Largest interpolation error, as a fraction of the largest current.
    tolerance_fraction: f64,
}

impl Default for PublishedParams {
    fn default() -> Self {
        Self { set: "tcas2022".into(), current_max_na: 1600.0, tolerance_fraction: 1e-3 }
    }
}

impl Stage for FromPublished {
    fn name(&self) -> &'static str {
        "table.published"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "device table of published statistics as they are, without dose"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("published")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<PublishedParams>(given)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: PublishedParams = context.params()?;
        let artifact = context.named("published", &params.set)?;
        let set = PublishedSonos::parse(&String::from_utf8_lossy(&artifact.bytes), &artifact.name)?;
        let time_max_s = set.time_s.last().copied().unwrap_or(0.0);
        let cell = PublishedCell::new(set, params.current_max_na);
        let options = Params {
            tolerance_fraction: params.tolerance_fraction,
            time_max_s,
            dose_max_krad_si: 0.0,
            ..Params::default()
        };
        let table = compiled(context, &cell, &options)?;
        let outputs = with_device_table(Outputs::new(), "table", &context.target, &table)?;
        let about = serde_json::to_vec(&certificate_json(&table)).map_err(StageError::failed)?;
        Ok(outputs.with("about", "about.json", about))
    }
}
