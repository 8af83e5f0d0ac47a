//! Nonlinear Poisson equation in equilibrium: d/dx(ε dψ/dx) = −q (p − n + N_D − N_A) − ρ.
//!
//! Finite volumes and Newton's method. The charge falls with the potential, so the linearised operator is
//! always invertible, and steps shortened to φ_t ln(1 + |δ|/φ_t) lead there from any start.

use crate::constants::ELEMENTARY_CHARGE;
use crate::semiconductor::linear::tridiagonal;
use crate::semiconductor::mesh::Mesh;
use crate::semiconductor::statistics::Statistics;
use crate::semiconductor::structure::{Contact, Structure};

/// Iterations before an equilibrium is given up; a cold start over 100 V takes about 60.
const MOST_ITERATIONS: usize = 400;

/// An equilibrium that was not found, with the largest change of the potential in V at each iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct NotConverged {
    /// Largest change of the potential in V at each iteration.
    pub residuals: Vec<f64>,
}

/// Potentials over φ_t that the contacts impose at biases in V against the Fermi level.
#[must_use]
pub fn boundary(structure: &Structure, first_v: f64, last_v: f64) -> [f64; 2] {
    let thermal = structure.thermal_voltage_v();
    let level = |contact: Contact, bias: f64, layer: Option<&crate::semiconductor::structure::Layer>| {
        let own = match contact {
            Contact::Gate(offset) => -offset / thermal,
            Contact::Ohmic => {
                layer.and_then(|layer| layer.doping).map_or(0.0, |doping| structure.neutral_level(doping))
            }
        };
        own + bias / thermal
    };
    [
        level(structure.first, first_v, structure.layers.first()),
        level(structure.last, last_v, structure.layers.last()),
    ]
}

/// The linearised equation at a potential.
#[derive(Debug, Clone, Default)]
struct System {
    off: Vec<f64>,
    diagonal: Vec<f64>,
    right: Vec<f64>,
}

/// A device in equilibrium at Fermi level zero, and the storage that solving it takes.
#[derive(Debug, Clone)]
pub struct Poisson<'a> {
    structure: &'a Structure,
    mesh: &'a Mesh,
    /// ε φ_t/(q h) of each edge in 1/m².
    couplings: Vec<f64>,
    system: System,
    /// Iterations of the last solution.
    pub iterations: usize,
}

impl<'a> Poisson<'a> {
    /// Prepares the equation.
    #[must_use]
    pub fn new(structure: &'a Structure, mesh: &'a Mesh) -> Self {
        let scale = structure.thermal_voltage_v() / ELEMENTARY_CHARGE;
        let couplings: Vec<f64> =
            mesh.permittivities.iter().zip(&mesh.lengths).map(|(e, h)| scale * e / h).collect();
        let count = mesh.len();
        let system = System {
            off: couplings.iter().map(|c| -c).collect(),
            diagonal: vec![0.0; count],
            right: vec![0.0; count],
        };
        Self { structure, mesh, couplings, system, iterations: 0 }
    }

    /// Charge of the carriers of node `i` over q in 1/m² and its negative derivative.
    fn carriers(&self, i: usize, level: f64) -> (f64, f64) {
        let size = self.mesh.boxes[i];
        if size == 0.0 {
            return (0.0, 0.0);
        }
        let scale = size * self.structure.intrinsic_per_m3;
        if self.structure.statistics == Statistics::Boltzmann {
            let n = level.exp();
            let p = 1.0 / n;
            (scale * (p - n), scale * (p + n))
        } else {
            let (n, dn, p, dp) = self.structure.densities(level, -level);
            (scale * (p - n), scale * (p * dp + n * dn))
        }
    }

    /// Fills matrix and residual at a potential over φ_t; the ends are held.
    fn assemble(&mut self, potential: &[f64]) {
        let last = potential.len() - 1;
        for i in 1..last {
            let (left, right) = (self.couplings[i - 1], self.couplings[i]);
            let (charge, slope) = self.carriers(i, potential[i]);
            let fixed = self.mesh.donors[i] + self.mesh.charges[i] / ELEMENTARY_CHARGE;
            self.system.diagonal[i] = left + right + slope;
            self.system.right[i] = right * (potential[i + 1] - potential[i])
                - left * (potential[i] - potential[i - 1])
                + charge
                + fixed;
        }
    }

    /// Moves `potential` (over φ_t, a start for the inner nodes) to the solution with its ends at `ends`.
    ///
    /// # Errors
    /// [`NotConverged`] with the history of the largest change.
    pub fn solve(&mut self, potential: &mut [f64], ends: [f64; 2]) -> Result<(), NotConverged> {
        let last = potential.len() - 1;
        (potential[0], potential[last]) = (ends[0], ends[1]);
        let mut residuals = Vec::new();
        let mut before = f64::INFINITY;
        for iteration in 0..MOST_ITERATIONS {
            self.assemble(potential);
            tridiagonal(
                &self.system.off[1..last],
                &mut self.system.diagonal[1..last],
                &self.system.off[1..last],
                &mut self.system.right[1..last],
            );
            let largest = self.system.right[1..last].iter().fold(0.0f64, |a, d| a.max(d.abs()));
            residuals.push(largest * self.structure.thermal_voltage_v());
            if !self.system.right[1..last].iter().all(|step| step.is_finite()) {
                break;
            }
            // Newton doubles the digits: a step of 1e-7 leaves an error of 1e-14.
            let damped = largest > 0.5;
            for (level, step) in potential[1..last].iter_mut().zip(&self.system.right[1..last]) {
                *level += if damped { step.signum() * step.abs().ln_1p() } else { *step };
            }
            if largest < 1e-7 || (largest < 1e-5 && largest >= before) {
                self.iterations = iteration + 1;
                return Ok(());
            }
            before = largest;
        }
        Err(NotConverged { residuals })
    }

    /// Derivative of the potential to that of the last contact, at a solution.
    pub fn response(&mut self, potential: &[f64]) -> Vec<f64> {
        let last = potential.len() - 1;
        self.assemble(potential);
        self.system.right.fill(0.0);
        self.system.right[last - 1] = self.couplings[last - 1];
        tridiagonal(
            &self.system.off[1..last],
            &mut self.system.diagonal[1..last],
            &self.system.off[1..last],
            &mut self.system.right[1..last],
        );
        let mut response = self.system.right.clone();
        (response[0], response[last]) = (0.0, 1.0);
        response
    }

    /// Charge on the last contact in C/m².
    #[must_use]
    pub fn last_charge(&self, potential: &[f64]) -> f64 {
        let last = potential.len() - 1;
        let flux = self.couplings[last - 1] * (potential[last] - potential[last - 1]);
        ELEMENTARY_CHARGE * flux - self.mesh.charges[last]
    }

    /// Charge in C/m² of electrons and of holes in all the device.
    #[must_use]
    pub fn carrier_charges(&self, potential: &[f64]) -> (f64, f64) {
        let scale = ELEMENTARY_CHARGE * self.structure.intrinsic_per_m3;
        let mut sums = (0.0, 0.0);
        for (level, size) in potential.iter().zip(&self.mesh.boxes).filter(|(_, size)| **size > 0.0) {
            let (n, _, p, _) = self.structure.densities(*level, -level);
            sums.0 -= scale * size * n;
            sums.1 += scale * size * p;
        }
        sums
    }
}
