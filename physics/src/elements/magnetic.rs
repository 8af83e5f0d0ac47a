//! Magnetic tunnel junctions: resistance, magnetoresistance, switching.

use crate::constants::thermal_voltage;

/// A junction with two resistances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Junction {
    /// Resistance-area product of the parallel state in Ω m² at the thickness below.
    pub resistance_area_ohm_m2: f64,
    /// Thickness of the MgO in m at which it holds.
    pub reference_thickness_m: f64,
    /// Thickness of this junction's MgO in m.
    pub thickness_m: f64,
    /// Thickness in m that multiplies the product by ten (measured; 0.30 to 0.35 nm).
    pub decade_m: f64,
    /// Area in m².
    pub area_m2: f64,
    /// Magnetoresistance (R_AP − R_P)/R_P at zero voltage.
    pub magnetoresistance: f64,
    /// Voltage in V at which it has fallen to one half.
    pub half_voltage_v: f64,
}

impl Junction {
    /// Resistance of the parallel state in Ω.
    #[must_use]
    pub fn parallel_ohm(&self) -> f64 {
        let thicker = (self.thickness_m - self.reference_thickness_m) / self.decade_m;
        self.resistance_area_ohm_m2 * 10f64.powf(thicker) / self.area_m2
    }

    /// Magnetoresistance at a voltage: TMR₀/(1 + (V/V_h)²).
    #[must_use]
    pub fn magnetoresistance_at(&self, voltage_v: f64) -> f64 {
        self.magnetoresistance / (1.0 + (voltage_v / self.half_voltage_v).powi(2))
    }

    /// Resistance of the antiparallel state in Ω at a voltage.
    #[must_use]
    pub fn antiparallel_ohm(&self, voltage_v: f64) -> f64 {
        self.parallel_ohm() * (1.0 + self.magnetoresistance_at(voltage_v))
    }

    /// Conductance in S at a voltage of `count` junctions in parallel of which `parallel` are in the parallel
    /// state: a weight of `count` + 1 levels.
    #[must_use]
    pub fn levels_s(&self, count: u32, parallel: u32, voltage_v: f64) -> f64 {
        let antiparallel = f64::from(count.saturating_sub(parallel)) / self.antiparallel_ohm(voltage_v);
        f64::from(parallel.min(count)) / self.parallel_ohm() + antiparallel
    }
}

/// Thermally activated switching by a current.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Switching {
    /// Barrier Δ over kT at 300 K (40 to 60).
    pub stability: f64,
    /// Critical current in A.
    pub critical_a: f64,
    /// Attempt time in s.
    pub attempt_s: f64,
    /// Temperature in K.
    pub temperature_k: f64,
}

impl Switching {
    /// Rate of switching in 1/s under a current in A: exp(−Δ (1 − I/I_c))/τ₀, no faster than the attempts.
    #[must_use]
    pub fn rate_per_s(&self, current_a: f64) -> f64 {
        let stability = self.stability * thermal_voltage(300.0) / thermal_voltage(self.temperature_k);
        (-stability * (1.0 - current_a / self.critical_a).max(0.0)).exp() / self.attempt_s
    }

    /// Probability that a pulse switches the junction: 1 − exp(−t · rate).
    #[must_use]
    pub fn probability(&self, current_a: f64, duration_s: f64) -> f64 {
        -(-duration_s * self.rate_per_s(current_a)).exp_m1()
    }

    /// Time in s after which half of all junctions have switched by themselves.
    #[must_use]
    pub fn retention_s(&self) -> f64 {
        std::f64::consts::LN_2 / self.rate_per_s(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn junction(thickness_nm: f64) -> Junction {
        Junction {
            resistance_area_ohm_m2: 10e-12,
            reference_thickness_m: 1e-9,
            thickness_m: 1e-9 * thickness_nm,
            decade_m: 0.32e-9,
            area_m2: 3e-15,
            magnetoresistance: 1.2,
            half_voltage_v: 0.5,
        }
    }

    #[test]
    fn thicker_oxide_reaches_megohms() {
        assert!((junction(1.32).parallel_ohm() / junction(1.0).parallel_ohm() - 10.0).abs() < 1e-9);
        let megohms = junction(2.0).parallel_ohm();
        assert!((1e6..1e7).contains(&megohms), "{megohms}");
        assert!((junction(1.0).antiparallel_ohm(0.5) / junction(1.0).parallel_ohm() - 1.6).abs() < 1e-12);
    }

    #[test]
    fn levels_are_evenly_spaced() {
        let junction = junction(2.0);
        let levels: Vec<f64> = (0..=2).map(|parallel| junction.levels_s(2, parallel, 0.1)).collect();
        assert!((levels[2] - 2.0 * levels[1] + levels[0]).abs() < 1e-12 * levels[2]);
    }

    proptest! {
        #[test]
        fn probabilities(current in -2e-4..2e-4f64, more in 0.0..1e-4f64, time in 0.0..1e-6f64) {
            let law = Switching { stability: 50.0, critical_a: 1e-4, attempt_s: 1e-9, temperature_k: 350.0 };
            let p = law.probability(current, time);
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!(law.probability(current + more, time) >= p);
            prop_assert!(law.probability(current, 2.0 * time) >= p);
            prop_assert_eq!(law.probability(current, 0.0), 0.0);
        }
    }

    #[test]
    fn retention_of_a_stable_junction() {
        let law = Switching { stability: 60.0, critical_a: 1e-4, attempt_s: 1e-9, temperature_k: 300.0 };
        assert!((law.retention_s() / (1e-9 * 60f64.exp() * std::f64::consts::LN_2) - 1.0).abs() < 1e-12);
    }
}
