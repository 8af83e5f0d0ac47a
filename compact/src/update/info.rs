//! Short forms for the parameters of update laws.

use crate::model::{Kind, ParameterInfo, Transform};

/// Design notes that all of the laws stand in.
pub(super) const NOTES: &str = "design notes: device laws, pulsed update; physics B.5 and C";

/// Presets whose parameters were fitted or assumed by their authors.
const BEFORE: &str = "order of magnitude of published presets (device laws); every fit replaces it";

/// A parameter of the weight scale, known to a factor.
pub(super) const fn scale(
    name: &'static str,
    default: f64,
    lower: f64,
    upper: f64,
    meaning: &'static str,
) -> ParameterInfo {
    parameter(name, default, lower, upper, Transform::Log, meaning)
}

/// A parameter that may have either sign or reach zero.
pub(super) const fn number(
    name: &'static str,
    default: f64,
    lower: f64,
    upper: f64,
    meaning: &'static str,
) -> ParameterInfo {
    parameter(name, default, lower, upper, Transform::Linear, meaning)
}

const fn parameter(
    name: &'static str,
    default: f64,
    lower: f64,
    upper: f64,
    transform: Transform,
    meaning: &'static str,
) -> ParameterInfo {
    ParameterInfo {
        name,
        unit: "1",
        default,
        lower,
        upper,
        transform,
        kind: Kind::Assumed,
        source: BEFORE,
        meaning,
    }
}

/// Scale of an up step at weight zero.
pub(super) const STEP_UP: ParameterInfo =
    scale("step_up", 2e-3, 1e-8, 10.0, "weight that one up pulse adds at weight 0");

/// Scale of a down step at weight zero.
pub(super) const STEP_DOWN: ParameterInfo =
    scale("step_down", 2e-3, 1e-8, 10.0, "weight that one down pulse takes at weight 0");

/// Upper bound.
pub(super) const UPPER: ParameterInfo =
    scale("w_max", 1.0, 1e-2, 100.0, "upper bound of the weight, above 0");

/// Lower bound, with its sign turned so that it is positive and known to a factor.
pub(super) const LOWER: ParameterInfo =
    scale("minus_w_min", 1.0, 1e-2, 100.0, "lower bound of the weight, its sign turned");
