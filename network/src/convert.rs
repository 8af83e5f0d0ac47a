//! Converters: uniform quantisers whose range is found from training images.
//!
//! Zero is always a level, so that a silent input stays silent and an empty column reads zero.

/// Adding and subtracting this number rounds an f32 below 2^22 to the nearest integer, ties to even.
/// (`round_ties_even` is a call on the baseline instruction set; this is two additions.)
const ROUND: f32 = 12_582_912.0;

fn round(x: f32) -> f32 {
    (x + ROUND) - ROUND
}

/// A uniform quantiser: level i stands for `i * step`, `lowest <= i <= highest`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiser {
    /// Distance of two levels.
    pub step: f32,
    /// First level.
    pub lowest: f32,
    /// Last level.
    pub highest: f32,
}

impl Quantiser {
    /// 2^`bits` levels over [lo, hi], moved by less than one step so that zero is a level.
    /// A range that is empty gives a quantiser with steps of 1.
    pub fn new(bits: u32, lo: f32, hi: f32) -> Self {
        let steps = ((1_u32 << bits) - 1) as f32;
        let width = hi - lo;
        let step = if width > 0.0 { width / steps } else { 1.0 };
        let lowest = round(lo / step);
        Self { step, lowest, highest: lowest + steps }
    }

    /// Smallest and largest value that can be represented.
    pub fn range(&self) -> (f32, f32) {
        (self.lowest * self.step, self.highest * self.step)
    }

    /// The level nearest to `x`, as a value.
    pub fn apply(&self, x: f32) -> f32 {
        self.level(x / self.step).0 * self.step
    }

    /// Level of a value in steps, and whether it had to be clamped.
    fn level(&self, steps: f32) -> (f32, bool) {
        // Clamped before rounding as well: the rounding trick holds below 2^22.
        let inside = steps.max(self.lowest - 1.0).min(self.highest + 1.0);
        let rounded = round(inside);
        let level = rounded.max(self.lowest).min(self.highest);
        (level, level != rounded)
    }

    /// Quantises in place; returns how many values were clamped.
    pub fn apply_all(&self, values: &mut [f32]) -> u64 {
        let inverse = 1.0 / self.step;
        let mut clamped = 0;
        for part in values.chunks_mut(4096) {
            let mut count = 0_u32;
            for x in part {
                let (level, out) = self.level(*x * inverse);
                *x = level * self.step;
                count += u32::from(out);
            }
            clamped += u64::from(count);
        }
        clamped
    }
}

/// Fractions of values left outside on one side that the search tries: none, then half decades.
const CLIPPED: [f64; 10] = [0.0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];

/// The range with the smallest mean square quantisation error over `samples`: both ends are
/// percentiles, found by turns on the grid `CLIPPED`. The range always holds zero; `samples` are sorted by
/// this function.
pub fn calibrate(bits: u32, samples: &mut [f32]) -> Quantiser {
    samples.sort_unstable_by(f32::total_cmp);
    let (Some(&least), Some(&most)) = (samples.first(), samples.last()) else {
        return Quantiser::new(bits, 0.0, 0.0);
    };
    let last = samples.len() - 1;
    let low = |i: usize| samples[(CLIPPED[i] * last as f64).round() as usize].min(0.0);
    let high = |i: usize| samples[last - (CLIPPED[i] * last as f64).round() as usize].max(0.0);
    let error = |lo: usize, hi: usize| {
        let q = Quantiser::new(bits, low(lo), high(hi));
        samples.iter().map(|&x| f64::from(x - q.apply(x)).powi(2)).sum::<f64>()
    };
    let (mut lo, mut hi) = (0, 0);
    let mut best = error(lo, hi);
    for _ in 0..2 {
        if most > 0.0 {
            for i in 0..CLIPPED.len() {
                let e = error(lo, i);
                if e < best {
                    (best, hi) = (e, i);
                }
            }
        }
        if least < 0.0 {
            for i in 0..CLIPPED.len() {
                let e = error(i, hi);
                if e < best {
                    (best, lo) = (e, i);
                }
            }
        }
    }
    Quantiser::new(bits, low(lo), high(hi))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quantiser_is_idempotent_monotone_and_close(
            bits in 2u32..12, lo in -50.0f32..0.0, hi in 0.01f32..50.0, a in -100.0f32..100.0, b in -100.0f32..100.0,
        ) {
            let q = Quantiser::new(bits, lo, hi);
            prop_assert_eq!(q.apply(0.0), 0.0);
            prop_assert_eq!(q.apply(q.apply(a)), q.apply(a));
            prop_assert!(a > b || q.apply(a) <= q.apply(b));
            let (least, most) = q.range();
            prop_assert!((least - lo).abs() <= 0.51 * q.step && (most - hi).abs() <= 0.51 * q.step);
            if a >= least && a <= most {
                prop_assert!((q.apply(a) - a).abs() <= 0.5001 * q.step);
            } else {
                prop_assert!(q.apply(a) == least || q.apply(a) == most);
            }
            let mut values = [a, b];
            let clamped = q.apply_all(&mut values);
            let outside = |x: f32| u64::from(x < least - 0.51 * q.step || x > most + 0.51 * q.step);
            let inside = |x: f32| u64::from(x > least - 0.49 * q.step && x < most + 0.49 * q.step);
            prop_assert!(clamped >= outside(a) + outside(b) && clamped <= 2 - inside(a) - inside(b));
        }
    }

    #[test]
    fn pixels_of_eight_bits_are_exact() {
        let mut samples: Vec<f32> = (0..=255).map(|p| p as f32 / 255.0).collect();
        let q = calibrate(8, &mut samples.clone());
        for x in &mut samples {
            assert!((q.apply(*x) - *x).abs() < 1e-6);
        }
    }

    #[test]
    fn a_few_outliers_are_clipped() {
        let mut samples: Vec<f32> = (0..100_000).map(|i| ((i as f32) / 50_000.0 - 1.0).powi(3)).collect();
        samples[7] = 40.0;
        let q = calibrate(4, &mut samples);
        assert!(q.range().1 < 2.0, "{q:?}");
        assert_eq!(calibrate(8, &mut []).apply(0.3), 0.0);
    }
}
