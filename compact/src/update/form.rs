//! How each law is fitted: its parameters, the device that they make, and where the fit starts.

use super::analytic::{self, CrossSimAsymmetric, CrossSimSymmetric};
use super::constant::{self, ConstantStep};
use super::domain_wall::{self, DomainWall};
use super::ecram::{self, EcramStep};
use super::exponential::{self, ExpStep};
use super::law::{Cell, Law, PulseLaw};
use super::linear::{self, LinearStep, SoftBoundsReference};
use super::piecewise::{self, FITTED_NODES, PiecewiseStep};
use super::power::{self, PowStep};
use super::ramp::{self, LogarithmicRamp};
use super::start::{Line, Start};
use crate::card::DeviceCard;
use crate::model::ModelInfo;

/// Bounds, in weights, of laws that stop by themselves: far outside of every window.
const FAR: f64 = 4.0;

/// Pulses that NeuroSim's range is covered in.
const NEUROSIM_PULSES: f64 = 1000.0;

/// Below this the curvature of the exponential step counts as this: its two terms cancel to 1e-10.
const FLAT: f64 = 1e-6;

/// A law as a fit sees it. Values are in the order of the parameters of `info`, in weights.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Law and parameters.
    pub(super) info: &'static ModelInfo,
    /// The device of these values.
    pub(super) device: fn(&[f64]) -> (Law, Cell),
    /// Values worth starting from; the fit takes the best.
    pub(super) starts: fn(&Start) -> Vec<Vec<f64>>,
}

/// The device of a card of an update law; `None` for a card of another model.
pub fn device(card: &DeviceCard) -> Option<(Law, Cell)> {
    let form = FORMS.iter().chain([&DOMAIN_WALL]).find(|form| form.info.name == card.model)?;
    Some((form.device)(&card.values(form.info)))
}

/// Every law that is fitted.
pub(super) const FORMS: [Form; 12] = [
    Form { info: &constant::INFO, device: constant_device, starts: constant_starts },
    Form { info: &linear::LINEAR, device: linear_device, starts: linear_starts },
    Form { info: &linear::SOFT_BOUNDS, device: soft_device, starts: soft_starts },
    Form { info: &linear::REFERENCE, device: reference_device, starts: reference_starts },
    Form { info: &linear::RANGE, device: range_device, starts: range_starts },
    Form { info: &exponential::INFO, device: exp_device, starts: exp_starts },
    Form { info: &power::INFO, device: pow_device, starts: pow_starts },
    Form { info: &piecewise::INFO, device: piecewise_device, starts: piecewise_starts },
    Form { info: &ramp::INFO, device: ramp_device, starts: ramp_starts },
    Form { info: &analytic::ASYMMETRIC, device: asymmetric_device, starts: analytic_starts },
    Form { info: &analytic::SYMMETRIC, device: symmetric_device, starts: analytic_starts },
    Form { info: &ecram::INFO, device: ecram_device, starts: ecram_starts },
];

/// The domain wall without notches is the constant step: it is fitted by its own name, and not ranked twice.
pub(super) const DOMAIN_WALL: Form =
    Form { info: &domain_wall::INFO, device: wall_device, starts: constant_starts };

fn bounded(up: f64, down: f64, max: f64, min: f64) -> Cell {
    Cell { up, down, max, min, ..Cell::default() }
}

fn prepared(law: Law, mut cell: Cell) -> (Law, Cell) {
    let typical = cell;
    law.prepare(&typical, &mut cell, [0.0; 3]);
    (law, cell)
}

fn constant_device(p: &[f64]) -> (Law, Cell) {
    (Law::Constant(ConstantStep), bounded(p[0], p[1], p[2], -p[3]))
}

fn wall_device(p: &[f64]) -> (Law, Cell) {
    (Law::DomainWall(DomainWall { pitch: 0.0 }), bounded(p[0], p[1], p[2], -p[3]))
}

fn constant_starts(start: &Start) -> Vec<Vec<f64>> {
    let [up, down] = start.mean_steps();
    // A bound that no reading reaches has no slope; just inside, it has.
    let near = |part: f64| vec![up, down, part * start.high, -part * start.low];
    // Steeper steps where the readings level off: they reach the bound half-way.
    let steep = vec![2.0 * up, 2.0 * down, 0.8 * start.high, -0.8 * start.low];
    vec![near(0.7), near(0.9), near(1.2), steep]
}

fn linear_device(p: &[f64]) -> (Law, Cell) {
    let (max, min) = (p[2], -p[3]);
    let law = LinearStep {
        gamma_up: p[4] * max,
        gamma_down: -p[5] * min,
        gamma_up_std: 0.0,
        gamma_down_std: 0.0,
        mean_bounds: true,
    };
    prepared(Law::Linear(law), bounded(p[0], p[1], max, min))
}

