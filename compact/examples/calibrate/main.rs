//! How often 95 % intervals hold the truth: a self-check on synthetic experiments. Writes CSV to the standard
//! output:
//!
//! `cargo run --release -p mho-compact --example calibrate -- --experiments 1000 > docs/calibration.csv`

mod experiments;

use experiments::{DESIGNS, Effort, coverage};
use std::io::Write;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let number = |name: &str, default: u64| after(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (experiments, replicates) = (number("--experiments", 1000), number("--replicates", 399));
    let model = after("--model");
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "# cargo run --release -p mho-compact --example calibrate -- --experiments {experiments} --replicates \
         {replicates}: self-check of 95 % intervals on synthetic experiments with known truth; no measured data"
    )?;
    writeln!(
        out,
        "model,parameter,truth,devices,device_spread,experiments,relative_half_width,covariance_percent,\
         profile_percent,bootstrap_percent,covariance_missing,profile_missing,bootstrap_missing"
    )?;
    for design in DESIGNS.iter().filter(|design| model.as_ref().is_none_or(|name| name == design.name)) {
        // A refit of the collection integrates an ODE: fewer of them.
        let fewer = if design.name == "tid-collect" { 20 } else { 1 };
        let effort = Effort {
            experiments: (experiments / fewer).max(1),
            profile: true,
            replicates: replicates as usize,
            seed: 1,
        };
        let started = std::time::Instant::now();
        for (name, truth, coverage) in coverage(design, effort).unwrap_or_default() {
            let count = coverage.experiments.max(1) as f64;
            let percent = |way: usize| {
                let number = coverage.experiments - coverage.missing[way];
                100.0 * coverage.held[way] as f64 / number.max(1) as f64
            };
            let [a, b, c] = coverage.missing;
            writeln!(
                out,
                "{},{name},{truth},{},{},{},{:.4},{:.1},{:.1},{:.1},{a},{b},{c}",
                design.name,
                design.devices,
                design.differ,
                coverage.experiments,
                coverage.width / count,
                percent(0),
                percent(1),
                percent(2),
            )?;
        }
        out.flush()?;
        eprintln!("{}: {:.1} s", design.name, started.elapsed().as_secs_f64());
    }
    Ok(())
}
