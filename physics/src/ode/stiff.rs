//! Stiff systems of any size: a Rosenbrock method of order 4 with its own continuous output and events.
//!
//! ```
//! use mho_physics::ode::{Options, stiff};
//! use nalgebra::DVector;
//! // A fast and a slow decay; log-spaced times cost nothing.
//! let rate = |_: f64, y: &DVector<f64>| DVector::from_vec(vec![-1e6 * (y[0] - y[1]), -y[1]]);
//! let times = [1e-7, 1e-3, 1.0, 10.0];
//! let states = stiff::integrate(rate, 0.0, DVector::from_vec(vec![0.0, 1.0]), &times, Options::default())?;
//! assert!((states[2][1] - (-1.0f64).exp()).abs() < 1e-7);
//! # Ok::<(), mho_physics::ode::OdeError>(())
//! ```
//!
//! [`System`] is the same with a Jacobian, tolerances per component, and an event that ends the integration
//! (a state that reaches its limit); its [`Trajectory`] keeps the points before a failure. A rate that is
//! not finite outside its domain makes the step shorter, it is no failure by itself.
//!
//! Method: RODAS of Hairer and Wanner (Solving Ordinary Differential Equations II, 2nd edition 1996, section
//! IV.7): six stages, one matrix decomposition per step, stiffly accurate and L-stable, order 4 with an
//! embedded order 3; the continuous output is of order 3 and, other than Hermite's cubic, needs no
//! derivative at the ends, which a stiff equation amplifies.

mod step;

use super::{OdeError, Options};
use nalgebra::{DMatrix, DVector};
use step::{Step, attempt};

/// A rate of change: time and state to the derivative.
type Rate<'a> = dyn Fn(f64, &DVector<f64>) -> DVector<f64> + 'a;
/// Derivatives of the rate by the state.
type Jacobian<'a> = dyn Fn(f64, &DVector<f64>) -> DMatrix<f64> + 'a;
/// A quantity whose passing through zero is an event.
type Event<'a> = dyn Fn(f64, &DVector<f64>) -> f64 + 'a;

/// Integrates dy/dt = `rate(t, y)` from `(start, initial)` and returns y at each of `times`, which must
/// ascend from `start`.
///
/// # Errors
/// [`OdeError`] when the times are bad, the rate has another length than the state, the step count runs out,
/// or the state stops being finite. [`System::solve`] keeps the points before that.
pub fn integrate(
    rate: impl Fn(f64, &DVector<f64>) -> DVector<f64>,
    start: f64,
    initial: DVector<f64>,
    times: &[f64],
    options: Options,
) -> Result<Vec<DVector<f64>>, OdeError> {
    let trajectory = System::new(&rate).solve(start, initial, times, options)?;
    trajectory.stopped.map_or(Ok(trajectory.states), Err)
}

/// An equation dy/dt = f(t, y) with what is known about it.
#[derive(Clone, Copy)]
pub struct System<'a> {
    rate: &'a Rate<'a>,
    jacobian: Option<&'a Jacobian<'a>>,
    absolute: Option<&'a DVector<f64>>,
    event: Option<&'a Event<'a>>,
}

/// What an integration found.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// The state at each wanted time that was reached.
    pub states: Vec<DVector<f64>>,
    /// Time and state at which the event ended the integration.
    pub event: Option<(f64, DVector<f64>)>,
    /// Why the integration gave up before the last wanted time.
    pub stopped: Option<OdeError>,
    /// Steps taken.
    pub accepted: u32,
    /// Steps tried and found too long.
    pub rejected: u32,
}

impl<'a> System<'a> {
    /// The equation alone: its Jacobian is found by differences.
    #[must_use]
    pub fn new(rate: &'a Rate<'a>) -> Self {
        Self { rate, jacobian: None, absolute: None, event: None }
    }

    /// With its Jacobian ∂f_i/∂y_j in row i, column j.
    #[must_use]
    pub fn jacobian(mut self, jacobian: &'a Jacobian<'a>) -> Self {
        self.jacobian = Some(jacobian);
        self
    }

    /// With an absolute tolerance for each component, in its unit, in place of the one of the options.
    #[must_use]
    pub fn absolute(mut self, tolerances: &'a DVector<f64>) -> Self {
        self.absolute = Some(tolerances);
        self
    }

    /// With an event: the integration ends where this function of time and state passes through zero. (A
    /// passing there and back within one step is not seen.)
    #[must_use]
    pub fn until(mut self, event: &'a Event<'a>) -> Self {
        self.event = Some(event);
        self
    }

    /// Integrates from `(start, initial)` to each of `times`, which must ascend from `start`.
    ///
    /// # Errors
    /// [`OdeError`] when there is nothing to begin with: bad times, a start or a rate there that is not
    /// finite, lengths that do not agree. What goes wrong later is in [`Trajectory::stopped`].
    pub fn solve(
        &self,
        start: f64,
        initial: DVector<f64>,
        times: &[f64],
        options: Options,
    ) -> Result<Trajectory, OdeError> {
        let end = super::check(start, times)?;
        let first = (self.rate)(start, &initial);
        let absolute = match self.absolute {
            Some(given) => given.clone(),
            None => DVector::from_element(initial.len(), options.absolute),
        };
        if first.len() != initial.len() || absolute.len() != initial.len() {
            return Err(OdeError::Solver(format!(
                "a state of {} components with a rate of {} and {} tolerances",
                initial.len(),
                first.len(),
                absolute.len()
            )));
        }
        if !start.is_finite() || initial.iter().chain(&first).any(|value| !value.is_finite()) {
            return Err(OdeError::NotFinite(start));
        }
        if initial.is_empty() {
            let states = vec![initial; times.len()];
            return Ok(Trajectory { states, event: None, stopped: None, accepted: 0, rejected: 0 });
        }
        let tolerance = Tolerance { absolute, relative: options.relative };
        // A first step that moves the state by its tolerance; the controller opens it at once.
        let moved = tolerance.norm(&first, &initial, &initial);
        let span = end - start;
        let step = if moved * span > 1.0 { 1.0 / moved } else { span };
        let run = Run { system: self, tolerance, max_steps: options.max_steps };
        Ok(run.follow(start, initial, times, step))
    }
}

