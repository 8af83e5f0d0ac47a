//! A cell of which only the law of its state current is known: no transistor and no threshold between.

use crate::current_shift::CurrentShift;
use crate::programming::Programming;
use crate::spread::read_noise_na;
use mho_data::provenance::Origin;
use mho_lut::{CellSource, CellStatistics, SCORES, Share, SourceError, SourceInfo};

/// State currents under time and dose by [`CurrentShift`].
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentCell {
    /// Name of the device.
    pub name: String,
    /// Where its numbers come from.
    pub origin: Origin,
    /// Current of state 1, nA.
    pub current_max_na: f64,
    /// The law of the mean.
    pub law: CurrentShift,
    /// Spread after programming and its growth; `None`: all cells of a state are alike.
    pub programming: Option<Programming>,
    /// Read noise A (1 - exp(-I/B)): A and B, nA; `None`: reads repeat.
    pub read_noise: Option<[f64; 2]>,
    /// Longest time for which the law holds, s.
    pub time_max_s: f64,
    /// Largest dose for which the law holds, krad(Si).
    pub dose_max_krad_si: f64,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

impl CurrentCell {
    /// Cells of a law, all alike, with 1600 nA in state 1.
    pub fn fresh(law: CurrentShift) -> Self {
        Self {
            name: "cell".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            law,
            programming: None,
            read_noise: None,
            time_max_s: 0.0,
            dose_max_krad_si: 0.0,
            notes: Vec::new(),
        }
    }
}

impl CellSource for CurrentCell {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: self.name.clone(),
            origin: self.origin,
            current_max_na: self.current_max_na,
            time_max_s: self.time_max_s,
            dose_max_krad_si: self.dose_max_krad_si,
            notes: self.notes.clone(),
        }
    }

    /// A cell starts at a current that is normal around its state and follows the law from there; the spread that
    /// grows with time is added to what the law has made of it.
    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let wrong = |reason: String| SourceError { state, time_s, dose_krad_si, reason };
        if ![state, time_s, dose_krad_si].iter().all(|value| *value >= 0.0 && value.is_finite()) {
            return Err(wrong("state, time and dose must be finite and not negative".into()));
        }
        let start_na = state * self.current_max_na;
        let law = |start_na: f64| self.law.current_na(start_na, dose_krad_si, time_s);
        let programmed_na = self.programming.map_or(0.0, |p| p.programmed_na(start_na));
        let growth = self.programming.map_or(0.0, |p| (p.growth(time_s) - 1.0).max(0.0));
        let followed = SCORES.map(|score| law((start_na + programmed_na * score).max(0.0)));
        // Moments of equal numbers carry their rounding.
        let exact = programmed_na == 0.0;
        let (mean_na, followed_na) = if exact { (law(start_na), 0.0) } else { super::moments(&followed) };
        let drift_na = programmed_na * growth.sqrt();
        let sigma_na = followed_na.hypot(drift_na);
        // The skewness that the law gives stays; its width grows by the drift.
        let wider = if followed_na > 0.0 { sigma_na / followed_na } else { 1.0 };
        let median_na = followed[SCORES.len() / 2];
        let quantiles_na = if followed_na > 0.0 {
            followed.map(|quantile| (median_na + (quantile - median_na) * wider).max(0.0))
        } else {
            SCORES.map(|score| (mean_na + sigma_na * score).max(0.0))
        };
        if !(mean_na.is_finite() && quantiles_na.iter().all(|quantile| quantile.is_finite())) {
            return Err(wrong("the current is not finite".into()));
        }
        let programming = if sigma_na > 0.0 { (followed_na / sigma_na).powi(2) } else { 1.0 };
        Ok(CellStatistics {
            mean_na,
            sigma_na,
            quantiles_na,
            share: Share { programming, drift: 1.0 - programming, dose: 0.0 },
            extrapolated: time_s > self.time_max_s || dose_krad_si > self.dose_max_krad_si,
        })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        self.read_noise.map_or(0.0, |values| read_noise_na(&values, current_na))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(programming: Option<Programming>) -> CurrentCell {
        CurrentCell {
            programming,
            time_max_s: 432_000.0,
            dose_max_krad_si: 500.0,
            ..CurrentCell::fresh(CurrentShift::default())
        }
    }

    #[test]
    fn without_spread_every_cell_is_the_law() {
        let law = CurrentShift::default();
        let found = cell(None).cell(0.5, 3600.0, 100.0).unwrap();
        let wanted = law.current_na(800.0, 100.0, 3600.0);
        assert!((found.mean_na - wanted).abs() < 1e-9 * wanted && found.sigma_na == 0.0);
        assert!(!found.extrapolated && cell(None).cell(0.5, 0.0, 501.0).unwrap().extrapolated);
        assert!(cell(None).cell(0.5, f64::NAN, 0.0).is_err());
    }

    /// Fresh cells have the spread of programming, and later ones at least what the law leaves of it.
    #[test]
    fn spreads_are_those_of_programming_and_grow() {
        let programming = Programming::default();
        let fresh = cell(Some(programming)).cell(0.5, 0.0, 0.0).unwrap();
        let wanted = programming.programmed_na(800.0);
        // Scores end at 4: the moments miss a ten-thousandth of the variance.
        assert!((fresh.sigma_na / wanted - 1.0).abs() < 2e-3, "{} {wanted}", fresh.sigma_na);
        let later = cell(Some(programming)).cell(0.5, 432_000.0, 0.0).unwrap();
        assert!(later.share.drift > 0.0 && later.quantiles_na.windows(2).all(|pair| pair[0] <= pair[1]));
        mho_lut::compile(&cell(Some(programming)), &mho_lut::CompileOptions::default()).unwrap();
    }
}
