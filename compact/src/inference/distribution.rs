//! Closed forms: what cells of one target carry after a time.

use super::{Cell, Shape, normal, score_nodes};

/// The conductances of cells of one target at one time: a mixture over drift exponents of bounded normal (or
/// even) distributions. Read noise is not part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    weight: f64,
    mean_us: f64,
    sigma_us: f64,
    shape: Shape,
    lower_us: f64,
    upper_us: f64,
}

impl Part {
    fn moments(&self) -> (f64, f64) {
        let (lower, upper) = (self.lower_us - self.mean_us, self.upper_us - self.mean_us);
        let (mean, square) = match self.shape {
            Shape::Normal => normal::clamped(self.sigma_us, lower, upper),
            Shape::Uniform => normal::clamped_even(3_f64.sqrt() * self.sigma_us, lower, upper),
        };
        (self.mean_us + mean, (square - mean * mean).max(0.0))
    }

    /// Probability at or below `x_us`.
    fn below(&self, x_us: f64) -> f64 {
        if x_us < self.lower_us {
            return 0.0;
        }
        if x_us >= self.upper_us {
            return 1.0;
        }
        let away = x_us - self.mean_us;
        if self.sigma_us <= 0.0 {
            return if away >= 0.0 { 1.0 } else { 0.0 };
        }
        match self.shape {
            Shape::Normal => normal::below(away / self.sigma_us),
            Shape::Uniform => (0.5 + away / (12_f64.sqrt() * self.sigma_us)).clamp(0.0, 1.0),
        }
    }

    /// Probability above `x_us`, with its digits where it is small.
    fn above(&self, x_us: f64) -> f64 {
        if self.shape == Shape::Normal && self.sigma_us > 0.0 && x_us >= self.lower_us && x_us < self.upper_us
        {
            normal::below((self.mean_us - x_us) / self.sigma_us)
        } else {
            1.0 - self.below(x_us)
        }
    }

    fn quantile(&self, score: f64) -> f64 {
        let away = match self.shape {
            Shape::Normal => score,
            Shape::Uniform => 12_f64.sqrt() * (normal::below(score) - 0.5),
        };
        (self.mean_us + self.sigma_us * away).max(self.lower_us).min(self.upper_us)
    }
}

/// Steps after which a quantile's bracket is taken as it is: a third of them halve it.
const STEPS_OF_QUANTILE: usize = 90;

/// Narrowest step of the exponent's score: 500 parts.
const FINEST: f64 = 0.02;

/// Step of the exponent's score at which neighbouring parts still melt into each other.
fn exponent_step(cell: &dyn Cell, target_us: f64, time_s: f64) -> f64 {
    let exponent = cell.exponent(target_us);
    let [at, away] = [0.0, 1.0].map(|score| part(cell, target_us, exponent.at(score), time_s));
    (0.8 * at.sigma_us / (away.mean_us - at.mean_us).abs()).clamp(FINEST, 0.5).min(0.5)
}

impl Distribution {
    /// Of cells of `target_us` after `time_s`.
    pub fn new(cell: &dyn Cell, target_us: f64, time_s: f64) -> Self {
        let exponent = cell.exponent(target_us);
        // Three scores, as two of them may have the same folded exponent; at the first read no cell has drifted.
        let [first, others @ ..] =
            [0.0, 1.0, -2.0].map(|score| part(cell, target_us, exponent.at(score), time_s));
        if exponent.std > 0.0 && others.iter().any(|other| *other != first) {
            let parts = score_nodes(exponent_step(cell, target_us, time_s))
                .map(|(score, weight)| Part { weight, ..part(cell, target_us, exponent.at(score), time_s) });
            Self { parts: parts.collect() }
        } else {
            Self::of_exponent(cell, target_us, exponent.at(0.0), time_s)
        }
    }

    /// The same if all cells had the mean exponent and nothing had spread them since programming.
    pub fn without_spread(cell: &dyn Cell, target_us: f64, time_s: f64) -> Self {
        let exponent = cell.exponent(target_us).at(0.0);
        let mut found = Self::of_exponent(cell, target_us, exponent, time_s);
        let gain = cell.evolution(target_us, exponent, time_s).gain;
        let programmed_us = cell.programmed(target_us).sigma_us;
        for part in &mut found.parts {
            // Where a cell's first error itself grows (gain above 1), the growth is relaxation.
            part.sigma_us = gain.min(1.0) * programmed_us;
        }
        found
    }

    fn of_exponent(cell: &dyn Cell, target_us: f64, exponent: f64, time_s: f64) -> Self {
        Self { parts: vec![part(cell, target_us, exponent, time_s)] }
    }

    /// Mean, uS.
    pub fn mean_us(&self) -> f64 {
        self.parts.iter().map(|part| part.weight * part.moments().0).sum()
    }

