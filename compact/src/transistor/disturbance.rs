//! Disturbed sweeps: single readings that stand alone, steps of the current at one place, contacts that come and go.

use super::readings::{Reading, Readings};
use crate::fit::glitches;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Departures below this part of the current, or so many standard deviations of the noise floor, count for nothing.
const LEAST: f64 = 0.01;
const FLOORS: f64 = 7.0;

/// A step of the current that the law has not, in ln I: a factor of two.
const STEP: f64 = std::f64::consts::LN_2;

/// A step is one where it is so many times what is usual from reading to reading near it.
const ABRUPT: f64 = 8.0;

/// Readings on either side that have to agree about a step, and those that tell what is usual.
const SIDE: usize = 3;
const NEAR: usize = 8;

/// Part of the neighbouring readings with such steps beyond which contacts come and go.
const OFTEN: f64 = 0.05;

/// Places that are named at most.
const NAMED: usize = 4;

/// What disturbs the sweeps of a device.
pub(super) struct Disturbed {
    /// Numbers of the readings that stand alone.
    pub alone: Vec<usize>,
    /// What a reader of the fit has to know.
    pub words: Vec<String>,
}

/// Looks for disturbances in the residuals of a fit, over this relative deviation or the floor, and in ln I (NaN where
/// noise hides it).
pub(super) fn disturbed(readings: &Readings, relative: f64, residuals: &[f64], logs: &[f64]) -> Disturbed {
    let mut curves = Vec::new();
    let mut steps = Vec::new();
    let (mut first, mut pairs, mut rough) = (0, 0, 0);
    for series in &readings.device.series {
        let rows = first..(first + series.y.len()).min(residuals.len());
        curves.push(&residuals[rows.clone()]);
        let own = &logs[rows.clone()];
        for (row, pair) in own.windows(2).enumerate() {
            let step = pair[1] - pair[0];
            pairs += usize::from(step.is_finite());
            rough += usize::from(step.abs() > STEP);
            if jumps(own, row) {
                steps.push((step, first + row));
            }
        }
        first = rows.end;
    }
    let least: Vec<f64> = readings
        .all
        .iter()
        .map(|reading| {
            let floor = readings.floor_a / reading.drain_a.hypot(2.0 * readings.floor_a);
            LEAST.max(FLOORS * floor) / relative.hypot(floor)
        })
        .collect();
    let alone = glitches(&curves, &least);
    let mut words = Vec::new();
    if rough as f64 > OFTEN * pairs as f64 {
        words.push(format!(
            "contacts come and go: {rough} of {pairs} neighbouring readings differ by more than a factor of two where \
             the law is smooth"
        ));
    } else if !steps.is_empty() {
        let count = steps.len();
        let places: Vec<String> = steps
            .iter()
            .take(NAMED)
            .map(|(step, row)| {
                let ratio = (readings.all[row + 1].drain_a / readings.all[*row].drain_a).abs();
                let law = ratio / step.exp();
                format!("{ratio:.1} times {}, where the law has {law:.1} times", between(readings, *row))
            })
            .collect();
        let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
        words.push(format!(
            "the current jumps (a contact, or a change of the instrument's range; the readings on both sides count): \
             {}{more}",
            places.join("; ")
        ));
    }
    words.extend(hysteresis(readings, logs));
    if !alone.is_empty() {
        let mut said = String::new();
        for (place, &row) in alone.iter().take(NAMED).enumerate() {
            let _ = write!(said, "{}{}", if place > 0 { ", " } else { "" }, at(readings, row));
        }
        let more = alone.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        words.push(format!(
            "{} of {} readings stand alone against those beside them in their sweep and have no weight ({said}{more}); \
             the misfit in ln I counts them",
            alone.len(),
            readings.all.len()
        ));
    }
    Disturbed { alone, words }
}

