//! The memristor law of a TaOx cell of Strachan et al. (IEEE Trans. Electron Devices 60(7) 2194, 2013).
//!
//! - i = v [G_m x + a exp(b sqrt|v|) (1 - x)], with x the part of the filament that is metallic;
//! - v < 0: dx/dt = A sinh(v/s_off) exp(-x_off²/x²) exp(1/(1 + beta p)), p = i v;
//! - v > 0: dx/dt = B sinh(v/s_on) exp(-x²/x_on²) exp(p/s_p).
//!
//! The rate spans more than a hundred decades and runs away with the power. The integration therefore goes
//! along s with ds = dt/tau + |dx|, tau the time span: neither x nor t moves faster than s, and the
//! logarithm of the rate, which never overflows, is all that is needed.

use serde::Deserialize;

/// Parameters of the law.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Law {
    /// Metallic conductance G_m in S.
    pub conductance_s: f64,
    /// Prefactor a in S of the insulating part (Frenkel-Poole).
    pub leak_s: f64,
    /// Its exponent b in V^-1/2.
    pub leak_exponent: f64,
    /// Rate A in 1/s of switching off.
    pub off_rate_hz: f64,
    /// Voltage s_off in V.
    pub off_voltage_v: f64,
    /// x_off.
    pub off_state: f64,
    /// beta in 1/W.
    pub off_power_per_w: f64,
    /// Rate B in 1/s of switching on.
    pub on_rate_hz: f64,
    /// Voltage s_on in V.
    pub on_voltage_v: f64,
    /// x_on.
    pub on_state: f64,
    /// Power s_p in W.
    pub on_power_w: f64,
}

impl Default for Law {
    /// The published fit to a TaOx cell, of public re-implementations.
    fn default() -> Self {
        Self {
            conductance_s: 0.025,
            leak_s: 7.2e-6,
            leak_exponent: 4.7,
            off_rate_hz: 1e-10,
            off_voltage_v: 0.013,
            off_state: 0.4,
            off_power_per_w: 500.0,
            on_rate_hz: 1e-4,
            on_voltage_v: 0.45,
            on_state: 0.06,
            on_power_w: 4e-5,
        }
    }
}

/// ln(sinh(u)) for u > 0 without overflow.
fn ln_sinh(u: f64) -> f64 {
    u + (-(-2.0 * u).exp_m1()).ln() - std::f64::consts::LN_2
}

impl Law {
    /// Every parameter by its name; each must be a positive number.
    #[must_use]
    pub fn parameters(&self) -> [(&'static str, f64); 11] {
        [
            ("conductance_s", self.conductance_s),
            ("leak_s", self.leak_s),
            ("leak_exponent", self.leak_exponent),
            ("off_rate_hz", self.off_rate_hz),
            ("off_voltage_v", self.off_voltage_v),
            ("off_state", self.off_state),
            ("off_power_per_w", self.off_power_per_w),
            ("on_rate_hz", self.on_rate_hz),
            ("on_voltage_v", self.on_voltage_v),
            ("on_state", self.on_state),
            ("on_power_w", self.on_power_w),
        ]
    }

    /// Current in A.
    #[must_use]
    pub fn current(&self, voltage_v: f64, state: f64) -> f64 {
        voltage_v * self.conductance(voltage_v, state)
    }

    /// Conductance i/v in S.
    #[must_use]
    pub fn conductance(&self, voltage_v: f64, state: f64) -> f64 {
        let leak = self.leak_s * (self.leak_exponent * voltage_v.abs().sqrt()).exp();
        self.conductance_s * state + leak * (1.0 - state)
    }

    /// Logarithm of |dx/dt| in 1/s; its sign is that of the voltage.
    #[must_use]
    pub fn ln_rate(&self, voltage_v: f64, state: f64) -> f64 {
        let power = self.current(voltage_v, state) * voltage_v;
        if voltage_v == 0.0 {
            f64::NEG_INFINITY
        } else if voltage_v < 0.0 {
            self.off_rate_hz.ln() + ln_sinh(-voltage_v / self.off_voltage_v)
                - (self.off_state / state).powi(2)
                + 1.0 / (1.0 + self.off_power_per_w * power)
        } else {
            self.on_rate_hz.ln() + ln_sinh(voltage_v / self.on_voltage_v) - (state / self.on_state).powi(2)
                + power / self.on_power_w
        }
    }
}

/// A cell on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memristor {
    /// Its law.
    pub law: Law,
    /// Metallic part x, from 0 to 1.
    pub state: f64,
    /// How often the state met 0 or 1 and was held there.
    pub clamped: usize,
    /// Energy in J that the cell took.
    pub energy_j: f64,
}

