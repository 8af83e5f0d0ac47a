//! `table.samples` and `table.choices`: what the fitted parameters and the choice of model do to the table of a
//! charge-trap cell.

use super::super::artifact::card;
use super::sampled::{self, Sampled, one};
use super::sonos::{Cards, Params, ROLES, checked};
use super::{compiled, gathered, shards};
use crate::stage::{Artifact, Context, Outputs, ParamError, Role, Shard, Stage, StageError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `table.samples`: samples of the cards' parameters from their covariances.
pub(crate) struct Samples;
/// `table.choices`: the default table with one choice changed at a time.
pub(crate) struct Choices;

impl Stage for Samples {
    fn name(&self) -> &'static str {
        "table.samples"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "device tables of samples of the fitted parameters"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<Sampled<Params>>(given)
    }

    fn seconds(&self) -> f64 {
        8.0
    }

    fn shards(&self, params: &Value, _inputs: &[Artifact]) -> Vec<Shard> {
        sampled::samples(params)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Sampled<Params> = context.params()?;
        let (index, name) = (params.index(), sampled::name(params.index()));
        let cell = Cards::read(context)?.sampled(context.seed, index).cell(&params.table, &name)?;
        one(&compiled(context, &cell, &params.table.compile())?, &name)
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        Ok(gathered(context))
    }
}

#[derive(Serialize, Deserialize)]
struct ChoicesParams {
    #[serde(flatten)]
    table: Params,
    /// Other gate areas (um2).
    gate_areas_um2: Vec<f64>,
    /// Other values of V_inf - V_N (V).
    v_inf_offsets_v: Vec<f64>,
    /// The choice of one shard.
    choice: Option<Choice>,
}

impl Default for ChoicesParams {
    fn default() -> Self {
        Self {
            table: Params::default(),
            gate_areas_um2: vec![0.03, 0.1],
            v_inf_offsets_v: vec![-0.45, 0.0, 0.2],
            choice: None,
        }
    }
}

/// One choice that differs from the default table.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    /// The dose law of this card.
    Law(String),
    /// Gate area (um2).
    GateArea(f64),
    /// V_inf - V_N (V).
    Offset(f64),
}

impl Choice {
    fn name(&self) -> String {
        match self {
            Self::Law(law) => format!("law {law}"),
            Self::GateArea(area) => format!("gate area {area} um2"),
            Self::Offset(offset) => format!("V_inf - V_N = {offset:+} V"),
        }
    }
}

impl Stage for Choices {
    fn name(&self) -> &'static str {
        "table.choices"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "device tables with one choice of model changed at a time"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<ChoicesParams>(given)
    }

    fn seconds(&self) -> f64 {
        10.0
    }

    fn shards(&self, params: &Value, inputs: &[Artifact]) -> Vec<Shard> {
        let numbers = |key: &str, default: Vec<f64>| -> Vec<f64> {
            match params.get(key).and_then(Value::as_array) {
                Some(list) => list.iter().filter_map(Value::as_f64).collect(),
                None => default,
            }
        };
        let defaults = ChoicesParams::default();
        let laws = inputs.iter().filter(|artifact| artifact.role == "dose").map(|artifact| {
            let law = if artifact.output() == "card" { artifact.target() } else { artifact.output() };
            Choice::Law(law.to_owned())
        });
        let areas = numbers("gate_areas_um2", defaults.gate_areas_um2).into_iter().map(Choice::GateArea);
        let offsets = numbers("v_inf_offsets_v", defaults.v_inf_offsets_v).into_iter().map(Choice::Offset);
        let items = laws.chain(areas).chain(offsets).map(|choice| {
            let value = serde_json::to_value(&choice).unwrap_or(Value::Null);
            (choice.name(), "choice", value)
        });
        let mut shards = shards(params, items.collect(), "gate_areas_um2");
        for shard in &mut shards {
            if let Value::Object(map) = &mut shard.params {
                map.remove("v_inf_offsets_v");
            }
        }
        shards
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let ChoicesParams { mut table, choice, .. } = context.params()?;
        let choice = choice.ok_or_else(|| StageError::Failed("a shard without a choice".into()))?;
        let mut cards = Cards::read(context)?;
        match &choice {
            Choice::Law(law) => {
                let chosen = context.inputs("dose").into_iter().find(|artifact| {
                    artifact.output() == law || (artifact.output() == "card" && artifact.target() == law)
                });
                cards.dose = chosen.map(card).transpose()?;
            }
            Choice::GateArea(area) => table.gate_area_um2 = *area,
            // Only the closed form has a V_inf to set.
            Choice::Offset(offset) => {
                table.v_inf_offset_v = Some(*offset);
                let closed =
                    context.inputs("dose").into_iter().find(|artifact| artifact.output() == "tid-exp");
                cards.dose = closed.map(card).transpose()?;
            }
        }
        let name = choice.name();
        let compiled = compiled(context, &cards.cell(&table, &name)?, &table.compile())?;
        Ok(Outputs::new().with(name, "table.safetensors", compiled.to_bytes().map_err(StageError::failed)?))
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        Ok(gathered(context))
    }
}
