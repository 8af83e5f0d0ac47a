//! The circuit of contact, disc, plug and wires at one voltage and one state of the disc.

use super::Law;
use crate::constants::{BOLTZMANN as K, ELECTRON_MASS, ELEMENTARY_CHARGE as Q, PLANCK, VACUUM_PERMITTIVITY};
use std::f64::consts::PI;

/// Currents, voltages and temperature at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OperatingPoint {
    /// Electronic current in A.
    pub current_a: f64,
    /// Ionic current in A.
    pub ion_current_a: f64,
    /// Voltage in V over the contact.
    pub schottky_v: f64,
    /// Voltage in V over the disc.
    pub disc_v: f64,
    /// Voltage in V over the plug.
    pub plug_v: f64,
    /// Voltage in V over TiOx layer and line.
    pub series_v: f64,
    /// Temperature in K.
    pub temperature_k: f64,
    /// The field would lower the hopping barrier below zero; it was held at zero.
    pub barrier_gone: bool,
}

/// Relative accuracy of the current.
const ACCURACY: f64 = 1e-14;
/// The smallest voltage over the contact that is sought, relative to the whole.
const SMALLEST: f64 = 1e-30;
/// Steps in which flat bands are approached in search of the first current that fits.
const SEARCH: u32 = 32;

impl Law {
    /// Resistance in ohm of disc and plug.
    fn resistances(&self, density: f64) -> [f64; 2] {
        let conductivity = |density: f64| density * self.valence * Q * self.mobility_m2_vs;
        [
            self.disc_length_m / (conductivity(density) * self.area()),
            (self.length_m - self.disc_length_m) / (conductivity(self.plug_density) * self.area()),
        ]
    }

    /// Voltage in V over TiOx layer and line, which warms up.
    fn series_voltage(&self, current: f64) -> f64 {
        let warming = self.line_ohm * current * current * self.line_per_k * self.line_thermal_k_w;
        current * (self.oxide_ohm + self.line_ohm * (1.0 + warming))
    }

    /// Barrier of the contact in V, lowered by the image force.
    fn barrier(&self, schottky_v: f64, density: f64) -> f64 {
        let bending = (self.barrier_ev - self.fermi_ev - schottky_v).max(0.0);
        let permittivity = self.image_permittivity * VACUUM_PERMITTIVITY;
        let lowering = (Q.powi(3) / (permittivity.powi(3)) * self.valence * density * bending
            / (8.0 * PI * PI))
            .powf(0.25);
        (self.barrier_ev - lowering).max(0.0)
    }

    /// Current in A through the contact for a voltage in V of either sign.
    fn schottky_current(&self, voltage: f64, density: f64, temperature: f64) -> f64 {
        let thermal = K * temperature;
        let barrier = Q * self.barrier(voltage, density);
        if voltage >= 0.0 {
            return self.area()
                * self.richardson
                * temperature.powi(2)
                * (-barrier / thermal).exp()
                * (Q * voltage / thermal).exp_m1();
        }
        let permittivity = self.permittivity * VACUUM_PERMITTIVITY;
        // The characteristic energy of tunnelling W00 = (q h/4 pi) sqrt(z N/(m eps)).
        let tunnelling = Q * PLANCK / (4.0 * PI)
            * (self.valence * density / (self.mass * ELECTRON_MASS * permittivity)).sqrt();
        let ratio = tunnelling / thermal;
        let slope = tunnelling / ratio.tanh();
        let opening = tunnelling / (ratio - ratio.tanh());
        let height = -Q * voltage + barrier / ratio.cosh().powi(2);
        -self.area() * self.richardson * temperature / K
            * (PI * tunnelling * height).sqrt()
            * (-barrier / slope).exp()
            * (-Q * voltage / opening).exp_m1()
    }

    /// Current and voltages at a voltage in V and a vacancy density of the disc in 1/m³.
    ///
    /// With the voltage over the contact given, everything else follows, temperature included; what is sought
    /// is the one at which the contact carries the current of the rest. In forward direction the barrier
    /// returns so steeply where the bands become flat that up to three currents fit; the one with the least
    /// voltage over the contact is taken, which is where a rise from 0 V leads.
    #[must_use]
    pub fn operating_point(&self, voltage_v: f64, density: f64) -> OperatingPoint {
        let cold = OperatingPoint { temperature_k: self.ambient_k, ..OperatingPoint::default() };
        if voltage_v == 0.0 || !voltage_v.is_finite() || density.is_nan() || density <= 0.0 {
            return cold;
        }
        let at = |schottky: f64| {
            let left = voltage_v - schottky;
            let current = self.shorted_current(left.abs(), density).copysign(voltage_v);
            self.point(voltage_v, schottky, density, current)
        };
        // ln(current of the rest/current of the contact) by the logarithm of the contact's voltage.
        let mismatch = |logarithm: f64| {
            let point = at(logarithm.exp().copysign(voltage_v));
            let carried = self.schottky_current(point.schottky_v, density, point.temperature_k);
            (point.current_a / carried).ln()
        };
        let most = voltage_v.abs().ln();
        let (mut low, mut high) = (most + SMALLEST.ln(), most);
        let flat = self.barrier_ev - self.fermi_ev;
        if voltage_v > 0.0 && flat > 0.0 {
            let steps = (1..=SEARCH).map(|part| (flat * f64::from(part) / f64::from(SEARCH)).ln());
            for step in steps.take_while(|&step| step < most) {
                if mismatch(step) <= 0.0 {
                    high = step;
                    break;
                }
                low = step;
            }
        }
        let mut point = at(root(mismatch, low, high).exp().copysign(voltage_v));
        (point.ion_current_a, point.barrier_gone) = self.ion_current(&point, density);
        point
    }

