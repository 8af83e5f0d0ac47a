//! Execution: blocks of inferences in parallel, each on one thread.

use std::mem::take;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::kernels::{self, Matrices, Read, Scratch, Write};
use super::layers::Products;
use super::op::Op;
use super::plan::{Operand, Plan, Source};
use super::tensor::{Tensor, count};
use super::{Graph, GraphError};

/// Memory of the values of one block that a block of several inferences may take: 8 MiB, so that
/// weights are read for several inferences and values stay near the processor. Assumed.
const BLOCK_BYTES: usize = 8 << 20;
/// Most inferences of a block.
const MOST_INFERENCES: usize = 64;

/// A graph could not be executed on what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// An input does not fit the graph.
    #[error("input `{name}`: found {found}, expected {expected}")]
    Input {
        /// Name of the input, or of the inputs as a whole.
        name: String,
        /// What was given.
        found: String,
        /// What the graph takes.
        expected: String,
    },
    /// The shapes inside do not fit this number of inferences.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Memory and size of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Inferences in one block.
    pub block: usize,
    /// Bytes of the values of one block: all buffers that a thread holds.
    pub values_bytes: usize,
    /// Bytes of all weights and biases, shared by the threads.
    pub weights_bytes: usize,
}

/// One thread's memory.
#[derive(Default)]
struct Workspace {
    buffers: Vec<Vec<f32>>,
    inputs: Vec<Vec<f32>>,
    scratch: Scratch,
}

impl Graph {
    /// Executes any number of inferences: each input holds them along its batch axis (in a graph of
    /// fixed shapes: whole inputs, one behind the other along axis 0), each output likewise. Blocks of
    /// fixed size run in parallel, so that results are the same for any number of threads.
    ///
    /// # Errors
    /// [`RunError`] when an input does not fit.
    pub fn run(&self, products: &dyn Products, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        Ok(self.execute(products, inputs, 0)?.0)
    }

    /// As [`Self::run`] for a part of a larger set: the first inference has the number `first` in the whole,
    /// so that noise drawn by the numbers of vectors does not repeat from part to part.
    ///
    /// # Errors
    /// [`RunError`] when an input does not fit.
    pub fn run_from(
        &self,
        products: &dyn Products,
        inputs: &[Tensor],
        first: u64,
    ) -> Result<Vec<Tensor>, RunError> {
        Ok(self.execute(products, inputs, first)?.0)
    }

    /// As [`Self::run`], and the most bytes that any thread held for values and unfolded inputs.
    ///
    /// # Errors
    /// [`RunError`] when an input does not fit.
    pub fn run_measured(
        &self,
        products: &dyn Products,
        inputs: &[Tensor],
    ) -> Result<(Vec<Tensor>, usize), RunError> {
        self.execute(products, inputs, 0)
    }

    fn execute(
        &self,
        products: &dyn Products,
        inputs: &[Tensor],
        first: u64,
    ) -> Result<(Vec<Tensor>, usize), RunError> {
        let total = self.inferences(inputs)?;
        let block = self.block()?;
        let whole = Plan::new(self, if self.flow.open { block } else { 1 })?;
        let rest = match total % block {
            0 => None,
            rest => Some(Plan::new(self, rest)?),
        };
        let starts: Vec<usize> = (0..total).step_by(block).collect();
        let peak = AtomicUsize::new(0);
        let parts: Vec<Vec<Tensor>> = starts
            .par_iter()
            .map_init(Workspace::default, |workspace, &start| {
                let size = block.min(total - start);
                let plan = if size == block { &whole } else { rest.as_ref().unwrap_or(&whole) };
                let outputs = self.block_of(plan, products, inputs, (first, start, size), workspace);
                let held: usize = workspace.buffers.iter().map(|b| b.capacity() * size_of::<f32>()).sum();
                peak.fetch_max(held + workspace.scratch.bytes(), Ordering::Relaxed);
                outputs
            })
            .collect();
        let shapes = self.output_shapes(1)?;
        let mut outputs = Vec::with_capacity(self.outputs.len());
        for (index, (axis, shape)) in self.flow.output_axes.iter().zip(shapes).enumerate() {
            let parts: Vec<&Tensor> = parts.iter().map(|part| &part[index]).collect();
            let too_large = || RunError::Input {
                name: "all".into(),
                found: format!("{total} inferences"),
                expected: "a number whose outputs fit into memory".into(),
            };
            let joined = join(&parts, *axis, &shape).ok_or_else(too_large)?;
            outputs.push(joined);
        }
        Ok((outputs, peak.into_inner()))
    }

    /// Inferences per block and the memory of a block.
    ///
    /// # Errors
    /// [`GraphError`] when the shapes do not fit the size of a block.
    pub fn memory(&self) -> Result<Memory, GraphError> {
        let block = self.block()?;
        let values_bytes = Plan::new(self, block)?.bytes();
        let constants = |op: &Op| match op {
            Op::Constant(tensor) | Op::PRelu(tensor) => tensor.values().len(),
            _ => 0,
        };
        let values =
            self.layers.iter().map(|l| l.weights().len() + l.bias().map_or(0, <[f32]>::len)).sum::<usize>()
                + self.nodes.iter().map(|node| constants(&node.op)).sum::<usize>();
        Ok(Memory { block, values_bytes, weights_bytes: values * size_of::<f32>() })
    }

    /// Inferences in one block; it depends on the graph alone.
    fn block(&self) -> Result<usize, GraphError> {
        if !self.flow.open {
            return Ok(1);
        }
        let one = Plan::new(self, 1)?.bytes().max(1);
        let fitting = (BLOCK_BYTES / one).clamp(1, MOST_INFERENCES);
        // the largest power of two
        let block = 1 << fitting.ilog2();
        match Plan::new(self, block) {
            Ok(_) => Ok(block),
            Err(_) => Ok(1),
        }
    }

