//! Networks on simulated arrays: the perceptron of the anchors on two data sets, and what devices cost it.

mod aging;
mod depth;
mod errors;
mod wires;

pub(super) use aging::{DRIFT, MITIGATION};
pub(super) use depth::{DEEPER, DOSE};
pub(super) use errors::{DEVICES, GENERIC};
pub(super) use wires::WIRES;

use super::{BuildError, Wish};
use crate::analysis::sets::own_format;
use mho_compact::cell::PublishedCell;
use mho_compact::inference::TableSource;
use mho_data::dataset::{self, Dataset};
use mho_data::provenance::Origin;
use mho_data::published::PublishedSonos;
use mho_lut::{CompileOptions, DeviceTable, compile};
use mho_network::array::ArrayConfig;
use mho_network::evaluate::{Condition, Evaluator};
use mho_network::graph::Graph;
use mho_network::model::Network;
use mho_network::samples::{Feed, InputFormat, LabelledSet};
use mho_network::spec::NetworkSpec;
use mho_network::train::{TrainOptions, train};
use std::sync::{Arc, Mutex, PoisonError};

/// The first test images, as those of the anchors.
const IMAGES: usize = 5000;

/// Grey value of white.
const WHITE: f32 = 255.0;

/// What the anchors stand on: an independent simulation of the same perceptron (784-256-128-10, 8 passes
/// of Adam), with its own training and draws.
const SOURCE: &str = "ours: independent computation of the same network (design notes F.3)";

/// A network with its data.
struct Task {
    /// `MNIST` or `Fashion-MNIST`, or what stands in for it.
    name: &'static str,
    /// Whether these are the data of the anchors.
    whole: bool,
    data: Dataset,
    graph: Graph,
    /// How the network wants its images.
    format: InputFormat,
    /// Right answers without any array (percent of the images used).
    digital: f64,
    /// Test images, from the first.
    images: usize,
}

/// Data sets of the figures, with what comes with mho where the user has none.
const SETS: [[&str; 4]; 2] = [
    ["mnist", "MNIST", "digits", "digits 8 x 8"],
    ["fashion-mnist", "Fashion-MNIST", "fashion-demo", "Fashion-MNIST, 4,000 images"],
];

/// Networks that were trained in this process, by set and seed: several figures ask for the same.
static TRAINED: Mutex<Vec<(usize, u64, Arc<Task>)>> = Mutex::new(Vec::new());

/// The perceptron on each set, trained where it is not yet.
fn tasks(wish: &Wish<'_>) -> Result<Vec<Arc<Task>>, BuildError> {
    (0..SETS.len()).map(|set| task(set, wish)).collect()
}

fn task(set: usize, wish: &Wish<'_>) -> Result<Arc<Task>, BuildError> {
    let mut trained = TRAINED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((.., task)) = trained.iter().find(|(known, seed, _)| (*known, *seed) == (set, wish.seed)) {
        return Ok(task.clone());
    }
    let [full, name, small, small_name] = SETS[set];
    let whole = dataset::location(full).is_some();
    let data = dataset::find(if whole { full } else { small })?;
    let usual = TrainOptions::for_images(data.train.labels.len());
    let options = if whole {
        // as the anchors: 8 passes, a rate of 1e-3, no decay
        TrainOptions { epochs: 8, rate: 1e-3, weight_decay: 0.0, seed: wish.seed, ..usual }
    } else {
        TrainOptions { seed: wish.seed, ..usual }
    };
    let spec = NetworkSpec::mlp(&[256, 128], data.classes);
    let network = train(&data, &spec, &options, &|_| ())?.network;
    let task = Arc::new(Task::new(if whole { name } else { small_name }, whole, data, &network)?);
    trained.push((set, wish.seed, task.clone()));
    Ok(task)
}

/// No effect of arrays.
fn digital() -> Condition {
    Condition { time_s: 0.0, dose_krad_si: 0.0, effects: mho_network::effects::Effects::NONE }
}

/// Accuracies of trials (percent).
#[derive(Debug, Clone, Copy)]
struct Accuracy {
    mean: f64,
    least: f64,
    most: f64,
    /// Standard deviation of one trial.
    deviation: f64,
}

impl Task {
    fn new(name: &'static str, whole: bool, data: Dataset, network: &Network) -> Result<Self, BuildError> {
        Self::of_graph(name, whole, data, (network.graph()?, own_format(network)), IMAGES)
    }

