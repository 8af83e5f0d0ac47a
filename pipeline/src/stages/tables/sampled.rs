//! What stages share that make one table for each sample of the parameters.

use super::shards;
use crate::stage::{Outputs, Shard, StageError};
use mho_lut::DeviceTable;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Samples asked for, where a study does not say.
const SAMPLES: u64 = 12;

/// Parameters of a table, and which of its samples.
#[derive(Serialize, Deserialize)]
pub(super) struct Sampled<P> {
    #[serde(flatten)]
    pub(super) table: P,
    /// How many samples.
    samples: u64,
    /// The sample of one shard.
    sample: Option<u64>,
}

impl<P: Default> Default for Sampled<P> {
    fn default() -> Self {
        Self { table: P::default(), samples: SAMPLES, sample: None }
    }
}

impl<P> Sampled<P> {
    /// Number of the sample of this shard.
    pub(super) fn index(&self) -> u64 {
        self.sample.unwrap_or(0)
    }
}

/// Name of a sample.
pub(super) fn name(index: u64) -> String {
    format!("sample-{index:02}")
}

/// One shard for each sample.
pub(super) fn samples(params: &Value) -> Vec<Shard> {
    let count = params.get("samples").and_then(Value::as_u64).unwrap_or(SAMPLES);
    shards(params, (0..count).map(|k| (name(k), "sample", json!(k))).collect(), "samples")
}

/// The table of one shard.
pub(super) fn one(table: &DeviceTable, name: &str) -> Result<Outputs, StageError> {
    let bytes = table.to_bytes().map_err(StageError::failed)?;
    Ok(Outputs::new().with(name, format!("{name}.safetensors"), bytes))
}
