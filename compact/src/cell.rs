//! A SONOS cell as a source of device tables: from a target state, a dose and a time to the
//! distribution of the cell's current.
//!
//! Everything happens in the overdrive u = V_G - V_T at the read bias: dose moves it first, time after;
//! the spreads of programming, of time and of dose add in quadrature there and become currents through
//! the transistor, which gives the skewed distributions of small currents. [`PublishedCell`] takes the
//! statistics of a published set as they are, with no model between.

use crate::current_shift::CurrentShift;
use crate::programming::Programming;
use crate::retention::Retention;
use crate::spread::threshold_spread_v;
use crate::tid::{Evaluator, Law};
use mho_data::provenance::Origin;
use mho_data::published::PublishedSonos;
use mho_lut::{
    CellSource, CellStatistics, Course, History, ReadVoltages, SCORES, Share, SourceError, SourceInfo,
};
use mho_physics::sonos::Stack;

pub mod current;
mod history;
pub mod transfer;

pub use current::CurrentCell;
pub use transfer::{Curve, Transfer};

/// How dose moves a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DoseLaw {
    /// Not at all.
    None,
    /// By a law of the threshold, seen from the gate voltage of the read.
    Threshold {
        /// The law.
        law: Law,
        /// Gate voltage of the read, V: the overdrive of a threshold is what remains of it.
        read_gate_v: f64,
    },
    /// By the law of the current itself.
    Current(CurrentShift),
}

/// What a cell is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct CellParameters {
    /// Name of the device.
    pub name: String,
    /// Where its numbers come from.
    pub origin: Origin,
    /// Current of state 1, nA.
    pub current_max_na: f64,
    /// Voltage of the drain at the read, V, where it is known.
    pub read_drain_v: Option<f64>,
    /// Drift.
    pub retention: Retention,
    /// The transistor that turns thresholds into currents; `None`: that of `retention`.
    pub transfer: Option<Transfer>,
    /// Spread after programming and its growth.
    pub programming: Programming,
    /// Spread of thresholds with time and dose in place of `programming` and of counted charges: values of
    /// [`crate::spread::THRESHOLD_SPREAD`].
    pub threshold_spread: Option<[f64; 4]>,
    /// Mean shift with dose.
    pub dose: DoseLaw,
    /// Gate area, m^2. Default 0.05 um^2: the growth of published spreads excludes less than 0.04 (design
    /// notes A.1, derived).
    pub gate_area_m2: f64,
    /// Charges of both signs caught per gate area and dose, 1/(m^2 rad(Si)). Default 3.5e10: 35 charges per
    /// 100 krad on 0.01 um^2 (design notes A.7, derived from an assumed stack).
    pub captured_per_m2_rad: f64,
    /// Cluster factor of the captures. Default 1 (assumed; 1 to 5).
    pub cluster_factor: f64,
    /// Spread of ln D_c from cell to cell. Default 0.1 (design notes A.7, assumed).
    pub dose_c_spread: f64,
    /// Read noise sigma = A (1 - exp(-I/B)): A, nA. Default 12.58 (IEDM 2022, measured).
    pub read_noise_na: f64,
    /// ... and B, nA. Default 215.4 (IEDM 2022, measured).
    pub read_corner_na: f64,
    /// Longest time for which the parameters hold, s.
    pub time_max_s: f64,
    /// Largest dose for which the parameters hold, krad(Si).
    pub dose_max_krad_si: f64,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

impl Default for CellParameters {
    fn default() -> Self {
        Self {
            name: "sonos-40nm".into(),
            origin: Origin::Derived,
            current_max_na: 1600.0,
            read_drain_v: None,
            retention: Retention::default(),
            transfer: None,
            programming: Programming::default(),
            threshold_spread: None,
            dose: DoseLaw::None,
            gate_area_m2: 0.05e-12,
            captured_per_m2_rad: 3.5e10,
            cluster_factor: 1.0,
            dose_c_spread: 0.1,
            read_noise_na: 12.580_37,
            read_corner_na: 215.365_57,
            time_max_s: 432_000.0,
            dose_max_krad_si: 500.0,
            notes: Vec::new(),
        }
    }
}

