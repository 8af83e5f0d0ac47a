//! Which of the effects between a trained network and its array are switched on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Switches of an evaluation. All off is the digital network. In documents: the text of [`fmt::Display`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Effects {
    /// Levels of weights, inputs and conversions. Off: continuous currents, float inputs and sums.
    pub quantisation: bool,
    /// Error of programming.
    pub programming: bool,
    /// Drift with time, mean and random part; off evaluates the table at time 0.
    pub drift: bool,
    /// Shift of the median current with dose.
    pub dose_mean: bool,
    /// Random part of the dose effect.
    pub dose_random: bool,
    /// Noise of every read.
    pub read_noise: bool,
}

impl Effects {
    /// Everything off.
    pub const NONE: Self = Self {
        quantisation: false,
        programming: false,
        drift: false,
        dose_mean: false,
        dose_random: false,
        read_noise: false,
    };

    /// Everything on.
    pub const ALL: Self = Self {
        quantisation: true,
        programming: true,
        drift: true,
        dose_mean: true,
        dose_random: true,
        read_noise: true,
    };

    /// The ablation: each step adds one effect to the step before it.
    pub const ABLATION: [(&'static str, Self); 7] = [
        ("float", Self::NONE),
        ("+ quantisation", Self { quantisation: true, ..Self::NONE }),
        ("+ programming", Self { quantisation: true, programming: true, ..Self::NONE }),
        ("+ drift", Self { dose_mean: false, dose_random: false, read_noise: false, ..Self::ALL }),
        ("+ dose mean", Self { dose_random: false, read_noise: false, ..Self::ALL }),
        ("+ dose random", Self { read_noise: false, ..Self::ALL }),
        ("+ read noise", Self::ALL),
    ];

    /// Names of the switches that are on.
    fn names(self) -> impl Iterator<Item = &'static str> {
        [
            ("quantisation", self.quantisation),
            ("programming", self.programming),
            ("drift", self.drift),
            ("dose-mean", self.dose_mean),
            ("dose-random", self.dose_random),
            ("read-noise", self.read_noise),
        ]
        .into_iter()
        .filter_map(|(name, on)| on.then_some(name))
    }

    /// Whether cells carry anything but their target current.
    pub fn changes_cells(self) -> bool {
        self.programming || self.drift || self.dose_mean || self.dose_random
    }

    /// Whether two trials can differ.
    pub fn is_random(self) -> bool {
        self.programming || self.drift || self.dose_random || self.read_noise
    }
}

/// `float`, or the names of the effects with `+` between.
impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("float");
        }
        for (index, name) in self.names().enumerate() {
            if index > 0 {
                f.write_str("+")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// No effect has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no effect {0:?}; there are quantisation, programming, drift, dose-mean, dose-random, read-noise, and float or all"
)]
pub struct UnknownEffect(pub String);

impl FromStr for Effects {
    type Err = UnknownEffect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut effects = Self::NONE;
        for name in text.split(['+', ',']).map(str::trim) {
            match name.replace('_', "-").as_str() {
                "float" | "none" => {}
                "all" => effects = Self::ALL,
                "quantisation" => effects.quantisation = true,
                "programming" => effects.programming = true,
                "drift" => effects.drift = true,
                "dose-mean" => effects.dose_mean = true,
                "dose-random" => effects.dose_random = true,
                "read-noise" => effects.read_noise = true,
                _ => return Err(UnknownEffect(name.to_owned())),
            }
        }
        Ok(effects)
    }
}

impl TryFrom<String> for Effects {
    type Error = UnknownEffect;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Effects> for String {
    fn from(effects: Effects) -> Self {
        effects.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_and_each_step_adds_one() {
        for (_, effects) in Effects::ABLATION {
            assert_eq!(effects.to_string().parse::<Effects>().unwrap(), effects);
        }
        for pair in Effects::ABLATION.windows(2) {
            let count = |e: Effects| e.names().count();
            assert_eq!(count(pair[1].1), count(pair[0].1) + 1);
        }
        assert_eq!("all".parse::<Effects>().unwrap(), Effects::ALL);
        assert!("wires".parse::<Effects>().unwrap_err().to_string().contains("read-noise"));
    }
}
