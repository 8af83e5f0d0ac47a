//! Uniform quantisers: equal steps over a range, nearest level, ties to even.

use mho_data::random::Stream;

use super::Real;
use crate::vector::wide;

/// Levels `origin + i step` that fill [lo, hi].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform<T> {
    origin: T,
    step: T,
    per_step: T,
    lo: T,
    hi: T,
    /// Beyond these a value is more than half a step outside: it saturates.
    limits: [T; 2],
}

impl<T: Real> Uniform<T> {
    /// 2^`bits` levels over [lo, hi], both ends included. Zero is a level only where it falls on one.
    /// `bits` is limited to what the precision counts exactly; an empty or endless range has the
    /// one level `lo`.
    pub fn new(bits: u32, lo: f64, hi: f64) -> Self {
        let levels = (2.0_f64).powi(bits.min(T::BITS) as i32);
        let step = (hi - lo) / (levels - 1.0);
        // Counted from zero where zero is a level, so that it is one exactly.
        let below = lo / step;
        let zero = (below - below.round()).abs() < 1e-9 && lo <= 0.0 && hi >= 0.0;
        Self::with_step(if zero { 0.0 } else { lo }, step, lo, hi)
    }

    /// 2^`bits` - 1 levels over [-max, max] (a sign and `bits` - 1 bits of magnitude), zero among them.
    pub fn sign_magnitude(bits: u32, max: f64) -> Self {
        let steps = (2.0_f64).powi(bits.min(T::BITS) as i32 - 1) - 1.0;
        Self::with_step(0.0, max / steps, -max, max)
    }

    fn with_step(origin: f64, step: f64, lo: f64, hi: f64) -> Self {
        if !(step > 0.0 && step.is_finite()) {
            let lo = if lo.is_finite() { T::of(lo) } else { T::default() };
            let (step, per_step) = (T::default(), T::default());
            return Self { origin: lo, step, per_step, lo, hi: lo, limits: [lo, lo] };
        }
        Self {
            origin: T::of(origin),
            step: T::of(step),
            per_step: T::of(1.0 / step),
            lo: T::of(lo),
            hi: T::of(hi),
            limits: [T::of(lo - 0.5 * step), T::of(hi + 0.5 * step)],
        }
    }

    /// The same, which counts no saturation where it changes nothing between `lo` and `hi`: at an end of the
    /// range that lies beyond one of these.
    #[must_use]
    pub(crate) fn counting(mut self, [lo, hi]: [T; 2]) -> Self {
        if self.limits[0] <= lo {
            self.limits[0] = T::of(f64::NEG_INFINITY);
        }
        if self.limits[1] >= hi {
            self.limits[1] = T::of(f64::INFINITY);
        }
        self
    }

    /// Distance of two levels.
    pub fn step(&self) -> T {
        self.step
    }

    /// First and last level.
    pub fn range(&self) -> [T; 2] {
        [self.lo, self.hi]
    }

    /// Whether a value lies so far outside that its error exceeds half a step; a NaN does.
    #[inline(always)]
    pub fn saturates(&self, x: T) -> bool {
        !(x >= self.limits[0] && x <= self.limits[1])
    }

    /// The level nearest to `x`; the first one for a NaN.
    #[inline(always)]
    pub fn convert(&self, x: T) -> T {
        let inside = x.max(self.lo).min(self.hi);
        self.origin + ((inside - self.origin) * self.per_step).nearest() * self.step
    }

    /// Quantises in place; returns how many values saturated. The widest vectors of the machine are
    /// used; they do the same operations, so that results are equal on every machine.
    pub fn convert_all(&self, values: &mut [T]) -> u64 {
        let converter = *self;
        wide(
            #[inline(always)]
            move || {
                count::<T>(values.iter_mut().map(|x| {
                    let saturates = converter.saturates(*x);
                    *x = converter.convert(*x);
                    saturates
                }))
            },
        )
    }

    /// Quantises `scale` times each value; returns how many saturated.
    pub fn convert_scaled(&self, values: &[T], scale: T, levels: &mut [T]) -> u64 {
        let converter = *self;
        wide(
            #[inline(always)]
            move || {
                count::<T>(values.iter().zip(levels).map(|(&x, level)| {
                    let x = x * scale;
                    *level = converter.convert(x);
                    converter.saturates(x)
                }))
            },
        )
    }

    /// Adds `worth` times the level of each value to `sums`; returns how many saturated. For loops that
    /// run in [`wide`] already.
    #[inline(always)]
    pub(crate) fn add_levels(&self, values: &[T], worth: T, sums: &mut [T]) -> u64 {
        let converter = *self;
        count::<T>(values.iter().zip(sums).map(|(&x, sum)| {
            *sum += worth * converter.convert(x);
            converter.saturates(x)
        }))
    }

