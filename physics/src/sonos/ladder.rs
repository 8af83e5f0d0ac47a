//! A ladder of time constants: retention that is linear, remembers its past and combines with dose.
//!
//! The logarithmic loss k(t) = r log₁₀(1 + t/t₀) is the sum of many exponentials,
//!
//! ```text
//! k(t) = Σⱼ wⱼ (1 − e^(−t/τⱼ)),   Σⱼ wⱼ + w₀ = 1,
//! ```
//!
//! with time constants from t₀/10 to 1e12 s, three per decade, and weights by non-negative least squares
//! ([`nnls`]) over t₀/10 to 1e9 s. The remainder w₀ does not decay.

use crate::constants::{BOLTZMANN, ELEMENTARY_CHARGE};
use nalgebra::{DMatrix, DVector};

/// Longest time constant in s.
const LONGEST_S: f64 = 1e12;
/// End of the range in s over which the weights are fitted.
const FITTED_TO_S: f64 = 1e9;
/// Time constants per decade.
const PER_DECADE: f64 = 3.0;
/// Fitted times per decade: enough that nothing happens between them (the terms are e-folds wide).
const SAMPLES_PER_DECADE: f64 = 16.0;

/// Logarithmic retention with its temperature dependence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// Fraction r of the stored shift lost per decade of time, at the reference temperature.
    pub per_decade: f64,
    /// Onset t₀ in s at the reference temperature.
    pub onset_s: f64,
    /// Activation energy E_a of the onset in eV.
    pub activation_ev: f64,
    /// Reference temperature in K.
    pub reference_k: f64,
}

impl Law {
    /// Fitted to the published drift of the TCAS-I 2022 array; E_a = 1.0 eV (literature: 0.8 to 1.3 eV).
    pub const TCAS: Self =
        Self { per_decade: 0.0148, onset_s: 1.82e3, activation_ev: 1.0, reference_k: 300.0 };
    /// Fitted to the published drift of the IEDM 2022 array.
    pub const IEDM: Self = Self { per_decade: 0.0540, onset_s: 4.14 * 86_400.0, ..Self::TCAS };

    /// Onset in s at a temperature in K: t₀ exp[(E_a/k)(1/T − 1/T_ref)].
    #[must_use]
    pub fn onset_at(&self, temperature_k: f64) -> f64 {
        let inverse = 1.0 / temperature_k - 1.0 / self.reference_k;
        self.onset_s * (self.activation_ev * ELEMENTARY_CHARGE / BOLTZMANN * inverse).exp()
    }

    /// Loss per decade at a temperature in K: r T/T_ref.
    #[must_use]
    pub fn per_decade_at(&self, temperature_k: f64) -> f64 {
        self.per_decade * temperature_k / self.reference_k
    }

    /// Fraction lost after `time_s` at a constant temperature, at most 1.
    #[must_use]
    pub fn loss(&self, time_s: f64, temperature_k: f64) -> f64 {
        (self.per_decade_at(temperature_k) * (time_s / self.onset_at(temperature_k)).ln_1p()
            / std::f64::consts::LN_10)
            .min(1.0)
    }
}

/// One rung.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// Time constant in s at the reference temperature; infinite for the part that does not decay.
    pub time_constant_s: f64,
    /// Fraction of the stored shift.
    pub weight: f64,
}

/// Time constants and weights of a retention law.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// The law at its reference temperature.
    pub law: Law,
    /// The rungs, the one that does not decay first.
    pub rungs: Vec<Rung>,
    /// Largest error of the loss over the fitted range, as a fraction of the stored shift.
    pub fit_error: f64,
}

/// Why there is no ladder.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum LadderError {
    /// The law has no usable numbers.
    #[error("{name} = {value}: expected {expected}")]
    Law {
        /// Name of the number.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What would be accepted.
        expected: &'static str,
    },
    /// More would decay than there is.
    #[error("the weights of the decaying rungs add to {0}, more than the whole")]
    TooMuch(f64),
    /// The least-squares problem did not converge.
    #[error("the weights did not converge")]
    Fit,
}

