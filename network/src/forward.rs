//! One block of images through the arrays.

use std::ops::AddAssign;

use mho_data::random::Stream;

use crate::evaluate::Converters;
use crate::mapping::MappedLayer;
use crate::model::{Layer, Linear, Network, relu};
use crate::normals;
use crate::product::{View, product};
use crate::program::ProgrammedLayer;

/// Conversions of one layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LayerCounts {
    pub(crate) input_conversions: u64,
    pub(crate) inputs_saturated: u64,
    pub(crate) output_conversions: u64,
    pub(crate) outputs_saturated: u64,
}

impl AddAssign for LayerCounts {
    fn add_assign(&mut self, other: Self) {
        self.input_conversions += other.input_conversions;
        self.inputs_saturated += other.inputs_saturated;
        self.output_conversions += other.output_conversions;
        self.outputs_saturated += other.outputs_saturated;
    }
}

/// A programmed network at one condition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forward<'a> {
    pub(crate) network: &'a Network,
    pub(crate) mapped: &'a [MappedLayer],
    /// Converters of inputs; without them inputs are floats.
    pub(crate) inputs: Option<&'a [Converters]>,
    /// Converters of sums; without them sums are floats.
    pub(crate) outputs: Option<&'a [Converters]>,
    pub(crate) programmed: &'a [ProgrammedLayer],
    /// Seed and trial of the read noise.
    pub(crate) noise: Option<(u64, u64)>,
}

impl Forward<'_> {
    /// Outputs of `count` inputs, the first of which is test image `first`.
    pub(crate) fn run(&self, inputs: Vec<f32>, first: usize, count: usize) -> (Vec<f32>, Vec<LayerCounts>) {
        let mut counts = vec![LayerCounts::default(); self.mapped.len()];
        let mut x = inputs;
        let mut scratch = Vec::new();
        let mut number = 0;
        for (index, layer) in self.network.layers().iter().enumerate() {
            match layer {
                Layer::Relu => relu(&mut x),
                Layer::Flatten => {}
                Layer::MaxPool2 => {
                    let mut y = vec![0.0; count * self.network.shapes[index + 1].len()];
                    self.network.layer(index, &x, count, &mut y, &mut scratch);
                    x = y;
                }
                Layer::Dense(_) | Layer::Conv2d(..) => {
                    x = self.linear(number, &mut x, first, count, &mut counts[number], &mut scratch);
                    number += 1;
                }
            }
        }
        (x, counts)
    }

    /// One layer on its tiles: convert, multiply, add noise, convert, sum, add the bias digitally.
    fn linear(
        &self,
        number: usize,
        x: &mut [f32],
        first: usize,
        count: usize,
        counts: &mut LayerCounts,
        scratch: &mut Vec<f32>,
    ) -> Vec<f32> {
        let (mapped, programmed) = (&self.mapped[number], &self.programmed[number]);
        if let Some(converters) = self.inputs.map(|c| &c[number]) {
            counts.input_conversions += x.len() as u64;
            counts.inputs_saturated += converters.input.apply_all(x);
        }
        let squares: Vec<f32> = match self.noise {
            Some(_) => x.iter().map(|x| x * x).collect(),
            None => Vec::new(),
        };
        let out = self.network.shapes[mapped.layer + 1].len();
        let mut sum = vec![0.0; count * out];
        let mut part = Vec::new();
        let mut variance = Vec::new();
        let mut normals = Vec::new();
        for index in 0..mapped.bounds.len() - 1 {
            let tile = Tile { network: self.network, mapped, index };
            let y = if index == 0 { &mut sum } else { &mut part };
            y.resize(count * out, 0.0);
            tile.product(&programmed.weights, x, y, scratch);
            if let Some((seed, trial)) = self.noise {
                variance.resize(y.len(), 0.0);
                normals.resize(y.len(), 0.0);
                tile.product(&programmed.variances, &squares, &mut variance, scratch);
                let stream =
                    Stream::new(seed, &["network", "read-noise"], &[trial, number as u64, index as u64]);
                normals::fill(&stream, (first * out) as u64, &mut normals);
                for ((y, v), n) in y.iter_mut().zip(&variance).zip(&normals) {
                    *y += v.max(0.0).sqrt() * n;
                }
            }
            if let Some(converters) = self.outputs.map(|c| &c[number]) {
                counts.output_conversions += y.len() as u64;
                counts.outputs_saturated += converters.output.apply_all(y);
            }
            if index > 0 {
                sum.iter_mut().zip(&part).for_each(|(s, p)| *s += p);
            }
        }
        if let Some(linear) = self.network.layers()[mapped.layer].linear() {
            add_bias(linear, out, &mut sum);
        }
        sum
    }
}

/// Adds the bias of each output; a convolution has several positions per output.
pub(crate) fn add_bias(linear: &Linear, out: usize, y: &mut [f32]) {
    let positions = out / linear.outputs;
    for image in y.chunks_exact_mut(out) {
        for (row, b) in image.chunks_exact_mut(positions).zip(&linear.bias) {
            row.iter_mut().for_each(|y| *y += b);
        }
    }
}

/// One tile along the inputs of a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile<'a> {
    pub(crate) network: &'a Network,
    pub(crate) mapped: &'a MappedLayer,
    pub(crate) index: usize,
}

impl Tile<'_> {
    /// Sums of the tile without bias: as many images as `y` has room for, times outputs (times
    /// positions). `weights` are those of the whole layer; `scratch` holds unfolded images.
    pub(crate) fn product(&self, weights: &[f32], x: &[f32], y: &mut [f32], scratch: &mut Vec<f32>) {
        let Self { network, mapped, index } = *self;
        let (from, to) = (mapped.bounds[index], mapped.bounds[index + 1]);
        let (shape, out) = (network.shapes[mapped.layer], network.shapes[mapped.layer + 1]);
        let w = View::rows(&weights[from..], mapped.inputs);
        match &network.layers()[mapped.layer] {
            Layer::Conv2d(_, window) => {
                let positions = out.rows * out.columns;
                scratch.resize(mapped.inputs * positions, 0.0);
                for (x, y) in x.chunks_exact(shape.len()).zip(y.chunks_exact_mut(out.len())) {
                    window.unfold(shape, x, scratch);
                    let columns = View::rows(&scratch[from * positions..], positions);
                    product((mapped.outputs, positions, to - from), w, columns, y, positions, false);
                }
            }
            _ => {
                let size = (y.len() / mapped.outputs, mapped.outputs, to - from);
                product(
                    size,
                    View::rows(&x[from..], mapped.inputs),
                    w.transposed(),
                    y,
                    mapped.outputs,
                    false,
                );
            }
        }
    }
}
