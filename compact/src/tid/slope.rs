//! What is known of a dose law whose doses are too small: the initial slope.

use super::EXP;
use crate::fit::{FitResult, Regression};

/// Correlation of V_inf and D_c beyond which they are said to be one number.
const SAME_NUMBER: f64 = 0.95;

/// Part of D_c that the largest dose has to reach for a curve to bend measurably (design notes H).
const BENDING_PART: f64 = 0.3;

/// The initial slope of every state where V_inf and D_c cannot be told apart; empty where they can or the law is no
/// single exponential.
pub(crate) fn slope_words(regression: &Regression<'_>, fit: &FitResult) -> Vec<String> {
    let place = |name: &str| fit.parameters.iter().position(|parameter| parameter.name == name);
    let (Some(dose), Some(inf)) = (place("dose_c_krad_si"), place("vt_inf_v")) else { return Vec::new() };
    let series = || regression.devices.iter().flat_map(|device| &device.series);
    let largest = series().flat_map(|series| &series.x).copied().fold(0.0, f64::max);
    let (dose_c, inf_v) = (fit.parameters[dose].value, fit.parameters[inf].value);
    let covariance = |i: usize, j: usize| fit.covariance[i][j];
    let correlation = covariance(dose, inf) / (covariance(dose, dose) * covariance(inf, inf)).sqrt();
    let short = largest < BENDING_PART * dose_c;
    if !(short || correlation.abs() > SAME_NUMBER || fit.parameters[dose].at_bound) {
        return Vec::new();
    }
    let mut words = Vec::new();
    if short {
        words.push(format!(
            "the largest dose, {largest} krad(Si), is below 0.3 D_c: each device shows hardly more than its slope \
             (V_T0 - V_inf)/D_c; V_inf and D_c are told apart only by the assumption that all states share them \
             and that the slope is linear in the threshold"
        ));
    }
    if regression.model.name != EXP.name {
        return words;
    }
    let mut states: Vec<&str> = series().map(|series| series.label.as_str()).collect();
    states.sort_unstable();
    states.dedup();
    for state in states {
        let starts: Vec<usize> = regression
            .devices
            .iter()
            .enumerate()
            .filter(|(_, device)| device.series.iter().any(|series| series.label == state))
            .map(|(device, _)| regression.model.parameters.len() + device)
            .collect();
        let count = starts.len() as f64;
        let start_v = starts.iter().map(|&index| fit.parameters[index].value).sum::<f64>() / count;
        let slope = (inf_v - start_v) / dose_c;
        let mut leans = vec![0.0; fit.parameters.len()];
        (leans[dose], leans[inf]) = (-slope / dose_c, 1.0 / dose_c);
        for &index in &starts {
            leans[index] = -1.0 / (dose_c * count);
        }
        let mut variance = 0.0;
        for (i, a) in leans.iter().enumerate().filter(|(_, a)| **a != 0.0) {
            for (j, b) in leans.iter().enumerate().filter(|(_, b)| **b != 0.0) {
                variance += a * b * covariance(i, j);
            }
        }
        words.push(format!(
            "at these doses only the initial slope (V_inf - V_0)/D_c is known: {:.4} +- {:.4} mV/krad(Si) for {}",
            1e3 * slope,
            1e3 * variance.max(0.0).sqrt(),
            if state.is_empty() { "all devices".to_owned() } else { format!("state {state}") }
        ));
    }
    words
}
