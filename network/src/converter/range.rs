//! Ranges of converters, found from the values that they will meet.
//!
//! Every function takes its values sorted ([`sort`] does it). Ends are percentiles: a range
//! leaves out a fraction of the values on each side it may cut.

use argmin::core::{CostFunction, Error, Executor, State};
use argmin::solver::neldermead::NelderMead;

use super::Uniform;
use crate::vector::wide;

/// Which end of a range is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// 0 to a percentile.
    Upper,
    /// Minus to plus a percentile of magnitudes, with 2^b - 1 levels of sign and magnitude.
    Symmetric,
    /// A percentile on either side.
    Both,
}

/// Sorts the finite values among `values`; what is not finite has no place in a range.
pub fn sort(mut values: Vec<f64>) -> Vec<f64> {
    values.retain(|x| x.is_finite());
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Percentile (percent) of sorted values, linear between order statistics; 0 without values.
pub fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = (percent / 100.0).clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

/// The range that leaves out 100 - `percent` percent of the values at each end that `ends` may cut.
pub fn at_percentile(sorted: &[f64], percent: f64, ends: Ends) -> [f64; 2] {
    let magnitudes = Magnitudes::new(sorted, ends);
    let cut = 1.0 - percent / 100.0;
    magnitudes.range([cut, cut])
}

/// The range with the smallest sum of absolute errors of a uniform converter of `bits` bits (0: the
/// extreme values themselves). Nelder and Mead's search on the logarithm of the fractions that are cut,
/// from the best point of a grid: the error is a function with steps and several minima.
pub fn minimum_error(sorted: &[f64], bits: u32, ends: Ends) -> [f64; 2] {
    search(sorted, Errors::Plain(sorted), bits, ends)
}

/// As [`minimum_error`] for values of which not all counts: with the smallest sum of the errors that are left between
/// the ends that are kept. `sorted` are the same values as far as they are of use, sorted.
pub(crate) fn minimum_error_of(samples: &[Sample], sorted: &[f64], bits: u32, ends: Ends) -> [f64; 2] {
    let all = samples.iter().all(|sample| sample.kept == Sample::ALL);
    let errors = if all { Errors::Plain(sorted) } else { Errors::Kept(samples) };
    search(sorted, errors, bits, ends)
}

/// A value that a converter meets, and what counts of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The value.
    pub value: f64,
    /// Ends beyond which all values are as good as they.
    pub kept: [f64; 2],
}

impl Sample {
    /// Ends of a value that counts wherever it lies.
    pub(crate) const ALL: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

    /// The value, or the end that is as good.
    pub(crate) fn of_use(&self) -> f64 {
        self.value.max(self.kept[0]).min(self.kept[1])
    }
}

fn search(sorted: &[f64], errors: Errors<'_>, bits: u32, ends: Ends) -> [f64; 2] {
    let values = Magnitudes::new(sorted, ends);
    let whole = values.range([0.0, 0.0]);
    if bits == 0 || sorted.is_empty() {
        return whole;
    }
    let cost = Cost { values: &values, errors, bits };
    let mut best = Best { range: whole, error: cost.error(whole) };
    // Half decades, one end after the other.
    let mut start = [DECADES, DECADES];
    for end in if ends == Ends::Both { vec![0, 1, 0] } else { vec![1] } {
        let mut lowest = f64::INFINITY;
        let mut at = start;
        for half_decade in 0..=(-2.0 * DECADES) as u32 {
            let mut trial = start;
            trial[end] = -0.5 * f64::from(half_decade) - f64::EPSILON;
            let error = best.consider(&cost, trial);
            if error < lowest {
                (lowest, at) = (error, trial);
            }
        }
        start = at;
    }
    let corner = |end: usize| {
        let mut corner = start.to_vec();
        corner[end] += 0.3;
        corner
    };
    let simplex = match ends {
        Ends::Both => vec![start.to_vec(), corner(0), corner(1)],
        Ends::Upper | Ends::Symmetric => vec![start[1..].to_vec(), corner(1)[1..].to_vec()],
    };
    // Converged when the errors of a simplex differ by less than a millionth.
    let solver = NelderMead::new(simplex).with_sd_tolerance(1e-6 * best.error.max(f64::MIN_POSITIVE));
    let found = solver
        .and_then(|solver| Executor::new(cost, solver).configure(|state| state.max_iters(200)).run())
        .ok()
        .and_then(|result| result.state().get_best_param().cloned());
    if let Some(logarithms) = found {
        let last = logarithms.len() - 1;
        best.consider(&cost, [logarithms[0], logarithms[last]]);
    }
    best.range
}

