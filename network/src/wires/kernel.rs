//! Loops over the rows of an array, for one input or several side by side, compiled for the widest
//! vectors of the processor. Products and sums are rounded one by one, so that every machine gives the
//! same bits.

use super::lines::{Factor, Line};

/// Runs a loop as compiled for the widest vectors of this processor.
#[inline(always)]
pub(super) fn wide<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Voltages of `R` consecutive rows (V): (lines + D) v = D x + terminals, for `L` inputs side by side.
///
/// `d`, `x` and `v` are the cells of these rows, `factor` the factors of the same cells; `terminal`
/// is each row's source voltage. Rows do not wait for each other.
#[inline(always)]
pub(super) fn rows<const R: usize, const L: usize>(
    line: &Line,
    factor: (&[f64], &[f64]),
    d: &[f64],
    x: &[[f64; L]],
    terminal: [[f64; L]; R],
    v: &mut [[f64; L]],
) {
    let n = line.length;
    let split = |values| -> [&[f64]; R] {
        let values: &[f64] = values;
        std::array::from_fn(|r| &values[r * n..][..n])
    };
    let (pivot, couple, d) = (split(factor.0), split(factor.1), split(d));
    let x: [&[[f64; L]]; R] = std::array::from_fn(|r| &x[r * n..][..n]);
    let mut lines = v.chunks_exact_mut(n);
    let v: [&mut [[f64; L]]; R] = std::array::from_fn(|_| lines.next().unwrap_or_default());
    if line.held {
        for r in 0..R {
            v[r].fill(terminal[r]);
        }
        return;
    }
    let mut carry = [[0.0; L]; R];
    let [first, last] = line.ends;
    for r in 0..R {
        for l in 0..L {
            carry[r][l] = first * terminal[r][l];
        }
    }
    // The source of the first node enters before its elimination, that of the last after the loop.
    for k in 0..n {
        for r in 0..R {
            let before = if k > 0 { couple[r][k - 1] } else { 1.0 };
            for l in 0..L {
                carry[r][l] = d[r][k] * x[r][k][l] + before * carry[r][l];
                v[r][k][l] = carry[r][l];
            }
        }
    }
    let mut after = [[0.0; L]; R];
    for r in 0..R {
        for l in 0..L {
            v[r][n - 1][l] += last * terminal[r][l];
        }
    }
    for k in (0..n).rev() {
        for r in 0..R {
            for l in 0..L {
                after[r][l] = pivot[r][k] * v[r][k][l] + couple[r][k] * after[r][l];
                v[r][k][l] = after[r][l];
            }
        }
    }
}

/// Rows of one input that are solved side by side.
pub(super) const GROUP: usize = 8;

/// Reads `GROUP` rows or fewer, `value(at)` in row-major order, as columns of lanes.
#[inline(always)]
pub(super) fn gather(n: usize, rows: usize, value: impl Fn(usize) -> f64, lanes: &mut [[f64; GROUP]]) {
    for r in 0..rows {
        for (k, lanes) in lanes[..n].iter_mut().enumerate() {
            lanes[r] = value(r * n + k);
        }
    }
}

/// Voltages (V) of a group of rows in place of the currents into their nodes (A). The factors are those of
/// the group, lanes being rows.
#[inline(always)]
pub(super) fn solve_group(
    line: &Line,
    pivot: &[[f64; GROUP]],
    couple: &[[f64; GROUP]],
    terminal: [f64; GROUP],
    lanes: &mut [[f64; GROUP]],
) {
    let n = line.length;
    let (pivot, couple, lanes) = (&pivot[..n], &couple[..n], &mut lanes[..n]);
    if line.held {
        lanes.fill(terminal);
        return;
    }
    let [first, last] = line.ends;
    for l in 0..GROUP {
        lanes[0][l] += first * terminal[l];
        lanes[n - 1][l] += last * terminal[l];
    }
    let mut carry = [0.0; GROUP];
    for k in 0..n {
        for l in 0..GROUP {
            lanes[k][l] += carry[l];
            carry[l] = couple[k][l] * lanes[k][l];
        }
    }
    let mut after = [0.0; GROUP];
    for k in (0..n).rev() {
        for l in 0..GROUP {
            after[l] = pivot[k][l] * lanes[k][l] + couple[k][l] * after[l];
        }
        lanes[k] = after;
    }
}

/// The first half of a solution of all columns, one row of nodes: currents `b` (A) become partial sums.
/// `before` and `couple` are those of the row before, in the order of elimination.
#[inline(always)]
pub(super) fn eliminate(b: &mut [f64], before: &[f64], couple: &[f64]) {
    for ((b, before), couple) in b.iter_mut().zip(before).zip(couple) {
        *b += couple * before;
    }
}

/// The second half, from the last row of nodes to the first: partial sums become voltages (V).
#[inline(always)]
pub(super) fn substitute(factor: &Factor, b: &mut [f64], count: usize, mut visit: impl FnMut(usize, &[f64])) {
    let n = b.len() / count;
    for k in (0..n).rev() {
        let range = k * count..(k + 1) * count;
        let (pivot, couple) = (&factor.pivot[range.clone()], &factor.couple[range]);
        let (head, after) = b.split_at_mut((k + 1) * count);
        let here = &mut head[k * count..];
        if k + 1 < n {
            for j in 0..count {
                here[j] = pivot[j] * here[j] + couple[j] * after[j];
            }
        } else {
            for j in 0..count {
                here[j] *= pivot[j];
            }
        }
        visit(k, here);
    }
}

/// Sum of products, in sixteen partial sums.
#[inline(always)]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for l in 0..16 {
            sums[l] += a[l] * b[l];
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a * b;
    }
    sums.iter().sum()
}

/// Largest size of the numbers; infinity where one is no number.
#[inline(always)]
pub(super) fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |most: f64, value| if value.is_nan() { f64::INFINITY } else { most.max(value.abs()) })
}

/// Largest difference of two lists; infinity where one is no number.
#[inline(always)]
pub(super) fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    let mut most = [0.0_f64; 16];
    let mut wrong = [0.0_f64; 16];
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        for (l, (a, b)) in a.iter().zip(b).enumerate() {
            let off = (a - b).abs();
            most[l] = if off > most[l] { off } else { most[l] };
            // Zero times a number is zero, times anything else it is not a number.
            wrong[l] += 0.0 * off;
        }
    }
    if wrong.iter().all(|wrong| *wrong == 0.0) { largest(most.into_iter()) } else { f64::INFINITY }
}