impl Ladder {
    /// Fits the rungs to a law.
    ///
    /// # Errors
    /// [`LadderError`] when the law is unusable or asks more than the whole to decay until 1e12 s.
    pub fn fit(law: Law) -> Result<Self, LadderError> {
        for (name, value, low, high, expected) in [
            ("per_decade", law.per_decade, 0.0, 1.0, "a fraction from 0 to 1"),
            ("onset_s", law.onset_s, 1e-6, 1e8, "an onset from 1e-6 to 1e8 s"),
            ("activation_ev", law.activation_ev, 0.0, 5.0, "an energy from 0 to 5 eV"),
            ("reference_k", law.reference_k, 50.0, 1000.0, "a temperature from 50 to 1000 K"),
        ] {
            if !(low..=high).contains(&value) {
                return Err(LadderError::Law { name, value, expected });
            }
        }
        let start = 0.1 * law.onset_s;
        let grid = |to: f64, per_decade: f64| -> Vec<f64> {
            let count = ((to / start).log10() * per_decade).ceil().max(1.0) as usize;
            let ratio = (to / start).ln() / count as f64;
            (0..=count).map(|index| start * (ratio * index as f64).exp()).collect()
        };
        let constants = grid(LONGEST_S, PER_DECADE);
        let times = grid(FITTED_TO_S, SAMPLES_PER_DECADE);
        // The loss is proportional to r, so the fit is made for one per decade of ln.
        let matrix = DMatrix::from_fn(times.len(), constants.len(), |row, column| {
            -(-times[row] / constants[column]).exp_m1()
        });
        let target = DVector::from_fn(times.len(), |row, _| (times[row] / law.onset_s).ln_1p());
        let weights = nnls(&matrix, &target).ok_or(LadderError::Fit)?;
        let scale = law.per_decade / std::f64::consts::LN_10;
        let fit_error = (&matrix * &weights - &target).amax() * scale;
        let decaying = weights.sum() * scale;
        if decaying > 1.0 {
            return Err(LadderError::TooMuch(decaying));
        }
        let mut rungs = vec![Rung { time_constant_s: f64::INFINITY, weight: 1.0 - decaying }];
        rungs.extend(
            constants
                .into_iter()
                .zip(weights.iter())
                .filter(|(_, weight)| **weight > 0.0)
                .map(|(time_constant_s, weight)| Rung { time_constant_s, weight: weight * scale }),
        );
        Ok(Self { law, rungs, fit_error })
    }

    /// Fraction lost after `time_s` at the reference temperature.
    #[must_use]
    pub fn loss(&self, time_s: f64) -> f64 {
        self.rungs.iter().map(|rung| -rung.weight * (-time_s / rung.time_constant_s).exp_m1()).sum()
    }

    /// Time constant in s of a rung at a temperature in K.
    ///
    /// A time constant belongs to a trap energy, E = kT ln(τ/τ₀₀), so ln τ scales with 1/T: the rungs move
    /// to τ(T) = t₀(T) (τ/t₀)^{T_ref/T}. The weight per decade then grows with T, as r(T) = r T/T_ref says,
    /// while every rung keeps what it holds when the temperature changes.
    #[must_use]
    pub fn time_constant_at(&self, rung: &Rung, temperature_k: f64) -> f64 {
        if temperature_k == self.law.reference_k || rung.time_constant_s.is_infinite() {
            return rung.time_constant_s;
        }
        let onset = self.law.onset_at(temperature_k);
        onset * (rung.time_constant_s / self.law.onset_s).powf(self.law.reference_k / temperature_k)
    }
}

/// The x ≥ 0 that minimises |A x − b|, by the active-set method of Lawson and Hanson (1974); none when it
/// does not end within three rounds per column or a sub-problem has no solution.
#[must_use]
pub fn nnls(matrix: &DMatrix<f64>, target: &DVector<f64>) -> Option<DVector<f64>> {
    let count = matrix.ncols();
    let mut solution = DVector::zeros(count);
    let mut passive: Vec<usize> = Vec::new();
    // Below this a component of the gradient is rounding.
    let floor = 1e-14 * matrix.norm() * target.norm();
    let mut barred: Vec<usize> = Vec::new();
    for _ in 0..3 * count.max(1) {
        let gradient = matrix.transpose() * (target - matrix * &solution);
        let entering = (0..count)
            .filter(|index| !passive.contains(index) && !barred.contains(index) && gradient[*index] > floor)
            .max_by(|a, b| gradient[*a].total_cmp(&gradient[*b]));
        let Some(entering) = entering else { return Some(solution) };
        passive.push(entering);
        loop {
            let inner = restricted(matrix, target, &passive)?;
            let Some(step) = passive
                .iter()
                .zip(inner.iter())
                .filter(|(_, value)| **value <= 0.0)
                .map(|(index, value)| solution[*index] / (solution[*index] - value))
                .reduce(f64::min)
            else {
                solution.fill(0.0);
                passive.iter().zip(inner.iter()).for_each(|(index, value)| solution[*index] = *value);
                barred.clear();
                break;
            };
            // The newcomer alone turned negative: rounding let it in, and it would come again.
            if step <= 0.0 && passive.last() == Some(&entering) && solution[entering] == 0.0 {
                passive.pop();
                barred.push(entering);
                break;
            }
            for (index, value) in passive.iter().zip(inner.iter()) {
                solution[*index] += step * (value - solution[*index]);
            }
            // What reached zero leaves the set; rounding may leave it just above.
            passive.retain(|index| solution[*index] > 1e-15);
            if passive.is_empty() {
                break;
            }
        }
    }
    None
}

