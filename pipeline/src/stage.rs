//! What a stage is: a named, versioned function from artifacts and parameters to artifacts.

use crate::key::Digest;
use mho_data::InputError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Mutex;

/// A parameter that a stage does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamError {
    /// The key, dotted where nested.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

/// An input that a stage takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// Name of the role.
    pub name: &'static str,
    /// Whether the stage runs without it.
    pub optional: bool,
}

impl Role {
    /// An input that must be given.
    pub const fn required(name: &'static str) -> Self {
        Self { name, optional: false }
    }

    /// An input that may be left out.
    pub const fn optional(name: &'static str) -> Self {
        Self { name, optional: true }
    }
}

/// An artifact as an input: where it comes from and, when the stage runs, its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Role under which the stage takes it.
    pub role: String,
    /// `target/output`.
    pub name: String,
    /// File name with its ending.
    pub file: String,
    /// Digest of the bytes.
    pub digest: Digest,
    /// Number of bytes.
    pub size: u64,
    /// The bytes; empty while a graph is only planned.
    pub bytes: Vec<u8>,
}

impl Artifact {
    /// The output's own name, behind the slash.
    pub fn output(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// The target's name, before the slash.
    pub fn target(&self) -> &str {
        self.name.split('/').next().unwrap_or(&self.name)
    }
}

/// A part of a stage's work that has a key of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Shard {
    /// Name, unique in the stage.
    pub name: String,
    /// Parameters of this part.
    pub params: Value,
    /// Names (`target/output`) of the inputs that this part reads; `None`: all of them.
    pub reads: Option<Vec<String>>,
}

/// An output of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its role.
    pub role: String,
    /// File name with an ending that says what it is.
    pub file: String,
    /// Place under the results folder, if it is for people.
    pub export: Option<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How far apart two makings of an output may lie and still say the same: relative to the larger of the two
/// numbers, by the ending of the file. Numbers of another machine differ by its instructions and its library of
/// transcendental functions, which a fit or a sum makes larger; accuracies are counts, and count.
pub fn tolerance(file: &str) -> f64 {
    match file.rsplit('.').next().unwrap_or_default() {
        // Written with every digit.
        "parquet" | "safetensors" | "json" | "toml" | "csv" => 1e-9,
        // Rounded for a reader: half a unit of the fourth digit.
        "svg" | "html" | "txt" | "tex" => 5e-4,
        _ => 0.0,
    }
}

/// Outputs in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outputs(pub Vec<Output>);

impl Outputs {
    /// No outputs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an output.
    #[must_use]
    pub fn with(
        mut self,
        role: impl Into<String>,
        file: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
    ) -> Self {
        self.0.push(Output { role: role.into(), file: file.into(), export: None, bytes: bytes.into() });
        self
    }

    /// Adds an output that also goes to the results folder, under `folder`.
    #[must_use]
    pub fn exported(
        mut self,
        role: impl Into<String>,
        folder: &str,
        file: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
    ) -> Self {
        let file = file.into();
        let export = if folder.is_empty() { file.clone() } else { format!("{folder}/{file}") };
        self.0.push(Output { role: role.into(), file, export: Some(export), bytes: bytes.into() });
        self
    }
}

/// Why a stage gave no result.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The input is bad.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The computation failed.
    #[error("{0}")]
    Failed(String),
}

impl StageError {
    /// A failed computation, from any error.
    pub fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a running stage sees.
pub struct Context<'a> {
    /// Name of the target (and shard).
    pub target: String,
    /// Stage and version, as figures carry them.
    pub stage: String,
    /// Key of the action.
    pub key: Digest,
    /// Resolved parameters.
    pub params: Value,
    /// Inputs, in the order of the study.
    pub artifacts: Vec<Artifact>,
    /// Root seed of the study.
    pub seed: u64,
    /// Hears the fraction of the work that is done.
    pub progress: &'a (dyn Fn(f64) + Sync),
    /// Warnings so far.
    pub warnings: Mutex<Vec<String>>,
}

