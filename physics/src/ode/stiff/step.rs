//! One step of RODAS.

use super::{Jacobian, Rate};
use nalgebra::{DMatrix, DVector};

/// Diagonal coefficient γ.
const GAMMA: f64 = 0.25;
/// Times of the stages as fractions of the step.
const TIMES: [f64; 6] = [0.0, 0.386, 0.21, 0.63, 1.0, 1.0];
/// Weights of the time derivative of the rate.
const SLOPES: [f64; 6] = [0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0];
/// Where the rate of a stage is taken: coefficients of the stages before.
const STATES: [&[f64]; 6] = [
    &[],
    &[1.544],
    &[0.946_678_528_081_582_6, 0.255_701_169_898_328_4],
    &[3.314_825_187_068_521, 2.896_124_015_972_201, 0.998_641_913_997_781_7],
    &[1.221_224_509_226_641, 6.019_134_481_288_629, 12.537_083_329_320_87, -0.687_886_036_105_895],
    &[1.221_224_509_226_641, 6.019_134_481_288_629, 12.537_083_329_320_87, -0.687_886_036_105_895, 1.0],
];
/// Coupling of the stages to those before.
const COUPLINGS: [&[f64]; 6] = [
    &[],
    &[-5.6688],
    &[-2.430_093_356_833_875, -0.206_359_915_709_191_5],
    &[-0.107_352_905_815_137_5, -9.594_562_251_023_355, -20.470_286_148_096_16],
    &[7.496_443_313_967_647, -10.246_804_314_643_52, -33.999_903_528_199_05, 11.708_908_932_061_6],
    &[
        8.083_246_795_921_522,
        -7.981_132_988_064_893,
        -31.521_594_328_743_71,
        16.319_305_431_231_36,
        -6.058_818_238_834_054,
    ],
];
/// Continuous output: coefficients of the first five stages in its two terms.
const OUTPUT: [[f64; 5]; 2] = [
    [
        10.126_235_083_445_86,
        -7.487_995_877_610_167,
        -34.800_918_615_557_47,
        -7.992_771_707_568_823,
        1.025_137_723_295_662,
    ],
    [
        -0.676_280_339_280_125_3,
        6.087_714_651_680_015,
        16.430_843_208_924_78,
        24.767_225_114_183_86,
        -6.594_389_125_716_872,
    ],
];

/// A step that was tried.
pub(super) struct Step {
    /// State at its end.
    pub next: DVector<f64>,
    /// Difference of the two orders.
    pub error: DVector<f64>,
    bend: [DVector<f64>; 2],
    decomposition: Decomposition,
}

/// Of 1/(γ size) − J.
type Decomposition = nalgebra::LU<f64, nalgebra::Dyn, nalgebra::Dyn>;

impl Step {
    /// State at a fraction of the step that began at `state`.
    pub(super) fn at(&self, state: &DVector<f64>, part: f64) -> DVector<f64> {
        let rest = 1.0 - part;
        state * rest + (&self.next + (&self.bend[0] + &self.bend[1] * part) * rest) * part
    }

    /// How far the continuous output is off at a fraction of the step: its residual in the equation, solved
    /// as the step solves. (Where a stiff equation makes the error at the end small, this one is not.)
    pub(super) fn doubt(
        &self,
        rate: &Rate<'_>,
        now: f64,
        state: &DVector<f64>,
        size: f64,
        part: f64,
    ) -> Option<DVector<f64>> {
        let moved = &self.next - state
            + &self.bend[0] * (1.0 - 2.0 * part)
            + &self.bend[1] * (part * (2.0 - 3.0 * part));
        self.decomposition.solve(&(moved / size - rate(now + part * size, &self.at(state, part))))
    }
}

