//! Readings of devices with a law for them: what a fit, a bootstrap over devices, a hold-out and a picture all
//! start from.

use super::demand::fit_on_demand;
use super::devices::devices_as_observations;
use super::glitches::without_glitches;
use super::outliers::without_outliers;
use super::{Deviation, FitError, FitOptions, FitResult, Parameter, Prior, Problem};
use crate::model::ModelInfo;

/// Readings along one curve of a device.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// What stood still along it ("V_D = 0.1 V, V_B = 0 V"); the legend of a picture.
    pub label: String,
    /// Abscissa of each reading, in the unit of [`Axis`].
    pub x: Vec<f64>,
    /// Readings, in the unit of [`Axis`].
    pub y: Vec<f64>,
    /// What a hold-out goes by: dose, time or cycle of each reading; empty where there is nothing to
    /// extrapolate to.
    pub order: Vec<f64>,
    /// How many times wider each reading scatters than [`Deviation`] says; empty: as it says.
    pub wider: Vec<f64>,
}

/// A device with its curves: what a bootstrap draws.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Device {
    /// Name in the data.
    pub name: String,
    /// Its curves.
    pub series: Vec<Series>,
}

impl Device {
    /// Readings of all of its curves.
    pub fn readings(&self) -> usize {
        self.series.iter().map(|series| series.y.len()).sum()
    }

    /// Every reading with its [`Series::order`] (0 where there is none), curve after curve.
    pub fn rows(&self) -> impl Iterator<Item = (f64, f64)> {
        self.series.iter().flat_map(|series| {
            let order = |row: usize| series.order.get(row).copied().unwrap_or(0.0);
            series.y.iter().enumerate().map(move |(row, &reading)| (reading, order(row)))
        })
    }
}

/// An axis of a picture of the readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Quantity in words with its symbol ("drain current I_D").
    pub title: &'static str,
    /// Unit ("A").
    pub unit: &'static str,
    /// Whether it is logarithmic.
    pub log: bool,
}

/// A parameter that is not fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// Name.
    pub name: &'static str,
    /// Value that the law takes.
    pub value: f64,
    /// Why it is not fitted.
    pub why: String,
}

/// Readings with a law: everything that a fit needs.
pub struct Regression<'a> {
    /// The model whose parameters these are.
    pub model: &'static ModelInfo,
    /// Parameters with their starts.
    pub parameters: Vec<Parameter>,
    /// Readings.
    pub devices: Vec<Device>,
    /// Predictions for all readings of the device of this index, curve after curve.
    pub law: Law<'a>,
    /// Derivatives of the law, where it has them at less cost than differences.
    pub slopes: Option<LawSlopes<'a>>,
    /// How readings deviate.
    pub deviation: Deviation,
    /// Abscissa.
    pub x: Axis,
    /// Ordinate.
    pub y: Axis,
    /// How the fit is run.
    pub options: FitOptions,
    /// Parameters of the model that are not fitted.
    pub fixed: Vec<Fixed>,
    /// What is known of parameters beforehand; each counts as one reading.
    pub priors: Vec<Prior>,
    /// Readings left out before, each reason with its count in `notes`.
    pub dropped: usize,
    /// Assumptions and counts that a reader of the fit has to know.
    pub notes: Vec<String>,
}

/// Predictions of a law with their derivatives: parameters, which of these are wanted, and the index of a device
/// to all of its readings, and one column a parameter (those not wanted may stay empty).
pub type LawSlopes<'a> = Box<dyn Fn(&[f64], &[bool], usize) -> (Vec<f64>, Vec<Vec<f64>>) + Send + Sync + 'a>;

/// Predictions of a law: parameters and the index of a device to all of its readings.
pub type Law<'a> = Box<dyn Fn(&[f64], usize) -> Vec<f64> + Send + Sync + 'a>;

impl<'a> Regression<'a> {
    /// Readings of all devices.
    pub fn readings(&self) -> usize {
        self.devices.iter().map(Device::readings).sum()
    }

