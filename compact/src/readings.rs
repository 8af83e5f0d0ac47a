//! From a measurement to the readings that a law is fitted to: cells with their currents, the parameters that are
//! fitted and those that are held.

use crate::fit::{
    Axis, Deviation, Device, FitOptions, Fixed, Law, Loss, Parameter, Regression, Series, Transform,
};
use crate::model::ModelInfo;
use mho_data::InputError;
use mho_data::measurement::Measurement;
use mho_data::table::TableError;

/// Corner of the soft-L1 loss in units of the residuals' own spread: beyond three of them a reading pulls with a
/// bounded force.
pub const CORNER: f64 = 3.0;

/// More cells than this are averaged by state: each cell has a start of its own, which a fit has to find.
const MOST_CELLS: usize = 60;

/// Readings of one cell, or means over the cells of a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Name in the data.
    pub name: String,
    /// State, as a fraction of the largest current.
    pub state: f64,
    /// Dose, krad(Si), time, s, and current, nA, in the order of dose and time.
    pub readings: Vec<[f64; 3]>,
}

impl Cell {
    /// Its first current, nA: the start of a fit.
    pub fn first_na(&self) -> f64 {
        self.readings.first().map_or(f64::NAN, |reading| reading[2])
    }
}

/// A column that is missing, as an input error that names the file.
pub fn missing(measurement: &Measurement, error: &TableError) -> InputError {
    let file = measurement.sidecar.raw.first().map_or("the measurement", |raw| raw.file.as_str());
    InputError::new(file, error.to_string(), "a measurement with that column")
}

/// That a measurement holds nothing that a law could be fitted to.
pub fn nothing(measurement: &Measurement, found: impl Into<String>, expected: &str) -> InputError {
    let file = measurement.sidecar.raw.first().map_or("the measurement", |raw| raw.file.as_str());
    InputError::new(file, found, expected)
}

/// The cells of a table of state currents with the number of readings left out because their current, dose or
/// time is not finite, or their current not positive.
///
/// # Errors
/// [`TableError`] when a column is missing.
pub fn cells(measurement: &Measurement) -> Result<(Vec<Cell>, usize), TableError> {
    let table = &measurement.table;
    let (states, currents) = (table.floats("state")?, table.floats("current_na")?);
    let (doses, times) = (table.floats("dose_krad_si")?, table.floats("time_s")?);
    let names = if table.has("device") { Some(table.texts("device")?) } else { None };
    let mut order: Vec<usize> = (0..table.len())
        .filter(|&row| {
            let finite = [states[row], doses[row], times[row]].iter().all(|value| value.is_finite());
            finite && currents[row].is_finite() && currents[row] > 0.0
        })
        .collect();
    let name = |row: usize| names.map_or("", |names| names[row].as_str());
    let dropped = table.len() - order.len();
    order.sort_by(|&a, &b| {
        name(a)
            .cmp(name(b))
            .then(states[a].total_cmp(&states[b]))
            .then(doses[a].total_cmp(&doses[b]))
            .then(times[a].total_cmp(&times[b]))
            .then(a.cmp(&b))
    });
    let cells = order
        .chunk_by(|&a, &b| name(a) == name(b) && states[a] == states[b])
        .map(|rows| Cell {
            name: format!("{} at state {}", name(rows[0]), states[rows[0]]).trim().to_owned(),
            state: states[rows[0]],
            readings: rows.iter().map(|&row| [doses[row], times[row], currents[row]]).collect(),
        })
        .collect();
    Ok((cells, dropped))
}

/// Many cells become the means of their states, few stay; the number of cells behind each where they are means.
pub fn few(cells: Vec<Cell>) -> (Vec<Cell>, Option<usize>) {
    if cells.len() <= MOST_CELLS {
        return (cells, None);
    }
    let count = cells.len();
    let mut all: Vec<(f64, [f64; 3])> =
        cells.iter().flat_map(|cell| cell.readings.iter().map(|&reading| (cell.state, reading))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1[0].total_cmp(&b.1[0])).then(a.1[1].total_cmp(&b.1[1])));
    let means = all
        .chunk_by(|a, b| a.0 == b.0)
        .map(|state| Cell {
            name: format!("state {}", state[0].0),
            state: state[0].0,
            readings: state
                .chunk_by(|a, b| a.1[..2] == b.1[..2])
                .map(|equal| {
                    let sum: f64 = equal.iter().map(|(_, reading)| reading[2]).sum();
                    [equal[0].1[0], equal[0].1[1], sum / equal.len() as f64]
                })
                .collect(),
        })
        .collect();
    (means, Some(count))
}

