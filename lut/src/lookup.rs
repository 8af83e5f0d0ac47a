//! Where a number lies among ascending knots, in constant time.

use crate::pchip::Piece;

/// Buckets at most: finer knots than the range over this are found by a short walk.
const MOST_BUCKETS: usize = 4096;

/// A place among knots: in the interval from knot `i` on, at the part `t` of it. At or beyond the last
/// knot `i` is that knot and `t` is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) i: usize,
    pub(crate) t: f64,
}

/// Ascending knots with an inverse of their positions: equal buckets over the range, each of which knows
/// the last knot before it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Lookup {
    knots: Vec<f64>,
    intervals: Vec<Interval>,
    pieces: Vec<Piece>,
    first: f64,
    last: f64,
    buckets_per_unit: f64,
    start: Vec<u32>,
}

/// The interval from a knot on; no length, and no end, from the last.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Interval {
    from: f64,
    /// 1 / length.
    inverse: f64,
    /// Infinity behind the last knot, beyond which nothing is placed.
    to: f64,
}

impl Lookup {
    /// Of ascending, finite knots.
    pub(crate) fn new(knots: Vec<f64>) -> Self {
        let (Some(&first), Some(&last)) = (knots.first(), knots.last()) else { return Self::default() };
        let end = Interval { from: last, inverse: 0.0, to: f64::INFINITY };
        let between =
            |pair: &[f64]| Interval { from: pair[0], inverse: 1.0 / (pair[1] - pair[0]), to: pair[1] };
        let intervals: Vec<Interval> = knots.windows(2).map(between).chain([end]).collect();
        let narrowest = intervals.iter().map(|interval| interval.inverse).fold(0.0, f64::max);
        // One bucket per narrowest interval; `as` saturates for intervals below any resolution.
        let count = (((last - first) * narrowest).ceil() as usize).clamp(1, MOST_BUCKETS);
        let buckets_per_unit = if last > first { count as f64 / (last - first) } else { 0.0 };
        let start = vec![0; count];
        let pieces = Piece::between(&knots);
        let mut lookup = Self { knots, intervals, pieces, first, last, buckets_per_unit, start };
        // The bucket of a number never falls as the number rises, so every knot in an earlier bucket is
        // smaller than the number: the walk from the last of them on is right whatever the rounding.
        let buckets: Vec<usize> = lookup.knots.iter().map(|&knot| lookup.bucket(knot)).collect();
        for (bucket, start) in lookup.start.iter_mut().enumerate() {
            *start = buckets.partition_point(|&b| b < bucket).saturating_sub(1) as u32;
        }
        lookup
    }

    pub(crate) fn knots(&self) -> &[f64] {
        &self.knots
    }

    /// The interval from every knot on, as curves need it.
    #[inline(always)]
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    #[inline(always)]
    fn bucket(&self, x: f64) -> usize {
        (((x - self.first) * self.buckets_per_unit) as usize).min(self.start.len().saturating_sub(1))
    }

    /// Where `x` lies; below the first knot it is moved there.
    #[inline(always)]
    pub(crate) fn place(&self, x: f64) -> Place {
        let Some(&start) = self.start.get(self.bucket(x)) else { return Place { i: 0, t: 0.0 } };
        let x = if x > self.last { self.last } else { x };
        // The first step without a branch: where numbers come in no order, nobody could foresee it. More of them
        // are rare.
        let mut i = start as usize;
        i += usize::from(self.intervals[i].to <= x);
        while self.intervals[i].to <= x {
            i += 1;
        }
        let Interval { from, inverse, .. } = self.intervals[i];
        Place { i, t: ((x - from) * inverse).clamp(0.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_and_degenerate_knots_have_places() {
        assert_eq!(Lookup::new(vec![]).place(1.0), Place { i: 0, t: 0.0 });
        assert_eq!(Lookup::new(vec![2.0]).place(5.0), Place { i: 0, t: 0.0 });
        let two = Lookup::new(vec![1.0, 3.0]);
        assert_eq!(two.place(0.0), Place { i: 0, t: 0.0 });
        assert_eq!(two.place(2.0), Place { i: 0, t: 0.5 });
        assert_eq!(two.place(3.0), Place { i: 1, t: 0.0 });
        assert_eq!(two.place(f64::INFINITY), Place { i: 1, t: 0.0 });
    }

    proptest! {
        /// The same interval as a binary search finds, for spacings over nine decades.
        #[test]
        fn places_are_those_of_a_binary_search(
            steps in prop::collection::vec(-8.0_f64..1.0, 1..60),
            parts in prop::collection::vec(-0.1_f64..1.1, 1..50),
        ) {
            let mut knots = vec![-0.7];
            for step in steps {
                knots.push(knots[knots.len() - 1] + 10.0_f64.powf(step));
            }
            let lookup = Lookup::new(knots.clone());
            let (first, last) = (knots[0], knots[knots.len() - 1]);
            for x in parts.into_iter().map(|part| first + part * (last - first)).chain(knots.clone()) {
                let wanted = knots.partition_point(|&knot| knot <= x).max(1) - 1;
                prop_assert_eq!(lookup.place(x).i, wanted);
            }
        }
    }
}
