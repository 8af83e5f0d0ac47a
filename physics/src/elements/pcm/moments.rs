//! Mean and standard deviation of what a read returns, without sampling.

use super::Cell;

/// Mean and standard deviation in µS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean in µS.
    pub mean_us: f64,
    /// Standard deviation in µS.
    pub std_us: f64,
}

/// Distribution function of the standard normal distribution.
fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// E[exp(−s |μ + σN|)] for s ≥ 0: the mean decay with folded exponents.
fn folded_decay(mean: f64, deviation: f64, s: f64) -> f64 {
    let square = 0.5 * (s * deviation).powi(2);
    if deviation <= 0.0 {
        return (-s * mean.abs()).exp();
    }
    let ratio = mean / deviation;
    (square - s * mean).exp() * normal_cdf(ratio - s * deviation)
        + (square + s * mean).exp() * normal_cdf(-ratio - s * deviation)
}

/// First and second moment of max(0, 1 + sN).
fn clipped(s: f64) -> (f64, f64) {
    if s <= 0.0 {
        return (1.0, 1.0);
    }
    let z = 1.0 / s;
    let (cdf, density) = (normal_cdf(z), normal_density(z));
    (cdf + s * density, (1.0 + s * s) * cdf + s * density)
}

/// Steps of Simpson's rule over ±9 standard deviations of programming.
const STEPS: usize = 2000;

/// Moments of a read `time_s` after the start of a cell programmed to `target_us`. Drift and read noise are
/// closed forms; over the programmed conductance, on which the noise depends, Simpson's rule is taken.
#[must_use]
pub fn moments(cell: &Cell, target_us: f64, time_s: f64) -> Moments {
    let (mean, deviation) = cell.drift(target_us);
    let log_time = cell.log_time(time_s);
    let (decay, decay_square) =
        (folded_decay(mean, deviation, log_time), folded_decay(mean, deviation, 2.0 * log_time));
    let spread = cell.statistics.programming_us(target_us, cell.max_us);
    let (mut first, mut second) = (0.0, 0.0);
    // Whatever falls below zero is zero and adds nothing.
    let low = (-9.0_f64).max(-target_us / spread.max(1e-12));
    let step = (9.0 - low).max(0.0) / STEPS as f64;
    for index in 0..=STEPS {
        let z = low + step * index as f64;
        let weight = match index {
            0 | STEPS => 1.0,
            odd if odd % 2 == 1 => 4.0,
            _ => 2.0,
        } * step
            / 3.0
            * normal_density(z);
        let programmed = (target_us + spread * z).max(0.0);
        let (one, two) = clipped(cell.read_noise(programmed, time_s));
        first += weight * programmed * one;
        second += weight * programmed * programmed * two;
    }
    let (first, second) = (first * decay, second * decay_square);
    Moments { mean_us: first, std_us: (second - first * first).max(0.0).sqrt() }
}
