//! How a residual enters the sum: squares and soft-L1.

/// How a residual enters the sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// `z = r^2`: least squares.
    Square,
    /// `2 c^2 (sqrt(1 + (r/c)^2) - 1)`: quadratic within `scale` (in standard deviations), linear
    /// beyond, so that outliers pull with a bounded force.
    SoftL1 {
        /// The corner c.
        scale: f64,
    },
    /// Soft-L1 with its corner in units of the spread that the middle half of the residuals has in the fit, for data
    /// whose standard deviation nobody knows.
    /// [`FitResult::loss_scale`](super::FitResult::loss_scale) says where the corner came to lie.
    Robust {
        /// Corner in units of that spread.
        corner: f64,
    },
}

/// Soft-L1 without cancellation for small residuals: `2 c^2 z / (sqrt(1 + z) + 1)` with `z = (r/c)^2`.
fn soft(residual: f64, corner: f64) -> f64 {
    let z = (residual / corner).powi(2);
    residual * residual * (2.0 / ((1.0 + z).sqrt() + 1.0))
}

impl Loss {
    /// Loss of a residual.
    pub(super) fn of(self, residual: f64) -> f64 {
        match self {
            Self::Square | Self::Robust { .. } => residual * residual,
            Self::SoftL1 { scale } => soft(residual, scale),
        }
    }

    /// The number whose square is the loss of `residual`.
    pub(super) fn root(self, residual: f64) -> f64 {
        match self {
            Self::Square | Self::Robust { .. } => residual,
            Self::SoftL1 { .. } => self.of(residual).sqrt().copysign(residual),
        }
    }

    /// Half the derivative of the loss: the influence of a residual.
    pub(super) fn influence(self, residual: f64) -> f64 {
        match self {
            Self::Square | Self::Robust { .. } => residual,
            Self::SoftL1 { scale } => residual / (1.0 + (residual / scale).powi(2)).sqrt(),
        }
    }

    /// Derivative of the influence.
    pub(super) fn curvature(self, residual: f64) -> f64 {
        match self {
            Self::Square | Self::Robust { .. } => 1.0,
            Self::SoftL1 { scale } => (1.0 + (residual / scale).powi(2)).powf(-1.5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOSSES: [Loss; 2] = [Loss::Square, Loss::SoftL1 { scale: 1.3 }];

    proptest! {
        /// Twice the influence is the slope of the loss, the root's square the loss; both odd and even as they
        /// should be. Central differences of step 1e-5 carry errors of 1e-9 here.
        #[test]
        fn losses_are_consistent(residual in -9.0f64..9.0) {
            for loss in LOSSES {
                let slope = (loss.of(residual + 1e-5) - loss.of(residual - 1e-5)) / 2e-5;
                prop_assert!((slope - 2.0 * loss.influence(residual)).abs() < 1e-6, "{loss:?}");
                prop_assert!((loss.root(residual).powi(2) - loss.of(residual)).abs() < 1e-12);
                prop_assert_eq!(loss.root(-residual), -loss.root(residual));
            }
        }
    }

    #[test]
    fn small_residuals_lose_no_digits() {
        assert!((LOSSES[1].of(1e-9) / 1e-18 - 1.0).abs() < 1e-12);
    }
}
