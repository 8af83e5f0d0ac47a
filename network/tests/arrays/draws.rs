//! What is drawn for cells.

use super::*;
use mho_lut::{History, HistoryOptions, Report, Segment, compile_history};
use mho_network::analog::Devices;
use mho_network::array::MappingStyle;

/// Effective weights of one matrix of weights w, over the largest, which is one more weight.
fn weights(w: f32, count: usize, array: &ArrayConfig, table: &DeviceTable, condition: Condition) -> Vec<f64> {
    let mut values = vec![w; count];
    values[0] = 1.0;
    let graph = matrix(1, count, values);
    let x = tensor(&[1, count], vec![1.0; count]);
    let arrays = Arrays::new(&graph, &[x], array, Some(table.into())).unwrap();
    let programmed = arrays.program(&condition, &arrays.draws(5, 3)).unwrap();
    programmed.effective_weights(LayerId(0)).unwrap()[1..].iter().map(|&w| f64::from(w)).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let ((ma, sa), (mb, sb)) = (moments(a), moments(b));
    a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).sum::<f64>() / (a.len() as f64 * sa * sb)
}

/// Bounds are five standard errors of 40,000 draws or more.
#[test]
fn cells_have_the_moments_of_the_table() {
    let (table, array) = (table(), ArrayConfig::default());
    let all = Effects {
        weight_levels: false,
        input_converters: false,
        output_converters: false,
        read_noise: false,
        ..Effects::ALL
    };
    for (time_s, dose_krad_si) in [(0.0, 0.0), (4e5, 0.0), (0.0, 200.0), (4e5, 200.0)] {
        let read = |effects| {
            let condition = Condition { time_s, dose_krad_si, effects };
            let values = weights(0.5, 40_000, &array, &table, condition);
            moments(&values.iter().map(|w| w * 1600.0).collect::<Vec<_>>())
        };
        let slice = table.slice(time_s, dose_krad_si).unwrap();
        let (mean, sigma) = read(all);
        assert!((mean - slice.mean_na(0.5)).abs() < 0.03 * slice.sigma_na(0.5));
        assert!((sigma / slice.sigma_na(0.5) - 1.0).abs() < 0.03);
        let (_, still) = read(Effects { dose_random: false, ..all });
        assert!((still / slice.sigma_na(0.5) - (1.0 - slice.share(0.5).dose).sqrt()).abs() < 0.03);
        let undosed = table.slice(time_s, 0.0).unwrap().mean_na(0.5);
        let (mean, _) = read(Effects { dose_mean: false, ..all });
        assert!((mean - undosed).abs() < 0.05 * slice.sigma_na(0.5), "{mean} {undosed}");
    }
}

/// Each physical cell has a draw of its own: n cells for a weight divide the variance by n; the two cells
/// of a pair about the middle double it; slices add with their worth.
#[test]
fn every_cell_is_drawn_for_itself() {
    let table = table();
    let programming = Effects { programming: true, ..Effects::QUANTISATION };
    let sigma = |text: &str, w: f32| {
        let array = ArrayConfig::from_toml(text, "array.toml").unwrap();
        moments(&weights(w, 40_000, &array, &table, at(programming))).1
    };
    // sigma(state) = 40 nA x min(state, 0.4): the same for all states from 0.4 on.
    let one = 40.0 * 0.4 / 1600.0;
    let near =
        |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 0.03, "{found} {expected}");
    near(sigma("", 0.9), one);
    near(sigma("[mapping]\ncells_per_weight = 4\n", 0.9), one / 2.0);
    near(sigma("[mapping]\nstyle = \"two-sided\"\n", 0.0), one * 2.0_f64.sqrt());
    // A cell at half the range has a reference cell beside it, and is worth twice as much.
    near(sigma("[mapping]\nstyle = \"offset-column\"\n", 0.0), 2.0 * one * 2.0_f64.sqrt() * 255.0 / 254.0);
    near(sigma("[mapping]\nstyle = \"offset-digital\"\n", 0.0), 2.0 * one * 255.0 / 254.0);
    // 7 bits in slices of 4 and 4; the largest weight 127 = 7 x 16 + 15 of 15 x 16 + 15.
    let worth = 15.0 / 127.0;
    let high = 40.0 / 1600.0 * 0.4 * 16.0 * worth;
    near(sigma("[mapping]\nslices = 2\n", 1.0), (high * high + (one * worth).powi(2)).sqrt());
    near(sigma("[cell]\nspread = 2.0\n", 0.9), 2.0 * one);
}

