//! Arithmetic of shapes: what exporters compute with integers at inference is known here.

use std::sync::Arc;

use super::super::shape::{Mismatch, mismatch};
use super::super::tensor::{Tensor, broadcast, count, strides};
use super::attributes::Attributes;
use super::constants::Known;
use super::convert::axis_of;
use super::importer::{Importer, Value};
use super::proto::{self, data_type};

/// Most integers of one tensor: shapes and indices are short. Assumed.
const MOST_INTEGERS: usize = 1 << 20;

/// Evaluates an operator on known integers. `false`: it is none of those, or works on floats.
pub(super) fn fold(
    importer: &mut Importer<'_>,
    operator: &str,
    a: &Attributes<'_>,
) -> Result<bool, Mismatch> {
    let result = match operator {
        "Constant" => constant(a)?,
        "Shape" => shape(importer, a)?,
        "ConstantOfShape" => constant_of_shape(importer, a)?,
        "Cast" => match cast(importer, a)? {
            Some(known) => known,
            None => {
                importer.pass(0)?;
                return Ok(true);
            }
        },
        _ => {
            let Some(inputs) = known_integers(importer)? else { return Ok(false) };
            let results = match (operator, inputs.as_slice()) {
                ("Gather", [data, indices]) => gather(data, indices, a)?,
                ("Concat", parts) => concat(parts, a)?,
                ("Add", [x, y]) => elementwise(x, y, i64::checked_add)?,
                ("Sub", [x, y]) => elementwise(x, y, i64::checked_sub)?,
                ("Mul", [x, y]) => elementwise(x, y, i64::checked_mul)?,
                ("Div", [x, y]) => elementwise(x, y, i64::checked_div)?,
                ("Min", [x, y]) => elementwise(x, y, |x, y| Some(x.min(y)))?,
                ("Max", [x, y]) => elementwise(x, y, |x, y| Some(x.max(y)))?,
                ("Slice", [data, starts, ends, others @ ..]) => slice(data, starts, ends, others)?,
                _ => return Ok(false),
            };
            Known::Integers { shape: results.shape, values: results.values }
        }
    };
    importer.spend(count(result.shape()).unwrap_or(usize::MAX))?;
    importer.bind(importer.output(0), Value::Known(result))?;
    Ok(true)
}

struct Integers {
    shape: Vec<usize>,
    values: Vec<i64>,
}

/// All inputs, if each is known and an integer tensor.
fn known_integers(importer: &Importer<'_>) -> Result<Option<Vec<Integers>>, Mismatch> {
    let mut all = Vec::new();
    for index in 0..importer.input_count() {
        if !importer.has(index) {
            return Ok(None);
        }
        match importer.value(index)? {
            Value::Known(Known::Integers { shape, values }) if values.len() <= MOST_INTEGERS => {
                all.push(Integers { shape: shape.clone(), values: values.clone() });
            }
            _ => return Ok(None),
        }
    }
    Ok((!all.is_empty()).then_some(all))
}

fn constant(a: &Attributes<'_>) -> Result<Known, Mismatch> {
    if let Some(tensor) = a.tensor("value") {
        return tensor.known();
    }
    let scalar = |values: Vec<i64>| Known::Integers { shape: vec![], values };
    let floats = |shape: Vec<usize>, values: Vec<f32>| match Tensor::new(shape, values) {
        Some(tensor) if tensor.values().iter().all(|x| !x.is_nan()) => Ok(Known::Floats(Arc::new(tensor))),
        _ => mismatch("a value that is no number", "numbers"),
    };
    if let Some(values) = a.integers("value_ints") {
        Ok(Known::vector(values.to_vec()))
    } else if let Some(values) = a.floats("value_floats") {
        floats(vec![values.len()], values.to_vec())
    } else if a.has("value_int") {
        Ok(scalar(vec![a.integer("value_int", 0)?]))
    } else if a.has("value_float") {
        floats(vec![], vec![a.float("value_float", 0.0)?])
    } else {
        mismatch("no tensor of numbers", "value, value_int(s) or value_float(s)")
    }
}

fn shape(importer: &Importer<'_>, a: &Attributes<'_>) -> Result<Known, Mismatch> {
    let shape = importer.shape(0)?;
    let rank = shape.len() as i64;
    let place = |at: i64| if at < 0 { at.saturating_add(rank) } else { at }.clamp(0, rank) as usize;
    let (start, end) = (place(a.integer("start", 0)?), place(a.integer("end", rank)?));
    Ok(Known::vector(shape[start..end.max(start)].iter().map(|n| *n as i64).collect()))
}

