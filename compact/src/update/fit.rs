//! From ramps to a fit of one law: the trajectory is walked pulse by pulse from a fitted start.

use super::form::{DeviceOf, Form, Slopes};
use super::law::{Cell, Law};
use super::number::Number;
use super::start::Start;
use super::trace::{Trace, Traces, Window};
use crate::dual::Dual;
use crate::fit::{
    Axis, Deviation, Device, FitOptions, FitResult, Fixed, LawSlopes, Parameter, Regression, Series,
    Transform,
};
use std::sync::Arc;

/// Starting states that are fitted at most; with more, all are read off the first readings of their ramps.
const MOST_STARTS: usize = 4;

/// Weights at which a trajectory may start.
const START_BOUND: f64 = 3.0;

/// Where the trajectories of a fit begin.
#[derive(Debug, Clone)]
enum Beginnings {
    /// Each is a parameter, after those of the law.
    Fitted,
    /// Weights, trajectory after trajectory.
    Read(Vec<f64>),
}

/// Pulses of the traces, with the start of a fit of `form`.
fn prepare(traces: &Traces, form: &Form, notes: &mut Vec<String>) -> (Walk, Settled) {
    let levels: Vec<f64> = beginnings(traces).map(|ramp| traces.window.weight(ramp.first_level())).collect();
    let from = if levels.len() <= MOST_STARTS {
        Beginnings::Fitted
    } else {
        notes.push(format!(
            "{} ramps start at the level of their first ten readings (not fitted)",
            levels.len()
        ));
        Beginnings::Read(levels.clone())
    };
    let walk = Walk { traces: traces.devices.clone(), window: traces.window, from };
    let settled = settle(form, traces, &walk, &levels, notes);
    (walk, settled)
}

/// All values of the law of a fit: those that the fit left out are where [`regression`] left them.
pub(super) fn values(traces: &Traces, form: &Form, fit: &FitResult) -> Vec<f64> {
    let (_, settled) = prepare(traces, form, &mut Vec::new());
    let infos = form.info.parameters.iter().zip(settled.values);
    infos.map(|(info, left)| fit.parameter(info.name).map_or(left, |found| found.value)).collect()
}

/// The regression of `form` on `traces`.
pub(super) fn regression(traces: &Traces, form: &Form) -> Regression<'static> {
    let mut notes = traces.notes.clone();
    let device_of = form.device;
    let (walk, settled) = prepare(traces, form, &mut notes);
    let Settled { values: fixed, levels, mut parameters, moving } = settled;
    let fitted = matches!(walk.from, Beginnings::Fitted);
    let count = parameters.len();
    let infos = form.info.parameters.iter().enumerate();
    let held = infos
        .filter(|(place, _)| !moving.contains(place))
        .map(|(place, info)| Fixed {
            name: info.name,
            value: fixed[place],
            why: "no reading depends on it".into(),
        })
        .collect();
    for (index, level) in levels.iter().enumerate().filter(|_| fitted) {
        let name = if levels.len() == 1 { "start".to_owned() } else { format!("start_{}", index + 1) };
        parameters.push(Parameter::new(name, "1", *level, -START_BOUND, START_BOUND, Transform::Linear));
    }
    let walk = Arc::new(walk);
    let slopes = slopes(Arc::clone(&walk), form.slopes, fixed.clone(), moving.clone());
    let law = move |values: &[f64], index: usize| {
        let (moved, starts) = values.split_at(count.min(values.len()));
        let mut full = fixed.clone();
        for (&place, &value) in moving.iter().zip(moved) {
            full[place] = value;
        }
        let (law, cell) = device_of(&full);
        walk.device(&law, &cell, walk.starts(starts), index)
    };
    Regression {
        model: form.info,
        parameters,
        devices: traces.devices.iter().map(series).collect(),
        law: Box::new(law),
        deviation: Deviation::Absolute { sigma: traces.window.unit() },
        x: Axis { title: "pulses", unit: "1", log: false },
        y: Axis { title: traces.quantity, unit: traces.unit, log: false },
        options: FitOptions { alike_demands_starts: false, reject_glitches: true, ..FitOptions::default() },
        slopes: Some(slopes),
        fixed: held,
        priors: Vec::new(),
        dropped: traces.dropped,
        notes,
    }
}

