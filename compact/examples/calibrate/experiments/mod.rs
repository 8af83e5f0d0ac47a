//! Synthetic experiments: devices that differ, readings with noise, everything known.

mod cells;
mod tables;

use mho_compact::fit::{Deviation, FitResult, Regression, Transform};
use mho_compact::inference::synthetic::{Draw, draw};
use mho_compact::inference::{Model, find, regression};
use mho_compact::model::{Entry, entries};
use mho_data::measurement::Measurement;
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

/// Laws of doses, times and spreads. Those of spreads take states as devices, which do not differ in them.
pub const DESIGNS: [Design; 9] = [
    Design { name: "tid-exp", devices: 24, differ: 0.03 },
    Design { name: "tid-stretched", devices: 24, differ: 0.03 },
    Design { name: "tid-two-term", devices: 24, differ: 0.03 },
    Design { name: "sonos-retention", devices: 24, differ: 0.03 },
    Design { name: "current-shift", devices: 24, differ: 0.01 },
    Design { name: "sonos-programming", devices: 24, differ: 0.0 },
    Design { name: "threshold-spread", devices: 24, differ: 0.0 },
    Design { name: "read-noise", devices: 24, differ: 0.0 },
    Design { name: "tid-collect", devices: 24, differ: 0.01 },
];

/// Every fitted model: those above, and all others with one device whose readings scatter.
#[allow(dead_code)]
pub fn designs() -> Vec<Design> {
    let listed = |name: &str| DESIGNS.iter().any(|design| design.name == name);
    let fitted = entries().iter().filter(|entry| entry.fitting.is_some());
    let others = fitted.map(|entry| entry.info.name).filter(|name| !listed(name));
    let others: Vec<Design> = others.map(|name| Design { name, devices: 1, differ: 0.0 }).collect();
    DESIGNS.into_iter().chain(others).collect()
}

/// Scatter of a reading after pulses, in weights.
const PULSE_SCATTER: f64 = 0.02;

/// Parameters of a transistor whose defaults are no effect at all: they stay fixed there.
const NO_EFFECT: [&str; 7] = [
    "body_linear",
    "dibl_body_per_v",
    "source_ohm",
    "drain_ohm",
    "leakage_gate_per_v",
    "leakage_saturation_per_v",
    "leakage_s",
];

/// An experiment that can be repeated: its regression without noise, and the truth.
pub struct Experiment {
    /// The regression; [`Experiment::draw`] gives it readings.
    pub regression: Regression<'static>,
    /// Values of its parameters.
    pub truth: Vec<f64>,
    shared: usize,
    differ: f64,
    /// Scatter of a reading in its standard deviations.
    scatter: f64,
    /// Cells that are drawn, and the regression made anew.
    cells: Option<(&'static Model, Vec<f64>, Draw)>,
    /// Those that were drawn last.
    drawn: Option<Measurement>,
}

impl Design {
    /// Reads the design's table as a user's file would be read; `None` for a model without entry.
    pub fn experiment(&self) -> Option<Experiment> {
        let entry = mho_compact::model::entry(self.name)?;
        if let Some(model) = find(self.name) {
            return of_cells(model);
        }
        let mut experiment = self.of_readings(entry)?;
        if entry.info.name.starts_with("update") {
            // Weights are counted in the window of the readings: the truth is what a fit of the law's own ramp finds.
            experiment.scatter = PULSE_SCATTER;
            let fit = experiment.regression.fit().ok()?;
            experiment.truth = fit.values();
        }
        for (parameter, &value) in experiment.regression.parameters.iter_mut().zip(&experiment.truth) {
            parameter.start = value;
        }
        Some(experiment)
    }

    fn of_readings(&self, entry: &Entry) -> Option<Experiment> {
        let transistor = self.name == "transistor";
        let (kind, text) = if transistor {
            tables::sweeps(&entry.info.defaults())
        } else if self.devices == 1 {
            tables::ramps(entry.info)?
        } else {
            tables::table(self.name, self.devices)
        };
        let measurement = reader::read(&[("experiment.csv", text.as_bytes())], kind).ok()?;
        let mut regression = (entry.fitting?)(&measurement).ok()?;
        for name in NO_EFFECT.iter().filter(|_| transistor) {
            let value = entry.info.parameter(name)?.default;
            regression.fix(name, value, "it has no effect in these experiments".into());
        }
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
        Some(Experiment {
            regression,
            truth,
            shared,
            differ: self.differ,
            scatter: 1.0,
            cells: None,
            drawn: None,
        })
    }
}

/// Cells of a resistive memory, with the parameters that their statistics determine.
fn of_cells(model: &'static Model) -> Option<Experiment> {
    let (changes, what) = cells::plan(model);
    let mut values = model.info.defaults();
    for (name, value) in changes {
        values[model.info.parameters.iter().position(|info| info.name == *name)?] = *value;
    }
    let measurement = draw(model.info.name, model.cell(&values).as_ref(), &what).ok()?;
    let regression = regression(model, &measurement).ok()?;
    let place = |name: &str| model.info.parameters.iter().position(|info| info.name == name);
    let truth: Option<Vec<f64>> =
        regression.parameters.iter().map(|parameter| Some(values[place(&parameter.name)?])).collect();
    let (truth, shared) = (truth?, regression.parameters.len());
    Some(Experiment {
        regression,
        truth,
        shared,
        differ: 0.0,
        scatter: 1.0,
        cells: Some((model, values, what)),
        drawn: None,
    })
}

impl Experiment {
    /// Parameters that all devices share.
    pub fn shared(&self) -> usize {
        self.shared
    }

