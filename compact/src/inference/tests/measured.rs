//! From files to fits, and what is wrong with files.

use crate::inference::synthetic::{Draw, draw};
use crate::inference::{find, regression};
use mho_data::measurement::{Kind, Measurement};
use mho_data::provenance::Origin;

fn small(name: &str) -> Measurement {
    let what = Draw {
        targets_us: vec![60.0, 120.0, 200.0],
        cells: 64,
        times_s: vec![0.0],
        reads: 1,
        read_v: 0.2,
        seed: 4,
    };
    draw(name, find(name).unwrap().default_cell().as_ref(), &what).unwrap()
}

/// Written as CSV and read again, a synthetic measurement gives the same fit.
#[test]
fn measurements_go_through_files() {
    let made = small("milo");
    assert_eq!(made.sidecar.origin, Origin::Synthetic);
    let csv = made.table.to_csv();
    let read = mho_data::reader::read(&[("cells.csv", csv.as_bytes())], Kind::StateCurrent).unwrap();
    let model = find("milo").unwrap();
    let fits = [&made, &read].map(|m| regression(model, m).unwrap().fit().unwrap());
    for (a, b) in fits[0].values().iter().zip(fits[1].values()) {
        assert!((a / b - 1.0).abs() < 1e-4, "{a} {b}");
    }
    assert!(fits[1].warnings.iter().any(|note| note.starts_with("held at their defaults")));
}

#[test]
fn blocks_of_cells_can_be_drawn_anew() {
    let fit = regression(find("milo").unwrap(), &small("milo")).unwrap();
    assert_eq!((fit.devices.len(), fit.readings()), (4, 12));
    assert_eq!((fit.problem_of(&[2, 0, 1, 0], |_| true).residuals)(&[4.8, -0.01]).len(), 9);
    assert!(fit.hold_out().unwrap().is_none());
    // Seen as a chi-square: 12 readings, 2 parameters.
    let found = fit.fit().unwrap();
    assert!(found.cost > 1.0 && found.cost < 25.0, "{}", found.cost);
}

#[test]
fn what_is_missing_is_asked_for() {
    let model = find("milo").unwrap();
    let error = |change: &dyn Fn(&mut Measurement)| {
        let mut measurement = small("milo");
        change(&mut measurement);
        regression(model, &measurement).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let without = |key: &'static str| {
        move |m: &mut Measurement| m.sidecar.preamble.retain(|line| !line.starts_with(key))
    };
    assert!(error(&without("read_v")).contains("no read voltage"));
    assert!(error(&|m| m.sidecar.preamble[2] = "read_v: much".into()).contains("found read_v = much"));
    assert!(error(&|m| m.sidecar.kind = Kind::Threshold).contains("found threshold"));
    assert!(error(&|m| m.table = m.table.filter(|row| row < 2)).contains("four cells"));
    assert!(error(&|m| m.table = Default::default()).contains("no column"));
    assert_eq!(error(&without("current_max_na")), "");
}

#[test]
fn rows_after_a_dose_and_bad_numbers_are_counted() {
    let mut made = small("milo");
    let rows = made.table.len();
    let floats = |name: &str| made.table.floats(name).unwrap().to_vec();
    let mut doses = vec![0.0; rows];
    let mut currents = floats("current_na");
    doses[3] = 10.0;
    currents[5] = f64::NAN;
    made.table = mho_data::table::Table::new()
        .with_text("device", made.table.texts("device").unwrap().to_vec())
        .with_float("state", floats("state"))
        .with_float("dose_krad_si", doses)
        .with_float("time_s", floats("time_s"))
        .with_float("current_na", currents);
    let fit = regression(find("milo").unwrap(), &made).unwrap();
    assert_eq!(fit.dropped, 2);
    assert!(fit.notes.iter().any(|note| note.contains("1 rows left out, after a dose")));
}

/// Chips of many cells: rows of a chip are its cells, and chips are what a bootstrap draws.
#[test]
fn chips_are_kept_apart() {
    let mut made = small("milo");
    let chips = (0..made.table.len()).map(|row| format!("chip {}", row % 3)).collect();
    let column = |name: &str| made.table.floats(name).unwrap().to_vec();
    made.table = mho_data::table::Table::new()
        .with_text("device", chips)
        .with_float("state", column("state"))
        .with_float("time_s", column("time_s"))
        .with_float("current_na", column("current_na"));
    let fit = regression(find("milo").unwrap(), &made).unwrap();
    assert_eq!(
        fit.devices.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(),
        ["chip 0", "chip 1", "chip 2"]
    );
    assert!(fit.fit().unwrap().value("sigma_offset_us") > 2.0);
}

#[test]
fn draws_are_checked() {
    let cell = find("cmo").unwrap().default_cell();
    let good = Draw { targets_us: vec![5.0], cells: 2, times_s: vec![0.0], reads: 1, read_v: 0.2, seed: 1 };
    let made = draw("cmo", cell.as_ref(), &good).unwrap();
    assert!(made.sidecar.notes[1].contains("1 targets outside of 9 to 90 uS"));
    for bad in [
        Draw { targets_us: vec![f64::NAN], ..good.clone() },
        Draw { times_s: vec![-1.0], ..good.clone() },
        Draw { read_v: 0.0, ..good.clone() },
        Draw { cells: 0, ..good.clone() },
        Draw { cells: usize::MAX, reads: 3, ..good.clone() },
    ] {
        assert!(draw("cmo", cell.as_ref(), &bad).is_err(), "{bad:?}");
    }
}

/// Any numbers in a file give a fit or an error, never a panic: of every law, with repeated reads and times.
#[test]
fn wild_measurements_are_survived() {
    let what = Draw {
        targets_us: vec![10.0, 15.0, 20.0],
        cells: 5,
        times_s: vec![0.0, 30.0, 1e3, 1e5],
        reads: 2,
        read_v: 0.2,
        seed: 1,
    };
    let made = draw("pcm", find("pcm").unwrap().default_cell().as_ref(), &what).unwrap();
    let column = |name: &str| made.table.floats(name).unwrap().to_vec();
    for name in ["current_na", "time_s", "state"] {
        for value in [0.0, -1.0, 1e300, 1e-300, f64::NAN, f64::INFINITY] {
            for some in [1, 7] {
                let mut columns = ["state", "time_s", "current_na"].map(|name| (name, column(name)));
                for (own, values) in &mut columns {
                    if *own == name {
                        values.iter_mut().step_by(some).for_each(|v| *v = value);
                    }
                }
                let devices = made.table.texts("device").unwrap().to_vec();
                let table = mho_data::table::Table::new().with_text("device", devices);
                let mut wild = made.clone();
                wild.table = columns.into_iter().fold(table, |table, (own, v)| table.with_float(own, v));
                for model in &crate::inference::MODELS {
                    if let Ok(regression) = regression(model, &wild) {
                        let quick = crate::fit::FitOptions { patience: 3, ..regression.options };
                        let _ = crate::fit::least_squares(&regression.problem(), &quick);
                    }
                }
            }
        }
    }
}
