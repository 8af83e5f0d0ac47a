//! `table.sonos`: the charge-trap cell from its fitted cards.

use super::super::artifact::{card, origin_of, table};
use super::{certificate_json, compiled, with_device_table};
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_compact::card::DeviceCard;
use mho_compact::cell::{CellParameters, DoseLaw, SonosCell};
use mho_compact::current_shift::{self, CurrentShift};
use mho_compact::ekv::Ekv;
use mho_compact::programming::Programming;
use mho_compact::retention::Retention;
use mho_compact::tid::Law;
use mho_data::random::Stream;
use mho_data::table::Table;
use mho_lut::CompileOptions;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `table.sonos`: the best estimate of every card.
pub(crate) struct Sonos;

pub(super) const ROLES: &[Role] = &[
    Role::optional("transfer"),
    Role::required("retention"),
    Role::required("programming"),
    Role::optional("dose"),
    Role::optional("thresholds"),
];

/// What a table of a SONOS cell needs besides the cards.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Params {
    /// Gate area, which sets the counting statistics of trapped charge (um2).
    pub(crate) gate_area_um2: f64,
    /// Charges that are caught together.
    pub(crate) cluster_factor: f64,
    /// Spread of ln D_c from cell to cell.
    pub(crate) dose_c_spread: f64,
    /// V_inf - V_N (V) in place of the fitted one.
    pub(crate) v_inf_offset_v: Option<f64>,
    /// D_c (krad(Si)) in place of the fitted one; with `v_inf_offset_v` no dose card is needed.
    pub(crate) dose_c_krad_si: Option<f64>,
    /// Current of state 1 (nA).
    pub(crate) current_max_na: f64,
    /// Largest interpolation error, as a fraction of the largest current.
    pub(crate) tolerance_fraction: f64,
    /// Longest time (s).
    pub(crate) time_max_s: f64,
    /// Largest dose (krad(Si)).
    pub(crate) dose_max_krad_si: f64,
}

impl Default for Params {
    fn default() -> Self {
        let cell = CellParameters::default();
        Self {
            gate_area_um2: cell.gate_area_m2 * 1e12,
            cluster_factor: cell.cluster_factor,
            dose_c_spread: cell.dose_c_spread,
            v_inf_offset_v: None,
            dose_c_krad_si: None,
            current_max_na: cell.current_max_na,
            tolerance_fraction: 1e-3,
            time_max_s: 432_000.0,
            dose_max_krad_si: 1000.0,
        }
    }
}

impl Params {
    pub(super) fn compile(&self) -> CompileOptions {
        CompileOptions {
            tolerance_fraction: self.tolerance_fraction,
            time_max_s: self.time_max_s,
            dose_max_krad_si: self.dose_max_krad_si,
        }
    }
}

/// The cards that a cell is made from.
#[derive(Clone)]
pub(crate) struct Cards {
    pub(crate) transfer: Option<DeviceCard>,
    pub(crate) retention: DeviceCard,
    pub(crate) programming: DeviceCard,
    pub(crate) dose: Option<DeviceCard>,
    /// Threshold (V) of the state nearest to neutral, before any dose.
    pub(crate) vt_neutral_v: Option<f64>,
}

impl Cards {
    pub(super) fn read(context: &Context<'_>) -> Result<Self, StageError> {
        let optional = |role: &str| context.optional(role).map(card).transpose();
        let thresholds = context.optional("thresholds").map(table).transpose()?;
        Ok(Self {
            transfer: optional("transfer")?,
            retention: card(context.input("retention")?)?,
            programming: card(context.input("programming")?)?,
            dose: optional("dose")?,
            vt_neutral_v: thresholds.as_ref().map(neutral_threshold_v).transpose()?.flatten(),
        })
    }

    /// The cards with parameters drawn from their covariances; draw `index` is always the same.
    pub(super) fn sampled(&self, seed: u64, index: u64) -> Self {
        let draw = |name: &str, card: &DeviceCard| {
            card.sampled(&Stream::new(seed, &["table.samples", name], &[]), index)
        };
        Self {
            transfer: self.transfer.as_ref().map(|card| draw("transfer", card)),
            retention: draw("retention", &self.retention),
            programming: draw("programming", &self.programming),
            dose: self.dose.as_ref().map(|card| draw("dose", card)),
            vt_neutral_v: self.vt_neutral_v,
        }
    }

