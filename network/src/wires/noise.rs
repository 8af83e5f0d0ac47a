//! Read noise of cells as noise of output currents.
//!
//! A change dG of a cell changes the current of output j by f(u) w_j dG: u is the voltage across the cell, f
//! the cell's current per conductance, and w_j the voltage across the cell when column j alone is held at
//! 1 V (the adjoint, by reciprocity). Independent noise of the cells sums to the variance
//! sum (f(u) w_j sigma)^2.

use super::circuit::{Linear, Terminals};
use super::effective::Port;
use super::kernel::wide;
use super::solve::Balance;
use super::sweep::{LANES, Sweeper};
use super::{Crossbar, Layers, PairLayout, Pairs, WireError};

/// Largest error of the voltages that weigh noise (V per V): 2e-5 of a variance.
pub(super) const PRECISION: f64 = 1e-5;

impl Layers {
    /// Refuses lists of noise that do not fit.
    pub(super) fn check_noise(&self, sigma_s: &[Vec<f64>]) -> Result<(), WireError> {
        sigma_s.iter().try_for_each(|list| self.check_values("read noise (S)", list))
    }

    /// What is held for each output: a column, or the two columns of a pair.
    pub(super) fn outputs(&self, alternating: bool) -> Vec<Port> {
        let columns = self.circuit.columns;
        match alternating {
            true => (0..columns / 2).map(|j| Port::Pair(2 * j)).collect(),
            false => (0..columns).map(Port::Column).collect(),
        }
    }

    /// Sums `weight` (one list per layer) times the squared adjoint voltage over the cells of each row:
    /// rows x outputs for each layer, of cells that conduct `slopes` (S).
    fn weigh(&self, slopes: &[Vec<f64>], weight: &[Vec<f64>], alternating: bool) -> Vec<Vec<f64>> {
        let Self { circuit, .. } = self;
        let (rows, columns) = (circuit.rows, circuit.columns);
        let linear = Linear::new(circuit, slopes);
        let ports = self.outputs(alternating);
        if !circuit.beside {
            return self.weigh_ports(&linear, &ports, weight, PRECISION);
        }
        let mut out = vec![vec![0.0; rows * ports.len()]; slopes.len()];
        // No current passes from column to column: one solution holds all at 1 V.
        let ground = vec![0.0; columns];
        let sources = vec![ground.as_slice(); slopes.len()];
        let terminals = Terminals { rows: &sources, columns: &vec![1.0; columns] };
        let mut x = vec![0.0; rows * columns];
        let mut v = vec![x.clone(); slopes.len()];
        linear.solve(None, &terminals, PRECISION, &mut x, &mut v);
        for (layer, out) in out.iter_mut().enumerate() {
            for i in 0..rows {
                for j in 0..columns {
                    let at = i * columns + j;
                    let across = v[layer][at] - x[at];
                    let output = if alternating { j / 2 } else { j };
                    out[i * ports.len() + output] += weight[layer][at] * across * across;
                }
            }
        }
        out
    }

    /// The same for some outputs: rows x ports for each layer, from voltages exact to `goal` (V per V).
    pub(super) fn weigh_ports(
        &self,
        linear: &Linear<'_>,
        ports: &[Port],
        weight: &[Vec<f64>],
        goal: f64,
    ) -> Vec<Vec<f64>> {
        let (rows, columns) = (self.circuit.rows, self.circuit.columns);
        let mut out = vec![vec![0.0; rows * ports.len()]; weight.len()];
        let sweeper = Sweeper::new(linear, 0.1 * goal);
        let (parts, _) = self.each_group(&sweeper, ports, goal, Port::apply, |block, _| {
            let mut sums = vec![vec![[0.0; LANES]; rows]; weight.len()];
            wide(
                #[inline(always)]
                || {
                    sweeper.across(block, |layer, i, across| {
                        let weight = &weight[layer][i * columns..(i + 1) * columns];
                        let mut sum = [0.0; LANES];
                        for (weight, across) in weight.iter().zip(across) {
                            for l in 0..LANES {
                                sum[l] += weight * (across[l] * across[l]);
                            }
                        }
                        sums[layer][i] = sum;
                    });
                },
            );
            sums
        });
        let outputs = ports.len();
        for (group, sums) in parts.iter().enumerate() {
            for (out, sums) in out.iter_mut().zip(sums) {
                for (i, sum) in sums.iter().enumerate() {
                    let first = group * LANES;
                    let last = outputs.min(first + LANES);
                    out[i * outputs + first..i * outputs + last].copy_from_slice(&sum[..last - first]);
                }
            }
        }
        out
    }

