//! What would run, and why; nothing is written.

use super::{Identity, artifacts_of, differences, read_files, stage_of};
use crate::key::Digest;
use crate::stage::{Artifact, Stage};
use crate::store::{Action, Store};
use crate::study::Study;
use mho_data::InputError;
use serde::Serialize;
use std::collections::BTreeMap;

/// What would happen to a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// Its outputs are in the store.
    Cached,
    /// It would run.
    Run {
        /// Why.
        reasons: Vec<String>,
        /// Shards that the store has already, of how many.
        shards: Option<(usize, usize)>,
    },
    /// It runs if what comes before it gives other outputs than now.
    Depends {
        /// The targets that run before it.
        on: Vec<String>,
    },
}

/// A target in a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanLine {
    /// Target.
    pub target: String,
    /// Stage with its version.
    pub stage: String,
    /// Targets that it reads.
    pub inputs: Vec<String>,
    /// Its key, where what it reads is known.
    pub key: Option<Digest>,
    /// Seconds that it will take if it runs, as far as the store knows.
    pub seconds: f64,
    /// What would happen.
    #[serde(flatten)]
    pub state: State,
}

/// The plan of a study against a store.
///
/// # Errors
/// When a file of the user cannot be read, or an output is asked for that its target does not give.
pub fn plan(study: &Study, stages: &[Box<dyn Stage>], store: &Store) -> Result<Vec<PlanLine>, InputError> {
    let mut done: BTreeMap<String, Action> = BTreeMap::new();
    let mut lines = Vec::with_capacity(study.targets.len());
    for target in &study.targets {
        let Some(stage) = stage_of(stages, target) else { continue };
        let mut inputs: Vec<String> = target.inputs.iter().map(|input| input.target.clone()).collect();
        inputs.dedup();
        let on: Vec<String> = inputs.iter().filter(|input| !done.contains_key(*input)).cloned().collect();
        let mut known_key = None;
        let state = if on.is_empty() {
            let files = read_files(target)?;
            let artifacts = artifacts_of(study, target, &done, &files)?;
            let shards = stage.shards(&target.params, &artifacts);
            let part = if shards.is_empty() { "" } else { "sharded" };
            let (seed, code) = (study.seed, study.code.as_deref());
            let identity =
                Identity { stage, params: &target.params, artifacts: &artifacts, seed, part, code };
            let key = identity.key();
            known_key = Some(key.clone());
            match store.action(&key) {
                Some(action) => {
                    done.insert(target.name.clone(), action);
                    State::Cached
                }
                None => {
                    let found = shards.iter().filter(|shard| {
                        let read: Vec<Artifact> = artifacts
                            .iter()
                            .filter(|a| shard.reads.as_ref().is_none_or(|reads| reads.contains(&a.name)))
                            .cloned()
                            .collect();
                        let identity = Identity {
                            stage,
                            params: &shard.params,
                            artifacts: &read,
                            seed: study.seed,
                            part: "shard",
                            code,
                        };
                        store.action(&identity.key()).is_some()
                    });
                    let shards = (!shards.is_empty()).then(|| (found.count(), shards.len()));
                    let reasons = differences(study, target, stage, &artifacts, &key, store)
                        .into_iter()
                        .map(|difference| difference.to_string())
                        .collect();
                    State::Run { reasons, shards }
                }
            }
        } else {
            State::Depends { on }
        };
        lines.push(PlanLine {
            target: target.name.clone(),
            stage: format!("{}@{}", stage.name(), stage.version()),
            inputs,
            key: known_key,
            seconds: if state == State::Cached { 0.0 } else { seconds(study, &target.name, stage, store) },
            state,
        });
    }
    Ok(lines)
}

/// What the target took when it last ran, else what its stage takes roughly.
fn seconds(study: &Study, target: &str, stage: &dyn Stage, store: &Store) -> f64 {
    let history = store.history(&study.name, target);
    let last = history.iter().rev().find_map(|record| store.action(&record.key));
    last.map_or(stage.seconds(), |action| action.seconds)
}
