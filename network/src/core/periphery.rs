//! A behavioural read-out of a weight matrix: bounds and grids of the converters, noise, voltage drop
//! and saturation, with the scales that keep inputs and outputs in their bounds.
//!
//! In order: x is divided by a scale, clipped to the input bound and rounded to the input grid;
//! y = W x; voltage drop; noise; y / (1 + n |y|); clipped to the output bound and rounded to the output
//! grid; multiplied by the scale. This is the forward pass of aihwkit (Rasch et al., AICAS 2021), with
//! the voltage drop and the default noise and bound of Rasch et al. (Nat. Commun. 14, 5282, 2023).

use mho_data::random::Stream;
use serde::{Deserialize, Serialize};

use super::spec::CoreError;
use crate::product::{View, product};

/// Conductance of a wire between neighbouring cells in units of the largest conductance of a cell:
/// 1 / (0.35 ohm x 5 uS), the assumption of that work.
const WIRE_CONDUCTANCE: f64 = 1.0 / (0.35 * 5e-6);

/// The read-out. The defaults are those of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Periphery {
    /// What inputs are divided by.
    pub scale: Scale,
    /// Largest magnitude of a scaled input.
    pub input_bound: f64,
    /// Step of the input grid in units of the whole input range; 0 for none.
    pub input_resolution: f64,
    /// Largest magnitude of an output before it is scaled back; `inf` for none.
    pub output_bound: f64,
    /// Step of the output grid in units of the whole output range; 0 for none.
    pub output_resolution: f64,
    /// Standard deviation of the noise of a weight in a read.
    pub weight_noise: f64,
    /// Standard deviation of the noise of an output.
    pub output_noise: f64,
    /// Strength of the voltage drop; 1 for the wires assumed, 0 for none.
    pub voltage_drop: f64,
    /// n of y / (1 + n |y|).
    pub saturation: f64,
    /// How often the scale of a vector is doubled at most, while one of its outputs is out of bounds.
    pub doublings: u32,
}

/// What inputs are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Nothing.
    None,
    /// The largest magnitude of the vector.
    AbsMax,
    /// A number.
    Constant(f64),
}

impl Default for Periphery {
    fn default() -> Self {
        Self {
            scale: Scale::AbsMax,
            input_bound: 1.0,
            input_resolution: 1.0 / 254.0,
            output_bound: 12.0,
            output_resolution: 1.0 / 510.0,
            weight_noise: 0.0,
            output_noise: 0.06,
            voltage_drop: 0.0,
            saturation: 0.0,
            doublings: 0,
        }
    }
}

/// A read-out's products.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout {
    /// Outputs x batch.
    pub outputs: Vec<f64>,
    /// Inputs beyond the input bound.
    pub inputs_clipped: u64,
    /// Outputs beyond the output bound, after all doublings.
    pub outputs_clipped: u64,
    /// Doublings of scales, of all vectors together.
    pub doublings: u64,
}

