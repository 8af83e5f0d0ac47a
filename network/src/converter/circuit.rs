//! Circuit models of converters: shared parts, mismatch, one instance per group of columns.

use mho_data::random::Stream;

use super::capacitors::{self, Bank};
use super::search::Staircase;
use super::stages::{self, Stage};
use crate::array::ConverterKind;

/// Imperfections of a converter circuit. The defaults are an ideal circuit.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Circuit {
    /// Open-loop gain of amplifiers (dB); infinite for an ideal one.
    pub gain_db: f64,
    /// Standard deviation of a smallest capacitor, relative (ramp, SAR) or of C1 and C2 of a stage.
    pub sigma_capacitor: f64,
    /// Standard deviation of the parasitic capacitance at a stage's amplifier, in units of C1.
    pub sigma_parasitic: f64,
    /// Standard deviation of comparator offsets, in units of the reference voltage.
    pub sigma_comparator: f64,
    /// The bank of capacitors of ramp and SAR converters.
    pub bank: BankName,
    /// Columns that share one SAR, pipeline or cyclic converter. (A ramp is shared by all columns,
    /// each with a comparator of its own.)
    pub columns_per_converter: usize,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            gain_db: f64::INFINITY,
            sigma_capacitor: 0.0,
            sigma_parasitic: 0.0,
            sigma_comparator: 0.0,
            bank: BankName::Symmetric,
            columns_per_converter: 8,
        }
    }
}

/// Name of a bank of capacitors, see [`Bank`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BankName {
    /// [`Bank::Symmetric`].
    Symmetric,
    /// [`Bank::Unsigned`].
    Unsigned,
    /// [`Bank::Split`].
    Split,
}

impl From<BankName> for Bank {
    fn from(name: BankName) -> Self {
        match name {
            BankName::Symmetric => Self::Symmetric,
            BankName::Unsigned => Self::Unsigned,
            BankName::Split => Self::Split,
        }
    }
}

/// The mismatch of one converter instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draws {
    /// Comparator offsets in units of the reference voltage: one per column (ramp), one (SAR), two per
    /// stage, upper first, and one more (pipeline and cyclic).
    pub offsets: Vec<f64>,
    /// Ramp and SAR: deviations as [`capacitors::levels`] takes them.
    pub capacitors: Vec<f64>,
    /// Pipeline and cyclic: C1, C2 and Cpar of every stage, nominally 1, 1 and 0.
    pub stages: Vec<[f64; 3]>,
}

impl Draws {
    /// Draws for converter number `group` from `stream`; `columns` columns hang on it.
    pub fn sample(
        kind: ConverterKind,
        bits: u32,
        circuit: &Circuit,
        stream: &Stream,
        group: u64,
        columns: usize,
    ) -> Self {
        // Every group has 2^32 numbers of its own, offsets in the lower half.
        let base = group << 32;
        let offset = |i: usize| circuit.sigma_comparator * stream.normal(base + i as u64);
        let capacitor = |i: usize| stream.normal(base + (1 << 31) + i as u64);
        let stages = |count: usize| {
            let stage = |i: usize| {
                let [c1, c2, parasitic] = [0, 1, 2].map(|k| capacitor(3 * i + k));
                let sigma = circuit.sigma_capacitor;
                [1.0 + sigma * c1, 1.0 + sigma * c2, circuit.sigma_parasitic * parasitic]
            };
            (0..count).map(stage).collect()
        };
        let bank = || (0..capacitors::draws(bits)).map(|i| circuit.sigma_capacitor * capacitor(i)).collect();
        let offsets = |count: usize| (0..count).map(offset).collect();
        let last = (bits as usize).max(1) - 1;
        match kind {
            ConverterKind::Uniform | ConverterKind::SignMagnitude => Self::default(),
            ConverterKind::Ramp => Self { offsets: offsets(columns), capacitors: bank(), ..Self::default() },
            ConverterKind::Sar => Self { offsets: offsets(1), capacitors: bank(), ..Self::default() },
            ConverterKind::Pipeline => {
                Self { offsets: offsets(2 * last + 1), stages: stages(last), ..Self::default() }
            }
            ConverterKind::Cyclic => Self { offsets: offsets(3), stages: stages(1), ..Self::default() },
        }
    }
}

/// One converter of a kind that is a circuit.
#[derive(Clone, Debug)]
pub(super) enum Instance {
    Ramp {
        steps: Staircase,
        offsets: Vec<f64>,
    },
    Sar {
        steps: Staircase,
        offset: f64,
    },
    /// `passes` of the whole list of stages.
    Stages {
        stages: Vec<Stage>,
        passes: usize,
        last_offset: f64,
    },
}

impl Instance {
    /// `None` for the kinds that are no circuits. Missing draws are zero.
    pub(super) fn new(kind: ConverterKind, bits: u32, circuit: &Circuit, draws: Draws) -> Option<Self> {
        let gain = (10.0_f64).powf(circuit.gain_db / 20.0);
        let levels = || capacitors::levels(circuit.bank.into(), bits, gain, &draws.capacitors);
        let offset = |i: usize| draws.offsets.get(i).copied().unwrap_or(0.0);
        let stage = |i: usize| {
            let capacitors = draws.stages.get(i).copied().unwrap_or([1.0, 1.0, 0.0]);
            Stage::new(capacitors, gain, [offset(2 * i), offset(2 * i + 1)])
        };
        let last = bits as usize - 1;
        Some(match kind {
            ConverterKind::Uniform | ConverterKind::SignMagnitude => return None,
            ConverterKind::Ramp => Self::Ramp { steps: Staircase::ramp(&levels()), offsets: draws.offsets },
            ConverterKind::Sar => Self::Sar { steps: Staircase::successive(&levels()), offset: offset(0) },
            ConverterKind::Pipeline => Self::Stages {
                stages: (0..last).map(stage).collect(),
                passes: 1,
                last_offset: offset(2 * last),
            },
            ConverterKind::Cyclic => {
                Self::Stages { stages: vec![stage(0)], passes: last, last_offset: offset(2) }
            }
        })
    }

    /// Replaces inputs, in units of the reference, by their codes; `column` counts within the group.
    pub(super) fn codes(&self, column: usize, values: &mut [f64]) {
        match self {
            Self::Ramp { steps, offsets } => {
                let offset = offsets.get(column).copied().unwrap_or(0.0);
                values.iter_mut().for_each(|v| *v = f64::from(steps.code(*v + offset)));
            }
            Self::Sar { steps, offset } => {
                values.iter_mut().for_each(|v| *v = f64::from(steps.code(*v + *offset)));
            }
            Self::Stages { stages, passes, last_offset } => {
                stages::codes(values, stages, *passes, *last_offset);
            }
        }
    }
}
