//! `evaluate.history`: a network on arrays of a device along its history, at every report of it.

use super::artifact::{cells_table, with_table};
use super::evaluate::{Common, checked, evaluate};
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError};
use mho_data::InputError;
use mho_lut::AnyTable;
use mho_network::evaluate::Condition;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `evaluate.history`.
pub(super) struct AlongReports;

#[derive(Default, Serialize, Deserialize)]
struct Params {
    #[serde(flatten)]
    common: Common,
}

impl Stage for AlongReports {
    fn name(&self) -> &'static str {
        "evaluate.history"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "accuracy of a network at every report of a history"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("network"), Role::required("table")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<Params>(given)
    }

    fn seconds(&self) -> f64 {
        6.0
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let Params { common } = context.params()?;
        let artifact = context.input("table")?;
        let AnyTable::History(table) = cells_table(artifact)? else {
            let expected = "a table of table.history, whose reports are evaluated";
            return Err(InputError::new(&artifact.name, "a table without a history", expected).into());
        };
        let conditions: Vec<Condition> = table
            .reports()
            .iter()
            .map(|report| Condition::new(report.time_s, report.dose_krad_si, common.effects))
            .collect();
        let trials = evaluate(context, &common, Some(artifact), &conditions)?;
        let file = format!("{}.csv", context.target);
        let outputs = with_table(Outputs::new(), "trials", &trials)?;
        Ok(outputs.exported("csv", "evaluations", file, trials.to_csv()))
    }
}
