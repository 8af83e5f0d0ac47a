use super::*;
use crate::constants::OXIDE_PAIR_DENSITY;
use mho_data::random::Stream;

fn exposure() -> Exposure {
    Exposure { rate_rad_per_s: 50.0, doses_rad: vec![3e4, 1e5, 3e5], after_s: vec![1e3, 1e5, 1e7] }
}

const ANNEALING: Annealing = Annealing { per_decade: 0.05, onset_s: 1e3, ladder: false, feedback: false };

#[test]
fn without_extras_it_is_the_collection() {
    let moments = Dose::default().follow(1.0, &exposure()).unwrap();
    let plain = Collection::default().threshold_shift(1.0, &exposure().doses_rad).unwrap();
    for (moment, expected) in moments.iter().zip(&plain) {
        // The grid has other steps than the sparse call; both are good to 1e-7 V.
        assert!((moment.shift_v() - expected).abs() < 1e-6);
    }
    assert_eq!(moments.len(), 6);
    assert!((moments[5].shift_v() - plain[2]).abs() < 1e-6, "nothing happens afterwards");
}

/// Two roads to the same law: closed-form convolution and a ladder of exponentials.
#[test]
fn ladder_without_feedback_is_the_convolution() {
    for start in [2.0, -1.0] {
        let by = |ladder| {
            let dose = Dose { annealing: Some(Annealing { ladder, ..ANNEALING }), ..Dose::default() };
            dose.follow(start, &exposure()).unwrap()
        };
        for (a, b) in by(false).iter().zip(by(true)) {
            // The ladder follows the logarithm to 4e-7 of a shift below 1 V.
            assert!((a.nitride_v - b.nitride_v).abs() < 2e-6, "{a:?} {b:?}");
        }
    }
}

/// Long after a short exposure everything has the same age: R of the law itself.
#[test]
fn late_annealing_is_the_law() {
    let dose = Dose { annealing: Some(ANNEALING), ..Dose::default() };
    let quick = Exposure { rate_rad_per_s: 1e7, ..exposure() };
    let plain = Dose::default().follow(1.0, &quick).unwrap();
    let annealed = dose.follow(1.0, &quick).unwrap();
    for (a, b) in annealed.iter().zip(plain).skip(3) {
        let age = a.time_s - 0.5 * 3e5 / 1e7;
        let expected = 1.0 - 0.05 * (1.0 + age / 1e3).log10();
        let found = (a.nitride_v - 1.0) / (b.nitride_v - 1.0);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

/// Slow doses anneal while they are given, and what has left no longer screens.
#[test]
fn dose_rate_and_feedback_matter() {
    let shift = |rate_rad_per_s: f64, feedback: bool| {
        let annealing = Annealing { ladder: true, feedback, ..ANNEALING };
        let dose = Dose { annealing: Some(annealing), ..Dose::default() };
        dose.follow(2.0, &Exposure { rate_rad_per_s, ..exposure() }).unwrap()[2].nitride_v
    };
    assert!(shift(0.01, false) > shift(100.0, false) + 0.01);
    // With feedback the fields stay high, so the dose brings more.
    assert!(shift(0.01, true) < shift(0.01, false) - 1e-4);
}

#[test]
fn oxide_charge_saturates_and_starts_at_the_bound() {
    let oxide = OxideTraps { efficiency: 1.0, thickness_m: 4e-9, full_per_m2: 1e16 };
    let dose = Dose { oxide: Some(oxide), ..Dose::default() };
    let seen = |end: f64| {
        let exposure = Exposure { doses_rad: vec![end], after_s: vec![], ..exposure() };
        dose.follow(2.0, &exposure).unwrap()[0].oxide_v
    };
    let stack = Collection::default().stack;
    let field = Collection::default().fields(2.0).blocking_v_per_m;
    let per_rad =
        ELEMENTARY_CHARGE * OXIDE_PAIR_DENSITY * Collection::default().radiation.escape_yield(field) * 4e-9
            / stack.capacitance();
    // Over 1 krad a third of a percent of the traps fill.
    assert!((seen(1e3) / (-1e3 * per_rad) - 1.0).abs() < 0.01);
    let full = -ELEMENTARY_CHARGE * 1e16 / stack.capacitance();
    assert!((seen(3e7) / full - 1.0).abs() < 1e-3, "{} {full}", seen(3e7));
}

#[test]
fn interface_traps_build_up() {
    let interface = InterfaceTraps { per_m2_ev_at_krad: 1e13, ..InterfaceTraps::default() };
    let dose = Dose { interface: Some(interface), ..Dose::default() };
    let quick = Exposure { rate_rad_per_s: 1e9, ..exposure() };
    let moments = dose.follow(0.5, &quick).unwrap();
    let last = moments[5];
    let expected = 1e13 * 300f64.powf(2.0 / 3.0);
    assert!((last.traps_per_m2_ev / expected - 1.0).abs() < 1e-9, "all there after 1e7 s");
    assert!(moments[3].traps_per_m2_ev < 0.7 * expected);
    // n grows by q D_it/C_g, the threshold by that times φ_F.
    let capacitance = dose.collection.stack.capacitance();
    let growth = interface.slope_factor(1.4, last.traps_per_m2_ev, capacitance) - 1.4;
    assert!((last.interface_v / growth - dose.collection.stack.fermi_potential_v()).abs() < 1e-12);
    assert!(interface.mobility_ratio(last.traps_per_m2_ev) < 1.0);
}

/// Spread of sampled cells against the closed form: 2 %, four standard errors of 20000 cells.
#[test]
fn sampled_spread_is_the_closed_form() {
    let moments = Dose::default().follow(2.0, &exposure()).unwrap();
    let counting = moments[1].counting(&Collection::default(), 2.0).unwrap();
    let stream = Stream::new(5, &["dose test"], &[]);
    let draws: Vec<f64> = (0..20_000).map(|cell| counting.deviation_v(1e5, &stream, cell)).collect();
    let variance = draws.iter().map(|x| x * x).sum::<f64>() / draws.len() as f64;
    assert!((variance.sqrt() / counting.sigma_vt(1e5) - 1.0).abs() < 0.02);
    // Every caught charge moved the threshold by a step: means agree with the path.
    let moved = (moments[1].electrons_per_m2 - moments[1].holes_per_m2) * ELEMENTARY_CHARGE
        / Collection::default().stack.top_capacitance(4e-9);
    assert!((moved - (moments[1].nitride_v - 2.0)).abs() < 1e-5, "{moved}");
}