/// State 0 carries this part of the largest current (on/off ratio 1e7; design notes A.2, from the talk).
const OFF_FRACTION: f64 = 1e-7;

/// Steps of the differences with the start (V) and, relative, with the dose.
const START_STEP_V: f64 = 1e-3;
const DOSE_STEP: f64 = 0.01;

/// Gate voltages around that of the read for which currents are given, V.
const READ_WINDOW_V: f64 = 0.5;

/// Spreads of the overdrive from their causes. Those in V belong to the cell for good and have the sign
/// with which it follows them; charges are counted anew with every dose.
#[derive(Debug, Clone, Copy)]
struct Spreads {
    programming_v: f64,
    drift_v: f64,
    dose_c_v: f64,
    /// Variance, V^2.
    counting: f64,
}

impl Spreads {
    fn variance(&self) -> f64 {
        self.programming_v.powi(2) + self.drift_v.powi(2) + self.dose_c_v.powi(2) + self.counting
    }

    fn share(&self) -> Share {
        let variance = self.variance();
        if variance <= 0.0 {
            return Share { programming: 1.0, drift: 0.0, dose: 0.0 };
        }
        Share {
            programming: self.programming_v.powi(2) / variance,
            drift: self.drift_v.powi(2) / variance,
            dose: (self.dose_c_v.powi(2) + self.counting) / variance,
        }
    }

    /// Correlation with another place, at which this variance of counted charges is the same.
    fn correlation(&self, other: &Self, counted: f64) -> f64 {
        let common = self.programming_v * other.programming_v
            + self.drift_v * other.drift_v
            + self.dose_c_v * other.dose_c_v
            + counted;
        let both = (self.variance() * other.variance()).sqrt();
        if both > 0.0 { (common / both).clamp(-1.0, 1.0) } else { 1.0 }
    }
}

/// A SONOS cell under dose and time.
#[derive(Debug, Clone)]
pub struct SonosCell {
    parameters: CellParameters,
    transfer: Transfer,
    threshold: Option<(Evaluator, f64)>,
    neutral_v: f64,
    step_v: f64,
}

impl SonosCell {
    /// Prepares a cell.
    pub fn new(parameters: CellParameters) -> Self {
        let threshold = match &parameters.dose {
            DoseLaw::Threshold { law, read_gate_v } => Some((Evaluator::new(*law), *read_gate_v)),
            DoseLaw::None | DoseLaw::Current(_) => None,
        };
        let transfer =
            parameters.transfer.clone().unwrap_or_else(|| Transfer::of_retention(&parameters.retention));
        let neutral_v = transfer.overdrive_v(parameters.retention.neutral_current_na);
        let step_v = Stack { gate_area_m2: parameters.gate_area_m2, ..Stack::default() }.step_v();
        Self { parameters, transfer, threshold, neutral_v, step_v }
    }

    /// What it is made of.
    pub fn parameters(&self) -> &CellParameters {
        &self.parameters
    }

    /// The gate voltage of the read at which the neutral threshold carries the neutral current of
    /// retention, V (design notes A.2: the default read condition).
    pub fn default_read_gate_v(retention: &Retention, vt_neutral_v: f64) -> f64 {
        vt_neutral_v + retention.overdrive_v(retention.neutral_current_na)
    }

    /// Overdrive, V, of a state of overdrive `start_v` after a dose, without drift.
    fn dosed_v(&self, start_v: f64, dose_krad_si: f64) -> f64 {
        if dose_krad_si <= 0.0 {
            return start_v;
        }
        match (&self.threshold, &self.parameters.dose) {
            (Some((law, read_gate_v)), _) => {
                read_gate_v - law.threshold_v(read_gate_v - start_v, dose_krad_si)
            }
            (None, DoseLaw::Current(law)) => {
                let floor_na = OFF_FRACTION * self.parameters.current_max_na;
                let shifted = law.current_na(self.transfer.current_na(start_v), dose_krad_si, 0.0);
                self.transfer.overdrive_v(shifted.max(floor_na))
            }
            (None, _) => start_v,
        }
    }

