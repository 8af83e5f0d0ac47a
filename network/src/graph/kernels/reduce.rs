//! Reductions over axes, and softmax.

use super::super::op::{Reduce, ReduceKind};
use super::super::tensor::strides;
use super::elementwise::advance;
use super::{Read, Write};

/// Mean, sum or maximum over whole axes; sums are kept in f64.
pub(crate) fn reduce(reduce: &Reduce, input: Read<'_>, output: &mut Write<'_>) {
    let own = strides(input.shape);
    let part = |inside: bool| -> (Vec<usize>, Vec<usize>) {
        (0..input.shape.len())
            .filter(|axis| reduce.axes.contains(axis) == inside)
            .map(|axis| (input.shape[axis], own[axis]))
            .unzip()
    };
    let (kept, kept_strides) = part(false);
    let (gone, gone_strides) = part(true);
    let offset =
        |index: &[usize], strides: &[usize]| -> usize { index.iter().zip(strides).map(|(i, s)| i * s).sum() };
    let count: usize = gone.iter().product();
    let contiguous = reduce.axes.iter().copied().eq(input.shape.len() - gone.len()..input.shape.len());
    let mut outer = vec![0; kept.len()];
    for result in output.values.iter_mut() {
        let base = offset(&outer, &kept_strides);
        let mut sum = 0.0_f64;
        let mut largest = f32::NEG_INFINITY;
        let mut take = |x: f32| match reduce.kind {
            ReduceKind::Max => largest = if x > largest || x.is_nan() { x } else { largest },
            _ => sum += f64::from(x),
        };
        if contiguous {
            input.values[base..base + count].iter().for_each(|x| take(*x));
        } else {
            let mut inner = vec![0; gone.len()];
            for _ in 0..count {
                take(input.values[base + offset(&inner, &gone_strides)]);
                advance(&mut inner, &gone);
            }
        }
        *result = match reduce.kind {
            ReduceKind::Mean => (sum / count as f64) as f32,
            ReduceKind::Sum => sum as f32,
            ReduceKind::Max => largest,
        };
        advance(&mut outer, &kept);
    }
}

/// Softmax or its logarithm along an axis, in place.
pub(crate) fn softmax(axis: usize, log: bool, output: &mut Write<'_>) {
    let length = output.shape[axis];
    let inner: usize = output.shape[axis + 1..].iter().product();
    if length * inner == 0 {
        return;
    }
    for block in output.values.chunks_exact_mut(length * inner) {
        for first in 0..inner {
            let line = |block: &[f32]| -> (f32, f64) {
                let values = || block[first..].iter().step_by(inner);
                let largest = values().fold(f32::NEG_INFINITY, |m, x| m.max(*x));
                let sum = values().map(|x| f64::from(libm::expf(x - largest))).sum();
                (largest, sum)
            };
            let (largest, sum) = line(block);
            for x in block[first..].iter_mut().step_by(inner) {
                *x = match log {
                    true => x_minus(*x, largest, sum),
                    false => (f64::from(libm::expf(*x - largest)) / sum) as f32,
                };
            }
        }
    }
}

fn x_minus(x: f32, largest: f32, sum: f64) -> f32 {
    (f64::from(x) - f64::from(largest) - libm::log(sum)) as f32
}
