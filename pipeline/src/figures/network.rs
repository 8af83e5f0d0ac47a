//! Figures of networks: weights on cells, accuracy against dose and time, what each effect costs.

use super::axis::{Axis, Scale};
use super::kit::{Figure, Mark, ONE_COLUMN_IN, Panel, Series, TWO_COLUMNS_IN};
use super::{distinct, levels, pick};
use mho_data::table::{Table, TableError};

/// How many cells are programmed to which current.
///
/// # Errors
/// When a column is missing.
pub fn weights(histogram: &Table, note: &str) -> Result<Figure, TableError> {
    let networks = histogram.texts("network")?;
    let (lo, hi) = (histogram.floats("current_na_lo")?, histogram.floats("current_na_hi")?);
    let cells = histogram.floats("cells")?;
    // Over the largest: which current that is, the array says.
    let most = hi.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut panels = Vec::new();
    for (colour, network) in distinct(networks).iter().enumerate() {
        let own = |row: usize| networks[row] == *network;
        let edges = levels(&pick(histogram, "current_na_lo", own)?);
        let width = (0..histogram.len()).find(|&r| own(r)).map_or(1.0, |r| hi[r] - lo[r]);
        let total: f64 = (0..histogram.len()).filter(|&r| own(r)).map(|r| cells[r]).sum();
        let share: Vec<f64> = edges
            .iter()
            .map(|edge| {
                (0..histogram.len()).filter(|&r| own(r) && lo[r] == *edge).map(|r| cells[r]).sum::<f64>()
                    / total
            })
            .collect();
        let small: f64 =
            (0..histogram.len()).filter(|&r| own(r) && hi[r] <= (0.1 + 1e-9) * most).map(|r| cells[r]).sum();
        panels.push(Panel {
            title: format!("{network}: {:.0} % below 10 % of I_{{max}}", 100.0 * small / total),
            x: Axis::new("Target cell current over I_{max}", Scale::Linear).from_to(0.0, 1.0),
            y: Axis::new("Fraction of cells", Scale::Log).from_to(1e-5, 1.0),
            series: vec![Series::new(
                None,
                colour + 1,
                Mark::Columns(width / most),
                edges.iter().map(|edge| (edge + 0.5 * width) / most).collect(),
                share,
            )],
        });
    }
    let (width_in, columns) = row(panels.len());
    Ok(Figure { width_in, row_in: 2.1, columns, panels, note: note.to_owned() })
}

/// Width of a picture with so many panels, and how many stand in a row.
fn row(panels: usize) -> (f64, usize) {
    match panels {
        0 | 1 => (ONE_COLUMN_IN, 1),
        2 => (TWO_COLUMNS_IN, 2),
        _ => (TWO_COLUMNS_IN, 3),
    }
}

fn accuracy(table: &Table, along: &str, x: &Axis, note: &str) -> Result<Figure, TableError> {
    let networks = table.texts("network")?;
    let mut panels = Vec::new();
    for (colour, network) in distinct(networks).iter().enumerate() {
        let own = |row: usize| networks[row] == *network;
        let positions = pick(table, along, own)?;
        let percent = |column: &str| -> Result<Vec<f64>, TableError> {
            Ok(pick(table, column, own)?.into_iter().map(|value| 100.0 * value).collect())
        };
        let (median, lo, hi) = (percent("median")?, percent("lo")?, percent("hi")?);
        let trials = pick(table, "trials", own)?.first().copied().unwrap_or(0.0);
        let band =
            Series::new(Some("10 to 90 % of trials"), colour + 1, Mark::Band, positions.clone(), Vec::new())
                .between(lo, hi);
        let line = Series::new(Some("median"), colour + 1, Mark::Line(0), positions.clone(), median.clone());
        let dots = Series::new(None, colour + 1, Mark::Points(colour), positions.clone(), median);
        let float = Series::new(Some("digital"), 0, Mark::Line(1), positions, percent("baseline")?);
        panels.push(Panel {
            title: format!("{network}, n = {trials}"),
            x: x.clone(),
            y: Axis::new("Accuracy (%)", Scale::Linear),
            series: vec![band, line, dots, float],
        });
    }
    let (width_in, columns) = row(panels.len());
    Ok(Figure { width_in, row_in: 2.3, columns, panels, note: note.to_owned() })
}

