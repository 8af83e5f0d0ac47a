//! Device cards: the parameters of one device with their covariance, as a TOML document.

use crate::fit::{FitResult, Transform};
use crate::model::{self, Kind, ModelInfo, ParameterInfo};
use mho_data::InputError;
use mho_data::provenance::Origin;
use mho_data::random::Stream;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the document's form.
pub const SCHEMA: u32 = 1;

/// A parameter on a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardParameter {
    /// Value in `unit`.
    pub value: f64,
    /// Unit in words.
    pub unit: String,
    /// Standard deviation; absent where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<f64>,
    /// How the value is known.
    pub kind: Kind,
    /// Where it comes from.
    pub source: String,
}

/// Joint uncertainty of parameters, with the scales on which it is about normal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covariance {
    /// Parameters, in the order of the matrix.
    pub names: Vec<String>,
    /// Covariance in the units of the parameters.
    pub matrix: Vec<Vec<f64>>,
    /// Scale of each parameter: samples are drawn there, so that they stay inside the bounds. A card written by hand
    /// may leave scales and bounds out, and has those of the model.
    #[serde(default)]
    pub scale: Vec<Transform>,
    /// Lower bound of each parameter.
    #[serde(default)]
    pub lower: Vec<f64>,
    /// Upper bound of each parameter.
    #[serde(default)]
    pub upper: Vec<f64>,
}

/// Where a card comes from and how good its fit was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// "measured", "published", "synthetic", "derived": the label of the data.
    pub origin: String,
    /// Data that the card was fitted to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<String>,
    /// Root mean square of the residuals with their unit in words ("3.8 nA").
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub misfit: String,
    /// Points used.
    #[serde(default)]
    pub points: u64,
    /// Corrected Akaike information criterion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aicc: Option<f64>,
    /// Warnings of the fit and anything else a reader has to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The parameters of one device under one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceCard {
    /// Version of the document's form.
    pub schema: u32,
    /// Model, by its name in [`crate::model::registry`].
    pub model: String,
    /// Version of the model's law.
    pub version: u32,
    /// Where the card holds, in words by quantity (`dose_krad_si = "0 to 500"`).
    #[serde(default)]
    pub validity: BTreeMap<String, String>,
    /// Parameters by name.
    pub parameters: BTreeMap<String, CardParameter>,
    /// Joint uncertainty of the fitted ones.
    #[serde(default)]
    pub covariance: Covariance,
    /// Where the numbers come from; a card written by hand may leave it to its parameters.
    #[serde(default = "untold")]
    pub provenance: Provenance,
}

/// The provenance of a card that has none.
fn untold() -> Provenance {
    Provenance { origin: "not told".into(), ..Provenance::default() }
}

impl CardParameter {
    /// A parameter that a fit holds at a value, and why. What was measured or fitted on another device is assumed of
    /// this one.
    pub fn held(info: &ParameterInfo, value: f64, why: &str) -> Self {
        let elsewhere = value == info.default && matches!(info.kind, Kind::Measured | Kind::Fitted);
        Self {
            value,
            unit: info.unit.into(),
            std: None,
            kind: if elsewhere { Kind::Assumed } else { info.kind },
            source: if value == info.default {
                format!("{why}; default: {}", info.source)
            } else {
                why.into()
            },
        }
    }
}

impl DeviceCard {
    /// A card with the model's defaults, each with its source.
    pub fn from_defaults(model: &ModelInfo) -> Self {
        let parameters = model
            .parameters
            .iter()
            .map(|info| {
                let parameter = CardParameter {
                    value: info.default,
                    unit: info.unit.into(),
                    std: None,
                    kind: info.kind,
                    source: info.source.into(),
                };
                (info.name.to_string(), parameter)
            })
            .collect();
        Self {
            schema: SCHEMA,
            model: model.name.into(),
            version: model.version,
            validity: BTreeMap::from([("law".into(), model.validity.into())]),
            parameters,
            covariance: Covariance::default(),
            provenance: Provenance { origin: "defaults".into(), ..Provenance::default() },
        }
    }

    /// A card of a fit: fitted values and covariance over the model's defaults, which are assumed of this device.
    /// `source` says what was fitted, `origin` where the data come from. Parameters of the fit that are none of the
    /// model's (starts of single devices) are left out, and with them their rows: what stays is the
    /// marginal covariance.
    pub fn from_fit(model: &ModelInfo, fit: &FitResult, source: &str, origin: Origin) -> Self {
        let mut card = Self::from_defaults(model);
        for info in model.parameters {
            card.parameters.insert(info.name.into(), CardParameter::held(info, info.default, "not fitted"));
        }
        let kept: Vec<usize> = (0..fit.parameters.len())
            .filter(|&index| model.parameter(&fit.parameters[index].name).is_some())
            .collect();
        let own = || kept.iter().map(|&index| &fit.parameters[index]);
        for parameter in own() {
            let std = parameter.std.is_finite().then_some(parameter.std);
            let entry = CardParameter {
                value: parameter.value,
                unit: parameter.unit.clone(),
                std,
                kind: Kind::Fitted,
                source: source.into(),
            };
            card.parameters.insert(parameter.name.clone(), entry);
        }
        card.covariance = Covariance {
            names: own().map(|parameter| parameter.name.clone()).collect(),
            matrix: kept.iter().map(|&i| kept.iter().map(|&j| fit.covariance[i][j]).collect()).collect(),
            scale: own().map(|parameter| parameter.transform).collect(),
            lower: own().map(|parameter| parameter.lower).collect(),
            upper: own().map(|parameter| parameter.upper).collect(),
        };
        card.provenance = Provenance {
            origin: origin.label().into(),
            data: vec![source.into()],
            misfit: String::new(),
            points: fit.points as u64,
            aicc: fit.aicc.is_finite().then_some(fit.aicc),
            notes: fit.warnings.clone(),
        };
        card
    }

