//! How each law is fitted: its parameters, the device that they make, and where the fit starts.

use super::analytic::{self, CrossSimAsymmetric, CrossSimSymmetric};
use super::constant::{self, ConstantStep};
use super::domain_wall::{self, DomainWall};
use super::ecram::{self, EcramStep};
use super::exponential::{self, ExpStep};
use super::law::{Cell, Law, PulseLaw};
use super::linear::{self, LinearStep, SoftBoundsReference};
use super::number::Number;
use super::piecewise::{self, FITTED_NODES, PiecewiseStep};
use super::power::{self, PowStep};
use super::ramp::{self, LogarithmicRamp};
use super::start::{Line, Start};
use crate::card::DeviceCard;
use crate::dual::Dual;
use crate::model::ModelInfo;

/// Bounds, in weights, of laws that stop by themselves: far outside of every window.
const FAR: f64 = 4.0;

/// Pulses that NeuroSim's range is covered in.
const NEUROSIM_PULSES: f64 = 1000.0;

/// Below this the curvature of the exponential step counts as this: its two terms cancel to 1e-10.
const FLAT: f64 = 1e-6;

/// Directions of the derivatives of most laws: up to seven values and a starting state.
pub(super) const FEW: usize = 8;

/// The same of the piecewise law, of ten values.
pub(super) const MANY: usize = 11;

/// The device of a law's values, which carry their derivatives.
#[derive(Clone, Copy)]
pub(super) enum Slopes {
    /// Of up to [`FEW`] directions.
    Few(DeviceOf<Dual<FEW>>),
    /// Of up to [`MANY`].
    Many(DeviceOf<Dual<MANY>>),
}

/// A device made of values.
pub(super) type DeviceOf<R> = fn(&[R]) -> (Law<R>, Cell<R>);

/// A law as a fit sees it. Values are in the order of the parameters of `info`, in weights.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Law and parameters.
    pub(super) info: &'static ModelInfo,
    /// The device of these values.
    pub(super) device: fn(&[f64]) -> (Law, Cell),
    /// The same device with its derivatives.
    pub(super) slopes: Slopes,
    /// Values worth starting from; the fit takes the best.
    pub(super) starts: fn(&Start) -> Vec<Vec<f64>>,
}

/// The device of a card of an update law; `None` for a card of another model.
pub fn device(card: &DeviceCard) -> Option<(Law, Cell)> {
    let form = FORMS.iter().chain([&DOMAIN_WALL]).find(|form| form.info.name == card.model)?;
    Some((form.device)(&card.values(form.info)))
}

/// A law, its device (for values, and for values with derivatives in few or many directions) and its starts.
macro_rules! form {
    ($info:path, $device:ident, $directions:ident, $starts:ident) => {
        Form { info: &$info, device: $device, slopes: Slopes::$directions($device), starts: $starts }
    };
}

/// Every law that is fitted.
pub(super) const FORMS: [Form; 12] = [
    form!(constant::INFO, constant_device, Few, constant_starts),
    form!(linear::LINEAR, linear_device, Few, linear_starts),
    form!(linear::SOFT_BOUNDS, soft_device, Few, soft_starts),
    form!(linear::REFERENCE, reference_device, Few, reference_starts),
    form!(linear::RANGE, range_device, Few, range_starts),
    form!(exponential::INFO, exp_device, Few, exp_starts),
    form!(power::INFO, pow_device, Few, pow_starts),
    form!(piecewise::INFO, piecewise_device, Many, piecewise_starts),
    form!(ramp::INFO, ramp_device, Few, ramp_starts),
    form!(analytic::ASYMMETRIC, asymmetric_device, Few, analytic_starts),
    form!(analytic::SYMMETRIC, symmetric_device, Few, analytic_starts),
    form!(ecram::INFO, ecram_device, Few, ecram_starts),
];

/// The domain wall without notches is the constant step: it is fitted by its own name, and not ranked twice.
pub(super) const DOMAIN_WALL: Form = form!(domain_wall::INFO, wall_device, Few, constant_starts);

fn prepared<R: Number>(law: Law<R>, mut cell: Cell<R>) -> (Law<R>, Cell<R>) {
    let typical = cell;
    law.prepare(&typical, &mut cell, [0.0; 3]);
    (law, cell)
}

fn constant_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    (Law::Constant(ConstantStep), Cell::new(p[0], p[1], p[2], -p[3]))
}

fn wall_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    (Law::DomainWall(DomainWall { pitch: 0.0 }), Cell::new(p[0], p[1], p[2], -p[3]))
}

fn constant_starts(start: &Start) -> Vec<Vec<f64>> {
    let [up, down] = start.mean_steps();
    // A bound that no reading reaches has no slope; just inside, it has.
    let near = |part: f64| vec![up, down, part * start.high, -part * start.low];
    // Steeper steps where the readings level off: they reach the bound half-way.
    let steep = vec![2.0 * up, 2.0 * down, 0.8 * start.high, -0.8 * start.low];
    vec![near(0.7), near(0.9), near(1.2), steep]
}

fn linear_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    let (max, min) = (p[2], -p[3]);
    let law = LinearStep {
        gamma_up: (p[4] * max).value(),
        gamma_down: (-p[5] * min).value(),
        gamma_up_std: 0.0,
        gamma_down_std: 0.0,
        mean_bounds: true,
    };
    let cell = Cell { shape_up: -p[0] * p[4], shape_down: p[1] * p[5], ..Cell::new(p[0], p[1], max, min) };
    (Law::Linear(law), cell)
}

