use super::*;
use crate::ekv::{Bias, Ekv};

/// Standard normal number `index` of a test's own stream.
fn normal(seed: u64, index: u64) -> f64 {
    mho_data::random::Stream::new(seed, &["compact", "tests"], &[]).normal(index)
}

/// A sweep of a known law with 2 % and 1 pA of noise, limited to 10 uA.
fn sweep(law: &Ekv, seed: u64) -> Sweep {
    let gate_v: Vec<f64> = (0..141).map(|i| -2.0 + 0.05 * f64::from(i)).collect();
    let clean: Vec<f64> = gate_v.iter().map(|&v| law.current_a(Bias::new(v, 0.1))).collect();
    let drain_a: Vec<f64> = clean
        .iter()
        .enumerate()
        .map(|(i, current)| {
            let noisy =
                current * (1.0 + 0.02 * normal(seed, 2 * i as u64)) + 1e-12 * normal(seed, 2 * i as u64 + 1);
            noisy.min(1e-5)
        })
        .collect();
    let limited = drain_a.iter().map(|current| *current >= 1e-5).collect();
    Sweep { gate_v, drain_a, limited, drain_v: 0.1, temperature_k: 300.0, noise_floor_a: 1e-12 }
}

fn truth(vt_v: f64) -> Ekv {
    Ekv { vt_v, slope_factor: 1.5, i_spec_a: 1.5e-6, theta_per_v: 0.3, ..Ekv::default() }
}

#[test]
fn thresholds_are_recovered_with_honest_intervals() {
    let mut covered = 0;
    for seed in 0..200 {
        let law = truth(-1.0 + 0.02 * seed as f64);
        let found = fit_sweep(&sweep(&law, seed), &SweepOptions::default()).unwrap();
        let parameter = found.fit.parameter("vt_v").unwrap();
        covered += usize::from((parameter.interval95[0]..=parameter.interval95[1]).contains(&law.vt_v));
        let z = (parameter.value - law.vt_v) / parameter.std;
        assert!(z.abs() < 5.0, "{seed}: {z} {found:?}");
        assert!((found.law.slope_factor - 1.5).abs() < 0.03);
        let exact = law.threshold_v(0.1, 300.0) + law.overdrive_for_current(1e-7, 0.1, 300.0).unwrap();
        assert!((found.threshold_v[0] - exact).abs() < 6.0 * found.threshold_v[1] + 1e-4);
        assert!(found.threshold_v[1] < 2e-3);
        assert!(found.fit.rms_log.unwrap() < 0.1);
        assert!(!found.restarted);
    }
    // 95 % of 200 within three binomial deviations; the widening by neighbour correlation, which is
    // never below one, leans to the safe side.
    assert!((181..=200).contains(&covered), "{covered}");
}

#[test]
fn points_are_counted_by_their_use() {
    let mut data = sweep(&truth(0.5), 1);
    data.drain_a[3] = f64::NAN;
    data.drain_a[5] = -4e-11;
    let found = fit_sweep(&data, &SweepOptions::default()).unwrap();
    assert_eq!(found.count(PointUse::Unusable), 2);
    assert_eq!(found.count(PointUse::Limited), data.limited.iter().filter(|limited| **limited).count());
    assert!(found.count(PointUse::NearFloor) > 20);
    assert!(data.drain_a.iter().any(|current| *current < 0.0));
    assert_eq!(found.fit.dropped, 2 + found.count(PointUse::Limited));
}

#[test]
fn a_missing_noise_floor_is_estimated() {
    let data = Sweep { noise_floor_a: f64::NAN, ..sweep(&truth(0.5), 4) };
    let found = fit_sweep(&data, &SweepOptions::default()).unwrap();
    assert!((1e-13..5e-12).contains(&found.noise_floor_a), "{}", found.noise_floor_a);
    assert!((found.law.vt_v - 0.5).abs() < 0.02);
}

