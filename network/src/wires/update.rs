//! From one programmed sample to the next: effective conductances corrected, and checked.
//!
//! Cells of a line act on the voltages of their own row and column most. The conductances that every row
//! alone (columns at 0 V) and every column alone (rows at 0 V) would show, L_ij = G_ij v_ij w_ij with the
//! voltages v along the row and w along the column, follow from two tridiagonal solves: all cells in one pass.
//! M + (dM/dL) (L' - L) with dM/dL = M/L, taken from the known solution, is exact in the known array, holds
//! the cell's own change and that of its lines to every order, and neglects only how the coupling of several
//! lines changes, which is of second order in the wires. What that leaves is measured by exact solutions
//! for a few inputs: the mean square of their errors over random signs is that of all entries.

use super::circuit::{Linear, Terminals};
use super::effective::{Effective, PRECISION};
use super::pairs::PairEffective;
use super::{Layers, Method, WireError};
use mho_data::random::Stream;

/// Exact solutions with random signs; one with equal inputs follows.
const PROBES: usize = 4;
/// What the largest error of the probes is multiplied with, because there are few.
const MARGIN: f64 = 2.0;

/// What is left of 1 V at every cell, for each layer: along its row alone times along its column alone.
pub(super) fn attenuations(linear: &Linear<'_>) -> Vec<Vec<f64>> {
    let (rows, columns) = (linear.circuit.rows, linear.circuit.columns);
    let layers = linear.slopes.len();
    let n = rows * columns;
    let (ones, zeros) = (vec![1.0; rows], vec![0.0; columns]);
    let mut v = vec![vec![0.0; n]; layers];
    let driven = vec![ones.as_slice(); layers];
    linear.rows(&vec![0.0; n], None, &Terminals { rows: &driven, columns: &zeros }, &mut v);
    let still = vec![vec![0.0; n]; layers];
    let mut w = vec![0.0; n];
    linear.columns(&still, None, &Terminals { rows: &driven, columns: &vec![1.0; columns] }, &mut w);
    for v in &mut v {
        v.iter_mut().zip(&w).for_each(|(v, w)| *v *= w);
    }
    v
}

/// What every line alone would conduct (S), for each layer.
pub(super) fn alone(linear: &Linear<'_>) -> Vec<Vec<f64>> {
    let mut alone = attenuations(linear);
    for (alone, g) in alone.iter_mut().zip(linear.slopes) {
        alone.iter_mut().zip(g).for_each(|(alone, g)| *alone *= g);
    }
    alone
}

/// Which cells are corrected by their own ratio, and the mean ratio of all, which is taken for the others:
/// cells that hardly conduct show the currents of their neighbours.
pub(super) struct Ratio {
    pub(super) mean: f64,
    /// Least conductance of a line alone (S) with a ratio of its own.
    pub(super) least: f64,
}

impl Ratio {
    pub(super) fn of(known: &[f64], before: &[f64]) -> Self {
        let (sum, total) = (known.iter().sum::<f64>(), before.iter().sum::<f64>());
        if total > 0.0 {
            Self { mean: sum / total, least: 0.1 * total / before.len() as f64 }
        } else {
            Self { mean: 1.0, least: f64::INFINITY }
        }
    }
}

impl Effective {
    /// Effective conductances of the same array programmed anew (S, rows x columns), with an error of at
    /// most `tolerance`, as a part: of the root mean square of the currents, over outputs, for inputs of
    /// random signs and for inputs that are all equal.
    ///
    /// The known solution is corrected when a check allows, else the array is solved to the tolerance. The
    /// nearer the samples, the better the correction: keep one solution per array and update from that.
    ///
    /// # Errors
    /// When the count differs or a conductance is negative or not finite.
    pub fn update(&self, conductance_s: Vec<f64>, tolerance: f64) -> Result<Self, WireError> {
        self.update_layers(vec![conductance_s], tolerance)
    }

