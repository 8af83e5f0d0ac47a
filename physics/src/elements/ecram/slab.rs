//! Diffusion across a slab by finite volumes.

/// A slab of cells from the interface (cell 0) to its blocking far side.
#[derive(Debug, Clone, PartialEq)]
pub struct Slab {
    /// Widths of the cells in m.
    pub widths_m: Vec<f64>,
}

impl Slab {
    /// `cells` cells (at least 2) whose widths grow geometrically from the interface to the far side by
    /// `grading` in total, so that the thin layer that a short pulse fills is resolved; 1 for equal cells.
    #[must_use]
    pub fn new(thickness_m: f64, cells: usize, grading: f64) -> Self {
        let cells = cells.max(2);
        let growth = grading.ln() / (cells - 1) as f64;
        let raw: Vec<f64> = (0..cells).map(|cell| (growth * cell as f64).exp()).collect();
        let total: f64 = raw.iter().sum();
        Self { widths_m: raw.iter().map(|width| thickness_m * width / total).collect() }
    }

    /// Distances of the cell centres from the interface in m.
    #[must_use]
    pub fn centres_m(&self) -> Vec<f64> {
        let mut edge = 0.0;
        self.widths_m
            .iter()
            .map(|width| {
                edge += width;
                edge - 0.5 * width
            })
            .collect()
    }

    /// Mean of a quantity over the slab.
    #[must_use]
    pub fn mean(&self, values: &[f64]) -> f64 {
        let total: f64 = self.widths_m.iter().sum();
        self.widths_m.iter().zip(values).map(|(width, value)| width * value).sum::<f64>() / total
    }

    /// The factors of 1 − τL for the diffusion operator L of this slab with diffusivity D, `spread` = τ D in m².
    pub(super) fn implicit(&self, spread_m2: f64) -> Implicit {
        let count = self.widths_m.len();
        let between: Vec<f64> =
            self.widths_m.windows(2).map(|pair| 2.0 * spread_m2 / (pair[0] + pair[1])).collect();
        let (mut pivots, mut lower) = (Vec::with_capacity(count), Vec::with_capacity(count));
        // Rows times their width: a symmetric matrix, whose elimination needs no pivoting. Each pivot is its
        // width's share and the coupling to the right; summed so, rounding cannot swallow the small share.
        let mut share = self.widths_m[0];
        for cell in 0..count {
            let right = between.get(cell).copied().unwrap_or(0.0);
            let pivot = share + right;
            pivots.push(pivot);
            lower.push(right / pivot);
            if cell + 1 < count {
                share = self.widths_m[cell + 1] + share * right / pivot;
            }
        }
        Implicit { pivots, lower }
    }
}

/// A factored implicit step: symmetric, tridiagonal.
#[derive(Debug, Clone)]
pub(super) struct Implicit {
    pivots: Vec<f64>,
    lower: Vec<f64>,
}

impl Implicit {
    /// The solution for a right-hand side that is already multiplied by the widths.
    pub(super) fn solve(&self, mut right: Vec<f64>) -> Vec<f64> {
        for cell in 1..right.len() {
            right[cell] += self.lower[cell - 1] * right[cell - 1];
        }
        let last = right.len() - 1;
        right[last] /= self.pivots[last];
        for cell in (0..last).rev() {
            right[cell] = right[cell] / self.pivots[cell] + self.lower[cell] * right[cell + 1];
        }
        right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_implicit_step_keeps_the_amount_and_solves_its_equations() {
        let slab = Slab::new(1.0, 7, 5.0);
        assert!((slab.widths_m.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!((slab.widths_m[6] / slab.widths_m[0] - 5.0).abs() < 1e-12);
        let values = [0.1, 0.9, 0.3, 0.0, 0.5, 1.0, 0.2];
        for spread in [1e-9, 0.02, 1e9] {
            let right: Vec<f64> = slab.widths_m.iter().zip(values).map(|(w, v)| w * v).collect();
            let found = slab.implicit(spread).solve(right);
            assert!((slab.mean(&found) - slab.mean(&values)).abs() < 1e-14, "{spread}");
            let flux = |cell: usize| {
                2.0 * spread * (found[cell] - found[cell + 1])
                    / (slab.widths_m[cell] + slab.widths_m[cell + 1])
            };
            // The residual of every row; at the largest spread the fluxes are differences of equal numbers.
            for cell in 0..7 {
                let into = if cell > 0 { flux(cell - 1) } else { 0.0 };
                let out = if cell < 6 { flux(cell) } else { 0.0 };
                let residual = slab.widths_m[cell] * (found[cell] - values[cell]) - into + out;
                assert!(residual.abs() < 1e-14 * (1.0 + 40.0 * spread), "{spread} {cell}: {residual}");
            }
        }
        assert!((slab.implicit(1e12).solve(slab.widths_m.clone())[3] - 1.0).abs() < 1e-14);
    }
}
