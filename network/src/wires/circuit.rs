//! The linear circuit of an array and its solution by conjugate gradients.

use super::kernel::{GROUP, dot, eliminate, gather, largest_difference, solve_group, substitute, wide};
use super::lines::{Direction, Factor, Groups, Line};
use std::borrow::Cow;

/// Lines of an array. Every layer of rows has its own line per row; all layers share the columns.
#[derive(Debug, Clone)]
pub(super) struct Circuit {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Lines that supply the cells: rows, or lines beside the columns.
    pub(super) row: Line,
    pub(super) column: Line,
    /// Whether a supply line runs beside each column instead of along each row.
    pub(super) beside: bool,
}

/// Voltages at the terminals (V): one per row (or line beside a column) of each layer, one per column.
pub(super) struct Terminals<'a> {
    pub(super) rows: &'a [&'a [f64]],
    pub(super) columns: &'a [f64],
}

/// A circuit whose cells conduct `slopes` (S, one list per layer), with its factors.
pub(super) struct Linear<'a> {
    pub(super) circuit: &'a Circuit,
    pub(super) slopes: &'a [Vec<f64>],
    /// Sum of the layers (S).
    pub(super) total: Cow<'a, [f64]>,
    /// Factors of the rows of each layer, or of the lines beside the columns.
    pub(super) row_groups: Vec<Groups>,
    beside: Vec<Factor>,
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
                let total = match slopes {
                    [only] => Cow::Borrowed(only.as_slice()),
                    _ => Cow::Owned(
                        (0..slopes[0].len()).map(|at| slopes.iter().map(|d| d[at]).sum()).collect(),
                    ),
                };
                let (mut row_groups, mut beside) = (Vec::new(), Vec::new());
                for d in slopes {
                    if circuit.beside {
                        beside.push(circuit.row.factor_across(d, circuit.columns, Direction::Ascending));
                    } else {
                        row_groups.push(circuit.row.factor_groups(d));
                    }
                }
                let column_factor =
                    circuit.column.factor_across(&total, circuit.columns, Direction::Ascending);
                Self { circuit, slopes, total, row_groups, beside, column_factor }
            },
        )
    }

    /// Voltages of group `g` of the rows of `layer`, as lanes, for currents `value(at)` (A) into its cells'
    /// nodes.
    #[inline(always)]
    fn group(
        &self,
        layer: usize,
        g: usize,
        value: impl Fn(usize) -> f64,
        terminal: &[f64],
        lanes: &mut [[f64; GROUP]],
    ) {
        let n = self.circuit.columns;
        let groups = &self.row_groups[layer];
        let range = g * n..(g + 1) * n;
        let mut source = [0.0; GROUP];
        source[..terminal.len()].copy_from_slice(terminal);
        gather(n, terminal.len(), value, lanes);
        let (pivot, couple) = (&groups.pivot[range.clone()], &groups.couple[range]);
        solve_group(&self.circuit.row, pivot, couple, source, lanes);
    }

    /// Voltages of the lines beside the columns (V), in place of the currents into their nodes (A).
    #[inline(always)]
    fn beside(&self, layer: usize, terminal: Option<&[f64]>, v: &mut [f64]) {
        let (n, line, factor) = (self.circuit.columns, &self.circuit.row, &self.beside[layer]);
        if line.held {
            for row in v.chunks_mut(n) {
                match terminal {
                    Some(terminal) => row.copy_from_slice(terminal),
                    None => row.fill(0.0),
                }
            }
            return;
        }
        for i in 0..self.circuit.rows {
            let (head, here) = v.split_at_mut(i * n);
            let here = &mut here[..n];
            for (here, terminal) in here.iter_mut().zip(terminal.unwrap_or_default()) {
                *here += line.end(i) * terminal;
            }
            if i > 0 {
                let before = (i - 1) * n..i * n;
                eliminate(here, &head[before.clone()], &factor.couple[before]);
            }
        }
        substitute(factor, v, n, |_, _| ());
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
        let n = self.circuit.columns;
        let mut lanes = vec![[0.0; GROUP]; n];
        wide(
            #[inline(always)]
            || {
                for (layer, v) in v.iter_mut().enumerate() {
                    if self.circuit.beside {
                        let d = &self.slopes[layer];
                        for at in 0..v.len() {
                            v[at] = d[at] * x[at] - h.map_or(0.0, |h| h[layer][at]);
                        }
                        self.beside(layer, Some(terminals.rows[layer]), v);
                        continue;
                    }
                    let parts = v.chunks_mut(GROUP * n).zip(terminals.rows[layer].chunks(GROUP));
                    for (g, (v, terminal)) in parts.enumerate() {
                        let range = g * GROUP * n..g * GROUP * n + v.len();
                        let (d, x) = (&self.slopes[layer][range.clone()], &x[range.clone()]);
                        if let Some(h) = h {
                            let h = &h[layer][range];
                            self.group(layer, g, |at| d[at] * x[at] - h[at], terminal, &mut lanes);
                        } else {
                            self.group(layer, g, |at| d[at] * x[at], terminal, &mut lanes);
                        }
                        for (r, v) in v.chunks_mut(n).enumerate() {
                            for (v, lanes) in v.iter_mut().zip(&lanes) {
                                *v = lanes[r];
                            }
                        }
                    }
                }
            },
        );
    }

    /// Column voltages (V) that row voltages `v` ask for.
    pub(super) fn columns(
        &self,
        v: &[Vec<f64>],
        h: Option<&[Vec<f64>]>,
        terminals: &Terminals<'_>,
        x: &mut [f64],
    ) {
        let Circuit { rows, columns, column, .. } = self.circuit;
        if column.held {
            for row in x.chunks_mut(*columns) {
                row.copy_from_slice(terminals.columns);
            }
            return;
        }
        let n = *columns;
        wide(
            #[inline(always)]
            || {
                for i in 0..*rows {
                    let range = i * n..(i + 1) * n;
                    let (head, here) = x.split_at_mut(i * n);
                    let here = &mut here[..n];
                    let end = column.end(i);
                    for (here, terminal) in here.iter_mut().zip(terminals.columns) {
                        *here = end * terminal;
                    }
                    for (layer, (v, d)) in v.iter().zip(self.slopes).enumerate() {
                        let (v, d) = (&v[range.clone()], &d[range.clone()]);
                        for j in 0..n {
                            here[j] += d[j] * v[j];
                        }
                        if let Some(h) = h {
                            for (here, h) in here.iter_mut().zip(&h[layer][range.clone()]) {
                                *here += h;
                            }
                        }
                    }
                    if i > 0 {
                        let before = (i - 1) * n..i * n;
                        eliminate(here, &head[before.clone()], &self.column_factor.couple[before]);
                    }
                }
                substitute(&self.column_factor, x, n, |_, _| ());
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
            let change = wide(
                #[inline(always)]
                || largest_difference(x, &image),
            );
            let stalled = change >= 0.5 * krylov.change_v;
            krylov.change_v = change;
            if change <= goal || stalled || !change.is_finite() {
                break;
            }
            for (image, x) in image.iter_mut().zip(&*x) {
                *image -= x;
            }
            // Below 1e-14 the recurrence no longer follows the true residual.
            self.conjugate_gradients(&mut image, (0.1 * goal / change).max(1e-14), x, &mut krylov);
        }
        std::mem::swap(x, &mut image);
        self.rows(x, h, terminals, v);
        krylov
    }

    /// Reduces the error of `x` whose image differs by `z`, by `reduction` in the energy norm. Leaves `z`
    /// undefined.
    ///
    /// The system is C + D - sum D_l (R + D_l)^-1 D_l on the columns, preconditioned by C + D.
    pub(super) fn conjugate_gradients(
        &self,
        z: &mut [f64],
        reduction: f64,
        x: &mut [f64],
        krylov: &mut Krylov,
    ) {
        let Circuit { rows, columns, column, .. } = self.circuit;
        let (n, count) = (*columns, *rows);
        let ground = [0.0; GROUP];
        let mut rest = vec![0.0; x.len()];
        let mut size = wide(
            #[inline(always)]
            || {
                column.multiply_across(&self.total, z, n, &mut rest);
                dot(&rest, z)
            },
        );
        let mut direction = vec![0.0; x.len()];
        // What the direction draws through C + D, and through the whole array.
        let mut drawn = vec![0.0; x.len()];
        let mut image = vec![0.0; x.len()];
        let mut lanes = vec![[0.0; GROUP]; n];
        let mut answer = vec![0.0; if self.circuit.beside { x.len() } else { 0 }];
        let goal = size * reduction * reduction;
        // In exact arithmetic as many iterations as unknowns suffice; lines couple long before.
        let most = x.len().min(5000);
        let (mut iterations, mut beta) = (0, 0.0);
        while size > goal && size > 0.0 && iterations < most {
            iterations += 1;
            let curvature = wide(
                #[inline(always)]
                || {
                    let mut curvature = 0.0;
                    for (g, low) in (0..count).step_by(GROUP).enumerate() {
                        let step = GROUP.min(count - low);
                        let range = low * n..(low + step) * n;
                        let (direction, drawn) = (&mut direction[range.clone()], &mut drawn[range.clone()]);
                        let (z, rest) = (&z[range.clone()], &rest[range.clone()]);
                        let image = &mut image[range.clone()];
                        for at in 0..step * n {
                            direction[at] = z[at] + beta * direction[at];
                            drawn[at] = rest[at] + beta * drawn[at];
                        }
                        image.copy_from_slice(drawn);
                        if self.circuit.beside {
                            continue;
                        }
                        for layer in 0..self.slopes.len() {
                            let d = &self.slopes[layer][range.clone()];
                            self.group(layer, g, |at| d[at] * direction[at], &ground[..step], &mut lanes);
                            for (r, (image, d)) in image.chunks_mut(n).zip(d.chunks(n)).enumerate() {
                                for ((image, d), lanes) in image.iter_mut().zip(d).zip(&lanes) {
                                    *image -= d * lanes[r];
                                }
                            }
                        }
                        curvature += dot(direction, image);
                    }
                    if self.circuit.beside {
                        for (layer, d) in self.slopes.iter().enumerate() {
                            for at in 0..answer.len() {
                                answer[at] = d[at] * direction[at];
                            }
                            self.beside(layer, None, &mut answer);
                            for at in 0..answer.len() {
                                image[at] -= d[at] * answer[at];
                            }
                        }
                        curvature = dot(&direction, &image);
                    }
                    curvature
                },
            );
            if curvature.is_nan() || curvature <= 0.0 {
                break;
            }
            let alpha = size / curvature;
            let next = wide(
                #[inline(always)]
                || {
                    for i in 0..count {
                        let range = i * n..(i + 1) * n;
                        let (head, z) = z.split_at_mut(i * n);
                        let z = &mut z[..n];
                        let (x, rest) = (&mut x[range.clone()], &mut rest[range.clone()]);
                        let (direction, image) = (&direction[range.clone()], &image[range]);
                        for j in 0..n {
                            x[j] += alpha * direction[j];
                            rest[j] -= alpha * image[j];
                        }
                        z.copy_from_slice(rest);
                        if i > 0 {
                            let before = (i - 1) * n..i * n;
                            eliminate(z, &head[before.clone()], &self.column_factor.couple[before]);
                        }
                    }
                    let mut size = 0.0;
                    substitute(&self.column_factor, z, n, |i, z| size += dot(&rest[i * n..(i + 1) * n], z));
                    size
                },
            );
            beta = next / size;
            krylov.steps.push((alpha, beta));
            size = next;
        }
        krylov.iterations += iterations;
    }
}
