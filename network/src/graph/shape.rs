//! Shapes of what each operation returns.

use super::op::{Conv, Length, Op, Padding, Pool, Recurrent, Sliding};
use super::tensor::{MAX_VALUES, broadcast, count};

/// What does not fit, without the name of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) found: String,
    pub(crate) expected: String,
}

pub(crate) fn mismatch<T>(found: impl Into<String>, expected: impl Into<String>) -> Result<T, Mismatch> {
    Err(Mismatch { found: found.into(), expected: expected.into() })
}

type Shapes = Result<Vec<Vec<usize>>, Mismatch>;

/// A sliding window at a place: what the geometry becomes on an image of known size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Rows and columns of the image.
    pub(crate) image: [usize; 2],
    /// Taps, steps, distances of taps.
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Padding before and after.
    pub(crate) before: [usize; 2],
    pub(crate) after: [usize; 2],
    /// Rows and columns of positions.
    pub(crate) positions: [usize; 2],
}

impl Sliding {
    /// One tap, one step, no padding.
    pub const UNIT: Self =
        Self { kernel: [1; 2], stride: [1; 2], dilation: [1; 2], padding: [Padding::Explicit(0, 0); 2] };

    /// Positions on an image; `ceil_mode` counts a last window that leaves the padded image as long as it
    /// begins inside the image or the padding before it (ONNX, PyTorch).
    pub(crate) fn at(&self, image: [usize; 2], ceil_mode: bool) -> Result<Windows, Mismatch> {
        let mut windows = Windows {
            image,
            kernel: self.kernel,
            stride: self.stride,
            dilation: self.dilation,
            before: [0; 2],
            after: [0; 2],
            positions: [0; 2],
        };
        for (axis, length) in image.into_iter().enumerate() {
            let kernel = self.kernel[axis];
            let (stride, dilation) = (self.stride[axis], self.dilation[axis]);
            let sane = |n: usize| (1..=MAX_VALUES).contains(&n);
            if !(sane(kernel) && sane(stride) && sane(dilation)) {
                return mismatch(
                    format!("a window of {kernel} taps, stride {stride}, dilation {dilation}"),
                    format!("numbers from 1 to {MAX_VALUES}"),
                );
            }
            let reach = (kernel - 1).saturating_mul(dilation).saturating_add(1);
            let (before, after, positions) = match self.padding[axis] {
                Padding::Explicit(before, after) => {
                    let padded = length.saturating_add(before).saturating_add(after);
                    if padded > MAX_VALUES || reach > padded {
                        return mismatch(
                            format!("a window that reaches over {reach} of {padded} padded values"),
                            "a window inside the padded input",
                        );
                    }
                    let room = padded - reach;
                    let mut positions = if ceil_mode { room.div_ceil(stride) } else { room / stride } + 1;
                    if ceil_mode && (positions - 1) * stride >= length + before {
                        positions -= 1;
                    }
                    (before, after, positions)
                }
                same @ (Padding::SameUpper | Padding::SameLower) => {
                    if length == 0 || reach > MAX_VALUES {
                        return mismatch(format!("{length} values under {reach} taps"), "at least one value");
                    }
                    let positions = length.div_ceil(stride);
                    let total = ((positions - 1) * stride + reach).saturating_sub(length);
                    let less = total / 2;
                    let before = if same == Padding::SameUpper { less } else { total - less };
                    (before, total - before, positions)
                }
            };
            windows.before[axis] = before;
            windows.after[axis] = after;
            windows.positions[axis] = positions;
        }
        Ok(windows)
    }
}

/// Rows and columns of an image tensor with one or two spatial axes.
pub(crate) fn image_of(shape: &[usize]) -> Result<[usize; 2], Mismatch> {
    match *shape {
        [_, _, columns] => Ok([1, columns]),
        [_, _, rows, columns] => Ok([rows, columns]),
        _ => mismatch(format!("an input of shape {shape:?}"), "batch, channels and one or two spatial axes"),
    }
}

