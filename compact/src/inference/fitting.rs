//! Fits of these laws to measured cells: many cells of each target, read once or more at one time or more.
//!
//! Spreads enter as logarithms with the standard errors and biases of chi-square, so that a fit is the maximum
//! likelihood of the sample variances; slopes with their standard errors of the mean. Readings of the
//! [`Regression`] are therefore in standard errors.

use super::catalogue::{MODELS, Model};
use super::gross::take_out;
use super::readings::cells;
use super::statistics::{Block, Shared, Statistic};
use super::{Cell, Distribution};
use crate::fit::{Axis, Deviation, Device, FitOptions, Fixed, Regression, Series};
use crate::model::{Entry, Simulated, Simulation};
use mho_data::InputError;
use mho_data::measurement::{Kind, Measurement};
use std::sync::Mutex;

/// Blocks of cells that a bootstrap draws, where devices are single cells; each has at least so many of a target.
const BLOCKS: usize = 8;
const BLOCK_CELLS: usize = 16;

macro_rules! entries {
    ($($index:literal)+) => {
        /// The laws as they are fitted to state currents.
        pub const ENTRIES: &[Entry] = &[ $( Entry {
            info: MODELS[$index].info,
            kinds: &[Kind::StateCurrent],
            fitting: Some(|measurement| regression(&MODELS[$index], measurement)),
            simulation: Simulation {
                axes: &["target_us", "time_s"],
                results: &["mean_us", "sigma_us"],
                further: Some(("read_v", "current_na")),
                law: |card| simulated(MODELS[$index].from_card(card)),
            },
            circuit: MODELS[$index].circuit,
        }, )+ ];
    };
}
entries!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14);

/// Mean and spread of the cells of a target after a time, and the current of a cell at the mean at a read voltage.
fn simulated(cell: Box<dyn Cell>) -> Simulated {
    Box::new(move |at| {
        let found = Distribution::new(cell.as_ref(), at[0], at[1]);
        let current = at[2..].iter().map(|&read_v| cell.current_na(found.mean_us(), read_v));
        [found.mean_us(), found.sigma_us()].into_iter().chain(current).collect()
    })
}

/// A law with the cells of a measurement. Parameters: those of the plan that the measurement says something about;
/// all others are held at their defaults.
///
/// # Errors
/// [`InputError`] for another kind of measurement, a missing column or read voltage, or too few cells.
pub fn regression(model: &Model, measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    let defaults = model.info.defaults();
    let mut found = cells(measurement, model.default_cell().as_ref())?;
    let plan = model.plan;
    let (gross, words) = take_out(&mut found.groups, &plan);
    found.dropped += gross;
    found.notes.extend(words);
    let t_0_s = model.info.parameter("t_0_s").map_or(1.0, |parameter| parameter.default);
    let mut notes = found.notes;

    // Blocks of the same number belong together: a chip, or an eighth of the cells of each target.
    let fewest = found.groups.iter().map(|group| group.drawn).min().unwrap_or(0);
    let count =
        if found.chips.is_empty() { (fewest / BLOCK_CELLS).clamp(1, BLOCKS) } else { found.chips.len() };
    let mut blocks: Vec<Vec<Block>> = (0..count).map(|_| Vec::new()).collect();
    let mut targets: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (target, group) in found.groups.iter().enumerate() {
        for (number, own) in blocks.iter_mut().enumerate() {
            let members: Vec<usize> = (0..group.cells.len())
                .filter(|&index| {
                    group.chips.get(index).copied().unwrap_or(group.places[index] % count) == number
                })
                .collect();
            if members.len() > 1 {
                own.push(Block::new(group, &members, &plan, t_0_s, model.default_cell().as_ref()));
                targets[number].push(target);
            }
        }
    }
    for group in &found.groups {
        let mut same: Vec<&mut Block> = blocks
            .iter_mut()
            .flatten()
            .filter(|block| block.target_us.total_cmp(&group.target_us).is_eq())
            .collect();
        Block::share_slope_errors(&mut same);
    }
    let all = || blocks.iter().flatten();
    let has = |wanted: fn(&Statistic) -> bool| all().any(|block| block.found.iter().any(|(s, ..)| wanted(s)));
    let mut names = plan.spread.to_vec();
    if has(|s| matches!(s, Statistic::Spread(time) if *time > 0)) {
        names.extend_from_slice(plan.late_spread);
    }
    if has(|s| *s == Statistic::SlopeMean) {
        names.extend_from_slice(plan.drift);
        let without: usize = all().filter(|block| block.lacks_slopes()).count();
        if without > 0 {
            notes.push(format!(
                "{without} blocks of cells without a drift: fewer than three times, or reads too noisy"
            ));
        }
    }
    if has(|s| matches!(s, Statistic::Noise(_))) {
        names.extend_from_slice(plan.read);
    }
    let [_, max_us] = model.default_cell().window_us();
    let beyond = found.groups.iter().filter(|group| group.target_us > 1.001 * max_us).count();
    if beyond > 0 {
        notes.push(format!(
            "{beyond} targets beyond g_max = {max_us} uS, which is held: set it to that of the cells"
        ));
    }
    let held: Vec<&str> =
        model.info.parameters.iter().map(|p| p.name).filter(|name| !names.contains(name)).collect();
    notes.push(format!("held at their defaults: {}", held.join(", ")));

    let indices: Vec<usize> = names
        .iter()
        .filter_map(|name| model.info.parameters.iter().position(|parameter| parameter.name == *name))
        .collect();
    let reading: Vec<usize> = plan
        .read
        .iter()
        .filter_map(|name| model.info.parameters.iter().position(|parameter| parameter.name == *name))
        .collect();
    // The published shape, scaled to the noise and then to the spread that these cells show.
    let mut starts = defaults.clone();
    for (own, statistic) in
        [(plan.read, NOISE), (plan.spread, FIRST_SPREAD), (plan.late_spread, FIRST_SPREAD)]
    {
        let of_read = of_read(&starts, &reading);
        let ratio = observed_ratio(model.cell(&starts).as_ref(), &of_read, &blocks, statistic);
        for (start, info) in starts.iter_mut().zip(model.info.parameters) {
            if own.contains(&info.name) && !UNSCALED.contains(&info.name) {
                *start = info.default * ratio;
            }
        }
    }
    let parameters =
        indices.iter().map(|&index| model.info.parameters[index].starting_at(starts[index])).collect();
    let curves: Vec<Vec<Curve>> = blocks.iter().map(|own| curves(own)).collect();
    let devices = curves
        .iter()
        .enumerate()
        .map(|(number, own)| Device {
            name: found
                .chips
                .get(number)
                .cloned()
                .unwrap_or_else(|| format!("cells {} of {count}", number + 1)),
            series: own.iter().map(|curve| curve.series(&blocks[number])).collect(),
        })
        .collect();
    let fixed = model
        .info
        .parameters
        .iter()
        .enumerate()
        .filter(|(place, _)| !indices.contains(place))
        .map(|(place, info)| Fixed {
            name: info.name,
            value: defaults[place],
            why: "the measurement holds nothing that depends on it".into(),
        })
        .collect();
    let model = *model;
    let count_of_targets = found.groups.len();
    let memory: Mutex<(Vec<f64>, Vec<Shared>)> = Mutex::default();
    let law = move |values: &[f64], device: usize| {
        let mut whole = defaults.clone();
        for (&index, value) in indices.iter().zip(values) {
            whole[index] = *value;
        }
        let cell = model.cell(&whole);
        let of_read = of_read(&whole, &reading);
        // Devices are asked one after another with the same values; threads with others share nothing with them.
        let mut own = (Vec::new(), Vec::new());
        let mut kept = memory.try_lock().ok();
        let (of, shared) = kept.as_deref_mut().unwrap_or(&mut own);
        if *of != whole {
            *shared = (0..count_of_targets).map(|_| Shared::default()).collect();
            *of = whole;
        }
        let all: Vec<Vec<f64>> = blocks[device]
            .iter()
            .zip(&targets[device])
            .map(|(block, &target)| block.predict(cell.as_ref(), &of_read, &mut shared[target]))
            .collect();
        let places = curves[device].iter().flat_map(|curve| &curve.places);
        places.map(|&(block, index)| all[block][index]).collect()
    };
    Ok(Regression {
        model: model.info,
        parameters,
        devices,
        law: Box::new(law),
        deviation: Deviation::Absolute { sigma: 1.0 },
        x: Axis { title: "target conductance", unit: "uS", log: false },
        y: Axis { title: "statistic of cells", unit: "1", log: false },
        // Bounds of polynomials are far away, and a step in free coordinates is a hundred times as long in their terms,
        // which all but cancel: closed forms allow short ones.
        options: FitOptions { scale_covariance: false, difference_step: 1e-8, ..FitOptions::default() },
        slopes: None,
        fixed,
        priors: Vec::new(),
        dropped: found.dropped,
        notes,
    })
}

