//! Histories against the cell's own grid and against closed forms.

use super::*;
use crate::cell::{CellParameters, SonosCell};
use mho_lut::{CellSource, HistoryOptions, compile_history};

const DAY_S: f64 = 86_400.0;

fn cell(law: Law) -> SonosCell {
    let retention = Retention::default();
    let read_gate_v = SonosCell::default_read_gate_v(&retention, 0.0);
    SonosCell::new(CellParameters {
        dose: DoseLaw::Threshold { law, read_gate_v },
        ..CellParameters::default()
    })
}

fn exponential() -> SonosCell {
    cell(Law::Exp { dose_c_krad_si: 700.0, vt_inf_v: -0.1 })
}

fn segment(duration_s: f64, dose_krad_si: f64, temperature_k: f64) -> Segment {
    let dose_rate_rad_si_per_s = if duration_s > 0.0 { 1e3 * dose_krad_si / duration_s } else { 0.0 };
    Segment { duration_s, dose_rate_rad_si_per_s, temperature_k, gate_bias_v: 0.0 }
}

/// A dose within a millisecond and then storage is what the grid calls a dose and a time.
#[test]
fn a_flash_and_storage_are_the_grid() {
    for law in [
        Law::Exp { dose_c_krad_si: 700.0, vt_inf_v: -0.1 },
        Law::Stretched { dose_c_krad_si: 700.0, vt_inf_v: -0.1, exponent: 0.7 },
        Law::TwoTerm { dose_c_krad_si: 900.0, vt_inf_v: 0.1, fast_fraction: 0.2, dose_fast_krad_si: 60.0 },
    ] {
        let cell = cell(law);
        let history =
            History::new(vec![segment(1e-3, 200.0, 300.0), segment(5.0 * DAY_S, 0.0, 300.0)]).unwrap();
        let reports = [1e-3, DAY_S + 1e-3, 5.0 * DAY_S];
        for state in [0.05, 0.5, 1.0] {
            let course = cell.history(state, &history, &reports).unwrap();
            for (found, time_s) in course.statistics.iter().zip([0.0, DAY_S, 5.0 * DAY_S]) {
                let wanted = cell.cell(state, time_s, 200.0).unwrap();
                assert!((found.mean_na / wanted.mean_na - 1.0).abs() < 1e-6, "{law:?} {state} {time_s}");
                assert!((found.sigma_na / wanted.sigma_na - 1.0).abs() < 1e-4, "{law:?} {state} {time_s}");
                assert!((found.share.dose - wanted.share.dose).abs() < 1e-4);
            }
            let grid = cell.correlation(state, (0.0, 200.0), (5.0 * DAY_S, 200.0)).unwrap();
            assert!((course.correlation[2] - grid).abs() < 1e-4, "{} {grid}", course.correlation[2]);
        }
    }
}

/// Storage cut into pieces is the storage, and a report in between changes nothing.
#[test]
fn pieces_make_the_whole() {
    let cell = exponential();
    let last = |segments: Vec<Segment>, reports: &[f64]| {
        let history = History::new(segments).unwrap();
        cell.history(0.8, &history, reports).unwrap().statistics.last().unwrap().mean_na
    };
    let whole = last(vec![segment(DAY_S, 100.0, 330.0)], &[DAY_S]);
    let cut = last(vec![segment(0.5 * DAY_S, 50.0, 330.0); 2], &[DAY_S]);
    let watched = last(vec![segment(DAY_S, 100.0, 330.0)], &[10.0, 0.3 * DAY_S, DAY_S]);
    // Steps of the alternation differ: 1e-5 of the current, a hundredth of the read noise, is allowed.
    assert!((whole - cut).abs() < 0.015 && (whole - watched).abs() < 0.015, "{whole} {cut} {watched}");
}

