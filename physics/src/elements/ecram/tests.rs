//! The cell against closed forms of diffusion and of the interface.

use super::*;
use proptest::prelude::*;
use std::f64::consts::PI;

/// A plain cell: fast interface, no series resistance, no leak, a straight open-circuit line of 1 V.
fn plain() -> Cell {
    Cell {
        area_m2: 1e-10,
        thickness_m: 1e-7,
        sites_per_m3: 3e28,
        diffusivity_m2_per_s: 1e-15,
        diffusion_activation_ev: 0.5,
        exchange_a_per_m2: 1e9,
        exchange: Exchange::Constant,
        exchange_activation_ev: 0.5,
        transfer: 0.5,
        series_ohm: 0.0,
        electrolyte_activation_ev: 0.5,
        leak_ohm: f64::INFINITY,
        leak_activation_ev: 0.0,
        reference_k: 300.0,
        open_circuit: OpenCircuit::new(&[0.0, 1.0], &[-0.5, 0.5]).unwrap(),
        empty_s: 1e-6,
        full_s: 3e-6,
    }
}

fn go(cell: &Cell, slab: &Slab, drive: Drive, times_s: &[f64], tolerance: f64) -> Run {
    let waveform = [Segment { drive, times_s: times_s.to_vec() }];
    run(cell, slab, 300.0, vec![0.5; slab.widths_m.len()], &waveform, tolerance, &|_| {})
}

/// Diffusion time L²/D in s of the plain cell.
const TAU_S: f64 = 10.0;
/// dx/dt of the plain cell's mean under the current below, in 1/s.
const RATE: f64 = 0.01;

fn constant_current(cell: &Cell) -> Drive {
    Drive::Current(RATE * cell.capacity_c())
}

/// Rise of the surface under a constant flux after `time` in units of τ, in units of j L/(q c D): the
/// long-time line with its decaying modes (Crank, The Mathematics of Diffusion, eq. 4.55).
fn rise(time: f64) -> f64 {
    let modes: f64 =
        (1..4000).map(|n| f64::from(n) * PI).map(|k| 2.0 / (k * k) * (-k * k * time).exp()).sum();
    time + 1.0 / 3.0 - modes
}

#[test]
fn a_constant_flux_lifts_the_surface_by_the_root_of_time_then_by_a_line() {
    let cell = plain();
    let slab = Slab::new(cell.thickness_m, 160, 40.0);
    let times = [1e-3 * TAU_S, 1e-2 * TAU_S, 0.1 * TAU_S, TAU_S, 2.0 * TAU_S];
    let found = go(&cell, &slab, constant_current(&cell), &times, 1e-9);
    let scale = RATE * TAU_S;
    for (point, time) in found.points[1..].iter().zip(times) {
        let measured = (point.surface_fraction - 0.5) / scale;
        // Space discretisation: the first cell is 1e-3 L wide, second order.
        assert!((measured / rise(time / TAU_S) - 1.0).abs() < 5e-4, "{time}: {measured}");
    }
    // Sand: 2 sqrt(t/π) before the far side is felt.
    let early = (found.points[1].surface_fraction - 0.5) / scale;
    assert!((early / (2.0 * (1e-3 / PI).sqrt()) - 1.0).abs() < 5e-4, "{early}");
    // The far cells are 0.023 L wide: a third of their square is 2e-4.
    // Late: a parabola that rides on the mean, a third above it at the interface, a sixth below at the far side.
    let late = found.points[5];
    assert!(((late.surface_fraction - late.mean_fraction) / scale - 1.0 / 3.0).abs() < 5e-4);
    assert!(((found.fractions[159] - late.mean_fraction) / scale + 1.0 / 6.0).abs() < 5e-4);
}

#[test]
fn charge_is_kept() {
    let cell = Cell { leak_ohm: 1e9, series_ohm: 1e4, exchange_a_per_m2: 1.0, ..plain() };
    let slab = Slab::new(cell.thickness_m, 40, 10.0);
    let mut waveform = Vec::new();
    for _ in 0..4 {
        waveform.push(Segment { drive: Drive::Voltage(0.3), times_s: vec![0.01, 0.3] });
        waveform.push(Segment { drive: Drive::Open, times_s: vec![1.0] });
        waveform.push(Segment { drive: Drive::Current(-3e-10), times_s: vec![0.2] });
    }
    let found = run(&cell, &slab, 300.0, vec![0.5; 40], &waveform, 1e-6, &|_| {});
    assert!(found.halted.is_none());
    assert_eq!(found.points.len(), 17);
    for point in &found.points {
        let stored = (point.mean_fraction - 0.5) * cell.capacity_c();
        assert!((stored - point.inserted_c).abs() < 1e-10 * cell.capacity_c() * 0.01, "{point:?}");
    }
}