fn linear_starts(start: &Start) -> Vec<Vec<f64>> {
    let [up, down] = start.lines();
    let with =
        |part: f64| vec![up.step, down.step, part * start.high, -part * start.low, up.slope, down.slope];
    vec![with(0.8), with(0.9), with(1.0)]
}

fn soft_device(p: &[f64]) -> (Law, Cell) {
    prepared(Law::Linear(LinearStep::SOFT_BOUNDS), bounded(p[0], p[1], p[2], -p[3]))
}

fn soft_starts(start: &Start) -> Vec<Vec<f64>> {
    let [up, down] = start.lines();
    vec![vec![up.step, down.step, (1.0 / up.slope).min(50.0), (1.0 / down.slope).min(50.0)]]
}

fn reference_device(p: &[f64]) -> (Law, Cell) {
    let law = SoftBoundsReference { mean: p[0], std: 0.0, subtract_symmetry_point: false };
    prepared(Law::Reference(law), bounded(p[1], p[1], p[2], -p[3]))
}

fn reference_starts(start: &Start) -> Vec<Vec<f64>> {
    let (centre, step, [up, down]) = start.symmetry();
    vec![vec![-centre, step, 1.0 / up, 1.0 / down]]
}

/// Ends of soft-bounds ramps that cover the range in [`NEUROSIM_PULSES`].
fn range_device(p: &[f64]) -> (Law, Cell) {
    let (max, min) = (p[0], -p[1]);
    let reach = |pulses: f64| (max - min) / -(-NEUROSIM_PULSES / pulses).exp_m1();
    let rate = |pulses: f64| -(-1.0 / pulses).exp_m1();
    let (up, down) = (rate(p[2]), rate(p[3]));
    let cell = Cell {
        up: up * (min + reach(p[2])),
        down: -down * (max - reach(p[3])),
        max: FAR.max(max),
        min: (-FAR).min(min),
        reference: 0.0,
        shape_up: -up,
        shape_down: down,
    };
    (Law::Linear(LinearStep::SOFT_BOUNDS), cell)
}

fn range_starts(start: &Start) -> Vec<Vec<f64>> {
    let [up, down] = start.lines();
    let pulses = |line: &Line| 1.0 / (line.step * line.slope);
    vec![vec![start.high, -start.low, pulses(&up), pulses(&down)]]
}

/// Step, A and rate of `s (1 - A exp(k w))` from those of `f (1 - b (exp(k w) - 1)/(exp(k) - 1))`.
fn exponential_parts(step: f64, loss: f64, curvature: f64) -> (f64, f64, f64) {
    let k = if curvature.abs() < FLAT { FLAT } else { curvature };
    let part = loss / k.exp_m1();
    // A vanishing constant part is moved off zero, where A would be infinite.
    let constant = if (1.0 + part).abs() < FLAT { FLAT } else { 1.0 + part };
    (step * constant, part / constant, k)
}

fn exp_device(p: &[f64]) -> (Law, Cell) {
    let (up, a_up, gamma_up) = exponential_parts(p[0], p[2], p[4]);
    let (down, a_down, gamma_down) = exponential_parts(p[1], p[3], p[5]);
    let law = ExpStep { a_up, a_down, gamma_up, gamma_down, a: FAR, b: 0.0 };
    prepared(Law::Exp(law), bounded(up, down, FAR, -FAR))
}

fn exp_starts(start: &Start) -> Vec<Vec<f64>> {
    let made = |[up, down]: [Line; 2], bend: f64| {
        // Of the slope at weight 0 and the curvature, the loss to weight 1.
        let loss = |line: &Line| (bend * line.slope).exp_m1() / bend;
        vec![up.step, down.step, loss(&up), loss(&down), bend * up.slope, bend * down.slope]
    };
    let mut starts: Vec<Vec<f64>> = [-0.1, -0.9, 0.5].iter().map(|&bend| made(start.lines(), bend)).collect();
    starts.push(made(start.exponentials(), -1.0));
    starts
}

fn pow_device(p: &[f64]) -> (Law, Cell) {
    let (max, min) = (p[2], -p[3]);
    let law = PowStep { power: 1.0, up_down: 0.0, power_spread: 0.0, up_down_std: 0.0, at_zero: true };
    let (shape_up, shape_down) = (p[4] * max, -p[5] * min);
    let cell = Cell { up: p[0], down: p[1], max, min, reference: 0.0, shape_up, shape_down };
    (Law::Pow(law), cell)
}

