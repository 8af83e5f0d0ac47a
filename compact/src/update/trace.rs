//! Readings after equal pulses, device by device, as the fits of update laws take them.

use super::law::Direction;
use super::number::Number;
use mho_data::InputError;
use mho_data::measurement::{Kind, Measurement};

/// Pulses of one ramp at most: what a file may ask a fit to walk through.
const MOST_PULSES: f64 = 1e6;

/// Readings that give the state at which a ramp starts.
const STARTING: usize = 10;

/// Equal pulses in one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Ramp {
    /// Which way they push.
    pub direction: Direction,
    /// Pulses between the first read of the ramp and each reading, ascending; the first is 0 unless its reading
    /// could not be used.
    pub pulses: Vec<usize>,
    /// Readings, finite, in the unit of [`Traces::unit`].
    pub readings: Vec<f64>,
}

impl Ramp {
    /// Consecutive readings, one after each pulse.
    pub fn consecutive(direction: Direction, readings: Vec<f64>) -> Self {
        Self { direction, pulses: (0..readings.len()).collect(), readings }
    }

    /// The first reading without its noise: intercept of a line through the first ten.
    pub(super) fn first_level(&self) -> f64 {
        let count = self.readings.len().min(STARTING);
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / count.max(1) as f64;
        let x = |row: usize| self.pulses[row] as f64;
        let (mx, my) = (mean(&mut (0..count).map(x)), mean(&mut self.readings[..count].iter().copied()));
        let sxx: f64 = (0..count).map(|row| (x(row) - mx).powi(2)).sum();
        let sxy: f64 = (0..count).map(|row| (x(row) - mx) * (self.readings[row] - my)).sum();
        // Few readings leave nothing to average.
        if count < STARTING || sxx == 0.0 {
            self.readings.first().copied().unwrap_or(0.0)
        } else {
            my - mx * sxy / sxx
        }
    }
}

/// Ramps of one device in the order in which they were made.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Name of the device.
    pub name: String,
    /// Its ramps.
    pub ramps: Vec<Ramp>,
    /// Whether each ramp begins where the one before ended, one pulse on; else each has its own start.
    pub chained: bool,
}

/// Readings that stand for the weights -1 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Reading at weight -1.
    pub low: f64,
    /// Reading at weight 1.
    pub high: f64,
}

impl Window {
    /// Readings that are weights already.
    pub const WEIGHTS: Self = Self { low: -1.0, high: 1.0 };

    /// Half of the window: one unit of weight.
    pub fn unit(&self) -> f64 {
        0.5 * (self.high - self.low)
    }

    /// Weight of a reading.
    pub fn weight(&self, reading: f64) -> f64 {
        (reading - 0.5 * (self.high + self.low)) / self.unit()
    }

    /// Reading of a weight.
    pub fn reading<R: Number>(&self, weight: R) -> R {
        weight * self.unit() + 0.5 * (self.high + self.low)
    }
}

/// Everything that the update laws are fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// Devices.
    pub devices: Vec<Trace>,
    /// From readings to weights.
    pub window: Window,
    /// Quantity of the readings in words.
    pub quantity: &'static str,
    /// Unit of the readings.
    pub unit: &'static str,
    /// Readings that could not be used.
    pub dropped: usize,
    /// What was assumed about them.
    pub notes: Vec<String>,
}