#[test]
fn a_held_surface_draws_the_current_of_cottrell() {
    let cell = plain();
    let slab = Slab::new(cell.thickness_m, 160, 40.0);
    let times: Vec<f64> = [1e-3, 3e-3, 1e-2, 3e-2].map(|time| time * TAU_S).to_vec();
    let found = go(&cell, &slab, Drive::Voltage(0.2), &times, 1e-8);
    for (point, time) in found.points[1..].iter().zip(&times) {
        assert!((point.surface_fraction - 0.7).abs() < 1e-5);
        let cottrell = 0.2 * cell.capacity_c() / TAU_S * (TAU_S / (PI * time)).sqrt();
        assert!((point.ion_a / cottrell - 1.0).abs() < 2e-3, "{time}: {}", point.ion_a / cottrell);
    }
}

#[test]
fn what_a_pulse_left_uneven_relaxes_with_the_lowest_mode() {
    let cell = plain();
    let slab = Slab::new(cell.thickness_m, 60, 4.0);
    let waveform = [
        Segment { drive: constant_current(&cell), times_s: vec![0.2 * TAU_S] },
        Segment { drive: Drive::Open, times_s: vec![0.3 * TAU_S, 0.5 * TAU_S] },
    ];
    let found = run(&cell, &slab, 300.0, vec![0.5; 60], &waveform, 1e-10, &|_| {});
    let uneven = |point: &Point| point.surface_fraction - point.mean_fraction;
    let rate = (uneven(&found.points[2]) / uneven(&found.points[3])).ln() / (0.2 * TAU_S);
    let expected = PI * PI / TAU_S;
    // The second mode is 4⁻¹ exp(−3 π² 0.3) = 3e-5 of the first at the start; the mesh gives 1e-4.
    assert!((rate / expected - 1.0).abs() < 5e-4, "{}", rate / expected);
    // Nothing flows at open circuit without a leak.
    assert!(found.points[3].ion_a.abs() < 1e-12 * RATE * cell.capacity_c());
    assert!((found.points[3].mean_fraction - found.points[1].mean_fraction).abs() < 1e-14);
}

#[test]
fn space_converges_with_second_order() {
    let cell = plain();
    let errors: Vec<f64> = [10, 20, 40]
        .map(|cells| {
            let slab = Slab::new(cell.thickness_m, cells, 1.0);
            let found = go(&cell, &slab, constant_current(&cell), &[0.1 * TAU_S], 1e-10);
            ((found.points[1].surface_fraction - 0.5) / (RATE * TAU_S) - rise(0.1)).abs()
        })
        .to_vec();
    for pair in errors.windows(2) {
        let order = (pair[0] / pair[1]).log2();
        assert!(order >= 1.9, "{errors:?}: {order}");
    }
}

#[test]
fn the_error_of_time_follows_the_tolerance() {
    let cell = plain();
    let slab = Slab::new(cell.thickness_m, 30, 1.0);
    let at = |tolerance| {
        let found = go(&cell, &slab, Drive::Voltage(0.2), &[0.3 * TAU_S], tolerance);
        (found.points[1].mean_fraction, found.steps)
    };
    let (exact, _) = at(1e-11);
    let (coarse, few) = at(1e-5);
    let (fine, many) = at(1e-8);
    assert!((coarse - exact).abs() < 20.0 * 1e-5, "{}", coarse - exact);
    assert!((fine - exact).abs() < 20.0 * 1e-8, "{}", fine - exact);
    // Third order: a thousandth of the error takes about ten times the steps.
    assert!(few < many && many < 20 * few, "{few} {many}");
}

#[test]
fn a_slow_interface_gives_the_current_of_butler_and_volmer() {
    let cell = Cell { exchange_a_per_m2: 1e-3, transfer: 0.3, diffusivity_m2_per_s: 1e-9, ..plain() };
    let slab = Slab::new(cell.thickness_m, 20, 1.0);
    let thermal = cell.at(300.0).thermal_v;
    // So little flows in a nanosecond that the filling, and with it E_eq = 0, stays.
    let current = |volts: f64| go(&cell, &slab, Drive::Voltage(volts), &[1e-9], 1e-6).points[1].ion_a;
    for volts in [-0.2, -0.02, 0.02, 0.2] {
        let y = volts / thermal;
        let expected = 1e-3 * cell.area_m2 * ((0.3 * y).exp() - (-0.7 * y).exp());
        assert!((current(volts) / expected - 1.0).abs() < 1e-6, "{volts}");
    }
    assert!(current(0.0).abs() < 1e-40);
    let slope = (current(0.3) / current(0.2)).ln() / 0.1 * thermal;
    assert!((slope / 0.3 - 1.0).abs() < 1e-3, "{slope}");
}

