//! Update tables taken from texts and ramps, and written as texts.

use super::super::{Answer, CliError, Globals};
use super::kinds::{update_document, update_page};
use crate::store::replace_file;
use mho_data::provenance::Origin;
use mho_data::{InputError, Table};
use mho_lut::{Direction, PulseOptions, Steps, TableError, UpdateTable};
use std::path::{Path, PathBuf};

/// Make an update table of CrossSim's two texts, or of measured ramps.
///
/// A text has a title, a row of conductances, a row of probabilities and a row of steps for each probability;
/// gzip is understood. Ramps are CSV with one column for each ramp: the conductance after every pulse.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mho table updates --up dG_increasing.txt --down dG_decreasing.txt.gz \
                  --out taox.safetensors\n  mho table updates --ramps --up set.csv --down reset.csv --out \
                  device.safetensors")]
pub(super) struct UpdatesArgs {
    /// Steps, or ramps, towards larger conductance
    #[arg(long, value_name = "FILE")]
    up: PathBuf,
    /// Steps, or ramps, towards smaller conductance
    #[arg(long, value_name = "FILE")]
    down: PathBuf,
    /// Where the table goes
    #[arg(long, value_name = "T.safetensors")]
    out: PathBuf,
    /// The files are measured ramps
    #[arg(long)]
    ramps: bool,
    /// Unit of the conductances
    #[arg(long, default_value = "S")]
    unit: String,
    /// Bins of conductance for ramps
    #[arg(long, default_value_t = 50)]
    bins: usize,
    /// Fewest steps in a bin
    #[arg(long, default_value_t = 20)]
    least_steps: usize,
}

/// Other programs whose tables are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Two texts, NAME_dG_increasing.txt and NAME_dG_decreasing.txt
    Crosssim,
}

/// Make an update table of a folder that another program reads.
///
/// crosssim: NAME_dG_increasing.txt and NAME_dG_decreasing.txt, plain or .gz.
///
/// Example: mho table import crosssim luts --name TaOx_dev1 --out taox.safetensors
#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// Whose form it is
    #[arg(value_enum)]
    format: Format,
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Which device, where the folder holds several
    #[arg(long)]
    name: Option<String>,
    /// Where the table goes
    #[arg(long, value_name = "T.safetensors")]
    out: PathBuf,
    /// Unit of the conductances
    #[arg(long, default_value = "S")]
    unit: String,
}

/// Write an update table in the form of another program.
///
/// crosssim: the two texts of steps.
///
/// Example: mho table export crosssim taox.safetensors --up dG_increasing.txt --down dG_decreasing.txt
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Whose form it is (crosssim, which may be left out), and the update table
    #[arg(value_names = ["FORMAT", "T.safetensors"], num_args = 1..=2, required = true)]
    table: Vec<PathBuf>,
    /// Where the steps towards larger conductance go
    #[arg(long, value_name = "FILE.txt", default_value = "dG_increasing.txt")]
    up: PathBuf,
    /// Where the steps towards smaller conductance go
    #[arg(long, value_name = "FILE.txt", default_value = "dG_decreasing.txt")]
    down: PathBuf,
}

/// What the names of the two texts end in.
const ENDS: [&str; 2] = ["dG_increasing.txt", "dG_decreasing.txt"];

/// The devices of a folder that have both texts: name, steps up, steps down.
fn pairs(folder: &Path) -> Result<Vec<(String, [PathBuf; 2])>, InputError> {
    let shown = folder.display().to_string();
    let entries =
        std::fs::read_dir(folder).map_err(|error| InputError::new(&shown, error.to_string(), "a folder"))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let path = |start: &str, end: &str| {
        let file = format!("{start}{end}");
        let found = [file.clone(), format!("{file}.gz")].into_iter().find(|file| names.contains(file))?;
        Some(folder.join(found))
    };
    let starts = names.iter().filter_map(|name| name.trim_end_matches(".gz").strip_suffix(ENDS[0]));
    let both = |start: &str| {
        let device = start.trim_end_matches('_').to_owned();
        Some((device, [path(start, ENDS[0])?, path(start, ENDS[1])?]))
    };
    let found: Vec<(String, [PathBuf; 2])> = starts.filter_map(both).collect();
    if found.is_empty() {
        let expected = "NAME_dG_increasing.txt and NAME_dG_decreasing.txt, plain or .gz";
        return Err(InputError::new(shown, "no such pair of texts", expected));
    }
    Ok(found)
}

