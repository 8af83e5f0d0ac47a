//! The filament over time.

use super::super::implicit::{self, Accuracy, Stalled};
use super::{Driven, Law, Node, Thermal, UNIT};

/// Energies in J since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// Given by the source.
    pub supplied_j: f64,
    /// Made in the series resistor.
    pub series_j: f64,
    /// Made in the filament.
    pub joule_j: f64,
    /// Gone to the ends and sideways.
    pub lost_j: f64,
    /// Gain of the heat stored in the filament.
    pub gained_j: f64,
    /// Steps taken.
    pub steps: usize,
}

impl Totals {
    /// What the balance of heat misses.
    #[must_use]
    pub fn residual_j(&self) -> f64 {
        self.joule_j - self.lost_j - self.gained_j
    }

    /// What the balance of the circuit misses.
    #[must_use]
    pub fn circuit_residual_j(&self) -> f64 {
        self.supplied_j - self.series_j - self.joule_j
    }
}

/// A filament on its way.
#[derive(Debug, Clone)]
pub struct Device {
    law: Law,
    nodes: Vec<Node>,
    voltage_v: f64,
    step_s: f64,
    totals: Totals,
}

impl Device {
    /// A filament at rest and at ambient temperature with vacancy densities in 1/m³ at its nodes, one more
    /// than its cells.
    #[must_use]
    pub fn new(law: Law, densities: &[f64]) -> Self {
        let nodes = (0..=law.cells)
            .map(|index| [densities.get(index).map_or(0.0, |density| density / UNIT), law.ambient_k, 0.0])
            .collect();
        Self { law, nodes, voltage_v: 0.0, step_s: 0.0, totals: Totals::default() }
    }

    /// Its parameters.
    #[must_use]
    pub fn law(&self) -> &Law {
        &self.law
    }

    /// Energies since the start.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Places of the nodes in m.
    #[must_use]
    pub fn places(&self) -> Vec<f64> {
        (0..=self.law.cells).map(|index| index as f64 * self.law.spacing()).collect()
    }

    /// Vacancy densities in 1/m³ at the nodes.
    #[must_use]
    pub fn densities(&self) -> Vec<f64> {
        self.nodes.iter().map(|node| node[0] * UNIT).collect()
    }

    /// Temperatures in K at the nodes.
    #[must_use]
    pub fn temperatures(&self) -> Vec<f64> {
        self.nodes.iter().map(|node| node[1]).collect()
    }

    /// Potentials in V at the nodes.
    #[must_use]
    pub fn potentials(&self) -> Vec<f64> {
        self.nodes.iter().map(|node| node[2]).collect()
    }

    /// Current in A from the first node to the last.
    #[must_use]
    pub fn current(&self) -> f64 {
        current(&self.law, &self.nodes)
    }

    /// Number of vacancies.
    #[must_use]
    pub fn vacancies(&self) -> f64 {
        let sum: f64 =
            self.nodes.iter().enumerate().map(|(index, node)| node[0] * self.law.share(index)).sum();
        sum * UNIT * self.law.area()
    }

    /// Largest flux of vacancies in 1/(m² s) between two nodes.
    #[must_use]
    pub fn largest_flux(&self) -> f64 {
        self.nodes
            .windows(2)
            .map(|pair| (self.law.flow(&pair[0], &pair[1]).vacancies * UNIT).abs())
            .fold(0.0, f64::max)
    }

    /// Resistance in ohm of the filament without the series resistor, as it is now.
    #[must_use]
    pub fn resistance(&self) -> f64 {
        self.nodes.windows(2).map(|pair| self.law.flow(&pair[0], &pair[1]).conductance.recip()).sum()
    }

