//! Known truths: recovery, coverage, bounds, outliers, rivals, profiles.

use super::*;

/// Standard normal number `index` of a test's own stream.
fn normal(seed: u64, index: u64) -> f64 {
    mho_data::random::Stream::new(seed, &["compact", "tests"], &[]).normal(index)
}

fn decay(times: &[f64], p: &[f64]) -> Vec<f64> {
    times.iter().map(|t| p[0] * (-t / p[1]).exp() + p[2]).collect()
}

fn decay_parameters() -> Vec<Parameter> {
    vec![
        Parameter::new("amplitude_na", "nA", 50.0, 1.0, 1e4, Transform::Log),
        Parameter::new("tau_s", "s", 1.0, 0.01, 1e3, Transform::Log),
        Parameter::new("offset_na", "nA", 0.0, -100.0, 100.0, Transform::Linear),
    ]
}

fn decay_problem(data: Vec<f64>, times: Vec<f64>, sigma: f64) -> Problem<'static> {
    Problem::new(decay_parameters(), move |p| {
        decay(&times, p).iter().zip(&data).map(|(model, measured)| (measured - model) / sigma).collect()
    })
}

fn times() -> Vec<f64> {
    (0..40).map(|i| 0.25 * f64::from(i)).collect()
}

#[test]
fn exact_data_give_exact_parameters() {
    let truth = [120.0, 3.0, -4.0];
    let fit =
        least_squares(&decay_problem(decay(&times(), &truth), times(), 1.0), &FitOptions::default()).unwrap();
    for (found, wanted) in fit.values().iter().zip(truth) {
        assert!((found - wanted).abs() < 1e-5 * wanted.abs(), "{found} {wanted}");
    }
    assert!(fit.warnings.is_empty(), "{:?}", fit.warnings);
}

/// 200 repeats: the 95 % interval holds the truth in 95 % of them, within the binomial bound (three
/// standard deviations: 181 to 199), for each parameter and for both losses.
#[test]
fn intervals_cover_the_truth() {
    let truth = [120.0, 3.0, -4.0];
    let clean = decay(&times(), &truth);
    for loss in [Loss::Square, Loss::SoftL1 { scale: 2.0 }] {
        let mut covered = [0; 3];
        let mut deviations = [0.0; 3];
        for repeat in 0..200 {
            let data = clean.iter().enumerate().map(|(i, y)| y + 5.0 * normal(repeat, i as u64)).collect();
            let options = FitOptions { loss, ..FitOptions::default() };
            let fit = least_squares(&decay_problem(data, times(), 1.0), &options).unwrap();
            for (index, parameter) in fit.parameters.iter().enumerate() {
                let [low, high] = parameter.interval95;
                covered[index] += usize::from(low <= truth[index] && truth[index] <= high);
                deviations[index] += ((parameter.value - truth[index]) / parameter.std).powi(2) / 200.0;
            }
        }
        for (count, square) in covered.iter().zip(deviations) {
            assert!((181..=199).contains(count), "{loss:?}: {covered:?}");
            assert!((0.7..1.4).contains(&square), "{loss:?}: {deviations:?}");
        }
    }
}

#[test]
fn a_parameter_pushed_against_its_bound_is_reported() {
    // The truth lies outside the bounds of tau.
    let data = decay(&times(), &[120.0, 3.0, 0.0]);
    let mut problem = decay_problem(data, times(), 1.0);
    problem.parameters[1].upper = 2.0;
    let fit = least_squares(&problem, &FitOptions::default()).unwrap();
    let tau = fit.parameter("tau_s").unwrap();
    assert!(tau.at_bound && (tau.value - 2.0).abs() < 1e-3, "{tau:?}");
    assert!(tau.std.is_nan());
    assert!(
        fit.warnings.iter().any(|text| text.contains("tau_s lies on its upper bound")),
        "{:?}",
        fit.warnings
    );
    assert!(fit.std("amplitude_na").is_finite());
}

