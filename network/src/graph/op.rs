//! Operations of a graph, with everything that is constant at inference resolved into them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::tensor::Tensor;

/// One operation. Shapes are given without further ado as in ONNX: batch, channels, rows, columns for
/// images; the axes of attributes count from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A constant; no inputs.
    Constant(Arc<Tensor>),
    /// Convolution in one or two dimensions, in groups.
    Conv(Conv),
    /// Weights times the last axis, plus bias.
    Dense(Dense),
    /// Scale and shift of each channel (axis 1): a batch normalisation that no layer could take in.
    Affine(Affine),
    /// A function of one value.
    Activation(Activation),
    /// x where x >= 0, else slope x, the slope broadcast.
    PRelu(Arc<Tensor>),
    /// Maximum or mean over windows.
    Pool(Pool),
    /// Mean, sum or maximum over whole axes.
    Reduce(Reduce),
    /// A function of two values, broadcast.
    Binary(Binary),
    /// Joins any number of tensors along an axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// Softmax along an axis.
    Softmax {
        /// The axis.
        axis: usize,
        /// Whether the logarithm is returned.
        log: bool,
    },
    /// Output axis i is input axis `order[i]`.
    Transpose {
        /// A permutation of the axes.
        order: Vec<usize>,
    },
    /// The same values under another shape.
    Reshape {
        /// Length of each axis.
        shape: Vec<Length>,
    },
    /// Values before and after each axis.
    Pad(Pad),
    /// A regular part of each axis.
    Slice {
        /// One entry per axis.
        axes: Vec<AxisSlice>,
    },
    /// RNN, LSTM or GRU over a sequence; outputs: all hidden states, the last, the last cell state.
    Recurrent(Box<Recurrent>),
}

/// Length of an axis of a reshaped tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Length {
    /// A fixed number.
    Fixed(usize),
    /// The batch size times a number.
    Batch(usize),
    /// What remains; at most one axis.
    Rest,
}

/// Geometry of a sliding window over rows and columns; one dimension is a single row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sliding {
    /// Taps along (rows, columns).
    pub kernel: [usize; 2],
    /// Steps between windows (in files 1 where left out).
    #[serde(default = "each")]
    pub stride: [usize; 2],
    /// Distance between taps (in files 1 where left out).
    #[serde(default = "each")]
    pub dilation: [usize; 2],
    /// Padding before and after (in files none where left out).
    #[serde(default = "unpadded")]
    pub padding: [Padding; 2],
}

fn each() -> [usize; 2] {
    [1, 1]
}

fn unpadded() -> [Padding; 2] {
    [Padding::Explicit(0, 0); 2]
}

/// Padding of one axis of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// So many before and after.
    Explicit(usize, usize),
    /// As many as give ceil(length / stride) windows; the odd one after.
    SameUpper,
    /// The same, the odd one before.
    SameLower,
}

/// A convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Weights: outputs x (inputs / groups) x taps.
    pub weights: Arc<Tensor>,
    /// One per output.
    pub bias: Option<Arc<Tensor>>,
    /// Number of groups, each its own matrix.
    pub groups: usize,
    /// Geometry.
    pub sliding: Sliding,
}

/// A matrix with bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Weights: outputs x inputs.
    pub weights: Arc<Tensor>,
    /// One per output.
    pub bias: Option<Arc<Tensor>>,
}

/// Scale and shift of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// One per channel.
    pub scale: Arc<Tensor>,
    /// One per channel.
    pub shift: Arc<Tensor>,
}

