//! Action entries and the history of targets.

use super::{Store, StoreError};
use crate::key::{Digest, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;

/// How many past keys of a target are remembered.
const HISTORY: usize = 10;

/// One output of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRef {
    /// Its role (`table`, `card`, `figure`).
    pub role: String,
    /// File name with an ending that says what it is.
    pub file: String,
    /// Where it goes under the results folder, if anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<String>,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
}

/// What an action gave, under its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Stage name.
    pub stage: String,
    /// Its semantic version.
    pub version: u32,
    /// Outputs in the order in which the stage gave them.
    pub outputs: Vec<OutputRef>,
    /// What a reader of the results has to know.
    pub warnings: Vec<String>,
    /// Seconds that it took, for estimates of the remaining time.
    pub seconds: f64,
}

/// A key that a target had, with what went into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetRecord {
    /// The key.
    pub key: Digest,
    /// Stage and version.
    pub stage: String,
    /// Semantic version of the stage.
    pub version: u32,
    /// Root seed.
    pub seed: u64,
    /// Resolved parameters.
    pub params: Value,
    /// Inputs: role and name, and digest.
    pub inputs: Vec<(String, Digest)>,
    /// Outputs: role and digest.
    pub outputs: Vec<(String, Digest)>,
}

impl Store {
    /// The entry of a key; `None` when there is none, when it is damaged, or when one of its objects is
    /// gone: then the action has to run.
    pub fn action(&self, key: &Digest) -> Option<Action> {
        let text = fs::read_to_string(self.sharded("ac", key)).ok()?;
        let (checksum, body) = text.split_once('\n')?;
        if digest(body.as_bytes()) != checksum {
            return None;
        }
        let action: Action = serde_json::from_str(body).ok()?;
        action.outputs.iter().all(|output| self.has(&output.digest, output.size)).then_some(action)
    }

    /// Publishes an action whose objects are stored. Returns the entry that stands: the first one is
    /// kept when another run published different outputs under the same key.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn publish(&self, key: &Digest, action: &Action) -> Result<Action, StoreError> {
        if let Some(standing) = self.action(key) {
            return Ok(standing);
        }
        let body = serde_json::to_string(action).unwrap_or_default();
        let text = format!("{}\n{body}", digest(body.as_bytes()));
        let path = self.sharded("ac", key);
        if !self.write_new(&path, text.as_bytes())? {
            // Either another run was faster, or what stands there is damaged.
            if let Some(standing) = self.action(key) {
                return Ok(standing);
            }
            self.write_atomically(&path, text.as_bytes())?;
        }
        Ok(action.clone())
    }

    /// Forgets an action, so that it runs again.
    pub fn forget(&self, key: &Digest) {
        let _ = fs::remove_file(self.sharded("ac", key));
    }

    /// Past keys of a target, the newest last. Damaged history is no history.
    pub fn history(&self, study: &str, target: &str) -> Vec<TargetRecord> {
        fs::read_to_string(self.target_path(study, target))
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Remembers that a target now has this key.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remember(&self, study: &str, target: &str, record: TargetRecord) -> Result<(), StoreError> {
        let mut history = self.history(study, target);
        if history.last().is_some_and(|last| last.key == record.key) {
            return Ok(());
        }
        history.push(record);
        let surplus = history.len().saturating_sub(HISTORY);
        history.drain(..surplus);
        let text = serde_json::to_string_pretty(&history).unwrap_or_default();
        self.write_atomically(&self.target_path(study, target), text.as_bytes())
    }

    /// Every action key, sorted.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn actions(&self) -> Result<Vec<Digest>, StoreError> {
        Ok(self.listed("ac")?.into_iter().map(|(name, _)| name).collect())
    }

    /// Every record in the history of every target of every study.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn recent(&self) -> Result<Vec<TargetRecord>, StoreError> {
        let mut records = Vec::new();
        for (name, _) in self.listed("targets")? {
            for study in self.studies()? {
                if let Some(target) = name.strip_suffix(".json") {
                    records.extend(self.history(&study, target));
                }
            }
        }
        Ok(records)
    }

    fn studies(&self) -> Result<Vec<String>, StoreError> {
        let root = self.root.join("targets");
        let mut names = Vec::new();
        if root.exists() {
            for folder in super::io(fs::read_dir(&root), "list", &root)? {
                names.push(super::io(folder, "list", &root)?.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }

    fn target_path(&self, study: &str, target: &str) -> std::path::PathBuf {
        self.root.join("targets").join(study).join(format!("{target}.json"))
    }
}
