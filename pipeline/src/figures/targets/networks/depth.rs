//! Convolutional and deep networks under dose.

use super::super::{Built, Class, Target};
use super::aging::{GATE_UM2, falls, irradiated};
use super::*;
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Mark, Panel, Series};
use crate::figures::targets::Check;
use mho_network::effects::Effects;

pub(in super::super) const DOSE: Target = Target {
    id: "N01",
    title: "accuracy of a convolutional network against dose, for several gate areas",
    source: "Marinella et al., talks of 2021-12-07 and 2022-02-17: accuracy holds to between 10 and 100 krad(Si)",
    class: Class::Anchor,
    build: dose,
};

pub(in super::super) const DEEPER: Target = Target {
    id: "N02",
    title: "networks of different depth against dose: deeper ones lose earlier",
    source: "Marinella et al., talks of 2021-12-07 and 2022-02-17: ordering of a deep and a shallow network",
    class: Class::Shape,
    build: deeper,
};

/// Doses (krad(Si)).
const DOSES: [f64; 10] = [0.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 300.0, 500.0, 1000.0];

/// Gate areas (um2): the one that counts first, then the sweep that the source's silence asks for.
const AREAS: [f64; 4] = [GATE_UM2, 0.02, 0.1, 0.01];

/// Programming and dose, with converters of 8 bits.
const UNDER_DOSE: Effects = Effects { drift: false, read_noise: false, ..Effects::ALL };

/// Trials of each point.
const TRIALS: u64 = 3;

fn conditions() -> [Condition; DOSES.len()] {
    DOSES.map(|dose_krad_si| Condition { time_s: 0.0, dose_krad_si, effects: UNDER_DOSE })
}

/// Dose (krad(Si)) at which `points` are lost against the first value, on a line in the logarithm between
/// doses; `None` if they never are.
fn loss_dose(accuracy: &[f64], points: f64) -> Option<f64> {
    let limit = accuracy.first()? - points;
    let after = accuracy.iter().position(|value| *value < limit)?;
    let (x, y) = (after.checked_sub(1)?, after);
    let share = (accuracy[x] - limit) / (accuracy[x] - accuracy[y]);
    // no logarithm of 0: the first step goes from a tenth of the smallest dose
    let from = DOSES[x].max(0.1 * DOSES[1]).ln();
    Some((from + share * (DOSES[y].ln() - from)).exp())
}

/// The convolutional network of the figure: the one of the talks where it was trained and its data are
/// there, else a small one on clothes.
fn convolutional(wish: &Wish<'_>) -> Result<Task, BuildError> {
    const IMAGES_OF_CNN6: usize = 300;
    const IMAGES_OF_CNN: usize = 2000;
    let trained = dataset::network_file("cifar10-cnn6").zip(dataset::location("cifar10"));
    if let Some((file, _)) = trained {
        let network = Network::from_bytes(&std::fs::read(&file)?, &file.display().to_string())?;
        let task = Task::new("CIFAR-10, six layers", true, dataset::find("cifar10")?, &network)?;
        return task.of_first(IMAGES_OF_CNN6);
    }
    let whole = dataset::location("fashion-mnist").is_some();
    let data = dataset::find(if whole { "fashion-mnist" } else { "fashion-demo" })?;
    let usual = TrainOptions::for_images(data.train.labels.len());
    let epochs = if whole { 4 } else { usual.epochs };
    let spec = NetworkSpec::cnn(data.classes);
    let network = train(&data, &spec, &TrainOptions { epochs, seed: wish.seed, ..usual }, &|_| ())?.network;
    let name = if whole { "Fashion-MNIST, small CNN" } else { "Fashion-MNIST of 4,000 images, small CNN" };
    Task::new(name, whole, data, &network)?.of_first(IMAGES_OF_CNN)
}

fn dose(wish: &Wish<'_>) -> Result<Built, BuildError> {
    let task = convolutional(wish)?;
    (wish.progress)(0.2);
    let (mut series, mut checks) = (Vec::new(), Vec::new());
    series.push(Series::new(Some("digital"), 0, Mark::Line(1), vec![0.0, 1000.0], vec![task.digital; 2]));
    for (index, area) in AREAS.into_iter().enumerate() {
        let table = irradiated(area)?;
        let found = task.accuracy(Some(&table), &array_for(&table), &conditions(), TRIALS, wish.seed)?;
        let means: Vec<f64> = found.iter().map(|accuracy| accuracy.mean).collect();
        if index == 0 {
            // Between 10 and 100 krad(Si), half a decade either way; the seeds say no more.
            let knee = loss_dose(&means, 2.0).map_or(f64::INFINITY, |krad| (1e3 * krad).log10());
            let name = format!("log10 of the dose (rad(Si)) that costs 2 points, {area} um2");
            checks.push(Check::new(name, 4.5, knee, 0.8).comparable(task.whole));
            checks.push(Check::new("never rises with dose (1: yes)", 1.0, falls(&means, 0.3), 0.0));
        }
        let of = |part: fn(&Accuracy) -> f64| found.iter().map(part).collect::<Vec<f64>>();
        let label = format!("{area} µm²");
        series.push(
            Series::new(None, index + 1, Mark::Band, DOSES.to_vec(), Vec::new())
                .between(of(|a| a.least), of(|a| a.most)),
        );
        series.push(Series::new(Some(&label), index + 1, Mark::Line(0), DOSES.to_vec(), means.clone()));
        series.push(Series::new(None, index + 1, Mark::Points(index), DOSES.to_vec(), means));
        (wish.progress)(0.2 + 0.8 * (index + 1) as f64 / AREAS.len() as f64);
    }
    let panel = Panel {
        title: format!("{}, n = {TRIALS}", task.name),
        x: Axis::new("Dose (krad(Si))", Scale::LogWithZero(DOSES[1])),
        y: Axis::new("Accuracy (%)", Scale::Linear),
        series,
    };
    let figure = super::super::dose::one(panel, "gate areas; D_{c} of 1.7 Mrad(Si), assumed");
    let dataset = if task.whole {
        "the whole set named in the panel"
    } else {
        "a set that comes with mho: not comparable"
    };
    Ok(Built { figure, checks, dataset })
}

