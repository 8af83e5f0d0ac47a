//! `table.*`: device tables compiled from cards, from measured cells, or from published statistics directly.

mod assemble;
mod device;
mod history;
mod parts;
mod published;
mod sampled;
mod sonos;
mod variants;

pub(crate) use assemble::Device;
pub(super) use device::{DeviceChoices, DeviceSamples, OfDevice};
pub(crate) use device::{middle, resampled};
pub(super) use history::AlongHistory;
pub(crate) use parts::{Missing, Named, PARTS, Part, Reading};
pub(super) use published::FromPublished;
pub(super) use sonos::Sonos;
pub(super) use variants::{Choices, Samples};

use crate::stage::{Context, Outputs, Shard, StageError};
use mho_lut::{CellSource, CompileOptions, DeviceTable, compile};
use serde_json::{Value, json};

fn compiled(
    context: &Context<'_>,
    source: &dyn CellSource,
    options: &CompileOptions,
) -> Result<DeviceTable, StageError> {
    let table = compile(source, options).map_err(StageError::failed)?;
    tell(context, &table);
    Ok(table)
}

/// Says what a reader of the results has to know of a table.
fn tell(context: &Context<'_>, table: &DeviceTable) {
    let certificate = table.certificate();
    if !certificate.met() {
        context.warn(format!(
            "interpolation error {:.2e} of the range at state {:.3}, {:.0} s, {:.0} krad(Si), wanted {:.2e}",
            certificate.max_error_fraction,
            certificate.state,
            certificate.time_s,
            certificate.dose_krad_si,
            certificate.tolerance_fraction
        ));
    }
    if !certificate.monotone {
        context.warn("the mean current does not rise with the state everywhere");
    }
    if table.extrapolated_nodes() > 0 {
        context.warn(format!(
            "{} of the table's nodes lie outside of what its cards were fitted to",
            table.extrapolated_nodes()
        ));
    }
}

fn with_device_table(
    outputs: Outputs,
    role: &str,
    name: &str,
    table: &DeviceTable,
) -> Result<Outputs, StageError> {
    let bytes = table.to_bytes().map_err(StageError::failed)?;
    let outputs = outputs.exported(role, "tables", format!("{name}.safetensors"), bytes);
    Ok(outputs)
}

fn certificate_json(table: &DeviceTable) -> Value {
    json!({
        "name": table.name(),
        "origin": table.origin().label(),
        "certificate": table.certificate(),
        "extrapolated_nodes": table.extrapolated_nodes(),
        "validity": table.validity(),
        "states": table.state_axis().nodes().len(),
        "times": table.time_axis().nodes().len(),
        "doses": table.dose_axis().nodes().len(),
        "notes": table.notes(),
    })
}

/// Shards with one parameter more each, without the parameter that says how many there are.
fn shards(params: &Value, items: Vec<(String, &str, Value)>, without: &str) -> Vec<Shard> {
    items
        .into_iter()
        .map(|(name, key, value)| {
            let mut params = params.as_object().cloned().unwrap_or_default();
            params.remove(without);
            params.insert(key.to_owned(), value);
            Shard { name, params: Value::Object(params), reads: None }
        })
        .collect()
}

/// The outputs of the shards as they are.
fn gathered(context: &Context<'_>) -> Outputs {
    let mut outputs = Outputs::new();
    for artifact in &context.artifacts {
        outputs = outputs.with(artifact.output(), artifact.file.clone(), artifact.bytes.clone());
    }
    outputs
}
