//! Shape-preserving cubic interpolation: monotone data give a monotone curve.
//!
//! Piecewise cubic Hermite with the slopes of Fritsch and Butland (SIAM J. Sci. Stat. Comput. 5, 300,
//! 1984) as used by PCHIP: the weighted harmonic mean of the neighbouring secants, zero at extrema.

use crate::lookup::Place;

/// Polynomial `c0 + t (c1 + t (c2 + t c3))` of an interval, with t from 0 to 1 in it.
pub(crate) type Cubic = [f64; 4];

/// The value of a polynomial.
#[inline]
pub(crate) fn value([c0, c1, c2, c3]: &Cubic, t: f64) -> f64 {
    c0 + t * (c1 + t * (c2 + t * c3))
}

/// The polynomial from node `i` on, with `y(k)` the value at node `k`; constant at the last node.
pub(crate) fn cubic(xs: &[f64], i: usize, y: impl Fn(usize) -> f64) -> Cubic {
    let h = |k: usize| xs[k + 1] - xs[k];
    lanes(xs.len(), h, |k| 1.0 / h(k), i, |k| [y(k)]).map(|[c]| c)
}

/// As [`cubic`] for several curves over the same `n` nodes, with interval `k` of length `h(k)` and 1/`h(k)`
/// known; the same bits for each of them as alone.
#[inline(always)]
pub(crate) fn lanes<const L: usize>(
    n: usize,
    h: impl Fn(usize) -> f64,
    inverse: impl Fn(usize) -> f64,
    i: usize,
    y: impl Fn(usize) -> [f64; L],
) -> [[f64; L]; 4] {
    let y0 = y(i);
    let none = [0.0; L];
    if i + 1 >= n {
        return [y0, none, none, none];
    }
    let y1 = y(i + 1);
    let own = (h(i), secants(inverse(i), &y0, &y1));
    // No closures here: they would be compiled apart, without the vectors of the caller.
    let before = if i > 0 { Some((h(i - 1), secants(inverse(i - 1), &y(i - 1), &y0))) } else { None };
    let after = if i + 2 < n { Some((h(i + 1), secants(inverse(i + 1), &y1, &y(i + 2)))) } else { None };
    let m0 = match &before {
        Some(before) => inner(before, &own),
        None => end(&own, after.as_ref()),
    };
    let m1 = match &after {
        Some(after) => inner(&own, after),
        None => end(&own, before.as_ref()),
    };
    let (mut c1, mut c2, mut c3) = (none, none, none);
    for lane in 0..L {
        let rise = y1[lane] - y0[lane];
        let (m0, m1) = (own.0 * m0[lane], own.0 * m1[lane]);
        (c1[lane], c2[lane], c3[lane]) = (m0, 3.0 * rise - 2.0 * m0 - m1, m0 + m1 - 2.0 * rise);
    }
    [y0, c1, c2, c3]
}

/// The values of several polynomials at the same part of their interval.
#[inline(always)]
pub(crate) fn values<const L: usize>(cubics: &[[f64; L]; 4], t: f64) -> [f64; L] {
    let [c0, c1, c2, c3] = cubics;
    let mut values = [0.0; L];
    for lane in 0..L {
        values[lane] = c0[lane] + t * (c1[lane] + t * (c2[lane] + t * c3[lane]));
    }
    values
}

/// The polynomials of a curve through `ys`, one from every node on.
pub(crate) fn cubics(xs: &[f64], ys: &[f64]) -> Vec<Cubic> {
    (0..xs.len()).map(|i| cubic(xs, i, |k| ys[k])).collect()
}

/// The interpolated value at a place, with `y(k)` the value at node `k`: the same bits as the stored
/// polynomial gives there.
pub(crate) fn evaluate(xs: &[f64], place: Place, y: impl Fn(usize) -> f64) -> f64 {
    if place.t == 0.0 {
        return y(place.i);
    }
    value(&cubic(xs, place.i, y), place.t)
}

/// Slopes of straight lines over an interval of 1 / `inverse`.
#[inline(always)]
fn secants<const L: usize>(inverse: f64, a: &[f64; L], b: &[f64; L]) -> [f64; L] {
    let mut slopes = [0.0; L];
    for lane in 0..L {
        slopes[lane] = (b[lane] - a[lane]) * inverse;
    }
    slopes
}

/// Length of an interval and the secants over it.
type Secants<const L: usize> = (f64, [f64; L]);

/// Slopes at a node between two intervals: harmonic means of the secants, written with one division.
#[inline(always)]
fn inner<const L: usize>((h0, s0): &Secants<L>, (h1, s1): &Secants<L>) -> [f64; L] {
    let (w0, w1) = (2.0 * h1 + h0, h1 + 2.0 * h0);
    let mut slopes = [0.0; L];
    for lane in 0..L {
        let (s0, s1) = (s0[lane], s1[lane]);
        let mean = (w0 + w1) * s0 * (s1 / (w0 * s1 + w1 * s0));
        slopes[lane] = if s0 * s1 <= 0.0 { 0.0 } else { mean };
    }
    slopes
}

/// Slopes at an end: the parabola through three nodes, limited so that the curve keeps its shape.
#[inline(always)]
fn end<const L: usize>((h, secants): &Secants<L>, next: Option<&Secants<L>>) -> [f64; L] {
    let Some((h1, nexts)) = next else { return *secants };
    let mut slopes = [0.0; L];
    for lane in 0..L {
        let (secant, s1) = (secants[lane], nexts[lane]);
        let slope = ((2.0 * h + h1) * secant - h * s1) / (h + h1);
        let limited =
            if secant * s1 <= 0.0 && slope.abs() > 3.0 * secant.abs() { 3.0 * secant } else { slope };
        slopes[lane] = if slope * secant <= 0.0 { 0.0 } else { limited };
    }
    slopes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::Lookup;
    use proptest::prelude::*;

    fn at(xs: &[f64], ys: &[f64], x: f64) -> f64 {
        evaluate(xs, Lookup::new(xs.to_vec()).place(x), |k| ys[k])
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