    /// A network from elsewhere, on the first test images.
    fn of_graph(
        name: &'static str,
        whole: bool,
        data: Dataset,
        (graph, format): (Graph, InputFormat),
        images: usize,
    ) -> Result<Self, BuildError> {
        Self { name, whole, data, graph, format, digital: f64::NAN, images }.of_first(images)
    }

    /// The same with fewer test images.
    fn of_first(mut self, images: usize) -> Result<Self, BuildError> {
        self.images = images.min(self.data.test.labels.len());
        self.digital = self.accuracy(None, &ArrayConfig::default(), &[digital()], 1, 0)?[0].mean;
        Ok(self)
    }

    /// Accuracy at each condition.
    fn accuracy(
        &self,
        table: Option<&DeviceTable>,
        array: &ArrayConfig,
        conditions: &[Condition],
        trials: u64,
        seed: u64,
    ) -> Result<Vec<Accuracy>, BuildError> {
        let test = LabelledSet::of_images(&self.data.test, WHITE)?;
        let train = LabelledSet::of_images(&self.data.train, WHITE)?;
        let feed = Feed::new(&test, &self.graph, &self.format)?.limited(Some(self.images));
        let calibration = Feed::new(&train, &self.graph, &self.format)?;
        let evaluator = Evaluator::new(&self.graph, feed, &calibration, array, table.map(Into::into))?;
        let results = evaluator.evaluate(conditions, 0..trials, seed)?;
        // by condition, then by trial
        let of_condition = |results: &[mho_network::evaluate::TrialResult]| {
            let tops: Vec<f64> = results.iter().map(|result| 100.0 * result.top1()).collect();
            let mean = tops.iter().sum::<f64>() / tops.len().max(1) as f64;
            let squares = tops.iter().map(|top| (top - mean).powi(2)).sum::<f64>();
            Accuracy {
                mean,
                deviation: (squares / (tops.len().max(2) - 1) as f64).sqrt(),
                least: tops.iter().copied().fold(f64::INFINITY, f64::min),
                most: tops.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            }
        };
        Ok(results.chunks(trials.max(1) as usize).map(of_condition).collect())
    }
}

/// What a figure of these tasks says about its data.
fn dataset(tasks: &[Arc<Task>]) -> &'static str {
    if !tasks.iter().all(|task| task.whole) {
        return "sets that come with mho in place of absent ones: not comparable with the source";
    }
    match tasks {
        [task] if task.name == SETS[0][1] => "MNIST, all training images, the first 5,000 test images",
        [_] => "Fashion-MNIST, all training images, the first 5,000 test images",
        _ => "MNIST and Fashion-MNIST, all training images, the first 5,000 test images",
    }
}

/// Note under the picture.
fn note(tasks: &[Arc<Task>]) -> &'static str {
    if tasks.iter().all(|task| task.whole) {
        "bars: all trials; marks without line: independent computation"
    } else {
        "demo data, not those of the source"
    }
}

/// A table of the published statistics of a SONOS array, over its published days.
fn sonos(name: &str) -> Result<DeviceTable, BuildError> {
    let set = PublishedSonos::named(name)?;
    let time_max_s = set.time_s.last().copied().unwrap_or(0.0);
    let cell = PublishedCell::new(set, ArrayConfig::default().cell.largest_current_na());
    let options = CompileOptions { time_max_s, dose_max_krad_si: 0.0, ..CompileOptions::default() };
    Ok(compile(&cell, &options)?)
}

/// A table of a resistive law at the time of programming, with values in its own order (`mho models` lists
/// them), and the array for it.
fn resistive(name: &str, values: &[f64]) -> Result<(DeviceTable, ArrayConfig), BuildError> {
    let model = mho_compact::inference::find(name).ok_or_else(|| format!("no model {name}"))?;
    let read_v = ArrayConfig::default().cell.read_voltage_v;
    let source = TableSource::new(name, Origin::Published, model.cell(values), read_v);
    let [least, most] = source.cell.window_us();
    let options = CompileOptions { time_max_s: 0.0, dose_max_krad_si: 0.0, ..CompileOptions::default() };
    let table = compile(&source, &options)?;
    let mut array = array_for(&table);
    if least > 0.0 {
        array.cell.on_off_ratio = most / least;
    }
    Ok((table, array))
}

/// An array whose largest weight takes the largest current of the table.
fn array_for(table: &DeviceTable) -> ArrayConfig {
    let mut array = ArrayConfig::default();
    array.cell.current_max_na = Some(table.current_max_na());
    array
}
