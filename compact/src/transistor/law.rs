//! The drain current of the charge-based law.
//!
//! Enz, Vittoz, "Charge-Based MOS Transistor Modeling" (Wiley 2006), for the charges; velocity
//! saturation by `mu / (1 + E / E_c)`, whose saturated charge has a closed form (below). Voltages
//! refer to the body, so that source and drain may be exchanged.
//!
//! Limit: `1 + |E| / E_c` leaves a jump in the second derivative at V_DS = 0; the first is continuous.

use super::charge::inversion_charge;
use crate::real::Real;

/// Width of the even function that stands for |V_DS| in the threshold, V (assumed: about 2 phi_t,
/// so that the threshold has derivatives at V_DS = 0).
const EVEN_WIDTH_V: f64 = 0.05;

/// Width over which the gate voltage above flat band is kept positive, V (assumed).
const FLAT_BAND_WIDTH_V: f64 = 0.02;

/// Smallest band bending under the gate, V (assumed; met far below flat band only).
const LEAST_BENDING_V: f64 = 0.05;

/// Voltage past saturation that shortens the channel by one unit of its logarithm, V (assumed).
const SHORTENING_V: f64 = 0.1;

/// Relative step at which the series resistance counts as solved; the secant's next error is
/// about its square.
const RESISTANCE_STEP: f64 = 1e-6;
const RESISTANCE_STEPS: usize = 60;

/// Drop that halves an error of a guess, V (order of magnitude of a gate overdrive).
const TAKE_BACK_V: f64 = 0.1;

/// Voltages of the terminals against any common point, V.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terminals {
    /// Gate, V.
    pub gate_v: f64,
    /// Drain, V.
    pub drain_v: f64,
    /// Source, V.
    pub source_v: f64,
    /// Body, V.
    pub body_v: f64,
}

/// Parameters of the law.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transistor<R = f64> {
    /// Threshold with source at body and vanishing drain voltage, V.
    pub vt_v: R,
    /// Body effect gamma, sqrt(V).
    pub gamma_sqrt_v: R,
    /// Band bending at threshold phi, V.
    pub phi_v: R,
    /// Part of the body charge that is linear in the band bending: charge sharing with source and
    /// drain (negative), retrograde doping (positive).
    pub body_linear: R,
    /// mu C_ox W / L at threshold, A/V^2.
    pub beta_a_per_v2: R,
    /// Mobility reduction with the effective field, 1/V.
    pub theta_per_v: R,
    /// Part of the mobile charge in the effective field: 1/2 for electrons, 1/3 for holes.
    pub field_share: R,
    /// Critical voltage E_c L of velocity saturation, V.
    pub critical_v: R,
    /// Drain-induced barrier lowering with source at body.
    pub dibl: R,
    /// Its growth with the source's voltage above the body, 1/V.
    pub dibl_body_per_v: R,
    /// Channel-length modulation.
    pub shortening: R,
    /// Resistance in series with the source, ohm.
    pub source_ohm: R,
    /// Resistance in series with the drain, ohm.
    pub drain_ohm: R,
    /// Swing beyond the body effect's: interface traps over oxide capacitance.
    pub trap_ratio: R,
    /// Leakage floor: conductance at small drain voltage of a path between drain and source that the gate hardly
    /// controls, S.
    pub leakage_s: R,
    /// Its growth with the gate voltage, 1/V (logarithmic).
    pub leakage_gate_per_v: R,
    /// Its saturation with the drain voltage, 1/V.
    pub leakage_saturation_per_v: R,
    /// +1 of an n-channel device; -1 of a p-channel one, whose voltages and current change sign.
    pub polarity: R,
    /// k T / q, V.
    pub thermal_v: R,
}

impl Transistor {
    /// Current into the drain, A. Without resistances odd under exchange of source and drain.
    pub fn current_a(&self, at: Terminals) -> f64 {
        self.current_near_a(at, f64::NAN)
    }

