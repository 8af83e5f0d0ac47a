//! A regression seen device by device: some parameters are felt by all devices, others by one alone.
//!
//! The normal matrix then has the shape of an arrow, and each device's own parameters are eliminated on the
//! device (Schur complement): a step costs a small system per device and one in the shared parameters, however
//! many devices there are. Bootstraps, the covariance over devices and hierarchies stand on this.

use super::{Loss, Prior, Regression};
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
#[derive(Clone)]
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

    /// The same with one more parameter held.
    pub fn holding(&self, index: usize) -> Self {
        let mut blocks = self.clone();
        blocks.layout.shared.retain(|&shared| shared != index);
        for own in &mut blocks.layout.own {
            own.retain(|&own| own != index);
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
}
