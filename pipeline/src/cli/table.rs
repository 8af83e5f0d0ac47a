//! `mho table`: device tables compiled, looked into and asked.

use super::{Answer, CliError, Globals};
use mho_lut::TableError;
use std::path::PathBuf;

mod build;
mod ensemble;
mod kinds;
mod measured;
mod query;
mod show;
mod steps;
mod updates;

/// Compile a device table, or look into one.
///
/// Example: mho table build published:tcas2022 --out tcas.safetensors && mho table query tcas.safetensors --time-s 0,86400
#[derive(Debug, clap::Args)]
pub(super) struct TableArgs {
    #[command(subcommand)]
    command: TableCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TableCommand {
    Build(build::BuildArgs),
    Show(ShowArgs),
    Query(query::QueryArgs),
    Updates(updates::UpdatesArgs),
    Import(updates::ImportArgs),
    Export(updates::ExportArgs),
}

/// Say what a table holds: axes, certificate, origin, notes.
///
/// Example: mho table show cell.safetensors
#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The table
    #[arg(value_name = "T.safetensors")]
    table: PathBuf,
}

fn positive(text: &str) -> Result<f64, String> {
    not_negative(text)
        .ok()
        .filter(|value| *value > 0.0)
        .ok_or_else(|| format!("found `{text}`, expected a number above 0"))
}

fn not_negative(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    value.ok_or_else(|| format!("found `{text}`, expected a number of 0 or more"))
}

impl From<TableError> for CliError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Input(error) => Self::Input(error),
            TableError::OutOfRange { .. } => Self::Usage(format!("{error} (--out-of-range clamp moves it)")),
            TableError::Asked(_) | TableError::History(_) => Self::Usage(error.to_string()),
            other => Self::failed(other),
        }
    }
}

pub(super) fn run(args: &TableArgs, globals: &Globals) -> Answer {
    match &args.command {
        TableCommand::Build(args) => build::build(args, globals),
        TableCommand::Show(args) => kinds::show(&args.table, globals),
        TableCommand::Updates(args) => updates::make(args, globals),
        TableCommand::Import(args) => updates::import(args, globals),
        TableCommand::Export(args) => updates::export(args),
        TableCommand::Query(args) => query::query(args, globals),
    }
}

#[cfg(test)]
mod tests;
