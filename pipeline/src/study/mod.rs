//! Studies: named targets, each a stage with parameters and inputs by name.
//!
//! A study is checked as a whole before anything runs: unknown keys, stages and targets, loops, wrong
//! kinds of values and missing files are errors with file and line and the nearest name.

mod lines;
mod set;

use crate::stage::{ParamError, Stage, nearest};
use lines::Lines;
use mho_data::InputError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An input of a target as the study names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRef {
    /// Role that it plays.
    pub role: String,
    /// The target that makes it.
    pub target: String,
    /// One output of that target; `None`: all of them.
    pub output: Option<String>,
}

/// A target of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Name.
    pub name: String,
    /// Stage name.
    pub stage: String,
    /// Resolved parameters.
    pub params: Value,
    /// Inputs in order.
    pub inputs: Vec<InputRef>,
    /// Files of the user: as written, and where they are.
    pub files: Vec<(String, PathBuf)>,
    /// Where in the study each parameter stands (`study.toml:41` or `--set`).
    pub places: BTreeMap<String, String>,
}

/// A checked study, its targets in an order in which they can run.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Name.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Root seed.
    pub seed: u64,
    /// `target/output` whose text ends a run.
    pub headline: Option<String>,
    /// File name, for messages.
    pub file: String,
    /// Targets in order.
    pub targets: Vec<Target>,
    /// Identity of the build, where keys are to hold it (`--strict-code`).
    pub code: Option<String>,
}

/// Where a study's text comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Name for messages.
    pub file: &'a str,
    /// Folder that relative file names start from.
    pub folder: &'a Path,
}

impl Study {
    /// Reads and checks a study, with overrides of the form `target.key=value`.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, what was found and what was expected.
    pub fn parse(
        text: &str,
        origin: Origin<'_>,
        overrides: &[String],
        seed: Option<u64>,
        stages: &[Box<dyn Stage>],
    ) -> Result<Self, InputError> {
        let lines = Lines::of(text, origin.file)?;
        let mut tree: Value = toml::from_str::<Value>(text)
            .map_err(|error| InputError::new(origin.file, error.message().to_owned(), "a TOML document"))?;
        let mut set_paths = Vec::new();
        for item in overrides {
            set_paths.push(set::apply(item, &mut tree)?);
        }
        Reader { origin, lines, set_paths, stages }.study(&tree, seed)
    }

    /// The target of this name.
    ///
    /// # Errors
    /// Names the nearest one.
    pub fn target(&self, name: &str) -> Result<&Target, InputError> {
        self.targets.iter().find(|target| target.name == name).ok_or_else(|| {
            InputError::new(
                self.file.clone(),
                format!("no target `{name}`"),
                nearest(name, self.targets.iter().map(|target| target.name.as_str())),
            )
        })
    }
}

struct Reader<'a> {
    origin: Origin<'a>,
    lines: Lines,
    set_paths: Vec<String>,
    stages: &'a [Box<dyn Stage>],
}

