//! A regression seen device by device: some parameters are felt by all devices, others by one alone.
//!
//! The normal matrix then has the shape of an arrow, and each device's own parameters are eliminated on the
//! device (Schur complement): a step costs a small system per device and one in the shared parameters, however
//! many devices there are. Bootstraps, the covariance over devices and hierarchies stand on this.

use super::{FitError, Loss, Regression};
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Which parameters all devices feel and which only one does.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// Indices of the shared parameters that move.
    pub shared: Vec<usize>,
    /// Indices of each device's own parameters that move.
    pub own: Vec<Vec<usize>>,
}

/// A regression with its layout and loss.
pub(super) struct Blocks<'r, 'a> {
    pub regression: &'r Regression<'a>,
    pub layout: Layout,
    pub loss: Loss,
}

/// Residuals of a device with their slopes in free coordinates.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub residuals: DVector<f64>,
    /// Readings times shared parameters.
    pub shared: DMatrix<f64>,
    /// Readings times own parameters.
    pub own: DMatrix<f64>,
}

/// The quadratic picture of a device's loss: second derivatives and gradients of half the sum of losses.
#[derive(Debug, Clone)]
pub(super) struct Normal {
    own: DMatrix<f64>,
    cross: DMatrix<f64>,
    shared: DMatrix<f64>,
    own_gradient: DVector<f64>,
    shared_gradient: DVector<f64>,
    cost: f64,
}

/// Where a minimisation over blocks ended.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub coordinates: Vec<f64>,
    pub converged: bool,
}

/// When a minimisation stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// Expected gain of a step over the mean loss of a reading, about the square of its length in standard
    /// deviations.
    pub gain: f64,
    /// Steps at most.
    pub steps: usize,
}

/// Farthest a step moves a free coordinate: a bounded parameter crosses its interval in a few.
const LONGEST_STEP: f64 = 4.0;

/// Free coordinates of bounded parameters end here, a part in 10^8 from the bound.
const FARTHEST: f64 = 18.0;

/// Marquardt's damping: its first value, and where it gives up.
const FIRST_DAMPING: f64 = 1e-3;
const LARGEST_DAMPING: f64 = 1e12;

impl<'r, 'a> Blocks<'r, 'a> {
    /// Finds out which device feels which parameter at `coordinates`; parameters in `held` and those that no
    /// device feels stay where they are.
    pub fn new(regression: &'r Regression<'a>, loss: Loss, coordinates: &[f64], held: &[bool]) -> Self {
        let count = regression.devices.len();
        let mut blocks =
            Self { regression, layout: Layout { shared: Vec::new(), own: vec![Vec::new(); count] }, loss };
        let here: Vec<Vec<f64>> = blocks.residuals_at(coordinates, &vec![1.0; count]);
        let mut moved = coordinates.to_vec();
        for index in 0..coordinates.len() {
            if held[index] {
                continue;
            }
            moved[index] = coordinates[index] + blocks.step(coordinates[index]);
            let there = blocks.residuals_at(&moved, &vec![1.0; count]);
            moved[index] = coordinates[index];
            let feel: Vec<usize> = (0..count).filter(|&device| here[device] != there[device]).collect();
            match feel.as_slice() {
                [] => {}
                [device] if count > 1 => blocks.layout.own[*device].push(index),
                _ => blocks.layout.shared.push(index),
            }
        }
        blocks
    }

    /// Values in the parameters' own units.
    pub fn values(&self, coordinates: &[f64]) -> Vec<f64> {
        self.regression.parameters.iter().zip(coordinates).map(|(parameter, &u)| parameter.value(u)).collect()
    }

    fn step(&self, u: f64) -> f64 {
        let step = self.regression.options.difference_step * u.abs().max(1.0);
        // Towards the middle, where the slope does not vanish and no bound is met.
        if u > 0.0 { -step } else { step }
    }

    /// Residuals of the devices that count.
    fn residuals_at(&self, coordinates: &[f64], weights: &[f64]) -> Vec<Vec<f64>> {
        let values = self.values(coordinates);
        (0..weights.len())
            .map(|device| {
                if weights[device] > 0.0 { self.regression.residuals_of(&values, device) } else { Vec::new() }
            })
            .collect()
    }

