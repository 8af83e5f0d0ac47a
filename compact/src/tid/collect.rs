//! The charge-collection ODE as a dose law, and a faster flow of it for fits.

use mho_physics::constants::ELEMENTARY_CHARGE;
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

/// What the oxides release into the nitride on a grid of shifts, were everything captured: it hangs on the gate alone,
/// so that fits of the captures and of the neutral threshold use one table.
#[derive(Debug, Clone)]
pub(super) struct Release {
    electrons_v_per_krad: Vec<f64>,
    holes_v_per_krad: Vec<f64>,
}

impl Release {
    pub(super) fn new(law: &CollectLaw) -> Self {
        let collection = CollectLaw { eta_e: 1.0, eta_h: 1.0, ..*law }.collection();
        let stack = collection.stack;
        let scale = RAD_PER_KRAD * ELEMENTARY_CHARGE / stack.top_capacitance(stack.centroid_m);
        let captured = (0..NODES).map(|node| collection.captured(shift_v(node)));
        let (electrons_v_per_krad, holes_v_per_krad) =
            captured.map(|all| (scale * all.electrons_per_m2_rad, scale * all.holes_per_m2_rad)).unzip();
        Self { electrons_v_per_krad, holes_v_per_krad }
    }
}

/// The rate of the law on a grid of shifts: the law is autonomous, so that one table serves every
/// device and start. Kept apart from the ODE, which it matches to a few microvolts, because a fit asks
/// thousands of times. Between nodes the rate is linear, and the way of a shift known in closed form.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    rates_v_per_krad: Vec<f64>,
    /// Dose from each node to the next, or back; infinite where the rate vanishes between them.
    doses_krad: Vec<f64>,
    vt_neutral_v: f64,
}

/// Grid of shifts, V.
const LOWEST_V: f64 = -4.0;
const STEP_V: f64 = 0.02;
const NODES: usize = 401;

fn shift_v(node: usize) -> f64 {
    LOWEST_V + STEP_V * node as f64
}

/// Dose over a distance along which the rate changes linearly; infinite where it vanishes.
fn dose_krad(from: f64, to: f64, distance_v: f64) -> f64 {
    let ratio = to / from;
    if ratio.is_nan() || ratio <= 0.0 {
        f64::INFINITY
    } else {
        // ln(ratio) over ratio - 1 tends to 1.
        let mean = if (ratio - 1.0).abs() < 1e-8 { 1.0 } else { ratio.ln() / (ratio - 1.0) };
        (distance_v / from).abs() * mean
    }
}

impl Flow {
    pub(super) fn new(law: &CollectLaw, release: &Release) -> Self {
        let released = release.electrons_v_per_krad.iter().zip(&release.holes_v_per_krad);
        let rates_v_per_krad: Vec<f64> =
            released.map(|(electrons, holes)| law.eta_e * electrons - law.eta_h * holes).collect();
        let doses_krad =
            rates_v_per_krad.windows(2).map(|pair| dose_krad(pair[0], pair[1], STEP_V)).collect();
        Self { rates_v_per_krad, doses_krad, vt_neutral_v: law.vt_neutral_v }
    }

    /// The shift after a dose.
    fn after(&self, shift: f64, dose_krad_si: f64) -> f64 {
        let rates = &self.rates_v_per_krad;
        let place = (shift - LOWEST_V) / STEP_V;
        let left = (place.clamp(0.0, (NODES - 1) as f64) as usize).min(NODES - 2);
        let part = (place - left as f64).clamp(0.0, 1.0);
        let rate = (1.0 - part) * rates[left] + part * rates[left + 1];
        let up = rate > 0.0;
        // Beyond the grid the rate is that of its end.
        let inside = (0.0..=(NODES - 1) as f64).contains(&place);
        let mut node = match (inside, up) {
            (true, true) => left + 1,
            (true, false) => left,
            (false, _) => {
                if place < 0.0 {
                    0
                } else {
                    NODES - 1
                }
            }
        };
        let within = |from: f64, rate: f64, slope: f64, dose: f64| {
            let x = slope * dose;
            from + rate * dose * if x.abs() < 1e-8 { 1.0 } else { x.exp_m1() / x }
        };
        let slope = |cell: usize| (rates[cell + 1] - rates[cell]) / STEP_V;
        let distance = shift_v(node) - shift;
        // A shift outside that goes further out never comes to the grid.
        let away = !inside && distance * rate < 0.0;
        let mut rest = dose_krad_si;
        let first = if away { f64::INFINITY } else { dose_krad(rate, rates[node], distance) };
        if rate == 0.0 || rest <= first {
            return within(shift, rate, if inside { slope(left) } else { 0.0 }, rest);
        }
        rest -= first;
        loop {
            let cell = if up { Some(node) } else { node.checked_sub(1) };
            let Some(cell) = cell.filter(|cell| *cell < NODES - 1) else {
                return within(shift_v(node), rates[node], 0.0, rest);
            };
            if rest <= self.doses_krad[cell] {
                return within(shift_v(node), rates[node], slope(cell), rest);
            }
            rest -= self.doses_krad[cell];
            node = if up { node + 1 } else { node - 1 };
        }
    }

    /// Thresholds at ascending doses.
    pub(super) fn thresholds_v(&self, start_v: f64, doses_krad_si: &[f64]) -> Vec<f64> {
        let (mut shift, mut reached) = (start_v - self.vt_neutral_v, 0.0);
        doses_krad_si
            .iter()
            .map(|&dose| {
                shift = self.after(shift, (dose - reached).max(0.0));
                reached = dose.max(reached);
                self.vt_neutral_v + shift
            })
            .collect()
    }
}
