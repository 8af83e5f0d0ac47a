//! Arrays against what they must be: the digital network without effects, the moments of the table
//! with them, the same bits for any number of threads.

use mho_data::dataset::{Dataset, Images};
use mho_data::provenance::Origin;
use mho_data::random::Stream;
use mho_lut::{
    CellSource, CellStatistics, CompileOptions, DeviceTable, SCORES, Share, SourceError, SourceInfo, compile,
};

use crate::array::ArrayConfig;
use crate::cells::{CellCurrents, ReadNoise};
use crate::effects::Effects;
use crate::evaluate::{Condition, Evaluator, TrialResult};
use crate::forward::Forward;
use crate::mapping::{MappedLayer, map_network, weight_histogram};
use crate::model::{Linear, Network};
use crate::program::{Draws, ProgrammedLayer, Programming};
use crate::spec::{NetworkSpec, Shape};
use crate::train::{TrainOptions, Trained, train};

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

fn trained(spec: &NetworkSpec) -> (Trained, Dataset) {
    let dataset = dataset(images(600, 8, 1), images(200, 8, 2));
    let options = TrainOptions { epochs: 10, ..TrainOptions::for_images(600) };
    (train(&dataset, spec, &options, &|_| ()).unwrap(), dataset)
}

fn target_cells(mapped: &[MappedLayer], network: &Network, quantised: bool) -> Vec<ProgrammedLayer> {
    let programming = Programming { quantised, least: 1e-7, currents: None, noise: None };
    let layer = |(number, m): (usize, &MappedLayer)| {
        let weights = &network.layers()[m.layer].linear().unwrap().weights;
        programming.layer(m, number, weights, &mut Draws::new(1, 0, mapped.len()))
    };
    mapped.iter().enumerate().map(layer).collect()
}

/// Largest difference of two outputs over the largest output.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    let largest = a.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
    a.iter().zip(b).fold(0.0_f32, |m, (a, b)| m.max((a - b).abs())) / largest
}

#[test]
fn without_effects_an_array_is_the_digital_network_whatever_its_tiles() {
    for spec in [NetworkSpec::mlp(&[32, 24], 10), NetworkSpec::cnn(10)] {
        let (trained, dataset) = trained(&spec);
        let network = &trained.network;
        let inputs = network.inputs(&dataset.test, 0, 40);
        let digital = network.forward(&inputs, 40);
        for rows in [1152, 13, 1] {
            let mut array = ArrayConfig::default();
            array.array.rows = rows;
            let mapped = map_network(network, &array);
            assert!(rows > 100 || mapped.iter().all(|m| m.tiles() >= m.inputs.div_ceil(rows)));
            let programmed = target_cells(&mapped, network, false);
            let forward = Forward {
                network,
                mapped: &mapped,
                inputs: None,
                outputs: None,
                programmed: &programmed,
                noise: None,
            };
            let (analog, _) = forward.run(inputs.clone(), 0, 40);
            assert!(difference(&digital, &analog) < 1e-6, "{rows} rows: {}", difference(&digital, &analog));
        }
    }
}

#[test]
fn eight_bits_cost_little_and_saturate_seldom() {
    let (trained, dataset) = trained(&NetworkSpec::cnn(10));
    assert!(trained.test.top1() > 0.9, "{}", trained.test.top1());
    let array = ArrayConfig::default();
    let evaluator =
        Evaluator::new(&trained.network, &dataset.test, None, &dataset.train, None, &array).unwrap();
    let run = |effects| {
        let condition = Condition::new(0.0, 0.0, effects);
        evaluator.evaluate(&[condition], 0..2, 1).unwrap()
    };
    let float = run(Effects::NONE);
    assert_eq!(float[0].score, trained.network.score(&dataset.test));
    assert_eq!(float[0].score, float[1].score);
    let quantised = run(Effects::QUANTISATION);
    assert!((quantised[0].top1() - float[0].top1()).abs() < 0.02);
    assert!(quantised[0].outputs_saturated_fraction() < 0.01);
    assert!(quantised[0].layers[0].output_conversions == 200 * 8 * 64);
    assert!(quantised[0].top5() >= quantised[0].top1());
}

#[test]
fn cells_have_the_moments_of_the_table() {
    let table = table();
    let array = ArrayConfig::default();
    let n = 40_000;
    let all = Effects { weight_levels: false, read_noise: false, ..Effects::ALL };
    // One weight of half the largest, many times over, and one of the largest that sets the scale.
    let mut weights = vec![0.5_f32; n];
    weights[0] = 1.0;
    let linear = Linear { inputs: n, outputs: 1, weights: weights.clone(), bias: vec![0.0] };
    let mapped = MappedLayer::new(0, &linear, &array);
    let currents = |condition: &Condition, levels| {
        let currents = CellCurrents::new(&table, &array.cell, condition, levels).unwrap();
        let quantised = levels.is_some();
        let programming = Programming { quantised, least: 1e-7, currents: Some(currents), noise: None };
        let layer = programming.layer(&mapped, 0, &weights, &mut Draws::new(5, 3, 1));
        // Half the range is 800 nA; the other cell of the pair is dark and has next to no spread.
        layer.weights[1..].iter().map(|&w| f64::from(w) * 1600.0).collect::<Vec<f64>>()
    };
    let moments = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, square.sqrt())
    };
    for (time_s, dose_krad_si) in [(0.0, 0.0), (4e5, 0.0), (0.0, 200.0), (4e5, 200.0)] {
        let at = |effects| Condition::new(time_s, dose_krad_si, effects);
        let (mean, sd) = moments(&currents(&at(all), None));
        let (mean_expected, sd_expected) = (
            table.slice(time_s, dose_krad_si).unwrap().mean_na(0.5),
            table.slice(time_s, dose_krad_si).unwrap().sigma_na(0.5),
        );
        assert!((mean - mean_expected).abs() < 0.03 * sd_expected, "{mean} {mean_expected}");
        assert!((sd / sd_expected - 1.0).abs() < 0.03, "{sd} {sd_expected}");
        // Without the random part of the dose the spread is that of the other shares.
        let (_, still) = moments(&currents(&at(Effects { dose_random: false, ..all }), None));
        let share = table.slice(time_s, dose_krad_si).unwrap().share(0.5);
        assert!((still / sd_expected - (1.0 - share.dose).sqrt()).abs() < 0.03);
        // Without the mean effect the median stays where it is without dose.
        let (mean, _) = moments(&currents(&at(Effects { dose_mean: false, ..all }), None));
        let undosed = table.slice(time_s, 0.0).unwrap().mean_na(0.5);
        assert!((mean - undosed).abs() < 0.05 * sd_expected, "{mean} {undosed}");
        // Without anything random every cell is alike.
        let none = Effects { programming: false, drift: false, dose_random: false, ..all };
        assert!(moments(&currents(&at(none), Some(127))).1 < 1e-3);
    }
}

