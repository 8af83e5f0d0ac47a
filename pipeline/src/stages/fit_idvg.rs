//! `fit.idvg`: one transistor a sweep, and the card of the transistor that they have in common.

use super::artifact::{measurement, with_card, with_table};
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_compact::card::DeviceCard;
use mho_compact::ekv;
use mho_compact::idvg::{SweepOptions, fit_all};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) struct FitIdVg;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Relative standard deviation of a current well above the noise floor.
    relative: f64,
    /// Starts of a fit whose residuals demand more than one.
    starts: usize,
}

impl Default for Params {
    fn default() -> Self {
        let options = SweepOptions::default();
        Self { relative: options.relative, starts: options.starts }
    }
}

impl Stage for FitIdVg {
    fn name(&self) -> &'static str {
        "fit.idvg"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "EKV transistor fitted to every sweep: thresholds with uncertainty"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("sweeps")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<Params>(given)
    }

    fn seconds(&self) -> f64 {
        1.0
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let sweeps = measurement(context, "sweeps")?;
        let options =
            SweepOptions { relative: params.relative, starts: params.starts, ..SweepOptions::default() };
        let fit = fit_all(&sweeps.table, &options).map_err(StageError::failed)?;
        for refused in fit.refused() {
            context.warn(format!("not fitted: {refused}"));
        }
        let pooled = fit.pooled().ok_or_else(|| StageError::Failed("no sweep could be fitted".into()))?;
        let source =
            format!("{} of target {}", sweeps.sidecar.kind.title(), context.input("sweeps")?.target());
        let card = DeviceCard::from_fit(&ekv::INFO, &pooled, &source, sweeps.sidecar.origin);
        let outputs = with_table(Outputs::new(), "thresholds", &fit.results())?;
        let outputs = with_table(outputs, "curves", &fit.curves())?;
        let outputs = outputs.with("origin", "origin.txt", sweeps.sidecar.origin.label());
        with_card(outputs, "ekv", &context.target, &card)
    }
}
