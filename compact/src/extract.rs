//! Figures read off a sweep without a model: threshold at constant current, subthreshold swing.

/// The current at which a cell's threshold is read, A (design notes H: 100 nA times W/L, with W/L = 1).
pub const THRESHOLD_CURRENT_A: f64 = 1e-7;

/// Decades of current over which a swing is taken at least.
const SWING_DECADES: f64 = 1.0;

/// Gate voltage at which the current first rises through `current_a`, with ln I interpolated
/// between the neighbouring points; `None` if the sweep does not cross it. Any order of the sweep;
/// `gate_v` and `current` in volts and amperes, of equal length.
pub fn constant_current_threshold_v(gate_v: &[f64], drain_a: &[f64], current_a: f64) -> Option<f64> {
    let points = rising(gate_v, drain_a);
    points.windows(2).find_map(|pair| {
        let [(v0, i0), (v1, i1)] = [pair[0], pair[1]];
        (i0 > 0.0 && i0 < current_a && i1 >= current_a)
            .then(|| v0 + (v1 - v0) * (current_a / i0).ln() / (i1 / i0).ln())
    })
}

/// Smallest subthreshold swing, V per decade, over windows of at least one decade of current above
/// `floor_a`: the slope at the middle of a local quadratic in log10 I (Savitzky-Golay). `None` when
/// no such window exists.
pub fn subthreshold_swing_v(gate_v: &[f64], drain_a: &[f64], floor_a: f64) -> Option<f64> {
    let points = rising(gate_v, drain_a);
    let clear = |&(_, current): &(f64, f64)| current > 5.0 * floor_a && current > 0.0;
    let mut steepest: Option<f64> = None;
    for first in 0..points.len() {
        let run = points[first..].iter().take_while(|point| clear(point)).count();
        let run = &points[first..first + run];
        // The shortest window from here that spans the decades and determines a quadratic.
        let window = (4..=run.len())
            .map(|length| &run[..length])
            .find(|window| (window[window.len() - 1].1 / window[0].1).log10() >= SWING_DECADES);
        if let Some(slope) = window.and_then(middle_slope) {
            steepest = Some(steepest.map_or(slope, |old: f64| old.max(slope)));
        }
    }
    steepest.filter(|slope| *slope > 0.0).map(f64::recip)
}

/// Points in the order of rising gate voltage.
fn rising(gate_v: &[f64], drain_a: &[f64]) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = gate_v
        .iter()
        .copied()
        .zip(drain_a.iter().copied())
        .filter(|(gate, current)| gate.is_finite() && current.is_finite())
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// Slope of log10 I, per volt, at the middle of a least-squares parabola through the window.
fn middle_slope(window: &[(f64, f64)]) -> Option<f64> {
    let count = window.len() as f64;
    let middle = window.iter().map(|point| point.0).sum::<f64>() / count;
    let moment = |power: i32| window.iter().map(|p| (p.0 - middle).powi(power)).sum::<f64>();
    let weighted = |power: i32| window.iter().map(|p| (p.0 - middle).powi(power) * p.1.log10()).sum::<f64>();
    // Normal equations of 1, x, x^2 with the mean of x at 0: eliminate the constant.
    let (s2, s3) = (moment(2), moment(3));
    let s4 = moment(4) - s2 * s2 / count;
    let (b1, b2) = (weighted(1), weighted(2) - s2 * weighted(0) / count);
    let determinant = s2 * s4 - s3 * s3;
    (determinant > 0.0).then(|| (b1 * s4 - b2 * s3) / determinant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ekv::{Bias, Ekv};

    fn sweep(law: &Ekv) -> (Vec<f64>, Vec<f64>) {
        let gate_v: Vec<f64> = (0..141).map(|i| -2.0 + 0.05 * f64::from(i)).collect();
        let drain_a = gate_v.iter().map(|&v| law.current_a(Bias::new(v, 0.1))).collect();
        (gate_v, drain_a)
    }

    #[test]
    fn threshold_is_where_the_law_carries_the_current() {
        let law = Ekv { vt_v: 0.7, ..Ekv::default() };
        let (gate_v, drain_a) = sweep(&law);
        let exact = law.threshold_v(0.1, 300.0) + law.overdrive_for_current(1e-7, 0.1, 300.0).unwrap();
        let found = constant_current_threshold_v(&gate_v, &drain_a, THRESHOLD_CURRENT_A).unwrap();
        assert!((found - exact).abs() < 3e-3, "{found} {exact}");
        // The other direction of the sweep gives the same.
        let (back_v, back_a): (Vec<_>, Vec<_>) =
            (gate_v.iter().rev().copied().collect(), drain_a.iter().rev().copied().collect());
        assert_eq!(constant_current_threshold_v(&back_v, &back_a, THRESHOLD_CURRENT_A), Some(found));
        assert_eq!(constant_current_threshold_v(&gate_v, &drain_a, 1.0), None);
    }

    #[test]
    fn swing_of_the_default_card() {
        let (gate_v, drain_a) = sweep(&Ekv { vt_v: 1.0, ..Ekv::default() });
        let swing = subthreshold_swing_v(&gate_v, &drain_a, 1e-13).unwrap();
        assert!((swing - 0.0834).abs() < 5e-4, "{swing}");
        assert_eq!(subthreshold_swing_v(&gate_v[..3], &drain_a[..3], 1e-13), None);
    }
}