/// The integration gave up: too many steps.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("more than {MOST_STEPS} steps; {done} of the span was done")]
pub struct TooStiff {
    /// The part of the time span that was done.
    pub done: f64,
}

/// Error of a step in the state and in the part of the span.
const TOLERANCE: f64 = 1e-10;
/// Most steps of one span. The equation along s needs some thousand at most.
const MOST_STEPS: usize = 200_000;

/// State, part of the span done, and energy.
type Path = [f64; 3];

impl Memristor {
    /// A cell with this metallic part.
    #[must_use]
    pub fn new(law: Law, state: f64) -> Self {
        Self { law, state: state.clamp(0.0, 1.0), clamped: 0, energy_j: 0.0 }
    }

    /// Applies a voltage that goes straight from one value to another in a time.
    ///
    /// # Errors
    /// [`TooStiff`] when it needs too many steps; the cell keeps the state before.
    pub fn apply(&mut self, from_v: f64, to_v: f64, duration_s: f64) -> Result<(), TooStiff> {
        if from_v * to_v < 0.0 {
            let part = from_v / (from_v - to_v);
            self.apply_one_sign(from_v, 0.0, part * duration_s)?;
            self.apply_one_sign(0.0, to_v, (1.0 - part) * duration_s)
        } else {
            self.apply_one_sign(from_v, to_v, duration_s)
        }
    }

    fn apply_one_sign(&mut self, from_v: f64, to_v: f64, duration_s: f64) -> Result<(), TooStiff> {
        if duration_s <= 0.0 || (from_v == 0.0 && to_v == 0.0) {
            return Ok(());
        }
        let law = self.law;
        let rising = from_v + to_v > 0.0;
        let bound = f64::from(u8::from(rising));
        let slope = |&[state, part, _]: &Path| -> Path {
            let voltage = from_v + (to_v - from_v) * part.clamp(0.0, 1.0);
            let state = state.clamp(0.0, 1.0);
            let power = law.current(voltage, state) * voltage * duration_s;
            // r/(1 + r) and 1/(1 + r) from ln r.
            let ln_ratio = law.ln_rate(voltage, state) + duration_s.ln();
            let moves = 1.0 / (1.0 + (-ln_ratio).exp());
            let waits = 1.0 / (1.0 + ln_ratio.exp());
            [if rising { moves } else { -moves }, waits, power * waits]
        };
        let mut here: Path = [self.state, 0.0, self.energy_j];
        let mut step = 1e-3;
        let mut steps = 0;
        while here[1] < 1.0 {
            if here[0] == bound {
                self.clamped += 1;
                here[2] += self.held_energy(from_v, to_v, duration_s, here[1], bound);
                break;
            }
            steps += 1;
            if steps > MOST_STEPS {
                return Err(TooStiff { done: here[1] });
            }
            let (next, error) = dormand_prince(&slope, &here, step);
            let error = error[0].abs().max(error[1].abs()) / TOLERANCE;
            let factor = (0.9 * error.powf(-0.2)).clamp(0.2, 5.0);
            if error > 1.0 {
                step *= factor;
                continue;
            }
            // How far the step goes beyond the end of the span or the bound of the state.
            let beyond =
                |path: &Path| (path[1] - 1.0).max(if rising { path[0] - bound } else { bound - path[0] });
            if beyond(&next) > 0.0 {
                here = land(&slope, &here, step, beyond);
                if (here[0] - bound).abs() <= 1e-12 {
                    here[0] = bound;
                }
                if 1.0 - here[1] <= 1e-12 {
                    break;
                }
            } else {
                here = next;
                step = (step * factor).min(1.0);
            }
        }
        self.state = here[0].clamp(0.0, 1.0);
        self.energy_j = here[2];
        Ok(())
    }

