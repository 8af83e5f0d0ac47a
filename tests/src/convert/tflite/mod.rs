//! Networks from TensorFlow Lite: the operators that the image and keyword networks of MLPerf Tiny and of
//! the MobileNets have.
//!
//! Quantised networks are read in real numbers: weights from their integers, and activations with the
//! range of their integers as a limit, since networks are trained to be limited there. Rounding of
//! activations is left to the converters of arrays. Images are channels first here, channels last there.

mod flat;
mod tensors;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use mho_data::InputError;
use mho_network::graph::Graph;
use mho_network::graph::op::{
    Activation, Dense, Length, Op, Pad, PadWith, Padding, Pool, PoolKind, Reduce, ReduceKind, Sliding,
};
use mho_network::graph::tensor::Tensor;

use super::{Form, Sketch};
use flat::Flat;
pub use tensors::Quantisation;
use tensors::Stored;

/// A network with what its file says about its input.
pub struct Converted {
    /// The network.
    pub graph: Graph,
    /// How stored inputs become those of the graph; `None` for a network of floats.
    pub input: Option<Quantisation>,
}

/// Converts a file.
///
/// # Errors
/// [`InputError`] for a damaged file or an operator that is not converted, by its number in the schema.
pub fn read(path: &Path) -> Result<Converted, InputError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| InputError::new(file.as_str(), error.to_string(), "a readable file"))?;
    convert(&bytes, &file)
}

/// Converts the bytes of a file that messages call `file`.
///
/// # Errors
/// As [`read`].
pub fn convert(bytes: &[u8], file: &str) -> Result<Converted, InputError> {
    let damaged = || InputError::new(file, "other bytes than a network's", "a whole .tflite file");
    if bytes.get(4..8) != Some(b"TFL3") {
        return Err(damaged());
    }
    let model = Flat::root(bytes).ok_or_else(damaged)?;
    let codes: Vec<i32> = model
        .list(1)
        .tables()
        .iter()
        // the old field of one byte, and the new one: the larger counts
        .map(|code| i32::from(code.byte(0)).max(code.int(3, 0)))
        .collect();
    let main = model.list(2).tables().first().copied().ok_or_else(damaged)?;
    let buffers = model.list(4).tables();
    let stored: Vec<Stored<'_>> =
        main.list(0).tables().into_iter().map(|tensor| Stored::new(tensor, &buffers)).collect();
    let (inputs, outputs) = (main.list(1).ints(), main.list(2).ints());
    let (&[input], &[output]) = (inputs.as_slice(), outputs.as_slice()) else { return Err(damaged()) };
    let at = |index: i32| usize::try_from(index).ok().filter(|&i| i < stored.len());
    let (input, output) = at(input).zip(at(output)).ok_or_else(damaged)?;

    let mut state = State {
        file,
        stored: &stored,
        sketch: Sketch::default(),
        values: HashMap::new(),
        folded: HashMap::new(),
    };
    state.values.insert(input, "input".to_owned());
    for (number, operator) in main.list(3).tables().into_iter().enumerate() {
        let code = codes.get(operator.count(0, 0)).copied().ok_or_else(damaged)?;
        let indices = |list: usize| operator.list(list).ints().into_iter().map(at).collect();
        let step = Step { number, inputs: indices(1), outputs: indices(2), options: operator.table(4) };
        state.operator(code, &step)?;
    }
    let result = state.values.get(&output).cloned().ok_or_else(damaged)?;
    let shape: Vec<usize> = match *stored[input].shape.as_slice() {
        [_, rows, columns, channels] => vec![channels, rows, columns],
        [_, ref rest @ ..] => rest.to_vec(),
        [] => return Err(damaged()),
    };
    let graph = state.sketch.finish(file, ("input", &shape), &result)?;
    Ok(Converted { graph, input: stored[input].quantisation().map(|(quantisation, _)| quantisation) })
}

/// One operator.
struct Step<'a> {
    number: usize,
    inputs: Vec<Option<usize>>,
    outputs: Vec<Option<usize>>,
    options: Option<Flat<'a>>,
}

impl Step<'_> {
    fn count(&self, field: usize, default: usize) -> usize {
        self.options.map_or(default, |options| options.count(field, default))
    }

    fn byte(&self, field: usize) -> u8 {
        self.options.map_or(0, |options| options.byte(field))
    }

    /// `Padding` of the schema.
    fn padding(&self) -> Padding {
        if self.byte(0) == 0 { Padding::SameUpper } else { Padding::Explicit(0, 0) }
    }
}

struct State<'a> {
    file: &'a str,
    stored: &'a [Stored<'a>],
    sketch: Sketch,
    /// Names of the values by tensor.
    values: HashMap<usize, String>,
    /// Constants that the graph of the file computes from others.
    folded: HashMap<usize, usize>,
}