    /// As [`Uniform::add_levels`] with levels of others subtracted.
    #[inline(always)]
    pub(crate) fn add_differences(&self, values: &[T], others: &[T], worth: T, sums: &mut [T]) -> u64 {
        let converter = *self;
        count::<T>(values.iter().zip(others).zip(sums).map(|((&x, &other), sum)| {
            *sum += worth * (converter.convert(x) - other);
            converter.saturates(x)
        }))
    }

    /// Quantises in place with stochastic rounding: up with the probability of the remainder, so that
    /// the expectation is the value itself. Value `i` uses number `start + i` of `stream`. Returns how
    /// many values saturated.
    pub fn convert_stochastic(&self, values: &mut [T], stream: &Stream, start: u64) -> u64 {
        let mut saturated = 0;
        for (index, x) in (start..).zip(values) {
            saturated += u64::from(self.saturates(*x));
            let inside = x.max(self.lo).min(self.hi);
            let steps = ((inside - self.origin) * self.per_step).to_f64();
            let level = (steps + stream.uniform(index)).floor();
            // Rounding up from the last level is possible only by the rounding of `steps` itself.
            *x = (self.origin + T::of(level) * self.step).min(self.hi);
        }
        saturated
    }
}

/// How many are true, counted in numbers as wide as the values: a row of 2^32 saturated ones is none that
/// fits into memory.
#[inline(always)]
fn count<T: Real>(saturated: impl Iterator<Item = bool>) -> u64 {
    saturated
        .fold(T::Counter::default(), |mut sum, one| {
            sum += T::Counter::from(one);
            sum
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nearest_monotone_idempotent(
            bits in 1u32..14, lo in -50.0f64..0.0, width in 0.01f64..50.0, a in -120.0f64..120.0, b in -120.0f64..120.0,
        ) {
            let hi = lo + width;
            for q in [Uniform::<f64>::new(bits, lo, hi), Uniform::sign_magnitude(bits + 1, hi.abs().max(0.1))] {
                let [least, most] = q.range();
                // Of the size of the numbers that round when a level is formed.
                let tolerance = 1e-13 * (least.abs() + most.abs());
                let level = q.convert(a);
                prop_assert!((q.convert(level) - level).abs() <= tolerance);
                prop_assert!(a > b || level <= q.convert(b) + tolerance);
                prop_assert!((level - a.clamp(least, most)).abs() <= 0.5 * q.step() + tolerance);
                let mut values = [a, b];
                let expected = u64::from(q.saturates(a)) + u64::from(q.saturates(b));
                prop_assert_eq!(q.convert_all(&mut values), expected);
                prop_assert_eq!(values[0], level);
            }
        }
    }

    #[test]
    fn single_precision_counts_as_double_does() {
        let mut single: Vec<f32> = (0..3000).map(|i| (i as f32 - 1500.0) / 1000.0).collect();
        let mut double: Vec<f64> = single.iter().map(|&x| f64::from(x)).collect();
        let n32 = Uniform::<f32>::sign_magnitude(8, 1.0).convert_all(&mut single);
        let n64 = Uniform::<f64>::sign_magnitude(8, 1.0).convert_all(&mut double);
        assert_eq!(n32, n64);
        let worst = single.iter().zip(&double).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-6, "{worst}"); // a few units in the last place of f32
    }

    #[test]
    fn wild_ranges_and_values() {
        for (lo, hi) in [(0.0, 0.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (3.0, -3.0)] {
            let q = Uniform::<f64>::new(8, lo, hi);
            for x in [f64::NAN, f64::INFINITY, -1e300, 0.0] {
                assert!(q.convert(x).is_finite());
            }
        }
        let q = Uniform::<f64>::new(8, -1.0, 1.0);
        assert_eq!(q.convert_all(&mut [f64::NAN, 0.1, f64::INFINITY, 1.0, -1.001]), 2);
    }

    /// Bound: five standard errors of a mean of n Bernoulli trials of one step.
    #[test]
    fn stochastic_rounding_keeps_the_mean() {
        let q = Uniform::<f64>::new(4, -1.0, 1.0);
        let stream = Stream::new(1, &["rounding"], &[]);
        let n = 40_000;
        for x in [-0.97, -0.3, 0.0, 0.0123, 0.99] {
            let mut values = vec![x; n];
            assert_eq!(q.convert_stochastic(&mut values, &stream, 0), 0);
            let mean = values.iter().sum::<f64>() / n as f64;
            assert!((mean - x).abs() < 5.0 * 0.5 * q.step() / (n as f64).sqrt(), "{x} {mean}");
            assert!(values.iter().all(|v| (v - x).abs() < q.step()));
        }
    }
}
