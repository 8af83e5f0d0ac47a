//! Ordinary differential equations.
//!
//! [`integrate`] is the explicit Dormand-Prince method of `ode_solvers`, wrapped; [`integrate_stiff`] a small
//! Rosenbrock method for one equation that relaxes much faster than it is watched; [`stiff`] the method for
//! stiff systems of any size, with events.
//!
//! The dense output of that crate can return a wrong last point while it reports success (its end-point
//! rule fires on an early step when the output spacing equals the span). This wrapper integrates past the
//! last wanted point and evaluates the continuous output inside finished steps only.

pub mod stiff;
#[cfg(test)]
mod suite;

use nalgebra::SVector;
use ode_solvers::continuous_output_model::ContinuousOutputModel;
use ode_solvers::{Dopri5, OutputType, System};
use thiserror::Error;

/// Accuracy and effort of an integration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Relative tolerance of a step.
    pub relative: f64,
    /// Absolute tolerance of a step, in units of the state.
    pub absolute: f64,
    /// Most steps before the integration gives up.
    pub max_steps: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { relative: 1e-8, absolute: 1e-10, max_steps: 20_000 }
    }
}

/// Why an integration has no result.
#[derive(Debug, Clone, Error, PartialEq)]
pub enum OdeError {
    /// The wanted points are not finite, not ascending, or before the start.
    #[error("output point {index} is {point}, expected finite ascending points from {start} on")]
    Points {
        /// Index of the first bad point.
        index: usize,
        /// The bad point.
        point: f64,
        /// Start of the integration.
        start: f64,
    },
    /// The solver gave up: too many steps, step underflow, or stiffness.
    #[error("integration stopped: {0}")]
    Solver(String),
    /// The state is no longer finite at this point.
    #[error("state is not finite at {0}")]
    NotFinite(f64),
}

/// How far past the last wanted point the integration runs, as a fraction of the span.
const OVERRUN: f64 = 0.01;

/// The right-hand side with its origin moved to zero (the continuous output keeps absolute values of
/// break points, so a negative origin would confuse it).
struct Shifted<F> {
    derivative: F,
    start: f64,
}

impl<F, const N: usize> System<f64, SVector<f64, N>> for Shifted<F>
where
    F: Fn(f64, &SVector<f64, N>) -> SVector<f64, N>,
{
    fn system(&self, x: f64, y: &SVector<f64, N>, dy: &mut SVector<f64, N>) {
        *dy = (self.derivative)(self.start + x, y);
    }
}

/// Integrates dy/dx = `derivative(x, y)` from `(start, initial)` and returns y at each of `points`, which
/// must ascend from `start`.
///
/// # Errors
/// [`OdeError`] when the points are bad, the solver gives up, or the state stops being finite.
///
/// ```
/// use mho_physics::ode::{Options, integrate};
/// use nalgebra::SVector;
/// let y = integrate(|_, y: &SVector<f64, 1>| -y, 0.0, SVector::from([1.0]), &[1.0, 2.0], Options::default())?;
/// assert!((y[1][0] - (-2.0f64).exp()).abs() < 1e-7);
/// # Ok::<(), mho_physics::ode::OdeError>(())
/// ```
pub fn integrate<F, const N: usize>(
    derivative: F,
    start: f64,
    initial: SVector<f64, N>,
    points: &[f64],
    options: Options,
) -> Result<Vec<SVector<f64, N>>, OdeError>
where
    F: Fn(f64, &SVector<f64, N>) -> SVector<f64, N>,
{
    let span = check(start, points)? - start;
    if span <= 0.0 {
        return Ok(vec![initial; points.len()]);
    }
    let end = span * (1.0 + OVERRUN);
    // The limits of step growth and the PI controller are the defaults of the solver.
    let mut stepper = Dopri5::from_param(
        Shifted { derivative, start },
        0.0,
        end,
        end,
        initial,
        options.relative,
        options.absolute,
        0.9,
        0.04,
        0.2,
        10.0,
        end,
        0.0,
        options.max_steps,
        1000,
        OutputType::Continuous,
    );
    let mut output = ContinuousOutputModel::new();
    stepper
        .integrate_with_continuous_output_model(&mut output)
        .map_err(|error| OdeError::Solver(error.to_string()))?;
    points
        .iter()
        .map(|&point| {
            if point == start {
                return Ok(initial);
            }
            output
                .evaluate(point - start)
                .filter(|state| state.iter().all(|value| value.is_finite()))
                .ok_or(OdeError::NotFinite(point))
        })
        .collect()
}

