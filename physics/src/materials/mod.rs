//! Material values, each with unit, uncertainty, range, kind and source, in layers of overrides.
//!
//! The built-in layer stands in `data/files/materials/`, one TOML file per material:
//!
//! ```toml
//! [Si3N4.trap_depth_electrons]
//! value = 1.4
//! unit = "eV"
//! std = 0.2              # standard uncertainty, or a range, or both
//! range = [1.0, 1.6]
//! kind = "measured"      # ab-initio, measured, fitted, derived or assumed
//! T_K = 300.0
//! source = { mark = "M", cite = "the work that states it", doi = "" }
//! ```
//!
//! A curve has `values` and `axis = { name, unit, values }` in place of `value`. A mark says how well the
//! source is known: S read there, M from memory of it, D derived, W a placeholder. A user's layers override
//! single properties; each remembers the layer it came from and what it replaced. The digest of the resolved
//! set goes into every result.

mod built_in;
mod entry;
pub mod units;

pub use entry::{Axis, Curve, Entry, Evidence, Mark, Property, Source};

use crate::solver::input::{Document, Step};
use entry::Written;
use mho_data::{InputError, Table};
use std::collections::BTreeMap;
use units::Unit;

/// A property with its history.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The property as it holds.
    pub property: Property,
    /// The layer that it stands in.
    pub layer: String,
    /// What it replaced, with the layers of that, first to last.
    pub replaced: Vec<(String, Property)>,
}

/// A resolved set of materials.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Materials(BTreeMap<String, BTreeMap<String, Resolved>>);

impl Materials {
    /// The built-in set.
    ///
    /// # Errors
    /// Never, as a test holds; a broken built-in file would be one.
    pub fn built_in() -> Result<Self, InputError> {
        built_in::FILES.iter().try_fold(Self::default(), |set, (file, text)| set.with_layer(text, file))
    }

    /// This set with the properties of a TOML document over it.
    ///
    /// # Errors
    /// [`InputError`] with the line when the document is no layer of materials, a value is out of its range,
    /// a unit is unknown, or a property changes its dimension.
    pub fn with_layer(mut self, text: &str, file: &str) -> Result<Self, InputError> {
        let document = Document { text, file };
        let layer: BTreeMap<String, BTreeMap<String, Written>> = document.parse()?;
        for (material, properties) in layer {
            let held = self.0.entry(material.clone()).or_default();
            for (name, written) in properties {
                let property = written.check(&document, &material, &name)?;
                let mut replaced = Vec::new();
                if let Some(before) = held.remove(&name) {
                    let dimension = |unit: &str| Unit::parse(unit).map(|unit| unit.dimension);
                    let old = before.property.unit();
                    if dimension(property.unit()) != dimension(old) {
                        let path = [Step::from(material.as_str()), name.as_str().into(), "unit".into()];
                        let expected = format!("the dimension of {old}, as in {}", before.layer);
                        return Err(document.refuse(&path, format!("`{}`", property.unit()), expected));
                    }
                    replaced = before.replaced;
                    replaced.push((before.layer, before.property));
                }
                held.insert(name, Resolved { property, layer: file.to_owned(), replaced });
            }
        }
        Ok(self)
    }

    /// A property with the layer that it came from.
    #[must_use]
    pub fn resolved(&self, material: &str, property: &str) -> Option<&Resolved> {
        self.0.get(material)?.get(property)
    }

    /// A single value by material and property.
    #[must_use]
    pub fn get(&self, material: &str, property: &str) -> Option<&Entry> {
        match &self.resolved(material, property)?.property {
            Property::Value(entry) => Some(entry),
            Property::Curve(_) => None,
        }
    }

    /// A curve by material and property.
    #[must_use]
    pub fn curve(&self, material: &str, property: &str) -> Option<&Curve> {
        match &self.resolved(material, property)?.property {
            Property::Curve(curve) => Some(curve),
            Property::Value(_) => None,
        }
    }

    /// A single value in SI units (energies in J, effective masses in kg).
    #[must_use]
    pub fn si(&self, material: &str, property: &str) -> Option<f64> {
        let entry = self.get(material, property)?;
        Unit::parse(&entry.unit).map(|unit| entry.value * unit.factor)
    }