#[test]
fn a_visible_leakage_is_found() {
    let law = Ekv { leakage_a: 3e-11, ..truth(0.8) };
    let found = fit_sweep(&sweep(&law, 9), &SweepOptions::default()).unwrap();
    assert!((found.law.leakage_a / 3e-11 - 1.0).abs() < 0.1, "{:e}", found.law.leakage_a);
    assert!((found.law.vt_v - 0.8).abs() < 0.02);
}

#[test]
fn outliers_do_not_move_the_threshold() {
    let mut data = sweep(&truth(0.2), 12);
    for index in [48, 60, 70] {
        data.drain_a[index] *= 30.0;
    }
    let found = fit_sweep(&data, &SweepOptions::default()).unwrap();
    assert!((found.law.vt_v - 0.2).abs() < 0.03, "{}", found.law.vt_v);
}

#[test]
fn hopeless_sweeps_are_refused_with_the_reason() {
    let full = sweep(&truth(0.2), 2);
    let options = SweepOptions::default();
    let short = Sweep {
        gate_v: full.gate_v[..2].to_vec(),
        drain_a: full.drain_a[..2].to_vec(),
        limited: full.limited[..2].to_vec(),
        ..full.clone()
    };
    assert!(matches!(fit_sweep(&short, &options), Err(SweepError::TooFewPoints { .. })));
    let off = Sweep {
        drain_a: full.drain_a.iter().enumerate().map(|(i, _)| 1e-12 * normal(1, i as u64)).collect(),
        ..full.clone()
    };
    assert!(matches!(fit_sweep(&off, &options), Err(SweepError::NoSignal { .. })));
    let grounded = Sweep { drain_v: 0.0, ..full };
    assert!(matches!(fit_sweep(&grounded, &options), Err(SweepError::DrainVoltage { .. })));
}

#[test]
fn a_hundred_sweeps_take_less_than_a_second() {
    let sweeps: Vec<Sweep> = (0..110).map(|i| sweep(&truth(-1.0 + 0.03 * i as f64), i)).collect();
    let start = std::time::Instant::now();
    let fits = sweeps.iter().filter_map(|s| fit_sweep(s, &SweepOptions::default()).ok()).count();
    let elapsed = start.elapsed();
    println!("110 sweeps in {elapsed:?}");
    assert_eq!(fits, 110);
    assert!(elapsed.as_secs_f64() < 4.0, "{elapsed:?}");
}

/// Two devices, two states, two doses, and a stub of two points.
fn family() -> mho_data::Table {
    let (mut device, mut state) = (Vec::new(), Vec::new());
    let mut columns: [Vec<f64>; 7] = Default::default();
    let mut number = 0.0;
    for (d, s, dose) in [
        (1, 0, 0.0),
        (1, 0, 100.0),
        (1, 1, 0.0),
        (1, 1, 100.0),
        (2, 0, 0.0),
        (2, 0, 100.0),
        (2, 1, 0.0),
        (2, 1, 100.0),
        (3, 0, 0.0),
    ] {
        let law = Ekv {
            slope_factor: 1.45 + 0.05 * f64::from(d),
            ..truth(f64::from(s) - 1e-3 * dose * f64::from(s) + 0.05 * f64::from(d))
        };
        let points = sweep(&law, number as u64);
        let length = if d == 3 { 2 } else { points.gate_v.len() };
        for row in 0..length {
            device.push(format!("D{d}"));
            state.push(format!("{s}.0"));
            let values = [
                dose,
                points.drain_v,
                points.gate_v[row],
                points.drain_a[row],
                f64::from(u8::from(points.limited[row])),
                number,
                1e-12,
            ];
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
        number += 1.0;
    }
    let mut table = mho_data::Table::new().with_text("device", device).with_text("state", state);
    for (name, column) in ["dose_krad_si", "vd_v", "vg_v", "id_a", "compliance", "sweep", "noise_floor_a"]
        .into_iter()
        .zip(columns)
    {
        table.push_float(name, column);
    }
    table
}

#[test]
fn every_sweep_of_a_measurement_is_accounted_for() {
    let table = family();
    let fits = fit_all(&table, &SweepOptions::default()).unwrap();
    assert_eq!(fits.records.len(), 9);
    let refused = fits.refused();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("D3") && refused[0].contains("points"), "{}", refused[0]);

    let results = fits.results();
    results.check().unwrap();
    assert_eq!(results.len(), 9);
    let shift = results.floats("vt_v").unwrap()[3] - results.floats("vt_v").unwrap()[2];
    assert!((shift + 0.1).abs() < 0.02, "{shift}");
    assert!(results.texts("note").unwrap()[8].starts_with("not fitted"));

    let curves = fits.curves();
    curves.check().unwrap();
    assert_eq!(curves.len(), 8 * 141);
    let names: Vec<&str> = curves.names().collect();
    assert_eq!(names, ["device", "state", "dose_krad_si", "vg_v", "id_a", "fit_a", "residual_ln", "flag"]);
}

