//! Synthetic experiments: devices that differ, readings with noise, everything known.

use mho_compact::fit::{Deviation, Regression, Transform};
use mho_compact::model::entries;
use mho_data::measurement::Kind;
use mho_data::random::Stream;
use mho_data::reader;

/// A model with a design of an experiment that determines it.
pub struct Design {
    /// Model.
    pub name: &'static str,
    /// Devices of an experiment.
    pub devices: usize,
    /// How much the devices differ: of ln x for logarithmic parameters, of the interval's hundredth for others.
    pub differ: f64,
}

/// All designs. The laws of spreads take states as devices, which do not differ in them.
pub const DESIGNS: [Design; 9] = [
    Design { name: "tid-exp", devices: 24, differ: 0.03 },
    Design { name: "tid-stretched", devices: 24, differ: 0.03 },
    Design { name: "tid-two-term", devices: 24, differ: 0.03 },
    Design { name: "tid-collect", devices: 24, differ: 0.01 },
    Design { name: "sonos-retention", devices: 24, differ: 0.03 },
    Design { name: "current-shift", devices: 24, differ: 0.01 },
    Design { name: "sonos-programming", devices: 24, differ: 0.0 },
    Design { name: "threshold-spread", devices: 24, differ: 0.0 },
    Design { name: "read-noise", devices: 24, differ: 0.0 },
];

/// An experiment that can be repeated: its regression without noise, and the truth.
pub struct Experiment {
    /// The regression; [`Experiment::draw`] gives it readings.
    pub regression: Regression<'static>,
    /// Values of its parameters.
    pub truth: Vec<f64>,
    shared: usize,
    differ: f64,
}

impl Design {
    /// Reads the design's table as a user's file would be read; `None` for a model without entry.
    pub fn experiment(&self) -> Option<Experiment> {
        let entry = entries().into_iter().find(|entry| entry.info.name == self.name)?;
        let (kind, text) = table(self.name, self.devices);
        let measurement = reader::read(&[("experiment.csv", text.as_bytes())], kind).ok()?;
        let mut regression = (entry.fitting?)(&measurement).ok()?;
        let mut shared = 0;
        let mut truth = Vec::new();
        for parameter in &regression.parameters {
            let own = entry.info.parameter(&parameter.name);
            shared += usize::from(own.is_some());
            truth.push(own.map_or(parameter.start, |info| info.default));
        }
        // The fixed point among the states, where it is known best.
        if let Some(place) = regression.parameters.iter().position(|p| p.name == "vt_inf_v") {
            truth[place] = 0.7;
        }
        for (parameter, &value) in regression.parameters.iter_mut().zip(&truth) {
            parameter.start = value;
        }
        Some(Experiment { regression, truth, shared, differ: self.differ })
    }
}

impl Experiment {
    /// Parameters that all devices share.
    pub fn shared(&self) -> usize {
        self.shared
    }

    /// New devices and readings.
    pub fn draw(&mut self, seed: u64, number: u64) {
        let regression = &mut self.regression;
        for device in 0..regression.devices.len() {
            let stream = Stream::new(seed, &["calibrate", regression.model.name], &[number, device as u64]);
            let mut index = 0;
            let mut normal = || {
                index += 1;
                stream.normal(index)
            };
            let mut values = self.truth.clone();
            for (value, parameter) in values.iter_mut().zip(&regression.parameters).take(self.shared) {
                let amount = self.differ * normal();
                *value = match parameter.transform {
                    Transform::Log => *value * amount.exp(),
                    Transform::Linear => *value + 0.01 * amount * (parameter.upper - parameter.lower),
                    Transform::Free => *value + amount,
                };
            }
            let clean = (regression.law)(&values, device);
            let mut clean = clean.into_iter();
            for series in &mut regression.devices[device].series {
                for (row, reading) in series.y.iter_mut().enumerate() {
                    let Some(value) = clean.next() else { continue };
                    let wider = series.wider.get(row).copied().unwrap_or(1.0);
                    *reading = match regression.deviation {
                        Deviation::Absolute { sigma } => value + sigma * wider * normal(),
                        Deviation::Log { relative, floor } => {
                            value * (1.0 + relative * wider * normal()) + floor * wider * normal()
                        }
                    };
                }
            }
        }
    }

    /// Adds 20 standard deviations to a part of the readings, of either sign at random.
    #[allow(dead_code)]
    pub fn spoil(&mut self, seed: u64, number: u64, part: f64) {
        let stream = Stream::new(seed, &["calibrate", "outliers"], &[number]);
        let deviation = self.regression.deviation;
        let mut index = 0;
        for series in self.regression.devices.iter_mut().flat_map(|device| &mut device.series) {
            for (row, reading) in series.y.iter_mut().enumerate() {
                index += 2;
                let wider = series.wider.get(row).copied().unwrap_or(1.0);
                let sign = if stream.uniform(index) < 0.5 { -20.0 } else { 20.0 };
                if stream.uniform(index + 1) < part {
                    *reading += sign
                        * wider
                        * match deviation {
                            Deviation::Absolute { sigma } => sigma,
                            Deviation::Log { relative, floor } => (relative * *reading).hypot(floor),
                        };
                }
            }
        }
    }
}

