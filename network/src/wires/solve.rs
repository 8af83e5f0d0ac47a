//! Newton's iteration on Kirchhoff's law; for linear cells it is one step.

use super::Layers;
use super::circuit::{Linear, Terminals};
use super::kernel::{largest, largest_difference, wide};

/// Most Newton steps, but for those down the flank of an exponential law.
const NEWTON_STEPS: usize = 60;
/// Steepest law that is followed down its flank: its largest exponent.
const STEEPEST: f64 = 300.0;
/// A step below this part of the largest applied voltage is at the end of double precision.
const FINISHED: f64 = 1e-14;
/// Steps below this part count as converged when rounding lets them shrink no more.
const ACCEPTED: f64 = 1e-10;
/// What linear solves aim at, as a part of the largest applied voltage: ten units in the last place, of
/// which the last image leaves less.
const PRECISION: f64 = 2e-15;

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

/// The same for several layers of rows.
pub(super) struct Balance {
    pub(super) row_v: Vec<Vec<f64>>,
    pub(super) column_v: Vec<f64>,
    pub(super) cell_a: Vec<Vec<f64>>,
    /// Differential conductance of every cell (S).
    pub(super) slope_s: Vec<Vec<f64>>,
    pub(super) residual_a: f64,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

impl Balance {
    /// Current out of every column (A).
    pub(super) fn column_current_a(&self, columns: usize) -> Vec<f64> {
        let mut sums = vec![0.0; columns];
        for row in self.cell_a.iter().flat_map(|layer| layer.chunks(columns)) {
            for (sum, current) in sums.iter_mut().zip(row) {
                *sum += current;
            }
        }
        sums
    }

    /// The solution of an array with one layer.
    pub(super) fn solution(mut self, columns: usize) -> Solution {
        let (row_v, cell_current_a) =
            (self.row_v.pop().unwrap_or_default(), self.cell_a.last().cloned().unwrap_or_default());
        Solution {
            column_current_a: self.column_current_a(columns),
            row_current_a: cell_current_a.chunks(columns).map(|row| row.iter().sum()).collect(),
            row_v,
            column_v: self.column_v,
            cell_current_a,
            residual_a: self.residual_a,
            iterations: self.iterations,
            converged: self.converged,
        }
    }
}

impl Layers {
    /// Whether the currents of all cells are proportional to their voltages.
    pub(super) fn proportional(&self) -> bool {
        self.cell == super::Cell::Linear && self.bent.is_none()
    }

    /// Cell currents and slopes that belong to voltages, and the imbalance they leave.
    fn state(&self, row_v: Vec<Vec<f64>>, column_v: Vec<f64>, terminals: &Terminals<'_>) -> Balance {
        let n = column_v.len();
        let (mut cell_a, mut slope_s) = (Vec::new(), Vec::new());
        let mut residual_a = 0.0_f64;
        let mut gathered = vec![0.0; n];
        wide(
            #[inline(always)]
            || {
                for (layer, (g, v)) in self.conductance_s.iter().zip(&row_v).enumerate() {
                    let mut current = vec![0.0; n];
                    if self.proportional() {
                        for at in 0..n {
                            current[at] = g[at] * (v[at] - column_v[at]);
                        }
                    } else {
                        let mut slope = vec![0.0; n];
                        for at in 0..n {
                            let across = v[at] - column_v[at];
                            (current[at], slope[at]) = match &self.bent {
                                Some(bent) => bent.law(layer, at, across),
                                None => self.cell.law(g[at], across),
                            };
                        }
                        slope_s.push(slope);
                    }
                    for at in 0..n {
                        gathered[at] -= current[at];
                    }
                    let terminal = terminals.rows[layer];
                    let left = if self.circuit.beside {
                        self.circuit.row.imbalance_across(v, &current, terminal)
                    } else {
                        self.circuit.row.imbalance_along(v, &current, terminal)
                    };
                    residual_a = residual_a.max(left);
                    cell_a.push(current);
                }
                let left = self.circuit.column.imbalance_across(&column_v, &gathered, terminals.columns);
                residual_a = residual_a.max(left);
                let finite = gathered.iter().all(|current| current.is_finite());
                residual_a = if finite { residual_a } else { f64::INFINITY };
            },
        );
        Balance { row_v, column_v, cell_a, slope_s, residual_a, iterations: 0, converged: false }
    }

