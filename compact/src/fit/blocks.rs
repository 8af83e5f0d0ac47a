//! A regression seen device by device: some parameters are felt by all devices, others by one alone.
//!
//! The normal matrix then has the shape of an arrow, and each device's own parameters are eliminated on the
//! device (Schur complement): a step costs a small system per device and one in the shared parameters, however
//! many devices there are. Bootstraps, the covariance over devices and hierarchies stand on this.

use super::scaled::factored;
use super::{FitError, Loss, Prior, Regression};
use nalgebra::{DMatrix, DVector};

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
    /// Whether each reading is without weight, device by device; none where all count.
    pub outliers: Vec<Vec<bool>>,
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

impl Block {
    /// Each row times its number.
    pub fn weighted(&self, roots: &DVector<f64>) -> Self {
        let mut block = self.clone();
        block.residuals.component_mul_assign(roots);
        for matrix in [&mut block.shared, &mut block.own] {
            for mut column in matrix.column_iter_mut() {
                column.component_mul_assign(roots);
            }
        }
        block
    }
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
    /// Blocks at the last point where slopes were taken, a last step of at most [`Stop::gain`] before the end; none
    /// when the first step was the last.
    pub parts: Option<Vec<Block>>,
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
    /// Whether the last, small step is taken without looking whether it gains.
    pub trusting: bool,
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
        let mut blocks = Self {
            regression,
            layout: Layout { shared: Vec::new(), own: vec![Vec::new(); count] },
            loss,
            outliers: Vec::new(),
        };
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

