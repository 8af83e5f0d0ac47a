//! Tensors that are known when the network is read.

use std::sync::Arc;

use super::super::shape::{Mismatch, mismatch};
use super::super::tensor::{MAX_VALUES, Tensor, count};
use super::proto::{self, data_type};

/// A known tensor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Known {
    Floats(Arc<Tensor>),
    Integers { shape: Vec<usize>, values: Vec<i64> },
}

impl Known {
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Floats(tensor) => tensor.shape(),
            Self::Integers { shape, .. } => shape,
        }
    }

    pub(crate) fn vector(values: Vec<i64>) -> Self {
        Self::Integers { shape: vec![values.len()], values }
    }
}

impl proto::Tensor {
    /// The tensor as f32, or as integers; bad shapes, other types and external data are refused.
    pub(crate) fn known(&self) -> Result<Known, Mismatch> {
        if self.data_location == Some(1) || !self.external_data.is_empty() {
            return mismatch(
                format!("the tensor `{}` with its data in another file", self.label()),
                "its values, here or in a file beside a model that is read by its path",
            );
        }
        let shape: Option<Vec<usize>> = self.dims.iter().map(|dim| usize::try_from(*dim).ok()).collect();
        let total = shape.as_deref().and_then(count);
        let (Some(shape), Some(total)) = (shape, total) else {
            let found = format!("the tensor `{}` of shape {:?}", self.label(), self.dims);
            return mismatch(found, format!("lengths of at least 0, at most {MAX_VALUES} values"));
        };
        let kind = self.data_type.unwrap_or(0);
        let floats = |values: Vec<f32>| {
            self.sized(values.len(), total)?;
            if values.iter().any(|value| value.is_nan()) {
                let found = format!("the tensor `{}` with a value that is no number", self.label());
                return mismatch(found, "numbers");
            }
            match Tensor::new(shape.clone(), values) {
                Some(tensor) => Ok(Known::Floats(Arc::new(tensor))),
                None => mismatch("a shape of other size", "as many values as the shape says"),
            }
        };
        let integers = |values: Vec<i64>| {
            self.sized(values.len(), total)?;
            Ok(Known::Integers { shape: shape.clone(), values })
        };
        match (kind, &self.raw_data) {
            (data_type::FLOAT, Some(raw)) => floats(words(raw, f32::from_le_bytes)),
            (data_type::FLOAT, None) => floats(self.float_data.clone()),
            (data_type::DOUBLE, Some(raw)) => floats(words(raw, |b| f64::from_le_bytes(b) as f32)),
            (data_type::DOUBLE, None) => floats(self.double_data.iter().map(|x| *x as f32).collect()),
            (data_type::FLOAT16, Some(raw)) => floats(words(raw, |b| half(u16::from_le_bytes(b)))),
            (data_type::FLOAT16, None) => {
                floats(self.int32_data.iter().map(|bits| half(*bits as u16)).collect())
            }
            (data_type::INT64, Some(raw)) => integers(words(raw, i64::from_le_bytes)),
            (data_type::INT64, None) => integers(self.int64_data.clone()),
            (data_type::INT32, Some(raw)) => integers(words(raw, |b| i64::from(i32::from_le_bytes(b)))),
            (data_type::INT8, Some(raw)) => integers(words(raw, |b| i64::from(i8::from_le_bytes(b)))),
            (data_type::UINT8 | data_type::BOOL, Some(raw)) => {
                integers(raw.iter().map(|b| i64::from(*b)).collect())
            }
            (data_type::INT32 | data_type::BOOL | data_type::INT8 | data_type::UINT8, None) => {
                integers(self.int32_data.iter().map(|x| i64::from(*x)).collect())
            }
            (other, _) => mismatch(
                format!("the tensor `{}` of data type {other}", self.label()),
                "float (1), float16 (10), double (11), int8 (3), uint8 (2), int32 (6), int64 (7) or bool (9)",
            ),
        }
    }

    fn label(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn sized(&self, found: usize, total: usize) -> Result<(), Mismatch> {
        if found == total {
            return Ok(());
        }
        let text = format!("{found} values of the tensor `{}` of shape {:?}", self.label(), self.dims);
        mismatch(text, format!("{total}"))
    }
}

/// Little-endian words; a last part that is no whole word makes the number of values wrong by one, so
/// that it cannot go unseen.
fn words<const N: usize, T>(raw: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (whole, rest) = raw.as_chunks::<N>();
    let mut values: Vec<T> = whole.iter().map(|word| from(*word)).collect();
    if !rest.is_empty() {
        values.push(from([0; N]));
    }
    values
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        assert_eq!(half(0x3c00), 1.0);
        assert_eq!(half(0xc500), -5.0);
        assert_eq!(half(0x0001), 2.0_f32.powi(-24));
        assert_eq!(half(0x7bff), 65504.0);
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn wrong_sizes_and_external_data_are_refused() {
        let tensor = |dims: Vec<i64>, raw: usize| proto::Tensor {
            dims,
            data_type: Some(data_type::FLOAT),
            raw_data: Some(vec![0; raw]),
            ..Default::default()
        };
        assert!(tensor(vec![2], 8).known().is_ok());
        assert!(tensor(vec![2], 9).known().is_err());
        assert!(tensor(vec![2], 4).known().is_err());
        assert!(tensor(vec![-2], 8).known().is_err());
        assert!(tensor(vec![1 << 40, 1 << 40], 8).known().is_err());
        let external = proto::Tensor { data_location: Some(1), ..tensor(vec![0], 0) };
        assert!(external.known().unwrap_err().found.contains("another file"));
    }
}
