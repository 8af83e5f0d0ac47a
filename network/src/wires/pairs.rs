//! Weights as differences of two conductances: where the positive and the negative cells of a pair sit.

use super::effective::{Effective, PRECISION};
use super::solve::Balance;
use super::{Cell, Currents, Layers, Method, WireError, Wires};

/// Where the two cells of a pair sit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PairLayout {
    /// Two arrays, each with its own rows and columns; the two column currents are subtracted.
    #[default]
    Separate,
    /// One column for both cells of a pair, which so carries the difference. Every input has two rows, one
    /// with its voltage for the positive cells and one with the opposite voltage for the negative cells:
    ///
    /// ```text
    /// +v_i ----[G+]---+---      (rows run across, a column runs down)
    /// -v_i ----[G-]---+---
    ///                 |  one segment of the column
    /// ```
    Interleaved,
    /// Positive and negative cells alternate along a common row, which carries the current of both; each
    /// has its own column, and the two column currents are subtracted.
    Alternating,
}

impl PairLayout {
    /// The conductances (S) of each layer of each array.
    pub(super) fn lists(
        self,
        positive_s: Vec<f64>,
        negative_s: Vec<f64>,
    ) -> Result<Vec<Vec<Vec<f64>>>, WireError> {
        if positive_s.len() != negative_s.len() {
            let (found, expected) = (negative_s.len(), positive_s.len());
            return Err(WireError::Shape { what: "negative conductances", found, expected });
        }
        Ok(match self {
            Self::Separate => vec![vec![positive_s], vec![negative_s]],
            Self::Interleaved => vec![vec![positive_s, negative_s]],
            Self::Alternating => {
                let both = positive_s.iter().zip(&negative_s);
                vec![vec![both.flat_map(|(positive, negative)| [*positive, *negative]).collect()]]
            }
        })
    }
}

/// An array of pairs of cells with its wires.
#[derive(Debug, Clone)]
pub struct Pairs {
    rows: usize,
    columns: usize,
    pub(super) layout: PairLayout,
    /// Two arrays for separate cells, else one.
    pub(super) parts: Vec<Layers>,
}

/// Effective weights of one programmed array of pairs.
#[derive(Debug, Clone)]
pub struct PairEffective {
    /// Effective conductance differences (S), inputs x outputs: I_j = sum_i V_i M_ij.
    pub difference_s: Vec<f64>,
    pub(super) layout: PairLayout,
    pub(super) parts: Vec<Effective>,
}

impl Pairs {
    /// An array of `rows` inputs x `columns` outputs with conductances (S, row-major; 0 is an open cell) of
    /// the positive and negative cells.
    ///
    /// # Errors
    /// When a count differs, or a conductance or resistance is negative or not finite.
    pub fn new(
        rows: usize,
        columns: usize,
        positive_s: Vec<f64>,
        negative_s: Vec<f64>,
        layout: PairLayout,
        wires: &Wires,
        cell: Cell,
    ) -> Result<Self, WireError> {
        let parts = layout
            .lists(positive_s, negative_s)?
            .into_iter()
            .map(|lists| {
                let columns = if layout == PairLayout::Alternating { 2 * columns } else { columns };
                Layers::new(rows, columns, lists, wires, cell)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { rows, columns, layout, parts })
    }

    /// Inputs and outputs.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Differences of output currents (A) for many inputs (V, vectors x rows).
    ///
    /// # Errors
    /// When the count is no multiple of the rows, or a voltage is not one that the topology allows.
    pub fn solve_many(&self, inputs_v: &[f64]) -> Result<Currents, WireError> {
        let read = |layers: &Layers, balance: &Balance| balance.column_current_a(layers.circuit.columns);
        let mut currents = self.parts[0].answer_many(inputs_v, read)?;
        if let Some(negative) = self.parts.get(1) {
            let negative = negative.answer_many(inputs_v, read)?;
            for (current, negative) in currents.current_a.iter_mut().zip(negative.current_a) {
                *current -= negative;
            }
            currents.error_a += negative.error_a;
            currents.unconverged += negative.unconverged;
        }
        if self.layout == PairLayout::Alternating {
            let pairs = currents.current_a.chunks(2);
            currents.current_a = pairs.map(|pair| pair[0] - pair[1]).collect();
            currents.error_a *= 2.0;
        }
        Ok(currents)
    }

    /// The effective weights of linear cells with voltage inputs.
    ///
    /// # Errors
    /// For non-linear or gated cells, whose currents are no product.
    pub fn effective(&self) -> Result<PairEffective, WireError> {
        self.parts.iter().try_for_each(Layers::is_linear)?;
        Ok(PairEffective::of(self.layout, self.parts.iter().map(|part| part.effective(PRECISION)).collect()))
    }
}

impl PairEffective {
    pub(super) fn of(layout: PairLayout, parts: Vec<Effective>) -> Self {
        let subtract = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let first = &parts[0].layers_s;
        let difference_s = match layout {
            PairLayout::Separate => subtract(&first[0], &parts[1].layers_s[0]),
            PairLayout::Interleaved => subtract(&first[0], &first[1]),
            PairLayout::Alternating => first[0].chunks(2).map(|pair| pair[0] - pair[1]).collect(),
        };
        Self { difference_s, layout, parts }
    }

    /// Effective conductances (S, inputs x outputs) of the positive and of the negative cells: what 1 V at their
    /// rows alone sends into the output, for alternating columns into the line of the positive cell and into that
    /// of the negative one.
    #[must_use]
    pub fn signs_s(&self) -> [Vec<f64>; 2] {
        let first = &self.parts[0].layers_s;
        match self.layout {
            PairLayout::Separate => [first[0].clone(), self.parts[1].layers_s[0].clone()],
            PairLayout::Interleaved => [first[0].clone(), first[1].clone()],
            PairLayout::Alternating => {
                [0, 1].map(|sign| first[0].chunks(2).filter_map(|pair| pair.get(sign).copied()).collect())
            }
        }
    }

    /// How the effective conductances of each array were found.
    #[must_use]
    pub fn methods(&self) -> Vec<Method> {
        self.parts.iter().map(|part| part.method).collect()
    }

    /// Bound of the error of every difference (S), where all arrays were solved.
    #[must_use]
    pub fn error_s(&self) -> Option<f64> {
        let sum: Option<f64> = self.parts.iter().map(|part| part.error_s).sum();
        // Two entries of one array, or one of each of two.
        if self.parts.len() == 1 { sum.map(|error| 2.0 * error) } else { sum }
    }
}