    /// Variance of every output (A^2) for one input (V).
    pub(super) fn variance(
        &self,
        input_v: &[f64],
        sigma_s: &[Vec<f64>],
        alternating: bool,
    ) -> Result<Vec<f64>, WireError> {
        self.check_noise(sigma_s)?;
        let balance: Balance = self.answer(input_v)?;
        let gate = |i: usize| if self.topology.gated() { input_v[i] != 0.0 } else { true };
        let columns = self.circuit.columns;
        let open = |layer: &[f64]| -> Vec<f64> {
            layer.iter().enumerate().map(|(at, g)| if gate(at / columns) { *g } else { 0.0 }).collect()
        };
        let slopes: Vec<Vec<f64>> = match self.proportional() {
            true => self.conductance_s.iter().map(|g| open(g)).collect(),
            false => balance.slope_s.clone(),
        };
        let weight: Vec<Vec<f64>> = (sigma_s.iter().zip(&balance.row_v))
            .map(|(sigma, v)| {
                let square = |at: usize| {
                    let per_conductance = self.cell.law(1.0, v[at] - balance.column_v[at]).0;
                    let current = per_conductance * if gate(at / columns) { sigma[at] } else { 0.0 };
                    current * current
                };
                (0..v.len()).map(square).collect()
            })
            .collect();
        let layers = self.weigh(&slopes, &weight, alternating);
        let outputs = if alternating { columns / 2 } else { columns };
        let mut variance = vec![0.0; outputs];
        for row in layers.iter().flat_map(|layer| layer.chunks(outputs)) {
            for (sum, value) in variance.iter_mut().zip(row) {
                *sum += value;
            }
        }
        Ok(variance)
    }

    /// A map (S^2, rows x outputs) whose plain product with squared inputs gives variances.
    fn variance_map(
        &self,
        sigma_s: &[Vec<f64>],
        coherence: f64,
        alternating: bool,
    ) -> Result<Vec<f64>, WireError> {
        self.is_linear()?;
        self.check_noise(sigma_s)?;
        let linear = Linear::new(&self.circuit, &self.conductance_s);
        let weight = self.mean_squares(&linear, sigma_s, coherence);
        Ok(sum_of(self.weigh_ports(&linear, &self.outputs(alternating), &weight, PRECISION)))
    }

    /// Mean square noise (A^2 for inputs of 1 V) of every cell's current.
    pub(super) fn mean_squares(
        &self,
        linear: &Linear<'_>,
        sigma_s: &[Vec<f64>],
        coherence: f64,
    ) -> Vec<Vec<f64>> {
        let Self { circuit, conductance_s, .. } = self;
        let (rows, columns) = (circuit.rows, circuit.columns);
        // Voltages across cells when every row alone is driven, and when all are.
        let (ones, minus, ground) = (vec![1.0; rows], vec![-1.0; rows], vec![0.0; columns]);
        let sources = [ones.as_slice(), &minus];
        let terminals = Terminals { rows: &sources[..conductance_s.len()], columns: &ground };
        let mut x = vec![0.0; rows * columns];
        let mut alone = vec![x.clone(); conductance_s.len()];
        linear.rows(&x, None, &terminals, &mut alone);
        let mut all = alone.clone();
        linear.solve(None, &terminals, PRECISION, &mut x, &mut all);
        (0..conductance_s.len())
            .map(|layer| {
                let square = |at: usize| {
                    let (alone, all) = (alone[layer][at], all[layer][at] - x[at]);
                    let mean = (1.0 - coherence) * alone * alone + coherence * all * all;
                    mean * sigma_s[layer][at] * sigma_s[layer][at]
                };
                (0..x.len()).map(square).collect()
            })
            .collect()
    }
}

