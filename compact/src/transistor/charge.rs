//! The channel charge of the charge-based law: the inverse of `v = 2 q + ln q`.
//!
//! Enz, Vittoz, "Charge-Based MOS Transistor Modeling" (Wiley 2006), chapter 3: `q` is the mobile
//! charge at one end of the channel over `2 n C_ox phi_t`, `v = (V_P - V_channel) / phi_t`.

/// The charge `q` with `2 q + ln q = v`, to rounding; 0 far below and `v / 2` far above threshold.
pub fn inversion_charge(v: f64) -> f64 {
    if v < -30.0 {
        // 2 q is below 2e-13 of v here.
        return v.exp();
    }
    // EKV's interpolation i = ln(1 + exp(v / 2))^2 and q = sqrt(1/4 + i) - 1/2 is within 25 %.
    let root = if v > 60.0 { 0.5 * v } else { (0.5 * v).exp().ln_1p() };
    let current = root * root;
    let mut q = current / (0.5 + (0.25 + current).sqrt());
    // Newton's method in ln q, with Halley's correction: three digits become nine, then all.
    for _ in 0..3 {
        let defect = 2.0 * q + q.ln() - v;
        let slope = 2.0 * q + 1.0;
        let step = defect / (slope - defect * q / slope);
        q *= (-step).exp();
        if step.abs() < 1e-6 {
            break;
        }
    }
    q
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
