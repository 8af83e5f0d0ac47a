//! Carrier statistics and the functions of exponentially fitted fluxes.

/// Bernoulli function B(x) = x/(eˣ − 1), with B(0) = 1 and B(x) − B(−x) = −x.
///
/// ```
/// use mho_physics::semiconductor::statistics::bernoulli;
/// assert_eq!(bernoulli(0.0), 1.0);
/// assert!((bernoulli(3.0) - bernoulli(-3.0) + 3.0).abs() < 1e-15);
/// ```
#[must_use]
pub fn bernoulli(x: f64) -> f64 {
    if x.abs() < 1e-4 {
        1.0 - x * (0.5 - x / 12.0)
    } else if x > 700.0 {
        0.0
    } else {
        x / x.exp_m1()
    }
}

/// B(x) and its derivative dB/dx.
#[must_use]
pub fn bernoulli_slope(x: f64) -> (f64, f64) {
    let value = bernoulli(x);
    let slope = if x.abs() < 1e-2 {
        // Bernoulli numbers: −1/2 + x/6 − x³/180 + …
        -0.5 + x * (1.0 / 6.0 - x * x / 180.0)
    } else {
        // B' = (B − B² − x B)/x, from B (eˣ − 1) = x.
        value * (1.0 - value - x) / x
    };
    (value, slope)
}

/// How carriers fill their band.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Statistics {
    /// Boltzmann: n = n_i exp((ψ − φ_n)/φ_t).
    #[default]
    Boltzmann,
    /// Fermi-Dirac with effective densities of states in 1/m³; n = N_c F_{1/2}(η).
    FermiDirac {
        /// Of the conduction band.
        conduction_per_m3: f64,
        /// Of the valence band.
        valence_per_m3: f64,
    },
}

/// Logarithm of the activity ln γ(s) = ln(F_{1/2}(η)/e^η) and 1 + d(ln γ)/ds of a band with
/// `states_per_m3` at the reduced level s = ln(density in Boltzmann statistics / n_i).
#[must_use]
pub fn activity(level: f64, intrinsic_per_m3: f64, states_per_m3: f64) -> (f64, f64) {
    let eta = level + (intrinsic_per_m3 / states_per_m3).ln();
    let (logarithm, slope) = log_fermi_half(eta);
    (logarithm - eta, slope)
}

/// ln F_{1/2}(η) and its derivative, by the approximation of Bednarczyk and Bednarczyk (1978), whose error
/// is below 0.4 %.
#[must_use]
pub fn log_fermi_half(eta: f64) -> (f64, f64) {
    // Far below the band it is Boltzmann; the approximation would divide two vanishing numbers.
    if eta < -50.0 {
        return (eta, 1.0);
    }
    let bump = (-0.17 * (eta + 1.0).powi(2)).exp();
    let v = eta.powi(4) + 50.0 + 33.6 * eta * (1.0 - 0.68 * bump);
    let dv = 4.0 * eta.powi(3) + 33.6 * (1.0 - 0.68 * bump) + 33.6 * eta * 0.68 * 0.34 * (eta + 1.0) * bump;
    let a = 0.75 * std::f64::consts::PI.sqrt();
    let power = a * v.powf(-0.375);
    // F = 1/(e^−η + power); factored by e^−η so that neither term overflows.
    let ratio = power * eta.exp();
    let logarithm = if eta < 30.0 { eta - ratio.ln_1p() } else { -power.ln() - (1.0 / ratio).ln_1p() };
    let share = if eta < 30.0 { 1.0 / (1.0 + ratio) } else { (1.0 / ratio) / (1.0 + 1.0 / ratio) };
    // d ln F = (e^−η − power')/(e^−η + power), power' = −0.375 power v'/v.
    (logarithm, share + (1.0 - share) * 0.375 * dv / v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// F_{1/2} by its integral (2/√π) ∫ √x/(1 + e^{x−η}) dx, with x = t² and the trapezoidal rule, which
    /// converges exponentially for this smooth even integrand.
    fn fermi_half(eta: f64) -> f64 {
        let (step, end) = (1e-3, (eta.max(0.0) + 60.0).sqrt());
        let sum: f64 = (1..(end / step) as usize)
            .map(|i| {
                let t = i as f64 * step;
                t * t / (1.0 + (t * t - eta).exp())
            })
            .sum();
        2.0 / std::f64::consts::PI.sqrt() * 2.0 * sum * step
    }

    #[test]
    fn fermi_dirac_within_its_stated_error() {
        for eta in [-8.0, -4.0, -2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 20.0, 40.0] {
            let error = log_fermi_half(eta).0.exp() / fermi_half(eta) - 1.0;
            assert!(error.abs() < 4.5e-3, "{eta}: {error}");
        }
    }

    proptest! {
        #[test]
        fn bernoulli_identities(x in -600.0..600.0f64) {
            let (plus, minus) = (bernoulli(x), bernoulli(-x));
            prop_assert!(plus >= 0.0 && minus >= 0.0);
            prop_assert!((plus - minus + x).abs() <= 1e-14 * (1.0 + x.abs()));
            let step = 1e-5 * (1.0 + x.abs());
            let numeric = (bernoulli(x + step) - bernoulli(x - step)) / (2.0 * step);
            prop_assert!((bernoulli_slope(x).1 - numeric).abs() < 1e-6, "{}", x);
        }

        #[test]
        fn fermi_dirac_slope(eta in -60.0..60.0f64) {
            let step = 1e-5;
            let numeric = (log_fermi_half(eta + step).0 - log_fermi_half(eta - step).0) / (2.0 * step);
            prop_assert!((log_fermi_half(eta).1 - numeric).abs() < 1e-6, "{}", eta);
            prop_assert!(log_fermi_half(eta).1 > 0.0);
        }
    }
}