/// Sum of the lists of all layers.
pub(super) fn sum_of(lists: Vec<Vec<f64>>) -> Vec<f64> {
    let mut lists = lists.into_iter();
    let mut sum = lists.next().unwrap_or_default();
    for list in lists {
        sum.iter_mut().zip(list).for_each(|(sum, value)| *sum += value);
    }
    sum
}

impl Crossbar {
    /// Standard deviation of every column's current (A) for one input (V), from independent noise of the
    /// cells of standard deviations `sigma_s` (S, rows x columns). Exact to first order in the noise, for
    /// all cells and topologies; costs about as much as effective conductances.
    ///
    /// # Errors
    /// When a count differs, or a value is none that the array can have.
    pub fn read_noise(&self, input_v: &[f64], sigma_s: Vec<f64>) -> Result<Vec<f64>, WireError> {
        let variance = self.layers.variance(input_v, &[sigma_s], false)?;
        Ok(variance.into_iter().map(f64::sqrt).collect())
    }

    /// A map (S^2, rows x columns) whose plain product with squared inputs (V^2) gives the variances (A^2)
    /// of the column currents: read noise under wires at the price of a product.
    ///
    /// The voltage across a cell depends on all inputs a little, because others raise its column. The map
    /// holds the mean over inputs that are independent and alike, whose squared mean over mean square is
    /// `coherence`: 0 for inputs of both signs, 1 for constant ones, 1/3 for the positive parts of normal
    /// numbers (1/pi), 3/4 for uniform ones from 0 on.
    ///
    /// # Errors
    /// When the count differs or a value is negative or not finite; for non-linear or gated cells.
    pub fn variance_map(&self, sigma_s: Vec<f64>, coherence: f64) -> Result<Vec<f64>, WireError> {
        self.layers.variance_map(&[sigma_s], coherence, false)
    }
}

impl Pairs {
    /// Sums over the arrays of what `part` finds for the noise of their layers.
    fn over_parts(
        &self,
        positive_s: Vec<f64>,
        negative_s: Vec<f64>,
        part: impl Fn(&Layers, &[Vec<f64>], bool) -> Result<Vec<f64>, WireError>,
    ) -> Result<Vec<f64>, WireError> {
        let lists = self.layout.lists(positive_s, negative_s)?;
        let alternating = self.layout == PairLayout::Alternating;
        let mut sum: Vec<f64> = Vec::new();
        for (layers, lists) in self.parts.iter().zip(&lists) {
            let values = part(layers, lists, alternating)?;
            sum.resize(values.len(), 0.0);
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        Ok(sum)
    }

    /// Standard deviation of every output (A) for one input (V), from noise of the positive and negative
    /// cells (S), as [`Crossbar::read_noise`] finds it.
    ///
    /// # Errors
    /// When a count differs, or a value is none that the array can have.
    pub fn read_noise(
        &self,
        input_v: &[f64],
        positive_s: Vec<f64>,
        negative_s: Vec<f64>,
    ) -> Result<Vec<f64>, WireError> {
        let variance = self.over_parts(positive_s, negative_s, |layers, lists, alternating| {
            layers.variance(input_v, lists, alternating)
        })?;
        Ok(variance.into_iter().map(f64::sqrt).collect())
    }

    /// The map (S^2, inputs x outputs) of variances of the outputs, as [`Crossbar::variance_map`] gives it.
    ///
    /// # Errors
    /// When a count differs, or a value is negative or not finite; for non-linear or gated cells.
    pub fn variance_map(
        &self,
        positive_s: Vec<f64>,
        negative_s: Vec<f64>,
        coherence: f64,
    ) -> Result<Vec<f64>, WireError> {
        self.over_parts(positive_s, negative_s, |layers, lists, alternating| {
            layers.variance_map(lists, coherence, alternating)
        })
    }
}