/// One statistic of the targets of a block of cells.
struct Curve {
    label: String,
    /// Block and index of its statistic.
    places: Vec<(usize, usize)>,
}

fn curves(blocks: &[Block]) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        for (index, (statistic, ..)) in block.found.iter().enumerate() {
            let label = block.label(*statistic);
            match curves.iter_mut().find(|curve| curve.label == label) {
                Some(curve) => curve.places.push((number, index)),
                None => curves.push(Curve { label, places: vec![(number, index)] }),
            }
        }
    }
    curves
}

impl Curve {
    fn series(&self, blocks: &[Block]) -> Series {
        let found = |&(block, index): &(usize, usize)| blocks[block].found[index].1;
        let error = |&(block, index): &(usize, usize)| blocks[block].found[index].2;
        Series {
            label: self.label.clone(),
            x: self.places.iter().map(|&(block, _)| blocks[block].target_us).collect(),
            y: self.places.iter().map(found).collect(),
            // Slopes need all times, and a spread says nothing about that of another time.
            order: Vec::new(),
            wider: self.places.iter().map(error).collect(),
        }
    }
}

/// Parameters that spread or noise is not proportional to.
const UNSCALED: [&str; 2] = ["ions", "read_power"];

const NOISE: fn(Statistic) -> bool = |statistic| matches!(statistic, Statistic::Noise(_));
const FIRST_SPREAD: fn(Statistic) -> bool = |statistic| statistic == Statistic::Spread(0);

/// The values of parameters of read noise.
fn of_read(values: &[f64], reading: &[usize]) -> Vec<f64> {
    reading.iter().map(|&place| values[place]).collect()
}

/// How much larger spreads or noises are than a law says: the geometric mean over targets, 1 where there are none.
fn observed_ratio(
    cell: &dyn Cell,
    of_read: &[f64],
    blocks: &[Vec<Block>],
    wanted: fn(Statistic) -> bool,
) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for block in blocks.iter().flatten() {
        for ((statistic, value, _), law) in
            block.found.iter().zip(block.predict(cell, of_read, &mut Shared::default()))
        {
            if wanted(*statistic) && (value - law).is_finite() {
                sum += value - law;
                count += 1.0;
            }
        }
    }
    // A part in a hundred to a hundredfold: beyond, units are likely wrong and the bounds decide.
    if count > 0.0 { (sum / count).clamp(-4.6, 4.6).exp() } else { 1.0 }
}
