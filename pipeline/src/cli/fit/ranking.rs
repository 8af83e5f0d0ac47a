//! Rival laws on the same readings, ranked by AICc.

use super::card;
use crate::cli::CliError;
use mho_compact::card::DeviceCard;
use mho_compact::fit::{FitResult, least_squares};
use mho_compact::model::{self, Entry};
use mho_compact::transistor::fitting::TransistorFit;
use mho_compact::update::{self, Traces};
use mho_data::measurement::Measurement;
use std::fmt::Write as _;

/// One law.
struct Rival {
    name: String,
    delta_aicc: f64,
    rms: f64,
    parameters: usize,
    intervals: Vec<(String, f64, [f64; 2], bool)>,
}

/// Laws, the best first.
#[derive(Default)]
pub(super) struct Ranking {
    rivals: Vec<Rival>,
    failed: Vec<(String, String)>,
    notes: Vec<String>,
    /// Cards of the rivals, where they are laws of the same kind of device.
    pub(super) cards: Vec<DeviceCard>,
}

impl Ranking {
    fn of(fits: Vec<(String, FitResult)>) -> Self {
        let least = fits.iter().map(|(_, fit)| fit.aicc).fold(f64::INFINITY, f64::min);
        let mut rivals: Vec<Rival> = fits
            .into_iter()
            .map(|(name, fit)| Rival {
                name,
                delta_aicc: fit.aicc - least,
                rms: fit.rms_log.unwrap_or(fit.rms),
                parameters: fit.parameters.len(),
                intervals: fit
                    .parameters
                    .iter()
                    .map(|p| (p.name.clone(), p.value, p.interval95, p.at_bound || !p.std.is_finite()))
                    .collect(),
            })
            .collect();
        rivals.sort_by(|a, b| a.delta_aicc.total_cmp(&b.delta_aicc));
        Self { rivals, ..Self::default() }
    }

    /// Lines for people; nothing without rivals.
    pub(super) fn words(&self) -> String {
        let mut text = String::new();
        let width = self.rivals.iter().map(|rival| rival.name.len()).max().unwrap_or(0);
        for rival in &self.rivals {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "  {:width$}  AICc +{:.1}, rms {:.4e}, {} parameters:",
                rival.name, rival.delta_aicc, rival.rms, rival.parameters
            );
            for (name, value, [low, high], open) in &rival.intervals {
                let interval = if *open {
                    "on a bound or not determined".to_owned()
                } else {
                    format!("{low:.3e} to {high:.3e}")
                };
                let _ = write!(text, " {name} {value:.3e} ({interval})");
            }
            text.push('\n');
        }
        for (name, why) in &self.failed {
            let _ = writeln!(text, "  {name}: not fitted: {why}");
        }
        for note in &self.notes {
            let _ = writeln!(text, "  note: {note}");
        }
        text
    }

    /// The ranking as JSON.
    pub(super) fn document(&self) -> serde_json::Value {
        self.rivals
            .iter()
            .map(|rival| {
                let parameters = rival.intervals.iter().map(|(name, value, interval, open)| {
                    serde_json::json!({ "name": name, "value": value, "interval95": interval, "undetermined": open })
                });
                serde_json::json!({
                    "model": rival.name,
                    "delta_aicc": rival.delta_aicc,
                    "rms": rival.rms,
                    "parameters": parameters.collect::<Vec<_>>(),
                })
            })
            .collect()
    }
}

/// All laws of pulses.
pub(super) fn of_updates(traces: &Traces) -> Result<Ranking, CliError> {
    let comparison = update::compare(traces)?;
    let fits = comparison.ranking.into_iter().map(|(info, fit)| (info.name.to_owned(), fit)).collect();
    let mut ranking = Ranking::of(fits);
    ranking.failed = comparison
        .failed
        .into_iter()
        .map(|(info, error)| (info.name.to_owned(), error.to_string()))
        .collect();
    ranking.notes.push(format!(
        "neighbouring residuals are correlated by {:.2}: the readings say as much as {:.0} independent ones, for \
         which intervals and AICc are given",
        comparison.autocorrelation, comparison.effective_points
    ));
    Ok(ranking)
}

