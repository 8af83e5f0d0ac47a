//! How the overdrive of a cell becomes its current at the bias of the read.

use crate::ekv::BOLTZMANN_V_PER_K;
use crate::retention::Retention;
use crate::transistor::{Terminals, Transistor};

/// Temperature of reads, K.
const READ_K: f64 = 300.0;

/// Overdrives at which a curve of a transistor is stored, V: far below threshold to far above any supply of a
/// memory cell.
const CURVE_V: [f64; 2] = [-2.5, 5.0];

/// Their distance, V. A fifth of the thermal voltage: the cubics between miss ln I by less than 1e-6.
const STEP_V: f64 = 0.005;

/// Smallest current of a curve, nA: what a law gives below is rounding.
const LEAST_NA: f64 = 1e-12;

/// Current against overdrive u = V_G - V_T at the gate and drain voltage of the read.
#[derive(Debug, Clone, PartialEq)]
pub enum Transfer {
    /// I = i_spec ln(1 + exp(u / 2 n phi_t))^2: saturation, without mobility reduction.
    Ekv {
        /// n.
        slope_factor: f64,
        /// Specific current, A.
        i_spec_a: f64,
    },
    /// That of a whole transistor.
    Curve(Curve),
}

impl Transfer {
    /// The transistor that the law of retention was fitted with.
    pub fn of_retention(retention: &Retention) -> Self {
        Self::Ekv { slope_factor: retention.slope_factor, i_spec_a: retention.i_spec_a }
    }

    /// Current, nA, at an overdrive in V.
    pub fn current_na(&self, overdrive_v: f64) -> f64 {
        match self {
            Self::Ekv { slope_factor, i_spec_a } => {
                let x = overdrive_v / (2.0 * slope_factor * BOLTZMANN_V_PER_K * READ_K);
                let root = x.max(0.0) + (-x.abs()).exp().ln_1p();
                i_spec_a * 1e9 * root * root
            }
            Self::Curve(curve) => curve.ln_current(overdrive_v).exp(),
        }
    }

    /// Overdrive, V, that carries a current in nA; the ends of a curve for currents beyond it.
    pub fn overdrive_v(&self, current_na: f64) -> f64 {
        match self {
            Self::Ekv { slope_factor, i_spec_a } => {
                let root = (current_na * 1e-9 / i_spec_a).sqrt();
                let width_v = 2.0 * slope_factor * BOLTZMANN_V_PER_K * READ_K;
                width_v * if root > 30.0 { root } else { root.exp_m1().ln() }
            }
            Self::Curve(curve) => curve.overdrive_v(current_na),
        }
    }

    /// Smallest and largest current, nA, that it gives.
    pub fn range_na(&self) -> [f64; 2] {
        match self {
            Self::Ekv { .. } => [0.0, f64::INFINITY],
            Self::Curve(curve) => [curve.ln_na[0], curve.ln_na[curve.ln_na.len() - 1]].map(f64::exp),
        }
    }
}

/// ln I over equally spaced overdrives, which never falls, with cubics between.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    ln_na: Vec<f64>,
}

impl Curve {
    /// Of a law from the overdrive in V to the current in A. `None` where it is not finite; where it falls, the
    /// curve stays level.
    pub fn of(mut current_a: impl FnMut(f64) -> f64) -> Option<Self> {
        let count = ((CURVE_V[1] - CURVE_V[0]) / STEP_V).round() as usize + 1;
        let mut ln_na = Vec::with_capacity(count);
        let mut least = LEAST_NA.ln();
        for i in 0..count {
            let current_na = 1e9 * current_a(CURVE_V[0] + STEP_V * i as f64);
            if !current_na.is_finite() {
                return None;
            }
            least = least.max(current_na.max(LEAST_NA).ln());
            ln_na.push(least);
        }
        Some(Self { ln_na })
    }

    /// Of an n-channel transistor read at these voltages of gate and drain, source at body: a threshold that
    /// moves by a voltage moves its threshold by it.
    pub fn of_transistor(transistor: &Transistor, gate_v: f64, drain_v: f64) -> Option<Self> {
        let bias = Terminals { gate_v, drain_v, source_v: 0.0, body_v: 0.0 };
        let mut guess = f64::NAN;
        Self::of(|overdrive_v| {
            guess = Transistor { vt_v: gate_v - overdrive_v, ..*transistor }.current_near_a(bias, guess);
            guess
        })
    }

