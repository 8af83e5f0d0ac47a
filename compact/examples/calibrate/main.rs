//! How often 95 % intervals hold the truth, and how far wild readings move estimates: a self-check on synthetic
//! experiments. Writes CSV to the standard output:
//!
//! `cargo run --release -p mho-compact --example calibrate -- [MODEL [EXPERIMENTS]] [--seconds S] [--replicates N]
//! [--no-profile] [--first N]`: coverage, of all models or one, in experiments that are numbered from 0 or N on;
//! `... -- --outliers [EXPERIMENTS]`: shifts of estimates by 5 % of readings off by 20 standard deviations.

mod experiments;

use experiments::{Effort, coverage, designs, shifts};
use std::io::Write;

const HEADER: &str = "model,parameter,truth,devices,device_spread,experiments,relative_half_width,covariance_percent,\
                      profile_percent,bootstrap_percent,covariance_missing,profile_missing,bootstrap_missing";

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let after = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)?.parse::<f64>().ok()
    };
    let model = arguments.first().filter(|first| !first.starts_with("--"));
    let mut out = std::io::stdout().lock();
    if has("--outliers") {
        writeln!(
            out,
            "model,intervals,rms_half_widths,most_half_widths,over_half,held_percent,wild,taken_out,taken_out_of_clean"
        )?;
        for design in designs().iter().filter(|design| model.is_none_or(|name| name == design.name)) {
            let all = shifts(design, 5, after("--outliers").unwrap_or(50.0) as u64).unwrap_or_default();
            let count = all.len().max(1) as f64;
            let rms = (all.iter().map(|shift| shift.part.powi(2)).sum::<f64>() / count).sqrt();
            let most = all.iter().fold(0.0_f64, |most, shift| most.max(shift.part));
            let over = all.iter().filter(|shift| shift.part > 0.5).count();
            let held = 100.0 * all.iter().filter(|shift| shift.held).count() as f64 / count;
            let [wild, taken, clean] =
                [0, 1, 2].map(|which| all.iter().map(|shift| shift.readings[which]).sum::<usize>());
            writeln!(
                out,
                "{},{},{rms:.3},{most:.3},{over},{held:.1},{wild},{taken},{clean}",
                design.name,
                all.len()
            )?;
            for shift in all.iter().filter(|shift| shift.part > 0.45) {
                eprintln!("{}: {shift:?}", design.name);
            }
            out.flush()?;
        }
        return Ok(());
    }
    let experiments = model.and(arguments.get(1)).and_then(|text| text.parse().ok()).unwrap_or(1000);
    // One less than a multiple of 40: the quantiles fall on replicates, and few of them are as good as many for a
    // coverage over a thousand experiments.
    let replicates = after("--replicates").unwrap_or(39.0) as usize;
    writeln!(out, "{HEADER}")?;
    for design in designs().iter().filter(|design| model.is_none_or(|name| name == design.name)) {
        let effort = Effort {
            first: after("--first").unwrap_or(0.0) as u64,
            experiments,
            profile: !has("--no-profile"),
            replicates,
            seed: 1,
            seconds: after("--seconds"),
        };
        let started = std::time::Instant::now();
        for (name, truth, coverage) in coverage(design, effort).unwrap_or_default() {
            let count = coverage.experiments.max(1) as f64;
            // Without an interval by a way, its column stays empty.
            let percent = |way: usize| {
                let number = coverage.experiments - coverage.missing[way];
                if number == 0 {
                    return String::new();
                }
                format!("{:.1}", 100.0 * coverage.held[way] as f64 / number as f64)
            };
            let [a, b, c] = coverage.missing;
            writeln!(
                out,
                "{},{name},{truth:.6},{},{},{},{:.4},{},{},{},{a},{b},{c}",
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
