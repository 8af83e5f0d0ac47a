//! Tables against closed forms, and as files.

use crate::compile::tests_support::{cell, table};
use crate::source::SCORE_COUNT;
use crate::{
    CellSource, CellStatistics, Clamped, CompileOptions, DeviceTable, OutOfRange, Query, Sides, SourceError,
    SourceInfo, compile,
};
use mho_data::random::Stream;

/// The certificate was measured at 2000 points, so it is a statement about a sample: at 10 000 others,
/// drawn otherwise, no mean, sigma or quantile may be off by more than twice the tolerance, and no more
/// than one in a hundred by more than the tolerance.
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
    assert_eq!(clamped, Clamped::default());
    let mut beyond = 0;
    for row in rows {
        let Query { state, time_s, dose_krad_si } = row.query;
        let truth = cell().cell(state, time_s, dose_krad_si).unwrap();
        let at = table.places(state, time_s, dose_krad_si);
        let mut error = (row.mean_na - truth.mean_na).abs().max((row.sigma_na - truth.sigma_na).abs());
        for q in (4..SCORE_COUNT - 4).step_by(3) {
            let quantile = table.interpolate(&table.quantile, SCORE_COUNT, q, &at);
            error = error.max((quantile - truth.quantiles_na[q]).abs());
        }
        let fraction = error / 1600.0;
        assert!(fraction < 2.0 * certificate.tolerance_fraction, "{row:?} {truth:?}");
        beyond += usize::from(fraction > certificate.tolerance_fraction);
    }
    assert!(beyond <= 100, "{beyond} of 10 000");
}

#[test]
fn a_slice_is_the_table_there() {
    let table = table();
    let slice = table.slice(5000.0, 77.0).unwrap();
    for state in [0.0, 0.013, 0.2, 0.77, 1.0] {
        let query = Query { state, time_s: 5000.0, dose_krad_si: 77.0 };
        let (rows, _) = table.query(&[query], OutOfRange::Error).unwrap();
        // Polynomials here, values and slopes there: the same curve, up to the rounding of ten operations.
        for (slice, row) in [
            (slice.mean_na(state), rows[0].mean_na),
            (slice.sigma_na(state), rows[0].sigma_na),
            (slice.read_sigma_na(state), rows[0].read_sigma_na),
        ] {
            assert!((slice - row).abs() <= 1e-14 * row.abs(), "{state}: {slice} {row}");
        }
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
    assert_eq!((clamped.points, rows[0].mean_na), (1, rows[1].mean_na));
    assert_eq!(clamped.dose_krad_si, Sides { below: 0, above: 1 });
    assert!(table.slice(0.0, -1.0).is_err());
    assert!(table.query(&[Query { state: f64::NAN, ..points[0] }], OutOfRange::Clamp).is_err());
}

#[test]
fn files_return_the_table_and_bad_ones_say_why() {
    let table = table();
    let bytes = table.to_bytes().unwrap();
    assert_eq!(bytes, table.to_bytes().unwrap());
    assert_eq!(DeviceTable::from_bytes(&bytes, "t.safetensors").unwrap(), *table);
    assert!(table.extrapolated_nodes() > 0);
    for bad in [&b"nonsense"[..], &bytes[..bytes.len() - 3], &[]] {
        let error = DeviceTable::from_bytes(bad, "t.safetensors").unwrap_err();
        assert!(error.to_string().starts_with("t.safetensors"), "{error}");
    }
}

/// Tables of the first schema, which had no read noise of their own at a state, are still read.
#[test]
fn the_first_schema_is_read() {
    let table = table();
    let bytes = table.to_bytes().unwrap();
    let old = with_header(&bytes, r#"\"schema\":2"#, r#"\"schema\":1"#);
    let old = with_header(&old, r#",\"kind\":\"grid\""#, "");
    let old = with_header(&old, r#""read_sigma":"#, r#""unknown":"#);
    let read = DeviceTable::from_bytes(&old, "old.safetensors").unwrap();
    // Linear interpolation of a noise that is linear in the current: equal to rounding.
    for (a, b) in read.read_sigma.iter().zip(&table.read_sigma) {
        assert!((a - b).abs() < 1e-9);
    }
    assert_eq!(read.mean, table.mean);
}

/// A file whose header is `mho` with the text `from` replaced, and the arrays as they were.
fn with_header(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
    let changed = header.replace(from, to);
    assert_ne!(header, changed, "{from}");
    [&(changed.len() as u64).to_le_bytes()[..], changed.as_bytes(), &bytes[8 + length..]].concat()
}

#[test]
fn headers_that_make_no_sense_are_refused() {
    let bytes = table().to_bytes().unwrap();
    for (from, to, expected) in [
        (r#"\"schema\":2"#, r#"\"schema\":7"#, "expected schema 1 to 2"),
        (r#"\"unit\":\"nA\""#, r#"\"unit\":\"uS\""#, "expected currents in nA"),
        (r#"\"time_scale_s\":60.0"#, r#"\"time_scale_s\":-1.0"#, "expected a scale above 0"),
        (r#"\"current_max_na\":1600.0"#, r#"\"current_max_na\":0.0"#, "expected a current above 0"),
        (r#"\"kind\":\"grid\""#, r#"\"kind\":\"update\""#, "update table, expected a device table"),
        (r#"\"kind\":\"grid\""#, r#"\"kind\":\"cloud\""#, "unknown kind"),
        (r#""mho":"#, r#""other":"#, "expected a device table of mho"),
        (r#""mean":"#, r#""means":"#, "no array `mean`"),
    ] {
        let error = DeviceTable::from_bytes(&with_header(&bytes, from, to), "t.safetensors").unwrap_err();
        assert!(error.to_string().contains(expected), "{to}: {error}");
    }
    assert!(DeviceTable::from_bytes(&with_header(&bytes, "F64", "I64"), "t.safetensors").is_err());
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    let again = compile(&cell(), &CompileOptions::default()).unwrap();
    assert_eq!(table().to_bytes().unwrap(), again.to_bytes().unwrap());
}

/// A source with a hole is refused where the hole is.
#[test]
fn sources_without_numbers_are_refused() {
    struct Hole;
    impl CellSource for Hole {
        fn describe(&self) -> SourceInfo {
            cell().describe()
        }
        fn cell(&self, state: f64, time_s: f64, dose: f64) -> Result<CellStatistics, SourceError> {
            let mut cell = cell().cell(state, time_s, dose)?;
            cell.sigma_na = if state > 0.5 { f64::NAN } else { cell.sigma_na };
            Ok(cell)
        }
        fn read_noise_na(&self, _: f64) -> f64 {
            0.0
        }
    }
    let error = compile(&Hole, &CompileOptions::default()).unwrap_err();
    assert!(error.to_string().contains("not finite"), "{error}");
}

proptest::proptest! {
    /// At any time and dose the current rises with the state and with the score.
    #[test]
    fn currents_rise_with_state_and_score(
        time_s in 0.0..432_000.0,
        dose in 0.0..1000.0,
        (low, high) in (0.0..1.0, 0.0..1.0),
        z in -4.0..3.7,
    ) {
        let slice = table().slice(time_s, dose).unwrap();
        let (low, high) = if low < high { (low, high) } else { (high, low) };
        proptest::prop_assert!(slice.mean_na(low) <= slice.mean_na(high) + 1e-9);
        proptest::prop_assert!(
            slice.current_na(low, z) <= slice.current_na(low, z + 0.3) + 1e-9
        );
    }
}
