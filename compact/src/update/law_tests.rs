//! Closed forms and properties of the laws.

use super::*;
use proptest::prelude::*;

#[test]
fn small_exponential_steps_make_a_logarithmic_ramp() {
    let law = Law::Logarithmic(LogarithmicRamp { nu_up: 4.0, nu_down: 4.0 });
    let device = PulsedDevice::new(law, 1e-4, 0.0, 1.0, 0.0);
    let ramp = device.ramp(0.0, Direction::Up, 20_000);
    // The difference of a sum and an integral: about one step.
    assert!((ramp[19_999] - logarithmic(1e-4, 4.0, 1.0, 2e4)).abs() < 1e-4);
    // Down from the top mirrors up from the bottom.
    let back = device.ramp(1.0, Direction::Down, 20_000);
    assert!((1.0 - back[19_999] - ramp[19_999]).abs() < 1e-12);
}

#[test]
fn neurosim_covers_its_range_in_its_pulses() {
    let values = [0.9, 0.7, 250.0, 400.0];
    let form = form::FORMS.iter().find(|form| form.info.name == "update-neurosim").unwrap();
    let (law, cell) = (form.device)(&values);
    let mut states = Vec::new();
    assert!((law.ramp(&cell, -0.7, Direction::Up, 1000, &mut states) - 0.9).abs() < 1e-12);
    let closed = -0.7 + 1.6 / (1.0 - (-4.0_f64).exp()) * (1.0 - (-300.0_f64 / 250.0).exp());
    assert!((states[299] - closed).abs() < 1e-12);
    assert!((law.ramp(&cell, 0.9, Direction::Down, 1000, &mut states) + 0.7).abs() < 1e-12);
}

/// CrossSim's forms are flows: two requests in a row are their sum.
#[test]
fn requests_add_up() {
    for law in [
        Law::CrossSimAsymmetric(CrossSimAsymmetric::new(1.7)),
        Law::CrossSimSymmetric(CrossSimSymmetric::new(1.7)),
    ] {
        for direction in [Direction::Up, Direction::Down] {
            let device = |step| PulsedDevice::new(law.clone(), step, 0.0, 1.0, -1.0);
            let once = device(0.3).ramp(0.1, direction, 1)[0];
            let thrice = device(0.1).ramp(0.1, direction, 3)[2];
            assert!((once - thrice).abs() < 1e-12 && (once - 0.1) * direction.sign() > 0.0);
        }
    }
    // The symmetric form steps alike both ways at the middle, and a request of little nonlinearity is obeyed.
    let gentle = Law::CrossSimSymmetric(CrossSimSymmetric::new(1e-3));
    let ramp = PulsedDevice::new(gentle, 0.1, 0.0, 1.0, -1.0).ramp(0.0, Direction::Up, 1);
    assert!((ramp[0] - 0.1).abs() < 1e-3);
}

#[test]
fn a_wall_rests_in_notches() {
    let law = Law::DomainWall(DomainWall { pitch: 0.1 });
    let device = PulsedDevice::new(law.clone(), 0.07, 0.0, 1.0, 0.0);
    let ramp = device.ramp(0.0, Direction::Up, 30);
    assert!(ramp.iter().all(|x| ((x / 0.1).round() * 0.1 - x).abs() < 1e-12));
    assert!((ramp[4] - 0.5).abs() < 1e-12 && (ramp[29] - 1.0).abs() < 1e-12);
    // Less than half a pitch: it stays.
    assert_eq!(PulsedDevice::new(law, 0.04, 0.0, 1.0, 0.0).ramp(0.0, Direction::Up, 30)[29], 0.0);
    // 1e-10 m3/(A s) at 5e11 A/m2 above threshold for 2 ns over 200 nm: 50 m/s, half of the track.
    let part = DomainWall::displacement(1e-10, -6e11, 1e11, 2e-9, 2e-7);
    assert!((part + 0.5).abs() < 1e-12);
    assert_eq!(DomainWall::displacement(1e-10, 0.9e11, 1e11, 2e-9, 2e-7), 0.0);
}

#[test]
fn ecram_steps_are_equal_at_the_centre() {
    let law = EcramStep { gamma_up: 0.3, gamma_down: 0.6, centre: 0.25 };
    let device = PulsedDevice::new(Law::Ecram(law), 0.01, 0.0, 1.0, -1.0);
    let cell = device.typical();
    assert_eq!((law.up(&cell, 0.25), law.down(&cell, 0.25)), (0.01, 0.01));
    assert!((law.up(&cell, 1.25) - 0.01 * 0.85).abs() < 1e-15);
    assert!((law.down(&cell, 1.25) - 0.01 * 1.3).abs() < 1e-15);
}

#[test]
fn far_bounds_of_the_power_law_are_the_exponential_step() {
    // The power is 944: the step at the far bound would be 3.6^944, the one at weight 0 is an ordinary number.
    let form = form::FORMS.iter().find(|form| form.info.name == "update-pow-step").unwrap();
    let (law, cell) = (form.device)(&[1e-3, 1e-3, 42.0, 16.0, 59.0, 59.0]);
    for w in [-0.02, 0.0, 0.03] {
        let powers = [59.0 * 42.0 * f64::ln_1p(-w / 42.0), 59.0 * 16.0 * f64::ln_1p(w / 16.0)];
        assert!((law.up(&cell, w) / (1e-3 * powers[0].exp()) - 1.0).abs() < 1e-10);
        assert!((law.down(&cell, w) / (1e-3 * powers[1].exp()) - 1.0).abs() < 1e-10);
        assert!((law.up(&cell, w) / (1e-3 * (-59.0 * w).exp()) - 1.0).abs() < 0.01);
    }
}

proptest! {
    /// Ramps of any fitted law with any values inside its bounds stay numbers inside the cell's bounds, and go up
    /// with up pulses as long as the law does not overshoot its own asymptote.
    #[test]
    fn ramps_are_bounded(which in 0usize..12, parts in prop::collection::vec(0.02f64..0.98, 10), start in -1.0f64..1.0) {
        let form = &form::FORMS[which];
        let values: Vec<f64> = form.info.parameters.iter().zip(&parts).map(|(info, part)| {
            let parameter = info.starting_at(info.default);
            parameter.value((part / (1.0 - part)).ln())
        }).collect();
        let (law, cell) = (form.device)(&values);
        let mut states = Vec::new();
        let top = law.ramp(&cell, start, Direction::Up, 50, &mut states);
        law.ramp(&cell, top, Direction::Down, 50, &mut states);
        prop_assert!(states.iter().all(|state| !state.is_nan()), "{:?} {:?}", values, states);
        prop_assert!(states[..50].iter().all(|&state| state <= cell.max - cell.reference));
    }
}
