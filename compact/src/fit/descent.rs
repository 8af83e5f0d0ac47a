//! Minimisation over devices: each device's own parameters are eliminated on the device.

use super::FitError;
use super::blocks::{Block, Blocks};
use super::scaled::factored;
use nalgebra::{DMatrix, DVector};

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
pub(super) const FARTHEST: f64 = 18.0;

/// Marquardt's damping: its first value, and where it gives up.
const FIRST_DAMPING: f64 = 1e-3;
const LARGEST_DAMPING: f64 = 1e12;

impl Blocks<'_, '_> {
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
