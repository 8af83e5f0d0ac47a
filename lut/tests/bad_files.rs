#![allow(clippy::unwrap_used)]
//! Files of tables with errors in them: refused in words, or read into a table that answers.

use mho_data::provenance::Origin;
use mho_data::random::Stream;
use mho_lut::{
    AnyTable, CellSource, CompileOptions, DeviceTable, Ensemble, History, HistoryOptions, HistoryTable,
    MemberKind, OutOfRange, Query, Segment, Steps, SyntheticCell, UpdateRule, UpdateTable, compile,
    compile_ensemble, compile_history,
};

const OPTIONS: CompileOptions =
    CompileOptions { tolerance_fraction: 0.02, time_max_s: 1e3, dose_max_krad_si: 1e2 };

/// 800 copies of a file with a few bytes changed, most of them in the header; some cut short.
fn copies(bytes: &[u8], purpose: &str) -> impl Iterator<Item = Vec<u8>> {
    let stream = Stream::new(11, &["bad files", purpose], &[]);
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let bytes = bytes.to_vec();
    (0..800_u64).map(move |n| {
        let pick = |k: u64, count: usize| (stream.uniform(16 * n + k) * count as f64) as usize;
        let mut copy = bytes.clone();
        for change in 0..1 + pick(0, 3) as u64 {
            let range = if pick(1 + change, 4) == 0 { copy.len() } else { header };
            let at = pick(4 + change, range);
            // Digits become other digits, which keeps the header a header.
            copy[at] = match copy[at] {
                b'0'..=b'9' => b'0' + pick(8 + change, 10) as u8,
                _ => pick(8 + change, 256) as u8,
            };
        }
        if n % 10 == 0 {
            copy.truncate(pick(15, bytes.len()));
        }
        copy
    })
}

fn ask(table: &DeviceTable) {
    let points =
        [0.0, 0.3, f64::INFINITY].map(|v| Query { state: v, time_s: 1e3 * v, dose_krad_si: 99.0 * v });
    let _ = table.query(&points, OutOfRange::Clamp);
    let _ = table.path(&[(0.0, 0.0), (10.0, 10.0)]);
    let _ = table.read_noise_na(17.0);
    if let Ok((slice, _)) = table.slice_at(1e9, 3.0, OutOfRange::Clamp) {
        let mut out = [0.0; 3];
        let _ = slice.currents_na(&[0.0, 0.7, 9.0], &[0.0, -7.0, 1.0], OutOfRange::Clamp, &mut out);
        let _ = slice.share(0.4);
    }
    let _ = table.to_bytes();
}

/// Nothing panics, and both answers occur: a test that refuses everything would prove little.
fn both(results: impl Iterator<Item = bool>) {
    let (read, refused): (Vec<bool>, Vec<bool>) = results.partition(|read| *read);
    assert!(read.len() > 20 && refused.len() > 20, "{} read, {} refused", read.len(), refused.len());
}

#[test]
fn grids() {
    let bytes = compile(&SyntheticCell::default(), &OPTIONS).unwrap().to_bytes().unwrap();
    both(copies(&bytes, "grid").map(|copy| {
        DeviceTable::from_bytes(&copy, "bad")
            .map_err(|e| assert!(e.to_string().contains("expected"), "{e}"))
            .map(|t| ask(&t))
            .is_ok()
    }));
}

#[test]
fn ensembles() {
    let cell = SyntheticCell::default();
    let others: [(String, MemberKind, &dyn CellSource); 1] = [("a".into(), MemberKind::Model, &cell)];
    let bytes = compile_ensemble(&cell, &others, &OPTIONS).unwrap().to_bytes().unwrap();
    both(copies(&bytes, "ensemble").map(|copy| {
        let _ = AnyTable::from_bytes(&copy, "bad");
        let read = Ensemble::from_bytes(&copy, "bad");
        read.map(|ensemble| ensemble.members().iter().for_each(|member| ask(&member.table))).is_ok()
    }));
}

#[test]
fn histories() {
    let segment =
        Segment { duration_s: 1e3, dose_rate_rad_si_per_s: 10.0, temperature_k: 300.0, gate_bias_v: 0.0 };
    let history = History::new(vec![segment]).unwrap();
    let options = HistoryOptions { tolerance_fraction: 0.02, correlation_tolerance: 0.1 };
    let table = compile_history(&SyntheticCell::default(), &history, &[10.0, 1e3], &options).unwrap();
    let bytes = table.to_bytes().unwrap();
    both(copies(&bytes, "history").map(|copy| {
        let read = HistoryTable::from_bytes(&copy, "bad");
        read.map(|table| {
            let mut out = vec![0.0; 2 * table.reports().len()];
            let stream = Stream::new(0, &[], &[]);
            let _ = table.path().currents_na(&[0.5, 7.0], &stream, 0, OutOfRange::Clamp, &mut out);
            let _ = table.path().correlation(0.3, 0, 1);
            let _ = table.slice(1).map(|slice| slice.mean_na(0.3));
        })
        .is_ok()
    }));
}

#[test]
fn updates() {
    let steps = |sign: f64| {
        let step = (0..12).map(|k| sign * 0.01 + 1e-3 * f64::from(k / 4)).collect();
        Steps::new(vec![0.0, 0.4, 0.7, 1.0], vec![0.0, 0.5, 1.0], step).unwrap()
    };
    let table = UpdateTable::new("made-up", Origin::Synthetic, "1", steps(1.0), steps(-1.0)).unwrap();
    let bytes = table.to_bytes().unwrap();
    both(copies(&bytes, "update").map(|copy| {
        let read = UpdateTable::from_bytes(&copy, "bad");
        read.map(|table| {
            let (rule, stream) = (UpdateRule::default(), Stream::new(0, &[], &[]));
            let _ = table.apply(&mut [0.3, 0.9], &[0.1, -0.1], &rule, &stream, 0, OutOfRange::Clamp);
        })
        .is_ok()
    }));
    let text = steps(1.0).to_text().into_bytes();
    for n in 0..text.len() {
        for byte in [b'9', b',', b'\n', 0xff, b'e'] {
            let mut copy = text.clone();
            copy[n] = byte;
            let _ = Steps::from_text(&copy, "bad").map(|steps| steps.falls());
        }
    }
}
