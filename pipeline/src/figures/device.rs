//! Figures of the device: sweeps, thresholds, spreads, drift, currents under dose.

use super::axis::{Axis, Scale};
use super::kit::{Figure, Mark, ONE_COLUMN_IN, Panel, Series, TWO_COLUMNS_IN};
use super::{distinct, levels, pick};
use mho_data::table::{Table, TableError};

/// I_D(V_G) of one device a state over dose, with fits, and their residuals in ln I.
///
/// # Errors
/// When a column of `idvg-curves` is missing.
pub fn sweeps(curves: &Table, note: &str) -> Result<Figure, TableError> {
    let (devices, states) = (curves.texts("device")?, curves.texts("state")?);
    let doses = curves.floats("dose_krad_si")?;
    let mut family = Vec::new();
    let mut residuals = Vec::new();
    let (first, last) = match levels(doses).as_slice() {
        [] => (0.0, 0.0),
        all => (all[0], all[all.len() - 1]),
    };
    for (colour, state) in distinct(states).iter().enumerate() {
        let Some(device) = (0..curves.len()).find(|&row| states[row] == *state).map(|row| &devices[row])
        else {
            continue;
        };
        for (shape, dose) in [first, last].into_iter().enumerate() {
            if shape == 1 && first == last {
                continue;
            }
            let keep = |row: usize| states[row] == *state && devices[row] == *device && doses[row] == dose;
            let x = pick(curves, "vg_v", keep)?;
            let y = pick(curves, "id_a", keep)?;
            let every = |v: &[f64]| v.iter().step_by(3).copied().collect::<Vec<f64>>();
            let name = (shape == 0).then_some(state.as_str());
            family.push(Series::new(name, colour, Mark::Points(shape), every(&x), every(&y)));
            family.push(Series::new(None, colour, Mark::Line(shape), x, pick(curves, "fit_a", keep)?));
        }
        // Every fourth point is enough to see the form of the misfit.
        let keep = |row: usize| states[row] == *state && row.is_multiple_of(4);
        residuals.push(Series::new(
            None,
            colour,
            Mark::Dots,
            pick(curves, "id_a", keep)?,
            pick(curves, "residual_ln", keep)?,
        ));
    }
    let title = format!("circles, solid: {first} krad(Si); squares, dashed: {last} krad(Si)");
    Ok(Figure {
        width_in: TWO_COLUMNS_IN,
        row_in: 2.7,
        columns: 2,
        panels: vec![
            Panel {
                title,
                x: Axis::new("Gate voltage V_{G} (V)", Scale::Linear),
                y: Axis::new("Drain current I_{D} (A)", Scale::Log).from_to(1e-13, 2e-4),
                series: family,
            },
            Panel {
                title: "all sweeps, every fourth point".into(),
                x: Axis::new("Drain current I_{D} (A)", Scale::Log).from_to(1e-13, 2e-4),
                y: Axis::new("Residual ln(measured/fit)", Scale::Linear).from_to(-0.6, 0.6),
                series: residuals,
            },
        ],
        note: note.to_owned(),
    })
}

