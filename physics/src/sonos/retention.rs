//! Retention of a charge profile: every trap empties with its own rate.
//!
//! Traps differ in place and in depth ([`Emission::levels`]). With constant fields each population is an
//! exponential in time, so there is no error in time; where the field lowers the thermal barrier
//! (Poole-Frenkel), fields follow the charge in logarithmic steps.

use crate::sonos::Stack;
use crate::sonos::collection::SurfacePotential;
use crate::sonos::emission::Emission;
use crate::sonos::profile::Profile;
use crate::sonos::surface::Surface;

/// Retention of one kind of cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retention {
    /// The cell, with its temperature.
    pub stack: Stack,
    /// Emission of what is stored.
    pub emission: Emission,
    /// Number of trap depths that stand for the spread.
    pub levels: usize,
    /// Gate voltage in V meanwhile.
    pub gate_v: f64,
    /// How the surface potential is found.
    pub surface_potential: SurfacePotential,
    /// Whether fields follow the charge; else they stay those of the start.
    pub follow_fields: bool,
}

/// What is left at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    /// Time in s.
    pub time_s: f64,
    /// The charge.
    pub profile: Profile,
}

/// Steps per decade of time while fields follow the charge; the steps are of second order.
const STEPS_PER_DECADE: f64 = 24.0;

impl Retention {
    /// What is left of a profile at each of `times_s` (ascending, not negative).
    #[must_use]
    pub fn follow(&self, start: &Profile, times_s: &[f64]) -> Vec<Left> {
        let depths = self.emission.levels(self.levels);
        let tunnelling = self.tunnelling_rates(start, &depths);
        let mut populations: Vec<f64> = start
            .cells
            .iter()
            .flat_map(|charge| depths.iter().map(move |(_, weight)| charge * weight))
            .collect();
        let collect = |populations: &[f64]| Profile {
            cells: populations.chunks(depths.len()).map(|chunk| chunk.iter().sum()).collect(),
            width_m: start.width_m,
        };
        let fixed = !(self.follow_fields && self.emission.thermal && self.emission.poole_frenkel);
        let first_rates = self.rates(start, &depths, &tunnelling);
        let mut now = 0.0;
        times_s
            .iter()
            .map(|&time| {
                if fixed {
                    decay(&mut populations, &first_rates, time - now);
                    now = time;
                }
                while now < time {
                    let rates = self.rates(&collect(&populations), &depths, &tunnelling);
                    // The first step is over before the fastest trap that holds anything has emptied.
                    let next = if now > 0.0 {
                        now * 10f64.powf(1.0 / STEPS_PER_DECADE)
                    } else {
                        0.03 / fastest(&populations, &rates)
                    };
                    let next = if next.is_finite() && next > now { next.min(time) } else { time };
                    let mut predicted = populations.clone();
                    decay(&mut predicted, &rates, next - now);
                    let later = self.rates(&collect(&predicted), &depths, &tunnelling);
                    let mean: Vec<f64> = rates.iter().zip(later).map(|(a, b)| 0.5 * (a + b)).collect();
                    decay(&mut populations, &mean, next - now);
                    now = next;
                }
                Left { time_s: time, profile: collect(&populations) }
            })
            .collect()
    }

    fn tunnelling_rates(&self, start: &Profile, depths: &[(f64, f64)]) -> Vec<f64> {
        (0..start.cells.len())
            .flat_map(|index| {
                let place = start.place_m(index);
                depths.iter().map(move |(depth, _)| self.emission.tunnelling_rate(&self.stack, *depth, place))
            })
            .collect()
    }

    /// Rates in 1/s by cell and depth under the fields of a profile.
    fn rates(&self, profile: &Profile, depths: &[(f64, f64)], tunnelling: &[f64]) -> Vec<f64> {
        let psi = match self.surface_potential {
            SurfacePotential::Fixed(psi) => psi,
            SurfacePotential::SelfConsistent => {
                let effective = self.gate_v - self.stack.phi_ms_v - profile.shift_v(&self.stack);
                Surface::new(&self.stack).psi_s(effective, 0.0)
            }
        };
        let tunnel = profile.fields(&self.stack, self.gate_v, psi).tunnel_v_per_m;
        profile
            .nitride_fields(&self.stack, tunnel)
            .iter()
            .flat_map(|field| {
                depths
                    .iter()
                    .map(|(depth, _)| self.emission.thermal_rate(self.stack.temperature_k, *depth, *field))
            })
            .zip(tunnelling)
            .map(|(thermal, tunnelling)| thermal + tunnelling)
            .collect()
    }
}

fn decay(populations: &mut [f64], rates: &[f64], span_s: f64) {
    populations.iter_mut().zip(rates).for_each(|(value, rate)| *value *= (-rate * span_s).exp());
}

