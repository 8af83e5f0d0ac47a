//! Cells whose current is not proportional to the voltage of their input.

use super::*;
use mho_lut::ReadVoltages;

/// Exact cells between 20 and 400 mV, the more curved the less they conduct; every number made up.
struct Curved;

/// Current (nA) at a voltage of a cell that carries `current_na` at 0.2 V.
fn current_na(current_na: f64, v: f64) -> f64 {
    let a = 8.0 - 4.0 * current_na / 1600.0;
    current_na * (a * v).sinh() / (a * 0.2).sinh()
}

impl CellSource for Curved {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "curved".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 0.0,
            dose_max_krad_si: 0.0,
            notes: Vec::new(),
        }
    }

    fn cell(&self, state: f64, _time_s: f64, _dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let mean_na = 1600.0 * state;
        let share = Share { programming: 1.0, drift: 0.0, dose: 0.0 };
        Ok(CellStatistics {
            mean_na,
            sigma_na: 0.0,
            quantiles_na: [mean_na; SCORES.len()],
            share,
            extrapolated: false,
        })
    }

    fn read_noise_na(&self, _current_na: f64) -> f64 {
        0.0
    }

    fn read_voltages(&self) -> Option<ReadVoltages> {
        Some(ReadVoltages { terminal: "drain".into(), reference_v: 0.2, low_v: 0.02, high_v: 0.4 })
    }

    fn current_at_voltage_na(&self, current: f64, read_v: f64) -> f64 {
        current_na(current, read_v)
    }
}

#[test]
fn every_level_of_an_input_sees_the_current_of_the_table() {
    let options = CompileOptions { tolerance_fraction: 1e-4, time_max_s: 0.0, dose_max_krad_si: 0.0 };
    let table = compile(&Curved, &options).unwrap();
    let (outputs, inputs) = (4, 9);
    let graph = matrix(outputs, inputs, numbers(outputs * inputs, 3));
    let weights = graph.layers()[0].weights();
    let most = f64::from(weights.iter().fold(0.0_f32, |most, w| most.max(w.abs())));
    let x: Vec<f32> = (0..inputs)
        .map(|i| (i as f32 * 31.0 % 127.0) / 127.0 * if i % 3 == 0 { -1.0 } else { 1.0 })
        .collect();
    let input = tensor(&[1, inputs], x.clone());
    let effects = Effects { programming: true, wires: true, ..QUANTISED };
    for (scheme, full_v) in [("parallel", 0.2), ("parallel", 0.4), ("bit-serial", 0.4)] {
        let text = format!(
            "[mapping]\nweight_bits = 12\n[cell]\non_off_ratio = 50.0\ntable_voltage_v = {full_v:?}\n\
             [input]\nbits = 8\nrange = [-1.0, 1.0]\nscheme = \"{scheme}\"\n[output]\nbits = 0\n\
             conversion = \"accumulated\"\n"
        );
        let array = ArrayConfig::from_toml(&text, "array.toml").unwrap();
        let arrays =
            Arrays::new(&graph, std::slice::from_ref(&input), &array, Some((&table).into())).unwrap();
        let programmed = arrays.program(&at(effects), &arrays.draws(1, 0)).unwrap();
        let found = graph.run(&programmed, std::slice::from_ref(&input)).unwrap();
        let cell = |fraction: f64, x: f64| -> f64 {
            let reference = 1600.0 * (0.02 + 0.98 * (fraction * 2047.0).round() / 2047.0);
            let largest = current_na(1600.0, full_v);
            if scheme == "bit-serial" {
                // Every bit has the full voltage.
                return x * current_na(reference, full_v) / largest;
            }
            let low = (x.abs() * full_v).max(0.02);
            let ohmic = (x.abs() * full_v / 0.02).min(1.0);
            x.signum() * ohmic * current_na(reference, low) / largest
        };
        let mut bent = 0.0_f64;
        for j in 0..outputs {
            let mut expected = 0.0;
            for i in 0..inputs {
                let (w, x) = (f64::from(weights[j * inputs + i]) / most, f64::from(x[i]));
                expected += cell(w.max(0.0), x) - cell((-w).max(0.0), x);
                bent = bent.max((cell(1.0, x) - x).abs());
            }
            let (found, expected) = (f64::from(found[0].values()[j]), expected * most / 0.98);
            // The certificate of the table, and the terms of the curves, for nine pairs of cells.
            assert!((found - expected).abs() < 4e-3, "{scheme}, {full_v} V: {found} {expected}");
        }
        assert!(bent > 0.03 || scheme == "bit-serial", "the curves matter: {bent}");
    }
    // Behind wires they are no product, unless inputs have one voltage.
    let wired = |scheme: &str| {
        let text = format!("[array]\nrow_resistance_ohm = 1.0\n[input]\nscheme = \"{scheme}\"\n");
        let array = ArrayConfig::from_toml(&text, "array.toml").unwrap();
        Arrays::new(&graph, std::slice::from_ref(&input), &array, Some((&table).into())).map(|_| ())
    };
    assert_eq!(wired("parallel"), Err(AnalogError::CurvedBehindWires));
    assert_eq!(wired("bit-serial"), Ok(()));
}
