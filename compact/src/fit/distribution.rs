//! Quantiles and tails of the laws that intervals and tests stand on.

use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, Normal, StudentsT};

/// Quantile of Student's t at `probability` for any number of degrees of freedom, fractions included; infinite
/// without any.
pub fn student_quantile(probability: f64, freedom: f64) -> f64 {
    if freedom.is_nan() || freedom <= 0.0 {
        return if probability < 0.5 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    StudentsT::new(0.0, 1.0, freedom.min(1e6)).map_or(f64::NAN, |law| law.inverse_cdf(probability))
}

/// Quantile of the chi-squared law.
pub(super) fn chi_squared_quantile(probability: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).map_or(f64::NAN, |law| law.inverse_cdf(probability))
}

/// Probability that F of these degrees of freedom exceeds `value`; NaN where there are none.
pub(super) fn f_tail(value: f64, numerator: f64, denominator: f64) -> f64 {
    if !value.is_finite() {
        return f64::NAN;
    }
    FisherSnedecor::new(numerator, denominator).map_or(f64::NAN, |law| law.sf(value.max(0.0)))
}

/// Distribution function of the standard normal law.
pub(super) fn normal_cdf(value: f64) -> f64 {
    Normal::standard().cdf(value)
}

/// Quantile of the standard normal law.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Abramowitz & Stegun, tables 26.10 (t), 26.8 (chi-squared), 26.9 (F): their printed digits.
    #[test]
    fn tabulated_quantiles() {
        for (freedom, wanted) in [(1.0, 12.706), (4.0, 2.776), (19.0, 2.093), (120.0, 1.980)] {
            assert!((student_quantile(0.975, freedom) - wanted).abs() < 6e-4, "{freedom}");
        }
        assert!((chi_squared_quantile(0.95, 10.0) - 18.307).abs() < 6e-4);
        assert!((f_tail(4.96, 1.0, 10.0) - 0.05).abs() < 1e-4);
        assert!((normal_cdf(normal_quantile(0.975)) - 0.975).abs() < 1e-9);
        assert_eq!(student_quantile(0.975, 0.0), f64::INFINITY);
    }
}
