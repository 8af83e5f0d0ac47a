//! `mho simulate CARD.toml`: a device card evaluated on a grid, to CSV.

use super::{Answer, CliError, Globals};
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::model::{self, Simulated};
use mho_data::random::Stream;
use mho_data::{InputError, Table};
use std::path::PathBuf;

/// Evaluate a device card on a grid and write the result as CSV.
///
/// What the grid is depends on the card's model: `ekv` --vg-v, --vd-v, --temperature-k; `transistor` --vb-v too;
/// the dose laws --start-v, --dose-krad-si; `threshold-spread` --dose-krad-si, --time-s; `current-shift`
/// --current-na, --dose-krad-si, --time-s; `sonos-retention` and `sonos-programming` --current-na, --time-s;
/// `read-noise` --current-na; the update laws --weight, --pulses (below zero: down); resistive cells
/// --target-us, --time-s and, for the current of the mean cell, --read-v. Grids are lists (0,100,300) or ranges (0:500:50).
///
/// Example: mho simulate ekv.toml --vg-v -1:3:0.05 --vd-v 0.1
#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    /// The card
    #[arg(value_name = "CARD.toml")]
    card: PathBuf,
    /// Gate voltages (V)
    #[arg(long, default_value = "-2:5:0.05", allow_hyphen_values = true, value_parser = grid)]
    vg_v: Grid,
    /// Drain voltages (V)
    #[arg(long, default_value = "0.1", allow_hyphen_values = true, value_parser = grid)]
    vd_v: Grid,
    /// Body voltages (V)
    #[arg(long, default_value = "0", allow_hyphen_values = true, value_parser = grid)]
    vb_v: Grid,
    /// Weights before the pulses, in units of the half range
    #[arg(long, default_value = "-1,0,1", allow_hyphen_values = true, value_parser = grid)]
    weight: Grid,
    /// Numbers of equal pulses; below zero downwards
    #[arg(long, default_value = "-1000:1000:100", allow_hyphen_values = true, value_parser = grid)]
    pulses: Grid,
    /// Target conductances (uS)
    #[arg(long, default_value = "1,2,5,10,20,25", value_parser = grid)]
    target_us: Grid,
    /// Read voltages of a resistive cell (V): adds the current of a cell at the mean conductance
    #[arg(long, allow_hyphen_values = true, value_parser = grid)]
    read_v: Option<Grid>,
    /// Temperatures (K)
    #[arg(long, default_value = "300", value_parser = grid)]
    temperature_k: Grid,
    /// Thresholds before dose (V)
    #[arg(long, default_value = "-2:2:1", allow_hyphen_values = true, value_parser = grid)]
    start_v: Grid,
    /// Currents before dose and drift (nA)
    #[arg(long, default_value = "50,100,200,400,800,1600", value_parser = grid)]
    current_na: Grid,
    /// Doses (krad(Si))
    #[arg(long, default_value = "0:500:50", value_parser = grid)]
    dose_krad_si: Grid,
    /// Times (s)
    #[arg(long, default_value = "0,3600,86400,172800,432000", value_parser = grid)]
    time_s: Grid,
    /// Draws from the card's covariance: adds the 95 % band of the first result as columns lo and hi
    #[arg(long, default_value_t = 0, value_name = "N")]
    samples: u64,
    /// Where the CSV goes (default: standard output)
    #[arg(long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
}

/// Values of one axis.
#[derive(Debug, Clone, PartialEq)]
struct Grid(Vec<f64>);

/// Most values of an axis: a range with a slip in its step should not fill the memory.
const MOST_VALUES: f64 = 1e6;

fn grid(text: &str) -> Result<Grid, String> {
    let number = |part: &str| {
        part.trim().parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| {
            format!("found `{part}`, expected numbers with commas between, or start:stop:step")
        })
    };
    let parts: Vec<&str> = text.split(':').collect();
    let [start, stop, step] = parts.as_slice() else {
        return text.split(',').map(number).collect::<Result<_, _>>().map(Grid);
    };
    let (start, stop, step) = (number(start)?, number(stop)?, number(step)?);
    let count = ((stop - start) / step + 1e-9).floor();
    if step == 0.0 || !(0.0..MOST_VALUES).contains(&count) {
        return Err(format!("found `{text}`, expected a step that leads from start to stop"));
    }
    // Rounded to a millionth of the step: 0.15, not 0.15000000000000002.
    let unit = 1e-6 * step.abs();
    Ok(Grid(
        (0..=count as u64).map(|i| ((start + step * i as f64) / unit).round() * unit).map(tidy).collect(),
    ))
}

/// The value without the rounding of its last digits.
fn tidy(value: f64) -> f64 {
    format!("{value:.12e}").parse().unwrap_or(value)
}

impl SimulateArgs {
    /// Values of an axis by its column; none where no option gives any.
    fn axis(&self, name: &str) -> Option<&[f64]> {
        let Grid(values) = match name {
            READ_V => self.read_v.as_ref()?,
            "temperature_k" => &self.temperature_k,
            "vd_v" => &self.vd_v,
            "vg_v" => &self.vg_v,
            "vb_v" => &self.vb_v,
            "weight" => &self.weight,
            "pulses" => &self.pulses,
            "target_us" => &self.target_us,
            "start_v" => &self.start_v,
            "dose_krad_si" => &self.dose_krad_si,
            "time_s" => &self.time_s,
            "current_na" | "initial_na" => &self.current_na,
            _ => return None,
        };
        Some(values)
    }
}

