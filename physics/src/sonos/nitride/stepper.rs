//! Steps in time for the nitride equation.
//!
//! ROS2 (Verwer et al. 1999): a Rosenbrock method of order 2 that keeps its order with any approximation of
//! the Jacobian and is L-stable with the exact one. The stiff parts of this equation (the feedback of the
//! stored charge on the injecting fields, the filling of a trap, emission) are a diagonal and two outer
//! products, so a step costs a few passes over the cells.

use super::law::{Derivative, Jacobian, Law, SUMS};
use super::{Accuracy, State};
use crate::ode::OdeError;

/// γ of ROS2: 1 − 1/√2, the smaller of the two that make it L-stable.
const GAMMA: f64 = 1.0 - std::f64::consts::FRAC_1_SQRT_2;

/// Most that a step may move the threshold in V. The estimate of the error vanishes where the motion has an
/// inflection, and a step must not leap over what comes after it.
const LONGEST_MOVE_V: f64 = 0.1;

/// Follows the equation with steps that adapt.
pub(super) struct Stepper<'a> {
    law: &'a Law<'a>,
    accuracy: Accuracy,
    cell_floor: f64,
    wanted: Option<f64>,
    steps: u32,
}

impl<'a> Stepper<'a> {
    pub(super) fn new(law: &'a Law<'a>, accuracy: Accuracy) -> Self {
        // Charges that shift the threshold by less than the tolerance need no relative accuracy.
        Self { law, accuracy, cell_floor: law.cell_charge(50.0 * accuracy.shift_v), wanted: None, steps: 0 }
    }

    pub(super) fn steps(&self) -> u32 {
        self.steps
    }

    /// A first step over which the threshold would move by the tolerance.
    fn first(&self, here: &Derivative) -> f64 {
        let rate = self.law.shift(&here.cells).abs();
        if rate > 0.0 { self.accuracy.shift_v / rate } else { f64::MAX }
    }

    pub(super) fn advance(&mut self, state: &mut State, from: f64, to: f64) -> Result<(), OdeError> {
        let mut now = from;
        let mut here = self.law.derivative(&state.profile.cells, &state.profile.cells);
        while now < to {
            let cells = &state.profile.cells;
            let jacobian = self.law.jacobian(cells);
            let mut wanted = self.wanted.unwrap_or_else(|| self.first(&here));
            loop {
                self.steps += 1;
                if self.steps > self.accuracy.max_steps {
                    return Err(OdeError::Solver(format!(
                        "more than {} steps at {now} s",
                        self.accuracy.max_steps
                    )));
                }
                let last = now + wanted >= to;
                let step = if last { to - now } else { wanted };
                let (next, error) = self.step(cells, &here, &jacobian, step);
                let factor = if error.is_finite() { (0.9 / error.sqrt()).clamp(0.2, 4.0) } else { 0.1 };
                if error <= 1.0 {
                    now = if last { to } else { now + step };
                    // The trapezoidal rule over the ends of the step: its middle may lie off the path where
                    // the equation is stiff.
                    let there = self.law.derivative(&next, &next);
                    add(state, 0.5 * step, &here.sums, &there.sums);
                    state.profile.cells = next;
                    here = there;
                    // A step cut short at a wanted time says nothing against the longer one.
                    self.wanted = Some(if last { wanted.max(step * factor) } else { step * factor });
                    break;
                }
                if step <= f64::EPSILON * now {
                    return Err(OdeError::NotFinite(now));
                }
                wanted = step * factor.min(0.9);
            }
        }
        Ok(())
    }

