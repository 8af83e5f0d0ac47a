//! Measurements: published statistics, the user's files, or labelled synthetic ones.

use super::artifact::with_table;
use super::tables::{PARTS, Part};
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_compact::card::DeviceCard;
use mho_data::InputError;
use mho_data::measurement::{Kind, Measurement};
use mho_data::published::PublishedSonos;
use mho_data::reader;
use mho_data::table::Table;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `measure.published`: the published statistics as tables.
pub(super) struct Published;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishedParams {
    /// Names of the sets.
    sets: Vec<String>,
}

impl Default for PublishedParams {
    fn default() -> Self {
        Self { sets: vec!["tcas2022".into(), "iedm2022".into()] }
    }
}

impl Stage for Published {
    fn name(&self) -> &'static str {
        "measure.published"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "published statistics of SONOS arrays: states over time and their spread"
    }

    fn roles(&self) -> &'static [Role] {
        &[]
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        let resolved = resolve_as::<PublishedParams>(given)?;
        let sets = given.get("sets").and_then(Value::as_array).cloned().unwrap_or_default();
        for set in sets.iter().filter_map(Value::as_str) {
            PublishedSonos::named(set).map_err(|error| ParamError {
                key: "sets".into(),
                found: format!("`{set}`"),
                expected: error.expected,
            })?;
        }
        Ok(resolved)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: PublishedParams = context.params()?;
        let mut outputs = Outputs::new();
        for name in &params.sets {
            let set = PublishedSonos::named(name)?;
            outputs = with_table(outputs, &format!("{name}-drift"), &drift(&set))?;
            outputs = with_table(outputs, &format!("{name}-spread"), &spread(&set))?;
            let text = mho_data::published::SETS
                .iter()
                .find(|(known, _)| known == name)
                .map_or("", |(_, text)| text);
            outputs = outputs.with(name.clone(), format!("{name}.toml"), text);
        }
        Ok(outputs)
    }
}

/// Currents at which a set without states of its own is sampled for fits (nA): 10 to 1700 in tens.
fn currents(set: &PublishedSonos) -> Vec<f64> {
    match set.states() {
        Some(states) => states[0].clone(),
        None => (1..=170).map(|i| f64::from(10 * i)).collect(),
    }
}

/// One row for each state and time after the first: `initial_na, time_s, current_na`.
fn drift(set: &PublishedSonos) -> Table {
    let mut rows: [Vec<f64>; 3] = Default::default();
    for &time_s in set.time_s.iter().filter(|&&t| t > 0.0) {
        for &initial in &currents(set) {
            rows[0].push(initial);
            rows[1].push(time_s);
            rows[2].push(set.mean_na(initial, time_s).value);
        }
    }
    let [initial, time, current] = rows;
    Table::new()
        .with_float("initial_na", initial)
        .with_float("time_s", time)
        .with_float("current_na", current)
}