/// Accuracy against dose.
///
/// # Errors
/// When a column is missing.
pub fn accuracy_dose(table: &Table, note: &str) -> Result<Figure, TableError> {
    let least = levels(table.floats("dose_krad_si")?).into_iter().find(|d| *d > 0.0).unwrap_or(1.0);
    accuracy(table, "dose_krad_si", &Axis::new("Dose (krad(Si))", Scale::LogWithZero(least)), note)
}

/// Accuracy against time.
///
/// # Errors
/// When a column is missing.
pub fn accuracy_time(table: &Table, note: &str) -> Result<Figure, TableError> {
    let least = levels(table.floats("time_s")?).into_iter().find(|t| *t > 0.0).unwrap_or(1.0);
    let words = vec![
        (0.0, "0".into()),
        (3600.0, "1 h".into()),
        (86_400.0, "1 d".into()),
        (432_000.0, "5 d".into()),
        (31_557_600.0, "1 y".into()),
    ];
    let axis = Axis::new("Time since programming", Scale::LogWithZero(least)).with_words(words);
    accuracy(table, "time_s", &axis, note)
}

/// Accuracy with one effect after the other.
///
/// # Errors
/// When a column is missing.
pub fn ablation(table: &Table, note: &str) -> Result<Figure, TableError> {
    let (networks, labels) = (table.texts("network")?, table.texts("label")?);
    let steps = table.floats("step")?;
    let count = distinct(labels).len();
    let words: Vec<(f64, String)> =
        distinct(labels).into_iter().enumerate().map(|(i, label)| ((count - i) as f64, label)).collect();
    let mut panels = Vec::new();
    for (colour, network) in distinct(networks).iter().enumerate() {
        let own = |row: usize| networks[row] == *network;
        let percent = |column: &str| -> Result<Vec<f64>, TableError> {
            Ok(pick(table, column, own)?.into_iter().map(|value| 100.0 * value).collect())
        };
        let places: Vec<f64> =
            (0..table.len()).filter(|&r| own(r)).map(|r| count as f64 - steps[r]).collect();
        let span = Series::new(None, colour + 1, Mark::Span, percent("median")?, places)
            .between(percent("lo")?, percent("hi")?);
        panels.push(Panel {
            title: network.clone(),
            x: Axis::new("Accuracy (%)", Scale::Linear),
            y: Axis::new("", Scale::Linear).from_to(0.3, count as f64 + 0.7).with_words(words.clone()),
            series: vec![span],
        });
    }
    Ok(Figure { width_in: TWO_COLUMNS_IN, row_in: 2.3, columns: 3, panels, note: note.to_owned() })
}

/// The name of a variant as a picture shows it.
fn pretty(variant: &str) -> String {
    variant
        .replace("V_inf", "V_{inf}")
        .replace("V_N", "V_{N}")
        .replace("um2", "µm²")
        .replace(" -0", " \u{2212}0")
        .replace(" - ", " \u{2212} ")
}

