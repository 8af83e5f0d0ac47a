//! `mho simulate CARD.toml`: a device card evaluated on a grid, to CSV.

use super::{Answer, CliError, Globals};
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::current_shift::CurrentShift;
use mho_compact::ekv::{Bias, Ekv};
use mho_compact::model::ModelInfo;
use mho_compact::programming::Programming;
use mho_compact::retention::Retention;
use mho_compact::tid::{Evaluator, Law};
use mho_compact::{inference, spread, transistor, update};
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

/// The law of a card, ready to evaluate at a point of its axes.
enum Ready {
    Ekv(Ekv),
    Dose(Box<Evaluator>),
    Shift(CurrentShift),
    Retention(Retention),
    Programming(Programming),
    Transistor(Vec<f64>),
    ReadNoise(Vec<f64>),
    ThresholdSpread(Vec<f64>),
    Update(Box<(update::Law, update::Cell)>),
    Resistive(Box<dyn inference::Cell>),
}

/// Pulses that are simulated at most.
const MOST_PULSES: f64 = 1e7;

impl Ready {
    fn new(card: &DeviceCard) -> Option<Self> {
        Some(match card.model.as_str() {
            "ekv" => Self::Ekv(Ekv::from_card(card)),
            "current-shift" => Self::Shift(CurrentShift::from_card(card)),
            "sonos-retention" => Self::Retention(Retention::from_card(card)),
            "sonos-programming" => Self::Programming(Programming::from_card(card)),
            "transistor" => Self::Transistor(card.values(&transistor::INFO)),
            "read-noise" => Self::ReadNoise(card.values(&spread::READ_NOISE)),
            "threshold-spread" => Self::ThresholdSpread(card.values(&spread::THRESHOLD_SPREAD)),
            name if name.starts_with("update-") => Self::Update(Box::new(update::device(card)?)),
            name if inference::find(name).is_some() => {
                Self::Resistive(inference::find(name)?.from_card(card))
            }
            _ => Self::Dose(Box::new(Evaluator::new(Law::from_card(card)?))),
        })
    }

    /// Names of the axes, and of the results; with a read of a resistive cell or without.
    fn columns(&self, read: bool) -> (Vec<&'static str>, Vec<&'static str>) {
        match self {
            Self::Ekv(_) => (vec!["temperature_k", "vd_v", "vg_v"], vec!["id_a"]),
            Self::Transistor(_) => (vec!["temperature_k", "vb_v", "vd_v", "vg_v"], vec!["id_a"]),
            Self::Dose(_) => (vec!["start_v", "dose_krad_si"], vec!["vt_v"]),
            Self::Shift(_) => (vec!["initial_na", "dose_krad_si", "time_s"], vec!["current_na"]),
            Self::Retention(_) => (vec!["initial_na", "time_s"], vec!["current_na"]),
            Self::Programming(_) => (vec!["current_na", "time_s"], vec!["sigma_na"]),
            Self::ReadNoise(_) => (vec!["current_na"], vec!["sigma_na"]),
            Self::ThresholdSpread(_) => (vec!["dose_krad_si", "time_s"], vec!["sigma_v"]),
            Self::Update(_) => (vec!["weight", "pulses"], vec!["weight_after"]),
            Self::Resistive(_) if read => {
                (vec!["target_us", "time_s", "read_v"], vec!["mean_us", "sigma_us", "current_na"])
            }
            Self::Resistive(_) => (vec!["target_us", "time_s"], vec!["mean_us", "sigma_us"]),
        }
    }