/// What a regression of state currents is made of, beside its cells.
pub struct Plan {
    /// The model.
    pub model: &'static ModelInfo,
    /// Its parameters that are fitted, by name, with their starts.
    pub fitted: Vec<(&'static str, f64)>,
    /// Why the others are not.
    pub held: &'static str,
    /// How currents deviate.
    pub deviation: Deviation,
    /// Abscissa and ordinate.
    pub axes: [Axis; 2],
    /// Number of the reading (0 dose, 1 time) on the abscissa.
    pub abscissa: usize,
}

/// A regression with a start of its own for every cell: `current(values of the model, start in nA, dose, time)` in
/// nA.
pub fn regression(
    plan: &Plan,
    cells: Vec<Cell>,
    dropped: usize,
    current: fn(&[f64], f64, f64, f64) -> f64,
) -> Regression<'static> {
    let (cells, averaged) = few(cells);
    let mut notes = Vec::new();
    if dropped > 0 {
        notes.push(format!("{dropped} readings were left out: not finite or not positive"));
    }
    if let Some(count) = averaged {
        notes.push(format!("{count} cells are fitted as the means of their {} states", cells.len()));
    }
    let (mut parameters, fixed) = split(plan.model, &plan.fitted, plan.held);
    let mut devices = Vec::with_capacity(cells.len());
    for cell in &cells {
        let name = format!("start_na {}", cell.name);
        parameters.push(Parameter::new(name, "nA", cell.first_na(), 1e-3, 1e5, Transform::Log));
        let column = |place: usize| cell.readings.iter().map(|reading| reading[place]).collect::<Vec<f64>>();
        devices.push(Device {
            name: cell.name.clone(),
            series: vec![Series {
                label: format!("state {}", cell.state),
                x: column(plan.abscissa),
                y: column(2),
                order: column(plan.abscissa),
                wider: Vec::new(),
            }],
        });
    }
    let full = filled(plan.model, &plan.fitted);
    let shared = plan.fitted.len();
    let law: Law<'static> = Box::new(move |values, device| {
        let own = full(&values[..shared]);
        let start_na = values[shared + device];
        cells[device].readings.iter().map(|&[dose, time, _]| current(&own, start_na, dose, time)).collect()
    });
    let [x, y] = plan.axes;
    Regression {
        model: plan.model,
        parameters,
        devices,
        law,
        deviation: plan.deviation,
        x,
        y,
        options: FitOptions { loss: Loss::Robust { corner: CORNER }, ..FitOptions::default() },
        slopes: None,
        priors: Vec::new(),
        fixed,
        dropped,
        notes,
    }
}

/// The parameters of a model that are fitted, started where said, and those that are held.
pub fn split(
    model: &'static ModelInfo,
    fitted: &[(&'static str, f64)],
    held: &str,
) -> (Vec<Parameter>, Vec<Fixed>) {
    let parameters =
        fitted.iter().filter_map(|(name, start)| Some(model.parameter(name)?.starting_at(*start))).collect();
    let fixed = model
        .parameters
        .iter()
        .filter(|info| fitted.iter().all(|(name, _)| *name != info.name))
        .map(|info| Fixed { name: info.name, value: info.default, why: held.to_owned() })
        .collect();
    (parameters, fixed)
}

/// From the values of the fitted parameters to those of the whole model, the others at their defaults.
pub fn filled(
    model: &'static ModelInfo,
    fitted: &[(&'static str, f64)],
) -> impl Fn(&[f64]) -> Vec<f64> + Send + Sync + use<> {
    let places: Vec<usize> = fitted
        .iter()
        .filter_map(|(name, _)| model.parameters.iter().position(|info| info.name == *name))
        .collect();
    move |values| {
        let mut all = model.defaults();
        for (&place, &value) in places.iter().zip(values) {
            all[place] = value;
        }
        all
    }
}

#[cfg(test)]
mod tests;
