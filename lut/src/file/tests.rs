//! Tables against closed forms, and as files.

use crate::source::SCORE_COUNT;
use crate::{
    CellSource, CellStatistics, CompileOptions, DeviceTable, OutOfRange, Query, SCORES, Share, SourceError,
    SourceInfo, compile,
};
use mho_data::provenance::Origin;
use mho_data::random::Stream;

/// A cell whose current relaxes towards 600 nA with dose and creeps with time; lognormal spread.
struct Demo;

impl Demo {
    fn mean(state: f64, time_s: f64, dose: f64) -> f64 {
        let start = 1600.0 * state;
        let dosed = 600.0 + (start - 600.0) * (-dose / 1700.0).exp();
        dosed + (400.0 - dosed) * 0.02 * (1.0 + time_s / 1800.0).log10()
    }
}

impl CellSource for Demo {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "demo".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 1e6,
            dose_max_krad_si: 1e3,
            notes: vec![],
        }
    }

    fn cell(&self, state: f64, time_s: f64, dose: f64) -> Result<CellStatistics, SourceError> {
        let mean = Self::mean(state, time_s, dose);
        let spread = 0.02 + 0.01 * (1.0 + dose / 100.0).ln();
        Ok(CellStatistics {
            mean_na: mean,
            sigma_na: mean * spread,
            quantiles_na: std::array::from_fn::<_, SCORE_COUNT, _>(|q| {
                mean * (1.0 + spread * SCORES[q]).max(0.0)
            }),
            share: Share { programming: 1.0 / (1.0 + dose), drift: 0.0, dose: dose / (1.0 + dose) },
            extrapolated: state < 0.03,
        })
    }

    fn read_noise_na(&self, current: f64) -> f64 {
        0.01 * current
    }
}

fn table() -> DeviceTable {
    compile(&Demo, &CompileOptions::default()).unwrap()
}

/// The certificate was measured at 2000 points; at 10 000 others the error may exceed it a little: the
/// refinement leaves a margin of two on the lines, so it stays within twice the tolerance.
#[test]
fn the_certificate_holds_at_other_points() {
    let table = table();
    let certificate = table.certificate();
    assert!(certificate.met() && certificate.monotone, "{certificate:?}");
    let stream = Stream::new(5, &["points"], &[]);
    let points: Vec<Query> = (0..10_000)
        .map(|n| Query {
            state: stream.uniform(3 * n),
            time_s: 432_000.0 * stream.uniform(3 * n + 1).powi(4),
            dose_krad_si: 1000.0 * stream.uniform(3 * n + 2).powi(3),
        })
        .collect();
    let (rows, clamped) = table.query(&points, OutOfRange::Error).unwrap();
    assert_eq!(clamped, 0);
    for row in rows {
        let truth = Demo::mean(row.query.state, row.query.time_s, row.query.dose_krad_si);
        assert!((row.mean_na - truth).abs() < 2e-3 * 1600.0, "{row:?} {truth}");
    }
}

#[test]
fn a_slice_is_the_table_there() {
    let table = table();
    let slice = table.slice(5000.0, 77.0).unwrap();
    for state in [0.0, 0.013, 0.2, 0.77, 1.0] {
        let query = Query { state, time_s: 5000.0, dose_krad_si: 77.0 };
        let (rows, _) = table.query(&[query], OutOfRange::Error).unwrap();
        assert_eq!(slice.mean_na(state), rows[0].mean_na);
        assert_eq!(slice.sigma_na(state), rows[0].sigma_na);
        let share = slice.share(state);
        assert!((share.programming + share.dose + share.drift - 1.0).abs() < 1e-12);
        let expected = rows[0].mean_na + 1.3 * rows[0].sigma_na;
        assert!((slice.current_na(state, 1.3) - expected).abs() < 2e-3 * 1600.0);
    }
}

#[test]
fn points_outside_are_refused_or_counted() {
    let table = table();
    let points = [
        Query { state: 0.5, time_s: 0.0, dose_krad_si: 5000.0 },
        Query { state: 0.5, time_s: 0.0, dose_krad_si: 1000.0 },
    ];
    assert!(table.query(&points, OutOfRange::Error).is_err());
    let (rows, clamped) = table.query(&points, OutOfRange::Clamp).unwrap();
    assert_eq!((clamped, rows[0].mean_na), (1, rows[1].mean_na));
    assert!(table.slice(0.0, -1.0).is_err());
    assert!(table.query(&[Query { state: f64::NAN, ..points[0] }], OutOfRange::Clamp).is_err());
}

#[test]
fn files_return_the_table_and_bad_ones_say_why() {
    let table = table();
    let bytes = table.to_bytes().unwrap();
    assert_eq!(bytes, table.to_bytes().unwrap());
    assert_eq!(DeviceTable::from_bytes(&bytes, "t.safetensors").unwrap(), table);
    assert!(table.extrapolated_nodes() > 0);
    for bad in [&b"nonsense"[..], &bytes[..bytes.len() - 3], &[]] {
        let error = DeviceTable::from_bytes(bad, "t.safetensors").unwrap_err();
        assert!(error.to_string().starts_with("t.safetensors"), "{error}");
    }
}
