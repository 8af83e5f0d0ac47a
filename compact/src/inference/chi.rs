//! The sampling distribution of a standard deviation: what weighs a sample's spread in a fit.

/// Mean and standard deviation of `ln s - ln sigma` of normal samples with `freedom` degrees of freedom:
/// half the mean and the deviation of `ln(chi^2/freedom)`. The deviation tends to `1/sqrt(2 freedom)`.
pub fn log_spread(freedom: f64) -> (f64, f64) {
    let half = 0.5 * freedom;
    (0.5 * (digamma(half) - half.ln()), 0.5 * trigamma(half).sqrt())
}

/// Asymptotic series hold beyond this argument to 1e-10.
const LARGE: f64 = 10.0;

fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < LARGE {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    sum + x.ln() - 0.5 / x - y * (1.0 / 12.0 - y * (1.0 / 120.0 - y / 252.0))
}

fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < LARGE {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    sum + 1.0 / x + 0.5 * y + y / x * (1.0 / 6.0 - y * (1.0 / 30.0 - y / 42.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// psi(1/2) = -gamma - 2 ln 2, psi'(1/2) = pi^2/2, psi(1) = -gamma, psi'(1) = pi^2/6.
    #[test]
    fn known_values() {
        const GAMMA: f64 = 0.577_215_664_901_532_9;
        let pi2 = std::f64::consts::PI.powi(2);
        assert!((digamma(0.5) + GAMMA + 2.0 * 2_f64.ln()).abs() < 1e-9);
        assert!((digamma(1.0) + GAMMA).abs() < 1e-9);
        assert!((trigamma(0.5) - pi2 / 2.0).abs() < 1e-9 && (trigamma(1.0) - pi2 / 6.0).abs() < 1e-9);
        let (bias, deviation) = log_spread(1000.0);
        assert!((bias + 0.0005).abs() < 1e-6 && (deviation / 2000_f64.sqrt().recip() - 1.0).abs() < 1e-3);
    }
}