/// The models that take the same measurement and whose names begin alike, on the same readings.
pub(super) fn of_entries(
    entry: &Entry,
    data: card::Data<'_>,
    measurement: &Measurement,
    own: &FitResult,
) -> Ranking {
    let family = |name: &str| name.split('-').next().unwrap_or_default().to_owned();
    let resistive = |name: &str| mho_compact::inference::find(name).is_some();
    let mut fits = vec![(entry.info.name.to_owned(), own.clone())];
    let (mut failed, mut cards) = (Vec::new(), Vec::new());
    for rival in model::entries() {
        let related = family(rival.info.name) == family(entry.info.name)
            || (resistive(rival.info.name) && resistive(entry.info.name));
        if rival.info.name == entry.info.name || rival.kinds != entry.kinds || !related {
            continue;
        }
        let Some(fitting) = rival.fitting else { continue };
        let fit = fitting(measurement)
            .map_err(|error| error.to_string())
            .and_then(|regression| Ok((regression.fit().map_err(|error| error.to_string())?, regression)));
        match fit {
            // Criteria compare fits of the same readings only.
            Ok((fit, regression)) if fit.points == own.points => {
                cards.push(card::card(rival.info, &regression, &fit, data));
                fits.push((rival.info.name.to_owned(), fit));
            }
            Ok((fit, _)) => failed.push((
                rival.info.name.to_owned(),
                format!("it takes {} readings, not {}", fit.points, own.points),
            )),
            Err(why) => failed.push((rival.info.name.to_owned(), why)),
        }
    }
    Ranking { failed, cards, ..Ranking::of(fits) }
}

/// A transistor without each of its effects: which of them AICc wants.
pub(super) fn of_transistor(found: &TransistorFit) -> Ranking {
    /// No velocity saturation at this critical voltage, V (the upper bound of the parameter).
    const NEVER_V: f64 = 300.0;
    let without: [(&str, &[(&str, f64)]); 8] = [
        ("without velocity saturation", &[("critical_v", NEVER_V)]),
        ("without series resistance", &[("source_ohm", 0.0), ("drain_ohm", 0.0)]),
        ("without interface traps", &[("trap_ratio", 0.0)]),
        ("without mobility reduction", &[("theta_per_v", 0.0)]),
        ("without charge sharing", &[("body_linear", 0.0)]),
        ("without DIBL that follows the body", &[("dibl_body_per_v", 0.0)]),
        ("without channel shortening", &[("shortening", 0.0)]),
        (
            "plain: body effect, DIBL, mobility reduction",
            &[
                ("critical_v", NEVER_V),
                ("source_ohm", 0.0),
                ("drain_ohm", 0.0),
                ("trap_ratio", 0.0),
                ("body_linear", 0.0),
                ("dibl_body_per_v", 0.0),
                ("shortening", 0.0),
            ],
        ),
    ];
    let regression = &found.regression;
    let problem = regression.problem();
    let mut fits = vec![("transistor".to_owned(), found.fit.clone())];
    let mut failed = Vec::new();
    for (name, fixed) in without {
        let held: Vec<Option<f64>> = problem
            .parameters
            .iter()
            .map(|parameter| fixed.iter().find(|(of, _)| *of == parameter.name).map(|(_, value)| *value))
            .collect();
        if held.iter().all(Option::is_none) {
            continue;
        }
        let smaller = problem.holding(&held);
        match least_squares(&smaller, &regression.options) {
            Ok(mut fit) => {
                let mut free = fit.values().into_iter();
                let values: Vec<f64> =
                    held.iter().map(|held| held.or_else(|| free.next()).unwrap_or(f64::NAN)).collect();
                fit.rms_log = regression.rms_log(&values);
                fits.push((name.to_owned(), fit));
            }
            Err(error) => failed.push((name.to_owned(), error.to_string())),
        }
    }
    Ranking { failed, ..Ranking::of(fits) }
}
