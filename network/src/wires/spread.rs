//! Read noise on its way down the columns, for inputs side by side.
//!
//! What a cell's noise sends into the node of its column arrives at the end of the column with a part that is, by
//! reciprocity, the voltage of that node when the end alone is held at 1 V: one solution of every column.

use super::lines::LineOf;
use crate::converter::Real;

/// Columns whose ends are held at 1 V; one row of nodes after the other.
pub(super) struct Down<'a, T, const L: usize> {
    line: &'a LineOf<T>,
    /// Conductance of what has been eliminated, and what it draws, for each column.
    seen: Vec<[T; L]>,
    carry: Vec<[T; L]>,
    /// Sums of the columns.
    variances: &'a mut [[T; L]],
}

impl<'a, T: Real, const L: usize> Down<'a, T, L> {
    /// Of columns like `line`; their variances are added up in `variances`.
    pub(super) fn new(line: &'a LineOf<T>, variances: &'a mut [[T; L]]) -> Self {
        let zeros = vec![[T::default(); L]; variances.len()];
        variances.fill([T::default(); L]);
        Self { line, seen: zeros.clone(), carry: zeros, variances }
    }

    /// Takes row `i`: the variances `weight` that its cells send into their nodes, which conduct `slope` to the rest of
    /// the array. Leaves partial sums, reciprocal pivots, and the weights in the place of couplings.
    #[inline(always)]
    pub(super) fn eliminate(
        &mut self,
        i: usize,
        weight: &[[T; L]],
        slope: &[[T; L]],
        [sum, pivot, weights]: [&mut [[T; L]]; 3],
    ) {
        let LineOf { length, held, merged, segment, .. } = *self.line;
        let n = self.variances.len();
        if held {
            for (variance, weight) in self.variances.iter_mut().zip(weight) {
                for l in 0..L {
                    variance[l] += weight[l];
                }
            }
            return;
        }
        let (end, last) = (self.line.end(i), i + 1 == length);
        let (seen, carry) = (&mut self.seen[..n], &mut self.carry[..n]);
        let (sum, pivot, weights) = (&mut sum[..n], &mut pivot[..n], &mut weights[..n]);
        for j in 0..n {
            let (mut total, mut reciprocal) = (carry[j], [T::default(); L]);
            for l in 0..L {
                let here = seen[j][l] + slope[j][l] + end;
                total[l] += end;
                let (p, couple) = if last {
                    (T::ONE / here, T::default())
                } else if merged {
                    (T::default(), T::ONE)
                } else {
                    let p = T::ONE / (here + segment);
                    (p, segment * p)
                };
                reciprocal[l] = p;
                seen[j][l] = couple * here;
                carry[j][l] = couple * total[l];
            }
            (sum[j], pivot[j], weights[j]) = (total, reciprocal, weight[j]);
        }
    }

    /// Finds the voltages of the nodes, from the last row on, and adds up the variances.
    #[inline(always)]
    pub(super) fn substitute(self, sum: &[[T; L]], pivot: &[[T; L]], weights: &[[T; L]]) {
        let LineOf { length, held, merged, segment, .. } = *self.line;
        let n = self.variances.len();
        if held {
            return;
        }
        let mut voltage = self.seen;
        for i in (0..length).rev() {
            let range = i * n..(i + 1) * n;
            let (sum, pivot, weights) = (&sum[range.clone()], &pivot[range.clone()], &weights[range]);
            let last = i + 1 == length;
            for j in 0..n {
                let (mut v, mut variance) = (voltage[j], self.variances[j]);
                let (p, s, weight) = (pivot[j], sum[j], weights[j]);
                for l in 0..L {
                    let couple = if last {
                        T::default()
                    } else if merged {
                        T::ONE
                    } else {
                        segment * p[l]
                    };
                    v[l] = p[l] * s[l] + couple * v[l];
                    variance[l] += weight[l] * v[l] * v[l];
                }
                (voltage[j], self.variances[j]) = (v, variance);
            }
        }
    }
}
