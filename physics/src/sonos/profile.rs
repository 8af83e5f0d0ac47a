//! Trapped charge as a profile across the nitride, on equal cells.
//!
//! The threshold shift is the integral of the charge density weighted by what lies between it and the gate,
//!
//! ```text
//! ΔV_T = −(1/ε₀) ∫ ρ(x) [(t_N − x)/ε_N + t_bo/ε_ox] dx,    x from the tunnel oxide,
//! ```
//!
//! here as a sum over cells of sheet charge at their middles. The weight is linear in x, so the sum is exact
//! for a density that is constant within each cell.

use crate::constants::VACUUM_PERMITTIVITY;
use crate::sonos::stack::{Fields, Stack};

/// Trapped charge per gate area in each of a number of equal cells of the nitride, in C/m², electrons
/// negative; the first cell touches the tunnel oxide.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Charge of each cell in C/m².
    pub cells: Vec<f64>,
    /// Width of a cell in m.
    pub width_m: f64,
}

impl Profile {
    /// No charge, on `count` cells (at least one).
    #[must_use]
    pub fn empty(stack: &Stack, count: usize) -> Self {
        let count = count.max(1);
        Self { cells: vec![0.0; count], width_m: stack.nitride_m / count as f64 }
    }

    /// A density that is even between two places (m from the tunnel oxide) and shifts the threshold by
    /// `shift_v`. Zero when the places enclose nothing.
    #[must_use]
    pub fn even(stack: &Stack, count: usize, from_m: f64, to_m: f64, shift_v: f64) -> Self {
        let mut profile = Self::empty(stack, count);
        for (index, cell) in profile.cells.iter_mut().enumerate() {
            *cell = share(index, profile.width_m, from_m, to_m);
        }
        let unit = profile.shift_v(stack);
        let scale = if unit == 0.0 { 0.0 } else { shift_v / unit };
        profile.cells.iter_mut().for_each(|cell| *cell *= scale);
        profile
    }

    /// Middle of a cell in m from the tunnel oxide.
    #[must_use]
    pub fn place_m(&self, index: usize) -> f64 {
        (index as f64 + 0.5) * self.width_m
    }

    /// All charge in C/m².
    #[must_use]
    pub fn charge(&self) -> f64 {
        self.cells.iter().sum()
    }

    /// Threshold shift in V.
    #[must_use]
    pub fn shift_v(&self, stack: &Stack) -> f64 {
        -self
            .cells
            .iter()
            .enumerate()
            .map(|(index, charge)| charge / stack.top_capacitance(self.place_m(index)))
            .sum::<f64>()
    }

    /// Place in m of the sheet with the same charge and the same threshold shift; none without net charge.
    #[must_use]
    pub fn centroid_m(&self) -> Option<f64> {
        let charge = self.charge();
        let moment: f64 = self.cells.iter().enumerate().map(|(index, cell)| cell * self.place_m(index)).sum();
        (charge != 0.0).then(|| moment / charge)
    }

    /// Mean place in m of the trapped carriers of both signs; the middle of the nitride when there are none.
    ///
    /// Unlike the centroid it stays inside the nitride while electrons and holes cancel.
    #[must_use]
    pub fn mean_place_m(&self) -> f64 {
        let carriers: f64 = self.cells.iter().map(|cell| cell.abs()).sum();
        let moment: f64 =
            self.cells.iter().enumerate().map(|(index, cell)| cell.abs() * self.place_m(index)).sum();
        if carriers > 0.0 { moment / carriers } else { 0.5 * self.width_m * self.cells.len() as f64 }
    }

    /// Fields in the oxides at a gate voltage and a surface potential in V.
    #[must_use]
    pub fn fields(&self, stack: &Stack, gate_v: f64, psi_s_v: f64) -> Fields {
        let tunnel = (gate_v - stack.phi_ms_v - psi_s_v - self.shift_v(stack)) / stack.eot_m();
        let oxide = stack.oxide_permittivity * VACUUM_PERMITTIVITY;
        Fields { tunnel_v_per_m: tunnel, blocking_v_per_m: tunnel - self.charge() / oxide }
    }

