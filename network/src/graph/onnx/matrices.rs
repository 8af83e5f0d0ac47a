//! Matrices with constant weights, and normalisations of what they return.

use std::sync::Arc;

use super::super::op::{Affine, Binary, Dense, Length, Op};
use super::super::shape::{Mismatch, mismatch};
use super::super::tensor::Tensor;
use super::attributes::Attributes;
use super::constants::Known;
use super::importer::{Importer, Value};

/// A matrix with rows and columns exchanged.
fn transposed(matrix: &Tensor) -> Option<Tensor> {
    let &[rows, columns] = matrix.shape() else { return None };
    let mut values = Vec::with_capacity(rows * columns);
    for column in 0..columns {
        values.extend((0..rows).map(|row| matrix.values()[row * columns + column]));
    }
    Tensor::new(vec![columns, rows], values)
}

fn scaled(tensor: &Arc<Tensor>, factor: f32) -> Arc<Tensor> {
    if factor == 1.0 {
        return tensor.clone();
    }
    let mut tensor = Tensor::clone(tensor);
    tensor.values_mut().iter_mut().for_each(|x| *x *= factor);
    Arc::new(tensor)
}

/// Gemm.
pub(super) fn gemm(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let (alpha, beta) = (a.float("alpha", 1.0)?, a.float("beta", 1.0)?);
    let (first_turned, second_turned) = (a.integer("transA", 0)? != 0, a.integer("transB", 0)? != 0);
    let weights = importer.floats(1, "weights (input B)")?;
    let shape = importer.shape(0)?;
    if weights.shape().len() != 2 || shape.len() != 2 {
        return mismatch(format!("factors of shapes {shape:?} and {:?}", weights.shape()), "two matrices");
    }
    let weights = if second_turned { Some(weights) } else { transposed(&weights).map(Arc::new) };
    let Some(weights) = weights else { return mismatch("weights of another rank", "a matrix") };
    let weights = scaled(&weights, alpha);
    let outputs = weights.shape()[0];
    let mut input = importer.node.input[0].clone();
    if first_turned {
        let turned = importer.fresh("transposed");
        importer.emit_named(Op::Transpose { order: vec![1, 0] }, &[input], vec![turned.clone()])?;
        input = turned;
    }
    // a bias with one value per output belongs to the matrix; any other is added afterwards
    let own = match importer.has(2) {
        true => match importer.value(2)? {
            Value::Known(Known::Floats(c)) if per_output(c.shape(), outputs) => {
                let values = match c.values() {
                    [one] => vec![*one; outputs],
                    values => values.to_vec(),
                };
                Some(scaled(&Arc::new(Tensor::vector(values)), beta))
            }
            _ => None,
        },
        false => None,
    };
    let added = importer.has(2) && own.is_none();
    let op = Op::Dense(Dense { weights, bias: own });
    if !added {
        return importer.emit_named(op, &[input], vec![importer.output(0)]);
    }
    let product = importer.fresh("product");
    importer.emit_named(op, &[input], vec![product.clone()])?;
    let mut summand = importer.node.input[2].clone();
    if beta != 1.0 {
        let (factor, result) = (importer.fresh("beta"), importer.fresh("scaled"));
        let value = Value::Known(Known::Floats(Arc::new(Tensor::vector(vec![beta]))));
        importer.bind(factor.clone(), value)?;
        importer.emit_named(Op::Binary(Binary::Mul), &[summand, factor], vec![result.clone()])?;
        summand = result;
    }
    importer.emit_named(Op::Binary(Binary::Add), &[product, summand], vec![importer.output(0)])
}

fn per_output(shape: &[usize], outputs: usize) -> bool {
    match *shape {
        [] => true,
        [n] | [1, n] => n == outputs || n == 1,
        _ => false,
    }
}

