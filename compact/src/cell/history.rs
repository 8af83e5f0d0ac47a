//! A SONOS cell along a history of dose, time and temperature.
//!
//! Dose moves the overdrive by its law, retention relaxes what stands at the moment towards neutral; both
//! go on together and are taken in alternation. What retention remembers is the
//! part k that is lost, the depth of its front (design notes A.4: r grows with T, the front moves in kT):
//! a change of temperature continues from the same k. Gate bias between reads has no law here.

use super::{DoseLaw, SonosCell, Spreads};
use crate::retention::Retention;
use crate::tid::Law;
use mho_lut::{Course, History, Segment, SourceError};

/// Steps of a segment, once in time and once in loss. Alternating dose and drift in n symmetric steps errs
/// by order 1/n^2 of the commutator.
const STEPS: usize = 16;

/// Changes of the start (V) and, relative, of the dose for differences.
const START_STEP_V: f64 = 1e-3;
const DOSE_STEP: f64 = 0.01;

/// A cell at one report.
#[derive(Debug, Clone, Copy)]
struct Stand {
    overdrive_v: f64,
    /// Part of a displacement from neutral that retention has left since programming.
    kept: f64,
    /// Time at 300 K after which retention would stand where it stands, s.
    equivalent_s: f64,
    /// Variance from counted charges, V^2.
    counting: f64,
}

/// The time after which `lost` reaches `k` at a temperature, s.
fn time_of_loss_s(retention: &Retention, k: f64, temperature_k: f64) -> f64 {
    // lost(t) = r log10(1 + t/t_0): r and t_0 at this temperature from two points of the law would be
    // roundabout, so the law's own numbers are used.
    let (r, t_0_s) = retention.at_temperature(temperature_k);
    t_0_s * (k * std::f64::consts::LN_10 / r).exp_m1()
}

impl SonosCell {
    /// Overdrive, V, of a cell at `overdrive_v` that has seen `before` krad and now sees `more`.
    fn pushed_v(&self, overdrive_v: f64, before: f64, more: f64) -> f64 {
        if more <= 0.0 {
            return overdrive_v;
        }
        match (&self.threshold, &self.parameters.dose) {
            // Laws that remember more than the threshold: what is left of a displacement shrinks by the
            // same part for every cell.
            (Some((law, read_gate_v)), DoseLaw::Threshold { .. })
                if matches!(law.law(), Law::Stretched { .. } | Law::TwoTerm { .. }) =>
            {
                let end_v = read_gate_v - law.law().fixed_point_v();
                let left = |dose: f64| law.threshold_v(1.0, dose) - law.threshold_v(0.0, dose);
                end_v + (overdrive_v - end_v) * left(before + more) / left(before)
            }
            _ => self.dosed_v(overdrive_v, more),
        }
    }

    /// Ends of the steps of a segment, s: equal times for the dose among equal losses for the drift.
    fn steps_s(&self, begun_s: f64, duration_s: f64, temperature_k: f64) -> Vec<f64> {
        let retention = &self.parameters.retention;
        let [from, to] = [begun_s, begun_s + duration_s].map(|time_s| retention.lost(time_s, temperature_k));
        let part = |step: usize| step as f64 / STEPS as f64;
        let mut ends: Vec<f64> = (1..=STEPS)
            .map(|step| duration_s * part(step))
            .chain((1..STEPS).map(|step| {
                let lost = from + (to - from) * part(step);
                (time_of_loss_s(retention, lost, temperature_k) - begun_s).clamp(0.0, duration_s)
            }))
            .collect();
        ends.sort_by(f64::total_cmp);
        ends
    }