/// Accuracy along dose or time (`along` is the column) with its uncertainties apart: a panel for each network and
/// part.
///
/// # Errors
/// When a column is missing.
pub fn accuracy_parts(table: &Table, along: &str, note: &str) -> Result<Figure, TableError> {
    let (networks, parts) = (table.texts("network")?, table.texts("part")?);
    let least = levels(table.floats(along)?).into_iter().find(|v| *v > 0.0).unwrap_or(1.0);
    let title = if along == "time_s" { "Time since programming (s)" } else { "Dose (krad(Si))" };
    let mut panels = Vec::new();
    for network in distinct(networks) {
        for (colour, part) in distinct(parts).iter().enumerate() {
            let own = |row: usize| networks[row] == network && parts[row] == *part;
            let positions = pick(table, along, own)?;
            if positions.is_empty() {
                continue;
            }
            let percent = |column: &str| -> Result<Vec<f64>, TableError> {
                Ok(pick(table, column, own)?.into_iter().map(|value| 100.0 * value).collect())
            };
            let of = pick(table, "of", own)?.first().copied().unwrap_or(0.0);
            let middle = percent("mid")?;
            panels.push(Panel {
                title: format!("{network}: {part}, n = {of}"),
                x: Axis::new(title, Scale::LogWithZero(least)),
                y: Axis::new("Accuracy (%)", Scale::Linear),
                series: vec![
                    Series::new(None, colour + 1, Mark::Band, positions.clone(), Vec::new())
                        .between(percent("lo")?, percent("hi")?),
                    Series::new(None, colour + 1, Mark::Line(0), positions.clone(), middle.clone()),
                    Series::new(None, colour + 1, Mark::Points(colour), positions, middle),
                ],
            });
        }
    }
    Ok(Figure { width_in: TWO_COLUMNS_IN, row_in: 2.3, columns: 3, panels, note: note.to_owned() })
}

/// The dose at which a point of accuracy is lost, and what it is uncertain by.
///
/// # Errors
/// When a column is missing.
pub fn loss_dose(table: &Table, note: &str) -> Result<Figure, TableError> {
    losses(table, note, "dose", &Axis::new("Dose (krad(Si))", Scale::Log), [1.0, 2000.0])
}

/// The time after which a point of accuracy is lost, and what it is uncertain by.
///
/// # Errors
/// When a column is missing.
pub fn loss_time(table: &Table, note: &str) -> Result<Figure, TableError> {
    let words = [(1.0, "1 s"), (3600.0, "1 h"), (86_400.0, "1 d"), (31_536_000.0, "1 y")];
    let words = words.map(|(at, word)| (at, word.to_owned())).to_vec();
    let axis = Axis::new("Time since programming", Scale::Log).with_words(words);
    losses(table, note, "time", &axis, [0.1, 3e8])
}

fn losses(
    table: &Table,
    note: &str,
    what: &str,
    x: &Axis,
    [least, most]: [f64; 2],
) -> Result<Figure, TableError> {
    let (parts, variants) = (table.texts("part")?, table.texts("variant")?);
    let count = table.len();
    // What lies beyond the largest one that was evaluated is drawn at the right edge.
    let beyond = |values: &[f64]| -> Vec<f64> {
        values.iter().map(|v| if v.is_finite() { *v } else { most }).collect()
    };
    let (lo, mid, hi) =
        (beyond(table.floats("lo")?), beyond(table.floats("mid")?), beyond(table.floats("hi")?));
    let words: Vec<(f64, String)> =
        (0..count).map(|row| ((count - row) as f64, pretty(&variants[row]))).collect();
    let mut series = Vec::new();
    for (colour, part) in distinct(parts).iter().enumerate() {
        let rows: Vec<usize> = (0..count).filter(|&row| parts[row] == *part).collect();
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let places = rows.iter().map(|&row| (count - row) as f64).collect();
        series.push(
            Series::new(Some(part), colour + 1, Mark::Span, of(&mid), places).between(of(&lo), of(&hi)),
        );
    }
    Ok(Figure {
        width_in: TWO_COLUMNS_IN * 0.75,
        row_in: 0.7 + 0.17 * count as f64,
        columns: 1,
        panels: vec![Panel {
            title: format!("{what} at which 1 point is lost; bars: 10 to 90 %"),
            x: x.clone().from_to(least, most),
            y: Axis::new("", Scale::Linear).from_to(0.3, count as f64 + 0.7).with_words(words),
            series,
        }],
        note: note.to_owned(),
    })
}
