//! The root of an increasing function inside a bracket.

/// Most evaluations: bisection alone needs about 110 to separate two neighbouring numbers of a bracket
/// that spans zero.
const MOST: usize = 200;

/// The root of the increasing `function` between `low` and `high` to the last bits, by interpolation as
/// long as it at least halves the bracket every second step and by bisection else; `None` when the
/// function has the same sign at both ends or is not a number on the way.
pub(super) fn increasing(low: f64, high: f64, function: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut low, mut high) = (low, high);
    let (mut at_low, mut at_high) = (function(low), function(high));
    if at_low == 0.0 {
        return Some(low);
    }
    if at_high == 0.0 {
        return Some(high);
    }
    if !(low < high && at_low < 0.0 && at_high > 0.0) {
        return None;
    }
    let (mut weight_low, mut weight_high) = (1.0, 1.0);
    let mut width_before = high - low;
    for step in 0..MOST {
        let width = high - low;
        // Illinois: an end that stays loses half of its weight, so that the other one moves as well.
        let (left, right) = (weight_low * at_low, weight_high * at_high);
        let mut middle = low - left * width / (right - left);
        if step % 3 == 2 {
            if width > 0.5 * width_before {
                middle = low + 0.5 * width;
            }
            width_before = width;
        }
        if !(middle > low && middle < high) {
            middle = low + 0.5 * width;
            if middle <= low || middle >= high {
                break;
            }
        }
        let value = function(middle);
        if value.is_nan() {
            return None;
        }
        if value == 0.0 {
            return Some(middle);
        }
        if value < 0.0 {
            (low, at_low, weight_low) = (middle, value, 1.0);
            weight_high *= 0.5;
        } else {
            (high, at_high, weight_high) = (middle, value, 1.0);
            weight_low *= 0.5;
        }
        if high - low <= 4.0 * f64::EPSILON * low.abs().min(high.abs()) {
            break;
        }
    }
    Some(if -at_low < at_high { low } else { high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_to_the_last_bits() {
        let cube = increasing(-1.0, 3.0, |x| x * x * x - 2.0).unwrap();
        assert!((cube - 2.0_f64.cbrt()).abs() < 1e-15);
        // A root many decades below the bracket, and one on a wall.
        let small = increasing(-1.0, 1e6, |x| (x / 1e-12).sinh().clamp(-1e300, 1e300) - 1.0).unwrap();
        assert!((small / (1e-12 * 1.0_f64.asinh()) - 1.0).abs() < 1e-12);
        let wall = increasing(0.0, 1.0, |x| if x < 0.3 { -1.0 } else { 1.0 }).unwrap();
        assert!((wall - 0.3).abs() < 1e-15);
    }

    #[test]
    fn no_bracket_no_root() {
        assert_eq!(increasing(1.0, 2.0, |x| x), None);
        assert_eq!(increasing(2.0, 1.0, |x| x), None);
        assert_eq!(increasing(-1.0, 2.0, |_| f64::NAN), None);
    }
}
