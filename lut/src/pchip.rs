//! Shape-preserving cubic interpolation: monotone data give a monotone curve.
//!
//! Piecewise cubic Hermite with the slopes of Fritsch and Butland (SIAM J. Sci. Stat. Comput. 5, 300,
//! 1984) as used by PCHIP: the weighted harmonic mean of the neighbouring secants, zero at extrema.

use crate::lookup::{Lookup, Place};

/// Polynomial `c0 + t (c1 + t (c2 + t c3))` of an interval, with t from 0 to 1 in it.
pub(crate) type Cubic = [f64; 4];

/// The value of a polynomial.
#[inline]
pub(crate) fn value([c0, c1, c2, c3]: &Cubic, t: f64) -> f64 {
    c0 + t * (c1 + t * (c2 + t * c3))
}

/// The polynomials of a curve through `ys` at the knots, one from every knot on; constant from the last.
pub(crate) fn cubics(knots: &Lookup, ys: &[f64]) -> Vec<Cubic> {
    let cubic = |(i, piece): (usize, &Piece)| {
        let values = piece.around(i, |k| ys[k]);
        let [_, y0, y1, _] = values;
        let [m0, m1] = piece.slopes(values).map(|slope| piece.h[1] * slope);
        let rise = y1 - y0;
        [y0, m0, 3.0 * rise - 2.0 * m0 - m1, m0 + m1 - 2.0 * rise]
    };
    knots.pieces().iter().enumerate().map(cubic).collect()
}

/// A place among knots, prepared for curves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    place: Place,
    piece: &'a Piece,
    weights: Weights,
}

impl<'a> At<'a> {
    #[inline]
    pub(crate) fn new(knots: &'a Lookup, place: Place) -> Self {
        let piece = &knots.pieces()[place.i];
        Self { place, piece, weights: piece.weights(place.t) }
    }

    /// The interpolated value, with `y(k)` the value at knot `k`.
    #[inline]
    pub(crate) fn evaluate(&self, y: impl Fn(usize) -> f64) -> f64 {
        if self.place.t == 0.0 {
            return y(self.place.i);
        }
        let values = self.piece.around(self.place.i, y);
        hermite(self.weights, [values[1], values[2]], self.piece.slopes(values))
    }
}

/// As [`At::evaluate`], once.
pub(crate) fn evaluate(knots: &Lookup, place: Place, y: impl Fn(usize) -> f64) -> f64 {
    At::new(knots, place).evaluate(y)
}

/// Slopes of a curve at its knots.
pub(crate) fn slopes(knots: &Lookup, ys: &[f64]) -> Vec<f64> {
    let pieces = knots.pieces();
    let at = |i: usize| pieces[i].slopes(pieces[i].around(i, |k| ys[k]));
    // The last knot ends the interval before it, if there is one.
    let last = pieces.len().saturating_sub(1);
    let end = if last > 0 { at(last - 1)[1] } else { 0.0 };
    (0..last).map(|i| at(i)[0]).chain([end]).take(pieces.len()).collect()
}

/// The interval from a knot on, with those beside it, as curves through values at the knots need them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    /// Lengths of the interval before, the interval itself and the one after; 0 where there is none.
    h: [f64; 3],
    /// One over the lengths; 0 where there is none.
    inverse: [f64; 3],
    /// Weights of the harmonic means at the two ends: of the secant before, the one after, and both.
    means: [[f64; 3]; 2],
    /// Whether there is an interval before, and one after.
    sides: [bool; 2],
}

/// What the rise over an interval, and the slopes at its two ends, weigh at a place in it.
pub(crate) type Weights = [f64; 3];

impl Piece {
    /// The intervals from every knot on.
    pub(crate) fn between(knots: &[f64]) -> Vec<Self> {
        let h = |k: Option<usize>| k.filter(|k| k + 1 < knots.len()).map_or(0.0, |k| knots[k + 1] - knots[k]);
        let piece = |i: usize| {
            let h = [h(i.checked_sub(1)), h(Some(i)), h(Some(i + 1))];
            let mean = |h0: f64, h1: f64| {
                let (before, after) = (2.0 * h1 + h0, h1 + 2.0 * h0);
                [before, after, before + after]
            };
            Self {
                h,
                inverse: h.map(|h| if h > 0.0 { 1.0 / h } else { 0.0 }),
                means: [mean(h[0], h[1]), mean(h[1], h[2])],
                sides: [h[1] > 0.0 && h[0] > 0.0, h[2] > 0.0],
            }
        };
        (0..knots.len()).map(piece).collect()
    }

    /// The values at the node before interval `i`, at its ends, and at the node after; where there is no such
    /// node, that of the nearest in its place, which weighs nothing.
    #[inline(always)]
    fn around(&self, i: usize, y: impl Fn(usize) -> f64) -> [f64; 4] {
        let y0 = y(i);
        let y1 = if self.h[1] > 0.0 { y(i + 1) } else { y0 };
        let [before, after] = self.sides;
        [if before { y(i - 1) } else { y0 }, y0, y1, if after { y(i + 2) } else { y1 }]
    }

    /// Weights at the part `t` of the interval.
    #[inline(always)]
    pub(crate) fn weights(&self, t: f64) -> Weights {
        let (h, rest) = (self.h[1], 1.0 - t);
        [t * t * (3.0 - 2.0 * t), h * t * rest * rest, -h * t * t * rest]
    }

