//! What a fit says: values with uncertainties, goodness, and warnings in plain words.

use super::{FitOptions, Loss, Transform};
use serde::{Deserialize, Serialize};

/// A fitted parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedParameter {
    /// Name with its unit as suffix.
    pub name: String,
    /// Best value.
    pub value: f64,
    /// Standard deviation by the delta method; NaN (null in JSON) where the data give none, as at a
    /// bound.
    pub std: f64,
    /// 95 % interval, symmetric on the fit's scale, so that it never leaves the bounds.
    pub interval95: [f64; 2],
    /// Unit in words.
    pub unit: String,
    /// Whether the value lies on one of its bounds.
    pub at_bound: bool,
    /// Lower bound.
    #[serde(skip)]
    pub lower: f64,
    /// Upper bound.
    #[serde(skip)]
    pub upper: f64,
    /// Scale of the fit.
    #[serde(skip, default = "free")]
    pub transform: Transform,
}

fn free() -> Transform {
    Transform::Free
}

/// A pair of parameters that the data hardly tell apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// First name.
    pub first: String,
    /// Second name.
    pub second: String,
    /// Correlation coefficient.
    pub coefficient: f64,
}

/// The result of a fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitResult {
    /// Parameters in the order of the problem.
    pub parameters: Vec<FittedParameter>,
    /// Covariance of the values (natural units, same order; rows of parameters at a bound are 0).
    pub covariance: Vec<Vec<f64>>,
    /// Root mean square of the residuals as the problem gives them; models overwrite it with the
    /// one in the unit of their data.
    pub rms: f64,
    /// Root mean square of the residuals in ln(current), where that is what was fitted.
    pub rms_log: Option<f64>,
    /// Residuals used.
    pub points: usize,
    /// Points left out.
    pub dropped: usize,
    /// Corrected Akaike information criterion; NaN with too few points.
    pub aicc: f64,
    /// Bayesian information criterion.
    pub bic: f64,
    /// Condition number of the normal matrix scaled to a unit diagonal, over the free parameters.
    pub condition: f64,
    /// Pairs with a correlation beyond 0.95.
    pub correlations: Vec<Correlation>,
    /// What a reader has to know before using the numbers.
    pub warnings: Vec<String>,
    /// Sum of the losses at the minimum.
    pub cost: f64,
    /// Corner of a soft-L1 loss in the units of the residuals; none for squares.
    #[serde(default)]
    pub loss_scale: Option<f64>,
    /// Readings without weight, counted through all devices and curves: gross outliers under [`Loss::Robust`].
    #[serde(default)]
    pub outliers: Vec<usize>,
}

impl FitResult {
    /// Best values in the order of the problem.
    pub fn values(&self) -> Vec<f64> {
        self.parameters.iter().map(|parameter| parameter.value).collect()
    }

    /// The loss that was made small, its corner where the data put it.
    pub fn loss(&self, options: &FitOptions) -> Loss {
        match (options.loss, self.loss_scale) {
            (Loss::SoftL1 { .. } | Loss::Robust { .. }, Some(scale)) => Loss::SoftL1 { scale },
            (Loss::Robust { .. }, None) => Loss::Square,
            (loss, _) => loss,
        }
    }

    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&FittedParameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Value of the parameter of this name; NaN if there is none.
    pub fn value(&self, name: &str) -> f64 {
        self.parameter(name).map_or(f64::NAN, |parameter| parameter.value)
    }

    /// Standard deviation of the parameter of this name; NaN if there is none.
    pub fn std(&self, name: &str) -> f64 {
        self.parameter(name).map_or(f64::NAN, |parameter| parameter.std)
    }
}