    fn evaluate(&self, point: &[f64]) -> Vec<f64> {
        let one = match (self, point) {
            (Self::Ekv(law), &[temperature_k, drain_v, gate_v]) => {
                law.current_a(Bias { gate_v, drain_v, temperature_k })
            }
            (Self::Transistor(values), &[temperature_k, body_v, drain_v, gate_v]) => {
                let at = transistor::Terminals { gate_v, drain_v, source_v: 0.0, body_v };
                transistor::Transistor::from_values(values, temperature_k).current_a(at)
            }
            (Self::Dose(law), &[start_v, dose]) => law.threshold_v(start_v, dose),
            (Self::Shift(law), &[initial_na, dose, time_s]) => law.current_na(initial_na, dose, time_s),
            (Self::Retention(law), &[initial_na, time_s]) => law.current_na(initial_na, time_s),
            (Self::Programming(law), &[current_na, time_s]) => law.sigma_na(current_na, time_s),
            (Self::ReadNoise(values), &[current_na]) => spread::read_noise_na(values, current_na),
            (Self::ThresholdSpread(values), &[dose, time_s]) => {
                spread::threshold_spread_v(values, time_s, dose)
            }
            (Self::Update(device), &[weight, pulses]) => {
                let (law, cell) = device.as_ref();
                let direction = if pulses < 0.0 { update::Direction::Down } else { update::Direction::Up };
                let count = pulses.abs().min(MOST_PULSES).round() as usize;
                law.ramp(cell, weight, direction, count, &mut Vec::new())
            }
            (Self::Resistive(cell), &[target_us, time_s, ref read @ ..]) => {
                let found = inference::Distribution::new(cell.as_ref(), target_us, time_s);
                let current = read.iter().map(|&read_v| cell.current_na(found.mean_us(), read_v));
                return [found.mean_us(), found.sigma_us()].into_iter().chain(current).collect();
            }
            _ => f64::NAN,
        };
        vec![one]
    }
}

/// Axes and results of a model; none where it cannot be simulated.
pub(super) fn columns(model: &ModelInfo) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
    Some(Ready::new(&DeviceCard::from_defaults(model))?.columns(false))
}

impl SimulateArgs {
    /// Values of an axis by its column.
    fn axis(&self, name: &str) -> &[f64] {
        let Grid(values) = match name {
            "read_v" => return self.read_v.as_ref().map_or(&[], |Grid(values)| values),
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
            _ => &self.current_na,
        };
        values
    }
}

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
    if args.read_v.is_some() && inference::find(&card.model).is_none() {
        return Err(CliError::Usage(format!(
            "--read-v is of resistive cells; the card is one of {}",
            card.model
        )));
    }
    let unknown = || CliError::Usage(format!("{} cannot be simulated", card.model));
    let law = Ready::new(card).ok_or_else(unknown)?;
    let (axes, results) = law.columns(args.read_v.is_some());
    let points = product(&axes.iter().map(|name| args.axis(name)).collect::<Vec<_>>());
    let mut table = Table::new();
    table.comments.push(format!("{}; card from: {}", card.model, card.provenance.origin));
    for (index, name) in axes.iter().enumerate() {
        table.push_float(*name, points.iter().map(|point| point[index]).collect());
    }
    let values: Vec<Vec<f64>> = points.iter().map(|point| law.evaluate(point)).collect();
    for (index, name) in results.iter().enumerate() {
        table.push_float(*name, values.iter().map(|value| value[index]).collect());
    }
    if args.samples > 0 {
        let stream = Stream::new(seed, &["simulate", "card"], &[]);
        let draws: Vec<Ready> =
            (0..args.samples).filter_map(|index| Ready::new(&card.sampled(&stream, index))).collect();
        let (mut lo, mut hi) = (Vec::new(), Vec::new());
        for point in &points {
            let mut values: Vec<f64> = draws.iter().map(|draw| draw.evaluate(point)[0]).collect();
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
    fn every_fitted_model_can_be_simulated() {
        for model in mho_compact::model::registry() {
            let card = DeviceCard::from_defaults(model);
            let law = Ready::new(&card).unwrap();
            let point: Vec<f64> = law.columns(false).0.iter().map(|_| 1.0).collect();
            assert_eq!(law.evaluate(&point).len(), law.columns(false).1.len());
            assert!(law.evaluate(&point).iter().all(|value| value.is_finite()), "{}", model.name);
        }
    }
}
