//! Units as people write them.

/// A unit: what it measures, and the factor and offset to the canonical one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    pub(super) quantity: Quantity,
    factor: f64,
    offset: f64,
}

/// What a unit measures. Canonical: V, A, F, S, krad(Si), s, K, µm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Voltage,
    Current,
    Dose,
    Time,
    Temperature,
    Length,
    Capacitance,
    Conductance,
    Number,
}

impl Quantity {
    /// Units to write, for messages.
    pub(super) fn units(self) -> &'static str {
        match self {
            Self::Voltage => "V or mV",
            Self::Current => "A, mA, uA, nA or pA",
            Self::Dose => "krad(Si), rad(Si), Mrad(Si), Gy(Si) or kGy(Si)",
            Self::Time => "s, min, h, d or y",
            Self::Temperature => "K or C",
            Self::Length => "um, nm, mm or m",
            Self::Capacitance => "F, uF, nF, pF or fF",
            Self::Conductance => "S, mS, uS or nS",
            Self::Number => "no unit",
        }
    }
}

impl Unit {
    pub(super) const NONE: Self = Self { quantity: Quantity::Number, factor: 1.0, offset: 0.0 };

    /// A unit in brackets, in a row of units, or as a suffix of a name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        use Quantity::{Capacitance, Conductance, Current, Dose, Length, Number, Temperature, Time, Voltage};
        let unit = |quantity, factor| Some(Self { quantity, factor, offset: 0.0 });
        let plain = text.trim().replace(['µ', 'μ'], "u");
        match plain.as_str() {
            "V" | "v" | "Volt" | "Volts" => unit(Voltage, 1.0),
            "mV" | "mv" => unit(Voltage, 1e-3),
            "A" | "a" | "Amp" | "Amps" => unit(Current, 1.0),
            "mA" | "ma" => unit(Current, 1e-3),
            "uA" | "ua" => unit(Current, 1e-6),
            "nA" | "na" => unit(Current, 1e-9),
            "pA" | "pa" => unit(Current, 1e-12),
            "krad(Si)" | "krad_si" => unit(Dose, 1.0),
            "rad(Si)" | "rad_si" => unit(Dose, 1e-3),
            "Mrad(Si)" | "mrad_si" => unit(Dose, 1e3),
            "Gy(Si)" | "gy_si" => unit(Dose, 0.1),
            "kGy(Si)" | "kgy_si" => unit(Dose, 100.0),
            "s" | "sec" | "seconds" => unit(Time, 1.0),
            "min" => unit(Time, 60.0),
            "h" | "hours" => unit(Time, 3600.0),
            "d" | "days" => unit(Time, 86_400.0),
            "y" => unit(Time, 365.25 * 86_400.0),
            "K" | "k" => unit(Temperature, 1.0),
            "C" | "°C" | "degC" | "c" => Some(Self { quantity: Temperature, factor: 1.0, offset: 273.15 }),
            "um" => unit(Length, 1.0),
            "nm" => unit(Length, 1e-3),
            "mm" => unit(Length, 1e3),
            "m" => unit(Length, 1e6),
            "F" | "f" => unit(Capacitance, 1.0),
            "uF" | "uf" => unit(Capacitance, 1e-6),
            "nF" | "nf" => unit(Capacitance, 1e-9),
            "pF" | "pf" => unit(Capacitance, 1e-12),
            "fF" | "ff" => unit(Capacitance, 1e-15),
            "S" => unit(Conductance, 1.0),
            "mS" => unit(Conductance, 1e-3),
            "uS" | "us" => unit(Conductance, 1e-6),
            "nS" | "ns" => unit(Conductance, 1e-9),
            "1" | "fraction" => unit(Number, 1.0),
            "%" | "percent" => unit(Number, 0.01),
            _ => None,
        }
    }

    /// The same unit for a canonical one that is smaller by `factor`.
    pub(super) fn scaled(self, factor: f64) -> Self {
        Self { factor: self.factor * factor, offset: self.offset * factor, ..self }
    }

    /// The value in the canonical unit.
    pub(super) fn si(self, value: f64) -> f64 {
        value * self.factor + self.offset
    }
}
