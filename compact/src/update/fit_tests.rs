//! Fits: the measured ReRAM trace, known truths, nonsense.

use super::*;
use mho_data::random::Stream;
use proptest::prelude::*;
use rayon::prelude::*;

/// The measured trace: 1000 readings up, 1000 down, normalised.
fn gong() -> Option<Traces> {
    let Some(path) = mho_data::shared::find("golden/laws/gong_et_al_pulse_response.csv") else {
        println!("SKIPPED: no golden/laws/gong_et_al_pulse_response.csv");
        return None;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let columns: Vec<(f64, f64)> = text
        .lines()
        .map(|line| line.split_once(',').map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).unwrap())
        .collect();
    let (up, down): (Vec<f64>, Vec<f64>) = columns.into_iter().unzip();
    Some(Traces::from_columns("gong", &up, &down, Some(Window::WEIGHTS)).unwrap())
}

/// One start does as well as many over all of the bounds, to 1e-6 of the rms: 64 for the logarithmic ramp, 32 for soft bounds, and
/// fewer for laws that take longer.
#[test]
fn one_start_is_enough_on_the_measured_trace() {
    let Some(traces) = gong() else { return };
    form::FORMS.par_iter().for_each(|form| {
        let mut regression = fit::regression(&traces, form);
        let one = regression.fit().unwrap();
        regression.options.starts = match (form.info.name, regression.parameters.len()) {
            ("update-logarithmic-ramp", _) => 64,
            ("update-soft-bounds", _) => 32,
            (_, 0..=5) => 10,
            _ => 4,
        };
        let many = regression.fit().unwrap();
        println!("{:32} rms {:.6}, of many starts {:.6}", form.info.name, one.rms, many.rms);
        assert!(one.rms <= many.rms * (1.0 + 1e-6), "{}: {} {}", form.info.name, one.rms, many.rms);
        for parameter in &one.parameters {
            let [low, high] = parameter.interval95;
            assert!(low.is_finite() && high.is_finite() && low <= parameter.value && parameter.value <= high);
        }
        assert!(
            one.warnings.iter().all(|warning| !warning.contains("stopped at its limit")),
            "{:?}",
            one.warnings
        );
    });
}

/// Derivatives by dual numbers are those of central differences, whose error at steps of 1e-5 on the scale of the fit
/// is 1e-10 of the third derivative: 1e-5 of the largest slope holds away from bounds, where ramps have kinks.
#[test]
fn slopes_of_every_law_are_those_of_differences() {
    let mut traces = simulated(&form::FORMS[2], &[0.004, 0.006, 0.9, 1.1], -0.6, 150, 0.01, 3);
    traces.devices.push(traces.devices[0].clone());
    traces.devices[1].chained = false;
    for form in form::FORMS.iter().chain([&form::DOMAIN_WALL]) {
        let regression = fit::regression(&traces, form);
        let slopes = regression.slopes.as_ref().unwrap();
        let values: Vec<f64> = regression.parameters.iter().map(|parameter| parameter.start).collect();
        for device in 0..2 {
            let (predictions, columns) = slopes(&values, &vec![true; values.len()], device);
            let plain = (regression.law)(&values, device);
            // Powers are found in two ways.
            assert!(predictions.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-12), "{}", form.info.name);
            for (place, parameter) in regression.parameters.iter().enumerate() {
                let u = parameter.coordinate(values[place]);
                let at = |u: f64| {
                    let mut moved = values.clone();
                    moved[place] = parameter.value(u);
                    (moved[place], (regression.law)(&moved, device))
                };
                let ((above, more), (below, less)) = (at(u + 1e-5), at(u - 1e-5));
                let differences: Vec<f64> =
                    more.iter().zip(&less).map(|(a, b)| (a - b) / (above - below)).collect();
                let largest = differences.iter().fold(1e-6_f64, |most, slope| most.max(slope.abs()));
                let wrong = columns[place]
                    .iter()
                    .zip(&differences)
                    .filter(|(a, b)| (*a - *b).abs() > 1e-5 * largest)
                    .count();
                // A difference across the pulse at which a bound is met sees both sides of a kink.
                assert!(wrong <= 2, "{} {}: {wrong}", form.info.name, parameter.name);
            }
        }
    }
}

