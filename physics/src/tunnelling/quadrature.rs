//! Adaptive integration with an error estimate.

/// An integral with what is known about its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Integral {
    /// The value.
    pub value: f64,
    /// Estimate of its absolute error.
    pub error: f64,
    /// Whether the error is within what was asked.
    pub converged: bool,
}

/// Nodes of Kronrod's 15-point rule on [0, 1] from the centre; every second one is a node of Gauss's
/// 7-point rule (values of Piessens et al., QUADPACK, 1983).
const NODES: [f64; 8] = [
    0.0,
    0.207_784_955_007_898_47,
    0.405_845_151_377_397_2,
    0.586_087_235_467_691_1,
    0.741_531_185_599_394_4,
    0.864_864_423_359_769_1,
    0.949_107_912_342_758_5,
    0.991_455_371_120_812_6,
];
/// Kronrod's weights.
const KRONROD: [f64; 8] = [
    0.209_482_141_084_727_83,
    0.204_432_940_075_298_9,
    0.190_350_578_064_785_4,
    0.169_004_726_639_267_9,
    0.140_653_259_715_525_92,
    0.104_790_010_322_250_18,
    0.063_092_092_629_978_55,
    0.022_935_322_010_529_224,
];
/// Gauss's weights at nodes 0, 2, 4 and 6.
const GAUSS: [f64; 4] =
    [0.417_959_183_673_469_4, 0.381_830_050_505_118_9, 0.279_705_391_489_276_64, 0.129_484_966_168_869_7];

/// Most intervals before the integration gives up.
const INTERVALS: usize = 400;

/// Integrates over the intervals between ascending break points, the worst interval halved until the sum of
/// the errors is below `relative` of the value.
pub(super) fn integrate(function: impl Fn(f64) -> f64, breaks: &[f64], relative: f64) -> Integral {
    let mut parts: Vec<Part> = breaks
        .windows(2)
        .filter(|pair| pair[1] > pair[0])
        .map(|pair| part(&function, pair[0], pair[1]))
        .collect();
    loop {
        let value: f64 = parts.iter().map(|part| part.value).sum();
        let error: f64 = parts.iter().map(|part| part.error).sum();
        let converged = error <= relative * value.abs();
        let worst = parts.iter().enumerate().max_by(|a, b| a.1.error.total_cmp(&b.1.error));
        let Some((index, &Part { from, to, .. })) = worst else {
            return Integral { value: 0.0, error: 0.0, converged: true };
        };
        let middle = 0.5 * (from + to);
        if converged || !error.is_finite() || parts.len() >= INTERVALS || !(from < middle && middle < to) {
            return Integral { value, error, converged };
        }
        parts[index] = part(&function, from, middle);
        // In ascending order, so that the sum has one order of additions.
        parts.insert(index + 1, part(&function, middle, to));
    }
}

struct Part {
    from: f64,
    to: f64,
    value: f64,
    error: f64,
}

fn part(function: impl Fn(f64) -> f64, from: f64, to: f64) -> Part {
    let (centre, half) = (0.5 * (from + to), 0.5 * (to - from));
    let middle = function(centre);
    let (mut fine, mut coarse) = (KRONROD[0] * middle, GAUSS[0] * middle);
    for index in 1..8 {
        let pair = function(centre - half * NODES[index]) + function(centre + half * NODES[index]);
        fine += KRONROD[index] * pair;
        if index % 2 == 0 {
            coarse += GAUSS[index / 2] * pair;
        }
    }
    Part { from, to, value: half * fine, error: (half * (fine - coarse)).abs() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_kinked_and_narrow_functions() {
        let found = integrate(f64::exp, &[0.0, 1.0], 1e-12);
        assert!((found.value - (1f64.exp() - 1.0)).abs() < 1e-14 && found.converged);
        let kink = integrate(|x| (x - 0.3f64).abs(), &[0.0, 0.3, 1.0], 1e-12);
        assert!((kink.value - 0.29).abs() < 1e-14);
        // A resonance of width 1e-4, as through a double barrier.
        let narrow = integrate(|x| 1e-4 / ((x - 0.4f64).powi(2) + 1e-8), &[0.0, 1.0], 1e-9);
        let exact = (0.6f64 / 1e-4).atan() + (0.4f64 / 1e-4).atan();
        assert!((narrow.value / exact - 1.0).abs() < 1e-9 && narrow.converged);
    }

    #[test]
    fn trouble_is_reported() {
        assert!(!integrate(|x| 1.0 / x, &[0.0, 1.0], 1e-9).converged);
        assert!(!integrate(|_| f64::NAN, &[0.0, 1.0], 1e-9).converged);
        assert_eq!(integrate(f64::exp, &[1.0], 1e-9).value, 0.0);
        assert!(integrate(|_| 0.0, &[0.0, 1.0], 1e-9).converged);
    }
}
