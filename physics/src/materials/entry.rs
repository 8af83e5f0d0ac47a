//! Entries as they stand in a document, and the checks that make them values.

use super::units::Unit;
use crate::solver::input::{Document, Step};
use mho_data::InputError;
use mho_data::provenance::Kind;
use serde::{Deserialize, Serialize};

/// One value of one material.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The value, in `unit`.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// What is known about it.
    pub evidence: Evidence,
}

/// A property as a function of a variable: a spectrum, an open-circuit voltage.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The values, in `unit`.
    pub values: Vec<f64>,
    /// Their unit.
    pub unit: String,
    /// The variable.
    pub axis: Axis,
    /// What is known about them; uncertainty and range hold for each value.
    pub evidence: Evidence,
}

/// The variable of a [`Curve`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Its values, ascending, in `unit`.
    pub values: Vec<f64>,
}

/// What is known about a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Standard uncertainty, in the unit of the value.
    pub std: Option<f64>,
    /// Range in which the literature finds it, in the unit of the value.
    pub range: Option<[f64; 2]>,
    /// How it is known.
    pub kind: Kind,
    /// Temperature in K at which it holds.
    pub temperature_k: Option<f64>,
    /// Where it comes from.
    pub source: Source,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// How well the source is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// The work that states it.
    pub cite: String,
    /// Its digital object identifier.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doi: String,
}

/// How well a source is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// Read in the source that is named.
    S,
    /// From memory of the literature, not read again.
    M,
    /// Derived from other values.
    D,
    /// A weak placeholder, to be replaced by a fit.
    W,
}

/// An entry or a curve.
#[derive(Debug, Clone, PartialEq)]
pub enum Property {
    /// A single value.
    Value(Entry),
    /// A function of a variable.
    Curve(Curve),
}

/// A property as it stands in a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Vec<f64>>,
    unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    std: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<[f64; 2]>,
    kind: Kind,
    #[serde(default, rename = "T_K", skip_serializing_if = "Option::is_none")]
    temperature_k: Option<f64>,
    source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    axis: Option<Axis>,
}

impl Property {
    /// Unit of the value or values.
    #[must_use]
    pub fn unit(&self) -> &str {
        match self {
            Self::Value(entry) => &entry.unit,
            Self::Curve(curve) => &curve.unit,
        }
    }

    /// What is known about it.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        match self {
            Self::Value(entry) => &entry.evidence,
            Self::Curve(curve) => &curve.evidence,
        }
    }

    /// The value, or the first to the last value of a curve, in words.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Value(entry) => mho_data::table::number(entry.value),
            Self::Curve(curve) => {
                let end =
                    |value: Option<&f64>| value.copied().map_or_else(String::new, mho_data::table::number);
                format!(
                    "{} to {} at {} values of {}",
                    end(curve.values.first()),
                    end(curve.values.last()),
                    curve.values.len(),
                    curve.axis.name
                )
            }
        }
    }

    pub(super) fn written(&self) -> Written {
        let (value, values, axis) = match self {
            Self::Value(entry) => (Some(entry.value), None, None),
            Self::Curve(curve) => (None, Some(curve.values.clone()), Some(curve.axis.clone())),
        };
        let evidence = self.evidence().clone();
        Written {
            value,
            values,
            unit: self.unit().to_owned(),
            std: evidence.std,
            range: evidence.range,
            kind: evidence.kind,
            temperature_k: evidence.temperature_k,
            source: evidence.source,
            axis,
        }
    }
}

impl Written {
    /// The property, when everything about it is in order.
    pub(super) fn check(
        self,
        document: &Document<'_>,
        material: &str,
        property: &str,
    ) -> Result<Property, InputError> {
        let here = [Step::from(material), Step::from(property)];
        let refuse = |keys: &[&'static str], found: String, expected: &str| {
            let path: Vec<Step<'_>> =
                here.iter().copied().chain(keys.iter().map(|key| Step::Key(key))).collect();
            document.refuse(&path, found, expected)
        };
        let known = |key: &[&'static str], unit: &str| match Unit::parse(unit) {
            Some(_) => Ok(()),
            None => Err(refuse(
                key,
                format!("`{unit}`"),
                &format!("a unit made of {}, as in W/m/K, cm^2 or 1/cm^3", Unit::symbols()),
            )),
        };
        known(&["unit"], &self.unit)?;
        if self.std.is_none() && self.range.is_none() {
            return Err(refuse(&[], "no uncertainty".into(), "std or range"));
        }
        if let Some(std) = self.std.filter(|std| !(0.0..=f64::MAX).contains(std)) {
            return Err(refuse(&["std"], format!("{std:?}"), "a finite standard uncertainty of at least 0"));
        }
        if let Some([low, high]) =
            self.range.filter(|[low, high]| !(low <= high && low.is_finite() && high.is_finite()))
        {
            return Err(refuse(&["range"], format!("[{low:?}, {high:?}]"), "two finite values that ascend"));
        }
        if let Some(kelvin) = self.temperature_k.filter(|kelvin| !(*kelvin > 0.0 && kelvin.is_finite())) {
            return Err(refuse(&["T_K"], format!("{kelvin:?}"), "a temperature above 0 K"));
        }
        if self.source.cite.trim().is_empty() {
            return Err(refuse(&["source"], "an empty citation".into(), "where the value comes from"));
        }
        let [low, high] = self.range.unwrap_or([-f64::MAX, f64::MAX]);
        let bounds = match self.range {
            Some(_) => format!("a value in its range, {low:?} to {high:?}"),
            None => "a finite value".to_owned(),
        };
        let evidence = Evidence {
            std: self.std,
            range: self.range,
            kind: self.kind,
            temperature_k: self.temperature_k,
            source: self.source,
        };
        match (self.value, self.values, self.axis) {
            (Some(value), None, None) => {
                if !(low..=high).contains(&value) {
                    return Err(refuse(&["value"], format!("{value:?}"), &bounds));
                }
                Ok(Property::Value(Entry { value, unit: self.unit, evidence }))
            }
            (None, Some(values), Some(axis)) => {
                if let Some(value) = values.iter().find(|value| !(low..=high).contains(*value)) {
                    return Err(refuse(&["values"], format!("{value:?}"), &bounds));
                }
                known(&["axis", "unit"], &axis.unit)?;
                let ascending = axis.values.windows(2).all(|pair| pair[0] < pair[1]);
                if !ascending || axis.values.iter().any(|value| !value.is_finite()) {
                    let found = format!("{:?}", axis.values);
                    return Err(refuse(&["axis", "values"], found, "finite values that ascend"));
                }
                if values.len() != axis.values.len() || values.len() < 2 {
                    let found = format!("{} values at {} of the axis", values.len(), axis.values.len());
                    return Err(refuse(&["values"], found, "as many, two at least"));
                }
                Ok(Property::Curve(Curve { values, unit: self.unit, axis, evidence }))
            }
            _ => Err(refuse(
                &[],
                "neither one value nor a curve".into(),
                "either value, or values with axis = { name, unit, values }",
            )),
        }
    }
}