#[test]
fn laws_are_ranked_on_the_measured_trace() {
    let Some(traces) = gong() else { return };
    let comparison = compare(&traces).unwrap();
    assert!(comparison.failed.is_empty());
    println!("r = {:.3}, {:.0} effective", comparison.autocorrelation, comparison.effective_points);
    for (info, fit) in &comparison.ranking {
        println!(
            "{:32} {:2} rms {:.5} AICc {:.1} BIC {:.1}",
            info.name,
            fit.parameters.len(),
            fit.rms,
            fit.aicc,
            fit.bic
        );
    }
    assert!(comparison.ranking.windows(2).all(|pair| pair[0].1.aicc <= pair[1].1.aicc));
    // 0.132 of a ±1 range is what aihwkit's own fit leaves; this trace spans ±1.38 (-1.36 to 1.41).
    let best = comparison.ranking.iter().map(|(_, fit)| fit.rms).fold(f64::INFINITY, f64::min);
    assert!(best / 1.38 < 0.125, "{best}");
    assert!(comparison.effective_points > 100.0 && comparison.effective_points < 2000.0);
    let (_, ramp) = comparison.ranking.iter().find(|(info, _)| info.name == LOGARITHMIC_RAMP.name).unwrap();
    let noise = step_noise(&fit::regression(&traces, &form::FORMS[8]), ramp).unwrap();
    println!("{noise:?}");
    assert!(noise.read > noise.cycle && noise.cycle > 0.0);
}

/// Up and down ramps of a fitted form with read noise.
fn simulated(form: &form::Form, values: &[f64], start: f64, pulses: usize, noise: f64, seed: u64) -> Traces {
    let (law, cell) = (form.device)(values);
    let mut up = vec![start];
    let top = law.ramp(&cell, start, Direction::Up, pulses - 1, &mut up);
    let mut down = Vec::new();
    law.ramp(&cell, top, Direction::Down, pulses, &mut down);
    let stream = Stream::new(seed, &["update fit tests"], &[]);
    for (index, value) in (0..).zip(up.iter_mut().chain(&mut down)) {
        *value += noise * stream.normal(index);
    }
    Traces::from_columns("known", &up, &down, Some(Window::WEIGHTS)).unwrap()
}

/// Known truths come back within four standard deviations, and the rms is the noise.
#[test]
fn known_parameters_come_back() {
    let truths: [(&str, &[f64]); 12] = [
        ("update-constant-step", &[0.005, 0.004, 0.8, 0.7]),
        ("update-linear-step", &[0.008, 0.006, 0.8, 0.7, 0.5, 0.4]),
        ("update-soft-bounds", &[0.004, 0.006, 0.9, 1.1]),
        ("update-soft-bounds-reference", &[0.1, 0.005, 0.9, 1.1]),
        ("update-neurosim", &[0.9, 0.8, 250.0, 150.0]),
        ("update-exp-step", &[0.004, 0.005, 0.69, 0.65, -0.8, -2.0]),
        ("update-pow-step", &[0.004, 0.005, 1.2, 1.3, 1.7, 0.55]),
        ("update-piecewise-step", &[0.02, 0.008, 0.004, 0.002, 0.001, 0.0008, 0.002, 0.005, 0.01, 0.02]),
        ("update-logarithmic-ramp", &[0.004, 0.002, 2.5, 4.0]),
        ("update-crosssim-asymmetric", &[0.005, 0.006, 2.0]),
        ("update-crosssim-symmetric", &[0.005, 0.006, 2.0]),
        ("update-ecram", &[0.004, 0.7, 1.2, 0.1]),
    ];
    truths.par_iter().enumerate().for_each(|(number, (name, truth))| {
        let form = form::FORMS.iter().find(|form| form.info.name == *name).unwrap();
        let traces = simulated(form, truth, -0.6, 500, 0.01, number as u64);
        let regression = fit::regression(&traces, form);
        let fit = regression.fit().unwrap();
        // Five standard errors of a standard deviation of 1000 readings.
        assert!((fit.rms / 0.01 - 1.0).abs() < 5.0 / 2000_f64.sqrt(), "{name}: rms {}", fit.rms);
        for (info, value) in form.info.parameters.iter().zip(*truth) {
            let found = fit.parameter(info.name).unwrap();
            // On the scale of the fit, where the interval is symmetric.
            let u = |value: f64| info.transform.coordinate(value, info.lower, info.upper);
            let half = 0.5 * (u(found.interval95[1]) - u(found.interval95[0])) / 1.96;
            let apart = (u(found.value) - u(*value)).abs();
            assert!(
                apart <= 4.0 * half + 1e-9,
                "{name} {}: {} of {value}, {:?}",
                info.name,
                found.value,
                found.interval95
            );
        }
    });
}

