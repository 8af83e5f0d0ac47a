//! What all tables have in common as files: safetensors with arrays of f64 and one JSON text, `mho`, in
//! the header, which says of which kind and schema the file is.

use crate::device::ReadNoise;
use crate::lookup::Lookup;
use crate::source::SCORES;
use crate::table::TableError;
use mho_data::InputError;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;

/// Version of the documents that are written.
pub(crate) const SCHEMA: u32 = 2;

/// Kinds of tables, by the name that stands in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Grid,
    History,
    Update,
    Ensemble,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Grid, Self::History, Self::Update, Self::Ensemble];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::History => "history",
            Self::Update => "update",
            Self::Ensemble => "ensemble",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Grid => "a device table over state, time and dose",
            Self::History => "a device table of a history",
            Self::Update => "an update table",
            Self::Ensemble => "an ensemble of device tables",
        }
    }
}

/// Arrays on their way into a file.
#[derive(Debug, Default)]
pub(crate) struct Arrays {
    arrays: Vec<(String, Vec<usize>, Vec<u8>)>,
}

impl Arrays {
    pub(crate) fn push(&mut self, name: impl Into<String>, shape: &[usize], values: &[f64]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.arrays.push((name.into(), shape.to_vec(), bytes));
    }

    /// Read noise against current; all names begin with `prefix`.
    pub(crate) fn push_noise(&mut self, prefix: &str, noise: &ReadNoise) {
        let shape = [noise.sigma.len()];
        self.push(format!("{prefix}read_noise.current"), &shape, noise.at.knots());
        self.push(format!("{prefix}read_noise.sigma"), &shape, &noise.sigma);
    }

    /// The file; the same bytes for the same content.
    pub(crate) fn document<H: Serialize>(self, kind: Kind, header: &H) -> Result<Vec<u8>, TableError> {
        let wrong = |error: String| TableError::Write(error);
        let mut text = serde_json::to_value(header).map_err(|error| wrong(error.to_string()))?;
        if let Value::Object(map) = &mut text {
            map.insert("schema".into(), SCHEMA.into());
            map.insert("kind".into(), kind.name().into());
        }
        let mut views = Vec::with_capacity(self.arrays.len());
        for (name, shape, bytes) in &self.arrays {
            let view = TensorView::new(Dtype::F64, shape.clone(), bytes)
                .map_err(|error| wrong(format!("{name}: {error}")))?;
            views.push((name.as_str(), view));
        }
        let metadata = HashMap::from([("mho".to_owned(), text.to_string())]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| wrong(error.to_string()))
    }
}

/// A file that was opened as a table of one kind.
pub(crate) struct Document<'a> {
    file: &'a str,
    tensors: SafeTensors<'a>,
    header: Value,
    pub(crate) schema: u32,
}

impl<'a> Document<'a> {
    /// The kind that a file says it is.
    pub(crate) fn kind(bytes: &[u8], file: &str) -> Result<Kind, InputError> {
        let header = header(bytes, file, "a table of mho")?;
        named(&header).ok_or_else(|| {
            InputError::new(file, "a table of an unknown kind", "grid, history, ensemble or update")
        })
    }