fn constant_of_shape(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<Known, Mismatch> {
    let lengths = importer.integers(0, "a shape")?;
    let shape: Option<Vec<usize>> = lengths.iter().map(|n| usize::try_from(*n).ok()).collect();
    let value = a.tensor("value").map(proto::Tensor::known).transpose()?;
    let total = shape.as_deref().and_then(count);
    let (Some(shape), Some(total)) = (shape, total) else {
        return mismatch(format!("the shape {lengths:?}"), "lengths of at least 0");
    };
    importer.spend(total)?;
    match value {
        Some(Known::Integers { values, .. }) if values.len() == 1 && total <= MOST_INTEGERS => {
            Ok(Known::Integers { shape, values: vec![values[0]; total] })
        }
        Some(Known::Floats(tensor)) if tensor.values().len() == 1 => filled(shape, tensor.values()[0], total),
        None => filled(shape, 0.0, total),
        _ => mismatch("a value that is no single number", "one number"),
    }
}

fn filled(shape: Vec<usize>, value: f32, total: usize) -> Result<Known, Mismatch> {
    match Tensor::new(shape, vec![value; total]) {
        Some(tensor) => Ok(Known::Floats(Arc::new(tensor))),
        None => mismatch("a shape of other size", "as many values"),
    }
}

/// `None`: nothing changes.
fn cast(importer: &Importer<'_>, a: &Attributes<'_>) -> Result<Option<Known>, Mismatch> {
    a.ignore("saturate"); // of 8-bit floats, which are refused
    let to = a.integer("to", 0)?;
    let floats = to == i64::from(data_type::FLOAT);
    let integers = to == i64::from(data_type::INT64) || to == i64::from(data_type::INT32);
    match importer.value(0)? {
        Value::Flows(..) if floats => Ok(None),
        Value::Known(Known::Floats(_)) if floats => Ok(None),
        Value::Known(Known::Integers { .. }) if integers => Ok(None),
        Value::Known(Known::Integers { shape, values }) if floats => {
            match Tensor::new(shape.clone(), values.iter().map(|x| *x as f32).collect()) {
                Some(tensor) => Ok(Some(Known::Floats(Arc::new(tensor)))),
                None => mismatch("a shape of other size", "as many values"),
            }
        }
        Value::Known(Known::Floats(tensor)) if integers => {
            let values = tensor.values().iter().map(|x| *x as i64).collect();
            Ok(Some(Known::Integers { shape: tensor.shape().to_vec(), values }))
        }
        _ => mismatch(format!("a cast to data type {to}"), "floats to float, integers to int64 or int32"),
    }
}

fn gather(data: &Integers, indices: &Integers, a: &Attributes<'_>) -> Result<Integers, Mismatch> {
    let axis = axis_of(a.integer("axis", 0)?, data.shape.len())?;
    let length = data.shape[axis];
    let (outer, inner) = (&data.shape[..axis], &data.shape[axis + 1..]);
    let shape = [outer, &indices.shape, inner].concat();
    let block: usize = inner.iter().product();
    bounded(&shape)?;
    let mut values = Vec::new();
    for o in 0..outer.iter().product() {
        for &index in &indices.values {
            let Ok(index) = axis_of(index, length) else {
                return mismatch(format!("index {index} of an axis of {length}"), "an index inside it");
            };
            let at = (o * length + index) * block;
            values.extend_from_slice(&data.values[at..at + block]);
        }
    }
    Ok(Integers { shape, values })
}

fn bounded(shape: &[usize]) -> Result<(), Mismatch> {
    match count(shape).filter(|count| *count <= MOST_INTEGERS) {
        Some(_) => Ok(()),
        None => mismatch(format!("integers of shape {shape:?}"), format!("at most {MOST_INTEGERS}")),
    }
}

fn concat(parts: &[Integers], a: &Attributes<'_>) -> Result<Integers, Mismatch> {
    axis_of(a.integer("axis", 0)?, 1)?;
    if parts.iter().any(|part| part.shape.len() != 1) {
        return mismatch("integer tensors of several axes", "vectors");
    }
    let values: Vec<i64> = parts.iter().flat_map(|part| &part.values).copied().collect();
    bounded(&[values.len()])?;
    Ok(Integers { shape: vec![values.len()], values })
}

fn elementwise(
    x: &Integers,
    y: &Integers,
    f: impl Fn(i64, i64) -> Option<i64>,
) -> Result<Integers, Mismatch> {
    let Some(shape) = broadcast(&x.shape, &y.shape) else {
        return mismatch(format!("shapes {:?} and {:?}", x.shape, y.shape), "shapes that broadcast");
    };
    bounded(&shape)?;
    let total: usize = shape.iter().product();
    let own = strides(&shape);
    let at = |integers: &Integers, index: usize| {
        let missing = shape.len() - integers.shape.len();
        let strides = strides(&integers.shape);
        let place = |(axis, stride): (usize, &usize)| {
            let i = index / own[axis + missing] % shape[axis + missing];
            if integers.shape[axis] == 1 { 0 } else { i * stride }
        };
        integers.values[strides.iter().enumerate().map(place).sum::<usize>()]
    };
    let values: Option<Vec<i64>> = (0..total).map(|index| f(at(x, index), at(y, index))).collect();
    match values {
        Some(values) => Ok(Integers { shape, values }),
        None => mismatch("integers that overflow or a division by zero", "a number"),
    }
}

fn slice(
    data: &Integers,
    starts: &Integers,
    ends: &Integers,
    others: &[Integers],
) -> Result<Integers, Mismatch> {
    let single =
        |integers: &Integers| integers.values.first().copied().filter(|_| integers.values.len() == 1);
    let step = others.get(1).map_or(Some(1), single);
    let (1, Some(start), Some(end), Some(step)) = (data.shape.len(), single(starts), single(ends), step)
    else {
        return mismatch("a slice of integers along several axes", "a vector sliced once");
    };
    let range = super::movement::range(start, end, step, data.values.len())?;
    let count = range.count.unwrap_or(data.values.len());
    let values: Vec<i64> = (0..count)
        .filter_map(|i| data.values.get((range.start as isize + i as isize * range.step) as usize).copied())
        .collect();
    Ok(Integers { shape: vec![values.len()], values })
}