    /// Sum of the losses, weighted by device; infinite where the law is not finite.
    pub fn cost_at(&self, coordinates: &[f64], weights: &[f64]) -> f64 {
        let mut cost = 0.0;
        for (residuals, weight) in self.residuals_at(coordinates, weights).iter().zip(weights) {
            cost += weight * residuals.iter().map(|&r| self.loss.root(r).powi(2)).sum::<f64>();
        }
        if cost.is_finite() { cost } else { f64::INFINITY }
    }

    /// Residuals and slopes of the devices that count, by one-sided or central differences. Parameter after
    /// parameter, with the own parameters of all devices moved at once: laws that prepare something for the
    /// shared values do it once per column.
    pub fn at(&self, coordinates: &[f64], weights: &[f64], central: bool) -> Option<Vec<Block>> {
        let count = weights.len();
        let here = self.residuals_at(coordinates, weights);
        if here.iter().flatten().any(|residual| !residual.is_finite()) {
            return None;
        }
        let mut blocks: Vec<Block> = here
            .iter()
            .enumerate()
            .map(|(device, residuals)| Block {
                residuals: DVector::from_column_slice(residuals),
                shared: DMatrix::zeros(residuals.len(), self.layout.shared.len()),
                own: DMatrix::zeros(residuals.len(), self.layout.own[device].len()),
            })
            .collect();
        let mut moved = coordinates.to_vec();
        let mut column = |indices: &[Option<usize>], fill: &mut dyn FnMut(usize, usize, f64)| {
            let mut widths = vec![0.0; count];
            let shift = |moved: &mut Vec<f64>, widths: &mut Vec<f64>, sign: f64| {
                for (device, &index) in indices.iter().enumerate() {
                    if let Some(index) = index {
                        let step = self.step(coordinates[index]) * if central { sign * 10.0 } else { 1.0 };
                        moved[index] = coordinates[index] + step;
                        widths[device] = step;
                    }
                }
            };
            shift(&mut moved, &mut widths, 1.0);
            let above = self.residuals_at(&moved, weights);
            let below = if central {
                shift(&mut moved, &mut widths, -1.0);
                for width in &mut widths {
                    *width *= -2.0;
                }
                self.residuals_at(&moved, weights)
            } else {
                Vec::new()
            };
            let below = if central { &below } else { &here };
            for (device, index) in indices.iter().enumerate() {
                if let &Some(index) = index {
                    moved[index] = coordinates[index];
                    for (row, (a, b)) in above[device].iter().zip(&below[device]).enumerate() {
                        let slope = (a - b) / widths[device];
                        fill(device, row, if slope.is_finite() { slope } else { 0.0 });
                    }
                }
            }
        };
        for (place, &index) in self.layout.shared.iter().enumerate() {
            column(&vec![Some(index); count], &mut |device, row, slope| {
                blocks[device].shared[(row, place)] = slope;
            });
        }
        let most = self.layout.own.iter().map(Vec::len).max().unwrap_or(0);
        for place in 0..most {
            let indices: Vec<Option<usize>> =
                self.layout.own.iter().map(|own| own.get(place).copied()).collect();
            column(&indices, &mut |device, row, slope| blocks[device].own[(row, place)] = slope);
        }
        Some(blocks)
    }

    /// The quadratic picture of each block.
    pub fn normals(&self, blocks: &[Block]) -> Vec<Normal> {
        blocks.iter().map(|block| self.normal(block)).collect()
    }

