//! `mho evaluate`: accuracy of a network on simulated arrays.

use super::train::architecture;
use anyhow::{Context as _, Result, ensure};
use mho_data::dataset::Dataset;
use mho_data::table::Table;
use mho_data::{InputError, dataset};
use mho_lut::DeviceTable;
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::{Condition, Evaluator};
use mho_network::model::Network;
use mho_network::results::{Labels, evaluation_table};
use mho_network::train::{TrainOptions, train};
use std::path::{Path, PathBuf};

/// What `mho evaluate` takes.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  mho evaluate --network mlp.safetensors --dataset fashion-demo --table t.safetensors \
                  --dose-krad-si 0,30,100 --trials 10\n  \
                  mho evaluate --network mlp --dataset digits --effects quantisation\n  \
                  mho evaluate --explain-array"
)]
pub struct Evaluate {
    /// A network as `mho train` writes it; `mlp`, `cnn` or a NET.toml is trained first.
    #[arg(long, value_name = "NET", required_unless_present = "explain_array")]
    pub network: Option<String>,
    /// Name of a data set (`mho data list`).
    #[arg(long, value_name = "DATA", required_unless_present = "explain_array")]
    pub dataset: Option<String>,
    /// Device table; needed by all effects but quantisation.
    #[arg(long, value_name = "T.safetensors")]
    pub table: Option<PathBuf>,
    /// The array (default: the one that `--explain-array` prints).
    #[arg(long, value_name = "ARRAY.toml")]
    pub array: Option<PathBuf>,
    /// Times since programming (s).
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub time_s: Vec<f64>,
    /// Doses (krad(Si)).
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub dose_krad_si: Vec<f64>,
    /// Number of trials: draws of all cells.
    #[arg(long, default_value_t = 5)]
    pub trials: u64,
    /// Number of test images, from the first (default: all).
    #[arg(long)]
    pub images: Option<usize>,
    /// Effects with `+` between, `float` or `all` (default: quantisation and those of the array).
    #[arg(long)]
    pub effects: Option<Effects>,
    /// One row per step of the ablation, from the digital network to all effects.
    #[arg(long, conflicts_with = "effects")]
    pub ablation: bool,
    /// Where the CSV or Parquet goes (default: CSV to standard output).
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Prints every field of array.toml with its unit, default and meaning.
    #[arg(long)]
    pub explain_array: bool,
}

impl Evaluate {
    /// Evaluates all trials at all times, doses and effects asked for; `progress` hears fractions of the
    /// whole. Writes nothing.
    ///
    /// # Errors
    /// When an input cannot be read or the parts do not fit each other.
    pub fn evaluate(&self, seed: u64, progress: &(dyn Fn(f64) + Sync)) -> Result<Table> {
        let name = self.dataset.as_deref().unwrap_or_default();
        let dataset = dataset::find(name)?;
        let array = match &self.array {
            Some(path) => ArrayConfig::from_toml(&read_text(path)?, &path.display().to_string())?,
            None => ArrayConfig::default(),
        };
        let table = self.table.as_deref().map(read_table).transpose()?;
        for (flag, values) in [("--time-s", &self.time_s), ("--dose-krad-si", &self.dose_krad_si)] {
            let good = values.iter().all(|v| v.is_finite() && *v >= 0.0);
            ensure!(good, "{flag}: expected numbers of 0 or more, found {values:?}");
        }
        let network = network(self.network.as_deref().unwrap_or_default(), &dataset, seed)?;
        let conditions = self.conditions(&array, table.is_some());
        let evaluator =
            Evaluator::new(&network, &dataset.test, self.images, &dataset.train, table.as_ref(), &array)?;
        let results = evaluator.evaluate_with(&conditions, 0..self.trials, seed, progress)?;
        let labels = Labels {
            network: network.name().to_owned(),
            dataset: dataset.name.clone(),
            table: self.table.as_deref().map_or_else(|| "none".to_owned(), stem),
            array: self.array.as_deref().map_or_else(|| "default".to_owned(), stem),
        };
        Ok(evaluation_table(&results, &labels))
    }

    /// Every time at every dose, with the effects asked for; without a table, what needs none.
    fn conditions(&self, array: &ArrayConfig, table: bool) -> Vec<Condition> {
        let effects: Vec<Effects> = match self.effects {
            _ if self.ablation => Effects::ABLATION.iter().map(|&(_, effects)| effects).collect(),
            Some(effects) => vec![effects],
            None if table => vec![array.effects.with_quantisation()],
            None => vec![Effects::QUANTISATION],
        };
        let mut conditions = Vec::new();
        for &time_s in &self.time_s {
            for &dose_krad_si in &self.dose_krad_si {
                conditions
                    .extend(effects.iter().map(|&effects| Condition::new(time_s, dose_krad_si, effects)));
            }
        }
        conditions
    }
}

/// The network in a safetensors file, or one trained here from an architecture.
fn network(network: &str, dataset: &Dataset, seed: u64) -> Result<Network> {
    if network.ends_with(".safetensors") {
        let bytes = std::fs::read(network).with_context(|| format!("--network {network}"))?;
        return Ok(Network::from_bytes(&bytes, network)?);
    }
    let spec = architecture(network, dataset.classes)?;
    let options = TrainOptions { seed, ..TrainOptions::for_images(dataset.train.labels.len()) };
    Ok(train(dataset, &spec, &options, &|_| ())?.network)
}

fn read_table(path: &Path) -> Result<DeviceTable> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("--table {file}"))?;
    Ok(DeviceTable::from_bytes(&bytes, &file)?)
}

fn read_text(path: &Path) -> Result<String> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| file.clone())?;
    Ok(String::from_utf8(bytes)
        .map_err(|_| InputError::new(file, "bytes that are no UTF-8", "text in UTF-8"))?)
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
        let all = args.conditions(&array, true);
        assert_eq!(all.len(), 6);
        assert_eq!((all[1].time_s, all[1].dose_krad_si, all[1].effects), (0.0, 1.0, Effects::ALL));
        assert_eq!(args.conditions(&array, false)[0].effects.to_string(), "quantisation");
        let steps = Line::parse_from(line.into_iter().chain(["--ablation"])).evaluate;
        assert_eq!(steps.conditions(&array, true).len(), 6 * 9);
    }
}
