//! Constants from cells drawn with them.

use crate::inference::synthetic::{Draw, draw};
use crate::inference::{find, regression};
use rayon::prelude::*;

/// Draws `REPEATS` measurements with the truth and counts how often each 95 % interval holds it.
const REPEATS: u64 = 16;

fn recovered(name: &str, changes: &[(&str, f64)], what: &Draw) {
    let first = what.seed;
    let model = find(name).unwrap();
    let mut truth = model.info.defaults();
    for (parameter, value) in changes {
        truth[model.info.parameters.iter().position(|p| p.name == *parameter).unwrap()] = *value;
    }
    let cell = model.cell(&truth);
    let fits: Vec<_> = (0..REPEATS)
        .into_par_iter()
        .map(|seed| {
            let measurement =
                draw(name, cell.as_ref(), &Draw { seed: first + seed, ..what.clone() }).unwrap();
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
    // Intervals of one fit hang together, about three by three: 4 standard errors below 95 %.
    let independent = REPEATS as f64 * (fits[0].parameters.len() as f64 / 3.0).max(1.0);
    let bound = 0.95 - 4.0 * (0.95 * 0.05 / independent).sqrt();
    assert!(hits as f64 / all as f64 > bound, "{name}: {hits} of {all}");
    println!("{name}: {hits} of {all}");
}

#[test]
fn phase_change_memory_is_recovered() {
    // Away from the corners of the bounded lines, where intervals of the linearised law fail.
    let what = Draw {
        targets_us: vec![1.5, 2.0, 2.5, 3.2, 4.0, 4.7, 15.0, 20.0, 25.0],
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
        targets_us: vec![1.5, 2.0, 2.5, 3.2, 4.0, 4.7, 15.0, 20.0, 25.0],
        cells: 160,
        times_s: vec![20.0, 600.0, 3600.0, 86_400.0],
        reads: 9,
        read_v: 0.1,
        seed: 100,
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

#[test]
fn hermes_is_recovered() {
    let what = Draw {
        targets_us: vec![0.4, 1.0, 2.2, 4.0, 6.5, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0],
        cells: 160,
        times_s: vec![0.0, 600.0, 86_400.0, 1e6],
        reads: 4,
        read_v: 0.2,
        seed: 200,
    };
    recovered("hermes", &[], &what);
}

#[test]
fn assumed_numbers_are_recovered_where_cells_differ_from_them() {
    let what = Draw {
        targets_us: vec![20.0, 40.0, 60.0, 80.0, 95.0],
        cells: 100,
        times_s: vec![0.0, 10.0, 100.0, 1e4, 1e6],
        reads: 1,
        read_v: 0.2,
        seed: 300,
    };
    recovered(
        "taox",
        &[("error_square", 0.01), ("shift_per_decade", 0.004), ("relax_per_decade", 0.006)],
        &what,
    );
    let what = Draw { targets_us: vec![0.1, 0.3, 0.7, 0.9], times_s: vec![0.0, 1e5, 1e6, 4e6, 1e7], ..what };
    recovered("bulk-reram", &[("ions", 3e3), ("activation_ev", 1.01)], &what);
    let what = Draw { targets_us: vec![2.0, 8.0, 16.0, 24.0], times_s: vec![0.0], ..what };
    recovered("generic-proportional", &[("error_linear", 0.11)], &what);
    let what = Draw { times_s: vec![0.0, 1e3, 1e5], reads: 2, ..what };
    recovered("state-independent", &[("nu_mean", 0.07), ("nu_std", 0.02), ("read_error", 0.002)], &what);
}