    /// The cells after a step, with the error in units of the tolerance.
    fn step(&self, cells: &[f64], here: &Derivative, jacobian: &Jacobian, step: f64) -> (Vec<f64>, f64) {
        let Some(matrix) = Inverse::new(jacobian, GAMMA * step) else {
            return (Vec::new(), f64::INFINITY);
        };
        let first = matrix.apply(here.cells.clone());
        let middle: Vec<f64> = cells.iter().zip(&first).map(|(cell, k)| cell + step * k).collect();
        let there = self.law.derivative(&middle, cells);
        let second = matrix.apply(there.cells.iter().zip(&first).map(|(f, k)| f - 2.0 * k).collect());
        let next: Vec<f64> = cells
            .iter()
            .zip(first.iter().zip(&second))
            .map(|(cell, (a, b))| cell + step * (1.5 * a + 0.5 * b))
            .collect();
        let difference: Vec<f64> = first.iter().zip(&second).map(|(a, b)| 0.5 * step * (a + b)).collect();
        let error = self.error(cells, &next, &difference);
        (next, error)
    }

    fn error(&self, before: &[f64], after: &[f64], difference: &[f64]) -> f64 {
        let moved = (self.law.shift(after) - self.law.shift(before)).abs() / LONGEST_MOVE_V;
        let shift = (self.law.shift(difference).abs() / self.accuracy.shift_v).max(moved * moved);
        let squares: f64 = before
            .iter()
            .zip(after)
            .zip(difference)
            .map(|((a, b), error)| {
                let scale = self.cell_floor + self.accuracy.relative * a.abs().max(b.abs());
                (error / scale).powi(2)
            })
            .sum();
        let cells = (squares / before.len() as f64).sqrt();
        // `max` would lose a NaN.
        if shift.is_finite() && cells.is_finite() { shift.max(cells) } else { f64::INFINITY }
    }
}

fn add(state: &mut State, half_step: f64, before: &[f64; SUMS], after: &[f64; SUMS]) {
    let tally = &mut state.tally;
    let totals = [
        &mut tally.channel,
        &mut tally.gate,
        &mut tally.swept,
        &mut tally.passed,
        &mut tally.emitted,
        &mut tally.turnover,
    ];
    for (total, (before, after)) in totals.into_iter().zip(before.iter().zip(after)) {
        *total += half_step * (before + after);
    }
}

/// (1 − g J)⁻¹ by the Woodbury identity: J is a diagonal and two outer products.
struct Inverse<'a> {
    jacobian: &'a Jacobian,
    /// 1/(1 − g J_diagonal).
    scale: Vec<f64>,
    /// The two outer products' left vectors, times g and the scale.
    left: Vec<f64>,
    right: Vec<f64>,
    /// Inverse of the 2 × 2 capacitance matrix.
    small: [[f64; 2]; 2],
}

impl<'a> Inverse<'a> {
    /// None where the matrix is singular or a step would leap over the pole of a growing mode.
    fn new(jacobian: &'a Jacobian, g: f64) -> Option<Self> {
        let scale: Vec<f64> = jacobian.diagonal.iter().map(|d| 1.0 / (1.0 - g * d)).collect();
        let scaled = |side: &[f64]| -> Vec<f64> { side.iter().zip(&scale).map(|(s, k)| g * s * k).collect() };
        let left = scaled(&jacobian.left);
        let right = scaled(&jacobian.right);
        let (t, b) = (&jacobian.tunnel_field, &jacobian.blocking_field);
        let matrix = [[1.0 - dot(t, &left), -dot(t, &right)], [-dot(b, &left), 1.0 - dot(b, &right)]];
        let determinant = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0];
        (determinant > 0.0 && determinant.is_finite()).then(|| Self {
            jacobian,
            left,
            right,
            small: [
                [matrix[1][1] / determinant, -matrix[0][1] / determinant],
                [-matrix[1][0] / determinant, matrix[0][0] / determinant],
            ],
            scale,
        })
    }

    fn apply(&self, mut vector: Vec<f64>) -> Vec<f64> {
        vector.iter_mut().zip(&self.scale).for_each(|(value, scale)| *value *= scale);
        let t = dot(&self.jacobian.tunnel_field, &vector);
        let b = dot(&self.jacobian.blocking_field, &vector);
        let left = self.small[0][0] * t + self.small[0][1] * b;
        let right = self.small[1][0] * t + self.small[1][1] * b;
        for (value, (l, r)) in vector.iter_mut().zip(self.left.iter().zip(&self.right)) {
            *value += left * l + right * r;
        }
        vector
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
