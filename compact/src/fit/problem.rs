//! What is fitted: parameters with bounds, residuals, and how to go about it.

use super::{Loss, Transform};

/// A parameter of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Name with its unit as suffix.
    pub name: String,
    /// Unit in words.
    pub unit: String,
    /// First value, inside the bounds.
    pub start: f64,
    /// Lower bound (not used by [`Transform::Free`]).
    pub lower: f64,
    /// Upper bound (not used by [`Transform::Free`]).
    pub upper: f64,
    /// Scale on which the fit moves.
    pub transform: Transform,
}

impl Parameter {
    /// A parameter; a start outside the bounds is moved just inside them.
    pub fn new(
        name: impl Into<String>,
        unit: impl Into<String>,
        start: f64,
        lower: f64,
        upper: f64,
        transform: Transform,
    ) -> Self {
        let start = transform.value(transform.coordinate(start, lower, upper), lower, upper);
        Self { name: name.into(), unit: unit.into(), start, lower, upper, transform }
    }

    /// A parameter without bounds.
    pub fn free(name: impl Into<String>, unit: impl Into<String>, start: f64) -> Self {
        Self::new(name, unit, start, f64::NEG_INFINITY, f64::INFINITY, Transform::Free)
    }

    /// The free coordinate of `value`.
    pub fn coordinate(&self, value: f64) -> f64 {
        self.transform.coordinate(value, self.lower, self.upper)
    }

    /// The value at the free coordinate `u`.
    pub fn value(&self, u: f64) -> f64 {
        self.transform.value(u, self.lower, self.upper)
    }

    /// dx/du at the free coordinate `u`.
    pub fn slope(&self, u: f64) -> f64 {
        self.transform.slope(u, self.lower, self.upper)
    }
}

/// Residuals as a function of the parameter values: `(measured - model) / sigma`, any fixed length.
pub type Residuals<'a> = Box<dyn Fn(&[f64]) -> Vec<f64> + Send + Sync + 'a>;

/// Derivatives of the residuals with respect to the parameter values: one column a parameter, those that are
/// not wanted may stay empty.
pub type Slopes<'a> = Box<dyn Fn(&[f64], &[bool]) -> Vec<Vec<f64>> + Send + Sync + 'a>;

/// A least-squares problem. Parameter values reach `residuals` in the order of `parameters`, in
/// their own units and always inside their bounds.
pub struct Problem<'a> {
    /// What is to be found.
    pub parameters: Vec<Parameter>,
    /// Weighted residuals.
    pub residuals: Residuals<'a>,
    /// Their derivatives, where the model has them at less cost than differences.
    pub slopes: Option<Slopes<'a>>,
    /// Independent points for AICc and BIC (devices times doses, say); `None`: all residuals.
    pub effective_points: Option<usize>,
    /// Points that were left out of `residuals`, carried into the result.
    pub dropped: usize,
}

impl<'a> Problem<'a> {
    /// A problem in which every residual counts as an independent point.
    pub fn new(
        parameters: Vec<Parameter>,
        residuals: impl Fn(&[f64]) -> Vec<f64> + Send + Sync + 'a,
    ) -> Self {
        Self { parameters, residuals: Box::new(residuals), slopes: None, effective_points: None, dropped: 0 }
    }

    /// The same problem started elsewhere.
    pub(super) fn started_at(&self, values: &[f64]) -> Problem<'_> {
        Problem {
            parameters: self
                .parameters
                .iter()
                .zip(values)
                .map(|(parameter, &start)| Parameter { start, ..parameter.clone() })
                .collect(),
            residuals: Box::new(|values| (self.residuals)(values)),
            slopes: self
                .slopes
                .as_ref()
                .map(|slopes| -> Slopes<'_> { Box::new(move |values, wanted| slopes(values, wanted)) }),
            effective_points: self.effective_points,
            dropped: self.dropped,
        }
    }

    /// Start values in order.
    pub fn start(&self) -> Vec<f64> {
        self.parameters.iter().map(|parameter| parameter.start).collect()
    }
}

/// How a fit is run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitOptions {
    /// Loss of a residual.
    pub loss: Loss,
    /// Number of starts: the first is `Parameter::start`, the others are spread over the bounds.
    pub starts: usize,
    /// Step of the forward differences in the free coordinate. Laws that integrate an ODE need one
    /// well above the integrator's tolerance.
    pub difference_step: f64,
    /// Evaluations of the residuals allowed per start, in multiples of (parameters + 1).
    pub patience: usize,
    /// Relative change of the cost at which the search ends. Forward differences carry an error of about 1e-8;
    /// thousands of fits need no more digits than their data have.
    pub cost_tolerance: f64,
    /// Whether fits of a regression under [`Loss::Robust`] take gross outliers out.
    pub reject_outliers: bool,
    /// Whether fits of a regression take out readings that stand alone against those before and after them along
    /// their curve, for laws that miss their data smoothly and noise that stays from reading to reading.
    pub reject_glitches: bool,
    /// Whether a regression demands more starts when neighbouring residuals are alike. Where readings accumulate
    /// noise, as along a train of pulses, they are so in the best fit too.
    pub alike_demands_starts: bool,
    /// Scale the covariance with the residuals (`true`), or trust the given sigmas (`false`).
    pub scale_covariance: bool,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            loss: Loss::Square,
            starts: 1,
            difference_step: 1e-6,
            patience: 100,
            cost_tolerance: 1e-12,
            reject_outliers: true,
            reject_glitches: false,
            alike_demands_starts: true,
            scale_covariance: true,
        }
    }
}
