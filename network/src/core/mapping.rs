//! From a matrix of weights to target conductances of arrays.

use std::ops::Range;

use super::circuit::Circuit;
use super::curves::Curves;
use super::encoding::Encoding;
use super::scales::Scales;
use super::spec::{CoreError, CoreSpec, Split};
use crate::array::MappingStyle;

/// Target conductances of all arrays of a core. Whoever programs them with an error, drifts or wears
/// them changes [`Array::conductances`], and gives the mapping to [`super::Core::new`].
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    pub(super) spec: CoreSpec,
    pub(super) encoding: Encoding,
    /// Columns of the matrix of weights.
    pub inputs: usize,
    /// Rows of the matrix of weights.
    pub outputs: usize,
    /// |weight| that takes the full conductance; with a scale of their own for columns, the largest of theirs.
    pub weight_max: f64,
    /// |weight| that takes the full conductance of each output over `weight_max`, with which its product is
    /// multiplied digitally; empty where all outputs have the same.
    pub columns: Vec<f64>,
    /// Weights beyond what takes the full conductance, which were clipped.
    pub clipped: usize,
    /// Rows of cells at the end of the inputs that add biases.
    pub bias: Option<BiasRows>,
    /// Ends between which each output's product counts: beyond one, all of them are as good as that one, as
    /// before an activation that clips. Empty where all of them count.
    pub kept: Vec<[f64; 2]>,
    /// The arrays: by input tile, output tile, slice, sign, copy.
    pub arrays: Vec<Array>,
    /// Wires of arrays that are solved for each vector of inputs: gated ones, and those of curved cells.
    pub circuit: Option<Circuit>,
    /// Currents of cells at other inputs than the full one; without, they are proportional to the input.
    pub curves: Option<Curves>,
}

/// Rows of cells that add biases: each output's is spread over them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BiasRows {
    /// Rows.
    pub rows: usize,
    /// Their input, in the units of all inputs.
    pub input: f64,
    /// Input of the last of them, which may hold what rounding to levels leaves.
    pub last: f64,
}

impl BiasRows {
    /// Inputs of all of them.
    pub fn inputs(&self) -> impl Iterator<Item = f64> + use<> {
        let Self { rows, input, last } = *self;
        (1..=rows).map(move |row| if row == rows { last } else { input })
    }
}

/// One array.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Inputs that drive its rows.
    pub inputs: Range<usize>,
    /// Outputs that its columns belong to.
    pub outputs: Range<usize>,
    /// Slice of the weights' bits, 0 the lowest.
    pub slice: usize,
    /// Sign with which its currents count.
    pub sign: Sign,
    /// Number among the equal arrays of `cells_per_weight`.
    pub copy: usize,
    /// Number of its first cell among all of the matrix.
    pub first: usize,
    /// Conductances in units of the largest, columns x rows (one column's cells lie together); with a
    /// reference column, that one is last.
    pub conductances: Vec<f64>,
    /// Standard deviation of every conductance from read to read, in the same order; empty for none.
    pub noise: Vec<f64>,
}

/// Sign with which an array's currents count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Added.
    Positive,
    /// Subtracted: the other cells of pairs.
    Negative,
}

impl Mapping {
    /// Maps `weights` (`outputs` x `inputs`, one output's weights together).
    ///
    /// # Errors
    /// [`CoreError`] when the specification makes no sense, or `weights` has another size or holds a
    /// number that is not finite.
    pub fn new(weights: &[f64], outputs: usize, inputs: usize, spec: &CoreSpec) -> Result<Self, CoreError> {
        spec.check()?;
        let expected = outputs.saturating_mul(inputs);
        if weights.len() != expected {
            return Err(CoreError::Size { what: "weights", found: weights.len(), expected });
        }
        if let Some(index) = weights.iter().position(|w| !w.is_finite()) {
            return Err(CoreError::NotFinite { what: "weight", index });
        }
        let scales = Scales::of(weights, outputs, spec, &[]);
        let encoding = Encoding::new(spec);
        let signs: &[Sign] =
            if encoding.is_pair() { &[Sign::Positive, Sign::Negative] } else { &[Sign::Positive] };
        let mut arrays = Vec::new();
        let mut count = 0;
        for rows in tiles(inputs, spec.rows, spec.split) {
            for columns in tiles(outputs, spec.columns, spec.split) {
                for slice in 0..spec.slices {
                    for &sign in signs {
                        let cell = |w: f64| {
                            let fractions = encoding.fractions(w, slice);
                            encoding.conductance(fractions[usize::from(sign == Sign::Negative)])
                        };
                        let column = |j: usize| {
                            let max = scales.of_output(j);
                            let part =
                                move |&w: &f64| if max > 0.0 { (w / max).clamp(-1.0, 1.0) } else { 0.0 };
                            weights[j * inputs + rows.start..j * inputs + rows.end].iter().map(part)
                        };
                        let mut conductances: Vec<f64> = columns.clone().flat_map(column).map(cell).collect();
                        if encoding.has_reference() {
                            let reference = encoding.conductance(encoding.reference(slice));
                            conductances.extend(rows.clone().map(|_| reference));
                        }
                        let copies = std::iter::repeat_n(conductances, spec.cells_per_weight);
                        for (copy, conductances) in copies.enumerate() {
                            let (inputs, outputs) = (rows.clone(), columns.clone());
                            let (first, noise) = (count, Vec::new());
                            count += conductances.len();
                            arrays.push(Array {
                                inputs,
                                outputs,
                                slice,
                                sign,
                                copy,
                                first,
                                conductances,
                                noise,
                            });
                        }
                    }
                }
            }
        }
        let clipped = scales.clipped(weights, outputs);
        Ok(Self { arrays, clipped, ..Self::frame(spec, (outputs, inputs), scales) })
    }

