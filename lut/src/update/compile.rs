//! Compiling an update table: nodes are added where interpolation is worst until it is good enough.

use super::{Direction, Steps, UpdateTable};
use crate::axis::Axis;
use crate::certificate::Against;
use crate::compile::check_tolerance;
use crate::table::TableError;
use mho_data::provenance::Origin;
use mho_data::random::Stream;
use serde::{Deserialize, Serialize};

/// Rounds of refinement after which the certificate says what was reached.
const ROUNDS: usize = 9;
/// Rounds of checks at random points.
const CHECK_ROUNDS: usize = 5;
/// Nodes that an axis may have.
const MOST_NODES: usize = 1025;
/// Random points that are checked in the end, in each direction.
const CHECKS: u64 = 2000;

/// What an update table is compiled from.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateInfo {
    /// Name of the device.
    pub name: String,
    /// Where its numbers come from.
    pub origin: Origin,
    /// Unit of conductances and steps.
    pub unit: String,
    /// Smallest and largest conductance.
    pub range: (f64, f64),
    /// Smallest and largest probability for which there are quantiles; beyond them steps stay as they are.
    pub probability: (f64, f64),
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Anything whose conductance moves in steps.
pub trait UpdateSource: Sync {
    /// What it is.
    fn describe(&self) -> UpdateInfo;

    /// Quantile of the step at a conductance, of this probability.
    ///
    /// # Errors
    /// In words, when the source has no answer there.
    fn step(&self, direction: Direction, conductance: f64, probability: f64) -> Result<f64, String>;
}

/// How an update table is compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateOptions {
    /// Largest interpolation error that is wanted, as a fraction of the largest step.
    pub tolerance_fraction: f64,
}

impl Default for UpdateOptions {
    /// A hundredth of the largest step.
    fn default() -> Self {
        Self { tolerance_fraction: 0.01 }
    }
}

/// The largest interpolation error that was found when an update table was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateCertificate {
    /// Largest error, as a fraction of the largest step.
    pub max_error_fraction: f64,
    /// Direction of the worst point.
    pub direction: Direction,
    /// Its conductance.
    pub conductance: f64,
    /// Its probability.
    pub probability: f64,
    /// How many points between the nodes were checked.
    pub checked_points: usize,
    /// The error that was asked for.
    pub tolerance_fraction: f64,
    /// What it was checked against.
    #[serde(default)]
    pub against: Against,
}

impl UpdateCertificate {
    /// Whether the asked tolerance was met.
    pub fn met(&self) -> bool {
        self.max_error_fraction <= self.tolerance_fraction
    }
}

/// Compiles an update table.
///
/// # Errors
/// When the source has no answer, or its quantiles fall with the probability.
pub fn compile_updates(
    source: &dyn UpdateSource,
    options: &UpdateOptions,
) -> Result<UpdateTable, TableError> {
    check_tolerance(options.tolerance_fraction)?;
    let info = source.describe();
    let wrong = |what: String| TableError::Update(format!("{}: {what}", info.name));
    let ((low, high), (first, last)) = (info.range, info.probability);
    if !(low < high && low.is_finite() && high.is_finite()) {
        return Err(wrong(format!("conductances from {low} to {high}")));
    }
    if !(first >= 0.0 && first < last && last <= 1.0) {
        return Err(wrong(format!("probabilities from {first} to {last}")));
    }
    let mut certificate = UpdateCertificate {
        max_error_fraction: 0.0,
        direction: Direction::Up,
        conductance: low,
        probability: first,
        checked_points: 0,
        tolerance_fraction: options.tolerance_fraction,
        against: Against::Source,
    };
    let mut one = |direction| {
        let compiler = Compiler { source, direction, tolerance: options.tolerance_fraction };
        compiler.compile(&info, &mut certificate)
    };
    let (up, down) = (one(Direction::Up)?, one(Direction::Down)?);
    let mut table = UpdateTable::new(info.name, info.origin, info.unit, up, down)?;
    table.notes = info.notes;
    table.certificate = Some(certificate);
    Ok(table)
}

struct Compiler<'a> {
    source: &'a dyn UpdateSource,
    direction: Direction,
    tolerance: f64,
}