    /// Overdrive, V, and current, nA, of a state after programming.
    fn start(&self, state: f64) -> (f64, f64) {
        let current_na = self.parameters.current_max_na * state.max(OFF_FRACTION);
        (self.transfer.overdrive_v(current_na), current_na)
    }

    /// Overdrive, V, after the dose, what retention keeps of a displacement after the time, and spreads.
    fn spreads(&self, state: f64, time_s: f64, dose_krad_si: f64) -> (f64, f64, Spreads) {
        let p = &self.parameters;
        let (start_v, current_na) = self.start(state);
        let dosed_v = self.dosed_v(start_v, dose_krad_si);
        let kept = 1.0 - p.retention.lost(time_s, 300.0);
        let programmed_v = self.programmed_v(start_v, current_na);
        let follow = (self.dosed_v(start_v + START_STEP_V, dose_krad_si)
            - self.dosed_v(start_v - START_STEP_V, dose_krad_si))
            / (2.0 * START_STEP_V);
        // A cell whose D_c is larger by a part has seen a dose smaller by that part.
        let per_ln_dose = (self.dosed_v(start_v, dose_krad_si * (1.0 + DOSE_STEP))
            - self.dosed_v(start_v, dose_krad_si * (1.0 - DOSE_STEP)))
            / (2.0 * DOSE_STEP);
        let spreads = Spreads {
            programming_v: programmed_v * follow * kept,
            drift_v: self.grown_v(programmed_v, time_s),
            dose_c_v: kept * p.dose_c_spread * per_ln_dose,
            counting: self.counted_v2(kept, dose_krad_si),
        };
        (dosed_v, kept, spreads)
    }

    /// Currents of cells with a mean overdrive and these spreads.
    fn statistics(
        &self,
        mean_v: f64,
        spreads: &Spreads,
        extrapolated: bool,
    ) -> Result<CellStatistics, String> {
        let sigma_v = spreads.variance().sqrt();
        let quantiles_na = SCORES.map(|score| self.transfer.current_na(mean_v + sigma_v * score));
        if !quantiles_na.iter().all(|quantile| quantile.is_finite()) {
            return Err(format!("the current is not finite at an overdrive of {mean_v} V"));
        }
        let (mean_na, sigma_na) = moments(&quantiles_na);
        Ok(CellStatistics { mean_na, sigma_na, quantiles_na, share: spreads.share(), extrapolated })
    }

    /// Standard deviation of the threshold, V, of cells programmed to an overdrive.
    fn programmed_v(&self, start_v: f64, current_na: f64) -> f64 {
        if let Some([programmed_v, ..]) = self.parameters.threshold_spread {
            return programmed_v;
        }
        let programmed_na = self.parameters.programming.programmed_na(current_na);
        let current_na = |overdrive_v: f64| self.transfer.current_na(overdrive_v);
        let slope = (current_na(start_v + 1e-5) - current_na(start_v - 1e-5)) / 2e-5;
        // On a leakage floor no spread of currents says what that of thresholds is.
        if slope > 0.0 { programmed_na / slope } else { 0.0 }
    }

    /// Standard deviation, V, that time has added to one of `programmed_v`.
    fn grown_v(&self, programmed_v: f64, time_s: f64) -> f64 {
        match &self.parameters.threshold_spread {
            Some(spread) => {
                let square = |time_s: f64| threshold_spread_v(spread, time_s, 0.0).powi(2);
                (square(time_s) - square(0.0)).max(0.0).sqrt()
            }
            None => programmed_v * (self.parameters.programming.growth(time_s) - 1.0).max(0.0).sqrt(),
        }
    }

