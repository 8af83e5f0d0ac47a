//! Spread and noise of populations: moments within five standard errors of their sampling, equal bits for any
//! number of threads.

use super::*;

const COUNT: usize = 100_000;

/// Mean and standard deviation.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (mean, (values.map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// Five standard errors of a mean and of a standard deviation of Gaussian numbers.
fn close(found: (f64, f64), mean: f64, std: f64) {
    let n = COUNT as f64;
    // The last digits: a mean without spread is a sum of equal numbers.
    let rounding = 1e-10 * mean.abs();
    assert!((found.0 - mean).abs() <= 5.0 * std / n.sqrt() + rounding, "mean {} of {mean}", found.0);
    assert!((found.1 - std).abs() <= 5.0 * std / (2.0 * n).sqrt() + rounding, "std {} of {std}", found.1);
}

fn flat() -> PulsedDevice {
    PulsedDevice::new(Law::Constant(ConstantStep), 0.01, 0.0, 1.0, -0.8)
}

#[test]
fn devices_have_the_spread_asked_for() {
    // Spreads of 0.15: no draw in 1e5 crosses zero, which would fold the distribution.
    let spread = Spread { step: 0.15, step_log_normal: false, up_down: 0.05, max: 0.1, min: 0.15 };
    let device = PulsedDevice { spread, up_down: 0.2, ..flat() };
    let population = Population::new(device, COUNT, 3).unwrap();
    let cells = population.cells();
    let both = 0.15_f64.hypot(0.05);
    close(moments(cells.iter().map(|cell| cell.up)), 0.01, 0.01 * both);
    close(moments(cells.iter().map(|cell| cell.down)), 0.01 * 0.8, 0.01 * both);
    // The gain moves both alike, the asymmetry apart.
    close(moments(cells.iter().map(|cell| cell.up - cell.down)), 0.01 * 0.2, 0.01 * 2.0 * 0.05);
    close(moments(cells.iter().map(|cell| cell.max)), 1.0, 0.1);
    close(moments(cells.iter().map(|cell| cell.min)), -0.8, 0.8 * 0.15);
    assert_eq!(population.folded_bounds(), 0);
}

#[test]
fn log_normal_steps_and_folded_bounds() {
    let spread = Spread { step: 0.7829, step_log_normal: true, max: 0.5695, ..Spread::default() };
    let population = Population::new(PulsedDevice { spread, ..flat() }, COUNT, 4).unwrap();
    close(moments(population.cells().iter().map(|cell| (cell.up / 0.01).ln())), 0.0, 0.7829);
    // P(xi < -1/0.5695) = 0.03955: five standard errors of a count.
    let expected = 0.03955 * COUNT as f64;
    assert!((population.folded_bounds() as f64 - expected).abs() < 5.0 * expected.sqrt());
    assert!(population.cells().iter().all(|cell| cell.max >= 0.0));
}

#[test]
fn steps_have_the_noise_of_their_form() {
    let soft = Law::Linear(LinearStep::SOFT_BOUNDS);
    let state = 0.5;
    for (noise, std) in [
        (CycleNoise::None, 0.0),
        // The step at 0.5 is 0.01 (1 - 0.5).
        (CycleNoise::Multiplicative { sigma: 0.3 }, 0.3 * 0.005),
        (CycleNoise::Additive { sigma: 0.3 }, 0.3 * 0.01),
        (CycleNoise::Affine { sigma: 0.5, add: 0.01, slope: 0.02 }, 0.5 * (0.005 + 0.01 + 0.02 * 0.5)),
        (CycleNoise::Floor { absolute: 0.001, relative: 0.1 }, 0.001 * 1.8),
        (CycleNoise::Floor { absolute: 1e-5, relative: 0.1 }, 0.1 * 0.005),
        (CycleNoise::Root { sigma: 0.01, power: 0 }, 0.01 * (0.005_f64 * 1.8).sqrt()),
        (CycleNoise::Root { sigma: 0.01, power: 1 }, 0.01 * (0.005_f64 * 1.8).sqrt() * 0.5 / 1.8),
        (CycleNoise::Root { sigma: 0.01, power: -1 }, 0.01 * (0.005_f64 * 1.8).sqrt() * 1.8 / 0.5),
    ] {
        let device = PulsedDevice { noise, ..PulsedDevice::new(soft.clone(), 0.01, 0.0, 1.0, -0.8) };
        let mut population = Population::new(device, COUNT, 5).unwrap();
        population.set(&vec![state; COUNT]);
        population.pulse(&vec![1; COUNT]);
        close(moments(population.states().iter().map(|found| found - state)), 0.005, std);
    }
}

