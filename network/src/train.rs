//! Digital training: Adam with a cosine rate and decoupled weight decay, bit-identical for any number
//! of threads.

use mho_data::dataset::{Dataset, Images};
use mho_data::random::Stream;
use rayon::prelude::*;

use crate::backward::{Layout, Workspace};
use crate::model::{Layer, Network};
use crate::score::Score;
use crate::spec::{NetworkSpec, Shape, ShapeError};

/// Images per part of a batch. A part is the unit of parallel work: its size is fixed and the
/// gradients of the parts are summed in their order.
const PART: usize = 32;
/// Parameters per unit of the parallel Adam step (every parameter is independent of the others).
const ADAM_CHUNK: usize = 16_384;
/// Moments of Adam (Kingma & Ba, ICLR 2015, their defaults).
const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// How to train.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images per step.
    pub batch: usize,
    /// Largest learning rate; it falls to 0 along half a cosine.
    pub rate: f32,
    /// Decoupled decay of the weights (not the biases), as a multiple of the rate (Loshchilov & Hutter,
    /// ICLR 2019).
    pub weight_decay: f32,
    /// Every image is moved at random by up to this many pixels in both directions; 0 for none.
    pub shift_pixels: usize,
    /// Seed of initial weights, order of images and shifts.
    pub seed: u64,
}

impl TrainOptions {
    /// Options that suit a training set of this size: small sets get more passes, smaller batches and
    /// shifted images.
    pub fn for_images(count: usize) -> Self {
        let (epochs, batch, shift_pixels) = match count {
            0..2_000 => (60, 32, 1),
            2_000..20_000 => (20, 64, 1),
            _ => (12, 128, 0),
        };
        Self { epochs, batch, rate: 2e-3, weight_decay: 0.02, shift_pixels, seed: 1 }
    }
}

/// Means over one pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Mean cross-entropy while training (nat).
    pub loss: f64,
    /// Fraction of training images that were right while training.
    pub top1: f64,
}

/// What training leaves.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network.
    pub network: Network,
    /// One entry per pass.
    pub history: Vec<Epoch>,
    /// Score on the test images, which training never sees.
    pub test: Score,
}

/// Why a network cannot be trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The layers do not fit the images.
    #[error("network {name}: {source}")]
    Shape {
        /// Name of the architecture.
        name: String,
        /// What does not fit.
        source: ShapeError,
    },
    /// Number of outputs and number of classes differ.
    #[error("network {name} has {outputs} outputs, data set {dataset} has {classes} classes")]
    Classes {
        /// Name of the architecture.
        name: String,
        /// Outputs of the network.
        outputs: usize,
        /// Name of the data set.
        dataset: String,
        /// Classes of the data set.
        classes: usize,
    },
    /// Nothing to train on, or a step of no image.
    #[error("training needs at least one image and a batch of at least one, found {images} and {batch}")]
    Empty {
        /// Training images.
        images: usize,
        /// Batch size asked for.
        batch: usize,
    },
    /// Labels or pixels that do not fit the data set's own description.
    #[error("data set {dataset}: found {found}, expected {expected}")]
    Images {
        /// Name of the data set.
        dataset: String,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// The loss left the numbers.
    #[error("the loss is not finite in pass {epoch}; lower the learning rate ({rate})")]
    Diverged {
        /// Pass, from 1.
        epoch: usize,
        /// The learning rate.
        rate: f32,
    },
}

/// Trains on `dataset.train`; `progress` hears the fraction done.
pub fn train(
    dataset: &Dataset,
    spec: &NetworkSpec,
    options: &TrainOptions,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<Trained, TrainError> {
    let images = &dataset.train;
    let count = images.labels.len();
    if count == 0 || options.batch == 0 {
        return Err(TrainError::Empty { images: count, batch: options.batch });
    }
    let shape = Shape { channels: images.channels, rows: images.rows, columns: images.cols };
    let pixel_max = f32::from(images.pixels.iter().copied().max().unwrap_or(1).max(1));
    let mut network = Network::new(spec, shape, pixel_max, options.seed)
        .map_err(|source| TrainError::Shape { name: spec.name.clone(), source })?;
    let (outputs, classes) = (network.classes(), dataset.classes);
    if outputs != classes {
        let (name, dataset) = (spec.name.clone(), dataset.name.clone());
        return Err(TrainError::Classes { name, outputs, dataset, classes });
    }

    for images in [images, &dataset.test] {
        check_images(images, shape.len(), classes).map_err(|(found, expected)| TrainError::Images {
            dataset: dataset.name.clone(),
            found,
            expected,
        })?;
    }

    let layout = Layout::of(&network);
    let mut adam = Adam::new(layout.len());
    let mut parts: Vec<Workspace> = Vec::new();
    parts.resize_with(options.batch.div_ceil(PART), Workspace::default);
    let steps_per_epoch = count.div_ceil(options.batch);
    let steps = (steps_per_epoch * options.epochs).max(1);
    let mut step = 0;
    let mut history = Vec::with_capacity(options.epochs);
    for epoch in 0..options.epochs {
        let order = shuffled(count, &Stream::new(options.seed, &["train", "order"], &[epoch as u64]));
        let shifts = Stream::new(options.seed, &["train", "shift"], &[epoch as u64]);
        let (mut loss, mut right) = (0.0, 0);
        for batch in order.chunks(options.batch) {
            let used = batch.len().div_ceil(PART);
            parts[..used].par_iter_mut().zip(batch.par_chunks(PART)).for_each(|(part, picks)| {
                let labels: Vec<u8> = picks.iter().map(|&i| images.labels[i]).collect();
                let inputs = part.inputs(&network, picks.len());
                for (&pick, input) in picks.iter().zip(inputs.chunks_exact_mut(shape.len())) {
                    gather(images, pick, 1.0 / pixel_max, options.shift_pixels, &shifts, input);
                }
                part.run(&network, &layout, &labels);
            });
            for part in &parts[..used] {
                loss += part.loss;
                right += part.right;
            }
            let phase = step as f32 / steps as f32;
            let rate = options.rate * 0.5 * (1.0 + (std::f32::consts::PI * phase).cos());
            adam.step(&mut network, &layout, &parts[..used], batch.len(), rate, options.weight_decay);
            step += 1;
            progress(step as f64 / steps as f64);
        }
        if !f64::is_finite(loss) {
            return Err(TrainError::Diverged { epoch: epoch + 1, rate: options.rate });
        }
        history.push(Epoch { loss: loss / count as f64, top1: right as f64 / count as f64 });
    }
    let test = network.score(&dataset.test);
    Ok(Trained { network, history, test })
}

/// Whether every image has its pixels and a label among the classes; else what was found and expected.
fn check_images(images: &Images, pixels: usize, classes: usize) -> Result<(), (String, String)> {
    let count = images.labels.len();
    if images.pixels.len() != count * pixels {
        let found = format!("{} pixels for {count} images", images.pixels.len());
        return Err((found, format!("{pixels} pixels per image")));
    }
    match images.labels.iter().find(|&&label| usize::from(label) >= classes) {
        Some(label) => Err((format!("label {label}"), format!("labels below {classes}"))),
        None => Ok(()),
    }
}

/// Fisher-Yates with counter-based numbers.
fn shuffled(count: usize, stream: &Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        let j = (stream.uniform(i as u64) * (i + 1) as f64) as usize;
        order.swap(i, j.min(i));
    }
    order
}