/// Hidden layers of the perceptrons.
const DEPTHS: [usize; 3] = [1, 4, 8];

/// Residual networks for CIFAR by the names of their files.
const RESIDUAL: [(&str, &str); 3] =
    [("resnet20", "20 layers"), ("resnet32", "32 layers"), ("resnet56", "56 layers")];

/// Means and deviations with which they were trained (README of their weights).
const CIFAR_MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const CIFAR_DEVIATION: [f64; 3] = [0.229, 0.224, 0.225];

/// Test images of the residual networks.
const IMAGES_OF_RESIDUAL: usize = 100;

/// Networks of growing depth for one task: residual ones where they and CIFAR-10 are there, else
/// perceptrons of 128 neurons a layer, trained here.
fn of_depths(wish: &Wish<'_>) -> Result<Vec<(String, Task)>, BuildError> {
    let files: Option<Vec<_>> = RESIDUAL.iter().map(|(name, _)| dataset::network_file(name)).collect();
    if let (Some(files), true) = (files, dataset::location("cifar10").is_some()) {
        let task = |((_, words), file): (&(&str, &str), &std::path::PathBuf)| {
            let graph = Graph::from_bytes(&std::fs::read(file)?, &file.display().to_string())?;
            let (mean, std) = (CIFAR_MEAN.to_vec(), CIFAR_DEVIATION.to_vec());
            let network = (graph, InputFormat { mean, std, ..InputFormat::default() });
            let data = dataset::find("cifar10")?;
            Ok(((*words).to_owned(), Task::of_graph("CIFAR-10", true, data, network, IMAGES_OF_RESIDUAL)?))
        };
        return RESIDUAL.iter().zip(&files).map(task).collect();
    }
    let whole = dataset::location("fashion-mnist").is_some();
    let name = if whole { "Fashion-MNIST" } else { "Fashion-MNIST of 4,000 images" };
    let task = |depth: usize| {
        let data = dataset::find(if whole { "fashion-mnist" } else { "fashion-demo" })?;
        let usual = TrainOptions::for_images(data.train.labels.len());
        let epochs = if whole { 4 } else { usual.epochs };
        let spec = NetworkSpec::mlp(&vec![128; depth], data.classes);
        let options = TrainOptions { epochs, seed: wish.seed, ..usual };
        let network = train(&data, &spec, &options, &|_| ())?.network;
        Ok((format!("{depth} hidden"), Task::new(name, whole, data, &network)?.of_first(2000)?))
    };
    DEPTHS.into_iter().map(task).collect()
}

fn deeper(wish: &Wish<'_>) -> Result<Built, BuildError> {
    let table = irradiated(GATE_UM2)?;
    let networks = of_depths(wish)?;
    (wish.progress)(0.3);
    let (mut series, mut losses, mut short) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (words, task)) in networks.iter().enumerate() {
        let found = task.accuracy(Some(&table), &array_for(&table), &conditions(), TRIALS, wish.seed)?;
        // against the same cells before dose: what 8 bits and programming cost is not the dose's
        let before = found.first().map_or(f64::NAN, |accuracy| accuracy.mean);
        let lost: Vec<f64> = found.iter().map(|accuracy| before - accuracy.mean).collect();
        losses.push(lost.iter().sum::<f64>());
        short.push(found.iter().map(|accuracy| task.digital - accuracy.mean).sum::<f64>());
        let label = format!("{words}, digital {:.1} %", task.digital);
        series.push(Series::new(Some(&label), index + 1, Mark::Line(0), DOSES.to_vec(), lost.clone()));
        series.push(Series::new(None, index + 1, Mark::Points(index), DOSES.to_vec(), lost));
        (wish.progress)(0.3 + 0.7 * (index + 1) as f64 / networks.len() as f64);
    }
    let whole = networks.iter().all(|(_, task)| task.whole);
    // The source says which network falls earlier, not against what; both ways are told.
    let checks =
        [("the same cells before dose", losses), ("the digital network", short)].map(|(against, points)| {
            let name = format!("points short of {against}, summed over doses, grow with depth (1: yes)");
            Check::new(name, 1.0, f64::from(u8::from(points.is_sorted())), 0.0).comparable(whole)
        });
    let (task, images) = networks.first().map_or(("", 0), |(_, task)| (task.name, task.images));
    let panel = Panel {
        title: format!("{task}, first {images} images, n = {TRIALS}"),
        x: Axis::new("Dose (krad(Si))", Scale::LogWithZero(DOSES[1])),
        y: Axis::new("Points lost to dose", Scale::Linear),
        series,
    };
    let dataset = match (whole, images) {
        (false, _) => "a set that comes with mho: not comparable",
        (true, IMAGES_OF_RESIDUAL) => "CIFAR-10 as the user has it, residual networks trained elsewhere",
        (true, _) => "Fashion-MNIST, all training images; perceptrons of 128 neurons a layer",
    };
    let note = "gate of 0.05 µm², D_{c} of 1.7 Mrad(Si), assumed";
    Ok(Built { figure: super::super::dose::one(panel, note), checks: checks.into(), dataset })
}