impl Traces {
    /// One device with one ramp up and then one down, as in two columns of a file.
    ///
    /// # Errors
    /// Too few finite readings, or a window without width.
    pub fn from_columns(
        name: &str,
        up: &[f64],
        down: &[f64],
        window: Option<Window>,
    ) -> Result<Self, InputError> {
        let mut dropped = 0;
        let mut ramps = Vec::new();
        for (direction, column) in [(Direction::Up, up), (Direction::Down, down)] {
            let rows: Vec<usize> = (0..column.len()).filter(|&row| column[row].is_finite()).collect();
            dropped += column.len() - rows.len();
            let Some(&first) = rows.first() else { continue };
            ramps.push(Ramp {
                direction,
                pulses: rows.iter().map(|row| row - first).collect(),
                readings: rows.iter().map(|&row| column[row]).collect(),
            });
        }
        let devices = vec![Trace { name: name.to_owned(), ramps, chained: true }];
        let notes = vec!["the down ramp begins where the up ramp ended (assumed)".to_owned()];
        Self { devices, window: Window::WEIGHTS, quantity: "response", unit: "1", dropped, notes }
            .windowed(name, window)
    }

    /// Ramps of a [`Kind::Ramp`] measurement: conductances where the read voltage is known, else currents.
    ///
    /// # Errors
    /// Another kind of measurement, missing columns, or too few readings.
    pub fn from_measurement(measurement: &Measurement) -> Result<Self, InputError> {
        let file =
            measurement.places.first().map_or_else(|| "measurement".to_owned(), |place| place.0.clone());
        let kind = measurement.sidecar.kind;
        if kind != Kind::Ramp {
            return Err(InputError::new(file, kind.title(), Kind::Ramp.title()));
        }
        let table = &measurement.table;
        let bad = |error: mho_data::table::TableError| {
            InputError::new(&*file, error.to_string(), "columns device, state, ramp, pulse, current_a")
        };
        let names = table.texts("device").map_err(bad)?;
        let states = table.texts("state").map_err(bad)?;
        let (ramp, pulse) = (table.floats("ramp").map_err(bad)?, table.floats("pulse").map_err(bad)?);
        let current = table.floats("current_a").map_err(bad)?;
        let volts = table.floats("read_v").unwrap_or(&[]);
        let conductance =
            volts.len() == current.len() && volts.iter().all(|v| v.is_finite() && v.abs() > 1e-9);
        let reading = |row: usize| if conductance { current[row] / volts[row] } else { current[row] };

        let mut devices: Vec<(Trace, Vec<String>)> = Vec::new();
        let (mut dropped, mut row) = (0, 0);
        while row < names.len() {
            let same = |other: usize| {
                names[other] == names[row] && states[other] == states[row] && ramp[other] == ramp[row]
            };
            let end = (row + 1..names.len()).find(|&other| !same(other)).unwrap_or(names.len());
            let mut made = Ramp { direction: Direction::Up, pulses: Vec::new(), readings: Vec::new() };
            let mut first = None;
            for (at, number) in pulse.iter().enumerate().take(end).skip(row) {
                let after = number - *first.get_or_insert(*number);
                let rising = made.pulses.last().is_none_or(|&last| after > last as f64);
                if reading(at).is_finite() && (0.0..MOST_PULSES).contains(&after) && rising {
                    made.pulses.push(after as usize);
                    made.readings.push(reading(at));
                } else {
                    dropped += 1;
                }
            }
            let index = devices.iter().position(|(trace, _)| trace.name == names[row]).unwrap_or_else(|| {
                let trace = Trace { name: names[row].clone(), ramps: Vec::new(), chained: false };
                devices.push((trace, Vec::new()));
                devices.len() - 1
            });
            if made.readings.len() > 1 {
                devices[index].0.ramps.push(made);
                devices[index].1.push(states[row].clone());
            } else {
                dropped += made.readings.len();
            }
            row = end;
        }
        let mut notes = Vec::new();
        let mut traces: Vec<Trace> = Vec::new();
        for (mut trace, states) in devices {
            direct(&mut trace, &states, &mut notes);
            trace.chained = continues(&trace);
            if trace.ramps.len() > 1 {
                let how = if trace.chained {
                    "goes on where the one before ended"
                } else {
                    "has a start of its own"
                };
                notes.push(format!("{}: each ramp {how} (as the readings say)", trace.name));
            }
            if !trace.ramps.is_empty() {
                traces.push(trace);
            }
        }
        let (quantity, unit) = if conductance { ("conductance G", "S") } else { ("read current I", "A") };
        Self { devices: traces, window: Window::WEIGHTS, quantity, unit, dropped, notes }
            .windowed(&file, None)
    }

