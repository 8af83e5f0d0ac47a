//! Cells out of a table of state currents: each with its mean conductance and its repeated reads at every time.

use super::Cell;
use super::table_source::conductance_us;
use mho_data::InputError;
use mho_data::measurement::{Kind, Measurement};
use mho_data::table::TableError;
use std::collections::BTreeMap;

/// Repeated reads of a cell at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reads {
    /// Mean, uS.
    pub mean_us: f64,
    /// Sum of squared deviations from it, uS^2.
    pub square_us2: f64,
    /// Reads.
    pub count: usize,
}

/// Cells of one target that were read at the same times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// Target, uS.
    pub target_us: f64,
    /// Times, s, rising.
    pub times_s: Vec<f64>,
    /// Reads at these times, cell after cell.
    pub cells: Vec<Vec<Reads>>,
    /// Index of the chip of each cell; empty where each device is a cell.
    pub chips: Vec<usize>,
    /// Name of each cell.
    pub names: Vec<String>,
    /// Place of each cell among those that were read.
    pub places: Vec<usize>,
    /// Number of those.
    pub drawn: usize,
}

impl Group {
    /// Leaves the cells that are marked.
    pub fn keep(&mut self, kept: &[bool]) {
        fn retain<T>(all: &mut Vec<T>, kept: &[bool]) {
            let mut kept = kept.iter();
            all.retain(|_| kept.next() == Some(&true));
        }
        retain(&mut self.cells, kept);
        retain(&mut self.chips, kept);
        retain(&mut self.names, kept);
        retain(&mut self.places, kept);
    }
}

/// What a measurement holds.
pub(super) struct Cells {
    /// Groups by target.
    pub groups: Vec<Group>,
    /// Chips, where devices are chips of many cells.
    pub chips: Vec<String>,
    /// Rows left out.
    pub dropped: usize,
    /// What was assumed and left out.
    pub notes: Vec<String>,
}

/// Devices of a state from which on each counts as a cell.
const CELLS: usize = 4;

/// A read voltage from the table or its preamble, V.
fn read_voltage(measurement: &Measurement, file: &str) -> Result<f64, InputError> {
    let expected = "the read voltage, above 0 V: a line `read_v: 0.2` in the preamble or a column `read_v`";
    let text = measurement.preamble("read_v").map(str::to_owned);
    let column = measurement.table.floats("read_v").ok().and_then(|values| values.first().copied());
    let value = match (&text, column) {
        (Some(text), _) => text.trim_end_matches([' ', 'V']).parse().unwrap_or(f64::NAN),
        (None, Some(value)) => value,
        (None, None) => return Err(InputError::new(file, "no read voltage", expected)),
    };
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        let found = text.unwrap_or_else(|| value.to_string());
        Err(InputError::new(file, format!("read_v = {found}"), expected))
    }
}