/// A table in the columns of the model's kind of measurement; its readings are replaced.
fn table(name: &str, devices: usize) -> (Kind, String) {
    const DAY_S: f64 = 86_400.0;
    let thresholds = "device,state,dose_krad_si,time_s,vt_v\n".to_owned();
    let currents = "device,state,dose_krad_si,time_s,current_na\n".to_owned();
    let stream = Stream::new(0, &["calibrate", "table"], &[]);
    let mut rows = String::new();
    let mut index = 0;
    let mut jitter = |spread: f64| {
        index += 1;
        1.0 + spread * stream.normal(index)
    };
    match name {
        "tid-exp" | "tid-stretched" | "tid-two-term" | "tid-collect" => {
            for device in 0..devices {
                let start_v = [3.0, 2.0, 1.2, 0.2, -0.5, -1.0][device % 6] + 0.01 * (device / 6) as f64;
                for dose in [0.0, 30.0, 60.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0] {
                    rows += &format!("d{device},S{},{dose},0,{start_v}\n", device % 6);
                }
            }
            (Kind::Threshold, thresholds + &rows)
        }
        "threshold-spread" => {
            for state in 0..devices {
                for (dose, days) in
                    [(0.0, 0.0), (0.0, 1.0), (0.0, 10.0), (0.0, 100.0), (100.0, 0.0), (500.0, 0.0)]
                {
                    for device in 0..30 {
                        let vt_v = 0.1 * state as f64 + 3e-3 * (jitter(1.0) - 1.0);
                        rows += &format!("d{device},S{state},{dose},{},{vt_v}\n", days * DAY_S);
                    }
                }
            }
            (Kind::Threshold, thresholds + &rows)
        }
        "sonos-programming" => {
            for state in 0..devices {
                let state = (state + 1) as f64 / devices as f64;
                for cell in 0..30 {
                    for days in [0.0, 0.1, 1.0, 10.0, 100.0] {
                        let na = 1600.0 * state * jitter(0.03);
                        rows += &format!("c{cell},{state},0,{},{na}\n", days * DAY_S);
                    }
                }
            }
            (Kind::StateCurrent, currents + &rows)
        }
        "read-noise" => {
            for cell in 0..devices {
                let state = 0.01 * 100_f64.powf(cell as f64 / (devices - 1) as f64);
                for _ in 0..30 {
                    rows += &format!("c{cell},{state},0,0,{}\n", 1600.0 * state * jitter(0.03));
                }
            }
            (Kind::StateCurrent, currents + &rows)
        }
        "sonos-retention" => {
            for cell in 0..devices {
                let state = [0.02, 0.05, 0.1, 0.25, 0.5, 1.0][cell % 6];
                for days in [0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0] {
                    rows += &format!("c{cell},{state},0,{},{}\n", days * DAY_S, 1600.0 * state);
                }
            }
            (Kind::StateCurrent, currents + &rows)
        }
        _ => {
            for cell in 0..devices {
                let state = [0.02, 0.05, 0.1, 0.25, 0.5, 1.0][cell % 6];
                let doses = [0.0, 50.0, 100.0, 300.0, 500.0, 1000.0, 2000.0, 4000.0];
                for (dose, time_s) in
                    doses.map(|dose| (dose, dose)).into_iter().chain([(4000.0, 1e6), (4000.0, 1e7)])
                {
                    rows += &format!("c{cell},{state},{dose},{time_s},{}\n", 1600.0 * state);
                }
            }
            (Kind::StateCurrent, currents + &rows)
        }
    }
}

/// How often intervals held the truth.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Experiments whose fit gave an interval.
    pub experiments: usize,
    /// By the covariance, the profile likelihood and the bootstrap over devices.
    pub held: [usize; 3],
    /// Experiments in which each of these gave no interval.
    pub missing: [usize; 3],
    /// Sum of the half-widths over the value.
    pub width: f64,
}

/// What is taken of each experiment.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Experiments.
    pub experiments: u64,
    /// Whether profiles are taken.
    pub profile: bool,
    /// Refits of a bootstrap; none for 0.
    pub replicates: usize,
    /// Seed.
    pub seed: u64,
}

/// Coverage of the shared parameters of a design; with their truths.
pub fn coverage(design: &Design, effort: Effort) -> Option<Vec<(String, f64, Coverage)>> {
    use mho_compact::fit::{BootstrapOptions, bootstrap};
    let mut experiment = design.experiment()?;
    let shared = experiment.shared();
    let mut found: Vec<(String, f64, Coverage)> = experiment.regression.parameters[..shared]
        .iter()
        .zip(&experiment.truth)
        .map(|(parameter, &truth)| (parameter.name.clone(), truth, Coverage::default()))
        .collect();
    for number in 0..effort.experiments {
        experiment.draw(effort.seed, number);
        let regression = &experiment.regression;
        let Ok(fit) = regression.fit() else { continue };
        let options =
            BootstrapOptions { replicates: effort.replicates, seed: number, ..BootstrapOptions::default() };
        let drawn = if effort.replicates > 0 { bootstrap(regression, &fit, &options).ok() } else { None };
        for (index, (name, truth, coverage)) in found.iter_mut().enumerate() {
            let fitted = &fit.parameters[index];
            let profile = if effort.profile { regression.profile(&fit, index).ok() } else { None };
            let intervals = [
                fitted.std.is_finite().then_some(fitted.interval95),
                profile.map(|profile| [profile.lower, profile.upper]),
                drawn.as_ref().and_then(|drawn| {
                    drawn.parameters.iter().find(|p| p.name == *name).map(|p| p.interval95)
                }),
            ];
            coverage.experiments += 1;
            coverage.width += 0.5 * (fitted.interval95[1] - fitted.interval95[0]) / fitted.value.abs();
            for (way, interval) in intervals.iter().enumerate() {
                match interval {
                    Some([low, high]) => {
                        coverage.held[way] += usize::from(low <= truth && *truth <= *high);
                    }
                    None => coverage.missing[way] += 1,
                }
            }
        }
    }
    Some(found)
}
