//! Bulk ReRAM, free of filaments: many ions set the conductance, so that it is nearly deterministic, and heat
//! lets them return.

use super::constants::constants;
use super::{Cell, Evolution, Programmed};

const NOTES: &str =
    "design notes D.2 after Li et al., Advanced Materials 2020: noise ~ 1/sqrt(N), E_a ~ 1 eV";
const ASSUMED: &str = "assumed: no number is published in the notes";

/// Boltzmann's constant over the elementary charge, V/K (exact in SI).
const BOLTZMANN_EV_PER_K: f64 = 8.617_333_262e-5;

constants! {
    /// Bulk ReRAM; see [`INFO`].
    Bulk {
        g_max_us: "uS", 1.0, 1e-6, 1e4, Log, Assumed, ASSUMED, "largest conductance";
        ions: "1", 1e4, 1.0, 1e12, Log, Assumed, ASSUMED, "ions N that carry the largest conductance";
        rest_fraction: "1", 0.5, 0.0, 1.0, Linear, Assumed, ASSUMED, "conductance of rest over g_max";
        activation_ev: "eV", 1.0, 0.1, 3.0, Linear, Assumed, NOTES, "activation energy of the return";
        attempt_s: "s", 1e-10, 1e-16, 1e-3, Log, Assumed, ASSUMED, "time of an attempt: months of retention at 300 K";
        temperature_k: "K", 300.0, 100.0, 1000.0, Linear, Assumed, ASSUMED, "temperature of storage";
    }
    name: "bulk-reram",
    title: "bulk ReRAM: error of counting ions, thermally assisted return to rest",
    law: "g(t) = max(g_rest + (g_T + g_max sqrt(r/N) z - g_rest) exp(-t/tau), 0), \
          tau = tau_0 exp(E_a/kT), r = g_T/g_max",
    validity: "assumed numbers: fit them to measured cells before use; no read noise, no dose",
    references: &[NOTES],
}

impl Bulk {
    /// Time constant of the return to rest, s.
    pub fn tau_s(&self) -> f64 {
        self.attempt_s * (self.activation_ev / (BOLTZMANN_EV_PER_K * self.temperature_k)).exp()
    }
}

impl Cell for Bulk {
    fn window_us(&self) -> [f64; 2] {
        [0.0, self.g_max_us]
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        let r = (target_us / self.g_max_us).max(0.0);
        Programmed::normal(self.g_max_us * (r / self.ions).sqrt())
    }

    fn evolution(&self, _target_us: f64, _exponent: f64, time_s: f64) -> Evolution {
        let gain = (-time_s.max(0.0) / self.tau_s()).exp();
        let rest_us = self.rest_fraction * self.g_max_us;
        Evolution { gain, offset_us: rest_us * (1.0 - gain), ..Evolution::NONE }
    }
}
