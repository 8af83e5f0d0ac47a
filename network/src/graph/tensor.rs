//! Dense f32 tensors, the last axis fastest.

/// Largest number of values of one tensor (1 GiB of f32): a bound on what a damaged or hostile file can
/// ask for, far above any layer of the networks that arrays hold. Assumed.
pub const MAX_VALUES: usize = 1 << 28;

/// A dense tensor of f32, the last axis fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// A tensor of a shape; `None` when the number of values does not fit the shape.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Option<Self> {
        (count(&shape)? == values.len()).then_some(Self { shape, values })
    }

    /// A vector.
    pub fn vector(values: Vec<f32>) -> Self {
        Self { shape: vec![values.len()], values }
    }

    /// A tensor of zeros; `None` when it would hold more than [`MAX_VALUES`].
    pub fn zeros(shape: Vec<usize>) -> Option<Self> {
        let values = vec![0.0; count(&shape)?];
        Some(Self { shape, values })
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Values, the last axis fastest.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Values, the last axis fastest.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values alone.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The same values under another shape; `None` when their number differs.
    pub fn reshaped(self, shape: Vec<usize>) -> Option<Self> {
        Self::new(shape, self.values)
    }
}

/// Number of values of a shape; `None` above [`MAX_VALUES`].
pub fn count(shape: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1_usize, |product, axis| product.checked_mul(*axis))?;
    (count <= MAX_VALUES).then_some(count)
}

/// Distance between neighbours along each axis of a dense tensor.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}

/// Shape of the elementwise combination of two tensors under NumPy's broadcasting; `None` when they do
/// not fit.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_bound_what_is_allocated() {
        assert!(Tensor::zeros(vec![1 << 20, 1 << 20]).is_none());
        assert!(Tensor::zeros(vec![usize::MAX, 2]).is_none());
        assert!(Tensor::new(vec![2, 3], vec![0.0; 5]).is_none());
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
    }

    #[test]
    fn broadcasting_aligns_the_last_axes() {
        assert_eq!(broadcast(&[2, 1, 4], &[3, 1]), Some(vec![2, 3, 4]));
        assert_eq!(broadcast(&[], &[5]), Some(vec![5]));
        assert_eq!(broadcast(&[2], &[3]), None);
    }
}
