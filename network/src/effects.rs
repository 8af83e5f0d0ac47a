//! Which of the effects between a trained network and its array are switched on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Switches of an evaluation. All off is the digital network. In documents: the text of [`fmt::Display`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Effects {
    /// Levels of weights. Off: cells are meant to carry continuous currents.
    pub weight_levels: bool,
    /// Conversion of inputs. Off: float inputs.
    pub input_converters: bool,
    /// Conversion of sums. Off: float sums.
    pub output_converters: bool,
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
    /// Cells that cannot be programmed; where the array has any.
    pub stuck: bool,
    /// Resistance of wires; where the array has any.
    pub wires: bool,
    /// Currents of cells that are not proportional to the input; where the table knows voltages of the drain, and
    /// inputs have several levels.
    pub nonlinear_iv: bool,
}

/// Names of the switches, in the order of the fields.
const NAMES: [&str; 11] = [
    "weight-levels",
    "input-converters",
    "output-converters",
    "programming",
    "drift",
    "dose-mean",
    "dose-random",
    "read-noise",
    "stuck",
    "wires",
    "nonlinear-iv",
];

/// Weight levels and both converters together.
const QUANTISATION: &str = "quantisation";

impl Effects {
    /// Everything off.
    pub const NONE: Self = Self {
        weight_levels: false,
        input_converters: false,
        output_converters: false,
        programming: false,
        drift: false,
        dose_mean: false,
        dose_random: false,
        read_noise: false,
        stuck: false,
        wires: false,
        nonlinear_iv: false,
    };

    /// Levels of weights, inputs and sums, on ideal cells: `quantisation`.
    pub const QUANTISATION: Self =
        Self { weight_levels: true, input_converters: true, output_converters: true, ..Self::NONE };

    /// Everything on.
    pub const ALL: Self = Self {
        weight_levels: true,
        input_converters: true,
        output_converters: true,
        programming: true,
        drift: true,
        dose_mean: true,
        dose_random: true,
        read_noise: true,
        stuck: true,
        wires: true,
        nonlinear_iv: true,
    };

    /// The ablation of an array without wires and stuck cells: each step adds one effect to the step
    /// before it.
    pub const ABLATION: [(&'static str, Self); 9] = {
        let levels = Self { weight_levels: true, ..Self::NONE };
        let inputs = Self { input_converters: true, ..levels };
        let outputs = Self { output_converters: true, ..inputs };
        let programming = Self { programming: true, ..outputs };
        let drift = Self { drift: true, ..programming };
        let dose_mean = Self { dose_mean: true, ..drift };
        let dose_random = Self { dose_random: true, ..dose_mean };
        let read_noise = Self { read_noise: true, ..dose_random };
        [
            ("float", Self::NONE),
            ("+ weight levels", levels),
            ("+ input converters", inputs),
            ("+ output converters", outputs),
            ("+ programming", programming),
            ("+ drift", drift),
            ("+ dose mean", dose_mean),
            ("+ dose random", dose_random),
            ("+ read noise", read_noise),
        ]
    };

    /// The steps of [`Self::ABLATION`] and, behind them, stuck cells, wires and the bend of the cells' currents:
    /// those that add something which is `possible`.
    pub fn added_one_by_one(possible: Self) -> Vec<(String, Self)> {
        let last = Self { stuck: true, ..Self::ABLATION[Self::ABLATION.len() - 1].1 };
        let wires = Self { wires: true, ..last };
        let bent = Self { nonlinear_iv: true, ..wires };
        let more = [("+ stuck cells", last), ("+ wires", wires), ("+ nonlinear I-V", bent)];
        let mut steps: Vec<(String, Self)> = Vec::new();
        for (label, effects) in Self::ABLATION.into_iter().chain(more) {
            let effects = effects.and(possible);
            if steps.last().is_none_or(|(_, before)| *before != effects) {
                steps.push((label.to_owned(), effects));
            }
        }
        steps
    }

    /// All of `possible`, and then all but one, for each that is on: what each costs in the company of all
    /// others.
    pub fn left_out_one_by_one(possible: Self) -> Vec<(String, Self)> {
        let mut steps = vec![("all".to_owned(), possible)];
        for (index, name) in NAMES.into_iter().enumerate().filter(|(index, _)| possible.switches()[*index]) {
            let mut rest = possible;
            *rest.switches_mut()[index] = false;
            steps.push((format!("without {}", name.replace('-', " ")), rest));
        }
        steps
    }

    fn switches(self) -> [bool; 11] {
        let mut copy = self;
        copy.switches_mut().map(|switch| *switch)
    }

    fn switches_mut(&mut self) -> [&mut bool; 11] {
        let Self {
            weight_levels,
            input_converters,
            output_converters,
            programming,
            drift,
            dose_mean,
            dose_random,
            read_noise,
            stuck,
            wires,
            nonlinear_iv,
        } = self;
        [
            weight_levels,
            input_converters,
            output_converters,
            programming,
            drift,
            dose_mean,
            dose_random,
            read_noise,
            stuck,
            wires,
            nonlinear_iv,
        ]
    }

    /// What is on in both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.switches_mut().into_iter().zip(other.switches()).for_each(|(own, other)| *own &= other);
        self
    }