    /// The same without the readings of these numbers, counted through all devices.
    pub fn without(mut self, outliers: &[usize]) -> Self {
        let mut first = 0;
        self.outliers = Vec::new();
        for device in self.regression.devices.iter().filter(|_| !outliers.is_empty()) {
            let rows = first..first + device.readings();
            first = rows.end;
            self.outliers.push(rows.map(|row| outliers.contains(&row)).collect());
        }
        self
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

    /// Priors with the index of their parameter.
    fn priors(&self) -> impl Iterator<Item = (usize, usize, &Prior)> {
        self.regression.priors.iter().enumerate().filter_map(|(place, prior)| {
            let of = |parameter: &super::Parameter| parameter.name == prior.name;
            Some((place, self.regression.parameters.iter().position(of)?, prior))
        })
    }

    /// What is known of the shared parameters beforehand, as readings of their own; each moved by its number of
    /// `shifts` (standard deviations) where there is one.
    pub fn known(&self, coordinates: &[f64], shifts: &[f64]) -> Option<Block> {
        let rows: Vec<(f64, Option<usize>, f64)> = self
            .priors()
            .filter_map(|(place, index, prior)| {
                if self.layout.own.iter().any(|own| own.contains(&index)) {
                    return None;
                }
                // One that is held has no column but counts in the sum.
                let column = self.layout.shared.iter().position(|shared| *shared == index);
                let (parameter, u) = (&self.regression.parameters[index], coordinates[index]);
                let value = parameter.value(u);
                let shift = shifts.get(place).copied().unwrap_or(0.0);
                Some((prior.residual(value) + shift, column, prior.slope(value) * parameter.slope(u)))
            })
            .collect();
        if rows.is_empty() {
            return None;
        }
        let mut shared = DMatrix::zeros(rows.len(), self.layout.shared.len());
        for (row, (_, column, slope)) in rows.iter().enumerate() {
            if let Some(column) = *column {
                shared[(row, column)] = *slope;
            }
        }
        let residuals = DVector::from_iterator(rows.len(), rows.iter().map(|row| row.0));
        Some(Block { residuals, own: DMatrix::zeros(rows.len(), 0), shared })
    }

    /// Residuals of the devices that count; what is known of a device's own parameters follows its readings.
    fn residuals_at(&self, coordinates: &[f64], weights: &[f64]) -> Vec<Vec<f64>> {
        let values = self.values(coordinates);
        (0..weights.len())
            .map(|device| {
                if weights[device] <= 0.0 {
                    return Vec::new();
                }
                let mut residuals = self.regression.residuals_of(&values, device);
                if let Some(outliers) = self.outliers.get(device) {
                    let mut outliers = outliers.iter();
                    residuals.retain(|_| outliers.next() != Some(&true));
                }
                let own = &self.layout.own[device];
                let known = self.priors().filter(|(_, index, _)| own.contains(index));
                residuals.extend(known.map(|(_, index, prior)| prior.residual(values[index])));
                residuals
            })
            .collect()
    }

    /// Sum of the losses, weighted by device, and of the priors; infinite where the law is not finite.
    pub fn cost_at(&self, coordinates: &[f64], weights: &[f64], shifts: &[f64]) -> f64 {
        let loss = |residuals: &[f64]| residuals.iter().map(|&residual| self.loss.of(residual)).sum::<f64>();
        let mut cost = self.known(coordinates, shifts).map_or(0.0, |known| loss(known.residuals.as_slice()));
        for (residuals, weight) in self.residuals_at(coordinates, weights).iter().zip(weights) {
            cost += weight * loss(residuals);
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

    /// Minimises from `start` with devices counted `weights` times and priors moved by `shifts`; `first` is the picture at the start where
    /// it is known already.
    ///
    /// # Errors
    /// [`FitError::NotFinite`] when the law is not finite at the start.
    pub fn minimise(
        &self,
        start: &[f64],
        weights: &[f64],
        shifts: &[f64],
        first: Option<&[Normal]>,
        stop: Stop,
    ) -> Result<Settled, FitError> {
        let not_finite = || FitError::NotFinite { detail: "at the start of a fit over devices".into() };
        let readings: f64 =
            self.regression.devices.iter().zip(weights).map(|(d, w)| w * d.readings() as f64).sum();
        let mut at = start.to_vec();
        let mut fresh;
        let mut parts = None;
        let mut normals = match first {
            Some(normals) => normals,
            None => {
                let here = self.at(&at, weights, false).ok_or_else(not_finite)?;
                fresh = self.normals(&here);
                parts = Some(here);
                &fresh
            }
        };
        let known = |at: &[f64]| self.known(at, shifts).map(|known| self.normal(&known));
        let mut prior = known(&at);
        let mut cost = normals.iter().zip(weights).map(|(n, w)| w * n.cost).sum::<f64>()
            + prior.as_ref().map_or(0.0, |prior| prior.cost);
        let (mut damping, mut growth) = (0.0, 2.0);
        let mut converged = false;
        for _ in 0..stop.steps {
            let Some(step) = self.solve(normals, weights, prior.as_ref(), damping) else {
                damping = (damping * growth).max(FIRST_DAMPING);
                growth *= 2.0;
                if damping > LARGEST_DAMPING {
                    break;
                }
                continue;
            };
            let next: Vec<f64> = self.moved(&at, &step.delta);
            let enough = step.gain <= stop.gain * cost / readings.max(1.0);
            if enough && damping == 0.0 && stop.trusting {
                at = next;
                converged = true;
                break;
            }
            let there = self.cost_at(&next, weights, shifts);
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
                let here = self.at(&at, weights, false).ok_or_else(not_finite)?;
                fresh = self.normals(&here);
                parts = Some(here);
                normals = &fresh;
                prior = known(&at);
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
        Ok(Settled { coordinates: at, parts, converged })
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
    fn solve(
        &self,
        normals: &[Normal],
        weights: &[f64],
        prior: Option<&Normal>,
        damping: f64,
    ) -> Option<Step> {
        let count = self.layout.shared.len();
        let mut matrix = DMatrix::<f64>::zeros(count, count);
        let mut right = DVector::<f64>::zeros(count);
        if let Some(prior) = prior {
            matrix += damped(&prior.shared, damping);
            right -= &prior.shared_gradient;
        }
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
        let mut gain = prior.map_or(0.0, |prior| -prior.shared_gradient.dot(&shared));
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
