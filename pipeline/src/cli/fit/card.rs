//! The card of a fit of readings with a law.

use super::each::Fitted;
use super::words::misfit_of;
use mho_compact::card::{CardParameter, DeviceCard};
use mho_compact::fit::{FitResult, Regression};
use mho_compact::model::ModelInfo;
use mho_data::measurement::Measurement;
use mho_data::provenance::Origin;

/// What a card says besides the fit.
#[derive(Clone, Copy)]
pub(super) struct Data<'a> {
    /// Files, in words.
    pub source: &'a str,
    /// Files with their digests.
    pub lines: &'a [String],
    /// Where they come from.
    pub origin: Origin,
    /// What was read of them.
    pub measurement: Option<&'a Measurement>,
}

/// The card of a fit: fitted and held parameters, and how far the readings reach.
pub(super) fn card(
    model: &ModelInfo,
    regression: &Regression<'_>,
    fit: &FitResult,
    data: Data<'_>,
) -> DeviceCard {
    let mut card = DeviceCard::from_fit(model, fit, data.source, data.origin);
    for fixed in &regression.fixed {
        if let Some(info) = model.parameter(fixed.name) {
            card.parameters.insert(fixed.name.into(), CardParameter::held(info, fixed.value, &fixed.why));
        }
    }
    let series = || regression.devices.iter().flat_map(|device| &device.series);
    let span = |values: &mut dyn Iterator<Item = f64>| {
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    for (axis, (low, high)) in [
        (regression.x, span(&mut series().flat_map(|s| s.x.iter().copied()))),
        (regression.y, span(&mut series().flat_map(|s| s.y.iter().copied()))),
    ] {
        card.validity
            .insert(format!("fitted {}", axis.title), format!("{low:.4e} to {high:.4e} {}", axis.unit));
    }
    if let Some(measurement) = data.measurement {
        super::sources::reach(&mut card, measurement);
    }
    card.provenance.data = data.lines.to_vec();
    card.provenance.misfit = misfit_of(regression, fit);
    card
}

/// The card of a fit with everything that was asked for.
pub(super) fn of(model: &ModelInfo, fitted: &Fitted) -> DeviceCard {
    let lines = fitted.sources.lines();
    let measurement = fitted.measurement.as_ref();
    let data = Data { source: &fitted.source, lines: &lines, origin: fitted.origin, measurement };
    card(model, &fitted.regression, &fitted.fit, data)
}
