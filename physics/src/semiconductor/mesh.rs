//! Nodes of a one-dimensional device and what belongs to each: boxes, charges, permittivities.

use crate::constants::{ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY};
use crate::semiconductor::structure::{Layer, Structure};

/// A finite-volume mesh. Node i owns the half edges on both sides of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mesh {
    /// Places of the nodes in m, ascending.
    pub nodes: Vec<f64>,
    /// Length of each edge in m.
    pub lengths: Vec<f64>,
    /// Permittivity of each edge in F/m.
    pub permittivities: Vec<f64>,
    /// Index of the layer of each edge.
    pub layers: Vec<usize>,
    /// Length of semiconductor that belongs to each node in m.
    pub boxes: Vec<f64>,
    /// Net donors of each node in 1/m².
    pub donors: Vec<f64>,
    /// Fixed charge of each node besides the dopants in C/m².
    pub charges: Vec<f64>,
    /// Index of the first node of each layer, and of the last node of the last.
    pub borders: Vec<usize>,
}

/// Growth of neighbouring edges away from a border; sets the discretisation error together with the first
/// edge (errors go with its square).
const GROWTH: f64 = 0.03;
/// First edge at a border in Debye lengths of the larger doping beside it.
const FIRST_EDGE: f64 = 0.01;
/// First edge at an insulator in m: accumulation layers are thinner than any Debye length of the dopants.
const INSULATOR_EDGE_M: f64 = 3e-12;

impl Mesh {
    /// A mesh for `structure`: fine at borders of semiconductors, exact in insulators (where the potential
    /// is piecewise linear or parabolic, which nodal values of this scheme reproduce), every edge of it split
    /// into `refinement` equal parts.
    #[must_use]
    pub fn new(structure: &Structure, refinement: usize) -> Self {
        let mut nodes = vec![0.0];
        for (index, layer) in structure.layers.iter().enumerate() {
            let start = *nodes.last().unwrap_or(&0.0);
            let local = match layer.doping {
                None => insulator(layer),
                Some(_) => semiconductor(structure, index),
            };
            let mut before = 0.0;
            for place in local {
                let parts = if layer.doping.is_some() { refinement.max(1) } else { 1 };
                for part in 1..=parts {
                    let share = part as f64 / parts as f64;
                    nodes.push(start + before + share * (place - before));
                }
                before = place;
            }
        }
        Self::with_nodes(structure, nodes)
    }

