//! Evaluations: what they must be without effects, the same bits for any number of threads, bands that stop
//! trials, noise on inputs.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::OnceLock;

use mho_data::dataset::{Dataset, Images};
use mho_data::provenance::Origin;
use mho_data::random::Stream;
use mho_lut::{
    CellSource, CellStatistics, CompileOptions, DeviceTable, SCORES, Share, SourceError, SourceInfo, compile,
};
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::{Condition, Evaluator, Stop, TrialResult};
use mho_network::graph::Graph;
use mho_network::results::{Labels, evaluation_table, layer_table};
use mho_network::samples::{Feed, InputFormat, LabelledSet};
use mho_network::spec::NetworkSpec;
use mho_network::summary::{cost, summarise};
use mho_network::train::{TrainOptions, Trained, train};

/// Images with one bright patch that tells the class, and noise.
fn images(count: usize, side: usize, seed: u64) -> Images {
    let stream = Stream::new(seed, &["test", "images"], &[]);
    let mut pixels = vec![0_u8; count * side * side];
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    for (i, image) in pixels.chunks_exact_mut(side * side).enumerate() {
        let label = usize::from(labels[i]);
        for (j, pixel) in image.iter_mut().enumerate() {
            let (row, column) = (j / side, j % side);
            let bright = row / 2 == label / 3 && column / 2 == label % 3;
            let noise = stream.uniform((i * side * side + j) as u64) * 80.0;
            *pixel = (noise + if bright { 120.0 } else { 0.0 }) as u8;
        }
    }
    Images { pixels, labels, rows: side, cols: side, channels: 1 }
}

/// A small convolutional network that knows the patches; trained once.
fn trained() -> &'static (Trained, Dataset) {
    static TRAINED: OnceLock<(Trained, Dataset)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let (train_images, test) = (images(600, 8, 1), images(200, 8, 2));
        let dataset = Dataset { name: "patches".into(), train: train_images, test, classes: 10 };
        let options = TrainOptions { epochs: 10, ..TrainOptions::for_images(600) };
        (train(&dataset, &NetworkSpec::cnn(10), &options, &|_| ()).unwrap(), dataset)
    })
}

/// Calls `use_it` with an evaluator of the trained network.
fn evaluated<R>(
    array: &ArrayConfig,
    table: Option<&DeviceTable>,
    use_it: impl FnOnce(Evaluator<'_>) -> R,
) -> R {
    let (trained, dataset) = trained();
    let graph: Graph = trained.network.graph().unwrap();
    let white = trained.network.pixel_max();
    let test = LabelledSet::of_images(&dataset.test, white).unwrap();
    let train = LabelledSet::of_images(&dataset.train, white).unwrap();
    let format = InputFormat::scaled(1.0 / f64::from(white));
    let feed = Feed::new(&test, &graph, &format).unwrap();
    let calibration = Feed::new(&train, &graph, &format).unwrap();
    use_it(Evaluator::new(&graph, feed, &calibration, array, table.map(Into::into)).unwrap())
}

#[test]
fn eight_bits_cost_little_and_saturate_seldom() {
    let (trained, dataset) = trained();
    assert!(trained.test.top1() > 0.9, "{}", trained.test.top1());
    evaluated(&ArrayConfig::default(), None, |evaluator| {
        let run = |effects| evaluator.evaluate(&[Condition::new(0.0, 0.0, effects)], 0..2, 1).unwrap();
        let float = run(Effects::NONE);
        let own = trained.network.score(&dataset.test);
        assert_eq!((float[0].score.first, float[0].score.images), (own.first, own.images));
        assert!((float[0].score.loss() - own.loss()).abs() < 1e-6);
        assert_eq!((float[0].score, float[1].score), (evaluator.digital().unwrap(), float[0].score));
        let quantised = run(Effects::QUANTISATION);
        // 4 of 200 images
        assert!((quantised[0].top1() - float[0].top1()).abs() < 0.02);
        assert!((quantised[0].score.loss() - own.loss()).abs() < 0.05 * own.loss() + 0.01);
        assert!(quantised[0].outputs_saturated_fraction() < 0.01);
        assert_eq!(quantised[0].layers[0].output_conversions, 200 * 8 * 64);
        assert!(quantised[0].top5() >= quantised[0].top1());
        // one converter after the other
        for effects in [
            Effects { weight_levels: true, ..Effects::NONE },
            Effects { input_converters: true, ..Effects::NONE },
            Effects { output_converters: true, ..Effects::NONE },
        ] {
            let one = run(effects);
            assert!((one[0].top1() - float[0].top1()).abs() < 0.02, "{effects}");
            assert_ne!(one[0].score.loss(), float[0].score.loss(), "{effects}");
            let saturated = one[0].outputs_saturated_fraction() + one[0].inputs_saturated_fraction();
            assert!(saturated < 0.02, "{effects}: {saturated}");
        }
    });
}

#[test]
fn same_bits_for_one_and_two_threads_and_for_any_company() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let table = table();
            evaluated(&ArrayConfig::default(), Some(&table), |evaluator| {
                let at = |dose| Condition::new(1e5, dose, Effects::ALL);
                let all = evaluator.evaluate(&[at(0.0), at(100.0), at(300.0)], 0..4, 7).unwrap();
                let one = evaluator.evaluate(&[at(100.0)], 2..3, 7).unwrap();
                let stop = Stop { band: 0.02, most: 40 };
                let until = evaluator.evaluate_until(&[at(0.0), at(300.0)], 4, stop, 7, &|_| ()).unwrap();
                let noisy = evaluator.with_input_noise(Some("speckle:0.5".parse().unwrap()));
                (all, one, until, noisy.evaluate(&[at(0.0)], 0..2, 7).unwrap())
            })
        })
    };
    let (all, one, until, noisy): (Vec<TrialResult>, Vec<_>, Vec<_>, Vec<_>) = run(1);
    assert_eq!((all.clone(), one.clone(), until.clone(), noisy.clone()), run(2));
    // A trial does not depend on the trials and conditions around it.
    assert_eq!(all[4 + 2], one[0]);
    assert_eq!(until[..4], all[..4]);
    assert_eq!(all.iter().map(|r| r.trial).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    let spread = |r: &TrialResult| r.layers[0].weight_rms_error;
    assert!(spread(&all[0]) < spread(&all[4]) && spread(&all[4]) < spread(&all[8]));
    assert_ne!(noisy[0].score, all[0].score);
    // Trials end when the band is narrow, or when there are no more.
    for summary in summarise(&until) {
        assert!(summary.top1.count >= 10);
        assert!(2.0 * summary.top1.half_width <= 0.02 || summary.top1.count == 40, "{summary:?}");
    }
    // The array has neither wires nor stuck cells, and says so.
    let possible = evaluated(&ArrayConfig::default(), None, |evaluator| evaluator.possible_effects());
    let text = all[0].condition.effects.and(possible).to_string();
    assert_eq!(text, "quantisation+programming+drift+dose-mean+dose-random+read-noise");
    let labels = Labels { network: "n".into(), ..Labels::default() };
    let table = evaluation_table(&all, &labels);
    let names: Vec<&str> = table.names().collect();
    assert_eq!(
        names[..11].join(","),
        "network,dataset,table,array,time_s,dose_krad_si,trial,effects,top1,top5,images"
    );
    assert_eq!(names.last(), Some(&"loss"));
    assert_eq!(layer_table(&all).floats("weights").unwrap().len(), 12 * all[0].layers.len());
    // Costs add up to what is lost on the whole, trial by trial.
    let (a, b, c) = (&all[..4], &all[4..8], &all[8..]);
    assert!((cost(a, b).mean + cost(b, c).mean - cost(a, c).mean).abs() < 1e-12);
}