    /// Field in V/m at the middle of each cell, below a tunnel-oxide field in V/m (Gauss's law).
    #[must_use]
    pub fn nitride_fields(&self, stack: &Stack, tunnel_v_per_m: f64) -> Vec<f64> {
        let mut below = 0.0;
        self.cells
            .iter()
            .map(|&charge| {
                let enclosed = below + 0.5 * charge;
                below += charge;
                (stack.oxide_permittivity * tunnel_v_per_m - enclosed / VACUUM_PERMITTIVITY)
                    / stack.nitride_permittivity
            })
            .collect()
    }
}

/// Fraction of cell `index` that lies between two places in m.
pub(crate) fn share(index: usize, width_m: f64, from_m: f64, to_m: f64) -> f64 {
    let low = index as f64 * width_m;
    let inside = to_m.min(low + width_m) - from_m.max(low);
    (inside / width_m).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An even density over the whole nitride has its centroid in the middle and shifts like a sheet there.
    #[test]
    fn even_density_is_a_sheet_in_the_middle() {
        let stack = Stack::default();
        let profile = Profile::even(&stack, 37, 0.0, stack.nitride_m, 1.3);
        assert!((profile.shift_v(&stack) - 1.3).abs() < 1e-12);
        assert!((profile.centroid_m().unwrap() - 4e-9).abs() < 1e-15);
        assert!((profile.charge() - stack.charge_for_shift(1.3)).abs() < 1e-12);
    }

    /// The integral of A.1 for an exponential density, against the sum: second order in the cell width.
    #[test]
    fn sum_converges_to_the_integral() {
        let stack = Stack::default();
        let (length, density) = (2e-9, -1e6);
        let t = stack.nitride_m;
        // ∫ e^(−x/L) dx and ∫ x e^(−x/L) dx from 0 to t.
        let rest = (-t / length).exp();
        let zeroth = length * (1.0 - rest);
        let first = length * length - (length * length + length * t) * rest;
        let exact = -density / VACUUM_PERMITTIVITY
            * (zeroth * (t / stack.nitride_permittivity + stack.blocking_oxide_m / stack.oxide_permittivity)
                - first / stack.nitride_permittivity);
        let error = |count: usize| {
            let mut profile = Profile::empty(&stack, count);
            for index in 0..count {
                profile.cells[index] = density * (-profile.place_m(index) / length).exp() * profile.width_m;
            }
            (profile.shift_v(&stack) - exact).abs()
        };
        assert!(error(40) < 1e-3 * exact);
        let order = (error(40) / error(80)).log2();
        assert!((order - 2.0).abs() < 0.05, "order {order}");
    }

    /// The field drops across the nitride by the enclosed charge, and the blocking oxide continues it.
    #[test]
    fn nitride_field_joins_the_oxides() {
        let stack = Stack::default();
        let profile = Profile::even(&stack, 400, 1e-9, 5e-9, 1.0);
        let fields = profile.fields(&stack, 2.0, 0.5);
        let inside = profile.nitride_fields(&stack, fields.tunnel_v_per_m);
        let ratio = stack.oxide_permittivity / stack.nitride_permittivity;
        assert!((inside[0] / (ratio * fields.tunnel_v_per_m) - 1.0).abs() < 1e-12);
        assert!((inside[399] / (ratio * fields.blocking_v_per_m) - 1.0).abs() < 1e-12);
        // Voltage drops add up to the gate voltage.
        let across = fields.tunnel_v_per_m * stack.tunnel_oxide_m
            + inside.iter().sum::<f64>() * profile.width_m
            + fields.blocking_v_per_m * stack.blocking_oxide_m;
        assert!((across - (2.0 - stack.phi_ms_v - 0.5)).abs() < 1e-9, "{across}");
    }

    proptest! {
        /// More electrons anywhere raise the threshold.
        #[test]
        fn threshold_is_monotone_in_charge(
            cells in prop::collection::vec(-1e-2f64..1e-2, 1..60),
            which in 0usize..60,
            more in 1e-9f64..1e-2,
        ) {
            let stack = Stack::default();
            let width_m = stack.nitride_m / cells.len() as f64;
            let before = Profile { cells, width_m };
            let mut after = before.clone();
            let index = which % after.cells.len();
            after.cells[index] -= more;
            prop_assert!(after.shift_v(&stack) > before.shift_v(&stack));
        }
    }
}
