//! Networks with weights, and their digital inference in f32.

use mho_data::dataset::Images;
use mho_data::random::Stream;
use rayon::prelude::*;

use crate::product::{View, product};
use crate::score::{Outputs, Score};
use crate::spec::{LayerSpec, NetworkSpec, Shape, ShapeError};
use crate::window::{Window, max_pool2};

/// Images per block of inference: the unit of parallel work, fixed so that results are too.
pub(crate) const BLOCK: usize = 64;

/// Weights and biases of a layer that multiplies.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Numbers that enter one product (for a convolution: channels x kernel x kernel).
    pub inputs: usize,
    /// Numbers that leave it (for a convolution: channels).
    pub outputs: usize,
    /// Outputs x inputs, row by row.
    pub weights: Vec<f32>,
    /// One per output.
    pub bias: Vec<f32>,
}

impl Linear {
    /// Largest absolute weight.
    pub fn largest_weight(&self) -> f32 {
        self.weights.iter().fold(0.0, |largest, w| largest.max(w.abs()))
    }
}

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Fully connected.
    Dense(Linear),
    /// Convolution; the weights of an output are in the order channel, kernel row, kernel column.
    Conv2d(Linear, Window),
    /// max(x, 0).
    Relu,
    /// Maximum over 2 x 2 windows, step 2.
    MaxPool2,
    /// Image to vector.
    Flatten,
}

impl Layer {
    /// Weights and biases, if the layer has any.
    pub fn linear(&self) -> Option<&Linear> {
        match self {
            Self::Dense(linear) | Self::Conv2d(linear, _) => Some(linear),
            _ => None,
        }
    }

    pub(crate) fn linear_mut(&mut self) -> Option<&mut Linear> {
        match self {
            Self::Dense(linear) | Self::Conv2d(linear, _) => Some(linear),
            _ => None,
        }
    }
}

/// A feed-forward network for image classification. Inputs are pixels over [`Network::pixel_max`].
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    pub(crate) spec: NetworkSpec,
    pub(crate) pixel_max: f32,
    pub(crate) layers: Vec<Layer>,
    /// Shapes before each layer and behind the last.
    pub(crate) shapes: Vec<Shape>,
}

impl Network {
    /// A network with He-normal weights (He et al., ICCV 2015: variance 2 / inputs) and zero biases.
    /// `pixel_max` is the pixel value that becomes an input of 1.
    pub fn new(spec: &NetworkSpec, input: Shape, pixel_max: f32, seed: u64) -> Result<Self, ShapeError> {
        let shapes = spec.shapes(input)?;
        let linear = |index: usize, inputs: usize, outputs: usize| {
            let mut weights = vec![0.0; inputs * outputs];
            Stream::new(seed, &["network", "initial-weights"], &[index as u64])
                .fill_normal_f32(0, &mut weights);
            let scale = (2.0 / inputs as f32).sqrt();
            weights.iter_mut().for_each(|w| *w *= scale);
            Linear { inputs, outputs, weights, bias: vec![0.0; outputs] }
        };
        let layers = spec
            .layers
            .iter()
            .zip(&shapes)
            .enumerate()
            .map(|(index, (layer, shape))| match *layer {
                LayerSpec::Dense { outputs } => Layer::Dense(linear(index, shape.len(), outputs)),
                LayerSpec::Conv2d { outputs, kernel, stride, padding } => {
                    let window = Window { kernel, stride, padding };
                    Layer::Conv2d(linear(index, window.taps(*shape), outputs), window)
                }
                LayerSpec::Relu => Layer::Relu,
                LayerSpec::MaxPool2 => Layer::MaxPool2,
                LayerSpec::Flatten => Layer::Flatten,
            })
            .collect();
        Ok(Self { spec: spec.clone(), pixel_max, layers, shapes })
    }

    /// The architecture.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// Name for tables and figures.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Shape of one input image.
    pub fn input(&self) -> Shape {
        self.shapes[0]
    }

    /// Number of outputs.
    pub fn classes(&self) -> usize {
        self.shapes[self.layers.len()].len()
    }

