//! Means over trials and over images, with their 95 % bands.

/// Confidence of every band.
pub const CONFIDENCE: f64 = 0.95;
/// Quantile of the normal distribution that leaves (1 - 0.95) / 2 above it.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// A mean with its 95 % band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of its band; NaN from fewer than two values.
    pub half_width: f64,
    /// Standard deviation of the single values; NaN from fewer than two.
    pub deviation: f64,
    /// Number of values.
    pub count: usize,
}

impl Estimate {
    /// The mean of independent values, with Student's band: it tells how well the mean over all possible
    /// trials is known from these, not how far single trials lie apart.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (square / (count as f64 - 1.0)).sqrt();
        let (half_width, deviation) = match count {
            0 | 1 => (f64::NAN, f64::NAN),
            _ => (student_quantile(count - 1) * deviation / (count as f64).sqrt(), deviation),
        };
        Self { mean, half_width, deviation, count }
    }

    /// The mean of the differences `a - b` of pairs: of two conditions that met the same draws.
    pub fn of_differences(a: &[f64], b: &[f64]) -> Self {
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self::of(&differences)
    }
}

/// Wilson's score interval (J. Am. Stat. Assoc. 22, 209 (1927)) of a fraction of `images` at 95 %: what
/// another test set of this size would do to the accuracy, with the devices as they are.
pub fn binomial_band(fraction: f64, images: usize) -> (f64, f64) {
    let n = images as f64;
    let z = NORMAL_QUANTILE;
    let middle = (fraction + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (fraction * (1.0 - fraction) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// Quantile of Student's distribution that leaves 2.5 % above it, by bisection of the distribution function
/// for whole degrees of freedom.
fn student_quantile(freedom: usize) -> f64 {
    // above 1000 degrees the first term of Fisher's expansion, z + (z^3 + z) / (4 nu), is right to 1e-6
    let z = NORMAL_QUANTILE;
    if freedom > 1000 {
        return z + (z.powi(3) + z) / (4.0 * freedom as f64);
    }
    let (mut low, mut high) = (z, 13.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        *(if student_two_sided(middle, freedom) < CONFIDENCE { &mut low } else { &mut high }) = middle;
    }
    0.5 * (low + high)
}

/// P(|t| <= x) for whole degrees of freedom: Abramowitz and Stegun 26.7.3 and 26.7.4.
fn student_two_sided(x: f64, freedom: usize) -> f64 {
    let nu = freedom as f64;
    let theta = libm::atan(x / nu.sqrt());
    let (sin, square) = (libm::sin(theta), nu / (nu + x * x));
    let odd = freedom % 2 == 1;
    // cos theta (1 + 2/3 cos^2 + 2 4/(3 5) cos^4 ...) or 1 + 1/2 cos^2 + 1 3/(2 4) cos^4 ...
    let mut term = if odd { square.sqrt() } else { 1.0 };
    let mut sum = 0.0;
    let mut at = if odd { 1 } else { 0 };
    while at + 2 <= freedom {
        sum += term;
        at += 2;
        term *= square * (at as f64 - 1.0) / at as f64;
    }
    if odd { std::f64::consts::FRAC_2_PI * (theta + sin * sum) } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mho_data::random::Stream;

    /// Quantiles to the four places of printed tables (Abramowitz and Stegun, table 26.10).
    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        let table = [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (120, 1.980)];
        for (freedom, expected) in table {
            let found = student_quantile(freedom);
            assert!((found - expected).abs() < 6e-4, "{freedom}: {found}");
        }
        assert!((student_quantile(1000) - student_quantile(1001)).abs() < 1e-5);
    }

    /// 2000 experiments of 5 values each: the share of bands that hold the mean is 0.95 within 4 standard
    /// errors, 4 sqrt(0.95 0.05 / 2000) = 0.02.
    #[test]
    fn bands_hold_the_truth_as_often_as_they_say() {
        let stream = Stream::new(1, &["test", "estimate"], &[]);
        let held = (0..2000_u64).filter(|i| {
            let values: Vec<f64> = (0..5).map(|k| 3.0 + stream.normal(i * 5 + k)).collect();
            let estimate = Estimate::of(&values);
            (estimate.mean - 3.0).abs() < estimate.half_width
        });
        let share = held.count() as f64 / 2000.0;
        assert!((share - 0.95).abs() < 0.02, "{share}");
    }

    /// Wilson's interval of 5 in 10 and of none in 10, as printed by Brown, Cai and DasGupta (2001).
    #[test]
    fn a_fraction_of_images_has_wilsons_band() {
        let (low, high) = binomial_band(0.5, 10);
        assert!((low - 0.2366).abs() < 1e-4 && (high - 0.7634).abs() < 1e-4, "{low} {high}");
        let (low, high) = binomial_band(0.0, 10);
        assert!(low == 0.0 && (high - 0.2775).abs() < 1e-4, "{high}");
    }

    #[test]
    fn one_value_has_no_band() {
        assert!(Estimate::of(&[0.5]).half_width.is_nan());
        assert_eq!(Estimate::of_differences(&[3.0, 5.0], &[1.0, 3.0]).half_width, 0.0);
    }
}
