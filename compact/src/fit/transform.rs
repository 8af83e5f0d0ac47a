//! Scales on which a fit moves freely while the parameter stays inside its bounds.

use serde::{Deserialize, Serialize};

/// Scale of a parameter during a fit. `u` is the free coordinate, any real number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transform {
    /// `x = u`: no bounds.
    Free,
    /// `x = lower + (upper - lower) / (1 + exp(-u))`: bounded, even in x.
    Linear,
    /// The same in `ln x`: bounded and positive, for values known to within a factor.
    Log,
}

impl Transform {
    /// The value at the free coordinate `u`.
    pub fn value(self, u: f64, lower: f64, upper: f64) -> f64 {
        match self {
            Self::Free => u,
            Self::Linear => (lower + (upper - lower) * logistic(u)).clamp(lower, upper),
            Self::Log => {
                let (low, high) = (lower.ln(), upper.ln());
                (low + (high - low) * logistic(u)).exp().clamp(lower, upper)
            }
        }
    }

    /// The free coordinate of `value`; values on or outside a bound are moved just inside.
    pub fn coordinate(self, value: f64, lower: f64, upper: f64) -> f64 {
        match self {
            Self::Free => value,
            Self::Linear => logit((value - lower) / (upper - lower)),
            Self::Log => logit((value.max(lower).ln() - lower.ln()) / (upper.ln() - lower.ln())),
        }
    }

    /// dx/du at the free coordinate `u`.
    pub fn slope(self, u: f64, lower: f64, upper: f64) -> f64 {
        let bell = logistic(u) * logistic(-u);
        match self {
            Self::Free => 1.0,
            Self::Linear => (upper - lower) * bell,
            Self::Log => self.value(u, lower, upper) * (upper / lower).ln() * bell,
        }
    }

    /// Where `value` lies between its bounds on this scale, 0 to 1; one half without bounds.
    pub fn fraction(self, value: f64, lower: f64, upper: f64) -> f64 {
        match self {
            Self::Free => 0.5,
            Self::Linear => (value - lower) / (upper - lower),
            Self::Log => (value / lower).ln() / (upper / lower).ln(),
        }
    }
}

/// Nearest a coordinate may be placed to a bound, as a fraction of the interval: closer, the slope
/// vanishes and a fit that starts there never leaves.
const MARGIN: f64 = 1e-6;

fn logistic(u: f64) -> f64 {
    if u >= 0.0 { 1.0 / (1.0 + (-u).exp()) } else { u.exp() / (1.0 + u.exp()) }
}

fn logit(fraction: f64) -> f64 {
    let inside = fraction.clamp(MARGIN, 1.0 - MARGIN);
    (inside / (1.0 - inside)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn value_and_coordinate_are_inverse(fraction in 0.001f64..0.999, log in any::<bool>()) {
            let transform = if log { Transform::Log } else { Transform::Linear };
            let (lower, upper) = (2e-3, 5e4);
            let u = logit(fraction);
            let value = transform.value(u, lower, upper);
            prop_assert!((transform.coordinate(value, lower, upper) - u).abs() < 1e-6);
            prop_assert!((transform.fraction(value, lower, upper) - fraction).abs() < 1e-9);
            let step = 1e-5;
            let difference = (transform.value(u + step, lower, upper) - transform.value(u - step, lower, upper)) / (2.0 * step);
            prop_assert!((transform.slope(u, lower, upper) / difference - 1.0).abs() < 1e-6);
        }

        #[test]
        fn bounds_hold_everywhere(u in -1e4f64..1e4) {
            for transform in [Transform::Linear, Transform::Log] {
                let value = transform.value(u, 0.5, 7.0);
                prop_assert!((0.5..=7.0).contains(&value));
            }
        }
    }
}