/// A fit is a device that can be pulsed: its ramp is the prediction of the fit.
#[test]
fn fits_become_devices() {
    let traces = simulated(&form::FORMS[8], &[0.01, 0.009, 1.5, 1.0], -0.9, 200, 0.0, 0);
    for form in &form::FORMS {
        let regression = fit::regression(&traces, form);
        let fit = regression.fit().unwrap();
        let (law, cell) = fitted(&traces, form.info.name, &fit).unwrap();
        let mut states = vec![fit.value("start")];
        let top = law.ramp(&cell, states[0], Direction::Up, 199, &mut states);
        law.ramp(&cell, top, Direction::Down, 200, &mut states);
        let predicted = regression.compared(&fit.values());
        let name = form.info.name;
        assert!(
            states.iter().zip(predicted).all(|(state, (_, model))| (state - model).abs() < 1e-12),
            "{name}"
        );
    }
    let fit = fit::regression(&traces, &form::FORMS[0]).fit().unwrap();
    assert!(fitted(&traces, "update-nothing", &fit).is_none());
}

/// One reading in twenty is off by twenty deviations of a read: no estimate moves by more than half the half-width of
/// its interval, on the scale of the fit, and the readings are counted and named.
#[test]
fn outliers_move_nothing() {
    let truths: [(&str, &[f64]); 3] = [
        ("update-soft-bounds", &[0.004, 0.006, 0.9, 1.1]),
        ("update-logarithmic-ramp", &[0.004, 0.002, 2.5, 4.0]),
        ("update-ecram", &[0.004, 0.7, 1.2, 0.1]),
    ];
    let read = 0.02;
    truths.par_iter().enumerate().for_each(|(number, (name, truth))| {
        let form = form::FORMS.iter().find(|form| form.info.name == *name).unwrap();
        let (law, cell) = (form.device)(truth);
        let stream = Stream::new(11, &["update outliers"], &[number as u64]);
        let mut state: f64 = -0.6;
        let mut clean = Vec::new();
        for pulse in 0..1000_u64 {
            let direction = if pulse < 500 { Direction::Up } else { Direction::Down };
            clean.push(state + read * stream.normal(3 * pulse));
            // Noise of the cycle stays in the state: a quarter of a read.
            state =
                cell.clip(state + law.step(&cell, state, direction) + 0.005 * stream.normal(3 * pulse + 1));
        }
        let mut wild = clean.clone();
        let mut count = 0;
        for (row, reading) in (0..).zip(&mut wild) {
            let draw = stream.uniform(3 * row + 2);
            if draw < 0.05 {
                *reading += 20.0 * read * if draw < 0.025 { 1.0 } else { -1.0 };
                count += 1;
            }
        }
        let fitted = |readings: &[f64]| {
            let (up, down) = readings.split_at(500);
            let traces = Traces::from_columns("wild", up, down, Some(Window::WEIGHTS)).unwrap();
            fit::regression(&traces, form).fit().unwrap()
        };
        let (before, after) = (fitted(&clean), fitted(&wild));
        assert!(before.outliers.len() <= 1, "{:?}", before.outliers);
        // One in a hundred may hide behind others beside it.
        assert!(
            after.outliers.len() as f64 >= 0.95 * f64::from(count),
            "{} of {count}",
            after.outliers.len()
        );
        assert!(after.outliers.len() <= count as usize + 1);
        assert!(after.warnings.iter().any(|words| words.contains("have no weight")), "{:?}", after.warnings);
        for (a, b) in before.parameters.iter().zip(&after.parameters) {
            let u = |value: f64| a.transform.coordinate(value, a.lower, a.upper);
            let half = 0.5 * (u(a.interval95[1]) - u(a.interval95[0]));
            let moved = (u(b.value) - u(a.value)).abs() / half;
            println!("{name} {}: {moved:.3} half-widths", a.name);
            assert!(moved < 0.5, "{name} {}: {moved} half-widths", a.name);
        }
    });
}