    /// Energy of the rest of a span with the state held: Simpson's rule on 64 pieces.
    fn held_energy(&self, from_v: f64, to_v: f64, duration_s: f64, part: f64, state: f64) -> f64 {
        let rest = 1.0 - part;
        let power = |index: u32| {
            let voltage = from_v + (to_v - from_v) * (part + rest * f64::from(index) / 64.0);
            self.law.current(voltage, state) * voltage
        };
        let inner: f64 = (1..64).map(|index| f64::from(2 + 2 * (index % 2)) * power(index)).sum();
        (power(0) + inner + power(64)) * rest * duration_s / (3.0 * 64.0)
    }
}

/// The end of a step shortened so that `beyond` is zero there: regula falsi (Illinois).
fn land(slope: &impl Fn(&Path) -> Path, here: &Path, step: f64, beyond: impl Fn(&Path) -> f64) -> Path {
    let at = |h: f64| dormand_prince(slope, here, h).0;
    let (mut low, mut high) = ((0.0, beyond(here)), (step, beyond(&at(step))));
    for _ in 0..60 {
        let h = (low.0 * high.1 - high.0 * low.1) / (high.1 - low.1);
        let path = at(h);
        let value = beyond(&path);
        if value.abs() <= 1e-13 || high.0 - low.0 <= 1e-16 {
            return path;
        }
        if value > 0.0 {
            high = (h, value);
            low.1 *= 0.5;
        } else {
            low = (h, value);
            high.1 *= 0.5;
        }
    }
    at(high.0)
}

