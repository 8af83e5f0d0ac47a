//! `mho data`: what was read from a file of measurements, and which data sets there are.

pub(in crate::cli) mod inspect;
pub(in crate::cli) mod plot;
mod sets;

use super::{Answer, Globals};
use clap::{Args, Subcommand};
use mho_data::reader::FORMATS;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Look into files of measurements; list and install data sets.
///
/// Example: mho data inspect sweeps.csv
#[derive(Debug, Args)]
pub(super) struct DataArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What was read: sweeps, biases, noise floor, dropped rows and why
    #[command(
        after_help = "Examples:\n  mho data inspect sweeps.csv\n  mho data inspect measured/ --plot pictures\n  \
                            mho data inspect export.csv --format clarius --map described.toml\n  \
                            mho --json data inspect a.csv b.csv\n\n\
                            A folder is searched for .mdm, .csv, .tsv, .txt, .dat and .parquet. What a file does not say \
                            can stand beside it in FILE.toml, or for all files in the one of --map: temperature_k, \
                            dose_krad_si, time_s, device, state, vd_v, names = \"{device}_{dose}krad_{time}s.csv\", \
                            and [columns] with lines such as \"Spannung\" = \"VG (V)\"."
    )]
    Inspect(inspect::InspectArgs),
    /// The formats that are read, and how each is recognised
    #[command(after_help = "Example:\n  mho data formats")]
    Formats,
    /// Which data sets are built in, which are found, and how to obtain the others
    #[command(after_help = "Example:\n  mho data list")]
    List,
    /// Check a data set's files and install them; nothing is ever downloaded
    #[command(after_help = "Example:\n  mho data get mnist --from downloads/mnist")]
    Get {
        /// Name of the data set (`mho data list`)
        name: String,
        /// Folder with its four IDX files, plain or .gz, or one of these files
        #[arg(long, value_name = "FILE|DIR")]
        from: Option<PathBuf>,
    },
}

pub(super) fn run(args: &DataArgs, globals: &Globals) -> Answer {
    match &args.what {
        What::Inspect(args) => inspect::run(args, globals),
        What::Formats => Ok(formats(globals)),
        What::List => sets::list(globals),
        What::Get { name, from } => sets::get(name, from.as_deref(), globals),
    }
}

fn formats(globals: &Globals) -> String {
    if globals.json {
        let formats: Vec<Value> = FORMATS
            .iter()
            .map(|about| {
                json!({ "name": about.name, "title": about.title, "sign": about.sign, "beside": about.beside })
            })
            .collect();
        return format!("{:#}\n", json!({ "schema": 1, "formats": formats }));
    }
    let mut text = String::new();
    for about in &FORMATS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<11} {}\n            recognised by {}\n            beside the file: {}",
            about.name, about.title, about.sign, about.beside
        );
    }
    text
}
