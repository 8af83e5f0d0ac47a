//! All sweeps of a measurement: told apart, fitted in parallel, put into tables.

use super::{PointUse, Sweep, SweepError, SweepFit, SweepOptions, fit_sweep};
use mho_data::measurement::Measurement;
use mho_data::table::{Table, TableError};
use rayon::prelude::*;

/// A sweep with its labels and what the fit made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepRecord {
    /// Device.
    pub device: String,
    /// State, as the measurement labels it.
    pub state: String,
    /// Dose, krad(Si).
    pub dose_krad_si: f64,
    /// Time, s.
    pub time_s: f64,
    /// Number of the sweep in the order of the file.
    pub number: f64,
    /// The points.
    pub sweep: Sweep,
    /// The fit, or why there is none.
    pub outcome: Result<SweepFit, SweepError>,
}

impl SweepRecord {
    /// The sweep in words, for messages.
    pub fn label(&self) -> String {
        format!(
            "device {}, state {}, {} krad(Si) (sweep {})",
            self.device, self.state, self.dose_krad_si, self.number
        )
    }
}

/// The fits of all sweeps of a measurement, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct IdVgFit {
    /// One record a sweep.
    pub records: Vec<SweepRecord>,
}

/// Fits every sweep of a table in the canonical columns of an I_D(V_G) measurement: `vg_v`, `id_a`
/// and `vd_v` are needed; `device`, `state`, `dose_krad_si`, `time_s`, `temperature_k`,
/// `compliance`, `sweep` and `noise_floor_a` are used where they are there. Sweeps that cannot be
/// fitted are kept with the reason. Parallel over sweeps; the result does not depend on threads.
///
/// # Errors
/// [`TableError`] when a needed column is missing or not of its kind.
pub fn fit_all(table: &Table, options: &SweepOptions) -> Result<IdVgFit, TableError> {
    let sweeps = split(table)?;
    let records = sweeps
        .into_par_iter()
        .map(|mut record| {
            record.outcome = fit_sweep(&record.sweep, options);
            record
        })
        .collect();
    Ok(IdVgFit { records })
}

/// Fits every sweep of a measurement as read from files. Its noise floor is the column
/// `noise_floor_a`, or the line `noise floor (A)` of the preamble; else it is estimated sweep by sweep.
///
/// # Errors
/// As [`fit_all`].
pub fn fit_measurement(measurement: &Measurement, options: &SweepOptions) -> Result<IdVgFit, TableError> {
    let stated = measurement.preamble("noise floor (A)").and_then(|value| value.parse::<f64>().ok());
    match stated {
        Some(floor_a) if !measurement.table.has("noise_floor_a") => {
            let rows = measurement.table.len();
            fit_all(&measurement.table.clone().with_float("noise_floor_a", vec![floor_a; rows]), options)
        }
        _ => fit_all(&measurement.table, options),
    }
}

/// Sweeps in the order in which they begin in the table.
fn split(table: &Table) -> Result<Vec<SweepRecord>, TableError> {
    let gate_v = table.floats("vg_v")?;
    let drain_a = table.floats("id_a")?;
    let drain_v = table.floats("vd_v")?;
    let optional = |name: &str| -> Result<Option<&[f64]>, TableError> {
        if table.has(name) { table.floats(name).map(Some) } else { Ok(None) }
    };
    let label = |name: &str| -> Result<Option<&[String]>, TableError> {
        if table.has(name) { table.texts(name).map(Some) } else { Ok(None) }
    };
    let (device, state) = (label("device")?, label("state")?);
    let (dose, time, kelvin) = (optional("dose_krad_si")?, optional("time_s")?, optional("temperature_k")?);
    let (compliance, number, floor) =
        (optional("compliance")?, optional("sweep")?, optional("noise_floor_a")?);

    let mut records: Vec<SweepRecord> = Vec::new();
    let mut keys = std::collections::HashMap::new();
    for row in 0..table.len() {
        let text = |column: Option<&[String]>| column.map_or_else(String::new, |values| values[row].clone());
        let value = |column: Option<&[f64]>, default: f64| {
            column.map(|values| values[row]).filter(|value| value.is_finite()).unwrap_or(default)
        };
        let (device, state) = (text(device), text(state));
        let [dose_krad_si, time_s, number] = [value(dose, 0.0), value(time, 0.0), value(number, 0.0)];
        let bits = [dose_krad_si, time_s, number, drain_v[row]].map(f64::to_bits);
        let index = *keys.entry((device.clone(), state.clone(), bits)).or_insert_with(|| {
            let sweep = Sweep {
                drain_v: drain_v[row],
                temperature_k: value(kelvin, crate::ekv::REFERENCE_TEMPERATURE_K),
                noise_floor_a: value(floor, f64::NAN),
                ..Sweep::default()
            };
            let outcome = Err(SweepError::TooFewPoints { usable: 0, all: 0, needed: 0 });
            records.push(SweepRecord { device, state, dose_krad_si, time_s, number, sweep, outcome });
            records.len() - 1
        });
        let sweep = &mut records[index].sweep;
        sweep.gate_v.push(gate_v[row]);
        sweep.drain_a.push(drain_a[row]);
        sweep.limited.push(value(compliance, 0.0) > 0.5);
    }
    Ok(records)
}

