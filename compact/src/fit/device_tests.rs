//! Devices as observations: closed forms, bootstraps, and what few devices allow.

use super::*;
use crate::retention::INFO;
use mho_data::random::Stream;

/// A law of a synthetic regression: values, abscissas, device.
type Curve = fn(&[f64], f64, usize) -> f64;

/// Readings of `devices` devices at `x` with the law and noise given, for tests of the machinery.
pub(super) fn synthetic(
    parameters: Vec<Parameter>,
    devices: usize,
    x: &[f64],
    law: Curve,
    reading: impl Fn(usize, usize, f64) -> f64,
) -> Regression<'static> {
    let own = x.to_vec();
    Regression {
        model: &INFO,
        parameters,
        devices: (0..devices)
            .map(|device| Device {
                name: format!("{device}"),
                series: vec![Series {
                    label: String::new(),
                    x: x.to_vec(),
                    y: x.iter().enumerate().map(|(row, &x)| reading(device, row, x)).collect(),
                    order: x.to_vec(),
                    wider: Vec::new(),
                }],
            })
            .collect(),
        law: Box::new(move |values, device| own.iter().map(|&x| law(values, x, device)).collect()),
        deviation: Deviation::Absolute { sigma: 1.0 },
        x: Axis { title: "time", unit: "s", log: false },
        y: Axis { title: "current", unit: "nA", log: false },
        options: FitOptions::default(),
        slopes: None,
        priors: Vec::new(),
        fixed: Vec::new(),
        dropped: 0,
        notes: Vec::new(),
    }
}

fn normal(seed: u64, path: &'static str, index: u64) -> f64 {
    Stream::new(seed, &["compact", "devices", path], &[]).normal(index)
}

/// A decay of 8 nA within 2 s, both of which differ from device to device by a part of `differ`.
fn decays(seed: u64, devices: usize, differ: f64) -> Regression<'static> {
    let x: Vec<f64> = (0..8).map(|i| 0.5 * f64::from(i)).collect();
    let parameters = vec![
        Parameter::new("start_na", "nA", 5.0, 0.1, 100.0, Transform::Log),
        Parameter::new("tau_s", "s", 1.0, 0.1, 100.0, Transform::Log),
    ];
    synthetic(
        parameters,
        devices,
        &x,
        |p, x, _| p[0] * (-x / p[1]).exp(),
        |device, row, x| {
            let start = 8.0 * (differ * normal(seed, "start", device as u64)).exp();
            let tau = 2.0 * (differ * normal(seed, "tau", device as u64)).exp();
            start * (-x / tau).exp() + 0.05 * normal(seed, "noise", (100 * device + row) as u64)
        },
    )
}

/// A mean of equally many readings per device: its variance is that of the devices' means over their number, and
/// Student's degrees of freedom are one fewer than there are devices.
#[test]
fn the_mean_of_equal_devices_has_the_textbook_interval() {
    let parameters = vec![Parameter::free("mean", "nA", 0.0)];
    let regression = synthetic(
        parameters,
        7,
        &[0.0; 4],
        |p, _, _| p[0],
        |device, row, _| {
            3.0 + normal(1, "device", device as u64) + 0.3 * normal(1, "row", (10 * device + row) as u64)
        },
    );
    let fit = regression.fit().unwrap();
    let means: Vec<f64> =
        regression.devices.iter().map(|device| device.series[0].y.iter().sum::<f64>() / 4.0).collect();
    let mean = means.iter().sum::<f64>() / 7.0;
    let std = (means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 6.0 / 7.0).sqrt();
    // Central differences of a linear law: rounding over the step, 1e-10.
    assert!((fit.value("mean") - mean).abs() < 1e-8);
    assert!((fit.std("mean") / std - 1.0).abs() < 1e-6, "{} {std}", fit.std("mean"));
    let [low, high] = fit.parameters[0].interval95;
    let reach = student_quantile(0.975, 6.0) * std;
    assert!(((high - low) / (2.0 * reach) - 1.0).abs() < 1e-6);
}

