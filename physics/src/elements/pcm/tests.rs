//! The statistics against reference tables.

use super::*;
use mho_data::Table;
use proptest::prelude::*;

const CELL: Cell = Cell { statistics: Statistics::Nandakumar2019, max_us: 25.0, liner_us: 0.0 };

fn golden(name: &str) -> Option<Table> {
    let path = mho_data::shared::find(name)?;
    Some(Table::from_csv(&std::fs::read_to_string(path).unwrap(), name).unwrap())
}

#[test]
fn closed_forms_are_those_of_the_reference() {
    let Some(table) = golden("golden/laws/pcm_analytic.csv") else { return };
    let column = |name: &str| table.floats(name).unwrap().to_vec();
    let (target, time) = (column("g_target_uS"), column("t_s"));
    let [sigma, mean, spread, read, decay] = [
        "sigma_prog_uS",
        "nu_mean",
        "nu_std",
        "sigma_read_rel_at_gprog_eq_target",
        "mean_decay_factor_lognormal",
    ]
    .map(column);
    for row in 0..target.len() {
        // The file has eight digits: half of the last is at most 5e-8.
        let close = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 5.1e-8, "row {row}: {found} {expected}");
        };
        close(CELL.statistics.programming_us(target[row], 25.0), sigma[row]);
        let (mu, sd) = CELL.drift(target[row]);
        close(mu, mean[row]);
        close(sd, spread[row]);
        close(CELL.read_noise(target[row], time[row]), read[row]);
        let log_time = CELL.log_time(time[row]);
        close((-mu * log_time + 0.5 * (sd * log_time).powi(2)).exp(), decay[row]);
    }
}

#[test]
fn moments_are_those_of_many_draws() {
    let Some(path) = mho_data::shared::find("golden/laws/noise_models.csv") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = 0;
    for line in text.lines().filter(|line| line.starts_with("PCMLike_g25")) {
        let fields: Vec<&str> = line.split(',').collect();
        let Ok(time) = fields[2].parse::<f64>() else { continue };
        let [target, mean, std] = [1, 3, 4].map(|field: usize| fields[field].parse::<f64>().unwrap());
        let found = moments(&CELL, target, time);
        // 400,000 draws: four standard errors of the mean, half a percent of the deviation; six digits.
        assert!((found.mean_us - mean).abs() < 4.0 * std / 632.0 + 1e-5 * mean, "{line}: {found:?}");
        assert!((found.std_us / std - 1.0).abs() < 5e-3, "{line}: {found:?}");
        rows += 1;
    }
    assert!(rows >= 60, "{rows}");
}

#[test]
fn draws_have_the_moments_of_the_closed_form() {
    for (cell, target) in [(CELL, 0.25), (CELL, 10.0), (Cell { liner_us: 5.0, ..CELL }, 5.0)] {
        let stream = Stream::new(5, &["pcm"], &[]);
        let count = 40_000;
        let draws: Vec<f64> =
            (0..count).map(|index| cell.read(&cell.program(target, &stream, index), 86400.0)).collect();
        let mean = draws.iter().sum::<f64>() / count as f64;
        let variance = draws.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
        let expected = moments(&cell, target, 86400.0);
        // Four standard errors; the deviation's, for tails up to a kurtosis of 9, is 2 % of it at most.
        assert!(
            (mean - expected.mean_us).abs() < 4.0 * expected.std_us / 200.0,
            "{target}: {mean} {expected:?}"
        );
        assert!((variance.sqrt() / expected.std_us - 1.0).abs() < 0.04, "{target}: {variance} {expected:?}");
    }
}

#[test]
fn both_sets_agree_where_they_were_fitted_to_the_same_cells() {
    let (a, b) = (Statistics::Nandakumar2019, Statistics::Joshi2020);
    assert!((a.programming_us(25.0, 25.0) - 1.05538).abs() < 1e-5);
    assert!((b.programming_us(25.0, 25.0) - 1.06552).abs() < 1e-4);
    assert!((b.drift_mean(1.0, 25.0) - 0.0755).abs() < 1e-12);
    assert!((b.drift_mean(25.0, 25.0) - 0.055).abs() < 1e-12);
    assert!((second_noise_us(0.0) - 0.1923).abs() < 1e-12);
}

#[test]
fn a_liner_trades_window_for_drift() {
    let projected = Cell { liner_us: 2.0, ..CELL };
    assert_eq!(projected.drift_share(2.0), 0.5);
    assert!((projected.window(0.0) - 13.5).abs() < 1e-12);
    // Two conductances in parallel, one of which drifts by a little: the share is its derivative.
    let nu = 1e-5;
    let drifted = (3.0 * (-nu * 5.0_f64).exp() + 2.0) / 5.0;
    assert!((-drifted.ln() / 5.0 / nu / projected.drift_share(3.0) - 1.0).abs() < 1e-4);
}

#[test]
fn compensation_restores_the_size() {
    assert_eq!(compensation(&[1.0, -2.0], &[0.5, -1.0]), 2.0);
    assert_eq!(compensation(&[1.0], &[0.0]), 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn everything_is_finite_and_decays(target in 0.0..25.0_f64, early in 0.0..1e9_f64, factor in 1.0..1e3_f64,
                                       liner in 0.0..25.0_f64, joshi in any::<bool>()) {
        let statistics = if joshi { Statistics::Joshi2020 } else { Statistics::Nandakumar2019 };
        let cell = Cell { statistics, max_us: 25.0, liner_us: liner };
        let (a, b) = (moments(&cell, target, early), moments(&cell, target, early * factor));
        prop_assert!(a.mean_us.is_finite() && a.std_us.is_finite());
        prop_assert!(b.mean_us <= a.mean_us * (1.0 + 1e-3) + 0.02, "{a:?} {b:?}");
        let (mean, deviation) = cell.drift(target);
        prop_assert!(mean >= 0.0 && deviation >= 0.0);
    }
}
