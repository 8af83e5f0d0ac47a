//! A synthetic cell: its spread, its charge profile and its history in dose and time.
//!
//! Threshold and fields depend on the charge profile only through its total and its first moment. Captured
//! carriers of each kind settle in a layer of fixed shape, so the numbers caught of each kind carry the
//! whole profile exactly while its centroid moves with dose.

use super::transistor::Transistor;
use crate::constants::{ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY};
use crate::ode::{self, OdeError};
use crate::sonos::Stack;
use crate::sonos::collection::Radiation;
use crate::sonos::surface::Surface;
use mho_data::random::Stream;
use nalgebra::SVector;

/// Nominal channel width in m (assumed; with the length it gives 0.05 µm² and a specific current of 2 µA).
const WIDTH_M: f64 = 0.525e-6;
/// Nominal channel length in m (assumed).
const LENGTH_M: f64 = 0.095e-6;
/// Relative spread of width and of length, each (assumed).
const SIGMA_GEOMETRY: f64 = 0.02;
/// Relative spread of the tunnel oxide thickness (assumed).
const SIGMA_TUNNEL_OXIDE: f64 = 0.015;
/// Relative spread of the channel doping (assumed).
const SIGMA_DOPING: f64 = 0.03;
/// Mean probability that a swept carrier is captured (assumed; fits in the literature: 0.3 to 1).
const CAPTURE: f64 = 0.8;
/// Log-normal spread of the capture probability, hence of the characteristic dose (assumed).
const SIGMA_CAPTURE: f64 = 0.1;
/// Depth in m over which the nitride captures carriers from either oxide (assumed).
const CAPTURE_DEPTH_M: f64 = 2.0e-9;
/// Centroid of the programmed or erased charge as a fraction of the nitride (assumed: carriers tunnel in
/// from the silicon and are caught in the nearer half).
const PROGRAMMED_CENTROID: f64 = 0.4;
/// Interface traps before irradiation in 1/(m² eV): 1e10 cm⁻² eV⁻¹ (assumed, good thermal oxide).
const TRAPS_FRESH: f64 = 1e14;
/// Interface traps added at 500 krad(Si) in 1/(m² eV): 5e10 cm⁻² eV⁻¹ (assumed, small).
const TRAPS_AT_500_KRAD: f64 = 5e14;
/// Exponent of the growth of interface traps with dose (literature: 2/3 to 1).
const TRAPS_EXPONENT: f64 = 2.0 / 3.0;
/// Retention: fraction of the stored shift lost per decade of time (fitted to the published drift of the
/// TCAS-I 2022 array).
pub const RETENTION_PER_DECADE: f64 = 0.0148;
/// Retention: onset of the logarithmic loss in s (fitted to the same drift; interval over a decade).
pub const RETENTION_ONSET_S: f64 = 1.82e3;
/// Width in V/m of the smooth switch of carrier direction.
const SMOOTHING_FIELD: f64 = 1e5;

/// Where captured carriers sit and what they are.
#[derive(Debug, Clone, Copy)]
struct Layer {
    /// Charge number: −1 electrons, +1 holes.
    sign: f64,
    /// Centroid in m from the tunnel oxide.
    centroid_m: f64,
}

/// A cell with its own geometry, doping and capture.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    /// Its transistor.
    pub transistor: Transistor,
    capture: f64,
    layers: [Layer; 4],
}

/// State of a cell in its history.
#[derive(Debug, Clone, Copy)]
pub struct State {
    /// Time since programming in s.
    pub time_s: f64,
    /// Accumulated dose in rad(Si).
    pub dose_rad: f64,
    /// Threshold shift in V that was programmed.
    programmed_v: f64,
    /// Carriers caught so far per m², by layer: electrons and holes at the tunnel oxide, holes and
    /// electrons at the blocking oxide.
    caught: [f64; 4],
}

impl Cell {
    /// The nominal cell.
    #[must_use]
    pub fn nominal() -> Self {
        Self::drawn(&[0.0; 5])
    }

    /// Cell number `index` of a batch.
    #[must_use]
    pub fn of_batch(batch: &Stream, index: u64) -> Self {
        let draws = [0, 1, 2, 3, 4].map(|i| batch.normal(8 * index + i));
        Self::drawn(&draws)
    }

    fn drawn(z: &[f64; 5]) -> Self {
        let nominal = Stack::default();
        let width_m = WIDTH_M * (1.0 + SIGMA_GEOMETRY * z[0]);
        let length_m = LENGTH_M * (1.0 + SIGMA_GEOMETRY * z[1]);
        let stack = Stack {
            tunnel_oxide_m: nominal.tunnel_oxide_m * (1.0 + SIGMA_TUNNEL_OXIDE * z[2]),
            acceptor_per_m3: nominal.acceptor_per_m3 * (1.0 + SIGMA_DOPING * z[3]),
            gate_area_m2: width_m * length_m,
            centroid_m: PROGRAMMED_CENTROID * nominal.nitride_m,
            ..nominal
        };
        // Centroid of a capture profile exp(−x/λ) cut off at the far side of the nitride.
        let depth = stack.nitride_m / CAPTURE_DEPTH_M;
        let near = CAPTURE_DEPTH_M * (1.0 - depth / depth.exp_m1());
        let far = stack.nitride_m - near;
        Self {
            transistor: Transistor { stack, width_m, length_m },
            capture: CAPTURE * (SIGMA_CAPTURE * z[4]).exp(),
            layers: [
                Layer { sign: -1.0, centroid_m: near },
                Layer { sign: 1.0, centroid_m: near },
                Layer { sign: 1.0, centroid_m: far },
                Layer { sign: -1.0, centroid_m: far },
            ],
        }
    }

