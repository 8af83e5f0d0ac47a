//! Residual and Jacobian of Poisson's equation and of the two continuity equations.

use super::{Device, Node, State};
use crate::constants::ELEMENTARY_CHARGE;
use crate::semiconductor::linear::BlockTridiagonal;
use crate::semiconductor::recombination::{Carriers, Rate};
use crate::semiconductor::statistics::{Statistics, activity, bernoulli, bernoulli_slope};
use crate::semiconductor::structure::Contact;

/// What a node contributes: densities over n_i, their slopes, activities.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Local {
    /// n/n_i and p/n_i.
    pub(super) density: [f64; 2],
    /// d ln n/ds_n and d ln p/ds_p.
    pub(super) slope: [f64; 2],
    /// ln γ of both.
    activity: [f64; 2],
    /// Reference of both over φ_t.
    reference: [f64; 2],
}

/// A particle flux along an edge in 1/(m² s) with derivatives.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flux {
    /// Current density over q in the direction of the nodes.
    pub(super) value: f64,
    /// Derivatives to the potential at both ends.
    pub(super) potential: [f64; 2],
    /// Derivatives to the carrier's quasi-Fermi potential at both ends.
    pub(super) fermi: [f64; 2],
}

/// Storage for one assembly.
#[derive(Debug, Clone)]
pub(super) struct Assembly {
    pub(super) locals: Vec<Local>,
    pub(super) fluxes: Vec<[Flux; 2]>,
    pub(super) rates: Vec<Rate>,
    pub(super) residual: Vec<Node>,
    pub(super) matrix: BlockTridiagonal<f64, 3>,
    /// Low-field mobility of each edge in m²/(V s).
    mobility: Vec<[f64; 2]>,
    /// ε φ_t/(q h) of each edge in 1/m².
    pub(super) couplings: Vec<f64>,
}

impl Assembly {
    pub(super) fn new(device: &Device) -> Self {
        let (mesh, structure) = (&device.mesh, &device.structure);
        let scale = structure.thermal_voltage_v() / ELEMENTARY_CHARGE;
        let mobility = mesh
            .layers
            .iter()
            .map(|&layer| match structure.layers[layer].doping {
                Some(doping) => device.mobility.map(|law| law.low_field(doping.total_per_m3())),
                None => [0.0; 2],
            })
            .collect();
        Self {
            locals: vec![Local::default(); mesh.len()],
            fluxes: vec![[Flux::default(); 2]; mesh.lengths.len()],
            rates: vec![Rate::default(); mesh.len()],
            residual: vec![Node::zeros(); mesh.len()],
            matrix: BlockTridiagonal::zeros(mesh.len()),
            mobility,
            couplings: mesh.permittivities.iter().zip(&mesh.lengths).map(|(e, h)| scale * e / h).collect(),
        }
    }