#[test]
fn stuck_cells_are_as_many_as_asked_for() {
    let table = table();
    let mut array = ArrayConfig::default();
    (array.cell.stuck_at_min, array.cell.stuck_at_max, array.cell.spread) = (0.1, 0.05, 0.0);
    let programming = Effects { programming: true, stuck: true, ..Effects::QUANTISATION };
    let n = 40_000;
    let held = weights(0.5, n, &array, &table, at(programming));
    let part = |of: &dyn Fn(f64) -> bool| held.iter().filter(|w| of(**w)).count() as f64 / n as f64;
    // Five standard errors are 0.0075. The lit cell is stuck low and the dark one free or low, or both
    // are high; the lit one high and the other not; the lit one free or low, and the dark one high.
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 0.0075, "{found} {expected}");
    near(part(&|w| w.abs() < 0.01), 0.1 * 0.95 + 0.05 * 0.05);
    near(part(&|w| w > 0.9), 0.05 * 0.95);
    near(part(&|w| w < -0.9), 0.1 * 0.05);
    near(part(&|w| (w + 0.5).abs() < 0.01), 0.85 * 0.05);
    assert!(
        !Arrays::new(&matrix(1, 1, vec![1.0]), &[tensor(&[1, 1], vec![1.0])], &array, None)
            .unwrap()
            .is_random(&at(QUANTISED))
    );
}

#[test]
fn conditions_meet_the_same_cells_and_trials_do_not() {
    let (table, array) = (table(), ArrayConfig::default());
    let effects = Effects { read_noise: false, ..Effects::ALL };
    let graph = matrix(1, 5000, vec![0.9; 5000]);
    let x = tensor(&[1, 5000], vec![1.0; 5000]);
    let arrays = Arrays::new(&graph, &[x], &array, Some((&table).into())).unwrap();
    let read = |trial, time_s| {
        let condition = Condition { time_s, dose_krad_si: 0.0, effects };
        let programmed = arrays.program(&condition, &arrays.draws(1, trial)).unwrap();
        let weights = programmed.effective_weights(LayerId(0)).unwrap();
        weights.iter().map(|&w| f64::from(w)).collect::<Vec<_>>()
    };
    let (young, old, other) = (read(0, 0.0), read(0, 1e5), read(1, 0.0));
    // The programmed part keeps 1 / (1 + 1e5 / 4e5) of the variance.
    assert!((correlation(&young, &old) - 0.8_f64.sqrt()).abs() < 0.03, "{}", correlation(&young, &old));
    assert!(correlation(&young, &other).abs() < 0.07);
}

#[test]
fn drift_compensation_and_refresh() {
    let table = table();
    let effects = Effects { programming: true, drift: true, ..QUANTISED };
    let mean = |text: &str, time_s| {
        let array = ArrayConfig::from_toml(text, "array.toml").unwrap();
        let condition = Condition { time_s, dose_krad_si: 0.0, effects };
        moments(&weights(0.8, 4000, &array, &table, condition))
    };
    let (fresh, _) = mean("", 0.0);
    let (old, spread) = mean("", 1e5);
    assert!(old < 0.9 * fresh);
    for kind in ["global", "per-column"] {
        let (compensated, wider) = mean(&format!("[effects]\ndrift_compensation = \"{kind}\"\n"), 1e5);
        // The gain is that of the very same cells: equal but for the one largest weight.
        assert!((compensated / fresh - 1.0).abs() < 1e-3, "{compensated} {fresh}");
        assert!((wider / spread - fresh / old).abs() < 0.01);
    }
    let refreshed = "[effects]\nrefresh_period_s = 1e4\n";
    let (again, _) = mean(refreshed, 1e5);
    assert!((again / fresh - 1.0).abs() < 1e-3, "{again} {fresh}");
    assert!((mean(refreshed, 1.5e4).0 / mean("", 5e3).0 - 1.0).abs() < 1e-3);
}