    fn normal(&self, block: &Block) -> Normal {
        let rows = block.residuals.len();
        let roots = block.residuals.map(|residual| self.loss.root(residual));
        // d root / d residual: the root squared is the loss, twice the influence its derivative.
        let slopes: Vec<f64> = (0..rows)
            .map(|row| {
                let (root, residual) = (roots[row], block.residuals[row]);
                if root == 0.0 { 1.0 } else { self.loss.influence(residual) / root }
            })
            .collect();
        let scaled = |matrix: &DMatrix<f64>| {
            DMatrix::from_fn(rows, matrix.ncols(), |row, column| slopes[row] * matrix[(row, column)])
        };
        let (own, shared) = (scaled(&block.own), scaled(&block.shared));
        Normal {
            own: own.tr_mul(&own),
            cross: own.tr_mul(&shared),
            shared: shared.tr_mul(&shared),
            own_gradient: own.tr_mul(&roots),
            shared_gradient: shared.tr_mul(&roots),
            cost: roots.norm_squared(),
        }
    }

    /// Minimises from `start` with devices counted `weights` times; `first` is the picture at the start where
    /// it is known already.
    ///
    /// # Errors
    /// [`FitError::NotFinite`] when the law is not finite at the start.
    pub fn minimise(
        &self,
        start: &[f64],
        weights: &[f64],
        first: Option<&[Normal]>,
        stop: Stop,
    ) -> Result<Settled, FitError> {
        let not_finite = || FitError::NotFinite { detail: "at the start of a fit over devices".into() };
        let readings: f64 =
            self.regression.devices.iter().zip(weights).map(|(d, w)| w * d.readings() as f64).sum();
        let mut at = start.to_vec();
        let mut fresh;
        let mut normals = match first {
            Some(normals) => normals,
            None => {
                fresh = self.normals(&self.at(&at, weights, false).ok_or_else(not_finite)?);
                &fresh
            }
        };
        let total = |normals: &[Normal]| normals.iter().zip(weights).map(|(n, w)| w * n.cost).sum::<f64>();
        let mut cost = total(normals);
        let (mut damping, mut growth) = (0.0, 2.0);
        let mut converged = false;
        for _ in 0..stop.steps {
            let Some(step) = self.solve(normals, weights, damping) else {
                damping = (damping * growth).max(FIRST_DAMPING);
                growth *= 2.0;
                if damping > LARGEST_DAMPING {
                    break;
                }
                continue;
            };
            let next: Vec<f64> = self.moved(&at, &step.delta);
            let there = self.cost_at(&next, weights);
            let enough = step.gain <= stop.gain * cost / readings.max(1.0);
            if there <= cost {
                let ratio = (cost - there) / step.gain.max(f64::MIN_POSITIVE);
                let still = next.iter().zip(&at).all(|(a, b)| (a - b).abs() <= 1e-13 * a.abs().max(1.0));
                (at, cost) = (next, there);
                if enough || still || cost <= f64::MIN_POSITIVE {
                    converged = true;
                    break;
                }
                damping = if ratio > 0.75 {
                    damping / 10.0
                } else if ratio < 0.25 {
                    (damping * 2.0).max(FIRST_DAMPING)
                } else {
                    damping
                };
                if damping < 1e-12 {
                    damping = 0.0;
                }
                growth = 2.0;
                fresh = self.normals(&self.at(&at, weights, false).ok_or_else(not_finite)?);
                normals = &fresh;
            } else if enough {
                converged = true;
                break;
            } else {
                damping = (damping * growth).max(FIRST_DAMPING);
                growth *= 2.0;
                if damping > LARGEST_DAMPING {
                    break;
                }
            }
        }
        Ok(Settled { coordinates: at, converged })
    }

    fn moved(&self, at: &[f64], delta: &[f64]) -> Vec<f64> {
        let longest = delta.iter().fold(0.0_f64, |longest, d| longest.max(d.abs()));
        let factor = (LONGEST_STEP / longest.max(LONGEST_STEP)).min(1.0);
        at.iter()
            .zip(delta)
            .zip(&self.regression.parameters)
            .map(|((u, d), parameter)| {
                let bounded = parameter.transform != super::Transform::Free;
                let next = u + if bounded { factor } else { 1.0 } * d;
                if bounded { next.clamp(-FARTHEST, FARTHEST) } else { next }
            })
            .collect()
    }

