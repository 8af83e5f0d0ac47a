//! The metal-insulator-semiconductor capacitor: surface potential, charges, capacitance, flat band and
//! threshold.

use crate::constants::ELEMENTARY_CHARGE;
use crate::semiconductor::mesh::Mesh;
use crate::semiconductor::poisson::{NotConverged, Poisson, boundary};
use crate::semiconductor::structure::{Contact, Doping, Structure};

/// A capacitor: one semiconductor at the first contact (ohmic), insulators above it, a gate at the last.
#[derive(Debug, Clone)]
pub struct MosCapacitor {
    structure: Structure,
    mesh: Mesh,
    doping: Doping,
}

/// The capacitor at one gate voltage; charges in C/m².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Gate voltage in V.
    pub gate_v: f64,
    /// Band bending from the back contact to the surface in V.
    pub surface_potential_v: f64,
    /// Charge on the gate.
    pub gate_charge: f64,
    /// Charge of the minority carriers in the semiconductor.
    pub inversion_charge: f64,
    /// Quasi-static capacitance dQ_gate/dV_gate in F/m².
    pub capacitance: f64,
}

/// A sweep of the gate, as far as it went.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Points in order.
    pub points: Vec<Point>,
    /// Potential in V at each node for each point, when asked for.
    pub profiles: Vec<Vec<f64>>,
    /// The gate voltage that was given up, with the history of its residuals.
    pub stopped: Option<(f64, NotConverged)>,
}

/// Largest predicted change of the potential in a semiconductor, in units of φ_t.
const LEAP: f64 = 3.0;

/// What is no capacitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected one doped semiconductor without sheets on an ohmic contact, at least one insulator, and a gate"
)]
pub struct NoCapacitor;

impl MosCapacitor {
    /// A capacitor on the mesh that suits it, every edge split `refinement` times.
    ///
    /// # Errors
    /// [`NoCapacitor`] when the structure is something else.
    pub fn new(structure: Structure, refinement: usize) -> Result<Self, NoCapacitor> {
        let mesh = Mesh::new(&structure, refinement);
        Self::with_mesh(structure, mesh)
    }

    /// A capacitor on a given mesh.
    ///
    /// # Errors
    /// [`NoCapacitor`] when the structure is something else.
    pub fn with_mesh(structure: Structure, mesh: Mesh) -> Result<Self, NoCapacitor> {
        let doping = structure.layers.first().and_then(|layer| layer.doping).ok_or(NoCapacitor)?;
        let insulated = structure.layers.len() > 1
            && structure.layers[0].sheets.is_empty()
            && structure.layers[1..].iter().all(|layer| layer.doping.is_none());
        let contacts = structure.first == Contact::Ohmic && matches!(structure.last, Contact::Gate(_));
        if insulated && contacts && doping.net_per_m3() != 0.0 {
            Ok(Self { structure, mesh, doping })
        } else {
            Err(NoCapacitor)
        }
    }

    /// The device.
    #[must_use]
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// Its mesh.
    #[must_use]
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Capacitance of the insulators alone in F/m².
    #[must_use]
    pub fn insulator_capacitance(&self) -> f64 {
        let edges = self.mesh.borders[1]..self.mesh.lengths.len();
        1.0 / edges.map(|edge| self.mesh.lengths[edge] / self.mesh.permittivities[edge]).sum::<f64>()
    }

    /// Distance of the Fermi level from midgap in the bulk, φ_F = φ_t ln(N/n_i), positive for acceptors.
    #[must_use]
    pub fn fermi_potential_v(&self) -> f64 {
        -self.structure.neutral_level(self.doping) * self.structure.thermal_voltage_v()
    }

    /// Gate voltage in V at which the semiconductor is flat: exact, since no charge moves.
    #[must_use]
    pub fn flatband_v(&self) -> f64 {
        self.gate_voltage(0.0, 0.0)
    }

    /// Gate voltage at a band bending, given the charge in C/m² that the semiconductor then holds.
    fn gate_voltage(&self, bending_v: f64, charge: f64) -> f64 {
        let surface = self.mesh.borders[1];
        // Displacement ε dψ/dx above the surface; it falls by every charge on the way to the gate.
        let mut displacement = -charge - self.mesh.charges[surface] + self.box_charge(surface);
        let mut potential = bending_v - self.fermi_potential_v();
        for edge in surface..self.mesh.lengths.len() {
            if edge > surface {
                displacement -= self.mesh.charges[edge];
            }
            potential += displacement * self.mesh.lengths[edge] / self.mesh.permittivities[edge];
        }
        let Contact::Gate(offset) = self.structure.last else { return potential };
        potential + offset
    }

    /// Fixed volume charge of the semiconductor that the mesh gives to the surface node; it counts with the
    /// semiconductor.
    fn box_charge(&self, surface: usize) -> f64 {
        surface
            .checked_sub(1)
            .map_or(0.0, |edge| 0.5 * self.mesh.lengths[edge] * self.structure.layers[0].charge_c_per_m3)
    }