/// The table of one device of a folder.
pub(super) fn import(args: &ImportArgs, globals: &Globals) -> Answer {
    let Format::Crosssim = args.format;
    let mut found = pairs(&args.folder)?;
    let all = found.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ");
    if let Some(name) = &args.name {
        found.retain(|(known, _)| known == name);
    }
    let [(_, [up, down])] = found.as_slice() else {
        let what =
            args.name.as_ref().map_or("several devices".to_owned(), |name| format!("no device `{name}`"));
        return Err(CliError::Usage(format!("{}: {what}; --name one of {all}", args.folder.display())));
    };
    let updates = UpdatesArgs {
        up: up.clone(),
        down: down.clone(),
        out: args.out.clone(),
        ramps: false,
        unit: args.unit.clone(),
        bins: 0,
        least_steps: 0,
    };
    make(&updates, globals)
}

fn bytes(path: &Path) -> Result<(Vec<u8>, String), InputError> {
    let file = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => Ok((bytes, file)),
        Err(error) => Err(InputError::new(file, error.to_string(), "an update table")),
    }
}

fn ramps(path: &Path) -> Result<Vec<Vec<f64>>, CliError> {
    let (bytes, file) = bytes(path)?;
    let expected = "CSV with one column of conductances for each ramp";
    let text =
        String::from_utf8(bytes).map_err(|error| InputError::new(&file, error.to_string(), expected))?;
    let table = Table::from_csv(&text, &file)?;
    let column = |name: &str| {
        let values =
            table.floats(name).map_err(|error| InputError::new(&file, error.to_string(), expected))?;
        // Shorter ramps end in empty cells.
        let length = values.iter().rposition(|value| !value.is_nan()).map_or(0, |last| last + 1);
        Ok(values[..length].to_vec())
    };
    table.names().map(column).collect()
}

/// The table of two files.
pub(super) fn make(args: &UpdatesArgs, globals: &Globals) -> Answer {
    let name =
        args.out.file_stem().map_or_else(|| "updates".into(), |stem| stem.to_string_lossy().into_owned());
    let table = if args.ramps {
        let options = PulseOptions {
            name,
            unit: args.unit.clone(),
            bins: args.bins,
            least_steps: args.least_steps,
            ..PulseOptions::default()
        };
        UpdateTable::from_ramps(&ramps(&args.up)?, &ramps(&args.down)?, &options).map_err(|error| {
            let file = format!("{}, {}", args.up.display(), args.down.display());
            match error {
                TableError::Update(what) => InputError::new(file, what, "ramps of one device").into(),
                other => CliError::from(other),
            }
        })?
    } else {
        let steps = |path: &Path| -> Result<Steps, CliError> {
            let (bytes, file) = bytes(path)?;
            Ok(Steps::from_text(&bytes, &file)?)
        };
        UpdateTable::new(name, Origin::Published, &args.unit, steps(&args.up)?, steps(&args.down)?)?
            .with_note(format!("steps from {} and {}", args.up.display(), args.down.display()))
    };
    replace_file(&args.out, &table.to_bytes()?)?;
    if globals.json {
        return Ok(update_document(&table));
    }
    Ok(format!("{}table: {}\n", update_page(&table), args.out.display()))
}

/// The two texts of a table.
pub(super) fn export(args: &ExportArgs) -> Answer {
    let table = match args.table.as_slice() {
        [table] => table,
        [format, table] if format.as_os_str() == "crosssim" => table,
        [format, ..] => {
            return Err(CliError::Usage(format!("no form `{}`: crosssim", format.display())));
        }
        [] => return Err(CliError::Usage("no table".into())),
    };
    let (bytes, file) = bytes(table)?;
    let table = UpdateTable::from_bytes(&bytes, &file)?;
    for (path, direction) in [(&args.up, Direction::Up), (&args.down, Direction::Down)] {
        replace_file(path, table.steps(direction).to_text().as_bytes())?;
    }
    Ok(format!("texts: {}, {}\n", args.up.display(), args.down.display()))
}