impl Context<'_> {
    /// The parameters as the stage's own type.
    ///
    /// # Errors
    /// When they are not of that form, which `resolve` has checked.
    pub fn params<P: DeserializeOwned + Default + Serialize>(&self) -> Result<P, StageError> {
        merged::<P>(&self.params).map_err(StageError::failed)
    }

    /// All inputs of a role.
    pub fn inputs(&self, role: &str) -> Vec<&Artifact> {
        self.artifacts.iter().filter(|artifact| artifact.role == role).collect()
    }

    /// The first input of a role.
    ///
    /// # Errors
    /// When there is none.
    pub fn input(&self, role: &str) -> Result<&Artifact, StageError> {
        self.optional(role).ok_or_else(|| {
            StageError::Failed(format!("target `{}` has no input in the role `{role}`", self.target))
        })
    }

    /// The first input of a role, if there is one.
    pub fn optional(&self, role: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.role == role)
    }

    /// The input of a role whose output has this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(&self, role: &str, output: &str) -> Result<&Artifact, StageError> {
        self.artifacts
            .iter()
            .find(|artifact| artifact.role == role && artifact.output() == output)
            .ok_or_else(|| {
                StageError::Failed(format!("target `{}` has no `{output}` in the role `{role}`", self.target))
            })
    }

    /// Says something that a reader of the results has to know.
    pub fn warn(&self, text: impl Into<String>) {
        if let Ok(mut warnings) = self.warnings.lock() {
            warnings.push(text.into());
        }
    }
}

/// A stage: what it is called, what it takes, what it does.
pub trait Stage: Send + Sync {
    /// Stable name (`fit.idvg`).
    fn name(&self) -> &'static str;

    /// Semantic version, raised by hand when equal inputs come to mean other numbers.
    fn version(&self) -> u32;

    /// One line on what it does.
    fn about(&self) -> &'static str;

    /// The inputs it takes.
    fn roles(&self) -> &'static [Role];

    /// Checks the given parameters and returns the resolved ones, those at their default left out.
    ///
    /// # Errors
    /// Names the first key that is unknown or of the wrong kind.
    fn resolve(&self, given: &Value) -> Result<Value, ParamError>;

    /// Files of the user that the parameters name.
    fn files(&self, _params: &Value) -> Vec<String> {
        Vec::new()
    }

    /// Looks at what the stage finds outside of the store and of `files`, a data set of the user's say,
    /// before anything runs.
    ///
    /// # Errors
    /// When it is bad or absent.
    fn check(&self, _params: &Value) -> Result<(), InputError> {
        Ok(())
    }

    /// The parts of the work that have keys of their own; none for a stage that runs in one piece.
    fn shards(&self, _params: &Value, _inputs: &[Artifact]) -> Vec<Shard> {
        Vec::new()
    }

    /// Does the work, or one shard of it.
    ///
    /// # Errors
    /// Bad input, or a computation that failed.
    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError>;

    /// Joins the outputs of the shards, which are the inputs of the role `shards` in their order.
    ///
    /// # Errors
    /// Bad input, or a computation that failed.
    fn reduce(&self, _context: &Context<'_>) -> Result<Outputs, StageError> {
        Err(StageError::Failed(format!("stage {} has no shards to join", self.name())))
    }

    /// Seconds that an action takes on two cores, roughly, until the store knows better.
    fn seconds(&self) -> f64 {
        0.2
    }
}

/// Resolves parameters through the stage's own type: unknown keys are found with the nearest known
/// name, values at their default are left out of the result, so that a new optional parameter
/// invalidates nothing.
///
/// # Errors
/// Names the first key that is unknown or of the wrong kind.
pub fn resolve_as<P: Serialize + DeserializeOwned + Default>(given: &Value) -> Result<Value, ParamError> {
    let defaults = serde_json::to_value(P::default()).unwrap_or(Value::Null);
    let typed: P = merged(given).map_err(|found| {
        // What a type refuses, it may refuse for a key that it does not know.
        let wrong = || ParamError {
            key: culprit::<P>(given).unwrap_or_default(),
            found: found.to_string(),
            expected: "a value of the right kind".into(),
        };
        unknown_field(&found.to_string())
            .and_then(|(field, known)| unknown("", given, &defaults, Some((&field, &known))))
            .unwrap_or_else(wrong)
    })?;
    let mut resolved = serde_json::to_value(typed).unwrap_or(Value::Null);
    // A key that is unset by default, and so absent from the defaults, is known if it comes through.
    if let Some(error) = unknown("", given, &resolved, None) {
        return Err(error);
    }
    if let (Value::Object(map), Value::Object(defaults)) = (&mut resolved, &defaults) {
        map.retain(|key, value| defaults.get(key) != Some(value));
    }
    Ok(resolved)
}

/// The given parameters over the defaults, as a typed value.
fn merged<P: DeserializeOwned + Default + Serialize>(given: &Value) -> Result<P, serde_json::Error> {
    let mut whole = serde_json::to_value(P::default())?;
    overlay(&mut whole, given);
    serde_json::from_value(whole)
}

