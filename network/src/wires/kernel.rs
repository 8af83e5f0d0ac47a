//! Loops over the rows of an array, for one input or several side by side, compiled for the widest
//! vectors of the processor. Products and sums are rounded one by one, so that every machine gives the
//! same bits.

use super::lines::{Factor, Line};

/// Runs a loop as compiled for the widest vectors of this processor.
#[inline(always)]
pub(super) fn wide<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Voltages of `R` consecutive rows (V): (lines + D) v = D x - h + terminals, for `L` inputs side by side.
///
/// `d`, `x`, `h` and `v` are the cells of these rows, `factor` the factors of the same cells; `terminal`
/// is each row's source voltage. Rows do not wait for each other.
#[inline(always)]
pub(super) fn rows<const R: usize, const L: usize>(
    line: &Line,
    factor: (&[f64], &[f64]),
    d: &[f64],
    x: &[[f64; L]],
    h: Option<&[f64]>,
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
            let source = h.map_or(0.0, |h| h[r * n + k]);
            for l in 0..L {
                carry[r][l] = (d[r][k] * x[r][k][l] - source) + before * carry[r][l];
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

/// Calls `rows` for all rows of one layer of an array with one input.
#[inline(always)]
pub(super) fn all_rows(
    line: &Line,
    factor: &Factor,
    d: &[f64],
    x: &[f64],
    h: Option<&[f64]>,
    terminal: &[f64],
    v: &mut [f64],
) {
    let n = line.length;
    let (mut i, count) = (0, terminal.len());
    while i < count {
        let step = if count - i >= 8 { 8 } else { 1 };
        let range = i * n..(i + step) * n;
        let factor = (&factor.pivot[range.clone()], &factor.couple[range.clone()]);
        let (d, h) = (&d[range.clone()], h.map(|h| &h[range.clone()]));
        let x = x[range.clone()].as_chunks::<1>().0;
        let v = v[range].as_chunks_mut::<1>().0;
        if step == 8 {
            rows::<8, 1>(line, factor, d, x, h, std::array::from_fn(|r| [terminal[i + r]]), v);
        } else {
            rows::<1, 1>(line, factor, d, x, h, [[terminal[i]]], v);
        }
        i += step;
    }
}

/// Solves in place for all columns: `b` holds currents into the nodes (A) and becomes voltages (V).
/// The factor is ascending.
#[inline(always)]
pub(super) fn all_columns(factor: &Factor, b: &mut [f64], count: usize) {
    let n = b.len() / count;
    for k in 1..n {
        let (before, here) = b[(k - 1) * count..(k + 1) * count].split_at_mut(count);
        let couple = &factor.couple[(k - 1) * count..k * count];
        for j in 0..count {
            here[j] += couple[j] * before[j];
        }
    }
    let last = (n - 1) * count;
    for (b, pivot) in b[last..].iter_mut().zip(&factor.pivot[last..]) {
        *b *= pivot;
    }
    for k in (0..n - 1).rev() {
        let (here, after) = b[k * count..(k + 2) * count].split_at_mut(count);
        let pivot = &factor.pivot[k * count..(k + 1) * count];
        let couple = &factor.couple[k * count..(k + 1) * count];
        for j in 0..count {
            here[j] = pivot[j] * here[j] + couple[j] * after[j];
        }
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