/// Least squares on some columns alone, by QR.
fn restricted(matrix: &DMatrix<f64>, target: &DVector<f64>, columns: &[usize]) -> Option<DVector<f64>> {
    let qr = matrix.select_columns(columns).qr();
    qr.r().solve_upper_triangular(&(qr.q().transpose() * target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn least_squares_with_an_active_bound() {
        // Unbounded solution (2, −1); with x ≥ 0 the second is held at zero and the first is 1.5 by hand.
        let matrix = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, 0.0]);
        let target = DVector::from_row_slice(&[1.0, 2.0]);
        let found = nnls(&matrix, &target).unwrap();
        assert!((found[0] - 1.5).abs() < 1e-14 && found[1] == 0.0, "{found}");
    }

    #[test]
    fn ladders_of_both_published_arrays() {
        for (law, sum) in [(Law::TCAS, 0.099), (Law::IEDM, 0.234)] {
            let ladder = Ladder::fit(law).unwrap();
            assert!(ladder.fit_error < 4e-7, "{}", ladder.fit_error);
            let decaying: f64 = ladder.rungs.iter().skip(1).map(|rung| rung.weight).sum();
            assert!((decaying - sum).abs() < 0.006, "{decaying} against {sum}");
            // Between the fitted points too.
            for step in 0..400 {
                let time = 0.1 * law.onset_s * 10f64.powf(0.0187 * f64::from(step));
                if time < 1e9 {
                    assert!((ladder.loss(time) - law.loss(time, 300.0)).abs() < 5e-7, "{time}");
                }
            }
        }
    }

    /// At another temperature the loss per decade is r T/T_ref. The corner at the onset is a little sharper
    /// or softer than that of the logarithm, which leaves a constant offset below r/10.
    #[test]
    fn temperature_moves_and_stretches() {
        let ladder = Ladder::fit(Law::TCAS).unwrap();
        let law = ladder.law;
        for temperature in [260.0, 330.0, 358.0] {
            let loss = |time: f64| -> f64 {
                ladder
                    .rungs
                    .iter()
                    .map(|rung| -rung.weight * (-time / ladder.time_constant_at(rung, temperature)).exp_m1())
                    .sum()
            };
            let onset = law.onset_at(temperature);
            let slope = 0.5 * (loss(1e4 * onset) - loss(1e2 * onset));
            assert!((slope / law.per_decade_at(temperature) - 1.0).abs() < 0.01, "{temperature}: {slope}");
            let offset = loss(1e4 * onset) - law.loss(1e4 * onset, temperature);
            assert!(offset.abs() < 0.1 * law.per_decade, "{temperature}: {offset}");
        }
    }

    #[test]
    fn unusable_laws_are_refused() {
        assert!(matches!(
            Ladder::fit(Law { onset_s: f64::NAN, ..Law::TCAS }),
            Err(LadderError::Law { name: "onset_s", .. })
        ));
        assert!(matches!(Ladder::fit(Law { per_decade: 0.5, ..Law::TCAS }), Err(LadderError::TooMuch(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Weights are a distribution and the loss rises with time, for any law that is accepted.
        #[test]
        fn weights_are_a_distribution(r in 0.0f64..0.12, onset in -1.0f64..6.0) {
            let law = Law { per_decade: r, onset_s: 10f64.powf(onset), ..Law::TCAS };
            match Ladder::fit(law) {
                Ok(ladder) => {
                    let sum: f64 = ladder.rungs.iter().map(|rung| rung.weight).sum();
                    prop_assert!((sum - 1.0).abs() < 1e-12);
                    prop_assert!(ladder.rungs.iter().all(|rung| rung.weight >= 0.0));
                    prop_assert!(ladder.fit_error < 4e-6 * r.max(0.1));
                }
                Err(error) => prop_assert!(matches!(error, LadderError::TooMuch(_)), "{}", error),
            }
        }
    }
}
