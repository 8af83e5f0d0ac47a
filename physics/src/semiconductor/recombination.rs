//! Recombination of electrons and holes: through deep levels (Shockley, Read, Hall) and Auger.

/// Net recombination of a semiconductor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recombination {
    /// Lifetime of electrons in s.
    pub electron_lifetime_s: f64,
    /// Lifetime of holes in s.
    pub hole_lifetime_s: f64,
    /// Energy of the deep level over kT from midgap: n_1 = n_i eˣ, p_1 = n_i e⁻ˣ.
    pub trap_level: f64,
    /// Auger coefficients of electrons and of holes in m⁶/s.
    pub auger: [f64; 2],
}

/// A rate in 1/(m³ s) with its derivatives to the logarithms s_n and s_p of the carriers' Boltzmann densities.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rate {
    /// Net recombination.
    pub value: f64,
    /// Its derivatives to s_n and s_p.
    pub slopes: [f64; 2],
}

/// Carriers at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carriers {
    /// Electrons in 1/m³ and d ln n/ds_n.
    pub electrons: (f64, f64),
    /// Holes in 1/m³ and d ln p/ds_p.
    pub holes: (f64, f64),
    /// (φ_p − φ_n)/φ_t, kept apart because near equilibrium n p − n_i² would drown in round-off.
    pub split: f64,
    /// n p in equilibrium in 1/m⁶ with the same activities: n_i² γ_n γ_p.
    pub product: f64,
}

impl Recombination {
    /// Auger coefficients of silicon in m⁶/s (measured; Dziewior and Schmid 1977).
    pub const SILICON_AUGER: [f64; 2] = [2.8e-43, 9.9e-44];

    /// Deep levels at midgap alone.
    #[must_use]
    pub fn midgap(electron_lifetime_s: f64, hole_lifetime_s: f64) -> Self {
        Self { electron_lifetime_s, hole_lifetime_s, trap_level: 0.0, auger: [0.0; 2] }
    }

    /// Net rate: n p − n_i² over the capture times, and Auger.
    #[must_use]
    pub fn rate(&self, carriers: Carriers, intrinsic_per_m3: f64) -> Rate {
        let Carriers { electrons: (n, dn), holes: (p, dp), split, product } = carriers;
        let excess = product * split.exp_m1();
        let growth = product * split.exp();
        let slopes = [growth + (dn - 1.0) * excess, growth + (dp - 1.0) * excess];
        let (n1, p1) =
            (intrinsic_per_m3 * self.trap_level.exp(), intrinsic_per_m3 * (-self.trap_level).exp());
        let (tau_n, tau_p) = (self.electron_lifetime_s, self.hole_lifetime_s);
        let time = tau_p * (n + n1) + tau_n * (p + p1);
        let deep = excess / time;
        let [cn, cp] = self.auger;
        let auger = cn * n + cp * p;
        Rate {
            value: deep + auger * excess,
            slopes: [
                (slopes[0] - deep * tau_p * n * dn) / time + auger * slopes[0] + cn * n * dn * excess,
                (slopes[1] - deep * tau_n * p * dp) / time + auger * slopes[1] + cp * p * dp * excess,
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn carriers(sn: f64, sp: f64, intrinsic: f64) -> Carriers {
        Carriers {
            electrons: (intrinsic * sn.exp(), 1.0),
            holes: (intrinsic * sp.exp(), 1.0),
            split: sn + sp,
            product: intrinsic * intrinsic,
        }
    }

    proptest! {
        #[test]
        fn sign_and_slopes(sn in -30.0..18.0f64, sp in -30.0..18.0f64, level in -10.0..10.0f64) {
            let law = Recombination {
                electron_lifetime_s: 1e-8,
                hole_lifetime_s: 3e-7,
                trap_level: level,
                auger: Recombination::SILICON_AUGER,
            };
            let intrinsic = 1e16;
            let rate = |sn: f64, sp: f64| law.rate(carriers(sn, sp, intrinsic), intrinsic);
            let here = rate(sn, sp);
            prop_assert!(here.value == 0.0 || here.value.signum() == (sn + sp).signum());
            prop_assert_eq!(rate(sn, -sn).value, 0.0);
            let step = 1e-5;
            let numeric = [
                (rate(sn + step, sp).value - rate(sn - step, sp).value) / (2.0 * step),
                (rate(sn, sp + step).value - rate(sn, sp - step).value) / (2.0 * step),
            ];
            for (slope, numeric) in here.slopes.iter().zip(numeric) {
                let scale = here.slopes[0].abs() + here.slopes[1].abs() + here.value.abs();
                prop_assert!((slope - numeric).abs() <= 1e-6 * scale);
            }
        }
    }
}
