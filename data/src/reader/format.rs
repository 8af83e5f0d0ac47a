//! The formats that are read, and how each is recognised.

use super::{clarius, easyexpert, mdm, ramps};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// IC-CAP `.mdm`.
    Mdm,
    /// Keysight EasyEXPERT CSV.
    EasyExpert,
    /// Keithley Clarius and KITE exports.
    Clarius,
    /// A column for each ramp of pulses.
    Ramps,
    /// CSV, TSV and their kin.
    Csv,
    /// Parquet.
    Parquet,
}

/// What a format is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// The format.
    pub format: Format,
    /// Its name for `--format`.
    pub name: &'static str,
    /// What writes it.
    pub title: &'static str,
    /// By what it is recognised.
    pub sign: &'static str,
    /// What must or may be said beside the file.
    pub beside: &'static str,
}

/// All formats, in the order in which they are tried.
pub const FORMATS: [About; 6] = [
    About {
        format: Format::Parquet,
        name: "parquet",
        title: "Parquet with columns as in csv",
        sign: "the bytes PAR1 at its begin",
        beside: "what the columns lack",
    },
    About {
        format: Format::Mdm,
        name: "mdm",
        title: "IC-CAP data file (Keysight): I-V and C-V of transistors and diodes",
        sign: "BEGIN_HEADER and ICCAP_INPUTS",
        beside: "temperature, where ICCAP_VALUES has no TEMP; dimensions, where neither it nor the name has",
    },
    About {
        format: Format::EasyExpert,
        name: "easyexpert",
        title: "CSV of EasyEXPERT (Keysight B1500A and kin)",
        sign: "SetupTitle or DataName at the begin of a line",
        beside: "temperature, dose, time",
    },
    About {
        format: Format::Clarius,
        name: "clarius",
        title: "export of Clarius or KITE (Keithley 4200A-SCS), a group of columns for each run",
        sign: "names such as DrainI, GateV, DrainI(2)",
        beside: "temperature, dose, time",
    },
    About {
        format: Format::Ramps,
        name: "ramps",
        title: "ramps of equal pulses as CrossSim keeps them, a column for each",
        sign: "names rmp1, rmp2, …",
        beside: "read voltage, unit of the current",
    },
    About {
        format: Format::Csv,
        name: "csv",
        title: "CSV, TSV or semicolons, with units behind the names",
        sign: "a line of known names, such as VG (V), ID (A)",
        beside: "what the columns lack, and what they mean",
    },
];

impl Format {
    /// The format of a name, as in `--format`.
    pub fn named(name: &str) -> Option<Self> {
        FORMATS.iter().find(|about| about.name == name).map(|about| about.format)
    }

    /// What it is.
    pub fn about(self) -> &'static About {
        FORMATS.iter().find(|about| about.format == self).unwrap_or(&FORMATS[FORMATS.len() - 1])
    }

    /// All names, for messages.
    pub fn names() -> String {
        FORMATS.map(|about| about.name).join(", ")
    }

    /// The format that the content looks like; CSV where nothing else fits.
    pub fn recognise(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"PAR1") {
            return Self::Parquet;
        }
        if mdm::looks_like(bytes) {
            return Self::Mdm;
        }
        // The begin is enough: a preamble is short.
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 17)]);
        let lines: Vec<&str> = start.trim_start_matches('\u{feff}').lines().collect();
        if easyexpert::looks_like(&lines) {
            Self::EasyExpert
        } else if ramps::looks_like(&lines) {
            Self::Ramps
        } else if clarius::looks_like(&lines) {
            Self::Clarius
        } else {
            Self::Csv
        }
    }
}