/// MatMul with a constant factor.
pub(super) fn matmul(importer: &mut Importer<'_>) -> Result<(), Mismatch> {
    let known = |value: &Value| matches!(value, Value::Known(_));
    let (first, second) = (known(importer.value(0)?), known(importer.value(1)?));
    match (first, second) {
        (_, true) => {
            let matrix = importer.floats(1, "weights (input B)")?;
            let rank = importer.shape(0)?.len();
            let (rows, columns) = match *matrix.shape() {
                [rows] => (rows, None),
                [rows, columns] => (rows, Some(columns)),
                // One matrix for every element of the batch.
                [ref ones @ .., rows, columns] if ones.iter().all(|n| *n == 1) && ones.len() + 2 <= rank => {
                    (rows, Some(columns))
                }
                _ => {
                    return mismatch(
                        format!("weights of shape {:?}", matrix.shape()),
                        "a matrix or a vector",
                    );
                }
            };
            let matrix = Tensor::clone(&matrix).reshaped(vec![rows, columns.unwrap_or(1)]);
            let Some(weights) = matrix.as_ref().and_then(transposed) else {
                return mismatch("weights of another rank", "a matrix or a vector");
            };
            let op = Op::Dense(Dense { weights: Arc::new(weights), bias: None });
            let input = importer.node.input[0].clone();
            if columns.is_some() {
                return importer.emit_named(op, &[input], vec![importer.output(0)]);
            }
            let mut shape = importer.shape(0)?;
            shape.pop();
            let product = importer.fresh("product");
            importer.emit_named(op, &[input], vec![product.clone()])?;
            let shape = shape.into_iter().map(Length::Fixed).collect();
            importer.emit_named(Op::Reshape { shape }, &[product], vec![importer.output(0)])
        }
        (true, false) => {
            // A x = (x' A')', so that A is the matrix
            let matrix = importer.floats(0, "weights (input A)")?;
            let rank = importer.shape(1)?.len();
            if matrix.shape().len() == 2 && rank == 1 {
                return importer.emit(Op::Dense(Dense { weights: matrix, bias: None }), &[1]);
            }
            if matrix.shape().len() != 2 || rank < 2 {
                return mismatch(
                    format!("weights of shape {:?}", matrix.shape()),
                    "a matrix, and one behind it",
                );
            }
            let mut order: Vec<usize> = (0..rank).collect();
            order.swap(rank - 2, rank - 1);
            let (turned, product) = (importer.fresh("transposed"), importer.fresh("product"));
            let input = importer.node.input[1].clone();
            importer.emit_named(Op::Transpose { order: order.clone() }, &[input], vec![turned.clone()])?;
            let op = Op::Dense(Dense { weights: matrix, bias: None });
            importer.emit_named(op, &[turned], vec![product.clone()])?;
            importer.emit_named(Op::Transpose { order }, &[product], vec![importer.output(0)])
        }
        (false, false) => {
            mismatch("a product of two values that are computed at inference", "a constant matrix")
        }
    }
}

/// BatchNormalization as scale and shift of each channel.
pub(super) fn batch_normalization(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    a.ignore("momentum");
    importer.at_most_outputs(1)?;
    if a.integer("training_mode", 0)? != 0 || a.integer("spatial", 1)? != 1 {
        return mismatch(
            "batch normalisation in training, or of single pixels",
            "training_mode 0, spatial 1",
        );
    }
    let epsilon = f64::from(a.float("epsilon", 1e-5)?);
    let [gamma, beta, mean, variance] = [1, 2, 3, 4].map(|index| importer.floats(index, "statistics"));
    let (gamma, beta, mean, variance) = (gamma?, beta?, mean?, variance?);
    let channels = importer.shape(0)?.get(1).copied().unwrap_or(0);
    if [&gamma, &beta, &mean, &variance].iter().any(|t| t.shape() != [channels]) {
        return mismatch(
            format!("statistics of shape {:?}", gamma.shape()),
            format!("{channels} values each"),
        );
    }
    let (mut scale, mut shift) = (Vec::with_capacity(channels), Vec::with_capacity(channels));
    for c in 0..channels {
        let at = |tensor: &Tensor| f64::from(tensor.values()[c]);
        let deviation = (at(&variance) + epsilon).sqrt();
        let factor = at(&gamma) / deviation;
        if !(factor.is_finite() && deviation > 0.0) {
            return mismatch(format!("the variance {} of channel {c}", at(&variance)), "a positive number");
        }
        scale.push(factor as f32);
        shift.push((at(&beta) - at(&mean) * factor) as f32);
    }
    let [scale, shift] = [scale, shift].map(|values| Arc::new(Tensor::vector(values)));
    importer.emit(Op::Affine(Affine { scale, shift }), &[0])
}
