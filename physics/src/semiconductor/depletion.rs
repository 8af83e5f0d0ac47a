//! The depletion approximation: closed forms that every textbook has, to check the solvers with.

use crate::constants::{ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, thermal_voltage};

/// A uniformly doped semiconductor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bulk {
    /// Density of the dopants in 1/m³.
    pub doping_per_m3: f64,
    /// Intrinsic density in 1/m³.
    pub intrinsic_per_m3: f64,
    /// Relative permittivity.
    pub permittivity: f64,
    /// Temperature in K.
    pub temperature_k: f64,
}

impl Bulk {
    fn epsilon(&self) -> f64 {
        VACUUM_PERMITTIVITY * self.permittivity
    }

    /// Distance of the Fermi level from the middle of the gap in V, φ_F = φ_t ln(N/n_i).
    #[must_use]
    pub fn fermi_potential_v(&self) -> f64 {
        thermal_voltage(self.temperature_k) * (self.doping_per_m3 / self.intrinsic_per_m3).ln()
    }

    /// Debye length √(ε φ_t/(q N)) in m.
    #[must_use]
    pub fn debye_length_m(&self) -> f64 {
        (self.epsilon() * thermal_voltage(self.temperature_k) / (ELEMENTARY_CHARGE * self.doping_per_m3))
            .sqrt()
    }

    /// Width of the depletion layer of a surface bent by 2 φ_F in m.
    #[must_use]
    pub fn widest_depletion_m(&self) -> f64 {
        (4.0 * self.epsilon() * self.fermi_potential_v() / (ELEMENTARY_CHARGE * self.doping_per_m3)).sqrt()
    }

    /// Flat-band capacitance under an insulator of `insulator_f_per_m2`, in F/m².
    #[must_use]
    pub fn flatband_capacitance(&self, insulator_f_per_m2: f64) -> f64 {
        1.0 / (1.0 / insulator_f_per_m2 + self.debye_length_m() / self.epsilon())
    }

    /// Least capacitance at high frequency under an insulator, in F/m².
    #[must_use]
    pub fn least_capacitance(&self, insulator_f_per_m2: f64) -> f64 {
        1.0 / (1.0 / insulator_f_per_m2 + self.widest_depletion_m() / self.epsilon())
    }
}

/// An abrupt junction of two bulks of one material.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Junction {
    /// Side of the acceptors.
    pub p: Bulk,
    /// Side of the donors.
    pub n: Bulk,
}

impl Junction {
    /// Built-in potential in V.
    #[must_use]
    pub fn built_in_v(&self) -> f64 {
        self.p.fermi_potential_v() + self.n.fermi_potential_v()
    }

    /// Width of the depletion layer in m when `barrier_v` drops over it (the built-in potential less the bias,
    /// less 2 φ_t for the tails of the majority carriers).
    #[must_use]
    pub fn width_m(&self, barrier_v: f64) -> f64 {
        let dopings = 1.0 / self.p.doping_per_m3 + 1.0 / self.n.doping_per_m3;
        (2.0 * self.p.epsilon() * barrier_v * dopings / ELEMENTARY_CHARGE).sqrt()
    }

    /// Largest field in V/m.
    #[must_use]
    pub fn peak_field_v_per_m(&self, barrier_v: f64) -> f64 {
        2.0 * barrier_v / self.width_m(barrier_v)
    }