impl Compiler<'_> {
    fn step(&self, g: f64, p: f64) -> Result<f64, TableError> {
        let wrong =
            |reason: String| TableError::Update(format!("no step at {g} with probability {p}: {reason}"));
        let step = self.source.step(self.direction, g, p).map_err(wrong)?;
        if step.is_finite() { Ok(step) } else { Err(wrong(format!("{step}"))) }
    }

    fn fill(&self, conductance: &Axis, probability: &Axis) -> Result<Steps, TableError> {
        let mut step = Vec::with_capacity(conductance.len() * probability.len());
        for &p in probability.nodes() {
            for &g in conductance.nodes() {
                step.push(self.step(g, p)?);
            }
        }
        let steps = Steps::new(conductance.nodes().to_vec(), probability.nodes().to_vec(), step)
            .map_err(TableError::Update)?;
        match steps.falls() {
            0 => Ok(steps),
            falls => {
                Err(TableError::Update(format!("quantiles that fall with the probability ({falls} times)")))
            }
        }
    }

    fn compile(&self, info: &UpdateInfo, certificate: &mut UpdateCertificate) -> Result<Steps, TableError> {
        let even = |(low, high): (f64, f64), count: u32| {
            let nodes = (0..=count).map(|i| low + (high - low) * f64::from(i) / f64::from(count));
            Axis::new(nodes.collect(), None)
        };
        let (mut conductance, mut probability) = (even(info.range, 8), even(info.probability, 8));
        let mut steps = self.fill(&conductance, &probability)?;
        for _ in 0..ROUNDS {
            let largest = largest(&steps);
            let error = |g: f64, p: f64| -> Result<bool, TableError> {
                Ok((steps.quantile(g, p) - self.step(g, p)?).abs() > 0.5 * self.tolerance * largest)
            };
            let middles = |axis: &Axis| -> Vec<f64> { (1..axis.len()).map(|i| axis.middle(i - 1)).collect() };
            let (mut more_g, mut more_p) = (Vec::new(), Vec::new());
            for g in middles(&conductance) {
                for &p in probability.nodes() {
                    if error(g, p)? {
                        more_g.push(g);
                        break;
                    }
                }
            }
            for p in middles(&probability) {
                for &g in conductance.nodes() {
                    if error(g, p)? {
                        more_p.push(p);
                        break;
                    }
                }
            }
            let full = conductance.len().max(probability.len()) >= MOST_NODES;
            if (more_g.is_empty() && more_p.is_empty()) || full {
                break;
            }
            (conductance, probability) = (conductance.with(&more_g), probability.with(&more_p));
            steps = self.fill(&conductance, &probability)?;
        }
        let way = if self.direction == Direction::Up { "up" } else { "down" };
        let stream = Stream::new(0, &["lut", "update", "certificate", way], &[]);
        // Uniform over intervals, so that narrow ones are checked as often as wide ones.
        let draw = |number: u64, axis: &Axis| {
            let place = stream.uniform(number) * (axis.len() - 1) as f64;
            let i = (place as usize).min(axis.len() - 2);
            let (a, b) = (axis.nodes()[i], axis.nodes()[i + 1]);
            a + (b - a) * (place - i as f64)
        };
        // Off the lines between nodes a bound may cut a corner: the axes grow there.
        for round in 1.. {
            let largest = largest(&steps).max(f64::MIN_POSITIVE);
            let (mut worst, mut more_g, mut more_p) =
                ((0.0, info.range.0, info.probability.0), vec![], vec![]);
            for n in 0..CHECKS {
                let (g, p) = (draw(2 * n, &conductance), draw(2 * n + 1, &probability));
                let error = (steps.quantile(g, p) - self.step(g, p)?).abs() / largest;
                if error > worst.0 {
                    worst = (error, g, p);
                }
                if error > self.tolerance {
                    more_g.push(conductance.middle(conductance.place(g).i.min(conductance.len() - 2)));
                    more_p.push(probability.middle(probability.place(p).i.min(probability.len() - 2)));
                }
            }
            let full = conductance.len().max(probability.len()) >= MOST_NODES;
            if more_g.is_empty() || full || round == CHECK_ROUNDS {
                if worst.0 > certificate.max_error_fraction {
                    (certificate.max_error_fraction, certificate.direction) = (worst.0, self.direction);
                    (certificate.conductance, certificate.probability) = (worst.1, worst.2);
                }
                break;
            }
            (conductance, probability) = (conductance.with(&more_g), probability.with(&more_p));
            steps = self.fill(&conductance, &probability)?;
        }
        certificate.checked_points += CHECKS as usize;
        Ok(steps)
    }
}

pub(super) fn largest(steps: &Steps) -> f64 {
    steps.step().iter().fold(0.0, |largest, step| step.abs().max(largest))
}
