//! A transistor's sweeps as a fit takes them: every reading with the voltages of its four terminals.

use super::law::Terminals;
use crate::fit::{Device, Series};
use mho_data::measurement::{Kind, Measurement};
use mho_data::survey::Survey;
use mho_data::{InputError, table::Table};

/// Fewest readings that a fit is made of.
pub const FEWEST_READINGS: usize = 20;

/// Noise floor taken where the readings show none, relative to the largest current (assumed: the resolution
/// of a parameter analyser in one range).
const RESOLUTION: f64 = 1e-7;

/// A reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Voltages.
    pub at: Terminals,
    /// Current into the drain, A.
    pub drain_a: f64,
    /// Temperature, K.
    pub temperature_k: f64,
}

/// The readings of one transistor, sweep after sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings {
    /// Name and curves, for pictures: the abscissa is what was swept.
    pub device: Device,
    /// The readings in the order of the curves.
    pub all: Vec<Reading>,
    /// Whether the gate was swept (otherwise the drain).
    pub gate_swept: bool,
    /// One standard deviation of the noise, A, and whether the readings show it.
    pub floor_a: f64,
    /// Whether the floor was seen in the readings; otherwise it is assumed.
    pub floor_seen: bool,
    /// +1 for an n-channel device, -1 for a p-channel one.
    pub polarity: f64,
    /// Channel width and length, um, and the number of devices in parallel (1 where nothing is said), where the
    /// files tell width and length.
    pub geometry: Option<[f64; 3]>,
    /// Readings left out, with the reason.
    pub left_out: Vec<(usize, &'static str)>,
}

/// Columns of a sweep with their values where the file has none.
struct Columns<'t> {
    table: &'t Table,
}

impl Columns<'_> {
    fn value(&self, name: &str, row: usize, otherwise: f64) -> f64 {
        self.table.floats(name).ok().and_then(|values| values.get(row)).copied().unwrap_or(otherwise)
    }
}

