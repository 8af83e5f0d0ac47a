//! The oxygen-vacancy cell of HfO2/TiOx with a Schottky contact: JART VCM v1b, deterministic (Bengel et al.,
//! IEEE Trans. Circuits Syst. I 67(12) 4618, 2020; written from the equations).
//!
//! A Schottky contact, a disc of oxide in front of it, a plug behind the disc and wires stand in series. The
//! state is the vacancy density of the disc: ions hop between disc and plug over barriers that the field
//! lowers. The contact conducts by thermionic emission in forward direction (V > 0, RESET) and by thermionic
//! field emission in reverse (V < 0, SET).

mod circuit;
mod law;

pub use circuit::OperatingPoint;
pub use law::Law;

use super::implicit::{self, Accuracy, Cell as State, Chain, Stalled};
use crate::constants::ELEMENTARY_CHARGE as Q;

/// Unit of the density in the integration, in 1/m³: numbers near one.
const UNIT: f64 = 1e26;

/// A voltage that goes straight from one value to another.
#[derive(Debug, Clone, Copy)]
struct Driven<'a> {
    law: &'a Law,
    from_v: f64,
    to_v: f64,
    duration_s: f64,
}

impl Driven<'_> {
    fn voltage(&self, time: f64) -> f64 {
        self.from_v + (self.to_v - self.from_v) * (time / self.duration_s)
    }
}

impl Chain<1> for Driven<'_> {
    fn rate(
        &self,
        time: f64,
        _: usize,
        _: Option<&State<1>>,
        here: &State<1>,
        _: Option<&State<1>>,
    ) -> State<1> {
        let point = self.law.operating_point(self.voltage(time), here[0] * UNIT);
        [-point.ion_current_a / (self.law.disc_charge_per_density() * UNIT)]
    }

    fn differential(&self, _: usize) -> [bool; 1] {
        [true]
    }

    fn floor(&self) -> State<1> {
        [1e-9]
    }

    fn admitted(&self, here: &State<1>, step: &State<1>) -> f64 {
        if here[0] + step[0] < 0.5 * here[0] { 0.5 * here[0] / step[0].abs() } else { 1.0 }
    }
}

/// A cell on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Its law.
    pub law: Law,
    /// Vacancy density of the disc in 1/m³.
    pub density: f64,
    /// Ionic charge in C that passed since the start.
    pub ion_charge_c: f64,
    /// Energy in J that the source gave since the start.
    pub energy_j: f64,
    /// Steps taken.
    pub steps: usize,
    step_s: f64,
}

impl Cell {
    /// A cell whose disc has this vacancy density in 1/m³.
    #[must_use]
    pub fn new(law: Law, density: f64) -> Self {
        Self { law, density, ion_charge_c: 0.0, energy_j: 0.0, steps: 0, step_s: 0.0 }
    }

    /// Applies a voltage that goes straight from one value to another in a time.
    ///
    /// # Errors
    /// [`Stalled`], its time from the start of this piece; the cell keeps the state reached.
    pub fn apply(
        &mut self,
        from_v: f64,
        to_v: f64,
        duration_s: f64,
        accuracy: Accuracy,
    ) -> Result<(), Stalled> {
        // The law has a corner at 0 V.
        if from_v * to_v < 0.0 {
            let part = from_v / (from_v - to_v);
            self.apply_one_sign(from_v, 0.0, part * duration_s, accuracy)?;
            return self.apply_one_sign(0.0, to_v, (1.0 - part) * duration_s, accuracy).map_err(|stalled| {
                Stalled { time: stalled.time + part * duration_s, residuals: stalled.residuals }
            });
        }
        self.apply_one_sign(from_v, to_v, duration_s, accuracy)
    }

    fn apply_one_sign(
        &mut self,
        from_v: f64,
        to_v: f64,
        duration_s: f64,
        accuracy: Accuracy,
    ) -> Result<(), Stalled> {
        if duration_s.is_nan() || duration_s <= 0.0 {
            return Ok(());
        }
        let law = self.law;
        let chain = Driven { law: &law, from_v, to_v, duration_s };
        let mut cells = vec![[self.density / UNIT]];
        let mut step = if self.step_s > 0.0 { self.step_s.min(duration_s) } else { 1e-3 * duration_s };
        let result = implicit::advance(&chain, &mut cells, (0.0, duration_s), &mut step, accuracy, |taken| {
            self.steps += 1;
            for (time, weight, cells) in taken.stages {
                let voltage = chain.voltage(time);
                let point = law.operating_point(voltage, cells[0][0] * UNIT);
                self.ion_charge_c += weight * point.ion_current_a;
                self.energy_j += weight * point.current_a * voltage;
            }
        });
        self.density = cells[0][0] * UNIT;
        self.step_s = step;
        result
    }

    /// What the balance of ionic charge misses, relative to the charge of the densest disc, when the disc
    /// began at `density`.
    #[must_use]
    pub fn charge_residual(&self, density: f64) -> f64 {
        ((self.density - density) + self.ion_charge_c / self.law.disc_charge_per_density())
            / self.law.density_max
    }
}

