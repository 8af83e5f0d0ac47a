//! Running a study.

use super::{Identity, Progress, artifacts_of, read_files, stage_of};
use crate::key::Digest;
use crate::stage::{Artifact, Context, Outputs, Shard, Stage, StageError};
use crate::store::{Action, Fetch, OutputRef, Store, StoreError, TargetRecord};
use crate::study::{Study, Target};
use mho_data::InputError;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

/// Why a target has no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Bad input.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The computation failed.
    #[error("target `{target}`: {reason}")]
    Computation {
        /// Name of the target.
        target: String,
        /// What went wrong.
        reason: String,
    },
    /// A target before it failed.
    #[error("target `{target}` did not run: `{before}` failed")]
    Upstream {
        /// Name of the target.
        target: String,
        /// The one that failed.
        before: String,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store's content cannot be trusted.
    #[error("{0}")]
    Integrity(String),
}

/// What a run did.
#[derive(Debug, Default)]
pub struct RunReport {
    /// Outputs of every finished target.
    pub done: BTreeMap<String, Action>,
    /// Keys of the finished targets.
    pub keys: BTreeMap<String, Digest>,
    /// What every finished target read: `role = target/output` and digest.
    pub inputs: BTreeMap<String, Vec<(String, Digest)>>,
    /// Actions executed, shards counted one by one.
    pub executed: usize,
    /// Names of the targets that were executed, or whose shards were.
    pub ran: Vec<String>,
    /// What went wrong, in order.
    pub failures: Vec<Failure>,
}

/// Runs what is not in the store yet.
pub fn run(study: &Study, stages: &[Box<dyn Stage>], store: &Store, progress: &Progress) -> RunReport {
    let runner = Runner { study, stages, store, progress, state: Mutex::default() };
    for target in &study.targets {
        runner.visit(target);
        // A store that cannot be written stops the run: what follows would only say so again.
        if runner.with(|state| matches!(state.failures.last(), Some(Failure::Store(_)))) {
            break;
        }
    }
    runner.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(super) struct Runner<'a> {
    pub(super) study: &'a Study,
    stages: &'a [Box<dyn Stage>],
    pub(super) store: &'a Store,
    progress: &'a Progress,
    state: Mutex<RunReport>,
}

/// An action about to run.
struct Job<'a> {
    target: &'a Target,
    stage: &'a dyn Stage,
    name: String,
    params: Value,
    artifacts: Vec<Artifact>,
    key: Digest,
    reduce: bool,
    /// Its part of the target's work.
    share: f64,
}

impl<'a> Runner<'a> {
    pub(super) fn say(&self, text: &str) {
        self.progress.say(text);
    }

    fn with<T>(&self, f: impl FnOnce(&mut RunReport) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        f(&mut state)
    }

    fn visit(&self, target: &'a Target) {
        let before = self.with(|state| {
            target
                .inputs
                .iter()
                .find(|input| !state.done.contains_key(&input.target))
                .map(|i| i.target.clone())
        });
        let result = match before {
            Some(before) => Err(Failure::Upstream { target: target.name.clone(), before }),
            None => self.produce(target, false),
        };
        self.progress.finished(&target.name);
        if let Err(failure) = result {
            self.progress.say(&failure.to_string());
            self.with(|state| state.failures.push(failure));
        }
    }

