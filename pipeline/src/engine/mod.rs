//! The engine: walks a study's targets in order, finds what the store already has, runs the rest.
//!
//! A key is made from the content of the inputs, so a target whose inputs came out the same is not run
//! again (early cutoff). A target that fails stops only what depends on it.

mod export;
mod material;
mod plan;
mod preflight;
mod progress;
mod run;
mod why;

#[cfg(test)]
mod tests;

pub use export::export;
pub use plan::{PlanLine, State, plan};
pub use preflight::preflight;
pub use progress::{Progress, duration};
pub use run::{Failure, RunReport, run};
pub use why::{Difference, differences};

use crate::key::{Digest, Preimage, digest};
use crate::stage::{Artifact, Stage};
use crate::store::{Action, OutputRef};
use crate::study::{Study, Target};
use mho_data::InputError;
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that names an action: its stage, parameters, and the digests of what it reads.
pub(crate) struct Identity<'a> {
    pub(crate) stage: &'a dyn Stage,
    pub(crate) params: &'a Value,
    pub(crate) artifacts: &'a [Artifact],
    pub(crate) seed: u64,
    /// Distinguishes the whole of a sharded target, its shards, and plain actions.
    pub(crate) part: &'a str,
    /// Identity of the build, where it counts.
    pub(crate) code: Option<&'a str>,
}

impl Identity<'_> {
    pub(crate) fn key(&self) -> Digest {
        let mut preimage = Preimage::new(self.stage.name(), self.stage.version(), self.seed);
        preimage.field("part", self.part.as_bytes());
        preimage.parameters("parameters", self.params);
        for artifact in self.artifacts {
            // The output's own name tells roles apart in a list; the target's name never enters.
            preimage.field(&artifact.role, artifact.output().as_bytes());
            preimage.field("digest", artifact.digest.as_bytes());
        }
        if let Some(code) = self.code {
            preimage.field("code", code.as_bytes());
        }
        preimage.key()
    }
}

/// The stage of a target; a study is only built from stages that exist.
pub(crate) fn stage_of<'a>(stages: &'a [Box<dyn Stage>], target: &Target) -> Option<&'a dyn Stage> {
    stages.iter().find(|stage| stage.name() == target.stage).map(Box::as_ref)
}

/// The artifacts that a target reads, without their bytes, from what is known of the targets before it.
pub(crate) fn artifacts_of(
    study: &Study,
    target: &Target,
    done: &BTreeMap<String, Action>,
    files: &[Artifact],
) -> Result<Vec<Artifact>, InputError> {
    let mut artifacts = Vec::new();
    for input in &target.inputs {
        let Some(action) = done.get(&input.target) else { continue };
        let chosen: Vec<&OutputRef> = match &input.output {
            None => action.outputs.iter().collect(),
            Some(name) => action.outputs.iter().filter(|output| output.role == *name).collect(),
        };
        if let (true, Some(name)) = (chosen.is_empty(), &input.output) {
            return Err(InputError::new(
                study.file.clone(),
                format!("target `{}` asks for `{}/{name}`", target.name, input.target),
                crate::stage::nearest(name, action.outputs.iter().map(|output| output.role.as_str())),
            ));
        }
        artifacts.extend(chosen.into_iter().map(|output| Artifact {
            role: input.role.clone(),
            name: format!("{}/{}", input.target, output.role),
            file: output.file.clone(),
            digest: output.digest.clone(),
            size: output.size,
            bytes: Vec::new(),
        }));
    }
    artifacts.extend(files.iter().cloned());
    Ok(artifacts)
}

/// The user's files of a target, read once: the very bytes that are hashed are those that are parsed.
pub(crate) fn read_files(target: &Target) -> Result<Vec<Artifact>, InputError> {
    target
        .files
        .iter()
        .map(|(name, path)| {
            let bytes = std::fs::read(path).map_err(|error| {
                InputError::new(name.clone(), error.to_string(), "a file that can be read")
            })?;
            let file = path.file_name().map_or_else(|| name.clone(), |n| n.to_string_lossy().into_owned());
            Ok(Artifact {
                role: "file".into(),
                name: format!("file/{file}"),
                file,
                digest: digest(&bytes),
                size: bytes.len() as u64,
                bytes,
            })
        })
        .collect()
}
