//! Update tables from these laws: quantiles of the step of the typical device at every state.

use super::device::{CycleNoise, PulsedDevice};
use super::law::{Cell, Law};
use super::presets::Preset;
use crate::card::DeviceCard;
use mho_data::provenance::Origin;
use mho_lut::{UpdateInfo, UpdateSource};

/// Probabilities between which quantiles are tabulated: 3.1 standard deviations on either side of a normal step.
const PROBABILITIES: (f64, f64) = (0.001, 0.999);

/// The typical device of a law with its noise from cycle to cycle. States are weights; those of a law without
/// bounds are tabulated from -1 to 1.
pub struct StepSource {
    name: String,
    origin: Origin,
    law: Law,
    cell: Cell,
    noise: CycleNoise,
    notes: Vec<String>,
}

impl StepSource {
    /// Of a card of an update law, whose steps all come out alike but for `noise`; `None` for a card of another
    /// model.
    pub fn of_card(name: &str, origin: Origin, card: &DeviceCard, noise: CycleNoise) -> Option<Self> {
        let (law, cell) = super::device(card)?;
        let cycles = match noise {
            CycleNoise::None => "steps repeat: the card has no noise from cycle to cycle".to_owned(),
            noise => format!("noise from cycle to cycle: {noise:?}"),
        };
        let notes = vec![format!("law {}, states in weights", card.model), cycles];
        Some(Self { name: name.to_owned(), origin, law, cell, noise, notes })
    }

    /// Of a published device.
    pub fn of_preset(name: &str, preset: &Preset) -> Self {
        let PulsedDevice { law, noise, .. } = preset.device.clone();
        let notes = vec![
            format!("{}: {}", preset.name, preset.source),
            "the typical device with its noise from cycle to cycle; devices differ besides".into(),
        ];
        let cell = preset.device.typical();
        Self { name: name.to_owned(), origin: Origin::Published, law, cell, noise, notes }
    }
}

impl UpdateSource for StepSource {
    fn describe(&self) -> UpdateInfo {
        let [low, high] = [self.cell.min, self.cell.max].map(|bound| bound - self.cell.reference);
        UpdateInfo {
            name: self.name.clone(),
            origin: self.origin,
            unit: "weight".into(),
            range: (low.max(-1.0), high.min(1.0)),
            probability: PROBABILITIES,
            notes: self.notes.clone(),
        }
    }

    /// A normal step about that of the law. Bounds stop a cell, not its step: they are the ends of the range.
    fn step(&self, direction: mho_lut::Direction, state: f64, probability: f64) -> Result<f64, String> {
        let (direction, scale) = match direction {
            mho_lut::Direction::Up => (super::Direction::Up, self.cell.up),
            mho_lut::Direction::Down => (super::Direction::Down, self.cell.down),
        };
        let mean = self.law.step(&self.cell, state, direction);
        let std = self.noise.std(&self.cell, mean, scale, state);
        let drawn = if std > 0.0 { mean + std * mho_lut::normal_score(probability) } else { mean };
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ENTRIES, presets};
    use super::*;
    use mho_lut::{Direction, UpdateOptions, compile_updates};

    /// Every law and every published device has a table within the tolerance, whose middle quantile is the step of
    /// the law.
    #[test]
    fn every_law_and_device_has_a_table() {
        let mut sources: Vec<StepSource> = Vec::new();
        for entry in ENTRIES {
            let card = DeviceCard::from_defaults(entry.info);
            let noise = CycleNoise::Multiplicative { sigma: 0.3 };
            sources.push(StepSource::of_card(entry.info.name, Origin::Derived, &card, noise).unwrap());
        }
        sources.extend(presets().iter().map(|preset| StepSource::of_preset(preset.name, preset)));
        for source in &sources {
            let table = compile_updates(source, &UpdateOptions { tolerance_fraction: 0.01 }).unwrap();
            let certificate = table.certificate().unwrap();
            assert!(certificate.met(), "{}: {certificate:?}", source.name);
            let ((low, high), mut asked) = (table.range(), 0);
            for direction in [Direction::Up, Direction::Down] {
                let steps = table.steps(direction);
                let largest = steps.step().iter().fold(0.0_f64, |most, step| most.max(step.abs()));
                for part in [0.11, 0.35, 0.5, 0.77] {
                    let state = low + part * (high - low);
                    let truth = source.step(direction, state, 0.5).unwrap();
                    let found = steps.at(state, 0.5);
                    assert!((found - truth).abs() <= 0.01 * largest, "{} at {state}", source.name);
                    asked += 1;
                }
            }
            assert_eq!(asked, 8);
        }
    }
}