    /// Variance, V^2, of the charges that a dose has brought, of which a part is kept.
    fn counted_v2(&self, kept: f64, dose_krad_si: f64) -> f64 {
        let p = &self.parameters;
        match p.threshold_spread {
            Some([.., per_root_krad]) => (kept * per_root_krad).powi(2) * dose_krad_si,
            None => {
                let charges = p.captured_per_m2_rad * p.gate_area_m2 * 1e3 * dose_krad_si;
                kept * kept * self.step_v * self.step_v * p.cluster_factor * charges
            }
        }
    }
}

impl CellSource for SonosCell {
    fn describe(&self) -> SourceInfo {
        let p = &self.parameters;
        SourceInfo {
            name: p.name.clone(),
            origin: p.origin,
            current_max_na: p.current_max_na,
            time_max_s: p.time_max_s,
            dose_max_krad_si: p.dose_max_krad_si,
            notes: p.notes.clone(),
        }
    }

    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let p = &self.parameters;
        let wrong = |reason: String| SourceError { state, time_s, dose_krad_si, reason };
        if ![state, time_s, dose_krad_si].iter().all(|value| *value >= 0.0 && value.is_finite()) {
            return Err(wrong("state, time and dose must be finite and not negative".into()));
        }
        let (dosed_v, kept, spreads) = self.spreads(state, time_s, dose_krad_si);
        let mean_v = self.neutral_v + (dosed_v - self.neutral_v) * kept;
        let extrapolated = time_s > p.time_max_s || dose_krad_si > p.dose_max_krad_si;
        self.statistics(mean_v, &spreads, extrapolated).map_err(wrong)
    }

    /// Charges that were there at the smaller dose are still there at the larger; everything else is the
    /// fate of the cell.
    fn correlation(&self, state: f64, a: (f64, f64), b: (f64, f64)) -> Result<f64, SourceError> {
        let ((_, kept_a, one), (_, kept_b, other)) =
            (self.spreads(state, a.0, a.1), self.spreads(state, b.0, b.1));
        let (kept, first) = if a.1 <= b.1 { (kept_a, one.counting) } else { (kept_b, other.counting) };
        let shared = if kept > 0.0 { first * kept_a * kept_b / (kept * kept) } else { 0.0 };
        Ok(one.correlation(&other, shared))
    }

    fn history(&self, state: f64, history: &History, reports_s: &[f64]) -> Result<Course, SourceError> {
        self.course(state, history, reports_s)
    }

    fn read_voltage_v(&self) -> Option<f64> {
        self.parameters.read_drain_v
    }

    /// Half a volt of gate voltage on both sides of the read at which thresholds become currents.
    fn read_voltages(&self) -> Option<ReadVoltages> {
        let (_, reference_v) = self.threshold.as_ref()?;
        let (low_v, high_v) = (reference_v - READ_WINDOW_V, reference_v + READ_WINDOW_V);
        Some(ReadVoltages { terminal: "gate".into(), reference_v: *reference_v, low_v, high_v })
    }

    fn current_at_voltage_na(&self, current_na: f64, read_v: f64) -> f64 {
        let Some((_, reference_v)) = &self.threshold else { return current_na };
        let least_na = OFF_FRACTION * self.parameters.current_max_na;
        self.transfer.current_na(self.transfer.overdrive_v(current_na.max(least_na)) + read_v - reference_v)
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        -self.parameters.read_noise_na * (-current_na / self.parameters.read_corner_na).exp_m1()
    }
}

/// Mean and standard deviation of a quantile function at the scores, by the normal density over them.
fn moments(quantiles: &[f64; SCORES.len()]) -> (f64, f64) {
    let weights = SCORES.map(|score| (-0.5 * score * score).exp());
    let whole: f64 = weights.iter().sum();
    let mean = quantiles.iter().zip(&weights).map(|(q, w)| q * w).sum::<f64>() / whole;
    let square = quantiles.iter().zip(&weights).map(|(q, w)| (q - mean).powi(2) * w).sum::<f64>() / whole;
    (mean, square.sqrt())
}

