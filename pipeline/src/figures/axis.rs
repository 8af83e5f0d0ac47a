//! Scales, ranges and ticks.

/// How values become positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// As they are.
    Linear,
    /// Logarithmic.
    Log,
    /// Logarithmic, with zero as a first tick apart, behind a broken axis. The value is the smallest one
    /// above zero.
    LogWithZero(f64),
}

/// An axis of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: String,
    /// Scale.
    pub scale: Scale,
    /// Range; `None`: from the data.
    pub range: Option<(f64, f64)>,
    /// Ticks at given values with given words, in place of numbers.
    pub words: Vec<(f64, String)>,
}

/// Decades between the zero tick and the smallest value above it.
const ZERO_GAP: f64 = 0.7;

impl Axis {
    /// An axis with a label.
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale, range: None, words: Vec::new() }
    }

    /// With a range.
    #[must_use]
    pub fn from_to(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// With words for ticks.
    #[must_use]
    pub fn with_words(mut self, words: Vec<(f64, String)>) -> Self {
        self.words = words;
        self
    }

    /// Position of a value; `None` where it has none (zero and below on a logarithmic axis).
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Linear => value,
            Scale::Log if value > 0.0 => value.log10(),
            Scale::Log => return None,
            Scale::LogWithZero(least) if value <= 0.0 => least.log10() - ZERO_GAP,
            // Nothing is drawn in the gap.
            Scale::LogWithZero(least) if value < 0.999 * least => return None,
            Scale::LogWithZero(_) => value.log10(),
        };
        place.is_finite().then_some(place)
    }

    /// Range of positions for these values, with a margin.
    pub(super) fn extent(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some((low, high)) = self.range
            && let (Some(low), Some(high)) = (self.place(low), self.place(high))
        {
            let below = if matches!(self.scale, Scale::LogWithZero(_)) { 0.12 } else { 0.0 };
            return (low - below, high);
        }
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for place in values.filter_map(|value| self.place(value)) {
            (low, high) = (low.min(place), high.max(place));
        }
        if low > high {
            return (0.0, 1.0);
        }
        let margin = 0.05 * (high - low).max(1e-9 * high.abs()).max(1e-12);
        (low - margin, high + margin)
    }

    /// Ticks within a range of positions: position, text for major ones.
    pub(super) fn ticks(&self, (low, high): (f64, f64)) -> Vec<(f64, Option<String>)> {
        if !self.words.is_empty() {
            let words = self.words.iter();
            return words
                .filter_map(|(value, text)| Some((self.place(*value)?, Some(text.clone()))))
                .collect();
        }
        let inside = |place: f64| place >= low - 1e-9 && place <= high + 1e-9;
        match self.scale {
            Scale::Linear => linear(low, high),
            Scale::Log => decades(low, high).into_iter().filter(|(place, _)| inside(*place)).collect(),
            Scale::LogWithZero(least) => {
                let zero = least.log10() - ZERO_GAP;
                let first = least.log10();
                let mut ticks: Vec<_> = decades(first, high)
                    .into_iter()
                    .filter(|(place, _)| inside(*place) && *place >= first - 1e-9)
                    .collect();
                // The first value after the gap is named too, unless a decade is right beside it.
                if !ticks.iter().any(|(place, text)| text.is_some() && (place - first).abs() < 0.3) {
                    ticks.push((first, Some(format!("{least}"))));
                }
                if inside(zero) {
                    ticks.push((zero, Some("0".into())));
                }
                ticks
            }
        }
    }

    /// Where the axis is broken, if it is.
    pub(super) fn gap(&self) -> Option<f64> {
        match self.scale {
            Scale::LogWithZero(least) => Some(least.log10() - 0.5 * ZERO_GAP),
            _ => None,
        }
    }
}

/// Round numbers, three to seven of them, with minor ticks between.
fn linear(low: f64, high: f64) -> Vec<(f64, Option<String>)> {
    let raw = (high - low) / 6.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= raw).unwrap_or(raw);
    let minor = if (step / power - 5.0).abs() < 0.1 { step / 5.0 } else { step / 4.0 };
    let digits = (-step.log10().floor()).max(0.0) as usize;
    let mut ticks = Vec::new();
    let mut i = (low / minor - 1e-9).ceil();
    while i * minor <= high + 1e-9 * step {
        let value = i * minor;
        let ratio = value / step;
        let text = ((ratio - ratio.round()).abs() < 1e-6).then(|| {
            let value = ratio.round() * step;
            minus(&format!("{:.digits$}", if value == 0.0 { 0.0 } else { value }))
        });
        ticks.push((value, text));
        i += 1.0;
    }
    ticks
}

/// Powers of ten, every one, or every second or third of many, with minor ticks.
fn decades(low: f64, high: f64) -> Vec<(f64, Option<String>)> {
    let (first, last) = (low.floor() as i32, high.ceil() as i32);
    let every = ((last - first) / 7 + 1).max(1);
    let mut ticks = Vec::new();
    for power in first..=last {
        let text = (power % every == 0).then(|| match power {
            0..=4 => format!("{}", 10_u32.pow(power.unsigned_abs())),
            -2..=-1 => format!("{}", 10f64.powi(power)),
            _ => format!("10{}", superscript(power)),
        });
        ticks.push((f64::from(power), text));
        if last - first <= 7 {
            // On a short axis 2 and 5 carry numbers too.
            let named = |m: i32| high - low < 1.6 && (m == 2 || m == 5) && (0..=3).contains(&power);
            ticks.extend((2..10).map(|m| {
                let text = named(m).then(|| format!("{}", m * 10_i32.pow(power.unsigned_abs())));
                (f64::from(power) + f64::from(m).log10(), text)
            }));
        }
    }
    ticks
}

/// A power of ten in raised digits.
pub(crate) fn superscript(power: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    power
        .to_string()
        .chars()
        .map(|c| c.to_digit(10).and_then(|digit| DIGITS.get(digit as usize)).copied().unwrap_or('⁻'))
        .collect()
}

/// A true minus sign.
pub(super) fn minus(text: &str) -> String {
    text.replacen('-', "\u{2212}", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis, range: (f64, f64)) -> Vec<String> {
        axis.ticks(range).into_iter().filter_map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis::new("", Scale::Linear);
        assert_eq!(texts(&axis, (-0.1, 1.05)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(&axis, (71.0, 88.0)), ["75", "80", "85"]);
        let dose = Axis::new("", Scale::LogWithZero(3.0));
        let range = dose.extent([0.0, 3.0, 1000.0].into_iter());
        assert_eq!(texts(&dose, range), ["10", "100", "1000", "3", "0"]);
        assert_eq!(texts(&Axis::new("", Scale::Log), (-12.0, -6.0)).len(), 7);
    }
}