impl Readings {
    /// Reads the transistor that a measurement holds.
    ///
    /// # Errors
    /// [`InputError`] when the measurement is of another kind, holds more than one device, no drain voltage,
    /// or too few readings.
    pub fn of(measurement: &Measurement) -> Result<Self, InputError> {
        let file = measurement.sidecar.raw.first().map_or("measurement", |raw| raw.file.as_str());
        let table = &measurement.table;
        if measurement.sidecar.kind != Kind::IdVg {
            let found = measurement.sidecar.kind.title();
            return Err(InputError::new(file, found, "I_D(V_G) or I_D(V_D) sweeps of a transistor"));
        }
        let names = table.texts("device").map(<[String]>::to_vec).unwrap_or_default();
        if let Some(other) = names.iter().find(|name| **name != names[0]) {
            let found = format!("devices {} and {other}", names[0]);
            return Err(InputError::new(file, found, "one transistor at a time"));
        }
        let columns = Columns { table };
        if table.floats("vd_v").is_ok_and(|values| values.iter().any(|value| !value.is_finite())) {
            return Err(InputError::new(file, "readings without drain voltage", "a drain voltage for each"));
        }
        let survey = Survey::of(measurement);
        let gate_swept = survey.axis != "vd_v";
        let (mut dark, mut limited, mut unusable) = (0, 0, 0);
        let mut device = Device { name: names.first().cloned().unwrap_or_default(), series: Vec::new() };
        let mut all = Vec::new();
        let mut sweep_before = f64::NAN;
        for row in 0..table.len() {
            let value = |name: &str, otherwise: f64| columns.value(name, row, otherwise);
            let reading = Reading {
                at: Terminals {
                    gate_v: value("vg_v", f64::NAN),
                    drain_v: value("vd_v", f64::NAN),
                    source_v: value("vs_v", 0.0),
                    body_v: value("vb_v", 0.0),
                },
                drain_a: value("id_a", f64::NAN),
                temperature_k: value("temperature_k", 300.0),
            };
            let Terminals { gate_v, drain_v, source_v, body_v } = reading.at;
            let sound = [gate_v, drain_v, source_v, body_v, reading.drain_a]
                .iter()
                .all(|value| value.is_finite() && value.abs() < LARGEST)
                && (1.0..2000.0).contains(&reading.temperature_k);
            if !sound {
                unusable += 1;
                continue;
            }
            if value("compliance", 0.0) > 0.0 {
                limited += 1;
                continue;
            }
            if drain_v == source_v {
                dark += 1;
                continue;
            }
            let sweep = value("sweep", 0.0);
            if device.series.is_empty() || sweep != sweep_before {
                device.series.push(Series { label: label(&reading, gate_swept), ..Series::default() });
                sweep_before = sweep;
            }
            let Some(series) = device.series.last_mut() else { continue };
            series.x.push(if gate_swept { gate_v } else { drain_v });
            series.y.push(reading.drain_a);
            all.push(reading);
        }
        if all.len() < FEWEST_READINGS {
            let found = format!("{} usable readings of {}", all.len(), table.len());
            return Err(InputError::new(
                file,
                found,
                format!("at least {FEWEST_READINGS} readings of a transistor"),
            ));
        }
        let seen = survey.noise_floor;
        let largest = all.iter().map(|reading| reading.drain_a.abs()).fold(0.0, f64::max);
        let floor_a = seen.unwrap_or(0.0).max(RESOLUTION * largest).max(f64::MIN_POSITIVE);
        let polarity = polarity(&all);
        // A picture and a fit in ln I see the current that flows.
        if polarity < 0.0 {
            for series in &mut device.series {
                series.y.iter_mut().for_each(|current| *current = -*current);
            }
        }
        alive(file, &all, floor_a, polarity)?;
        let geometry = match (survey.width_um, survey.length_um, survey.multiplicity.unwrap_or(1.0)) {
            (Some(width), Some(length), many) if width > 0.0 && length > 0.0 && many > 0.0 => {
                Some([width, length, many])
            }
            _ => None,
        };
        let left_out: Vec<(usize, &'static str)> = [
            (unusable, "not numbers or out of the instrument's range"),
            (limited, "in compliance"),
            (dark, "without drain voltage"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .collect();
        let readings = Self {
            device,
            all,
            gate_swept,
            floor_a,
            floor_seen: seen.is_some(),
            polarity,
            geometry,
            left_out,
        };
        let limited = readings.limited();
        let enough = readings.all.len() - limited.len() >= FEWEST_READINGS.max(readings.all.len() / 2);
        let why = "at the largest current, which the gate does not change there: the instrument's limit";
        Ok(if limited.len() >= PLATEAU && enough { readings.without(&limited, why) } else { readings })
    }

    /// Readings of gate sweeps that lie on a plateau at the largest current: a limit that the file does not tell.
    fn limited(&self) -> Vec<usize> {
        let top = self.all.iter().map(|reading| reading.drain_a.abs()).fold(0.0, f64::max);
        let at_top = |row: &usize| self.all[*row].drain_a.abs() > (1.0 - FLAT) * top;
        let mut found = Vec::new();
        let mut first = 0;
        for series in self.device.series.iter().filter(|_| self.gate_swept) {
            let rows: Vec<usize> = (first..first + series.y.len()).filter(at_top).collect();
            let gates = rows.iter().map(|&row| self.all[row].at.gate_v);
            let (low, high) =
                gates.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
            if rows.len() >= RUN && high - low > WIDE_V {
                found.extend(rows);
            }
            first += series.y.len();
        }
        found
    }

    /// The same without the readings of these numbers, in rising order.
    pub(super) fn without(&self, rows: &[usize], why: &'static str) -> Self {
        let mut kept = self.clone();
        let mut first = 0;
        for series in &mut kept.device.series {
            let count = series.y.len();
            let stays = |row: usize| rows.binary_search(&(first + row)).is_err();
            let of = |values: &[f64]| (0..count).filter(|&row| stays(row)).map(|row| values[row]).collect();
            (series.x, series.y) = (of(&series.x), of(&series.y));
            first += count;
        }
        kept.device.series.retain(|series| !series.y.is_empty());
        kept.all = (0..self.all.len())
            .filter(|row| rows.binary_search(row).is_err())
            .map(|row| self.all[row])
            .collect();
        kept.left_out.push((rows.len(), why));
        kept
    }

    /// Differing values of a voltage, to a millivolt.
    pub fn values(&self, voltage: impl Fn(&Reading) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> =
            self.all.iter().map(|reading| (voltage(reading) * 1e3).round() / 1e3).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }
}

/// Currents within this part of the largest are one plateau, where a sweep has at least so many over more than so much
/// gate voltage, and all sweeps together so many more. Far above threshold a current still grows by 0.1 % in 2 mV.
const FLAT: f64 = 1e-3;
const RUN: usize = 3;
const WIDE_V: f64 = 0.04;
const PLATEAU: usize = 4;

/// Readings above ten noise floors that a transistor has at least, and the range of their currents.
const FEWEST_CLEAR: usize = 5;
const LEAST_RANGE: f64 = 1.1;

/// Part of the currents against the drain voltage beyond which the sign of the column is wrong.
const AGAINST: f64 = 0.8;

/// Whether there is a current at all, of the right sign, that anything changes.
fn alive(file: &str, all: &[Reading], floor_a: f64, polarity: f64) -> Result<(), InputError> {
    let flowing = |reading: &Reading| (reading.at.drain_v - reading.at.source_v).signum() * reading.drain_a;
    let clear: Vec<f64> = all.iter().map(flowing).filter(|current| *current > 10.0 * floor_a).collect();
    // Noise goes either way.
    let against = all.iter().filter(|reading| flowing(reading) < 0.0).count();
    if clear.len() < FEWEST_CLEAR && against as f64 > AGAINST * all.len() as f64 {
        let channel = if polarity < 0.0 { "negative" } else { "positive" };
        return Err(InputError::new(
            file,
            format!("{against} of {} currents against the drain voltage", all.len()),
            format!("the current into the drain, {channel} here (turn the sign of the column)"),
        ));
    }
    if clear.len() < FEWEST_CLEAR {
        return Err(InputError::new(
            file,
            format!("{} readings above ten times the noise of {floor_a:.1e} A", clear.len()),
            format!("a transistor that conducts: at least {FEWEST_CLEAR} such readings"),
        ));
    }
    let (least, most) =
        clear.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), &current| (a.min(current), b.max(current)));
    if most < LEAST_RANGE * least && clear.len() == all.len() {
        return Err(InputError::new(
            file,
            format!("currents of {least:.3e} to {most:.3e} A at all voltages"),
            "a current that follows the gate voltage",
        ));
    }
    Ok(())
}

/// Instruments write 9.9E37 for what they could not measure.
const LARGEST: f64 = 1e6;

/// The sign of the current where it is largest.
fn polarity(readings: &[Reading]) -> f64 {
    let largest = readings.iter().max_by(|a, b| a.drain_a.abs().total_cmp(&b.drain_a.abs()));
    let voltage = largest.map_or(1.0, |reading| reading.at.drain_v - reading.at.source_v);
    if voltage < 0.0 { -1.0 } else { 1.0 }
}

pub(super) fn label(reading: &Reading, gate_swept: bool) -> String {
    let Terminals { gate_v, drain_v, source_v, body_v } = reading.at;
    let still = if gate_swept { format!("V_D = {drain_v} V") } else { format!("V_G = {gate_v} V") };
    if body_v == source_v { still } else { format!("{still}, V_B = {body_v} V") }
}
