//! A table of whatever kind a file holds.

use crate::document::{Document, Kind};
use crate::ensemble::Ensemble;
use crate::history::HistoryTable;
use crate::table::{DeviceTable, TableError};
use crate::update::UpdateTable;

/// A table of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyTable {
    /// Over state, time and dose.
    Grid(Box<DeviceTable>),
    /// Along a history.
    History(Box<HistoryTable>),
    /// Several grids.
    Ensemble(Ensemble),
    /// Steps of the conductance.
    Update(Box<UpdateTable>),
}

impl AnyTable {
    /// Reads a table of the kind that the file says it is.
    ///
    /// # Errors
    /// When the bytes are no table, or its arrays do not fit together.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, TableError> {
        Ok(match Document::kind(bytes, file)? {
            Kind::Grid => Self::Grid(Box::new(DeviceTable::from_bytes(bytes, file)?)),
            Kind::History => Self::History(Box::new(HistoryTable::from_bytes(bytes, file)?)),
            Kind::Ensemble => Self::Ensemble(Ensemble::from_bytes(bytes, file)?),
            Kind::Update => Self::Update(Box::new(UpdateTable::from_bytes(bytes, file)?)),
        })
    }
}