/// One step of Dormand and Prince's method of order 5 with its error estimate.
fn dormand_prince(slope: &impl Fn(&Path) -> Path, here: &Path, h: f64) -> (Path, Path) {
    const STAGES: [&[f64]; 6] = [
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
        &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
        &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
    ];
    const ERROR: [f64; 7] = [
        71.0 / 57600.0,
        0.0,
        -71.0 / 16695.0,
        71.0 / 1920.0,
        -17253.0 / 339_200.0,
        22.0 / 525.0,
        -1.0 / 40.0,
    ];
    let mut slopes = [[0.0; 3]; 7];
    slopes[0] = slope(here);
    let mut next = *here;
    for (stage, weights) in STAGES.iter().enumerate() {
        next = *here;
        for (weight, slope) in weights.iter().zip(&slopes) {
            for (value, slope) in next.iter_mut().zip(slope) {
                *value += h * weight * slope;
            }
        }
        slopes[stage + 1] = slope(&next);
    }
    let mut error = [0.0; 3];
    for (weight, slope) in ERROR.iter().zip(&slopes) {
        for (value, slope) in error.iter_mut().zip(slope) {
            *value += h * weight * slope;
        }
    }
    (next, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(state: f64, voltage: f64, duration: f64) -> f64 {
        let mut cell = Memristor::new(Law::default(), state);
        cell.apply(voltage, voltage, duration).unwrap();
        cell.state
    }

    /// The independent way: at constant voltage the time to reach x is the integral of dx/(dx/dt), here in
    /// ten thousands of pieces by the midpoint rule of ln-rate, marched until the time is used up.
    fn reference(state: f64, voltage: f64, duration: f64) -> f64 {
        let law = Law::default();
        let step = 1e-6_f64.copysign(voltage);
        let (mut x, mut time) = (state, 0.0);
        loop {
            let rate = law.ln_rate(voltage, x + 0.5 * step).exp();
            let needed = step.abs() / rate;
            if time + needed >= duration {
                return x + (duration - time) * rate * voltage.signum();
            }
            time += needed;
            x += step;
            if x >= 1.0 {
                return 1.0;
            }
        }
    }

    #[test]
    fn pulses_move_the_state_as_a_fine_reference() {
        for (state, voltage, expected, tolerance) in [
            (0.1, 0.6, 0.714, 5e-4),
            (0.1, 0.5, 1.6e-5, 1e-6),
            (0.4, -0.4, -7.4e-5, 1e-6),
            (0.4, -0.5, 0.297, 5e-4),
        ] {
            let found = after(state, voltage, 1e-7);
            let fine = reference(state, voltage, 1e-7);
            // The midpoint rule of 1e-6 in x is good to 1e-8; below one such piece it is a plain Euler step.
            assert!(((found - state) / (fine - state) - 1.0).abs() < 1e-3, "{voltage}: {found} {fine}");
            let printed = if expected > 0.1 { found } else { found - state };
            assert!((printed - expected).abs() < tolerance, "{voltage}: {printed}");
        }
    }

    #[test]
    fn a_pulse_in_parts_is_the_same_pulse() {
        let whole = after(0.1, 0.6, 1e-7);
        let mut cell = Memristor::new(Law::default(), 0.1);
        for _ in 0..100 {
            cell.apply(0.6, 0.6, 1e-9).unwrap();
        }
        assert!((cell.state - whole).abs() < 1e-7, "{} {whole}", cell.state);
    }

    #[test]
    fn a_violent_pulse_ends_at_the_bound_and_is_counted() {
        let mut cell = Memristor::new(Law::default(), 0.5);
        cell.apply(2.0, 2.0, 1e-6).unwrap();
        assert_eq!((cell.state, cell.clamped), (1.0, 1));
        // All the time at x = 1: v² G_m t.
        assert!((cell.energy_j / (4.0 * 0.025 * 1e-6) - 1.0).abs() < 1e-6, "{}", cell.energy_j);
        cell.apply(-3.0, -3.0, 1e-6).unwrap();
        assert!(cell.state < 0.2, "{}", cell.state);
    }

    #[test]
    fn energy_is_the_integral_of_power_over_a_ramp() {
        let mut cell = Memristor::new(Law::default(), 0.1);
        let mut fine = Memristor::new(Law::default(), 0.1);
        cell.apply(0.0, 0.62, 1e-6).unwrap();
        let (mut sum, parts) = (0.0, 4000);
        for part in 0..parts {
            let at = |part: i32| 0.62 * f64::from(part) / f64::from(parts);
            let (from, to) = (at(part), at(part + 1));
            let before = fine.law.current(from, fine.state) * from;
            fine.apply(from, to, 1e-6 / f64::from(parts)).unwrap();
            sum += 0.5 * (before + fine.law.current(to, fine.state) * to) * 1e-6 / f64::from(parts);
        }
        assert!((cell.state - fine.state).abs() < 1e-6, "{} {}", cell.state, fine.state);
        // The trapezoids miss the corner of the runaway by one piece of 4000.
        assert!((cell.energy_j / sum - 1.0).abs() < 2e-3, "{} {sum}", cell.energy_j);
    }

    proptest! {
        #[test]
        fn any_pulse_has_an_end(
            state in 0.0..=1.0_f64, from in -5.0..5.0_f64, to in -5.0..5.0_f64, exponent in -12.0..3.0_f64,
        ) {
            let mut cell = Memristor::new(Law::default(), state);
            prop_assert!(cell.apply(from, to, 10f64.powf(exponent)).is_ok());
            prop_assert!((0.0..=1.0).contains(&cell.state) && cell.energy_j >= 0.0);
            if from >= 0.0 && to >= 0.0 {
                prop_assert!(cell.state >= state - 1e-9);
            }
            prop_assert_eq!(cell.law.current(0.0, state), 0.0);
            let mut rest = Memristor::new(Law::default(), state);
            rest.apply(0.0, 0.0, 1.0).unwrap();
            prop_assert_eq!(rest.state, state);
        }
    }
}
