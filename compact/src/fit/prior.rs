//! What is known of a parameter before its fit.

use super::Transform;

/// Knowledge of a parameter that does not come from the readings.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// Name of the parameter.
    pub name: &'static str,
    /// Value expected.
    pub value: f64,
    /// Standard deviation of the value, or of its natural logarithm on a scale [`Transform::Log`].
    pub spread: f64,
    /// Scale.
    pub scale: Transform,
    /// Why that is expected.
    pub source: String,
}

impl Prior {
    /// Deviation of a value in standard deviations.
    pub(super) fn residual(&self, value: f64) -> f64 {
        match self.scale {
            Transform::Log => (value / self.value).ln() / self.spread,
            Transform::Linear | Transform::Free => (value - self.value) / self.spread,
        }
    }

    /// Its derivative with respect to the value.
    pub(super) fn slope(&self, value: f64) -> f64 {
        match self.scale {
            Transform::Log => (value * self.spread).recip(),
            Transform::Linear | Transform::Free => self.spread.recip(),
        }
    }
}