    /// The traces with their window; one that is not given spans 98 % of the readings.
    fn windowed(mut self, file: &str, window: Option<Window>) -> Result<Self, InputError> {
        let mut readings: Vec<f64> = self.ramps().flat_map(|ramp| ramp.readings.iter().copied()).collect();
        if readings.len() < 8 {
            let found = format!("{} readings", readings.len());
            return Err(InputError::new(file, found, "at least 8 readings after equal pulses"));
        }
        readings.sort_by(f64::total_cmp);
        let place = |part: f64| readings[(part * (readings.len() - 1) as f64).round() as usize];
        self.window = window.unwrap_or(Window { low: place(0.01), high: place(0.99) });
        let Window { low, high } = self.window;
        let unit = self.window.unit();
        if !(unit.is_normal() && unit > 0.0 && (low.abs() + high.abs()) / unit < 1e12) {
            let found = format!("readings from {low:e} to {high:e}");
            return Err(InputError::new(file, found, "readings that change with the pulses"));
        }
        if let Some(wild) = readings.iter().find(|reading| self.window.weight(**reading).abs() > 1e6) {
            let found = format!("a reading of {wild:e} beside a window from {low:e} to {high:e}");
            return Err(InputError::new(file, found, "readings of one size"));
        }
        if window.is_none() {
            self.notes.push(format!(
                "weights -1 and 1 stand for {low:.4e} and {high:.4e} {} (1 % and 99 % of the readings)",
                self.unit
            ));
        }
        Ok(self)
    }

    /// Ramps of all devices.
    pub fn ramps(&self) -> impl Iterator<Item = &Ramp> {
        self.devices.iter().flat_map(|trace| &trace.ramps)
    }

    /// Readings of all devices.
    pub fn readings(&self) -> usize {
        self.ramps().map(|ramp| ramp.readings.len()).sum()
    }
}

/// Gives the ramps their directions: all ramps of one state go the way that they go together.
fn direct(trace: &mut Trace, states: &[String], notes: &mut Vec<String>) {
    let change = |ramp: &Ramp| {
        let third = (ramp.readings.len() / 3).max(1);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
        mean(&ramp.readings[ramp.readings.len() - third..]) - mean(&ramp.readings[..third])
    };
    let changes: Vec<f64> = trace.ramps.iter().map(change).collect();
    for (index, ramp) in trace.ramps.iter_mut().enumerate() {
        let together = |other: &usize| !states[index].is_empty() && states[*other] == states[index];
        let total: f64 = if states[index].is_empty() {
            changes[index]
        } else {
            (0..changes.len()).filter(together).map(|other| changes[other]).sum()
        };
        ramp.direction = if total >= 0.0 { Direction::Up } else { Direction::Down };
    }
    let against = trace
        .ramps
        .iter()
        .zip(&changes)
        .filter(|(ramp, change)| ramp.direction.sign() * **change < 0.0)
        .count();
    if against > 0 {
        notes.push(format!("{}: {against} ramps go against the others of their state", trace.name));
    }
}

/// Whether every ramp begins nearer to the end of the one before than a quarter of what it covers itself.
fn continues(trace: &Trace) -> bool {
    trace.ramps.windows(2).all(|pair| {
        let end = Ramp {
            direction: pair[0].direction,
            pulses: (0..pair[0].readings.len()).collect(),
            readings: pair[0].readings.iter().rev().copied().collect(),
        };
        let covered = (pair[1].readings[pair[1].readings.len() - 1] - pair[1].first_level()).abs();
        (pair[1].first_level() - end.first_level()).abs() < 0.25 * covered
    })
}
