//! `mho table query`: a table asked at points.

use super::super::{Answer, Globals};
use super::{positive, read};
use mho_data::Table;
use mho_lut::{OutOfRange, Query};
use std::path::PathBuf;

/// Mean and standard deviation of the cell current at states, times and doses.
///
/// Example: mho table query cell.safetensors --state 0.1,0.5 --time-s 0,86400 --dose-krad-si 0,100
#[derive(Debug, clap::Args)]
pub(super) struct QueryArgs {
    /// The table
    #[arg(value_name = "T.safetensors")]
    table: PathBuf,
    /// States: target current over its maximum, 0 to 1
    #[arg(long, value_delimiter = ',', default_value = "0,0.25,0.5,0.75,1")]
    state: Vec<f64>,
    /// Times since programming (s)
    #[arg(long, value_delimiter = ',', default_value = "0")]
    time_s: Vec<f64>,
    /// Doses (krad(Si))
    #[arg(long, value_delimiter = ',', default_value = "0")]
    dose_krad_si: Vec<f64>,
    /// Unit of mean and sigma: fraction of the largest current, nA, or uS
    #[arg(long, value_enum, default_value = "fraction")]
    unit: Unit,
    /// Drain voltage of the read (V), which makes a current a conductance (`--unit us`)
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    read_voltage_v: f64,
    /// Points outside of the table: refused, or moved to its edge and counted
    #[arg(long, value_enum, default_value = "error")]
    out_of_range: Policy,
}

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

pub(super) fn query(args: &QueryArgs, globals: &Globals) -> Answer {
    let table = read(&args.table)?;
    let mut points = Vec::new();
    for &state in &args.state {
        for &time_s in &args.time_s {
            points.extend(args.dose_krad_si.iter().map(|&dose_krad_si| Query {
                state,
                time_s,
                dose_krad_si,
            }));
        }
    }
    let policy = match args.out_of_range {
        Policy::Error => OutOfRange::Error,
        Policy::Clamp => OutOfRange::Clamp,
    };
    let (rows, clamped) = table.query(&points, policy)?;
    if clamped.points > 0 && !globals.quiet {
        eprintln!(
            "mho: {} of {} points lie outside of the table and were moved to its edge",
            clamped.points,
            rows.len()
        );
    }
    let (unit, scale) = match args.unit {
        Unit::Fraction => ("fraction", 1.0 / table.current_max_na()),
        Unit::Na => ("na", 1.0),
        // nA over V is nS.
        Unit::Us => ("us", 1e-3 / args.read_voltage_v),
    };
    let columns: [(&str, Vec<f64>); 5] = [
        ("state", rows.iter().map(|row| row.query.state).collect()),
        ("time_s", rows.iter().map(|row| row.query.time_s).collect()),
        ("dose_krad_si", rows.iter().map(|row| row.query.dose_krad_si).collect()),
        ("mean", rows.iter().map(|row| scale * row.mean_na).collect()),
        ("sigma", rows.iter().map(|row| scale * row.sigma_na).collect()),
    ];
    if globals.json {
        let columns: serde_json::Map<_, _> =
            columns.into_iter().map(|(name, values)| (name.to_owned(), values.into())).collect();
        let document = serde_json::json!({ "schema": 1, "unit": unit, "clamped": clamped.points, "clamped_by_axis": clamped, "columns": columns });
        return Ok(format!("{document:#}\n"));
    }
    let mut out = Table::new();
    for (name, values) in columns {
        out.push_float(name, values);
    }
    Ok(out.to_csv())
}
