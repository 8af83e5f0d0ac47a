//! `mho table query`: a table asked at points.

use super::super::{Answer, CliError, Globals};
use super::positive;
use mho_data::{InputError, Table};
use mho_lut::{
    AnyTable, Clamped, DeviceTable, Direction, Ensemble, HistoryTable, OutOfRange, Query, UpdateTable,
};
use std::path::PathBuf;

/// Mean and standard deviation of the cell current at states, times and doses.
///
/// Of a table along a history the rows are its reports, all or those of the times asked for; of an ensemble the
/// columns parameters_sigma, model_low and model_high tell the uncertain parameters and the choice of model apart from
/// sigma, the draw of devices; of a table of updates states are places in its range, and the columns the mean step and
/// its quantiles in the unit of the table, up and down.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
                  mho table query cell.safetensors --state 0.1,0.5 --time-s 0,86400 --dose-krad-si 0,100\n  \
                  mho table query pcm.safetensors --unit us --out-of-range clamp --time-s 1e9")]
pub(super) struct QueryArgs {
    /// The table
    #[arg(value_name = "T.safetensors")]
    table: PathBuf,
    /// States: target current over its maximum, 0 to 1
    #[arg(long, value_delimiter = ',', default_value = "0,0.25,0.5,0.75,1", allow_negative_numbers = true)]
    state: Vec<f64>,
    /// Times since programming (s) [default: 0; along a history all of its reports]
    #[arg(long, value_delimiter = ',', allow_negative_numbers = true)]
    time_s: Vec<f64>,
    /// Doses (krad(Si)) [default: 0; along a history those of its reports]
    #[arg(long, value_delimiter = ',', allow_negative_numbers = true)]
    dose_krad_si: Vec<f64>,
    /// Unit of mean and sigma: fraction of the largest current, nA, or uS
    #[arg(long, value_enum, default_value = "fraction")]
    unit: Unit,
    /// Voltage of the read (V), which makes a current a conductance (`--unit us`) [default: that of the table, or
    /// 0.1]
    #[arg(long, value_parser = positive, allow_negative_numbers = true)]
    read_voltage_v: Option<f64>,
    /// Points outside of the table: refused, or moved to its edge and counted
    #[arg(long, value_enum, default_value = "error")]
    out_of_range: Policy,
}

/// Voltage across a cell of a table that does not know it (V).
const READ_V: f64 = 0.1;

#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Unit {
    Fraction,
    Na,
    Us,
}

#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Policy {
    Error,
    Clamp,
}

/// Rows of an answer.
struct Rows {
    numbers: Vec<(&'static str, Vec<f64>)>,
    /// Directions of steps.
    directions: Option<Vec<String>>,
    unit: String,
    clamped: Clamped,
    /// Rows beyond what the source was made from, and how far that goes.
    beyond: Option<(usize, String)>,
}

pub(super) fn query(args: &QueryArgs, globals: &Globals) -> Answer {
    let file = args.table.display().to_string();
    let bytes = std::fs::read(&args.table)
        .map_err(|error| InputError::new(&file, error.to_string(), "a device table"))?;
    let rows = match AnyTable::from_bytes(&bytes, &file)? {
        AnyTable::Grid(table) => args.grid(&table, globals)?,
        AnyTable::History(table) => args.history(&table, globals)?,
        AnyTable::Ensemble(ensemble) => args.ensemble(&ensemble, globals)?,
        AnyTable::Update(table) => args.updates(&table)?,
    };
    let count = rows.numbers.first().map_or(0, |(_, values)| values.len());
    if !globals.quiet {
        if rows.clamped.points > 0 {
            eprintln!(
                "mho: {} of {count} points lie outside of the table and were moved to its edge",
                rows.clamped.points
            );
        }
        if let Some((beyond, end)) = &rows.beyond {
            eprintln!("mho: {beyond} of {count} points are extrapolated: the source holds to {end}");
        }
    }
    if globals.json {
        let mut columns: serde_json::Map<_, _> =
            rows.numbers.into_iter().map(|(name, values)| (name.to_owned(), values.into())).collect();
        if let Some(directions) = rows.directions {
            columns.insert("direction".into(), directions.into());
        }
        let document = serde_json::json!({
            "schema": 1,
            "unit": rows.unit,
            "clamped": rows.clamped.points,
            "clamped_by_axis": rows.clamped,
            "extrapolated": rows.beyond.map_or(0, |(beyond, _)| beyond),
            "columns": columns,
        });
        return Ok(format!("{document:#}\n"));
    }
    let mut out = Table::new();
    for (number, (name, values)) in rows.numbers.into_iter().enumerate() {
        if let (1, Some(directions)) = (number, &rows.directions) {
            out.push_text("direction", directions.clone());
        }
        out.push_float(name, values);
    }
    Ok(out.to_csv())
}

fn or_zero(list: &[f64]) -> Vec<f64> {
    if list.is_empty() { vec![0.0] } else { list.to_vec() }
}

impl QueryArgs {
    fn policy(&self) -> OutOfRange {
        match self.out_of_range {
            Policy::Error => OutOfRange::Error,
            Policy::Clamp => OutOfRange::Clamp,
        }
    }