    /// Evaluates densities, fluxes and rates at a state.
    pub(super) fn evaluate(&mut self, device: &Device, state: &State) {
        let (mesh, structure) = (&device.mesh, &device.structure);
        let intrinsic = structure.intrinsic_per_m3;
        for (i, node) in state.nodes.iter().enumerate() {
            if mesh.boxes[i] == 0.0 {
                continue;
            }
            let reference = device.references(i, state.contacts_v);
            let levels = [node[0] - node[1] - reference[0], node[2] + reference[1] - node[0]];
            let (mut slope, mut activities) = ([1.0; 2], [0.0; 2]);
            if let Statistics::FermiDirac { conduction_per_m3, valence_per_m3 } = structure.statistics {
                (activities[0], slope[0]) = activity(levels[0], intrinsic, conduction_per_m3);
                (activities[1], slope[1]) = activity(levels[1], intrinsic, valence_per_m3);
            }
            let density = [(levels[0] + activities[0]).exp(), (levels[1] + activities[1]).exp()];
            let split = (node[2] - node[1]) + (reference[1] - reference[0]);
            self.locals[i] = Local { density, slope, activity: activities, reference };
            self.rates[i] = device.recombination.rate(
                Carriers {
                    electrons: (intrinsic * density[0], slope[0]),
                    holes: (intrinsic * density[1], slope[1]),
                    split,
                    product: intrinsic * intrinsic * (activities[0] + activities[1]).exp(),
                },
                intrinsic,
            );
        }
        let thermal = structure.thermal_voltage_v();
        for edge in 0..mesh.lengths.len() {
            if structure.layers[mesh.layers[edge]].doping.is_none() {
                continue;
            }
            let (left, right) = (&state.nodes[edge], &state.nodes[edge + 1]);
            let (a, b) = (&self.locals[edge], &self.locals[edge + 1]);
            let drop = right[0] - left[0];
            for carrier in 0..2 {
                // Holes move as electrons would in the mirrored potential.
                let sign = if carrier == 0 { 1.0 } else { -1.0 };
                let fermi =
                    (right[1 + carrier] - left[1 + carrier]) + (b.reference[carrier] - a.reference[carrier]);
                let mut low = self.mobility[edge][carrier];
                let mut stiffness = 0.0;
                if let Some(saturation) = device.mobility[carrier].saturation {
                    let force = drop.abs() * thermal / mesh.lengths[edge];
                    let (factor, slope) = saturation.factor(low, force);
                    low *= factor;
                    stiffness = if drop == 0.0 { 0.0 } else { slope / drop };
                }
                let conductance = low * thermal * intrinsic / mesh.lengths[edge];
                let ends = [(a, carrier), (b, carrier)]
                    .map(|(local, c)| End { density: local.density[c], slope: local.slope[c] });
                let field = sign * drop + (b.activity[carrier] - a.activity[carrier]);
                let mut flux = flux(conductance, field, sign * fermi, ends);
                // The current of holes runs against their electron-like flux; in ψ and φ_p the derivatives
                // change sign once more.
                flux.value *= sign;
                flux.potential[0] -= flux.value * stiffness;
                flux.potential[1] += flux.value * stiffness;
                self.fluxes[edge][carrier] = flux;
            }
        }
    }

