//! Where fits start: steps, slopes and bounds read off the ramps.

use super::law::Direction;
use super::trace::{Ramp, Traces};

/// Step `step (1 - slope x)` or `step exp(-slope x)` with x the weight, its sign turned for down pulses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// Step at weight 0, above 0.
    pub(super) step: f64,
    /// Relative loss per weight, above 0.
    pub(super) slope: f64,
}

/// Smallest step that a start has, in weights: below, all readings are one.
const LEAST_STEP: f64 = 1e-7;

/// Relative slopes that a start may have.
const SLOPES: (f64, f64) = (0.02, 50.0);

impl Line {
    fn new(step: f64, slope: f64) -> Self {
        let step = if step.is_finite() { step.clamp(LEAST_STEP, 1.0) } else { LEAST_STEP };
        let slope = if slope.is_finite() { slope.clamp(SLOPES.0, SLOPES.1) } else { 1.0 };
        Self { step, slope }
    }
}

/// A ramp in weights, the sign turned for down pulses, so that it rises.
struct Rise {
    pulses: Vec<f64>,
    weights: Vec<f64>,
}

/// What is read off the ramps before any fit.
pub(super) struct Start {
    rises: [Vec<Rise>; 2],
    /// Highest weight once noise is averaged out.
    pub(super) high: f64,
    /// Lowest weight.
    pub(super) low: f64,
}

/// Mean over a part of a ramp (`from`, `to` in parts of its length).
fn level(values: &[f64], from: f64, to: f64) -> f64 {
    let place = |part: f64| (part * values.len() as f64).round() as usize;
    let first = place(from).min(values.len().saturating_sub(1));
    let part = &values[first..place(to).clamp(first + 1, values.len().max(first + 1))];
    part.iter().sum::<f64>() / part.len() as f64
}

impl Start {
    pub(super) fn new(traces: &Traces) -> Self {
        let rising = |direction: Direction| {
            let ramps =
                traces.ramps().filter(move |ramp| ramp.direction == direction && ramp.readings.len() > 1);
            ramps
                .map(|ramp: &Ramp| Rise {
                    pulses: ramp.pulses.iter().map(|&pulse| pulse as f64).collect(),
                    weights: ramp
                        .readings
                        .iter()
                        .map(|&reading| direction.sign() * traces.window.weight(reading))
                        .collect(),
                })
                .collect::<Vec<_>>()
        };
        let rises = [rising(Direction::Up), rising(Direction::Down)];
        let (mut high, mut low) = (f64::NEG_INFINITY, f64::INFINITY);
        for (rises, sign) in rises.iter().zip([1.0, -1.0]) {
            for rise in rises {
                for end in [level(&rise.weights, 0.0, 0.02), level(&rise.weights, 0.95, 1.0)] {
                    high = high.max(sign * end);
                    low = low.min(sign * end);
                }
            }
        }
        let sound = |value: f64, or: f64| if value.is_finite() && value * or > 0.0 { value } else { or };
        Self { rises, high: sound(high, 1.0), low: sound(low, -1.0) }
    }

    /// Mean steps up and down.
    pub(super) fn mean_steps(&self) -> [f64; 2] {
        self.rises.each_ref().map(|rises| {
            let mut sum = (0.0, 0.0);
            for rise in rises {
                sum.0 += level(&rise.weights, 0.95, 1.0) - level(&rise.weights, 0.0, 0.02);
                sum.1 += rise.pulses[rise.pulses.len() - 1];
            }
            if sum.1 > 0.0 { Line::new(sum.0 / sum.1, 1.0).step } else { Line::new(2e-3, 1.0).step }
        })
    }

    /// Steps that fall linearly, up and down: least squares of the integrated law, `w(n) - w(0) = s n - s b
    /// sum of w`, which read noise hardly moves, with a constant of its own for each ramp.
    pub(super) fn lines(&self) -> [Line; 2] {
        let means = self.mean_steps();
        [0, 1].map(|index| {
            let mut sums = [0.0; 5];
            for rise in &self.rises[index] {
                let count = rise.weights.len() as f64;
                let mut areas = Vec::with_capacity(rise.weights.len());
                let mut area = 0.0;
                for row in 0..rise.weights.len() {
                    if row > 0 {
                        let width = rise.pulses[row] - rise.pulses[row - 1];
                        area += 0.5 * (rise.weights[row] + rise.weights[row - 1]) * width;
                    }
                    areas.push(area);
                }
                let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
                let (mn, ma, mw) = (mean(&rise.pulses), mean(&areas), mean(&rise.weights));
                for ((n, a), w) in rise.pulses.iter().zip(&areas).zip(&rise.weights) {
                    let (n, a, w) = (n - mn, a - ma, w - mw);
                    for (sum, term) in sums.iter_mut().zip([n * n, n * a, a * a, n * w, a * w]) {
                        *sum += term;
                    }
                }
            }
            let [nn, na, aa, nw, aw] = sums;
            let determinant = nn * aa - na * na;
            let step = (nw * aa - aw * na) / determinant;
            let rate = -(aw * nn - nw * na) / determinant;
            // Steps at the middle that come out negative or far from the mean say that the law is another.
            if step > 0.1 * means[index] && step < 100.0 * means[index] && rate > 0.0 {
                Line::new(step, rate / step)
            } else {
                Line::new(means[index], 0.5)
            }
        })
    }

    /// Steps that fall exponentially, up and down, from three levels of the longest ramp: with `d1` and `d2` the
    /// rise to its middle and its end, `exp(k d2) - 1 = 2 (exp(k d1) - 1)`.
    pub(super) fn exponentials(&self) -> [Line; 2] {
        let means = self.mean_steps();
        [0, 1].map(|index| {
            let longest = self.rises[index].iter().max_by_key(|rise| rise.weights.len());
            let Some(rise) = longest else { return Line::new(means[index], 1.0) };
            let first = level(&rise.weights, 0.0, 0.02);
            let half = level(&rise.weights, 0.48, 0.52) - first;
            let full = level(&rise.weights, 0.97, 1.0) - first;
            let pulses = rise.pulses[rise.pulses.len() - 1].max(1.0);
            let excess = |k: f64| (k * full).exp_m1() - 2.0 * (k * half).exp_m1();
            let (mut low, mut high) = (SLOPES.0, SLOPES.1);
            if excess(low) > 0.0 {
                return Line::new(means[index], SLOPES.0);
            }
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                if excess(middle) > 0.0 { high = middle } else { low = middle }
            }
            let k = 0.5 * (low + high);
            Line::new((k * full).exp_m1() * (k * first).exp() / (k * pulses), k)
        })
    }

    /// Weight at which both directions step alike, that step, and the relative slopes of both there.
    pub(super) fn symmetry(&self) -> (f64, f64, [f64; 2]) {
        let [up, down] = self.lines();
        let (a, b) = (up.step * up.slope, down.step * down.slope);
        let centre = (up.step - down.step) / (a + b);
        let step = up.step - a * centre;
        (centre, step.max(LEAST_STEP), [a, b].map(|slope| (slope / step).clamp(SLOPES.0, SLOPES.1)))
    }
}
