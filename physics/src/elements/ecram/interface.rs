//! Charge transfer at the interface.

use crate::elements::root;

/// How the exchange current depends on the filling at the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exchange {
    /// Not at all.
    Constant,
    /// As (1−x)^(1−α) x^α, 1 at x = 1/2 for α = 1/2: insertion needs empty sites, extraction filled ones
    /// (Newman, Electrochemical Systems, insertion electrodes).
    Occupancy,
}

impl Exchange {
    /// The exchange current against that at half filling, for a filling and the transfer coefficient of the
    /// inserting direction.
    #[must_use]
    pub fn factor(self, fraction: f64, transfer: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Occupancy => {
                let fraction = fraction.clamp(0.0, 1.0);
                2.0 * fraction.powf(transfer) * (1.0 - fraction).powf(1.0 - transfer)
            }
        }
    }
}

/// Overpotential over kT/q that drives a current `ratio` times the exchange current through an interface of
/// transfer coefficient α in (0, 1): the y of exp(α y) − exp(−(1−α) y) = ratio. Infinite for an infinite
/// ratio.
#[must_use]
pub fn overpotential(ratio: f64, transfer: f64) -> f64 {
    if transfer == 0.5 || !ratio.is_finite() {
        return 2.0 * (0.5 * ratio).asinh();
    }
    if ratio == 0.0 {
        return 0.0;
    }
    // Mirrored to a positive current: exp(α y) = ratio + exp(−(1−α) y) lies between ratio and ratio + 1.
    let (size, leading) = (ratio.abs(), if ratio > 0.0 { transfer } else { 1.0 - transfer });
    let current = |y: f64| (leading * y).exp_m1() - (-(1.0 - leading) * y).exp_m1() - size;
    // For small currents the slope at zero is 1: y is below the current there times a little.
    let high = (size.ln_1p() / leading) * (1.0 + 1e-12);
    let y = root::increasing(0.0, high, current).unwrap_or(high);
    y.copysign(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_overpotential_no_current() {
        for transfer in [0.3, 0.5, 0.8] {
            assert_eq!(overpotential(0.0, transfer), 0.0);
        }
    }

    #[test]
    fn tafel_slopes_are_one_over_the_transfer_coefficient() {
        for transfer in [0.3, 0.5, 0.7] {
            let inserting = (overpotential(1e9, transfer) - overpotential(1e8, transfer)) / 10f64.ln();
            let extracting = (overpotential(-1e8, transfer) - overpotential(-1e9, transfer)) / 10f64.ln();
            // The other direction's share at these currents is below 1e-8 / (smaller transfer).
            assert!((inserting * transfer - 1.0).abs() < 1e-6, "{transfer}: {inserting}");
            assert!((extracting * (1.0 - transfer) - 1.0).abs() < 1e-6, "{transfer}: {extracting}");
        }
    }

    proptest! {
        #[test]
        fn the_inverse_inverts(transfer in 0.05..0.95_f64, y in -20.0..20.0_f64) {
            let ratio = (transfer * y).exp_m1() - ((transfer - 1.0) * y).exp_m1();
            prop_assert!((overpotential(ratio, transfer) - y).abs() < 1e-9 * (1.0 + y.abs()));
        }

        #[test]
        fn more_current_takes_more(transfer in 0.05..0.95_f64, a in -1e6..1e6_f64, b in -1e6..1e6_f64) {
            prop_assume!(a < b);
            prop_assert!(overpotential(a, transfer) <= overpotential(b, transfer));
        }

        #[test]
        fn the_exchange_current_is_finite(x in -1.0..2.0_f64, transfer in 0.05..0.95_f64) {
            let factor = Exchange::Occupancy.factor(x, transfer);
            prop_assert!((0.0..=2.0).contains(&factor));
        }
    }
}
