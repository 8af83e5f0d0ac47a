//! Whether a table reaches as far as an evaluation asks, in the words of a study.

use mho_data::InputError;
use mho_lut::DeviceTable;
use mho_network::evaluate::Condition;

/// That the table knows every time and dose whose effects are asked for.
///
/// # Errors
/// Names what was asked, how far the table goes, and what would take it further.
pub(super) fn check(target: &str, table: &DeviceTable, conditions: &[Condition]) -> Result<(), InputError> {
    let times = conditions.iter().filter(|c| c.effects.drift).map(|c| c.time_s);
    let doses = conditions.iter().filter(|c| c.effects.dose_mean || c.effects.dose_random);
    let end = |nodes: &[f64]| nodes.last().copied().unwrap_or(0.0);
    let beyond = |asked: f64, end: f64| asked > end * (1.0 + 1e-9);
    let (time_end, dose_end) = (end(table.time_axis().nodes()), end(table.dose_axis().nodes()));
    let wrong = |asked: String, known: String| {
        Err(InputError::new(
            format!("target `{target}`"),
            asked,
            format!("{known}; the table is `{}`", table.name()),
        ))
    };
    if let Some(asked) = times.into_iter().find(|&asked| beyond(asked, time_end)) {
        let known = if time_end == 0.0 {
            "0 s alone: the device has no law of time. Add the card that tells it (sonos-retention for a charge-trap \
             cell or a transistor) to the files of `measure.cards`, or leave times_s at 0"
                .to_owned()
        } else {
            format!("at most {time_end} s: raise time_max_s of the table, or ask for shorter times")
        };
        return wrong(format!("a time of {asked} s"), known);
    }
    if let Some(asked) = doses.map(|c| c.dose_krad_si).find(|&asked| beyond(asked, dose_end)) {
        let known = if dose_end == 0.0 {
            "0 krad(Si) alone: the device has no law of dose. Add the card that tells it (tid-exp or another tid-*, or \
             current-shift) to the files of `measure.cards`, or leave doses_krad_si at 0"
                .to_owned()
        } else {
            format!(
                "at most {dose_end} krad(Si): raise dose_max_krad_si of the table, or ask for smaller doses"
            )
        };
        return wrong(format!("a dose of {asked} krad(Si)"), known);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mho_compact::cell::CurrentCell;
    use mho_compact::current_shift::CurrentShift;
    use mho_lut::{CompileOptions, compile};
    use mho_network::effects::Effects;

    #[test]
    fn what_a_table_does_not_know_is_said_with_what_to_do() {
        let cell = CurrentCell::fresh(CurrentShift::default());
        let options =
            CompileOptions { time_max_s: 0.0, dose_max_krad_si: 100.0, ..CompileOptions::default() };
        let table = compile(&cell, &options).unwrap();
        let at = |time_s, dose, effects| [Condition::new(time_s, dose, effects)];
        assert_eq!(check("dose", &table, &at(0.0, 100.0, Effects::ALL)), Ok(()));
        // Where drift is off, time does nothing.
        let still = Effects { drift: false, ..Effects::ALL };
        assert_eq!(check("dose", &table, &at(86_400.0, 0.0, still)), Ok(()));
        let error = check("time", &table, &at(86_400.0, 0.0, Effects::ALL)).unwrap_err().to_string();
        for part in ["target `time`", "86400 s", "no law of time", "sonos-retention"] {
            assert!(error.contains(part), "{error}");
        }
        let error = check("dose", &table, &at(0.0, 300.0, Effects::ALL)).unwrap_err().to_string();
        assert!(error.contains("at most 100 krad(Si): raise dose_max_krad_si"), "{error}");
    }
}
