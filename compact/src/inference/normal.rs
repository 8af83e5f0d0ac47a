//! The normal distribution and what bounds make of it.

use std::f64::consts::FRAC_1_SQRT_2;

/// Density at a score.
pub fn density(score: f64) -> f64 {
    // 1/sqrt(2 pi)
    const PEAK: f64 = 0.398_942_280_401_432_7;
    PEAK * (-0.5 * score * score).exp()
}

/// Probability below a score.
pub fn below(score: f64) -> f64 {
    0.5 * libm::erfc(-score * FRAC_1_SQRT_2)
}

/// Bounds this many standard deviations away change no digit of a moment.
const UNFELT: f64 = 9.0;

/// Mean and mean square of `Y = clamp(sigma Z, lower, upper)`, Z normal; the bounds in the unit of sigma.
pub fn clamped(sigma: f64, lower: f64, upper: f64) -> (f64, f64) {
    if sigma.is_nan() || sigma <= 0.0 {
        let y = 0.0_f64.max(lower).min(upper);
        return (y, y * y);
    }
    let (a, b) = (lower / sigma, upper / sigma);
    if a < -UNFELT && b > UNFELT {
        return (0.0, sigma * sigma);
    }
    let (under, over) = (below(a), below(-b));
    let inside = 1.0 - under - over;
    // Infinite bounds have no mass: 0 times infinity is left out.
    let mass = |bound: f64, mass: f64| if bound.is_finite() { bound * mass } else { 0.0 };
    let (da, db) = (density(a), density(b));
    let mean = mass(lower, under) + mass(upper, over) + sigma * (da - db);
    let square = mass(lower * lower, under)
        + mass(upper * upper, over)
        + sigma * sigma * (inside + mass(a, da) - mass(b, db));
    (mean, square)
}

/// The same for Y even between `-half` and `half`.
pub fn clamped_even(half: f64, lower: f64, upper: f64) -> (f64, f64) {
    if half.is_nan() || half <= 0.0 {
        return clamped(0.0, lower, upper);
    }
    let (a, b) = (lower.clamp(-half, half), upper.clamp(-half, half));
    let (under, over) = ((a + half) / (2.0 * half), (half - b) / (2.0 * half));
    let mass = |bound: f64, mass: f64| if mass > 0.0 { bound * mass } else { 0.0 };
    let mean = mass(lower, under) + mass(upper, over) + (b * b - a * a) / (4.0 * half);
    let square =
        mass(lower * lower, under) + mass(upper * upper, over) + (b.powi(3) - a.powi(3)) / (6.0 * half);
    (mean, square)
}