#[test]
fn threads_do_not_change_a_bit() {
    let table = family();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit_all(&table, &SweepOptions::default()).unwrap().results().to_csv())
    };
    assert_eq!(with(1), with(2));
}

#[test]
fn pristine_sweeps_pool_into_one_card() {
    let fits = fit_all(&family(), &SweepOptions::default()).unwrap();
    let pooled = fits.pooled().unwrap();
    assert!((pooled.value("slope_factor") - 1.525).abs() < 0.02, "{}", pooled.value("slope_factor"));
    // Devices at 1.50 and 1.55: their spread, not the error of a fit.
    assert!((0.015..0.05).contains(&pooled.std("slope_factor")), "{}", pooled.std("slope_factor"));
    assert!((pooled.value("vt_v") - 0.075).abs() < 0.02, "{}", pooled.value("vt_v"));
    assert!(pooled.warnings.iter().any(|text| text.contains("not fitted: device D3")));
    let card = crate::card::DeviceCard::from_fit(
        &crate::ekv::INFO,
        &pooled,
        "family",
        mho_data::provenance::Origin::Synthetic,
    );
    let text = card.to_toml().unwrap();
    assert_eq!(crate::card::DeviceCard::from_toml(&text, "ekv.toml").unwrap(), card);
}

#[test]
fn missing_columns_are_named() {
    let table = mho_data::Table::new().with_float("vg_v", vec![0.0]);
    let error = fit_all(&table, &SweepOptions::default()).unwrap_err();
    assert!(error.to_string().contains("id_a"), "{error}");
}

/// The generator's sweeps, whose transistor is not the law's: they all fit, in time, and the
/// threshold follows the state.
#[test]
fn synthetic_sweeps_are_fitted_in_time() {
    let text = mho_physics::sonos::synthetic::idvg_csv(1);
    let files = [("sweeps.csv", text.as_bytes())];
    let measurement = mho_data::reader::read(&files, mho_data::measurement::Kind::IdVg).unwrap();
    measurement.check_for_fit().unwrap();
    let start = std::time::Instant::now();
    let fits = fit_measurement(&measurement, &SweepOptions::default()).unwrap();
    let elapsed = start.elapsed();
    println!("{} sweeps in {elapsed:?}, refused {:?}", fits.records.len(), fits.refused());
    assert!(elapsed.as_secs_f64() < 2.0, "{elapsed:?}");
    assert_eq!((fits.records.len(), fits.refused().len()), (108, 0));
    assert!(fits.fitted().all(|(_, fit)| fit.noise_floor_a == 1e-12));
    for (record, fit) in fits.fitted() {
        // The charge-sheet transistor under the sweeps is not the law: 5 % of misfit is expected.
        assert!(fit.fit.rms_log.unwrap() < 0.12, "{}", record.label());
        assert!(!fit.restarted, "{}", record.label());
        assert!(fit.threshold_v[1] < 5e-3);
        assert!((fit.threshold_v[0] - fit.threshold_measured_v).abs() < 5e-3);
        // States are labelled by their nominal shift from a neutral threshold near 1.06 V.
        let nominal: f64 = record.state.parse().unwrap();
        if record.dose_krad_si == 0.0 {
            assert!((fit.law.vt_v - 1.06 - nominal).abs() < 0.15, "{}: {}", record.label(), fit.law.vt_v);
        }
    }
}
