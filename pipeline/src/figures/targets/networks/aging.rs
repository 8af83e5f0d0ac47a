//! Networks on SONOS arrays that age: days, dose, and what helps against dose.

use super::super::dose::rows;
use super::super::{Built, Class, Target};
use super::*;
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Mark, Panel, Series};
use crate::figures::targets::Check;
use mho_compact::cell::{CellParameters, DoseLaw, SonosCell};
use mho_compact::tid::Law;
use mho_network::array::Compensation;
use mho_network::effects::Effects;

pub(in super::super) const DRIFT: Target = Target {
    id: "N18",
    title: "accuracy against days since programming, published drift of two SONOS arrays",
    source: "published statistics of SONOS arrays (TCAS-I 2022, IEDM 2022); no published curve of these tasks",
    class: Class::Shape,
    build: drift,
};

pub(in super::super) const MITIGATION: Target = Target {
    id: "N20",
    title: "accuracy against dose with a gain that follows the mean current, or with periodic reprogramming",
    source: "ours: what a common gain and a refresh buy under dose",
    class: Class::Shape,
    build: mitigation,
};

const TRIALS: u64 = 10;

/// Gate area (um2) of the cell under dose, fixed before anything was compared: the published growth of
/// spreads excludes less than 0.04 (design notes A.1).
pub(super) const GATE_UM2: f64 = 0.05;

/// One where every value is at most `slack` above all before it.
pub(super) fn falls(values: &[f64], slack: f64) -> f64 {
    let mut least = f64::INFINITY;
    let falls = values.iter().all(|value| {
        let good = *value <= least + slack;
        least = least.min(*value);
        good
    });
    f64::from(u8::from(falls))
}

fn drift(wish: &Wish<'_>) -> Result<Built, BuildError> {
    /// Points of accuracy by which a mean of the trials may rise by chance: 5,000 images and 10 trials
    /// share their images, so that only cells differ (assumed: three times the spread that was seen).
    const SLACK: f64 = 0.15;
    let tasks = tasks(wish)?;
    let days = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let effects = Effects { dose_mean: false, dose_random: false, ..Effects::ALL };
    let conditions = days.map(|day| Condition { time_s: 86_400.0 * day, dose_krad_si: 0.0, effects });
    let (mut panels, mut checks) = (Vec::new(), Vec::new());
    for (step, task) in tasks.iter().enumerate() {
        let mut series =
            vec![Series::new(Some("digital"), 0, Mark::Line(1), vec![0.0, 5.0], vec![task.digital; 2])];
        for (colour, (set, name)) in
            [("tcas2022", "TCAS 2022"), ("iedm2022", "IEDM 2022")].into_iter().enumerate()
        {
            let table = sonos(set)?;
            let found = task.accuracy(Some(&table), &array_for(&table), &conditions, TRIALS, wish.seed)?;
            let means: Vec<f64> = found.iter().map(|accuracy| accuracy.mean).collect();
            let name_of = |what: &str| format!("{}, {name}: {what}", task.name);
            checks.push(Check::new(
                name_of("never rises with time (1: yes)"),
                1.0,
                falls(&means, SLACK),
                0.0,
            ));
            // Small: published arrays lose about two points on a far harder task within days.
            let loss = means[0] - means[means.len() - 1];
            checks.push(Check::new(name_of("lost from 0 to 5 d (points)"), 0.0, loss, 1.0));
            let of = |part: fn(&Accuracy) -> f64| found.iter().map(part).collect::<Vec<f64>>();
            series.push(
                Series::new(None, colour + 1, Mark::Band, days.to_vec(), Vec::new())
                    .between(of(|a| a.least), of(|a| a.most)),
            );
            series.push(Series::new(Some(name), colour + 1, Mark::Line(0), days.to_vec(), means.clone()));
            series.push(Series::new(None, colour + 1, Mark::Points(colour), days.to_vec(), means));
        }
        panels.push(Panel {
            title: format!("{}, n = {TRIALS}", task.name),
            x: Axis::new("Time since programming (d)", Scale::Linear).from_to(-0.2, 5.2),
            y: Axis::new("Accuracy (%)", Scale::Linear),
            series,
        });
        (wish.progress)((step + 1) as f64 / tasks.len() as f64);
    }
    let note = if tasks.iter().all(|task| task.whole) {
        "8-bit converters, programming, drift, read noise; bands: all trials"
    } else {
        note(&tasks)
    };
    Ok(Built { figure: rows(panels, note), checks, dataset: dataset(&tasks) })
}