impl State<'_> {
    fn wrong(&self, step: &Step<'_>, found: impl std::fmt::Display, expected: &str) -> InputError {
        InputError::new(self.file, format!("operator {}: {found}", step.number), expected)
    }

    fn input(&self, step: &Step<'_>, number: usize) -> Result<usize, InputError> {
        let found = step.inputs.get(number).copied().flatten();
        let index = found.ok_or_else(|| self.wrong(step, format!("no input {number}"), "one"))?;
        Ok(self.folded.get(&index).copied().unwrap_or(index))
    }

    fn value(&self, step: &Step<'_>, number: usize) -> Result<String, InputError> {
        let index = self.input(step, number)?;
        self.values.get(&index).cloned().ok_or_else(|| {
            self.wrong(step, format!("input {number}, which nothing computes"), "a value from before")
        })
    }

    fn constant(&self, step: &Step<'_>, number: usize) -> Result<Tensor, InputError> {
        let stored = &self.stored[self.input(step, number)?];
        if !stored.is_constant() {
            return Err(self.wrong(step, format!("input {number}, which is computed"), "a constant"));
        }
        stored.real(self.file)
    }

    fn integers(&self, step: &Step<'_>, number: usize) -> Result<Vec<i64>, InputError> {
        let stored = &self.stored[self.input(step, number)?];
        stored.integers().ok_or_else(|| self.wrong(step, format!("input {number}"), "constant integers"))
    }

    fn output(&self, step: &Step<'_>) -> Result<usize, InputError> {
        let found = step.outputs.first().copied().flatten();
        found.ok_or_else(|| self.wrong(step, "no output", "one"))
    }

    /// Limits what a layer returns: by its activation, and by the range of its integers.
    fn limited(&mut self, step: &Step<'_>, activation: u8, value: String) -> Result<(), InputError> {
        let output = self.output(step)?;
        let range = self.stored[output].quantisation().map(|(_, range)| range);
        let [low, high] = range.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
        let limits = match activation {
            0 => (low, high),
            1 => (low.max(0.0), high),
            2 => (low.max(-1.0), high.min(1.0)),
            3 => (low.max(0.0), high.min(6.0)),
            other => return Err(self.wrong(step, format!("activation {other}"), "none, ReLU or ReLU6")),
        };
        let activation = match limits {
            (f32::NEG_INFINITY, f32::INFINITY) => None,
            (0.0, f32::INFINITY) => Some(Activation::Relu),
            (min, max) => Some(Activation::Clip { min, max }),
        };
        let value = match activation {
            None => value,
            Some(activation) => self.sketch.activation(&format!("a{}", step.number), activation, &value),
        };
        self.values.insert(output, value);
        Ok(())
    }

    fn operator(&mut self, code: i32, step: &Step<'_>) -> Result<(), InputError> {
        let name = |kind: &str| format!("{kind}{}", step.number);
        match code {
            0 => {
                let (a, b) = (self.value(step, 0)?, self.value(step, 1)?);
                let sum = self.sketch.add(&name("add"), &a, &b);
                self.limited(step, step.byte(0), sum)
            }
            1 | 17 => {
                let kind = if code == 1 { PoolKind::Average } else { PoolKind::Max };
                let sliding = Sliding {
                    kernel: [step.count(4, 1), step.count(3, 1)],
                    stride: [step.count(2, 1), step.count(1, 1)],
                    dilation: [1; 2],
                    padding: [step.padding(); 2],
                };
                let x = self.value(step, 0)?;
                let pool = Op::Pool(Pool { kind, sliding, ceil_mode: false });
                let y = self.sketch.node(&name("pool"), pool, &[&x]);
                self.limited(step, step.byte(5), y)
            }
            3 => self.convolution(step),
            4 => self.depthwise(step),
            // values between integers and floats
            6 | 114 => {
                let (from, to) = (self.input(step, 0)?, self.output(step)?);
                if let Some(value) = self.values.get(&from).cloned() {
                    self.values.insert(to, value);
                } else {
                    self.folded.insert(to, from);
                }
                Ok(())
            }
            9 => {
                let x = self.value(step, 0)?;
                let weights = Arc::new(self.constant(step, 1)?);
                let given = step.inputs.get(2).copied().flatten().is_some();
                let bias = given.then(|| self.constant(step, 2)).transpose()?.map(Arc::new);
                let y = self.sketch.node(&name("dense"), Op::Dense(Dense { weights, bias }), &[&x]);
                self.limited(step, step.byte(0), y)
            }
            19 | 21 => {
                let x = self.value(step, 0)?;
                self.limited(step, if code == 19 { 1 } else { 3 }, x)
            }
            22 => self.reshape(step),
            25 => {
                let x = self.value(step, 0)?;
                let y = self.sketch.node(&name("softmax"), Op::Softmax { axis: 1, log: false }, &[&x]);
                let output = self.output(step)?;
                self.values.insert(output, y);
                Ok(())
            }
            34 => {
                let x = self.value(step, 0)?;
                let amounts = self.integers(step, 1)?;
                let pairs = amounts.as_chunks::<2>().0;
                let &[n, rows, columns, channels] = pairs else {
                    return Err(self.wrong(step, "padding of other axes", "four axes"));
                };
                let size =
                    |[a, b]: [i64; 2]| (usize::try_from(a).unwrap_or(0), usize::try_from(b).unwrap_or(0));
                let amounts = [n, channels, rows, columns].map(size).to_vec();
                let pad = Op::Pad(Pad { amounts, with: PadWith::Value(0.0) });
                let y = self.sketch.node(&name("pad"), pad, &[&x]);
                self.limited(step, 0, y)
            }
            40 => {
                let x = self.value(step, 0)?;
                let axes = self.integers(step, 1)?;
                if axes != [1, 2] {
                    return Err(self.wrong(
                        step,
                        format!("a mean over the axes {axes:?}"),
                        "rows and columns",
                    ));
                }
                let keep = step.byte(0) != 0;
                let mean = Op::Reduce(Reduce { kind: ReduceKind::Mean, axes: vec![2, 3], keep });
                let y = self.sketch.node(&name("mean"), mean, &[&x]);
                self.limited(step, 0, y)
            }
            other => Err(self.wrong(
                step,
                format!("builtin operator {other}"),
                "convolution, matrix, pooling, addition, padding, mean, reshape, softmax",
            )),
        }
    }

    fn form(&self, step: &Step<'_>, dilation: [usize; 2]) -> Result<Form, InputError> {
        let given = step.inputs.get(2).copied().flatten().is_some();
        let bias = given.then(|| self.constant(step, 2)).transpose()?;
        let stride = [step.count(2, 1), step.count(1, 1)];
        Ok(Form { bias, groups: 1, stride, dilation, padding: [step.padding(); 2] })
    }

    fn convolution(&mut self, step: &Step<'_>) -> Result<(), InputError> {
        let x = self.value(step, 0)?;
        let weights = permuted(&self.constant(step, 1)?, [0, 3, 1, 2])
            .ok_or_else(|| self.wrong(step, "weights of other axes", "four axes"))?;
        let form = self.form(step, [step.count(5, 1), step.count(4, 1)])?;
        let y = self.sketch.conv(&format!("conv{}", step.number), weights, &form, &x);
        self.limited(step, step.byte(3), y)
    }

    fn depthwise(&mut self, step: &Step<'_>) -> Result<(), InputError> {
        let x = self.value(step, 0)?;
        let weights = permuted(&self.constant(step, 1)?, [3, 0, 1, 2])
            .ok_or_else(|| self.wrong(step, "weights of other axes", "four axes"))?;
        let groups = weights.shape()[0] / step.count(3, 1).max(1);
        let form = Form { groups, ..self.form(step, [step.count(6, 1), step.count(5, 1)])? };
        let y = self.sketch.conv(&format!("depthwise{}", step.number), weights, &form, &x);
        self.limited(step, step.byte(4), y)
    }

    fn reshape(&mut self, step: &Step<'_>) -> Result<(), InputError> {
        let (input, output) = (self.input(step, 0)?, self.output(step)?);
        let mut x = self.value(step, 0)?;
        // channels last there: their order of values is restored around the reshape
        let name = |kind: &str| format!("{kind}{}", step.number);
        if matches!(*self.stored[input].shape.as_slice(), [_, r, c, n] if r * c > 1 && n > 1) {
            x = self.sketch.node(&name("last"), Op::Transpose { order: vec![0, 2, 3, 1] }, &[&x]);
        }
        let shape = std::iter::once(Length::Batch(1))
            .chain(self.stored[output].shape.iter().skip(1).map(|&n| Length::Fixed(n)))
            .collect();
        x = self.sketch.node(&name("reshape"), Op::Reshape { shape }, &[&x]);
        if self.stored[output].shape.len() == 4 {
            x = self.sketch.node(&name("first"), Op::Transpose { order: vec![0, 3, 1, 2] }, &[&x]);
        }
        self.values.insert(output, x);
        Ok(())
    }
}

/// A tensor of four axes with axis i taken from `order[i]`.
fn permuted(tensor: &Tensor, order: [usize; 4]) -> Option<Tensor> {
    let shape: [usize; 4] = tensor.shape().try_into().ok()?;
    let mut strides = [1; 4];
    for axis in (0..3).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1];
    }
    let (shape, strides) = (order.map(|axis| shape[axis]), order.map(|axis| strides[axis]));
    let mut values = Vec::with_capacity(tensor.values().len());
    for i in 0..shape[0] {
        for j in 0..shape[1] {
            for k in 0..shape[2] {
                let row = i * strides[0] + j * strides[1] + k * strides[2];
                values.extend((0..shape[3]).map(|l| tensor.values()[row + l * strides[3]]));
            }
        }
    }
    Tensor::new(shape.to_vec(), values)
}