impl Periphery {
    /// Whether the numbers make sense.
    ///
    /// # Errors
    /// [`CoreError::Spec`] with the first key that does not.
    pub fn check(&self) -> Result<(), CoreError> {
        let wrong =
            |key, found: f64, expected| Err(CoreError::Spec { key, found: found.to_string(), expected });
        for (key, bound) in [("input_bound", self.input_bound), ("output_bound", self.output_bound)] {
            if bound.is_nan() || bound <= 0.0 {
                return wrong(key, bound, "above 0, or inf");
            }
        }
        for (key, value) in [
            ("input_resolution", self.input_resolution),
            ("output_resolution", self.output_resolution),
            ("weight_noise", self.weight_noise),
            ("output_noise", self.output_noise),
            ("voltage_drop", self.voltage_drop),
            ("saturation", self.saturation),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return wrong(key, value, "0 or more");
            }
        }
        match self.scale {
            Scale::Constant(scale) if !(scale > 0.0 && scale.is_finite()) => {
                wrong("scale", scale, "a positive number")
            }
            _ => Ok(()),
        }
    }

    /// Products of `weights` (outputs x inputs) and `inputs` (inputs x batch). `stream` gives the noise;
    /// vector v, counted from `first`, and output j always meet the same draw.
    ///
    /// # Errors
    /// [`CoreError::Size`] when the matrices do not fit, [`CoreError::Spec`] as [`Periphery::check`].
    pub fn multiply(
        &self,
        weights: &[f64],
        outputs: usize,
        inputs: &[f64],
        batch: usize,
        stream: &Stream,
        first: u64,
    ) -> Result<Readout, CoreError> {
        self.check()?;
        let rows = weights.len().checked_div(outputs).unwrap_or(0);
        let size = |what, found, expected| Err(CoreError::Size { what, found, expected });
        if weights.len() != outputs * rows {
            return size("weights", weights.len(), outputs * rows);
        }
        if inputs.len() != rows.saturating_mul(batch) {
            return size("inputs", inputs.len(), rows.saturating_mul(batch));
        }
        let drop = (self.voltage_drop > 0.0).then(|| Drop::new(weights, outputs, rows));
        let mut scales: Vec<f64> = (0..batch).map(|v| self.scale_of(inputs, batch, v)).collect();
        let mut readout = Readout {
            outputs: vec![0.0; outputs * batch],
            inputs_clipped: 0,
            outputs_clipped: 0,
            doublings: 0,
        };
        // All vectors at first, then those with outputs out of bounds.
        let mut pending: Vec<usize> = (0..batch).collect();
        for round in 0..=self.doublings {
            if pending.is_empty() {
                break;
            }
            let (x, clipped_inputs) = self.scaled(inputs, batch, &pending, &scales);
            let mut y = apply(weights, outputs, &x, pending.len());
            if let Some(drop) = &drop {
                drop.take_off(self.voltage_drop, &x, pending.len(), &mut y);
            }
            let noise = self.noise(&x, rows, pending.len());
            let mut again = Vec::new();
            for (place, &vector) in pending.iter().enumerate() {
                let number = first.wrapping_add(vector as u64).wrapping_mul(outputs as u64);
                let mut clipped = 0;
                for j in 0..outputs {
                    let draw = || stream.normal(number.wrapping_add(j as u64));
                    let (value, out) = self.output(y[j * pending.len() + place], noise[place], draw);
                    clipped += u64::from(out);
                    readout.outputs[j * batch + vector] = scales[vector] * value;
                }
                if clipped > 0 && round < self.doublings {
                    scales[vector] *= 2.0;
                    readout.doublings += 1;
                    again.push(vector);
                } else {
                    readout.outputs_clipped += clipped;
                    readout.inputs_clipped += clipped_inputs[place];
                }
            }
            pending = again;
        }
        Ok(readout)
    }

    /// What a vector is divided by at first.
    fn scale_of(&self, inputs: &[f64], batch: usize, vector: usize) -> f64 {
        let scale = match self.scale {
            Scale::None => 1.0,
            Scale::Constant(scale) => scale,
            Scale::AbsMax => inputs.iter().skip(vector).step_by(batch).map(|x| x.abs()).fold(0.0, f64::max),
        };
        // A vector of zeros, or one with an endless number, stays as it is.
        if scale > 0.0 && scale.is_finite() { scale } else { 1.0 }
    }

    /// The vectors `pending` scaled, clipped and on the grid; and how many inputs of each were clipped.
    fn scaled(
        &self,
        inputs: &[f64],
        batch: usize,
        pending: &[usize],
        scales: &[f64],
    ) -> (Vec<f64>, Vec<u64>) {
        let mut clipped = vec![0; pending.len()];
        let mut x = Vec::with_capacity(inputs.len() / batch.max(1) * pending.len());
        for row in inputs.chunks_exact(batch.max(1)) {
            for (count, &vector) in clipped.iter_mut().zip(pending) {
                let scaled = row[vector] / scales[vector];
                *count += u64::from(scaled.is_nan() || scaled.abs() > self.input_bound);
                x.push(on_grid(scaled, self.input_bound, self.input_resolution));
            }
        }
        (x, clipped)
    }

    /// Standard deviation of the outputs of each vector of `x` (rows x batch).
    fn noise(&self, x: &[f64], rows: usize, batch: usize) -> Vec<f64> {
        let norm = |v: usize| (0..rows).map(|i| x[i * batch + v].powi(2)).sum::<f64>().sqrt();
        let weight = |v: usize| if self.weight_noise > 0.0 { self.weight_noise * norm(v) } else { 0.0 };
        (0..batch).map(|v| weight(v).hypot(self.output_noise)).collect()
    }

    /// An output from its sum, and whether it was out of bounds.
    fn output(&self, sum: f64, sigma: f64, draw: impl Fn() -> f64) -> (f64, bool) {
        let mut y = sum;
        if sigma > 0.0 {
            y += sigma * draw();
        }
        if self.saturation > 0.0 {
            y /= 1.0 + self.saturation * y.abs();
        }
        let out = y.is_nan() || y.abs() > self.output_bound;
        (on_grid(y, self.output_bound, self.output_resolution), out)
    }
}

