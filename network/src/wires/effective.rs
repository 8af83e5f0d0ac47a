//! The effective conductances of a linear array: wires at the price of a product.

use super::circuit::Linear;
use super::kernel::wide;
use super::sweep::{Block, LANES, Lanes, Outcome, Sweeper};
use super::update::alone;
use super::{Crossbar, Currents, Layers, Topology, WireError};
use rayon::prelude::*;

/// What a fresh solution aims at: the largest error of a column voltage for an input of 1 V.
pub(super) const PRECISION: f64 = 1e-12;

/// Effective conductances of one programmed array.
#[derive(Debug, Clone)]
pub struct Effective {
    pub(super) array: Layers,
    /// Conductances of each layer (S), inputs x outputs.
    pub(super) layers_s: Vec<Vec<f64>>,
    /// What every line alone would conduct (S).
    pub(super) alone_s: Vec<Vec<f64>>,
    /// Bound of the error of every entry (S) of a solution; what corrects a solution has its own measure.
    pub error_s: Option<f64>,
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
    /// By correcting a known solution.
    Corrected {
        /// Twice the largest error that exact solutions for inputs of random signs and for equal inputs
        /// showed, as a part of the root mean square of the currents.
        error: f64,
    },
}

/// What is applied: 1 V at row `i` of layer `l`, 1 V at column `j`, 1 V at column `j` and -1 V at the
/// next, or an input vector.
#[derive(Clone, Copy)]
pub(super) enum Port {
    Row(usize, usize),
    Column(usize),
    Pair(usize),
    Input(usize),
}

impl Port {
    /// Sets the terminals of a block, one port in each lane.
    pub(super) fn apply(block: &mut Block, group: &[Self]) {
        block.rows.iter_mut().for_each(|layer| layer.fill([0.0; LANES]));
        block.columns.fill([0.0; LANES]);
        for (lane, port) in group.iter().enumerate() {
            match *port {
                Self::Row(layer, i) => block.rows[layer][i][lane] = 1.0,
                Self::Column(j) => block.columns[j][lane] = 1.0,
                Self::Pair(j) => (block.columns[j][lane], block.columns[j + 1][lane]) = (1.0, -1.0),
                Self::Input(_) => {}
            }
        }
    }
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
    pub(super) fn each_group<T: Send>(
        &self,
        sweeper: &Sweeper<'_>,
        ports: &[Port],
        goal: f64,
        apply: impl Fn(&mut Block, &[Port]) + Sync,
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
                    apply(&mut block, group);
                    let outcome = sweeper.solve(&mut block, goal, false);
                    part.push((index, visit(&mut block, group), outcome));
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

    /// Refuses what has no effective conductances.
    pub(super) fn is_linear(&self) -> Result<(), WireError> {
        match self.proportional() && self.topology == Topology::InputSource {
            true => Ok(()),
            false => Err(WireError::NonLinear),
        }
    }

    /// Column currents of linear cells for inputs (V, vectors x rows), eight inputs at a time; a second
    /// layer has the negative inputs.
    pub(super) fn together(&self, inputs_v: &[f64]) -> Currents {
        let (rows, columns) = (self.circuit.rows, self.circuit.columns);
        let linear = Linear::new(&self.circuit, &self.conductance_s);
        let sweeper = Sweeper::new(&linear, 0.1 * PRECISION);
        let scale = inputs_v.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let ports: Vec<Port> = (0..inputs_v.len() / rows).map(Port::Input).collect();
        if ports.is_empty() || scale == 0.0 {
            return Currents { current_a: vec![0.0; ports.len() * columns], error_a: 0.0, unconverged: 0 };
        }
        let apply = |block: &mut Block, group: &[Port]| {
            for (layer, sources) in block.rows.iter_mut().enumerate() {
                let sign = if layer == 0 { 1.0 } else { -1.0 };
                for (i, source) in sources.iter_mut().enumerate() {
                    *source = [0.0; LANES];
                    for (source, port) in source.iter_mut().zip(group) {
                        let Port::Input(vector) = *port else { continue };
                        *source = sign * inputs_v[vector * rows + i];
                    }
                }
            }
        };
        let (parts, worst) = self.each_group(&sweeper, &ports, PRECISION * scale, apply, |block, _| {
            self.column_sums(&sweeper, block)
        });
        let mut current_a = Vec::with_capacity(ports.len() * columns);
        for (group, sums) in ports.chunks(LANES).zip(parts) {
            for lane in 0..group.len() {
                current_a.extend(sums.iter().map(|sum| sum[lane]));
            }
        }
        let error_a = worst.error_v * self.densest(false);
        let unconverged = if worst.error_v <= 1e-6 * scale { 0 } else { ports.len() };
        Currents { current_a, error_a, unconverged }
    }

    /// Currents of the columns of a block that is solved (A).
    fn column_sums(&self, sweeper: &Sweeper<'_>, block: &mut Block) -> Vec<Lanes> {
        let columns = self.circuit.columns;
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
    }

    /// Largest sum of the conductances (S) of a row, or of a column over all layers: errors of voltages
    /// times this bound errors of currents.
    fn densest(&self, rows: bool) -> f64 {
        let columns = self.circuit.columns;
        let mut sums = vec![0.0; columns];
        let mut most = 0.0_f64;
        for row in self.conductance_s.iter().flat_map(|layer| layer.chunks(columns)) {
            most = most.max(row.iter().sum());
            for (sum, d) in sums.iter_mut().zip(row) {
                *sum += d;
            }
        }
        if rows { most } else { sums.into_iter().fold(0.0, f64::max) }
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
            let (parts, outcome) = self.each_group(&sweeper, &ports, goal, Port::apply, |block, _| {
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
            let (parts, outcome) = self.each_group(&sweeper, &ports, goal, Port::apply, |block, _| {
                self.column_sums(&sweeper, block)
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
        Effective {
            alone_s: alone(&linear),
            layers_s,
            error_s: Some(worst.error_v * self.densest(by_columns)),
            method: Method::Solved { sweeps: worst.sweeps },
            array: self.clone(),
        }
    }
}

impl Crossbar {
    /// The effective conductances of an array of linear cells.
    ///
    /// # Errors
    /// For non-linear cells, whose currents are no product.
    pub fn effective(&self) -> Result<Effective, WireError> {
        self.layers.is_linear()?;
        Ok(self.layers.effective(PRECISION))
    }
}
