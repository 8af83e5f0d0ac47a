//! The charge-collection ODE as a dose law, and a faster flow of it for fits.

use mho_physics::sonos::Stack;
use mho_physics::sonos::collection::{Collection, CollectionError};

/// Rad in a krad.
const RAD_PER_KRAD: f64 = 1e3;

/// Charge collection in the default stack with fitted captures, gate and neutral threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollectLaw {
    /// Capture of electrons.
    pub eta_e: f64,
    /// Capture of holes.
    pub eta_h: f64,
    /// Work-function difference, V.
    pub phi_ms_v: f64,
    /// Threshold without trapped charge, V.
    pub vt_neutral_v: f64,
}

impl CollectLaw {
    /// The physics behind it.
    pub fn collection(&self) -> Collection {
        let stack = Stack { phi_ms_v: self.phi_ms_v, ..Stack::default() };
        Collection { stack, eta_e: self.eta_e, eta_h: self.eta_h, ..Collection::default() }
    }

    /// Thresholds, V, at ascending doses, by the ODE.
    ///
    /// # Errors
    /// [`CollectionError`] when a parameter is out of range or the integration fails.
    pub fn thresholds_v(&self, start_v: f64, doses_krad_si: &[f64]) -> Result<Vec<f64>, CollectionError> {
        let doses_rad: Vec<f64> = doses_krad_si.iter().map(|dose| dose * RAD_PER_KRAD).collect();
        let shifts = self.collection().threshold_shift(start_v - self.vt_neutral_v, &doses_rad)?;
        Ok(shifts.into_iter().map(|shift| self.vt_neutral_v + shift).collect())
    }

    /// The threshold that dose no longer moves, V; NaN where there is none.
    pub fn fixed_point_v(&self) -> f64 {
        self.collection().fixed_point().map_or(f64::NAN, |shift| self.vt_neutral_v + shift)
    }
}

/// The rate of the law on a grid of shifts: the law is autonomous, so that one table serves every
/// device and start. Kept apart from the ODE, which it matches to a few microvolts, because a fit asks
/// thousands of times.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    rates_v_per_krad: Vec<f64>,
    vt_neutral_v: f64,
}

/// Grid of shifts, V.
const LOWEST_V: f64 = -4.0;
const STEP_V: f64 = 0.02;
const NODES: usize = 401;

/// Longest step in dose, krad(Si): some twentieth of what a threshold moves in, and as good as a quarter of it.
const DOSE_STEP: f64 = 100.0;

impl Flow {
    pub(super) fn new(law: &CollectLaw) -> Self {
        let collection = law.collection();
        let rates_v_per_krad =
            (0..NODES).map(|node| collection.rate(LOWEST_V + STEP_V * node as f64) * RAD_PER_KRAD).collect();
        Self { rates_v_per_krad, vt_neutral_v: law.vt_neutral_v }
    }

    fn rate(&self, shift_v: f64) -> f64 {
        let place = ((shift_v - LOWEST_V) / STEP_V).clamp(0.0, (NODES - 1) as f64);
        let node = (place as usize).min(NODES - 2);
        let part = place - node as f64;
        (1.0 - part) * self.rates_v_per_krad[node] + part * self.rates_v_per_krad[node + 1]
    }

    /// Thresholds at ascending doses, by Runge-Kutta steps of the fourth order.
    pub(super) fn thresholds_v(&self, start_v: f64, doses_krad_si: &[f64]) -> Vec<f64> {
        let (mut shift, mut reached) = (start_v - self.vt_neutral_v, 0.0);
        doses_krad_si
            .iter()
            .map(|&dose| {
                let span = (dose - reached).max(0.0);
                let steps = (span / DOSE_STEP).ceil();
                for _ in 0..steps as usize {
                    let h = span / steps;
                    let k1 = self.rate(shift);
                    let k2 = self.rate(shift + 0.5 * h * k1);
                    let k3 = self.rate(shift + 0.5 * h * k2);
                    let k4 = self.rate(shift + h * k3);
                    shift += h / 6.0 * (k1 + 2.0 * (k2 + k3) + k4);
                }
                reached = dose.max(reached);
                self.vt_neutral_v + shift
            })
            .collect()
    }
}
