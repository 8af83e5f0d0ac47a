//! Device tables over state, time and dose as files; see the crate's documentation for the schema.

use crate::axis::Axis;
use crate::device::{Device, DeviceHeader};
use crate::document::{Arrays, Document, Kind};
use crate::source::SCORES;
use crate::table::{DeviceTable, TableError, Validity};
use mho_data::InputError;
use serde::{Deserialize, Serialize};

/// What stands in the header under the key `mho`, besides `schema` and `kind`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    #[serde(flatten)]
    device: DeviceHeader,
    /// Absent in the first tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validity: Option<Validity>,
    time_scale_s: Option<f64>,
    dose_scale_krad_si: Option<f64>,
}

/// The axes that a document's tables stand on.
#[derive(Debug)]
pub(crate) struct GridAxes {
    pub(crate) state: Axis,
    pub(crate) time: Axis,
    pub(crate) dose: Axis,
}

impl GridAxes {
    pub(crate) fn push(table: &DeviceTable, arrays: &mut Arrays) {
        for (name, axis) in
            [("axis.state", &table.state), ("axis.time_s", &table.time), ("axis.dose_krad_si", &table.dose)]
        {
            arrays.push(name, &[axis.len()], axis.nodes());
        }
        arrays.push("axis.score", &[SCORES.len()], &SCORES);
    }

    pub(crate) fn read(document: &Document<'_>, header: &Header) -> Result<Self, InputError> {
        let axis = |name: &str, scale: Option<f64>| -> Result<Axis, InputError> {
            let nodes = document.ascending(name)?;
            if nodes[0] < 0.0 {
                return Err(document.wrong(format!("{} in `{name}`", nodes[0]), "numbers of 0 or more"));
            }
            if let Some(bad) = scale.filter(|scale| !(*scale > 0.0 && scale.is_finite())) {
                return Err(document.wrong(format!("a scale of {bad} of `{name}`"), "a scale above 0"));
            }
            Ok(Axis::new(nodes, scale))
        };
        document.scores()?;
        Ok(Self {
            state: axis("axis.state", None)?,
            time: axis("axis.time_s", header.time_scale_s)?,
            dose: axis("axis.dose_krad_si", header.dose_scale_krad_si)?,
        })
    }
}

impl DeviceTable {
    pub(crate) fn header(&self) -> Header {
        Header {
            device: self.device.header(),
            validity: self.validity,
            time_scale_s: self.time.scale(),
            dose_scale_krad_si: self.dose.scale(),
        }
    }

    /// Everything but the axes; all names begin with `prefix`.
    pub(crate) fn push(&self, prefix: &str, arrays: &mut Arrays) {
        let grid = [self.state.len(), self.time.len(), self.dose.len()];
        let [s, t, d] = grid;
        for (name, values) in [
            ("mean", &self.mean),
            ("sigma", &self.sigma),
            ("share.programming", &self.share_programming),
            ("share.drift", &self.share_drift),
            ("share.dose", &self.share_dose),
            ("read_sigma", &self.read_sigma),
        ] {
            arrays.push(format!("{prefix}{name}"), &grid, values);
        }
        arrays.push(format!("{prefix}quantile"), &[s, t, d, SCORES.len()], &self.quantile);
        if !self.cells.is_empty() {
            arrays.push(format!("{prefix}cells"), &grid, &self.cells);
        }
        self.device.push(prefix, arrays);
    }

    pub(crate) fn read(
        document: &Document<'_>,
        prefix: &str,
        header: Header,
        axes: GridAxes,
    ) -> Result<Self, TableError> {
        let device = Device::read(document, prefix, header.device)?;
        let GridAxes { state, time, dose } = axes;
        let count = document.count(&[state.len(), time.len(), dose.len()])?;
        let grid = |name: &str| document.array(&format!("{prefix}{name}"), Some(count));
        let mean = grid("mean")?;
        // The first tables know read noise by the current alone.
        let read_sigma = match document.schema {
            1 => mean.iter().map(|&current_na| device.noise.sigma_na(current_na)).collect(),
            _ => grid("read_sigma")?,
        };
        Ok(Self {
            mean,
            sigma: grid("sigma")?,
            quantile: document.quantiles(&format!("{prefix}quantile"), count)?,
            share_programming: grid("share.programming")?,
            share_drift: grid("share.drift")?,
            share_dose: grid("share.dose")?,
            read_sigma,
            cells: if document.has(&format!("{prefix}cells")) { grid("cells")? } else { Vec::new() },
            device,
            validity: header.validity,
            state,
            time,
            dose,
        })
    }

    /// The table as safetensors; the same bytes for the same table.
    ///
    /// # Errors
    /// When an array cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TableError> {
        let mut arrays = Arrays::default();
        GridAxes::push(self, &mut arrays);
        self.push("", &mut arrays);
        arrays.document(Kind::Grid, &self.header())
    }

    /// Reads what [`DeviceTable::to_bytes`] writes, and what it wrote before there were kinds of tables.
    ///
    /// # Errors
    /// When the bytes are not a device table of a known schema, or its arrays do not fit together.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, TableError> {
        let document = Document::open(bytes, file, Kind::Grid)?;
        let header: Header = document.header()?;
        let axes = GridAxes::read(&document, &header)?;
        Self::read(&document, "", header, axes)
    }
}

#[cfg(test)]
mod tests;