    /// The unit, and what makes a current (nA) one in it.
    fn scale(&self, device: &mho_lut::Device, globals: &Globals) -> (String, f64) {
        let (unit, scale) = match self.unit {
            Unit::Fraction => ("fraction", 1.0 / device.current_max_na()),
            Unit::Na => ("na", 1.0),
            // nA over V is nS.
            Unit::Us => {
                let told = self.read_voltage_v.or(device.read_voltage_v());
                if told.is_none() && !globals.quiet {
                    eprintln!(
                        "mho: the table does not know its read voltage: {READ_V} V assumed (--read-voltage-v)"
                    );
                }
                ("us", 1e-3 / told.unwrap_or(READ_V))
            }
        };
        (unit.to_owned(), scale)
    }

    fn points(&self) -> Vec<Query> {
        let (times, doses) = (or_zero(&self.time_s), or_zero(&self.dose_krad_si));
        let mut points = Vec::with_capacity(self.state.len() * times.len() * doses.len());
        for &state in &self.state {
            for &time_s in &times {
                points.extend(doses.iter().map(|&dose_krad_si| Query { state, time_s, dose_krad_si }));
            }
        }
        points
    }

    fn grid(&self, table: &DeviceTable, globals: &Globals) -> Result<Rows, CliError> {
        let (rows, clamped) = table.query(&self.points(), self.policy())?;
        let (unit, scale) = self.scale(table, globals);
        let asked: Vec<Query> = rows.iter().map(|row| row.query).collect();
        let mut numbers = coordinates(&asked);
        numbers.push(("mean", rows.iter().map(|row| scale * row.mean_na).collect()));
        numbers.push(("sigma", rows.iter().map(|row| scale * row.sigma_na).collect()));
        Ok(Rows { numbers, directions: None, unit, clamped, beyond: beyond(table, &asked) })
    }

    fn ensemble(&self, ensemble: &Ensemble, globals: &Globals) -> Result<Rows, CliError> {
        let asked = self.points();
        let (rows, clamped) = ensemble.query(&asked, self.policy())?;
        let (unit, scale) = self.scale(ensemble.best(), globals);
        let mut numbers = coordinates(&asked);
        numbers.push(("mean", rows.iter().map(|row| scale * row.mean_na).collect()));
        numbers.push(("sigma", rows.iter().map(|row| scale * row.devices_na).collect()));
        // What no member tells is empty.
        let part = |of: fn(&mho_lut::Uncertain) -> Option<f64>| -> Vec<f64> {
            rows.iter().map(|row| of(row).map_or(f64::NAN, |value| scale * value)).collect()
        };
        numbers.push(("parameters_sigma", part(|row| row.parameters_na)));
        numbers.push(("model_low", part(|row| row.model_na.map(|(low, _)| low))));
        numbers.push(("model_high", part(|row| row.model_na.map(|(_, high)| high))));
        Ok(Rows { numbers, directions: None, unit, clamped, beyond: beyond(ensemble.best(), &asked) })
    }

