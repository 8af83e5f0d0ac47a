//! What is known of two parameters that the data hardly tell apart: their best determined combination.

use super::{Correlation, FitResult, FittedParameter, Transform};

/// A power this close to one is called one.
const NEAR_ONE: f64 = 0.1;

/// A combination is worth naming when its standard deviation is below this part of what a parameter's own one
/// amounts to in it.
const WORTHWHILE: f64 = 0.5;

/// A pair in words, with the combination that is known.
pub(super) fn in_words(fit: &FitResult, pair: &Correlation) -> String {
    let Correlation { first, second, coefficient } = pair;
    let start = format!("{first} and {second} can hardly be told apart (correlation {coefficient:+.3})");
    match known(fit, first, second) {
        Some(text) => format!("{start}: {text} is known"),
        None => format!("{start}: quote them together"),
    }
}

/// The direction of the smaller eigenvalue of the pair's correlation matrix, on the scales of the parameters:
/// a product of powers where both are logarithmic, a sum where both are linear, else the one where the other is
/// held.
fn known(fit: &FitResult, first: &str, second: &str) -> Option<String> {
    let place = |name: &str| fit.parameters.iter().position(|parameter| parameter.name == name);
    let (i, j) = (place(first)?, place(second)?);
    let (a, b) = (&fit.parameters[i], &fit.parameters[j]);
    let slope = |parameter: &FittedParameter| if log(parameter) { 1.0 / parameter.value } else { 1.0 };
    let (sa, sb) =
        (fit.covariance[i][i].sqrt() * slope(a).abs(), fit.covariance[j][j].sqrt() * slope(b).abs());
    let both = fit.covariance[i][j] * slope(a) * slope(b);
    let correlation = both / (sa * sb);
    if !(sa > 0.0 && sb > 0.0 && correlation.is_finite()) {
        return None;
    }
    let deviation = |k: f64| (sa * sa + k * k * sb * sb + 2.0 * k * both).max(0.0).sqrt();
    let exact = -correlation.signum() * sa / sb;
    let rounded = if (exact.abs() - 1.0).abs() < NEAR_ONE && deviation(exact.signum()) < WORTHWHILE * sa {
        exact.signum()
    } else {
        (exact * 100.0).round() / 100.0
    };
    let k = if deviation(rounded) < WORTHWHILE * sa { rounded } else { exact };
    match (log(a), log(b)) {
        (true, true) => {
            let value = a.value * b.value.powf(k);
            let text = match k {
                1.0 => format!("{first} * {second}"),
                -1.0 => format!("{first} / {second}"),
                _ => format!("{first} * {second}^{k:.4}"),
            };
            Some(format!("{text} = {} +- {}", number(value), number(value * deviation(k))))
        }
        (false, false) => {
            let sign = if k < 0.0 { '-' } else { '+' };
            let value = a.value + k * b.value;
            let times = if k.abs() == 1.0 { String::new() } else { format!("{:.4} ", k.abs()) };
            Some(format!("{first} {sign} {times}{second} = {} +- {}", number(value), number(deviation(k))))
        }
        _ => {
            let left = fit.covariance[i][i].sqrt() * (1.0 - correlation * correlation).max(0.0).sqrt();
            Some(format!(
                "{first} = {} +- {} where {second} = {}",
                number(a.value),
                number(left),
                number(b.value)
            ))
        }
    }
}

fn log(parameter: &FittedParameter) -> bool {
    parameter.transform == Transform::Log
}

fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) { format!("{value:.4e}") } else { format!("{value:.4}") }
}