#[test]
fn read_noise_has_the_variance_of_its_cells() {
    let table = table();
    let array = ArrayConfig::default();
    let spec = NetworkSpec::mlp(&[], 4);
    let shape = Shape { channels: 1, rows: 8, columns: 8 };
    let network = Network::new(&spec, shape, 255.0, 3).unwrap();
    let mapped = map_network(&network, &array);
    let noise = ReadNoise::new(&table, &array.cell);
    let programming = Programming { quantised: false, least: 1e-7, currents: None, noise: Some(noise) };
    let linear = network.layers()[1].linear().unwrap();
    let programmed = [programming.layer(&mapped[0], 0, &linear.weights, &mut Draws::new(1, 0, 1))];
    let pictures = images(1, 8, 4);
    let x = network.inputs(&pictures, 0, 1);
    let silent = network.forward(&x, 1);
    let trials = 20_000;
    let mut sums = [[0.0_f64; 2]; 4];
    for trial in 0..trials {
        let forward = Forward {
            network: &network,
            mapped: &mapped,
            inputs: None,
            outputs: None,
            programmed: &programmed,
            noise: Some((9, trial)),
        };
        let (noisy, _) = forward.run(x.clone(), 0, 1);
        for (sums, (a, b)) in sums.iter_mut().zip(noisy.iter().zip(&silent)) {
            let d = f64::from(a - b);
            sums[0] += d;
            sums[1] += d * d;
        }
    }
    for (output, sums) in sums.iter().enumerate() {
        // Cell by cell: each pair adds x^2 (sigma+^2 + sigma-^2), in units of the weights.
        let expected: f64 = (0..64)
            .map(|i| {
                let weight = f64::from(linear.weights[output * 64 + i]);
                let largest = f64::from(mapped[0].weight_max);
                let lit = table.read_noise_na(weight.abs() / largest * 1600.0);
                let dark = table.read_noise_na(1.6e-4);
                f64::from(x[i]).powi(2) * (lit * lit + dark * dark) * (largest / 1600.0).powi(2)
            })
            .sum();
        let n = trials as f64;
        assert!((sums[0] / n).abs() < 5.0 * (expected / n).sqrt());
        assert!((sums[1] / n / expected - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{} {expected}", sums[1] / n);
    }
}

#[test]
fn same_bits_for_one_and_two_threads_and_for_any_company() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (trained, dataset) = trained(&NetworkSpec::cnn(10));
            let table = table();
            let array = ArrayConfig::default();
            let (test, train) = (&dataset.test, &dataset.train);
            let evaluator =
                Evaluator::new(&trained.network, test, None, train, Some(&table), &array).unwrap();
            let at = |dose_krad_si| Condition::new(1e5, dose_krad_si, Effects::ALL);
            let all = evaluator.evaluate(&[at(0.0), at(100.0), at(300.0)], 0..4, 7).unwrap();
            let one = evaluator.evaluate(&[at(100.0)], 2..3, 7).unwrap();
            (trained.network.to_bytes().unwrap(), all, one)
        })
    };
    let (network, all, one): (Vec<u8>, Vec<TrialResult>, Vec<TrialResult>) = run(1);
    assert_eq!((network, all.clone(), one.clone()), run(2));
    // A trial does not depend on the trials and conditions around it.
    assert_eq!(all[4 + 2], one[0]);
    assert_eq!(all.iter().map(|r| r.trial).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    let spread = |r: &TrialResult| r.layers[0].weight_rms_error;
    assert!(spread(&all[0]) < spread(&all[4]) && spread(&all[4]) < spread(&all[8]));
}

#[test]
fn the_histogram_counts_every_cell() {
    let (trained, _) = trained(&NetworkSpec::mlp(&[16], 10));
    let histogram = weight_histogram(&trained.network, &ArrayConfig::default(), 32);
    let cells: f64 = histogram.floats("cells").unwrap().iter().sum();
    assert_eq!(cells as usize, 2 * trained.network.weight_count());
    assert_eq!(histogram.floats("layer").unwrap().len(), 64);
}

fn dataset(train: Images, test: Images) -> Dataset {
    Dataset { name: "patches".into(), train, test, classes: 10 }
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