    /// Number of inferences that the inputs hold.
    fn inferences(&self, inputs: &[Tensor]) -> Result<usize, RunError> {
        if inputs.len() != self.inputs.len() {
            let names: Vec<&str> = self.inputs.iter().map(|input| input.name.as_str()).collect();
            return Err(RunError::Input {
                name: names.join("`, `"),
                found: format!("{} tensors", inputs.len()),
                expected: format!("{}", self.inputs.len()),
            });
        }
        let mut total = None;
        for ((input, tensor), &axis) in self.inputs.iter().zip(inputs).zip(&self.flow.input_axes) {
            let one = &self.flow.shapes[&input.name];
            let shape = tensor.shape();
            let fits = shape.len() == one.len()
                && one.iter().zip(shape).enumerate().all(|(at, (a, b))| at == axis || a == b)
                && shape[axis].is_multiple_of(one[axis]);
            let number = if fits { shape[axis] / one[axis] } else { 0 };
            if !fits || total.is_some_and(|total| total != number) {
                return Err(RunError::Input {
                    name: input.name.clone(),
                    found: format!("the shape {shape:?}"),
                    expected: match total {
                        Some(total) if fits => format!("{total} inferences, as in the first input"),
                        _ => format!("{one:?}, any number of them along axis {axis}"),
                    },
                });
            }
            if let Some(at) = tensor.values().iter().position(|value| value.is_nan()) {
                return Err(RunError::Input {
                    name: input.name.clone(),
                    found: format!("value {at} that is no number"),
                    expected: "numbers".into(),
                });
            }
            total = Some(number);
        }
        Ok(total.unwrap_or(0))
    }

    /// Inferences `start..start + size` on the calling thread; the first of all has the number `first`.
    fn block_of(
        &self,
        plan: &Plan,
        products: &dyn Products,
        inputs: &[Tensor],
        (first, start, size): (u64, usize, usize),
        workspace: &mut Workspace,
    ) -> Vec<Tensor> {
        let Workspace { buffers, inputs: parts, scratch } = workspace;
        buffers.resize(buffers.len().max(plan.buffers.len()), Vec::new());
        parts.resize(inputs.len(), Vec::new());
        for (((part, input), &axis), spec) in
            parts.iter_mut().zip(inputs).zip(&self.flow.input_axes).zip(&self.inputs)
        {
            let one = self.flow.shapes[&spec.name][axis];
            cut(input, axis, start * one, size * one, part);
        }
        for step in &plan.steps {
            let mut taken: Vec<Vec<f32>> =
                step.targets.iter().map(|target| take(&mut buffers[target.buffer])).collect();
            for (values, target) in taken.iter_mut().zip(&step.targets) {
                let length = target.shape.iter().product();
                values.resize(values.len().max(length), 0.0);
            }
            let operands: Vec<Option<Read<'_>>> = step
                .operands
                .iter()
                .enumerate()
                .map(|(index, operand)| {
                    let operand = operand.as_ref()?;
                    (index > 0 || !step.in_place).then(|| read(operand, buffers, parts))
                })
                .collect();
            let mut targets: Vec<Write<'_>> = taken
                .iter_mut()
                .zip(&step.targets)
                .map(|(values, target)| {
                    let length = target.shape.iter().product();
                    Write { shape: &target.shape, values: &mut values[..length] }
                })
                .collect();
            let node = &self.nodes[step.node];
            let layers = &self.layers[step.layer..];
            let own = layers.iter().take_while(|layer| layer.node() == step.node).count();
            let matrices = Matrices { layers: &layers[..own], products, inference: first + start as u64 };
            kernels::execute(
                &node.op,
                &operands,
                step.in_place,
                &mut targets,
                step.activation,
                matrices,
                scratch,
            );
            for (values, target) in taken.into_iter().zip(&step.targets) {
                buffers[target.buffer] = values;
            }
        }
        plan.outputs
            .iter()
            .filter_map(|output| {
                let read = read(output, buffers, parts);
                Tensor::new(read.shape.to_vec(), read.values.to_vec())
            })
            .collect()
    }
}

fn read<'a>(operand: &'a Operand, buffers: &'a [Vec<f32>], inputs: &'a [Vec<f32>]) -> Read<'a> {
    let length = operand.shape.iter().product();
    let values = match &operand.source {
        Source::Input(index) => &inputs[*index],
        Source::Constant(tensor) => tensor.values(),
        Source::Buffer(index) => &buffers[*index],
    };
    Read { shape: &operand.shape, values: &values[..length] }
}

/// Copies a range of an axis.
fn cut(tensor: &Tensor, axis: usize, start: usize, length: usize, out: &mut Vec<f32>) {
    let inner: usize = tensor.shape()[axis + 1..].iter().product();
    let line = tensor.shape()[axis] * inner;
    out.clear();
    if line > 0 {
        for outer in tensor.values().chunks_exact(line) {
            out.extend_from_slice(&outer[start * inner..(start + length) * inner]);
        }
    }
}

/// Joins parts along an axis; `one` is the shape of one inference.
fn join(parts: &[&Tensor], axis: usize, one: &[usize]) -> Option<Tensor> {
    let mut shape = one.to_vec();
    shape[axis] = parts.iter().map(|part| part.shape()[axis]).sum();
    let mut values = Vec::with_capacity(count(&shape)?);
    let outer: usize = shape[..axis].iter().product();
    for index in 0..outer {
        for part in parts {
            let line: usize = part.shape()[axis..].iter().product();
            values.extend_from_slice(&part.values()[index * line..(index + 1) * line]);
        }
    }
    Tensor::new(shape, values)
}
