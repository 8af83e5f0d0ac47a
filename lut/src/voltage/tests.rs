//! Another read voltage against a closed form.

use crate::compile::tests_support::{self, cell};
use crate::{
    CellSource, CellStatistics, CompileOptions, DeviceTable, History, HistoryOptions, HistoryTable,
    OutOfRange, ReadVoltages, Segment, Sides, SourceError, SourceInfo, compile, compile_history,
};

/// A cell with a cubic current, read at 0.2 V: I(V) = G (V - 0.25 V^3).
struct Cubic;

fn shape(v: f64) -> f64 {
    v - 0.25 * v * v * v
}

impl CellSource for Cubic {
    fn describe(&self) -> SourceInfo {
        cell().describe()
    }

    fn cell(&self, state: f64, time_s: f64, dose: f64) -> Result<CellStatistics, SourceError> {
        cell().cell(state, time_s, dose)
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        cell().read_noise_na(current_na)
    }

    fn read_voltages(&self) -> Option<ReadVoltages> {
        Some(ReadVoltages { terminal: "drain".into(), reference_v: 0.2, low_v: 0.0, high_v: 1.0 })
    }

    fn current_at_voltage_na(&self, current_na: f64, read_v: f64) -> f64 {
        current_na * shape(read_v) / shape(0.2)
    }
}

#[test]
fn other_voltages_are_those_of_the_source() {
    let options = CompileOptions { tolerance_fraction: 2e-3, time_max_s: 100.0, dose_max_krad_si: 0.0 };
    let table = compile(&Cubic, &options).unwrap();
    assert!(table.certificate().met(), "{:?}", table.certificate());
    let bytes = table.to_bytes().unwrap();
    let table = DeviceTable::from_bytes(&bytes, "t.safetensors").unwrap();
    assert_eq!(table.to_bytes().unwrap(), bytes);
    assert_eq!(table.read_voltages().unwrap().reference_v, 0.2);
    let currents = [0.0, 3.0, 123.0, 1600.0];
    let mut out = [0.0; 4];
    for v in [0.0, 0.137, 0.2, 0.77, 1.0] {
        table.at_voltage_na(&currents, v, OutOfRange::Error, &mut out).unwrap();
        for (found, current) in out.iter().zip(currents) {
            let wanted = Cubic.current_at_voltage_na(current, v);
            assert!((found - wanted).abs() < 2e-3 * 1600.0, "{current} {v}: {found} {wanted}");
        }
    }
    let clamped = table.at_voltage_na(&[1.0, 1e5], 3.0, OutOfRange::Clamp, &mut out[..2]).unwrap();
    let sides = Sides { below: 0, above: 1 };
    assert_eq!((clamped.read_voltage_v, clamped.current_na, clamped.points), (sides, sides, 2));
    assert!(table.at_voltage_na(&[1.0], -0.1, OutOfRange::Error, &mut out[..1]).is_err());
}

#[test]
fn histories_have_voltages_too_and_most_tables_have_none() {
    let hour =
        Segment { duration_s: 3600.0, dose_rate_rad_si_per_s: 0.0, temperature_k: 300.0, gate_bias_v: 0.0 };
    let history = History::new(vec![hour]).unwrap();
    let table = compile_history(&Cubic, &history, &[3600.0], &HistoryOptions::default()).unwrap();
    let read = HistoryTable::from_bytes(&table.to_bytes().unwrap(), "h.safetensors").unwrap();
    assert_eq!(read, table);
    let mut out = [0.0];
    read.at_voltage_na(&[100.0], 0.5, OutOfRange::Error, &mut out).unwrap();
    assert!((out[0] - 100.0 * shape(0.5) / shape(0.2)).abs() < 1.6, "{out:?}");

    let plain = tests_support::table();
    let error = plain.at_voltage_na(&[1.0], 0.2, OutOfRange::Clamp, &mut out).unwrap_err();
    assert!(error.to_string().contains("one read voltage"), "{error}");
}