fn pow_starts(start: &Start) -> Vec<Vec<f64>> {
    let made = |[up, down]: [Line; 2], stretch: f64| {
        let edge = |line: &Line, edge: f64| (1.0 / line.slope).clamp(1.3 * edge, 20.0_f64.max(2.0 * edge));
        let max = edge(&up, stretch * start.high);
        let min = edge(&down, -stretch * start.low);
        vec![up.step, down.step, max, min, up.slope, down.slope]
    };
    vec![made(start.lines(), 1.0), made(start.lines(), 2.0), made(start.exponentials(), 2.0)]
}

/// Nodes half a weight apart from -[`FAR`] to [`FAR`]: those outside of [-1, 1] repeat the last inside.
fn piecewise_device(p: &[f64]) -> (Law, Cell) {
    let (up, down) = p.split_at(FITTED_NODES);
    let outside = ((FAR - 1.0) / 0.5).round() as usize;
    let extended = |nodes: &[f64]| {
        (0..FITTED_NODES + 2 * outside)
            .map(|node| nodes[node.saturating_sub(outside).min(FITTED_NODES - 1)])
            .collect()
    };
    let law = PiecewiseStep { up: extended(up), down: extended(down) };
    prepared(Law::Piecewise(law), bounded(1.0, 1.0, FAR, -FAR))
}

fn piecewise_starts(start: &Start) -> Vec<Vec<f64>> {
    let nodes = || (0..FITTED_NODES).map(|node| -1.0 + 2.0 * node as f64 / (FITTED_NODES - 1) as f64);
    let straight = |line: &Line, sign: f64| {
        let (step, slope) = (line.step, line.slope);
        nodes().map(move |w| step * (1.0 - slope * sign * w).max(0.05)).collect::<Vec<_>>()
    };
    let bent = |line: &Line, sign: f64| {
        let (step, slope) = (line.step, line.slope);
        nodes().map(move |w| step * (-slope * sign * w).exp()).collect::<Vec<_>>()
    };
    let [up, down] = start.lines();
    let [a, b] = start.exponentials();
    vec![[straight(&up, 1.0), straight(&down, -1.0)].concat(), [bent(&a, 1.0), bent(&b, -1.0)].concat()]
}

fn ramp_device(p: &[f64]) -> (Law, Cell) {
    let law = LogarithmicRamp { nu_up: 2.0 * FAR * p[2], nu_down: 2.0 * FAR * p[3] };
    // The law counts from the ends of the range, the parameters from weight 0.
    let (up, down) = (p[0] * (p[2] * FAR).exp(), p[1] * (p[3] * FAR).exp());
    prepared(Law::Logarithmic(law), bounded(up, down, FAR, -FAR))
}

fn ramp_starts(start: &Start) -> Vec<Vec<f64>> {
    let ([a, b], [up, down]) = (start.exponentials(), start.lines());
    vec![vec![a.step, b.step, a.slope, b.slope], vec![up.step, down.step, up.slope, down.slope]]
}

fn asymmetric_device(p: &[f64]) -> (Law, Cell) {
    prepared(Law::CrossSimAsymmetric(CrossSimAsymmetric::new(p[2])), bounded(p[0], p[1], 1.0, -1.0))
}

fn symmetric_device(p: &[f64]) -> (Law, Cell) {
    prepared(Law::CrossSimSymmetric(CrossSimSymmetric::new(p[2])), bounded(p[0], p[1], 1.0, -1.0))
}

fn analytic_starts(start: &Start) -> Vec<Vec<f64>> {
    let [up, down] = start.mean_steps();
    let parts = [0.7, 0.85, 1.0, 1.25, 1.6];
    let mut starts = Vec::new();
    for alpha in [0.1, 1.0, 2.0, 4.0, 12.0_f64] {
        // Both forms step (alpha/2) coth(alpha/2) times their request at weight 0.
        let request = (0.5 * alpha).tanh() / (0.5 * alpha);
        for part in parts {
            starts.extend(parts.iter().map(|other| vec![part * up * request, other * down * request, alpha]));
        }
    }
    starts
}

fn ecram_device(p: &[f64]) -> (Law, Cell) {
    let law = EcramStep { gamma_up: p[1], gamma_down: p[2], centre: p[3] };
    let mut cell = bounded(p[0], p[0], FAR, -FAR);
    cell.shape_up = 0.5 * p[1];
    cell.shape_down = 0.5 * p[2];
    (Law::Ecram(law), cell)
}

fn ecram_starts(start: &Start) -> Vec<Vec<f64>> {
    let (centre, step, [up, down]) = start.symmetry();
    vec![vec![step, 2.0 * up, 2.0 * down, centre]]
}
