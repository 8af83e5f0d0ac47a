//! What enters the matrices of a graph: a sample of vectors, and the extremes of all of them.

use std::sync::Mutex;

use crate::converter::Real;
use crate::graph::{Digital, Graph, Layer, LayerId, Products, Vectors, VectorsMut};

/// Values that are kept for all matrices of a node together: some thousand outputs of each layer.
const VALUES: usize = 1 << 18;
/// Most vectors that are kept for a matrix.
const VECTORS: usize = 512;
/// Fewest.
const LEAST: usize = 8;

/// Multiplies digitally and keeps every n-th vector of each matrix, the same for any number of threads.
pub(super) struct Recorder<'a> {
    digital: Digital<'a>,
    seen: Vec<Mutex<Seen<f32>>>,
}

/// What was seen of one matrix.
#[derive(Clone, Debug)]
pub(super) struct Seen<T> {
    length: usize,
    /// Every so many vectors one is kept; odd, so that positions of even rows are not left out.
    step: u64,
    /// Vectors one after the other.
    values: Vec<T>,
    kept: Vec<bool>,
    /// Smallest value, or 0.
    pub(super) least: T,
    /// Largest value, or 0.
    pub(super) most: T,
}

impl<T: Real> Seen<T> {
    /// Of vectors that stand one after the other, each `length` numbers.
    pub(super) fn all(values: &[T], length: usize) -> Self {
        let count = values.len() / length.max(1);
        let slots = (VALUES / length.max(1)).clamp(LEAST, VECTORS);
        let step = count.div_ceil(slots).max(1) | 1;
        let kept: Vec<T> = values.chunks_exact(length.max(1)).step_by(step).flatten().copied().collect();
        let zero = T::default();
        Self {
            length,
            step: step as u64,
            kept: vec![true; kept.len() / length.max(1)],
            values: kept,
            least: values.iter().fold(zero, |least, x| least.min(*x)),
            most: values.iter().fold(zero, |most, x| most.max(*x)),
        }
    }

    /// The vectors that were kept.
    pub(super) fn vectors(&self) -> impl Iterator<Item = &[T]> {
        self.values
            .chunks_exact(self.length.max(1))
            .zip(&self.kept)
            .filter(|(_, kept)| **kept)
            .map(|(v, _)| v)
    }
}

impl Seen<f32> {
    fn of(layer: &Layer, siblings: usize, inferences: usize) -> Self {
        let length = layer.inputs();
        let total = layer.products_per_inference().saturating_mul(inferences);
        let slots = (VALUES / (length * siblings).max(1)).clamp(LEAST, VECTORS);
        let step = total.div_ceil(slots).max(1) | 1;
        let slots = total.div_ceil(step);
        Self {
            length,
            step: step as u64,
            values: vec![0.0; slots * length],
            kept: vec![false; slots],
            least: 0.0,
            most: 0.0,
        }
    }

    fn see(&mut self, inputs: Vectors<'_>) {
        for vector in 0..inputs.count {
            let number = inputs.first + vector as u64;
            let slot = (number / self.step) as usize;
            let keep = number.is_multiple_of(self.step) && slot < self.kept.len();
            for index in 0..inputs.length.min(self.length) {
                let value = inputs.get(vector, index);
                self.least = self.least.min(value);
                self.most = self.most.max(value);
                if keep {
                    self.values[slot * self.length + index] = value;
                }
            }
            if keep {
                self.kept[slot] = true;
            }
        }
    }
}

impl<'a> Recorder<'a> {
    pub(super) fn new(graph: &'a Graph, inferences: usize) -> Self {
        let layers = graph.layers();
        let mut siblings = vec![0; graph.nodes().len()];
        for layer in layers {
            siblings[layer.node()] += 1;
        }
        let seen = layers.iter().map(|l| Mutex::new(Seen::of(l, siblings[l.node()], inferences))).collect();
        Self { digital: graph.digital(), seen }
    }

    /// What was seen of each matrix.
    pub(super) fn into_seen(self) -> Vec<Seen<f32>> {
        self.seen.into_iter().map(|seen| seen.into_inner().unwrap_or_else(|e| e.into_inner())).collect()
    }
}

impl Products for Recorder<'_> {
    fn product(&self, layer: LayerId, inputs: Vectors<'_>, outputs: &mut VectorsMut<'_>) {
        if let Some(seen) = self.seen.get(layer.0) {
            // A thread that panicked left numbers behind, no broken promise.
            seen.lock().unwrap_or_else(|e| e.into_inner()).see(inputs);
        }
        self.digital.product(layer, inputs, outputs);
    }
}