    /// Applies a voltage that goes straight from one value to another in a time.
    ///
    /// # Errors
    /// [`Stalled`], its time from the start of this piece; the filament keeps the state reached.
    pub fn apply(
        &mut self,
        from_v: f64,
        to_v: f64,
        duration_s: f64,
        accuracy: Accuracy,
    ) -> Result<(), Stalled> {
        let law = self.law;
        let chain = Driven { law: &law, from_v, to_v, duration_s: duration_s.max(f64::MIN_POSITIVE) };
        if from_v != self.voltage_v {
            self.nodes = implicit::consistent(&chain, 0.0, &self.nodes, accuracy)?;
            self.step_s = 0.0;
        }
        self.voltage_v = from_v;
        if duration_s.is_nan() || duration_s <= 0.0 {
            return Ok(());
        }
        let mut step =
            if self.step_s > 0.0 { self.step_s.min(duration_s) } else { (1e-3 * duration_s).min(1e-13) };
        let before = stored(&law, &self.nodes);
        let totals = &mut self.totals;
        let mut reached = 0.0;
        let result =
            implicit::advance(&chain, &mut self.nodes, (0.0, duration_s), &mut step, accuracy, |taken| {
                totals.steps += 1;
                reached = taken.time;
                for (time, weight, nodes) in taken.stages {
                    let current = current(&law, nodes);
                    let joule: f64 = nodes.windows(2).map(|pair| law.flow(&pair[0], &pair[1]).joule).sum();
                    totals.supplied_j += weight * current * chain.voltage(time);
                    totals.series_j += weight * current * current * law.series_ohm;
                    totals.joule_j += weight * joule;
                    totals.lost_j += weight * lost(&law, nodes).unwrap_or(joule);
                }
            });
        totals.gained_j += stored(&law, &self.nodes) - before;
        self.step_s = step;
        self.voltage_v = if result.is_ok() { to_v } else { chain.voltage(reached) };
        result
    }
}

fn current(law: &Law, nodes: &[Node]) -> f64 {
    nodes.first().zip(nodes.get(1)).map_or(0.0, |(first, second)| law.flow(first, second).current)
}

/// Heat in J stored by the nodes that are not at an end.
fn stored(law: &Law, nodes: &[Node]) -> f64 {
    match law.thermal {
        Thermal::Distributed { capacity_j_m3k, .. } => nodes
            .iter()
            .enumerate()
            .map(|(index, node)| capacity_j_m3k * law.area() * law.share(index) * node[1])
            .sum(),
        Thermal::Lumped { .. } => 0.0,
    }
}

