//! Update tables of measured ramps, without a model: conductances read after each of many equal pulses.
//!
//! The step between two reads belongs to the conductance in their middle. Steps are gathered in even bins of
//! conductance; in a bin of n steps the k-th smallest has the probability (k + 1/2)/n, and beyond the
//! outermost the quantiles stay as they are.

use super::compile::largest;
use super::{Direction, Steps, UpdateCertificate, UpdateTable};
use crate::certificate::Against;
use crate::compile::check_tolerance;
use crate::table::TableError;
use mho_data::provenance::Origin;

/// How ramps become a table.
#[derive(Debug, Clone, PartialEq)]
pub struct PulseOptions {
    /// Name of the device.
    pub name: String,
    /// Where the ramps come from.
    pub origin: Origin,
    /// Unit of the conductances.
    pub unit: String,
    /// Bins of conductance from the smallest to the largest that occurs.
    pub bins: usize,
    /// Probabilities, even from 0 to 1.
    pub probabilities: usize,
    /// Fewest steps in a bin.
    pub least_steps: usize,
    /// Largest error of a bin that is left out, as a fraction of the largest step.
    pub tolerance_fraction: f64,
}

impl Default for PulseOptions {
    /// 50 bins, as CrossSim takes; a quantile of 20 steps is known to a ninth of the probability.
    fn default() -> Self {
        Self {
            name: "measured".into(),
            origin: Origin::Measured,
            unit: "S".into(),
            bins: 50,
            probabilities: 101,
            least_steps: 20,
            tolerance_fraction: 0.1,
        }
    }
}

/// Bins, probabilities and steps in a bin may be this many: no measurement has more.
const MOST: usize = 10_000;

impl UpdateTable {
    /// A table of ramps up and ramps down, each a series of conductances with one pulse between two reads.
    /// Thin bins at the ends are left away, which the notes say; the certificate is what the neighbours of
    /// a bin say when it is left out.
    ///
    /// # Errors
    /// When a number or an option makes no sense, or a bin between others has too few steps.
    pub fn from_ramps(
        up: &[Vec<f64>],
        down: &[Vec<f64>],
        options: &PulseOptions,
    ) -> Result<Self, TableError> {
        check_tolerance(options.tolerance_fraction)?;
        for (name, value, least) in [
            ("bins", options.bins, 3),
            ("probabilities", options.probabilities, 2),
            ("least_steps", options.least_steps, 2),
        ] {
            if !(least..=MOST).contains(&value) {
                let expected = format!("{name} = {value}, expected {least} to {MOST}");
                return Err(TableError::Asked(expected));
            }
        }
        let mut notes = Vec::new();
        let up = steps(up, Direction::Up, options, &mut notes)?;
        let down = steps(down, Direction::Down, options, &mut notes)?;
        let mut table = Self::new(&options.name, options.origin, &options.unit, up, down)?;
        table.certificate = Some(certificate(&table, options.tolerance_fraction));
        table.notes = notes;
        Ok(table)
    }
}

