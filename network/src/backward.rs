//! Gradient of the cross-entropy loss with respect to every weight and bias.

use crate::model::{Layer, Network};
use crate::product::{View, product};
use crate::spec::Shape;
use crate::window::{Window, max_pool2_gradient};

/// Where the parameters of each layer lie in one flat vector: weights, then biases.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    offsets: Vec<usize>,
    len: usize,
}

impl Layout {
    pub(crate) fn of(network: &Network) -> Self {
        let mut len = 0;
        let mut offsets = Vec::with_capacity(network.layers.len());
        for layer in &network.layers {
            offsets.push(len);
            len += layer.linear().map_or(0, |l| l.weights.len() + l.bias.len());
        }
        Self { offsets, len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Start of the parameters of a layer.
    pub(crate) fn offset(&self, layer: usize) -> usize {
        self.offsets[layer]
    }
}

/// Buffers for one part of a batch, kept between batches.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Input of every layer, and the outputs last.
    activations: Vec<Vec<f32>>,
    /// Gradient by the activations now being passed, and the next.
    upstream: Vec<f32>,
    downstream: Vec<f32>,
    unfolded: Vec<f32>,
    unfolded_gradient: Vec<f32>,
    /// Gradient by the parameters, in the order of [`Layout`]; summed over the images of the part.
    pub(crate) gradient: Vec<f32>,
    /// Sum of the losses of the images (nat).
    pub(crate) loss: f64,
    /// Images whose label had the largest output.
    pub(crate) right: usize,
}

impl Workspace {
    /// Place for `count` inputs, to be filled before [`Self::run`].
    pub(crate) fn inputs(&mut self, network: &Network, count: usize) -> &mut [f32] {
        if self.activations.is_empty() {
            self.activations.resize(network.layers.len() + 1, Vec::new());
        }
        self.activations[0].resize(count * network.input().len(), 0.0);
        &mut self.activations[0]
    }

    /// Forward and backward pass over the inputs with these labels.
    pub(crate) fn run(&mut self, network: &Network, layout: &Layout, labels: &[u8]) {
        let count = labels.len();
        for index in 0..network.layers.len() {
            let (before, after) = self.activations.split_at_mut(index + 1);
            let y = &mut after[0];
            y.resize(count * network.shapes[index + 1].len(), 0.0);
            network.layer(index, &before[index], count, y, &mut self.unfolded);
        }
        self.gradient.resize(layout.len(), 0.0);
        self.gradient.fill(0.0);
        self.cross_entropy(network.classes(), labels);
        for index in (0..network.layers.len()).rev() {
            self.back(network, layout, index, count);
        }
    }

    /// Loss and its gradient by the outputs: softmax(outputs) - one-hot(label).
    fn cross_entropy(&mut self, classes: usize, labels: &[u8]) {
        self.loss = 0.0;
        self.right = 0;
        let outputs = &self.activations[self.activations.len() - 1];
        self.upstream.clear();
        self.upstream.extend_from_slice(outputs);
        for (row, &label) in self.upstream.chunks_exact_mut(classes).zip(labels) {
            let label = usize::from(label);
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            self.right += usize::from(row[label] == largest);
            let own = row[label] - largest;
            let mut sum = 0.0;
            for y in row.iter_mut() {
                *y = (*y - largest).exp();
                sum += *y;
            }
            self.loss += f64::from(sum.ln() - own);
            row.iter_mut().for_each(|y| *y /= sum);
            row[label] -= 1.0;
        }
    }

    /// Passes the gradient through one layer. The first layer needs none by its input.
    fn back(&mut self, network: &Network, layout: &Layout, index: usize, count: usize) {
        let x = &self.activations[index];
        let shape = network.shapes[index];
        match &network.layers[index] {
            Layer::Flatten => return,
            Layer::Relu => {
                let y = &self.activations[index + 1];
                self.upstream.iter_mut().zip(y).for_each(|(g, &y)| *g = if y > 0.0 { *g } else { 0.0 });
                return;
            }
            Layer::MaxPool2 => {
                self.downstream.resize(x.len(), 0.0);
                let out = network.shapes[index + 1].len();
                let parts =
                    self.upstream.chunks_exact(out).zip(self.downstream.chunks_exact_mut(shape.len()));
                for (x, (g, d)) in x.chunks_exact(shape.len()).zip(parts) {
                    max_pool2_gradient(shape, x, g, d);
                }
            }
            Layer::Dense(linear) => {
                let (inputs, outputs) = (linear.inputs, linear.outputs);
                let own = &mut self.gradient[layout.offset(index)..][..(inputs + 1) * outputs];
                let (weights, bias) = own.split_at_mut(inputs * outputs);
                let g = View::rows(&self.upstream, outputs);
                product(
                    (outputs, inputs, count),
                    g.transposed(),
                    View::rows(x, inputs),
                    weights,
                    inputs,
                    false,
                );
                for row in self.upstream.chunks_exact(outputs) {
                    bias.iter_mut().zip(row).for_each(|(b, g)| *b += g);
                }
                if network.layers[..index].iter().any(|l| l.linear().is_some()) {
                    self.downstream.resize(x.len(), 0.0);
                    let w = View::rows(&linear.weights, inputs);
                    product((count, inputs, outputs), g, w, &mut self.downstream, inputs, false);
                }
            }
            Layer::Conv2d(..) => self.back_convolution(network, layout, index),
        }
        std::mem::swap(&mut self.upstream, &mut self.downstream);
    }

