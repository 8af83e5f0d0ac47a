//! `mho evaluate`: accuracy of a network on simulated arrays.

mod inputs;
mod words;

use super::alone::write_table;
use super::{Answer, CliError, Globals};
use crate::analysis::sets::Sets;
use crate::engine::Progress;
use anyhow::Result;
use inputs::Tables;
use mho_data::InputError;
use mho_data::table::Table;
use mho_lut::MemberKind;
use mho_network::analog::{Devices, arranged};
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::{Condition, Evaluator, Spent, Stop, TrialResult};
use mho_network::input_noise::InputNoise;
use mho_network::results::{Labels, evaluation_table, layer_table};
use mho_network::samples::Feed;
use mho_network::score::Score;
use mho_network::summary::{Uncertainty, uncertainties};
use std::path::{Path, PathBuf};

/// What `mho evaluate` takes.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  mho evaluate --network mlp --dataset digits --effects quantisation\n  \
                  mho train --network cnn --dataset fashion-demo --out cnn.safetensors\n  \
                  mho evaluate --network cnn.safetensors --dataset fashion-demo --table t.safetensors \
                  --dose-krad-si 0,30,100 --trials 10 --layers layers.csv\n  \
                  mho evaluate --network cnn.safetensors --dataset fashion-demo --table t.safetensors \
                  --ablation --dose-krad-si 100 --time-s 432000\n  \
                  mho evaluate --network net.onnx --dataset cifar10 --table t.safetensors --until-band 0.5\n  \
                  mho evaluate --network mlp --dataset digits --effects float --input-noise gaussian:0.2\n  \
                  mho evaluate --explain-array\n\n\
                  A NET.toml names the file of a network and how it wants its inputs:\n  \
                  model = \"net.onnx\"\n  [input]\n  scale = 0.00392156862745098\n  mean = [0.485, 0.456, 0.406]\n  \
                  std = [0.229, 0.224, 0.225]\n\n\
                  Standard output has one row per trial and condition; the summary, with the digital network \
                  first, goes to standard error.")]
pub(crate) struct Evaluate {
    /// A trained network: .onnx, .safetensors, or a NET.toml; `mlp`, `cnn` or an architecture is trained
    /// first.
    #[arg(long, value_name = "NET", required_unless_present = "explain_array")]
    pub(crate) network: Option<String>,
    /// Name of a data set (`mho data list`).
    #[arg(long, value_name = "DATA", required_unless_present = "explain_array")]
    pub(crate) dataset: Option<String>,
    /// Device table, over time and dose, along a history, or an ensemble; needed by all effects of devices.
    #[arg(long, value_name = "T.safetensors")]
    pub(crate) table: Option<PathBuf>,
    /// The array (default: the one that `--explain-array` prints).
    #[arg(long, value_name = "ARRAY.toml")]
    pub(crate) array: Option<PathBuf>,
    /// Times since programming (s) (default: 0; along a history all of its reports).
    #[arg(long, value_delimiter = ',', allow_negative_numbers = true)]
    pub(crate) time_s: Vec<f64>,
    /// Doses (krad(Si)) (default: 0; along a history those of its reports).
    #[arg(long, value_delimiter = ',', allow_negative_numbers = true)]
    pub(crate) dose_krad_si: Vec<f64>,
    /// Number of trials: draws of all cells.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) trials: u64,
    /// Repeats that many trials, at each condition until the 95 % band of its mean accuracy is at most this
    /// wide (points).
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    pub(crate) until_band: Option<f64>,
    /// Most trials with `--until-band`.
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "until_band")]
    pub(crate) most_trials: u64,
    /// Number of test images, from the first (default: all).
    #[arg(long)]
    pub(crate) images: Option<usize>,
    /// Noise on the test images: gaussian:LEVEL, speckle:LEVEL or salt-and-pepper:LEVEL, white being 1.
    #[arg(long, value_name = "KIND:LEVEL")]
    pub(crate) input_noise: Option<InputNoise>,
    /// Effects with `+` between, `float` or `all` (default: quantisation and those of the array).
    #[arg(long)]
    pub(crate) effects: Option<Effects>,
    /// What each effect costs: added one by one, from the digital network to all; or all but one, for each.
    #[arg(long, value_enum, conflicts_with = "effects", num_args = 0..=1, default_missing_value = "added")]
    pub(crate) ablation: Option<Ablation>,
    /// Where the CSV or Parquet goes (default: CSV to standard output).
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// A table of what happened in each layer: weights, currents, conversions, saturation.
    #[arg(long, value_name = "FILE")]
    pub(crate) layers: Option<PathBuf>,
    /// Prints every field of array.toml with its unit, default and meaning.
    #[arg(long)]
    pub(crate) explain_array: bool,
}

/// Kinds of ablation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Ablation {
    /// Effects added one by one.
    Added,
    /// All but one.
    LeftOut,
}

