//! Mobility of carriers: constant, or from doping and driving force.

/// Doping dependence after Caughey and Thomas (1967):
/// µ = µ_min + (µ_max − µ_min)/(1 + (N/N_r)^a).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaugheyThomas {
    /// Mobility at high doping in m²/(V s).
    pub least: f64,
    /// Mobility of the lattice in m²/(V s).
    pub most: f64,
    /// Doping N_r in 1/m³.
    pub doping_per_m3: f64,
    /// Exponent a.
    pub exponent: f64,
}

impl CaugheyThomas {
    /// Electrons in silicon at 300 K (fitted to measurements; the literature's values for arsenic and
    /// phosphorus, as in Sze and Ng 2007 and Selberherr 1984).
    pub const ELECTRONS: Self =
        Self { least: 68.5e-4, most: 1414e-4, doping_per_m3: 9.2e22, exponent: 0.711 };
    /// Holes in silicon at 300 K (fitted; boron).
    pub const HOLES: Self = Self { least: 44.9e-4, most: 470.5e-4, doping_per_m3: 2.23e23, exponent: 0.719 };

    /// Mobility in m²/(V s) at a total doping in 1/m³.
    #[must_use]
    pub fn at(&self, doping_per_m3: f64) -> f64 {
        self.least
            + (self.most - self.least) / (1.0 + (doping_per_m3 / self.doping_per_m3).powf(self.exponent))
    }
}

/// Saturation of the drift velocity: µ(E) = µ/(1 + (µ E/v_sat)^b)^{1/b} with the electric field E.
///
/// Not with the gradient of the quasi-Fermi potential: that of minority carriers near a contact is steep
/// although they hardly drift, and a flux that falls with its own driving force has no single solution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Saturation {
    /// Saturated velocity in m/s.
    pub velocity_m_per_s: f64,
    /// Exponent b.
    pub exponent: f64,
}

impl Saturation {
    /// Electrons in silicon at 300 K (measured; Canali et al. 1975).
    pub const ELECTRONS: Self = Self { velocity_m_per_s: 1.07e5, exponent: 2.0 };
    /// Holes in silicon at 300 K (measured; Canali et al. 1975).
    pub const HOLES: Self = Self { velocity_m_per_s: 8.37e4, exponent: 1.0 };

    /// µ(E)/µ and d ln µ(E)/d ln E for a low-field mobility in m²/(V s) and a force in V/m.
    #[must_use]
    pub fn factor(&self, mobility: f64, force_v_per_m: f64) -> (f64, f64) {
        let x = (mobility * force_v_per_m.abs() / self.velocity_m_per_s).powf(self.exponent);
        ((1.0 + x).powf(-1.0 / self.exponent), -x / (1.0 + x))
    }
}

/// Mobility of one carrier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LowField {
    /// The same everywhere, in m²/(V s).
    Constant(f64),
    /// From the doping of the layer.
    Doping(CaugheyThomas),
}

/// Mobility of one carrier, with or without velocity saturation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mobility {
    /// At low field.
    pub low_field: LowField,
    /// At high field.
    pub saturation: Option<Saturation>,
}

impl Mobility {
    /// A constant mobility in m²/(V s).
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self { low_field: LowField::Constant(value), saturation: None }
    }

    /// Mobility in m²/(V s) at low field in a layer of this total doping in 1/m³.
    #[must_use]
    pub fn low_field(&self, doping_per_m3: f64) -> f64 {
        match self.low_field {
            LowField::Constant(value) => value,
            LowField::Doping(law) => law.at(doping_per_m3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let law = CaugheyThomas::ELECTRONS;
        assert!((law.at(1e18) / law.most - 1.0).abs() < 2e-3);
        assert!((law.at(law.doping_per_m3) - 0.5 * (law.least + law.most)).abs() < 1e-12);
        assert!(law.at(1e27) < 1.1 * law.least);
        for saturation in [Saturation::ELECTRONS, Saturation::HOLES] {
            let mobility = 0.1;
            let velocity = |force: f64| mobility * saturation.factor(mobility, force).0 * force;
            assert!((velocity(1.0) / 0.1 - 1.0).abs() < 1e-5);
            assert!((velocity(1e10) / saturation.velocity_m_per_s - 1.0).abs() < 1e-3);
            let (force, step) = (3e6, 1.0);
            let slope = (saturation.factor(mobility, force + step).0.ln()
                - saturation.factor(mobility, force - step).0.ln())
                / ((force + step).ln() - (force - step).ln());
            assert!((slope - saturation.factor(mobility, force).1).abs() < 1e-6);
        }
    }
}