    /// Rise at a node per step: that of the neighbours, at most three times the smaller one beside it, so that no
    /// cubic falls between nodes that do not (Fritsch and Carlson 1980).
    fn slope(&self, i: usize) -> f64 {
        let last = self.ln_na.len() - 1;
        let below = if i > 0 { self.ln_na[i] - self.ln_na[i - 1] } else { f64::INFINITY };
        let above = if i < last { self.ln_na[i + 1] - self.ln_na[i] } else { f64::INFINITY };
        let mean = if i == 0 {
            above
        } else if i == last {
            below
        } else {
            0.5 * (below + above)
        };
        mean.min(3.0 * below.min(above))
    }

    fn between(&self, i: usize, part: f64) -> f64 {
        let (a, b) = (self.ln_na[i], self.ln_na[i + 1]);
        let (rise_a, rise_b) = (self.slope(i), self.slope(i + 1));
        let left = 1.0 - part;
        // Added to `a`, so that a level stretch stays level to the last digit.
        a + (b - a) * part * part * (1.0 + 2.0 * left) + part * left * (rise_a * left - rise_b * part)
    }

    fn ln_current(&self, overdrive_v: f64) -> f64 {
        let last = self.ln_na.len() - 1;
        let at = (overdrive_v - CURVE_V[0]) / STEP_V;
        if at.is_nan() {
            return f64::NAN;
        }
        let at = at.clamp(0.0, last as f64);
        let i = (at as usize).min(last - 1);
        self.between(i, at - i as f64)
    }

    fn overdrive_v(&self, current_na: f64) -> f64 {
        if current_na.is_nan() {
            return f64::NAN;
        }
        let wanted = current_na.max(0.0).ln();
        let last = self.ln_na.len() - 1;
        let i = self.ln_na.partition_point(|ln| *ln < wanted).clamp(1, last) - 1;
        let (mut low, mut high) = (0.0, 1.0);
        // 40 halvings of 5 mV: below 1e-14 V.
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if self.between(i, middle) < wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        CURVE_V[0] + STEP_V * (i as f64 + 0.5 * (low + high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transistor::INFO;

    fn default_transistor() -> Transistor {
        Transistor::from_values(&INFO.defaults(), READ_K)
    }

    /// Between its nodes a curve is the law, and it reads back its own overdrive.
    #[test]
    fn a_curve_is_the_law_that_it_was_made_from() {
        let law = default_transistor();
        let curve = Transfer::Curve(Curve::of_transistor(&law, 1.2, 0.1).unwrap());
        let bias = Terminals { gate_v: 1.2, drain_v: 0.1, source_v: 0.0, body_v: 0.0 };
        for overdrive_v in [-0.2537, -0.0311, 0.0042, 0.1478, 0.6519] {
            let wanted = 1e9 * Transistor { vt_v: 1.2 - overdrive_v, ..law }.current_a(bias);
            let found = curve.current_na(overdrive_v);
            // Cubics over a fifth of the thermal voltage; the series resistance is solved to 1e-6.
            assert!((found / wanted - 1.0).abs() < 5e-6, "{overdrive_v}: {found} {wanted}");
            assert!((curve.overdrive_v(found) - overdrive_v).abs() < 1e-6);
        }
    }

    #[test]
    fn the_closed_form_is_that_of_retention() {
        let retention = Retention::default();
        let transfer = Transfer::of_retention(&retention);
        for current_na in [1e-4, 1.0, 655.0, 1600.0] {
            assert_eq!(transfer.overdrive_v(current_na), retention.overdrive_v(current_na));
            let overdrive_v = retention.overdrive_v(current_na);
            assert_eq!(transfer.current_na(overdrive_v), retention.current_at_na(overdrive_v));
        }
    }

    #[test]
    fn a_leakage_floor_is_the_smallest_current() {
        let law = Transistor { leakage_s: 1e-9, ..default_transistor() };
        let curve = Transfer::Curve(Curve::of_transistor(&law, 1.2, 0.1).unwrap());
        assert!(curve.range_na()[0] > 0.05, "{:?}", curve.range_na());
        assert!((curve.current_na(curve.overdrive_v(0.0)) / curve.range_na()[0] - 1.0).abs() < 1e-6);
        // Where a law leaves the floor, or the smallest current that is kept, the curve does not dip.
        for law in [law, Transistor { leakage_s: 0.0, ..law }] {
            let curve = Transfer::Curve(Curve::of_transistor(&law, 1.2, 0.1).unwrap());
            let all: Vec<f64> = (0..60_000).map(|i| curve.current_na(-2.5 + 6e-5 * f64::from(i))).collect();
            assert!(all.windows(2).all(|pair| pair[0] <= pair[1]));
        }
        assert!(curve.current_na(f64::NAN).is_nan() && curve.overdrive_v(f64::NAN).is_nan());
    }
}