    /// The same, found faster with a `guess` in the neighbourhood (any number; NaN for none).
    pub fn current_near_a(&self, at: Terminals, guess: f64) -> f64 {
        let sign = self.polarity;
        let (gate, drain, source) = (
            sign * (at.gate_v - at.body_v),
            sign * (at.drain_v - at.body_v),
            sign * (at.source_v - at.body_v),
        );
        let leakage = self.leakage_a(gate - drain.min(source), drain - source);
        let channel = if drain < source {
            -self.through_resistance([gate, source, drain], [self.source_ohm, self.drain_ohm], -sign * guess)
        } else {
            self.through_resistance([gate, drain, source], [self.drain_ohm, self.source_ohm], sign * guess)
        };
        sign * (channel + leakage)
    }

    /// The current that the channel carries between the inner ends of the series resistances: the root of
    /// `channel(i) - i`, which falls with `i`, by secants inside a bracket. Gate, upper and lower end; the
    /// resistances at these ends.
    fn through_resistance(&self, [gate, upper, lower]: [f64; 3], ohm: [f64; 2], guess: f64) -> f64 {
        let total = ohm[0] + ohm[1];
        // Nothing to solve, or nothing that is a number.
        if total <= 0.0 || upper <= lower || total.is_nan() {
            return self.channel(gate, upper, lower);
        }
        let short = (upper - lower) / total;
        let excess = |i: f64| self.channel(gate, upper - ohm[0] * i, lower + ohm[1] * i) - i;
        let (mut low, mut high) = (0.0, short);
        let (mut before, mut excess_before);
        let mut here;
        if guess > low && guess < high {
            // The drop over the resistances takes back a part of any error of the guess.
            (before, excess_before) = (guess, excess(guess));
            here = guess + excess_before / (1.0 + total * guess / TAKE_BACK_V);
            here = here.clamp(0.5 * guess.min(high), high);
        } else {
            let free = self.channel(gate, upper, lower);
            if free.is_nan() || free <= 0.0 {
                return free;
            }
            (before, excess_before) = (0.0, free);
            high = free.min(short);
            here = free / (1.0 + free / short);
        }
        for _ in 0..RESISTANCE_STEPS {
            let excess_here = excess(here);
            // channel(i) falls with i, so the root also lies on the near side of channel(here).
            if excess_here > 0.0 {
                low = here;
                high = high.min(here + excess_here);
            } else {
                high = here;
                low = low.max(here + excess_here);
            }
            if excess_here == 0.0 {
                return here;
            }
            let mut next = here - excess_here * (here - before) / (excess_here - excess_before);
            if !(low..=high).contains(&next) {
                next = 0.5 * (low + high);
            }
            if (next - here).abs() <= RESISTANCE_STEP * here {
                return next;
            }
            (before, excess_before, here) = (here, excess_here, next);
        }
        here
    }
}

impl<R: Real> Transistor<R> {
    /// Current of the leakage path: from the gate's voltage above the lower end, and the voltage along it.
    pub(crate) fn leakage_a(&self, gate: R, along: R) -> R {
        let gated = (self.leakage_gate_per_v * gate).exp();
        self.leakage_s * gated * along / (self.leakage_saturation_per_v * along.abs() + 1.0)
    }