/// Time and dose do not commute: what is lost before the dose is not lost again after it.
#[test]
fn order_and_temperature_matter() {
    let cell = exponential();
    let mean = |segments: Vec<Segment>| {
        let history = History::new(segments).unwrap();
        let end = history.duration_s();
        cell.history(1.0, &history, &[end]).unwrap().statistics[0].mean_na
    };
    let flash = segment(1.0, 300.0, 300.0);
    let storage = segment(5.0 * DAY_S, 0.0, 300.0);
    let (dose_first, time_first) = (mean(vec![flash, storage]), mean(vec![storage, flash]));
    assert!((dose_first - time_first).abs() > 0.1, "{dose_first} {time_first}");
    // In the overdrive both laws are straight lines towards their ends, so both orders are known.
    let p = cell.parameters();
    let (start_v, neutral_v) = (p.retention.overdrive_v(1600.0), p.retention.overdrive_v(656.0));
    let DoseLaw::Threshold { read_gate_v, .. } = p.dose else { unreachable!() };
    let (kept, left) = (1.0 - p.retention.lost(5.0 * DAY_S, 300.0), (-300.0_f64 / 700.0).exp());
    let to = |from: f64, end: f64, left: f64| end + (from - end) * left;
    let end_v = read_gate_v + 0.1;
    let wanted = to(to(start_v, neutral_v, kept), end_v, left);
    let history = History::new(vec![storage, flash]).unwrap();
    let found = cell.follow(start_v, 1.0, &history, &[history.duration_s()])[0].overdrive_v;
    assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");

    let cool = mean(vec![segment(DAY_S, 0.0, 300.0)]);
    let hot = mean(vec![segment(DAY_S, 0.0, 360.0)]);
    assert!(hot < cool, "{hot} {cool}");
    // Ten minutes of heat are not undone by a cool hour.
    let baked = mean(vec![segment(600.0, 0.0, 400.0), segment(3600.0, 0.0, 300.0)]);
    assert!(baked <= mean(vec![segment(600.0, 0.0, 400.0)]));
}

/// Counted charges come anew: cells at two doses agree less than a common fate would make them, and their
/// correlation is sqrt(d/D) when counting is all there is.
#[test]
fn charges_are_counted_anew() {
    let mut parameters = exponential().parameters().clone();
    parameters.dose_c_spread = 0.0;
    parameters.programming.sigma_max_na = 1e-9;
    parameters.retention.r_per_decade = 1e-9;
    let cell = SonosCell::new(parameters);
    assert!((cell.correlation(0.5, (0.0, 100.0), (0.0, 400.0)).unwrap() - 0.5).abs() < 1e-6);
    let history = History::new(vec![segment(400.0, 400.0, 300.0)]).unwrap();
    let course = cell.history(0.5, &history, &[100.0, 400.0]).unwrap();
    assert!((course.correlation[1] - 0.5).abs() < 1e-6, "{:?}", course.correlation);
}

#[test]
fn histories_compile_and_bias_is_refused() {
    let cell = exponential();
    let history = History::new(vec![segment(DAY_S, 50.0, 320.0), segment(DAY_S, 0.0, 300.0)]).unwrap();
    let options = HistoryOptions { tolerance_fraction: 3e-3, ..HistoryOptions::default() };
    let table = compile_history(&cell, &history, &[0.0, DAY_S, 2.0 * DAY_S], &options).unwrap();
    assert!(table.certificate().met(), "{:?}", table.certificate());
    let grid = mho_lut::compile(&cell, &mho_lut::CompileOptions::default()).unwrap();
    assert!(grid.certificate().met(), "{:?} {}", grid.certificate(), grid.state_axis().nodes().len());
    let bias = Segment { gate_bias_v: 1.0, ..segment(1.0, 0.0, 300.0) };
    let error = cell.history(0.5, &History::new(vec![bias]).unwrap(), &[1.0]).unwrap_err();
    assert!(error.to_string().contains("gate bias of 1 V"), "{error}");
    assert!(cell.history(f64::NAN, &history, &[1.0]).is_err());
}
