//! Tables of updates compiled from a law, or from a published device.

use super::super::{Answer, CliError, Globals};
use super::build::{BuildArgs, name};
use super::kinds::{update_document, update_page};
use crate::stages::artifact::origin_of;
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::update::{CycleNoise, StepSource};
use mho_lut::{UpdateOptions, compile_updates};

/// The steps of a card of an update law; `None` for another card.
pub(super) fn of_card(args: &BuildArgs, card: &DeviceCard) -> Option<StepSource> {
    let noise = match args.cycle_noise {
        0.0 => CycleNoise::None,
        sigma => CycleNoise::Multiplicative { sigma },
    };
    StepSource::of_card(&name(args), origin_of(card), card, noise)
}

pub(super) fn build(args: &BuildArgs, source: &StepSource, globals: &Globals) -> Answer {
    if args.history.is_some() || args.samples > 0 || !args.rivals.is_empty() {
        let why = "a table of updates has no history, samples or rivals";
        return Err(CliError::Usage(why.into()));
    }
    let table = compile_updates(source, &UpdateOptions { tolerance_fraction: args.tolerance })?;
    if let Some(certificate) = table.certificate().filter(|certificate| !certificate.met()) {
        return Err(CliError::Failed(format!(
            "no table: the interpolation error stays at {:.2e} of the largest step ({:?} at state {:.3}), --tolerance \
             asks for {:.2e}",
            certificate.max_error_fraction,
            certificate.direction,
            certificate.conductance,
            certificate.tolerance_fraction
        )));
    }
    replace_file(&args.out, &table.to_bytes()?)?;
    if globals.json {
        return Ok(update_document(&table));
    }
    Ok(format!("{}table: {}\n", update_page(&table), args.out.display()))
}
