//! Why a target would run again: its key against the last one it had.

use crate::key::Digest;
use crate::stage::{Artifact, Stage};
use crate::store::Store;
use crate::study::{Study, Target};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// One difference between the key that a target has now and the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It never ran in this store.
    Never,
    /// It had this very key; its results were removed or damaged.
    Gone,
    /// The stage computes something else now.
    Stage {
        /// Then and now.
        before: String,
        /// Now.
        now: String,
    },
    /// The root seed.
    Seed {
        /// Then.
        before: u64,
        /// Now.
        now: u64,
    },
    /// A parameter.
    Parameter {
        /// Its key.
        key: String,
        /// Then.
        before: String,
        /// Now.
        now: String,
        /// Where it stands.
        place: String,
    },
    /// The content of an input.
    Input {
        /// Role and name.
        name: String,
        /// What happened to it.
        change: &'static str,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never run in this store"),
            Self::Gone => f.write_str("its results are no longer in the store"),
            Self::Stage { before, now } => write!(f, "stage {before} → {now}"),
            Self::Seed { before, now } => write!(f, "seed {before} → {now}"),
            Self::Parameter { key, before, now, place } => write!(f, "{key} {before} → {now}, {place}"),
            Self::Input { name, change } => write!(f, "input {name}: {change}"),
        }
    }
}

/// The differences between the present key of a target and the last one in its history.
pub fn differences(
    study: &Study,
    target: &Target,
    stage: &dyn Stage,
    artifacts: &[Artifact],
    key: &Digest,
    store: &Store,
) -> Vec<Difference> {
    let history = store.history(&study.name, &target.name);
    let Some(last) = history.last() else { return vec![Difference::Never] };
    if history.iter().any(|record| record.key == *key) {
        return vec![Difference::Gone];
    }
    let mut found = Vec::new();
    let now = format!("{}@{}", stage.name(), stage.version());
    let before = format!("{}@{}", last.stage, last.version);
    if before != now {
        found.push(Difference::Stage { before, now });
    }
    if last.seed != study.seed {
        found.push(Difference::Seed { before: last.seed, now: study.seed });
    }
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    for name in names(&last.params).union(&names(&target.params)) {
        let (before, now) = (last.params.get(name), target.params.get(name));
        if before != now {
            let text = |value: Option<&Value>| value.map_or("(default)".to_owned(), Value::to_string);
            let place = target.places.get(name).cloned().unwrap_or_else(|| study.file.clone());
            found.push(Difference::Parameter {
                key: name.clone(),
                before: text(before),
                now: text(now),
                place,
            });
        }
    }
    let inputs: Vec<(String, Digest)> =
        artifacts.iter().map(|a| (format!("{} = {}", a.role, a.name), a.digest.clone())).collect();
    for (name, digest) in &inputs {
        match last.inputs.iter().find(|(other, _)| other == name) {
            None => found.push(Difference::Input { name: name.clone(), change: "new" }),
            Some((_, before)) if before != digest => {
                found.push(Difference::Input { name: name.clone(), change: "its content changed" });
            }
            Some(_) => {}
        }
    }
    for (name, _) in &last.inputs {
        if !inputs.iter().any(|(other, _)| other == name) {
            found.push(Difference::Input { name: name.clone(), change: "no longer read" });
        }
    }
    found
}
