//! Inputs as pulse widths, sums as charge on precharged lines.
//!
//! A line of n cells is charged to V0; an input x opens its cell for x T. Cells that are current
//! sources take I g x T while the line is above the voltage at which they leave saturation, and fall
//! with the voltage below it; cells that are resistors take V G. Either way the voltage at the end is a
//! function of q = sum g x alone, whatever the order in which the pulses end:
//! dV = -(I T / C) s(V) dq with s = 1 above the saturation voltage Vs and V/Vs below (sources), or
//! s = V/V0 (resistors).
//!
//! T is chosen so that a line of which the fraction f of the cells is fully on makes the swing; the
//! voltage drop in units of (swing / f n) is then the read-out of q.

use serde::{Deserialize, Serialize};

use super::spec::CoreError;

/// Precharged lines. The defaults are the gain-cell array of Cosemans et al. (IEDM 2019).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PulseSpec {
    /// How a cell discharges its line.
    pub cell: PulseCell,
    /// Voltage of a charged line (V).
    pub precharge_v: f64,
    /// Voltage drop of a line at the active fraction (V).
    pub swing_v: f64,
    /// Line voltage below which current sources leave saturation (V).
    pub saturation_v: f64,
    /// Fraction of a line's full current that makes the swing.
    pub active_fraction: f64,
    /// Capacitance of a line per cell (F).
    pub cell_capacitance_f: f64,
    /// Largest current of a cell (A); of resistive cells, at the precharge voltage.
    pub cell_current_a: f64,
    /// Whether the logarithm of a resistive line is taken after the conversion; wants subtraction
    /// after the conversion.
    pub linearise: bool,
}

impl Default for PulseSpec {
    fn default() -> Self {
        Self {
            cell: PulseCell::CurrentSource,
            precharge_v: 1.0,
            swing_v: 0.5,
            saturation_v: 0.5,
            active_fraction: 0.25,
            cell_capacitance_f: 1e-16,
            cell_current_a: 2e-7,
            linearise: false,
        }
    }
}

/// How a cell discharges its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PulseCell {
    /// A constant current down to `saturation_v`, then one that is proportional to the voltage.
    CurrentSource,
    /// A current proportional to the voltage.
    Resistive,
}

impl PulseSpec {
    /// Whether the numbers make sense.
    ///
    /// # Errors
    /// [`CoreError::Spec`] with the first key that does not.
    pub fn check(&self) -> Result<(), CoreError> {
        for (key, value) in [
            ("pulse.precharge_v", self.precharge_v),
            ("pulse.swing_v", self.swing_v),
            ("pulse.active_fraction", self.active_fraction),
            ("pulse.cell_capacitance_f", self.cell_capacitance_f),
            ("pulse.cell_current_a", self.cell_current_a),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(CoreError::Spec { key, found: value.to_string(), expected: "a positive number" });
            }
        }
        for (key, value, expected) in [
            ("pulse.swing_v", self.swing_v, "less than precharge_v"),
            ("pulse.saturation_v", self.saturation_v, "0 or more, less than precharge_v"),
        ] {
            if !(value >= 0.0 && value < self.precharge_v) {
                return Err(CoreError::Spec { key, found: value.to_string(), expected });
            }
        }
        Ok(())
    }

    /// Width of the pulse of a full input (s): time in which the active fraction makes the swing.
    /// It does not depend on the length of the line.
    pub fn full_pulse_s(&self) -> f64 {
        let per_volt = self.cell_capacitance_f / (self.active_fraction * self.cell_current_a);
        per_volt
            * match self.cell {
                PulseCell::CurrentSource if self.precharge_v - self.swing_v >= self.saturation_v => {
                    self.swing_v
                }
                PulseCell::CurrentSource => {
                    let linear = self.precharge_v - self.saturation_v;
                    let rest = (self.saturation_v / (self.precharge_v - self.swing_v)).ln();
                    linear + self.saturation_v * rest
                }
                PulseCell::Resistive => self.precharge_v * self.decades(),
            }
    }

    /// ln(V0 / (V0 - swing)).
    fn decades(&self) -> f64 {
        -(-self.swing_v / self.precharge_v).ln_1p()
    }
}

