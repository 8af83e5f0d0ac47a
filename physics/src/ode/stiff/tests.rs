use super::*;

fn vector(values: &[f64]) -> DVector<f64> {
    DVector::from_column_slice(values)
}

const TIGHT: Options = Options { relative: 1e-8, absolute: 1e-12, max_steps: 20_000 };

/// Fixed steps of a nonlinear, non-autonomous equation: halving the step divides the error by 2⁴.
#[test]
fn the_step_is_of_order_four_and_its_output_of_order_three() {
    // y' = −y² + 1/t² ... exact y = c/t with c² − c − 1 = 0.
    let c = 0.5 * (1.0 + 5.0f64.sqrt());
    let rate = |t: f64, y: &DVector<f64>| vector(&[-y[0] * y[0] + 1.0 / (t * t)]);
    let error = |count: usize| {
        let size = 1.0 / count as f64;
        let (mut state, mut inside) = (vector(&[c]), 0.0f64);
        for i in 0..count {
            let now = 1.0 + i as f64 * size;
            let step = attempt(&rate, None, now, &state, size, &|_| 1e-9).unwrap();
            inside = inside.max((step.at(&state, 0.4)[0] - c / (now + 0.4 * size)).abs());
            state = step.next;
        }
        ((state[0] - c / 2.0).abs(), inside)
    };
    let (coarse, fine) = (error(16), error(32));
    let order = (coarse.0 / fine.0).log2();
    assert!(order > 3.7, "{order}");
    // The error inside a step is local: one order more than the global one of order 3.
    let inside = (coarse.1 / fine.1).log2();
    assert!(inside > 3.3, "{inside}");
}

#[test]
fn an_event_ends_the_integration_where_it_happens() {
    // A fall from 1 under g = 1 reaches the ground at √2.
    let fall = |_: f64, y: &DVector<f64>| vector(&[y[1], -1.0]);
    let ground = |_: f64, y: &DVector<f64>| y[0];
    let found = System::new(&fall)
        .until(&ground)
        .solve(0.0, vector(&[1.0, 0.0]), &[0.5, 1.0, 1.5, 2.0], TIGHT)
        .unwrap();
    assert_eq!(found.states.len(), 2);
    let (time, state) = found.event.unwrap();
    assert!((time - 2.0f64.sqrt()).abs() < 1e-9, "{time}");
    assert!(state[0].abs() < 1e-9 && (state[1] + time).abs() < 1e-9);
    assert_eq!(found.stopped, None);
}

#[test]
fn a_failure_keeps_the_points_before() {
    let grow = |_: f64, y: &DVector<f64>| vector(&[y[0] * y[0]]);
    let found = System::new(&grow).solve(0.0, vector(&[1.0]), &[0.25, 0.5, 2.0], TIGHT).unwrap();
    assert_eq!(found.states.len(), 2);
    assert!((found.states[1][0] - 2.0).abs() < 1e-6);
    assert!(matches!(found.stopped, Some(OdeError::Solver(_) | OdeError::NotFinite(_))));
    assert!(integrate(grow, 0.0, vector(&[1.0]), &[2.0], TIGHT).is_err());
}

#[test]
fn the_end_of_a_domain_shortens_the_step() {
    // y' = −√y reaches 0 at t = 2; it has no rate below.
    let drain = |_: f64, y: &DVector<f64>| vector(&[-y[0].sqrt()]);
    let states = integrate(drain, 0.0, vector(&[1.0]), &[1.0, 1.9], TIGHT).unwrap();
    assert!((states[0][0] - 0.25).abs() < 1e-7);
    assert!((states[1][0] - 0.0025).abs() < 1e-7);
}