/// What an evaluation found.
pub(crate) struct Found {
    /// One row per trial and condition.
    trials: Table,
    /// One row per trial, condition and layer.
    layers: Table,
    /// The digital network on undisturbed inputs.
    digital: Score,
    /// Results of the best estimate, condition after condition.
    results: Vec<TrialResult>,
    /// Labels of the conditions that stand together, in the order of the effects of each time and dose.
    steps: Vec<String>,
    /// What the trials of the best estimate have cost; no part of what is written, for it is not reproducible.
    spent: Spent,
    /// Largest error that currents behind wires may have.
    wire_tolerance: f64,
    /// With an ensemble: the uncertainties apart.
    uncertainties: Vec<Uncertainty>,
    /// What a reader has to know.
    notes: Vec<String>,
}

/// Runs the command.
pub(super) fn run(args: &Evaluate, globals: &Globals) -> Answer {
    if args.explain_array {
        return Ok(ArrayConfig::explain());
    }
    for path in args.out.iter().chain(&args.layers) {
        // told before the work is done
        if !matches!(path.extension().and_then(|e| e.to_str()), Some("csv" | "parquet")) {
            return Err(CliError::Usage(format!("{}: the ending is .csv or .parquet", path.display())));
        }
    }
    args.check()?;
    let progress = Progress::of_one("evaluate", globals.quiet);
    let found = args.evaluate(globals.seed.unwrap_or(0), &|fraction| progress.reach("evaluate", fraction));
    progress.finish();
    let found = found?;
    if !globals.quiet {
        eprint!("{}", words::headline(&found, args.ablation));
    }
    if let Some(path) = &args.layers {
        write_table(path, &found.layers)?;
    }
    if let Some(path) = &args.out {
        write_table(path, &found.trials)?;
    }
    Ok(match (globals.json, &args.out) {
        (true, _) => format!("{:#}\n", words::document(&found)),
        (false, Some(_)) => String::new(),
        (false, None) => found.trials.to_csv(),
    })
}

impl Evaluate {
    /// That the numbers make sense.
    fn check(&self) -> Result<(), CliError> {
        for (flag, values) in [("--time-s", &self.time_s), ("--dose-krad-si", &self.dose_krad_si)] {
            if let Some(bad) = values.iter().find(|v| !(v.is_finite() && **v >= 0.0)) {
                return Err(CliError::Usage(format!("{flag}: found {bad}, expected numbers of 0 or more")));
            }
        }
        match self.until_band {
            Some(width) if !(width > 0.0 && width.is_finite()) => {
                Err(CliError::Usage(format!("--until-band: found {width}, expected a width above 0 points")))
            }
            _ if self.table.is_none() && self.effects.is_some_and(needs_table) => {
                let effects = self.effects.map(|effects| effects.to_string()).unwrap_or_default();
                Err(CliError::Usage(format!("--effects {effects}: effects of devices need a --table")))
            }
            _ if self.images == Some(0) => {
                Err(CliError::Usage("--images: found 0, expected at least one image".into()))
            }
            _ => Ok(()),
        }
    }

    /// Evaluates all trials at all times, doses and effects asked for; `progress` hears fractions of the
    /// whole. Writes nothing.
    ///
    /// # Errors
    /// When an input cannot be read or the parts do not fit each other.
    fn evaluate(&self, seed: u64, progress: &(dyn Fn(f64) + Sync)) -> Result<Found> {
        let tables = self.table.as_deref().map(Tables::read).transpose()?;
        let mut notes = Vec::new();
        let array = inputs::array(self.array.as_deref(), tables.as_ref(), &mut notes)?;
        if self.until_band.is_some() && matches!(tables, Some(Tables::Ensemble(_))) {
            let why =
                "--until-band: the tables of an ensemble are compared over the same trials: give --trials";
            return Err(CliError::Usage(why.into()).into());
        }
        let sets = Sets::find(self.dataset.as_deref().unwrap_or_default())?;
        let name = self.network.as_deref().unwrap_or_default();
        let mut network = inputs::network(name, &sets, seed)?;
        network.graph = arranged(&network.graph, &array)?.into_owned();
        let test = sets.test()?;
        let (train, apart) = sets.calibration()?;
        if !apart {
            notes.push("converters were calibrated on the test set: there are no training samples".into());
        }
        let fed = |samples| {
            Feed::new(samples, &network.graph, &network.input).map_err(|error| {
                InputError::new(sets.name(), format!("{}: {}", error.what, error.found), error.expected)
            })
        };
        let (feed, calibration) = (fed(&test)?.limited(self.images), fed(&train)?);
        let devices = tables.as_ref().map(Tables::best);
        notes.extend(devices.and_then(|devices| devices.range_in_words(&array)));
        let evaluator = Evaluator::new(&network.graph, feed.clone(), &calibration, &array, devices)?
            .with_input_noise(self.input_noise);
        let digital = evaluator.digital()?;
        let (steps, conditions) = self.conditions(&array, tables.as_ref(), evaluator.possible_effects());
        inputs::reach(self.table.as_deref(), tables.as_ref(), &conditions, &mut notes)?;
        let members = tables.as_ref().map_or_else(Vec::new, Tables::others);
        let share = 1.0 / (1 + members.len()) as f64;
        let part = |fraction| progress(fraction * share);
        let results = match self.until_band {
            Some(points) => {
                let stop = Stop { band: points / 100.0, most: self.most_trials };
                evaluator.evaluate_until(&conditions, self.trials, stop, seed, &part)?
            }
            None => evaluator.evaluate_with(&conditions, 0..self.trials, seed, &part)?,
        };
        if let Some(points) = self.until_band {
            notes.extend(words::too_wide(&results, points, self.most_trials));
        }
        let spent = evaluator.spent();
        let labels = |member: Option<&str>| {
            let table = self.table.as_deref().map_or_else(|| "none".to_owned(), stem);
            Labels {
                network: network.graph.name().to_owned(),
                dataset: sets.name().to_owned(),
                table: member.map_or_else(|| table.clone(), |member| format!("{table}/{member}")),
                array: self.array.as_deref().map_or_else(|| "default".to_owned(), stem),
            }
        };
        let mut trials = evaluation_table(&results, &labels(None));
        let mut all = vec![(MemberKind::Best, results)];
        for member in members {
            let devices = Some(Devices::from(&member.table));
            let evaluator = Evaluator::new(&network.graph, feed.clone(), &calibration, &array, devices)?
                .with_input_noise(self.input_noise);
            let results = evaluator.evaluate_with(&conditions, 0..self.trials, seed, &part)?;
            trials.append(&evaluation_table(&results, &labels(Some(&member.label))))?;
            all.push((member.kind, results));
        }
        let uncertainties = if all.len() > 1 { uncertainties(&all) } else { Vec::new() };
        let (_, results) = all.swap_remove(0);
        Ok(Found {
            trials,
            layers: layer_table(&results),
            digital,
            results,
            steps,
            spent,
            wire_tolerance: array.array.wire_tolerance,
            uncertainties,
            notes,
        })
    }