impl Reader<'_> {
    fn wrong(&self, path: &str, found: impl Into<String>, expected: impl Into<String>) -> InputError {
        let set = self.set_paths.iter().any(|set| path == set || path.starts_with(&format!("{set}.")));
        if set {
            return InputError::new(format!("--set {path}"), found, expected);
        }
        let error = InputError::new(self.origin.file, found, expected);
        match self.lines.of_path(path) {
            Some(line) => error.at_line(line),
            None => error,
        }
    }

    fn place(&self, path: &str) -> String {
        if self.set_paths.iter().any(|set| set == path) {
            return "--set".into();
        }
        match self.lines.of_path(path) {
            Some(line) => format!("{}:{line}", self.origin.file),
            None => self.origin.file.to_owned(),
        }
    }

    fn study(&self, tree: &Value, seed: Option<u64>) -> Result<Study, InputError> {
        let top = tree.as_object().ok_or_else(|| self.wrong("", "no table", "a study"))?;
        const HEAD: [&str; 6] = ["schema", "name", "title", "seed", "headline", "values"];
        match top.get("schema").and_then(Value::as_u64) {
            Some(1) => {}
            Some(other) => return Err(self.wrong("schema", format!("schema {other}"), "schema = 1")),
            None => return Err(self.wrong("schema", "no schema", "schema = 1")),
        }
        let text = |key: &str| -> Result<Option<String>, InputError> {
            match top.get(key) {
                None => Ok(None),
                Some(Value::String(s)) => Ok(Some(s.clone())),
                Some(other) => Err(self.wrong(key, other.to_string(), "a text")),
            }
        };
        let name = text("name")?.ok_or_else(|| self.wrong("name", "no name", "name = \"…\""))?;
        let given_seed = match top.get("seed") {
            None => 0,
            Some(value) => value
                .as_u64()
                .ok_or_else(|| self.wrong("seed", value.to_string(), "a whole number from 0"))?,
        };
        let empty = Value::Object(Map::new());
        let values = top.get("values").unwrap_or(&empty);
        let mut targets = Vec::new();
        for (key, value) in top {
            if HEAD.contains(&key.as_str()) {
                continue;
            }
            let Some(table) = value.as_object() else {
                return Err(self.wrong(key, format!("unknown key `{key}`"), nearest(key, HEAD.into_iter())));
            };
            targets.push(self.target(key, table, values)?);
        }
        let targets = self.ordered(targets)?;
        let study = Study {
            title: text("title")?.unwrap_or_else(|| name.clone()),
            name,
            seed: seed.unwrap_or(given_seed),
            headline: text("headline")?,
            file: self.origin.file.to_owned(),
            targets,
            code: None,
        };
        if let Some(headline) = &study.headline {
            let target = headline.split('/').next().unwrap_or_default();
            if !study.targets.iter().any(|t| t.name == target) {
                let known = study.targets.iter().map(|t| t.name.as_str());
                return Err(self.wrong("headline", format!("no target `{target}`"), nearest(target, known)));
            }
        }
        Ok(study)
    }

    fn target(&self, name: &str, table: &Map<String, Value>, values: &Value) -> Result<Target, InputError> {
        let stage_name = match table.get("stage") {
            Some(Value::String(stage)) => stage.clone(),
            Some(other) => {
                return Err(self.wrong(&format!("{name}.stage"), other.to_string(), "a stage's name"));
            }
            None => {
                return Err(self.wrong(name, format!("target `{name}` without a stage"), "stage = \"…\""));
            }
        };
        let stage = self.stages.iter().find(|stage| stage.name() == stage_name).ok_or_else(|| {
            let known = self.stages.iter().map(|stage| stage.name());
            self.wrong(
                &format!("{name}.stage"),
                format!("no stage `{stage_name}`"),
                nearest(&stage_name, known),
            )
        })?;
        let mut given = Map::new();
        let mut places = BTreeMap::new();
        for (key, value) in table {
            if key == "stage" || key == "inputs" {
                continue;
            }
            let path = format!("{name}.{key}");
            let mut place = self.place(&path);
            let value = match value {
                Value::String(text) if text.starts_with('$') => {
                    let shared = &text[1..];
                    place = self.place(&format!("values.{shared}"));
                    values.get(shared).cloned().ok_or_else(|| {
                        let known: Vec<&str> =
                            values.as_object().into_iter().flatten().map(|(k, _)| k.as_str()).collect();
                        self.wrong(
                            &path,
                            format!("no shared value `{shared}`"),
                            nearest(shared, known.into_iter()),
                        )
                    })?
                }
                other => other.clone(),
            };
            places.insert(key.clone(), place);
            given.insert(key.clone(), value);
        }
        let params =
            stage.resolve(&Value::Object(given)).map_err(|ParamError { key, found, expected }| {
                let found = if found.contains(&key) { found } else { format!("{key}: {found}") };
                self.wrong(&format!("{name}.{key}"), found, expected)
            })?;
        let inputs = self.inputs(name, table.get("inputs"), stage.as_ref())?;
        let mut files = Vec::new();
        for file in stage.files(&params) {
            // A file named on the command line is meant from where the command runs.
            let set = self.set_paths.iter().any(|path| *path == format!("{name}.files"));
            let path = if set { PathBuf::from(&file) } else { self.origin.folder.join(&file) };
            if !path.is_file() {
                return Err(self.wrong(
                    &format!("{name}.files"),
                    format!("no file `{file}`"),
                    if file.ends_with(".toml") {
                        "a card that `mho fit MODEL FILE --out …` has written"
                    } else {
                        "a file that is there"
                    },
                ));
            }
            files.push((file, path));
        }
        Ok(Target { name: name.to_owned(), stage: stage_name, params, inputs, files, places })
    }

    fn inputs(
        &self,
        name: &str,
        given: Option<&Value>,
        stage: &dyn Stage,
    ) -> Result<Vec<InputRef>, InputError> {
        let empty = Map::new();
        let path = format!("{name}.inputs");
        let given = match given {
            None => &empty,
            Some(Value::Object(map)) => map,
            Some(other) => {
                return Err(self.wrong(&path, other.to_string(), "inputs = { role = \"target/output\" }"));
            }
        };
        let roles = stage.roles();
        for role in given.keys() {
            if !roles.iter().any(|known| known.name == role) {
                let known = roles.iter().map(|role| role.name);
                return Err(self.wrong(
                    &format!("{path}.{role}"),
                    format!("stage {} takes no input `{role}`", stage.name()),
                    nearest(role, known),
                ));
            }
        }
        let mut inputs = Vec::new();
        for role in roles {
            let Some(value) = given.get(role.name) else {
                if role.optional {
                    continue;
                }
                return Err(self.wrong(
                    &path,
                    format!("target `{name}` without an input `{}`", role.name),
                    format!("inputs = {{ {} = \"target/output\" }}", role.name),
                ));
            };
            let items = match value {
                Value::Array(items) => items.clone(),
                single => vec![single.clone()],
            };
            for item in items {
                let Value::String(reference) = &item else {
                    return Err(self.wrong(&path, item.to_string(), "\"target\" or \"target/output\""));
                };
                let (target, output) = match reference.split_once('/') {
                    Some((target, output)) => (target.to_owned(), Some(output.to_owned())),
                    None => (reference.clone(), None),
                };
                inputs.push(InputRef { role: role.name.to_owned(), target, output });
            }
        }
        Ok(inputs)
    }

    /// Targets in an order in which each follows what it needs, otherwise as they were.
    fn ordered(&self, targets: Vec<Target>) -> Result<Vec<Target>, InputError> {
        for target in &targets {
            for input in &target.inputs {
                if !targets.iter().any(|other| other.name == input.target) {
                    return Err(self.wrong(
                        &format!("{}.inputs", target.name),
                        format!("no target `{}`", input.target),
                        nearest(&input.target, targets.iter().map(|t| t.name.as_str())),
                    ));
                }
            }
        }
        let mut done: Vec<Target> = Vec::with_capacity(targets.len());
        let mut waiting = targets;
        waiting.sort_by_key(|target| self.lines.of_path(&target.name).unwrap_or(usize::MAX));
        while !waiting.is_empty() {
            let ready = waiting.iter().position(|target| {
                target.inputs.iter().all(|input| done.iter().any(|other| other.name == input.target))
            });
            match ready {
                Some(index) => done.push(waiting.remove(index)),
                None => {
                    let names: Vec<&str> = waiting.iter().map(|target| target.name.as_str()).collect();
                    return Err(self.wrong(
                        names[0],
                        format!("targets that wait for each other: {}", names.join(", ")),
                        "a graph without loops",
                    ));
                }
            }
        }
        Ok(done)
    }
}