#[test]
fn soft_l1_shrugs_off_outliers() {
    let truth = [120.0, 3.0, -4.0];
    let mut data = decay(&times(), &truth);
    for (i, y) in data.iter_mut().enumerate() {
        *y += 0.5 * normal(11, i as u64);
    }
    for index in [25, 30, 35] {
        data[index] += 60.0;
    }
    let problem = decay_problem(data, times(), 0.5);
    let square = least_squares(&problem, &FitOptions::default()).unwrap();
    let robust =
        least_squares(&problem, &FitOptions { loss: Loss::SoftL1 { scale: 1.5 }, ..FitOptions::default() })
            .unwrap();
    let error = |fit: &FitResult| (fit.value("tau_s") - 3.0).abs();
    assert!(error(&robust) < 0.1, "{}", error(&robust));
    assert!(error(&square) > 3.0 * error(&robust), "{} {}", error(&square), error(&robust));
}

#[test]
fn pairs_that_cannot_be_told_apart_are_named() {
    // Only the product a*b enters.
    let parameters = vec![
        Parameter::new("a", "1", 1.0, 0.1, 10.0, Transform::Log),
        Parameter::new("b", "1", 1.0, 0.1, 10.0, Transform::Log),
        Parameter::new("idle", "1", 1.0, 0.1, 10.0, Transform::Log),
    ];
    let problem = Problem::new(parameters, |p| {
        (0..20)
            .map(|i| p[0] * p[1] * f64::from(i) - 2.0 * f64::from(i) + 0.01 * normal(5, i as u64))
            .collect()
    });
    let fit = least_squares(&problem, &FitOptions::default()).unwrap();
    assert!(fit.condition > 1e8);
    assert_eq!(fit.correlations.len(), 1);
    let text = fit.warnings.join("\n");
    assert!(text.contains("a and b can hardly be told apart"), "{text}");
    assert!(text.contains("a * b = 2.000"), "{text}");
    assert!(text.contains("nothing about idle"), "{text}");
}

/// A sum of linear parameters, a ratio of logarithmic ones: the combination that enters is the one that is named,
/// with the uncertainty that a fit of it alone has.
#[test]
fn the_combination_that_is_known_is_named() {
    let fitted = |transform, combine: fn(f64, f64) -> f64| {
        let parameters = vec![
            Parameter::new("a", "1", 1.5, 0.1, 10.0, transform),
            Parameter::new("b", "1", 1.0, 0.1, 10.0, transform),
        ];
        // The second parameter alone enters a hundredth as much, so that the pair is determined after all.
        let problem = Problem::new(parameters, move |p| {
            (0..40)
                .map(|i| {
                    combine(p[0], p[1]) + 0.03 * (p[1] - 1.0) * f64::from(i % 2) - 2.2
                        + 0.01 * normal(6, i as u64)
                })
                .collect()
        });
        least_squares(&problem, &FitOptions::default()).unwrap().warnings.join("\n")
    };
    let sum = fitted(Transform::Linear, |a, b| a + 0.5 * b);
    assert!(sum.contains("a + 0.5"), "{sum}");
    let ratio = fitted(Transform::Log, |a, b| a / b);
    assert!(ratio.contains("a / b = ") || ratio.contains("a * b^-1."), "{ratio}");
}

#[test]
fn several_starts_find_the_better_minimum() {
    // sin(w t): minima in w everywhere; started far from the truth.
    let parameters = vec![Parameter::new("w", "1/s", 1.0, 0.5, 20.0, Transform::Linear)];
    let problem = Problem::new(parameters, |p| {
        (0..60).map(|i| 0.1 * f64::from(i)).map(|t| (p[0] * t).sin() - (7.3 * t).sin()).collect()
    });
    let one = least_squares(&problem, &FitOptions::default()).unwrap();
    let many = least_squares(&problem, &FitOptions { starts: 32, ..FitOptions::default() }).unwrap();
    assert!(one.rms > 0.1);
    assert!((many.value("w") - 7.3).abs() < 1e-5, "{}", many.value("w"));
}

#[test]
fn equally_good_rivals_are_told() {
    let parameters = vec![Parameter::new("x", "1", 1.0, -5.0, 5.0, Transform::Linear)];
    let problem = Problem::new(parameters, |p| vec![p[0] * p[0] - 4.0, 0.1]);
    let fit = least_squares(&problem, &FitOptions { starts: 8, ..FitOptions::default() }).unwrap();
    assert!(
        fit.warnings.iter().any(|text| text.contains("another start fits equally well")),
        "{:?}",
        fit.warnings
    );
}