/// One image as inputs, moved by up to `reach` pixels (what moves in is 0).
fn gather(images: &Images, pick: usize, scale: f32, reach: usize, shifts: &Stream, out: &mut [f32]) {
    let pixels = &images.pixels[pick * out.len()..(pick + 1) * out.len()];
    if reach == 0 {
        out.iter_mut().zip(pixels).for_each(|(o, &p)| *o = f32::from(p) * scale);
        return;
    }
    let span = (2 * reach + 1) as f64;
    let draw = |i: u64| (shifts.uniform(2 * pick as u64 + i) * span) as isize - reach as isize;
    let (down, right) = (draw(0), draw(1));
    let (rows, columns) = (images.rows as isize, images.cols as isize);
    for (plane, out) in
        pixels.chunks_exact(images.rows * images.cols).zip(out.chunks_exact_mut(images.rows * images.cols))
    {
        for r in 0..rows {
            for c in 0..columns {
                let (sr, sc) = (r - down, c - right);
                let inside = sr >= 0 && sc >= 0 && sr < rows && sc < columns;
                let value = if inside { f32::from(plane[(sr * columns + sc) as usize]) * scale } else { 0.0 };
                out[(r * columns + c) as usize] = value;
            }
        }
    }
}

/// State of the optimiser, in the order of [`Layout`].
struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
    steps: i32,
}

impl Adam {
    fn new(len: usize) -> Self {
        Self { mean: vec![0.0; len], square: vec![0.0; len], steps: 0 }
    }

    /// One step along the mean gradient of a batch of `count` images.
    fn step(
        &mut self,
        network: &mut Network,
        layout: &Layout,
        parts: &[Workspace],
        count: usize,
        rate: f32,
        decay: f32,
    ) {
        self.steps += 1;
        let unbias = [1.0 / (1.0 - BETA[0].powi(self.steps)), 1.0 / (1.0 - BETA[1].powi(self.steps))];
        let scale = 1.0 / count as f32;
        for (index, layer) in network.layers.iter_mut().enumerate() {
            let Some(linear) = Layer::linear_mut(layer) else { continue };
            let start = layout.offset(index);
            let bias_start = start + linear.weights.len();
            let sets = [(start, &mut linear.weights, decay), (bias_start, &mut linear.bias, 0.0)];
            for (start, values, decay) in sets {
                let end = start + values.len();
                values
                    .par_chunks_mut(ADAM_CHUNK)
                    .zip(self.mean[start..end].par_chunks_mut(ADAM_CHUNK))
                    .zip(self.square[start..end].par_chunks_mut(ADAM_CHUNK))
                    .enumerate()
                    .for_each(|(chunk, ((values, mean), square))| {
                        let first = start + chunk * ADAM_CHUNK;
                        let mut gradient = parts[0].gradient[first..first + values.len()].to_vec();
                        for part in &parts[1..] {
                            let other = &part.gradient[first..first + values.len()];
                            gradient.iter_mut().zip(other).for_each(|(a, b)| *a += b);
                        }
                        for (i, value) in values.iter_mut().enumerate() {
                            let g = gradient[i] * scale;
                            mean[i] = BETA[0] * mean[i] + (1.0 - BETA[0]) * g;
                            square[i] = BETA[1] * square[i] + (1.0 - BETA[1]) * g * g;
                            let denominator = (square[i] * unbias[1]).sqrt() + EPSILON;
                            *value -= rate * (mean[i] * unbias[0] / denominator + decay * *value);
                        }
                    });
            }
        }
    }
}