    /// Capacitance of the depletion layer in F/m².
    #[must_use]
    pub fn capacitance(&self, barrier_v: f64) -> f64 {
        self.p.epsilon() / self.width_m(barrier_v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semiconductor::mesh::Mesh;
    use crate::semiconductor::mobility::Mobility;
    use crate::semiconductor::recombination::Recombination;
    use crate::semiconductor::statistics::Statistics;
    use crate::semiconductor::structure::{Contact, Doping, Layer, Structure};
    use crate::semiconductor::transport::Device;
    use crate::semiconductor::transport::small_signal::{Port, admittance};
    use crate::semiconductor::transport::steady::Steady;

    fn bulk(doping_per_cm3: f64) -> Bulk {
        Bulk {
            doping_per_m3: 1e6 * doping_per_cm3,
            intrinsic_per_m3: 1e16,
            permittivity: 11.7,
            temperature_k: 300.0,
        }
    }

    const JUNCTION: fn() -> Junction = || Junction { p: bulk(1e17), n: bulk(1e16) };

    #[test]
    fn textbook_numbers() {
        let junction = JUNCTION();
        let barrier = junction.built_in_v();
        assert!((barrier - 0.7738).abs() < 1e-4);
        assert!((junction.width_m(barrier) / 331.8e-9 - 1.0).abs() < 1e-3);
        assert!((junction.width_m(barrier - 2.0 * thermal_voltage(300.0)) / 320.5e-9 - 1.0).abs() < 1e-3);
        assert!((junction.peak_field_v_per_m(barrier) / 46.65e5 - 1.0).abs() < 1e-3);
        assert!((bulk(1e16).debye_length_m() / 40.9e-9 - 1.0).abs() < 2e-3);
        assert!((bulk(1e17).widest_depletion_m() / 103.8e-9 - 1.0).abs() < 1e-3);
        let oxide = 3.9 * VACUUM_PERMITTIVITY / 5e-9;
        assert!((bulk(1e17).flatband_capacitance(oxide) / oxide - 0.537).abs() < 1e-3);
        assert!((bulk(1e17).least_capacitance(oxide) / oxide - 0.126).abs() < 1e-3);
    }

    /// The solver's junction has this built-in potential exactly, and this field and capacitance to the
    /// accuracy of the approximation with its correction of 2 φ_t.
    #[test]
    fn the_solver_meets_the_approximation() {
        let layer = |acceptor_per_m3, donor_per_m3| Layer {
            thickness_m: 3e-6,
            permittivity: 11.7,
            doping: Some(Doping { acceptor_per_m3, donor_per_m3 }),
            charge_c_per_m3: 0.0,
            sheets: Vec::new(),
        };
        let structure = Structure {
            layers: vec![layer(1e23, 0.0), layer(0.0, 1e22)],
            first: Contact::Ohmic,
            last: Contact::Ohmic,
            temperature_k: 300.0,
            intrinsic_per_m3: 1e16,
            statistics: Statistics::Boltzmann,
        };
        let mesh = Mesh::new(&structure, 1);
        let mobility = [Mobility::constant(0.1), Mobility::constant(0.04)];
        let device = Device::new(structure, mesh, mobility, Recombination::midgap(1e-8, 1e-8));
        let thermal = thermal_voltage(300.0);
        let junction = JUNCTION();
        let sweep = Steady::new(&device).sweep(&[0.0, -1.0, -5.0], &|_| {});
        let level = |i: usize| sweep.states[0].nodes[i][0] * thermal;
        assert!((level(device.mesh.len() - 1) - level(0) - junction.built_in_v()).abs() < 1e-12);
        for (state, point) in sweep.states.iter().zip(&sweep.points) {
            let barrier = junction.built_in_v() - point.bias_v - 2.0 * thermal;
            let field = state
                .nodes
                .windows(2)
                .zip(&device.mesh.lengths)
                .map(|(pair, length)| (pair[1][0] - pair[0][0]) * thermal / length)
                .fold(0.0, f64::max);
            assert!((field / junction.peak_field_v_per_m(barrier) - 1.0).abs() < 0.01, "{}", point.bias_v);
            // Slow enough for the majority carriers, fast enough for generation not to follow.
            let found =
                admittance(&device, state, Port::First, 1e6).unwrap().im / (2e6 * std::f64::consts::PI);
            let tolerance = if point.bias_v == 0.0 { 0.05 } else { 0.01 };
            assert!((found / junction.capacitance(barrier) - 1.0).abs() < tolerance, "{}", point.bias_v);
        }
    }
}
