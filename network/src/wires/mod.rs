//! Crossbars with resistive wires: the exact currents and node voltages.
//!
//! Row lines carry the input voltages, column lines end in virtual grounds, a cell joins row i and column
//! j. One wire segment lies between neighbouring cells and between a terminal and its first cell.
//! Kirchhoff's law on both families of lines is
//!
//! ```text
//! (R + D) v_row - D v_col = drive,     -D v_row + (C + D) v_col = sense
//! ```
//!
//! with tridiagonal R, C and the cells' differential conductances D. Row voltages are eliminated by
//! tridiagonal solves; the rest is solved by conjugate gradients preconditioned with (C + D), inside a
//! Newton iteration that for linear cells is one step. Resistances of zero merge nodes. Many inputs of one
//! linear array are solved together ([`Crossbar::effective`]).

mod arriving;
mod circuit;
mod curved;
mod effective;
mod gates;
mod kernel;
mod lines;
mod neighbour;
mod noise;
mod pairs;
mod shapes;
mod solve;
mod spread;
mod sweep;
mod update;

pub use arriving::Arriving;
pub use curved::{Bends, Curved, Solved};
pub use effective::{Effective, Method};
pub use gates::Gates;
pub use lines::Ends;
pub use neighbour::{Neighbour, NoiseMap, NoiseNeighbour};
pub use pairs::{PairEffective, PairLayout, Pairs};
pub use shapes::{SEGMENTS, Shapes};
pub use solve::Solution;

use circuit::{Circuit, Terminals};
use lines::Line;
use shapes::Bent;
use solve::Balance;

/// Why an array cannot be solved.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WireError {
    /// Lengths that do not agree.
    #[error("found {found} {what}, expected {expected}")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// Count found.
        found: usize,
        /// Count expected.
        expected: usize,
    },
    /// A value that no circuit has.
    #[error("found {what} = {value} at index {index}, expected {expected}")]
    Value {
        /// Name and unit.
        what: &'static str,
        /// Index in its list.
        index: usize,
        /// The value.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// Effective conductances of cells whose current is not proportional to the voltage, or that inputs
    /// switch.
    #[error(
        "found non-linear or gated cells, expected linear ones with voltage inputs: only these have effective conductances"
    )]
    NonLinear,
}

/// Resistances and connections of the lines; the default has ideal wires, rows driven at their first
/// (left) end, columns sensed at their last (bottom) end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wires {
    /// Resistance of a row segment (ohm).
    pub row_ohm: f64,
    /// Resistance of a column segment (ohm).
    pub column_ohm: f64,
    /// Resistance between a row's driver and its first segment (ohm).
    pub row_terminal_ohm: f64,
    /// Resistance between a column's last segment and its virtual ground (ohm).
    pub column_terminal_ohm: f64,
    /// Ends at which rows are driven.
    pub drive: Ends,
    /// Ends at which columns are sensed.
    pub sense: Ends,
    /// What supplies the cells.
    pub topology: Topology,
}

/// What supplies the cells of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Topology {
    /// Each row carries its input as a voltage, and the current of its cells.
    #[default]
    InputSource,
    /// Inputs only switch cells on and off: cells of an input of 0 V are open. A line along each row, with the
    /// rows' resistances, supplies the cells; all have one voltage.
    GatedRows,
    /// The same with a supply line beside each column, parallel to it, that enters at `drive`'s end:
    /// `First` is the side of row 0. It has the rows' resistances, one segment per cell.
    GatedColumns,
}

impl Topology {
    /// Whether inputs only switch cells.
    #[must_use]
    pub fn gated(self) -> bool {
        self != Self::InputSource
    }
}

impl Default for Wires {
    fn default() -> Self {
        Self {
            row_ohm: 0.0,
            column_ohm: 0.0,
            row_terminal_ohm: 0.0,
            column_terminal_ohm: 0.0,
            drive: Ends::First,
            sense: Ends::Last,
            topology: Topology::InputSource,
        }
    }
}