fn linear_starts(start: &Start) -> Vec<Vec<f64>> {
    let [up, down] = start.lines();
    let with =
        |part: f64| vec![up.step, down.step, part * start.high, -part * start.low, up.slope, down.slope];
    vec![with(0.8), with(0.9), with(1.0)]
}

fn soft_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    prepared(Law::Linear(LinearStep::SOFT_BOUNDS), Cell::new(p[0], p[1], p[2], -p[3]))
}

fn soft_starts(start: &Start) -> Vec<Vec<f64>> {
    let [up, down] = start.lines();
    vec![vec![up.step, down.step, (1.0 / up.slope).min(50.0), (1.0 / down.slope).min(50.0)]]
}

fn reference_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    let law = SoftBoundsReference { mean: p[0].value(), std: 0.0, subtract_symmetry_point: false };
    let (max, min) = (p[2], -p[3]);
    let cell = Cell {
        reference: p[0],
        shape_up: -p[1] / max,
        shape_down: -p[1] / min,
        ..Cell::new(p[1], p[1], max, min)
    };
    (Law::Reference(law), cell)
}

fn reference_starts(start: &Start) -> Vec<Vec<f64>> {
    let (centre, step, [up, down]) = start.symmetry();
    vec![vec![-centre, step, 1.0 / up, 1.0 / down]]
}

/// Ends of soft-bounds ramps that cover the range in [`NEUROSIM_PULSES`].
fn range_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    let (max, min) = (p[0], -p[1]);
    let reach = |pulses: R| (max - min) / -(R::from(-NEUROSIM_PULSES) / pulses).exp_m1();
    let rate = |pulses: R| -(R::from(-1.0) / pulses).exp_m1();
    let (up, down) = (rate(p[2]), rate(p[3]));
    let cell = Cell {
        up: up * (min + reach(p[2])),
        down: -down * (max - reach(p[3])),
        max: max.max(R::from(FAR)),
        min: min.min(R::from(-FAR)),
        reference: R::from(0.0),
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
fn exponential_parts<R: Number>(step: R, loss: R, curvature: R) -> (R, R, R) {
    let k = if curvature.value().abs() < FLAT { R::from(FLAT) } else { curvature };
    let part = loss / k.exp_m1();
    // A vanishing constant part is moved off zero, where A would be infinite.
    let constant = if (1.0 + part.value()).abs() < FLAT { R::from(FLAT) } else { part + 1.0 };
    (step * constant, part / constant, k)
}

fn exp_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    let (up, a_up, gamma_up) = exponential_parts(p[0], p[2], p[4]);
    let (down, a_down, gamma_down) = exponential_parts(p[1], p[3], p[5]);
    let law = ExpStep { a_up, a_down, gamma_up, gamma_down, a: FAR, b: 0.0 };
    prepared(Law::Exp(law), Cell::new(up, down, R::from(FAR), R::from(-FAR)))
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

fn pow_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    let (max, min) = (p[2], -p[3]);
    let law = PowStep { power: 1.0, up_down: 0.0, power_spread: 0.0, up_down_std: 0.0, at_zero: true };
    let (shape_up, shape_down) = (p[4] * max, -p[5] * min);
    let cell = Cell { shape_up, shape_down, ..Cell::new(p[0], p[1], max, min) };
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
fn piecewise_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    let (up, down) = p.split_at(FITTED_NODES);
    let outside = ((FAR - 1.0) / 0.5).round() as usize;
    let extended = |nodes: &[R]| {
        (0..FITTED_NODES + 2 * outside)
            .map(|node| nodes[node.saturating_sub(outside).min(FITTED_NODES - 1)])
            .collect()
    };
    let law = PiecewiseStep { up: extended(up), down: extended(down) };
    prepared(Law::Piecewise(law), Cell::new(R::from(1.0), R::from(1.0), R::from(FAR), R::from(-FAR)))
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

fn ramp_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    let law = LogarithmicRamp { nu_up: 2.0 * FAR * p[2].value(), nu_down: 2.0 * FAR * p[3].value() };
    // The law counts from the ends of the range, the parameters from weight 0.
    let (up, down) = (p[0] * (p[2] * FAR).exp(), p[1] * (p[3] * FAR).exp());
    let cell = Cell { shape_up: p[2], shape_down: p[3], ..Cell::new(up, down, R::from(FAR), R::from(-FAR)) };
    (Law::Logarithmic(law), cell)
}

fn ramp_starts(start: &Start) -> Vec<Vec<f64>> {
    let ([a, b], [up, down]) = (start.exponentials(), start.lines());
    vec![vec![a.step, b.step, a.slope, b.slope], vec![up.step, down.step, up.slope, down.slope]]
}

fn asymmetric_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    prepared(
        Law::CrossSimAsymmetric(CrossSimAsymmetric::new(p[2])),
        Cell::new(p[0], p[1], R::from(1.0), R::from(-1.0)),
    )
}

fn symmetric_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    prepared(
        Law::CrossSimSymmetric(CrossSimSymmetric::new(p[2])),
        Cell::new(p[0], p[1], R::from(1.0), R::from(-1.0)),
    )
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

fn ecram_device<R: Number>(p: &[R]) -> (Law<R>, Cell<R>) {
    let law = EcramStep { gamma_up: p[1].value(), gamma_down: p[2].value(), centre: p[3] };
    let cell = Cell {
        shape_up: p[1] * 0.5,
        shape_down: p[2] * 0.5,
        ..Cell::new(p[0], p[0], R::from(FAR), R::from(-FAR))
    };
    (Law::Ecram(law), cell)
}

fn ecram_starts(start: &Start) -> Vec<Vec<f64>> {
    let (centre, step, [up, down]) = start.symmetry();
    vec![vec![step, 2.0 * up, 2.0 * down, centre]]
}
