//! Shape-preserving cubic interpolation: monotone data give a monotone curve.
//!
//! Piecewise cubic Hermite with the slopes of Fritsch and Butland (SIAM J. Sci. Stat. Comput. 5, 300,
//! 1984) as used by PCHIP: the weighted harmonic mean of the neighbouring secants, zero at extrema.

/// The nodes and weights of an interpolation at one place: `sum(weights[k] * y[first + k])` would not
/// do, because the slopes depend on the values; so this holds the place only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// Interval: between node `i` and `i + 1`.
    pub(crate) i: usize,
    /// Position in it, 0 to 1.
    pub(crate) t: f64,
}

/// Where `x` lies among ascending `xs`; clamped to their range.
pub(crate) fn place(xs: &[f64], x: f64) -> Place {
    if xs.len() < 2 {
        return Place { i: 0, t: 0.0 };
    }
    let i = xs.partition_point(|&node| node <= x).clamp(1, xs.len() - 1) - 1;
    Place { i, t: ((x - xs[i]) / (xs[i + 1] - xs[i])).clamp(0.0, 1.0) }
}

/// The interpolated value at a place, with `y(k)` the value at node `k`.
pub(crate) fn evaluate(xs: &[f64], place: Place, y: impl Fn(usize) -> f64) -> f64 {
    let Place { i, t } = place;
    if xs.len() < 2 || t == 0.0 {
        return y(i);
    }
    if t == 1.0 {
        return y(i + 1);
    }
    let h = xs[i + 1] - xs[i];
    let (y0, y1) = (y(i), y(i + 1));
    let secant = (y1 - y0) / h;
    let before = (i > 0).then(|| (xs[i] - xs[i - 1], (y0 - y(i - 1)) / (xs[i] - xs[i - 1])));
    let after =
        (i + 2 < xs.len()).then(|| (xs[i + 2] - xs[i + 1], (y(i + 2) - y1) / (xs[i + 2] - xs[i + 1])));
    let m0 = before.map_or_else(|| end(h, secant, after), |(hb, sb)| inner(hb, sb, h, secant));
    let m1 = after.map_or_else(|| end(h, secant, before), |(ha, sa)| inner(h, secant, ha, sa));
    let (t2, t3) = (t * t, t * t * t);
    (2.0 * t3 - 3.0 * t2 + 1.0) * y0
        + (t3 - 2.0 * t2 + t) * h * m0
        + (3.0 * t2 - 2.0 * t3) * y1
        + (t3 - t2) * h * m1
}

/// Slope at a node between two intervals.
fn inner(h0: f64, s0: f64, h1: f64, s1: f64) -> f64 {
    if s0 * s1 <= 0.0 {
        return 0.0;
    }
    let (w0, w1) = (2.0 * h1 + h0, h1 + 2.0 * h0);
    (w0 + w1) / (w0 / s0 + w1 / s1)
}

/// Slope at an end: the parabola through three nodes, limited so that the curve keeps its shape.
fn end(h: f64, secant: f64, next: Option<(f64, f64)>) -> f64 {
    let Some((h1, s1)) = next else { return secant };
    let slope = ((2.0 * h + h1) * secant - h * s1) / (h + h1);
    if slope * secant <= 0.0 {
        0.0
    } else if secant * s1 <= 0.0 && slope.abs() > 3.0 * secant.abs() {
        3.0 * secant
    } else {
        slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(xs: &[f64], ys: &[f64], x: f64) -> f64 {
        evaluate(xs, place(xs, x), |k| ys[k])
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