/// One row for each state and time: `current_na, time_s, sigma_na`.
fn spread(set: &PublishedSonos) -> Table {
    let mut rows: [Vec<f64>; 3] = Default::default();
    for &time_s in &set.time_s {
        for &initial in &currents(set) {
            let current = set.mean_na(initial, time_s).value;
            rows[0].push(current);
            rows[1].push(time_s);
            rows[2].push(set.sigma_na(current, time_s).value);
        }
    }
    let [current, time, sigma] = rows;
    Table::new().with_float("current_na", current).with_float("time_s", time).with_float("sigma_na", sigma)
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileParams {
    /// Files to read; none: the synthetic measurement.
    files: Vec<String>,
}

fn named_files(params: &Value) -> Vec<String> {
    let list = params.get("files").and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A measurement from the user's files, or without any the synthetic one of its kind.
pub(super) struct FromFiles {
    name: &'static str,
    about: &'static str,
    kind: Kind,
    /// Name of the synthetic file.
    file: &'static str,
    synthetic: fn(u64) -> String,
}

/// `measure.idvg`: I_D(V_G) sweeps.
pub(super) const IDVG: FromFiles = FromFiles {
    name: "measure.idvg",
    about: "I_D(V_G) sweeps from files, or synthetic ones",
    kind: Kind::IdVg,
    file: "idvg-synthetic.csv",
    synthetic: mho_physics::sonos::synthetic::idvg_csv,
};

/// `measure.state-currents`: state currents against dose and time.
pub(super) const STATE_CURRENTS: FromFiles = FromFiles {
    name: "measure.state-currents",
    about: "state currents against dose and time from files, or synthetic ones",
    kind: Kind::StateCurrent,
    file: "state-currents-synthetic.csv",
    synthetic: mho_physics::sonos::synthetic::state_currents_csv,
};

impl Stage for FromFiles {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn roles(&self) -> &'static [Role] {
        &[]
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<FileParams>(given)
    }

    fn files(&self, params: &Value) -> Vec<String> {
        named_files(params)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let given = context.inputs("file");
        let mut outputs = Outputs::new();
        let measurement: Measurement = if given.is_empty() {
            let text = (self.synthetic)(context.seed);
            let measurement = reader::read(&[(self.file, text.as_bytes())], self.kind)?;
            outputs = outputs.exported("raw", "data", self.file, text);
            measurement
        } else {
            let files: Vec<(&str, &[u8])> =
                given.iter().map(|artifact| (artifact.file.as_str(), artifact.bytes.as_slice())).collect();
            reader::read(&files, self.kind)?
        };
        measurement.check_for_fit()?;
        let dropped = &measurement.sidecar.dropped;
        if let Some(first) = dropped.first() {
            context.warn(format!(
                "{} of {} rows could not be read, the first at {}:{} ({})",
                dropped.len(),
                dropped.len() + measurement.table.len(),
                first.file,
                first.line,
                first.reason
            ));
        }
        for text in measurement.sidecar.assumptions.iter().chain(&measurement.sidecar.notes) {
            context.warn(text.clone());
        }
        outputs = with_table(outputs, "table", &measurement.table)?;
        Ok(outputs.with("sidecar", "sidecar.toml", measurement.sidecar_toml()))
    }
}

/// `measure.cards`: device cards that `mho fit` wrote.
pub(super) struct Cards;

impl Stage for Cards {
    fn name(&self) -> &'static str {
        "measure.cards"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "device cards from files, as `mho fit` writes them"
    }

    fn roles(&self) -> &'static [Role] {
        &[]
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        let resolved = resolve_as::<FileParams>(given)?;
        match given.get("files").and_then(Value::as_array) {
            Some(files) if !files.is_empty() => Ok(resolved),
            _ => Err(ParamError {
                key: "files".into(),
                found: "no files".into(),
                expected: "files = [\"cards/….toml\"], cards that `mho fit` wrote".into(),
            }),
        }
    }

    fn files(&self, params: &Value) -> Vec<String> {
        named_files(params)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let mut outputs = Outputs::new();
        for artifact in context.inputs("file") {
            let card = DeviceCard::from_toml(&String::from_utf8_lossy(&artifact.bytes), &artifact.file)?;
            if Part::of(&card.model).is_none() {
                let found =
                    format!("a card of model `{}`, which is no part of a cell that is read", card.model);
                let line =
                    String::from_utf8_lossy(&artifact.bytes).lines().position(|l| l.starts_with("model"));
                let error = InputError::new(&artifact.file, found, PARTS);
                return Err(line.map_or(error.clone(), |line| error.at_line(line + 1)).into());
            }
            let role = artifact.file.trim_end_matches(".toml");
            if outputs.0.iter().any(|output| output.role == role) {
                let found = "a second card of this name";
                return Err(InputError::new(&artifact.file, found, "cards with different names").into());
            }
            for note in &card.provenance.notes {
                context.warn(format!("{}: {note}", artifact.file));
            }
            outputs = outputs.exported(role, "cards", artifact.file.clone(), artifact.bytes.clone());
        }
        Ok(outputs)
    }
}
