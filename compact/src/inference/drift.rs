//! Drift of phase-change memory and the growth of its 1/f noise: what several of its laws share.

/// Structural relaxation: a power law of the time since the first read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PowerDrift {
    /// Time of the first read, s.
    pub t_0_s: f64,
    /// Duration of a read, s.
    pub read_time_s: f64,
}

impl PowerDrift {
    /// Part of the conductance kept at `time_s` after programming.
    pub fn kept(self, exponent: f64, time_s: f64) -> f64 {
        (-exponent * (time_s.max(0.0) / self.t_0_s).ln_1p()).exp()
    }

    /// Square root of the decades of 1/f noise that a read sees, in e-folds.
    pub fn read_growth(self, time_s: f64) -> f64 {
        let ratio = (time_s.max(0.0) + self.t_0_s + self.read_time_s) / (2.0 * self.read_time_s);
        ratio.ln().max(0.0).sqrt()
    }
}

/// A line in ln r between bounds. Bounds given in the wrong order hold at the upper one.
pub(super) fn clamped_log(ln_r: f64, slope: f64, offset: f64, lower: f64, upper: f64) -> f64 {
    (slope * ln_r + offset).max(lower).min(upper)
}
