//! What a table says of its device, whatever its axes are.

use crate::certificate::Certificate;
use crate::document::{Arrays, Document};
use crate::lookup::{Lookup, Place};
use crate::outside::{Clamped, OutOfRange, Range};
use crate::source::ReadVoltages;
use crate::table::TableError;
use crate::voltage::ReadCurves;
use mho_data::provenance::Origin;
use serde::{Deserialize, Serialize};

/// A device: where its numbers come from, how well its table follows them, and how a cell is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) current_max_na: f64,
    pub(crate) notes: Vec<String>,
    pub(crate) certificate: Certificate,
    pub(crate) extrapolated_nodes: usize,
    /// Voltage across a cell at its read (V).
    pub(crate) read_voltage_v: Option<f64>,
    pub(crate) noise: ReadNoise,
    pub(crate) curves: Option<ReadCurves>,
}

/// Standard deviation (nA) of repeated reads at currents `at` (nA).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReadNoise {
    pub(crate) at: Lookup,
    pub(crate) sigma: Vec<f64>,
}

impl ReadNoise {
    /// Linear between the currents.
    pub(crate) fn sigma_na(&self, current_na: f64) -> f64 {
        let Place { i, t } = self.at.place(current_na);
        let a = self.sigma.get(i).copied().unwrap_or(0.0);
        a + self.sigma.get(i + 1).map_or(0.0, |b| (b - a) * t)
    }

    fn range(&self) -> Range {
        let ends = self.at.knots().first().copied().zip(self.at.knots().last().copied());
        Range::new("current_na", ends.unwrap_or((0.0, 0.0)))
    }
}

impl Device {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its numbers come from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Current of state 1 (nA).
    pub fn current_max_na(&self) -> f64 {
        self.current_max_na
    }

    /// What a reader has to know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How well the table follows its source.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Nodes at which the source left the range of what it was made from.
    pub fn extrapolated_nodes(&self) -> usize {
        self.extrapolated_nodes
    }

    /// The voltage across a cell at its read (V), which makes its current a conductance, where the source told.
    pub fn read_voltage_v(&self) -> Option<f64> {
        self.read_voltage_v
    }

    /// Standard deviation (nA) of repeated reads of a cell that carries `current_na`, up to one and a half
    /// times the largest current; NaN outside.
    pub fn read_noise_na(&self, current_na: f64) -> f64 {
        if self.noise.range().holds(current_na) { self.noise.sigma_na(current_na) } else { f64::NAN }
    }

    /// Standard deviations (nA) of repeated reads of many cells by the currents that they carry.
    ///
    /// # Errors
    /// With [`OutOfRange::Error`], the first current outside of the table; an `out` of another length.
    pub fn read_noises_na(
        &self,
        currents_na: &[f64],
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        if currents_na.len() != out.len() {
            return Err(TableError::Lengths { given: currents_na.len(), out: out.len() });
        }
        let range = self.noise.range();
        let mut clamped = Clamped::default();
        for (&current_na, out) in currents_na.iter().zip(out) {
            *out = self.noise.sigma_na(range.moved(current_na, policy, &mut clamped.current_na)?);
        }
        clamped.points = clamped.current_na.total();
        Ok(clamped)
    }

    /// The voltages at which cells can be read, where the source knew more than one.
    pub fn read_voltages(&self) -> Option<&ReadVoltages> {
        self.curves.as_ref().map(|curves| &curves.about)
    }

    /// Currents (nA) at a voltage of the read (V) of cells that carry `currents_na` at the reference
    /// voltage, and how many of them, or the voltage for all, were moved into the table.
    ///
    /// # Errors
    /// When the table knows one voltage only; with [`OutOfRange::Error`], outside of its range; an `out`
    /// of another length.
    pub fn at_voltage_na(
        &self,
        currents_na: &[f64],
        read_v: f64,
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        let curves = self.curves.as_ref().ok_or(TableError::OneVoltage)?;
        curves.currents_na(currents_na, read_v, policy, out)
    }
}

/// What the header of a file says of the device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeviceHeader {
    name: String,
    origin: Origin,
    unit: String,
    current_max_na: f64,
    notes: Vec<String>,
    certificate: Certificate,
    extrapolated_nodes: usize,
    /// Absent in the first tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_voltage_v: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_voltages: Option<ReadVoltages>,
}

impl Device {
    pub(crate) fn header(&self) -> DeviceHeader {
        DeviceHeader {
            name: self.name.clone(),
            origin: self.origin,
            unit: "nA".into(),
            current_max_na: self.current_max_na,
            notes: self.notes.clone(),
            certificate: self.certificate.clone(),
            extrapolated_nodes: self.extrapolated_nodes,
            read_voltage_v: self.read_voltage_v,
            read_voltages: self.read_voltages().cloned(),
        }
    }

    /// Its arrays, all names begin with `prefix`.
    pub(crate) fn push(&self, prefix: &str, arrays: &mut Arrays) {
        arrays.push_noise(prefix, &self.noise);
        ReadCurves::push(self.curves.as_ref(), prefix, arrays);
    }

    /// Of a header and the arrays under `prefix`.
    pub(crate) fn read(
        document: &Document<'_>,
        prefix: &str,
        header: DeviceHeader,
    ) -> Result<Self, TableError> {
        document.in_na(&header.unit)?;
        if let Some(bad) = header.read_voltage_v.filter(|volts| !(*volts > 0.0 && volts.is_finite())) {
            return Err(document.wrong(format!("a read voltage of {bad} V"), "a voltage above 0").into());
        }
        Ok(Self {
            read_voltage_v: header.read_voltage_v,
            current_max_na: document.current_max_na(header.current_max_na)?,
            noise: document.noise(prefix)?,
            curves: ReadCurves::read(document, prefix, header.read_voltages, header.current_max_na)?,
            name: header.name,
            origin: header.origin,
            notes: header.notes,
            certificate: header.certificate,
            extrapolated_nodes: header.extrapolated_nodes,
        })
    }
}