/// Heat in W that leaves at the ends and sideways; none for lumped heat, which has no store.
fn lost(law: &Law, nodes: &[Node]) -> Option<f64> {
    let Thermal::Distributed { loss_w_m3k, .. } = law.thermal else { return None };
    let last = law.cells;
    let sideways: f64 = nodes[1..last]
        .iter()
        .enumerate()
        .map(|(index, node)| loss_w_m3k * law.area() * law.share(index + 1) * (node[1] - law.ambient_k))
        .sum();
    let [first, end] = [law.flow(&nodes[0], &nodes[1]), law.flow(&nodes[last - 1], &nodes[last])];
    Some(sideways - first.heat + end.heat + 0.5 * (first.joule + end.joule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A metallic filament with a gap in the middle.
    fn gapped(law: Law) -> Device {
        let densities: Vec<f64> = (0..=law.cells)
            .map(|index| {
                let place = index as f64 / law.cells as f64;
                if (0.5..0.8).contains(&place) { 3e26 } else { 1.2e27 }
            })
            .collect();
        Device::new(law, &densities)
    }

    fn accuracy() -> Accuracy {
        Accuracy { relative: 1e-3, ..Accuracy::default() }
    }

    #[test]
    fn a_pulse_moves_vacancies_and_conserves_them_and_the_energy() {
        let lumped = Law { thermal: Thermal::Lumped { resistance_k_w: 2e6 }, ..Law::default() };
        for law in [Law::default(), lumped] {
            let mut device = gapped(law);
            let (start, cold) = (device.vacancies(), device.resistance());
            device.apply(0.0, 2.0, 1e-8, accuracy()).unwrap();
            device.apply(2.0, 2.0, 1e-6, accuracy()).unwrap();
            device.apply(2.0, 0.0, 1e-8, accuracy()).unwrap();
            device.apply(0.0, 0.0, 1e-8, accuracy()).unwrap();
            assert!((device.vacancies() / start - 1.0).abs() < 1e-10, "{}", device.vacancies() / start - 1.0);
            assert!((device.resistance() / cold - 1.0).abs() > 0.01, "{cold} {}", device.resistance());
            let totals = device.totals();
            assert!(totals.residual_j().abs() < 1e-6 * totals.joule_j, "{totals:?}");
            assert!(totals.circuit_residual_j().abs() < 1e-6 * totals.supplied_j, "{totals:?}");
        }
    }

    /// Hot and without a field, the gap fills and the flux ends: n is even, its equilibrium.
    #[test]
    fn without_a_field_the_profile_becomes_even_and_rests() {
        let law = Law { ambient_k: 900.0, ..Law::default() };
        let mut device = gapped(law);
        let mean = device.vacancies() / (law.area() * law.length_m);
        // L²/(pi² D) at 900 K: D = 0.25e-9² · 1e13/2 · exp(-11.6) = 2.9e-12 m²/s, 4 us.
        device.apply(0.0, 0.0, 1e-3, accuracy()).unwrap();
        for density in device.densities() {
            assert!((density / mean - 1.0).abs() < 1e-3, "{density:e} {mean:e}");
        }
        let scale = mean * law.hop_m * law.attempt_hz * (-11.6_f64).exp();
        assert!(device.largest_flux() < 1e-6 * scale, "{:e} {scale:e}", device.largest_flux());
        assert_eq!(device.current(), 0.0);
    }

    /// Drift against diffusion in a weak, even field at rest: n(1 - n/m) of neighbours stands in the ratio
    /// of Boltzmann factors, with the field that the fitted flux makes.
    #[test]
    fn in_a_field_the_vacancies_rest_in_a_boltzmann_profile() {
        let law = Law {
            ambient_k: 900.0,
            // Metallic everywhere, so that the field is even; cold, so that heat plays no part.
            metallic_density: 1e20,
            conductivity_high: 1e2,
            density_max: 1e30,
            series_ohm: 0.0,
            ..Law::default()
        };
        let mut device = Device::new(law, &vec![1e26; law.cells + 1]);
        device.apply(0.05, 0.05, 1e-2, accuracy()).unwrap();
        let densities = device.densities();
        let ratio = (densities[law.cells] / densities[0]).ln();
        // z q V/kT times sinh(u)/u, u = z q a V/(2 L kT).
        let u = 2.0 * 0.05 / crate::constants::thermal_voltage(900.0);
        let expected = u * (1.0 + (u * 0.25e-9 / (2.0 * law.length_m)).powi(2) / 6.0);
        assert!((ratio / expected - 1.0).abs() < 1e-3, "{ratio} {expected}");
    }

    #[test]
    fn the_mirrored_filament_under_the_opposite_voltage_is_the_mirror_image() {
        let law = Law::default();
        let mut forward = gapped(law);
        let mut densities = forward.densities();
        densities.reverse();
        let mut backward = Device::new(Law { series_ohm: 500.0, ..law }, &densities);
        forward.apply(0.8, 0.8, 1e-9, accuracy()).unwrap();
        backward.apply(-0.8, -0.8, 1e-9, accuracy()).unwrap();
        assert!((forward.current() / -backward.current() - 1.0).abs() < 1e-3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn physical_input_gives_physical_states(
            voltage in -2.0..2.0_f64, exponent in -11.0..-7.0_f64, level in 1e25..4e27_f64,
        ) {
            let law = Law { cells: 16, ..Law::default() };
            let densities: Vec<f64> = (0..=16).map(|index| if index > 9 { level } else { 1e26 }).collect();
            let mut device = Device::new(law, &densities);
            let start = device.vacancies();
            let result = device.apply(voltage, voltage, 10f64.powf(exponent), accuracy());
            prop_assert!(result.is_ok(), "{result:?}");
            prop_assert!((device.vacancies() / start - 1.0).abs() < 1e-10);
            for (density, temperature) in device.densities().into_iter().zip(device.temperatures()) {
                prop_assert!((-1e22..=law.density_max * 1.001).contains(&density), "{density:e}");
                prop_assert!(temperature > 299.0 && temperature.is_finite());
            }
            prop_assert!(device.current() * voltage >= 0.0);
        }
    }
}