    /// A mesh with given nodes in m, ascending from zero; borders between layers that no node meets are
    /// added.
    #[must_use]
    pub fn with_nodes(structure: &Structure, mut nodes: Vec<f64>) -> Self {
        let mut places = vec![0.0];
        for layer in &structure.layers {
            let start = *places.last().unwrap_or(&0.0);
            for sheet in &layer.sheets {
                nodes.push(start + sheet.position * layer.thickness_m);
            }
            places.push(start + layer.thickness_m);
        }
        let total = *places.last().unwrap_or(&0.0);
        nodes.extend(&places);
        nodes.retain(|place| place.is_finite() && (-1e-9 * total..=(1.0 + 1e-9) * total).contains(place));
        nodes.sort_by(f64::total_cmp);
        // A node within rounding of a border is that border.
        for node in &mut nodes {
            if let Some(border) = places.iter().find(|border| (*node - **border).abs() < 1e-9 * total) {
                *node = *border;
            }
        }
        nodes.dedup_by(|a, b| (*a - *b).abs() < 1e-12 * total);
        let lengths: Vec<f64> = nodes.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let layers: Vec<usize> = nodes
            .windows(2)
            .map(|pair| {
                let middle = 0.5 * (pair[0] + pair[1]);
                places.iter().skip(1).position(|border| middle < *border).unwrap_or(0)
            })
            .collect();
        let permittivities =
            layers.iter().map(|&layer| VACUUM_PERMITTIVITY * structure.layers[layer].permittivity).collect();
        let count = nodes.len();
        let (mut boxes, mut doping, mut charges) =
            (vec![0.0; count], vec![Vec::new(); count], vec![0.0; count]);
        for (edge, (&length, &layer)) in lengths.iter().zip(&layers).enumerate() {
            let layer = &structure.layers[layer];
            for node in [edge, edge + 1] {
                charges[node] += 0.5 * length * layer.charge_c_per_m3;
                if let Some(own) = layer.doping {
                    boxes[node] += 0.5 * length;
                    doping[node].push(own.net_per_m3());
                }
            }
        }
        // A node on a junction has the mean of both sides, as is customary.
        let donors = boxes
            .iter()
            .zip(&doping)
            .map(|(size, sides)| size * sides.iter().sum::<f64>() / sides.len().max(1) as f64)
            .collect();
        let nearest = |place: f64| {
            let after = nodes.partition_point(|node| *node < place).min(count - 1);
            let before = after.saturating_sub(1);
            if (nodes[after] - place).abs() < (nodes[before] - place).abs() { after } else { before }
        };
        for (layer, start) in structure.layers.iter().zip(&places) {
            for sheet in &layer.sheets {
                charges[nearest(start + sheet.position * layer.thickness_m)] += sheet.charge_c_per_m2;
            }
        }
        let borders = places.iter().map(|place| nearest(*place)).collect();
        Self { lengths, permittivities, layers, boxes, donors, charges, borders, nodes }
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes; a mesh has always two at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// Places after the start of an insulating layer: its sheets and its end.
fn insulator(layer: &Layer) -> Vec<f64> {
    let mut places: Vec<f64> = layer.sheets.iter().map(|sheet| sheet.position * layer.thickness_m).collect();
    places.push(layer.thickness_m);
    places
}

/// Places after the start of a semiconducting layer, from an edge length that grows with the distance to the
/// borders where the potential bends.
fn semiconductor(structure: &Structure, index: usize) -> Vec<f64> {
    let thickness = structure.layers[index].thickness_m;
    let fine = |neighbour: Option<usize>| -> f64 {
        let own = debye(structure, index);
        match neighbour.and_then(|neighbour| structure.layers.get(neighbour).map(|layer| (neighbour, layer)))
        {
            None => 0.5 * own,
            Some((_, layer)) if layer.doping.is_none() => INSULATOR_EDGE_M,
            Some((neighbour, _)) => FIRST_EDGE * own.min(debye(structure, neighbour)),
        }
        .min(0.05 * thickness)
    };
    let (left, right) = (fine(index.checked_sub(1)), fine(Some(index + 1)));
    let widest = thickness / 40.0;
    let size = |x: f64| (left + GROWTH * x).min(right + GROWTH * (thickness - x)).min(widest);
    // The count of nodes is the integral of 1/size; its inverse function places them evenly.
    let density = |x: f64| 1.0 / size(x);
    let mut table = vec![(0.0, 0.0)];
    let (mut x, mut sum) = (0.0, 0.0);
    while x < thickness {
        // Simpson's rule over a quarter of the local size.
        let step = (0.25 * size(x)).min(thickness - x);
        sum += step / 6.0 * (density(x) + 4.0 * density(x + 0.5 * step) + density(x + step));
        x = if thickness - x - step < 1e-9 * thickness { thickness } else { x + step };
        table.push((x, sum));
    }
    let count = sum.ceil().max(8.0);
    let mut places = Vec::with_capacity(count as usize);
    let mut at = 1;
    for node in 1..count as usize {
        let wanted = sum * node as f64 / count;
        while table[at].1 < wanted {
            at += 1;
        }
        let ((x0, s0), (x1, s1)) = (table[at - 1], table[at]);
        places.push(x0 + (wanted - s0) / (s1 - s0) * (x1 - x0));
    }
    places.push(thickness);
    places
}

/// Debye length of a layer in m.
fn debye(structure: &Structure, index: usize) -> f64 {
    let layer = &structure.layers[index];
    let carriers =
        layer.doping.map_or(0.0, |doping| doping.net_per_m3().abs()).max(structure.intrinsic_per_m3);
    (VACUUM_PERMITTIVITY * layer.permittivity * structure.thermal_voltage_v()
        / (ELEMENTARY_CHARGE * carriers))
        .sqrt()
}
