//! The stages, one file a concern: what turns which artifacts into which.

pub(crate) mod artifact;
mod evaluate;
mod evaluate_history;
mod figures;
mod fit_currents;
mod fit_dose;
mod fit_idvg;
mod fit_published;
mod import;
mod measure;
mod reach;
mod report;
pub(crate) mod summary;
pub(crate) mod tables;
mod train;

use crate::stage::Stage;

/// Every stage that a study can name.
pub fn registry() -> Vec<Box<dyn Stage>> {
    vec![
        Box::new(measure::Published),
        Box::new(measure::IDVG),
        Box::new(measure::STATE_CURRENTS),
        Box::new(measure::Cards),
        Box::new(fit_idvg::FitIdVg),
        Box::new(fit_dose::FitDose),
        Box::new(fit_published::FitRetention),
        Box::new(fit_published::FitProgramming),
        Box::new(fit_currents::FitCurrentShift),
        Box::new(tables::Sonos),
        Box::new(tables::FromPublished),
        Box::new(tables::Samples),
        Box::new(tables::Choices),
        Box::new(tables::OfDevice),
        Box::new(tables::DeviceSamples),
        Box::new(tables::DeviceChoices),
        Box::new(tables::AlongHistory),
        Box::new(train::Train),
        Box::new(import::Import),
        Box::new(evaluate::Grid),
        Box::new(evaluate::Ablation),
        Box::new(evaluate::Tables),
        Box::new(evaluate_history::AlongReports),
        Box::new(summary::Summary),
        Box::new(figures::Figures),
        Box::new(report::ReportPage),
    ]
}
