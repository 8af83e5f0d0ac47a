//! Time and dose on the same trapped charge, over a history of segments.
//!
//! Every rung of the retention [`Ladder`] forgets in time and is driven by dose,
//!
//! ```text
//! dsⱼ/dt = −sⱼ/τⱼ(T) − (sⱼ − wⱼ S) Ḋ/D_c,   s = Σⱼ sⱼ = V_T − V_N,   S = V_inf − V_N,
//! ```
//!
//! the rung that does not decay included. Within a segment of constant conditions the solution is an
//! exponential, so there is no error in time. Time and dose do not commute: a result belongs to a history.

use crate::sonos::ladder::Ladder;

/// Conditions that hold for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Duration in s.
    pub duration_s: f64,
    /// Dose rate in rad(Si)/s.
    pub dose_rate_rad_per_s: f64,
    /// Temperature in K.
    pub temperature_k: f64,
    /// Shift S in V from the neutral threshold that dose drives to under the bias of the segment.
    pub fixed_shift_v: f64,
}

/// A cell under time and dose.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// What is left of the stored shift on each rung, in V.
    pub shifts_v: Vec<f64>,
    /// Time since the start in s.
    pub time_s: f64,
    /// Dose so far in rad(Si).
    pub dose_rad: f64,
}

impl History {
    /// A cell freshly programmed to `shift_v` from neutral.
    #[must_use]
    pub fn programmed(ladder: &Ladder, shift_v: f64) -> Self {
        let shifts_v = ladder.rungs.iter().map(|rung| rung.weight * shift_v).collect();
        Self { shifts_v, time_s: 0.0, dose_rad: 0.0 }
    }

    /// The shift in V from neutral.
    #[must_use]
    pub fn shift_v(&self) -> f64 {
        self.shifts_v.iter().sum()
    }

    /// The history after `elapsed_s` of a segment's conditions, with the dose constant D_c in rad(Si).
    #[must_use]
    pub fn after(&self, ladder: &Ladder, segment: &Segment, dose_constant_rad: f64, elapsed_s: f64) -> Self {
        let driving = segment.dose_rate_rad_per_s / dose_constant_rad;
        let shifts_v = self
            .shifts_v
            .iter()
            .zip(&ladder.rungs)
            .map(|(shift, rung)| {
                let rate = driving + 1.0 / ladder.time_constant_at(rung, segment.temperature_k);
                let rest =
                    if rate > 0.0 { rung.weight * segment.fixed_shift_v * driving / rate } else { 0.0 };
                shift + (rest - shift) * -(-rate * elapsed_s).exp_m1()
            })
            .collect();
        Self {
            shifts_v,
            time_s: self.time_s + elapsed_s,
            dose_rad: self.dose_rad + segment.dose_rate_rad_per_s * elapsed_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonos::ladder::Law;
    use proptest::prelude::*;

    const DOSE_CONSTANT: f64 = 1.7e6;

    fn wait(duration_s: f64) -> Segment {
        Segment { duration_s, dose_rate_rad_per_s: 0.0, temperature_k: 300.0, fixed_shift_v: -0.25 }
    }

    fn run(ladder: &Ladder, start: f64, segments: &[Segment]) -> History {
        segments.iter().fold(History::programmed(ladder, start), |history, segment| {
            history.after(ladder, segment, DOSE_CONSTANT, segment.duration_s)
        })
    }

    #[test]
    fn without_dose_it_is_the_closed_form() {
        let ladder = Ladder::fit(Law::TCAS).unwrap();
        for (days, k) in [(1.0, 0.0250), (2.0, 0.0293), (5.0, 0.0352)] {
            let left = run(&ladder, 2.0, &[wait(days * 86_400.0)]).shift_v();
            // To the error of the ladder, and to the digits of the table.
            let exact = 2.0 * (1.0 - Law::TCAS.loss(days * 86_400.0, 300.0));
            assert!((left - exact).abs() < 2.0 * 4e-7, "{days}: {left} {exact}");
            assert!((1.0 - left / 2.0 - k).abs() < 6e-5 + 5e-5, "{days}: {}", 1.0 - left / 2.0);
        }
    }

    #[test]
    fn without_decay_it_is_the_exponential_in_dose() {
        let ladder = Ladder::fit(Law { per_decade: 0.0, ..Law::TCAS }).unwrap();
        let dose = Segment { dose_rate_rad_per_s: 50.0, ..wait(1e4) };
        let found = run(&ladder, 1.0, &[dose]);
        let exact = -0.25 + 1.25 * (-5e5f64 / DOSE_CONSTANT).exp();
        assert!((found.shift_v() - exact).abs() < 1e-13, "{} {exact}", found.shift_v());
        assert!((found.dose_rad - 5e5).abs() < 1e-6);
    }

    #[test]
    fn order_matters() {
        let ladder = Ladder::fit(Law::IEDM).unwrap();
        let dose = Segment { dose_rate_rad_per_s: 500.0, ..wait(2e3) };
        let first = run(&ladder, 1.0, &[dose, wait(1e7)]).shift_v();
        let last = run(&ladder, 1.0, &[wait(1e7), dose]).shift_v();
        assert!((first - last).abs() > 1e-3, "{first} {last}");
        // Without a fixed point away from neutral both are multiplications, which commute.
        let plain = |segment: Segment| Segment { fixed_shift_v: 0.0, ..segment };
        let first = run(&ladder, 1.0, &[plain(dose), plain(wait(1e7))]).shift_v();
        let last = run(&ladder, 1.0, &[plain(wait(1e7)), plain(dose)]).shift_v();
        assert!((first - last).abs() < 1e-13);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn splitting_a_segment_changes_nothing(
            start in -2.0f64..2.0,
            duration in 0.0f64..9.0,
            cut in 0.0f64..1.0,
            rate in 0.0f64..1e3,
            temperature_k in 250.0f64..420.0,
        ) {
            let ladder = Ladder::fit(Law::TCAS).unwrap();
            let whole = Segment {
                duration_s: 10f64.powf(duration),
                dose_rate_rad_per_s: rate,
                temperature_k,
                fixed_shift_v: -0.4,
            };
            let first = Segment { duration_s: cut * whole.duration_s, ..whole };
            let second = Segment { duration_s: whole.duration_s - first.duration_s, ..whole };
            let a = run(&ladder, start, &[whole]).shift_v();
            let b = run(&ladder, start, &[first, second]).shift_v();
            prop_assert!((a - b).abs() < 1e-12, "{} {}", a, b);
        }

        /// A history never leaves the span of its start, neutral and the fixed points.
        #[test]
        fn shifts_stay_in_their_span(start in -2.0f64..2.0, fixed in -1.0f64..1.0, rate in 0.0f64..1e6) {
            let ladder = Ladder::fit(Law::TCAS).unwrap();
            let segment = Segment { dose_rate_rad_per_s: rate, fixed_shift_v: fixed, ..wait(1e5) };
            let end = run(&ladder, start, &[segment, wait(1e8)]).shift_v();
            let (low, high) = (start.min(fixed).min(0.0), start.max(fixed).max(0.0));
            prop_assert!(end >= low - 1e-12 && end <= high + 1e-12);
        }
    }
}