/// Whether the current jumps after the reading in this row: abruptly, and not back at once.
fn jumps(logs: &[f64], row: usize) -> bool {
    let step = logs[row + 1] - logs[row];
    let before = &logs[row.saturating_sub(SIDE - 1)..=row];
    let after = &logs[row + 1..(row + 1 + SIDE).min(logs.len())];
    let sound = before.len().min(after.len()) > 1 && before.iter().chain(after).all(|log| log.is_finite());
    if !sound || step.abs() < STEP {
        return false;
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let level = mean(after) - mean(before);
    let mut usual: Vec<f64> = logs[row.saturating_sub(NEAR)..(row + 2 + NEAR).min(logs.len())]
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .filter(|step| step.is_finite())
        .collect();
    usual.sort_by(f64::total_cmp);
    let usual = usual.get(usual.len() / 2).copied().unwrap_or(0.0);
    // A least-squares law lies between the two sides, and the misfit fades away from the jump.
    level * step > 0.0 && level.abs() > 0.5 * STEP && step.abs() > ABRUPT * usual
}

/// Pairs that show hysteresis at least, its least size in ln I, and the part of the pairs that have its sign.
const PAIRS: usize = 6;
const APART: f64 = 0.03;
const AGREE: f64 = 0.8;

/// Whether currents differ between sweeps forth and back over the same voltages.
fn hysteresis(readings: &Readings, logs: &[f64]) -> Option<String> {
    let milli = |value: f64| (1e3 * value).round() as i64;
    let mut pairs: BTreeMap<[i64; 5], [Vec<f64>; 2]> = BTreeMap::new();
    let mut first = 0;
    for series in &readings.device.series {
        let count = series.x.len();
        for row in 0..count {
            let (Some(reading), Some(log)) = (readings.all.get(first + row), logs.get(first + row)) else {
                break;
            };
            let rise =
                series.x[(row + 1).min(count - 1)] - series.x[(row + 1).min(count - 1).saturating_sub(1)];
            let at = reading.at;
            let key = [at.gate_v, at.drain_v, at.source_v, at.body_v, reading.temperature_k].map(milli);
            if log.is_finite() && rise != 0.0 {
                pairs.entry(key).or_default()[usize::from(rise < 0.0)].push(*log);
            }
        }
        first += count;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut apart: Vec<f64> = pairs
        .values()
        .filter(|[up, down]| !up.is_empty() && !down.is_empty())
        .map(|[up, down]| mean(down) - mean(up))
        .collect();
    apart.sort_by(f64::total_cmp);
    let middle = *apart.get(apart.len() / 2)?;
    let agree = apart.iter().filter(|own| **own * middle > 0.0).count();
    let seen = apart.len() >= PAIRS && middle.abs() > APART && agree as f64 >= AGREE * apart.len() as f64;
    seen.then(|| {
        let (size, way) = (100.0 * middle.abs().exp_m1(), if middle > 0.0 { "larger" } else { "smaller" });
        format!(
            "hysteresis: currents towards smaller voltages are {way}, by {size:.0} % in the middle of {} pairs of \
             readings; the fit runs between the two directions",
            apart.len()
        )
    })
}

fn swept_v(readings: &Readings, reading: &Reading) -> f64 {
    if readings.gate_swept { reading.at.gate_v } else { reading.at.drain_v }
}

/// "at V_G = 0.7 V (V_D = 0.1 V)".
fn at(readings: &Readings, row: usize) -> String {
    let reading = &readings.all[row];
    let (swept, name) = (swept_v(readings, reading), if readings.gate_swept { "V_G" } else { "V_D" });
    format!("at {name} = {swept} V ({})", super::readings::label(reading, readings.gate_swept))
}

/// "between 0.7 and 0.72 V (V_D = 0.1 V)".
fn between(readings: &Readings, row: usize) -> String {
    let [a, b] = [&readings.all[row], &readings.all[(row + 1).min(readings.all.len() - 1)]];
    let name = if readings.gate_swept { "V_G" } else { "V_D" };
    format!(
        "between {name} = {} and {} V ({})",
        swept_v(readings, a),
        swept_v(readings, b),
        super::readings::label(a, readings.gate_swept)
    )
}
