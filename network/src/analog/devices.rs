//! What a device table says about cells at one point of their life.

use mho_lut::{AnyTable, Device, DeviceTable, HistoryTable, OutOfRange, Slice, TableError};

use super::error::AnalogError;
use crate::array::{ArrayConfig, Cell};
use crate::effects::Effects;
use crate::evaluate::Condition;

/// Part of a current by which a table may rise where it counts as flat: an interpolation beside a bend.
const FLAT: f64 = 0.01;

/// A table of cells: over time and dose, or along a history.
#[derive(Clone, Copy, Debug)]
pub enum Devices<'a> {
    /// Over state, time and dose.
    Grid(&'a DeviceTable),
    /// Along a history; conditions are its reports, found by time and dose.
    History(&'a HistoryTable),
}

impl<'a> From<&'a DeviceTable> for Devices<'a> {
    fn from(table: &'a DeviceTable) -> Self {
        Self::Grid(table)
    }
}

impl<'a> From<&'a HistoryTable> for Devices<'a> {
    fn from(table: &'a HistoryTable) -> Self {
        Self::History(table)
    }
}

impl<'a> Devices<'a> {
    /// A table of whatever kind, if it describes cells: an ensemble is several tables, updates are none.
    pub fn of(table: &'a AnyTable) -> Option<Self> {
        match table {
            AnyTable::Grid(table) => Some(Self::Grid(table)),
            AnyTable::History(table) => Some(Self::History(table)),
            AnyTable::Ensemble(_) | AnyTable::Update(_) => None,
        }
    }

    /// What tables of both kinds say.
    fn device(&self) -> &'a Device {
        match self {
            Self::Grid(table) => table,
            Self::History(table) => table,
        }
    }

    /// Name of the device.
    pub fn name(&self) -> &'a str {
        self.device().name()
    }

    /// Current of state 1 (nA).
    pub fn current_max_na(&self) -> f64 {
        self.device().current_max_na()
    }

    /// Current of the largest state that the table knows (nA).
    pub fn range_na(&self) -> f64 {
        let last = match self {
            Self::Grid(table) => table.state_axis().nodes().last(),
            // Compiled from a law, which knows them all.
            Self::History(_) => None,
        };
        self.current_max_na() * last.map_or(1.0, |state| state.min(1.0))
    }

    /// Least current (nA) to which cells can be programmed, where a table over time and dose shows one: it is flat
    /// from there down. One below a thousandth of the range, which no weight of eight bits misses, counts as none.
    pub fn least_na(&self) -> Option<f64> {
        let Self::Grid(table) = self else { return None };
        let fresh = table.slice(0.0, 0.0).ok()?;
        let least = fresh.mean_na(0.0);
        let state = least / self.current_max_na();
        let flat = (fresh.mean_na(0.5 * state) - least).abs() <= FLAT * least;
        (state > 1e-3 && state < 1.0 && flat).then_some(least)
    }

    /// The array with the range of the table where it says none of its own: a weight of zero is then at the least
    /// current that cells can be programmed to, not below it, where small weights would all be alike.
    pub fn ranged(&self, array: &ArrayConfig) -> ArrayConfig {
        let mut array = array.clone();
        if !array.cell.says_current_max() {
            array.cell.current_max_na = Some(self.range_na());
        }
        let ratio = self.least_na().map(|least| array.cell.largest_current_na() / least);
        if let Some(ratio) = ratio.filter(|ratio| *ratio > 1.0 && !array.cell.says_current_min()) {
            array.cell.on_off_ratio = ratio;
        }
        array
    }

    /// Where the range of an array comes from, in words, if it is that of the table.
    pub fn range_in_words(&self, array: &ArrayConfig) -> Option<String> {
        let most =
            (!array.cell.says_current_max()).then(|| format!("largest weight at {} nA", self.range_na()));
        let least = self.least_na().filter(|_| !array.cell.says_current_min());
        let least = least.map(|least| format!("weights of zero at {least} nA"));
        let words: Vec<String> = most.into_iter().chain(least).collect();
        (!words.is_empty())
            .then(|| format!("{}, the range of the table `{}`", words.join(" and "), self.name()))
    }

    /// Standard deviation (nA) of reads of a cell that carries `current_na`; NaN outside of the table.
    pub(super) fn read_noise_na(&self, current_na: f64) -> f64 {
        self.device().read_noise_na(current_na)
    }

    /// Moves currents (nA) to another voltage of the read (V).
    pub(super) fn at_voltage(&self, currents_na: &mut [f64], read_v: f64) -> Result<(), TableError> {
        let given = currents_na.to_vec();
        self.device().at_voltage_na(&given, read_v, OutOfRange::Clamp, currents_na)?;
        Ok(())
    }

    /// The full voltage (V) of inputs that cells see at their drains, and the lowest of the table; none where the
    /// table knows one voltage, or those of a gate, which inputs open but do not set.
    pub(super) fn input_voltages(&self, cell: &Cell) -> Option<[f64; 2]> {
        let about = self.device().read_voltages()?;
        (about.terminal == "drain").then(|| [cell.table_voltage_v.unwrap_or(about.reference_v), about.low_v])
    }

    /// What cells are like at a condition.
    pub(super) fn point(&self, condition: &Condition) -> Result<Point<'a>, AnalogError> {
        let Effects { programming, drift, dose_mean, dose_random, .. } = condition.effects;
        match self {
            Self::Grid(table) => {
                let time_s = if drift { condition.time_s } else { 0.0 };
                let dose = if dose_mean || dose_random { condition.dose_krad_si } else { 0.0 };
                let slice = Box::new(table.slice(time_s, dose)?);
                // The random part of the dose alone: the spread of the dose about the median without it.
                let undosed =
                    if dose > 0.0 && !dose_mean { Some(Box::new(table.slice(time_s, 0.0)?)) } else { None };
                Ok(Point::Grid { slice, undosed, uses: [programming, drift, dose_random] })
            }
            Self::History(table) => {
                let on = [programming, drift, dose_mean, dose_random];
                if on != [true; 4] {
                    return Err(AnalogError::Together(condition.effects));
                }
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
                let report = table.reports().iter().position(|report| {
                    near(report.time_s, condition.time_s) && near(report.dose_krad_si, condition.dose_krad_si)
                });
                let Some(report) = report else {
                    let of = |r: &mho_lut::Report| format!("{} s and {} krad(Si)", r.time_s, r.dose_krad_si);
                    let known: Vec<String> = table.reports().iter().map(of).collect();
                    let Condition { time_s, dose_krad_si, .. } = *condition;
                    return Err(AnalogError::NoReport { time_s, dose_krad_si, known: known.join("; ") });
                };
                Ok(Point::History { table, report })
            }
        }
    }

    /// What cells are like just after programming, with the random effects of a condition.
    pub(super) fn fresh(&self, condition: &Condition) -> Result<Point<'a>, AnalogError> {
        match self {
            Self::Grid(_) => {
                let effects = condition.effects;
                self.point(&Condition { time_s: 0.0, dose_krad_si: 0.0, effects })
            }
            Self::History(table) => Ok(Point::History { table, report: 0 }),
        }
    }
}