/// Clipped to +-`bound` and rounded to a grid of step 2 `bound` `resolution`; zero for a NaN.
fn on_grid(x: f64, bound: f64, resolution: f64) -> f64 {
    let inside = if x.is_nan() { 0.0 } else { x.clamp(-bound, bound) };
    let step = 2.0 * bound * resolution;
    if step > 0.0 && step.is_finite() { (inside / step).round_ties_even() * step } else { inside }
}

/// W x: outputs x batch.
fn apply(weights: &[f64], outputs: usize, x: &[f64], batch: usize) -> Vec<f64> {
    let rows = x.len() / batch.max(1);
    let mut y = vec![0.0; outputs * batch];
    product((outputs, batch, rows), View::rows(weights, rows), View::rows(x, batch), &mut y, batch, false);
    y
}

/// The voltage drop along the lines of an array, to first order in the currents.
struct Drop {
    magnitudes: Vec<f64>,
    /// w_ij (1 - (1 - j/n)^2).
    weighted: Vec<f64>,
}

impl Drop {
    fn new(weights: &[f64], outputs: usize, rows: usize) -> Self {
        let n = rows as f64;
        let profile = |j: usize| 1.0 - (1.0 - j as f64 / n).powi(2);
        let magnitudes = weights.iter().map(|w| w.abs()).collect();
        let weighted = (0..outputs * rows).map(|k| weights[k] * profile(k % rows.max(1))).collect();
        Self { magnitudes, weighted }
    }