/// Tries a step of length `size`. None when a rate is not finite, when the matrix is singular, or when the
/// step is longer than a growing solution allows (the implicit formula would leap over its pole).
pub(super) fn attempt(
    rate: &Rate<'_>,
    jacobian: Option<&Jacobian<'_>>,
    now: f64,
    state: &DVector<f64>,
    size: f64,
    small: &dyn Fn(usize) -> f64,
) -> Option<Step> {
    let count = state.len();
    let here = rate(now, state);
    let slope = time_slope(rate, now, state, size, &here)?;
    let mut matrix = match jacobian {
        Some(given) => -given(now, state),
        None => -differences(rate, now, state, &here, size, small)?,
    };
    for i in 0..count {
        matrix[(i, i)] += 1.0 / (GAMMA * size);
    }
    if matrix.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let decomposition = matrix.lu();
    // The determinant is positive for a short step. It is negative when one real eigenvalue of the Jacobian
    // exceeds 1/(γ size): the solution grows there by e⁴ within the step.
    if negative(&decomposition) {
        return None;
    }
    let mut stages: Vec<DVector<f64>> = Vec::with_capacity(6);
    let mut at = state.clone();
    for stage in 0..6 {
        let mut right = if stage == 0 {
            here.clone()
        } else {
            at.copy_from(state);
            for (before, &weight) in stages.iter().zip(STATES[stage]) {
                at.axpy(weight, before, 1.0);
            }
            rate(now + TIMES[stage] * size, &at)
        };
        right.axpy(SLOPES[stage] * size, &slope, 1.0);
        for (before, &weight) in stages.iter().zip(COUPLINGS[stage]) {
            right.axpy(weight / size, before, 1.0);
        }
        let solved = decomposition.solve(&right)?;
        if solved.iter().any(|value| !value.is_finite()) {
            return None;
        }
        stages.push(solved);
    }
    let bend = OUTPUT.map(|weights| {
        let mut sum = DVector::zeros(count);
        for (stage, weight) in stages.iter().zip(weights) {
            sum.axpy(weight, stage, 1.0);
        }
        sum
    });
    let error = stages.pop()?;
    Some(Step { next: at + &error, error, bend, decomposition })
}

/// Whether the determinant is negative (its size could overflow, so only signs are multiplied).
fn negative(decomposition: &Decomposition) -> bool {
    let swapped = decomposition.p().determinant::<f64>() < 0.0;
    let minus = decomposition.u().diagonal().iter().filter(|value| **value < 0.0).count();
    (minus % 2 == 1) != swapped
}

/// ∂f/∂t by a difference far inside the step.
fn time_slope(
    rate: &Rate<'_>,
    now: f64,
    state: &DVector<f64>,
    size: f64,
    here: &DVector<f64>,
) -> Option<DVector<f64>> {
    let probe =
        (f64::EPSILON.sqrt() * now.abs().max(size)).min(0.01 * size).max(4.0 * f64::EPSILON * now.abs());
    // What the sum really adds.
    let probe = (now + probe) - now;
    let there = rate(now + probe, state);
    there.iter().all(|value| value.is_finite()).then(|| (there - here) / probe)
}

/// ∂f/∂y by forward differences, or backward ones where the domain of the rate ends.
fn differences(
    rate: &Rate<'_>,
    now: f64,
    state: &DVector<f64>,
    here: &DVector<f64>,
    size: f64,
    small: &dyn Fn(usize) -> f64,
) -> Option<DMatrix<f64>> {
    let count = state.len();
    let mut found = DMatrix::zeros(count, count);
    let mut moved = state.clone();
    for j in 0..count {
        // Scale of the component: its size, what it moves in this step, or what is noise in it.
        let scale = state[j].abs().max((size * here[j]).abs().min(1e6 * small(j))).max(small(j));
        let probe = f64::EPSILON.sqrt() * scale.max(f64::MIN_POSITIVE / f64::EPSILON);
        let column = [probe, -probe].into_iter().find_map(|probe| {
            moved[j] = state[j] + probe;
            let probe = moved[j] - state[j];
            let there = rate(now, &moved);
            there.iter().all(|value| value.is_finite()).then(|| (there - here) / probe)
        })?;
        found.set_column(j, &column);
        moved[j] = state[j];
    }
    Some(found)
}