#[test]
fn bad_beginnings_are_refused() {
    let decay = |_: f64, y: &DVector<f64>| -y;
    let one = || vector(&[1.0]);
    assert!(matches!(
        integrate(decay, 0.0, one(), &[2.0, 1.0], TIGHT),
        Err(OdeError::Points { index: 1, .. })
    ));
    assert!(integrate(decay, 0.0, one(), &[f64::NAN], TIGHT).is_err());
    assert!(integrate(decay, f64::NAN, one(), &[1.0], TIGHT).is_err());
    assert!(integrate(decay, 0.0, vector(&[f64::NAN]), &[1.0], TIGHT).is_err());
    assert!(integrate(|_, _| vector(&[0.0, 0.0]), 0.0, one(), &[1.0], TIGHT).is_err());
    assert!(integrate(decay, 0.0, one(), &[], TIGHT).unwrap().is_empty());
    assert_eq!(integrate(decay, 0.0, one(), &[0.0, 0.0], TIGHT).unwrap(), [one(), one()]);
    assert_eq!(integrate(decay, 0.0, vector(&[]), &[1.0], TIGHT).unwrap().len(), 1);
}

#[test]
fn a_rest_stays_at_rest_through_decades() {
    let rest = |_: f64, y: &DVector<f64>| y * 0.0;
    let states = integrate(rest, 0.0, vector(&[3.0]), &[1e-9, 1.0, 1e12], TIGHT).unwrap();
    assert!(states.iter().all(|state| state[0] == 3.0));
}

/// Robertson's reaction with its Jacobian and tolerances per component: the state of the differences.
#[test]
fn a_given_jacobian_and_tolerances_are_used() {
    let rate = |_: f64, y: &DVector<f64>| {
        let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
        vector(&[back - slow, slow - back - fast, fast])
    };
    let slopes = |_: f64, y: &DVector<f64>| {
        let (back1, back2, fast) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
        DMatrix::from_row_slice(3, 3, &[-0.04, back1, back2, 0.04, -back1 - fast, -back2, 0.0, fast, 0.0])
    };
    let tolerances = vector(&[1e-8, 1e-12, 1e-8]);
    let system = System::new(&rate).jacobian(&slopes).absolute(&tolerances);
    let options = Options { relative: 1e-6, absolute: f64::NAN, max_steps: 2000 };
    let found = system.solve(0.0, vector(&[1.0, 0.0, 0.0]), &[0.4, 40.0], options).unwrap();
    let end = &found.states[1];
    assert!((end[0] - 0.715_827_068_8).abs() < 1e-6);
    assert!((end[1] / 0.918_553_476_5e-5 - 1.0).abs() < 1e-5);
    // A linear invariant of the equation is one of the method when the Jacobian is exact.
    assert!((end.sum() - 1.0).abs() < 1e-12);
    let narrow = vector(&[1e-8]);
    assert!(
        System::new(&rate).absolute(&narrow).solve(0.0, vector(&[1.0, 0.0, 0.0]), &[1.0], options).is_err()
    );
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(40))]
    /// A ring of compartments with rates over nine decades keeps its content and ends where detailed
    /// balance of the ring puts it: content inverse to the rate out.
    #[test]
    fn compartments_keep_their_content(powers in proptest::collection::vec(-3.0..6.0f64, 4)) {
        let rates: Vec<f64> = powers.iter().map(|power| 10f64.powf(*power)).collect();
        let flow = |_: f64, y: &DVector<f64>| {
            DVector::from_fn(4, |i, _| rates[(i + 3) % 4] * y[(i + 3) % 4] - rates[i] * y[i])
        };
        let times = [1e-6, 1e-3, 1.0, 1e3, 1e6];
        let states = integrate(flow, 0.0, vector(&[1.0, 0.0, 0.0, 0.0]), &times, TIGHT).unwrap();
        for state in &states {
            proptest::prop_assert!((state.sum() - 1.0).abs() < 1e-6, "{state}");
            proptest::prop_assert!(state.min() > -1e-7, "{state}");
        }
        let all: f64 = rates.iter().map(|rate| 1.0 / rate).sum();
        for (content, rate) in states[4].iter().zip(&rates) {
            proptest::prop_assert!((content - 1.0 / rate / all).abs() < 1e-6, "{}", states[4]);
        }
    }
}
