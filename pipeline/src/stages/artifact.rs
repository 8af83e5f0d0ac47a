//! Artifacts as the types that stages work with.

use crate::stage::{Artifact, Context, Outputs, StageError};
use mho_compact::card::DeviceCard;
use mho_data::measurement::Measurement;
use mho_data::provenance::Origin;
use mho_data::table::Table;
use mho_lut::{AnyTable, DeviceTable};
use mho_network::graph::onnx::ImportOptions;
use mho_network::source::Trained;

/// A device card.
pub(super) fn card(artifact: &Artifact) -> Result<DeviceCard, StageError> {
    let text = String::from_utf8_lossy(&artifact.bytes);
    Ok(DeviceCard::from_toml(&text, &artifact.name)?)
}

/// A device card as an artifact that goes to the results folder.
pub(super) fn with_card(
    outputs: Outputs,
    role: &str,
    target: &str,
    card: &DeviceCard,
) -> Result<Outputs, StageError> {
    let text = card.to_toml().map_err(StageError::failed)?;
    Ok(outputs.exported(role, "cards", format!("{target}-{role}.toml"), text))
}

/// A table stored as Parquet.
pub(super) fn table(artifact: &Artifact) -> Result<Table, StageError> {
    Ok(Table::from_parquet(&artifact.bytes, &artifact.name)?)
}

/// A table as a Parquet artifact.
pub(super) fn with_table(outputs: Outputs, role: &str, table: &Table) -> Result<Outputs, StageError> {
    let bytes = table.to_parquet().map_err(StageError::failed)?;
    Ok(outputs.with(role, format!("{role}.parquet"), bytes))
}

/// A device table.
pub(super) fn device_table(artifact: &Artifact) -> Result<DeviceTable, StageError> {
    DeviceTable::from_bytes(&artifact.bytes, &artifact.name).map_err(StageError::failed)
}

/// A table of cells of whatever kind.
pub(super) fn cells_table(artifact: &Artifact) -> Result<AnyTable, StageError> {
    AnyTable::from_bytes(&artifact.bytes, &artifact.name).map_err(StageError::failed)
}

/// A trained network.
pub(super) fn network(artifact: &Artifact) -> Result<Trained, StageError> {
    Ok(Trained::from_bytes(&artifact.bytes, &artifact.name, &ImportOptions::default())?)
}

/// A measurement, from the outputs `table` and `sidecar` of the target in a role.
pub(super) fn measurement(context: &Context<'_>, role: &str) -> Result<Measurement, StageError> {
    let table = context.named(role, "table")?;
    let sidecar = context.named(role, "sidecar")?;
    Ok(Measurement::from_parts(&table.bytes, &sidecar.bytes, &table.name)?)
}

/// The origin that a card carries.
pub(crate) fn origin_of(card: &DeviceCard) -> Origin {
    [Origin::Measured, Origin::Published, Origin::Derived, Origin::Synthetic]
        .into_iter()
        .find(|origin| {
            // The label, or its first word.
            let (told, label) = (card.provenance.origin.as_str(), origin.label());
            told == label || label.split(' ').next() == Some(told)
        })
        .unwrap_or(Origin::Derived)
}
