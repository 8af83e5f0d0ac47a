use super::*;
use crate::model::{entries, find};
use mho_data::measurement::Kind;
use mho_data::reader::read;

fn measurement(text: &str, kind: Kind) -> Measurement {
    read(&[("readings.csv", text.as_bytes())], kind).unwrap()
}

/// Cells of the generator, whose physics is another than the laws': every law of state currents finds something
/// finite, and its misfit is below what doing nothing leaves.
#[test]
fn laws_of_state_currents_fit_cells() {
    let text = mho_physics::sonos::synthetic::state_currents_csv(1);
    let currents = measurement(&text, Kind::StateCurrent);
    for name in ["sonos-retention", "current-shift", "sonos-programming"] {
        let entry = entries().iter().find(|entry| entry.info.name == name).unwrap();
        let regression = match (entry.fitting.unwrap())(&currents) {
            Ok(regression) => regression,
            Err(error) => {
                println!("{name}: {error}");
                continue;
            }
        };
        let fit = regression.fit().unwrap();
        println!("{name}: {} devices, rms {} nA {:?}", regression.devices.len(), fit.rms, fit.rms_log);
        for parameter in fit.parameters.iter().take(4) {
            println!("   {} {} {:?}", parameter.name, parameter.value, parameter.interval95);
        }
        assert!(fit.parameters.iter().all(|parameter| parameter.value.is_finite()));
        assert!(fit.rms < 60.0, "{name}: {}", fit.rms);
    }
}

/// A law of spread is recovered from the spreads of normal numbers.
#[test]
fn spreads_are_recovered() {
    let stream = mho_data::random::Stream::new(3, &["compact", "readings", "spread"], &[]);
    let mut text = String::from("device,state,dose_krad_si,time_s,vt_v\n");
    let mut index = 0;
    for state in 0..6 {
        for (dose, time_s) in [(0.0, 0.0), (0.0, 1e5), (0.0, 1e6), (0.0, 1e7), (100.0, 0.0), (400.0, 0.0)] {
            let sigma = crate::spread::threshold_spread_v(&[2.8e-3, 4.7e-3, 5.78e4, 7.5e-4], time_s, dose);
            for device in 0..40 {
                let vt_v = f64::from(state) + sigma * stream.normal(index);
                text += &format!("{device},S{state},{dose},{time_s},{vt_v}\n");
                index += 1;
            }
        }
    }
    let regression = crate::spread::threshold_spread(&measurement(&text, Kind::Threshold)).unwrap();
    let fit = regression.fit().unwrap();
    for (name, wanted) in [
        ("sigma_programmed_v", 2.8e-3),
        ("growth_v_per_root_decade", 4.7e-3),
        ("dose_v_per_root_krad_si", 7.5e-4),
    ] {
        let (value, [low, high]) = (fit.value(name), fit.parameter(name).unwrap().interval95);
        // Twice the half-width: the scatter between six states is itself uncertain, which the interval knows.
        assert!(
            (value - wanted).abs() < high - low && high - low < 0.4 * wanted,
            "{name}: {value} {low} {high}"
        );
    }
    assert_eq!(regression.fixed.len(), 1);
}

/// Sweeps of a device at several drain voltages, and repeated ones, are no further devices: the spread is that between
/// devices at the smallest drain voltage, and nothing of the shift with the drain voltage.
#[test]
fn a_device_has_one_threshold() {
    let stream = mho_data::random::Stream::new(5, &["compact", "readings", "devices"], &[]);
    let mut text = String::from("device,state,dose_krad_si,time_s,vd_v,vt_v\n");
    for device in 0..200_u64 {
        let vt_v = 0.6 + 5e-3 * stream.normal(device);
        for (vd_v, shift) in [(1.8, -0.08), (0.1, 0.0), (0.1, 0.0)] {
            text += &format!("d{device},1,0,0,{vd_v},{}\n", vt_v + shift);
        }
    }
    let mut measured = measurement(&text, Kind::Threshold);
    if !measured.table.has("vd_v") {
        let drain: Vec<f64> =
            (0..measured.table.len()).map(|row| if row % 3 == 0 { 1.8 } else { 0.1 }).collect();
        measured.table = measured.table.clone().with_float("vd_v", drain);
    }
    let regression = crate::spread::threshold_spread(&measured).unwrap();
    assert!(regression.notes.iter().any(|note| note.contains("400 others")), "{:?}", regression.notes);
    let spread = regression.devices[0].series[0].y[0];
    // Five standard errors of a spread of two hundred.
    assert!((spread / 5e-3 - 1.0).abs() < 5.0 / 398_f64.sqrt(), "{spread}");
}

#[test]
fn repeated_reads_give_the_noise() {
    let stream = mho_data::random::Stream::new(4, &["compact", "readings", "noise"], &[]);
    let mut text = String::from("device,state,dose_krad_si,time_s,current_na\n");
    for cell in 0..24_u64 {
        let current = 20.0 * 1.2_f64.powi(cell as i32);
        let sigma = crate::spread::read_noise_na(&[12.58, 215.4], current);
        for read in 0..20 {
            let na = current + sigma * stream.normal(100 * cell + read);
            text += &format!("c{cell},{},0,0,{na}\n", current / 1600.0);
        }
    }
    let fit = crate::spread::read_noise(&measurement(&text, Kind::StateCurrent)).unwrap().fit().unwrap();
    for (name, wanted) in [("noise_max_na", 12.58), ("noise_current_na", 215.4)] {
        assert!((fit.value(name) - wanted).abs() < 4.0 * fit.std(name), "{name}: {fit:?}");
    }
}

/// Every entry takes every measurement of its kind without a panic: nothing in it, one row, wild numbers.
#[test]
fn wild_measurements_are_errors_or_fits() {
    let tails =
        ["", "a,1,0,0,100\n", "a,1,0,0,-1e300\na,1,0,1,1e300\n", "a,1,-5,-1,1e-300\nb,1,1e308,1e308,7\n"];
    for entry in entries() {
        assert!(find(entry.info.name).is_some(), "{}", entry.info.name);
        for kind in entry.kinds {
            let column = if *kind == Kind::Threshold { "vt_v" } else { "current_na" };
            for tail in tails {
                let text = format!("device,state,dose_krad_si,time_s,{column}\n{tail}");
                let Ok(measurement) = read(&[("wild.csv", text.as_bytes())], *kind) else { continue };
                if let Ok(regression) = (entry.fitting.unwrap())(&measurement) {
                    let _ = regression.fit();
                    let _ = regression.hold_out();
                }
            }
        }
    }
}