    /// A curve in SI units: its axis and its values.
    #[must_use]
    pub fn curve_si(&self, material: &str, property: &str) -> Option<(Vec<f64>, Vec<f64>)> {
        let curve = self.curve(material, property)?;
        let scaled = |values: &[f64], unit: &str| -> Option<Vec<f64>> {
            let factor = Unit::parse(unit)?.factor;
            Some(values.iter().map(|value| value * factor).collect())
        };
        Some((scaled(&curve.axis.values, &curve.axis.unit)?, scaled(&curve.values, &curve.unit)?))
    }

    /// Names of the materials that have this property.
    #[must_use]
    pub fn with_property(&self, property: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(_, properties)| properties.contains_key(property))
            .map(|(material, _)| material.as_str())
            .collect()
    }

    /// All properties in the order of material and name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Resolved)> {
        self.0.iter().flat_map(|(material, properties)| {
            properties.iter().map(move |(name, resolved)| (material.as_str(), name.as_str(), resolved))
        })
    }

    /// The resolved set as a document that reads back as one layer, in the order of names.
    ///
    /// # Errors
    /// Never for a set that was read; the writer's message otherwise.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let written: BTreeMap<&str, BTreeMap<&str, Written>> = self
            .0
            .iter()
            .map(|(material, properties)| {
                let properties = properties.iter().map(|(name, it)| (name.as_str(), it.property.written()));
                (material.as_str(), properties.collect())
            })
            .collect();
        toml::to_string(&written)
    }

    /// Digest of the resolved set, in hexadecimal: of every property and what is known about it, whatever
    /// layers it came from, in whatever order and spacing they were written.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (material, name, resolved) in self.iter() {
            // Debug of a float is its shortest exact form, and text is quoted: no two sets look alike.
            hasher.update(format!("{material:?}.{name:?} = {:?}\n", resolved.property).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// All properties as a table, one row each, with everything that is known about them.
    #[must_use]
    pub fn table(&self) -> Table {
        let column = |cell: &dyn Fn(&str, &str, &Resolved) -> String| -> Vec<String> {
            self.iter().map(|(material, name, resolved)| cell(material, name, resolved)).collect()
        };
        let number = mho_data::table::number;
        Table::new()
            .with_text("material", column(&|material, _, _| material.to_owned()))
            .with_text("property", column(&|_, name, _| name.to_owned()))
            .with_text("value", column(&|_, _, it| it.property.shown()))
            .with_text("unit", column(&|_, _, it| it.property.unit().to_owned()))
            .with_text("std", column(&|_, _, it| it.property.evidence().std.map_or_else(String::new, number)))
            .with_text(
                "range",
                column(&|_, _, it| {
                    let range = it.property.evidence().range;
                    range.map_or_else(String::new, |[low, high]| {
                        format!("{} to {}", number(low), number(high))
                    })
                }),
            )
            .with_text("kind", column(&|_, _, it| kind(it.property.evidence().kind).to_owned()))
            .with_text(
                "temperature_k",
                column(&|_, _, it| it.property.evidence().temperature_k.map_or_else(String::new, number)),
            )
            .with_text(
                "mark",
                column(&|_, _, it| {
                    it.property.evidence().source.mark.map_or_else(String::new, |mark| format!("{mark:?}"))
                }),
            )
            .with_text("source", column(&|_, _, it| it.property.evidence().source.cite.clone()))
            .with_text("layer", column(&|_, _, it| it.layer.clone()))
            .with_text(
                "replaced",
                column(&|_, _, it| {
                    let shown = it
                        .replaced
                        .iter()
                        .map(|(layer, old)| format!("{} {} of {layer}", old.shown(), old.unit()));
                    shown.collect::<Vec<_>>().join("; ")
                }),
            )
    }
}

impl std::fmt::Display for Materials {
    /// One line per entry: name, value, unit, kind, source.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (material, name, Resolved { property, .. }) in self.iter() {
            let evidence = property.evidence();
            let (value, unit) = (property.shown(), property.unit());
            let (how, cite) = (kind(evidence.kind), &evidence.source.cite);
            writeln!(f, "{material}.{name} = {value} {unit} ({how}; {cite})")?;
        }
        Ok(())
    }
}

/// The word for a kind.
fn kind(kind: mho_data::provenance::Kind) -> &'static str {
    use mho_data::provenance::Kind;
    match kind {
        Kind::Measured => "measured",
        Kind::Fitted => "fitted",
        Kind::Derived => "derived",
        Kind::Assumed => "assumed",
        Kind::AbInitio => "ab-initio",
    }
}

#[cfg(test)]
mod tests;