/// The cells of a published set as they were measured: normal in current, without dose.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedCell {
    set: PublishedSonos,
    current_max_na: f64,
}

impl PublishedCell {
    /// The cells of `set`, with states as fractions of `current_max_na`.
    pub fn new(set: PublishedSonos, current_max_na: f64) -> Self {
        Self { set, current_max_na }
    }
}

impl CellSource for PublishedCell {
    fn describe(&self) -> SourceInfo {
        let mut notes = vec![self.set.citation.clone()];
        if !self.set.has_read_noise() {
            notes.push("read noise of the IEDM 2022 set stands in (assumed)".into());
        }
        SourceInfo {
            name: format!("published-{}", self.set.name),
            origin: Origin::Published,
            current_max_na: self.current_max_na,
            time_max_s: self.set.time_s.last().copied().unwrap_or(0.0),
            dose_max_krad_si: 0.0,
            notes,
        }
    }

    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        if dose_krad_si > 0.0 {
            let reason = "nothing is published about dose; use a cell with a dose law".into();
            return Err(SourceError { state, time_s, dose_krad_si, reason });
        }
        let initial_na = state * self.current_max_na;
        let mean = self.set.mean_na(initial_na, time_s);
        let sigma = self.set.sigma_na(mean.value, time_s);
        let programmed = self.set.sigma_na(initial_na, 0.0).value;
        let quantiles_na = SCORES.map(|score| (mean.value + sigma.value * score).max(0.0));
        let programming = if sigma.value > 0.0 { (programmed / sigma.value).powi(2).min(1.0) } else { 1.0 };
        Ok(CellStatistics {
            mean_na: mean.value,
            sigma_na: sigma.value,
            quantiles_na,
            share: Share { programming, drift: 1.0 - programming, dose: 0.0 },
            extrapolated: mean.extrapolated || sigma.extrapolated,
        })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        self.set.read_noise_na(current_na)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: f64 = 86_400.0;

    fn dosed(gate_area_um2: f64, u_inf_shift_v: f64) -> SonosCell {
        let retention = Retention::default();
        let read_gate_v = SonosCell::default_read_gate_v(&retention, 0.0);
        let law = Law::Exp { dose_c_krad_si: 1700.0, vt_inf_v: -u_inf_shift_v };
        SonosCell::new(CellParameters {
            dose: DoseLaw::Threshold { law, read_gate_v },
            gate_area_m2: gate_area_um2 * 1e-12,
            ..CellParameters::default()
        })
    }

    #[test]
    fn fresh_cells_carry_their_state_with_the_published_spread() {
        let cell = dosed(0.05, 0.0);
        for state in [0.05, 0.25, 0.5, 1.0] {
            let found = cell.cell(state, 0.0, 0.0).unwrap();
            let current_na = 1600.0 * state;
            assert!((found.mean_na / current_na - 1.0).abs() < 5e-3, "{state}: {}", found.mean_na);
            let published = Programming::default().programmed_na(current_na);
            assert!((found.sigma_na / published - 1.0).abs() < 0.02, "{state}: {}", found.sigma_na);
            assert!((found.share.programming - 1.0).abs() < 1e-12);
        }
    }

    /// Design notes A.7: 7.5 mV at 0.05 um^2 and 100 krad, 16.7 at 0.01.
    #[test]
    fn counting_spreads_thresholds_as_the_notes_say() {
        for (area, wanted_mv) in [(0.05, 7.5), (0.01, 16.7)] {
            let mut parameters = dosed(area, 0.0).parameters().clone();
            parameters.dose_c_spread = 0.0;
            parameters.programming.sigma_max_na = 1e-9;
            let cell = SonosCell::new(parameters);
            let found = cell.cell(0.02, 0.0, 100.0).unwrap();
            let ratio = found.quantiles_na[SCORES.len() / 2 + 4] / found.quantiles_na[SCORES.len() / 2 - 4];
            let retention = &cell.parameters().retention;
            let sigma_mv = 0.5e3
                * (retention.overdrive_v(found.quantiles_na[SCORES.len() / 2 + 4])
                    - retention.overdrive_v(found.quantiles_na[SCORES.len() / 2 - 4]));
            assert!(ratio > 1.0);
            assert!((sigma_mv / wanted_mv - 1.0).abs() < 0.02, "{sigma_mv} {wanted_mv}");
        }
    }

