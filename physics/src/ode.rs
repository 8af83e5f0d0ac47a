//! Ordinary differential equations: the explicit Dormand-Prince method of `ode_solvers`, wrapped.
//!
//! The dense output of that crate can return a wrong last point while it reports success (its end-point
//! rule fires on an early step when the output spacing equals the span). This wrapper integrates past the
//! last wanted point and evaluates the continuous output inside finished steps only.

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
    let mut before = start;
    for (index, &point) in points.iter().enumerate() {
        if !(point.is_finite() && point >= before) {
            return Err(OdeError::Points { index, point, start });
        }
        before = point;
    }
    let span = before - start;
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
}