    /// The document.
    ///
    /// # Errors
    /// When a value has no form in TOML; finite numbers and text always have one.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Reads and checks a document; `file` is named in errors.
    ///
    /// # Errors
    /// [`InputError`] with file and line for anything that is not a sound card.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, InputError> {
        let mut card: Self = toml::from_str(text).map_err(|error| {
            let wrong = InputError::new(file, error.message(), "a device card (schema 1)");
            match error.span() {
                Some(span) => wrong.at_line(1 + text[..span.start.min(text.len())].matches('\n').count()),
                None => wrong,
            }
        })?;
        card.complete();
        card.check(text, file)?;
        Ok(card)
    }

    /// Draws the fitted parameters from their covariance, on the scales of the fit, so that bounds
    /// hold; everything else keeps its value. A card with standard deviations alone, as one writes it by hand, counts
    /// as one of independent parameters. Draw `index` of `stream` is always the same.
    #[must_use]
    pub fn sampled(&self, stream: &Stream, index: u64) -> Self {
        let mut card = self.clone();
        if card.covariance.names.is_empty() {
            card.covariance = self.independent();
        }
        let drawn = card.sample(stream, index);
        for (name, value) in card.covariance.names.clone().iter().zip(drawn) {
            if let Some(parameter) = card.parameters.get_mut(name) {
                parameter.value = value;
            }
        }
        card
    }

    /// Gives a covariance without scales and bounds those of the model.
    fn complete(&mut self) {
        let covariance = &mut self.covariance;
        if !(covariance.scale.is_empty() && covariance.lower.is_empty() && covariance.upper.is_empty()) {
            return;
        }
        let Some(model) = model::find(&self.model) else { return };
        for info in covariance.names.iter().map_while(|name| model.parameter(name)) {
            covariance.scale.push(info.transform);
            covariance.lower.push(info.lower);
            covariance.upper.push(info.upper);
        }
    }

    /// Whether the card says how well any of its parameters is known.
    pub fn is_uncertain(&self) -> bool {
        !self.covariance.names.is_empty() || !self.independent().names.is_empty()
    }

    /// The covariance of parameters of which standard deviations alone are known: nothing beside the diagonal,
    /// scales and bounds as of the model.
    fn independent(&self) -> Covariance {
        let mut covariance = Covariance::default();
        let Some(model) = model::find(&self.model) else { return covariance };
        let known = model.parameters.iter().filter_map(|info| {
            let std = self.parameters.get(info.name)?.std.filter(|std| *std > 0.0 && std.is_finite())?;
            Some((info, std))
        });
        let known: Vec<(&ParameterInfo, f64)> = known.collect();
        for (i, (info, std)) in known.iter().enumerate() {
            let mut row = vec![0.0; known.len()];
            row[i] = std * std;
            covariance.matrix.push(row);
            covariance.names.push(info.name.into());
            covariance.scale.push(info.transform);
            covariance.lower.push(info.lower);
            covariance.upper.push(info.upper);
        }
        covariance
    }

    /// The values of [`Self::sampled`], in the order of `covariance.names`.
    pub fn sample(&self, stream: &Stream, index: u64) -> Vec<f64> {
        let Covariance { names, matrix, scale, lower, upper } = &self.covariance;
        let count = names.len();
        let centre: Vec<f64> =
            (0..count).map(|i| scale[i].coordinate(self.value(&names[i]), lower[i], upper[i])).collect();
        let slope: Vec<f64> = (0..count).map(|i| scale[i].slope(centre[i], lower[i], upper[i])).collect();
        let on_scale: Vec<Vec<f64>> =
            (0..count).map(|i| (0..count).map(|j| matrix[i][j] / (slope[i] * slope[j])).collect()).collect();
        let root = lower_root(&on_scale);
        let normals: Vec<f64> = (0..count).map(|k| stream.normal(index * count as u64 + k as u64)).collect();
        (0..count)
            .map(|i| {
                if matrix[i][i] <= 0.0 {
                    return self.value(&names[i]);
                }
                let offset: f64 = root[i].iter().zip(&normals).map(|(l, z)| l * z).sum();
                scale[i].value(centre[i] + offset, lower[i], upper[i])
            })
            .collect()
    }

    /// Value of the parameter of this name; NaN if the card has none.
    pub fn value(&self, name: &str) -> f64 {
        self.parameters.get(name).map_or(f64::NAN, |parameter| parameter.value)
    }

    /// Values in the order in which `model` takes them; its defaults where the card has none.
    pub fn values(&self, model: &ModelInfo) -> Vec<f64> {
        model
            .parameters
            .iter()
            .map(|info| self.parameters.get(info.name).map_or(info.default, |found| found.value))
            .collect()
    }

    fn check(&self, text: &str, file: &str) -> Result<(), InputError> {
        let wrong = |key: &str, found: String, expected: String| {
            let error = InputError::new(file, found, expected);
            match text.lines().position(|line| line.contains(key)) {
                Some(line) => error.at_line(line + 1),
                None => error,
            }
        };
        if self.schema != SCHEMA {
            return Err(wrong("schema", format!("schema {}", self.schema), format!("schema {SCHEMA}")));
        }
        let Some(model) = model::find(&self.model) else {
            let names: Vec<&str> = model::registry().iter().map(|model| model.name).collect();
            return Err(wrong(
                "model",
                format!("model `{}`", self.model),
                format!("one of {}", names.join(", ")),
            ));
        };
        if self.version != model.version {
            let (found, expected) = (self.version, model.version);
            return Err(wrong(
                "version",
                format!("version {found} of {}", model.name),
                format!("version {expected}"),
            ));
        }
        for (name, parameter) in &self.parameters {
            let key = format!("parameters.{name}");
            let Some(info) = model.parameter(name) else {
                let names: Vec<&str> = model.parameters.iter().map(|info| info.name).collect();
                return Err(wrong(
                    &key,
                    format!("parameter `{name}`"),
                    format!("one of {}", names.join(", ")),
                ));
            };
            if parameter.unit != info.unit {
                return Err(wrong(
                    &key,
                    format!("{name} in `{}`", parameter.unit),
                    format!("unit `{}`", info.unit),
                ));
            }
            if !parameter.value.is_finite()
                || parameter.std.is_some_and(|std| !(std >= 0.0 && std.is_finite()))
            {
                let found = format!("{name} = {} +- {:?}", parameter.value, parameter.std);
                return Err(wrong(
                    &key,
                    found,
                    "a finite value and a standard deviation of at least 0".into(),
                ));
            }
        }
        self.covariance
            .check(&self.parameters)
            .map_err(|(found, expected)| wrong("[covariance]", found, expected))
    }
}