/// Allowed errors.
struct Tolerance {
    absolute: DVector<f64>,
    relative: f64,
}

impl Tolerance {
    /// Root mean square of an error over what is allowed between two states; zero for an empty state.
    fn norm(&self, error: &DVector<f64>, a: &DVector<f64>, b: &DVector<f64>) -> f64 {
        let sum: f64 = (0..error.len())
            .map(|i| (error[i] / (self.absolute[i] + self.relative * a[i].abs().max(b[i].abs()))).powi(2))
            .sum();
        (sum / error.len().max(1) as f64).sqrt()
    }
}

/// One integration.
struct Run<'a> {
    system: &'a System<'a>,
    tolerance: Tolerance,
    max_steps: u32,
}

impl Run<'_> {
    fn follow(&self, start: f64, initial: DVector<f64>, times: &[f64], step: f64) -> Trajectory {
        let mut found =
            Trajectory { states: Vec::new(), event: None, stopped: None, accepted: 0, rejected: 0 };
        let end = times.last().copied().unwrap_or(start);
        let (mut now, mut state, mut wanted) = (start, initial, step);
        let mut sign = self.system.event.map(|event| event(now, &state));
        while times.get(found.states.len()).is_some_and(|&time| time <= now) {
            found.states.push(state.clone());
        }
        let (mut grow, mut landing) = (5.0, false);
        while let Some(&wish) = times.get(found.states.len()) {
            if found.accepted + found.rejected >= self.max_steps {
                let why = format!("more than {} steps at {now}", self.max_steps);
                found.stopped = Some(OdeError::Solver(why));
                break;
            }
            let target = if landing { wish } else { end };
            let lands = now + wanted >= target;
            let (size, next_time) = if lands { (target - now, target) } else { (wanted, now + wanted) };
            if !lands && size <= 4.0 * f64::EPSILON * now.abs() || size < f64::MIN_POSITIVE {
                found.stopped = Some(OdeError::Solver(format!("steps shrink to nothing at {now}")));
                break;
            }
            let small = |i: usize| self.tolerance.absolute[i];
            let tried = attempt(self.system.rate, self.system.jacobian, now, &state, size, &small);
            let error = tried
                .as_ref()
                .map_or(f64::INFINITY, |step| self.tolerance.norm(&step.error, &state, &step.next));
            let Some(step) = tried.filter(|_| error <= 1.0) else {
                found.rejected += 1;
                grow = 1.0;
                wanted = size * if error.is_finite() { (0.9 * error.powf(-0.25)).max(0.2) } else { 0.1 };
                continue;
            };
            let fine = |time: f64| {
                let part = (time - now) / size;
                time >= next_time
                    || step
                        .doubt(self.system.rate, now, &state, size, part)
                        .is_some_and(|doubt| self.tolerance.norm(&doubt, &state, &step.next) <= 1.0)
            };
            let after = self.system.event.map(|function| function(next_time, &step.next));
            let mut event = None;
            if let (Some(function), Some(before), Some(after)) = (self.system.event, sign, after)
                && before != 0.0
                && before * after <= 0.0
            {
                let (part, at) = locate(function, &step, &state, now, size, before);
                let time = if part < 1.0 { now + part * size } else { next_time };
                if !fine(time) {
                    found.rejected += 1;
                    wanted = 0.5 * size;
                    continue;
                }
                event = Some((time, at));
            }
            let reached = event.as_ref().map_or(next_time, |(time, _)| *time);
            let inside: Vec<f64> =
                times[found.states.len()..].iter().copied().take_while(|&time| time <= reached).collect();
            if !inside.iter().all(|&time| fine(time)) {
                // From here on, steps end on the wanted times.
                landing = true;
                found.rejected += 1;
                wanted = wanted.min(size);
                continue;
            }
            found.accepted += 1;
            found.states.extend(inside.into_iter().map(|time| {
                if time == next_time { step.next.clone() } else { step.at(&state, (time - now) / size) }
            }));
            if event.is_some() {
                found.event = event;
                break;
            }
            let factor = (0.9 * error.powf(-0.25)).clamp(0.2, grow);
            // A step cut short at its target says nothing against the longer one.
            wanted = if lands { wanted.max(size * factor) } else { size * factor };
            (grow, sign) = (5.0, after);
            now = next_time;
            state = step.next;
        }
        found
    }
}

/// Where inside a step an event passes through zero, by bisection on the continuous output.
fn locate(
    event: &Event<'_>,
    step: &Step,
    state: &DVector<f64>,
    now: f64,
    size: f64,
    before: f64,
) -> (f64, DVector<f64>) {
    let (mut low, mut high) = (0.0, 1.0);
    // 52 halvings: the last bit of the fraction.
    for _ in 0..52 {
        let middle = 0.5 * (low + high);
        if before * event(now + middle * size, &step.at(state, middle)) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    let at = if high == 1.0 { step.next.clone() } else { step.at(state, high) };
    (high, at)
}

#[cfg(test)]
mod tests;