fn positions(input: &[usize], channels: usize, windows: &Windows) -> Vec<usize> {
    let mut shape = vec![input[0], channels];
    shape.extend(&windows.positions[4 - input.len()..]);
    shape
}

impl Op {
    /// Shapes of the outputs for shapes of the inputs (`None`: left out) at a batch size.
    pub(crate) fn infer(&self, inputs: &[Option<&[usize]>], batch: usize) -> Shapes {
        let (least, most) = match self {
            Self::Constant(_) => (0, 0),
            Self::Binary(_) => (2, 2),
            Self::Concat { .. } => (1, usize::MAX),
            Self::Recurrent(_) => (1, 3),
            _ => (1, 1),
        };
        let given = inputs.iter().filter(|input| input.is_some()).count();
        let optional = matches!(self, Self::Recurrent(_));
        if inputs.len() > most || inputs.len() < least || (given < inputs.len() && !optional) {
            return mismatch(format!("{given} inputs"), format!("{least} or more, all of them present"));
        }
        let first = inputs.first().copied().flatten().unwrap_or(&[]);
        let shapes = match self {
            Self::Constant(tensor) => vec![tensor.shape().to_vec()],
            Self::Conv(conv) => vec![conv.infer(first)?],
            Self::Dense(dense) => {
                let &[outputs, columns] = dense.weights.shape() else {
                    return mismatch(format!("weights of shape {:?}", dense.weights.shape()), "a matrix");
                };
                one_each(dense.bias.as_deref().map(|b| b.shape()), outputs, "bias")?;
                let Some((&last, others)) = first.split_last() else {
                    return mismatch("a scalar input", "a vector or more");
                };
                if last != columns {
                    return mismatch(
                        format!("an input of shape {first:?} before a matrix of {columns} inputs"),
                        format!("a last axis of {columns}"),
                    );
                }
                vec![[others, &[outputs]].concat()]
            }
            Self::Affine(affine) => {
                let channels = *first.get(1).unwrap_or(&0);
                one_each(Some(affine.scale.shape()), channels, "scale")?;
                one_each(Some(affine.shift.shape()), channels, "shift")?;
                vec![first.to_vec()]
            }
            Self::Activation(_) => vec![first.to_vec()],
            Self::PRelu(slope) => match broadcast(first, slope.shape()) {
                Some(shape) if shape == first => vec![shape],
                _ => {
                    let found = format!("a slope of shape {:?} for {first:?}", slope.shape());
                    return mismatch(found, "one that broadcasts to the input");
                }
            },
            Self::Pool(pool) => vec![pool.infer(first)?],
            Self::Reduce(reduce) => {
                axes_inside(&reduce.axes, first)?;
                let kept = |axis: &usize| reduce.keep || !reduce.axes.contains(axis);
                let length = |axis: usize| if reduce.axes.contains(&axis) { 1 } else { first[axis] };
                if reduce.axes.iter().any(|&axis| first[axis] == 0) {
                    return mismatch(format!("an empty axis of {first:?}"), "values to reduce");
                }
                vec![(0..first.len()).filter(kept).map(length).collect()]
            }
            Self::Binary(_) => {
                let second = inputs[1].unwrap_or(&[]);
                match broadcast(first, second) {
                    Some(shape) => vec![shape],
                    None => {
                        let found = format!("inputs of shapes {first:?} and {second:?}");
                        return mismatch(found, "shapes that broadcast to each other");
                    }
                }
            }
            Self::Concat { axis } => vec![concat(inputs, *axis)?],
            Self::Softmax { axis, .. } => {
                axes_inside(&[*axis], first)?;
                vec![first.to_vec()]
            }
            Self::Transpose { order } => {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                if !sorted.iter().copied().eq(0..first.len()) {
                    let found = format!("the order {order:?} for an input of shape {first:?}");
                    return mismatch(found, "a permutation of its axes");
                }
                vec![order.iter().map(|&axis| first[axis]).collect()]
            }
            Self::Reshape { shape } => vec![reshape(first, shape, batch)?],
            Self::Pad(pad) => {
                if pad.amounts.len() != first.len() {
                    let found = format!("{} padded axes for {first:?}", pad.amounts.len());
                    return mismatch(found, "one entry per axis");
                }
                let mirrored = matches!(pad.with, super::op::PadWith::Reflect);
                let borderless = !matches!(pad.with, super::op::PadWith::Value(_));
                for (&(before, after), &length) in pad.amounts.iter().zip(first) {
                    let amount = before.max(after);
                    if (mirrored && amount >= length.max(1)) || (borderless && amount > 0 && length == 0) {
                        return mismatch(
                            format!("{amount} mirrored values of {length}"),
                            "fewer than there are",
                        );
                    }
                }
                let padded = |(&(before, after), &length): (&(usize, usize), &usize)| {
                    length.saturating_add(before).saturating_add(after)
                };
                vec![pad.amounts.iter().zip(first).map(padded).collect()]
            }
            Self::Slice { axes } => vec![slice(first, axes)?],
            Self::Recurrent(recurrent) => recurrent.infer(inputs)?,
        };
        for shape in &shapes {
            if count(shape).is_none() {
                let found = format!("a tensor of shape {shape:?}");
                return mismatch(found, format!("at most {MAX_VALUES} values"));
            }
        }
        Ok(shapes)
    }
}

