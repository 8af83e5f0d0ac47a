//! Changes of conductance that were asked for, as the steps of a device allow them.
//!
//! A change of r times the average step is r pulses of which only the sum is known: its mean is r times
//! the mean step at the conductance, and its random part grows with the square root of r (the rule of
//! CrossSim, crosssim.md 2.8): with mu the mean step at the conductance, m its average over the used range and
//! e a drawn step less mu, `dG = r mu + sqrt(r) e`, `r = asked / m`.

use super::{Direction, Steps, UpdateTable};
use crate::outside::{Clamped, OutOfRange, Range, Sides};
use crate::table::TableError;
use mho_data::random::Stream;
use serde::Serialize;

/// How changes are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpdateRule {
    /// The part of the table's range that cells use, as fractions of it; a cell is stopped at its ends.
    pub used: (f64, f64),
    /// Whether the mean step follows the conductance; otherwise the asked change is made in the mean, and
    /// the random part is that of asked/mu steps.
    pub nonlinear: bool,
    /// Whether steps are drawn; otherwise they are the mean.
    pub random: bool,
}

impl Default for UpdateRule {
    /// 10 to 90 % of the table, with everything that it knows.
    fn default() -> Self {
        Self { used: (0.1, 0.9), nonlinear: true, random: true }
    }
}

/// What happened to cells on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UpdateCounts {
    /// Cells that were asked to change.
    pub changed: usize,
    /// Cells that were stopped at an end of the used range.
    pub stopped: Sides,
    /// Cells that stood outside of the used range before, and were moved to its end.
    pub outside: Sides,
}

/// A rule with the numbers of one direction.
struct Pushed<'a> {
    steps: &'a Steps,
    average: f64,
}

impl Pushed<'_> {
    fn change(&self, conductance: f64, asked: f64, uniform: Option<f64>, nonlinear: bool) -> f64 {
        let mean = self.steps.mean(conductance);
        let random = uniform.map_or(0.0, |u| self.steps.quantile(conductance, u) - mean);
        if nonlinear {
            let part = asked / self.average;
            return part * mean + part.sqrt() * random;
        }
        // Where the mean step points the other way there is no number of steps; the average stands in.
        let part = if asked / mean > 0.0 { asked / mean } else { asked / self.average };
        asked + part.sqrt() * random
    }
}

impl UpdateTable {
    fn pushed(&self, direction: Direction, used: &Range) -> Result<Pushed<'_>, TableError> {
        let steps = self.steps(direction);
        let (low, high) = used.ends();
        let average = steps.average(low, high);
        let right = match direction {
            Direction::Up => average > 0.0,
            Direction::Down => average < 0.0,
        };
        if right {
            return Ok(Pushed { steps, average });
        }
        let way = if direction == Direction::Up { "up" } else { "down" };
        Err(TableError::Update(format!(
            "steps {way} that average {average:e} {} over the used range",
            self.unit
        )))
    }

    fn used(&self, rule: &UpdateRule) -> Result<Range, TableError> {
        let (a, b) = rule.used;
        if !(a >= 0.0 && a < b && b <= 1.0) {
            return Err(TableError::Update(format!("a used range from {a} to {b} of the table's")));
        }
        let (low, high) = self.range();
        Ok(Range::new("conductance", (low + a * (high - low), low + b * (high - low))))
    }

    /// The part of the range that a rule lets cells use.
    ///
    /// # Errors
    /// For fractions that are no range.
    pub fn used_range(&self, rule: &UpdateRule) -> Result<(f64, f64), TableError> {
        Ok(self.used(rule)?.ends())
    }

    /// Changes the conductance of cells by what is asked of each, as far as the device goes. Cell
    /// `first + k` draws number `first + k` of `stream`, however cells are batched.
    ///
    /// # Errors
    /// When the table does not move cells the way that is asked, a number is none, lengths differ, or, with
    /// [`OutOfRange::Error`], a cell stands outside of the used range. Cells before that one are changed.
    pub fn apply(
        &self,
        conductance: &mut [f64],
        asked: &[f64],
        rule: &UpdateRule,
        stream: &Stream,
        first: u64,
        policy: OutOfRange,
    ) -> Result<UpdateCounts, TableError> {
        if conductance.len() != asked.len() {
            return Err(TableError::Lengths { given: asked.len(), out: conductance.len() });
        }
        let used = self.used(rule)?;
        let (low, high) = used.ends();
        let (up, down) = (self.pushed(Direction::Up, &used)?, self.pushed(Direction::Down, &used)?);
        let (mut counts, mut moved) = (UpdateCounts::default(), Clamped::default());
        for ((number, cell), &asked) in (first..).zip(conductance).zip(asked) {
            if !asked.is_finite() {
                return Err(TableError::Update(format!("a change of {asked} {}", self.unit)));
            }
            let before = used.moved(*cell, policy, &mut moved.state)?;
            let mut after = before;
            if asked != 0.0 {
                counts.changed += 1;
                let pushed = if asked > 0.0 { &up } else { &down };
                let uniform = rule.random.then(|| stream.uniform(number));
                after += pushed.change(before, asked, uniform, rule.nonlinear);
            }
            counts.stopped.below += usize::from(after < low);
            counts.stopped.above += usize::from(after > high);
            *cell = after.clamp(low, high);
        }
        counts.outside = moved.state;
        Ok(counts)
    }
}
