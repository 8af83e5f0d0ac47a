//! Operations on dense buffers, each on the calling thread.

mod conv;
mod depthwise;
pub(super) mod elementwise;
mod layout;
mod phases;
mod pool;
mod recurrent;
mod reduce;

use super::layers::{Layer, Layout, Products, Vectors, VectorsMut};
use super::op::{Activation, Op};
use super::shape::image_of;

/// A value that an operation reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) values: &'a [f32],
}

/// A value that an operation writes.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) values: &'a mut [f32],
}

/// The matrices of one node, and who multiplies with them.
#[derive(Clone, Copy)]
pub(crate) struct Matrices<'a> {
    pub(crate) layers: &'a [Layer],
    pub(crate) products: &'a dyn Products,
    /// Number of the first inference of the block.
    pub(crate) inference: u64,
}

impl Matrices<'_> {
    /// Number of vectors that meet a matrix of the node before this block.
    fn first(&self, index: usize) -> u64 {
        self.inference * self.layers[index].products_per_inference() as u64
    }
}

/// Memory that kernels use and leave behind.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
    segments: Vec<conv::Segment>,
}

impl Scratch {
    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        (self.a.capacity() + self.b.capacity() + self.c.capacity()) * size_of::<f32>()
            + self.segments.capacity() * size_of::<conv::Segment>()
    }
}

/// Executes an operation. With `in_place`, the first operand lies in the first output and is missing
/// from `inputs` (its entry is `None`). Shapes have been inferred before, so that all of them fit.
pub(crate) fn execute(
    op: &Op,
    inputs: &[Option<Read<'_>>],
    in_place: bool,
    outputs: &mut [Write<'_>],
    activation: Option<Activation>,
    matrices: Matrices<'_>,
    scratch: &mut Scratch,
) {
    let first = inputs.first().copied().flatten().unwrap_or(Read { shape: &[], values: &[] });
    if let Op::Recurrent(recurrent) = op {
        recurrent::recurrent(recurrent, inputs, outputs, matrices, scratch);
        return;
    }
    let Some(output) = outputs.first_mut() else { return };
    if let Some(Some(operand)) = inputs.first()
        && !in_place
        && matches!(op, Op::Activation(_) | Op::PRelu(_) | Op::Affine(_) | Op::Softmax { .. })
    {
        output.values.copy_from_slice(operand.values);
    }
    match op {
        Op::Conv(conv) => {
            conv::conv(conv, first, output, activation, matrices, scratch);
            return;
        }
        Op::Dense(_) => dense(first, output, matrices),
        Op::Affine(affine) => elementwise::affine(affine, output),
        Op::Activation(activation) => elementwise::activate(*activation, output.values),
        Op::PRelu(slope) => elementwise::prelu(slope, output),
        Op::Binary(binary) => {
            let second = inputs.get(1).copied().flatten().unwrap_or(first);
            elementwise::binary(*binary, (!in_place).then_some(first), second, output);
        }
        Op::Pool(pool) => {
            if let Ok(image) = image_of(first.shape)
                && let Ok(windows) = pool.sliding.at(image, pool.ceil_mode)
            {
                pool::pool(pool.kind, &windows, first.values, output.values);
            }
        }
        Op::Reduce(op) => reduce::reduce(op, first, output),
        Op::Softmax { axis, log } => reduce::softmax(*axis, *log, output),
        Op::Concat { axis } => layout::concat(*axis, inputs, output),
        Op::Transpose { order } => layout::transpose(order, first, output),
        Op::Pad(pad) => layout::pad(pad, first, output),
        Op::Slice { axes } => layout::slice(axes, first, output),
        // recurrent nodes have returned above; constants and reshapes never become steps
        Op::Recurrent(_) | Op::Constant(_) | Op::Reshape { .. } => {}
    }
    if let Some(activation) = activation {
        elementwise::activate(activation, output.values);
    }
}

/// The matrix times each last axis, plus bias.
fn dense(input: Read<'_>, output: &mut Write<'_>, matrices: Matrices<'_>) {
    let [layer] = matrices.layers else { return };
    let (outputs, inputs) = (layer.outputs(), layer.inputs());
    let count = output.values.len().checked_div(outputs).unwrap_or(0);
    let vectors = Vectors {
        first: matrices.first(0),
        count,
        length: inputs,
        layout: Layout::Rows,
        stride: inputs,
        values: input.values,
    };
    let mut results =
        VectorsMut { length: outputs, layout: Layout::Rows, stride: outputs, values: output.values };
    if count > 0 {
        matrices.products.product(layer.id(), vectors, &mut results);
    }
    if let Some(bias) = matrices.products.bias(layer)
        && outputs > 0
    {
        for row in output.values.chunks_exact_mut(outputs) {
            row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
        }
    }
}