/// First ramps of all trajectories.
fn beginnings(traces: &Traces) -> impl Iterator<Item = &super::trace::Ramp> {
    traces.devices.iter().flat_map(|trace| {
        trace
            .ramps
            .iter()
            .enumerate()
            .filter(|(index, _)| *index == 0 || !trace.chained)
            .map(|(_, ramp)| ramp)
    })
}

/// Parts of the levels read off the first readings that starts are tried at: noise and steep first steps hide the
/// true one.
const LEVEL_PARTS: [f64; 2] = [1.0, 0.8];

/// Where a fit starts.
struct Settled {
    /// All values of the law.
    values: Vec<f64>,
    /// Weights at which the trajectories begin.
    levels: Vec<f64>,
    /// Parameters of the law that move.
    parameters: Vec<Parameter>,
    /// Their places among the values.
    moving: Vec<usize>,
}

/// Best start of the law's parameters; those that no reading depends on keep it and leave the fit.
fn settle(form: &Form, traces: &Traces, walk: &Walk, levels: &[f64], notes: &mut Vec<String>) -> Settled {
    let infos = form.info.parameters;
    let inside = |values: Vec<f64>| -> Vec<f64> {
        infos.iter().zip(values).map(|(info, value)| info.starting_at(value).start).collect()
    };
    let predictions = |values: &[f64], levels: &[f64]| -> Vec<f64> {
        let (law, cell) = (form.device)(values);
        let levels = walk.starts(levels);
        (0..traces.devices.len()).flat_map(|index| walk.device(&law, &cell, levels, index)).collect()
    };
    let readings: Vec<f64> = traces.ramps().flat_map(|ramp| ramp.readings.iter().copied()).collect();
    let cost = |values: &[f64], levels: &[f64]| -> f64 {
        let squares =
            predictions(values, levels).iter().zip(&readings).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        if squares.is_finite() { squares } else { f64::INFINITY }
    };
    let parts = if matches!(walk.from, Beginnings::Fitted) { &LEVEL_PARTS[..] } else { &LEVEL_PARTS[..1] };
    let scaled: Vec<Vec<f64>> =
        parts.iter().map(|part| levels.iter().map(|level| part * level).collect()).collect();
    let mut least = (f64::INFINITY, form.info.defaults(), levels.to_vec());
    for values in (form.starts)(&Start::new(traces)).into_iter().map(inside) {
        for levels in &scaled {
            let cost = cost(&values, levels);
            if cost < least.0 {
                least = (cost, values.clone(), levels.clone());
            }
        }
    }
    let (_, best, levels) = least;

    let here = predictions(&best, &levels);
    let mut moving = Vec::new();
    let mut parameters = Vec::new();
    let mut still = Vec::new();
    for (place, info) in infos.iter().enumerate() {
        let parameter = info.starting_at(best[place]);
        // A tenth of its scale either way.
        let felt = [-0.4, 0.4].iter().any(|shift| {
            let mut moved = best.clone();
            moved[place] = parameter.value(parameter.coordinate(best[place]) + shift);
            predictions(&moved, &levels) != here
        });
        if felt {
            moving.push(place);
            parameters.push(parameter);
        } else {
            still.push(format!("{} = {:.4}", info.name, best[place]));
        }
    }
    if !still.is_empty() {
        notes.push(format!("no reading depends on {}: not fitted", still.join(", ")));
    }
    Settled { values: best, levels, parameters, moving }
}

/// Pulses of all devices with the states that they begin at.
struct Walk {
    traces: Vec<Trace>,
    window: Window,
    from: Beginnings,
}

impl Walk {
    /// Weights at which all trajectories begin: these where they are fitted.
    fn starts<'a>(&'a self, fitted: &'a [f64]) -> &'a [f64] {
        match &self.from {
            Beginnings::Fitted => fitted,
            Beginnings::Read(levels) => levels,
        }
    }

