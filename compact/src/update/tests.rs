//! Known curves and moments.

use super::*;

/// Golden curve of one device: 1000 up, then 1000 down from 0.
fn curve(device: &PulsedDevice) -> Vec<f64> {
    let cell = device.typical();
    let mut states = vec![cell.clip(0.0)];
    let top = device.law.ramp(&cell, states[0], Direction::Up, 1000, &mut states);
    device.law.ramp(&cell, top, Direction::Down, 1000, &mut states);
    states
}

/// The devices of the golden file that are not presets, as `aihwkit_device_params.json` has them.
fn others() -> Vec<(&'static str, PulsedDevice)> {
    let linear = |gamma_up, gamma_down| {
        Law::Linear(LinearStep {
            gamma_up,
            gamma_down,
            gamma_up_std: 0.05,
            gamma_down_std: 0.05,
            mean_bounds: true,
        })
    };
    let pow = |power, up_down| {
        Law::Pow(PowStep { power, up_down, power_spread: 0.1, up_down_std: 0.0, at_zero: false })
    };
    let (dw, u, max, min) =
        PulseRange { range_min: -1.0, range_max: 1.0, pulses: 1000.0, alpha: 0.0005 }.soft_bounds();
    let exp = ExpStep {
        a_up: 0.00081,
        a_down: 0.36833,
        gamma_up: 12.44625,
        gamma_down: 12.78785,
        a: 0.244,
        b: 0.2425,
    };
    let piece = PiecewiseStep { up: vec![1.5, 1.2, 1.0, 0.6, 0.2], down: vec![0.3, 0.7, 1.0, 1.1, 1.6] };
    let small = |law| PulsedDevice::new(law, 0.001, 0.0, 0.6, -0.6);
    vec![
        ("ConstantStep_default", small(Law::Constant(ConstantStep))),
        ("LinearStep_g0.5_0.7", small(linear(0.5, 0.7))),
        ("SoftBounds_default", small(Law::Linear(LinearStep::SOFT_BOUNDS))),
        ("SoftBoundsPmax_default", PulsedDevice::new(Law::Linear(LinearStep::SOFT_BOUNDS), dw, u, max, min)),
        ("ExpStep_default", small(Law::Exp(exp))),
        ("PowStep_g1.5", small(pow(1.5, 0.0))),
        ("PowStep_g2_ud0.3", small(pow(2.0, 0.3))),
        ("PiecewiseStep_5", PulsedDevice::new(Law::Piecewise(piece), 0.002, 0.1, 1.0, -1.0)),
    ]
}

/// 2e-6 is float32 over 1000 steps; equal steps add the same rounding every time: 3e-5.
#[test]
fn golden_curves() {
    let Some(path) = mho_data::shared::find("golden/laws/aihwkit_update_from0.csv") else {
        println!("SKIPPED: no golden/laws/aihwkit_update_from0.csv");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<f64>> =
        lines.map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    assert_eq!(rows.len(), 2001);
    let mut devices: Vec<(&str, PulsedDevice)> =
        presets().into_iter().map(|preset| (preset.name, preset.device)).collect();
    devices.extend(others());
    assert_eq!(devices.len(), names.len() - 2);
    for (name, device) in devices {
        device.check().unwrap();
        let column = names.iter().position(|found| *found == name).unwrap();
        let worst = curve(&device)
            .iter()
            .zip(&rows)
            .map(|(state, row)| (state - row[column]).abs())
            .fold(0.0, f64::max);
        println!("{name}: {worst:.1e}");
        let tolerance = if matches!(device.law, Law::Constant(_)) { 3e-5 } else { 2e-6 };
        assert!(worst <= tolerance, "{name}: {worst:e}");
    }
}
