//! Medians and bands over trials.

/// Quantile `p` (0 to 1) of `values` by linear interpolation between order statistics
/// (Hyndman and Fan's type 7). NaN for an empty slice; infinite values sort last.
pub fn quantile(values: &[f64], p: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = p.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = position.ceil() as usize;
    if below == above || sorted[below] == sorted[above] {
        return sorted[below];
    }
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

/// A median with the 10 to 90 % band around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// 10 % quantile.
    pub lo: f64,
    /// Median.
    pub median: f64,
    /// 90 % quantile.
    pub hi: f64,
}

impl Band {
    /// The band of `values`.
    pub fn of(values: &[f64]) -> Self {
        Self { lo: quantile(values, 0.1), median: quantile(values, 0.5), hi: quantile(values, 0.9) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_carry_infinities() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[0.0, 10.0], 0.1), 1.0);
        assert_eq!(quantile(&[1.0, f64::INFINITY, f64::INFINITY], 0.9), f64::INFINITY);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
