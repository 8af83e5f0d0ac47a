//! Measured cells with a known truth.

use super::*;
use crate::certificate::Against;
use crate::{DeviceTable, OutOfRange, SCORES};
use mho_data::random::Stream;

const STATES: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];
const TIMES: [f64; 3] = [0.0, 3600.0, 86_400.0];
const CELLS: u64 = 400;

fn truth(state: f64, time_s: f64) -> (f64, f64) {
    (1600.0 * state * (1.0 - 0.01 * (1.0 + time_s / 1800.0).log10()), 20.0)
}

/// 400 cells of every state, the same at all times, read `reads` times with 5 nA of noise.
fn readings(cells: u64, reads: u64) -> Vec<CellReading> {
    let stream = Stream::new(4, &["measured"], &[]);
    let mut out = Vec::new();
    for (s, state) in (0..).zip(STATES) {
        for (t, time_s) in (0..).zip(TIMES) {
            let (mean, sigma) = truth(state, time_s);
            for cell in 0..cells {
                let own = stream.normal(1000 * s + cell);
                for read in 0..reads {
                    let noise = 5.0 * stream.normal(1_000_000 + ((s * 3 + t) * cells + cell) * reads + read);
                    let current_na = mean + sigma * own + noise;
                    let cell = format!("{s}-{cell}");
                    out.push(CellReading { cell, state, time_s, dose_krad_si: 0.0, current_na });
                }
            }
        }
    }
    out
}

/// Standard errors: of a mean 20/sqrt(400) = 1 nA, of a standard deviation 0.7 nA, of a read noise pooled over
/// 1500 degrees of freedom 2 %, of a median 1.25 nA; four of them are allowed. Two averaged reads leave
/// 5/sqrt(2) nA of noise in the spread: sqrt(400 + 12.5) = 20.3.
#[test]
fn statistics_of_cells_are_found_again() {
    let table = compile_measured(&readings(CELLS, 2), &MeasuredOptions::default()).unwrap();
    let slice = table.slice(3600.0, 0.0).unwrap();
    for state in STATES {
        let (mean, _) = truth(state, 3600.0);
        assert!((slice.mean_na(state) - mean).abs() < 4.0, "{state}: {} {mean}", slice.mean_na(state));
        assert!((slice.sigma_na(state) - 20.3).abs() < 2.8, "{state}: {}", slice.sigma_na(state));
        assert!((slice.read_sigma_na(state) - 5.0).abs() < 0.5, "{state}: {}", slice.read_sigma_na(state));
        for score in [-1.0, 0.0, 1.0] {
            let found = slice.current_na(state, score);
            assert!((found - mean - 20.3 * score).abs() < 6.5, "{state} {score}: {found}");
        }
    }
    let certificate = table.certificate();
    assert!(certificate.met() && certificate.monotone, "{certificate:?}");
    assert_eq!((certificate.against, certificate.checked_points), (Against::LeftOut, 9 + 5));
    // 20.3 nA / sqrt(400) of 1600 nA.
    assert!((certificate.max_standard_error_fraction.unwrap() - 6.3e-4).abs() < 1e-4);
    // The cells are the same at all times but for their noise: rho = 400/412.5.
    assert!(certificate.max_correlation_error.unwrap() < 0.06, "{certificate:?}");
    assert_eq!(table.cells().unwrap(), vec![CELLS as f64; 15]);
    // The table ends where the measurement ends.
    assert!(table.slice(1e6, 0.0).is_err() && table.slice(0.0, 1.0).is_err());
    let mut out = [0.0];
    assert!(slice.means_na(&[1.0], OutOfRange::Error, &mut out).is_err());

    let bytes = table.to_bytes().unwrap();
    assert_eq!(DeviceTable::from_bytes(&bytes, "m.safetensors").unwrap(), table);
}

#[test]
fn states_that_fall_are_pooled_and_counted() {
    let mut swapped = readings(30, 1);
    for reading in &mut swapped {
        reading.state = match reading.state {
            0.3 => 0.5,
            0.5 => 0.3,
            other => other,
        };
    }
    let table = compile_measured(&swapped, &MeasuredOptions::default()).unwrap();
    assert!(table.certificate().monotone);
    assert!(table.notes().iter().any(|note| note.contains("pooled")), "{:?}", table.notes());
    assert!(table.notes().iter().any(|note| note.contains("read noise is not known")));
    let slice = table.slice(0.0, 0.0).unwrap();
    assert_eq!(slice.mean_na(0.3), slice.mean_na(0.5));
    for state in STATES {
        let currents = SCORES.map(|score| slice.current_na(state, score));
        assert!(currents.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9));
    }
}

#[test]
fn too_few_cells_are_refused_where_they_are() {
    let options = MeasuredOptions::default();
    let refused = |readings: &[CellReading]| compile_measured(readings, &options).unwrap_err().to_string();
    let mut thin = readings(30, 1);
    thin.retain(|r| !(r.state == 0.5 && r.time_s == 3600.0));
    let error = refused(&thin);
    assert!(error.contains("0 cells of state 0.5 at 3600 s and 0 krad(Si), expected at least 20"), "{error}");
    assert!(error.contains("1 of 15 places"), "{error}");
    assert!(refused(&[]).contains("no readings"));
    let mut bad = readings(30, 1);
    bad[6].current_na = f64::NAN;
    assert!(refused(&bad).contains("reading 7"), "{}", refused(&bad));
    bad[6].current_na = f64::MAX;
    assert!(refused(&bad).contains("not finite"), "{}", refused(&bad));
    bad[6].current_na = 1.0;
    bad[3].time_s = -1.0;
    assert!(refused(&bad).contains("reading 4"));
}

#[test]
fn readings_come_from_tables() {
    let table = Table::new()
        .with_float("state", vec![0.5, 0.5])
        .with_float("time_s", vec![0.0, 1.0])
        .with_float("dose_krad_si", vec![0.0, 2.0])
        .with_float("current_na", vec![800.0, 790.0]);
    let read = CellReading::from_table(&table).unwrap();
    assert_eq!((read[1].cell.as_str(), read[1].dose_krad_si), ("row 1", 2.0));
    let named = table.with_text("device", vec!["a".into(), "a".into()]);
    assert_eq!(CellReading::from_table(&named).unwrap()[1].cell, "a");
    assert!(CellReading::from_table(&Table::new()).is_err());
}