/// The cells of a measurement; conductances by the current law of `cell`.
///
/// # Errors
/// [`InputError`] for another kind of measurement, a missing column or read voltage, or no group of four cells.
pub(super) fn cells(measurement: &Measurement, cell: &dyn Cell) -> Result<Cells, InputError> {
    let file = measurement.places.first().map_or("measurement", |(file, _)| file.as_str());
    if measurement.sidecar.kind != Kind::StateCurrent {
        let found = measurement.sidecar.kind.title();
        return Err(InputError::new(file, found, Kind::StateCurrent.title()));
    }
    let table = &measurement.table;
    let missing = |error: TableError| {
        InputError::new(file, error.to_string(), "columns device, state, time_s and current_na")
    };
    let (devices, states) =
        (table.texts("device").map_err(missing)?, table.floats("state").map_err(missing)?);
    let (times, currents) =
        (table.floats("time_s").map_err(missing)?, table.floats("current_na").map_err(missing)?);
    let doses = table.floats("dose_krad_si").ok();
    let read_v = read_voltage(measurement, file)?;

    let (mut dosed, mut empty) = (0, 0);
    // State, then device, then time (bits of numbers that are not negative sort as the numbers do).
    let mut reads: BTreeMap<u64, BTreeMap<&str, BTreeMap<u64, Vec<f64>>>> = BTreeMap::new();
    for row in 0..table.len() {
        let (state, time, current) = (states[row], times[row], currents[row]);
        if doses.is_some_and(|doses| doses[row] > 0.0) {
            dosed += 1;
        } else if state < 0.0 || time < 0.0 || ![state, time, current].iter().all(|v| v.is_finite()) {
            empty += 1;
        } else {
            let of_state = reads.entry((state + 0.0).to_bits()).or_default();
            let of_device = of_state.entry(devices[row].as_str()).or_default();
            let conductance = conductance_us(cell, current, read_v);
            of_device.entry((time + 0.0).to_bits()).or_default().push(conductance);
        }
    }
    let mut found =
        Cells { groups: Vec::new(), chips: Vec::new(), dropped: dosed + empty, notes: Vec::new() };
    for (count, what) in [
        (dosed, "after a dose: the law knows none"),
        (empty, "without finite numbers or before the end of programming"),
    ] {
        if count > 0 {
            found.notes.push(format!("{count} rows left out, {what}"));
        }
    }
    let max_na = measurement.preamble("current_max_na").and_then(|text| text.parse::<f64>().ok());
    if max_na.is_none() {
        found
            .notes
            .push("targets are the mean first reads of each state: no current_max_na in the preamble".into());
    }
    let chips = reads.values().any(|of_state| of_state.len() < CELLS);
    if chips {
        found.notes.push(
            "devices count as chips, and rows of a device, state and time as its cells, in order".into(),
        );
        let mut names: Vec<&str> = reads.values().flat_map(|of_state| of_state.keys().copied()).collect();
        names.sort_unstable();
        names.dedup();
        found.chips = names.into_iter().map(str::to_owned).collect();
    } else {
        found
            .notes
            .push("each device counts as a cell, and its rows of a state and time as repeated reads".into());
    }
    let (mut partial, mut few) = (0, 0);
    for (state, of_state) in &reads {
        let Some(mut group) = group(of_state, &found.chips, &mut partial) else {
            few += 1;
            continue;
        };
        let first: f64 =
            group.cells.iter().map(|cell| cell[0].mean_us).sum::<f64>() / group.cells.len() as f64;
        group.target_us =
            max_na.map_or(first, |max_na| conductance_us(cell, f64::from_bits(*state) * max_na, read_v));
        found.groups.push(group);
    }
    if partial > 0 {
        found.notes.push(format!("{partial} cells left out: not read at all times of their state"));
    }
    if few > 0 {
        found.notes.push(format!("{few} states left out: fewer than {CELLS} cells"));
    }
    if found.groups.is_empty() {
        return Err(InputError::new(file, "no state with four cells", "at least four cells of one target"));
    }
    Ok(found)
}

fn group(
    of_state: &BTreeMap<&str, BTreeMap<u64, Vec<f64>>>,
    chips: &[String],
    partial: &mut usize,
) -> Option<Group> {
    let mut times: Vec<u64> = of_state.values().flat_map(|of_device| of_device.keys().copied()).collect();
    times.sort_unstable();
    times.dedup();
    let mut group = Group {
        target_us: f64::NAN,
        times_s: times.iter().map(|&time| f64::from_bits(time)).collect(),
        cells: Vec::new(),
        chips: Vec::new(),
        names: Vec::new(),
        places: Vec::new(),
        drawn: 0,
    };
    for (device, of_device) in of_state {
        let at = |time: &u64| of_device.get(time).map_or(&[][..], Vec::as_slice);
        if chips.is_empty() {
            if of_device.len() < times.len() {
                *partial += 1;
                continue;
            }
            group.cells.push(times.iter().map(|time| summed_up(at(time))).collect());
            group.names.push((*device).to_owned());
        } else {
            let whole = times.iter().map(|time| at(time).len()).min().unwrap_or(0);
            let most = times.iter().map(|time| at(time).len()).max().unwrap_or(0);
            *partial += most - whole;
            let chip = chips.iter().position(|name| name == device).unwrap_or(0);
            for index in 0..whole {
                group.cells.push(times.iter().map(|time| summed_up(&at(time)[index..=index])).collect());
                group.chips.push(chip);
                group.names.push(format!("cell {} of {device}", index + 1));
            }
        }
    }
    group.drawn = group.cells.len();
    group.places = (0..group.drawn).collect();
    (group.drawn >= CELLS).then_some(group)
}

fn summed_up(reads: &[f64]) -> Reads {
    let mean_us = reads.iter().sum::<f64>() / reads.len().max(1) as f64;
    let square_us2 = reads.iter().map(|read| (read - mean_us).powi(2)).sum();
    Reads { mean_us, square_us2, count: reads.len() }
}
