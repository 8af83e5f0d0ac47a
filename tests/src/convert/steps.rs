//! From the digital network to aged and irradiated arrays, step by step.

use mho_lut::DeviceTable;
use mho_network::array::{ArrayConfig, Compensation, MappingStyle};
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;

use super::analog::{DAY_S, Wrong, device};

/// Device, what is done against drift, and its times (s) and doses (krad(Si)).
type Life = (&'static str, Compensation, &'static [f64], &'static [f64]);
const DEVICES: [Life; 7] = [
    ("tcas2022", Compensation::None, &[0.0, 5.0 * DAY_S], &[0.0]),
    ("iedm2022", Compensation::None, &[0.0, 5.0 * DAY_S], &[0.0]),
    ("pcm-joshi", Compensation::None, &[0.0, DAY_S], &[0.0]),
    ("pcm-joshi", Compensation::Global, &[DAY_S], &[0.0]),
    ("taox", Compensation::None, &[0.0, DAY_S], &[0.0]),
    ("wan", Compensation::None, &[0.0, DAY_S], &[0.0]),
    ("sonos-dose", Compensation::None, &[0.0], &[0.0, 30.0, 100.0, 300.0, 1000.0]),
];

/// Error of no device in particular, over the largest conductance or over the conductance.
const ERROR: f64 = 0.03;

/// Its laws, with values in their order.
const GENERIC: [(&str, &[f64]); 2] =
    [("generic-independent", &[25.0, ERROR, 0.0]), ("generic-proportional", &[25.0, 0.0, ERROR])];

/// A device in its array with what happens to it.
pub struct Step {
    /// What the table of results calls it.
    pub name: String,
    /// The device; without one only levels and converters.
    pub table: Option<DeviceTable>,
    /// Its array.
    pub array: ArrayConfig,
    /// What happens to it.
    pub conditions: Vec<Condition>,
}

/// All devices.
///
/// # Errors
/// A device without an answer.
pub fn steps() -> Result<Vec<Step>, Wrong> {
    let mut steps = vec![Step {
        name: "none".into(),
        table: None,
        array: ArrayConfig::default(),
        conditions: vec![fresh("quantisation")?],
    }];
    for (name, values) in GENERIC {
        for (style, words) in [(MappingStyle::Differential, "pairs"), (MappingStyle::OffsetDigital, "offset")]
        {
            let (table, mut array) = device(name, values)?;
            array.mapping.style = style;
            let name = format!("{name} {ERROR}, {words}");
            let conditions = vec![fresh("quantisation+programming")?];
            steps.push(Step { name, table: Some(table), array, conditions });
        }
    }
    for (name, drift_compensation, times_s, doses_krad_si) in DEVICES {
        let (table, mut array) = device(name, &[])?;
        array.effects.drift_compensation = drift_compensation;
        let mut conditions = vec![fresh("quantisation+programming")?];
        for &time_s in times_s {
            for &dose_krad_si in doses_krad_si {
                conditions.push(Condition { time_s, dose_krad_si, effects: Effects::ALL });
            }
        }
        let words = if drift_compensation == Compensation::None { "" } else { ", one gain a layer" };
        steps.push(Step { name: format!("{name}{words}"), table: Some(table), array, conditions });
    }
    Ok(steps)
}

/// Cells at the time of programming, with these effects.
///
/// # Errors
/// A word that names no effect.
pub fn fresh(effects: &str) -> Result<Condition, Wrong> {
    Ok(Condition { time_s: 0.0, dose_krad_si: 0.0, effects: effects.parse()? })
}
