//! What accuracy and its loss are uncertain by.

use super::trials::{Along, Trials};
use crate::analysis::band::Band;
use mho_data::table::Table;

/// The parts of the uncertainty.
pub(super) const DRAW: &str = "device draw";
pub(super) const FITTED: &str = "fitted parameters";
pub(super) const CHOICE: &str = "choice of model";

/// Where every network has lost `loss`, and what that is uncertain by.
pub(super) fn loss_table(
    along: Along,
    draws: &[Trials],
    samples: &[Trials],
    choices: &[Trials],
    loss: f64,
) -> Table {
    let (mut networks, mut parts, mut variants) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers: [Vec<f64>; 4] = Default::default();
    let mut push = |network: &str, part: &str, variant: String, band: Band, reached: f64| {
        networks.push(network.to_owned());
        parts.push(part.to_owned());
        variants.push(variant);
        numbers.iter_mut().zip([band.lo, band.median, band.hi, reached]).for_each(|(list, v)| list.push(v));
    };
    let share =
        |values: &[f64]| values.iter().filter(|v| v.is_finite()).count() as f64 / values.len().max(1) as f64;
    for one in draws {
        let values = one.loss_of_trials(along, loss);
        // The middle is where the mean over trials crosses, as for the other parts.
        let middle = one.tables().first().map_or(f64::NAN, |table| one.mean_loss(table, along, loss));
        let band = Band { median: middle, ..Band::of(&values) };
        push(&one.network, DRAW, format!("{}, {} trials", one.network, values.len()), band, share(&values));
    }
    for one in samples {
        let values: Vec<f64> = one.tables().iter().map(|table| one.mean_loss(table, along, loss)).collect();
        let name = format!("{}, {} samples", one.network, values.len());
        push(&one.network, FITTED, name, Band::of(&values), share(&values));
    }
    for one in choices {
        for table in one.tables() {
            let value = one.mean_loss(&table, along, loss);
            push(&one.network, CHOICE, table, Band { lo: value, median: value, hi: value }, share(&[value]));
        }
    }
    let mut table =
        Table::new().with_text("network", networks).with_text("part", parts).with_text("variant", variants);
    for (name, list) in ["lo", "mid", "hi", "reached"].into_iter().zip(numbers) {
        table.push_float(name, list);
    }
    table
}

/// Accuracy along a quantity with its uncertainties apart: 10 to 90 % of trials on the best estimate; 10 to 90 %
/// of the means over samples of the parameters; all of the means over choices of the model.
pub(super) fn accuracy_parts(
    along: Along,
    draws: &[Trials],
    samples: &[Trials],
    choices: &[Trials],
) -> Table {
    let (mut networks, mut parts) = (Vec::new(), Vec::new());
    let mut numbers: [Vec<f64>; 5] = Default::default();
    let mut push = |network: &str, part: &str, row: [f64; 5]| {
        networks.push(network.to_owned());
        parts.push(part.to_owned());
        numbers.iter_mut().zip(row).for_each(|(list, value)| list.push(value));
    };
    for one in draws {
        for place in one.places(along) {
            let values = one.top1(|row| along.of(row) == place);
            let band = Band::of(&values);
            push(&one.network, DRAW, [place, band.lo, band.median, band.hi, values.len() as f64]);
        }
    }
    for (part, all) in [(FITTED, samples), (CHOICE, choices)] {
        for one in all {
            for place in one.places(along) {
                let means: Vec<f64> =
                    one.tables().iter().map(|table| one.mean(table, along, place)).collect();
                let band = Band::of(&means);
                let (lo, hi) = if part == CHOICE {
                    means.iter().fold((f64::INFINITY, 0.0_f64), |(lo, hi), m| (lo.min(*m), hi.max(*m)))
                } else {
                    (band.lo, band.hi)
                };
                push(&one.network, part, [place, lo, band.median, hi, means.len() as f64]);
            }
        }
    }
    let mut table = Table::new().with_text("network", networks).with_text("part", parts);
    for (name, list) in [along.column(), "lo", "mid", "hi", "of"].into_iter().zip(numbers) {
        table.push_float(name, list);
    }
    table
}