    /// Number of the first trajectory of the device of this index.
    fn first(&self, index: usize) -> usize {
        let own = |trace: &Trace| if trace.chained { trace.ramps.len().min(1) } else { trace.ramps.len() };
        self.traces[..index].iter().map(own).sum()
    }

    /// Predicted readings of one device; `starts` are the weights at which all trajectories begin.
    fn device<R: Number>(&self, law: &Law<R>, cell: &Cell<R>, starts: &[R], index: usize) -> Vec<R> {
        let mut next = self.first(index);
        let trace = &self.traces[index];
        let mut readings = Vec::with_capacity(trace.ramps.iter().map(|ramp| ramp.readings.len()).sum());
        let mut states = Vec::new();
        let mut state = R::from(0.0);
        for (number, ramp) in trace.ramps.iter().enumerate() {
            states.clear();
            let last = ramp.pulses.last().copied().unwrap_or(0);
            if number == 0 || !trace.chained {
                state = starts.get(next).copied().unwrap_or(R::from(0.0));
                next += 1;
                states.push(state);
            } else {
                state = law.ramp(cell, state, ramp.direction, 1, &mut states);
            }
            state = law.ramp(cell, state, ramp.direction, last, &mut states);
            readings.extend(
                ramp.pulses
                    .iter()
                    .map(|&pulse| self.window.reading(states.get(pulse).copied().unwrap_or(state))),
            );
        }
        readings
    }
}

/// Derivatives of the predictions: one walk with dual numbers. The last direction is the starting state, of which
/// each ramp has only one.
fn slopes(walk: Arc<Walk>, slopes: Slopes, left: Vec<f64>, moving: Vec<usize>) -> LawSlopes<'static> {
    Box::new(move |values, _, index| match slopes {
        Slopes::Few(device) => walked(&walk, device, &left, &moving, values, index),
        Slopes::Many(device) => walked(&walk, device, &left, &moving, values, index),
    })
}

fn walked<const N: usize>(
    walk: &Walk,
    device: DeviceOf<Dual<N>>,
    left: &[f64],
    moving: &[usize],
    values: &[f64],
    index: usize,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (moved, starts) = values.split_at(moving.len().min(values.len()));
    let mut full: Vec<Dual<N>> = left.iter().map(|&value| value.into()).collect();
    for (direction, (&place, &value)) in moving.iter().zip(moved).enumerate() {
        full[place] = Dual::along(direction, value);
    }
    let (law, cell) = device(&full);
    let beginnings: Vec<Dual<N>> =
        walk.starts(starts).iter().map(|&weight| Dual::along(N - 1, weight)).collect();
    let found = walk.device(&law, &cell, &beginnings, index);
    let column = |direction: usize| found.iter().map(|reading| reading.slopes[direction]).collect();
    let mut columns: Vec<Vec<f64>> = (0..moved.len()).map(column).collect();
    let trace = &walk.traces[index];
    let own = walk.first(index);
    for start in 0..starts.len() {
        // Chained ramps begin with the first of them.
        let of = |ramp: usize| start == own + if trace.chained { 0 } else { ramp };
        let rows = trace.ramps.iter().enumerate().flat_map(|(ramp, own)| vec![of(ramp); own.readings.len()]);
        columns.push(
            rows.zip(&found).map(|(mine, reading)| if mine { reading.slopes[N - 1] } else { 0.0 }).collect(),
        );
    }
    (found.iter().map(|reading| reading.value).collect(), columns)
}

/// The curves of a device for a picture: pulses counted through.
fn series(trace: &Trace) -> Device {
    let mut before = 0;
    let curves = trace.ramps.iter().enumerate().map(|(number, ramp)| {
        if !trace.chained {
            before = 0;
        }
        let x = ramp.pulses.iter().map(|&pulse| (before + pulse) as f64).collect();
        before += ramp.pulses.last().copied().unwrap_or(0) + 1;
        let way = if ramp.direction == super::Direction::Up { "up" } else { "down" };
        Series {
            label: format!("ramp {} {way}", number + 1),
            x,
            y: ramp.readings.clone(),
            order: Vec::new(),
            wider: Vec::new(),
        }
    });
    Device { name: trace.name.clone(), series: curves.collect() }
}
