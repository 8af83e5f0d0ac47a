//! Measurement files of made-up devices, labelled synthetic, for a new study to start from.

use mho_compact::cell::CurrentCell;
use mho_compact::current_shift::CurrentShift;
use mho_compact::inference::synthetic::{Draw, draw};
use mho_compact::inference::{self};
use mho_compact::programming::Programming;
use mho_compact::transistor::{INFO, Terminals, Transistor};
use mho_data::InputError;
use mho_data::random::Stream;
use std::fmt::Write as _;

/// Relative noise of an instrument, and its floor (A).
const NOISE: f64 = 0.005;
const FLOOR_A: f64 = 2e-12;

/// Threshold of the made-up transistor (V).
const THRESHOLD_V: f64 = 0.55;

const LABEL: &str = "# origin: synthetic data\n# a made-up device, to be replaced by your own measurement\n";

/// I_D(V_G) of a made-up n-channel transistor at two drain and three body voltages.
pub(super) fn sweeps(seed: u64) -> String {
    let mut values = INFO.defaults();
    for (info, value) in INFO.parameters.iter().zip(&mut values) {
        match info.name {
            "vt_v" => *value = THRESHOLD_V,
            "beta_a_per_v2" => *value = 2e-4,
            "dibl" => *value = 0.02,
            "theta_per_v" => *value = 0.3,
            "trap_ratio" => *value = 0.1,
            "source_ohm" | "drain_ohm" => *value = 100.0,
            _ => {}
        }
    }
    let law = Transistor::from_values(&values, 300.0);
    let stream = Stream::new(seed, &["studies", "made", "sweeps"], &[]);
    let mut text = format!("{LABEL}Device,T (K),VD (V),VB (V),VG (V),ID (A)\n");
    let mut draw = 0;
    for drain_v in [0.1, 1.2] {
        for body_v in [0.0, -0.5, -1.0] {
            for step in 0..=50 {
                let gate_v = 0.03 * f64::from(step);
                let at = Terminals { gate_v, drain_v, source_v: 0.0, body_v };
                let (relative, floor) = (stream.normal(2 * draw), stream.normal(2 * draw + 1));
                let current_a = law.current_a(at) * (1.0 + NOISE * relative) + FLOOR_A * floor;
                // Writing to a String cannot fail.
                let _ = writeln!(text, "made-up-1,300,{drain_v},{body_v},{gate_v:.2},{current_a:.5e}");
                draw += 1;
            }
        }
    }
    text
}

/// Thresholds of eight made-up devices in each of three states against dose: an exponential towards a fixed point,
/// with a spread of the start, of the characteristic dose and of each reading.
pub(super) fn thresholds(seed: u64) -> String {
    const STATES: [(&str, f64); 3] =
        [("low", THRESHOLD_V - 0.3), ("middle", THRESHOLD_V), ("high", THRESHOLD_V + 0.4)];
    const DOSES: [f64; 8] = [0.0, 20.0, 50.0, 100.0, 200.0, 300.0, 400.0, 500.0];
    let stream = Stream::new(seed, &["studies", "made", "thresholds"], &[]);
    let mut text = format!("{LABEL}device,state,dose (krad(Si)),vt (V),vt_std (V)\n");
    let mut draw = 0;
    let mut normal = || {
        draw += 1;
        stream.normal(draw)
    };
    for (state, mean_v) in STATES {
        for device in 1..=8 {
            let (start_v, characteristic) = (mean_v + 0.008 * normal(), 900.0 * (0.08 * normal()).exp());
            for dose in DOSES {
                let fixed_v = THRESHOLD_V - 0.1;
                let vt_v = fixed_v + (start_v - fixed_v) * (-dose / characteristic).exp() + 0.002 * normal();
                let _ = writeln!(text, "{state}-{device},{state},{dose},{vt_v:.5},0.002");
            }
        }
    }
    text
}

/// Readings of made-up phase-change cells at four times.
pub(super) fn resistive(seed: u64) -> Result<String, InputError> {
    let what = Draw {
        targets_us: (0..=8).map(|step| 3.0 * f64::from(step) + 1.0).collect(),
        cells: 24,
        times_s: vec![20.0, 3600.0, 86_400.0, 604_800.0],
        reads: 2,
        read_v: 0.2,
        seed,
    };
    let cell = inference::find("pcm").map(inference::Model::default_cell);
    let cell = cell.ok_or_else(|| InputError::new("pcm", "no such model", "a resistive cell"))?;
    Ok(draw("made-up", cell.as_ref(), &what)?.table.to_csv())
}

/// Currents of made-up cells, 24 in each of nine states at four doses, each followed through all of them and read
/// twice.
pub(super) fn cells(seed: u64) -> String {
    const STATES: u64 = 8;
    const CELLS: u64 = 24;
    let law = CurrentShift::default();
    let made = CurrentCell { programming: Some(Programming::default()), ..CurrentCell::fresh(law) };
    let stream = Stream::new(seed, &["studies", "made", "cells"], &[]);
    let mut text = format!("{LABEL}device,state,dose (krad(Si)),time (s),current (nA)\n");
    let mut draw = 0;
    for state in 0..=STATES {
        let target_na = made.current_max_na * state as f64 / STATES as f64;
        let sigma_na = made.programming.map_or(0.0, |programming| programming.programmed_na(target_na));
        for cell in 0..CELLS {
            let start_na = (target_na + sigma_na * stream.normal(draw)).max(0.0);
            draw += 1;
            for dose in [0.0, 30.0, 100.0, 300.0] {
                let mean_na = law.current_na(start_na, dose, 0.0);
                for _ in 0..2 {
                    let current_na = (mean_na + 2.0 * stream.normal(draw)).max(0.0);
                    draw += 1;
                    let part = state as f64 / STATES as f64;
                    let _ = writeln!(text, "s{state}-{cell},{part},{dose},0,{current_na:.3}");
                }
            }
        }
    }
    text
}
