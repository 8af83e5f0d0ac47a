//! Where a number lies among ascending knots, in constant time.

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
    /// 1 / length of the interval from each knot on.
    inverse: Vec<f64>,
    first: f64,
    buckets_per_unit: f64,
    start: Vec<u32>,
}

impl Lookup {
    /// Of ascending, finite knots.
    pub(crate) fn new(knots: Vec<f64>) -> Self {
        let (Some(&first), Some(&last)) = (knots.first(), knots.last()) else { return Self::default() };
        let inverse: Vec<f64> = knots.windows(2).map(|pair| 1.0 / (pair[1] - pair[0])).chain([0.0]).collect();
        let narrowest = inverse.iter().copied().fold(0.0, f64::max);
        // One bucket per narrowest interval; `as` saturates for intervals below any resolution.
        let count = (((last - first) * narrowest).ceil() as usize).clamp(1, MOST_BUCKETS);
        let buckets_per_unit = if last > first { count as f64 / (last - first) } else { 0.0 };
        let mut lookup = Self { inverse, first, buckets_per_unit, start: vec![0; count], knots };
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

    /// 1 / length of the interval from knot `i` on.
    #[inline]
    pub(crate) fn inverse(&self, i: usize) -> f64 {
        self.inverse[i]
    }

    #[inline]
    fn bucket(&self, x: f64) -> usize {
        (((x - self.first) * self.buckets_per_unit) as usize).min(self.start.len().saturating_sub(1))
    }

    /// Where `x` lies; below the first knot it is moved there.
    #[inline]
    pub(crate) fn place(&self, x: f64) -> Place {
        let Some(&start) = self.start.get(self.bucket(x)) else { return Place { i: 0, t: 0.0 } };
        let mut i = start as usize;
        while i + 1 < self.knots.len() && self.knots[i + 1] <= x {
            i += 1;
        }
        if i + 1 == self.knots.len() {
            return Place { i, t: 0.0 };
        }
        Place { i, t: ((x - self.knots[i]) * self.inverse[i]).clamp(0.0, 1.0) }
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