    /// Labels of the effects of each time and dose, and all conditions: every time at every dose with each
    /// of the effects; without a table, what needs none.
    fn conditions(
        &self,
        array: &ArrayConfig,
        tables: Option<&Tables>,
        possible: Effects,
    ) -> (Vec<String>, Vec<Condition>) {
        let without = Effects::QUANTISATION.or(Effects { stuck: true, wires: true, ..Effects::NONE });
        let asked = if tables.is_some() { array.effects.with_quantisation() } else { without }.and(possible);
        let steps = match (self.ablation, self.effects) {
            (Some(Ablation::Added), _) => Effects::added_one_by_one(asked),
            (Some(Ablation::LeftOut), _) => Effects::left_out_one_by_one(asked),
            (None, Some(effects)) => vec![(effects.to_string(), effects)],
            (None, None) => vec![(asked.to_string(), asked)],
        };
        let steps = match tables {
            Some(Tables::History(_)) => inputs::together(steps),
            _ => steps,
        };
        let places = match tables {
            Some(Tables::History(table)) => inputs::reports(table, &self.time_s, &self.dose_krad_si),
            _ => inputs::grid(&self.time_s, &self.dose_krad_si),
        };
        let (labels, effects): (Vec<String>, Vec<Effects>) = steps.into_iter().unzip();
        let conditions = places
            .into_iter()
            .flat_map(|(time_s, dose)| {
                effects.iter().map(move |&effects| Condition::new(time_s, dose, effects))
            })
            .collect();
        (labels, conditions)
    }
}

/// Whether any of the effects is one of devices.
fn needs_table(effects: Effects) -> bool {
    effects.programming || effects.drift || effects.dose_mean || effects.dose_random || effects.read_noise
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        evaluate: Evaluate,
    }

    #[test]
    fn conditions_are_times_by_doses_by_effects() {
        let line =
            ["mho", "--network", "mlp", "--dataset", "digits", "--time-s", "0,60", "--dose-krad-si", "0,1,2"];
        let args = Line::parse_from(line).evaluate;
        let array = ArrayConfig::default();
        let possible = Effects { stuck: false, wires: false, nonlinear_iv: false, ..Effects::ALL };
        let (labels, all) = args.conditions(&array, None, possible);
        assert_eq!((labels.len(), all.len()), (1, 6));
        assert_eq!((all[1].time_s, all[1].dose_krad_si), (0.0, 1.0));
        assert_eq!(all[0].effects.to_string(), "quantisation");
        let (labels, all) = Line::parse_from(line.into_iter().chain(["--ablation"]))
            .evaluate
            .conditions(&array, None, possible);
        assert_eq!((labels.len(), all.len()), (4, 6 * 4), "{labels:?}");
        let left_out = Line::parse_from(line.into_iter().chain(["--ablation", "left-out"])).evaluate;
        assert_eq!(left_out.conditions(&array, None, possible).0.len(), 4);
        assert_eq!(Line::parse_from(["mho", "--explain-array"]).evaluate.most_trials, 1000);
    }
}