/// Current law of a cell of conductance g at voltage v.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Cell {
    /// g v.
    #[default]
    Linear,
    /// g sinh(a v) / a with a in 1/V.
    Sinh(f64),
}

impl Cell {
    /// Current (A) and differential conductance (S).
    fn law(self, g: f64, v: f64) -> (f64, f64) {
        match self {
            Self::Linear => (g * v, g),
            // Beyond |a v| = 300 the law would overflow; such a step is refused by its residual.
            Self::Sinh(a) => (g * (a * v).sinh() / a, g * (a * v).clamp(-300.0, 300.0).cosh()),
        }
    }
}

/// Cells in layers of rows over common columns.
#[derive(Debug, Clone)]
struct Layers {
    circuit: Circuit,
    /// Conductances of each layer (S), rows x columns.
    conductance_s: Vec<Vec<f64>>,
    cell: Cell,
    /// Cells that follow listed functions, in place of `cell`.
    bent: Option<Bent>,
    topology: Topology,
}

/// An array of cells with its wires.
#[derive(Debug, Clone)]
pub struct Crossbar {
    layers: Layers,
}

fn check(what: &'static str, values: &[f64], least: f64, expected: &'static str) -> Result<(), WireError> {
    match values.iter().position(|value| !value.is_finite() || *value < least) {
        Some(index) => Err(WireError::Value { what, index, value: values[index], expected }),
        None => Ok(()),
    }
}

impl Crossbar {
    /// An array of `rows` x `columns` conductances (S, row-major; 0 is an open cell).
    ///
    /// # Errors
    /// When the count differs or a value is negative or not finite.
    pub fn new(
        rows: usize,
        columns: usize,
        conductance_s: Vec<f64>,
        wires: &Wires,
        cell: Cell,
    ) -> Result<Self, WireError> {
        Ok(Self { layers: Layers::new(rows, columns, vec![conductance_s], wires, cell)? })
    }

    /// Number of rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.layers.circuit.rows, self.layers.circuit.columns)
    }

    /// Currents and voltages for one input (V, one per row).
    ///
    /// # Errors
    /// When the count differs or a voltage is not finite.
    pub fn solve(&self, input_v: &[f64]) -> Result<Solution, WireError> {
        Ok(self.layers.answer(input_v)?.solution(self.shape().1))
    }

    /// Column currents for many inputs (V, vectors x rows): linear cells with voltage inputs are solved
    /// eight inputs at a time, others one by one, in parallel.
    ///
    /// # Errors
    /// When the count is no multiple of the rows, or a voltage is not one that the topology allows.
    pub fn solve_many(&self, inputs_v: &[f64]) -> Result<Currents, WireError> {
        self.layers.answer_many(inputs_v, |layers, balance| balance.column_current_a(layers.circuit.columns))
    }
}

/// Output currents for many inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Currents {
    /// Currents (A), vectors x outputs.
    pub current_a: Vec<f64>,
    /// Bound of the error of every current (A) where inputs were solved together; largest imbalance of a
    /// node (A) where one by one.
    pub error_a: f64,
    /// Inputs whose solution did not converge.
    pub unconverged: usize,
}

impl Layers {
    fn new(
        rows: usize,
        columns: usize,
        conductance_s: Vec<Vec<f64>>,
        wires: &Wires,
        cell: Cell,
    ) -> Result<Self, WireError> {
        let beside = wires.topology == Topology::GatedColumns;
        let layers = Self {
            circuit: Circuit {
                rows,
                columns,
                row: Line::new(
                    if beside { rows } else { columns },
                    wires.row_ohm,
                    wires.row_terminal_ohm,
                    wires.drive,
                ),
                column: Line::new(rows, wires.column_ohm, wires.column_terminal_ohm, wires.sense),
                beside,
            },
            conductance_s,
            cell,
            bent: None,
            topology: wires.topology,
        };
        let ohms = [wires.row_ohm, wires.column_ohm, wires.row_terminal_ohm, wires.column_terminal_ohm];
        check("resistance (ohm)", &ohms, 0.0, "a finite number of at least 0")?;
        if let Cell::Sinh(a) = cell {
            check("sinh parameter (1/V)", &[a], f64::MIN_POSITIVE, "a finite number above 0")?;
        }
        layers.conductance_s.iter().try_for_each(|g| layers.check(g))?;
        Ok(layers)
    }