/// One point of the life of cells.
#[derive(Debug)]
pub(super) enum Point<'a> {
    /// Of a table over time and dose.
    Grid { slice: Box<Slice>, undosed: Option<Box<Slice>>, uses: [bool; 3] },
    /// A report of a history.
    History { table: &'a HistoryTable, report: usize },
}

/// What the normals of a cell on a grid stand for.
const PURPOSES: [&str; 3] = ["programming", "drift", "dose"];

impl Point<'_> {
    /// Current (nA) of a cell with a state and a normal score.
    pub(super) fn current_na(&self, state: f64, z: f64) -> Result<f64, AnalogError> {
        Ok(match self {
            Self::Grid { slice, undosed, .. } => {
                let gain = match undosed {
                    Some(undosed) => {
                        let (a, b) = (undosed.current_na(state, 0.0), slice.current_na(state, 0.0));
                        if b > 0.0 { a / b } else { 1.0 }
                    }
                    None => 1.0,
                };
                slice.current_na(state, z) * gain
            }
            Self::History { table, report } => table.slice(*report)?.current_na(state, z),
        })
    }

    /// Names of the normals that a cell has for good.
    pub(super) fn purposes(&self) -> Vec<String> {
        match self {
            Self::Grid { .. } => PURPOSES.iter().map(|&purpose| purpose.to_owned()).collect(),
            Self::History { table, .. } => {
                (0..table.path().normals()).map(|normal| format!("history {normal}")).collect()
            }
        }
    }

    /// Weights of the normals in the score of a cell of this state.
    pub(super) fn loadings(&self, state: f64) -> Result<Vec<f64>, AnalogError> {
        Ok(match self {
            Self::Grid { slice, uses, .. } => {
                let share = slice.share(state);
                let shares = [share.programming, share.drift, share.dose];
                let used = |(on, share): (&bool, f64)| if *on { share.max(0.0).sqrt() } else { 0.0 };
                uses.iter().zip(shares).map(used).collect()
            }
            Self::History { table, report } => table.path().loadings(state, *report)?,
        })
    }
}
