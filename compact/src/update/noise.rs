//! Noise of the steps and of the reads, and spread between devices, out of ramps and a fit.
//!
//! A reading is the state with read or write noise, `y = x + r`; a pulse moves the state by the law and noise of
//! the cycle, `x' = x + f(x) + c`. Of the differences without the law, `e = y' - y - f`, the variance is
//! `s_c^2 + 2 s_r^2` and the covariance of neighbours `-s_r^2`, since a read counts in two of them with opposite
//! signs; further apart they are independent.

use crate::fit::{FitResult, Regression};

/// Noise of equal pulses, in the unit of the readings.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct StepNoise {
    /// Standard deviation of a step from cycle to cycle; 0 where reads explain all.
    pub cycle: f64,
    /// Its square with its standard error; the square may come out negative.
    pub cycle_variance: [f64; 2],
    /// The same in parts of the root mean square step of the law; infinite for a law that does not move.
    pub cycle_relative: f64,
    /// Standard deviation of a read (or of what a write leaves beside the state).
    pub read: f64,
    /// Its square with its standard error.
    pub read_variance: [f64; 2],
    /// Correlation of differences two apart: zero for this picture of the noise.
    pub second_correlation: f64,
    /// Differences that went into it.
    pub steps: usize,
}

/// Noise of the steps about a fitted law. Differences are taken between readings one pulse apart, none of which the
/// fit took out; `None` with fewer than 16 of them.
///
/// Standard errors are those of the moments of Gaussian noise (Bartlett's formula for a moving average of first
/// order).
pub fn step_noise(regression: &Regression<'_>, fit: &FitResult) -> Option<StepNoise> {
    let compared = regression.compared(&fit.values());
    let wild = |number: usize| fit.outliers.binary_search(&number).is_ok();
    let (mut at, mut runs) = (0, Vec::new());
    let mut law_squares = 0.0;
    for series in regression.devices.iter().flat_map(|device| &device.series) {
        let pairs = &compared[at..at + series.y.len()];
        let first = at;
        at += series.y.len();
        let mut run = Vec::new();
        for row in 1..pairs.len() {
            let sound = !wild(first + row) && !wild(first + row - 1);
            if sound && series.x[row] - series.x[row - 1] == 1.0 {
                let law = pairs[row].1 - pairs[row - 1].1;
                law_squares += law * law;
                run.push(pairs[row].0 - pairs[row - 1].0 - law);
            } else {
                runs.push(std::mem::take(&mut run));
            }
        }
        runs.push(run);
    }
    let steps: usize = runs.iter().map(Vec::len).sum();
    if steps < 16 {
        return None;
    }
    let mean = runs.iter().flatten().sum::<f64>() / steps as f64;
    let covariance = |lag: usize| {
        let products = runs.iter().flat_map(|run| run.iter().zip(run.iter().skip(lag)));
        let (sum, count) =
            products.fold((0.0, 0_usize), |(sum, count), (a, b)| (sum + (a - mean) * (b - mean), count + 1));
        sum / count.max(1) as f64
    };
    let (g0, g1, g2) = (covariance(0), covariance(1), covariance(2));
    let n = steps as f64;
    // Covariances of the sample moments of an MA(1): n cov(g_i, g_j) = sum over k of g_k g_(k+i-j) + g_(k+i) g_(k-j).
    let v00 = 2.0 * (g0 * g0 + 2.0 * g1 * g1) / n;
    let v11 = (g0 * g0 + 3.0 * g1 * g1) / n;
    let v01 = 4.0 * g0 * g1 / n;
    let cycle_variance = [g0 + 2.0 * g1, (v00 + 4.0 * v11 + 4.0 * v01).max(0.0).sqrt()];
    let read_variance = [-g1, v11.sqrt()];
    let cycle = cycle_variance[0].max(0.0).sqrt();
    Some(StepNoise {
        cycle,
        cycle_variance,
        cycle_relative: cycle / (law_squares / n).sqrt(),
        read: read_variance[0].max(0.0).sqrt(),
        read_variance,
        second_correlation: if g0 > 0.0 { g2 / g0 } else { 0.0 },
        steps,
    })
}

/// How one parameter differs between devices.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ParameterSpread {
    /// Parameter.
    pub name: String,
    /// Mean over the devices.
    pub mean: f64,
    /// Standard deviation between devices, what the fits leave uncertain taken off; 0 where they explain all.
    pub std: f64,
    /// Standard deviation of the fitted values as they are.
    pub std_fitted: f64,
    /// Devices whose fit determined it.
    pub devices: usize,
}

/// Spread of each parameter over fits of one law to one device each. Values on a bound or without an uncertainty
/// do not count; a parameter with fewer than two devices is left out.
pub fn device_spread(fits: &[FitResult]) -> Vec<ParameterSpread> {
    let Some(first) = fits.first() else { return Vec::new() };
    let mut spreads = Vec::new();
    for name in first.parameters.iter().map(|parameter| &parameter.name) {
        let known: Vec<(f64, f64)> = fits
            .iter()
            .filter_map(|fit| fit.parameter(name))
            .filter(|parameter| !parameter.at_bound && parameter.std.is_finite())
            .map(|parameter| (parameter.value, parameter.std))
            .collect();
        let n = known.len() as f64;
        if known.len() < 2 {
            continue;
        }
        let mean = known.iter().map(|(value, _)| value).sum::<f64>() / n;
        let variance = known.iter().map(|(value, _)| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let errors = known.iter().map(|(_, std)| std * std).sum::<f64>() / n;
        spreads.push(ParameterSpread {
            name: name.clone(),
            mean,
            std: (variance - errors).max(0.0).sqrt(),
            std_fitted: variance.sqrt(),
            devices: known.len(),
        });
    }
    spreads
}
