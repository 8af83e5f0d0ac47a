//! Fits of resistive cells, whose readings do not tell the window of their conductances.

use super::FitArgs;
use crate::cli::CliError;
use crate::stage::nearest;
use mho_compact::fit::Regression;
use mho_compact::inference::{self, Model};
use mho_data::measurement::Measurement;

/// The parameter that says how large a conductance is programmed.
const WINDOW: &str = "g_max_us";

/// The law with the cells of a measurement, holding what was asked, and the largest conductance that the preamble's
/// `current_max_na` and `read_v` give.
pub(super) fn regression(
    model: &Model,
    args: &FitArgs,
    measurement: &Measurement,
) -> Result<Regression<'static>, CliError> {
    let mut held = args.hold.clone();
    for (name, value) in &held {
        let names = model.info.parameters.iter().map(|info| info.name);
        let info = model.info.parameter(name).ok_or_else(|| {
            CliError::Usage(format!("--hold: {} has no `{name}`: {}", model.info.name, nearest(name, names)))
        })?;
        if !(info.lower..=info.upper).contains(value) {
            return Err(CliError::Usage(format!(
                "--hold {name}={value}: expected {} to {} {}",
                info.lower, info.upper, info.unit
            )));
        }
    }
    let given = held.len();
    if let Some(window_us) = window_us(model, measurement)
        && !held.iter().any(|(name, _)| name == WINDOW)
    {
        held.push((WINDOW.into(), window_us));
    }
    let mut regression = inference::regression(&model.holding(&held), measurement)?;
    for (index, (name, _)) in held.iter().enumerate() {
        let why = if index < given { "given" } else { "current_max_na over read_v of the preamble" };
        if let Some(fixed) = regression.fixed.iter_mut().find(|fixed| fixed.name == name) {
            fixed.why = why.into();
        } else {
            regression.notes.push(format!("{name} is fitted: holding it only gave it a start"));
        }
    }
    Ok(regression)
}

/// The largest conductance (uS) of cells whose current is proportional to it, as the preamble knows it.
fn window_us(model: &Model, measurement: &Measurement) -> Option<f64> {
    let number = |key: &str| measurement.preamble(key)?.trim_end_matches([' ', 'V']).parse::<f64>().ok();
    let info = model.info.parameter(WINDOW)?;
    let (max_na, read_v) = (number("current_max_na")?, number("read_v")?);
    let cell = model.default_cell();
    let [_, known_us] = cell.window_us();
    let proportional = (cell.current_na(known_us, read_v) - 1e3 * known_us * read_v).abs() < 1e-6 * known_us;
    // nA over V is nS. Digits that the division invents are dropped.
    let window_us = (1e-3 * max_na / read_v * 1e9).round() / 1e9;
    let useful = proportional && window_us != info.default && (info.lower..=info.upper).contains(&window_us);
    useful.then_some(window_us)
}