/// The last of points that ascend from a start, or the start where there are none.
fn check(start: f64, points: &[f64]) -> Result<f64, OdeError> {
    let mut before = start;
    for (index, &point) in points.iter().enumerate() {
        if !(point.is_finite() && point >= before) {
            return Err(OdeError::Points { index, point, start });
        }
        before = point;
    }
    Ok(before)
}

/// Integrates the single equation dy/dt = `rate(y)` from `initial` at t = 0 and returns y at each of `times`,
/// which must ascend from 0.
///
/// Rodas3 (Sandu et al. 1997): a stiffly accurate, L-stable Rosenbrock method of order 3 with an embedded
/// second order, the derivative of `rate` by central differences. Steps end on every wanted time.
///
/// # Errors
/// [`OdeError`] when the times are bad, the step count runs out, or the state stops being finite.
pub fn integrate_stiff(
    rate: impl Fn(f64) -> f64,
    initial: f64,
    times: &[f64],
    options: Options,
) -> Result<Vec<f64>, OdeError> {
    let (mut now, mut state, mut steps) = (0.0, initial, 0);
    let mut found = Vec::with_capacity(times.len());
    // A first step that moves the state by its tolerance; the controller opens it at once.
    let scale = |a: f64, b: f64| options.absolute + options.relative * a.abs().max(b.abs());
    let first = scale(initial, initial) / rate(initial).abs();
    let mut wanted_step = if first.is_finite() && first > 0.0 { first } else { f64::MAX };
    for (index, &time) in times.iter().enumerate() {
        if !(time.is_finite() && time >= now) {
            return Err(OdeError::Points { index, point: time, start: 0.0 });
        }
        while now < time {
            steps += 1;
            if steps > options.max_steps {
                return Err(OdeError::Solver(format!("more than {} steps at {now}", options.max_steps)));
            }
            let last = now + wanted_step >= time;
            let step = if last { time - now } else { wanted_step };
            let (next, error) = rodas3(&rate, state, step);
            let error = error.abs() / scale(state, next);
            if !error.is_finite() && step <= f64::EPSILON * time {
                return Err(OdeError::NotFinite(now));
            }
            let factor = if error.is_finite() { (0.9 * error.powf(-1.0 / 3.0)).clamp(0.2, 5.0) } else { 0.1 };
            if error <= 1.0 {
                now = if last { time } else { now + step };
                state = next;
                // A step cut short at a wanted time says nothing against the longer one.
                wanted_step = if last { wanted_step.max(step * factor) } else { step * factor };
            } else {
                wanted_step = step * factor;
            }
        }
        found.push(state);
    }
    Ok(found)
}