fn overlay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(slot) if slot.is_object() => overlay(slot, value),
                    _ => {
                        base.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// The first key of `given` that is not among the `known` ones; with a `refused` field and the names in its place, only
/// that one.
fn unknown(
    prefix: &str,
    given: &Value,
    known: &Value,
    refused: Option<(&str, &[String])>,
) -> Option<ParamError> {
    let (Value::Object(given), Value::Object(known)) = (given, known) else { return None };
    for (key, value) in given {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let names: Vec<&str> = match (known.get(key), refused) {
            (Some(inner), _) => {
                if let Some(error) = unknown(&path, value, inner, refused) {
                    return Some(error);
                }
                continue;
            }
            (None, Some((field, names))) if field == key => names.iter().map(String::as_str).collect(),
            // Unset by default: the refused field stands in it, or elsewhere.
            (None, Some((field, names))) => {
                if value.get(field).is_some() {
                    let known = names.iter().map(String::as_str);
                    return Some(ParamError {
                        key: format!("{path}.{field}"),
                        found: format!("unknown key `{field}`"),
                        expected: nearest(field, known),
                    });
                }
                continue;
            }
            (None, None) => known.keys().map(String::as_str).collect(),
        };
        return Some(ParamError {
            key: path,
            found: format!("unknown key `{key}`"),
            expected: nearest(key, names.into_iter()),
        });
    }
    None
}

/// The field that a type does not know, and those that it does: from the words of serde, which knows of the fields that
/// are unset by default too.
fn unknown_field(words: &str) -> Option<(String, Vec<String>)> {
    let rest = words.strip_prefix("unknown field ")?;
    let mut names = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((names.next()?, names.collect()))
}

/// The key whose value alone already fails.
fn culprit<P: DeserializeOwned + Default + Serialize>(given: &Value) -> Option<String> {
    let map = given.as_object()?;
    map.iter().find_map(|(key, value)| {
        let alone = Value::Object([(key.clone(), value.clone())].into_iter().collect());
        merged::<P>(&alone).is_err().then(|| key.clone())
    })
}

/// "`doses_krad_si` (did you mean it?), or one of …": what to write instead of an unknown name.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = known.collect();
    names.sort_unstable();
    let best = names
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let all = names.join(", ");
    match best {
        Some((likeness, candidate)) if likeness > 0.7 => format!("`{candidate}` (nearest); known: {all}"),
        _ if all.is_empty() => "no key here".into(),
        _ => format!("one of {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Serialize, Deserialize, Default)]
    #[serde(deny_unknown_fields)]
    struct Params {
        doses_krad_si: Vec<f64>,
        trials: u32,
    }

    #[test]
    fn parameters_resolve_to_what_differs_from_the_default() {
        assert_eq!(resolve_as::<Params>(&json!({"trials": 0})).unwrap(), json!({}));
        assert_eq!(
            resolve_as::<Params>(&json!({"doses_krad_si": [1]})).unwrap(),
            json!({"doses_krad_si": [1.0]})
        );
        let error = resolve_as::<Params>(&json!({"dose_krad_si": [1]})).unwrap_err();
        assert!(error.expected.starts_with("`doses_krad_si` (nearest)"), "{error:?}");
        let error = resolve_as::<Params>(&json!({"trials": "many"})).unwrap_err();
        assert_eq!(error.key, "trials");
    }

    #[derive(Serialize, Deserialize, Default)]
    struct Flat {
        #[serde(flatten)]
        inner: Flattened,
        array: mho_network::array::ArrayConfig,
    }

    #[derive(Serialize, Deserialize, Default)]
    struct Flattened {
        trials: u32,
    }

    #[test]
    fn parameters_that_are_unset_by_default_are_known_and_others_are_not() {
        let given = json!({"array": {"cell": {"conductance_max_us": 20.0, "read_voltage_v": 0.2},
            "pulse": {"swing_v": 0.4}, "output": {"circuit": {"sigma_capacitor": 0.02}}}});
        let resolved = resolve_as::<Flat>(&given).unwrap();
        assert_eq!(resolved["array"]["cell"]["conductance_max_us"], json!(20.0));
        assert_eq!(resolved["array"]["pulse"]["swing_v"], json!(0.4));
        assert!(resolve_as::<Flat>(&json!({"array": {"cell": {"current_max_na": 5000}}})).is_ok());
        for (given, key, expected) in [
            (json!({"trails": 3}), "trails", "`trials`"),
            (
                json!({"array": {"cell": {"conductance_mx_us": 1.0}}}),
                "array.cell.conductance_mx_us",
                "`conductance_max_us`",
            ),
            (json!({"array": {"pulse": {"swing": 0.4}}}), "array.pulse.swing", "`swing_v`"),
            (json!({"array": {"puls": {"swing_v": 0.4}}}), "array.puls", "`pulse`"),
        ] {
            let error = resolve_as::<Flat>(&given).unwrap_err();
            assert_eq!(error.key, key, "{error:?}");
            assert!(error.expected.starts_with(expected), "{error:?}");
        }
    }
}