/// The axis that is asked for by an option without default.
const READ_V: &str = "read_v";

pub(super) fn run(args: &SimulateArgs, globals: &Globals) -> Answer {
    let file = args.card.display().to_string();
    let text = std::fs::read_to_string(&args.card)
        .map_err(|error| InputError::new(&file, error.to_string(), "a device card"))?;
    let card = DeviceCard::from_toml(&text, &file)?;
    let table = simulate(args, &card, globals.seed.unwrap_or(0))?;
    let csv = if globals.json { json(&table)? } else { table.to_csv() };
    match &args.out {
        None => Ok(csv),
        Some(path) => {
            replace_file(path, csv.as_bytes())?;
            Ok(String::new())
        }
    }
}

fn simulate(args: &SimulateArgs, card: &DeviceCard, seed: u64) -> Result<Table, CliError> {
    let unknown = || CliError::Usage(format!("no model `{}`", card.model));
    let simulation = model::entry(&card.model).ok_or_else(unknown)?.simulation;
    let (mut axes, mut results) = (simulation.axes.to_vec(), simulation.results.to_vec());
    if args.read_v.is_some() {
        let Some((axis, result)) = simulation.further.filter(|(axis, _)| *axis == READ_V) else {
            let name = &card.model;
            return Err(CliError::Usage(format!(
                "--read-v is of resistive cells; the card is one of {name}"
            )));
        };
        axes.push(axis);
        results.push(result);
    }
    let law = (simulation.law)(card);
    let grids: Vec<&[f64]> = axes
        .iter()
        .map(|&name| {
            args.axis(name)
                .ok_or_else(|| CliError::Usage(format!("there is no grid of `{name}` to simulate")))
        })
        .collect::<Result<_, _>>()?;
    let points = product(&grids);
    let mut table = Table::new();
    table.comments.push(format!("{}; card from: {}", card.model, card.provenance.origin));
    for (index, name) in axes.iter().enumerate() {
        table.push_float(*name, points.iter().map(|point| point[index]).collect());
    }
    let values: Vec<Vec<f64>> = points.iter().map(|point| law(point)).collect();
    for (index, name) in results.iter().enumerate() {
        table.push_float(*name, values.iter().map(|value| value[index]).collect());
    }
    if args.samples > 0 {
        let stream = Stream::new(seed, &["simulate", "card"], &[]);
        let draws: Vec<Simulated> =
            (0..args.samples).map(|index| (simulation.law)(&card.sampled(&stream, index))).collect();
        let (mut lo, mut hi) = (Vec::new(), Vec::new());
        for point in &points {
            let mut values: Vec<f64> = draws.iter().map(|draw| draw(point)[0]).collect();
            values.sort_by(f64::total_cmp);
            let at = |part: f64| values[((values.len() - 1) as f64 * part).round() as usize];
            lo.push(at(0.025));
            hi.push(at(0.975));
        }
        table.push_float("lo", lo);
        table.push_float("hi", hi);
    }
    Ok(table)
}

/// All points of a grid, the last axis fastest.
fn product(axes: &[&[f64]]) -> Vec<Vec<f64>> {
    axes.iter().fold(vec![Vec::new()], |points, axis| {
        points
            .iter()
            .flat_map(|point| axis.iter().map(move |value| [point.as_slice(), &[*value]].concat()))
            .collect()
    })
}

/// The table as a JSON document of columns.
fn json(table: &Table) -> Result<String, CliError> {
    let mut columns = serde_json::Map::new();
    for name in table.names() {
        columns.insert(name.into(), table.floats(name).map_err(CliError::failed)?.into());
    }
    let document = serde_json::json!({ "schema": 1, "columns": columns });
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(CliError::failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[test]
    fn grids_are_lists_or_ranges() {
        assert_eq!(grid("0:0.3:0.1").unwrap().0, [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(grid("-2:-1:0.5").unwrap().0, [-2.0, -1.5, -1.0]);
        assert_eq!(grid("1, 2,5").unwrap().0, [1.0, 2.0, 5.0]);
        for wrong in ["1;2", "0:1:0", "0:1:-1", "a", "0:1e9:1e-9", "nan"] {
            assert!(grid(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_model_can_be_simulated() {
        let defaults = Alone::try_parse_from(["simulate", "card.toml", "--read-v", "0.1"]).unwrap().args;
        for entry in model::entries() {
            let simulation = entry.simulation;
            let law = (simulation.law)(&DeviceCard::from_defaults(entry.info));
            let axes = simulation.axes.iter().chain(simulation.further.as_ref().map(|(axis, _)| axis));
            for axis in axes {
                assert!(defaults.axis(axis).is_some(), "{}: {axis}", entry.info.name);
            }
            let values = law(&vec![1.0; simulation.axes.len()]);
            assert_eq!(values.len(), simulation.results.len());
            assert!(values.iter().all(|value| value.is_finite()), "{}", entry.info.name);
        }
    }

    /// The options by themselves.
    #[derive(clap::Parser)]
    struct Alone {
        #[command(flatten)]
        args: SimulateArgs,
    }
}