impl Law {
    /// Charge in C of the disc per vacancy density in 1/m³.
    #[must_use]
    pub fn disc_charge_per_density(&self) -> f64 {
        self.valence * Q * self.area() * self.disc_length_m
    }
}

#[cfg(test)]
mod tests {
    use super::super::waveform::{Sweep, samples};
    use super::*;
    use proptest::prelude::*;

    /// A sweep to -1.5 V and +1.5 V from the insulating state: current and density at each point.
    fn sweep(relative: f64, points: usize) -> (Vec<(f64, f64, f64, f64)>, Cell) {
        let law = Law::default();
        let mut cell = Cell::new(law, law.density_min);
        let sweep = Sweep { first_v: -1.5, second_v: 1.5, rate_v_s: 1e3, cycles: 1, points };
        let accuracy = Accuracy { relative, ..Accuracy::default() };
        let mut rows: Vec<(f64, f64, f64, f64)> = Vec::new();
        for sample in samples(&sweep.pieces()) {
            if let Some(&(time, voltage, _, _)) = rows.last() {
                cell.apply(voltage, sample.voltage_v, sample.time_s - time, accuracy).unwrap();
            }
            let point = law.operating_point(sample.voltage_v, cell.density);
            rows.push((sample.time_s, sample.voltage_v, cell.density, point.ion_current_a));
        }
        (rows, cell)
    }

    #[test]
    fn a_sweep_sets_and_resets_the_cell() {
        let (rows, cell) = sweep(1e-6, 60);
        let set = rows[120].2;
        assert!(set > 1e27, "density after SET {set:e}");
        assert!(rows.last().unwrap().2 < 0.2 * set, "after RESET {:e}", rows.last().unwrap().2);
        assert!(cell.charge_residual(Law::default().density_min).abs() < 1e-9);
    }

    #[test]
    fn halved_steps_change_little() {
        let (coarse, _) = sweep(1e-6, 40);
        let (fine, _) = sweep(1e-8, 40);
        let mut jumps = 0;
        for (coarse, fine) in coarse.windows(2).zip(fine.windows(2)) {
            // Within a jump, a tiny shift in time is a large change of the density.
            if (fine[1].2 / fine[0].2).ln().abs() > 0.05 {
                jumps += 1;
                continue;
            }
            let (coarse, fine) = (coarse[1], fine[1]);
            assert!((coarse.2 / fine.2 - 1.0).abs() < 1e-4, "{} V: {:e} {:e}", fine.1, coarse.2, fine.2);
        }
        assert!(jumps < 40, "{jumps} of 160");
    }

    /// The ionic current at the output points, integrated by trapezoids, is the charge that the disc lost.
    #[test]
    fn density_follows_from_the_recorded_ion_current() {
        let law = Law::default();
        let mut cell = Cell::new(law, law.density_max);
        let (pieces, duration) = (4000, 3e-6);
        let current = |cell: &Cell| law.operating_point(1.4, cell.density).ion_current_a;
        let (mut charge, mut before) = (0.0, current(&cell));
        for _ in 0..pieces {
            let piece = duration / f64::from(pieces);
            cell.apply(1.4, 1.4, piece, Accuracy::default()).unwrap();
            let after = current(&cell);
            charge += 0.5 * piece * (before + after);
            before = after;
        }
        let lost = (cell.density - law.density_max) / law.density_max;
        assert!((-0.9..-0.05).contains(&lost), "{lost}");
        let expected = -charge / (law.disc_charge_per_density() * law.density_max);
        // Trapezoids of 1/4000 of the pulse.
        assert!((lost / expected - 1.0).abs() < 1e-4, "{lost} {expected}");
        assert!(cell.charge_residual(law.density_max).abs() < 1e-9);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_pulse_keeps_the_density_in_its_bounds(
            logarithm in 0.0..1.0_f64, from in -2.5..2.5_f64, to in -2.5..2.5_f64, exponent in -11.0..-1.0_f64,
        ) {
            let law = Law::default();
            let density = law.density_min * (law.density_max / law.density_min).powf(logarithm);
            let mut cell = Cell::new(law, density);
            let result = cell.apply(from, to, 10f64.powf(exponent), Accuracy::default());
            prop_assert!(result.is_ok(), "{result:?}");
            prop_assert!(cell.density >= law.density_min * (1.0 - 1e-6));
            prop_assert!(cell.density <= law.density_max * (1.0 + 1e-6), "{:e}", cell.density);
            prop_assert_eq!(law.operating_point(0.0, density).current_a, 0.0);
            prop_assert_eq!(law.operating_point(0.0, density).ion_current_a, 0.0);
            let point = law.operating_point(from, density);
            prop_assert!(point.current_a * from >= 0.0 && point.temperature_k >= law.ambient_k);
            let sum = point.schottky_v + point.disc_v + point.plug_v + point.series_v;
            prop_assert!((sum - from).abs() <= 1e-9 * from.abs(), "{sum} {from}");
        }
    }
}
