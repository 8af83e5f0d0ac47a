//! Stages on their own: what the commands `models`, `train` and `evaluate` print and write.

use super::evaluate::Evaluate;
use super::models::{self, Models};
use super::train::{self, Train};
use super::{Answer, CliError, Globals};
use crate::engine::Progress;
use crate::stage::nearest;
use crate::store::replace_file;
use mho_compact::model;
use mho_data::table::Table;
use mho_network::array::ArrayConfig;
use std::path::Path;

pub(super) fn models(args: &Models, globals: &Globals) -> Answer {
    let one = match &args.name {
        None => None,
        Some(name) => Some(model::find(name).ok_or_else(|| {
            let known = model::registry().iter().map(|model| model.name);
            CliError::Usage(format!("no model `{name}`: {}", nearest(name, known)))
        })?),
    };
    if globals.json {
        return Ok(models::document(one).map_err(CliError::failed)? + "\n");
    }
    Ok(one.map_or_else(models::list, models::page))
}

pub(super) fn train(args: &Train, globals: &Globals) -> Answer {
    let progress = Progress::of_one("train", globals.quiet);
    let (dataset, trained) =
        args.train(globals.seed.unwrap_or(0), &|fraction| progress.reach("train", fraction))?;
    progress.finish();
    replace_file(&args.out, &trained.network.to_bytes().map_err(CliError::failed)?)?;
    if globals.json {
        return Ok(format!("{:#}\n", train::document(&dataset, &trained)));
    }
    Ok(train::summary(&dataset, &trained))
}

pub(super) fn evaluate(args: &Evaluate, globals: &Globals) -> Answer {
    if args.explain_array {
        return Ok(ArrayConfig::explain());
    }
    let progress = Progress::of_one("evaluate", globals.quiet);
    let table = args.evaluate(globals.seed.unwrap_or(0), &|fraction| progress.reach("evaluate", fraction))?;
    progress.finish();
    if let Some(path) = &args.out {
        write_table(path, &table)?;
        return Ok(if globals.json { document(&table) } else { String::new() });
    }
    Ok(if globals.json { document(&table) } else { table.to_csv() })
}

/// CSV or Parquet, by the ending.
pub(super) fn write_table(path: &Path, table: &Table) -> Result<(), CliError> {
    let bytes = match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => table.to_parquet().map_err(CliError::failed)?,
        Some("csv") => table.to_csv().into_bytes(),
        _ => {
            return Err(CliError::Usage(format!("--out {}: the ending is .csv or .parquet", path.display())));
        }
    };
    Ok(replace_file(path, &bytes)?)
}

fn document(table: &Table) -> String {
    let columns: serde_json::Map<String, serde_json::Value> = table
        .names()
        .map(|name| {
            let values = table.floats(name).map(|v| serde_json::json!(v));
            let values = values.or_else(|_| table.texts(name).map(|v| serde_json::json!(v)));
            (name.to_owned(), values.unwrap_or_default())
        })
        .collect();
    format!("{:#}\n", serde_json::json!({ "schema": 1, "columns": columns }))
}
