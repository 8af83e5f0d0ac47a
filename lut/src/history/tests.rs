//! Histories, and tables of them against closed forms.

use super::*;
use crate::compile::tests_support::{cell, table};
use crate::{CellSource, CellStatistics, OutOfRange, SCORES, Share, Sides, SourceError, SourceInfo};
use mho_data::provenance::Origin;
use mho_data::random::Stream;

fn segment(duration_s: f64, dose_rate_rad_si_per_s: f64) -> Segment {
    Segment { duration_s, dose_rate_rad_si_per_s, temperature_k: 350.0, gate_bias_v: 0.0 }
}

#[test]
fn doses_and_times_add_up() {
    let history = History::new(vec![segment(100.0, 0.0), segment(50.0, 20.0), segment(1000.0, 0.0)]).unwrap();
    assert_eq!((history.duration_s(), history.dose_krad_si()), (1150.0, 1.0));
    for (time_s, dose) in [(0.0, 0.0), (100.0, 0.0), (125.0, 0.5), (150.0, 1.0), (1150.0, 1.0)] {
        let report = history.at(time_s).unwrap();
        assert_eq!((report.dose_krad_si, report.temperature_k), (dose, 350.0));
    }
    assert!(history.at(1151.0).is_err() && history.at(f64::NAN).is_err());
    let cut: Vec<f64> = history.until(120.0).map(|segment| segment.duration_s).collect();
    assert_eq!(cut, [100.0, 20.0]);
    let cut: Vec<f64> = history.between(90.0, 200.0).map(|segment| segment.duration_s).collect();
    assert_eq!(cut, [10.0, 50.0, 50.0]);
}