    /// Makes sure that a target's outputs stand in the store; `again` runs it whatever the store says.
    pub(super) fn produce(&self, target: &'a Target, again: bool) -> Result<(), Failure> {
        let stage = stage_of(self.stages, target).ok_or_else(|| Failure::Computation {
            target: target.name.clone(),
            reason: format!("no stage `{}`", target.stage),
        })?;
        let files = read_files(target)?;
        let artifacts = self.with(|state| artifacts_of(self.study, target, &state.done, &files))?;
        let shards = stage.shards(&target.params, &artifacts);
        let part = if shards.is_empty() { "" } else { "sharded" };
        let (seed, code) = (self.study.seed, self.study.code.as_deref());
        let key = Identity { stage, params: &target.params, artifacts: &artifacts, seed, part, code }.key();
        let inputs: Vec<(String, Digest)> =
            artifacts.iter().map(|a| (format!("{} = {}", a.role, a.name), a.digest.clone())).collect();
        let action = match self.store.action(&key).filter(|_| !again) {
            Some(action) => action,
            None => {
                self.store.prepare()?;
                for file in &files {
                    self.store.archive(&file.bytes)?;
                }
                let _lease = self.store.lease(&key);
                match self.store.action(&key).filter(|_| !again) {
                    Some(action) => action,
                    None => {
                        let job = Job {
                            target,
                            stage,
                            name: target.name.clone(),
                            params: target.params.clone(),
                            artifacts,
                            key: key.clone(),
                            reduce: false,
                            share: 1.0,
                        };
                        if shards.is_empty() {
                            self.execute(job, again)?
                        } else {
                            self.sharded(job, shards, again)?
                        }
                    }
                }
            }
        };
        for warning in &action.warnings {
            self.progress.warning(&target.name, warning);
        }
        self.remember(target, stage, &key, &action, inputs.clone())?;
        self.with(|state| {
            state.inputs.insert(target.name.clone(), inputs);
            state.keys.insert(target.name.clone(), key);
            state.done.insert(target.name.clone(), action);
        });
        Ok(())
    }

    /// Writes the target's history: with the very inputs that made the key, not with what a file holds by now.
    fn remember(
        &self,
        target: &Target,
        stage: &dyn Stage,
        key: &Digest,
        action: &Action,
        inputs: Vec<(String, Digest)>,
    ) -> Result<(), Failure> {
        let history = self.store.history(&self.study.name, &target.name);
        if history.last().is_some_and(|last| last.key == *key) {
            return Ok(());
        }
        self.store.prepare()?;
        self.store.remember(
            &self.study.name,
            &target.name,
            TargetRecord {
                key: key.clone(),
                stage: stage.name().to_owned(),
                version: stage.version(),
                seed: self.study.seed,
                params: target.params.clone(),
                inputs,
                outputs: action.outputs.iter().map(|o| (o.role.clone(), o.digest.clone())).collect(),
            },
        )?;
        Ok(())
    }

