//! Currents of cells as sums of a few products: of functions of the voltage, common to all cells, and numbers of
//! the cell.
//!
//! ```text
//! I(u) = sum_k c_k p_k(u / full),    p_k odd, from 0 to 1 on even knots, linear between them and beyond
//! ```

use crate::converter::Real;

/// Steps of the functions between voltages of 0 and the full one.
pub const SEGMENTS: usize = 256;

/// Functions of the voltage over the full one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shapes<T> {
    terms: usize,
    /// For each step and function its value at the start and its rise to the end.
    steps: Vec<[T; 2]>,
}

impl<T: Real> Shapes<T> {
    /// Of functions listed at [`SEGMENTS`]` + 1` even voltages from 0 to the full one; `None` for other lists.
    pub fn new<'a>(lists: impl IntoIterator<Item = &'a [f64]>) -> Option<Self> {
        let lists: Vec<&[f64]> = lists.into_iter().collect();
        if lists.iter().any(|list| list.len() != SEGMENTS + 1) {
            return None;
        }
        let step =
            |at: usize| lists.iter().map(move |list| [T::of(list[at]), T::of(list[at + 1] - list[at])]);
        Some(Self { terms: lists.len(), steps: (0..SEGMENTS).flat_map(step).collect() })
    }

    /// The same in another precision, with functions that are zero added until there are `terms`.
    pub(super) fn padded<U: Real>(&self, terms: usize) -> Shapes<U> {
        let number = |at: usize, k: usize| {
            let step = if k < self.terms { self.steps[at * self.terms + k] } else { [T::default(); 2] };
            step.map(|number| U::of(number.to_f64()))
        };
        let steps = (0..SEGMENTS).flat_map(|at| (0..terms).map(move |k| number(at, k))).collect();
        Shapes { terms, steps }
    }

    /// Number of functions.
    pub fn count(&self) -> usize {
        self.terms
    }

    /// The steps of `K` functions; none if there are not so many.
    #[inline(always)]
    pub(super) fn table<const K: usize>(&self) -> Option<&[[[T; 2]; K]; SEGMENTS]> {
        if K != self.terms {
            return None;
        }
        self.steps.as_chunks::<K>().0.try_into().ok()
    }

    /// Value and slope of function `k` at a voltage over the full one.
    #[inline(always)]
    pub(super) fn at(&self, k: usize, u: T) -> [T; 2] {
        let size = u.max(-u) * T::of(SEGMENTS as f64);
        let below = (size.min(T::of((SEGMENTS - 1) as f64)).to_i32() as usize).min(SEGMENTS - 1);
        let [start, rise] = self.steps[below * self.terms + k];
        let value = start + rise * (size - T::of_i32(below as i32));
        [if u < T::default() { -value } else { value }, rise * T::of(SEGMENTS as f64)]
    }
}

/// Cells of an array that follow such functions.
#[derive(Debug, Clone)]
pub(super) struct Bent {
    pub(super) shapes: std::sync::Arc<Shapes<f64>>,
    /// Numbers of the cells (A) for each layer of rows and each function, row by row.
    pub(super) parts: Vec<Vec<Vec<f64>>>,
    /// Full voltage (V).
    pub(super) full_v: f64,
}

impl Bent {
    /// Current (A) and differential conductance (S) of a cell.
    #[inline(always)]
    pub(super) fn law(&self, layer: usize, at: usize, v: f64) -> (f64, f64) {
        let (mut current, mut slope) = (0.0, 0.0);
        for (k, parts) in self.parts[layer].iter().enumerate() {
            let [value, rise] = self.shapes.at(k, v / self.full_v);
            current += parts[at] * value;
            slope += parts[at] * rise;
        }
        // Sums of a few functions may fall by as much as they are off; cells do not.
        (current, slope.max(0.0) / self.full_v)
    }
}
