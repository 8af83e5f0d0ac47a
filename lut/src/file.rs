//! Device tables as safetensors: arrays in f64 and a JSON header, opened by Python's `safetensors`.

use crate::axis::Axis;
use crate::certificate::Certificate;
use crate::source::SCORES;
use crate::table::{DeviceTable, ReadNoise, TableError, Validity};
use mho_data::InputError;
use mho_data::provenance::Origin;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Version of the document.
const SCHEMA: u32 = 2;

/// What stands in the header under the key `mho`.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    schema: u32,
    name: String,
    origin: Origin,
    unit: String,
    current_max_na: f64,
    notes: Vec<String>,
    certificate: Certificate,
    /// Absent in the first tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validity: Option<Validity>,
    extrapolated_nodes: usize,
    time_scale_s: Option<f64>,
    dose_scale_krad_si: Option<f64>,
}

impl DeviceTable {
    /// The table as safetensors; the same bytes for the same table.
    ///
    /// # Errors
    /// When an array cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TableError> {
        let (s, t, d) = (self.state.len(), self.time.len(), self.dose.len());
        let grid = vec![s, t, d];
        let arrays: Vec<(&str, Vec<usize>, &[f64])> = vec![
            ("axis.state", vec![s], self.state.nodes()),
            ("axis.time_s", vec![t], self.time.nodes()),
            ("axis.dose_krad_si", vec![d], self.dose.nodes()),
            ("axis.score", vec![SCORES.len()], &SCORES),
            ("mean", grid.clone(), &self.mean),
            ("sigma", grid.clone(), &self.sigma),
            ("quantile", vec![s, t, d, SCORES.len()], &self.quantile),
            ("share.programming", grid.clone(), &self.share_programming),
            ("share.drift", grid.clone(), &self.share_drift),
            ("share.dose", grid, &self.share_dose),
            ("read_sigma", vec![s, t, d], &self.read_sigma),
            ("read_noise.current", vec![self.noise.sigma.len()], self.noise.at.knots()),
            ("read_noise.sigma", vec![self.noise.sigma.len()], &self.noise.sigma),
        ];
        let wrong = |error: safetensors::SafeTensorError| TableError::Write(error.to_string());
        let bytes: Vec<Vec<u8>> =
            arrays.iter().map(|(_, _, v)| v.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
        let mut views = Vec::with_capacity(arrays.len());
        for ((name, shape, _), data) in arrays.iter().zip(&bytes) {
            views.push((*name, TensorView::new(Dtype::F64, shape.clone(), data).map_err(wrong)?));
        }
        let header = Header {
            schema: SCHEMA,
            name: self.name.clone(),
            origin: self.origin,
            unit: "nA".into(),
            current_max_na: self.current_max_na,
            notes: self.notes.clone(),
            certificate: self.certificate.clone(),
            validity: self.validity,
            extrapolated_nodes: self.extrapolated_nodes,
            time_scale_s: self.time.scale(),
            dose_scale_krad_si: self.dose.scale(),
        };
        let header = serde_json::to_string(&header).map_err(|error| TableError::Write(error.to_string()))?;
        let metadata = HashMap::from([("mho".to_owned(), header)]);
        safetensors::serialize(views, Some(metadata)).map_err(wrong)
    }

