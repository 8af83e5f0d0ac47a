//! Functions of single values, and of pairs of values.

use super::super::op::{Activation, Affine, Binary};
use super::super::tensor::{Tensor, strides};
use super::{Read, Write};
pub(crate) use crate::vector::wide;

/// The activation of each value, in place.
pub(crate) fn activate(activation: Activation, values: &mut [f32]) {
    fn each(values: &mut [f32], f: impl Fn(f32) -> f32) {
        wide(
            #[inline(always)]
            || values.iter_mut().for_each(|x| *x = f(*x)),
        );
    }
    match activation {
        // comparisons let what is no number through, so that it is seen
        Activation::Relu => each(values, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Clip { min, max } => each(values, |x| {
            let x = if x < min { min } else { x };
            if x > max { max } else { x }
        }),
        Activation::LeakyRelu { slope } => each(values, |x| if x >= 0.0 { x } else { slope * x }),
        Activation::Elu { alpha } => each(values, |x| if x >= 0.0 { x } else { alpha * libm::expm1f(x) }),
        Activation::Selu { alpha, gamma } => {
            each(values, |x| if x > 0.0 { gamma * x } else { gamma * alpha * libm::expm1f(x) });
        }
        Activation::Sigmoid => each(values, sigmoid),
        Activation::HardSigmoid { alpha, beta } => each(values, |x| (alpha * x + beta).clamp(0.0, 1.0)),
        Activation::HardSwish => each(values, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        Activation::Silu => each(values, |x| x * sigmoid(x)),
        Activation::Tanh => each(values, libm::tanhf),
        // ln(1 + exp x) without overflow
        Activation::Softplus => each(values, |x| x.max(0.0) + libm::log1pf(libm::expf(-x.abs()))),
        Activation::Softsign => each(values, |x| x / (1.0 + x.abs())),
        Activation::Gelu => {
            each(values, |x| 0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2)));
        }
        Activation::GeluTanh => each(values, |x| {
            // sqrt(2/pi) and the fitted 0.044715: Hendrycks & Gimpel, arXiv:1606.08415
            let inner = 0.797_884_6 * (x + 0.044_715 * x * x * x);
            0.5 * x * (1.0 + libm::tanhf(inner))
        }),
        Activation::Erf => each(values, libm::erff),
        Activation::Exp => each(values, libm::expf),
        Activation::Log => each(values, libm::logf),
        Activation::Sqrt => each(values, f32::sqrt),
        Activation::Reciprocal => each(values, f32::recip),
        Activation::Abs => each(values, f32::abs),
        Activation::Neg => each(values, |x| -x),
    }
}

/// 1 / (1 + exp -x), with the exponential of a negative number.
pub(crate) fn sigmoid(x: f32) -> f32 {
    let e = libm::expf(-x.abs());
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// Scale and shift of each channel, in place.
pub(crate) fn affine(affine: &Affine, output: &mut Write<'_>) {
    let inner: usize = output.shape[2..].iter().product();
    if inner == 0 {
        return;
    }
    let channels = affine.scale.values().iter().zip(affine.shift.values()).cycle();
    for (plane, (scale, shift)) in output.values.chunks_exact_mut(inner).zip(channels) {
        plane.iter_mut().for_each(|x| *x = *x * scale + shift);
    }
}

/// x where x >= 0, else slope x, in place.
pub(crate) fn prelu(slope: &Tensor, output: &mut Write<'_>) {
    let slope = Read { shape: slope.shape(), values: slope.values() };
    combine(None, slope, output, |x, s| if x >= 0.0 { x } else { s * x });
}

/// A function of two values, broadcast. Without `first`, the output holds it.
pub(crate) fn binary(binary: Binary, first: Option<Read<'_>>, second: Read<'_>, output: &mut Write<'_>) {
    match binary {
        Binary::Add => combine(first, second, output, |a, b| a + b),
        Binary::Sub => combine(first, second, output, |a, b| a - b),
        Binary::Mul => combine(first, second, output, |a, b| a * b),
        Binary::Div => combine(first, second, output, |a, b| a / b),
        Binary::Pow => combine(first, second, output, power),
        Binary::Max => combine(first, second, output, f32::max),
        Binary::Min => combine(first, second, output, f32::min),
    }
}

/// Squares and square roots exactly, which exported normalisations use.
fn power(a: f32, b: f32) -> f32 {
    match b {
        2.0 => a * a,
        0.5 => a.sqrt(),
        _ => libm::powf(a, b),
    }
}

fn combine(first: Option<Read<'_>>, second: Read<'_>, output: &mut Write<'_>, f: impl Fn(f32, f32) -> f32) {
    let whole = |read: &Read<'_>| read.shape == output.shape;
    match (first, second) {
        (None, b) if whole(&b) => wide(
            #[inline(always)]
            || output.values.iter_mut().zip(b.values).for_each(|(y, b)| *y = f(*y, *b)),
        ),
        (Some(a), b) if whole(&a) && whole(&b) => {
            let pairs = a.values.iter().zip(b.values);
            output.values.iter_mut().zip(pairs).for_each(|(y, (a, b))| *y = f(*a, *b));
        }
        (first, second) => {
            if let Some(first) = first {
                spread(first, output, |_, a| a);
            }
            spread(second, output, f);
        }
    }
}

/// `y = f(y, b)` with `b` broadcast to the shape of the output.
fn spread(b: Read<'_>, output: &mut Write<'_>, f: impl Fn(f32, f32) -> f32) {
    let rank = output.shape.len();
    // distance of neighbours in b along each axis of the output; 0 where b repeats
    let missing = rank - b.shape.len();
    let own = strides(b.shape);
    let steps: Vec<usize> = (0..rank)
        .map(|axis| if axis < missing || b.shape[axis - missing] == 1 { 0 } else { own[axis - missing] })
        .collect();
    // trailing axes over which b is constant, or lies as the output does
    let mut inner = 1;
    let mut axis = rank;
    while axis > 0 && (steps[axis - 1] == 0 || output.shape[axis - 1] == 1) {
        axis -= 1;
        inner *= output.shape[axis];
    }
    let constant = inner > 1 || rank == 0;
    if !constant {
        while axis > 0 && (steps[axis - 1] == inner || output.shape[axis - 1] == 1) {
            axis -= 1;
            inner *= output.shape[axis];
        }
    }
    if inner == 0 {
        return;
    }
    let mut index = vec![0; axis];
    for run in output.values.chunks_exact_mut(inner) {
        let at: usize = index.iter().zip(&steps).map(|(i, s)| i * s).sum();
        if constant {
            let b = b.values[at];
            run.iter_mut().for_each(|y| *y = f(*y, b));
        } else {
            run.iter_mut().zip(&b.values[at..]).for_each(|(y, b)| *y = f(*y, *b));
        }
        advance(&mut index, output.shape);
    }
}

/// The next index in the order of memory, over the first axes of a shape.
pub(crate) fn advance(index: &mut [usize], shape: &[usize]) {
    for axis in (0..index.len()).rev() {
        index[axis] += 1;
        if index[axis] < shape[axis] {
            return;
        }
        index[axis] = 0;
    }
}