/// With wires, arrays are corrected from those of the same trial before: the same bits whatever threads do.
#[test]
fn corrected_arrays_have_the_same_bits_for_any_number_of_threads() {
    let text = "[array]\nrows = 48\nrow_resistance_ohm = 2.0\ncolumn_resistance_ohm = 2.0\n\
                [cell]\nread_voltage_v = 0.02\n";
    let array = ArrayConfig::from_toml(text, "array.toml").unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let table = table();
            evaluated(&array, Some(&table), |evaluator| {
                let at = |time_s| Condition::new(time_s, 0.0, Effects::ALL);
                let results = evaluator.evaluate(&[at(0.0), at(1e4), at(3e4)], 0..3, 7).unwrap();
                let spent = evaluator.spent();
                assert!(spent.trials == 9 && spent.arrays.wires_s > 0.0 && spent.multiplying_s > 0.0);
                results
            })
        })
    };
    let results = run(1);
    assert_eq!(results, run(2));
    let mut wires = results[0].wires();
    results[1..].iter().for_each(|result| wires += result.wires());
    assert!(wires.corrected > 0 && wires.largest_error <= 1e-4, "{wires:?}");
    assert!(wires.noise_corrected > 0, "{wires:?}");
}

#[test]
fn noise_on_inputs_costs_accuracy_and_more_of_it_more() {
    let loss = |text: Option<&str>| {
        evaluated(&ArrayConfig::default(), None, |evaluator| {
            let evaluator = evaluator.with_input_noise(text.map(|text| text.parse().unwrap()));
            let results = evaluator.evaluate(&[Condition::new(0.0, 0.0, Effects::NONE)], 0..3, 1).unwrap();
            summarise(&results)[0].loss.mean
        })
    };
    let silent = loss(None);
    for kind in ["gaussian", "speckle", "salt-and-pepper"] {
        let (some, more) = (loss(Some(&format!("{kind}:0.3"))), loss(Some(&format!("{kind}:0.8"))));
        assert!(silent < some && some < more, "{kind}: {silent} {some} {more}");
        assert_eq!(loss(Some(&format!("{kind}:0"))), silent);
    }
}

#[test]
fn what_does_not_fit_is_told() {
    evaluated(&ArrayConfig::default(), None, |evaluator| {
        let condition = Condition::new(0.0, 0.0, Effects { programming: true, ..Effects::NONE });
        let error = evaluator.evaluate(&[condition], 0..1, 1).unwrap_err();
        assert!(error.to_string().contains("device table"), "{error}");
    });
}

/// A device made up for these tests: everything about it is written here.
struct Invented;

impl CellSource for Invented {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "invented".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 1e6,
            dose_max_krad_si: 1000.0,
            notes: Vec::new(),
        }
    }

    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let target = 1600.0 * state;
        let loss = 0.01 * (time_s / 1e4).ln_1p() + 0.1 * (dose_krad_si / 100.0);
        let mean_na = target * (1.0 - loss.min(0.9));
        let spread = 40.0 * state.min(0.4);
        let variances = [1.0, time_s / 4e5, (dose_krad_si / 100.0).min(2.0)];
        let sum: f64 = variances.iter().sum();
        let sigma_na = spread * sum.sqrt();
        let [programming, drift, dose] = variances.map(|v| v / sum);
        let quantiles_na = SCORES.map(|z| (mean_na + sigma_na * z).max(0.0));
        let share = Share { programming, drift, dose };
        Ok(CellStatistics { mean_na, sigma_na, quantiles_na, share, extrapolated: false })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        2.0 + 0.01 * current_na
    }
}

fn table() -> DeviceTable {
    compile(&Invented, &CompileOptions { tolerance_fraction: 2e-3, ..CompileOptions::default() }).unwrap()
}