    /// What is on in either.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.switches_mut().into_iter().zip(other.switches()).for_each(|(own, other)| *own |= other);
        self
    }

    /// Names of the switches that are on.
    fn names(self) -> impl Iterator<Item = &'static str> {
        let whole = self.and(Self::QUANTISATION) == Self::QUANTISATION;
        let single = NAMES.into_iter().zip(self.switches()).enumerate();
        let single =
            single.filter_map(move |(index, (name, on))| (on && (index > 2 || !whole)).then_some(name));
        whole.then_some(QUANTISATION).into_iter().chain(single)
    }

    /// Whether a cell's current comes from the device table.
    pub fn changes_cells(self) -> bool {
        self.programming || self.drift || self.dose_mean || self.dose_random
    }

    /// Whether a device table is needed.
    pub fn needs_table(self) -> bool {
        self.changes_cells() || self.read_noise
    }

    /// Whether two trials can differ.
    pub fn is_random(self) -> bool {
        self.programming || self.drift || self.dose_random || self.read_noise || self.stuck
    }
}

/// `float`, or the names of the effects with `+` between; the three of quantisation as one when all are on.
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
#[error("no effect {name:?}; there are {QUANTISATION} (or one of its parts), {}, and float or all", NAMES.join(", "))]
pub struct UnknownEffect {
    /// What was given.
    pub name: String,
}

impl FromStr for Effects {
    type Err = UnknownEffect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut effects = Self::NONE;
        for given in text.split(['+', ',']).map(str::trim) {
            let name = given.replace('_', "-");
            let known = NAMES.iter().position(|known| *known == name);
            match (name.as_str(), known) {
                ("float" | "none", _) => {}
                ("all", _) => effects = Self::ALL,
                (QUANTISATION, _) => effects = effects.or(Self::QUANTISATION),
                (_, Some(index)) => *effects.switches_mut()[index] = true,
                _ => return Err(UnknownEffect { name: given.to_owned() }),
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
    use proptest::prelude::*;

    fn count(effects: Effects) -> usize {
        effects.switches().into_iter().filter(|on| *on).count()
    }

    proptest! {
        #[test]
        fn names_survive(on in proptest::array::uniform11(any::<bool>())) {
            let mut effects = Effects::NONE;
            effects.switches_mut().into_iter().zip(on).for_each(|(switch, on)| *switch = on);
            prop_assert_eq!(effects.to_string().parse::<Effects>(), Ok(effects));
        }
    }

    #[test]
    fn each_step_adds_one_or_leaves_one_out() {
        let steps = Effects::added_one_by_one(Effects::ALL);
        assert_eq!((steps.len(), steps[11].1), (12, Effects::ALL));
        assert!(steps.windows(2).all(|pair| count(pair[1].1) == count(pair[0].1) + 1));
        assert_eq!(Effects::added_one_by_one(Effects::QUANTISATION).len(), 4);
        let steps = Effects::left_out_one_by_one(Effects::ALL);
        assert_eq!(steps.len(), 12);
        assert!(steps[1..].iter().all(|(_, effects)| count(*effects) == 10));
        assert_eq!(steps[10].0, "without wires");
    }

    #[test]
    fn texts_of_earlier_documents_mean_what_they_meant() {
        let text = "quantisation+programming+drift+dose-mean+dose-random+read-noise";
        let effects: Effects = text.parse().unwrap();
        assert_eq!(effects, Effects { stuck: false, wires: false, nonlinear_iv: false, ..Effects::ALL });
        assert_eq!(effects.to_string(), text);
        assert_eq!("all".parse::<Effects>().unwrap(), Effects::ALL);
        assert_eq!("quantisation".parse::<Effects>().unwrap(), Effects::QUANTISATION);
        assert!("resistance".parse::<Effects>().unwrap_err().to_string().contains("read-noise"));
    }
}