/// Functions of one value; formulas as in the ONNX standard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x limited to a range; ReLU6 is 0 to 6.
    Clip {
        /// Lower limit.
        min: f32,
        /// Upper limit.
        max: f32,
    },
    /// x, or slope x below zero.
    LeakyRelu {
        /// Slope below zero.
        slope: f32,
    },
    /// x, or alpha (exp x - 1) below zero.
    Elu {
        /// alpha.
        alpha: f32,
    },
    /// gamma x, or gamma alpha (exp x - 1) below zero.
    Selu {
        /// alpha.
        alpha: f32,
        /// gamma.
        gamma: f32,
    },
    /// 1 / (1 + exp -x).
    Sigmoid,
    /// max(0, min(1, alpha x + beta)).
    HardSigmoid {
        /// alpha.
        alpha: f32,
        /// beta.
        beta: f32,
    },
    /// x max(0, min(1, x/6 + 1/2)).
    HardSwish,
    /// x / (1 + exp -x), also called swish.
    Silu,
    /// tanh x.
    Tanh,
    /// ln(1 + exp x).
    Softplus,
    /// x / (1 + |x|).
    Softsign,
    /// x/2 (1 + erf(x / sqrt 2)).
    Gelu,
    /// The approximation x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
    GeluTanh,
    /// erf x.
    Erf,
    /// exp x.
    Exp,
    /// ln x.
    Log,
    /// sqrt x.
    Sqrt,
    /// 1 / x.
    Reciprocal,
    /// |x|.
    Abs,
    /// -x.
    Neg,
}

/// Kinds of pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// The largest value under the window.
    Max,
    /// The mean of the values under the window.
    Average,
    /// The mean with padding counted as zeros.
    AveragePadded,
}

/// Pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Maximum or mean.
    pub kind: PoolKind,
    /// Geometry.
    pub sliding: Sliding,
    /// Whether a last window that leaves the padded image counts.
    #[serde(default)]
    pub ceil_mode: bool,
}

/// Kinds of reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReduceKind {
    /// Mean.
    Mean,
    /// Sum.
    Sum,
    /// Maximum.
    Max,
}

/// A reduction over whole axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduce {
    /// Mean, sum or maximum.
    pub kind: ReduceKind,
    /// Axes, ascending.
    pub axes: Vec<usize>,
    /// Whether the axes remain with length 1.
    #[serde(default)]
    pub keep: bool,
}

/// Functions of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binary {
    /// a + b.
    Add,
    /// a - b.
    Sub,
    /// a b.
    Mul,
    /// a / b.
    Div,
    /// a to the power of b.
    Pow,
    /// The larger.
    Max,
    /// The smaller.
    Min,
}

/// What padding holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PadWith {
    /// A value.
    Value(f32),
    /// The tensor mirrored at its border, the border not repeated.
    Reflect,
    /// The border repeated.
    Edge,
}

/// Padding of a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pad {
    /// (before, after) of each axis.
    pub amounts: Vec<(usize, usize)>,
    /// What it holds.
    pub with: PadWith,
}

/// Part of an axis; as long as `count` is `None` the whole axis, whatever its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxisSlice {
    /// First index.
    pub start: usize,
    /// Step, possibly backwards.
    pub step: isize,
    /// Number of indices; `None` for a whole axis, which then starts at 0 with step 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

impl AxisSlice {
    /// The whole axis.
    pub const WHOLE: Self = Self { start: 0, step: 1, count: None };
}

/// Kinds of recurrent cells, with the order of their gates in the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// tanh of the sum.
    Rnn,
    /// ReLU of the sum.
    RnnRelu,
    /// Input, output, forget, cell.
    Lstm,
    /// Update, reset, hidden; the reset gate before the product.
    Gru,
    /// Update, reset, hidden; the reset gate after the product and its bias (`linear_before_reset`).
    GruLinearBeforeReset,
}

impl Cell {
    /// Number of gates.
    pub fn gates(self) -> usize {
        match self {
            Self::Rnn | Self::RnnRelu => 1,
            Self::Lstm => 4,
            Self::Gru | Self::GruLinearBeforeReset => 3,
        }
    }
}

/// Order in which a sequence is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the first step to the last.
    Forward,
    /// From the last step to the first.
    Reverse,
    /// Both, each with its own weights.
    Bidirectional,
}

