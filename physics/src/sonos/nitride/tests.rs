use super::*;
use crate::sonos::collection::Collection;
use crate::sonos::transient::Transient;
use proptest::prelude::*;

/// Cells such that one has its middle at the centroid of the default stack, and half their width.
const CELLS: usize = 161;
const HALF_SLAB_M: f64 = 4e-9 / CELLS as f64;

/// Traps in a thin slab at the centroid that catch everything: the sheet model.
fn slab(stack: Stack) -> Traps {
    Traps {
        // So many that they never fill, and catch within a hundredth of the slab.
        density_per_m3: 1e30,
        from_m: stack.centroid_m - HALF_SLAB_M,
        to_m: stack.centroid_m + HALF_SLAB_M,
        electron_length_m: 1e-13,
        hole_length_m: 1e-13,
    }
}

fn run(nitride: &Nitride, state: &mut State, conditions: Conditions, times: &[f64]) -> Vec<f64> {
    let mut shifts = Vec::new();
    nitride
        .follow(state, conditions, times, Accuracy::default(), |_, state| {
            shifts.push(state.profile.shift_v(&nitride.stack));
        })
        .unwrap();
    shifts
}

fn bias(gate_v: f64) -> Conditions {
    Conditions { gate_v, temperature_k: 300.0, dose_rate_rad_per_s: 0.0 }
}

#[test]
fn slab_at_the_centroid_is_the_sheet_model() {
    for (tunnel_nm, gate_v) in [(2.0, 8.0), (2.0, 8.5), (1.8, -8.0), (1.8, -8.5)] {
        let stack = Stack { tunnel_oxide_m: tunnel_nm * 1e-9, ..Stack::default() };
        let nitride = Nitride { stack, traps: slab(stack), ..Nitride::default() };
        let sheet = Transient { stack, full_charge_c_per_m2: 1e9, ..Transient::default() };
        let times = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e3];
        let mut state = nitride.empty(CELLS);
        let found = run(&nitride, &mut state, bias(gate_v), &times);
        let expected = sheet.threshold_shift(0.0, gate_v, &times).unwrap();
        for ((time, a), b) in times.iter().zip(&found).zip(expected) {
            // The slab is one cell around the centroid; what remains are the tolerances in time.
            assert!((a - b).abs() < 1e-3, "{gate_v} V, {time} s: {a} against {b}");
        }
    }
}

#[test]
fn slab_under_dose_is_the_collection_model() {
    let stack = Stack::default();
    let nitride = Nitride { stack, traps: slab(stack), ..Nitride::default() };
    for start in [2.0, 0.1, -1.0] {
        let mut state = nitride.empty(CELLS);
        let (from, to) = (stack.centroid_m - HALF_SLAB_M, stack.centroid_m + HALF_SLAB_M);
        state.profile = Profile::even(&stack, CELLS, from, to, start);
        // So fast that hardly anything tunnels meanwhile.
        let conditions = Conditions { dose_rate_rad_per_s: 1e8, ..bias(0.0) };
        let found = run(&nitride, &mut state, conditions, &[3e-4, 3e-3, 3e-2]);
        let expected = Collection::default().threshold_shift(start, &[3e4, 3e5, 3e6]).unwrap();
        for (a, b) in found.iter().zip(expected) {
            // 2 mV is the tolerance of the reference tables.
            assert!((a - b).abs() < 2e-3, "{start}: {a} against {b}");
        }
    }
}

/// What went in less what came out is what is there.
#[test]
fn charge_is_balanced() {
    let emission = Emissions { electrons: Emission::ELECTRONS, holes: Emission::HOLES };
    let nitride = Nitride { emission: Some(emission), ..Nitride::default() };
    let mut state = nitride.empty(40);
    let conditions = [
        (bias(8.5), 5e-3),
        (bias(-8.5), 1e-2),
        (bias(8.0), 1e-3),
        (bias(0.0), 1e6),
        (Conditions { dose_rate_rad_per_s: 50.0, ..bias(0.0) }, 1e4),
    ];
    let mut turned_over = 0.0;
    for (conditions, duration) in conditions {
        run(&nitride, &mut state, conditions, &[duration]);
        let tally = state.tally;
        turned_over = tally.channel.abs() + tally.gate.abs() + tally.swept.abs();
        let error = (state.profile.charge() - tally.stored()).abs();
        assert!(error < 1e-9 * turned_over, "{conditions:?}: {error} of {turned_over}");
    }
    assert!(turned_over > 1e-3);
}

#[test]
fn follows_at_second_order() {
    let nitride = Nitride::default();
    let end = |shift_v: f64| {
        let accuracy = Accuracy { shift_v, relative: 100.0 * shift_v, ..Accuracy::default() };
        let mut state = nitride.empty(40);
        let steps = nitride.follow(&mut state, bias(8.5), &[1e-3], accuracy, |_, _| {}).unwrap();
        (steps, state.profile.shift_v(&nitride.stack))
    };
    let (_, exact) = end(2e-7);
    let (coarse_steps, coarse) = end(1e-3);
    let (fine_steps, fine) = end(1e-5);
    let order = ((coarse - exact) / (fine - exact)).abs().ln()
        / (f64::from(fine_steps) / f64::from(coarse_steps)).ln();
    assert!((order - 2.0).abs() < 0.4, "order {order}");
    let usual = end(5e-5).1;
    assert!((usual - exact).abs() < 2e-4, "{usual} against {exact}");
}

