//! Ensembles against closed forms, and as files.

use super::*;
use crate::compile::tests_support::cell;
use crate::{CellSource, CellStatistics, CompileOptions, SourceError, SourceInfo, compile_ensemble};

/// The demonstration with its currents scaled.
struct Scaled(f64);

impl CellSource for Scaled {
    fn describe(&self) -> SourceInfo {
        SourceInfo { name: format!("scaled by {}", self.0), ..cell().describe() }
    }

    fn cell(&self, state: f64, time_s: f64, dose: f64) -> Result<CellStatistics, SourceError> {
        let cell = cell().cell(state, time_s, dose * self.0)?;
        Ok(CellStatistics {
            mean_na: cell.mean_na * self.0,
            sigma_na: cell.sigma_na * self.0,
            quantiles_na: cell.quantiles_na.map(|quantile| quantile * self.0),
            ..cell
        })
    }

    fn read_noise_na(&self, current: f64) -> f64 {
        0.01 * current
    }
}

fn ensemble() -> Ensemble {
    let sources = [Scaled(0.9), Scaled(1.1), Scaled(1.0), Scaled(0.7), Scaled(1.2)];
    let others: Vec<(String, MemberKind, &dyn CellSource)> = sources
        .iter()
        .enumerate()
        .map(|(k, source)| {
            let kind = if k < 3 { MemberKind::Parameters } else { MemberKind::Model };
            (format!("{k}"), kind, source as &dyn CellSource)
        })
        .collect();
    let options = CompileOptions { tolerance_fraction: 2e-3, ..CompileOptions::default() };
    compile_ensemble(&cell(), &others, &options).unwrap()
}

#[test]
fn the_three_uncertainties_stay_apart() {
    let ensemble = ensemble();
    assert_eq!(ensemble.members().len(), 6);
    for member in ensemble.members() {
        assert!(member.table.certificate().met(), "{}: {:?}", member.label, member.table.certificate());
    }
    assert!(ensemble.worst().max_error_fraction > 0.0);
    let point = Query { state: 0.5, time_s: 0.0, dose_krad_si: 0.0 };
    let (found, clamped) = ensemble.query(&[point], OutOfRange::Error).unwrap();
    assert_eq!(clamped, Clamped::default());
    // At no dose the demonstration carries its state: 800 nA, spread by 2 %; parameters scale it by 0.9, 1
    // and 1.1, whose standard deviation is 0.1; models by 0.7 to 1.2. The tolerance is 3.2 nA.
    let Uncertain { mean_na, devices_na, parameters_na, model_na } = found[0];
    assert!((mean_na - 800.0).abs() < 3.2 && (devices_na - 16.0).abs() < 3.2);
    assert!((parameters_na.unwrap() - 80.0).abs() < 3.2, "{found:?}");
    let (low, high) = model_na.unwrap();
    assert!((low - 560.0).abs() < 3.2 && (high - 960.0).abs() < 3.2, "{found:?}");
    let outside = Query { dose_krad_si: 1e9, ..point };
    assert!(ensemble.query(&[outside], OutOfRange::Error).is_err());
    assert_eq!(ensemble.query(&[outside], OutOfRange::Clamp).unwrap().1.dose_krad_si.above, 1);
}

#[test]
fn files_return_every_member() {
    let ensemble = ensemble();
    let bytes = ensemble.to_bytes().unwrap();
    assert_eq!(Ensemble::from_bytes(&bytes, "e.safetensors").unwrap(), ensemble);
    let error = DeviceTable::from_bytes(&bytes, "e.safetensors").unwrap_err().to_string();
    assert!(error.contains("found an ensemble of device tables, expected a device table over"), "{error}");
    assert!(Ensemble::from_bytes(&bytes[..100], "e.safetensors").is_err());
}

#[test]
fn members_that_do_not_fit_are_refused() {
    let best = ensemble().members()[0].clone();
    let alone =
        crate::compile(&cell(), &CompileOptions { time_max_s: 5.0, ..CompileOptions::default() }).unwrap();
    let other = Member { label: "other".into(), kind: MemberKind::Model, table: alone };
    for (members, expected) in [
        (vec![], "no members"),
        (vec![other.clone()], "the place of another kind"),
        (vec![best.clone(), best.clone()], "the place of another kind"),
        (vec![best, other], "axes of its own"),
    ] {
        let error = Ensemble::new(members).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for (options, expected) in [
        (CompileOptions { tolerance_fraction: 0.0, ..CompileOptions::default() }, "tolerance_fraction = 0"),
        (CompileOptions { time_max_s: f64::INFINITY, ..CompileOptions::default() }, "time_max_s = inf"),
        (
            CompileOptions { dose_max_krad_si: f64::NAN, ..CompileOptions::default() },
            "dose_max_krad_si = NaN",
        ),
    ] {
        let error = compile_ensemble(&cell(), &[], &options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
