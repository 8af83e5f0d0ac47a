//! Conduction of heat through layers: c dT/dt = d/dx(k(T) dT/dx) + q - g (T - T_a), k = k0 (T/T0)^-m.
//!
//! Nodes stand on the faces of finite elements; the flux between two nodes is the difference of the
//! Kirchhoff potential (the integral of k over T) over their distance. A steady profile with a source that is
//! constant in a layer is then exact at the nodes; everything else is of second order in the spacing.

mod slab;
mod transient;

pub use slab::{Conductivity, Element, End, Link, Slab};
pub use transient::{Balance, Moment, Warming};

use super::implicit::{self, Accuracy, Cell, Chain, Stalled};

/// Temperatures in K that no tolerance looks below.
const FLOOR_K: f64 = 1e-9;
/// The coldest part of a temperature that one Newton step may leave.
const COLDEST_PART: f64 = 0.3;

impl Chain<1> for Slab {
    fn rate(
        &self,
        _time: f64,
        index: usize,
        before: Option<&Cell<1>>,
        here: &Cell<1>,
        after: Option<&Cell<1>>,
    ) -> Cell<1> {
        let temperature = here[0];
        if let Some(fixed) = self.fixed(index) {
            return [fixed - temperature];
        }
        let power = self.inflow(index, before.map(|t| t[0]), temperature, after.map(|t| t[0]))
            - self.end_outflow(index, temperature);
        [power / self.capacity(index)]
    }

    fn differential(&self, index: usize) -> [bool; 1] {
        [self.fixed(index).is_none()]
    }

    fn floor(&self) -> Cell<1> {
        [FLOOR_K]
    }

    fn admitted(&self, here: &Cell<1>, step: &Cell<1>) -> f64 {
        if here[0] + step[0] < COLDEST_PART * here[0] {
            (1.0 - COLDEST_PART) * here[0] / step[0].abs()
        } else {
            1.0
        }
    }
}

