//! Update tables as safetensors.

use super::{Steps, UpdateCertificate, UpdateTable};
use crate::document::{Arrays, Document, Kind};
use crate::table::TableError;
use mho_data::provenance::Origin;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    name: String,
    origin: Origin,
    unit: String,
    notes: Vec<String>,
    certificate: Option<UpdateCertificate>,
}

impl UpdateTable {
    /// The table as safetensors; the same bytes for the same table.
    ///
    /// # Errors
    /// When an array cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TableError> {
        let mut arrays = Arrays::default();
        for (way, steps) in [("up", &self.up), ("down", &self.down)] {
            let (g, p) = (steps.conductance().len(), steps.probability().len());
            arrays.push(format!("{way}.conductance"), &[g], steps.conductance());
            arrays.push(format!("{way}.probability"), &[p], steps.probability());
            arrays.push(format!("{way}.step"), &[p, g], steps.step());
        }
        let header = Header {
            name: self.name.clone(),
            origin: self.origin,
            unit: self.unit.clone(),
            notes: self.notes.clone(),
            certificate: self.certificate.clone(),
        };
        arrays.document(Kind::Update, &header)
    }

    /// Reads what [`UpdateTable::to_bytes`] writes.
    ///
    /// # Errors
    /// When the bytes are not an update table, or its arrays do not fit together.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, TableError> {
        let document = Document::open(bytes, file, Kind::Update)?;
        let header: Header = document.header()?;
        let steps = |way: &str| -> Result<Steps, TableError> {
            let array = |name: &str| document.array(&format!("{way}.{name}"), None);
            Steps::new(array("conductance")?, array("probability")?, array("step")?)
                .map_err(|found| document.wrong(format!("{found} ({way})"), "an update table").into())
        };
        let mut table = Self::new(header.name, header.origin, header.unit, steps("up")?, steps("down")?)?;
        (table.notes, table.certificate) = (header.notes, header.certificate);
        Ok(table)
    }
}
