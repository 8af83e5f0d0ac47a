use super::cell::Cell;
use super::*;
use crate::sonos::Stack;
use crate::sonos::collection::Collection;
use mho_data::random::Stream;
use proptest::prelude::*;

fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split(',').collect()).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

#[test]
fn files_are_labelled_complete_and_pure_functions_of_the_seed() {
    let began = std::time::Instant::now();
    let (sweeps, states) = (idvg_csv(1), state_currents_csv(1));
    println!("{:.0} ms, {} and {} bytes", began.elapsed().as_secs_f64() * 1e3, sweeps.len(), states.len());
    assert!(began.elapsed().as_secs_f64() < 10.0);
    for text in [&sweeps, &states] {
        assert!(text.contains("# origin: synthetic\n"));
        assert!(text.contains("no measured sweeps"));
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }
    assert_eq!(sweeps, idvg_csv(1));
    assert_eq!(states, state_currents_csv(1));
    assert_ne!(sweeps, idvg_csv(2));
    assert_ne!(states, state_currents_csv(2));
    assert_eq!(rows(&states).len(), 8 * 16 * 9);
    assert!(rows(&sweeps).iter().all(|row| row.len() == 9));
    for spoiled in ["OVERFLOW", "9.9E37", ",,"] {
        assert!(sweeps.contains(spoiled), "{spoiled} is missing");
    }
    let mut measured: Vec<String> = rows(&sweeps).iter().map(|row| row[0..3].join(" ")).collect();
    measured.dedup();
    assert_eq!(measured.len(), 6 * 3 * 6);
}

#[test]
fn the_nominal_transistor_has_the_scale_of_the_array() {
    let transistor = Cell::nominal().transistor;
    let stack = Stack::default();
    assert!((transistor.stack.gate_area_m2 / 0.05e-12 - 1.0).abs() < 0.01);
    let current = |overdrive: f64| {
        transistor.drain_current_a(stack.neutral_threshold_v() + overdrive, DRAIN_V, 0.0, 0.0)
    };
    // Subthreshold swing: 97 mV per decade with ψ_s near 2φ_F, more where it is smaller.
    let swing = 0.1 / (current(-0.2) / current(-0.3)).log10();
    assert!((97e-3..106e-3).contains(&swing), "{swing}");
    // The analog range lies around threshold: 0.1 to 1.6 µA within a fifth of a volt.
    let span = transistor.shift_for_current(1.0, DRAIN_V, 0.1e-6, 0.0)
        - transistor.shift_for_current(1.0, DRAIN_V, 1.6e-6, 0.0);
    assert!((0.08..0.2).contains(&span), "{span}");
    // At threshold an EKV transistor carries (ln 2)² of its specific current.
    let specific = current(0.05) / 2f64.ln().powi(2);
    println!("specific current about {specific:e} A");
    assert!((1e-6..4e-6).contains(&specific), "{specific:e}");
}

/// Drift of the mean states follows the collection law in sign and size, though not to the digit.
#[test]
fn synthetic_shifts_resemble_the_collection_law() {
    let law = Collection { eta_e: 0.8, eta_h: 0.8, ..Collection::default() };
    let counts = Stream::new(5, &["test"], &[]);
    for start in [2.0, 1.0, -1.0, -2.0] {
        let cell = Cell::nominal();
        let fresh = cell.programmed(start);
        let truth = mean((0..32).map(|i| {
            let state = cell.irradiated(&fresh, 500e3, 1e5, &counts, 4 * i).unwrap();
            cell.shift_v(&state)
        }));
        let fitted = law.threshold_shift(start, &[500e3]).unwrap()[0];
        println!("start {start}: {truth:.3} against {fitted:.3}");
        assert!((truth - start) * (fitted - start) > 0.0);
        assert!((0.5..1.6).contains(&((truth - start) / (fitted - start))), "{truth} against {fitted}");
    }
}

#[test]
fn states_start_on_target_and_spread_with_dose() {
    let text = state_currents_csv(3);
    let rows = rows(&text);
    let currents = |state: &str, dose: &str| -> Vec<f64> {
        rows.iter()
            .filter(|row| row[1] == state && row[2] == dose)
            .filter_map(|row| row[4].parse().ok())
            .collect()
    };
    for state in ["0.0625", "0.25", "1"] {
        let target = 1600.0 * state.parse::<f64>().unwrap();
        let fresh = currents(state, "0");
        let found = mean(fresh.iter().copied());
        assert!((found - target).abs() < 40.0, "{state}: {found}");
    }
    let spread = |values: &[f64]| {
        let centre = mean(values.iter().copied());
        mean(values.iter().map(|x| (x - centre).powi(2))).sqrt()
    };
    assert!(spread(&currents("0.5", "300")) > 2.0 * spread(&currents("0.5", "0")));
}

proptest! {
    #[test]
    fn current_rises_with_the_gate_and_falls_with_the_shift(
        gate in -2.0f64..5.0, step in 1e-3f64..0.5, shift in -2.5f64..2.5, traps in 0.0f64..2e15,
    ) {
        let transistor = Cell::nominal().transistor;
        let here = transistor.drain_current_a(gate, DRAIN_V, shift, traps);
        prop_assert!(here.is_finite() && here > 0.0);
        // Far above threshold the mobility falls slower than the charge grows.
        prop_assert!(transistor.drain_current_a(gate + step, DRAIN_V, shift, traps) >= here * (1.0 - 1e-9));
        prop_assert!(transistor.drain_current_a(gate, DRAIN_V, shift + step, traps) <= here * (1.0 + 1e-9));
    }
}