    /// Fills residual and Jacobian from what [`Assembly::evaluate`] left. `storage` is the coefficient of
    /// the present density in the time derivative in 1/s (0 when steady), `history` the part of the time
    /// derivative in 1/(m² s) that earlier densities make, times the box.
    pub(super) fn assemble(
        &mut self,
        device: &Device,
        state: &State,
        storage: f64,
        history: Option<&[[f64; 2]]>,
    ) {
        let (mesh, structure) = (&device.mesh, &device.structure);
        let intrinsic = structure.intrinsic_per_m3;
        let last = mesh.len() - 1;
        let matrix = &mut self.matrix;
        for i in 0..=last {
            let (mut diagonal, mut lower, mut upper) =
                (nalgebra::Matrix3::zeros(), nalgebra::Matrix3::zeros(), nalgebra::Matrix3::zeros());
            let mut residual = Node::zeros();
            let held = i == 0 || i == last;
            let carriers = mesh.boxes[i] > 0.0;
            if held {
                diagonal[(0, 0)] = 1.0;
            } else {
                let (a, b) = (self.couplings[i - 1], self.couplings[i]);
                lower[(0, 0)] = a;
                upper[(0, 0)] = b;
                diagonal[(0, 0)] = -a - b;
                residual[0] = b * (state.nodes[i + 1][0] - state.nodes[i][0])
                    - a * (state.nodes[i][0] - state.nodes[i - 1][0])
                    + mesh.donors[i]
                    + mesh.charges[i] / ELEMENTARY_CHARGE;
            }
            let fixed = !carriers
                || (i == 0 && structure.first == Contact::Ohmic)
                || (i == last && structure.last == Contact::Ohmic);
            if fixed {
                diagonal[(1, 1)] = 1.0;
                diagonal[(2, 2)] = 1.0;
            }
            if carriers {
                let local = &self.locals[i];
                let size = mesh.boxes[i];
                let weight = intrinsic * size;
                let [n, p] = local.density;
                let (dn, dp) = (n * local.slope[0], p * local.slope[1]);
                if !held {
                    residual[0] += weight * (p - n);
                    diagonal[(0, 0)] -= weight * (dn + dp);
                    diagonal[(0, 1)] += weight * dn;
                    diagonal[(0, 2)] += weight * dp;
                }
                if !fixed {
                    let rate = &self.rates[i];
                    let stored = storage * weight;
                    for (row, sign) in [(1, -1.0), (2, 1.0)] {
                        residual[row] = sign * size * rate.value;
                        // ds_n = dψ − dφ_n, ds_p = dφ_p − dψ.
                        diagonal[(row, 0)] = sign * size * (rate.slopes[0] - rate.slopes[1]);
                        diagonal[(row, 1)] = -sign * size * rate.slopes[0];
                        diagonal[(row, 2)] = sign * size * rate.slopes[1];
                    }
                    residual[1] -= stored * n;
                    diagonal[(1, 0)] -= stored * dn;
                    diagonal[(1, 1)] += stored * dn;
                    residual[2] += stored * p;
                    diagonal[(2, 0)] -= stored * dp;
                    diagonal[(2, 2)] += stored * dp;
                    if let Some(history) = history {
                        residual[1] -= history[i][0];
                        residual[2] += history[i][1];
                    }
                    for carrier in 0..2 {
                        let row = 1 + carrier;
                        if i < last {
                            let flux = &self.fluxes[i][carrier];
                            residual[row] += flux.value;
                            diagonal[(row, 0)] += flux.potential[0];
                            upper[(row, 0)] += flux.potential[1];
                            diagonal[(row, row)] += flux.fermi[0];
                            upper[(row, row)] += flux.fermi[1];
                        }
                        if i > 0 {
                            let flux = &self.fluxes[i - 1][carrier];
                            residual[row] -= flux.value;
                            lower[(row, 0)] -= flux.potential[0];
                            diagonal[(row, 0)] -= flux.potential[1];
                            lower[(row, row)] -= flux.fermi[0];
                            diagonal[(row, row)] -= flux.fermi[1];
                        }
                    }
                }
            }
            (matrix.diagonal[i], matrix.lower[i], matrix.upper[i]) = (diagonal, lower, upper);
            self.residual[i] = residual;
        }
    }

    /// Conduction current in A/m² along an edge.
    pub(super) fn current(&self, edge: usize) -> f64 {
        ELEMENTARY_CHARGE * (self.fluxes[edge][0].value + self.fluxes[edge][1].value)
    }
}

/// Density over n_i at an end of an edge and its logarithmic slope.
#[derive(Clone, Copy)]
struct End {
    density: f64,
    slope: f64,
}

/// Scharfetter-Gummel flux of electron-like carriers: `conductance` [B(d) n₁ − B(−d) n₀], equal to
/// `conductance` n₀ B(−d) (e^{−Δφ} − 1), which keeps its digits when Δφ is small.
fn flux(conductance: f64, field: f64, fermi: f64, ends: [End; 2]) -> Flux {
    let (forward, forward_slope) = bernoulli_slope(field);
    let backward = if field > 0.0 { forward + field } else { bernoulli(-field) };
    // B(x) − B(−x) = −x gives B'(−x) = −1 − B'(x).
    let backward_slope = -1.0 - forward_slope;
    let (n0, n1) = (ends[0].density, ends[1].density);
    let value =
        if fermi.abs() < 1.0 { n0 * backward * (-fermi).exp_m1() } else { forward * n1 - backward * n0 };
    let by_field = forward_slope * n1 + backward_slope * n0;
    let (by0, by1) = (-backward * n0 * ends[0].slope, forward * n1 * ends[1].slope);
    // d = Δψ + Δ ln γ, and ln γ moves with s = ψ − φ by slope − 1.
    let levels = [by0 - by_field * (ends[0].slope - 1.0), by1 + by_field * (ends[1].slope - 1.0)];
    Flux {
        value: conductance * value,
        potential: [conductance * (levels[0] - by_field), conductance * (levels[1] + by_field)],
        fermi: [-conductance * levels[0], -conductance * levels[1]],
    }
}
