//! Constants from cells drawn with them.

use crate::inference::synthetic::{Draw, draw};
use crate::inference::{find, regression};
use rayon::prelude::*;

/// Draws `REPEATS` measurements with the truth and counts how often each 95 % interval holds it.
const REPEATS: u64 = 16;

fn recovered(name: &str, changes: &[(&str, f64)], what: &Draw) {
    let model = find(name).unwrap();
    let mut truth = model.info.defaults();
    for (parameter, value) in changes {
        truth[model.info.parameters.iter().position(|p| p.name == *parameter).unwrap()] = *value;
    }
    let cell = model.cell(&truth);
    let fits: Vec<_> = (0..REPEATS)
        .into_par_iter()
        .map(|seed| {
            let measurement = draw(name, cell.as_ref(), &Draw { seed, ..what.clone() });
            regression(model, &measurement).unwrap().fit().unwrap()
        })
        .collect();
    let (mut hits, mut all) = (0, 0);
    for (index, parameter) in fits[0].parameters.iter().enumerate() {
        let wanted = truth[model.info.parameters.iter().position(|p| p.name == parameter.name).unwrap()];
        let inside = |[low, high]: [f64; 2]| low <= wanted && wanted <= high;
        let held = fits.iter().filter(|fit| inside(fit.parameters[index].interval95)).count();
        let errors: Vec<f64> = fits
            .iter()
            .map(|fit| (fit.parameters[index].value - wanted) / fit.parameters[index].std)
            .collect();
        let bias = errors.iter().sum::<f64>() / errors.len() as f64;
        let rms = (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt();
        println!(
            "{name} {}: {held}/{REPEATS}, bias {bias:.2} std, rms {rms:.2} std, {:?}",
            parameter.name, fits[0].parameters[index].std
        );
        // 11 or fewer of 16 at 95 % have a probability of 1e-3; some thirty parameters are looked at here.
        assert!(held >= 11, "{name} {}: {held} of {REPEATS}", parameter.name);
        hits += held;
        all += REPEATS as usize;
    }
    // Intervals of one fit hang together; 88 % is 4 standard errors below 95 % with 10 independent parameters.
    assert!(hits as f64 / all as f64 > 0.88, "{name}: {hits} of {all}");
    println!("{name}: {hits} of {all}");
}

#[test]
fn phase_change_memory_is_recovered() {
    let what = Draw {
        targets_us: vec![1.5, 2.0, 2.5, 3.2, 4.0, 4.7, 10.0, 17.0, 24.0],
        cells: 160,
        times_s: vec![0.0, 60.0, 600.0, 3600.0, 86_400.0, 1e6],
        reads: 9,
        read_v: 0.2,
        seed: 0,
    };
    recovered("pcm", &[], &what);
}

#[test]
fn another_phase_change_memory_is_recovered() {
    let what = Draw {
        targets_us: vec![1.5, 2.0, 2.5, 3.2, 4.0, 4.7, 10.0, 17.0, 24.0],
        cells: 160,
        times_s: vec![20.0, 600.0, 3600.0, 86_400.0],
        reads: 9,
        read_v: 0.1,
        seed: 0,
    };
    let changes = [("sigma_c0_us", 0.15), ("sigma_c1_us", 2.9), ("nu_slope", -0.02), ("read_factor", 0.006)];
    recovered("pcm", &changes, &what);
}

#[test]
fn milo_is_recovered() {
    let what = Draw {
        targets_us: (0..8).map(|i| 50.0 + 25.0 * f64::from(i)).collect(),
        cells: 300,
        times_s: vec![0.0],
        reads: 1,
        read_v: 0.2,
        seed: 0,
    };
    recovered("milo", &[], &what);
}

#[test]
fn wan_is_recovered() {
    let what = Draw {
        targets_us: (0..9).map(|i| 6.0 + 4.25 * f64::from(i)).collect(),
        cells: 300,
        times_s: vec![1.0, 86_400.0, 172_800.0],
        reads: 1,
        read_v: 0.2,
        seed: 0,
    };
    recovered("wan", &[], &what);
}

#[test]
fn cmo_is_recovered() {
    let what = Draw {
        targets_us: vec![15.0, 25.0, 35.0, 45.0, 55.0, 65.0, 75.0],
        cells: 150,
        times_s: vec![0.0, 1.0, 10.0, 100.0, 1000.0, 1e4, 86_400.0],
        reads: 4,
        read_v: 0.2,
        seed: 0,
    };
    recovered("cmo", &[], &what);
}