    /// The damped step; `None` where the system is singular.
    fn solve(&self, normals: &[Normal], weights: &[f64], damping: f64) -> Option<Step> {
        let count = self.layout.shared.len();
        let mut matrix = DMatrix::<f64>::zeros(count, count);
        let mut right = DVector::<f64>::zeros(count);
        let mut eliminated = Vec::with_capacity(normals.len());
        for (normal, &weight) in normals.iter().zip(weights) {
            if weight <= 0.0 {
                eliminated.push(None);
                continue;
            }
            let own = Own::new(normal, damping)?;
            matrix += (damped(&normal.shared, damping) - normal.cross.tr_mul(&own.cross)) * weight;
            right -= (&normal.shared_gradient - normal.cross.tr_mul(&own.gradient)) * weight;
            eliminated.push(Some(own));
        }
        let shared = if count == 0 { right } else { factored(&matrix)?.vector(&right) };
        let mut delta = vec![0.0; self.regression.parameters.len()];
        // Expected gain in the sum of losses (twice the quadratic picture's).
        let mut gain = 0.0;
        for (place, &index) in self.layout.shared.iter().enumerate() {
            delta[index] = shared[place];
        }
        for (device, own) in eliminated.iter().enumerate() {
            let Some(own) = own else { continue };
            let normal = &normals[device];
            let step = -(&own.gradient + &own.cross * &shared);
            for (place, &index) in self.layout.own[device].iter().enumerate() {
                delta[index] = step[place];
            }
            gain -= weights[device] * (normal.shared_gradient.dot(&shared) + normal.own_gradient.dot(&step));
        }
        delta.iter().all(|d| d.is_finite()).then_some(Step { delta, gain: gain.max(0.0) })
    }
}

struct Step {
    delta: Vec<f64>,
    gain: f64,
}

/// A device's own system solved for its coupling and gradient.
struct Own {
    cross: DMatrix<f64>,
    gradient: DVector<f64>,
}

impl Own {
    fn new(normal: &Normal, damping: f64) -> Option<Self> {
        if normal.own.is_empty() {
            return Some(Self { cross: normal.cross.clone(), gradient: normal.own_gradient.clone() });
        }
        let factor = factored(&damped(&normal.own, damping))?;
        Some(Self { cross: factor.matrix(&normal.cross), gradient: factor.vector(&normal.own_gradient) })
    }
}

fn damped(matrix: &DMatrix<f64>, damping: f64) -> DMatrix<f64> {
    let mut matrix = matrix.clone();
    for i in 0..matrix.nrows() {
        matrix[(i, i)] *= 1.0 + damping;
    }
    matrix
}

/// A system scaled to a unit diagonal and factored; rows without any influence keep their value.
struct Factored {
    scales: DVector<f64>,
    factor: Cholesky<f64, Dyn>,
}

fn factored(matrix: &DMatrix<f64>) -> Option<Factored> {
    let scales = DVector::from_iterator(
        matrix.nrows(),
        matrix.diagonal().iter().map(|&d| if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }),
    );
    let mut scaled =
        DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * scales[i] * scales[j]);
    for i in 0..matrix.nrows() {
        // An empty row stays; rounding of a singular system is kept positive.
        scaled[(i, i)] = if scales[i] > 0.0 { 1.0 + 1e-14 } else { 1.0 };
    }
    Some(Factored { scales, factor: Cholesky::new(scaled)? })
}

impl Factored {
    fn matrix(&self, right: &DMatrix<f64>) -> DMatrix<f64> {
        let scaled = |matrix: &DMatrix<f64>| {
            DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * self.scales[i])
        };
        scaled(&self.factor.solve(&scaled(right)))
    }

    fn vector(&self, right: &DVector<f64>) -> DVector<f64> {
        self.factor.solve(&right.component_mul(&self.scales)).component_mul(&self.scales)
    }
}

/// Inverse of a normal matrix; `None` where it is singular.
pub(super) fn inverse(matrix: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let size = matrix.nrows();
    if size == 0 {
        return Some(DMatrix::zeros(0, 0));
    }
    Some(factored(matrix)?.matrix(&DMatrix::identity(size, size)))
}
