//! `table.published`: published statistics as they are.

use super::{certificate_json, compiled, with_device_table};
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_compact::cell::PublishedCell;
use mho_data::published::PublishedSonos;
use mho_lut::CompileOptions;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `table.published`: published statistics as they are.
pub(crate) struct FromPublished;

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
        let options = CompileOptions {
            tolerance_fraction: params.tolerance_fraction,
            time_max_s,
            dose_max_krad_si: 0.0,
        };
        let table = compiled(context, &cell, &options)?;
        let outputs = with_device_table(Outputs::new(), "table", &context.target, &table)?;
        let about = serde_json::to_vec(&certificate_json(&table)).map_err(StageError::failed)?;
        Ok(outputs.with("about", "about.json", about))
    }
}
