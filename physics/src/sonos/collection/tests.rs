use super::*;
use proptest::prelude::*;

const STARTS: [f64; 6] = [2.0, 1.0, 0.1, -0.1, -1.0, -2.0];

fn check_table<const N: usize>(collection: &Collection, doses_krad: [f64; N], table: [[f64; N]; 6]) {
    let doses = doses_krad.map(|dose| dose * 1e3);
    let mut worst = 0.0f64;
    for (start, row) in STARTS.iter().zip(table) {
        let found = collection.threshold_shift(*start, &doses).unwrap();
        for ((dose, expected), value) in doses_krad.iter().zip(row).zip(found) {
            let error = (value - expected).abs();
            assert!(error < 2e-3, "start {start}, {dose} krad: {value} against {expected}");
            worst = worst.max(error);
        }
    }
    assert!(worst < 2e-3);
}

#[test]
fn table_with_fixed_surface_potential() {
    let collection = Collection {
        stack: Stack { phi_ms_v: -1.0183, ..Stack::default() },
        surface_potential: SurfacePotential::Fixed(0.3),
        ..Collection::default()
    };
    check_table(
        &collection,
        [10.0, 30.0, 100.0, 300.0, 500.0, 1000.0, 3000.0],
        [
            [1.989, 1.966, 1.888, 1.667, 1.452, 0.955, -0.006],
            [0.991, 0.972, 0.909, 0.743, 0.616, 0.372, -0.257],
            [0.097, 0.090, 0.067, 0.004, -0.056, -0.189, -0.544],
            [-0.103, -0.108, -0.127, -0.179, -0.227, -0.335, -0.610],
            [-0.998, -0.993, -0.979, -0.945, -0.917, -0.868, -0.788],
            [-1.990, -1.971, -1.903, -1.716, -1.541, -1.178, -0.834],
        ],
    );
}

#[test]
fn table_with_self_consistent_surface_potential() {
    check_table(
        &Collection::default(),
        [30.0, 100.0, 300.0, 500.0, 1000.0, 3000.0],
        [
            [1.967, 1.889, 1.672, 1.463, 1.007, 0.079],
            [0.979, 0.933, 0.812, 0.703, 0.462, -0.193],
            [0.090, 0.067, 0.004, -0.054, -0.177, -0.401],
            [-0.108, -0.125, -0.171, -0.213, -0.296, -0.417],
            [-0.973, -0.912, -0.753, -0.625, -0.497, -0.433],
            [-1.967, -1.890, -1.675, -1.466, -0.981, -0.444],
        ],
    );
}

#[test]
fn rates_and_fields_with_fixed_surface_potential() {
    let collection = Collection {
        stack: Stack { phi_ms_v: -1.0183, ..Stack::default() },
        surface_potential: SurfacePotential::Fixed(0.3),
        ..Collection::default()
    };
    let table = [
        (2.0, -1.26, 2.03, 0.78, 0.85, -1.13),
        (1.0, -0.28, 1.37, 0.47, 0.79, -0.93),
        (0.1, 0.61, 0.77, 0.64, 0.69, -0.34),
        (-0.1, 0.81, 0.64, 0.70, 0.65, -0.27),
        (-1.0, 1.69, 0.05, 0.82, 0.17, 0.22),
        (-2.0, 2.68, -0.61, 0.88, 0.64, 0.98),
    ];
    for (shift, tunnel, blocking, tunnel_yield, blocking_yield, rate) in table {
        let stack = &collection.stack;
        let fields = stack.fields(0.0, 0.3, stack.charge_for_shift(shift));
        assert!((fields.tunnel_v_per_m / 1e8 - tunnel).abs() < 0.006, "{shift}: {fields:?}");
        assert!((fields.blocking_v_per_m / 1e8 - blocking).abs() < 0.006, "{shift}: {fields:?}");
        assert!((collection.radiation.escape_yield(fields.tunnel_v_per_m) - tunnel_yield).abs() < 0.006);
        assert!((collection.radiation.escape_yield(fields.blocking_v_per_m) - blocking_yield).abs() < 0.006);
        let found = collection.rate(shift) * 1e6;
        assert!((found - rate).abs() < 0.006, "rate at {shift}: {found} against {rate} mV/krad");
    }
}

#[test]
fn rates_with_self_consistent_surface_potential() {
    let rates = [-1.12, -0.71, -0.34, -0.26, 0.90, 1.10];
    for (shift, rate) in STARTS.iter().zip(rates) {
        let found = Collection::default().rate(*shift) * 1e6;
        assert!((found - rate).abs() < 0.01, "rate at {shift}: {found} against {rate} mV/krad");
    }
}

