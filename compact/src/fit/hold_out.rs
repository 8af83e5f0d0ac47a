//! How a law extrapolates: a fit without the highest dose or longest time, held against it.

use super::{FitError, Regression, least_squares};

impl Regression<'_> {
    /// The largest [`Series::order`](super::Series), where there is more than one.
    pub fn last_order(&self) -> Option<f64> {
        let orders =
            || self.devices.iter().flat_map(|device| &device.series).flat_map(|series| &series.order);
        let last = orders().copied().fold(f64::NEG_INFINITY, f64::max);
        orders().any(|&order| order < last).then_some(last)
    }

    /// Fits all readings but those of the largest order and predicts these; `None` where there is nothing to
    /// hold out.
    ///
    /// # Errors
    /// [`FitError`] as of [`least_squares`].
    pub fn hold_out(&self) -> Result<Option<HoldOut>, FitError> {
        let Some(last) = self.last_order() else { return Ok(None) };
        let counts = vec![1; self.devices.len()];
        let fit = least_squares(&self.problem_of(&counts, |order| order < last), &self.options)?;
        let mut out = HoldOut { order: last, readings: 0, rms: 0.0, rms_weighted: 0.0, rms_kept: fit.rms };
        for (index, device) in self.devices.iter().enumerate() {
            let mut predictions = (self.law)(&fit.values(), index).into_iter();
            for series in &device.series {
                for (row, &reading) in series.y.iter().enumerate() {
                    let Some(model) = predictions.next() else { continue };
                    if series.order.get(row) == Some(&last) {
                        out.readings += 1;
                        out.rms += (reading - model).powi(2);
                        let wider = series.wider.get(row).copied().unwrap_or(1.0);
                        out.rms_weighted += (self.deviation.residual(reading, model) / wider).powi(2);
                    }
                }
            }
        }
        let count = out.readings.max(1) as f64;
        out.rms = (out.rms / count).sqrt();
        out.rms_weighted = (out.rms_weighted / count).sqrt();
        Ok(Some(out))
    }
}

/// How a fit without the highest dose or longest time predicts it.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct HoldOut {
    /// The dose, time or cycle held out.
    pub order: f64,
    /// Readings there.
    pub readings: usize,
    /// Root mean square of their deviations from the prediction, in the unit of the readings.
    pub rms: f64,
    /// The same of the weighted residuals.
    pub rms_weighted: f64,
    /// Root mean square of the weighted residuals of the readings fitted.
    pub rms_kept: f64,
}

impl HoldOut {
    /// The prediction in a sentence; `what` is the order with its unit ("500 krad(Si)").
    pub fn in_words(&self, what: &str) -> String {
        let times = self.rms_weighted / self.rms_kept;
        let verdict = if times < 1.5 {
            "it extrapolates as well as it fits"
        } else if times < 3.0 {
            "take its extrapolations with care"
        } else {
            "it does not extrapolate"
        };
        format!(
            "fitted without {what}, the law misses the {} readings there by {times:.1} times as much as those that \
             were fitted: {verdict}",
            self.readings
        )
    }
}
