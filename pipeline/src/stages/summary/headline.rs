//! The lines that a person can quote.

use super::losses::{CHOICE, DRAW, FITTED};
use super::trials::{Along, Trials};
use crate::analysis::band::Band;
use crate::stage::{Artifact, StageError};
use mho_data::table::{Table, TableError};
use mho_network::effects::Effects;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the lines to quote are made from.
pub(super) struct Headline<'a> {
    pub(super) digital: &'a BTreeMap<String, f64>,
    pub(super) dose: &'a [Trials],
    pub(super) time: &'a [Trials],
    pub(super) ablation: &'a [Trials],
    pub(super) samples: &'a [Trials],
    /// The tables that were evaluated.
    pub(super) tables: &'a [About],
}

impl Headline<'_> {
    /// Four lines; the place of the report is the fifth. They speak of the network whose uncertainty was
    /// looked into, else of the first.
    pub(super) fn lines(&self, along: Along, losses: &Table, loss: f64) -> Result<String, TableError> {
        let chosen = [self.samples, self.dose, self.time]
            .iter()
            .find_map(|all| all.first())
            .map_or("", |one| &one.network);
        let of = |all: &'_ [Trials]| all.iter().position(|one| one.network == chosen);
        let percent = |values: &[f64]| {
            let band = Band::of(values);
            format!("{:.1} % ({:.1} to {:.1})", 100.0 * band.median, 100.0 * band.lo, 100.0 * band.hi)
        };
        let mut lines = Vec::new();
        let fresh = of(self.dose).map(|i| &self.dose[i]).or_else(|| of(self.time).map(|i| &self.time[i]));
        if let Some(fresh) = fresh {
            let digital = self.digital.get(chosen).copied().unwrap_or(f64::NAN);
            lines.push(format!(
                "Baseline: {chosen} reaches {:.1} % digitally, {} on the programmed array (median and 10 to 90 % of trials, {} images)",
                100.0 * digital,
                percent(&fresh.top1(|row| [Along::Dose, Along::Time].iter().all(|along| fresh.places(*along).first() == Some(&along.of(row))))),
                fresh.images
            ));
        }
        if let Some(time) = of(self.time).map(|i| &self.time[i]) {
            let at = |seconds: f64| percent(&time.top1(|row| row.time_s == seconds));
            let times = time.places(Along::Time);
            if [86_400.0, 432_000.0].iter().all(|wanted| times.contains(wanted)) {
                lines.push(format!("After a day: {}; after five days: {}", at(86_400.0), at(432_000.0)));
            } else if let Some(last) = times.last() {
                lines.push(format!("After {}: {}", Along::Time.shown(*last), at(*last)));
            }
        }
        let (networks, parts) = (losses.texts("network")?, losses.texts("part")?);
        let (lo, mid, hi) = (losses.floats("lo")?, losses.floats("mid")?, losses.floats("hi")?);
        let rows = |part: &str| -> Vec<usize> {
            (0..losses.len()).filter(|&row| networks[row] == chosen && parts[row] == part).collect()
        };
        let dose = |value: f64| match (value.is_finite(), along) {
            (true, Along::Dose) => format!("{value:.0}"),
            (true, Along::Time) => along.shown(value),
            (false, Along::Dose) => "beyond the largest dose".into(),
            (false, Along::Time) => "beyond the longest time".into(),
        };
        let band = |rows: &[usize]| {
            let least = rows.iter().map(|&row| lo[row]).fold(f64::INFINITY, f64::min);
            let most = rows.iter().map(|&row| hi[row]).fold(0.0, f64::max);
            if least.is_finite() { format!("{} to {}", dose(least), dose(most)) } else { dose(least) }
        };
        let points = 100.0 * loss;
        if let Some(&row) = rows(DRAW).first() {
            let lost = match (mid[row].is_finite(), along) {
                (true, Along::Dose) => format!("at {} krad(Si)", dose(mid[row])),
                (true, Along::Time) => format!("at {}", dose(mid[row])),
                (false, _) => dose(mid[row]),
            };
            let mut line = format!("{points} point lost {lost}: {} by the draw of devices", band(&[row]));
            for (part, words) in [(FITTED, "by the fitted parameters"), (CHOICE, "by the choice of model")] {
                let rows = rows(part);
                if !rows.is_empty() {
                    line.push_str(&format!(", {} {words}", band(&rows)));
                }
            }
            lines.push(line);
        }
        if let Some(one) = of(self.ablation).map(|i| &self.ablation[i]) {
            let means: Vec<(&str, f64)> = Effects::ABLATION
                .iter()
                .map(|(label, effects)| {
                    let wanted = effects.to_string();
                    let values = one.top1(|row| row.effects == wanted);
                    (*label, values.iter().sum::<f64>() / values.len().max(1) as f64)
                })
                .collect();
            let worst = means.windows(2).max_by(|a, b| (a[0].1 - a[1].1).total_cmp(&(b[0].1 - b[1].1)));
            if let (Some(pair), Some(row)) = (worst, one.rows.first()) {
                lines.push(format!(
                    "What dominates: {} costs {:.1} of {:.1} points at {} krad(Si) and {:.0} d",
                    pair[1].0.trim_start_matches("+ "),
                    100.0 * (pair[0].1 - pair[1].1),
                    100.0 * (means[0].1 - means[means.len() - 1].1),
                    row.dose_krad_si,
                    row.time_s / 86_400.0
                ));
            }
        }
        lines.extend(self.tables.iter().flat_map(|about| about.lines(self.dose, self.time)));
        Ok(lines.into_iter().map(|line| line + "\n").collect())
    }
}

/// What a table says of itself.
pub(super) struct About {
    name: String,
    origin: String,
    time_max_s: f64,
    dose_max_krad_si: f64,
}

impl About {
    /// From the `about` of a table's target.
    pub(super) fn read(artifact: &Artifact) -> Result<Self, StageError> {
        let value: Value = serde_json::from_slice(&artifact.bytes).map_err(StageError::failed)?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let end = |key: &str| {
            value.get("validity").and_then(|v| v.get(key)).and_then(Value::as_f64).unwrap_or(f64::INFINITY)
        };
        Ok(Self {
            name: text("name"),
            origin: text("origin"),
            time_max_s: end("time_max_s"),
            dose_max_krad_si: end("dose_max_krad_si"),
        })
    }

    /// Where its numbers come from, and the conditions that lie beyond what it was made from.
    fn lines(&self, dose: &[Trials], time: &[Trials]) -> Vec<String> {
        let rows = || dose.iter().chain(time).flat_map(|one| &one.rows).filter(|row| row.table == self.name);
        let of_this = dose.iter().chain(time).find(|one| one.rows.iter().any(|row| row.table == self.name));
        let array = of_this.map_or(String::new(), |one| format!("; arrays of {}", one.array));
        let mut lines = vec![format!("Device data of {}: {}{array}", self.name, self.origin)];
        for (along, end) in [(Along::Dose, self.dose_max_krad_si), (Along::Time, self.time_max_s)] {
            let all = crate::figures::levels(&rows().map(|row| along.of(row)).collect::<Vec<_>>());
            let beyond: Vec<String> = all
                .iter()
                .filter(|value| **value > end * (1.0 + 1e-9))
                .map(|value| along.shown(*value))
                .collect();
            if !beyond.is_empty() {
                lines.push(format!(
                    "Extrapolated: {} of {} conditions of {} ({}) lie beyond the {} that its cards were fitted to",
                    beyond.len(),
                    all.len(),
                    self.name,
                    beyond.join(", "),
                    along.shown(end)
                ));
            }
        }
        lines
    }
}