    fn history(&self, table: &HistoryTable, globals: &Globals) -> Result<Rows, CliError> {
        let near = |list: &[f64], value: f64| {
            list.is_empty() || list.iter().any(|x| (x - value).abs() <= 1e-9 * x.abs().max(value.abs()))
        };
        let reports = table.reports();
        let times: Vec<f64> = reports.iter().map(|report| report.time_s).collect();
        let doses: Vec<f64> = reports.iter().map(|report| report.dose_krad_si).collect();
        for (what, asked, known) in
            [("time_s", &self.time_s, &times), ("dose_krad_si", &self.dose_krad_si, &doses)]
        {
            if let Some(bad) = asked.iter().find(|asked| known.iter().all(|x| !near(&[**asked], *x))) {
                return Err(CliError::Usage(format!("{what} = {bad}: the history reports at {known:?}")));
            }
        }
        let chosen: Vec<usize> = (0..reports.len())
            .filter(|&r| near(&self.time_s, times[r]) && near(&self.dose_krad_si, doses[r]))
            .collect();
        let (unit, scale) = self.scale(table, globals);
        let mut columns: [Vec<f64>; 5] = Default::default();
        let mut clamped = Clamped::default();
        let mut means = vec![0.0; self.state.len()];
        let mut sigmas = means.clone();
        for &r in &chosen {
            let slice = table.slice(r)?;
            clamped = clamped.and(slice.means_na(&self.state, self.policy(), &mut means)?);
            slice.sigmas_na(&self.state, self.policy(), &mut sigmas)?;
            for (k, &state) in self.state.iter().enumerate() {
                let row = [state, times[r], doses[r], scale * means[k], scale * sigmas[k]];
                columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            }
        }
        let names = ["state", "time_s", "dose_krad_si", "mean", "sigma"];
        let numbers = names.into_iter().zip(columns).collect();
        Ok(Rows { numbers, directions: None, unit, clamped, beyond: None })
    }

    fn updates(&self, table: &UpdateTable) -> Result<Rows, CliError> {
        let (low, high) = table.range();
        let mut clamped = Clamped::default();
        let (mut directions, mut columns): (Vec<String>, [Vec<f64>; 6]) = Default::default();
        for &state in &self.state {
            let inside = state.clamp(0.0, 1.0);
            if state.is_nan() || (self.policy() == OutOfRange::Error && state != inside) {
                let outside = format!("state = {state} lies outside of the table's range 0 to 1");
                return Err(CliError::Usage(format!("{outside} (--out-of-range clamp moves it)")));
            }
            clamped.state.below += 2 * usize::from(state < inside);
            clamped.state.above += 2 * usize::from(state > inside);
            let conductance = low + inside * (high - low);
            for (name, direction) in [("up", Direction::Up), ("down", Direction::Down)] {
                let steps = table.steps(direction);
                let [p05, p50, p95] = [0.05, 0.5, 0.95].map(|p| steps.at(conductance, p));
                directions.push(name.into());
                let row = [state, conductance, steps.mean_at(conductance), p05, p50, p95];
                columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            }
        }
        clamped.points = clamped.state.total();
        let names = ["state", "conductance", "mean_step", "step_p05", "step_p50", "step_p95"];
        let numbers = names.into_iter().zip(columns).collect();
        let unit = table.unit().to_owned();
        Ok(Rows { numbers, directions: Some(directions), unit, clamped, beyond: None })
    }
}

fn coordinates(points: &[Query]) -> Vec<(&'static str, Vec<f64>)> {
    vec![
        ("state", points.iter().map(|point| point.state).collect()),
        ("time_s", points.iter().map(|point| point.time_s).collect()),
        ("dose_krad_si", points.iter().map(|point| point.dose_krad_si).collect()),
    ]
}

/// Points in the table and beyond its source; those outside of the table were moved, and count by where they went.
fn beyond(table: &DeviceTable, points: &[Query]) -> Option<(usize, String)> {
    let validity = table.validity()?;
    let (time_end, dose_end) = (table.time_axis().range().1, table.dose_axis().range().1);
    let outside =
        |point: &&Query| table.is_beyond_source(point.time_s.min(time_end), point.dose_krad_si.min(dose_end));
    let count = points.iter().filter(outside).count();
    let end = format!("{} s and {} krad(Si)", validity.time_max_s, validity.dose_max_krad_si);
    (count > 0).then_some((count, end))
}