/// The best range so far.
struct Best {
    range: [f64; 2],
    error: f64,
}

impl Best {
    /// Takes the range of these logarithms if it is better; returns its error.
    fn consider(&mut self, cost: &Cost<'_>, logarithms: [f64; 2]) -> f64 {
        let range = cost.values.range(logarithms.map(fraction));
        let error = cost.error(range);
        if error < self.error {
            *self = Self { range, error };
        }
        error
    }
}

/// The smallest of +-`full`/2^k that holds the given percentile (percent) on both sides: ranges that
/// differ by whole bits need only shifts to add codes of different slices.
pub fn power_of_two(sorted: &[f64], percent: f64, full: f64) -> [f64; 2] {
    let most = percentile(sorted, percent).abs().max(percentile(sorted, 100.0 - percent).abs());
    let shift = if most > 0.0 { (full / most).log2().floor().clamp(0.0, 1000.0) } else { 0.0 };
    let end = full / shift.exp2();
    [-end, end]
}

/// Smallest fraction that the search leaves out (decades), as good as none.
const DECADES: f64 = -6.0;

/// Fraction cut for a logarithm (base 10); at most half of the values.
fn fraction(logarithm: f64) -> f64 {
    (10.0_f64).powf(logarithm).min(0.5)
}

/// Sorted values as the ends of a range see them.
struct Magnitudes {
    values: Vec<f64>,
    ends: Ends,
}

impl Magnitudes {
    fn new(sorted: &[f64], ends: Ends) -> Self {
        let values = match ends {
            Ends::Symmetric => sort(sorted.iter().map(|x| x.abs()).collect()),
            Ends::Upper | Ends::Both => sorted.to_vec(),
        };
        Self { values, ends }
    }

    /// Range that cuts these fractions below and above.
    fn range(&self, [below, above]: [f64; 2]) -> [f64; 2] {
        let high = percentile(&self.values, 100.0 * (1.0 - above));
        match self.ends {
            Ends::Upper => [0.0, high.max(0.0)],
            Ends::Symmetric => [-high, high],
            Ends::Both => [percentile(&self.values, 100.0 * below), high],
        }
    }
}

/// Sum of absolute quantisation errors as a function of the logarithms of the cut fractions.
#[derive(Clone, Copy)]
struct Cost<'a> {
    values: &'a Magnitudes,
    errors: Errors<'a>,
    bits: u32,
}

/// Of what errors are summed.
#[derive(Clone, Copy)]
enum Errors<'a> {
    /// Of values that count wherever they lie.
    Plain(&'a [f64]),
    /// Of values with what counts of them.
    Kept(&'a [Sample]),
}

impl Cost<'_> {
    fn error(&self, [lo, hi]: [f64; 2]) -> f64 {
        let converter = match self.values.ends {
            Ends::Symmetric => Uniform::<f64>::sign_magnitude(self.bits.max(2), hi),
            Ends::Upper | Ends::Both => Uniform::new(self.bits, lo, hi),
        };
        match self.errors {
            Errors::Plain(values) => sum(values, |&x| (x - converter.convert(x)).abs()),
            Errors::Kept(samples) => sum(samples, |sample| {
                let converted = Sample { value: converter.convert(sample.value), ..*sample };
                (sample.of_use() - converted.of_use()).abs()
            }),
        }
    }
}

/// The sum of what `of` makes of values, in sums that do not wait for each other.
fn sum<V>(values: &[V], of: impl Fn(&V) -> f64) -> f64 {
    wide(
        #[inline(always)]
        || {
            let mut sums = [0.0; 16];
            let (parts, rest) = values.as_chunks::<16>();
            for part in parts {
                for l in 0..16 {
                    sums[l] += of(&part[l]);
                }
            }
            sums.iter().sum::<f64>() + rest.iter().map(&of).sum::<f64>()
        },
    )
}