    /// Reads what [`DeviceTable::to_bytes`] writes.
    ///
    /// # Errors
    /// When the bytes are not a device table of this schema, or its arrays do not fit together.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, TableError> {
        let wrong = |found: String, expected: &str| InputError::new(file, found, expected.to_owned());
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| wrong(error.to_string(), "a device table (safetensors)"))?;
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|error| wrong(error.to_string(), "a safetensors header"))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|map| map.get("mho"))
            .ok_or_else(|| wrong("no `mho` in the header".into(), "a device table of mho"))?;
        let header: Header = serde_json::from_str(text)
            .map_err(|error| wrong(error.to_string(), "the header of a device table"))?;
        if !(1..=SCHEMA).contains(&header.schema) {
            return Err(wrong(format!("schema {}", header.schema), "schema 1 or 2").into());
        }
        if header.unit != "nA" {
            return Err(wrong(format!("currents in `{}`", header.unit), "currents in nA").into());
        }
        if header.current_max_na <= 0.0 {
            let found = format!("a largest current of {} nA", header.current_max_na);
            return Err(wrong(found, "a current above 0").into());
        }
        let array = |name: &str, length: Option<usize>| -> Result<Vec<f64>, InputError> {
            let view =
                tensors.tensor(name).map_err(|_| wrong(format!("no array `{name}`"), "a device table"))?;
            if view.dtype() != Dtype::F64 {
                return Err(wrong(format!("`{name}` of type {:?}", view.dtype()), "F64"));
            }
            let values: Vec<f64> =
                view.data().as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect();
            if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
                return Err(wrong(format!("{bad} in `{name}`"), "finite numbers"));
            }
            match length {
                Some(length) if values.len() != length => {
                    Err(wrong(format!("{} numbers in `{name}`", values.len()), &format!("{length}")))
                }
                _ => Ok(values),
            }
        };
        let axis = |name: &str, scale: Option<f64>| -> Result<Axis, InputError> {
            let nodes = array(name, None)?;
            if nodes.is_empty() || nodes.windows(2).any(|pair| pair[0] >= pair[1]) {
                return Err(wrong(format!("`{name}` that does not ascend"), "ascending nodes"));
            }
            if nodes[0] < 0.0 {
                return Err(wrong(format!("{} in `{name}`", nodes[0]), "numbers of 0 or more"));
            }
            if let Some(bad) = scale.filter(|scale| *scale <= 0.0) {
                return Err(wrong(format!("a scale of {bad} of `{name}`"), "a scale above 0"));
            }
            Ok(Axis::new(nodes, scale))
        };
        let state = axis("axis.state", None)?;
        let time = axis("axis.time_s", header.time_scale_s)?;
        let dose = axis("axis.dose_krad_si", header.dose_scale_krad_si)?;
        let product = |a: usize, b: usize| a.checked_mul(b);
        let count = product(state.len(), time.len())
            .and_then(|n| product(n, dose.len()))
            .filter(|n| product(*n, SCORES.len()).is_some())
            .ok_or_else(|| wrong("axes beyond any memory".into(), "a device table"))?;
        if array("axis.score", Some(SCORES.len()))? != SCORES {
            return Err(wrong("other scores".into(), "normal scores -4 to 4 in steps of 0.25").into());
        }
        let noise_current = array("read_noise.current", None)?;
        if noise_current.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(wrong("`read_noise.current` that does not ascend".into(), "ascending nodes").into());
        }
        let quantile = array("quantile", Some(count * SCORES.len()))?;
        if quantile.chunks_exact(SCORES.len()).any(|row| row.windows(2).any(|pair| pair[0] > pair[1])) {
            return Err(wrong("quantiles that fall with the score".into(), "ascending quantiles").into());
        }
        let noise =
            ReadNoise::new(noise_current.clone(), array("read_noise.sigma", Some(noise_current.len()))?);
        let mean = array("mean", Some(count))?;
        // The first tables know read noise by the current alone.
        let read_sigma = match header.schema {
            1 => mean.iter().map(|&current_na| noise.sigma_na(current_na)).collect(),
            _ => array("read_sigma", Some(count))?,
        };
        Ok(Self {
            mean,
            sigma: array("sigma", Some(count))?,
            quantile,
            share_programming: array("share.programming", Some(count))?,
            share_drift: array("share.drift", Some(count))?,
            share_dose: array("share.dose", Some(count))?,
            read_sigma,
            noise,
            name: header.name,
            origin: header.origin,
            current_max_na: header.current_max_na,
            notes: header.notes,
            certificate: header.certificate,
            validity: header.validity,
            extrapolated_nodes: header.extrapolated_nodes,
            state,
            time,
            dose,
        })
    }
}

#[cfg(test)]
mod tests;