    /// Solves with the rows of each layer driven at `terminals.rows` and columns held at
    /// `terminals.columns`, from column voltages `guess` where there are some.
    pub(super) fn balance(&self, terminals: &Terminals<'_>, guess: Option<&[f64]>) -> Balance {
        let all = terminals.rows.iter().copied().flatten().chain(terminals.columns);
        let scale = largest(all.copied());
        let (rows, columns) = (self.circuit.rows, self.circuit.columns);
        let mut column_v = match guess {
            Some(guess) => guess.to_vec(),
            None => terminals.columns.repeat(rows),
        };
        if self.proportional() {
            let linear = Linear::new(&self.circuit, &self.conductance_s);
            let mut row_v = vec![vec![0.0; column_v.len()]; self.conductance_s.len()];
            let krylov = linear.solve(None, terminals, PRECISION * scale, &mut column_v, &mut row_v);
            let mut state = self.state(row_v, column_v, terminals);
            state.iterations = krylov.iterations;
            state.converged = krylov.change_v <= ACCEPTED * scale;
            return state;
        }
        let row_v = terminals
            .rows
            .iter()
            .map(|source| match self.circuit.beside {
                true => source.repeat(rows),
                false => source.iter().flat_map(|v| std::iter::repeat_n(*v, columns)).collect(),
            })
            .collect();
        let mut state = self.state(row_v, column_v, terminals);
        let (mut iterations, mut converged) = (0, scale == 0.0);
        let mut before = scale;
        // Down the flank of an exponential each step lowers the exponent by one.
        let flank = match self.cell {
            super::Cell::Sinh(a) => (a * scale).min(STEEPEST).ceil() as usize,
            super::Cell::Linear => 0,
        };
        for _ in 0..NEWTON_STEPS + flank {
            if converged {
                break;
            }
            let (row_v, column_v, count) = self.newton(&state, terminals, before, scale);
            iterations += count;
            let mut step = largest_difference(&column_v, &state.column_v);
            for (new, old) in row_v.iter().zip(&state.row_v) {
                step = step.max(largest_difference(new, old));
            }
            if !step.is_finite() {
                break;
            }
            // Rounding makes the residual of the last steps rise and fall; only large steps are damped.
            let mut part = 1.0;
            let mut next = self.state(row_v.clone(), column_v.clone(), terminals);
            while step > 1e-6 * scale && next.residual_a > state.residual_a && part >= 1e-12 {
                part *= 0.5;
                let moved = |old: &[f64], new: &[f64]| {
                    old.iter().zip(new).map(|(old, new)| old + part * (new - old)).collect::<Vec<f64>>()
                };
                let rows = state.row_v.iter().zip(&row_v).map(|(old, new)| moved(old, new)).collect();
                next = self.state(rows, moved(&state.column_v, &column_v), terminals);
            }
            let stalled = step >= 0.5 * before && step <= ACCEPTED * scale;
            if !(stalled && next.residual_a > state.residual_a) {
                state = next;
            }
            converged = step <= FINISHED * scale || stalled;
            before = step;
        }
        state.iterations = iterations;
        state.converged = converged;
        state
    }

    /// Voltages at which the cells' tangents balance, and the number of iterations. `before` is the step
    /// before (V): Newton squares it, so this step need not be solved more exactly.
    fn newton(
        &self,
        state: &Balance,
        terminals: &Terminals<'_>,
        before: f64,
        scale: f64,
    ) -> (Vec<Vec<f64>>, Vec<f64>, usize) {
        let linear = Linear::new(&self.circuit, &state.slope_s);
        // What a cell's tangent carries at no voltage.
        let offset: Vec<Vec<f64>> = (0..state.cell_a.len())
            .map(|layer| {
                let (current, slope, v) = (&state.cell_a[layer], &state.slope_s[layer], &state.row_v[layer]);
                (0..v.len()).map(|at| current[at] - slope[at] * (v[at] - state.column_v[at])).collect()
            })
            .collect();
        let goal = (1e-2 * before * (before / scale)).clamp(PRECISION * scale, 1e-3 * scale);
        let mut column_v = state.column_v.clone();
        let mut row_v = state.row_v.clone();
        let krylov = linear.solve(Some(&offset), terminals, goal, &mut column_v, &mut row_v);
        (row_v, column_v, krylov.iterations)
    }
}