    /// Current of the channel without series resistance, `drain >= source`, voltages from the body.
    pub(crate) fn channel(&self, gate: R, drain: R, source: R) -> R {
        let drop = drain - source;
        let size = (drop * drop + EVEN_WIDTH_V * EVEN_WIDTH_V).sqrt();
        let lower_end = (source + drain - size + EVEN_WIDTH_V) * 0.5;
        let lowering = (self.dibl + self.dibl_body_per_v * lower_end) * (size - EVEN_WIDTH_V);

        // Band bending at pinch-off: a psi + gamma sqrt(psi) = V_G - V_FB.
        let (a, gamma) = (self.body_linear + 1.0, self.gamma_sqrt_v);
        let above_flat_band = gate - self.vt_v + lowering + a * self.phi_v + gamma * self.phi_v.sqrt();
        let width = FLAT_BAND_WIDTH_V * FLAT_BAND_WIDTH_V;
        let above_flat_band = (above_flat_band + (above_flat_band * above_flat_band + width).sqrt()) * 0.5;
        let root = (-gamma + (gamma * gamma + a * 4.0 * above_flat_band).sqrt()) / (a * 2.0);
        let root = root.kept();
        let pinch_off = root * root - self.phi_v;

        let scale = (self.trap_ratio + 1.0) * self.thermal_v;
        let at_source = inversion_charge((pinch_off - source) / scale);
        let at_drain = inversion_charge((pinch_off - drain) / scale);

        // i = D (b - D) / (1 + lambda D) with D = q_s - q_d, b = 2 q_s + 1 is largest at
        // D = b / (1 + sqrt(1 + lambda b)): there the carriers move as fast as they can.
        let lambda = scale * 2.0 / self.critical_v;
        let b = at_source * 2.0 + 1.0;
        let saturated = b / ((lambda * b + 1.0).sqrt() + 1.0);
        let difference = at_source - at_drain;
        // The fourth power lets saturation set in without disturbing V_DS = 0.
        let square = (difference / saturated) * (difference / saturated);
        let power = square * square;
        let root_2 = (power + 1.0).sqrt();
        let root_4 = root_2.sqrt();
        let difference = (difference / root_4).kept();
        // q_s - D without its cancellation: what the limit took off the difference stays at the drain.
        let at_drain = at_drain + difference * power / ((root_4 + 1.0) * (root_2 + 1.0));
        let at_drain = at_drain.max(R::from(f64::MIN_POSITIVE)).kept_positive();
        let across = scale * (difference * 2.0 + (at_source / at_drain).ln());

        let middle = (at_source + at_drain) * 0.5;
        let bending = (root * root - scale * 2.0 * middle).max(R::from(LEAST_BENDING_V));
        let slope = (a + gamma / (root + bending.sqrt())).kept();
        let mobile_v = slope * 2.0 * scale * middle;
        let field_v = self.field_share * mobile_v + gamma * (bending.sqrt() - self.phi_v.sqrt());
        let slowing = self.theta_per_v * field_v + 1.0 + lambda * difference;
        let past = (drop - across).max(R::from(0.0));
        let shortened = self.shortening * (past / SHORTENING_V).ln_1p() + 1.0;
        slope * 2.0 * scale * scale * self.beta_a_per_v2 * difference * (b - difference) / slowing * shortened
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHORT: Transistor = Transistor {
        vt_v: 0.6,
        gamma_sqrt_v: 0.35,
        phi_v: 0.85,
        body_linear: -0.03,
        beta_a_per_v2: 1e-3,
        theta_per_v: 0.8,
        field_share: 0.5,
        critical_v: 1.0,
        dibl: 0.03,
        dibl_body_per_v: 0.01,
        shortening: 0.05,
        source_ohm: 50.0,
        drain_ohm: 50.0,
        trap_ratio: 0.2,
        leakage_s: 0.0,
        leakage_gate_per_v: 0.0,
        leakage_saturation_per_v: 0.0,
        polarity: 1.0,
        thermal_v: 0.025852,
    };

    const LONG: Transistor = Transistor {
        body_linear: 0.0,
        theta_per_v: 0.0,
        critical_v: 1e9,
        dibl: 0.0,
        dibl_body_per_v: 0.0,
        shortening: 0.0,
        source_ohm: 0.0,
        drain_ohm: 0.0,
        trap_ratio: 0.0,
        ..SHORT
    };

    fn at(gate_v: f64, drain_v: f64) -> Terminals {
        Terminals { gate_v, drain_v, source_v: 0.0, body_v: 0.0 }
    }

    #[test]
    fn weak_inversion_is_a_diffusion_current() {
        // At the same gate voltage the charges are exponentials: 1 - exp(-V_D / phi_t).
        let ratio = LONG.current_a(at(0.2, 0.02)) / LONG.current_a(at(0.2, 0.5));
        assert!((ratio / (1.0 - (-0.02 / LONG.thermal_v).exp()) - 1.0).abs() < 1e-3, "{ratio}");
    }

    #[test]
    fn strong_inversion_is_the_linear_law() {
        // beta (V_G - V_T - n V_D / 2) V_D; the logarithm in v = 2 q + ln q costs a few phi_t.
        let slope = (LONG.current_a(at(2.0, 0.05)) - LONG.current_a(at(1.5, 0.05))) / 0.5;
        assert!((slope / (LONG.beta_a_per_v2 * 0.05) - 1.0).abs() < 0.05, "{slope}");
    }

    #[test]
    fn series_resistance_is_solved() {
        let bias = at(1.8, 1.8);
        let current = SHORT.current_a(bias);
        let inner = Transistor { source_ohm: 0.0, drain_ohm: 0.0, ..SHORT };
        let fall = SHORT.source_ohm * current;
        let inside = inner.current_a(Terminals { drain_v: 1.8 - fall, source_v: fall, ..bias });
        assert!((inside / current - 1.0).abs() < 1e-8, "{inside} {current}");
        for factor in [0.3, 0.9, 1.0, 1.001, 2.0] {
            let near = SHORT.current_near_a(bias, factor * current);
            assert!((near / current - 1.0).abs() < 1e-8, "{factor}: {near} {current}");
        }
        let mirror = |v: f64| Terminals { gate_v: -1.8, drain_v: -v, source_v: 0.0, body_v: 0.0 };
        let hole = Transistor { polarity: -1.0, ..SHORT };
        assert_eq!(hole.current_a(mirror(1.8)), -current);
    }

    #[test]
    fn slope_continuous_at_zero_drain_voltage_and_curvature_but_for_velocity_saturation() {
        let current = |law: &Transistor, v: f64| {
            law.current_a(Terminals { gate_v: 1.2, drain_v: 0.5 * v, source_v: -0.5 * v, body_v: -0.5 })
        };
        let slope = |law: &Transistor, v: f64| (current(law, v + 1e-5) - current(law, v - 1e-5)) / 2e-5;
        let (near, far) = (slope(&SHORT, 1e-3), slope(&SHORT, 1e-4));
        assert!((near / far - 1.0).abs() < 1e-2, "{near} {far}");
        // The second derivative of an odd function vanishes at 0 if it is continuous there.
        let slow = Transistor { critical_v: 1e9, ..SHORT };
        let curvature = |law: &Transistor, v: f64| {
            let h = 2e-4;
            (current(law, v + h) - 2.0 * current(law, v) + current(law, v - h)) / (h * h)
        };
        let (without, with) = (curvature(&slow, 1e-3).abs(), curvature(&SHORT, 1e-3).abs());
        assert!(without < 0.1 * with, "{without} {with}");
    }

    proptest! {
        #[test]
        fn exchange_of_source_and_drain_reverses_the_current(
            gate in -0.5f64..2.0, drain in -1.0f64..2.0, body in -2.0f64..-1.0,
        ) {
            let here = Terminals { gate_v: gate, drain_v: drain, source_v: 0.0, body_v: body };
            let there = Terminals { drain_v: 0.0, source_v: drain, ..here };
            prop_assert_eq!(SHORT.current_a(here), -SHORT.current_a(there));
        }

        #[test]
        fn rises_with_the_gate(gate in 0.0f64..1.8, drain in 0.01f64..1.8, body in -1.8f64..0.0) {
            let current = |gate_v| SHORT.current_a(Terminals { body_v: body, ..at(gate_v, drain) });
            prop_assert!(current(gate + 0.01) > current(gate));
        }
    }
}