/// Lines of a number of cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PulseLine {
    spec: PulseSpec,
    /// f n: the sum that makes the swing.
    sum_at_swing: f64,
    /// Charge of the sum one, as a voltage on the line of a current source (V).
    volt_per_sum: f64,
}

impl PulseLine {
    /// Lines of `cells` cells, of a specification that [`PulseSpec::check`] accepts.
    pub fn new(spec: &PulseSpec, cells: usize) -> Self {
        let cells = cells.max(1) as f64;
        let volt_per_sum = spec.cell_current_a * spec.full_pulse_s() / (spec.cell_capacitance_f * cells);
        Self { spec: *spec, sum_at_swing: spec.active_fraction * cells, volt_per_sum }
    }

    /// Voltage at the end of the pulses (V) for a sum q = sum g x.
    pub fn voltage(&self, sum: f64) -> f64 {
        let PulseSpec { precharge_v, saturation_v, .. } = self.spec;
        let charge = self.volt_per_sum * sum;
        match self.spec.cell {
            PulseCell::Resistive => precharge_v * (-charge / precharge_v).exp(),
            PulseCell::CurrentSource => {
                let linear = precharge_v - saturation_v;
                match charge - linear {
                    below if below <= 0.0 => precharge_v - charge,
                    _ if saturation_v == 0.0 => 0.0,
                    beyond => saturation_v * (-beyond / saturation_v).exp(),
                }
            }
        }
    }

    /// What a sum reads as: the voltage drop in units of (swing / f n); and whether current sources
    /// left saturation or, for resistive cells, the drop exceeds the swing.
    pub fn read(&self, sum: f64) -> (f64, bool) {
        let drop = self.spec.precharge_v - self.voltage(sum);
        let limit = match self.spec.cell {
            PulseCell::CurrentSource => self.spec.precharge_v - self.spec.saturation_v,
            PulseCell::Resistive => self.spec.swing_v,
        };
        // Slack for rounding: a sum exactly at the limit has not passed it.
        (drop * self.sum_at_swing / self.spec.swing_v, drop > limit * (1.0 + 1e-12))
    }

    /// The sum that stands behind a read-out of resistive cells; a read-out of the whole precharge
    /// or more gives the largest number that the logarithm of an f64 step allows.
    pub fn linearised(&self, read: f64) -> f64 {
        let drop = read * self.spec.swing_v / self.sum_at_swing;
        let left = (1.0 - drop / self.spec.precharge_v).max(f64::EPSILON);
        -self.spec.precharge_v * left.ln() / self.volt_per_sum
    }
}

/// Voltage drop (V) along a clamped line of `cells` current sources of `current_a` with `wire_ohm` per
/// cell: r I sum of k.
pub fn drop_of_current_sources_v(cells: usize, current_a: f64, wire_ohm: f64) -> f64 {
    let n = cells as f64;
    0.5 * current_a * wire_ohm * n * (n + 1.0)
}

