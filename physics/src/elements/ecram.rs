//! Electrochemical memory: ions pass from an electrolyte into a channel and change its conductance.
//!
//! Transfer through the interface follows Butler and Volmer,
//! j = j₀ [exp(α η/φ_t) − exp(−(1 − α) η/φ_t)], with the overpotential η = V − E(x_s) − i R_s, where E is the
//! open-circuit voltage at the occupation x_s of the surface, which lies between empty and full. In the channel the ions diffuse,
//! ∂c/∂t = D ∂²c/∂z², with −D ∂c/∂z = j/q at the surface and no flux at the back. A leak of electrons through
//! the electrolyte discharges the cell when nothing drives it. The conductance of the channel is linear in the
//! inserted charge.

use crate::constants::{BOLTZMANN, ELEMENTARY_CHARGE, thermal_voltage};
use crate::ode::{OdeError, Options, stiff};
use nalgebra::DVector;

/// A cell. Positive current inserts ions, positive voltage drives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ecram {
    /// Thickness of the channel in m.
    pub thickness_m: f64,
    /// Area of the interface in m².
    pub area_m2: f64,
    /// Density of sites for ions in 1/m³.
    pub sites_per_m3: f64,
    /// Diffusivity in m²/s at 300 K.
    pub diffusivity_m2_per_s: f64,
    /// Activation energy of the diffusivity in eV.
    pub activation_ev: f64,
    /// Exchange current density j₀ in A/m².
    pub exchange_a_per_m2: f64,
    /// Transfer coefficient α of insertion, 0 to 1.
    pub transfer: f64,
    /// Series resistance of electrolyte and contacts in Ω.
    pub series_ohm: f64,
    /// Leak of electrons between gate and channel in Ω; infinite for none.
    pub leak_ohm: f64,
    /// Open-circuit voltage in V against occupation, both ascending: (x, E).
    pub open_circuit: Vec<(f64, f64)>,
    /// Conductance in S of the channel at occupation zero.
    pub conductance_s: f64,
    /// Conductance in S per inserted charge in C.
    pub conductance_s_per_c: f64,
    /// Temperature in K.
    pub temperature_k: f64,
    /// Volumes into which the channel is divided.
    pub cells: usize,
}

/// What drives the gate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drive {
    /// A voltage in V.
    Voltage(f64),
    /// A current in A.
    Current(f64),
    /// Nothing: open circuit.
    Open,
}

/// A cell at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Time in s from the start of the segment.
    pub time_s: f64,
    /// Gate voltage in V.
    pub voltage_v: f64,
    /// Current through the gate in A, leak included.
    pub current_a: f64,
    /// Occupation of the surface and mean occupation.
    pub surface: f64,
    /// Mean occupation of the channel.
    pub mean: f64,
    /// Conductance of the channel in S.
    pub conductance_s: f64,
    /// Occupation of each volume, from the surface.
    pub occupation: Vec<f64>,
}

/// The transfer at one instant.
#[derive(Debug, Clone, Copy)]
struct Transfer {
    /// Current density of ions in A/m².
    density: f64,
    surface: f64,
    voltage: f64,
    current: f64,
}

impl Ecram {
    /// Diffusivity in m²/s at the temperature.
    #[must_use]
    pub fn diffusivity(&self) -> f64 {
        let exponent =
            -self.activation_ev * ELEMENTARY_CHARGE / BOLTZMANN * (1.0 / self.temperature_k - 1.0 / 300.0);
        self.diffusivity_m2_per_s * exponent.exp()
    }

    /// Charge in C that fills every site.
    #[must_use]
    pub fn capacity_c(&self) -> f64 {
        ELEMENTARY_CHARGE * self.sites_per_m3 * self.thickness_m * self.area_m2
    }

