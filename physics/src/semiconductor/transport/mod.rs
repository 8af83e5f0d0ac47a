//! Drift and diffusion of electrons and holes with Poisson's equation, coupled (Newton).
//!
//! The unknowns are the potential and the two quasi-Fermi potentials, each of these measured from the contact
//! that its carrier comes from (in a layer between others: from the level at which its majority floats). In these variables a flux is
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
    /// Layers whose majority carriers touch no contact: which carrier it is, and the nodes of the layer.
    floating: Vec<(usize, std::ops::Range<usize>)>,
    /// For each node, its place in `floating`.
    floats: Vec<Option<usize>>,
}

/// A solution at contact voltages.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Voltages in V of the first and of the last contact.
    pub contacts_v: [f64; 2],
    /// Unknowns of each node.
    pub nodes: Vec<Node>,
    /// Levels over φ_t from which the majority carriers of floating layers are measured.
    pub floating: Vec<f64>,
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
        let reached = [reach(true), reach(false)];
        // A node on a junction counts with what follows, but nothing that carries follows in an insulator.
        let insulated = |layer: usize| structure.layers.get(layer).is_some_and(|next| next.doping.is_none());
        let ends = reached.map(|layer| mesh.borders[layer] + usize::from(insulated(layer)));
        let from_first = (0..mesh.len()).map(|i| [0, 1].map(|k| reached[k] > 0 && i < ends[k])).collect();
        let (mut floating, mut floats) = (Vec::new(), vec![None; mesh.len()]);
        let last = structure.layers.len() - 1;
        for (index, layer) in structure.layers.iter().enumerate() {
            let Some(net) = layer.doping.map(|doping| doping.net_per_m3()) else { continue };
            let majority = usize::from(net < 0.0);
            let touches_last = index == last && structure.last == Contact::Ohmic;
            if net != 0.0 && index >= reached[majority] && !touches_last {
                let nodes = mesh.borders[index]..mesh.borders[index + 1];
                floats[nodes.clone()].fill(Some(floating.len()));
                floating.push((majority, nodes));
            }
        }
        Self { structure, mesh, mobility, recombination, from_first, floating, floats }
    }

    /// Whether node `i` lies on a contact.
    fn is_end(&self, i: usize) -> bool {
        i == 0 || i + 1 == self.mesh.len()
    }

    /// Whether node `i` has no carriers, or those of an ohmic contact.
    fn is_held(&self, i: usize) -> bool {
        let contact = if i == 0 { self.structure.first } else { self.structure.last };
        self.mesh.boxes[i] == 0.0 || (self.is_end(i) && contact == Contact::Ohmic)
    }

    /// A state with its carriers measured from the contacts.
    #[must_use]
    pub fn state(&self, contacts_v: [f64; 2], nodes: Vec<Node>) -> State {
        State { contacts_v, nodes, floating: vec![0.0; self.floating.len()] }
    }

    /// References over φ_t of electrons and holes at node `i` of a state.
    #[must_use]
    pub fn references(&self, i: usize, state: &State) -> [f64; 2] {
        let thermal = self.structure.thermal_voltage_v();
        // Gates carry no carriers: those behind them are measured from the ohmic contact.
        let [first, last] = state.contacts_v;
        let last = if self.structure.last == Contact::Ohmic { last } else { first };
        let mut references = self.from_first[i].map(|own| if own { first } else { last } / thermal);
        if let Some(place) = self.floats[i] {
            references[self.floating[place].0] += state.floating[place];
        }
        references
    }

    /// Measures the majority carriers of floating layers from the middle of their layer.
    fn rebase(&self, state: &mut State) {
        for (place, (carrier, nodes)) in self.floating.iter().enumerate() {
            let level = state.nodes[(nodes.start + nodes.end) / 2][1 + carrier];
            state.floating[place] += level;
            for node in &mut state.nodes[nodes.clone()] {
                node[1 + carrier] -= level;
            }
        }
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
                let [rn, rp] = self.references(i, state);
                let (n, _, p, _) = self.structure.densities(node[0] - node[1] - rn, node[2] + rp - node[0]);
                [n * self.structure.intrinsic_per_m3, p * self.structure.intrinsic_per_m3]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