/// Thresholds against dose with every fitted law.
///
/// # Errors
/// When a column is missing.
pub fn thresholds(points: &Table, curves: &Table, note: &str) -> Result<Figure, TableError> {
    let (states, doses) = (points.texts("state")?, points.floats("dose_krad_si")?);
    let laws = distinct(curves.texts("law")?);
    let (law, of) = (curves.texts("law")?, curves.texts("state")?);
    let least = levels(doses).into_iter().find(|dose| *dose > 0.0).unwrap_or(1.0);
    let mut panels = Vec::new();
    for shown in ["tid-exp", "tid-collect"] {
        if !laws.iter().any(|l| l == shown) {
            continue;
        }
        let mut series = Vec::new();
        for (colour, state) in distinct(states).iter().enumerate() {
            let keep = |row: usize| law[row] == shown && of[row] == *state;
            let x = pick(curves, "dose_krad_si", keep)?;
            series.push(
                Series::new(None, colour, Mark::Band, x.clone(), Vec::new())
                    .between(pick(curves, "lo_v", keep)?, pick(curves, "hi_v", keep)?),
            );
            series.push(Series::new(None, colour, Mark::Line(0), x, pick(curves, "vt_v", keep)?));
            let keep = |row: usize| states[row] == *state;
            let vt = pick(points, "vt_v", keep)?;
            let std = pick(points, "vt_std_v", keep)?;
            let bound = |sign: f64| vt.iter().zip(&std).map(|(v, s)| v + sign * s).collect();
            series.push(
                Series::new(
                    Some(state),
                    colour,
                    Mark::Points(colour),
                    pick(points, "dose_krad_si", keep)?,
                    vt.clone(),
                )
                .between(bound(-1.0), bound(1.0)),
            );
        }
        let title = if shown == "tid-exp" { "closed form tid-exp" } else { "charge collection tid-collect" };
        panels.push(Panel {
            title: title.into(),
            x: Axis::new("Dose (krad(Si))", Scale::LogWithZero(least)),
            y: Axis::new("Threshold at 100 nA (V)", Scale::Linear),
            series,
        });
    }
    Ok(Figure { width_in: TWO_COLUMNS_IN, row_in: 2.7, columns: 2, panels, note: note.to_owned() })
}

/// Title of a published set.
fn set_title(set: &str) -> String {
    match set {
        "tcas2022" => "TCAS-I 2022 (16 states)".into(),
        "iedm2022" => "IEDM 2022 (128 K devices)".into(),
        other => other.into(),
    }
}

fn days(time_s: f64) -> String {
    let days = time_s / 86_400.0;
    if days == 0.0 { "after programming".into() } else { format!("{days} d") }
}

/// Spread of the published states with its fit.
///
/// # Errors
/// When a column is missing.
pub fn spread(points: &Table, curves: &Table, note: &str) -> Result<Figure, TableError> {
    let mut panels = Vec::new();
    for set in distinct(points.texts("set")?) {
        let (sets, times) = (points.texts("set")?, points.floats("time_s")?);
        let (curve_sets, curve_times) = (curves.texts("set")?, curves.floats("time_s")?);
        let mut series = Vec::new();
        let own: Vec<f64> = (0..points.len()).filter(|&r| sets[r] == set).map(|r| times[r]).collect();
        for (colour, time) in levels(&own).into_iter().enumerate() {
            let keep = |r: usize| sets[r] == set && times[r] == time;
            let (x, y) = (pick(points, "current_na", keep)?, pick(points, "sigma_na", keep)?);
            let step = (x.len() / 20).max(1);
            let thin = |v: &[f64]| v.iter().step_by(step).copied().collect::<Vec<f64>>();
            series.push(Series::new(Some(&days(time)), colour, Mark::Points(colour), thin(&x), thin(&y)));
            let keep = |r: usize| curve_sets[r] == set && curve_times[r] == time;
            series.push(Series::new(
                None,
                colour,
                Mark::Line(0),
                pick(curves, "current_na", keep)?,
                pick(curves, "sigma_na", keep)?,
            ));
        }
        panels.push(Panel {
            title: set_title(&set),
            x: Axis::new("Cell current (nA)", Scale::Linear).from_to(0.0, 1750.0),
            y: Axis::new("Spread over cells σ(I) (nA)", Scale::Linear),
            series,
        });
    }
    Ok(Figure { width_in: TWO_COLUMNS_IN, row_in: 2.6, columns: 2, panels, note: note.to_owned() })
}

