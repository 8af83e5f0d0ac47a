//! Figures read off a sweep without a model: threshold (constant current, largest transconductance, Y-function),
//! transconductance, subthreshold swing.

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

/// Transconductance, A/V, at every inner point of a sweep in the order of rising gate voltage: pairs of gate
/// voltage and slope of the parabola through a point and its neighbours.
pub fn transconductance(gate_v: &[f64], drain_a: &[f64]) -> Vec<(f64, f64)> {
    slopes(&rising(gate_v, drain_a)).into_iter().map(|(gate, _, slope)| (gate, slope)).collect()
}

/// Threshold, V, by extrapolation from the largest transconductance at a small drain voltage:
/// V_G - I / g_m - V_D / 2 there. `None` without one.
pub fn largest_transconductance_threshold_v(gate_v: &[f64], drain_a: &[f64], drain_v: f64) -> Option<f64> {
    let (gate, current, slope) =
        slopes(&rising(gate_v, drain_a)).into_iter().max_by(|a, b| a.2.total_cmp(&b.2))?;
    (slope > 0.0).then(|| gate - current / slope - 0.5 * drain_v)
}

/// Threshold, V, by the Y-function I / sqrt(g_m), which mobility reduction and series resistance leave linear
/// (Ghibaudo, Electron. Lett. 24, 543 (1988)): where the line through its points from the largest
/// transconductance on meets zero, less V_D / 2. `None` with fewer than four such points.
pub fn y_function_threshold_v(gate_v: &[f64], drain_a: &[f64], drain_v: f64) -> Option<f64> {
    let points = slopes(&rising(gate_v, drain_a));
    let peak = points.iter().max_by(|a, b| a.2.total_cmp(&b.2))?.0;
    let line: Vec<(f64, f64)> = points
        .iter()
        .filter(|(gate, current, slope)| *gate >= peak && *slope > 0.0 && *current > 0.0)
        .map(|(gate, current, slope)| (*gate, current / slope.sqrt()))
        .collect();
    if line.len() < 4 {
        return None;
    }
    let count = line.len() as f64;
    let (x, y) = line.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let (mut xx, mut xy) = (0.0, 0.0);
    for (gate, value) in &line {
        xx += (gate - x).powi(2);
        xy += (gate - x) * (value - y);
    }
    (xx > 0.0 && xy > 0.0).then(|| x - y * xx / xy - 0.5 * drain_v)
}

/// Gate voltage, current and slope at the inner points; neighbours at the same gate voltage are passed over.
fn slopes(points: &[(f64, f64)]) -> Vec<(f64, f64, f64)> {
    points
        .windows(3)
        .filter_map(|window| {
            let [(v0, i0), (v1, i1), (v2, i2)] = [window[0], window[1], window[2]];
            let (before, after) = (v1 - v0, v2 - v1);
            (before > 0.0 && after > 0.0).then(|| {
                let slope = ((i1 - i0) / before * after + (i2 - i1) / after * before) / (before + after);
                (v1, i1, slope)
            })
        })
        .collect()
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

    /// I = beta V_D u / (1 + theta u), u = V_G - V_T - V_D / 2: the Y-function has its threshold exactly, the
    /// extrapolation from the largest transconductance only without mobility reduction.
    #[test]
    fn thresholds_of_the_linear_region() {
        let curve = |theta: f64| -> (Vec<f64>, Vec<f64>) {
            (0..=60)
                .map(|i| 0.02 * f64::from(i))
                .map(|gate| {
                    let u = (gate - 0.5 - 0.025_f64).max(0.0);
                    (gate, 1e-3 * 0.05 * u / (1.0 + theta * u))
                })
                .unzip()
        };
        let (gate_v, drain_a) = curve(0.0);
        let found = largest_transconductance_threshold_v(&gate_v, &drain_a, 0.05).unwrap();
        assert!((found - 0.5).abs() < 1e-9, "{found}");
        let (gate_v, drain_a) = curve(1.5);
        let found = y_function_threshold_v(&gate_v, &drain_a, 0.05).unwrap();
        // The slopes of parabolas on a grid of 20 mV miss the curve's by a part in a thousand.
        assert!((found - 0.5).abs() < 2e-3, "{found}");
        let (largest, slope) =
            transconductance(&gate_v, &drain_a).into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        // dI/dV_G = beta V_D / (1 + theta u)^2, largest next to the threshold.
        let exact = 5e-5 / (1.0 + 1.5 * (largest - 0.525_f64)).powi(2);
        assert!((slope / exact - 1.0).abs() < 2e-3 && (largest - 0.56).abs() < 0.021, "{largest} {slope}");
        assert_eq!(y_function_threshold_v(&gate_v[..5], &drain_a[..5], 0.05), None);
    }

    #[test]
    fn swing_of_the_default_card() {
        let (gate_v, drain_a) = sweep(&Ekv { vt_v: 1.0, ..Ekv::default() });
        let swing = subthreshold_swing_v(&gate_v, &drain_a, 1e-13).unwrap();
        assert!((swing - 0.0834).abs() < 5e-4, "{swing}");
        assert_eq!(subthreshold_swing_v(&gate_v[..3], &drain_a[..3], 1e-13), None);
    }
}