impl CostFunction for Cost<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, logarithms: &Self::Param) -> Result<Self::Output, Error> {
        let last = logarithms.len() - 1;
        Ok(self.error(self.values.range([logarithms[0], logarithms[last]].map(fraction))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converter::golden;
    use proptest::prelude::*;

    /// The error has steps, and minima of nearly equal depth side by side: 1e-4 of it is their spread.
    #[test]
    fn as_good_as_the_reference() {
        let Some(data) = golden::npz("golden/crosssim/layers.npz") else { return };
        let relu = sort(data["cal/relu"].values.clone());
        let gauss = sort(data["cal/gauss"].values.clone());
        for (kind, values, ends) in [("input", &relu, Ends::Upper), ("adc", &gauss, Ends::Both)] {
            for bits in [0, 4, 6, 8] {
                let found = minimum_error(values, bits, ends);
                let expected = &data[&format!("cal/{kind}_{bits}")].values;
                if bits == 0 {
                    assert!((found[0] - expected[0]).abs() + (found[1] - expected[1]).abs() < 1e-12);
                    continue;
                }
                let magnitudes = Magnitudes::new(values, ends);
                let cost = Cost { values: &magnitudes, errors: Errors::Plain(values), bits };
                let (ours, theirs) = (cost.error(found), cost.error([expected[0], expected[1]]));
                assert!(
                    ours <= theirs * (1.0 + 1e-4),
                    "{kind} {bits}: {found:?} {ours} {expected:?} {theirs}"
                );
                assert!(ours > 0.9 * theirs, "{kind} {bits}: {ours} {theirs}"); // the same minimum
            }
        }
    }

    /// Of values between -6 and 6 of which 0 to 1 counts, the range holds little more, and values without ends have
    /// the range of the plain search.
    #[test]
    fn ranges_end_with_what_counts() {
        let values: Vec<f64> = (0..2000).map(|i| 12.0 * (f64::from(i) * 0.618_034).fract() - 6.0).collect();
        let sorted = |samples: &[Sample]| sort(samples.iter().map(Sample::of_use).collect());
        let of = |kept| values.iter().map(|&value| Sample { value, kept }).collect::<Vec<_>>();
        let part = of([0.0, 1.0]);
        let [lo, hi] = minimum_error_of(&part, &sorted(&part), 6, Ends::Upper);
        assert!(lo == 0.0 && (0.95..=1.0).contains(&hi), "{lo} {hi}");
        let all = of(Sample::ALL);
        let found = minimum_error_of(&all, &sorted(&all), 6, Ends::Both);
        assert_eq!(found, minimum_error(&sort(values.clone()), 6, Ends::Both));
    }

    #[test]
    fn powers_of_two_equal_the_reference() {
        let Some(data) = golden::npz("golden/crosssim/layers.npz") else { return };
        let expected = &data["cal/adc_sliced_99.99_N128"].values;
        for (slice, values) in data["cal/slices"].values.chunks_exact(20_000).enumerate() {
            let range = power_of_two(&sort(values.to_vec()), 99.99, 128.0);
            assert_eq!(range[..], expected[2 * slice..2 * slice + 2]);
        }
    }

    proptest! {
        #[test]
        fn no_percentile_beats_the_search(
            values in prop::collection::vec(-5.0f64..5.0, 1..200), bits in 2u32..8, percent in 60.0f64..100.0,
        ) {
            let sorted = sort(values);
            for ends in [Ends::Upper, Ends::Symmetric, Ends::Both] {
                let magnitudes = Magnitudes::new(&sorted, ends);
                let cost = Cost { values: &magnitudes, errors: Errors::Plain(&sorted), bits };
                let whole = cost.error(magnitudes.range([0.0, 0.0]));
                let [lo, hi] = minimum_error(&sorted, bits, ends);
                prop_assert!(lo <= hi && cost.error([lo, hi]) <= whole * (1.0 + 1e-12));
                let [lo, hi] = at_percentile(&sorted, percent, ends);
                prop_assert!(lo <= hi);
            }
        }
    }

    #[test]
    fn odd_values() {
        for ends in [Ends::Upper, Ends::Symmetric, Ends::Both] {
            assert_eq!(minimum_error(&sort(vec![f64::NAN, f64::INFINITY]), 8, ends), [0.0, 0.0]);
            for values in [vec![0.0; 5], vec![3.0; 5], vec![-1e300, 1e300]] {
                let [lo, hi] = minimum_error(&sort(values), 8, ends);
                assert!(lo.is_finite() && hi.is_finite() && lo <= hi);
            }
        }
    }
}