impl Slab {
    /// The steady temperatures in K at the nodes.
    ///
    /// # Errors
    /// [`Stalled`] when there are none: heat that cannot leave, or a conductivity that falls so fast with
    /// temperature that no gradient carries the heat.
    pub fn steady(&self, guess_k: f64) -> Result<Vec<f64>, Stalled> {
        let accuracy = Accuracy { relative: 1e-10, max_iterations: 200, ..Accuracy::default() };
        let guess = vec![[guess_k]; self.nodes()];
        // Fixed nodes first: a guess that violates them is a cliff.
        let guess = implicit::consistent(self, 0.0, &guess, accuracy)?;
        let found = implicit::steady(self, 0.0, &guess, accuracy)?;
        Ok(found.into_iter().map(|cell| cell[0]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element(length_m: f64, exponent: f64, source_w_m3: f64) -> Element {
        Element {
            length_m,
            conductivity: Conductivity { value_w_mk: 148.0, exponent, reference_k: 300.0 },
            capacity_j_m3k: 1.63e6,
            source_w_m3,
            loss_w_m3k: 0.0,
            ambient_k: 300.0,
        }
    }

    fn slab(cells: usize, element: Element, left: End, right: End) -> Slab {
        let part = Element { length_m: element.length_m / cells as f64, ..element };
        Slab::new(vec![Link::Bulk(part); cells], left, right)
    }

    #[test]
    fn agrees_with_the_exact_column_of_the_golden_profile() {
        let Some(path) = mho_data::shared::find("golden/semiconductor/heat_steady_kT.csv") else {
            println!("SKIPPED: golden/semiconductor/heat_steady_kT.csv is absent");
            return;
        };
        let text = std::fs::read_to_string(&path).unwrap();
        let table = mho_data::Table::from_csv(&text, "heat_steady_kT.csv").unwrap();
        let exact = table.floats("T_exact_K").unwrap();
        let slab = slab(200, element(1e-4, 1.33, 2e12), End::Fixed(300.0), End::Insulated);
        let found = slab.steady(300.0).unwrap();
        assert_eq!(found.len(), exact.len());
        for (found, exact) in found.iter().zip(exact) {
            // The scheme is exact here; what remains is the tolerance of Newton's method.
            assert!((found - exact).abs() < 1e-7, "{found} {exact}");
        }
    }

    #[test]
    fn parabola_between_fixed_ends() {
        let (length, source) = (1e-4, 1e12);
        let slab = slab(100, element(length, 0.0, source), End::Fixed(300.0), End::Fixed(300.0));
        let found = slab.steady(300.0).unwrap();
        let rise = source * length * length / (8.0 * 148.0);
        assert!((found[50] - 300.0 - rise).abs() < 1e-9 * rise, "{}", found[50]);
    }

    /// A source q0 sin(pi x/L) between fixed ends: T = T0 + q0 (L/pi)²/k sin(pi x/L) at k = const.
    #[test]
    fn second_order_for_a_source_that_varies() {
        let (length, amplitude) = (1e-4_f64, 1e12);
        let error = |cells: usize| {
            let step = length / cells as f64;
            let links = (0..cells)
                .map(|index| {
                    let phase = std::f64::consts::PI * (index as f64 + 0.5) / cells as f64;
                    Link::Bulk(Element { length_m: step, ..element(step, 0.0, amplitude * phase.sin()) })
                })
                .collect();
            let found = Slab::new(links, End::Fixed(300.0), End::Fixed(300.0)).steady(300.0).unwrap();
            let exact = 300.0 + amplitude * (length / std::f64::consts::PI).powi(2) / 148.0;
            (found[cells / 2] - exact).abs()
        };
        for cells in [10, 20, 40] {
            let order = (error(cells) / error(2 * cells)).log2();
            assert!(order > 1.9, "{cells}: {order}");
        }
    }

    /// A wall with a film of air on one side and a joint in the middle: resistances in series.
    #[test]
    fn films_and_joints_add_as_resistances() {
        let wall = element(1e-3, 0.0, 0.0);
        let joint = 2e-6;
        let links = vec![Link::Bulk(wall), Link::Joint { resistance_m2k_w: joint }, Link::Bulk(wall)];
        let film = End::Convective { coefficient_w_m2k: 5e4, ambient_k: 300.0 };
        let found = Slab::new(links, End::Fixed(400.0), film).steady(300.0).unwrap();
        let flux = 100.0 / (2.0 * 1e-3 / 148.0 + joint + 1.0 / 5e4);
        let expected =
            [400.0, 400.0 - flux * 1e-3 / 148.0, 400.0 - flux * (1e-3 / 148.0 + joint), 300.0 + flux / 5e4];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-7, "{found} {expected}");
        }
    }

    #[test]
    fn heat_that_cannot_leave_has_no_steady_state() {
        assert!(slab(10, element(1e-4, 0.0, 1e9), End::Insulated, End::Insulated).steady(300.0).is_err());
        // m = 1.33: the Kirchhoff potential is bounded, 148 · 300/0.33 W/m above 300 K.
        let most = 148.0 * 300.0 / 0.33 * 2.0 / 1e-8;
        assert!(
            slab(10, element(1e-4, 1.33, 1.1 * most), End::Fixed(300.0), End::Insulated)
                .steady(300.0)
                .is_err()
        );
        let hot = slab(10, element(1e-4, 1.33, 0.5 * most), End::Fixed(300.0), End::Insulated)
            .steady(300.0)
            .unwrap();
        // (T/T0)^-0.33 = 1 - 0.5.
        assert!((hot[10] / (300.0 * 0.5_f64.powf(-1.0 / 0.33)) - 1.0).abs() < 1e-9, "{}", hot[10]);
    }

    fn links(values: &[(f64, f64, f64)]) -> Vec<Link> {
        values
            .iter()
            .map(|&(length, exponent, source)| Link::Bulk(element(length, exponent, source)))
            .collect()
    }

    proptest! {
        /// The mirrored slab has the mirrored profile, and all heat leaves through the ends.
        #[test]
        fn mirrored_and_balanced(
            values in prop::collection::vec((1e-8..1e-4_f64, -1.0..1.0_f64, 0.0..1e11_f64), 1..12),
            cold in 50.0..600.0_f64,
            coefficient in 1e3..1e7_f64,
        ) {
            let film = End::Convective { coefficient_w_m2k: coefficient, ambient_k: 300.0 };
            let forward = Slab::new(links(&values), End::Fixed(cold), film);
            let mirror: Vec<_> = values.iter().rev().copied().collect();
            let backward = Slab::new(links(&mirror), film, End::Fixed(cold));
            let (one, mut other) = (forward.steady(300.0).unwrap(), backward.steady(300.0).unwrap());
            other.reverse();
            for (a, b) in one.iter().zip(&other) {
                prop_assert!((a - b).abs() < 1e-6 * a.abs(), "{a} {b}");
            }
            let [left, right] = forward.outflow(&one);
            let made: f64 = values.iter().map(|value| value.0 * value.2).sum();
            let scale = made + left.abs() + right.abs() + 1.0;
            prop_assert!((left + right - made).abs() < 1e-6 * scale, "{left} + {right} = {made}");
        }
    }
}
