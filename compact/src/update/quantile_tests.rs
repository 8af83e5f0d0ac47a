//! Quantiles of steps: known noise, measured ramps, refusals.

use super::*;
use mho_data::random::Stream;

/// Ramps of a line with Gaussian steps of mean `1e-3 (1 - G/2)` and standard deviation 3e-4, without read noise.
fn ramps(count: u64, length: u64) -> Traces {
    let ramps = (0..count)
        .map(|ramp| {
            let stream = Stream::new(11, &["quantile tests"], &[ramp]);
            let mut state = 0.0;
            let readings = (0..length)
                .map(|pulse| {
                    let now = state;
                    state += 1e-3 * (1.0 - 0.5 * state) + 3e-4 * stream.normal(pulse);
                    now
                })
                .collect();
            Ramp::consecutive(Direction::Up, readings)
        })
        .collect();
    Traces {
        devices: vec![Trace { name: "a".into(), ramps, chained: false }],
        window: Window { low: 0.0, high: 1.0 },
        quantity: "conductance G",
        unit: "S",
        dropped: 0,
        notes: Vec::new(),
    }
}

#[test]
fn quantiles_of_known_noise() {
    let traces = ramps(400, 1000);
    let options = QuantileOptions { bins: 20, probabilities: 101, fewest: 100 };
    let table = UpdateQuantiles::from_traces(&traces, Direction::Up, options).unwrap();
    assert_eq!(table.dg_s.len(), table.grid_s.len() * table.probability.len());
    for (bin, &g) in table.grid_s.iter().enumerate() {
        let n = table.counts[bin] as f64;
        let law = 1e-3 * (1.0 - 0.5 * g);
        // The interpolated step is a mean of two: a standard deviation between 3e-4/sqrt(2) and 3e-4. Ramps cross a
        // centre with a step in proportion to its size, which lifts the mean by up to var/mean = 9e-8/law.
        let lift = 9e-8 / law;
        let found = table.mean_s[bin];
        assert!(found > law - 5.0 * 3e-4 / n.sqrt() && found < law + lift + 5.0 * 3e-4 / n.sqrt());
        let columns = table.grid_s.len();
        let spread = table.dg_s[84 * columns + bin] - table.dg_s[16 * columns + bin];
        assert!(spread > 1.2 * 3e-4 && spread < 2.2 * 3e-4, "{spread:e} at {g}");
        let column: Vec<f64> = (0..101).map(|row| table.dg_s[row * columns + bin]).collect();
        assert!(column.is_sorted());
        // Evenly drawn probabilities give the mean of the table back; 101 points of the trapezoid rule.
        let mean = (0..10_000).map(|k| table.sample(g, (f64::from(k) + 0.5) / 1e4)).sum::<f64>() / 1e4;
        assert!((mean / found - 1.0).abs() < 0.02, "{mean:e} {found:e}");
        assert!((table.mean(g) - found).abs() < 1e-12);
    }
}

#[test]
fn empty_bins_and_missing_ramps_are_refused() {
    let mut traces = ramps(6, 300);
    let options = QuantileOptions { bins: 20, probabilities: 11, fewest: 5 };
    let refusal = UpdateQuantiles::from_traces(&traces, Direction::Down, options).unwrap_err();
    assert!(refusal.found.contains("0 ramps down"));
    for ramp in &mut traces.devices[0].ramps {
        let gap = |state: &f64| (0.1..0.15).contains(state);
        // The readings on both sides of the gap stay apart by many pulses and make no step.
        let kept: Vec<usize> = (0..ramp.readings.len()).filter(|&row| !gap(&ramp.readings[row])).collect();
        ramp.pulses = kept.iter().map(|&row| ramp.pulses[row]).collect();
        ramp.readings = kept.iter().map(|&row| ramp.readings[row]).collect();
    }
    for options in [
        QuantileOptions { fewest: 7, ..options },
        QuantileOptions { bins: 0, ..options },
        QuantileOptions { probabilities: 1, ..options },
    ] {
        assert!(UpdateQuantiles::from_traces(&traces, Direction::Up, options).is_err());
    }
}

/// The measured ramps of CrossSim's examples, 0.1 V read.
pub(super) fn measured(name: &str) -> Option<Measurement> {
    let Some(path) = mho_data::shared::find(&format!("measured/crosssim/pulse_csv/{name}.csv")) else {
        println!("SKIPPED: no measured/crosssim/pulse_csv/{name}.csv");
        return None;
    };
    let bytes = std::fs::read(path).unwrap();
    let name = format!("{name}.csv");
    let file = (&*name, &*bytes);
    Some(mho_data::reader::read(&[file], Kind::Ramp).unwrap())
}

#[test]
fn measured_ramps_become_a_table_that_makes_them() {
    for (name, direction, count) in [("set", Direction::Up, 39), ("reset", Direction::Down, 40)] {
        let Some(measurement) = measured(name) else { return };
        let traces = Traces::from_measurement(&measurement).unwrap();
        assert_eq!(traces.ramps().count(), count);
        assert!(traces.ramps().all(|ramp| ramp.direction == direction));
        let table = UpdateQuantiles::from_traces(
            &traces,
            direction,
            QuantileOptions { bins: 25, ..Default::default() },
        )
        .unwrap();
        println!("{name}: {} bins, {} cut, {:?}", table.grid_s.len(), table.cut, table.counts);
        // Ramps sampled from the table: 200 times 100 pulses against the measured ramps.
        let stream = Stream::new(1, &["quantile tests", name], &[]);
        let starts: Vec<f64> = traces.ramps().map(|ramp| ramp.readings[0]).collect();
        let ends: Vec<f64> = traces.ramps().filter_map(|ramp| ramp.readings.get(100).copied()).collect();
        let mut drawn = Vec::new();
        for ramp in 0..200_u64 {
            let mut g = starts[ramp as usize % starts.len()];
            for pulse in 0..100 {
                g += table.sample(g, stream.uniform(ramp * 100 + pulse));
            }
            drawn.push(g);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let range = table.grid_s[table.grid_s.len() - 1] - table.grid_s[0];
        let apart = (mean(&drawn) - mean(&ends)) / range;
        println!("{name}: mean after 100 pulses {apart:+.3} of the range apart");
        // Ramps differ from each other by more than their steps do, which a table of single steps leaves out.
        assert!(apart.abs() < 0.05, "{name}: {apart}");
    }
}
