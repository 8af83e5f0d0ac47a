//! Cells whose current is not proportional to the voltage of their input.
//!
//! The current of a cell at an input x (as a part of the full voltage) is a function of x and of its current c at
//! the full one. A few functions of c, its currents at some pivot inputs, stand for all:
//!
//! ```text
//! I(c, x) = sum_k p_k(x) I(c, x_k),    x_0 = 1
//! ```
//!
//! so that a product over curved cells is a sum of products over other cells and other inputs. Pivots are taken
//! where the error is largest, one after the other, and p_k by least squares over all currents. Curves of one
//! shape need one term: then only the inputs are bent.

use crate::converter::Real;
use crate::wires::{SEGMENTS, Shapes};

/// Currents of cells on which pivots are searched, evenly from 0 to [`RANGE`].
const CURRENTS: usize = 193;
/// Largest current of a cell over that of the largest weight.
const RANGE: f64 = 1.5;
/// Steps of the inputs on which they are searched, from 0 to 1; between them parts are linear.
const INPUTS: usize = SEGMENTS;
/// Most terms.
const MOST_TERMS: usize = 6;
/// Error at which no further pivot is taken, over the largest current.
const TOLERANCE: f64 = 1e-4;

/// Currents of curved cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    terms: Vec<Term>,
    /// Conductance of the largest weight at the full voltage (S), for circuits.
    pub conductance_s: f64,
    /// Largest error over all currents and inputs, over the largest current.
    pub error: f64,
}

/// One term.
#[derive(Clone, Debug, PartialEq)]
struct Term {
    /// Current at the pivot, for even currents at the full input.
    currents: Vec<f64>,
    /// Part of it at even inputs from 0 to 1.
    parts: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Value at `x` of a list over even places from 0 to `most`; linear between and beyond.
#[inline]
fn between(list: &[f64], most: f64, x: f64) -> f64 {
    let place = x / most * (list.len() - 1) as f64;
    let below = (place.max(0.0) as usize).min(list.len() - 2);
    list[below] + (list[below + 1] - list[below]) * (place - below as f64)
}

impl Curves {
    /// `current` tells the currents at an input of cells that carry these at the full one, all over that of the
    /// largest weight, which has `conductance_s` (S) there.
    ///
    /// # Errors
    /// Those of `current`.
    pub fn new<E>(
        conductance_s: f64,
        mut current: impl FnMut(&[f64], f64) -> Result<Vec<f64>, E>,
    ) -> Result<Self, E> {
        let cells: Vec<f64> = (0..CURRENTS).map(|i| RANGE * i as f64 / (CURRENTS - 1) as f64).collect();
        let columns: Vec<Vec<f64>> =
            (0..=INPUTS).map(|x| current(&cells, x as f64 / INPUTS as f64)).collect::<Result<_, E>>()?;
        // An orthonormal basis of the pivots, and the pivots in it: column k of a triangular matrix.
        let (mut basis, mut inside): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        let mut pivots = Vec::new();
        let mut rests = columns.clone();
        let mut next = columns.len() - 1;
        let mut error;
        loop {
            let size = dot(&rests[next], &rests[next]).sqrt();
            if size > 0.0 {
                let unit: Vec<f64> = rests[next].iter().map(|rest| rest / size).collect();
                let mut within: Vec<f64> = basis.iter().map(|unit| dot(unit, &columns[next])).collect();
                within.push(size);
                for rest in &mut rests {
                    let part = dot(&unit, rest);
                    rest.iter_mut().zip(&unit).for_each(|(rest, unit)| *rest -= part * unit);
                }
                basis.push(unit);
                inside.push(within);
                pivots.push(next);
            }
            let worst = |rest: &Vec<f64>| rest.iter().fold(0.0_f64, |worst, rest| worst.max(rest.abs()));
            let errors: Vec<f64> = rests.iter().map(worst).collect();
            next = (0..errors.len()).max_by(|&a, &b| errors[a].total_cmp(&errors[b])).unwrap_or(0);
            error = errors[next];
            if error <= TOLERANCE || error.is_nan() || pivots.len() >= MOST_TERMS || size == 0.0 {
                break;
            }
        }
        let mut terms: Vec<Term> =
            pivots.iter().map(|&k| Term { currents: columns[k].clone(), parts: Vec::new() }).collect();
        for column in &columns {
            // Back substitution: the column in the basis, as a sum of pivots.
            let mut left: Vec<f64> = basis.iter().map(|unit| dot(unit, column)).collect();
            let mut parts = vec![0.0; terms.len()];
            for k in (0..terms.len()).rev() {
                parts[k] = left[k] / inside[k][k];
                for (left, inside) in left.iter_mut().zip(&inside[k]) {
                    *left -= parts[k] * inside;
                }
            }
            terms.iter_mut().zip(parts).for_each(|(term, part)| term.parts.push(part));
        }
        Ok(Self { terms, conductance_s, error })
    }

    /// Number of terms.
    pub fn count(&self) -> usize {
        self.terms.len()
    }

    /// What a cell that carries `current` at the full input carries at the pivot of term `k`.
    pub(super) fn current(&self, k: usize, current: f64) -> f64 {
        between(&self.terms[k].currents, RANGE, current)
    }

    /// What a cell that carries `current` at the full input counts in term `k`.
    pub(super) fn part(&self, k: usize, current: f64) -> f64 {
        // The first pivot is the full input.
        if k == 0 { current } else { self.current(k, current) }
    }

    /// The functions of the voltage that the terms take, for circuits.
    pub(super) fn shapes(&self) -> Shapes<f64> {
        Shapes::new(self.terms.iter().map(|term| term.parts.as_slice())).unwrap_or_default()
    }

    /// Inputs (rows `stride` apart, `n` of each) as term `k` takes them; they are odd.
    pub(super) fn bend<T: Real>(&self, k: usize, inputs: &[T], stride: usize, n: usize, out: &mut [T]) {
        let parts = &self.terms[k].parts;
        for (out, inputs) in out.chunks_exact_mut(n.max(1)).zip(inputs.chunks(stride.max(1))) {
            for (out, x) in out.iter_mut().zip(inputs) {
                let x = x.to_f64();
                *out = T::of(between(parts, 1.0, x.abs()) * x.signum());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve whose shape changes with the current needs several terms, one of a single shape only one.
    #[test]
    fn terms_sum_to_the_curve() {
        let curve = |c: f64, x: f64, change: f64| {
            let a = 3.0 * (1.0 - change * c / 1.5);
            c * (a * x).sinh() / a.sinh()
        };
        for (change, least, most) in [(0.0, 1, 1), (0.6, 2, 4)] {
            let of = |cells: &[f64], x: f64| -> Result<Vec<f64>, ()> {
                Ok(cells.iter().map(|&c| curve(c, x, change)).collect())
            };
            let curves = Curves::new(1e-5, of).unwrap();
            assert!((least..=most).contains(&curves.count()), "{}", curves.count());
            assert!(curves.error <= TOLERANCE);
            for step in 0..=127 {
                let x = f64::from(step) / 127.0;
                for c in [0.0, 0.1, 0.33, 0.8, 1.0, 1.4] {
                    let sum: f64 = (0..curves.count())
                        .map(|k| {
                            let mut bent = [0.0];
                            curves.bend(k, &[-x], 1, 1, &mut bent);
                            curves.current(k, c) * bent[0]
                        })
                        .sum();
                    // The tolerance, and currents between those that are listed.
                    assert!((sum + curve(c, x, change)).abs() < 3e-4, "{change} {c} {x}: {sum}");
                }
            }
        }
    }
}