fn fastest(populations: &[f64], rates: &[f64]) -> f64 {
    populations
        .iter()
        .zip(rates)
        .filter(|(value, _)| **value != 0.0)
        .map(|(_, rate)| *rate)
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn retention(emission: Emission) -> Retention {
        Retention {
            stack: Stack::default(),
            emission,
            levels: 15,
            gate_v: 0.0,
            surface_potential: SurfacePotential::SelfConsistent,
            follow_fields: true,
        }
    }

    const TUNNELLING: Emission = Emission { thermal: false, ..Emission::ELECTRONS };

    fn even(cells: usize, shift_v: f64) -> Profile {
        let stack = Stack::default();
        Profile::even(&stack, cells, 0.0, stack.nitride_m, shift_v)
    }

    /// An even profile loses 0.269 nm of 8 nm per decade: 3.36 % of its charge. The threshold loses more by
    /// the weight of the place, 2.09/1.56 at the tunnel oxide, falling with the front.
    #[test]
    fn even_profile_is_linear_in_the_logarithm_of_time() {
        let start = even(800, 1.0);
        let times: Vec<f64> = (1..9).map(|decade| 10f64.powi(decade)).collect();
        let left = retention(TUNNELLING).follow(&start, &times);
        for pair in left.windows(2) {
            let lost = (pair[1].profile.charge() - pair[0].profile.charge()) / start.charge();
            assert!((lost + 0.03359).abs() < 1e-4, "{lost}");
        }
        let stack = Stack::default();
        let front = TUNNELLING.front_m(&stack, 1e4) + 0.5 * 0.269e-9;
        let weight = stack.top_capacitance(4e-9) / stack.top_capacitance(front);
        let lost = left[4].profile.shift_v(&stack) - left[3].profile.shift_v(&stack);
        assert!((lost / (-0.03359 * weight) - 1.0).abs() < 0.01, "{lost}");
    }

    /// The place at which half of the charge is left moves as the closed form says.
    #[test]
    fn front_is_where_it_should_be() {
        let start = even(800, 1.0);
        for time in [1e2, 1e5, 1e8] {
            let left = retention(TUNNELLING).follow(&start, &[time]);
            let half = left[0]
                .profile
                .cells
                .iter()
                .zip(&start.cells)
                .position(|(now, before)| now / before > (-1.0f64).exp())
                .unwrap();
            let front = TUNNELLING.front_m(&Stack::default(), time);
            // One cell is 0.01 nm.
            assert!((start.place_m(half) - front).abs() < 0.011e-9, "{time}: {front}");
        }
    }

    /// Heat alone, one depth, no field: one exponential, wherever the charge is.
    #[test]
    fn heat_alone_is_an_exponential() {
        let emission = Emission { tunnelling: false, poole_frenkel: false, ..Emission::ELECTRONS };
        let mut hot = retention(emission);
        hot.stack = hot.stack.at_temperature(500.0);
        let rate = emission.thermal_rate(500.0, 1.4, 0.0);
        let left = hot.follow(&even(20, 1.0), &[0.5 / rate, 2.0 / rate]);
        for (found, expected) in left.iter().zip([0.5f64, 2.0]) {
            let ratio = found.profile.charge() / even(20, 1.0).charge();
            assert!((ratio - (-expected).exp()).abs() < 1e-12, "{ratio}");
        }
    }

    /// With a spread of depths the threshold falls over decades: half is gone when the demarcation energy
    /// passes the mean depth.
    #[test]
    fn demarcation_passes_the_mean_depth() {
        let emission =
            Emission { tunnelling: false, poole_frenkel: false, depth_spread_ev: 0.1, ..Emission::ELECTRONS };
        let mut hot = retention(emission);
        hot.levels = 60;
        hot.stack = hot.stack.at_temperature(400.0);
        let factor = emission.thermal_factor(400.0);
        let kt = crate::constants::thermal_voltage(400.0);
        // exp(−e^(−u)) is a Gumbel distribution in u = ln of the time constant over the time, with mean γ:
        // a wide, symmetric spread of depths is half empty where ln(time / mean time constant) = −γ.
        let time = (-0.577_216f64).exp() * (1.4 / kt).exp() / factor;
        let left = hot.follow(&even(4, 1.0), &[time]);
        let ratio = left[0].profile.charge() / even(4, 1.0).charge();
        assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
    }

    /// Steps with moving fields converge: twice as many times in between change little.
    #[test]
    fn field_steps_are_fine_enough() {
        let hot = retention(Emission { depth_ev: 1.6, ..Emission::ELECTRONS });
        let coarse = hot.follow(&even(40, 1.5), &[1e7]);
        let many: Vec<f64> = (0..300).map(|index| 10f64.powf(-5.0 + 0.04 * f64::from(index))).collect();
        let mut with_end = many.clone();
        with_end.retain(|time| *time < 1e7);
        with_end.push(1e7);
        let fine = hot.follow(&even(40, 1.5), &with_end);
        let stack = Stack::default();
        let (a, b) = (coarse[0].profile.shift_v(&stack), fine.last().unwrap().profile.shift_v(&stack));
        assert!((a - b).abs() < 1e-3, "{a} {b}");
        assert!(a > 0.05 && a < 1.45);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Nothing grows, nothing turns its sign, for any physical cell.
        #[test]
        fn charge_only_leaves(
            depth_ev in 0.2f64..2.5, spread in 0.0f64..0.3, temperature in 220.0f64..480.0,
            shift in -3.0f64..3.0, time in -6.0f64..11.0, gate_v in -10.0f64..10.0,
        ) {
            let emission = Emission { depth_ev, depth_spread_ev: spread, ..Emission::ELECTRONS };
            let mut cell = retention(emission);
            cell.gate_v = gate_v;
            cell.stack = cell.stack.at_temperature(temperature);
            let start = even(16, shift);
            let left = cell.follow(&start, &[10f64.powf(time)]);
            for (now, before) in left[0].profile.cells.iter().zip(&start.cells) {
                prop_assert!(now.is_finite() && now.abs() <= before.abs() * (1.0 + 1e-12));
                prop_assert!(now * before >= 0.0);
            }
        }
    }
}