    /// Open-circuit voltage in V at an occupation, linear between the points of the table and beyond them
    /// with the slope of the last ones.
    #[must_use]
    pub fn open_circuit_v(&self, occupation: f64) -> f64 {
        let table = &self.open_circuit;
        let after = table.partition_point(|(x, _)| *x < occupation).clamp(1, table.len() - 1);
        let ((x0, e0), (x1, e1)) = (table[after - 1], table[after]);
        e0 + (occupation - x0) / (x1 - x0) * (e1 - e0)
    }

    /// Butler-Volmer current density in A/m² at an overpotential in V.
    #[must_use]
    pub fn transfer_current(&self, overpotential_v: f64) -> f64 {
        let x = overpotential_v / thermal_voltage(self.temperature_k);
        // A difference of expm1's keeps its digits near equilibrium; beyond 300 nothing physical is left.
        let x = x.clamp(-300.0, 300.0);
        self.exchange_a_per_m2 * ((self.transfer * x).exp_m1() - ((self.transfer - 1.0) * x).exp_m1())
    }

    /// Conductance in S at a mean occupation.
    #[must_use]
    pub fn conductance(&self, mean: f64) -> f64 {
        self.conductance_s + self.conductance_s_per_c * mean * self.capacity_c()
    }

    /// The overpotential at which surface, interface, leak and drive agree: the balance falls with it, so
    /// that bisection with Newton's steps inside the bracket finds the one root.
    fn transfer(&self, first: f64, drive: Drive) -> Transfer {
        let half = 0.5 * self.thickness_m / self.cells as f64;
        // Occupation at the surface from that of the first volume and the flux through half of it.
        let per_current = half / (self.diffusivity() * ELEMENTARY_CHARGE * self.sites_per_m3);
        let at = |overpotential: f64| {
            // No more ions pass than diffusion brings to an empty surface or takes from a full one.
            let (least, most) = (-first.max(0.0) / per_current, (1.0 - first).max(0.0) / per_current);
            let density = self.transfer_current(overpotential).clamp(least, most);
            let surface = first + density * per_current;
            let inner = self.open_circuit_v(surface) + overpotential;
            let ions = density * self.area_m2;
            match drive {
                Drive::Voltage(volts) => {
                    let current = ions + inner / self.leak_ohm;
                    let state = Transfer { density, surface, voltage: volts, current };
                    (volts - inner - current * self.series_ohm, state)
                }
                Drive::Current(_) | Drive::Open => {
                    let wanted = if let Drive::Current(wanted) = drive { wanted } else { 0.0 };
                    let state = Transfer {
                        density,
                        surface,
                        voltage: inner + wanted * self.series_ohm,
                        current: wanted,
                    };
                    ((wanted - ions - inner / self.leak_ohm) * 1e3 / self.area_m2.sqrt(), state)
                }
            }
        };
        let (mut low, mut high) = (-8.0, 8.0);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if at(middle).0 > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
            if high - low <= 1e-16 * middle.abs().max(1e-6) {
                break;
            }
        }
        at(0.5 * (low + high)).1
    }

    /// Rates of change of the occupations, in 1/s.
    fn rates(&self, state: &DVector<f64>, drive: Drive) -> DVector<f64> {
        let (count, width) = (self.cells, self.thickness_m / self.cells as f64);
        let link = self.diffusivity() / (width * width);
        let inflow = self.transfer(state[0], drive).density / (ELEMENTARY_CHARGE * self.sites_per_m3 * width);
        DVector::from_fn(count, |i, _| {
            let left = if i == 0 { inflow } else { link * (state[i - 1] - state[i]) };
            let right = if i + 1 == count { 0.0 } else { link * (state[i + 1] - state[i]) };
            left + right
        })
    }

    /// The cell at each of `times` in s (ascending from 0) under a constant drive, from given occupations of
    /// the volumes.
    ///
    /// # Errors
    /// [`OdeError`] when the times are bad or the integration fails.
    pub fn run(&self, occupation: &[f64], drive: Drive, times: &[f64]) -> Result<Vec<Point>, OdeError> {
        let options = Options { relative: 1e-7, absolute: 1e-11, max_steps: 20_000 };
        let initial = DVector::from_column_slice(occupation);
        let states = stiff::integrate(|_, state| self.rates(state, drive), 0.0, initial, times, options)?;
        Ok(states.iter().zip(times).map(|(state, &time)| self.point(state.as_slice(), drive, time)).collect())
    }

    /// The cell with given occupations under a drive.
    #[must_use]
    pub fn point(&self, occupation: &[f64], drive: Drive, time_s: f64) -> Point {
        let transfer = self.transfer(occupation[0], drive);
        let mean = occupation.iter().sum::<f64>() / self.cells as f64;
        Point {
            time_s,
            voltage_v: transfer.voltage,
            current_a: transfer.current,
            surface: transfer.surface,
            mean,
            conductance_s: self.conductance(mean),
            occupation: occupation.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell() -> Ecram {
        Ecram {
            thickness_m: 100e-9,
            area_m2: 1e-10,
            sites_per_m3: 2e28,
            diffusivity_m2_per_s: 1e-14,
            activation_ev: 0.55,
            exchange_a_per_m2: 10.0,
            transfer: 0.5,
            series_ohm: 1e3,
            leak_ohm: f64::INFINITY,
            open_circuit: vec![(0.0, -0.2), (1.0, 0.2)],
            conductance_s: 100e-6,
            conductance_s_per_c: 1.0,
            temperature_k: 300.0,
            cells: 60,
        }
    }

    /// Under a constant current the surface rises with the root of time at first (Sand), then linearly, ahead
    /// of the mean by a third of j L/(q D) (the parabola of steady charging).
    #[test]
    fn constant_current_meets_the_limits_of_diffusion() {
        let cell = Ecram { cells: 200, ..cell() };
        let diffusion = cell.thickness_m.powi(2) / cell.diffusivity();
        let current = 1e-3 * cell.capacity_c() / diffusion;
        let flux = current / cell.area_m2 / (ELEMENTARY_CHARGE * cell.sites_per_m3);
        let times = [1e-3 * diffusion, 4e-3 * diffusion, 2.0 * diffusion];
        let start = vec![0.5; cell.cells];
        let points = cell.run(&start, Drive::Current(current), &times).unwrap();
        for point in &points[..2] {
            let sand = 2.0 * flux * (point.time_s / (std::f64::consts::PI * cell.diffusivity())).sqrt();
            let rise = point.surface - 0.5;
            assert!((rise / sand - 1.0).abs() < 0.01, "{rise} {sand}");
        }
        let lead = points[2].surface - points[2].mean;
        let parabola = flux * cell.thickness_m / (3.0 * cell.diffusivity());
        assert!((lead / parabola - 1.0).abs() < 1e-3, "{lead} {parabola}");
        // Charge that went in is charge that is there.
        for point in &points {
            let stored = (point.mean - 0.5) * cell.capacity_c();
            assert!((stored / (current * point.time_s) - 1.0).abs() < 1e-8, "{point:?}");
        }
    }

    /// A surface held at a concentration draws the current of Cottrell, falling as 1/√t.
    #[test]
    fn held_surface_meets_cottrell() {
        // A fast interface with a steep open-circuit voltage holds the surface.
        let cell = Ecram { cells: 400, exchange_a_per_m2: 1e9, series_ohm: 0.0, ..cell() };
        let diffusion = cell.thickness_m.powi(2) / cell.diffusivity();
        let start = vec![0.5; cell.cells];
        let step = 0.01;
        let drive = Drive::Voltage(cell.open_circuit_v(0.5 + step));
        let times = [1e-3 * diffusion, 1e-2 * diffusion];
        for point in cell.run(&start, drive, &times).unwrap() {
            let charge = ELEMENTARY_CHARGE * cell.sites_per_m3 * cell.area_m2;
            let cottrell =
                charge * step * (cell.diffusivity() / (std::f64::consts::PI * point.time_s)).sqrt();
            assert!((point.current_a / cottrell - 1.0).abs() < 0.01, "{} {cottrell}", point.current_a);
        }
    }

    /// Left alone, an uneven channel evens out with the rate π² D/L² of its slowest mode; nothing is lost.
    #[test]
    fn open_circuit_relaxation() {
        let order = |cells: usize| {
            let cell = Ecram { cells, ..cell() };
            let mode = |i: usize| (std::f64::consts::PI * (i as f64 + 0.5) / cells as f64).cos();
            let start: Vec<f64> = (0..cells).map(|i| 0.5 + 0.1 * mode(i)).collect();
            let time = cell.thickness_m.powi(2) / cell.diffusivity() / 10.0;
            let point = cell.run(&start, Drive::Open, &[time]).unwrap().remove(0);
            assert!((point.mean - 0.5).abs() < 1e-10, "{}", point.mean);
            let amplitude = (point.occupation[0] - 0.5) / mode(0);
            let exact = 0.1 * (-std::f64::consts::PI.powi(2) / 10.0).exp();
            (amplitude / exact - 1.0).abs()
        };
        let (coarse, fine) = (order(10), order(20));
        assert!(fine < 3e-3 && (coarse / fine).log2() > 1.9, "{coarse} {fine}");
    }

    #[test]
    fn interface_law() {
        let cell = cell();
        assert_eq!(cell.transfer_current(0.0), 0.0);
        // Tafel: a decade per φ_t ln 10/α.
        let decade = thermal_voltage(300.0) * std::f64::consts::LN_10 / cell.transfer;
        let ratio = cell.transfer_current(0.4 + decade) / cell.transfer_current(0.4);
        assert!((ratio / 10.0 - 1.0).abs() < 1e-6);
        // Around zero: j = j₀ η/φ_t.
        let slope = cell.transfer_current(1e-9) / 1e-9;
        assert!((slope * thermal_voltage(300.0) / cell.exchange_a_per_m2 - 1.0).abs() < 1e-6);
        // In equilibrium nothing moves.
        let rest =
            cell.run(&vec![0.3; cell.cells], Drive::Voltage(cell.open_circuit_v(0.3)), &[1.0]).unwrap();
        assert!((rest[0].mean - 0.3).abs() < 1e-9 && rest[0].current_a.abs() < 1e-15);
    }

    #[test]
    fn a_leak_discharges_the_cell() {
        let cell = Ecram { leak_ohm: 1e9, ..cell() };
        let points = cell.run(&vec![0.8; cell.cells], Drive::Open, &[10.0, 1000.0]).unwrap();
        assert!(points[0].mean < 0.8 && points[1].mean < points[0].mean);
        // With a table that is linear, ends at 0 V and nothing in series, it is an RC circuit.
        let capacitance = cell.capacity_c() / 0.4;
        let expected = 0.5 + 0.3 * (-1000.0 / (1e9 * capacitance)).exp();
        assert!((points[1].mean / expected - 1.0).abs() < 1e-3, "{} {expected}", points[1].mean);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_pulse_keeps_the_channel_between_empty_and_full(
            volts in -3.0..3.0f64, start in 0.01..0.99f64, time in -6.0..2.0f64, exchange in -3.0..5.0f64,
        ) {
            let cell = Ecram { exchange_a_per_m2: 10f64.powf(exchange), cells: 12, ..cell() };
            let point = cell.run(&[start; 12], Drive::Voltage(volts), &[10f64.powf(time)]).unwrap().remove(0);
            prop_assert!(point.current_a.is_finite());
            for x in &point.occupation {
                prop_assert!((-1e-6..=1.0 + 1e-6).contains(x), "{}", x);
            }
            let rise = cell.open_circuit_v(start) < volts;
            prop_assert!((point.mean >= start - 1e-9) == rise || (point.mean - start).abs() < 1e-9);
        }
    }
}
