//! Units of material values: products and quotients of known symbols, with their dimension.
//!
//! `eV`, `W/m/K`, `cm^2/V/s`, `1/cm^3`: symbols are divided by `/`, multiplied by a blank, and raised by `^n`;
//! every `/` applies to the one symbol behind it.

use crate::constants::{ELECTRON_MASS, ELEMENTARY_CHARGE, GRAY_PER_RAD};

/// A unit as a factor to SI and a dimension.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// Its size in SI units.
    pub factor: f64,
    /// Powers of kg, m, s, A and K.
    pub dimension: [i32; 5],
}

/// Symbols with their size in SI units and their powers of kg, m, s, A and K.
const SYMBOLS: [(&str, f64, [i32; 5]); 40] = [
    ("1", 1.0, [0; 5]),
    ("%", 0.01, [0; 5]),
    ("kg", 1.0, [1, 0, 0, 0, 0]),
    ("g", 1e-3, [1, 0, 0, 0, 0]),
    // Effective masses.
    ("m0", ELECTRON_MASS, [1, 0, 0, 0, 0]),
    ("m", 1.0, [0, 1, 0, 0, 0]),
    ("cm", 1e-2, [0, 1, 0, 0, 0]),
    ("mm", 1e-3, [0, 1, 0, 0, 0]),
    ("um", 1e-6, [0, 1, 0, 0, 0]),
    ("nm", 1e-9, [0, 1, 0, 0, 0]),
    ("s", 1.0, [0, 0, 1, 0, 0]),
    ("ms", 1e-3, [0, 0, 1, 0, 0]),
    ("us", 1e-6, [0, 0, 1, 0, 0]),
    ("ns", 1e-9, [0, 0, 1, 0, 0]),
    ("ps", 1e-12, [0, 0, 1, 0, 0]),
    ("Hz", 1.0, [0, 0, -1, 0, 0]),
    ("THz", 1e12, [0, 0, -1, 0, 0]),
    ("A", 1.0, [0, 0, 0, 1, 0]),
    ("mA", 1e-3, [0, 0, 0, 1, 0]),
    ("uA", 1e-6, [0, 0, 0, 1, 0]),
    ("K", 1.0, [0, 0, 0, 0, 1]),
    ("V", 1.0, [1, 2, -3, -1, 0]),
    ("mV", 1e-3, [1, 2, -3, -1, 0]),
    ("kV", 1e3, [1, 2, -3, -1, 0]),
    ("MV", 1e6, [1, 2, -3, -1, 0]),
    ("J", 1.0, [1, 2, -2, 0, 0]),
    ("kJ", 1e3, [1, 2, -2, 0, 0]),
    ("eV", ELEMENTARY_CHARGE, [1, 2, -2, 0, 0]),
    ("meV", 1e-3 * ELEMENTARY_CHARGE, [1, 2, -2, 0, 0]),
    ("W", 1.0, [1, 2, -3, 0, 0]),
    ("C", 1.0, [0, 0, 1, 1, 0]),
    ("F", 1.0, [-1, -2, 4, 2, 0]),
    ("uF", 1e-6, [-1, -2, 4, 2, 0]),
    ("ohm", 1.0, [1, 2, -3, -2, 0]),
    ("Mohm", 1e6, [1, 2, -3, -2, 0]),
    ("S", 1.0, [-1, -2, 3, 2, 0]),
    ("T", 1.0, [1, 0, -2, -1, 0]),
    ("Pa", 1.0, [1, -1, -2, 0, 0]),
    ("Gy", 1.0, [0, 2, -2, 0, 0]),
    ("rad", GRAY_PER_RAD, [0, 2, -2, 0, 0]),
];

impl Unit {
    /// The unit of this name, if it is made of known symbols.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut unit = Self { factor: 1.0, dimension: [0; 5] };
        for (index, quotient) in text.split('/').enumerate() {
            for (place, term) in quotient.split(' ').enumerate() {
                let (symbol, power) = match term.split_once('^') {
                    Some((symbol, power)) => (symbol, power.parse().ok().filter(|n| (1..=9).contains(n))?),
                    None => (term, 1),
                };
                let (_, factor, dimension) = SYMBOLS.iter().find(|(name, ..)| *name == symbol)?;
                let power = if index > 0 && place == 0 { -power } else { power };
                unit.factor *= factor.powi(power);
                for (sum, part) in unit.dimension.iter_mut().zip(dimension) {
                    *sum += power * part;
                }
            }
        }
        Some(unit)
    }

    /// All known symbols, for messages.
    #[must_use]
    pub fn symbols() -> String {
        SYMBOLS.map(|(name, ..)| name).join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(text: &str) -> f64 {
        Unit::parse(text).unwrap().factor
    }

    #[test]
    fn products_quotients_and_powers() {
        assert_eq!(factor("1"), 1.0);
        assert!((factor("cm^2/V/s") - 1e-4).abs() < 1e-18);
        assert!((factor("1/cm^3") / 1e6 - 1.0).abs() < 1e-14);
        assert!((factor("MV/cm") / 1e8 - 1.0).abs() < 1e-14);
        assert!((factor("ohm um^2") / 1e-12 - 1.0).abs() < 1e-14);
        assert!((factor("1/cm^3/rad") / 1e8 - 1.0).abs() < 1e-14);
        assert_eq!(factor("W/m/K"), 1.0);
        assert_eq!(factor("eV"), ELEMENTARY_CHARGE);
        // V·A = W, F·V = C, J/C = V.
        for (a, b) in
            [("V A", "W"), ("F V", "C"), ("J/C", "V"), ("1/ohm", "S"), ("J/kg", "Gy"), ("1/s", "Hz")]
        {
            assert_eq!(Unit::parse(a).unwrap().dimension, Unit::parse(b).unwrap().dimension, "{a} {b}");
        }
    }

    #[test]
    fn what_is_not_known_is_no_unit() {
        for text in ["", "parsec", "ev", "m^", "m^0", "m^-1", "m^99", "m//s", "W / m", "K ", "°C", "m^2.0"] {
            assert_eq!(Unit::parse(text), None, "{text}");
        }
    }
}