    fn sharded(&self, mut job: Job<'a>, shards: Vec<Shard>, again: bool) -> Result<Action, Failure> {
        // Here and not in each shard: a damaged input is made again once, before the work spreads over threads.
        self.materialise(&mut job.artifacts)?;
        let share = 1.0 / shards.len() as f64;
        let results: Vec<Result<(String, Action), Failure>> = shards
            .into_par_iter()
            .map(|shard| {
                let artifacts: Vec<Artifact> = job
                    .artifacts
                    .iter()
                    .filter(|a| shard.reads.as_ref().is_none_or(|reads| reads.contains(&a.name)))
                    .cloned()
                    .collect();
                let identity = Identity {
                    stage: job.stage,
                    params: &shard.params,
                    artifacts: &artifacts,
                    seed: self.study.seed,
                    part: "shard",
                    code: self.study.code.as_deref(),
                };
                let key = identity.key();
                if let Some(action) = self.store.action(&key).filter(|action| !again && self.intact(action)) {
                    self.progress.advance(&job.target.name, share);
                    return Ok((shard.name, action));
                }
                let name = format!("{}[{}]", job.target.name, shard.name);
                let part = Job {
                    target: job.target,
                    stage: job.stage,
                    name,
                    params: shard.params,
                    artifacts,
                    key,
                    reduce: false,
                    share,
                };
                self.execute(part, again).map(|action| (shard.name, action))
            })
            .collect();
        let mut artifacts = Vec::new();
        let mut warnings = Vec::new();
        let mut seconds = 0.0;
        for result in results {
            let (shard, action) = result?;
            seconds += action.seconds;
            for warning in action.warnings {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
            artifacts.extend(action.outputs.into_iter().map(|output| Artifact {
                role: "shards".into(),
                name: format!("{shard}/{}", output.role),
                file: output.file,
                digest: output.digest,
                size: output.size,
                bytes: Vec::new(),
            }));
        }
        let key = job.key.clone();
        // The key of the whole stands for the joined result; the joining itself reads the shards.
        let joined = self.execute(
            Job {
                name: job.name.clone(),
                params: job.params.clone(),
                artifacts,
                key: key.clone(),
                reduce: true,
                share: 0.0,
                ..job
            },
            true,
        )?;
        let action = Action {
            warnings: [warnings, joined.warnings].concat(),
            seconds: seconds + joined.seconds,
            ..joined
        };
        self.publish(&job.target.name, &key, &action)
    }

    /// Whether every output of an action can be read back; what is damaged goes into quarantine.
    fn intact(&self, action: &Action) -> bool {
        action.outputs.iter().all(|output| matches!(self.store.get(&output.digest), Ok(Fetch::Found(_))))
    }

    fn publish(&self, name: &str, key: &Digest, action: &Action) -> Result<Action, Failure> {
        let standing = self.store.publish(key, action)?;
        if standing.outputs != action.outputs {
            self.say(&format!(
                "{name}: stage {} is not deterministic: another run gave other bytes under the same key; \
                 the first ones are kept",
                action.stage
            ));
        }
        Ok(standing)
    }

    fn execute(&self, job: Job<'_>, again: bool) -> Result<Action, Failure> {
        let started = Instant::now();
        let Job { target, stage, name, params, mut artifacts, key, reduce, share } = job;
        if reduce {
            for artifact in &mut artifacts {
                artifact.bytes = self.shard_bytes(artifact)?;
            }
        } else {
            self.materialise(&mut artifacts)?;
        }
        let advanced = Mutex::new(0.0_f64);
        let hear = |fraction: f64| {
            let mut before = advanced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let fraction = fraction.clamp(0.0, 1.0);
            if fraction > *before {
                self.progress.advance(&target.name, share * (fraction - *before));
                *before = fraction;
            }
        };
        let context = Context {
            target: name.clone(),
            stage: format!("{}@{}", stage.name(), stage.version()),
            key: key.clone(),
            params,
            artifacts,
            seed: self.study.seed,
            progress: &hear,
            warnings: Mutex::default(),
        };
        let outcome =
            catch_unwind(AssertUnwindSafe(
                || if reduce { stage.reduce(&context) } else { stage.run(&context) },
            ));
        let outputs: Outputs = match outcome {
            Ok(Ok(outputs)) => outputs,
            Ok(Err(StageError::Input(error))) => return Err(Failure::Input(error)),
            Ok(Err(StageError::Failed(reason))) => return Err(Failure::Computation { target: name, reason }),
            Err(panic) => {
                let text = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
                    .unwrap_or_default();
                let reason = format!("stage {} broke down: {text}", stage.name());
                return Err(Failure::Computation { target: name, reason });
            }
        };
        hear(1.0);
        let mut refs = Vec::with_capacity(outputs.0.len());
        for output in outputs.0 {
            let digest = self.store.put(&output.bytes)?;
            let size = output.bytes.len() as u64;
            refs.push(OutputRef {
                role: output.role,
                file: output.file,
                export: output.export,
                digest,
                size,
            });
        }
        let warnings = context.warnings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let seconds = started.elapsed().as_secs_f64();
        let action = Action {
            stage: stage.name().to_owned(),
            version: stage.version(),
            outputs: refs,
            warnings,
            seconds,
        };
        self.with(|state| {
            state.executed += 1;
            if state.ran.last() != Some(&target.name) {
                state.ran.push(target.name.clone());
            }
        });
        if again {
            return Ok(action);
        }
        self.publish(&name, &key, &action)
    }

    fn shard_bytes(&self, artifact: &Artifact) -> Result<Vec<u8>, Failure> {
        match self.store.get(&artifact.digest)? {
            Fetch::Found(bytes) => Ok(bytes),
            _ => Err(Failure::Integrity(format!(
                "shard {} was damaged in the store while it was joined; run again to make it anew",
                artifact.name
            ))),
        }
    }
}