/// For a linear model the profile interval is the quadratic one.
#[test]
fn profile_agrees_with_the_quadratic_interval_where_that_is_exact() {
    let parameters = vec![Parameter::free("slope", "1", 0.0), Parameter::free("offset", "1", 0.0)];
    let problem = Problem::new(parameters, |p| {
        (0..30).map(|i| 2.0 * f64::from(i) + 1.0 + normal(3, i as u64) - p[0] * f64::from(i) - p[1]).collect()
    });
    let options = FitOptions::default();
    let fit = least_squares(&problem, &options).unwrap();
    for index in 0..2 {
        let interval = profile(&problem, &options, &fit, index).unwrap();
        let [low, high] = fit.parameters[index].interval95;
        assert!((interval.lower - low).abs() < 1e-3 * (high - low), "{interval:?} {low} {high}");
        assert!((interval.upper - high).abs() < 1e-3 * (high - low), "{interval:?} {low} {high}");
        assert!(!interval.lower_open && !interval.upper_open);
    }
}

#[test]
fn profile_stays_open_where_the_data_set_no_end() {
    // Early decay only: a longer tau with a larger amplitude and lower offset fits as well.
    let times: Vec<f64> = (0..10).map(|i| 0.01 * f64::from(i)).collect();
    let data = decay(&times, &[50.0, 5.0, 0.0])
        .iter()
        .enumerate()
        .map(|(i, y)| y + 0.05 * normal(8, i as u64))
        .collect();
    let mut problem = decay_problem(data, times, 1.0);
    (problem.parameters[2].lower, problem.parameters[2].upper) = (-1e5, 1e5);
    let options = FitOptions::default();
    let fit = least_squares(&problem, &options).unwrap();
    let interval = profile(&problem, &options, &fit, 1).unwrap();
    assert!(interval.upper_open, "{interval:?}");
}

#[test]
fn impossible_problems_are_errors() {
    let bad_bounds = Problem::new(
        vec![Parameter {
            name: "a".into(),
            unit: "1".into(),
            start: 1.0,
            lower: 0.0,
            upper: 1.0,
            transform: Transform::Log,
        }],
        |_| vec![0.0],
    );
    assert!(matches!(least_squares(&bad_bounds, &FitOptions::default()), Err(FitError::Bounds { .. })));
    let few = Problem::new(decay_parameters(), |p| vec![p[0]]);
    assert!(matches!(least_squares(&few, &FitOptions::default()), Err(FitError::TooFewPoints { .. })));
    let blank = Problem::new(decay_parameters(), |_| vec![f64::NAN; 5]);
    let error = least_squares(&blank, &FitOptions::default()).unwrap_err();
    assert!(error.to_string().contains("residual 0"), "{error}");
}

#[test]
fn criteria_prefer_the_true_order() {
    let data: Vec<f64> = (0..40).map(|i| 1.0 + 0.3 * f64::from(i) + normal(21, i as u64)).collect();
    let polynomial = |order: usize, data: Vec<f64>| {
        let parameters = (0..=order).map(|k| Parameter::free(format!("c{k}"), "1", 0.0)).collect();
        let problem = Problem::new(parameters, move |p| {
            data.iter()
                .enumerate()
                .map(|(i, y)| {
                    let x = i as f64 / 10.0;
                    y - p.iter().rev().fold(0.0, |sum, c| sum * x + c)
                })
                .collect()
        });
        least_squares(&problem, &FitOptions::default()).unwrap().aicc
    };
    let (zero, one, five) = (polynomial(0, data.clone()), polynomial(1, data.clone()), polynomial(5, data));
    assert!(one < zero && one < five, "{zero} {one} {five}");
}

#[test]
fn equal_problems_give_equal_bits() {
    let data: Vec<f64> = decay(&times(), &[120.0, 3.0, -4.0])
        .iter()
        .enumerate()
        .map(|(i, y)| y + normal(2, i as u64))
        .collect();
    let options = FitOptions { starts: 4, ..FitOptions::default() };
    let first = least_squares(&decay_problem(data.clone(), times(), 1.0), &options).unwrap();
    let second = least_squares(&decay_problem(data, times(), 1.0), &options).unwrap();
    assert_eq!(first, second);
}