    /// y_i -= strength c_i sum_j w_ij x_j (1 - (1 - j/n)^2) with
    /// c = a (a (0.05 a - 0.2) + 0.5), a_i = n sum_j |w_ij x_j| / (wire conductance): the fit of the
    /// reference to solved arrays.
    fn take_off(&self, strength: f64, x: &[f64], batch: usize, y: &mut [f64]) {
        let magnitudes: Vec<f64> = x.iter().map(|x| x.abs()).collect();
        let outputs = y.len() / batch.max(1);
        let currents = apply(&self.magnitudes, outputs, &magnitudes, batch);
        let drops = apply(&self.weighted, outputs, x, batch);
        let n = (x.len() / batch.max(1)) as f64;
        for ((y, current), drop) in y.iter_mut().zip(currents).zip(drops) {
            let a = current * n / WIRE_CONDUCTANCE;
            *y -= strength * a * (a * (0.05 * a - 0.2) + 0.5) * drop;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(name: &str) -> Option<(Vec<f64>, usize)> {
        let text =
            std::fs::read_to_string(mho_data::shared::find(&format!("golden/laws/{name}.csv"))?).unwrap();
        let rows = text.lines().count();
        let values = text.lines().flat_map(|line| line.split(',').map(|x| x.trim().parse().unwrap()));
        Some((values.collect(), rows))
    }

    fn transposed(matrix: &[f64], rows: usize) -> Vec<f64> {
        let columns = matrix.len() / rows;
        (0..matrix.len()).map(|k| matrix[k % rows * columns + k / rows]).collect()
    }

    fn quiet() -> Periphery {
        let infinite = f64::INFINITY;
        Periphery {
            scale: Scale::None,
            input_bound: infinite,
            input_resolution: 0.0,
            output_bound: infinite,
            output_resolution: 0.0,
            output_noise: 0.0,
            ..Periphery::default()
        }
    }

    /// 4e-7 of the reference's single precision, at outputs up to 6: nine digits are in the files.
    #[test]
    fn equals_aihwkit() {
        let (Some((weights, outputs)), Some((x, batch))) = (matrix("aihwkit_mvm_W"), matrix("aihwkit_mvm_X"))
        else {
            return;
        };
        let bits8 = 1.0 / 254.0;
        for (name, periphery) in [
            (
                "in8_out8_absmax",
                Periphery {
                    scale: Scale::AbsMax,
                    input_bound: 1.0,
                    input_resolution: bits8,
                    output_bound: 10.0,
                    output_resolution: bits8,
                    ..quiet()
                },
            ),
            ("inf_bound2_none", Periphery { input_bound: 1.0, output_bound: 2.0, ..quiet() }),
        ] {
            let (expected, _) = matrix(&format!("aihwkit_mvm_Y_{name}")).unwrap();
            let stream = Stream::new(0, &[], &[]);
            let inputs = transposed(&x, batch);
            let read = periphery.multiply(&weights, outputs, &inputs, batch, &stream, 0).unwrap();
            let expected = transposed(&expected, batch);
            for (y, expected) in read.outputs.iter().zip(&expected) {
                assert!((y - expected).abs() < 4e-7, "{name}: {y} {expected}");
            }
            let at_bound = expected.iter().filter(|y| y.abs() == 2.0).count() as u64;
            assert_eq!(read.outputs_clipped, at_bound);
        }
    }

    fn uniform(n: usize, id: u64) -> Vec<f64> {
        let stream = Stream::new(5, &["periphery"], &[id]);
        (0..n as u64).map(|i| 2.0 * stream.uniform(i) - 1.0).collect()
    }

    /// 512 uniform inputs and weights: up to 0.74 off outputs with a standard deviation of 7.5. The
    /// bounds allow for other draws.
    #[test]
    fn voltage_drop_of_512_cells() {
        let (outputs, rows) = (512, 512);
        let (weights, x) = (uniform(outputs * rows, 0), uniform(rows, 1));
        let stream = Stream::new(0, &[], &[]);
        let read = |voltage_drop| {
            let periphery = Periphery { voltage_drop, ..quiet() };
            periphery.multiply(&weights, outputs, &x, 1, &stream, 0).unwrap().outputs
        };
        let (ideal, dropped) = (read(0.0), read(1.0));
        let worst = ideal.iter().zip(&dropped).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!((0.4..1.2).contains(&worst), "{worst}");
    }

    /// By hand: a = 2 x 3e5 x 0.35 x 5e-6 = 1.05, c = a (a (0.05 a - 0.2) + 0.5) = 0.36238125, and the
    /// second of two cells is at 3/4 of the profile: 3e5 - c x 1.5e5.
    #[test]
    fn voltage_drop_of_two_cells() {
        let stream = Stream::new(0, &[], &[]);
        let periphery = Periphery { voltage_drop: 1.0, ..quiet() };
        let read = periphery.multiply(&[1e5, 2e5], 1, &[1.0, 1.0], 1, &stream, 0).unwrap();
        assert!((read.outputs[0] - 245_642.812_5).abs() < 1e-6, "{:?}", read.outputs);
    }

    #[test]
    fn doubling_brings_outputs_into_bounds() {
        let weights = vec![1.0; 4 * 8];
        let stream = Stream::new(0, &[], &[]);
        let periphery = Periphery { output_bound: 3.0, doublings: 4, scale: Scale::AbsMax, ..quiet() };
        let read = periphery.multiply(&weights, 4, &[0.5; 8], 1, &stream, 0).unwrap();
        assert_eq!(
            (read.outputs.as_slice(), read.doublings, read.outputs_clipped),
            ([4.0; 4].as_slice(), 2, 0)
        );
        let once = Periphery { doublings: 1, ..periphery };
        let read = once.multiply(&weights, 4, &[0.5; 8], 1, &stream, 0).unwrap();
        assert_eq!((read.outputs.as_slice(), read.outputs_clipped), ([3.0; 4].as_slice(), 4));
    }

    /// Five standard errors of the standard deviation of n normals.
    #[test]
    fn noise_has_its_size() {
        let (outputs, rows) = (4000, 3);
        let weights = vec![0.0; outputs * rows];
        let periphery = Periphery { weight_noise: 0.1, output_noise: 0.2, ..quiet() };
        let stream = Stream::new(3, &["noise"], &[]);
        let read = periphery.multiply(&weights, outputs, &[1.0, -2.0, 2.0], 1, &stream, 0).unwrap().outputs;
        let sigma = (read.iter().map(|y| y * y).sum::<f64>() / outputs as f64).sqrt();
        let expected = 0.1_f64.mul_add(0.9, 0.04).sqrt(); // 0.1^2 x 9 + 0.2^2
        assert!((sigma / expected - 1.0).abs() < 5.0 / (2.0 * outputs as f64).sqrt(), "{sigma} {expected}");
    }

    #[test]
    fn wild_numbers() {
        let stream = Stream::new(0, &[], &[]);
        let read = Periphery::default().multiply(&[1.0, 2.0], 1, &[f64::NAN, 1.0], 1, &stream, 0).unwrap();
        assert_eq!(read.inputs_clipped, 1);
        assert!(read.outputs[0].is_finite());
        assert!(Periphery::default().multiply(&[1.0, 2.0], 1, &[1.0], 1, &stream, 0).is_err());
        assert!(Periphery { output_noise: f64::NAN, ..quiet() }.check().is_err());
        assert!(Periphery::default().multiply(&[], 0, &[], 3, &stream, 0).unwrap().outputs.is_empty());
    }
}