#[test]
fn write_noise_is_seen_and_does_not_add_up() {
    let device = PulsedDevice { write_noise: 4.0, ..flat() };
    let mut population = Population::new(device, COUNT, 6).unwrap();
    for _ in 0..5 {
        population.pulse(&vec![2; COUNT]);
    }
    close(moments(population.hidden().iter().copied()), 0.1, 0.0);
    close(moments(population.states().iter().copied()), 0.1, 0.04);
}

#[test]
fn shapes_spread_and_references_shift_the_symmetry_point() {
    let law = LinearStep {
        gamma_up: 0.5,
        gamma_down: 0.5,
        gamma_up_std: 0.05,
        gamma_down_std: 0.0,
        mean_bounds: true,
    };
    let device = PulsedDevice::new(Law::Linear(law), 0.01, 0.0, 1.0, -1.0);
    let population = Population::new(device, COUNT, 7).unwrap();
    close(moments(population.cells().iter().map(|cell| -cell.shape_up / cell.up)), 0.5, 0.05);

    // With the symmetry point taken off, up and down steps at weight 0 are equal in every device.
    let om = preset("ReRamArrayOM").unwrap().device;
    let law = SoftBoundsReference { mean: 0.0, std: 0.0, subtract_symmetry_point: true };
    let population = Population::new(PulsedDevice { law: Law::Reference(law), ..om }, 1000, 8).unwrap();
    for cell in population.cells() {
        assert!((law.up(cell, 0.0) - law.down(cell, 0.0)).abs() <= 1e-9 * cell.up);
    }
}

#[test]
fn equal_bits_for_any_number_of_threads() {
    let device = preset("ReRamES").unwrap().device;
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut population = Population::new(device.clone(), 10_001, 9).unwrap();
            let pulses: Vec<i32> = (0..10_001).map(|cell| cell % 7 - 3).collect();
            for _ in 0..3 {
                population.pulse(&pulses);
            }
            population.decay(10.0);
            (population.states().to_vec(), population.clipped_pulses())
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn decay_is_exponential_and_pulses_stop_at_the_bounds() {
    let mut population = Population::new(PulsedDevice { lifetime: 100.0, ..flat() }, 10, 1).unwrap();
    population.set(&[0.5; 10]);
    population.decay(50.0);
    assert!((population.states()[3] / (0.5 * 0.99_f64.powi(50)) - 1.0).abs() < 1e-12);
    population.pulse(&[200, -200]);
    assert_eq!((population.states()[0], population.states()[1]), (1.0, -0.8));
    assert!(population.clipped_pulses() > 200);
}

#[test]
fn senseless_devices_are_refused() {
    let soft = |max, min| PulsedDevice::new(Law::Linear(LinearStep::SOFT_BOUNDS), 0.01, 0.0, max, min);
    for device in [
        PulsedDevice { step: f64::NAN, ..flat() },
        PulsedDevice { step: -1.0, ..flat() },
        PulsedDevice { lifetime: 0.0, ..flat() },
        PulsedDevice { max: f64::INFINITY, ..flat() },
        PulsedDevice { min: 2.0, ..flat() },
        soft(1.0, 0.0),
        PulsedDevice { law: Law::Piecewise(PiecewiseStep { up: vec![1.0], down: vec![] }), ..flat() },
    ] {
        assert!(device.check().is_err(), "{device:?}");
    }
    for preset in presets() {
        preset.device.check().unwrap();
    }
}
