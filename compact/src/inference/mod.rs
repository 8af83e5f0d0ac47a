//! Inference statistics of resistive memory cells: programming error, drift, relaxation, read noise, and
//! current at a read voltage.
//!
//! A law answers four questions ([`Cell`]): how far a cell lands from its target, which drift exponent it has,
//! how its conductance then moves in time, and how much a read of it fluctuates. Given its exponent a
//! cell moves linearly, so closed forms of mean, spread and quantiles ([`Distribution`]), a sampler of
//! devices that remember their errors ([`Population`]), device tables ([`TableSource`]), synthetic
//! measurements ([`synthetic`]) and fits ([`fitting`]) are written once for all laws.
//!
//! ```
//! use mho_compact::inference::{Distribution, find};
//!
//! let cell = find("pcm").map(|model| model.default_cell());
//! # let cell = cell.ok_or("no such model")?;
//! let day = Distribution::new(cell.as_ref(), 10.0, 86_400.0);
//! assert!((day.mean_us() - 6.65).abs() < 0.02 && (day.sigma_us() - 0.78).abs() < 0.05);
//! # Ok::<(), &str>(())
//! ```

pub mod bulk;
pub mod catalogue;
mod chi;
pub mod cmo;
mod constants;
pub mod custom;
mod distribution;
mod drift;
pub mod fitting;
pub mod generic;
pub mod hermes;
pub mod joshi;
pub mod milo;
mod normal;
pub mod pcm;
mod plan;
mod population;
mod readings;
mod statistics;
pub mod synthetic;
mod table_source;
pub mod taox;
#[cfg(test)]
mod tests;
pub mod wan;

pub use catalogue::{MODELS, Model, find};
pub use distribution::{Distribution, Read};
pub use fitting::{ENTRIES, regression};
pub use plan::{Change, Plan};
pub use population::{Device, Population};
pub use table_source::TableSource;

/// How errors of programming are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Normal.
    Normal,
    /// Even between two bounds.
    Uniform,
}

/// The error of programming around a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Programmed {
    /// Standard deviation, uS, before the conductance is kept within its bounds.
    pub sigma_us: f64,
    /// Distribution.
    pub shape: Shape,
}

impl Programmed {
    /// A normal error; a negative standard deviation (a polynomial beyond its range) is 0.
    pub fn normal(sigma_us: f64) -> Self {
        Self { sigma_us: sigma_us.max(0.0), shape: Shape::Normal }
    }
}

/// The drift exponents of cells of one target: normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exponent {
    /// Mean.
    pub mean: f64,
    /// Standard deviation from cell to cell.
    pub std: f64,
    /// Whether the absolute value is taken.
    pub folded: bool,
}

impl Exponent {
    /// Of cells that do not drift by a power law.
    pub const NONE: Self = Self { mean: 0.0, std: 0.0, folded: false };

    /// The exponent of the cell at a normal score.
    pub fn at(self, score: f64) -> f64 {
        let exponent = self.mean + self.std * score;
        if self.folded { exponent.abs() } else { exponent }
    }
}

/// How the conductance of a cell of known exponent has moved: `offset + gain g + spread z` between bounds, `g` as
/// programmed (before any bound) and `z` a normal score of the cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evolution {
    /// Added, uS.
    pub offset_us: f64,
    /// Factor, 0 or more.
    pub gain: f64,
    /// Standard deviation of what the cell adds by itself, uS.
    pub spread_us: f64,
    /// Lower bound, uS.
    pub lower_us: f64,
    /// Upper bound, uS.
    pub upper_us: f64,
}

impl Evolution {
    /// As programmed, not negative.
    pub const NONE: Self =
        Self { offset_us: 0.0, gain: 1.0, spread_us: 0.0, lower_us: 0.0, upper_us: f64::INFINITY };
}

/// A resistive cell: conductances in uS, times in s from the end of programming. None of these laws knows dose.
pub trait Cell: Send + Sync {
    /// Smallest and largest conductance that it is programmed to, uS.
    fn window_us(&self) -> [f64; 2];

    /// Smallest conductance of the published range, uS.
    fn valid_from_us(&self) -> f64 {
        self.window_us()[0]
    }

    /// Longest time of the published range, s; a year unless the law says otherwise.
    fn time_max_s(&self) -> f64 {
        31_536_000.0
    }

    /// Error of programming to a target.
    fn programmed(&self, target_us: f64) -> Programmed;

    /// Drift exponents of cells of a target.
    fn exponent(&self, target_us: f64) -> Exponent {
        let _ = target_us;
        Exponent::NONE
    }

    /// What has become of cells of a target, of one drift exponent, after a time.
    fn evolution(&self, target_us: f64, exponent: f64, time_s: f64) -> Evolution;

    /// Standard deviation, uS, of repeated reads of a cell that was programmed to `programmed_us` and has `now_us`.
    fn read_sigma_us(&self, now_us: f64, programmed_us: f64, time_s: f64) -> f64 {
        let _ = (now_us, programmed_us, time_s);
        0.0
    }

    /// Current, nA, at a read voltage; rising in the conductance where the voltage is positive.
    fn current_na(&self, conductance_us: f64, read_v: f64) -> f64 {
        1e3 * conductance_us * read_v
    }
}

/// The drift exponent's normal scores of a quadrature, with weights: steps of one half converge beyond rounding for
/// smooth functions of a normal score.
pub(crate) fn score_nodes() -> impl Iterator<Item = (f64, f64)> {
    (-10..=10).map(|i| 0.5 * f64::from(i)).map(|score| (score, 0.5 * normal::density(score)))
}