    /// The least-squares problem of all readings.
    pub fn problem(&self) -> Problem<'_> {
        self.problem_of(&vec![1; self.devices.len()], |_| true)
    }

    /// The problem without the readings of these numbers, counted through all devices ([`FitResult::outliers`]).
    pub fn problem_without(&self, outliers: &[usize]) -> Problem<'_> {
        let firsts: Vec<usize> = self
            .devices
            .iter()
            .scan(0, |next, device| {
                let first = *next;
                *next += device.readings();
                Some(first)
            })
            .collect();
        let outliers = outliers.to_vec();
        let counts = vec![1; self.devices.len()];
        self.problem_where(&counts, move |device, row, _| !outliers.contains(&(firsts[device] + row)))
    }

    /// The problem with each device counted `counts` times (a bootstrap), of the readings whose
    /// [`Series::order`] is kept.
    pub fn problem_of<'s>(
        &'s self,
        counts: &[usize],
        keep: impl Fn(f64) -> bool + Send + Sync + 's,
    ) -> Problem<'s> {
        self.problem_where(counts, move |_, _, order| keep(order))
    }

    /// The same of the readings that are kept: of a device, in a row, with an order.
    fn problem_where<'s>(
        &'s self,
        counts: &[usize],
        keep: impl Fn(usize, usize, f64) -> bool + Send + Sync + 's,
    ) -> Problem<'s> {
        let counts = counts.to_vec();
        let known: Vec<(usize, &Prior)> = self
            .priors
            .iter()
            .filter_map(|prior| {
                let found = self.parameters.iter().position(|parameter| parameter.name == prior.name)?;
                Some((found, prior))
            })
            .collect();
        let known_slopes = known.clone();
        let keep = std::sync::Arc::new(keep);
        let (counts_of_slopes, keep_slope) = (counts.clone(), keep.clone());
        let mut problem = Problem::new(self.parameters.clone(), move |values| {
            let mut residuals = Vec::new();
            for (index, device) in self.devices.iter().enumerate().filter(|(index, _)| counts[*index] > 0) {
                let start = residuals.len();
                let all = self.residuals_of(values, index);
                let rows = all.into_iter().zip(device.rows()).enumerate();
                let kept = rows.filter(|(row, (_, (_, order)))| keep(index, *row, *order));
                residuals.extend(kept.map(|(_, (residual, _))| residual));
                let end = residuals.len();
                for _ in 1..counts[index] {
                    residuals.extend_from_within(start..end);
                }
            }
            residuals.extend(known.iter().map(|(index, prior)| prior.residual(values[*index])));
            residuals
        });
        if let Some(slopes) = &self.slopes {
            problem.slopes = Some(Box::new(move |values, wanted| {
                let mut all = vec![Vec::new(); values.len()];
                for (index, device) in self.devices.iter().enumerate() {
                    if counts_of_slopes[index] == 0 {
                        continue;
                    }
                    let (predictions, columns) = slopes(values, wanted, index);
                    let wider = device.series.iter().flat_map(|series| {
                        (0..series.y.len()).map(|row| series.wider.get(row).copied().unwrap_or(1.0))
                    });
                    let factors: Vec<f64> = device
                        .rows()
                        .zip(predictions)
                        .zip(wider)
                        .map(|(((reading, _), model), wider)| self.deviation.slope(reading, model) / wider)
                        .collect();
                    for (column, mine) in all.iter_mut().zip(columns) {
                        for _ in 0..counts_of_slopes[index] {
                            let rows = device.rows().zip(&factors).zip(&mine).enumerate();
                            let kept =
                                rows.filter(|(row, (((_, order), _), _))| keep_slope(index, *row, *order));
                            column.extend(kept.map(|(_, ((_, factor), slope))| factor * slope));
                        }
                    }
                }
                for (index, prior) in &known_slopes {
                    for (column, values_column) in all.iter_mut().enumerate() {
                        let slope = if column == *index { prior.slope(values[column]) } else { 0.0 };
                        values_column.push(slope);
                    }
                }
                all
            }));
        }
        problem.dropped = self.dropped;
        problem
    }

    /// The fit of all readings, from further starts where a bound or the residuals demand them, without gross
    /// outliers where the loss is [`Loss::Robust`](super::Loss::Robust) or readings that stand alone are to be taken
    /// out; `rms` in the unit of the readings,
    /// `rms_log` where they deviate in the logarithm.
    ///
    /// # Errors
    /// [`FitError`] as of [`least_squares`](super::least_squares).
    pub fn fit(&self) -> Result<FitResult, FitError> {
        let first = fit_on_demand(self)?;
        let mut fit = if self.options.reject_glitches {
            without_glitches(self, first)
        } else {
            without_outliers(self, first)
        };
        self.describe(&mut fit);
        Ok(fit)
    }

    /// Gives a fit of [`Self::problem`] what the readings and their devices add: the misfit in the unit of the
    /// readings, uncertainties from the scatter between devices, and the notes.
    pub fn describe(&self, fit: &mut FitResult) {
        let values = fit.values();
        let squares: f64 =
            self.compared(&values).iter().map(|(reading, model)| (reading - model).powi(2)).sum();
        let known = |parameter: &str| self.priors.iter().any(|prior| prior.name == parameter);
        let priors = self.parameters.iter().filter(|parameter| known(&parameter.name)).count();
        fit.points = fit.points.saturating_sub(priors);
        fit.rms = (squares / self.readings().max(1) as f64).sqrt();
        fit.rms_log = self.rms_log(&values);
        devices_as_observations(self, fit);
        let slopes = crate::tid::slope_words(self, fit);
        fit.warnings.extend(slopes);
        fit.warnings.extend(self.notes.iter().cloned());
    }

    /// Weighted residuals of the device of this index, curve after curve.
    pub fn residuals_of(&self, values: &[f64], index: usize) -> Vec<f64> {
        let readings = self.devices[index].series.iter().flat_map(|series| {
            (0..series.y.len()).map(|row| (series.y[row], series.wider.get(row).copied().unwrap_or(1.0)))
        });
        readings
            .zip((self.law)(values, index))
            .map(|((reading, wider), model)| self.deviation.residual(reading, model) / wider)
            .collect()
    }

    /// Root mean square of the deviations in the logarithm, over the readings above ten noise floors, where
    /// readings deviate in the logarithm.
    pub fn rms_log(&self, values: &[f64]) -> Option<f64> {
        let Deviation::Log { floor, .. } = self.deviation else { return None };
        let pairs = self.compared(values);
        let logs: Vec<f64> = pairs
            .iter()
            .filter(|(reading, model)| *reading > 10.0 * floor && *model > 0.0)
            .map(|(reading, model)| (reading / model).ln().powi(2))
            .collect();
        (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).sqrt())
    }

    /// Takes a parameter out of the fit.
    pub fn fix(&mut self, name: &'static str, value: f64, why: String) {
        let Some(index) = self.parameters.iter().position(|parameter| parameter.name == name) else { return };
        self.parameters.remove(index);
        if let Some(slopes) = self.slopes.take() {
            self.slopes = Some(Box::new(move |free, wanted, device| {
                let (mut values, mut wanted) = (free.to_vec(), wanted.to_vec());
                values.insert(index.min(values.len()), value);
                wanted.insert(index.min(wanted.len()), false);
                let (predictions, mut columns) = slopes(&values, &wanted, device);
                columns.remove(index.min(columns.len() - 1));
                (predictions, columns)
            }));
        }
        let law = std::mem::replace(&mut self.law, Box::new(|_, _| Vec::new()));
        self.law = Box::new(move |free, device| {
            let mut values = free.to_vec();
            values.insert(index.min(values.len()), value);
            law(&values, device)
        });
        self.fixed.push(Fixed { name, value, why });
    }

    /// Every reading with its prediction, device after device.
    pub fn compared(&self, values: &[f64]) -> Vec<(f64, f64)> {
        let mut pairs = Vec::with_capacity(self.readings());
        for (index, device) in self.devices.iter().enumerate() {
            let readings = device.series.iter().flat_map(|series| series.y.iter().copied());
            pairs.extend(readings.zip((self.law)(values, index)));
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::{HoldOut, Transform};
    use crate::retention::INFO;

    fn decay() -> Regression<'static> {
        let x: Vec<f64> = (0..6).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|t| 8.0 * (-t / 2.0_f64).exp()).collect();
        let series = Series { label: String::new(), x: x.clone(), y, order: x.clone(), wider: Vec::new() };
        Regression {
            model: &INFO,
            parameters: vec![
                Parameter::new("start", "nA", 5.0, 0.1, 100.0, Transform::Log),
                Parameter::new("tau_s", "s", 1.0, 0.1, 100.0, Transform::Log),
            ],
            slopes: None,
            devices: vec![Device { name: "1".into(), series: vec![series] }; 2],
            law: Box::new(move |p, _| x.iter().map(|t| p[0] * (-t / p[1]).exp()).collect()),
            deviation: Deviation::Absolute { sigma: 1.0 },
            x: Axis { title: "time", unit: "s", log: false },
            y: Axis { title: "current", unit: "nA", log: false },
            options: FitOptions::default(),
            fixed: Vec::new(),
            priors: Vec::new(),
            dropped: 0,
            notes: Vec::new(),
        }
    }

    #[test]
    fn fits_holds_out_and_counts_devices() {
        let regression = decay();
        let fit = regression.fit().unwrap();
        assert!((fit.value("tau_s") - 2.0).abs() < 1e-6);
        assert_eq!(fit.points, 12);
        let out = regression.hold_out().unwrap().unwrap();
        assert_eq!((out.order, out.readings), (5.0, 2));
        assert!(out.rms < 1e-6);
        let poor = HoldOut { rms_weighted: 5.0, rms_kept: 1.0, ..out };
        assert!(
            poor.in_words("5 s")
                .ends_with("5.0 times as much as those that were fitted: it does not extrapolate")
        );
        assert_eq!((regression.problem_of(&[3, 0], |_| true).residuals)(&[8.0, 2.0]).len(), 18);
    }
}
