//! Drift and diffusion of electrons and holes with Poisson's equation, coupled (Newton).
//!
//! The unknowns are the potential and the two quasi-Fermi potentials, each of these measured from the contact
//! that its carrier comes from. In these variables a flux is
//! `q µ φ_t/h · n_i B(−d) (e^{−Δφ/φ_t} − 1)`: a product without a difference of large numbers, so that
//! currents keep their relative accuracy at any bias, and are exactly zero in equilibrium.
//!
//! - [`assemble`]: residual and Jacobian; [`steady`]: bias sweeps;
//! - [`small_signal`]: admittance at a frequency; [`transient`]: response in time.

pub mod assemble;
pub mod small_signal;
pub mod steady;
pub mod transient;

use crate::semiconductor::mesh::Mesh;
use crate::semiconductor::mobility::Mobility;
use crate::semiconductor::recombination::Recombination;
use crate::semiconductor::structure::{Contact, Structure};
use nalgebra::SVector;

/// Potential, electron and hole quasi-Fermi potential of a node, over φ_t; the latter two are measured from
/// the reference of the node ([`Device::references`]).
pub type Node = SVector<f64, 3>;

/// A device with transport.
#[derive(Debug, Clone)]
pub struct Device {
    /// What it is made of.
    pub structure: Structure,
    /// Its nodes.
    pub mesh: Mesh,
    /// Mobility of electrons and of holes.
    pub mobility: [Mobility; 2],
    /// Recombination.
    pub recombination: Recombination,
    /// For each node, whether electrons and holes there are measured from the first contact.
    from_first: Vec<[bool; 2]>,
}

/// A solution at contact voltages.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Voltages in V of the first and of the last contact.
    pub contacts_v: [f64; 2],
    /// Unknowns of each node.
    pub nodes: Vec<Node>,
}

impl Device {
    /// A device; a carrier's quasi-Fermi potential is measured from the first contact in the layers of its
    /// own type that touch this contact, elsewhere from the last.
    #[must_use]
    pub fn new(
        structure: Structure,
        mesh: Mesh,
        mobility: [Mobility; 2],
        recombination: Recombination,
    ) -> Self {
        let reach = |electrons: bool| {
            let own = |net: f64| if electrons { net > 0.0 } else { net < 0.0 };
            if structure.first != Contact::Ohmic {
                return 0;
            }
            structure
                .layers
                .iter()
                .take_while(|layer| layer.doping.is_some_and(|doping| own(doping.net_per_m3())))
                .count()
        };
        let borders = [mesh.borders[reach(true)], mesh.borders[reach(false)]];
        let first = [reach(true) > 0, reach(false) > 0];
        let from_first =
            (0..mesh.len()).map(|i| [first[0] && i < borders[0], first[1] && i < borders[1]]).collect();
        Self { structure, mesh, mobility, recombination, from_first }
    }

    /// References over φ_t of electrons and holes at node `i` for contact voltages.
    #[must_use]
    pub fn references(&self, i: usize, contacts_v: [f64; 2]) -> [f64; 2] {
        let thermal = self.structure.thermal_voltage_v();
        // Gates carry no carriers: those behind them are measured from the ohmic contact.
        let last = if self.structure.last == Contact::Ohmic { contacts_v[1] } else { contacts_v[0] };
        self.from_first[i].map(|first| if first { contacts_v[0] } else { last } / thermal)
    }

    /// Electron and hole densities of each node in 1/m³; zero in insulators.
    #[must_use]
    pub fn densities(&self, state: &State) -> Vec<[f64; 2]> {
        state
            .nodes
            .iter()
            .enumerate()
            .map(|(i, node)| {
                if self.mesh.boxes[i] == 0.0 {
                    return [0.0; 2];
                }
                let [rn, rp] = self.references(i, state.contacts_v);
                let (n, _, p, _) = self.structure.densities(node[0] - node[1] - rn, node[2] + rp - node[0]);
                [n * self.structure.intrinsic_per_m3, p * self.structure.intrinsic_per_m3]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
