//! Residual and Jacobian of Poisson's equation and of the two continuity equations.

use super::{Device, Node, State};
use crate::constants::ELEMENTARY_CHARGE;
use crate::semiconductor::linear::BlockTridiagonal;
use crate::semiconductor::recombination::{Carriers, Rate};
use crate::semiconductor::statistics::{Statistics, activity, bernoulli, bernoulli_slope};
use nalgebra::Matrix3;

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
    /// Derivatives to the potential at both ends; of the order of the flux.
    pub(super) potential: [f64; 2],
    /// Derivatives to the carrier's quasi-Fermi potential at both ends.
    pub(super) fermi: [f64; 2],
    /// The sum of these two, which is of the order of the flux: far smaller than they are.
    pub(super) excess: f64,
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
            let reference = device.references(i, state);
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
        let mesh = &device.mesh;
        let last = mesh.len() - 1;
        for i in 0..=last {
            let (mut lower, mut excess, mut upper) = (Matrix3::zeros(), Matrix3::zeros(), Matrix3::zeros());
            let mut residual = Node::zeros();
            if device.is_end(i) {
                excess[(0, 0)] = 1.0;
            } else {
                let (a, b) = (self.couplings[i - 1], self.couplings[i]);
                lower[(0, 0)] = a;
                upper[(0, 0)] = b;
                residual[0] = b * (state.nodes[i + 1][0] - state.nodes[i][0])
                    - a * (state.nodes[i][0] - state.nodes[i - 1][0])
                    + mesh.donors[i]
                    + mesh.charges[i] / ELEMENTARY_CHARGE;
                self.charge(device, i, &mut residual, &mut excess);
            }
            if device.is_held(i) {
                excess[(1, 1)] = 1.0;
                excess[(2, 2)] = 1.0;
            } else {
                self.sources(device, i, storage, &mut residual, &mut excess);
                if let Some(history) = history {
                    residual[1] -= history[i][0];
                    residual[2] += history[i][1];
                }
                for carrier in 0..2 {
                    let row = 1 + carrier;
                    if i < last {
                        let flux = &self.fluxes[i][carrier];
                        residual[row] += flux.value;
                        upper[(row, 0)] += flux.potential[1];
                        excess[(row, 0)] += flux.potential[0] + flux.potential[1];
                        upper[(row, row)] += flux.fermi[1];
                        excess[(row, row)] += flux.excess;
                    }
                    if i > 0 {
                        let flux = &self.fluxes[i - 1][carrier];
                        residual[row] -= flux.value;
                        lower[(row, 0)] -= flux.potential[0];
                        excess[(row, 0)] -= flux.potential[0] + flux.potential[1];
                        lower[(row, row)] -= flux.fermi[0];
                        excess[(row, row)] -= flux.excess;
                    }
                }
            }
            (self.matrix.lower[i], self.matrix.excess[i], self.matrix.upper[i]) = (lower, excess, upper);
            self.residual[i] = residual;
        }
    }

    /// Charge of the carriers of node `i` in Poisson's equation.
    fn charge(&self, device: &Device, i: usize, residual: &mut Node, excess: &mut Matrix3<f64>) {
        let weight = device.structure.intrinsic_per_m3 * device.mesh.boxes[i];
        if weight > 0.0 {
            let Local { density: [n, p], slope, .. } = self.locals[i];
            residual[0] += weight * (p - n);
            let (dn, dp) = (weight * n * slope[0], weight * p * slope[1]);
            excess[(0, 0)] -= dn + dp;
            excess[(0, 1)] += dn;
            excess[(0, 2)] += dp;
        }
    }

    /// Recombination and storage of node `i` in the continuity equations.
    fn sources(
        &self,
        device: &Device,
        i: usize,
        storage: f64,
        residual: &mut Node,
        excess: &mut Matrix3<f64>,
    ) {
        let size = device.mesh.boxes[i];
        let Local { density: [n, p], slope, .. } = self.locals[i];
        let rate = &self.rates[i];
        for (row, sign) in [(1, -1.0), (2, 1.0)] {
            residual[row] = sign * size * rate.value;
            // s_n = ψ − φ_n, s_p = φ_p − ψ.
            excess[(row, 0)] = sign * size * (rate.slopes[0] - rate.slopes[1]);
            excess[(row, 1)] = -sign * size * rate.slopes[0];
            excess[(row, 2)] = sign * size * rate.slopes[1];
        }
        let stored = storage * device.structure.intrinsic_per_m3 * size;
        residual[1] -= stored * n;
        residual[2] += stored * p;
        excess[(1, 0)] -= stored * n * slope[0];
        excess[(1, 1)] += stored * n * slope[0];
        excess[(2, 0)] -= stored * p * slope[1];
        excess[(2, 2)] += stored * p * slope[1];
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
/// `conductance` n₀ B(−d) (e^{−Δφ} − 1), which keeps its digits when Δφ is small. So do the derivatives.
fn flux(conductance: f64, field: f64, fermi: f64, ends: [End; 2]) -> Flux {
    let (forward, forward_slope) = bernoulli_slope(field);
    let backward = if field > 0.0 { forward + field } else { bernoulli(-field) };
    // B(x) − B(−x) = −x gives B'(−x) = −1 − B'(x).
    let backward_slope = -1.0 - forward_slope;
    let (n0, n1) = (ends[0].density, ends[1].density);
    // d = Δψ + Δ ln γ.
    let by_field = forward_slope * n1 + backward_slope * n0;
    // B(d) n₁ + ∂/∂d and −B(−d) n₀ − ∂/∂d: what moving ψ alone does at either end. By the identity
    // eᵈ (B(d) + B'(d)) = 1 + B'(d) these are proportional to the flux.
    let (value, far, near) = if fermi.abs() < 1.0 {
        (
            n0 * backward * (-fermi).exp_m1(),
            -backward_slope * n0 * (-fermi).exp_m1(),
            forward_slope * n1 * fermi.exp_m1(),
        )
    } else {
        (forward * n1 - backward * n0, forward * n1 + by_field, -backward * n0 - by_field)
    };
    // ln γ moves with s = ψ − φ by slope − 1.
    let (slope0, slope1) = (ends[0].slope, ends[1].slope);
    let levels = [
        -backward * n0 * slope0 - by_field * (slope0 - 1.0),
        forward * n1 * slope1 + by_field * (slope1 - 1.0),
    ];
    Flux {
        value: conductance * value,
        potential: [conductance * slope0 * near, conductance * slope1 * far],
        fermi: [-conductance * levels[0], -conductance * levels[1]],
        // The sum of the two without their leading digits, which cancel.
        excess: -conductance * (slope0 * value + (slope1 - slope0) * (forward * n1 + by_field)),
    }
}