#[test]
fn traps_fill_from_the_channel_and_then_stop() {
    // Few traps and a short capture length: they fill from the channel on and the shift ends when all are.
    let traps = Traps { density_per_m3: 3e24, electron_length_m: 0.5e-9, ..Traps::default() };
    let nitride = Nitride { traps, ..Nitride::default() };
    let mut state = nitride.empty(80);
    run(&nitride, &mut state, bias(9.0), &[1e-6]);
    let early = state.profile.centroid_m().unwrap();
    run(&nitride, &mut state, bias(9.0), &[10.0]);
    let filled = -state.profile.charge() / traps.full_charge();
    assert!(early < 1.2e-9, "{early}");
    assert!((filled - 1.0).abs() < 1e-3, "{filled}");
    assert!((state.profile.centroid_m().unwrap() - 4e-9).abs() < 0.02e-9);
}

/// Many traps behind thin oxides: fields of stored charge change emission faster than emission itself goes, which
/// an implicit step has to know (without it more than 100000 steps did not get through 25 ms).
#[test]
fn emission_coupled_by_fields_takes_few_steps() {
    let stack = Stack {
        tunnel_oxide_m: 1.2e-9,
        nitride_m: 3e-9,
        blocking_oxide_m: 2e-9,
        centroid_m: 1.5e-9,
        ..Stack::default()
    };
    let traps = Traps {
        density_per_m3: 5.79e25,
        from_m: 0.0,
        to_m: stack.nitride_m,
        electron_length_m: 26.8e-9,
        hole_length_m: 53.6e-9,
    };
    let depth_ev = 1.439;
    let emission = Emissions {
        electrons: Emission { depth_ev, ..Emission::ELECTRONS },
        holes: Emission { depth_ev, ..Emission::HOLES },
    };
    let cell = Nitride { stack, traps, emission: Some(emission), ..Nitride::default() };
    let mut state = cell.empty(24);
    let conditions = Conditions { temperature_k: 230.0, ..bias(8.94) };
    let steps = cell.follow(&mut state, conditions, &[1.0], Accuracy::default(), |_, _| {}).unwrap();
    assert!(steps < 1000, "{steps}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// No panic, no NaN and a closed balance, for any physical cell under any physical conditions.
    #[test]
    fn any_cell_stays_finite(
        tunnel in 1.2f64..6.0, nitride in 3.0f64..15.0, blocking in 2.0f64..12.0,
        density in 23.0f64..26.5, length in -1.0f64..2.0, start in -2.0f64..2.0,
        first_v in -12.0f64..12.0, second_v in -12.0f64..12.0,
        duration in -7.0f64..5.0, temperature_k in 230.0f64..450.0, rate in 0.0f64..1e4,
        depth_ev in 0.8f64..2.0,
    ) {
        let stack = Stack {
            tunnel_oxide_m: 1e-9 * tunnel,
            nitride_m: 1e-9 * nitride,
            blocking_oxide_m: 1e-9 * blocking,
            centroid_m: 0.5e-9 * nitride,
            ..Stack::default()
        };
        let length_m = 1e-9 * 10f64.powf(length);
        let traps = Traps {
            density_per_m3: 10f64.powf(density),
            from_m: 0.0,
            to_m: stack.nitride_m,
            electron_length_m: length_m,
            hole_length_m: 2.0 * length_m,
        };
        let emission = Emissions {
            electrons: Emission { depth_ev, ..Emission::ELECTRONS },
            holes: Emission { depth_ev, ..Emission::HOLES },
        };
        let cell = Nitride { stack, traps, emission: Some(emission), ..Nitride::default() };
        let mut state = cell.empty(24);
        state.profile = Profile::even(&stack, 24, 0.0, stack.nitride_m, start);
        // No more than the traps hold.
        let overfilled = (state.profile.charge().abs() / traps.full_charge()).max(1.0);
        state.profile.cells.iter_mut().for_each(|charge| *charge /= overfilled);
        let before = state.profile.charge();
        for (gate_v, dose_rate_rad_per_s) in [(first_v, 0.0), (second_v, rate)] {
            let conditions = Conditions { gate_v, temperature_k, dose_rate_rad_per_s };
            let steps = cell.follow(
                &mut state, conditions, &[10f64.powf(duration)], Accuracy::default(), |_, _| {},
            );
            prop_assert!(steps.is_ok(), "{:?} at {} V", steps, gate_v);
        }
        prop_assert!(state.profile.cells.iter().all(|charge| charge.is_finite()));
        let turned = state.tally.turnover;
        let error = (state.profile.charge() - before - state.tally.stored()).abs();
        // To rounding: every step closes it.
        prop_assert!(error < 1e-9 * (turned + before.abs()), "{} of {}", error, turned);
    }
}
