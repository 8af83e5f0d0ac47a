//! What must hold of any network on simulated arrays (design notes F.4, 1 to 4), read off a table of results.

use mho_data::Table;
use mho_data::table::TableError;

/// A statement about one network, with the two numbers that it compares.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordering {
    /// The network.
    pub network: String,
    /// Number in the design notes, and what it says.
    pub statement: &'static str,
    /// What should be larger, in points of accuracy (or log10 of a dose in rad(Si)).
    pub larger: f64,
    /// What should be smaller.
    pub smaller: f64,
    /// Standard deviation of the difference of two shares on as many samples, in points.
    pub sampling: f64,
}

impl Ordering {
    /// `yes`, `no`, or that the samples are too few to say no.
    pub fn holds(&self) -> &'static str {
        match self.larger - self.smaller {
            gain if gain >= 0.0 => "yes",
            gain if gain >= -2.0 * self.sampling => "within sampling",
            _ => "no",
        }
    }
}

const FRESH: &str = "quantisation+programming";

/// All statements for which the table has rows: columns `network`, `device`, `effects`, `dose_krad_si`,
/// `samples`, `top1`.
///
/// # Errors
/// A missing column.
pub fn orderings(table: &Table) -> Result<Vec<Ordering>, TableError> {
    let (networks, devices) = (table.texts("network")?, table.texts("device")?);
    let (effects, doses) = (table.texts("effects")?, table.floats("dose_krad_si")?);
    let (samples, top1) = (table.floats("samples")?, table.floats("top1")?);
    let rows = 0..table.len();
    let mut names: Vec<&String> = Vec::new();
    for name in networks {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut found = Vec::new();
    for network in names {
        let fresh = |device: &str| {
            let own =
                |row: &usize| networks[*row] == *network && devices[*row] == device && effects[*row] == FRESH;
            rows.clone().find(own).map(|row| 100.0 * top1[row])
        };
        let count = rows.clone().find(|row| networks[*row] == *network).map_or(1.0, |row| samples[row]);
        let mut push = |statement, larger: Option<f64>, smaller: Option<f64>| {
            if let Some((larger, smaller)) = larger.zip(smaller) {
                let sampling = deviation(larger, smaller, count);
                found.push(Ordering { network: network.clone(), statement, larger, smaller, sampling });
            }
        };
        for (statement, larger, smaller) in [
            (
                "1: proportional above independent, pairs",
                "generic-proportional 0.03, pairs",
                "generic-independent 0.03, pairs",
            ),
            (
                "1: proportional above independent, offset",
                "generic-proportional 0.03, offset",
                "generic-independent 0.03, offset",
            ),
            (
                "2: pairs above offset, independent",
                "generic-independent 0.03, pairs",
                "generic-independent 0.03, offset",
            ),
            (
                "2: pairs above offset, proportional",
                "generic-proportional 0.03, pairs",
                "generic-proportional 0.03, offset",
            ),
            ("3: SONOS (TCAS) as good as TaOx", "tcas2022", "taox"),
            ("3: SONOS (IEDM) as good as TaOx", "iedm2022", "taox"),
            ("3: TaOx above PCM", "taox", "pcm-joshi"),
            ("3: SONOS (TCAS) above PCM", "tcas2022", "pcm-joshi"),
        ] {
            push(statement, fresh(larger), fresh(smaller));
        }
        let mut dosed: Vec<(f64, f64)> = rows
            .clone()
            .filter(|&row| networks[row] == *network && devices[row] == "sonos-dose" && effects[row] != FRESH)
            .map(|row| (doses[row], 100.0 * top1[row]))
            .collect();
        dosed.sort_by(|a, b| a.0.total_cmp(&b.0));
        const STEPS: [&str; 4] = [
            "4: no rise with dose, 0 to 30 krad(Si)",
            "4: no rise with dose, 30 to 100 krad(Si)",
            "4: no rise with dose, 100 to 300 krad(Si)",
            "4: no rise with dose, 300 to 1000 krad(Si)",
        ];
        for (statement, pair) in STEPS.into_iter().zip(dosed.windows(2)) {
            push(statement, Some(pair[0].1), Some(pair[1].1));
        }
    }
    Ok(found)
}

/// Of the difference of two percentages of the same size of sample. The samples are the same ones, which makes
/// the difference better known than this.
fn deviation(a: f64, b: f64, samples: f64) -> f64 {
    let variance = |percent: f64| percent * (100.0 - percent) / samples.max(1.0);
    (variance(a) + variance(b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_off_rows() {
        let texts = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<String>>();
        let table = Table::new()
            .with_text("network", texts(&["a"; 5]))
            .with_text("device", texts(&["taox", "pcm-joshi", "sonos-dose", "sonos-dose", "sonos-dose"]))
            .with_text("effects", texts(&[FRESH, FRESH, "all", "all", FRESH]))
            .with_float("dose_krad_si", vec![0.0, 0.0, 30.0, 0.0, 0.0])
            .with_float("samples", vec![1000.0; 5])
            .with_float("top1", vec![0.9, 0.8, 0.7, 0.85, 0.1]);
        let found = orderings(&table).unwrap();
        let short: Vec<(&str, f64, f64, &str)> =
            found.iter().map(|o| (o.statement, o.larger, o.smaller, o.holds())).collect();
        assert_eq!(
            short,
            [
                ("3: TaOx above PCM", 90.0, 80.0, "yes"),
                ("4: no rise with dose, 0 to 30 krad(Si)", 85.0, 70.0, "yes")
            ]
        );
        let other = |larger: f64| Ordering { larger, smaller: 80.0, ..found[0].clone() };
        assert_eq!([79.5, 60.0].map(|larger| other(larger).holds()), ["within sampling", "no"]);
    }
}