impl Conv {
    fn infer(&self, input: &[usize]) -> Result<Vec<usize>, Mismatch> {
        let image = image_of(input)?;
        let weights = self.weights.shape();
        let [rows, columns] = self.sliding.kernel;
        let taps = if weights.len() == 3 { vec![columns] } else { vec![rows, columns] };
        let fits = weights.len() == input.len()
            && weights[2..] == taps[..]
            && (weights.len() == 4 || rows == 1)
            && self.groups >= 1
            && weights[0].is_multiple_of(self.groups)
            && weights[1].checked_mul(self.groups) == Some(input[1]);
        if !fits {
            let found = format!("weights of shape {weights:?} in {} groups for {input:?}", self.groups);
            return mismatch(found, "outputs x (channels / groups) x taps");
        }
        one_each(self.bias.as_deref().map(|b| b.shape()), weights[0], "bias")?;
        Ok(positions(input, weights[0], &self.sliding.at(image, false)?))
    }
}

impl Pool {
    fn infer(&self, input: &[usize]) -> Result<Vec<usize>, Mismatch> {
        let windows = self.sliding.at(image_of(input)?, self.ceil_mode)?;
        for axis in 0..2 {
            let reach = (windows.kernel[axis] - 1) * windows.dilation[axis] + 1;
            if windows.before[axis] >= reach || windows.after[axis] >= reach || windows.image[axis] == 0 {
                let found = format!("padding of {:?} and {:?}", windows.before, windows.after);
                return mismatch(found, "less padding than the window reaches over, so that none is empty");
            }
        }
        Ok(positions(input, input[1], &windows))
    }
}

impl Recurrent {
    fn infer(&self, inputs: &[Option<&[usize]>]) -> Shapes {
        let Some(&[steps, batch, features]) = inputs[0] else {
            return mismatch(format!("a sequence of shape {:?}", inputs[0]), "steps x batch x inputs");
        };
        let (passes, rows) = (self.direction.passes(), self.cell.gates().saturating_mul(self.hidden));
        let tensors = [
            (Some(&self.input_weights), vec![passes, rows, features], "input weights"),
            (Some(&self.hidden_weights), vec![passes, rows, self.hidden], "hidden weights"),
            (self.bias.as_ref(), vec![passes, rows.saturating_mul(2)], "biases"),
            (self.peepholes.as_ref(), vec![passes, self.hidden.saturating_mul(3)], "peepholes"),
        ];
        for (tensor, expected, what) in tensors {
            if let Some(tensor) = tensor
                && tensor.shape() != expected
            {
                return mismatch(format!("{what} of shape {:?}", tensor.shape()), format!("{expected:?}"));
            }
        }
        let state = vec![passes, batch, self.hidden];
        for initial in inputs[1..].iter().flatten() {
            if *initial != state {
                return mismatch(format!("an initial state of shape {initial:?}"), format!("{state:?}"));
            }
        }
        if steps == 0 {
            return mismatch("a sequence of no steps", "at least one");
        }
        Ok(vec![vec![steps, passes, batch, self.hidden], state.clone(), state])
    }
}

