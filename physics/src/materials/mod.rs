//! Material values, each with unit, uncertainty, range, kind and source, in layers of overrides.
//!
//! The built-in layer stands in `data/files/materials/`, one TOML file per material. A user's layers
//! override single entries. The digest of the resolved set goes into every result.

use mho_data::InputError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One value of one material.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The value, in `unit`.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Standard uncertainty, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<f64>,
    /// Range in which the literature finds it, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// How it is known.
    pub kind: String,
    /// Temperature in K at which it holds.
    #[serde(default, rename = "T_K", skip_serializing_if = "Option::is_none")]
    pub temperature_k: Option<f64>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The work that states it.
    pub cite: String,
}

/// The built-in files.
const BUILT_IN: [(&str, &str); 3] = [
    ("Si.toml", include_str!("../../../data/files/materials/Si.toml")),
    ("SiO2.toml", include_str!("../../../data/files/materials/SiO2.toml")),
    ("Si3N4.toml", include_str!("../../../data/files/materials/Si3N4.toml")),
];

/// A resolved set of materials.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Materials(BTreeMap<String, BTreeMap<String, Entry>>);

impl Materials {
    /// The built-in set.
    ///
    /// # Errors
    /// Never, as a test holds; a broken built-in file would be one.
    pub fn built_in() -> Result<Self, InputError> {
        let mut set = Self::default();
        for (file, text) in BUILT_IN {
            set = set.with_layer(text, file)?;
        }
        Ok(set)
    }

    /// This set with the entries of a TOML document over it.
    ///
    /// # Errors
    /// [`InputError`] with the line when the document is no layer of materials.
    pub fn with_layer(mut self, text: &str, file: &str) -> Result<Self, InputError> {
        let document = crate::solver::input::Document { text, file };
        let layer: BTreeMap<String, BTreeMap<String, Entry>> = document.parse()?;
        for (material, entries) in layer {
            self.0.entry(material).or_default().extend(entries);
        }
        Ok(self)
    }

    /// An entry by material and property.
    #[must_use]
    pub fn get(&self, material: &str, property: &str) -> Option<&Entry> {
        self.0.get(material)?.get(property)
    }

    /// Names of the materials that have this property.
    #[must_use]
    pub fn with_property(&self, property: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(_, entries)| entries.contains_key(property))
            .map(|(material, _)| material.as_str())
            .collect()
    }

    /// Digest of the whole set, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        blake3::hash(format!("{:?}", self.0).as_bytes()).to_hex().to_string()
    }
}

impl std::fmt::Display for Materials {
    /// One line per entry: name, value, unit, kind, source.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (material, entries) in &self.0 {
            for (property, entry) in entries {
                let Entry { value, unit, kind, source, .. } = entry;
                writeln!(f, "{material}.{property} = {value} {unit} ({kind}; {})", source.cite)?;
            }
        }
        Ok(())
    }
}