/// A mean of equally many readings per device with a prior: the prior is one observation more, of known variance, for
/// the covariance, the profile and the bootstrap alike.
#[test]
fn a_prior_is_an_observation_of_its_own() {
    let parameters = vec![Parameter::free("mean", "nA", 0.0)];
    let noise = |device, row| {
        0.8 * normal(6, "device", device as u64) + 0.6 * normal(6, "row", (10 * device + row) as u64)
    };
    let mut regression =
        synthetic(parameters, 24, &[0.0; 4], |p, _, _| p[0], |device, row, _| 3.0 + noise(device, row));
    let spread = 0.2;
    let source = "another experiment".to_owned();
    regression.priors.push(Prior { name: "mean", value: 2.9, spread, scale: Transform::Linear, source });
    let fit = regression.fit().unwrap();
    let means: Vec<f64> =
        regression.devices.iter().map(|device| device.series[0].y.iter().sum::<f64>() / 4.0).collect();
    let (readings, precision) = (96.0, spread.powi(-2));
    let weight = readings + precision;
    let wanted = (4.0 * means.iter().sum::<f64>() + precision * 2.9) / weight;
    assert!((fit.value("mean") - wanted).abs() < 1e-8, "{} {wanted}", fit.value("mean"));
    // Scores of the devices, each scaled up for its share in the fit, and that of the prior.
    let share = 4.0 / weight;
    let scores: f64 =
        means.iter().map(|mean| (4.0 * (mean - wanted)).powi(2) / (1.0 - share)).sum::<f64>() + precision;
    let std = scores.sqrt() / weight;
    assert!((fit.std("mean") / std - 1.0).abs() < 1e-6, "{} {std}", fit.std("mean"));
    let [low, high] = fit.parameters[0].interval95;
    // The law is linear: its profile is the same parabola, to the tolerance of its ends.
    let profile = regression.profile(&fit, 0).unwrap();
    assert!((profile.lower - low).abs() < 5e-3 * (high - low), "{profile:?} {low} {high}");
    assert!((profile.upper - high).abs() < 5e-3 * (high - low), "{profile:?} {low} {high}");
    let drawn = bootstrap(&regression, &fit, &BootstrapOptions::default()).unwrap();
    // 999 draws give a deviation to 2.2 %; drawing 24 devices takes 2 % of it away.
    assert!((drawn.parameters[0].std / std - 1.0).abs() < 0.1, "{drawn:?} {std}");
    // Without the prior the mean is less certain by far.
    regression.priors.clear();
    assert!(regression.fit().unwrap().std("mean") > 1.1 * std);
}

/// One wild reading among 160 of twenty devices that differ: it alone is taken out, named, and pulls no more, while the
/// ranking still counts it; a device that is another one altogether keeps its readings.
#[test]
fn a_wild_reading_is_taken_out_and_a_different_device_is_not() {
    let robust = |mut regression: Regression<'static>| {
        regression.options.loss = Loss::Robust { corner: 1.0 };
        regression.deviation = Deviation::Absolute { sigma: 0.05 };
        regression
    };
    let mut regression = robust(decays(4, 20, 0.02));
    let clean = regression.fit().unwrap();
    assert!(clean.outliers.is_empty(), "{clean:?}");
    regression.devices[3].series[0].y[4] += 1.0;
    let fit = regression.fit().unwrap();
    assert_eq!((fit.outliers.as_slice(), fit.points), (&[3 * 8 + 4][..], 159));
    let words = "1 reading of 160 lies more than 5 deviations away and has no weight: 3";
    assert!(fit.warnings.iter().any(|text| text == words), "{:?}", fit.warnings);
    for (fitted, before) in fit.parameters.iter().zip(&clean.parameters) {
        let half_width = 0.5 * (fitted.interval95[1] - fitted.interval95[0]);
        assert!((fitted.value - before.value).abs() < 0.25 * half_width, "{fitted:?} {before:?}");
    }
    assert!(fit.aicc > clean.aicc, "{} {}", fit.aicc, clean.aicc);
    assert_eq!(bootstrap(&regression, &fit, &BootstrapOptions::default()).unwrap().failed, 0);
    // Without the option it pulls, with a bounded force.
    regression.options.reject_outliers = false;
    assert!(regression.fit().unwrap().outliers.is_empty());
    let mut other = robust(decays(4, 20, 0.02));
    for reading in &mut other.devices[3].series[0].y {
        *reading *= 1.3;
    }
    let fit = other.fit().unwrap();
    assert!(fit.outliers.len() <= 1, "{:?}", fit.outliers);
}