#[test]
fn segments_that_make_no_sense_are_refused() {
    for (bad, expected) in [
        (segment(-1.0, 0.0), "duration_s = -1"),
        (segment(1.0, f64::NAN), "dose_rate"),
        (Segment { temperature_k: 0.0, ..segment(1.0, 0.0) }, "temperature_k = 0"),
        (Segment { gate_bias_v: f64::INFINITY, ..segment(1.0, 0.0) }, "gate_bias_v"),
        (segment(1e308, 1e308), "in all"),
    ] {
        let error = History::new(vec![segment(1.0, 0.0), bad]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(History::new(vec![]).is_err());
    let read: Result<History, _> = serde_json::from_str(r#"[{"duration_s": -5}]"#);
    assert!(read.unwrap_err().to_string().contains("duration_s = -5"));
    let read: History = serde_json::from_str(r#"[{"duration_s": 5}]"#).unwrap();
    assert_eq!(read.segments()[0].temperature_k, 300.0);
}

/// Lognormal cells whose logarithm wanders: variance 0.01 after programming, 0.02 more after `DAY_S`.
struct Wanderer;

const DAY_S: f64 = 86_400.0;

impl Wanderer {
    fn variance(state: f64, time_s: f64) -> f64 {
        0.01 + 0.02 * (0.5 + state) * time_s / DAY_S
    }
}

impl CellSource for Wanderer {
    fn describe(&self) -> SourceInfo {
        SourceInfo { name: "wanderer".into(), origin: Origin::Synthetic, ..cell().describe() }
    }

    fn cell(&self, state: f64, time_s: f64, dose: f64) -> Result<CellStatistics, SourceError> {
        let (median, variance) = (1600.0 * state * (-dose / 2000.0).exp(), Self::variance(state, time_s));
        let sigma = variance.sqrt();
        let mean_na = median * (0.5 * variance).exp();
        Ok(CellStatistics {
            mean_na,
            sigma_na: mean_na * variance.exp_m1().sqrt(),
            quantiles_na: SCORES.map(|z| median * (sigma * z).exp()),
            share: Share { programming: 0.01 / variance, drift: 1.0 - 0.01 / variance, dose: 0.0 },
            extrapolated: time_s > 4.0 * DAY_S,
        })
    }

    fn read_noise_na(&self, current: f64) -> f64 {
        0.01 * current
    }

    /// A random walk: what was there at the earlier time is still there at the later.
    fn correlation(&self, state: f64, a: (f64, f64), b: (f64, f64)) -> Result<f64, SourceError> {
        let (early, late) = (a.0.min(b.0), a.0.max(b.0));
        Ok((Self::variance(state, early) / Self::variance(state, late)).sqrt())
    }
}

fn storage(days: f64) -> History {
    History::new(vec![Segment {
        duration_s: days * DAY_S,
        dose_rate_rad_si_per_s: 0.5,
        temperature_k: 300.0,
        gate_bias_v: 0.0,
    }])
    .unwrap()
}

fn wandering() -> HistoryTable {
    let reports = [0.0, 0.1, 1.0, 5.0].map(|days| days * DAY_S);
    compile_history(&Wanderer, &storage(5.0), &reports, &HistoryOptions::default()).unwrap()
}

#[test]
fn a_history_is_its_source_at_the_reports() {
    let table = wandering();
    let certificate = table.certificate();
    assert!(certificate.met() && certificate.monotone && certificate.checked_points > 400, "{certificate:?}");
    assert!(certificate.max_correlation_error.unwrap() < 0.01, "{certificate:?}");
    for (r, report) in table.reports().iter().enumerate() {
        assert!((report.dose_krad_si - 5e-4 * report.time_s).abs() < 1e-9);
        let slice = table.slice(r).unwrap();
        for state in [0.02, 0.33, 0.9] {
            let truth = Wanderer.cell(state, report.time_s, report.dose_krad_si).unwrap();
            for (found, wanted) in
                [(slice.mean_na(state), truth.mean_na), (slice.sigma_na(state), truth.sigma_na)]
            {
                assert!((found - wanted).abs() < 1e-3 * 1600.0, "{state} {found} {wanted}");
            }
        }
    }
    // Dose went on while time passed, which this source cannot follow.
    assert!(table.notes().iter().any(|note| note.contains("one after the other")), "{:?}", table.notes());
    assert!(table.extrapolated_nodes() > 0 && table.slice(4).is_err());
}

/// 20 000 cells: a correlation is known to (1 - rho^2)/sqrt(n) = 0.007 at most, and a mean of the logarithm
/// to sigma/sqrt(n); four of these plus the tolerance of the table are allowed.
#[test]
fn drawn_cells_have_the_correlation_of_their_source() {
    let table = wandering();
    let (cells, reports) = (20_000, 4);
    for state in [0.21, 0.8] {
        let stream = Stream::new(7, &["cells"], &[]);
        let mut currents = vec![0.0; cells * reports];
        let states = vec![state; cells];
        let clamped =
            table.path().currents_na(&states, &stream, 0, OutOfRange::Error, &mut currents).unwrap();
        assert!(clamped.score.total() < 20 && clamped.state == Sides::default(), "{clamped:?}");
        let score = |cell: usize, r: usize| {
            let report = table.reports()[r];
            let median = 1600.0 * state * (-report.dose_krad_si / 2000.0).exp();
            (currents[cell * reports + r] / median).ln() / Wanderer::variance(state, report.time_s).sqrt()
        };
        let mean = |of: &dyn Fn(usize) -> f64| (0..cells).map(of).sum::<f64>() / cells as f64;
        for a in 0..reports {
            assert!(mean(&|c| score(c, a)).abs() < 0.04, "{state} {a}");
            assert!((mean(&|c| score(c, a).powi(2)) - 1.0).abs() < 0.06, "{state} {a}");
            for b in 0..a {
                let at = |r: usize| (table.reports()[r].time_s, 0.0);
                let wanted = Wanderer.correlation(state, at(a), at(b)).unwrap();
                let found = mean(&|c| score(c, a) * score(c, b));
                let stored = table.path().correlation(state, a, b).unwrap();
                assert!((found - wanted).abs() < 0.05, "{state} {a} {b}: {found} {wanted}");
                assert!((stored - wanted).abs() < 0.01, "{state} {a} {b}: {stored} {wanted}");
            }
        }
    }
}

#[test]
fn a_cell_is_the_same_in_any_batch() {
    let table = wandering();
    let stream = Stream::new(7, &["cells"], &[]);
    let states: Vec<f64> = (0..300_u32).map(|k| f64::from(k % 7) / 7.0).collect();
    let mut whole = vec![0.0; 1200];
    let policy = OutOfRange::Clamp;
    let counted = table.path().currents_na(&states, &stream, 0, policy, &mut whole).unwrap();
    let mut parts = vec![0.0; 1200];
    let mut summed = crate::Clamped::default();
    for (k, (states, out)) in states.chunks(11).zip(parts.chunks_mut(44)).enumerate() {
        let first = 11 * k as u64;
        summed = summed.and(table.path().currents_na(states, &stream, first, policy, out).unwrap());
    }
    assert_eq!((whole, counted), (parts, summed));
    let mut out = [0.0; 8];
    let clamped = table.path().currents_na(&[-1.0, 2.0], &stream, 0, policy, &mut out).unwrap();
    assert_eq!((clamped.state, clamped.points), (Sides { below: 1, above: 1 }, 2));
    assert!(table.path().currents_na(&[2.0, 0.0], &stream, 0, OutOfRange::Error, &mut out).is_err());
    assert!(table.path().currents_na(&[0.5], &stream, 0, policy, &mut out).is_err());
}

#[test]
fn files_of_histories_return_them() {
    let table = wandering();
    let bytes = table.to_bytes().unwrap();
    assert_eq!(HistoryTable::from_bytes(&bytes, "h.safetensors").unwrap(), table);
    let error = crate::DeviceTable::from_bytes(&bytes, "h.safetensors").unwrap_err().to_string();
    assert!(error.contains("a device table of a history"), "{error}");
    assert!(HistoryTable::from_bytes(&bytes[..bytes.len() / 2], "h.safetensors").is_err());
}

#[test]
fn what_a_source_cannot_follow_is_refused() {
    let compile = |history: &History, reports: &[f64]| {
        compile_history(&Wanderer, history, reports, &HistoryOptions::default())
    };
    let hot = History::new(vec![segment(10.0, 0.0)]).unwrap();
    let error = compile(&hot, &[10.0]).unwrap_err().to_string();
    assert!(error.contains("350 K"), "{error}");
    let biased = Segment { temperature_k: 300.0, gate_bias_v: -1.0, ..segment(10.0, 0.0) };
    let error = compile(&History::new(vec![biased]).unwrap(), &[10.0]).unwrap_err().to_string();
    assert!(error.contains("gate bias of -1 V"), "{error}");
    for reports in [&[][..], &[2.0, 1.0], &[f64::NAN], &[-1.0], &[1e9]] {
        assert!(compile(&storage(1.0), reports).is_err(), "{reports:?}");
    }
}

/// In a grid a cell has three normals for good. Where its source says otherwise, the certificate tells how
/// far that is off.
#[test]
fn a_grid_says_how_well_it_knows_the_correlation() {
    let grid = table();
    assert_eq!(grid.certificate().max_correlation_error, Some(0.0));
    let path = grid.path(&[(0.0, 0.0), (3e4, 100.0)]).unwrap();
    let share = |slice: &crate::Slice| slice.share(0.4);
    let [a, b] = [share(&path.slices()[0]), share(&path.slices()[1])];
    // Loadings are straight between states, shares are not.
    assert!((path.correlation(0.4, 0, 1).unwrap() - a.correlation(b)).abs() < 1e-3);
    assert!(path.correlation(0.4, 0, 2).is_err() && grid.path(&[]).is_err());

    let options =
        crate::CompileOptions { time_max_s: 4.0 * DAY_S, dose_max_krad_si: 0.0, tolerance_fraction: 5e-3 };
    let error = crate::compile(&Wanderer, &options).unwrap().certificate().max_correlation_error.unwrap();
    // Shares of 1/9 and 8/9 after four days at state 1: sqrt(1/9) = 0.33 for both forms from time 0 on,
    // but two late times are closer in a random walk only when they are equal.
    assert!(error > 0.05 && error < 0.9, "{error}");
}
