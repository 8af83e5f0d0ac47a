//! The linear circuit of an array and its solution by conjugate gradients.

use super::kernel::{all_columns, all_rows, dot, largest, wide};
use super::lines::{Direction, Factor, Line};

/// Lines of an array. Every layer of rows has its own line per row; all layers share the columns.
#[derive(Debug, Clone)]
pub(super) struct Circuit {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row: Line,
    pub(super) column: Line,
}

/// Voltages at the terminals (V): one per row of each layer, and one per column.
pub(super) struct Terminals<'a> {
    pub(super) rows: &'a [&'a [f64]],
    pub(super) columns: &'a [f64],
}

/// A circuit whose cells conduct `slopes` (S, one list per layer), with its factors.
pub(super) struct Linear<'a> {
    pub(super) circuit: &'a Circuit,
    pub(super) slopes: &'a [Vec<f64>],
    /// Sum of the layers (S).
    pub(super) total: Vec<f64>,
    pub(super) row_factors: Vec<Factor>,
    pub(super) column_factor: Factor,
}

/// How a solve by conjugate gradients went.
#[derive(Default)]
pub(super) struct Krylov {
    pub(super) iterations: usize,
    /// Length of each step, and part of the direction before in the next: the coefficients of Lanczos.
    pub(super) steps: Vec<(f64, f64)>,
    /// Largest distance between an iterate and its image in the end (V).
    pub(super) change_v: f64,
}

impl<'a> Linear<'a> {
    pub(super) fn new(circuit: &'a Circuit, slopes: &'a [Vec<f64>]) -> Self {
        wide(
            #[inline(always)]
            || {
                let mut total = slopes[0].clone();
                for layer in &slopes[1..] {
                    for (sum, d) in total.iter_mut().zip(layer) {
                        *sum += d;
                    }
                }
                let row_factors = slopes.iter().map(|d| circuit.row.factor_along(d)).collect();
                let column_factor =
                    circuit.column.factor_across(&total, circuit.columns, Direction::Ascending);
                Self { circuit, slopes, total, row_factors, column_factor }
            },
        )
    }

    /// Voltages of the rows of each layer (V) for column voltages `x`; `h` are currents (A) that the cells
    /// carry in addition.
    pub(super) fn rows(
        &self,
        x: &[f64],
        h: Option<&[Vec<f64>]>,
        terminals: &Terminals<'_>,
        v: &mut [Vec<f64>],
    ) {
        wide(
            #[inline(always)]
            || {
                for (layer, v) in v.iter_mut().enumerate() {
                    let (factor, d) = (&self.row_factors[layer], &self.slopes[layer]);
                    let h = h.map(|h| h[layer].as_slice());
                    all_rows(&self.circuit.row, factor, d, x, h, terminals.rows[layer], v);
                }
            },
        );
    }

    /// Column voltages (V) that row voltages `v` ask for.
    fn columns(&self, v: &[Vec<f64>], h: Option<&[Vec<f64>]>, terminals: &Terminals<'_>, x: &mut [f64]) {
        let Circuit { rows, columns, column, .. } = self.circuit;
        if column.held {
            for row in x.chunks_mut(*columns) {
                row.copy_from_slice(terminals.columns);
            }
            return;
        }
        wide(
            #[inline(always)]
            || {
                x.fill(0.0);
                for (layer, (v, d)) in v.iter().zip(self.slopes).enumerate() {
                    for at in 0..x.len() {
                        x[at] += d[at] * v[at];
                    }
                    if let Some(h) = h {
                        for (x, h) in x.iter_mut().zip(&h[layer]) {
                            *x += h;
                        }
                    }
                }
                for k in [0, rows - 1] {
                    // For a single row both ends are the same node, which `end` counts together.
                    if k == 0 || *rows > 1 {
                        let end = column.end(k);
                        for (x, terminal) in x[k * columns..].iter_mut().zip(terminals.columns) {
                            *x += end * terminal;
                        }
                    }
                }
                all_columns(&self.column_factor, x, *columns);
            },
        );
    }