fn steps(
    ramps: &[Vec<f64>],
    direction: Direction,
    options: &PulseOptions,
    notes: &mut Vec<String>,
) -> Result<Steps, TableError> {
    let way = if direction == Direction::Up { "up" } else { "down" };
    let wrong = |what: String| TableError::Update(format!("ramps {way}: {what}"));
    let mut pairs = Vec::new();
    for (ramp, reads) in (1..).zip(ramps) {
        if let Some(bad) = reads.iter().find(|read| !read.is_finite()) {
            return Err(wrong(format!("ramp {ramp} reads {bad}")));
        }
        pairs.extend(reads.windows(2).map(|pair| (0.5 * (pair[0] + pair[1]), pair[1] - pair[0])));
    }
    let sum: f64 = pairs.iter().map(|pair| pair.1).sum();
    let right = if direction == Direction::Up { sum > 0.0 } else { sum < 0.0 };
    if !(pairs.is_empty() || right) {
        return Err(wrong(format!("{} steps that sum up to {sum:e} {}", pairs.len(), options.unit)));
    }
    let ends = pairs
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (g, _)| (low.min(*g), high.max(*g)));
    let width = (ends.1 - ends.0) / options.bins as f64;
    if !(width > 0.0 && width.is_finite()) {
        return Err(wrong(format!("{} steps over no range of conductance", pairs.len())));
    }
    let mut bins: Vec<Vec<f64>> = vec![Vec::new(); options.bins];
    for (g, step) in &pairs {
        bins[(((g - ends.0) / width) as usize).min(options.bins - 1)].push(*step);
    }
    let full = |bin: &Vec<f64>| bin.len() >= options.least_steps;
    let (Some(first), Some(last)) = (bins.iter().position(full), bins.iter().rposition(full)) else {
        return Err(wrong(format!("no bin with {} steps", options.least_steps)));
    };
    let centre = |bin: usize| ends.0 + (bin as f64 + 0.5) * width;
    if let Some(thin) = (first..=last).find(|&bin| !full(&bins[bin])) {
        return Err(wrong(format!(
            "{} steps about {:e} {}, expected at least {}",
            bins[thin].len(),
            centre(thin),
            options.unit,
            options.least_steps
        )));
    }
    let away: usize = bins[..first].iter().chain(&bins[last + 1..]).map(Vec::len).sum();
    notes.push(format!(
        "{way}: {} steps of {} ramps in {} bins, {} at least in each; {away} at the ends left away",
        pairs.len(),
        ramps.len(),
        last + 1 - first,
        bins[first..=last].iter().map(Vec::len).min().unwrap_or(0)
    ));
    let columns: Vec<Vec<f64>> = bins[first..=last]
        .iter_mut()
        .map(|bin| {
            bin.sort_by(f64::total_cmp);
            let count = bin.len() as f64;
            (0..options.probabilities)
                .map(|k| {
                    let rank = k as f64 / (options.probabilities - 1) as f64 * count - 0.5;
                    let rank = rank.clamp(0.0, count - 1.0);
                    let below = (rank as usize).min(bin.len() - 2);
                    bin[below] + (bin[below + 1] - bin[below]) * (rank - below as f64)
                })
                .collect()
        })
        .collect();
    let probability: Vec<f64> =
        (0..options.probabilities).map(|k| k as f64 / (options.probabilities - 1) as f64).collect();
    let step = (0..probability.len()).flat_map(|p| columns.iter().map(move |column| column[p])).collect();
    Steps::new((first..=last).map(centre).collect(), probability, step).map_err(wrong)
}

/// What the neighbours of an inner bin say about it, at every probability.
fn certificate(table: &UpdateTable, tolerance_fraction: f64) -> UpdateCertificate {
    let mut certificate = UpdateCertificate {
        max_error_fraction: 0.0,
        direction: Direction::Up,
        conductance: table.range().0,
        probability: 0.0,
        checked_points: 0,
        tolerance_fraction,
        against: Against::LeftOut,
    };
    for direction in [Direction::Up, Direction::Down] {
        let steps = table.steps(direction);
        let scale = largest(steps).max(f64::MIN_POSITIVE);
        let width = steps.conductance().len();
        for (p, row) in steps.step().chunks(width).enumerate() {
            for (k, three) in row.windows(3).enumerate() {
                // Bins are even: the middle of the neighbours is what is between them.
                let error = (0.5 * (three[0] + three[2]) - three[1]).abs() / scale;
                certificate.checked_points += 1;
                if error > certificate.max_error_fraction {
                    certificate.max_error_fraction = error;
                    certificate.direction = direction;
                    certificate.conductance = steps.conductance()[k + 1];
                    certificate.probability = steps.probability()[p];
                }
            }
        }
    }
    if certificate.checked_points == 0 {
        certificate.max_error_fraction = 1.0;
    }
    certificate
}
