//! A quick look at a file: every sweep, as it is.

use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Figure, Mark, ONE_COLUMN_IN, Panel, Series, TWO_COLUMNS_IN};
use mho_data::measurement::{Kind, Measurement};
use mho_data::survey::Survey;

/// Sweeps and points of a sweep that are drawn at most; more are thinned out evenly.
const MOST_SWEEPS: usize = 60;
const MOST_POINTS: usize = 400;

/// File names of the pictures: the end of each path, made unique and harmless.
pub(in crate::cli) fn names(files: &[&str]) -> Vec<String> {
    let mut taken = std::collections::BTreeSet::new();
    files
        .iter()
        .map(|file| {
            let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
            let base: String = base
                .chars()
                .map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' })
                .take(150)
                .collect();
            let mut name = format!("{base}.svg");
            let mut count = 1;
            while !taken.insert(name.clone()) {
                count += 1;
                name = format!("{base}-{count}.svg");
            }
            name
        })
        .collect()
}

/// What stood still, in words.
fn bias(column: &str, value: f64) -> String {
    match column {
        "vg_v" => format!("V_{{G}} = {value} V"),
        "vd_v" => format!("V_{{D}} = {value} V"),
        "vb_v" => format!("V_{{B}} = {value} V"),
        "vs_v" => format!("V_{{S}} = {value} V"),
        "read_v" => format!("{value} V"),
        "dose_krad_si" => format!("{value} krad(Si)"),
        "time_s" => format!("{value} s"),
        "temperature_k" => format!("{value} K"),
        other => format!("{other} {value}"),
    }
}

fn label(column: &str) -> &str {
    match column {
        "vg_v" => "Gate voltage V_{G} (V)",
        "vd_v" => "Drain voltage V_{D} (V)",
        "v_v" => "Voltage (V)",
        "pulse" => "Pulse",
        "state" => "State",
        "dose_krad_si" => "Dose (krad(Si))",
        "time_s" => "Time (s)",
        other => other,
    }
}

/// One panel with the readings, and for currents over decades one with their logarithm.
pub(super) fn figure(file: &str, measurement: &Measurement, survey: &Survey) -> Figure {
    let table = &measurement.table;
    let column = |name: &str| table.floats(name).unwrap_or_default();
    let (x, y) = (column(survey.axis), column(survey.reading));
    // Colours follow the bias that changes least often but changes, shapes nothing: it is a quick look.
    let by = survey
        .biases
        .iter()
        .filter(|(_, values)| values.len() > 1)
        .min_by_key(|(_, values)| values.len())
        .map(|(name, values)| (*name, column(name), values.clone()));
    // Currents of states lie apart by their states.
    let states = column("state");
    let by = by.or_else(|| {
        let mut levels = states.to_vec();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        (measurement.sidecar.kind == Kind::StateCurrent && survey.axis != "state" && levels.len() > 1)
            .then_some(("state", states, levels))
    });
    let ids = table.floats("sweep").unwrap_or_default();
    let mut sweeps: Vec<Vec<usize>> = Vec::new();
    for row in 0..x.len().min(y.len()) {
        match sweeps.last_mut() {
            Some(sweep) if ids.is_empty() || ids[row] == ids[row - 1] => sweep.push(row),
            _ => sweeps.push(vec![row]),
        }
    }
    // Without sweeps the rows of one colour go together, so that thinning them out leaves out no state.
    if let Some((_, values, levels)) = by.as_ref().filter(|_| ids.is_empty()) {
        let of = |level: &f64| (0..x.len().min(y.len())).filter(|row| values[*row] == *level).collect();
        sweeps = levels.iter().map(of).collect();
    }
    let step = sweeps.len().div_ceil(MOST_SWEEPS).max(1);
    let mut labelled = std::collections::BTreeSet::new();
    let mut series = |logarithmic: bool| -> Vec<Series> {
        sweeps
            .iter()
            .step_by(step)
            .map(|rows| {
                let colour = by.as_ref().map_or(0, |(_, bias, levels)| {
                    let level = rows.first().map_or(f64::NAN, |row| bias[*row]);
                    levels.iter().position(|known| *known == level).unwrap_or(0)
                });
                let words = by
                    .as_ref()
                    .filter(|_| !logarithmic && colour < 7 && labelled.insert(colour))
                    .map(|(name, _, levels)| bias(name, levels[colour]));
                let thin = rows.iter().step_by(rows.len().div_ceil(MOST_POINTS).max(1));
                let size = |value: f64| if logarithmic { value.abs() } else { value };
                let (xs, ys) = thin.map(|row| (x[*row], size(y[*row]))).unzip();
                Series::new(words.as_deref(), colour % 7, Mark::Dots, xs, ys)
            })
            .collect()
    };
    let kind = measurement.sidecar.kind;
    let reading = match kind {
        Kind::Capacitance => "Capacitance (F)",
        Kind::Threshold => "Threshold voltage (V)",
        Kind::StateCurrent => "Current (nA)",
        Kind::IdVg => "Drain current I_{D} (A)",
        Kind::Ramp | Kind::Diode => "Current (A)",
    };
    let x_axis = || Axis::new(label(survey.axis), Scale::Linear);
    let mut panels = vec![Panel {
        title: String::new(),
        x: x_axis(),
        y: Axis::new(reading, Scale::Linear),
        series: series(false),
    }];
    let largest = survey.range.map_or(0.0, |(low, high)| low.abs().max(high.abs()));
    if matches!(kind, Kind::IdVg | Kind::Diode) && largest > 0.0 {
        let smallest = y.iter().map(|y| y.abs()).filter(|y| *y > 0.0).fold(largest, f64::min);
        // No more than twelve decades: what is below is noise.
        let low = smallest.max(1e-12 * largest);
        let low = if low < largest { low } else { 0.5 * largest };
        panels.push(Panel {
            title: "Magnitude".into(),
            x: x_axis(),
            y: Axis::new(reading, Scale::Log).from_to(low, largest),
            series: series(true),
        });
    }
    let two = panels.len() > 1;
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    Figure {
        width_in: if two { TWO_COLUMNS_IN } else { ONE_COLUMN_IN },
        row_in: 2.7,
        columns: panels.len(),
        panels,
        note: format!("{name}: {}", measurement.sidecar.origin.label()),
    }
}