/// Noise of the cycle and of the read come apart: within four of their own standard errors.
#[test]
fn cycle_and_read_noise_come_apart() {
    for (cycle, read) in [(0.01, 0.03), (0.02, 0.002), (0.0, 0.02)] {
        let stream = Stream::new(5, &["noise tests"], &[(cycle * 1e4) as u64]);
        let mut state: f64 = -0.8;
        let mut columns = [Vec::new(), Vec::new()];
        for (way, sign) in [1.0, -1.0].into_iter().enumerate() {
            for pulse in 0..2000_u64 {
                let index = 2 * (2000 * way as u64 + pulse);
                columns[way].push(state + read * stream.normal(index));
                state += sign * 0.003 * (1.0 - sign * state / 1.5) + cycle * stream.normal(index + 1);
            }
        }
        let traces = Traces::from_columns("noisy", &columns[0], &columns[1], Some(Window::WEIGHTS)).unwrap();
        let regression = update_regression(&traces, "update-soft-bounds").unwrap();
        let noise = step_noise(&regression, &regression.fit().unwrap()).unwrap();
        println!("{cycle} {read}: {noise:?}");
        let [found, error] = noise.cycle_variance;
        assert!((found - cycle * cycle).abs() < 4.0 * error);
        let [found, error] = noise.read_variance;
        assert!((found - read * read).abs() < 4.0 * error);
        assert!(noise.second_correlation.abs() < 4.0 / (noise.steps as f64).sqrt());
    }
}

/// Twenty devices with steps spread by 20 %: five standard errors of a standard deviation are 80 % of it.
#[test]
fn spread_between_devices_comes_back() {
    let form = &form::FORMS[2];
    let stream = Stream::new(6, &["spread tests"], &[]);
    let fits: Vec<_> = (0..40_u64)
        .map(|device| {
            let step = 0.004 * (1.0 + 0.2 * stream.normal(device));
            let traces = simulated(form, &[step, 0.005, 1.0, 1.0], -0.6, 200, 0.02, 100 + device);
            fit::regression(&traces, form).fit().unwrap()
        })
        .collect();
    let spreads = device_spread(&fits);
    let of = |name: &str| spreads.iter().find(|spread| spread.name == name).unwrap();
    let (up, down) = (of("step_up"), of("step_down"));
    println!("{up:?}\n{down:?}");
    // 40 devices: a standard error of 11 % of a standard deviation.
    assert!((up.std / 8e-4 - 1.0).abs() < 5.0 * 0.11);
    assert!(down.std < 0.25 * up.std, "equal devices differ by their fits alone");
}

#[test]
fn measured_ramps_are_fitted_by_every_law() {
    let Some(measurement) = quantile_tests::measured("set") else { return };
    ENTRIES.par_iter().for_each(|entry| {
        let regression = entry.fitting.unwrap()(&measurement).unwrap();
        let fit = regression.fit().unwrap();
        println!(
            "{:32} rms {:.3e} {} of {:?}",
            entry.info.name, fit.rms, regression.y.unit, regression.notes
        );
        // A tenth of the range: steps of these ramps fall to a tenth along the way, which equal steps cannot follow.
        assert!(fit.rms < 0.1 * (2.48e-3 - 1.6e-3) && fit.points > 7000);
        assert!(
            regression.notes.iter().any(|note| note.contains("not fitted") && note.contains("down"))
                || entry.info.name.contains("soft-bounds-reference")
                || entry.info.name.contains("ecram")
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    /// Whatever the columns hold, there is a fit or a refusal.
    #[test]
    fn any_columns(
        up in prop::collection::vec(prop_oneof![any::<f64>(), -1.0f64..1.0, Just(0.0), Just(1e-6)], 0..20),
        down in prop::collection::vec(prop_oneof![any::<f64>(), -1.0f64..1.0, Just(f64::NAN)], 0..20),
        which in 0usize..12,
    ) {
        for window in [None, Some(Window::WEIGHTS), Some(Window { low: f64::NAN, high: 0.0 })] {
            if let Ok(traces) = Traces::from_columns("wild", &up, &down, window) {
                let _ = fit::regression(&traces, &form::FORMS[which]).fit();
                for direction in [Direction::Up, Direction::Down] {
                    let _ = UpdateQuantiles::from_traces(&traces, direction, QuantileOptions { fewest: 1, ..Default::default() });
                }
            }
        }
    }
}
