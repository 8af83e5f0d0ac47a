//! `figures`: every figure of the report, as SVG with its data beside.

use super::artifact::table;
use crate::figures::{device, kit::Figure, network};
use crate::key::digest;
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_data::provenance::Origin;
use mho_data::table::{Table, TableError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) struct Figures;

/// From a table and a note to a figure.
type Draw = fn(&Table, &str) -> Result<Figure, TableError>;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {}

impl Stage for Figures {
    fn name(&self) -> &'static str {
        "figures"
    }

    fn version(&self) -> u32 {
        6
    }

    fn about(&self) -> &'static str {
        "the figures of the device and of the networks"
    }

    fn roles(&self) -> &'static [Role] {
        const {
            &[
                Role::optional("sweeps"),
                Role::optional("thresholds"),
                Role::optional("programming"),
                Role::optional("retention"),
                Role::optional("currents"),
                Role::optional("summary"),
                Role::optional("tables"),
            ]
        }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<Params>(given)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        // Each measurement has an origin of its own: a user's sweeps do not make synthetic currents measured.
        let is_synthetic = |role: &str| {
            context.inputs(role).iter().any(|artifact| {
                artifact.output() == "origin" && artifact.bytes == Origin::Synthetic.label().as_bytes()
            })
        };
        let label = |role: &str| if is_synthetic(role) { "synthetic data" } else { "measured" };
        let synthetic = is_synthetic("sweeps");
        // Whose device it is that the tables describe, where the study says which tables it evaluates.
        let devices: Vec<String> = context
            .inputs("tables")
            .iter()
            .filter(|artifact| artifact.output() == "origin")
            .map(|artifact| String::from_utf8_lossy(&artifact.bytes).into_owned())
            .collect();
        let of_devices =
            format!("model prediction; device: {}", crate::figures::distinct(&devices).join(", "));
        let predicted = if !devices.is_empty() {
            of_devices.as_str()
        } else if synthetic || is_synthetic("currents") {
            "model prediction; dose law fitted to synthetic data"
        } else {
            "model prediction from fitted measurements"
        };
        let drifting = if !devices.is_empty() {
            predicted
        } else if synthetic {
            "model fitted to published drift; transistor fitted to synthetic data"
        } else {
            "model fitted to published drift; transistor fitted to measurements"
        };
        let published = "published measurements (points) and fits";
        let mut outputs = Outputs::new();
        let wrong = |error: TableError| StageError::failed(error);
        let has = |role: &str| context.optional(role).is_some();
        let read = |role: &str, output: &str| table(context.named(role, output)?);
        let add = |outputs: Outputs, name: &str, figure: &Figure| -> Result<Outputs, StageError> {
            let data = figure.csv(&[]);
            let record = json!({
                "figure": name,
                "target": context.target,
                "stage": context.stage,
                "data": digest(data.as_bytes()),
            });
            let svg = figure.svg(&record.to_string()).map_err(StageError::failed)?;
            Ok(outputs.exported(name, "figures", format!("{name}.svg"), svg).exported(
                format!("{name}-data"),
                "figures",
                format!("{name}.csv"),
                data,
            ))
        };
        if has("sweeps") {
            let figure = device::sweeps(&read("sweeps", "curves")?, label("sweeps")).map_err(wrong)?;
            outputs = add(outputs, "idvg", &figure)?;
        }
        if has("thresholds") {
            let figure = device::thresholds(
                &read("thresholds", "points")?,
                &read("thresholds", "curves")?,
                label("sweeps"),
            );
            outputs = add(outputs, "vt-dose", &figure.map_err(wrong)?)?;
        }
        if has("programming") {
            let (points, curves) = (read("programming", "points")?, read("programming", "curves")?);
            outputs = add(outputs, "spread", &device::spread(&points, &curves, published).map_err(wrong)?)?;
        }
        if has("retention") {
            let (points, curves) = (read("retention", "points")?, read("retention", "curves")?);
            outputs = add(outputs, "drift", &device::drift(&points, &curves, published).map_err(wrong)?)?;
        }
        if has("currents") {
            let (points, curves) = (read("currents", "points")?, read("currents", "curves")?);
            outputs = add(
                outputs,
                "currents",
                &device::currents(&points, &curves, label("currents")).map_err(wrong)?,
            )?;
        }
        if has("summary") {
            let histogram = network::weights(&read("summary", "weight-histogram")?, "").map_err(wrong)?;
            outputs = add(outputs, "weights", &histogram)?;
            let drawn: [(&str, &str, Draw, &str); 3] = [
                ("accuracy-dose", "dose_krad_si", network::accuracy_dose, predicted),
                ("accuracy-time", "time_s", network::accuracy_time, drifting),
                ("ablation", "step", network::ablation, predicted),
            ];
            for (name, along, draw, note) in drawn {
                let data = read("summary", name)?;
                if !data.floats(along).map_err(wrong)?.is_empty() {
                    outputs = add(outputs, name, &draw(&data, note).map_err(wrong)?)?;
                }
            }
            for (name, along, draw) in [
                ("loss-dose", "dose_krad_si", network::loss_dose as Draw),
                ("loss-time", "time_s", network::loss_time as Draw),
            ] {
                let Ok(artifact) = context.named("summary", name) else { continue };
                outputs = add(outputs, name, &draw(&table(artifact)?, predicted).map_err(wrong)?)?;
                let parts = network::accuracy_parts(&read("summary", "accuracy-parts")?, along, predicted);
                outputs = add(outputs, "accuracy-parts", &parts.map_err(wrong)?)?;
            }
        }
        Ok(outputs)
    }
}