/// A cell of the default card whose charge decays with dose: D_c = 1.7 Mrad(Si) towards neutral (design
/// notes A.7, assumed).
pub(super) fn irradiated(gate_area_um2: f64) -> Result<DeviceTable, BuildError> {
    let mut parameters = CellParameters { gate_area_m2: 1e-12 * gate_area_um2, ..CellParameters::default() };
    let read_gate_v = SonosCell::default_read_gate_v(&parameters.retention, 0.0);
    let law = Law::Exp { dose_c_krad_si: 1700.0, vt_inf_v: 0.0 };
    parameters.dose = DoseLaw::Threshold { law, read_gate_v };
    Ok(compile(
        &SonosCell::new(parameters),
        &CompileOptions { time_max_s: 0.0, ..CompileOptions::default() },
    )?)
}

/// Doses (krad(Si)) of the figure.
const DOSES: [f64; 9] = [0.0, 10.0, 30.0, 100.0, 200.0, 300.0, 500.0, 700.0, 1000.0];

/// Doses after which all cells are programmed anew (krad(Si)).
const PERIODS: [f64; 2] = [30.0, 100.0];

fn mitigation(wish: &Wish<'_>) -> Result<Built, BuildError> {
    let task = task(1, wish)?;
    let table = irradiated(GATE_UM2)?;
    let array = array_for(&table);
    let condition = |dose_krad_si: f64| Condition { time_s: 0.0, dose_krad_si, effects: Effects::ALL };
    let plain = task.accuracy(Some(&table), &array, &DOSES.map(condition), TRIALS, wish.seed)?;
    (wish.progress)(0.5);
    let means: Vec<f64> = plain.iter().map(|accuracy| accuracy.mean).collect();
    let mut checks = vec![Check::new("never rises with dose (1: yes)", 1.0, falls(&means, 0.15), 0.0)];
    let least = DOSES[1];
    let of = |part: fn(&Accuracy) -> f64| plain.iter().map(part).collect::<Vec<f64>>();
    let mut series = vec![
        Series::new(Some("digital"), 0, Mark::Line(1), vec![0.0, 1000.0], vec![task.digital; 2]),
        Series::new(None, 1, Mark::Band, DOSES.to_vec(), Vec::new()).between(of(|a| a.least), of(|a| a.most)),
        Series::new(Some("programmed once"), 1, Mark::Line(0), DOSES.to_vec(), means.clone()),
        Series::new(None, 1, Mark::Points(0), DOSES.to_vec(), means.clone()),
    ];
    let ways = [(Compensation::Global, "one gain a layer"), (Compensation::PerColumn, "a gain a column")];
    for (index, (way, words)) in ways.into_iter().enumerate() {
        let mut array = array.clone();
        array.effects.drift_compensation = way;
        let found = task.accuracy(Some(&table), &array, &DOSES.map(condition), TRIALS, wish.seed)?;
        let rescaled: Vec<f64> = found.iter().map(|accuracy| accuracy.mean).collect();
        series.push(Series::new(Some(words), index + 2, Mark::Line(2), DOSES.to_vec(), rescaled));
    }
    for (index, period) in PERIODS.into_iter().enumerate() {
        // Right before a refresh cells have the dose of a whole period: the worst that is ever read.
        let since = |dose: f64| dose.min(period);
        let found = task.accuracy(
            Some(&table),
            &array,
            &DOSES.map(|dose| condition(since(dose))),
            TRIALS,
            wish.seed,
        )?;
        let fresh: Vec<f64> = found.iter().map(|accuracy| accuracy.mean).collect();
        let worst =
            fresh.iter().zip(&means).map(|(fresh, plain)| fresh - plain).fold(f64::INFINITY, f64::min);
        let name = format!("refresh every {period} krad(Si) never below none (1: yes)");
        checks.push(Check::new(name, 1.0, f64::from(u8::from(worst >= -1e-9)), 0.0));
        let label = format!("refresh every {period} krad(Si)");
        series.push(Series::new(Some(&label), index + 4, Mark::Line(0), DOSES.to_vec(), fresh.clone()));
        series.push(Series::new(None, index + 4, Mark::Points(index + 1), DOSES.to_vec(), fresh));
        (wish.progress)(0.5 + 0.25 * (index + 1) as f64);
    }
    let panel = Panel {
        title: format!("{}, gate of 0.05 µm², n = {TRIALS}", task.name),
        x: Axis::new("Dose (krad(Si))", Scale::LogWithZero(least)),
        y: Axis::new("Accuracy (%)", Scale::Linear),
        series,
    };
    let tasks = [task];
    let figure =
        super::super::dose::one(panel, "D_{c} of 1.7 Mrad(Si), assumed; refresh: just before the next one");
    Ok(Built { figure, checks, dataset: dataset(&tasks) })
}