    /// Without arrays.
    pub(super) fn frame(spec: &CoreSpec, (outputs, inputs): (usize, usize), scales: Scales) -> Self {
        Self {
            spec: spec.clone(),
            encoding: Encoding::new(spec),
            inputs,
            outputs,
            weight_max: scales.most,
            columns: scales.columns,
            clipped: 0,
            bias: None,
            kept: Vec::new(),
            arrays: Vec::new(),
            circuit: None,
            curves: None,
        }
    }

    /// The specification that it follows.
    pub fn spec(&self) -> &CoreSpec {
        &self.spec
    }

    /// Whether conductances change from read to read.
    pub fn is_noisy(&self) -> bool {
        self.arrays.iter().any(|array| !array.noise.is_empty())
    }

    /// The weights that the conductances stand for, outputs x inputs.
    pub fn read_back(&self) -> Vec<f64> {
        let mut weights = vec![-self.weight_max * self.encoding.offset(); self.outputs * self.inputs];
        let share = self.weight_max / self.spec.cells_per_weight as f64;
        for array in &self.arrays {
            let factor = self.encoding.factor(array.slice) * share;
            let factor = if array.sign == Sign::Negative { -factor } else { factor };
            let rows = array.inputs.len();
            let (columns, reference) = array.columns(&self.encoding);
            for (j, column) in array.outputs.clone().zip(columns.chunks_exact(rows.max(1))) {
                let line = &mut weights[j * self.inputs..][array.inputs.clone()];
                for (i, weight) in line.iter_mut().enumerate() {
                    *weight += factor * (column[i] - reference.map_or(0.0, |cells| cells[i]));
                }
            }
        }
        for (row, part) in weights.chunks_exact_mut(self.inputs.max(1)).zip(&self.columns) {
            row.iter_mut().for_each(|weight| *weight *= part);
        }
        weights
    }
}

impl Mapping {
    /// The same cells driven from their columns and read at their rows: products with the transposed
    /// matrix, as training needs them. A reference column has no partner in that direction; its offset
    /// is taken off digitally.
    ///
    /// # Errors
    /// [`CoreError::Spec`] where columns have scales of their own, which would differ within every sum, or where
    /// cells add biases.
    pub fn transposed(&self) -> Result<Self, CoreError> {
        if !self.columns.is_empty() || self.bias.is_some() {
            let (key, found) = if self.columns.is_empty() { ("bias", "array") } else { ("scale", "column") };
            let expected = "a layer's scale and digital biases for products with the transposed matrix";
            return Err(CoreError::Spec { key, found: found.into(), expected });
        }
        let mut spec = self.spec.clone();
        (spec.rows, spec.columns) = (spec.columns, spec.rows);
        if spec.style == MappingStyle::OffsetColumn {
            spec.style = MappingStyle::OffsetDigital;
        }
        let transpose = |array: &Array| {
            let (rows, own) = (array.inputs.len(), array.outputs.len());
            let turned = |cells: &[f64]| -> Vec<f64> {
                let count = if cells.len() < rows * own { 0 } else { rows * own };
                (0..count).map(|k| cells[k % own * rows + k / own]).collect()
            };
            Array {
                inputs: array.outputs.clone(),
                outputs: array.inputs.clone(),
                conductances: turned(&array.conductances),
                noise: turned(&array.noise),
                slice: array.slice,
                sign: array.sign,
                copy: array.copy,
                first: array.first,
            }
        };
        let mut arrays: Vec<Array> = self.arrays.iter().map(transpose).collect();
        arrays.sort_by_key(|array| (array.inputs.start, array.outputs.start));
        let scales = Scales { most: self.weight_max, columns: Vec::new() };
        let frame = Self::frame(&spec, (self.inputs, self.outputs), scales);
        Ok(Self { clipped: self.clipped, arrays, ..frame })
    }
}

impl Array {
    /// None yet.
    pub(super) fn empty(sign: Sign) -> Self {
        let (inputs, outputs) = (0..0, 0..0);
        Self {
            inputs,
            outputs,
            slice: 0,
            sign,
            copy: 0,
            first: 0,
            conductances: Vec::new(),
            noise: Vec::new(),
        }
    }

    /// The conductances of the outputs' columns, and those of the reference column.
    pub(super) fn columns(&self, encoding: &Encoding) -> (&[f64], Option<&[f64]>) {
        self.split(&self.conductances, encoding)
    }

    /// `cells` of the outputs' columns, and those of the reference column.
    pub(super) fn split<'a>(&self, cells: &'a [f64], encoding: &Encoding) -> (&'a [f64], Option<&'a [f64]>) {
        let own = self.outputs.len() * self.inputs.len();
        let (columns, rest) = cells.split_at(own.min(cells.len()));
        (columns, encoding.has_reference().then_some(rest))
    }
}

/// The parts of `0..n` on arrays that hold `limit` (0: all).
pub fn tiles(n: usize, limit: usize, split: Split) -> Vec<Range<usize>> {
    let limit = if limit == 0 { n.max(1) } else { limit };
    let parts = n.div_ceil(limit).max(1);
    let bound = |i: usize| match split {
        // As a product of 128 bits, which cannot overflow.
        Split::Equal => (i as u128 * n as u128 / parts as u128) as usize,
        Split::Full => i.saturating_mul(limit).min(n),
    };
    (0..parts).map(|i| bound(i)..bound(i + 1)).collect()
}