/// A law that misses a third of the readings says so and keeps them.
#[test]
fn a_law_that_misses_its_data_has_no_outliers() {
    let parameters = vec![Parameter::free("mean", "nA", 0.0)];
    let mut regression = synthetic(
        parameters,
        8,
        &[0.0; 4],
        |p, _, _| p[0],
        |device, row, _| {
            if row == 0 && device > 0 { 30.0 } else { 0.1 * normal(8, "row", (10 * device + row) as u64) }
        },
    );
    regression.options.loss = Loss::Robust { corner: 1.0 };
    let fit = regression.fit().unwrap();
    assert!(fit.outliers.is_empty(), "{fit:?}");
    assert!(fit.warnings.iter().any(|text| text.contains("the law is in doubt")), "{:?}", fit.warnings);
}

/// An own offset per device takes the devices' offsets out: what is left is the scatter of the readings, and
/// the covariance of the slope is that of independent readings within a few percent of chance.
#[test]
fn own_parameters_are_eliminated() {
    let mut parameters = vec![Parameter::free("slope", "nA/s", 0.0)];
    parameters.extend((0..40).map(|device| Parameter::free(format!("offset {device}"), "nA", 0.0)));
    let x: Vec<f64> = (0..6).map(f64::from).collect();
    let regression = synthetic(
        parameters,
        40,
        &x,
        |p, x, device| p[0] * x + p[1 + device],
        |device, row, x| {
            2.0 * x + 10.0 * normal(2, "offset", device as u64) + normal(2, "row", (10 * device + row) as u64)
        },
    );
    let fit = regression.fit().unwrap();
    // Sum of squared abscissas about their mean: 17.5 per device.
    let wanted = 1.0 / (40.0 * 17.5_f64).sqrt();
    assert!((fit.std("slope") / wanted - 1.0).abs() < 0.25, "{} {wanted}", fit.std("slope"));
    assert!((fit.value("slope") - 2.0).abs() < 4.0 * wanted);
    // sigma^2 (1/6 + mean^2 / (40 17.5)) for an offset.
    let offset = (1.0 / 6.0 + 6.25 / 700.0_f64).sqrt();
    assert!((fit.parameters[5].std / offset - 1.0).abs() < 0.2, "{}", fit.parameters[5].std);
    // All offsets lean on the same slope.
    assert!(fit.covariance[5][6] > 0.0 && fit.covariance[0][5] < 0.0);
}

#[test]
fn few_devices_widen_the_intervals_only_where_they_differ() {
    let equal = decays(3, 3, 0.0).fit().unwrap();
    assert!(equal.warnings.iter().any(|w| w.contains("too few to judge")), "{:?}", equal.warnings);
    let different = decays(3, 3, 0.2).fit().unwrap();
    assert!(different.warnings.iter().any(|w| w.contains("devices differ")), "{:?}", different.warnings);
    assert!(different.std("tau_s") > 5.0 * equal.std("tau_s"));
}

#[test]
fn a_bootstrap_is_the_same_for_any_number_of_threads() {
    let regression = decays(4, 20, 0.1);
    let fit = regression.fit().unwrap();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bootstrap(&regression, &fit, &BootstrapOptions::default()).unwrap())
    };
    let (one, three) = (with(1), with(3));
    assert_eq!(one, three);
    assert_eq!((one.method, one.failed, one.devices), (BootstrapMethod::Studentised, 0, 20));
    for (drawn, fitted) in one.parameters.iter().zip(&fit.parameters) {
        // The same scatter seen twice: they agree within the noise of 999 draws and the skewness of 20 devices.
        assert!((drawn.std / fitted.std - 1.0).abs() < 0.15, "{drawn:?} {fitted:?}");
    }
}