#[test]
fn what_a_table_cannot_say_is_refused() {
    let (table, graph) = (table(), matrix(1, 2, vec![1.0, 0.5]));
    let x = [tensor(&[1, 2], vec![1.0; 2])];
    let arrays = Arrays::new(&graph, &x, &ArrayConfig::default(), None).unwrap();
    let error = arrays.program(&at(Effects::ALL), &arrays.draws(1, 0)).unwrap_err();
    assert!(matches!(error, AnalogError::NoTable(_)));
    let mut array = ArrayConfig::default();
    array.cell.current_max_na = Some(2000.0);
    let error = Arrays::new(&graph, &x, &array, Some((&table).into())).unwrap_err();
    assert!(matches!(error, AnalogError::CurrentRange { .. }));
    array = ArrayConfig::default();
    array.effects.temperature_k = 350.0;
    let error = Arrays::new(&graph, &x, &array, Some((&table).into())).unwrap_err();
    assert!(matches!(error, AnalogError::Temperature(_)));
    array = ArrayConfig::default();
    array.cell.table_voltage_v = Some(0.9);
    let programming = Effects { programming: true, ..QUANTISED };
    let arrays = Arrays::new(&graph, &x, &array, Some((&table).into())).unwrap();
    let error = arrays.program(&at(programming), &arrays.draws(1, 0)).unwrap_err();
    assert!(error.to_string().contains("one read voltage"), "{error}");
    array = ArrayConfig::default();
    array.mapping.style = MappingStyle::OffsetColumn;
    let arrays = Arrays::new(&graph, &x, &array, Some((&table).into())).unwrap();
    let late = Condition { time_s: 1e9, dose_krad_si: 0.0, effects: Effects::ALL };
    assert!(matches!(arrays.program(&late, &arrays.draws(1, 0)), Err(AnalogError::Table(_))));
    assert!(matches!(Arrays::new(&graph, &[], &array, None), Err(AnalogError::NoCalibration)));
}

/// Along a history, cells have the moments of its reports, and keep their fate from one to the next.
#[test]
fn a_history_is_followed_by_the_same_cells() {
    let segment =
        Segment { duration_s: 1e5, dose_rate_rad_si_per_s: 1.0, temperature_k: 300.0, gate_bias_v: 0.0 };
    let history = History::new(vec![segment]).unwrap();
    let table = compile_history(&Invented, &history, &[0.0, 1e5], &HistoryOptions::default()).unwrap();
    let count = 20_000;
    let graph = matrix(1, count, vec![0.9; count]);
    let x = [tensor(&[1, count], vec![1.0; count])];
    let arrays = Arrays::new(&graph, &x, &ArrayConfig::default(), Some(Devices::from(&table))).unwrap();
    let read = |report: usize| -> Vec<f64> {
        let Report { time_s, dose_krad_si, .. } = table.reports()[report];
        let condition = Condition { time_s, dose_krad_si, effects: Effects::ALL };
        let programmed = arrays.program(&condition, &arrays.draws(1, 0)).unwrap();
        let weights = programmed.effective_weights(LayerId(0)).unwrap();
        // All weights are the largest one.
        weights.iter().map(|&w| f64::from(w) / 0.9 * 1600.0).collect()
    };
    let values = [read(0), read(1)];
    for (report, values) in values.iter().enumerate() {
        let slice = table.slice(report).unwrap();
        let (mean, sigma) = moments(values);
        // Five standard errors are 0.035 of sigma; of sigma itself 0.025.
        assert!((mean - slice.mean_na(1.0)).abs() < 0.035 * slice.sigma_na(1.0), "{mean}");
        assert!((sigma / slice.sigma_na(1.0) - 1.0).abs() < 0.03, "{sigma}");
    }
    let found = correlation(&values[0], &values[1]);
    assert!((found - table.path().correlation(1.0, 0, 1).unwrap()).abs() < 0.02, "{found}");
    let elsewhere = Condition { time_s: 5e4, dose_krad_si: 50.0, effects: Effects::ALL };
    let error = arrays.program(&elsewhere, &arrays.draws(1, 0)).unwrap_err();
    assert!(error.to_string().contains("100000 s and 100 krad(Si)"), "{error}");
    let part = Condition { effects: Effects { drift: false, ..Effects::ALL }, ..elsewhere };
    assert!(matches!(arrays.program(&part, &arrays.draws(1, 0)), Err(AnalogError::Together(_))));
}