    fn point(&self, voltage: f64, schottky_v: f64, density: f64, current: f64) -> OperatingPoint {
        let [disc, plug] = self.resistances(density);
        let series_v = self.series_voltage(current);
        let (disc_v, plug_v) = (current * disc, current * plug);
        let factor = if voltage > 0.0 { self.reset_thermal_factor } else { 1.0 };
        let power = (current * (schottky_v + disc_v + plug_v)).max(0.0);
        OperatingPoint {
            current_a: current,
            ion_current_a: 0.0,
            schottky_v,
            disc_v,
            plug_v,
            series_v,
            temperature_k: self.ambient_k + power * factor * self.thermal_k_w,
            barrier_gone: false,
        }
    }

    /// Current in A without a contact: Newton's method on a convex function, from above.
    fn shorted_current(&self, voltage: f64, density: f64) -> f64 {
        let [disc, plug] = self.resistances(density);
        let linear = disc + plug + self.oxide_ohm + self.line_ohm;
        let cubic = self.line_ohm.powi(2) * self.line_per_k * self.line_thermal_k_w;
        let mut current = voltage / linear;
        for _ in 0..200 {
            let excess = current * (linear + cubic * current * current) - voltage;
            let next = current - excess / (linear + 3.0 * cubic * current * current);
            if (next - current).abs() <= 1e-15 * current {
                break;
            }
            current = next;
        }
        current
    }

    /// Ionic current in A, and whether the field takes the whole barrier.
    fn ion_current(&self, point: &OperatingPoint, density: f64) -> (f64, bool) {
        let set = point.current_a < 0.0;
        let (field, limit) = if set {
            (point.disc_v.abs() / self.disc_length_m, 1.0 - (density / self.density_max).powi(10))
        } else {
            (
                (point.schottky_v + point.disc_v + point.plug_v).abs() / self.length_m,
                1.0 - (self.density_min / density).powi(10),
            )
        };
        let lowering = self.valence * self.hop_m * field / (PI * self.hop_barrier_ev);
        let gone = lowering > 1.0;
        let lowering = lowering.min(1.0);
        let even = (1.0 - lowering * lowering).sqrt() + lowering * lowering.asin();
        let thermal = K * point.temperature_k / (Q * self.hop_barrier_ev);
        // exp(-dW_min/kT) - exp(-dW_max/kT) without cancellation.
        let hops = 2.0 * (-even / thermal).exp() * (0.5 * PI * lowering / thermal).sinh();
        let carriers = 0.5 * (self.plug_density + density);
        let size = self.valence * Q * carriers * self.hop_m * self.attempt_hz * self.area() * hops * limit;
        (size * point.current_a.signum(), gone)
    }
}

/// The zero of a falling function between `low` and `high`: secants kept in a bracket (Illinois), halves
/// where a value is not finite.
fn root(function: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let (mut low, mut high) = ((low, function(low)), (high, function(high)));
    let mut last_side = 0;
    for round in 0..400 {
        let secant = (low.0 * high.1 - high.0 * low.1) / (high.1 - low.1);
        let at =
            if secant > low.0 && secant < high.0 && round % 8 != 7 { secant } else { 0.5 * (low.0 + high.0) };
        let value = function(at);
        if value == 0.0 || high.0 - low.0 <= ACCURACY * at.abs().max(1.0) {
            return at;
        }
        if value > 0.0 {
            if value.abs() <= ACCURACY {
                return at;
            }
            low = (at, value);
            if last_side == 1 {
                high.1 *= 0.5;
            }
            last_side = 1;
        } else {
            if value.abs() <= ACCURACY {
                return at;
            }
            high = (at, value);
            if last_side == -1 {
                low.1 *= 0.5;
            }
            last_side = -1;
        }
    }
    0.5 * (low.0 + high.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contact_carries_the_current() {
        let law = Law::default();
        for density in [0.008e26, 0.1e26, 1e26, 20e26] {
            for voltage in [-2.0, -0.8, -0.2, -1e-3, 1e-6, 0.1, 0.9, 2.0] {
                let point = law.operating_point(voltage, density);
                let carried = law.schottky_current(point.schottky_v, density, point.temperature_k);
                // A high barrier leaves tiny differences of large voltages elsewhere.
                assert!((carried / point.current_a - 1.0).abs() < 1e-6, "{voltage} {density:e}: {point:?}");
            }
        }
    }

    /// In reverse direction one current fits; in forward direction none fits at a smaller contact voltage.
    #[test]
    fn the_branch_from_rest_is_taken() {
        let law = Law::default();
        for step in 0..12 {
            let density = law.density_min * (law.density_max / law.density_min).powf(f64::from(step) / 11.0);
            for millivolt in (-2500..=2500).step_by(100).filter(|&millivolt| millivolt != 0) {
                let voltage = 1e-3 * f64::from(millivolt);
                let found = law.operating_point(voltage, density);
                for part in 1..200 {
                    let schottky = voltage * f64::from(part) / 200.0;
                    let current = law.shorted_current((voltage - schottky).abs(), density).copysign(voltage);
                    let point = law.point(voltage, schottky, density, current);
                    let carried = law.schottky_current(schottky, density, point.temperature_k);
                    let beyond = schottky.abs() > found.schottky_v.abs();
                    if voltage < 0.0 || !beyond {
                        assert_eq!((carried / current) > 1.0, beyond, "{voltage} {density:e} {schottky}");
                    }
                }
            }
        }
    }

    #[test]
    fn resistances_of_the_filament() {
        // 0.4 nm of 2e27 per m³ over a 45 nm radius: 24.5 ohm.
        let [disc, plug] = Law::default().resistances(20e26);
        assert!((disc - 24.53).abs() < 0.02, "{disc}");
        assert!((plug / disc - 6.5).abs() < 1e-9);
    }
}
