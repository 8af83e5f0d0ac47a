//! External noise: what disturbs the images before any array sees them.

use std::fmt;
use std::str::FromStr;

use mho_data::random::Stream;
use serde::{Deserialize, Serialize};

use crate::normals;

/// Kinds of noise on pixels u, which go from 0 (the least value of the data set) to 1 (the largest).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseKind {
    /// u + level n, n standard normal.
    Gaussian,
    /// u (1 + level n): dark pixels stay dark.
    Speckle,
    /// A fraction `level` of the pixels becomes 0 or 1, either with half the probability.
    SaltAndPepper,
}

/// Noise on the inputs of a network, drawn anew in every trial for every pixel of every image; nothing is
/// clipped. The same trial meets the same noise at every condition. Its text is `gaussian:0.1`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InputNoise {
    kind: NoiseKind,
    level: f64,
}

/// The text of an input noise cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "found {found:?}, expected gaussian:LEVEL, speckle:LEVEL (standard deviations from 0) or salt-and-pepper:LEVEL (a fraction from 0 to 1)"
)]
pub struct InputNoiseError {
    /// What was given.
    pub found: String,
}

impl InputNoise {
    /// A kind with a level; `None` for a negative level, one that is no number, and a fraction above 1.
    pub fn new(kind: NoiseKind, level: f64) -> Option<Self> {
        let most = if kind == NoiseKind::SaltAndPepper { 1.0 } else { f64::from(f32::MAX) };
        (0.0..=most).contains(&level).then_some(Self { kind, level })
    }

    /// Kind.
    pub fn kind(&self) -> NoiseKind {
        self.kind
    }

    /// Standard deviation, or fraction of pixels.
    pub fn level(&self) -> f64 {
        self.level
    }

    /// The random numbers of a trial.
    pub fn stream(&self, seed: u64, trial: u64) -> Stream {
        Stream::new(seed, &["network", "input-noise"], &[trial])
    }

    /// Disturbs consecutive pixels, the first of which has the number `first` among all of the data set.
    pub fn disturb(&self, stream: &Stream, first: u64, pixels: &mut [f32]) {
        let level = self.level as f32;
        if self.kind == NoiseKind::SaltAndPepper {
            for (number, pixel) in (first..).zip(pixels) {
                let u = stream.uniform(number);
                if u < self.level {
                    *pixel = if u < 0.5 * self.level { 0.0 } else { 1.0 };
                }
            }
            return;
        }
        let mut normals = vec![0.0; pixels.len()];
        normals::fill(stream, first, &mut normals);
        match self.kind {
            NoiseKind::Speckle => pixels.iter_mut().zip(&normals).for_each(|(u, n)| *u += *u * level * n),
            _ => pixels.iter_mut().zip(&normals).for_each(|(u, n)| *u += level * n),
        }
    }
}

impl fmt::Display for InputNoise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            NoiseKind::Gaussian => "gaussian",
            NoiseKind::Speckle => "speckle",
            NoiseKind::SaltAndPepper => "salt-and-pepper",
        };
        write!(f, "{kind}:{}", self.level)
    }
}

impl FromStr for InputNoise {
    type Err = InputNoiseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || InputNoiseError { found: text.to_owned() };
        let (kind, level) = text.split_once(':').ok_or_else(wrong)?;
        let kind = match kind.trim().replace('_', "-").as_str() {
            "gaussian" => NoiseKind::Gaussian,
            "speckle" => NoiseKind::Speckle,
            "salt-and-pepper" => NoiseKind::SaltAndPepper,
            _ => return Err(wrong()),
        };
        let level = level.trim().parse().map_err(|_| wrong())?;
        Self::new(kind, level).ok_or_else(wrong)
    }
}

impl TryFrom<String> for InputNoise {
    type Error = InputNoiseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<InputNoise> for String {
    fn from(noise: InputNoise) -> Self {
        noise.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disturbed(text: &str, value: f32, count: usize) -> Vec<f32> {
        let noise: InputNoise = text.parse().unwrap();
        let mut pixels = vec![value; count];
        noise.disturb(&noise.stream(1, 2), 0, &mut pixels);
        pixels
    }

    /// Bounds of five standard errors at 1e5 draws.
    #[test]
    fn moments_are_those_of_the_level() {
        let n = 100_000;
        for (text, value, sigma) in [("gaussian:0.2", 0.5, 0.2), ("speckle:0.2", 0.5, 0.1)] {
            let pixels = disturbed(text, value, n);
            let mean = pixels.iter().map(|&u| f64::from(u)).sum::<f64>() / n as f64;
            let square = pixels.iter().map(|&u| (f64::from(u) - mean).powi(2)).sum::<f64>() / n as f64;
            assert!((mean - f64::from(value)).abs() < 5.0 * sigma / (n as f64).sqrt(), "{text}: {mean}");
            assert!((square.sqrt() / sigma - 1.0).abs() < 5.0 / (2.0 * n as f64).sqrt(), "{text}");
        }
        assert!(disturbed("speckle:3", 0.0, 10).iter().all(|&u| u == 0.0));
        let salted = disturbed("salt-and-pepper:0.1", 0.5, n);
        for value in [0.0, 1.0] {
            let share = salted.iter().filter(|&&u| u == value).count() as f64 / n as f64;
            assert!((share - 0.05).abs() < 5.0 * (0.05 * 0.95 / n as f64).sqrt(), "{share}");
        }
    }

    #[test]
    fn a_stretch_meets_the_noise_of_its_place() {
        for text in ["gaussian:0.3", "speckle:0.3", "salt-and-pepper:0.5"] {
            let noise: InputNoise = text.parse().unwrap();
            let stream = noise.stream(5, 0);
            let (mut whole, mut part) = (vec![0.4; 1000], vec![0.4; 100]);
            noise.disturb(&stream, 0, &mut whole);
            noise.disturb(&stream, 333, &mut part);
            assert_eq!(part[..], whole[333..433]);
            assert_eq!(noise.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_noise_is_refused() {
        let bad =
            ["", "gaussian", "gaussian:", "gaussian:-1", "speckle:nan", "salt-and-pepper:1.5", "poisson:1"];
        for text in bad {
            assert!(text.parse::<InputNoise>().is_err(), "{text}");
        }
    }
}
