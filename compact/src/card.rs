//! Device cards: the parameters of one device with their covariance, as a TOML document.

use crate::fit::{FitResult, Transform};
use crate::model::{Kind, ModelInfo};
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
    /// Scale of each parameter: samples are drawn there, so that they stay inside the bounds.
    pub scale: Vec<Transform>,
    /// Lower bound of each parameter.
    pub lower: Vec<f64>,
    /// Upper bound of each parameter.
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
    /// Where the numbers come from.
    pub provenance: Provenance,
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

    /// A card of a fit: fitted values and covariance over the model's defaults. `source` says what
    /// was fitted; parameters of the fit that the model does not list are added.
    pub fn from_fit(model: &ModelInfo, fit: &FitResult, source: &str, origin: &str) -> Self {
        let mut card = Self::from_defaults(model);
        for parameter in &fit.parameters {
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
            names: fit.parameters.iter().map(|parameter| parameter.name.clone()).collect(),
            matrix: fit.covariance.clone(),
            scale: fit.parameters.iter().map(|parameter| parameter.transform).collect(),
            lower: fit.parameters.iter().map(|parameter| parameter.lower).collect(),
            upper: fit.parameters.iter().map(|parameter| parameter.upper).collect(),
        };
        card.provenance = Provenance {
            origin: origin.into(),
            data: vec![source.into()],
            misfit: String::new(),
            points: fit.points as u64,
            aicc: fit.aicc.is_finite().then_some(fit.aicc),
            notes: fit.warnings.clone(),
        };
        card
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
}