    /// A cell just programmed to a threshold shift in V.
    #[must_use]
    pub fn programmed(&self, shift_v: f64) -> State {
        State { time_s: 0.0, dose_rad: 0.0, programmed_v: shift_v, caught: [0.0; 4] }
    }

    /// Interface traps in 1/(m² eV) at a dose in rad(Si).
    #[must_use]
    pub fn traps(dose_rad: f64) -> f64 {
        TRAPS_FRESH + TRAPS_AT_500_KRAD * (dose_rad.max(0.0) / 500e3).powf(TRAPS_EXPONENT)
    }

    /// Threshold shift in V by trapped charge and total trapped charge in C/m².
    fn charge(&self, programmed_v: f64, time_s: f64, caught: &[f64; 4]) -> (f64, f64) {
        let stack = &self.transistor.stack;
        let lost =
            RETENTION_PER_DECADE * (time_s.max(0.0) / RETENTION_ONSET_S).ln_1p() / std::f64::consts::LN_10;
        let mut shift = programmed_v * (1.0 - lost.min(1.0));
        let mut charge = stack.charge_for_shift(shift);
        for (layer, count) in self.layers.iter().zip(caught) {
            let added = layer.sign * ELEMENTARY_CHARGE * count;
            charge += added;
            shift -= added / stack.top_capacitance(layer.centroid_m);
        }
        (shift, charge)
    }

    /// Threshold shift in V that the trapped charge of a state makes.
    #[must_use]
    pub fn shift_v(&self, state: &State) -> f64 {
        self.charge(state.programmed_v, state.time_s, &state.caught).0
    }

    /// Drain current in A of a state.
    #[must_use]
    pub fn current_a(&self, state: &State, gate_v: f64, drain_v: f64) -> f64 {
        self.transistor.drain_current_a(gate_v, drain_v, self.shift_v(state), Self::traps(state.dose_rad))
    }

    /// Carriers caught per m² and rad(Si), by layer, with the cell unbiased.
    fn capture_rates(&self, shift_v: f64, charge: f64, dose_rad: f64) -> [f64; 4] {
        let stack = &self.transistor.stack;
        let radiation = Radiation::CO60;
        let effective = -stack.phi_ms_v - shift_v;
        let psi = Surface::with_interface_traps(stack, Self::traps(dose_rad)).psi_s(effective, 0.0);
        let tunnel = (effective - psi) / stack.eot_m();
        let blocking = tunnel - charge / (stack.oxide_permittivity * VACUUM_PERMITTIVITY);
        let swept = |thickness: f64, field: f64| {
            self.capture * radiation.pairs_per_m3_rad * thickness * radiation.escape_yield(field)
        };
        let up = |field: f64| (field / SMOOTHING_FIELD).tanh().max(0.0);
        let at_tunnel = swept(stack.tunnel_oxide_m, tunnel);
        let at_blocking = swept(stack.blocking_oxide_m, blocking);
        [
            at_tunnel * up(tunnel),
            at_tunnel * up(-tunnel),
            at_blocking * up(blocking),
            at_blocking * up(-blocking),
        ]
    }

    /// The state after irradiation to `dose_rad` rad(Si) at `rate_rad_per_s`, with whole charges drawn from
    /// `counts` (numbers from `first` on).
    ///
    /// # Errors
    /// [`OdeError`] when the integration fails.
    pub fn irradiated(
        &self,
        state: &State,
        dose_rad: f64,
        rate_rad_per_s: f64,
        counts: &Stream,
        first: u64,
    ) -> Result<State, OdeError> {
        let from = state.dose_rad;
        let time_at = |dose: f64| state.time_s + (dose - from) / rate_rad_per_s;
        let area = self.transistor.stack.gate_area_m2;
        let means = ode::integrate(
            |dose, caught: &SVector<f64, 4>| {
                let caught = [caught[0], caught[1], caught[2], caught[3]].map(|count| count / area);
                let (shift, charge) = self.charge(state.programmed_v, time_at(dose), &caught);
                SVector::from(self.capture_rates(shift, charge, dose)) * area
            },
            from,
            SVector::from(state.caught) * area,
            &[dose_rad],
            // The state counts charges; a thousandth of one is plenty.
            ode::Options { relative: 1e-6, absolute: 1e-3, max_steps: 20_000 },
        )?;
        let mut caught = state.caught;
        if let Some(mean) = means.first() {
            for (layer, count) in caught.iter_mut().enumerate() {
                let expected = (mean[layer] - *count * area).max(0.0);
                *count += counts.poisson(first + layer as u64, expected) as f64 / area;
            }
        }
        Ok(State { time_s: time_at(dose_rad), dose_rad, caught, ..*state })
    }

    /// The state after storage without radiation until `time_s` since programming.
    #[must_use]
    pub fn stored(&self, state: &State, time_s: f64) -> State {
        State { time_s: time_s.max(state.time_s), ..*state }
    }
}