    /// Many curves at a place, each with its four values. The sides are asked before the loop, so that it has no
    /// branches and becomes one over vectors.
    #[inline(always)]
    pub(crate) fn values<const L: usize>(
        &self,
        weights: Weights,
        values: impl Fn(usize) -> [f64; 4],
    ) -> [f64; L] {
        match self.sides {
            [true, true] => self.all::<true, true, L>(weights, values),
            [false, true] => self.all::<false, true, L>(weights, values),
            [true, false] => self.all::<true, false, L>(weights, values),
            [false, false] => self.all::<false, false, L>(weights, values),
        }
    }

    #[inline(always)]
    fn all<const BEFORE: bool, const AFTER: bool, const L: usize>(
        &self,
        weights: Weights,
        values: impl Fn(usize) -> [f64; 4],
    ) -> [f64; L] {
        let mut out = [0.0; L];
        for (lane, out) in out.iter_mut().enumerate() {
            let values = values(lane);
            *out = hermite(weights, [values[1], values[2]], self.slopes_with::<BEFORE, AFTER>(values));
        }
        out
    }

    /// Slopes at the two ends of the interval.
    #[inline(always)]
    fn slopes(&self, values: [f64; 4]) -> [f64; 2] {
        match self.sides {
            [true, true] => self.slopes_with::<true, true>(values),
            [false, true] => self.slopes_with::<false, true>(values),
            [true, false] => self.slopes_with::<true, false>(values),
            [false, false] => self.slopes_with::<false, false>(values),
        }
    }

    #[inline(always)]
    fn slopes_with<const BEFORE: bool, const AFTER: bool>(&self, y: [f64; 4]) -> [f64; 2] {
        let secant = |k: usize| (y[k + 1] - y[k]) * self.inverse[k];
        let (before, own, after) = (secant(0), secant(1), secant(2));
        let [h0, h, h1] = self.h;
        let first = match (BEFORE, AFTER) {
            (true, _) => inner(self.means[0], before, own),
            (false, true) => end((h, own), (h1, after)),
            (false, false) => own,
        };
        let second = match (BEFORE, AFTER) {
            (_, true) => inner(self.means[1], own, after),
            (true, false) => end((h, own), (h0, before)),
            (false, false) => own,
        };
        [first, second]
    }
}

/// The value between those of two ends with their slopes.
#[inline(always)]
pub(crate) fn hermite([rise, first, second]: Weights, [y0, y1]: [f64; 2], [m0, m1]: [f64; 2]) -> f64 {
    y0 + ((y1 - y0) * rise + (m0 * first + m1 * second))
}

/// Slope at a knot between two intervals: the harmonic mean of the secants, written with one division.
#[inline(always)]
fn inner([w0, w1, both]: [f64; 3], s0: f64, s1: f64) -> f64 {
    let mean = both * s0 * (s1 / (w0 * s1 + w1 * s0));
    if s0 * s1 <= 0.0 { 0.0 } else { mean }
}

/// Slope at an end: the parabola through three nodes, limited so that the curve keeps its shape.
#[inline(always)]
fn end((h, secant): (f64, f64), (h1, s1): (f64, f64)) -> f64 {
    let slope = ((2.0 * h + h1) * secant - h * s1) / (h + h1);
    let limited = if secant * s1 <= 0.0 && slope.abs() > 3.0 * secant.abs() { 3.0 * secant } else { slope };
    if slope * secant <= 0.0 { 0.0 } else { limited }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(xs: &[f64], ys: &[f64], x: f64) -> f64 {
        let knots = Lookup::new(xs.to_vec());
        evaluate(&knots, knots.place(x), |k| ys[k])
    }

    #[test]
    fn nodes_are_met_and_lines_are_exact() {
        let xs = [0.0, 0.3, 1.0, 4.0];
        let ys = xs.map(|x| 2.0 - 0.7 * x);
        for x in [0.0, 0.1, 0.3, 0.9, 2.0, 4.0] {
            assert!((at(&xs, &ys, x) - (2.0 - 0.7 * x)).abs() < 1e-14);
        }
        assert_eq!(at(&xs, &[1.0, 5.0, 2.0, 2.0], 1.0), 2.0);
        assert_eq!(at(&[2.0], &[7.0], 2.0), 7.0);
    }

    /// Fourth-order accuracy on smooth monotone data, at least second order as Fritsch and Butland
    /// slopes give: halving the spacing divides the error by four or more.
    #[test]
    fn error_falls_with_the_square_of_the_spacing() {
        let error = |n: usize| {
            let xs: Vec<f64> = (0..=n).map(|i| i as f64 / n as f64).collect();
            let ys: Vec<f64> = xs.iter().map(|x| x.exp()).collect();
            (0..1000)
                .map(|i| f64::from(i) / 999.0)
                .fold(0.0_f64, |m, x| m.max((at(&xs, &ys, x) - x.exp()).abs()))
        };
        assert!(error(8) / error(16) > 3.9 && error(16) / error(32) > 3.9);
    }

    proptest! {
        #[test]
        fn monotone_data_give_a_monotone_curve(steps in prop::collection::vec((0.01_f64..2.0, 0.0_f64..3.0), 2..10)) {
            let mut xs = vec![0.0];
            let mut ys = vec![0.0];
            for (dx, dy) in steps {
                xs.push(xs[xs.len() - 1] + dx);
                ys.push(ys[ys.len() - 1] + dy);
            }
            let end = xs[xs.len() - 1];
            let mut last = f64::NEG_INFINITY;
            for i in 0..=400 {
                let y = at(&xs, &ys, end * f64::from(i) / 400.0);
                prop_assert!(y >= last - 1e-12);
                last = y;
            }
        }
    }
}
