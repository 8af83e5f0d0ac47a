//! Figures of papers and talks that are computed anew, each with the numbers that its source states.
//!
//! To add one: write a function that gives a [`Built`] in a file here, and name it in [`registry`].

mod arrays;
mod cells;
mod dose;
mod hysteresis;
mod networks;
mod pulses;
mod verification;

use super::kit::Figure;
use serde::Serialize;

/// How much of a target a computation can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Numbers that the source prints, or closed forms.
    Exact,
    /// Numbers from an independent computation of our own, none in the source.
    Anchor,
    /// The form of a curve; the source prints no numbers.
    Shape,
}

/// A number beside the one that is wanted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What it is, with its unit.
    pub quantity: String,
    /// What the source states.
    pub source: f64,
    /// What was computed.
    pub ours: f64,
    /// Largest difference that passes, in the same unit.
    pub tolerance: f64,
    /// Whether it was computed from what the source is about; if not, it neither passes nor fails.
    pub comparable: bool,
}

impl Check {
    /// A check with an absolute tolerance.
    pub fn new(quantity: impl Into<String>, source: f64, ours: f64, tolerance: f64) -> Self {
        Self { quantity: quantity.into(), source, ours, tolerance, comparable: true }
    }

    /// A check with a relative tolerance.
    pub fn relative(quantity: impl Into<String>, source: f64, ours: f64, share: f64) -> Self {
        Self::new(quantity, source, ours, share * source.abs())
    }

    /// The same, from other data than those of the source unless `whole`.
    #[must_use]
    pub fn comparable(self, whole: bool) -> Self {
        Self { comparable: whole, ..self }
    }

    /// Whether it passes, or says nothing.
    pub fn passes(&self) -> bool {
        !self.comparable || (self.ours - self.source).abs() <= self.tolerance
    }
}

/// A figure with its checks.
#[derive(Debug, Clone)]
pub struct Built {
    /// What is drawn.
    pub figure: Figure,
    /// Numbers beside those of the source.
    pub checks: Vec<Check>,
    /// Data the computation stands on, in words: `synthetic`, `constants`, the name of a data set.
    pub dataset: &'static str,
}

/// Why a figure could not be computed.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

/// What a computation is given.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// Seed of random draws.
    pub seed: u64,
    /// Hears the fraction done.
    pub progress: &'a (dyn Fn(f64) + Sync),
}

/// One target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its identifier.
    pub id: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What it can meet.
    pub class: Class,
    /// Computes it.
    pub build: fn(&Wish<'_>) -> Result<Built, BuildError>,
}

/// All targets in the order of their identifiers.
pub fn registry() -> &'static [Target] {
    &[
        arrays::ENERGY,
        arrays::DENSITY,
        arrays::DISCHARGE,
        networks::DOSE,
        networks::DEEPER,
        networks::GENERIC,
        networks::DEVICES,
        networks::DRIFT,
        networks::WIRES,
        networks::MITIGATION,
        dose::THRESHOLDS,
        dose::DISTRIBUTIONS,
        pulses::TRANSIENTS,
        hysteresis::LOOPS,
        cells::CELLS,
        verification::VERIFICATION,
    ]
}