    /// Pixel value that becomes an input of 1.
    pub fn pixel_max(&self) -> f32 {
        self.pixel_max
    }

    /// Layers from input to output.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Number of weights, biases not counted.
    pub fn weight_count(&self) -> usize {
        self.layers.iter().filter_map(Layer::linear).map(|l| l.weights.len()).sum()
    }

    /// Multiplications of one inference.
    pub fn products_per_image(&self) -> usize {
        let of = |(layer, out): (&Layer, &Shape)| match layer {
            Layer::Dense(l) => l.weights.len(),
            Layer::Conv2d(l, _) => l.weights.len() * out.rows * out.columns,
            _ => 0,
        };
        self.layers.iter().zip(&self.shapes[1..]).map(of).sum()
    }

    /// Images `first..first + count` as inputs, count x values.
    pub fn inputs(&self, images: &Images, first: usize, count: usize) -> Vec<f32> {
        let size = self.input().len();
        let scale = 1.0 / self.pixel_max;
        images.pixels[first * size..(first + count) * size].iter().map(|&p| f32::from(p) * scale).collect()
    }

    /// Outputs (logits) of `count` inputs: count x classes. Runs on the calling thread.
    ///
    /// # Panics
    /// If `inputs` holds fewer than `count` images.
    pub fn forward(&self, inputs: &[f32], count: usize) -> Vec<f32> {
        let mut x = inputs[..count * self.input().len()].to_vec();
        let mut scratch = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            match layer {
                Layer::Relu => relu(&mut x),
                Layer::Flatten => {}
                _ => {
                    let mut y = vec![0.0; count * self.shapes[index + 1].len()];
                    self.layer(index, &x, count, &mut y, &mut scratch);
                    x = y;
                }
            }
        }
        x
    }

    /// Output of one layer; `scratch` holds unfolded images.
    pub(crate) fn layer(&self, index: usize, x: &[f32], count: usize, y: &mut [f32], scratch: &mut Vec<f32>) {
        let (shape, out) = (self.shapes[index], self.shapes[index + 1]);
        match &self.layers[index] {
            Layer::Dense(linear) => {
                let (m, n, k) = (count, linear.outputs, linear.inputs);
                let w = View::rows(&linear.weights, k).transposed();
                product((m, n, k), View::rows(x, k), w, y, n, false);
                for row in y.chunks_exact_mut(n) {
                    row.iter_mut().zip(&linear.bias).for_each(|(y, b)| *y += b);
                }
            }
            Layer::Conv2d(linear, window) => {
                let positions = out.rows * out.columns;
                scratch.resize(linear.inputs * positions, 0.0);
                for (x, y) in x.chunks_exact(shape.len()).zip(y.chunks_exact_mut(out.len())) {
                    window.unfold(shape, x, scratch);
                    for (row, b) in y.chunks_exact_mut(positions).zip(&linear.bias) {
                        row.fill(*b);
                    }
                    let (m, n, k) = (linear.outputs, positions, linear.inputs);
                    product((m, n, k), View::rows(&linear.weights, k), View::rows(scratch, n), y, n, true);
                }
            }
            Layer::MaxPool2 => {
                for (x, y) in x.chunks_exact(shape.len()).zip(y.chunks_exact_mut(out.len())) {
                    max_pool2(shape, x, y);
                }
            }
            Layer::Relu => {
                y.copy_from_slice(x);
                relu(y);
            }
            Layer::Flatten => y.copy_from_slice(x),
        }
    }

    /// Digital accuracy on a set of images, in parallel over fixed blocks.
    pub fn score(&self, images: &Images) -> Score {
        let n = images.labels.len();
        (0..n.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let first = block * BLOCK;
                let count = BLOCK.min(n - first);
                let outputs = self.forward(&self.inputs(images, first, count), count);
                let labels = images.labels[first..first + count].iter().map(|&label| usize::from(label));
                Score::of(&outputs, labels, self.classes(), Outputs::Logits)
            })
            .collect::<Vec<_>>()
            .into_iter()
            .fold(Score::default(), |a, b| a + b)
    }
}

pub(crate) fn relu(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = x.max(0.0));
}