#[test]
fn few_devices_are_refused_or_said() {
    let four = decays(5, 4, 0.1);
    let error = bootstrap(&four, &four.fit().unwrap(), &BootstrapOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "4 devices are too few for a bootstrap over devices: at least 5 are needed"
    );
    let ten = decays(5, 10, 0.1);
    let found = bootstrap(&ten, &ten.fit().unwrap(), &BootstrapOptions::default()).unwrap();
    assert_eq!(found.method, BootstrapMethod::StudentT);
    assert!(found.warnings.iter().any(|text| text.contains("10 devices are few")), "{:?}", found.warnings);
}

/// Twelve devices, both parameters spread by 10 %: over 100 populations the intervals of mean and spread hold the
/// truth in 95 %, within the binomial bound of four standard deviations (8.7).
#[test]
fn populations_are_recovered_with_honest_intervals() {
    let (mut mean, mut spread) = (0, 0);
    for seed in 0..100 {
        let found = hierarchy(&decays(seed, 12, 0.1), &["tau_s", "start_na"]).unwrap();
        let tau = &found.populations[0];
        let holds = |[low, high]: [f64; 2], truth: f64| usize::from(low <= truth && truth <= high);
        mean += holds(tau.mean_interval95, 2.0);
        spread += holds(tau.spread_interval95, 0.1);
        assert!(tau.relative && tau.resolved > 0.5, "{tau:?}");
    }
    assert!(mean >= 86 && spread >= 86, "{mean} {spread}");
}

/// One parameter own, one shared: a hundred devices as quickly as one would hope, the spread found where it is.
#[test]
fn a_hundred_devices_share_what_is_not_named() {
    let found = hierarchy(&decays(1, 100, 0.1), &["start_na"]).unwrap();
    let start = &found.populations[0];
    assert_eq!(start.devices.len(), 100);
    assert_eq!(found.shared.len(), 1);
    assert!((start.spread - 0.1).abs() < 0.03, "{start:?}");
    assert!(found.words[0].starts_with("start_na: population mean"), "{:?}", found.words);
    // Shrinking draws every device towards the mean and never past it.
    for device in &start.devices {
        let (own, drawn) = (device.value - start.mean, device.shrunk - start.mean);
        assert!(drawn * own >= 0.0 && drawn.abs() <= own.abs() * (1.0 + 1e-9), "{device:?}");
    }
}

#[test]
fn equal_devices_have_no_spread() {
    let found = hierarchy(&decays(2, 12, 0.0), &["tau_s"]).unwrap();
    let tau = &found.populations[0];
    assert_eq!(tau.spread_interval95[0], 0.0);
    assert!(tau.spread_interval95[1] < 0.02 && (tau.mean - 2.0).abs() < 0.02, "{tau:?}");
    assert!(found.words[0].contains("not shown"), "{:?}", found.words);
    assert!(matches!(hierarchy(&decays(2, 12, 0.0), &["mu"]), Err(FitError::NoParameter { .. })));
    assert!(matches!(hierarchy(&decays(2, 2, 0.0), &["tau_s"]), Err(FitError::TooFewDevices { .. })));
}

/// A frequency started far off ends in a side minimum, whose residuals wave: further starts find the right one and
/// say so. Started well, none are tried.
#[test]
fn waving_residuals_demand_more_starts() {
    let x: Vec<f64> = (0..60).map(|i| 0.1 * f64::from(i)).collect();
    let started = |start: f64| {
        let parameters =
            vec![Parameter::new("neutral_current_na", "1/s", start, 0.5, 20.0, Transform::Linear)];
        let law: Curve = |p, x, _| (p[0] * x).sin();
        synthetic(parameters, 1, &x, law, |_, row, x| (7.3 * x).sin() + 0.1 * normal(9, "wave", row as u64))
    };
    let far = started(1.0).fit().unwrap();
    assert!((far.parameters[0].value - 7.3).abs() < 0.05, "{far:?}");
    assert!(far.warnings.iter().any(|text| text.contains("the best of them is given")), "{:?}", far.warnings);
    let near = started(7.0).fit().unwrap();
    assert!(near.warnings.iter().all(|text| !text.contains("further starts")), "{:?}", near.warnings);
}