impl IdVgFit {
    /// Records that were fitted.
    pub fn fitted(&self) -> impl Iterator<Item = (&SweepRecord, &SweepFit)> {
        self.records.iter().filter_map(|record| record.outcome.as_ref().ok().map(|fit| (record, fit)))
    }

    /// Sweeps that were not fitted, each with the reason.
    pub fn refused(&self) -> Vec<String> {
        self.records
            .iter()
            .filter_map(|record| {
                record.outcome.as_ref().err().map(|error| format!("{}: {error}", record.label()))
            })
            .collect()
    }

    /// One row a sweep: labels; `vt_v`, `slope_factor`, `i_spec_a`, `theta_per_v`, `leakage_a`, each
    /// with its standard deviation (`vt_std_v` and so on; empty at a bound); `vt_cc_v`, the gate voltage
    /// at 100 nA on the fitted curve, with `vt_cc_std_v`; `vt_measured_v`, the same between measured
    /// points; `swing_v_per_decade`; misfit; counts of points by use; `note`: warnings, or why the
    /// sweep was refused.
    pub fn results(&self) -> Table {
        let fit_value = |pick: &dyn Fn(&SweepFit) -> f64| -> Vec<f64> {
            self.records.iter().map(|record| record.outcome.as_ref().map_or(f64::NAN, pick)).collect()
        };
        let mut table = self.labels();
        for (name, std) in [
            ("vt_v", "vt_std_v"),
            ("slope_factor", "slope_factor_std"),
            ("i_spec_a", "i_spec_std_a"),
            ("theta_per_v", "theta_std_per_v"),
            ("leakage_a", "leakage_std_a"),
        ] {
            table.push_float(name, fit_value(&|fit| fit.fit.value(name)));
            table.push_float(std, fit_value(&|fit| fit.fit.std(name)));
        }
        table.push_float("vt_cc_v", fit_value(&|fit| fit.threshold_v[0]));
        table.push_float("vt_cc_std_v", fit_value(&|fit| fit.threshold_v[1]));
        table.push_float("vt_measured_v", fit_value(&|fit| fit.threshold_measured_v));
        table.push_float("swing_v_per_decade", fit_value(&|fit| fit.swing_v));
        table.push_float("rms_ln", fit_value(&|fit| fit.fit.rms_log.unwrap_or(f64::NAN)));
        table.push_float("noise_floor_a", fit_value(&|fit| fit.noise_floor_a));
        table.push_float("neighbour_correlation", fit_value(&|fit| fit.neighbour_correlation));
        for (name, used) in [
            ("points_fitted", PointUse::Fitted),
            ("points_near_floor", PointUse::NearFloor),
            ("points_compliance", PointUse::Limited),
            ("points_unusable", PointUse::Unusable),
        ] {
            table.push_float(name, fit_value(&|fit| fit.count(used) as f64));
        }
        let note = |record: &SweepRecord| match &record.outcome {
            Ok(fit) => fit.fit.warnings.join("; "),
            Err(error) => format!("not fitted: {error}"),
        };
        table.push_text("note", self.records.iter().map(note).collect());
        table
    }

    /// One row a point of a fitted sweep, for figures (`idvg-curves`): `device`, `state`,
    /// `dose_krad_si`, `vg_v`, `id_a`, `fit_a`, `residual_ln` (empty for currents that have no
    /// logarithm), `flag` (what became of the point).
    pub fn curves(&self) -> Table {
        let (mut device, mut state, mut flag) = (Vec::new(), Vec::new(), Vec::new());
        let mut numbers: [Vec<f64>; 5] = Default::default();
        for (record, fit) in self.fitted() {
            let sweep = &record.sweep;
            for (row, used) in fit.uses.iter().enumerate() {
                let (gate_v, drain_a) = (sweep.gate_v[row], sweep.drain_a[row]);
                let model_a = fit.current_a(sweep, gate_v);
                let residual = if drain_a > 0.0 { (drain_a / model_a).ln() } else { f64::NAN };
                device.push(record.device.clone());
                state.push(record.state.clone());
                flag.push(used.label().to_string());
                for (column, value) in
                    numbers.iter_mut().zip([record.dose_krad_si, gate_v, drain_a, model_a, residual])
                {
                    column.push(value);
                }
            }
        }
        let mut table = Table::new().with_text("device", device).with_text("state", state);
        for (name, column) in
            ["dose_krad_si", "vg_v", "id_a", "fit_a", "residual_ln"].into_iter().zip(numbers)
        {
            table.push_float(name, column);
        }
        table.with_text("flag", flag)
    }

    fn labels(&self) -> Table {
        let numbers = |pick: fn(&SweepRecord) -> f64| self.records.iter().map(pick).collect();
        let texts = |pick: fn(&SweepRecord) -> &String| self.records.iter().map(pick).cloned().collect();
        Table::new()
            .with_text("device", texts(|record| &record.device))
            .with_text("state", texts(|record| &record.state))
            .with_float("dose_krad_si", numbers(|record| record.dose_krad_si))
            .with_float("time_s", numbers(|record| record.time_s))
            .with_float("temperature_k", numbers(|record| record.sweep.temperature_k))
            .with_float("vd_v", numbers(|record| record.sweep.drain_v))
            .with_float("sweep", numbers(|record| record.number))
    }
}