#[test]
fn a_series_resistance_limits_and_charges_with_its_time_constant() {
    // R C of the electrolyte and the channel's own slope of 1 V per capacity; diffusion is fast beside it.
    let cell = Cell { series_ohm: 1e9, diffusivity_m2_per_s: 1e-9, ..plain() };
    let slab = Slab::new(cell.thickness_m, 10, 1.0);
    let time_constant = 1e9 * cell.capacity_c();
    let times: Vec<f64> = [0.1, 1.0, 3.0].map(|time| time * time_constant).to_vec();
    let found = go(&cell, &slab, Drive::Voltage(0.1), &times, 1e-8);
    for (point, time) in found.points[1..].iter().zip([0.1_f64, 1.0, 3.0]) {
        assert!((point.mean_fraction - 0.5 - 0.1 * (1.0 - (-time).exp())).abs() < 1e-6, "{point:?}");
    }
}

#[test]
fn the_leak_discharges_towards_zero_volts() {
    let cell = Cell { leak_ohm: 1e10, diffusivity_m2_per_s: 1e-9, ..plain() };
    let slab = Slab::new(cell.thickness_m, 10, 1.0);
    let time_constant = 1e10 * cell.capacity_c();
    let waveform = [Segment { drive: Drive::Open, times_s: vec![0.5 * time_constant, 2.0 * time_constant] }];
    let found = run(&cell, &slab, 300.0, vec![0.8; 10], &waveform, 1e-8, &|_| {});
    for (point, time) in found.points.iter().zip([0.0_f64, 0.5, 2.0]) {
        assert!((point.gate_v - 0.3 * (-time).exp()).abs() < 1e-5, "{point:?}");
        assert!(point.gate_a.abs() < 1e-20, "{point:?}");
    }
}

#[test]
fn heat_speeds_it_up_as_arrhenius_says() {
    let cell = plain();
    let hot = cell.at(330.0);
    let faster = (0.5 * ELEMENTARY_CHARGE / BOLTZMANN * (1.0 / 300.0 - 1.0 / 330.0)).exp();
    assert!((hot.diffusivity_m2_per_s / 1e-15 / faster - 1.0).abs() < 1e-12);
    assert!((hot.exchange_a_per_m2 / 1e9 / faster - 1.0).abs() < 1e-12);
    assert_eq!(arrhenius(0.5, 300.0, 300.0), 1.0);
}

#[test]
fn a_full_surface_halts_and_keeps_the_points_before() {
    let cell = plain();
    let slab = Slab::new(cell.thickness_m, 20, 1.0);
    let times: Vec<f64> = (1..=10).map(|k| f64::from(k) * TAU_S).collect();
    let found = go(&cell, &slab, constant_current(&cell), &times, 1e-6);
    let halt = found.halted.unwrap();
    // 0.5 + 0.1 (t/τ + 1/3) = 1 at t = 4.67 τ.
    assert!((halt.time_s / TAU_S - (5.0 - 1.0 / 3.0)).abs() < 0.01, "{halt:?}");
    assert_eq!(found.points.len(), 5);
    assert!(!halt.steps_s.is_empty());
}

#[test]
fn an_interface_without_empty_sites_takes_no_more() {
    let cell = Cell { exchange: Exchange::Occupancy, exchange_a_per_m2: 10.0, ..plain() };
    let slab = Slab::new(cell.thickness_m, 20, 1.0);
    let found = go(&cell, &slab, Drive::Voltage(2.0), &[TAU_S, 20.0 * TAU_S], 1e-6);
    assert!(found.halted.is_none(), "{:?}", found.halted);
    let end = found.points[2];
    assert!(end.mean_fraction > 0.99 && end.surface_fraction <= 1.0, "{end:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn more_voltage_inserts_more_and_nothing_is_lost(
        low in -1.0..1.0_f64, step in 0.0..0.5_f64, exchange in -4.0..3.0_f64, series in 0.0..8.0_f64,
        leak in 6.0..15.0_f64, width in -6.0..1.0_f64, transfer in 0.2..0.8_f64, kelvin in 250.0..400.0_f64,
    ) {
        let cell = Cell {
            exchange: Exchange::Occupancy,
            exchange_a_per_m2: 10f64.powf(exchange),
            series_ohm: 10f64.powf(series),
            leak_ohm: 10f64.powf(leak),
            transfer,
            ..plain()
        };
        let slab = Slab::new(cell.thickness_m, 12, 10.0);
        let go = |volts: f64| {
            let waveform = [
                Segment { drive: Drive::Voltage(volts), times_s: vec![10f64.powf(width)] },
                Segment { drive: Drive::Open, times_s: vec![1e-3] },
            ];
            run(&cell, &slab, kelvin, vec![0.5; 12], &waveform, 1e-6, &|_| {})
        };
        let (less, more) = (go(low), go(low + step));
        for found in [&less, &more] {
            for point in &found.points {
                prop_assert!(point.conductance_s.is_finite() && point.gate_v.is_finite());
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&point.surface_fraction));
                let stored = (point.mean_fraction - 0.5) * cell.capacity_c();
                prop_assert!((stored - point.inserted_c).abs() < 1e-12 * cell.capacity_c());
            }
        }
        if less.points.len() > 1 && more.points.len() > 1 {
            prop_assert!(less.points[1].mean_fraction <= more.points[1].mean_fraction + 1e-6);
        }
    }
}
