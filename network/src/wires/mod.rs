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

mod circuit;
mod effective;
mod kernel;
mod lines;
mod solve;
mod sweep;

pub use effective::{Effective, Method};
pub use lines::Ends;
pub use solve::Solution;

use circuit::{Circuit, Terminals};
use lines::Line;

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
    /// Effective conductances of cells whose current is not proportional to the voltage.
    #[error("found non-linear cells, expected linear ones: only these have effective conductances")]
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
        let (rows, columns) = self.shape();
        if input_v.len() != rows {
            return Err(WireError::Shape { what: "voltages", found: input_v.len(), expected: rows });
        }
        check("voltage (V)", input_v, f64::NEG_INFINITY, "a finite number")?;
        let terminals = Terminals { rows: &[input_v], columns: &vec![0.0; columns] };
        Ok(self.layers.balance(&terminals, None).solution(columns))
    }
}

impl Layers {
    fn new(
        rows: usize,
        columns: usize,
        conductance_s: Vec<Vec<f64>>,
        wires: &Wires,
        cell: Cell,
    ) -> Result<Self, WireError> {
        let layers = Self {
            circuit: Circuit {
                rows,
                columns,
                row: Line::new(columns, wires.row_ohm, wires.row_terminal_ohm, wires.drive),
                column: Line::new(rows, wires.column_ohm, wires.column_terminal_ohm, wires.sense),
            },
            conductance_s,
            cell,
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
        let expected = self.circuit.rows.saturating_mul(self.circuit.columns);
        if expected == 0 || conductance_s.len() != expected {
            let found = conductance_s.len();
            return Err(WireError::Shape { what: "conductances", found, expected: expected.max(1) });
        }
        check("conductance (S)", conductance_s, 0.0, "a finite number of at least 0")
    }
}

#[cfg(test)]
mod tests;