    /// The cell at the reports, from a start, with its doses scaled by `dose_part`.
    fn follow(&self, start_v: f64, dose_part: f64, history: &History, reports_s: &[f64]) -> Vec<Stand> {
        let p = &self.parameters;
        let per_krad = match p.threshold_spread {
            Some([.., per_root_krad]) => per_root_krad * per_root_krad,
            None => 1e3 * p.captured_per_m2_rad * p.gate_area_m2 * p.cluster_factor * self.step_v.powi(2),
        };
        let mut stand = Stand { overdrive_v: start_v, kept: 1.0, equivalent_s: 0.0, counting: 0.0 };
        let (mut lost, mut dose, mut now_s) = (0.0, 0.0, 0.0);
        let mut stands = Vec::with_capacity(reports_s.len());
        for &report_s in reports_s {
            for Segment { duration_s, dose_rate_rad_si_per_s, temperature_k, .. } in
                history.between(now_s, report_s)
            {
                let begun_s = time_of_loss_s(&p.retention, lost, temperature_k);
                let mut passed_s = 0.0;
                for until_s in self.steps_s(begun_s, duration_s, temperature_k) {
                    let next = p.retention.lost(begun_s + until_s, temperature_k).max(lost);
                    let more = 1e-3 * dose_rate_rad_si_per_s * dose_part * (until_s - passed_s);
                    let left = if lost < 1.0 { (1.0 - next) / (1.0 - lost) } else { 0.0 };
                    let halfway_v = self.pushed_v(stand.overdrive_v, dose, 0.5 * more);
                    let relaxed_v = self.neutral_v + (halfway_v - self.neutral_v) * left;
                    stand.overdrive_v = self.pushed_v(relaxed_v, dose + 0.5 * more, 0.5 * more);
                    let counted = 0.5 * per_krad * more;
                    stand.counting = (stand.counting + counted) * left * left + counted;
                    stand.kept *= left;
                    (lost, passed_s) = (next, until_s);
                    dose += more;
                }
            }
            now_s = report_s;
            stand.equivalent_s = time_of_loss_s(&p.retention, lost, 300.0);
            stands.push(stand);
        }
        stands
    }

    /// What becomes of cells of a state along a history.
    pub(super) fn course(
        &self,
        state: f64,
        history: &History,
        reports_s: &[f64],
    ) -> Result<Course, SourceError> {
        let p = &self.parameters;
        let wrong = |time_s: f64, reason: String| SourceError { state, time_s, dose_krad_si: 0.0, reason };
        if !(state >= 0.0 && state.is_finite()) {
            return Err(wrong(0.0, "the state must be finite and not negative".into()));
        }
        if let Some(segment) = history.segments().iter().find(|segment| segment.gate_bias_v != 0.0) {
            let reason = format!("a gate bias of {} V; the cell has no law for it", segment.gate_bias_v);
            return Err(wrong(0.0, reason));
        }
        let (start_v, current_na) = self.start(state);
        let stands = self.follow(start_v, 1.0, history, reports_s);
        let above = self.follow(start_v + START_STEP_V, 1.0, history, reports_s);
        let below = self.follow(start_v - START_STEP_V, 1.0, history, reports_s);
        let more = self.follow(start_v, 1.0 + DOSE_STEP, history, reports_s);
        let less = self.follow(start_v, 1.0 - DOSE_STEP, history, reports_s);
        let programmed_v = self.programmed_v(start_v, current_na);
        let mut statistics = Vec::with_capacity(reports_s.len());
        let mut parts = Vec::with_capacity(reports_s.len());
        for (r, (&time_s, stand)) in reports_s.iter().zip(&stands).enumerate() {
            let report = history.at(time_s).map_err(|error| wrong(time_s, error.to_string()))?;
            let slope = (above[r].overdrive_v - below[r].overdrive_v) / (2.0 * START_STEP_V);
            let per_ln_dose = (more[r].overdrive_v - less[r].overdrive_v) / (2.0 * DOSE_STEP);
            let spreads = Spreads {
                programming_v: programmed_v * slope,
                drift_v: self.grown_v(programmed_v, stand.equivalent_s),
                dose_c_v: p.dose_c_spread * per_ln_dose,
                counting: stand.counting,
            };
            let hot = history.until(time_s).any(|segment| segment.temperature_k != 300.0);
            let extrapolated =
                hot || stand.equivalent_s > p.time_max_s || report.dose_krad_si > p.dose_max_krad_si;
            let cell = self.statistics(stand.overdrive_v, &spreads, extrapolated);
            statistics.push(cell.map_err(|reason| wrong(time_s, reason))?);
            parts.push(spreads);
        }
        let count = parts.len();
        let mut correlation = vec![1.0; count * count];
        for a in 0..count {
            for b in a + 1..count {
                let kept = if stands[a].kept > 0.0 { stands[b].kept / stands[a].kept } else { 0.0 };
                let value = parts[a].correlation(&parts[b], parts[a].counting * kept);
                (correlation[a * count + b], correlation[b * count + a]) = (value, value);
            }
        }
        let memory = self.threshold.as_ref().is_some_and(|(law, _)| {
            matches!(law.law(), Law::Stretched { .. } | Law::TwoTerm { .. }) && history.dose_krad_si() > 0.0
        });
        let approximation = memory.then(|| {
            "the dose law knows the whole dose alone; in the history it shrinks displacements by their part"
                .to_owned()
        });
        Ok(Course { statistics, correlation, approximation })
    }
}

#[cfg(test)]
mod tests;