    /// Gate voltage in V at which the bands bend by 2 φ_F, from the charge that the semiconductor then
    /// holds, on two refined meshes and extrapolated to edges of length zero (the error goes with their
    /// square).
    ///
    /// # Errors
    /// [`NotConverged`] when the semiconductor has no solution.
    pub fn threshold_v(&self) -> Result<f64, NotConverged> {
        let bending = 2.0 * self.fermi_potential_v();
        let charge = |refinement| self.semiconductor_charge(bending, refinement);
        let (coarse, fine) = (charge(4)?, charge(8)?);
        Ok(self.gate_voltage(bending, fine + (fine - coarse) / 3.0))
    }

    /// Charge in C/m² of the semiconductor alone at a band bending in V.
    fn semiconductor_charge(&self, bending_v: f64, refinement: usize) -> Result<f64, NotConverged> {
        // The mesh near the surface is that of the capacitor; the insulator above is cut off.
        let mesh = Mesh::new(&self.structure, refinement);
        let surface = mesh.borders[1];
        let alone = Structure {
            layers: self.structure.layers[..1].to_vec(),
            last: Contact::Gate(0.0),
            ..self.structure.clone()
        };
        let mesh = Mesh::with_nodes(&alone, mesh.nodes[..=surface].to_vec());
        let mut poisson = Poisson::new(&alone, &mesh);
        let bulk = self.structure.neutral_level(self.doping);
        let mut potential = vec![bulk; mesh.len()];
        poisson.solve(&mut potential, [bulk, bulk + bending_v / alone.thermal_voltage_v()])?;
        // What would sit on a metal at the surface, less the half box of the surface node itself.
        let image = poisson.last_charge(&potential);
        let level = potential[surface];
        let (n, _, p, _) = alone.densities(level, -level);
        let own = mesh.boxes[surface] * alone.intrinsic_per_m3 * (p - n) + mesh.donors[surface];
        Ok(-image + ELEMENTARY_CHARGE * own)
    }

    /// Solves at each gate voltage, each from the one before, and stops at the first without solution.
    #[must_use]
    pub fn sweep(&self, gates_v: &[f64], profiles: bool, progress: &dyn Fn(f64)) -> Sweep {
        let (structure, mesh) = (&self.structure, &self.mesh);
        let thermal = structure.thermal_voltage_v();
        let mut poisson = Poisson::new(structure, mesh);
        let bulk = structure.neutral_level(self.doping);
        let (surface, last) = (mesh.borders[1], mesh.len() - 1);
        let mut potential = vec![bulk; mesh.len()];
        let mut response: Vec<f64> = vec![0.0; mesh.len()];
        let mut older: Option<(f64, Vec<f64>)> = None;
        let mut found =
            Sweep { points: Vec::with_capacity(gates_v.len()), profiles: Vec::new(), stopped: None };
        let mut gate_before: Option<f64> = None;
        for (index, &gate_v) in gates_v.iter().enumerate() {
            let ends = boundary(structure, 0.0, gate_v);
            if let Some(before) = gate_before {
                // Predictor of second order from the derivatives at the last two points.
                let step = (gate_v - before) / thermal;
                let curve = older.as_ref().filter(|(width, _)| *width != 0.0).map_or(0.0, |(w, _)| step / w);
                for (i, level) in potential.iter_mut().enumerate() {
                    let bend = older.as_ref().map_or(0.0, |(_, old)| response[i] - old[i]);
                    let change = step * (response[i] + 0.5 * curve * bend);
                    // Carriers answer a potential exponentially: no leaps where there are any.
                    *level += if mesh.boxes[i] > 0.0 { change.clamp(-LEAP, LEAP) } else { change };
                }
                older = Some((step, response.clone()));
            }
            if let Err(error) = poisson.solve(&mut potential, ends) {
                found.stopped = Some((gate_v, error));
                break;
            }
            gate_before = Some(gate_v);
            response = poisson.response(&potential);
            let (electrons, holes) = poisson.carrier_charges(&potential);
            let charge = |of: &[f64]| {
                // The derivative of the gate charge has the couplings of the charge but no fixed part.
                ELEMENTARY_CHARGE * poisson_coupling(structure, mesh) * (of[last] - of[last - 1])
            };
            found.points.push(Point {
                gate_v,
                surface_potential_v: (potential[surface] - potential[0]) * thermal,
                gate_charge: poisson.last_charge(&potential),
                inversion_charge: if self.doping.net_per_m3() < 0.0 { electrons } else { holes },
                capacitance: charge(&response) / thermal,
            });
            if profiles {
                found.profiles.push(potential.iter().map(|level| level * thermal).collect());
            }
            progress((index + 1) as f64 / gates_v.len() as f64);
        }
        found
    }
}

/// ε φ_t/(q h) of the last edge in 1/m².
fn poisson_coupling(structure: &Structure, mesh: &Mesh) -> f64 {
    let last = mesh.lengths.len() - 1;
    structure.thermal_voltage_v() / ELEMENTARY_CHARGE * mesh.permittivities[last] / mesh.lengths[last]
}

#[cfg(test)]
mod tests;
