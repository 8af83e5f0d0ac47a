//! Published statistics of 40 nm SONOS arrays: what others measured, as data files with citation.
//!
//! Everything is evaluated in nA, as it was fitted. Between the published times the parameters are linear in
//! time; beyond the last one they are held and counted as extrapolated.

use crate::error::InputError;
use serde::Deserialize;

/// The published sets by name.
pub const SETS: [(&str, &str); 2] = [
    ("tcas2022", include_str!("../files/published/sonos_tcas2022.toml")),
    ("iedm2022", include_str!("../files/published/sonos_iedm2022.toml")),
];

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Spread {
    form: String,
    #[serde(default)]
    a_per_na: Vec<f64>,
    #[serde(default)]
    a_na: Vec<f64>,
    b_na: Vec<f64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct States {
    mean_na: Vec<Vec<f64>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Drift {
    coefficients: Vec<Vec<f64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct ReadNoise {
    a_na: f64,
    b_na: f64,
}

/// A published set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PublishedSonos {
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// What to cite.
    pub citation: String,
    /// Largest current for which it holds (nA).
    pub current_max_na: f64,
    /// Times at which it was measured (s).
    pub time_s: Vec<f64>,
    spread: Spread,
    states: Option<States>,
    drift: Option<Drift>,
    read_noise: Option<ReadNoise>,
}

/// A value, and whether it lies outside of what was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluated {
    /// The value (nA).
    pub value: f64,
    /// Whether it was extrapolated.
    pub extrapolated: bool,
}

impl PublishedSonos {
    /// A set that comes with mho.
    ///
    /// # Errors
    /// An unknown name.
    pub fn named(name: &str) -> Result<Self, InputError> {
        let (_, text) = SETS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<&str> = SETS.iter().map(|(name, _)| *name).collect();
            InputError::new(name, "no such published set", format!("one of {}", known.join(", ")))
        })?;
        Self::parse(text, &format!("sonos_{name}.toml"))
    }

    /// Reads a set from TOML.
    ///
    /// # Errors
    /// A document that is not one, or whose arrays do not fit together.
    pub fn parse(text: &str, file: &str) -> Result<Self, InputError> {
        let set: Self = toml::from_str(text).map_err(|error| {
            let wrong = InputError::new(file, error.message().to_owned(), "a set of published statistics");
            match error.span() {
                Some(span) => wrong.at_line(text[..span.start.min(text.len())].matches('\n').count() + 1),
                None => wrong,
            }
        })?;
        let n = set.time_s.len();
        let rates = if set.spread.form == "b(1-exp(-a i))" { &set.spread.a_per_na } else { &set.spread.a_na };
        let even = |rows: &[Vec<f64>], least: usize| {
            rows.len() == n && rows[0].len() >= least && rows.iter().all(|row| row.len() == rows[0].len())
        };
        let fits = n > 1
            && set.time_s[0] == 0.0
            && set.time_s.is_sorted()
            && rates.len() == n
            && set.spread.b_na.len() == n
            && set.states.as_ref().is_none_or(|states| even(&states.mean_na, 2))
            && set.drift.as_ref().is_none_or(|drift| even(&drift.coefficients, 1))
            && (set.states.is_some() || set.drift.is_some());
        if !fits {
            return Err(InputError::new(
                file,
                "arrays that do not fit together",
                "ascending times from 0 and one row of equal length for each",
            ));
        }
        Ok(set)
    }

    /// The published mean currents (nA) of the states, one row per time; none where the set gives a
    /// polynomial.
    pub fn states(&self) -> Option<&[Vec<f64>]> {
        self.states.as_ref().map(|states| states.mean_na.as_slice())
    }

    /// Mean current of cells that started at `initial_na`, after a time.
    pub fn mean_na(&self, initial_na: f64, time_s: f64) -> Evaluated {
        let (low, high, weight, late) = self.between(time_s);
        let (a, outside_a) = self.mean_at(low, initial_na);
        let (b, outside_b) = self.mean_at(high, initial_na);
        Evaluated { value: (a + (b - a) * weight).max(0.0), extrapolated: late || outside_a || outside_b }
    }

    fn mean_at(&self, row: usize, initial_na: f64) -> (f64, bool) {
        if let Some(states) = &self.states {
            let (xs, ys) = (&states.mean_na[0], &states.mean_na[row]);
            let i = xs.partition_point(|&x| x <= initial_na).clamp(1, xs.len() - 1) - 1;
            let slope = (ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]);
            let outside = initial_na < xs[0] || initial_na > xs[xs.len() - 1];
            return (ys[i] + slope * (initial_na - xs[i]), outside);
        }
        let shift = self.drift.as_ref().map_or(0.0, |drift| {
            drift.coefficients[row]
                .iter()
                .rev()
                .fold(0.0, |sum, c| sum * initial_na.min(self.current_max_na) + c)
        });
        // The polynomial's constant term would make current where there is none.
        (if initial_na > 0.0 { initial_na + shift } else { 0.0 }, initial_na > self.current_max_na)
    }

    /// Standard deviation over cells (nA) whose mean current is now `current_na`, at a time.
    pub fn sigma_na(&self, current_na: f64, time_s: f64) -> Evaluated {
        let (low, high, weight, late) = self.between(time_s);
        // The parameters of the law are linear in time, as those of the mean are.
        let at = |values: &[f64]| values[low] + (values[high] - values[low]) * weight;
        let spread = &self.spread;
        let (size, rate) = if spread.form == "b(1-exp(-a i))" {
            (at(&spread.b_na), at(&spread.a_per_na))
        } else {
            (at(&spread.a_na), 1.0 / at(&spread.b_na))
        };
        let value = -size * libm::expm1(-rate * current_na);
        Evaluated { value, extrapolated: late || current_na > self.current_max_na }
    }

    /// Standard deviation (nA) of repeated reads. The 16-state set has none of its own: that of the
    /// 128 K devices stands in (assumed to hold for both).
    pub fn read_noise_na(&self, current_na: f64) -> f64 {
        let noise = self.read_noise.unwrap_or(ReadNoise { a_na: 12.58037, b_na: 215.36557 });
        -noise.a_na * libm::expm1(-current_na / noise.b_na)
    }

    /// Whether the read noise is the set's own.
    pub fn has_read_noise(&self) -> bool {
        self.read_noise.is_some()
    }

    fn between(&self, time_s: f64) -> (usize, usize, f64, bool) {
        let times = &self.time_s;
        let last = times.len() - 1;
        if time_s >= times[last] {
            return (last, last, 0.0, time_s > times[last]);
        }
        let i = times.partition_point(|&t| t <= time_s).max(1) - 1;
        (i, i + 1, ((time_s - times[i]) / (times[i + 1] - times[i])).max(0.0), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The evaluated table of the publication's coefficients, to the printed digits.
    #[test]
    fn the_polynomials_give_the_published_drift() {
        let set = PublishedSonos::named("iedm2022").unwrap();
        let rows = [
            (1.0, [0.68, 1.70, 1.74, 1.01, 0.62, -1.5, -3.8, -5.1, -7.3, -9.6, -11.5]),
            (5.0, [1.29, 3.55, 4.12, 2.64, -1.5, -7.9, -15.2, -21.6, -28.5, -34.8, -40.7]),
        ];
        let currents = [10.0, 50.0, 100.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 1200.0, 1400.0, 1600.0];
        for (day, shifts) in rows {
            for (current, shift) in currents.iter().zip(shifts) {
                let found = set.mean_na(*current, day * 86_400.0);
                assert!(
                    (found.value - current - shift).abs() < 0.06 && !found.extrapolated,
                    "{current} {found:?}"
                );
            }
        }
        assert!((set.sigma_na(1600.0, 432_000.0).value - 34.6).abs() < 0.05);
    }

    /// The same set as CrossSim 3.2 evaluates it, but for the times beyond the last published one, where values
    /// are held here. Its conductances are over the largest; an on/off ratio of 1e7 leaves 1600 nA / 1e7.
    #[test]
    fn equals_crosssim() {
        let Some(path) = crate::shared::find("golden/crosssim/devices.npz") else { return };
        let data = crate::npy::Archive::from_npz(&std::fs::read(path).unwrap(), "devices.npz").unwrap();
        let set = PublishedSonos::named("iedm2022").unwrap();
        let (most, least) = (1600.0, 1600.0 / 1e7);
        let unit = (most - least) / (1.0 - 1e-7);
        let mut seen = 0;
        for (key, grid) in
            data.members.iter().filter(|(key, _)| key.starts_with("SONOS") && key.ends_with("/g"))
        {
            let case = key.trim_end_matches("/g");
            let day: f64 = case.split_once("drift_t").map_or(0.0, |(_, day)| day.parse().unwrap());
            if day > 5.0 {
                continue;
            }
            seen += 1;
            let get = |part: &str| &data.get(&format!("{case}/{part}")).unwrap().values;
            for ((g, mean), sigma) in grid.values.iter().zip(get("mean")).zip(get("sigma")) {
                let initial = least + unit * (g - 1e-7);
                let found = if day > 0.0 { set.mean_na(initial, day * 86_400.0).value } else { initial };
                let spread = match case.ends_with("read_noise") {
                    true => set.read_noise_na(found),
                    false => set.sigma_na(found, day * 86_400.0).value,
                };
                // Rounding of a polynomial of tenth order; currents and spreads are parts of the full one.
                assert!(((found - least) / unit + 1e-7 - mean).abs() < 1e-12, "{case} {g}");
                assert!((spread / unit - sigma).abs() < 1e-12, "{case} {g}");
            }
        }
        assert_eq!(seen, 12);
    }

    #[test]
    fn the_states_are_met_and_what_lies_outside_is_told() {
        let set = PublishedSonos::named("tcas2022").unwrap();
        assert_eq!(set.mean_na(1585.32, 432_000.0).value, 1543.26);
        assert!((set.sigma_na(1600.0, 0.0).value - 37.6).abs() < 0.05);
        assert!((set.sigma_na(1600.0, 432_000.0).value - 51.8).abs() < 0.05);
        assert!(set.mean_na(20.0, 0.0).extrapolated && set.mean_na(200.0, 1e6).extrapolated);
        assert!(!set.mean_na(200.0, 4e4).extrapolated);
        assert!(set.mean_na(0.0, 0.0).value.abs() < 1.0);
        assert!(PublishedSonos::named("vlsi").is_err());
        let error = PublishedSonos::parse("schema = 1\nname = 3\n", "x.toml").unwrap_err();
        assert_eq!(error.line, Some(2));
    }
}