#[test]
fn fixed_points_and_neutral_slopes_follow_the_gate() {
    let table = [(-1.02, -0.43, -0.30), (-0.5, -0.24, -0.24), (0.0, 0.0, 0.0), (0.3, 0.20, 0.21)];
    for (phi_ms_v, fixed, slope) in table {
        let stack = Stack { phi_ms_v, ..Stack::default() };
        let collection = Collection { stack, ..Collection::default() };
        let found = collection.fixed_point().unwrap();
        assert!((found - fixed).abs() < 0.006, "φ_ms {phi_ms_v}: {found} against {fixed}");
        let rate = collection.rate(0.0) * 1e6;
        assert!((rate - slope).abs() < 0.006, "φ_ms {phi_ms_v}: slope {rate} against {slope}");
    }
    for (phi_ms_v, fixed) in [(-1.02, -0.76), (-0.5, -0.16), (0.0, 0.26), (0.3, 0.61)] {
        let collection = Collection {
            stack: Stack { phi_ms_v, ..Stack::default() },
            surface_potential: SurfacePotential::Fixed(0.3),
            ..Collection::default()
        };
        let found = collection.fixed_point().unwrap();
        assert!((found - fixed).abs() < 0.012, "φ_ms {phi_ms_v}, ψ_s fixed: {found} against {fixed}");
    }
}

#[test]
fn escape_yields_of_the_two_sources() {
    assert!((Radiation::CO60.escape_yield(1e8) - 0.74).abs() < 0.006);
    assert!((Radiation::X_RAYS_10_KEV.escape_yield(-1e8) - 0.46).abs() < 0.006);
}

#[test]
fn capture_and_detrapping_act_as_named() {
    let plain = Collection::default();
    let half = Collection { eta_e: 0.5, eta_h: 0.5, ..plain };
    assert!((half.rate(1.0) * 2.0 - plain.rate(1.0)).abs() < 1e-15);
    let emptied = Collection { detrapping_dose_rad: 2e6, eta_e: 0.0, eta_h: 0.0, ..plain };
    let found = emptied.threshold_shift(1.0, &[1e6]).unwrap()[0];
    assert!((found - (-0.5f64).exp()).abs() < 1e-7);
}

#[test]
fn bad_parameters_are_named() {
    let bad = Collection { eta_e: f64::NAN, ..Collection::default() };
    assert!(matches!(
        bad.threshold_shift(1.0, &[1.0]),
        Err(CollectionError::Parameter { name: "eta_e", .. })
    ));
    let good = Collection::default();
    assert!(good.threshold_shift(f64::NAN, &[1.0]).is_err());
    assert!(good.threshold_shift(1.0, &[2.0, 1.0]).is_err());
    assert!(good.threshold_shift(1.0, &[-1.0]).is_err());
}

/// A fit calls this thousands of times.
#[test]
fn one_start_over_eight_doses_is_fast() {
    let doses = [0.0, 10e3, 30e3, 100e3, 200e3, 300e3, 500e3, 1e6];
    let collection = Collection::default();
    let began = std::time::Instant::now();
    for _ in 0..20 {
        for start in STARTS {
            collection.threshold_shift(start, &doses).unwrap();
        }
    }
    let each = began.elapsed().as_secs_f64() / 120.0;
    println!("{:.0} µs for one start over eight doses", each * 1e6);
    assert!(each < 5e-3, "{each} s");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Doses never reorder states, and never carry one through the fixed point.
    #[test]
    fn order_is_kept_and_the_fixed_point_is_not_crossed(
        low in -3.0f64..3.0, gap in 0.01f64..1.0, dose in 1e3f64..5e6,
        eta_e in 0.1f64..1.0, eta_h in 0.1f64..1.0, phi_ms in -1.1f64..0.5,
    ) {
        let collection = Collection {
            stack: Stack { phi_ms_v: phi_ms, ..Stack::default() }, eta_e, eta_h, ..Collection::default()
        };
        let below = collection.threshold_shift(low, &[dose]).unwrap()[0];
        let above = collection.threshold_shift(low + gap, &[dose]).unwrap()[0];
        prop_assert!(below.is_finite() && above.is_finite());
        prop_assert!(above >= below - 1e-6);
        if let Some(fixed) = collection.fixed_point() {
            prop_assert!((below - fixed) * (low - fixed) >= -1e-6);
        }
    }

    #[test]
    fn no_finite_input_gives_nan(
        start in -20.0f64..20.0, bias in -10.0f64..10.0, dose in 0.0f64..1e7, doping in 22.0f64..24.5,
        detrapping in 4.0f64..9.0,
    ) {
        let collection = Collection {
            stack: Stack { acceptor_per_m3: 10f64.powf(doping), ..Stack::default() },
            bias_v: bias,
            detrapping_dose_rad: 10f64.powf(detrapping),
            ..Collection::default()
        };
        let found = collection.threshold_shift(start, &[0.0, dose]).unwrap();
        prop_assert_eq!(found[0], start);
        prop_assert!(found[1].is_finite());
    }
}