    /// The regression of the cells that were drawn, where it has the parameters of the first one.
    fn regress_cells(&mut self) {
        let (Some((model, ..)), Some(drawn)) = (&self.cells, &self.drawn) else { return };
        let names = |regression: &Regression<'_>| -> Vec<String> {
            regression.parameters.iter().map(|parameter| parameter.name.clone()).collect()
        };
        let made = regression(model, drawn).ok();
        if let Some(made) = made.filter(|made| names(made) == names(&self.regression)) {
            self.regression = made;
        }
    }

    /// New devices and readings.
    pub fn draw(&mut self, seed: u64, number: u64) {
        if let Some((model, values, what)) = &self.cells {
            let what = Draw { seed: (seed << 32) + number, ..what.clone() };
            self.drawn = draw(model.info.name, model.cell(values).as_ref(), &what).ok();
            self.regress_cells();
            return;
        }
        let scatter = self.scatter;
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
                    let wider = scatter * series.wider.get(row).copied().unwrap_or(1.0);
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

    /// Readings that a fit took out, cells where these are drawn.
    fn taken_out(&self, fit: &FitResult) -> usize {
        let reads = self.cells.as_ref().map_or(1, |(.., what)| what.times_s.len() * what.reads);
        fit.outliers.len() + self.regression.dropped / reads
    }

    /// Adds 20 standard deviations to a part of the readings, or of the cells where these are drawn, of either sign at
    /// random; gives their number.
    #[allow(dead_code)]
    pub fn spoil(&mut self, seed: u64, number: u64, part: f64) -> usize {
        let stream = Stream::new(seed, &["calibrate", "outliers"], &[number]);
        if let (Some((model, values, what)), Some(drawn)) = (&self.cells, &mut self.drawn) {
            let count = cells::spoil(drawn, model.cell(values).as_ref(), what, &stream, part);
            self.regress_cells();
            return count.unwrap_or(0);
        }
        let deviation = self.regression.deviation;
        let (mut index, mut count) = (0, 0);
        for series in self.regression.devices.iter_mut().flat_map(|device| &mut device.series) {
            for (row, reading) in series.y.iter_mut().enumerate() {
                index += 2;
                let wider = series.wider.get(row).copied().unwrap_or(1.0);
                let sign = if stream.uniform(index) < 0.5 { -20.0 } else { 20.0 };
                if stream.uniform(index + 1) < part {
                    count += 1;
                    *reading += sign
                        * wider
                        * match deviation {
                            Deviation::Absolute { sigma } => sigma,
                            Deviation::Log { relative, floor } => (relative * *reading).hypot(floor),
                        };
                }
            }
        }
        count
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
    /// Number of the first experiment.
    pub first: u64,
    /// Experiments.
    pub experiments: u64,
    /// Whether profiles are taken.
    pub profile: bool,
    /// Refits of a bootstrap; none for 0.
    pub replicates: usize,
    /// Seed.
    pub seed: u64,
    /// Seconds after which no experiment is begun.
    pub seconds: Option<f64>,
}

/// Devices from which a bootstrap over them gives quantiles.
const BOOTSTRAP_DEVICES: usize = 20;

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
    let started = std::time::Instant::now();
    for number in effort.first..effort.first + effort.experiments {
        if effort.seconds.is_some_and(|seconds| started.elapsed().as_secs_f64() > seconds) {
            break;
        }
        experiment.draw(effort.seed, number);
        let regression = &experiment.regression;
        let Ok(fit) = regression.fit() else { continue };
        let options =
            BootstrapOptions { replicates: effort.replicates, seed: number, ..BootstrapOptions::default() };
        let drawn = if effort.replicates > 0 && regression.devices.len() >= BOOTSTRAP_DEVICES {
            bootstrap(regression, &fit, &options).ok()
        } else {
            None
        };
        let profiles = if effort.profile { regression.profiles(&fit).ok() } else { None };
        for (index, (name, truth, coverage)) in found.iter_mut().enumerate() {
            let fitted = &fit.parameters[index];
            let profile = profiles.as_ref().and_then(|profiles| profiles.interval(index).ok());
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

/// What 5 % of wild readings do to an estimate.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code)]
pub struct Shift {
    /// How far it moved, in half-widths of its interval.
    pub part: f64,
    /// Whether its interval still holds the truth.
    pub held: bool,
    /// Wild readings, readings that the fit took out, and readings that the fit without wild ones took out.
    pub readings: [usize; 3],
}

/// Shifts of the shared parameters of a design, experiment after experiment.
#[allow(dead_code)]
pub fn shifts(design: &Design, seed: u64, experiments: u64) -> Option<Vec<Shift>> {
    let mut experiment = design.experiment()?;
    let mut found = Vec::new();
    for number in 0..experiments {
        experiment.draw(seed, number);
        let clean = experiment.regression.fit().ok()?;
        let taken_out_of_clean = experiment.taken_out(&clean);
        let wild = experiment.spoil(seed, number, 0.05);
        let spoilt = experiment.regression.fit().ok()?;
        let taken_out = experiment.taken_out(&spoilt);
        for index in 0..experiment.shared() {
            let parameter = &experiment.regression.parameters[index];
            let at = |value: f64| parameter.coordinate(value);
            let [low, high] = spoilt.parameters[index].interval95.map(at);
            let moved = (at(spoilt.parameters[index].value) - at(clean.parameters[index].value)).abs();
            let truth = at(experiment.truth[index]);
            found.push(Shift {
                part: moved / (0.5 * (high - low)),
                held: low <= truth && truth <= high,
                readings: [wild, taken_out, taken_out_of_clean],
            });
        }
    }
    Some(found)
}
