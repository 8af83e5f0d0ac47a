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