    pub(crate) fn open(bytes: &'a [u8], file: &'a str, kind: Kind) -> Result<Self, InputError> {
        let wrong = |found: String, expected: String| InputError::new(file, found, expected);
        let header = header(bytes, file, kind.about())?;
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| wrong(error.to_string(), format!("{} (safetensors)", kind.about())))?;
        let found = named(&header);
        if found != Some(kind) {
            let found = found.map_or_else(|| "a table of an unknown kind", Kind::about);
            return Err(wrong(found.into(), kind.about().into()));
        }
        let schema = header.get("schema").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        let oldest = if kind == Kind::Grid { 1 } else { SCHEMA };
        let Some(schema) = schema.filter(|schema| (oldest..=SCHEMA).contains(schema)) else {
            let found = schema.map_or_else(|| "no schema".to_owned(), |schema| format!("schema {schema}"));
            return Err(wrong(found, format!("schema {oldest} to {SCHEMA}")));
        };
        Ok(Self { file, tensors, header, schema })
    }

    pub(crate) fn header<H: DeserializeOwned>(&self) -> Result<H, InputError> {
        H::deserialize(&self.header)
            .map_err(|error| self.wrong(error.to_string(), "the header of a device table"))
    }

    pub(crate) fn wrong(&self, found: String, expected: impl Into<String>) -> InputError {
        InputError::new(self.file, found, expected.into())
    }

    /// Whether there is such an array.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// An array of finite numbers, of this length where one is known.
    pub(crate) fn array(&self, name: &str, length: Option<usize>) -> Result<Vec<f64>, InputError> {
        let view = self
            .tensors
            .tensor(name)
            .map_err(|_| self.wrong(format!("no array `{name}`"), "a device table"))?;
        if view.dtype() != Dtype::F64 {
            return Err(self.wrong(format!("`{name}` of type {:?}", view.dtype()), "F64"));
        }
        let values: Vec<f64> =
            view.data().as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect();
        if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
            return Err(self.wrong(format!("{bad} in `{name}`"), "finite numbers"));
        }
        match length {
            Some(length) if values.len() != length => {
                Err(self.wrong(format!("{} numbers in `{name}`", values.len()), format!("{length}")))
            }
            _ => Ok(values),
        }
    }

    /// An array whose numbers rise, at least one.
    pub(crate) fn ascending(&self, name: &str) -> Result<Vec<f64>, InputError> {
        let nodes = self.array(name, None)?;
        if nodes.is_empty() || nodes.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(self.wrong(format!("`{name}` that does not ascend"), "ascending nodes"));
        }
        Ok(nodes)
    }

    /// The product of these lengths.
    pub(crate) fn count(&self, lengths: &[usize]) -> Result<usize, InputError> {
        lengths
            .iter()
            .try_fold(1_usize, |count, &length| count.checked_mul(length))
            .ok_or_else(|| self.wrong("axes beyond any memory".into(), "a device table"))
    }

    pub(crate) fn scores(&self) -> Result<(), InputError> {
        if self.array("axis.score", Some(SCORES.len()))? == SCORES {
            Ok(())
        } else {
            Err(self.wrong("other scores".into(), "normal scores -4 to 4 in steps of 0.25"))
        }
    }

    pub(crate) fn noise(&self, prefix: &str) -> Result<ReadNoise, InputError> {
        let currents = self.ascending(&format!("{prefix}read_noise.current"))?;
        let sigma = self.array(&format!("{prefix}read_noise.sigma"), Some(currents.len()))?;
        Ok(ReadNoise { at: Lookup::new(currents), sigma })
    }

    /// Quantiles, the scores fastest, none of which falls.
    pub(crate) fn quantiles(&self, name: &str, rows: usize) -> Result<Vec<f64>, InputError> {
        let quantile = self.array(name, Some(self.count(&[rows, SCORES.len()])?))?;
        if quantile.chunks_exact(SCORES.len()).any(|row| row.windows(2).any(|pair| pair[0] > pair[1])) {
            return Err(self.wrong("quantiles that fall with the score".into(), "ascending quantiles"));
        }
        Ok(quantile)
    }

    /// The largest current, which has to be one.
    pub(crate) fn current_max_na(&self, value: f64) -> Result<f64, InputError> {
        if value > 0.0 && value.is_finite() {
            Ok(value)
        } else {
            Err(self.wrong(format!("a largest current of {value} nA"), "a current above 0"))
        }
    }

    /// The unit, which is nA in all of them.
    pub(crate) fn in_na(&self, unit: &str) -> Result<(), InputError> {
        if unit == "nA" { Ok(()) } else { Err(self.wrong(format!("currents in `{unit}`"), "currents in nA")) }
    }
}

/// What stands under `mho` in the header of a file.
fn header(bytes: &[u8], file: &str, expected: &str) -> Result<Value, InputError> {
    let wrong = |found: String, expected: String| InputError::new(file, found, expected);
    let (_, metadata) = SafeTensors::read_metadata(bytes)
        .map_err(|error| wrong(error.to_string(), format!("{expected} (safetensors)")))?;
    let text = metadata
        .metadata()
        .as_ref()
        .and_then(|map| map.get("mho"))
        .ok_or_else(|| wrong("no `mho` in the header".into(), "a device table of mho".into()))?;
    serde_json::from_str(text)
        .map_err(|error| wrong(error.to_string(), "the header of a device table".into()))
}

/// The first tables had no kind: they were grids.
fn named(header: &Value) -> Option<Kind> {
    let name = header.get("kind").map_or(Some("grid"), Value::as_str);
    Kind::ALL.into_iter().find(|kind| Some(kind.name()) == name)
}