    /// The cell that these cards describe.
    pub(crate) fn cell(&self, params: &Params, name: &str) -> Result<SonosCell, StageError> {
        let mut retention = Retention::from_card(&self.retention);
        let mut origin = origin_of(&self.retention).and(origin_of(&self.programming));
        let mut notes = vec![format!("gate area {} um2 (assumed within 0.03 to 0.1)", params.gate_area_um2)];
        if let Some(card) = &self.transfer {
            let ekv = Ekv::from_card(card);
            retention.slope_factor = ekv.slope_factor;
            retention.i_spec_a = ekv.i_spec_a;
            origin = origin.and(origin_of(card));
        }
        let dose = self.dose_law(params, &retention, &mut notes)?;
        if let Some(card) = &self.dose {
            origin = origin.and(origin_of(card));
        }
        let fitted_to = self.dose.as_ref().and_then(|card| card.validity.get("dose_krad_si"));
        let dose_max_krad_si = fitted_to
            .and_then(|range| range.rsplit(' ').next())
            .and_then(|number| number.parse().ok())
            .unwrap_or(CellParameters::default().dose_max_krad_si);
        Ok(SonosCell::new(CellParameters {
            name: name.to_owned(),
            origin,
            current_max_na: params.current_max_na,
            retention,
            programming: Programming::from_card(&self.programming),
            dose,
            gate_area_m2: params.gate_area_um2 * 1e-12,
            cluster_factor: params.cluster_factor,
            dose_c_spread: params.dose_c_spread,
            dose_max_krad_si,
            notes,
            ..CellParameters::default()
        }))
    }

    fn dose_law(
        &self,
        params: &Params,
        retention: &Retention,
        notes: &mut Vec<String>,
    ) -> Result<DoseLaw, StageError> {
        let neutral = self.vt_neutral_v.unwrap_or(0.0);
        let read_gate_v = SonosCell::default_read_gate_v(retention, neutral);
        let threshold = |law: Law| DoseLaw::Threshold { law, read_gate_v };
        let Some(card) = &self.dose else {
            return Ok(match (params.dose_c_krad_si, params.v_inf_offset_v) {
                (Some(dose_c_krad_si), offset) => {
                    notes.push(format!("D_c = {dose_c_krad_si} krad(Si) is assumed"));
                    threshold(Law::Exp { dose_c_krad_si, vt_inf_v: neutral + offset.unwrap_or(0.0) })
                }
                _ => DoseLaw::None,
            });
        };
        if card.model == current_shift::INFO.name {
            return Ok(DoseLaw::Current(CurrentShift::from_card(card)));
        }
        let mut law = Law::from_card(card)
            .ok_or_else(|| StageError::Failed(format!("a card of model {} is no dose law", card.model)))?;
        if let Law::Exp { dose_c_krad_si, vt_inf_v } = &mut law {
            if let Some(offset) = params.v_inf_offset_v {
                notes.push(format!("V_inf - V_N = {offset} V is assumed"));
                *vt_inf_v = neutral + offset;
            }
            if let Some(assumed) = params.dose_c_krad_si {
                notes.push(format!("D_c = {assumed} krad(Si) is assumed"));
                *dose_c_krad_si = assumed;
            }
        }
        Ok(threshold(law))
    }
}

/// The mean threshold, at the lowest dose, of the state whose label is the number nearest to zero.
fn neutral_threshold_v(points: &Table) -> Result<Option<f64>, StageError> {
    let wrong = |error: mho_data::table::TableError| StageError::failed(error);
    let states = points.texts("state").map_err(wrong)?;
    let (dose, vt) = (points.floats("dose_krad_si").map_err(wrong)?, points.floats("vt_v").map_err(wrong)?);
    let lowest = dose.iter().copied().fold(f64::INFINITY, f64::min);
    let size = |label: &str| label.trim().parse::<f64>().map_or(f64::INFINITY, f64::abs);
    let least = states.iter().map(|label| size(label)).fold(f64::INFINITY, f64::min);
    let chosen: Vec<f64> = (0..points.len())
        .filter(|&row| dose[row] <= lowest && (size(&states[row]) <= least || least.is_infinite()))
        .map(|row| vt[row])
        .collect();
    Ok((!chosen.is_empty()).then(|| chosen.iter().sum::<f64>() / chosen.len() as f64))
}

impl Stage for Sonos {
    fn name(&self) -> &'static str {
        "table.sonos"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "device table over state, time and dose from the fitted cards"
    }

    fn roles(&self) -> &'static [Role] {
        ROLES
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        checked::<Params>(given)
    }

    fn seconds(&self) -> f64 {
        1.0
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let cell = Cards::read(context)?.cell(&params, &context.target)?;
        let table = compiled(context, &cell, &params.compile())?;
        let outputs = with_device_table(Outputs::new(), "table", &context.target, &table)?;
        let about = serde_json::to_vec(&certificate_json(&table)).map_err(StageError::failed)?;
        Ok(outputs.with("about", "about.json", about))
    }
}

pub(super) fn checked<P: Serialize + for<'a> Deserialize<'a> + Default>(
    given: &Value,
) -> Result<Value, ParamError> {
    for key in ["gate_area_um2", "current_max_na", "tolerance_fraction", "dose_c_krad_si"] {
        if let Some(value) = given.get(key).and_then(Value::as_f64)
            && value <= 0.0
        {
            return Err(ParamError {
                key: key.into(),
                found: value.to_string(),
                expected: "a number above 0".into(),
            });
        }
    }
    resolve_as::<P>(given)
}
