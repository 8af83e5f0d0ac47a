//! Steps in time for the nitride equation.
//!
//! ROS2 (Verwer et al. 1999): a Rosenbrock method of order 2 that keeps its order with any approximation of
//! the Jacobian and is L-stable with the exact one. The stiff parts of this equation (the feedback of the
//! stored charge on the injecting fields, the filling of a trap and what it lets pass, emission and the fields
//! that it depends on) are a diagonal, triangles of rank one and outer products, so a step costs a few passes
//! over the cells.

use nalgebra::{SMatrix, SVector};

use super::law::{Derivative, Jacobian, Law, OUTER, Product, SUMS};
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
                let (next, tally, error) = self.step(cells, &here, &jacobian, step);
                let factor = if error.is_finite() { (0.9 / error.sqrt()).clamp(0.2, 4.0) } else { 0.1 };
                if error <= 1.0 {
                    now = if last { to } else { now + step };
                    add(state, &tally);
                    here = self.law.derivative(&next, &next);
                    state.profile.cells = next;
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

    /// The cells after a step, what it adds to the sums, and the error in units of the tolerance.
    ///
    /// Sums take the same stages as the cells, and what passes is what closes the balance of each: it holds to
    /// rounding, where a rule over the ends of the step would miss what is faster than the step.
    fn step(
        &self,
        cells: &[f64],
        here: &Derivative,
        jacobian: &Jacobian,
        step: f64,
    ) -> (Vec<f64>, [f64; SUMS], f64) {
        let g = GAMMA * step;
        let Some(matrix) = Inverse::new(jacobian, g) else {
            return (Vec::new(), [0.0; SUMS], f64::INFINITY);
        };
        // Sums of a stage: `explicit` are those of its right-hand side, which the cells had too.
        let sums = |explicit: &[f64; SUMS], stage: &[f64], right: f64| {
            let implicit = jacobian.sums(stage);
            let mut sums: [f64; SUMS] = std::array::from_fn(|index| explicit[index] + g * implicit[index]);
            let moved = stage.iter().sum::<f64>() - right;
            let [channel, gate, swept, _, emitted, _] = implicit;
            sums[3] = explicit[3] + g * (channel + gate + swept - emitted) - moved;
            sums
        };
        let first = matrix.apply(here.cells.clone());
        let first_sums = sums(&here.sums, &first, here.cells.iter().sum());
        let middle: Vec<f64> = cells.iter().zip(&first).map(|(cell, k)| cell + step * k).collect();
        let there = self.law.derivative(&middle, cells);
        let right: Vec<f64> = there.cells.iter().zip(&first).map(|(f, k)| f - 2.0 * k).collect();
        let right_sum = right.iter().sum();
        let second = matrix.apply(right);
        let explicit = std::array::from_fn(|index| there.sums[index] - 2.0 * first_sums[index]);
        let second_sums = sums(&explicit, &second, right_sum);
        let next: Vec<f64> = cells
            .iter()
            .zip(first.iter().zip(&second))
            .map(|(cell, (a, b))| cell + step * (1.5 * a + 0.5 * b))
            .collect();
        let mut tally: [f64; SUMS] =
            std::array::from_fn(|index| step * (1.5 * first_sums[index] + 0.5 * second_sums[index]));
        // No less than the rest tells.
        tally[5] = tally[5].max([0, 1, 2, 4].map(|index: usize| tally[index].abs()).iter().sum());
        let difference: Vec<f64> = first.iter().zip(&second).map(|(a, b)| 0.5 * step * (a + b)).collect();
        let error = self.error(cells, &next, &difference);
        (next, tally, error)
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

fn add(state: &mut State, added: &[f64; SUMS]) {
    let tally = &mut state.tally;
    let totals = [
        &mut tally.channel,
        &mut tally.gate,
        &mut tally.swept,
        &mut tally.passed,
        &mut tally.emitted,
        &mut tally.turnover,
    ];
    for (total, added) in totals.into_iter().zip(added) {
        *total += added;
    }
}

/// (1 − g J)⁻¹ by the Woodbury identity: J is a triangle and some outer products.
struct Inverse<'a> {
    jacobian: &'a Jacobian,
    g: f64,
    /// 1/(1 − g J_diagonal).
    scale: Vec<f64>,
    /// The outer products' rows, times g, after the triangle.
    rows: [Vec<f64>; OUTER],
    /// Inverse of the capacitance matrix.
    small: SMatrix<f64, OUTER, OUTER>,
}

impl<'a> Inverse<'a> {
    /// None where the matrix is singular or a step would leap over the pole of a growing mode.
    fn new(jacobian: &'a Jacobian, g: f64) -> Option<Self> {
        if !jacobian.diagonal.iter().all(|d| g * d < 1.0) {
            return None;
        }
        let scale: Vec<f64> = jacobian.diagonal.iter().map(|d| 1.0 / (1.0 - g * d)).collect();
        let rows = std::array::from_fn(|k| {
            let mut row: Vec<f64> = jacobian.outer[k].row.iter().map(|row| g * row).collect();
            triangle(jacobian, &scale, g, &mut row);
            row
        });
        let matrix = SMatrix::<f64, OUTER, OUTER>::from_fn(|k, l| {
            f64::from(u8::from(k == l)) - dot(&jacobian.outer[k].column, &rows[l])
        });
        let determinant = matrix.determinant();
        let small = matrix.try_inverse()?;
        (determinant > 0.0 && determinant.is_finite()).then_some(Self { jacobian, g, scale, rows, small })
    }

    fn apply(&self, mut vector: Vec<f64>) -> Vec<f64> {
        triangle(self.jacobian, &self.scale, self.g, &mut vector);
        let sums = SVector::<f64, OUTER>::from_fn(|k, _| dot(&self.jacobian.outer[k].column, &vector));
        for (row, part) in self.rows.iter().zip((self.small * sums).iter()) {
            vector.iter_mut().zip(row).for_each(|(value, row)| *value += row * part);
        }
        vector
    }
}

/// Solves with the triangle of 1 − g J; `scale` is one over its diagonal.
fn triangle(jacobian: &Jacobian, scale: &[f64], g: f64, vector: &mut [f64]) {
    let mut sums = vec![0.0; jacobian.lower.len()];
    for (index, (value, scale)) in vector.iter_mut().zip(scale).enumerate() {
        let left = |(product, sum): (&Product, &f64)| product.row[index] * sum;
        *value = (*value + g * jacobian.lower.iter().zip(&sums).map(left).sum::<f64>()) * scale;
        for (product, sum) in jacobian.lower.iter().zip(&mut sums) {
            *sum += product.column[index] * *value;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
