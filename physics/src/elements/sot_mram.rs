//! Magnetic tunnel junctions switched by spin-orbit torque (SOT-MRAM), read through a thick barrier.
//!
//! R_P = RA/A_j with RA(t) = RA₀ exp(2κ(t − t₀)); TMR(V) = TMR₀/(1 + (V/V_h)²); switching by heat under
//! current, P = 1 − exp(−(t/τ₀) exp(−Δ(1 − I/I_c))). Sources: S. Yuasa et al., Nature Materials 3, 868 (2004)
//! (barrier and TMR); Z. Li and S. Zhang, Phys. Rev. B 69, 134416 (2004) (thermally assisted switching);
//! J. Doevenspeck et al., VLSI 2020 (SOT-MRAM of megaohms for analogue inference).

/// A junction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Junction {
    /// Area in m².
    pub area_m2: f64,
    /// Resistance-area product in Ω m² at the reference thickness, parallel state.
    pub resistance_area_ohm_m2: f64,
    /// Reference thickness of the barrier in m.
    pub reference_m: f64,
    /// Thickness of the barrier in m.
    pub barrier_m: f64,
    /// Thickness in m that makes the resistance ten times larger.
    pub decade_m: f64,
    /// Magnetoresistance (R_AP − R_P)/R_P at no voltage.
    pub magnetoresistance: f64,
    /// Voltage in V at which half of it is left.
    pub half_v: f64,
    /// Spread of resistance between junctions, relative.
    pub spread: f64,
}

impl Junction {
    /// Decay constant κ of the barrier in 1/m.
    #[must_use]
    pub fn decay_per_m(&self) -> f64 {
        std::f64::consts::LN_10 / (2.0 * self.decade_m)
    }

    /// Resistance in Ω of the parallel state.
    #[must_use]
    pub fn parallel_ohm(&self) -> f64 {
        let thicker = self.barrier_m - self.reference_m;
        self.resistance_area_ohm_m2 * (2.0 * self.decay_per_m() * thicker).exp() / self.area_m2
    }

    /// Magnetoresistance at a voltage in V.
    #[must_use]
    pub fn magnetoresistance_at(&self, volts: f64) -> f64 {
        self.magnetoresistance / (1.0 + (volts / self.half_v).powi(2))
    }

    /// Resistance in Ω of the antiparallel state at a voltage in V.
    #[must_use]
    pub fn antiparallel_ohm(&self, volts: f64) -> f64 {
        self.parallel_ohm() * (1.0 + self.magnetoresistance_at(volts))
    }

    /// Mean conductance in S and its standard deviation between cells, for `junctions` in parallel of which
    /// `parallel` are in the parallel state (first order in the spread).
    #[must_use]
    pub fn level(&self, junctions: u32, parallel: u32, volts: f64) -> (f64, f64) {
        let parallel = parallel.min(junctions);
        let (high, low) = (1.0 / self.parallel_ohm(), 1.0 / self.antiparallel_ohm(volts));
        let (ups, downs) = (f64::from(parallel), f64::from(junctions - parallel));
        (ups * high + downs * low, self.spread * (ups * high * high + downs * low * low).sqrt())
    }
}

/// How a junction switches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Switching {
    /// Thermal stability Δ: energy barrier over kT at the reference temperature.
    pub stability: f64,
    /// Critical current in A.
    pub critical_a: f64,
    /// Attempt time τ₀ in s.
    pub attempt_s: f64,
    /// Temperature in K of the stability.
    pub reference_k: f64,
}

impl Switching {
    /// Probability that a pulse switches.
    #[must_use]
    pub fn probability(&self, current_a: f64, width_s: f64, temperature_k: f64) -> f64 {
        let stability = self.stability * self.reference_k / temperature_k;
        // Above the critical current no barrier is left; the attempt time then limits.
        let barrier = (stability * (1.0 - current_a / self.critical_a)).max(0.0);
        -(-(width_s / self.attempt_s) * (-barrier).exp()).exp_m1()
    }

    /// Mean time in s until a junction flips by itself.
    #[must_use]
    pub fn retention_s(&self, temperature_k: f64) -> f64 {
        self.attempt_s * (self.stability * self.reference_k / temperature_k).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JUNCTION: Junction = Junction {
        area_m2: 1e-15,
        resistance_area_ohm_m2: 1e-11,
        reference_m: 1e-9,
        barrier_m: 1e-9,
        decade_m: 0.32e-9,
        magnetoresistance: 1.2,
        half_v: 0.5,
        spread: 0.05,
    };
    const SWITCHING: Switching =
        Switching { stability: 50.0, critical_a: 1e-4, attempt_s: 1e-9, reference_k: 300.0 };

    #[test]
    fn a_decade_thicker_is_ten_times_the_resistance() {
        let thick = Junction { barrier_m: 1.32e-9, ..JUNCTION };
        assert!((JUNCTION.parallel_ohm() / 1e4 - 1.0).abs() < 1e-12);
        assert!((thick.parallel_ohm() / JUNCTION.parallel_ohm() - 10.0).abs() < 1e-9);
        assert!((JUNCTION.antiparallel_ohm(0.0) / 2.2e4 - 1.0).abs() < 1e-12);
        assert!((JUNCTION.magnetoresistance_at(-0.5) - 0.6).abs() < 1e-12);
    }

    #[test]
    fn two_junctions_make_three_equidistant_levels() {
        let levels = [0, 1, 2].map(|parallel| JUNCTION.level(2, parallel, 0.1).0);
        assert!(((levels[2] - levels[1]) / (levels[1] - levels[0]) - 1.0).abs() < 1e-12);
        // Independent junctions: the relative spread of two equal ones falls by the root of 2.
        let (mean, spread) = JUNCTION.level(2, 2, 0.1);
        assert!((spread / mean - 0.05 / 2.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn limits_of_switching() {
        // At the critical current one attempt time switches with 1 − 1/e.
        assert!((SWITCHING.probability(1e-4, 1e-9, 300.0) - (1.0 - (-1.0_f64).exp())).abs() < 1e-12);
        assert_eq!(SWITCHING.probability(1e-4, 0.0, 300.0), 0.0);
        assert_eq!(SWITCHING.probability(2e-4, 1e-3, 300.0), 1.0);
        // Without current: time over retention.
        let expected = 1.0 / SWITCHING.retention_s(300.0);
        assert!((SWITCHING.probability(0.0, 1.0, 300.0) / expected - 1.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn probability_is_one_and_rises(current in -3e-4..3e-4_f64, more in 0.0..1e-4_f64,
                                        width in -12.0..3.0_f64, kelvin in 200.0..500.0_f64) {
            let width = 10f64.powf(width);
            let (less, more_p) =
                (SWITCHING.probability(current, width, kelvin), SWITCHING.probability(current + more, width, kelvin));
            prop_assert!((0.0..=1.0).contains(&less));
            prop_assert!(more_p >= less);
            prop_assert!(SWITCHING.probability(current, 2.0 * width, kelvin) >= less);
        }
    }
}
