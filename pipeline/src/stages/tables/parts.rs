//! The parts of a device, which card describes which, and how the device is read.

use mho_compact::card::DeviceCard;
use mho_compact::inference;
use mho_data::InputError;
use serde::{Deserialize, Serialize};

/// What stands in for a card that is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Missing {
    /// The effect is left out, and the table says so.
    #[default]
    Nothing,
    /// The published 40 nm SONOS cell, and the table says so.
    Sonos,
}

/// How a device is read, and what no card says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// Current of state 1 (nA); by default 1600, and of resistive cells that of the largest conductance.
    pub(crate) current_max_na: Option<f64>,
    /// Read voltage of resistive cells (V).
    pub(crate) read_v: f64,
    /// Drain voltage of the read of a transistor (V).
    pub(crate) read_drain_v: f64,
    /// Gate voltage of the read of a transistor (V); by default the one at which the threshold that was fitted
    /// carries half the largest current.
    pub(crate) read_gate_v: Option<f64>,
    /// Gate area (um2), which adds the counting statistics of trapped charge where no `threshold-spread` is given.
    pub(crate) gate_area_um2: Option<f64>,
    /// Spread of ln D_c from cell to cell; by default that of what stands in for missing cards.
    pub(crate) dose_c_spread: Option<f64>,
    /// Threshold (V) of the neutral state, which the read carries at the neutral current of retention, in place of
    /// `read_gate_v`.
    pub(crate) neutral_threshold_v: Option<f64>,
    /// V_inf - V_N (V) in place of the fitted one, for a card of `tid-exp`.
    pub(crate) v_inf_offset_v: Option<f64>,
    /// What stands in for cards that are not given.
    pub(crate) missing: Missing,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            current_max_na: None,
            read_v: 0.2,
            read_drain_v: 0.1,
            read_gate_v: None,
            gate_area_um2: None,
            dose_c_spread: None,
            neutral_threshold_v: None,
            v_inf_offset_v: None,
            missing: Missing::Nothing,
        }
    }
}

/// A part of a device, each described by one card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Transfer,
    Retention,
    Programming,
    ThresholdSpread,
    ReadNoise,
    Dose,
    Resistive,
}

impl Part {
    /// The part that a card of this model describes.
    pub(crate) fn of(model: &str) -> Option<Self> {
        Some(match model {
            "transistor" | "ekv" => Self::Transfer,
            "sonos-retention" => Self::Retention,
            "sonos-programming" => Self::Programming,
            "threshold-spread" => Self::ThresholdSpread,
            "read-noise" => Self::ReadNoise,
            "current-shift" => Self::Dose,
            name if name.starts_with("tid-") => Self::Dose,
            name if inference::find(name).is_some() => Self::Resistive,
            _ => return None,
        })
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Transfer => "transistor",
            Self::Retention => "retention",
            Self::Programming => "programming spread",
            Self::ThresholdSpread => "spread of thresholds",
            Self::ReadNoise => "read noise",
            Self::Dose => "dose law",
            Self::Resistive => "resistive cell",
        }
    }
}

/// The models of which a card is a part of a device.
pub(crate) const PARTS: &str = "ekv or transistor, sonos-retention, sonos-programming, threshold-spread, read-noise, tid-* or \
     current-shift; or a resistive cell (pcm, hermes, wan, cmo, milo, taox, bulk-reram, generic-*, state-independent)";

/// A card with the name that errors call it by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub(crate) file: String,
    pub(crate) card: DeviceCard,
}

/// The part that a card describes.
pub(crate) fn part_of(named: &Named) -> Result<Part, InputError> {
    Part::of(&named.card.model).ok_or_else(|| {
        let found = format!("a card of model `{}`", named.card.model);
        InputError::new(&named.file, found, PARTS)
    })
}

/// The upper end of what a card was fitted to (`"0 to 500"`).
pub(crate) fn upper_end(card: &DeviceCard, key: &str) -> Option<f64> {
    let (_, end) = card.validity.get(key)?.split_once(" to ")?;
    end.split_whitespace().next()?.parse().ok().filter(|end: &f64| end.is_finite() && *end >= 0.0)
}
