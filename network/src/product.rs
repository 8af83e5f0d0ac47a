//! Dense products of f32 or f64 over `gemm`, on bounds-checked views.
//!
//! Every product runs on the calling thread. Parallel work is cut into fixed blocks further up, so
//! that a result has the same bits whatever the number of threads. The order in which `gemm` sums, and
//! whether products and sums are rounded together, follow the vectors and caches of the processor: the
//! last bits of a product are those of the kind of machine.

use gemm::Parallelism;

/// A read-only matrix in a slice: element (i, j) lies at `i * row_stride + j * column_stride`.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T = f32> {
    data: &'a [T],
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> View<'a, T> {
    /// Rows lie one after the other, `stride` elements apart.
    pub fn rows(data: &'a [T], stride: usize) -> Self {
        Self { data, row_stride: stride, column_stride: 1 }
    }

    /// The transpose of the same memory.
    pub fn transposed(self) -> Self {
        Self { data: self.data, row_stride: self.column_stride, column_stride: self.row_stride }
    }

    /// The first `n` elements of row `i`, whose columns lie together.
    pub fn row(&self, i: usize, n: usize) -> &'a [T] {
        debug_assert!(self.column_stride == 1);
        &self.data[i * self.row_stride..][..n]
    }

    fn covers(&self, rows: usize, columns: usize) -> bool {
        covers(self.data.len(), self.row_stride, self.column_stride, rows, columns)
    }
}

fn covers(len: usize, row_stride: usize, column_stride: usize, rows: usize, columns: usize) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * row_stride + (columns - 1) * column_stride < len
}

/// `out = keep * out + a * b` with `a`: m x k, `b`: k x n, `out`: m x n with rows `out_stride` apart.
/// `keep` is false for a plain product (then `out` may hold anything).
///
/// # Panics
/// When a matrix does not hold what its size says.
pub fn product<T: crate::converter::Real>(
    (m, n, k): (usize, usize, usize),
    a: View<'_, T>,
    b: View<'_, T>,
    out: &mut [T],
    out_stride: usize,
    keep: bool,
) {
    assert!(a.covers(m, k), "left factor smaller than {m} x {k}");
    assert!(b.covers(k, n), "right factor smaller than {k} x {n}");
    assert!(covers(out.len(), out_stride, 1, m, n) && out_stride >= n, "product smaller than {m} x {n}");
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        // A sum of nothing; `gemm` would leave what stands there.
        if !keep {
            out.chunks_mut(out_stride.max(1)).take(m).for_each(|row| row[..n].fill(T::default()));
        }
        return;
    }
    // SAFETY: the three assertions above bound every element that `gemm` touches: the largest offset
    // of each matrix lies inside its slice, and `out` is borrowed mutably, so nothing overlaps it.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            keep,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_sum_of_products() {
        let (m, n, k) = (5, 7, 11);
        let a: Vec<f32> = (0..m * k).map(|i| (i % 13) as f32 - 6.0).collect();
        let b: Vec<f32> = (0..n * k).map(|i| (i % 7) as f32 - 3.0).collect();
        let mut out = vec![1.0; m * n];
        product((m, n, k), View::rows(&a, k), View::rows(&b, k).transposed(), &mut out, n, true);
        for i in 0..m {
            for j in 0..n {
                let sum: f32 = (0..k).map(|l| a[i * k + l] * b[j * k + l]).sum();
                assert_eq!(out[i * n + j], sum + 1.0);
            }
        }
    }
}
