//! Fits: the measured ReRAM trace, known truths.

use super::*;
use std::time::Instant;

/// The measured trace: 1000 readings up, 1000 down, normalised.
pub(super) fn gong() -> Option<Traces> {
    let Some(path) = mho_data::shared::find("golden/laws/gong_et_al_pulse_response.csv") else {
        println!("SKIPPED: no golden/laws/gong_et_al_pulse_response.csv");
        return None;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let columns: Vec<(f64, f64)> = text
        .lines()
        .map(|line| line.split_once(',').map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).unwrap())
        .collect();
    let (up, down): (Vec<f64>, Vec<f64>) = columns.into_iter().unzip();
    Some(Traces::from_columns("gong", &up, &down, Some(Window::WEIGHTS)).unwrap())
}

#[test]
fn every_law_on_the_measured_trace() {
    let Some(traces) = gong() else { return };
    for form in &form::FORMS {
        let begun = Instant::now();
        let mut regression = fit::regression(&traces, form);
        let fit = regression.fit().unwrap();
        let spent = begun.elapsed().as_secs_f64() * 1e3;
        regression.options.starts = 16;
        let many = regression.fit().unwrap();
        println!("{:32} rms {:.6} many {:.6} {spent:.1} ms", form.info.name, fit.rms, many.rms);
        for p in &fit.parameters {
            println!("    {:14} {:.5} {:?} {}", p.name, p.value, p.interval95, p.at_bound);
        }
        println!("    {:?}", fit.warnings);
        println!("    {:?}", many.values());
    }
}
