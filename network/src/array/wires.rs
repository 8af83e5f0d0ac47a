//! How the lines of an array are wired.

use serde::{Deserialize, Serialize};

use super::{ArrayConfig, Topology};
use crate::wires::{Ends, Wires};

/// Ends of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Left for rows, top for columns.
    First,
    /// Right for rows, bottom for columns.
    Last,
    /// Both ends.
    Both,
}

impl From<End> for Ends {
    fn from(end: End) -> Self {
        match end {
            End::First => Self::First,
            End::Last => Self::Last,
            End::Both => Self::Both,
        }
    }
}

/// Where the two cells of a pair stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pairs {
    /// In two arrays, whose currents are subtracted.
    Separate,
    /// On one column line; the row of the other cell, beside its own, carries the opposite input.
    Interleaved,
}

impl ArrayConfig {
    /// The lines, or `None` where all of them are ideal.
    pub fn wires(&self) -> Option<Wires> {
        let array = &self.array;
        let wires = Wires {
            row_ohm: array.row_resistance_ohm,
            column_ohm: array.column_resistance_ohm,
            row_terminal_ohm: array.row_terminal_ohm,
            column_terminal_ohm: array.column_terminal_ohm,
            drive: array.drive.into(),
            sense: array.sense.into(),
            topology: match array.topology {
                Topology::InputSource => crate::wires::Topology::InputSource,
                Topology::Gated => crate::wires::Topology::GatedRows,
                Topology::GatedColumns => crate::wires::Topology::GatedColumns,
            },
        };
        let ohms = [wires.row_ohm, wires.column_ohm, wires.row_terminal_ohm, wires.column_terminal_ohm];
        ohms.iter().any(|&ohm| ohm != 0.0).then_some(wires)
    }
}
