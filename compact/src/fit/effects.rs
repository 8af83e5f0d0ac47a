//! The normal model of estimates with known errors: each scatters about the population mean by the population's
//! spread and by its own error.
//!
//! The spread is where the weighted sum of squares meets its expectation (Paule & Mandel, J. Res. NBS 87, 377, 1982:
//! DerSimonian's and Laird's estimate, iterated), its interval where that sum meets the chi-squared quantiles
//! (Viechtbauer, Stat. Med. 26, 37, 2007), and the interval of the mean is that of Hartung & Knapp (Stat. Med. 20,
//! 3875, 2001).

use super::distribution::{chi_squared_quantile, student_quantile};
use nalgebra::{DMatrix, DVector};

/// Estimates of one parameter on several devices with their errors.
#[derive(Default)]
pub(super) struct Sample {
    /// Estimates.
    pub values: Vec<f64>,
    /// Variances of their errors; infinite where there is no estimate.
    pub variances: Vec<f64>,
    /// Slopes of the estimates with what all devices share.
    pub following: Vec<DVector<f64>>,
}

/// The normal model of a sample.
pub(super) struct Fitted {
    pub mean: f64,
    pub mean_variance: f64,
    pub mean_interval: [f64; 2],
    /// Square of the spread.
    pub spread2: f64,
    pub spread2_interval: [f64; 2],
    /// Part of the variance of the estimates that is spread and not error.
    pub resolved: f64,
}

impl Sample {
    fn weights(&self, spread2: f64) -> Vec<f64> {
        self.variances.iter().map(|variance| 1.0 / (variance + spread2)).collect()
    }

    fn mean(&self, weights: &[f64]) -> f64 {
        let total: f64 = weights.iter().sum();
        self.values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / total
    }

    /// Weighted sum of squares about the weighted mean; falls as the spread grows.
    fn squares(&self, spread2: f64) -> f64 {
        let weights = self.weights(spread2);
        let mean = self.mean(&weights);
        self.values.iter().zip(&weights).map(|(value, weight)| weight * (value - mean).powi(2)).sum()
    }

    /// The spread squared at which that sum is `wanted`; 0 where it is smaller already.
    fn spread2_at(&self, wanted: f64) -> f64 {
        if self.squares(0.0).is_nan() || self.squares(0.0) <= wanted {
            return 0.0;
        }
        let smallest = self.variances.iter().copied().fold(f64::INFINITY, f64::min);
        let mut high = smallest.max(f64::MIN_POSITIVE);
        while self.squares(high) > wanted && high < 1e300 {
            high *= 4.0;
        }
        let mut low = 0.0;
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if self.squares(middle) > wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }

    /// The mean, with what the covariance of the shared parameters leaves open, and the spread.
    pub fn fit(&self, shared_covariance: &DMatrix<f64>) -> Fitted {
        let known = self.variances.iter().filter(|variance| variance.is_finite()).count();
        let freedom = known as f64 - 1.0;
        if known < 2 {
            let nothing = [f64::NAN; 2];
            return Fitted {
                mean: f64::NAN,
                mean_variance: f64::NAN,
                mean_interval: nothing,
                spread2: f64::NAN,
                spread2_interval: nothing,
                resolved: f64::NAN,
            };
        }
        let spread2 = self.spread2_at(freedom);
        let weights = self.weights(spread2);
        let total: f64 = weights.iter().sum();
        let mean = self.mean(&weights);
        // Where the devices scatter less than their errors, the errors are believed.
        let own = (self.squares(spread2) / freedom).max(1.0) / total;
        let mut lean = DVector::zeros(shared_covariance.nrows());
        for (following, weight) in self.following.iter().zip(&weights) {
            lean += following * (weight / total);
        }
        let open = if lean.is_empty() { 0.0 } else { (lean.transpose() * shared_covariance * &lean)[(0, 0)] };
        let mean_variance = own + open;
        let reach = student_quantile(0.975, freedom) * mean_variance.sqrt();
        let typical = freedom / (total - weights.iter().map(|w| w * w).sum::<f64>() / total);
        Fitted {
            mean,
            mean_variance,
            mean_interval: [mean - reach, mean + reach],
            spread2,
            spread2_interval: [0.975, 0.025].map(|p| self.spread2_at(chi_squared_quantile(p, freedom))),
            resolved: (spread2 / typical).clamp(0.0, 1.0),
        }
    }
}

impl Fitted {
    /// A device's value drawn towards the mean, with its variance.
    pub fn shrunk(&self, value: f64, error: f64) -> (f64, f64) {
        if error.is_infinite() {
            return (self.mean, self.spread2 + self.mean_variance);
        }
        let keep = self.spread2 / (self.spread2 + error);
        let left = 1.0 - keep;
        (self.mean + keep * (value - self.mean), keep * error + left * left * self.mean_variance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors of equal size: the variance of the estimates is that of the population plus that of the errors, and the
    /// interval of the mean is Student's of the estimates.
    #[test]
    fn equal_errors_have_a_closed_form() {
        let values = vec![1.0, 2.0, 4.0, 7.0, 11.0];
        let following = vec![DVector::zeros(0); 5];
        let fitted = Sample { values, variances: vec![2.0; 5], following }.fit(&DMatrix::zeros(0, 0));
        // Mean 5, sum of squares 66, variance 16.5.
        assert!((fitted.mean - 5.0).abs() < 1e-12);
        assert!((fitted.spread2 - 14.5).abs() < 1e-9);
        assert!((fitted.mean_variance - 16.5 / 5.0).abs() < 1e-9);
        let reach = student_quantile(0.975, 4.0) * (16.5_f64 / 5.0).sqrt();
        assert!((fitted.mean_interval[1] - 5.0 - reach).abs() < 1e-9);
        // 66 / (spread^2 + 2) = 11.143 and 0.48442, the quantiles of chi-squared of four degrees of freedom.
        assert!((fitted.spread2_interval[0] - (66.0 / 11.143_29 - 2.0)).abs() < 1e-3);
        assert!((fitted.spread2_interval[1] - (66.0 / 0.484_419 - 2.0)).abs() < 1e-2);
        let (drawn, variance) = fitted.shrunk(11.0, 2.0);
        assert!((drawn - (5.0 + 6.0 * 14.5 / 16.5)).abs() < 1e-9 && variance < 2.0);
    }
}