    /// Solves for column voltages `x` (V, a guess on entry) and row voltages `v` (V), until an iterate
    /// and its image differ by at most `goal` (V) or rounding stops the progress.
    pub(super) fn solve(
        &self,
        h: Option<&[Vec<f64>]>,
        terminals: &Terminals<'_>,
        goal: f64,
        x: &mut Vec<f64>,
        v: &mut [Vec<f64>],
    ) -> Krylov {
        let mut image = vec![0.0; x.len()];
        let mut krylov = Krylov { change_v: f64::INFINITY, ..Krylov::default() };
        for _ in 0..8 {
            self.rows(x, h, terminals, v);
            self.columns(v, h, terminals, &mut image);
            let change = largest(x.iter().zip(&image).map(|(x, image)| image - x));
            let stalled = change >= 0.5 * krylov.change_v;
            krylov.change_v = change;
            if change <= goal || stalled || !change.is_finite() {
                break;
            }
            for (image, x) in image.iter_mut().zip(&*x) {
                *image -= x;
            }
            // Below 1e-14 the recurrence no longer follows the true residual.
            self.conjugate_gradients(image, (0.1 * goal / change).max(1e-14), x, v, &mut krylov);
            image = vec![0.0; x.len()];
        }
        std::mem::swap(x, &mut image);
        self.rows(x, h, terminals, v);
        krylov
    }

    /// Reduces the error of `x` whose image differs by `z`, by `reduction` in the energy norm; `v` is
    /// scratch.
    ///
    /// The system is C + D - sum D_l (R + D_l)^-1 D_l on the columns, preconditioned by C + D.
    pub(super) fn conjugate_gradients(
        &self,
        mut z: Vec<f64>,
        reduction: f64,
        x: &mut [f64],
        v: &mut [Vec<f64>],
        krylov: &mut Krylov,
    ) {
        let Circuit { rows, columns, row, column } = self.circuit;
        let ground = vec![0.0; *rows];
        let n = x.len();
        let mut rest = vec![0.0; n];
        column.multiply_across(&self.total, &z, *columns, &mut rest);
        let mut direction = z.clone();
        let mut drawn = rest.clone();
        let mut image = vec![0.0; n];
        let mut size = dot(&rest, &z);
        let goal = size * reduction * reduction;
        // In exact arithmetic as many iterations as unknowns suffice; lines couple long before.
        let most = n.min(5000);
        let mut count = 0;
        while size > goal && size > 0.0 && count < most {
            count += 1;
            let curvature = wide(
                #[inline(always)]
                || {
                    for (layer, v) in v.iter_mut().enumerate() {
                        let (factor, d) = (&self.row_factors[layer], &self.slopes[layer]);
                        all_rows(row, factor, d, &direction, None, &ground, v);
                    }
                    for at in 0..n {
                        image[at] = drawn[at] - self.slopes[0][at] * v[0][at];
                    }
                    for (d, v) in self.slopes.iter().zip(&*v).skip(1) {
                        for at in 0..n {
                            image[at] -= d[at] * v[at];
                        }
                    }
                    dot(&direction, &image)
                },
            );
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            let alpha = size / curvature;
            let next = wide(
                #[inline(always)]
                || {
                    for at in 0..n {
                        x[at] += alpha * direction[at];
                        rest[at] -= alpha * image[at];
                    }
                    z.copy_from_slice(&rest);
                    all_columns(&self.column_factor, &mut z, *columns);
                    dot(&rest, &z)
                },
            );
            let beta = next / size;
            krylov.steps.push((alpha, beta));
            size = next;
            wide(
                #[inline(always)]
                || {
                    for at in 0..n {
                        direction[at] = z[at] + beta * direction[at];
                        drawn[at] = rest[at] + beta * drawn[at];
                    }
                },
            );
        }
        krylov.iterations += count;
    }
}