impl Covariance {
    fn check(&self, parameters: &BTreeMap<String, CardParameter>) -> Result<(), (String, String)> {
        let count = self.names.len();
        let rows = self.matrix.len();
        if rows != count || self.matrix.iter().any(|row| row.len() != count) {
            return Err((format!("{rows} rows for {count} names"), "a square matrix, one row a name".into()));
        }
        if [self.scale.len(), self.lower.len(), self.upper.len()] != [count; 3] {
            return Err(("scales or bounds of another length".into(), format!("{count} of each")));
        }
        for (i, name) in self.names.iter().enumerate() {
            if !parameters.contains_key(name) {
                return Err((format!("`{name}`"), "names of parameters of this card".into()));
            }
            let room = match self.scale[i] {
                Transform::Free => true,
                Transform::Linear => self.lower[i] < self.upper[i],
                Transform::Log => 0.0 < self.lower[i] && self.lower[i] < self.upper[i],
            };
            if !room {
                let found = format!("bounds {} to {} of {name}", self.lower[i], self.upper[i]);
                return Err((found, "a lower bound below the upper, above 0 on a log scale".into()));
            }
            for j in 0..count {
                let (a, b) = (self.matrix[i][j], self.matrix[j][i]);
                let limit = (self.matrix[i][i] * self.matrix[j][j]).sqrt();
                let sound = a.is_finite() && (a - b).abs() <= 1e-9 * limit && a.abs() <= limit * (1.0 + 1e-9);
                if !sound {
                    let found = format!("{a:e} for {name} and {}", self.names[j]);
                    return Err((found, "a symmetric matrix without correlations beyond 1".into()));
                }
            }
        }
        Ok(())
    }
}

/// Lower triangular root of a covariance matrix; directions without variance get none (rounding can
/// leave them slightly negative).
fn lower_root(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count = matrix.len();
    let mut root = vec![vec![0.0; count]; count];
    for j in 0..count {
        let spent: f64 = root[j][..j].iter().map(|l| l * l).sum();
        let rest = matrix[j][j] - spent;
        if !(rest > 1e-14 * matrix[j][j] && matrix[j][j].is_finite()) {
            continue;
        }
        let pivot = rest.sqrt();
        root[j][j] = pivot;
        for i in j + 1..count {
            let shared: f64 = (0..j).map(|k| root[i][k] * root[j][k]).sum();
            root[i][j] = (matrix[i][j] - shared) / pivot;
        }
    }
    root
}

#[cfg(test)]
mod tests;