/// One step of Rodas3 for a single autonomous equation: the new state and the error estimate.
fn rodas3(rate: impl Fn(f64) -> f64, state: f64, step: f64) -> (f64, f64) {
    let probe = 1e-6 * (1.0 + state.abs());
    let slope = (rate(state + probe) - rate(state - probe)) / (2.0 * probe);
    // An implicit step can leap over the pole of a growing solution: there the step follows the growth.
    if slope * step > 0.5 {
        return (state, f64::INFINITY);
    }
    let diagonal = 2.0 / step - slope;
    let here = rate(state);
    let k1 = here / diagonal;
    let k2 = (here + 4.0 * k1 / step) / diagonal;
    let k3 = (rate(state + 2.0 * k1) + (k1 - k2) / step) / diagonal;
    let k4 = (rate(state + 2.0 * k1 + k3) + (k1 - k2 - 8.0 / 3.0 * k3) / step) / diagonal;
    (state + 2.0 * k1 + k3 + k4, k4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Robertson's reaction to t = 0.4 by the plain solver gave 134129 or 1.461e-3 for y2, depending on the
    /// output spacing; the right value is 3.386e-5.
    #[test]
    fn robertson_end_point_is_right() {
        let reaction = |_: f64, y: &SVector<f64, 3>| {
            let slow = 0.04 * y[0];
            let back = 1e4 * y[1] * y[2];
            let fast = 3e7 * y[1] * y[1];
            SVector::from([-slow + back, slow - back - fast, fast])
        };
        let options = Options { relative: 1e-6, absolute: 1e-10, max_steps: 100_000 };
        let ends: Vec<_> = [vec![0.4], vec![0.04, 0.4], vec![0.1, 0.2, 0.3, 0.4]]
            .iter()
            .map(|points| {
                *integrate(reaction, 0.0, SVector::from([1.0, 0.0, 0.0]), points, options)
                    .unwrap()
                    .last()
                    .unwrap()
            })
            .collect();
        for end in ends {
            assert!((end[1] - 3.386e-5).abs() < 1e-8, "{}", end[1]);
            assert!((end.sum() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn exponential_at_many_points_and_negative_start() {
        let points: Vec<f64> = (0..=40).map(|i| -1.0 + 0.1 * f64::from(i)).collect();
        let found =
            integrate(|_, y: &SVector<f64, 1>| -y, -1.0, SVector::from([1.0]), &points, Options::default())
                .unwrap();
        for (x, y) in points.iter().zip(found) {
            assert!((y[0] - (-(x + 1.0)).exp()).abs() < 1e-7);
        }
    }

    #[test]
    fn bad_points_are_refused() {
        let decay = |_: f64, y: &SVector<f64, 1>| -y;
        let start = SVector::from([1.0]);
        let error = integrate(decay, 0.0, start, &[2.0, 1.0], Options::default()).unwrap_err();
        assert!(matches!(error, OdeError::Points { index: 1, .. }));
        assert!(integrate(decay, 0.0, start, &[f64::NAN], Options::default()).is_err());
        assert_eq!(integrate(decay, 0.0, start, &[0.0, 0.0], Options::default()).unwrap().len(), 2);
        assert!(integrate(decay, 0.0, start, &[], Options::default()).unwrap().is_empty());
    }

    #[test]
    fn blow_up_is_an_error() {
        let grow = |_: f64, y: &SVector<f64, 1>| SVector::from([y[0] * y[0]]);
        assert!(integrate(grow, 0.0, SVector::from([1.0]), &[2.0], Options::default()).is_err());
    }

    #[test]
    fn stiff_relaxation_is_followed_and_then_rests() {
        // y' = −λ (y − y³/3) has a stable rest at 0: y/√(1 − y²/3) decays exponentially.
        let lambda = 1e6;
        let rate = |y: f64| -lambda * (y - y * y * y / 3.0);
        let times = [0.0, 1e-8, 1e-6, 3e-6, 1.0, 1e6];
        let options = Options { relative: 1e-7, absolute: 1e-9, ..Options::default() };
        let found = integrate_stiff(rate, 1.0, &times, options).unwrap();
        for (time, value) in times.iter().zip(found) {
            let w = (1.0f64 / (2.0 / 3.0f64).sqrt()) * (-lambda * time).exp();
            let exact = w / (1.0 + w * w / 3.0).sqrt();
            assert!((value - exact).abs() < 1e-5, "{time}: {value} against {exact}");
        }
        assert!(integrate_stiff(rate, 1.0, &[1.0, 0.5], options).is_err());
        assert!(integrate_stiff(|y| y * y, 1.0, &[2.0], options).is_err());
    }
}
