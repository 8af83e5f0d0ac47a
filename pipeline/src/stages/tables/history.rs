//! `table.history`: what becomes of a device along a mission: segments of dose rate, temperature and bias.

use super::super::artifact::card;
use super::assemble::Device;
use super::parts::{Named, Reading};
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError};
use mho_lut::{History, HistoryOptions, Segment, compile_history};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `table.history`.
pub(crate) struct AlongHistory;

#[derive(Serialize, Deserialize)]
struct Params {
    #[serde(flatten)]
    reading: Reading,
    /// Segments in their order: duration_s, dose_rate_rad_si_per_s, temperature_k, gate_bias_v.
    segments: Vec<Segment>,
    /// Times in the history at which the table reports (s), ascending.
    reports_s: Vec<f64>,
    /// Largest interpolation error, as a fraction of the largest current.
    tolerance_fraction: f64,
}

impl Default for Params {
    fn default() -> Self {
        let tolerance_fraction = HistoryOptions::default().tolerance_fraction;
        Self { reading: Reading::default(), segments: Vec::new(), reports_s: Vec::new(), tolerance_fraction }
    }
}

impl Stage for AlongHistory {
    fn name(&self) -> &'static str {
        "table.history"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "device table along a history of dose rate, temperature and time, from cards"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("cards")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        let resolved = super::device::checked::<Params>(given)?;
        let wrong = |key: &str, found: String, expected: &str| ParamError {
            key: key.into(),
            found,
            expected: expected.into(),
        };
        let expected = "segments = [{ duration_s = …, dose_rate_rad_si_per_s = …, temperature_k = … }, …]";
        let list = given.get("segments").cloned().unwrap_or_else(|| json!([]));
        let segments: Vec<Segment> =
            serde_json::from_value(list).map_err(|error| wrong("segments", error.to_string(), expected))?;
        let history =
            History::new(segments).map_err(|error| wrong("segments", error.to_string(), expected))?;
        let reports = given.get("reports_s").and_then(Value::as_array).cloned().unwrap_or_default();
        let reports: Vec<f64> = reports.iter().filter_map(Value::as_f64).collect();
        if reports.is_empty() || reports.windows(2).any(|pair| pair[0] >= pair[1]) {
            let found = format!("{reports:?}");
            return Err(wrong("reports_s", found, "ascending times in the history, at least one"));
        }
        for &time_s in &reports {
            history.at(time_s).map_err(|error| {
                wrong("reports_s", error.to_string(), "times from 0 to the end of the last segment")
            })?;
        }
        Ok(resolved)
    }

    fn seconds(&self) -> f64 {
        2.0
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let mut cards = Vec::new();
        for artifact in context.inputs("cards").into_iter().filter(|a| a.file.ends_with(".toml")) {
            cards.push(Named { file: artifact.name.clone(), card: card(artifact)? });
        }
        let source = Device::new(cards, &params.reading)?.source(&context.target)?;
        let history = History::new(params.segments).map_err(StageError::failed)?;
        let options =
            HistoryOptions { tolerance_fraction: params.tolerance_fraction, ..HistoryOptions::default() };
        let table = compile_history(source.as_ref(), &history, &params.reports_s, &options)
            .map_err(StageError::failed)?;
        if !table.certificate().met() {
            context.warn(format!(
                "interpolation error {:.2e} of the range, wanted {:.2e}",
                table.certificate().max_error_fraction,
                table.certificate().tolerance_fraction
            ));
        }
        if table.extrapolated_nodes() > 0 {
            context.warn(format!(
                "{} of the table's nodes lie outside of what its cards were fitted to",
                table.extrapolated_nodes()
            ));
        }
        for note in table.notes() {
            context.warn(note.clone());
        }
        context.warn(
            "along a history accuracy has the band of the draw of devices alone: those of the fitted parameters and of the \
             choice of model need table.device-samples and table.device-choices, which know no history",
        );
        let about = json!({
            "name": table.name(),
            "origin": table.origin().label(),
            "history": table.history(),
            "reports": table.reports(),
            "certificate": table.certificate(),
            "extrapolated_nodes": table.extrapolated_nodes(),
            "notes": table.notes(),
        });
        let file = format!("{}.safetensors", context.target);
        let bytes = table.to_bytes().map_err(StageError::failed)?;
        Ok(Outputs::new()
            .exported("table", "tables", file, bytes)
            .with("about", "about.json", serde_json::to_vec(&about).map_err(StageError::failed)?)
            .with("origin", "origin.txt", table.origin().label()))
    }
}
