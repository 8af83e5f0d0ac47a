//! Time of one fit of each update law to 2000 readings, against its budget, and of the pulses of a million cells.
#![allow(clippy::print_stdout)]

use mho_compact::update::{
    CycleNoise, Direction, ENTRIES, Population, Traces, Window, compare, preset, update_regression,
};
use mho_data::random::Stream;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

/// What a fit of 2000 points may take in s.
const BUDGET_S: f64 = 0.050;

/// The measured ReRAM trace, or a device of its kind where the file is not there.
fn traces() -> Result<Traces, Box<dyn Error>> {
    let mut columns = [Vec::new(), Vec::new()];
    if let Some(path) = mho_data::shared::find("golden/laws/gong_et_al_pulse_response.csv") {
        for line in std::fs::read_to_string(path)?.lines() {
            for (column, cell) in columns.iter_mut().zip(line.split(',')) {
                column.push(cell.parse()?);
            }
        }
    } else {
        println!("SKIPPED the measured trace: a simulated one instead");
        let device = preset("ReRamES").ok_or("no preset ReRamES")?.device;
        let noise = Stream::new(1, &["update bench"], &[]);
        let mut start = -0.9;
        for (column, direction) in [Direction::Up, Direction::Down].into_iter().enumerate() {
            let ramp = device.ramp(start, direction, 1000);
            start = ramp[999];
            let first = 1000 * column as u64;
            columns[column] =
                (first..).zip(&ramp).map(|(index, state)| state + 0.15 * noise.normal(index)).collect();
        }
    }
    Ok(Traces::from_columns("trace", &columns[0], &columns[1], Some(Window::WEIGHTS))?)
}

fn main() -> Result<(), Box<dyn Error>> {
    mho_data::memory::keep_freed();
    let traces = traces()?;
    let budget = BUDGET_S * 1e3;
    for entry in ENTRIES {
        let Some(regression) = update_regression(&traces, entry.info.name) else { continue };
        let parameters = regression.parameters.len();
        let mut rms = 0.0;
        // The least of several: what else the machine does is no part of the fit.
        let mut spent = f64::INFINITY;
        for _ in 0..9 {
            let begun = Instant::now();
            // With the reading of starts off the ramps.
            let regression = update_regression(&traces, entry.info.name).ok_or("no law")?;
            rms = regression.fit()?.rms;
            spent = spent.min(begun.elapsed().as_secs_f64() * 1e3);
        }
        println!(
            "{:32} {parameters:2} parameters, {} readings, rms {rms:.5}: {spent:7.2} ms = {:.2} of {budget} ms",
            entry.info.name,
            traces.readings(),
            spent / budget
        );
        let mut many = regression;
        many.options.starts = 64;
        println!("{:32} rms of 64 starts over all bounds / of this fit: {:.6}", "", many.fit()?.rms / rms);
    }
    let begun = Instant::now();
    black_box(compare(&traces)?);
    println!("comparison of all laws: {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);

    let count = 1_000_000;
    for name in ["GokmenVlasov", "EcRam", "ReRamArrayOM", "ReRamES"] {
        let device = preset(name).ok_or("no preset")?.device;
        let quiet = Population::new(
            mho_compact::update::PulsedDevice { noise: CycleNoise::None, write_noise: 0.0, ..device.clone() },
            count,
            1,
        )?;
        for (mut population, what) in
            [(Population::new(device, count, 1)?, "with noise"), (quiet, "without noise")]
        {
            let pulses = vec![1; count];
            population.pulse(&pulses);
            let begun = Instant::now();
            let rounds = 5;
            for _ in 0..rounds {
                population.pulse(black_box(&pulses));
            }
            let each = begun.elapsed().as_secs_f64() / (f64::from(rounds) * count as f64);
            println!("{name:14} {what:14} {:6.2} ns per pulse and cell", each * 1e9);
        }
    }
    Ok(())
}
