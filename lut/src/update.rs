//! Update tables: what one programming pulse does to the conductance of a cell, as quantiles of the step at
//! every conductance, up and down.

mod apply;
mod compile;
mod file;
mod pulses;
mod text;

pub use apply::{UpdateCounts, UpdateRule};
pub use compile::{UpdateCertificate, UpdateInfo, UpdateOptions, UpdateSource, compile_updates};
pub use pulses::PulseOptions;

use crate::axis::Axis;
use crate::table::TableError;
use mho_data::InputError;
use mho_data::provenance::Origin;
use serde::{Deserialize, Serialize};

/// Which way a pulse pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Towards larger conductance.
    Up,
    /// Towards smaller conductance.
    Down,
}

/// Quantiles of the step of the conductance over (probability, conductance), for one direction; linear
/// between nodes in both, constant beyond the outermost probabilities. Conductance and step have the unit
/// of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    conductance: Axis,
    probability: Axis,
    /// `[probability, conductance]`.
    step: Vec<f64>,
    /// Mean step at every conductance.
    mean: Vec<f64>,
}

impl Steps {
    /// Steps `[probability, conductance]` at ascending conductances and probabilities.
    ///
    /// # Errors
    /// In words, when the numbers do not fit together.
    pub fn new(conductance: Vec<f64>, probability: Vec<f64>, step: Vec<f64>) -> Result<Self, String> {
        let ascends = |values: &[f64]| {
            values.iter().all(|value| value.is_finite()) && values.windows(2).all(|pair| pair[0] < pair[1])
        };
        if conductance.len() < 2 || !ascends(&conductance) {
            return Err("conductances that do not ascend".into());
        }
        let inside = probability.iter().all(|p| (0.0..=1.0).contains(p));
        if probability.len() < 2 || !ascends(&probability) || !inside {
            return Err("probabilities that do not ascend from 0 to 1".into());
        }
        let (g, p) = (conductance.len(), probability.len());
        if step.len() != g * p {
            return Err(format!("{} steps for {g} conductances and {p} probabilities", step.len()));
        }
        if let Some(bad) = step.iter().find(|step| !step.is_finite()) {
            return Err(format!("a step of {bad}"));
        }
        // The mean of what is drawn: linear between probabilities, constant beyond the outermost.
        let ends = [probability[0], 1.0 - probability[p - 1]];
        let mean = (0..g)
            .map(|k| {
                let at = |row: usize| step[row * g + k];
                let between: f64 = (1..p)
                    .map(|row| (probability[row] - probability[row - 1]) * 0.5 * (at(row) + at(row - 1)))
                    .sum();
                ends[0] * at(0) + between + ends[1] * at(p - 1)
            })
            .collect();
        Ok(Self {
            conductance: Axis::new(conductance, None),
            probability: Axis::new(probability, None),
            step,
            mean,
        })
    }

    /// Conductances of the nodes.
    pub fn conductance(&self) -> &[f64] {
        self.conductance.nodes()
    }

    /// Probabilities of the nodes.
    pub fn probability(&self) -> &[f64] {
        self.probability.nodes()
    }

    /// Steps, `[probability, conductance]`.
    pub fn step(&self) -> &[f64] {
        &self.step
    }

    /// How often the step falls from one probability to the next, which quantiles never do: tables that
    /// were interpolated from scattered points have such places. They are drawn as they are.
    pub fn falls(&self) -> usize {
        let width = self.conductance.len();
        self.step.iter().zip(&self.step[width..]).filter(|(a, b)| b < a).count()
    }

    /// Quantile of the step at a conductance and probability, constant beyond the outermost nodes of both; NaN for
    /// what is no number. [`UpdateTable`]'s own changes count conductances outside.
    pub fn at(&self, conductance: f64, probability: f64) -> f64 {
        if conductance.is_nan() || probability.is_nan() {
            return f64::NAN;
        }
        self.quantile(conductance, probability)
    }

    /// Mean step at a conductance, as [`Self::at`].
    pub fn mean_at(&self, conductance: f64) -> f64 {
        if conductance.is_nan() { f64::NAN } else { self.mean(conductance) }
    }

    /// Quantile of the step at a conductance and probability; both clamped to the nodes.
    pub(crate) fn quantile(&self, conductance: f64, probability: f64) -> f64 {
        let (p, g) = (self.probability.place(probability), self.conductance.place(conductance));
        let width = self.conductance.len();
        let row = |i: usize| {
            let at = |k: usize| self.step[i * width + k];
            if g.t == 0.0 { at(g.i) } else { at(g.i) + (at(g.i + 1) - at(g.i)) * g.t }
        };
        if p.t == 0.0 { row(p.i) } else { row(p.i) + (row(p.i + 1) - row(p.i)) * p.t }
    }

    /// Mean step at a conductance, clamped to the nodes.
    pub(crate) fn mean(&self, conductance: f64) -> f64 {
        let place = self.conductance.place(conductance);
        let a = self.mean[place.i];
        if place.t == 0.0 { a } else { a + (self.mean[place.i + 1] - a) * place.t }
    }

    /// Mean step over a range of conductance.
    pub(crate) fn average(&self, low: f64, high: f64) -> f64 {
        let inside = self.conductance().iter().copied().filter(|g| *g > low && *g < high);
        let nodes: Vec<f64> = std::iter::once(low).chain(inside).chain([high]).collect();
        let area: f64 =
            nodes.windows(2).map(|w| (w[1] - w[0]) * 0.5 * (self.mean(w[0]) + self.mean(w[1]))).sum();
        if high > low { area / (high - low) } else { self.mean(low) }
    }
}

/// The steps of a device in both directions.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateTable {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) unit: String,
    pub(crate) notes: Vec<String>,
    pub(crate) up: Steps,
    pub(crate) down: Steps,
    pub(crate) certificate: Option<UpdateCertificate>,
}

impl UpdateTable {
    /// A table of steps that were taken from elsewhere, without a certificate. `unit` is that of
    /// conductances and steps, in words.
    ///
    /// # Errors
    /// When the two directions have no range of conductance in common.
    pub fn new(
        name: impl Into<String>,
        origin: Origin,
        unit: impl Into<String>,
        up: Steps,
        down: Steps,
    ) -> Result<Self, TableError> {
        let name = name.into();
        let table = Self { origin, unit: unit.into(), notes: Vec::new(), up, down, certificate: None, name };
        let (low, high) = table.range();
        if low < high {
            return Ok(table);
        }
        let found = format!("steps up and down with no conductance in common ({low} to {high})");
        Err(InputError::new(table.name, found, "one device in both directions").into())
    }

    /// The table with one more thing that a reader has to know.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Name of the device.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its numbers come from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Unit of conductances and steps.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// What a reader has to know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How well the table follows its source; absent for one that was taken from elsewhere.
    pub fn certificate(&self) -> Option<&UpdateCertificate> {
        self.certificate.as_ref()
    }

    /// Steps of one direction.
    pub fn steps(&self, direction: Direction) -> &Steps {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// The range of conductance in which steps up and down are known.
    pub fn range(&self) -> (f64, f64) {
        let (a, b) = (self.up.conductance.range(), self.down.conductance.range());
        (a.0.max(b.0), a.1.min(b.1))
    }
}

#[cfg(test)]
mod tests;
