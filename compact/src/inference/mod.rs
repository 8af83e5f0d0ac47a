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
//! use mho_compact::inference::{Read, find};
//!
//! let cell = find("pcm").map(|model| model.default_cell());
//! # let cell = cell.ok_or("no such model")?;
//! // A day after programming to 10 uS: 6.65 uS with a standard deviation of 0.91 uS over cells and reads.
//! let day = Read::new(cell.as_ref(), 10.0, 86_400.0);
//! assert!((day.mean_us - 6.65).abs() < 0.01 && (day.sigma_us - 0.906).abs() < 0.005);
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
mod gross;
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

    /// Mean and standard deviation over cells; of folded ones those of the folded normal law.
    pub fn moments(self) -> (f64, f64) {
        if !self.folded || self.std.is_nan() || self.std <= 0.0 {
            return (self.at(0.0), self.std);
        }
        let score = self.mean / self.std;
        let mean = 2.0 * self.std * normal::density(score) + self.mean * (1.0 - 2.0 * normal::below(-score));
        let square = self.mean * self.mean + self.std * self.std;
        (mean, (square - mean * mean).max(0.0).sqrt())
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

    /// Largest read voltage of the published range, V.
    fn read_max_v(&self) -> f64 {
        f64::INFINITY
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

/// Normal scores of a quadrature, with weights. Steps of one half or less converge beyond rounding for smooth
/// functions of a score.
pub(crate) fn score_nodes(step: f64) -> impl Iterator<Item = (f64, f64)> {
    let most = (5.0 / step).ceil() as i32;
    (-most..=most).map(move |i| step * f64::from(i)).map(move |score| (score, step * normal::density(score)))
}
