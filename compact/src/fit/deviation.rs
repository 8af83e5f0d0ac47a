//! How readings deviate from a law.

/// How readings deviate from the law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deviation {
    /// By the same amount everywhere: `(y - f) / sigma`.
    Absolute {
        /// Standard deviation in the unit of the reading; a common factor does not change the fit.
        sigma: f64,
    },
    /// By a part of the reading above a floor: differences of `asinh(y / 2 floor)`, which is `ln(y / floor)`
    /// above the floor and linear below, so that readings of either sign count, over
    /// `sqrt(relative^2 + floor^2 / (y^2 + 4 floor^2))`.
    Log {
        /// Relative standard deviation.
        relative: f64,
        /// Noise floor in the unit of the reading, above 0.
        floor: f64,
    },
}

impl Deviation {
    /// Weighted residual of a reading.
    pub fn residual(self, reading: f64, model: f64) -> f64 {
        match self {
            Self::Absolute { sigma } => (reading - model) / sigma,
            Self::Log { relative, floor } => {
                let scaled = |value: f64| (value / (2.0 * floor)).asinh();
                let noise = floor / reading.hypot(2.0 * floor);
                (scaled(reading) - scaled(model)) / relative.hypot(noise)
            }
        }
    }

    /// Derivative of [`Self::residual`] with respect to the model.
    pub fn slope(self, reading: f64, model: f64) -> f64 {
        match self {
            Self::Absolute { sigma } => -sigma.recip(),
            Self::Log { relative, floor } => {
                let noise = floor / reading.hypot(2.0 * floor);
                -(model.hypot(2.0 * floor) * relative.hypot(noise)).recip()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_deviation_is_linear_below_the_floor_and_relative_above() {
        let deviation = Deviation::Log { relative: 0.01, floor: 1e-12 };
        assert!((deviation.residual(1.01e-6, 1e-6) - 1.01_f64.ln() / 0.01).abs() < 1e-6);
        // One floor of noise is one standard deviation around zero.
        assert!((deviation.residual(1e-12, 0.0) - 1.0).abs() < 0.1);
        assert!((deviation.residual(-1e-12, 0.0) + 1.0).abs() < 0.1);
    }
}