    /// Standard deviation, uS.
    pub fn sigma_us(&self) -> f64 {
        let mean = self.mean_us();
        let square: f64 = self
            .parts
            .iter()
            .map(|part| {
                let (own, variance) = part.moments();
                part.weight * (variance + (own - mean).powi(2))
            })
            .sum();
        square.sqrt()
    }

    /// Probability at or below `x_us`.
    pub fn below(&self, x_us: f64) -> f64 {
        self.parts.iter().map(|part| part.weight * part.below(x_us)).sum()
    }

    /// The conductance, uS, below which lies the same part of the cells as of normal scores below `score`.
    pub fn quantile_us(&self, score: f64) -> f64 {
        let each = || self.parts.iter().map(|part| part.quantile(score));
        let mut low = each().fold(f64::INFINITY, f64::min);
        let mut high = each().fold(f64::NEG_INFINITY, f64::max);
        if self.parts.len() < 2 || high <= low {
            return low;
        }
        // The smaller tail keeps its digits; its logarithm is nearly straight, so that secants converge fast.
        let wanted = normal::below(-score.abs()).ln();
        let sign = if score <= 0.0 { 1.0 } else { -1.0 };
        let excess = |x: f64| {
            let tail: f64 = if score <= 0.0 {
                self.below(x)
            } else {
                self.parts.iter().map(|part| part.weight * part.above(x)).sum()
            };
            sign * (tail.ln() - wanted)
        };
        let (mut at_low, mut at_high) = (excess(low), excess(high));
        for step in 0..STEPS_OF_QUANTILE {
            let secant = low - at_low * (high - low) / (at_high - at_low);
            let middle =
                if step % 3 < 2 && secant > low && secant < high { secant } else { 0.5 * (low + high) };
            let value = excess(middle);
            if value >= 0.0 {
                (high, at_high) = (middle, value);
                // The end that stays counts half (Illinois), so that it comes along.
                at_low *= 0.5;
            } else {
                (low, at_low) = (middle, value);
                at_high *= 0.5;
            }
            if value.abs() < 1e-10 {
                return middle;
            }
            if high - low <= 1e-10 * high.abs() {
                break;
            }
        }
        0.5 * (low + high)
    }
}

fn part(cell: &dyn Cell, target_us: f64, exponent: f64, time_s: f64) -> Part {
    let programmed = cell.programmed(target_us);
    let moved = cell.evolution(target_us, exponent, time_s);
    Part {
        weight: 1.0,
        mean_us: moved.offset_us + moved.gain * target_us,
        sigma_us: (moved.gain * programmed.sigma_us).hypot(moved.spread_us),
        shape: if moved.spread_us > 0.0 { Shape::Normal } else { programmed.shape },
        lower_us: moved.lower_us,
        upper_us: moved.upper_us,
    }
}

/// What single reads of cells of one target give: as [`Distribution`], with read noise; reads below 0 count as 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Read {
    /// Mean, uS.
    pub mean_us: f64,
    /// Standard deviation, uS.
    pub sigma_us: f64,
}

/// Step and range of the normal score of programming in the integral over cells.
const STEP: f64 = 0.0625;
const STEPS: i32 = 96;

impl Read {
    /// By quadrature over cells; the read noise of a cell that has relaxed is taken at its target.
    pub fn new(cell: &dyn Cell, target_us: f64, time_s: f64) -> Self {
        let exponent = cell.exponent(target_us);
        let exponents: Vec<(f64, f64)> =
            if exponent.std > 0.0 { score_nodes(0.5).collect() } else { vec![(0.0, 1.0)] };
        let programmed = cell.programmed(target_us);
        let (mut mean, mut square) = (0.0, 0.0);
        for (exponent_score, exponent_weight) in exponents {
            let value = exponent.at(exponent_score);
            let now = part(cell, target_us, value, time_s);
            let relaxed = cell.evolution(target_us, value, time_s).spread_us > 0.0;
            for step in -STEPS..=STEPS {
                let score = STEP * f64::from(step);
                let weight = exponent_weight * STEP * normal::density(score);
                let away = match now.shape {
                    Shape::Normal => score,
                    Shape::Uniform => 12_f64.sqrt() * (normal::below(score) - 0.5),
                };
                let now_us = (now.mean_us + now.sigma_us * away).max(now.lower_us).min(now.upper_us);
                let first_us = if relaxed { target_us } else { target_us + programmed.sigma_us * away };
                let noise = cell.read_sigma_us(now_us, first_us.max(0.0), time_s);
                let (shift, second) = normal::clamped(noise, -now_us, f64::INFINITY);
                mean += weight * (now_us + shift);
                square += weight * (now_us * now_us + 2.0 * now_us * shift + second);
            }
        }
        Self { mean_us: mean, sigma_us: (square - mean * mean).max(0.0).sqrt() }
    }
}