/// Drift of the published states with fits in both weightings.
///
/// # Errors
/// When a column is missing.
pub fn drift(points: &Table, curves: &Table, note: &str) -> Result<Figure, TableError> {
    let mut panels = Vec::new();
    for set in distinct(points.texts("set")?) {
        let (sets, times) = (points.texts("set")?, points.floats("time_s")?);
        let (curve_sets, curve_times) = (curves.texts("set")?, curves.floats("time_s")?);
        let weightings = curves.texts("weighting")?;
        let own: Vec<f64> = (0..points.len()).filter(|&r| sets[r] == set).map(|r| times[r]).collect();
        let mut series = Vec::new();
        for (colour, time) in
            levels(&own).into_iter().filter(|t| [86_400.0, 172_800.0, 432_000.0].contains(t)).enumerate()
        {
            let keep = |r: usize| sets[r] == set && times[r] == time;
            let (x, y) = (pick(points, "current_na", keep)?, pick(points, "shift_na", keep)?);
            let step = (x.len() / 20).max(1);
            let thin = |v: &[f64]| v.iter().step_by(step).copied().collect::<Vec<f64>>();
            series.push(Series::new(Some(&days(time)), colour, Mark::Points(colour), thin(&x), thin(&y)));
            for (dash, weighting) in ["absolute", "log-current"].into_iter().enumerate() {
                let keep =
                    |r: usize| curve_sets[r] == set && curve_times[r] == time && weightings[r] == weighting;
                series.push(Series::new(
                    None,
                    colour,
                    Mark::Line(dash),
                    pick(curves, "current_na", keep)?,
                    pick(curves, "shift_na", keep)?,
                ));
            }
        }
        panels.push(Panel {
            title: format!("{}; solid: fit in nA, dashed: in ln I", set_title(&set)),
            x: Axis::new("Programmed current (nA)", Scale::Linear).from_to(0.0, 1750.0),
            y: Axis::new("Mean shift (nA)", Scale::Linear),
            series,
        });
    }
    Ok(Figure { width_in: TWO_COLUMNS_IN, row_in: 2.6, columns: 2, panels, note: note.to_owned() })
}

/// State currents against dose: cells, the direct fit, and the way over the threshold.
///
/// # Errors
/// When a column is missing.
pub fn currents(points: &Table, curves: &Table, note: &str) -> Result<Figure, TableError> {
    let (states, doses) = (points.floats("state")?, points.floats("dose_krad_si")?);
    let (ways, of) = (curves.texts("way")?, curves.floats("state")?);
    let least = levels(doses).into_iter().find(|dose| *dose > 0.0).unwrap_or(1.0);
    let times = points.floats("time_s")?;
    let mut series = Vec::new();
    for (colour, state) in levels(states).into_iter().enumerate() {
        // Later reads at a dose belong to storage, not to dose: only the first ones are drawn.
        let own = |r: usize| states[r] == state;
        let first = |r: usize| {
            (0..points.len()).filter(|&o| own(o) && doses[o] == doses[r]).all(|o| times[o] >= times[r])
        };
        let keep = |r: usize| own(r) && first(r);
        series.push(Series::new(
            None,
            colour,
            Mark::Dots,
            pick(points, "dose_krad_si", keep)?,
            pick(points, "current_na", keep)?,
        ));
        for (dash, way) in ["direct", "over-vt"].into_iter().enumerate() {
            let keep = |r: usize| ways[r] == way && of[r] == state;
            let words = if way == "direct" { "fitted directly" } else { "over the threshold" };
            let name = (colour == 0).then_some(words);
            series.push(Series::new(
                name,
                colour,
                Mark::Line(dash),
                pick(curves, "dose_krad_si", keep)?,
                pick(curves, "current_na", keep)?,
            ));
        }
    }
    Ok(Figure {
        width_in: ONE_COLUMN_IN,
        row_in: 2.9,
        columns: 1,
        panels: vec![Panel {
            title: format!("single cells (dots) of {} states", levels(states).len()),
            x: Axis::new("Dose (krad(Si))", Scale::LogWithZero(least)),
            y: Axis::new("Cell current at the read bias (nA)", Scale::Log).from_to(50.0, 4000.0),
            series,
        }],
        note: note.to_owned(),
    })
}
