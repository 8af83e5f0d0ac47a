//! Tensors of a `.tflite` file: what they are, and the constant ones in real numbers.

use mho_data::InputError;
use mho_network::graph::tensor::Tensor;

use super::flat::Flat;

/// Types of the values (`TensorType` of the schema) that the networks here have.
const FLOAT32: u8 = 0;
const INT32: u8 = 2;
const UINT8: u8 = 3;
const INT8: u8 = 9;

/// Scale and zero point: real = scale (stored - zero).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantisation {
    /// One step.
    pub scale: f32,
    /// The stored value of 0.
    pub zero: f32,
}

/// A tensor of the file.
pub(super) struct Stored<'a> {
    pub(super) shape: Vec<usize>,
    kind: u8,
    data: &'a [u8],
    scales: Vec<f32>,
    zeros: Vec<i64>,
    /// Axis along which scales differ.
    axis: usize,
}

impl<'a> Stored<'a> {
    pub(super) fn new(tensor: Flat<'a>, buffers: &[Flat<'a>]) -> Self {
        let shape = tensor.list(0).ints().into_iter().map(|n| usize::try_from(n).unwrap_or(0)).collect();
        let data = buffers.get(tensor.count(2, 0)).map_or(&[][..], |buffer| buffer.list(0).bytes(1));
        let quantisation = tensor.table(4);
        let scales = quantisation.map(|q| q.list(2).floats()).unwrap_or_default();
        let zeros = quantisation.map(|q| q.list(3).longs()).unwrap_or_default();
        let axis = quantisation.map_or(0, |q| q.count(6, 0));
        Self { shape, kind: tensor.byte(1), data, scales, zeros, axis }
    }

    pub(super) fn is_constant(&self) -> bool {
        !self.data.is_empty()
    }

    /// Scale and zero point of the values, and the range that they can have.
    pub(super) fn quantisation(&self) -> Option<(Quantisation, [f32; 2])> {
        let (low, high) = match self.kind {
            INT8 => (-128.0, 127.0),
            UINT8 => (0.0, 255.0),
            _ => return None,
        };
        let scale = *self.scales.first()?;
        let zero = self.zeros.first().map_or(0.0, |&zero| zero as f32);
        Some((Quantisation { scale, zero }, [scale * (low - zero), scale * (high - zero)]))
    }

    /// Integers of a constant vector: axes, paddings, shapes.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        let whole = self.data.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b)));
        (self.kind == INT32).then(|| whole.collect())
    }

    /// The real numbers that a constant tensor stands for.
    pub(super) fn real(&self, file: &str) -> Result<Tensor, InputError> {
        let wrong = |found: String, expected: &str| InputError::new(file, found, expected);
        let raw: Vec<f32> = match self.kind {
            FLOAT32 => self.data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            INT32 => self.data.as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b) as f32).collect(),
            UINT8 => self.data.iter().map(|&b| f32::from(b)).collect(),
            INT8 => self.data.iter().map(|&b| f32::from(b.cast_signed())).collect(),
            other => return Err(wrong(format!("a tensor of type {other}"), "f32, i32, u8 or i8")),
        };
        let values = if self.kind == FLOAT32 || self.scales.is_empty() {
            raw
        } else {
            // consecutive values of one index along the axis
            let run: usize = self.shape.iter().skip(self.axis + 1).product::<usize>().max(1);
            let length = self.shape.get(self.axis).copied().unwrap_or(1).max(1);
            let scale = |i: usize| {
                let channel = if self.scales.len() > 1 { i / run % length } else { 0 };
                let zero = self.zeros.get(channel).or(self.zeros.first()).map_or(0.0, |&zero| zero as f32);
                (self.scales.get(channel).copied().unwrap_or(0.0), zero)
            };
            raw.iter().enumerate().map(|(i, x)| (scale(i), x)).map(|((s, z), x)| s * (x - z)).collect()
        };
        let shape = self.shape.clone();
        Tensor::new(shape, values).ok_or_else(|| {
            wrong(format!("a tensor of shape {:?} with other data", self.shape), "data that fit")
        })
    }
}
