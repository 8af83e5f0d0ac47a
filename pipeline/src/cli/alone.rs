//! Stages on their own: what the commands `models` and `train` print and write.

use super::models::{self, Models};
use super::train::{self, Train};
use super::{Answer, CliError, Globals};
use crate::engine::Progress;
use crate::stage::nearest;
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::model;
use mho_data::table::Table;
use std::path::Path;

pub(super) fn models(args: &Models, globals: &Globals) -> Answer {
    let one = match &args.name {
        None => None,
        Some(name) => Some(model::find(name).ok_or_else(|| {
            let known = model::registry().iter().map(|model| model.name);
            CliError::Usage(format!("no model `{name}`: {}", nearest(name, known)))
        })?),
    };
    if let (Some(path), Some(model)) = (&args.card, one) {
        let card = DeviceCard::from_defaults(model).to_toml().map_err(CliError::failed)?;
        replace_file(path, card.as_bytes())?;
        return Ok(format!("card: {}\n", path.display()));
    }
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