impl Direction {
    /// Number of passes.
    pub fn passes(self) -> usize {
        if self == Self::Bidirectional { 2 } else { 1 }
    }
}

/// A recurrent layer. Inputs: sequence (steps x batch x inputs), and, where present, the initial hidden
/// state and the initial cell state (passes x batch x hidden); absent ones are zero. Outputs: all hidden
/// states (steps x passes x batch x hidden), the last hidden state, the last cell state (LSTM).
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrent {
    /// Kind of cell.
    pub cell: Cell,
    /// Order of the sequence.
    pub direction: Direction,
    /// Number of hidden values.
    pub hidden: usize,
    /// Weights of the inputs: passes x (gates hidden) x inputs.
    pub input_weights: Arc<Tensor>,
    /// Weights of the hidden state: passes x (gates hidden) x hidden.
    pub hidden_weights: Arc<Tensor>,
    /// Biases of both: passes x (2 gates hidden).
    pub bias: Option<Arc<Tensor>>,
    /// Peepholes of an LSTM: passes x (3 hidden), in the order input, output, forget.
    pub peepholes: Option<Arc<Tensor>>,
}

impl Op {
    /// Its name in messages: that of the ONNX operator that it stems from.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constant(_) => "Constant",
            Self::Conv(_) => "Conv",
            Self::Dense(_) => "Gemm",
            Self::Affine(_) => "BatchNormalization",
            Self::Activation(activation) => activation.name(),
            Self::PRelu(_) => "PRelu",
            Self::Pool(Pool { kind: PoolKind::Max, .. }) => "MaxPool",
            Self::Pool(_) => "AveragePool",
            Self::Reduce(Reduce { kind: ReduceKind::Mean, .. }) => "ReduceMean",
            Self::Reduce(Reduce { kind: ReduceKind::Sum, .. }) => "ReduceSum",
            Self::Reduce(Reduce { kind: ReduceKind::Max, .. }) => "ReduceMax",
            Self::Binary(Binary::Add) => "Add",
            Self::Binary(Binary::Sub) => "Sub",
            Self::Binary(Binary::Mul) => "Mul",
            Self::Binary(Binary::Div) => "Div",
            Self::Binary(Binary::Pow) => "Pow",
            Self::Binary(Binary::Max) => "Max",
            Self::Binary(Binary::Min) => "Min",
            Self::Concat { .. } => "Concat",
            Self::Softmax { log: false, .. } => "Softmax",
            Self::Softmax { log: true, .. } => "LogSoftmax",
            Self::Transpose { .. } => "Transpose",
            Self::Reshape { .. } => "Reshape",
            Self::Pad(_) => "Pad",
            Self::Slice { .. } => "Slice",
            Self::Recurrent(recurrent) => match recurrent.cell {
                Cell::Rnn | Cell::RnnRelu => "RNN",
                Cell::Lstm => "LSTM",
                Cell::Gru | Cell::GruLinearBeforeReset => "GRU",
            },
        }
    }
}

impl Activation {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "Relu",
            Self::Clip { .. } => "Clip",
            Self::LeakyRelu { .. } => "LeakyRelu",
            Self::Elu { .. } => "Elu",
            Self::Selu { .. } => "Selu",
            Self::Sigmoid => "Sigmoid",
            Self::HardSigmoid { .. } => "HardSigmoid",
            Self::HardSwish => "HardSwish",
            Self::Silu => "Swish",
            Self::Tanh => "Tanh",
            Self::Softplus => "Softplus",
            Self::Softsign => "Softsign",
            Self::Gelu | Self::GeluTanh => "Gelu",
            Self::Erf => "Erf",
            Self::Exp => "Exp",
            Self::Log => "Log",
            Self::Sqrt => "Sqrt",
            Self::Reciprocal => "Reciprocal",
            Self::Abs => "Abs",
            Self::Neg => "Neg",
        }
    }
}
