//! Newton's iteration on Kirchhoff's law, with a preconditioned conjugate-gradient solve of each step.

use super::{Crossbar, lines::Factor};

/// Most Newton steps, refinements of linear cells included.
const NEWTON_STEPS: usize = 60;
/// A step below this part of the largest applied voltage is at the end of double precision.
const FINISHED: f64 = 1e-14;
/// Steps below this part count as converged when rounding lets them shrink no more.
const ACCEPTED: f64 = 1e-10;
/// Reduction of the preconditioned residual in one linear solve; refinement gives the rest.
const REDUCTION: f64 = 1e-9;

/// State of an array for one input. Per-cell values are rows x columns, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Current out of every column into its virtual ground (A).
    pub column_current_a: Vec<f64>,
    /// Current of every row's driver (A).
    pub row_current_a: Vec<f64>,
    /// Voltage of every cell's row node (V).
    pub row_v: Vec<f64>,
    /// Voltage of every cell's column node (V).
    pub column_v: Vec<f64>,
    /// Current of every cell, from row to column (A).
    pub cell_current_a: Vec<f64>,
    /// Largest imbalance of Kirchhoff's current law over the nodes (A).
    pub residual_a: f64,
    /// Conjugate-gradient iterations, over all Newton steps.
    pub iterations: usize,
    /// Whether the last step was at the limit of precision.
    pub converged: bool,
}

/// Voltages with the currents that follow from them.
struct State {
    row_v: Vec<f64>,
    column_v: Vec<f64>,
    cell_a: Vec<f64>,
    slope_s: Vec<f64>,
    row_left: Vec<f64>,
    column_left: Vec<f64>,
    residual_a: f64,
}

impl Crossbar {
    fn state(&self, row_v: Vec<f64>, column_v: Vec<f64>, input: &[f64], sense: &[f64]) -> State {
        let n = row_v.len();
        let (mut cell_a, mut slope_s) = (vec![0.0; n], vec![0.0; n]);
        for at in 0..n {
            (cell_a[at], slope_s[at]) = self.cell.law(self.conductance_s[at], row_v[at] - column_v[at]);
        }
        let (mut row_left, mut column_left) = (vec![0.0; n], vec![0.0; n]);
        self.row_lines.inflow(&row_v, input, &mut row_left);
        self.column_lines.inflow(&column_v, sense, &mut column_left);
        for at in 0..n {
            row_left[at] -= cell_a[at];
            column_left[at] += cell_a[at];
        }
        let residual_a = self.row_lines.imbalance(&row_left).max(self.column_lines.imbalance(&column_left));
        let finite = cell_a.iter().all(|current| current.is_finite());
        let residual_a = if finite { residual_a } else { f64::INFINITY };
        State { row_v, column_v, cell_a, slope_s, row_left, column_left, residual_a }
    }

    /// Solves with rows driven at `input` and columns held at `sense` (V).
    pub(super) fn balance(&self, input: &[f64], sense: &[f64]) -> Solution {
        let scale = input.iter().chain(sense).fold(0.0, |most: f64, v| most.max(v.abs()));
        let row_v = self.row_lines.spread(input);
        let column_v = self.column_lines.spread(sense);
        let mut state = self.state(row_v, column_v, input, sense);
        let (mut iterations, mut converged) = (0, scale == 0.0);
        let mut before = f64::INFINITY;
        for _ in 0..NEWTON_STEPS {
            if converged {
                break;
            }
            let (row_step, column_step, count) = self.step(&state);
            iterations += count;
            let step = row_step.iter().chain(&column_step).fold(0.0, |most: f64, v| most.max(v.abs()));
            if !step.is_finite() {
                break;
            }
            // Rounding makes the residual of the last steps rise and fall; only large steps are damped.
            let mut part = 1.0;
            let mut next;
            loop {
                let moved = |v: &[f64], by: &[f64]| v.iter().zip(by).map(|(v, by)| v + part * by).collect();
                next = self.state(
                    moved(&state.row_v, &row_step),
                    moved(&state.column_v, &column_step),
                    input,
                    sense,
                );
                if step <= 1e-6 * scale || next.residual_a <= state.residual_a || part < 1e-12 {
                    break;
                }
                part *= 0.5;
            }
            let stalled = step >= 0.5 * before && step <= ACCEPTED * scale;
            if !(stalled && next.residual_a > state.residual_a) {
                state = next;
            }
            converged = step <= FINISHED * scale || stalled;
            before = step;
        }
        Solution {
            column_current_a: self.column_lines.line_sums(&state.cell_a),
            row_current_a: self.row_lines.line_sums(&state.cell_a),
            row_v: state.row_v,
            column_v: state.column_v,
            cell_current_a: state.cell_a,
            residual_a: state.residual_a,
            iterations,
            converged,
        }
    }

    /// The Newton step of rows and columns, and its number of iterations.
    fn step(&self, state: &State) -> (Vec<f64>, Vec<f64>, usize) {
        let d = &state.slope_s;
        let row_factor = self.row_lines.factor(d);
        let column_factor = self.column_lines.factor(d);
        let mut row = state.row_left.clone();
        self.row_lines.solve(&row_factor, &mut row);
        let rest: Vec<f64> = (0..d.len()).map(|at| state.column_left[at] + d[at] * row[at]).collect();
        let (column, count) = self.conjugate_gradients(d, &row_factor, &column_factor, rest);
        let mut row: Vec<f64> = (0..d.len()).map(|at| state.row_left[at] + d[at] * column[at]).collect();
        self.row_lines.solve(&row_factor, &mut row);
        (row, column, count)
    }

    /// Solves (C + D - D (R + D)^-1 D) x = `rest`, preconditioned with C + D.
    fn conjugate_gradients(
        &self,
        d: &[f64],
        row_factor: &Factor,
        column_factor: &Factor,
        mut rest: Vec<f64>,
    ) -> (Vec<f64>, usize) {
        let n = d.len();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let ground = vec![0.0; self.columns];
        let mut x = vec![0.0; n];
        let mut z = rest.clone();
        self.column_lines.solve(column_factor, &mut z);
        let mut direction = z.clone();
        let mut size = dot(&rest, &z);
        let goal = size * REDUCTION * REDUCTION;
        let (mut inner, mut image) = (vec![0.0; n], vec![0.0; n]);
        // In exact arithmetic as many iterations as unknowns suffice; lines couple long before.
        let most = n.min(2000);
        let mut count = 0;
        while size > goal && size > 0.0 && count < most {
            count += 1;
            for at in 0..n {
                inner[at] = d[at] * direction[at];
            }
            self.row_lines.solve(row_factor, &mut inner);
            self.column_lines.inflow(&direction, &ground, &mut image);
            for at in 0..n {
                image[at] = d[at] * (direction[at] - inner[at]) - image[at];
            }
            let curvature = dot(&direction, &image);
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            let alpha = size / curvature;
            for at in 0..n {
                x[at] += alpha * direction[at];
                rest[at] -= alpha * image[at];
            }
            z.copy_from_slice(&rest);
            self.column_lines.solve(column_factor, &mut z);
            let next = dot(&rest, &z);
            let beta = next / size;
            size = next;
            for at in 0..n {
                direction[at] = z[at] + beta * direction[at];
            }
        }
        (x, count)
    }
}