fn one_each(shape: Option<&[usize]>, outputs: usize, what: &str) -> Result<(), Mismatch> {
    match shape {
        Some(shape) if shape != [outputs] => {
            mismatch(format!("a {what} of shape {shape:?}"), format!("{outputs} values"))
        }
        _ => Ok(()),
    }
}

fn axes_inside(axes: &[usize], shape: &[usize]) -> Result<(), Mismatch> {
    match axes.iter().find(|axis| **axis >= shape.len()) {
        Some(axis) => mismatch(format!("axis {axis} of an input of shape {shape:?}"), "an axis that it has"),
        None => Ok(()),
    }
}

fn concat(inputs: &[Option<&[usize]>], axis: usize) -> Result<Vec<usize>, Mismatch> {
    let first = inputs[0].unwrap_or(&[]);
    axes_inside(&[axis], first)?;
    let mut shape = first.to_vec();
    for &input in inputs[1..].iter().flatten() {
        let fits = input.len() == first.len()
            && input.iter().zip(first).enumerate().all(|(at, (a, b))| at == axis || a == b);
        if !fits {
            let found = format!("inputs of shapes {first:?} and {input:?} joined along axis {axis}");
            return mismatch(found, "shapes that are equal elsewhere");
        }
        shape[axis] = shape[axis].saturating_add(input[axis]);
    }
    Ok(shape)
}

fn reshape(input: &[usize], lengths: &[Length], batch: usize) -> Result<Vec<usize>, Mismatch> {
    let total = count(input).unwrap_or(0);
    let fixed = |length: &Length| match *length {
        Length::Fixed(n) => Some(n),
        Length::Batch(n) => Some(n.saturating_mul(batch)),
        Length::Rest => None,
    };
    let known = lengths.iter().filter_map(fixed).fold(1_usize, usize::saturating_mul);
    let rests = lengths.iter().filter(|l| **l == Length::Rest).count();
    let rest = total.checked_div(known).unwrap_or(0);
    let fits = match rests {
        0 => known == total,
        1 => known > 0 && rest * known == total,
        _ => false,
    };
    if !fits {
        let found =
            format!("{total} values of shape {input:?} to be reshaped to {lengths:?} at batch {batch}");
        return mismatch(found, "a shape of as many values, with at most one length left open");
    }
    Ok(lengths.iter().map(|length| fixed(length).unwrap_or(rest)).collect())
}

fn slice(input: &[usize], axes: &[super::op::AxisSlice]) -> Result<Vec<usize>, Mismatch> {
    if axes.len() != input.len() {
        return mismatch(format!("{} sliced axes for {input:?}", axes.len()), "one entry per axis");
    }
    let mut shape = Vec::with_capacity(input.len());
    for (axis, &length) in axes.iter().zip(input) {
        let Some(count) = axis.count else {
            if axis.start != 0 || axis.step != 1 {
                return mismatch(format!("{axis:?}"), "a whole axis that starts at 0 with step 1");
            }
            shape.push(length);
            continue;
        };
        let last = count.checked_sub(1).map_or(Some(0), |steps| {
            isize::try_from(steps).ok()?.checked_mul(axis.step)?.checked_add_unsigned(axis.start)
        });
        let inside = |index: usize| index < length;
        let fits = count == 0
            || (inside(axis.start) && last.and_then(|l| usize::try_from(l).ok()).is_some_and(inside));
        if !fits || axis.step == 0 {
            return mismatch(format!("{axis:?} of an axis of {length}"), "indices inside the axis");
        }
        shape.push(count);
    }
    Ok(shape)
}