/// Voltage at the end of a line of `cells` resistors of `cell_ohm` with `wire_ohm` per cell, in units of
/// the clamped voltage, in the continuous limit: 1 / cosh(n sqrt(r/R)).
pub fn end_voltage_of_resistors(cells: usize, cell_ohm: f64, wire_ohm: f64) -> f64 {
    1.0 / (cells as f64 * (wire_ohm / cell_ohm).sqrt()).cosh()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Cosemans et al. (IEDM 2019), figure 6: a drop of 0.5 V, 0.1 fF per cell, a quarter of the cells.
    #[test]
    fn discharge_times() {
        for (current, time) in [(1e-6, 0.2e-9), (2e-7, 1.0e-9), (1e-7, 2.0e-9)] {
            let spec = PulseSpec { cell_current_a: current, ..PulseSpec::default() };
            assert!((spec.full_pulse_s() / time - 1.0).abs() < 1e-12);
        }
        // To the digits of the figure.
        for (ohm, time) in [(1e6, 0.277e-9), (3.6e6, 1.0e-9), (5e6, 1.39e-9), (10e6, 2.77e-9)] {
            let cell = PulseCell::Resistive;
            let spec = PulseSpec { cell, cell_current_a: 1.0 / ohm, ..PulseSpec::default() };
            assert!((spec.full_pulse_s() / time - 1.0).abs() < 3e-3, "{ohm}");
        }
    }

    /// Figure 5 of the same: 1024 cells, 1 ohm per cell.
    #[test]
    fn voltage_drops() {
        for (current, drop) in [(2e-6, 1.050), (1e-6, 0.5248), (2e-7, 0.1050)] {
            assert!((drop_of_current_sources_v(1024, current, 1.0) - drop).abs() < 5e-4);
        }
        for (ohm, end) in [(0.1e6, 0.078), (0.3e6, 0.301), (1e6, 0.636), (5e6, 0.9035), (10e6, 0.950)] {
            let continuous = end_voltage_of_resistors(1024, ohm, 1.0);
            assert!((continuous - end).abs() < 6e-4, "{ohm}");
            // The ladder itself, from its open end to the clamp.
            let (mut v, mut i) = (1.0, 0.0);
            for _ in 0..1024 {
                i += v / ohm;
                v += i;
            }
            assert!((1.0 / v - continuous).abs() < 4e-3, "{ohm}");
        }
    }

    /// The closed form against a step-by-step integration of pulses of different widths.
    #[test]
    fn equals_the_integral_over_time() {
        for cell in [PulseCell::CurrentSource, PulseCell::Resistive] {
            let spec = PulseSpec { cell, saturation_v: 0.7, ..PulseSpec::default() };
            let line = PulseLine::new(&spec, 8);
            let g = [1.0, 0.3, 0.8, 0.05, 0.6, 0.9, 0.2, 0.4];
            let x = [0.9, 0.2, 0.7, 1.0, 0.1, 0.5, 0.8, 0.33];
            let steps = 100_000;
            let dt = spec.full_pulse_s() / f64::from(steps);
            let mut v = spec.precharge_v;
            for step in 0..steps {
                let now = (f64::from(step) + 0.5) / f64::from(steps);
                let open: f64 = g.iter().zip(x).filter(|(_, x)| now < *x).map(|(g, _)| g).sum();
                let share = match cell {
                    PulseCell::Resistive => v / spec.precharge_v,
                    PulseCell::CurrentSource => (v / spec.saturation_v).min(1.0),
                };
                v -= spec.cell_current_a * open * share * dt / (8.0 * spec.cell_capacitance_f);
            }
            let sum = g.iter().zip(x).map(|(g, x)| g * x).sum();
            // Euler's error at 1e5 steps.
            assert!((line.voltage(sum) - v).abs() < 1e-5, "{cell:?}: {} {v}", line.voltage(sum));
        }
    }

    proptest! {
        #[test]
        fn lines_are_monotone_linear_at_first_and_invertible(
            cells in 1usize..2000, swing in 0.05f64..0.9, saturation in 0.0f64..0.95,
            active in 0.05f64..1.0, a in 0.0f64..1.0, b in 0.0f64..1.0, resistive: bool,
        ) {
            let cell = if resistive { PulseCell::Resistive } else { PulseCell::CurrentSource };
            let spec = PulseSpec {
                cell, swing_v: swing, saturation_v: saturation, active_fraction: active, ..PulseSpec::default()
            };
            prop_assert_eq!(spec.check(), Ok(()));
            let line = PulseLine::new(&spec, cells);
            let n = cells as f64;
            let (lo, hi) = (a.min(b) * n, a.max(b) * n);
            prop_assert!(line.voltage(lo) >= line.voltage(hi) && line.voltage(hi) >= 0.0);
            // The active fraction makes the swing.
            prop_assert!((line.voltage(active * n) - (1.0 - swing)).abs() < 1e-9);
            let (read, passed) = line.read(hi);
            if resistive {
                if line.voltage(hi) > 1e-3 {
                    prop_assert!((line.linearised(read) - hi).abs() < 1e-9 * n);
                }
            } else if !passed && 1.0 - swing >= saturation {
                prop_assert!((read - hi).abs() < 1e-9 * n, "{read} {hi}");
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for spec in [
            PulseSpec { swing_v: 1.0, ..PulseSpec::default() },
            PulseSpec { saturation_v: f64::NAN, ..PulseSpec::default() },
            PulseSpec { active_fraction: 0.0, ..PulseSpec::default() },
            PulseSpec { cell_current_a: f64::INFINITY, ..PulseSpec::default() },
        ] {
            assert!(spec.check().is_err());
        }
    }
}
