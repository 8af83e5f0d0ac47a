//! Fits of these laws to measured cells: many cells of each target, read once or more at one time or more.
//!
//! Spreads enter as logarithms with the standard errors and biases of chi-square, so that a fit is the maximum
//! likelihood of the sample variances; slopes with their standard errors of the mean. Readings of the
//! [`Regression`] are therefore in standard errors.

use super::catalogue::{MODELS, Model};
use super::readings::cells;
use super::statistics::{Block, Statistic};
use crate::fit::{Axis, Deviation, Device, FitOptions, Fixed, Regression, Series};
use crate::model::Entry;
use mho_data::InputError;
use mho_data::measurement::{Kind, Measurement};

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
        }, )+ ];
    };
}
entries!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14);

/// A law with the cells of a measurement. Parameters: those of the plan that the measurement says something about;
/// all others are held at their defaults.
///
/// # Errors
/// [`InputError`] for another kind of measurement, a missing column or read voltage, or too few cells.
pub fn regression(model: &Model, measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    let defaults = model.info.defaults();
    let found = cells(measurement, model.default_cell().as_ref())?;
    let plan = model.plan;
    let t_0_s = model.info.parameter("t_0_s").map_or(1.0, |parameter| parameter.default);
    let mut notes = found.notes;

    // Blocks of the same number belong together: a chip, or an eighth of the cells of each target.
    let fewest = found.groups.iter().map(|group| group.cells.len()).min().unwrap_or(0);
    let count =
        if found.chips.is_empty() { (fewest / BLOCK_CELLS).clamp(1, BLOCKS) } else { found.chips.len() };
    let mut blocks: Vec<Vec<Block>> = (0..count).map(|_| Vec::new()).collect();
    for group in &found.groups {
        for (number, own) in blocks.iter_mut().enumerate() {
            let members: Vec<usize> = (0..group.cells.len())
                .filter(|&index| group.chips.get(index).copied().unwrap_or(index % count) == number)
                .collect();
            if members.len() > 1 {
                own.push(Block::new(group, &members, &plan, t_0_s));
            }
        }
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
    let scale = spread_ratio(model, &blocks);
    let parameters = indices
        .iter()
        .map(|&index| {
            let info = &model.info.parameters[index];
            let spread = plan.spread.contains(&info.name) || plan.late_spread.contains(&info.name);
            info.starting_at(if spread && info.name != "ions" { info.default * scale } else { info.default })
        })
        .collect();
    let devices = blocks
        .iter()
        .enumerate()
        .map(|(number, own)| Device {
            name: found
                .chips
                .get(number)
                .cloned()
                .unwrap_or_else(|| format!("cells {} of {count}", number + 1)),
            series: own.iter().map(series).collect(),
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
    let law = move |values: &[f64], device: usize| {
        let mut whole = defaults.clone();
        for (&index, value) in indices.iter().zip(values) {
            whole[index] = *value;
        }
        let cell = model.cell(&whole);
        let mut predictions = Vec::new();
        for block in &blocks[device] {
            predictions.extend(block.predict(cell.as_ref()));
        }
        predictions
    };
    Ok(Regression {
        model: model.info,
        parameters,
        devices,
        law: Box::new(law),
        deviation: Deviation::Absolute { sigma: 1.0 },
        x: Axis { title: "time of the statistic", unit: "s", log: false },
        y: Axis { title: "statistic of cells", unit: "1", log: false },
        options: FitOptions { scale_covariance: false, ..FitOptions::default() },
        slopes: None,
        fixed,
        priors: Vec::new(),
        dropped: found.dropped,
        notes,
    })
}

fn series(block: &Block) -> Series {
    let times: Vec<f64> = block.found.iter().map(|(statistic, ..)| block.time_s(*statistic)).collect();
    Series {
        label: format!("target {:.4} uS", block.target_us),
        x: times.clone(),
        y: block.found.iter().map(|(_, value, _)| *value).collect(),
        order: times,
        wider: block.found.iter().map(|(.., error)| *error).collect(),
    }
}

/// How much wider cells spread at first than the published law says: the geometric mean over targets.
fn spread_ratio(model: &Model, blocks: &[Vec<Block>]) -> f64 {
    let cell = model.default_cell();
    let (mut sum, mut count) = (0.0, 0.0);
    for block in blocks.iter().flatten() {
        for ((statistic, value, _), law) in block.found.iter().zip(block.predict(cell.as_ref())) {
            if *statistic == Statistic::Spread(0) {
                sum += value - law;
                count += 1.0;
            }
        }
    }
    // A part in a hundred to a hundredfold: beyond, units are likely wrong and the bounds decide.
    if count > 0.0 { (sum / count).clamp(-4.6, 4.6).exp() } else { 1.0 }
}
