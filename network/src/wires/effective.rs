//! The effective conductances of a linear array: wires at the price of a product.

use super::circuit::Linear;
use super::kernel::wide;
use super::sweep::{Block, LANES, Outcome, Sweeper};
use super::{Cell, Crossbar, Layers, WireError};
use rayon::prelude::*;

/// What a fresh solution aims at: the largest error of a column voltage for an input of 1 V.
const PRECISION: f64 = 1e-12;

/// Effective conductances of one programmed array.
#[derive(Debug, Clone)]
pub struct Effective {
    /// Conductances of each layer (S), inputs x outputs.
    pub(super) layers_s: Vec<Vec<f64>>,
    /// Bound of the error of every entry (S).
    pub error_s: f64,
    /// How it was found.
    pub method: Method,
}

/// How effective conductances were found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// By a solution of the array, in so many sweeps over it for each group of inputs.
    Solved {
        /// Most sweeps of any group.
        sweeps: usize,
    },
}

/// One thing at a terminal: row `i` of layer `l` driven, or column `j` held, at 1 V.
#[derive(Clone, Copy)]
enum Port {
    Row(usize, usize),
    Column(usize),
}

impl Effective {
    /// The conductances (S, rows x columns, row-major) whose plain product with the inputs gives the
    /// currents of the array: I_j = sum_i V_i M_ij.
    #[must_use]
    pub fn matrix(&self) -> &[f64] {
        &self.layers_s[0]
    }
}

impl Layers {
    /// Runs `visit` on every group of ports after its solution, in parallel; each thread keeps its memory.
    fn each_group<T: Send>(
        &self,
        sweeper: &Sweeper<'_>,
        ports: &[Port],
        goal: f64,
        visit: impl Fn(&mut Block, &[Port]) -> T + Sync,
    ) -> (Vec<T>, Outcome) {
        let groups: Vec<&[Port]> = ports.chunks(LANES).collect();
        // Every thread takes every so many groups, with one block of memory.
        let threads = rayon::current_num_threads().clamp(1, groups.len());
        let mut done: Vec<(usize, T, Outcome)> = (0..threads)
            .into_par_iter()
            .flat_map_iter(|thread| {
                let mut block = sweeper.block();
                let mut part = Vec::new();
                for (index, group) in groups.iter().enumerate().skip(thread).step_by(threads) {
                    for (lane, port) in group.iter().enumerate() {
                        match *port {
                            Port::Row(layer, i) => block.rows[layer][i][lane] = 1.0,
                            Port::Column(j) => block.columns[j][lane] = 1.0,
                        }
                    }
                    let outcome = sweeper.solve(&mut block, goal, false);
                    part.push((index, visit(&mut block, group), outcome));
                    for (lane, port) in group.iter().enumerate() {
                        match *port {
                            Port::Row(layer, i) => block.rows[layer][i][lane] = 0.0,
                            Port::Column(j) => block.columns[j][lane] = 0.0,
                        }
                    }
                }
                part
            })
            .collect();
        done.sort_by_key(|(index, ..)| *index);
        let worst = done.iter().fold(Outcome { error_v: 0.0, sweeps: 0 }, |worst, (_, _, outcome)| Outcome {
            error_v: worst.error_v.max(outcome.error_v),
            sweeps: worst.sweeps.max(outcome.sweeps),
        });
        (done.into_iter().map(|(_, value, _)| value).collect(), worst)
    }

    /// Effective conductances with column voltages exact to `goal` (V for an input of 1 V). By reciprocity
    /// one solution per row or per column suffices, whichever are fewer.
    pub(super) fn effective(&self, goal: f64) -> Effective {
        let (rows, columns, count) = (self.circuit.rows, self.circuit.columns, self.conductance_s.len());
        let linear = Linear::new(&self.circuit, &self.conductance_s);
        let sweeper = Sweeper::new(&linear, 0.1 * goal);
        let by_columns = columns <= rows * count;
        let ports: Vec<Port> = if by_columns {
            (0..columns).map(Port::Column).collect()
        } else {
            (0..count).flat_map(|layer| (0..rows).map(move |i| Port::Row(layer, i))).collect()
        };
        let mut layers_s = vec![vec![0.0; rows * columns]; count];
        let worst;
        if by_columns {
            // Currents of the rows' drivers, for each held column.
            let (parts, outcome) = self.each_group(&sweeper, &ports, goal, |block, _| {
                let mut sums = vec![vec![[0.0; LANES]; rows]; count];
                wide(
                    #[inline(always)]
                    || {
                        sweeper.across(block, |layer, i, across| {
                            let d = &self.conductance_s[layer][i * columns..(i + 1) * columns];
                            let mut sum = [0.0; LANES];
                            for (d, across) in d.iter().zip(across) {
                                for l in 0..LANES {
                                    sum[l] -= d * across[l];
                                }
                            }
                            sums[layer][i] = sum;
                        });
                    },
                );
                sums
            });
            for (group, sums) in ports.chunks(LANES).zip(parts) {
                for (lane, port) in group.iter().enumerate() {
                    let Port::Column(j) = *port else { continue };
                    for (matrix, sums) in layers_s.iter_mut().zip(&sums) {
                        for (i, sum) in sums.iter().enumerate() {
                            matrix[i * columns + j] = sum[lane];
                        }
                    }
                }
            }
            worst = outcome;
        } else {
            let (parts, outcome) = self.each_group(&sweeper, &ports, goal, |block, _| {
                let mut sums = vec![[0.0; LANES]; columns];
                wide(
                    #[inline(always)]
                    || {
                        sweeper.across(block, |layer, i, across| {
                            let d = &self.conductance_s[layer][i * columns..(i + 1) * columns];
                            for ((sum, d), across) in sums.iter_mut().zip(d).zip(across) {
                                for l in 0..LANES {
                                    sum[l] += d * across[l];
                                }
                            }
                        });
                    },
                );
                sums
            });
            for (group, sums) in ports.chunks(LANES).zip(parts) {
                for (lane, port) in group.iter().enumerate() {
                    let Port::Row(layer, i) = *port else { continue };
                    for (j, sum) in sums.iter().enumerate() {
                        layers_s[layer][i * columns + j] = sum[lane];
                    }
                }
            }
            worst = outcome;
        }
        // An entry's error is a row's (or a column's) conductances times errors of voltages.
        let line_s = if by_columns {
            self.conductance_s
                .iter()
                .flat_map(|layer| layer.chunks(columns).map(|row| row.iter().sum::<f64>()))
                .fold(0.0, f64::max)
        } else {
            let mut sums = vec![0.0; columns];
            for row in linear.total.chunks(columns) {
                for (sum, d) in sums.iter_mut().zip(row) {
                    *sum += d;
                }
            }
            sums.into_iter().fold(0.0, f64::max)
        };
        let error_s = worst.error_v * line_s;
        Effective { layers_s, error_s, method: Method::Solved { sweeps: worst.sweeps } }
    }
}

impl Crossbar {
    /// The effective conductances of an array of linear cells.
    ///
    /// # Errors
    /// For non-linear cells, whose currents are no product.
    pub fn effective(&self) -> Result<Effective, WireError> {
        if self.layers.cell != Cell::Linear {
            return Err(WireError::NonLinear);
        }
        Ok(self.layers.effective(PRECISION))
    }
}
