//! `mho export CARD.toml`: device cards in the forms of other programs.

use super::{Answer, CliError, Globals};
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::export::{Device, aihwkit, ramps, spice, verilog_a};
use mho_compact::model;
use mho_compact::update::{self, Direction, Traces};
use mho_data::measurement::Kind;
use mho_data::{InputError, reader};
use std::path::PathBuf;

/// Write a device card as a model for other programs.
///
/// spice: a subcircuit of behavioural sources for ngspice; its parameters are those of the card, with the
/// temperature, and any of them can be set where it is used. verilog-a: the same law as a module. Both are
/// written from the function that `mho simulate` evaluates. `ekv`, `transistor` and the non-linear resistive cell `milo`
/// have circuits; the other resistive cells are resistors.
/// aihwkit: device class and parameters of a fitted update law, as JSON; spread and noise are 0, or those of the devices
/// whose ramps are given with --spread-of.
/// crosssim-set, crosssim-reset: the ramp of equal pulses up from the lower bound, or down from the upper one, of
/// an update law without noise, as CrossSim reads measured ramps. Tables of steps: `mho table export`.
///
/// Example: mho export ekv.toml --to spice --out cell.lib
///
/// In a deck: .include cell.lib, then `Xcell d g 0 mho_ekv`. A cell after dose and time is the same
/// subcircuit with the threshold of then: `Xcell d g 0 mho_ekv vt_v=0.31`.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// The card
    #[arg(value_name = "CARD.toml")]
    card: PathBuf,
    /// Form
    #[arg(long, value_enum)]
    to: Form,
    /// For aihwkit: ramps of several devices, each fitted with the card's law for the spread between devices and the
    /// noise of the steps
    #[arg(long, value_name = "FILE", num_args = 1..)]
    spread_of: Vec<PathBuf>,
    /// Where it goes (default: standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Subcircuit for ngspice
    Spice,
    /// Module in Verilog-A
    VerilogA,
    /// Device class and parameters for aihwkit
    Aihwkit,
    /// Ramp of pulses up, as CrossSim reads it
    CrosssimSet,
    /// Ramp of pulses down, as CrossSim reads it
    CrosssimReset,
}

/// A ramp ends when its steps have fallen to this part of the range, or after so many pulses.
const LAST_STEP: f64 = 1e-5;
const MOST_PULSES: usize = 5000;

/// The ramp of an update law's card from one bound towards the other.
fn ramp(card: &DeviceCard, direction: Direction) -> Option<String> {
    let (law, cell) = update::device(card)?;
    let range = cell.max - cell.min;
    let start = match direction {
        Direction::Up => cell.clip(cell.min - cell.reference),
        Direction::Down => cell.clip(cell.max - cell.reference),
    };
    let mut states = vec![start];
    law.ramp(&cell, start, direction, MOST_PULSES, &mut states);
    let moved = states.windows(2).rposition(|pair| (pair[1] - pair[0]).abs() > LAST_STEP * range.abs());
    states.truncate(moved.map_or(1, |last| last + 2));
    Some(ramps::text(&[states]))
}

/// Spread and noise of the devices in these files; none without files.
fn scatter(card: &DeviceCard, files: &[PathBuf]) -> Result<aihwkit::Scatter, CliError> {
    if files.is_empty() {
        return Ok(aihwkit::Scatter::default());
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let bytes = files
        .iter()
        .zip(&names)
        .map(|(file, name)| {
            std::fs::read(file).map_err(|error| InputError::new(name, error.to_string(), "a readable file"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let named: Vec<reader::File<'_>> =
        names.iter().zip(&bytes).map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let traces = Traces::from_measurement(&reader::read(&named, Kind::Ramp)?)?;
    let mut devices = Vec::new();
    for device in &traces.devices {
        let own = Traces { devices: vec![device.clone()], ..traces.clone() };
        let regression = update::update_regression(&own, &card.model).ok_or_else(|| {
            CliError::Usage(format!("--spread-of is of update laws; the card is one of {}", card.model))
        })?;
        let fit = regression.fit().map_err(CliError::failed)?;
        let Some((law, cell)) = update::fitted(&own, &card.model, &fit) else { continue };
        let noise = update::step_noise(&regression, &fit);
        devices.push((fit, law, cell, noise));
    }
    let found = format!("{} devices", devices.len());
    let expected = "ramps of at least 2 devices for their spread";
    aihwkit::scatter(&devices, traces.window.unit())
        .ok_or_else(|| InputError::new(&names[0], found, expected).into())
}

pub(super) fn run(args: &ExportArgs, _globals: &Globals) -> Answer {
    let file = args.card.display().to_string();
    let text = std::fs::read_to_string(&args.card)
        .map_err(|error| InputError::new(&file, error.to_string(), "a device card"))?;
    let card = DeviceCard::from_toml(&text, &file)?;
    if !args.spread_of.is_empty() && args.to != Form::Aihwkit {
        return Err(CliError::Usage("--spread-of goes with --to aihwkit".into()));
    }
    let text = match args.to {
        Form::Spice => Device::from_card(&card).map(|device| spice::subcircuit(&device)),
        Form::VerilogA => Device::from_card(&card).map(|device| verilog_a::module(&device)),
        Form::Aihwkit => {
            let scatter = scatter(&card, &args.spread_of)?;
            let document = aihwkit::document(&card, &scatter).map_err(|why| {
                let expected = format!("a model with a device class: {}", aihwkit::MODELS.join(", "));
                InputError::new(&file, format!("model `{}`: {why}", card.model), expected)
            })?;
            Some(serde_json::to_string_pretty(&document).map_err(CliError::failed)? + "\n")
        }
        Form::CrosssimSet => ramp(&card, Direction::Up),
        Form::CrosssimReset => ramp(&card, Direction::Down),
    };
    let text = text.ok_or_else(|| {
        let (what, models): (&str, Vec<&str>) = match args.to {
            Form::Spice | Form::VerilogA => {
                let known = model::entries().iter().filter(|entry| entry.circuit.is_some());
                ("a model with a circuit", known.map(|entry| entry.info.name).collect())
            }
            Form::Aihwkit | Form::CrosssimSet | Form::CrosssimReset => {
                let names = model::registry().iter().map(|model| model.name);
                ("a law of pulses", names.filter(|name| name.starts_with("update-")).collect())
            }
        };
        InputError::new(&file, format!("model `{}`", card.model), format!("{what}: {}", models.join(", ")))
    })?;
    match &args.out {
        None => Ok(text),
        Some(path) => {
            replace_file(path, text.as_bytes())?;
            Ok(String::new())
        }
    }
}