    pub(super) fn update_layers(
        &self,
        conductance_s: Vec<Vec<f64>>,
        tolerance: f64,
    ) -> Result<Self, WireError> {
        for list in &conductance_s {
            self.array.check(list)?;
        }
        let array = Layers { conductance_s, ..self.array.clone() };
        let linear = Linear::new(&array.circuit, &array.conductance_s);
        let alone_s = alone(&linear);
        let layers_s: Vec<Vec<f64>> = (0..alone_s.len())
            .map(|layer| {
                let (known, before) = (&self.layers_s[layer], &self.alone_s[layer]);
                let Ratio { mean, least } = Ratio::of(known, before);
                (0..known.len())
                    .map(|at| {
                        let ratio = if before[at] >= least { known[at] / before[at] } else { mean };
                        known[at] + ratio * (alone_s[layer][at] - before[at])
                    })
                    .collect()
            })
            .collect();
        let error = check(&linear, &layers_s, tolerance);
        if error <= tolerance {
            return Ok(Self { array, layers_s, alone_s, error_s: None, method: Method::Corrected { error } });
        }
        Ok(array.effective(goal(tolerance)))
    }
}

/// How exactly column voltages are solved for (V for an input of 1 V) where currents are asked for to a
/// tolerance: errors of voltages sum along a line to somewhat more in its current.
pub(super) fn goal(tolerance: f64) -> f64 {
    0.1 * tolerance.clamp(10.0 * PRECISION, 1e-1)
}

/// Error of effective conductances, as a part of the root mean square of the currents: twice the largest
/// that any probe shows. `tolerance` says how exactly to solve.
pub(super) fn check(linear: &Linear<'_>, layers_s: &[Vec<f64>], tolerance: f64) -> f64 {
    let (rows, columns) = (linear.circuit.rows, linear.circuit.columns);
    let ground = vec![0.0; columns];
    let mut worst = 0.0_f64;
    for probe in 0..=PROBES {
        let stream = Stream::new(0, &["wires", "probes"], &[probe as u64]);
        let input: Vec<Vec<f64>> = (0..layers_s.len())
            .map(|layer| {
                let sign = |i: usize| stream.uniform((layer * rows + i) as u64) < 0.5;
                (0..rows).map(|i| if probe < PROBES && sign(i) { -1.0 } else { 1.0 }).collect()
            })
            .collect();
        let sources: Vec<&[f64]> = input.iter().map(Vec::as_slice).collect();
        let terminals = Terminals { rows: &sources, columns: &ground };
        let mut x = vec![0.0; rows * columns];
        let mut v = vec![vec![0.0; rows * columns]; layers_s.len()];
        linear.solve(None, &terminals, (1e-3 * tolerance).max(1e-14), &mut x, &mut v);
        let (mut exact, mut found) = (vec![0.0; columns], vec![0.0; columns]);
        for (layer, (g, v)) in linear.slopes.iter().zip(&v).enumerate() {
            for (i, sign) in input[layer].iter().enumerate() {
                for j in 0..columns {
                    let at = i * columns + j;
                    exact[j] += g[at] * (v[at] - x[at]);
                    found[j] += layers_s[layer][at] * sign;
                }
            }
        }
        let square: f64 = exact.iter().map(|current| current * current).sum();
        let off: f64 = exact.iter().zip(&found).map(|(a, b)| (a - b) * (a - b)).sum();
        if square > 0.0 {
            worst = worst.max((off / square).sqrt());
        }
    }
    MARGIN * worst
}

impl PairEffective {
    /// The weights of the same array of pairs programmed anew, as [`Effective::update`] finds them for each
    /// array. The tolerance is of the currents of positive and negative cells, before their difference.
    ///
    /// # Errors
    /// When a count differs or a conductance is negative or not finite.
    pub fn update(
        &self,
        positive_s: Vec<f64>,
        negative_s: Vec<f64>,
        tolerance: f64,
    ) -> Result<Self, WireError> {
        let lists = self.layout.lists(positive_s, negative_s)?;
        let parts: Result<_, _> =
            self.parts.iter().zip(lists).map(|(part, lists)| part.update_layers(lists, tolerance)).collect();
        Ok(Self::of(self.layout, parts?))
    }
}