    fn back_convolution(&mut self, network: &Network, layout: &Layout, index: usize) {
        let Layer::Conv2d(linear, window) = &network.layers[index] else { return };
        let shape: Shape = network.shapes[index];
        let window: &Window = window;
        let x = &self.activations[index];
        let out = network.shapes[index + 1];
        let (taps, positions) = (linear.inputs, out.rows * out.columns);
        let own = &mut self.gradient[layout.offset(index)..][..(taps + 1) * linear.outputs];
        let (weights, bias) = own.split_at_mut(taps * linear.outputs);
        let pass_on = network.layers[..index].iter().any(|l| l.linear().is_some());
        self.unfolded.resize(taps * positions, 0.0);
        self.unfolded_gradient.resize(taps * positions, 0.0);
        self.downstream.resize(x.len(), 0.0);
        if pass_on {
            self.downstream.fill(0.0);
        }
        let images = x.chunks_exact(shape.len()).zip(self.upstream.chunks_exact(out.len()));
        for ((x, g), d) in images.zip(self.downstream.chunks_exact_mut(shape.len())) {
            window.unfold(shape, x, &mut self.unfolded);
            let (gradient, columns) = (View::rows(g, positions), View::rows(&self.unfolded, positions));
            product((linear.outputs, taps, positions), gradient, columns.transposed(), weights, taps, true);
            for (b, row) in bias.iter_mut().zip(g.chunks_exact(positions)) {
                *b += row.iter().sum::<f32>();
            }
            if pass_on {
                let w = View::rows(&linear.weights, taps).transposed();
                let to = &mut self.unfolded_gradient;
                product((taps, positions, linear.outputs), w, gradient, to, positions, false);
                window.fold_add(shape, to, d);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{LayerSpec, NetworkSpec};

    /// Central differences of the loss, in f32, against the gradient.
    #[test]
    fn gradient_equals_differences_of_the_loss() {
        let layers = vec![
            LayerSpec::Conv2d { outputs: 3, kernel: 3, stride: 1, padding: 1 },
            LayerSpec::Relu,
            LayerSpec::MaxPool2,
            LayerSpec::Conv2d { outputs: 4, kernel: 2, stride: 2, padding: 0 },
            LayerSpec::Relu,
            LayerSpec::Flatten,
            LayerSpec::Dense { outputs: 6 },
            LayerSpec::Relu,
            LayerSpec::Dense { outputs: 3 },
        ];
        let spec = NetworkSpec { schema: 1, name: "check".into(), layers };
        let input = Shape { channels: 2, rows: 8, columns: 8 };
        let mut network = Network::new(&spec, input, 1.0, 7).unwrap();
        let layout = Layout::of(&network);
        let labels = [0u8, 2, 1, 1];
        let mut work = Workspace::default();
        let x: Vec<f32> = (0..labels.len() * input.len()).map(|i| ((i * 37 % 101) as f32) / 101.0).collect();
        work.inputs(&network, labels.len()).copy_from_slice(&x);
        work.run(&network, &layout, &labels);
        let gradient = work.gradient.clone();
        let mut checked = 0;
        for index in 0..network.layers.len() {
            let Some(count) = network.layers[index].linear().map(|l| l.weights.len() + l.bias.len()) else {
                continue;
            };
            for i in (0..count).step_by(3) {
                let h = 2e-3;
                let mut loss = [0.0; 2];
                for (loss, sign) in loss.iter_mut().zip([1.0, -1.0]) {
                    let linear = network.layers[index].linear_mut().unwrap();
                    let n = linear.weights.len();
                    let place = if i < n { &mut linear.weights[i] } else { &mut linear.bias[i - n] };
                    let before = *place;
                    *place += sign * h;
                    work.run(&network, &layout, &labels);
                    *loss = work.loss;
                    let linear = network.layers[index].linear_mut().unwrap();
                    *(if i < n { &mut linear.weights[i] } else { &mut linear.bias[i - n] }) = before;
                }
                let difference = (loss[0] - loss[1]) / (2.0 * f64::from(h));
                let ours = f64::from(gradient[layout.offset(index) + i]);
                assert!(
                    (difference - ours).abs() < 5e-3 + 2e-2 * ours.abs(),
                    "{index} {i}: {difference} {ours}"
                );
                checked += 1;
            }
        }
        assert!(checked > 50);
    }
}