    /// Refuses conductances that no array of this shape has.
    fn check(&self, conductance_s: &[f64]) -> Result<(), WireError> {
        self.check_values("conductance (S)", conductance_s)
    }

    /// Refuses a list that has not one positive number, or zero, for each cell.
    fn check_values(&self, what: &'static str, values: &[f64]) -> Result<(), WireError> {
        let expected = self.circuit.rows.saturating_mul(self.circuit.columns);
        if expected == 0 || values.len() != expected {
            return Err(WireError::Shape {
                what: "values for the cells",
                found: values.len(),
                expected: expected.max(1),
            });
        }
        check(what, values, 0.0, "a finite number of at least 0")
    }

    /// Solves for one input (V, one per row). A second layer has the negative inputs.
    fn answer(&self, input_v: &[f64]) -> Result<Balance, WireError> {
        let Circuit { rows, columns, .. } = self.circuit;
        if input_v.len() != rows {
            return Err(WireError::Shape { what: "voltages", found: input_v.len(), expected: rows });
        }
        check("voltage (V)", input_v, f64::NEG_INFINITY, "a finite number")?;
        let ground = vec![0.0; columns];
        if self.topology == Topology::InputSource {
            let negative: Vec<f64> = input_v.iter().map(|v| -v).collect();
            let sources = [input_v, &negative];
            let terminals = Terminals { rows: &sources[..self.conductance_s.len()], columns: &ground };
            return Ok(self.balance(&terminals, None));
        }
        let supply = input_v.iter().copied().find(|v| *v != 0.0).unwrap_or(0.0);
        if let Some(index) = input_v.iter().position(|v| *v != 0.0 && *v != supply) {
            let expected = "0 or the one voltage of the supply, because the inputs are gates";
            return Err(WireError::Value { what: "voltage (V)", index, value: input_v[index], expected });
        }
        let lines = if self.circuit.beside { columns } else { rows };
        let (positive, negative) = (vec![supply; lines], vec![-supply; lines]);
        let sources = [positive.as_slice(), &negative];
        let terminals = Terminals { rows: &sources[..self.conductance_s.len()], columns: &ground };
        let mut open = self.clone();
        for layer in &mut open.conductance_s {
            for (row, v) in layer.chunks_mut(columns).zip(input_v) {
                if *v == 0.0 {
                    row.fill(0.0);
                }
            }
        }
        Ok(open.balance(&terminals, None))
    }

    /// Outputs for many inputs (V, vectors x rows); `outputs` reads them off a solution.
    fn answer_many(
        &self,
        inputs_v: &[f64],
        outputs: impl Fn(&Self, &Balance) -> Vec<f64> + Sync,
    ) -> Result<Currents, WireError> {
        use rayon::prelude::*;
        let rows = self.circuit.rows;
        if !inputs_v.len().is_multiple_of(rows) {
            let expected = inputs_v.len().div_ceil(rows) * rows;
            return Err(WireError::Shape { what: "voltages", found: inputs_v.len(), expected });
        }
        check("voltage (V)", inputs_v, f64::NEG_INFINITY, "a finite number")?;
        if self.is_linear().is_ok() {
            return Ok(self.together(inputs_v));
        }
        let solved: Vec<Balance> =
            inputs_v.par_chunks(rows).map(|input| self.answer(input)).collect::<Result<_, _>>()?;
        Ok(Currents {
            current_a: solved.iter().flat_map(|balance| outputs(self, balance)).collect(),
            error_a: solved.iter().fold(0.0, |most, balance| most.max(balance.residual_a)),
            unconverged: solved.iter().filter(|balance| !balance.converged).count(),
        })
    }
}

#[cfg(test)]
mod tests;
