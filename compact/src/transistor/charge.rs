//! The channel charge of the charge-based law: the inverse of `v = 2 q + ln q`.
//!
//! Enz, Vittoz, "Charge-Based MOS Transistor Modeling" (Wiley 2006), chapter 3: `q` is the mobile
//! charge at one end of the channel over `2 n C_ox phi_t`, `v = (V_P - V_channel) / phi_t`.

use crate::real::Real;

/// The charge `q` with `2 q + ln q = v`, to rounding; `exp(v)` far below and `v / 2` far above threshold.
///
/// `w = 2 q` is Lambert's W of `2 exp(v)`: EKV's interpolation starts within a quarter of it, and two steps of
/// Fritsch, Shafer, Crowley (Commun. ACM 16, 123 (1973)), each of fourth order, end at rounding.
pub fn inversion_charge<R: Real>(v: R) -> R {
    // 2 q is below 2e-13 of v there.
    v.if_below(R::from(-30.0), || v.exp(), || above_cut_off(v))
}

fn above_cut_off<R: Real>(v: R) -> R {
    let half = v * 0.5;
    let root = R::from(60.0).if_below(v, || half, || half.exp().ln_1p());
    let current = root * root;
    let mut w = current * 2.0 / ((current + 0.25).sqrt() + 0.5);
    for _ in 0..2 {
        let defect = v + std::f64::consts::LN_2 - w.ln() - w;
        let slope = w + 1.0;
        let scale = slope * 2.0 * (slope + defect * (2.0 / 3.0));
        w = w * (defect / slope * (scale - defect) / (scale - defect * 2.0) + 1.0);
    }
    w * 0.5
}

/// `v = 2 q + ln q`.
pub fn channel_voltage(q: f64) -> f64 {
    2.0 * q + q.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_to_rounding() {
        for index in 0..4000 {
            let v = -40.0 + 0.1 * f64::from(index);
            let q = inversion_charge(v);
            assert!((channel_voltage(q) - v).abs() < 1e-11 * (1.0 + v.abs()), "{v}: {q}");
        }
    }

    #[test]
    fn limits() {
        // Weak inversion: q = exp(v); strong inversion: q = v/2 - ln(v/2)/2.
        assert!((inversion_charge(-25.0) / (-25.0_f64).exp() - 1.0).abs() < 1e-10);
        assert!((inversion_charge(2000.0) / 996.55 - 1.0).abs() < 1e-4);
    }
}