    #[test]
    fn dose_moves_states_towards_the_fixed_point_and_drift_towards_neutral() {
        let cell = dosed(0.05, 0.0);
        let mean = |state, time, dose| cell.cell(state, time, dose).unwrap().mean_na;
        assert!(mean(1.0, 0.0, 500.0) < mean(1.0, 0.0, 0.0));
        assert!(mean(0.05, 0.0, 500.0) > mean(0.05, 0.0, 0.0));
        assert!(mean(1.0, 5.0 * DAY_S, 0.0) < mean(1.0, 0.0, 0.0));
        // A fixed point at a larger overdrive raises all states below it.
        let other = dosed(0.05, 0.25);
        assert!(other.cell(0.5, 0.0, 300.0).unwrap().mean_na > mean(0.5, 0.0, 300.0));
        assert!(cell.cell(0.5, 0.0, 600.0).unwrap().extrapolated);
        assert!(cell.cell(f64::NAN, 0.0, 0.0).is_err());
    }

    #[test]
    fn statistics_are_ordered_and_shares_sum_to_one() {
        let cell = dosed(0.05, 0.1);
        for state in [0.0, 0.001, 0.3, 1.0] {
            for time in [0.0, DAY_S, 5.0 * DAY_S] {
                for dose in [0.0, 10.0, 500.0] {
                    let found = cell.cell(state, time, dose).unwrap();
                    assert!(found.quantiles_na.windows(2).all(|pair| pair[0] <= pair[1]));
                    let sum = found.share.programming + found.share.drift + found.share.dose;
                    assert!((sum - 1.0).abs() < 1e-12);
                    assert!(found.sigma_na >= 0.0 && found.mean_na >= 0.0);
                }
            }
        }
    }

    #[test]
    fn the_law_of_the_current_works_in_a_cell() {
        let parameters =
            CellParameters { dose: DoseLaw::Current(CurrentShift::default()), ..CellParameters::default() };
        let cell = SonosCell::new(parameters);
        let wanted = CurrentShift::default().current_na(400.0, 200.0, 0.0);
        let found = cell.cell(0.25, 0.0, 200.0).unwrap();
        let median = found.quantiles_na[SCORES.len() / 2];
        assert!((median / wanted - 1.0).abs() < 1e-9, "{median} {wanted}");
    }

    #[test]
    fn published_cells_are_the_published_numbers() {
        let cell = PublishedCell::new(PublishedSonos::named("tcas2022").unwrap(), 1600.0);
        let found = cell.cell(1585.32 / 1600.0, 5.0 * DAY_S, 0.0).unwrap();
        assert!((found.mean_na - 1543.26).abs() < 1e-9, "{}", found.mean_na);
        assert!((found.sigma_na - 53.4358 * (1.0 - f64::exp(-0.002_173_28 * 1543.26))).abs() < 1e-9);
        assert!(!found.extrapolated && cell.cell(0.01, 0.0, 0.0).unwrap().extrapolated);
        assert!(cell.cell(0.5, 0.0, 1.0).is_err());
    }

    /// A table compiled from a cell meets its tolerance.
    #[test]
    fn cells_compile_into_tables() {
        let options = mho_lut::CompileOptions { tolerance_fraction: 5e-3, ..Default::default() };
        mho_lut::compile(&dosed(0.05, 0.0), &options).unwrap();
    }
}
