//! A measurement: a tidy table in canonical columns, with everything that a reader of it must know.

use crate::error::InputError;
use crate::provenance::Origin;
use crate::table::Table;
use serde::{Deserialize, Serialize};

/// What kind of measurement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// I_D(V_G) sweeps: `device, state, dose_krad_si, time_s, temperature_k, vd_v, vg_v, id_a,
    /// compliance, sweep`; where the files have them also `vb_v, vs_v, ig_a, ib_a, width_um, length_um,
    /// multiplicity`. I_D(V_D) sweeps are in the same columns.
    IdVg,
    /// Currents of states: `device, state, dose_krad_si, time_s, current_na`.
    StateCurrent,
    /// Threshold voltages: `device, state, dose_krad_si, time_s, vt_v, vt_std_v`.
    Threshold,
    /// Reads after each of many equal pulses: `device, state, ramp, pulse, read_v, current_a, sweep`.
    Ramp,
    /// I(V) of two terminals: `device, state, dose_krad_si, time_s, temperature_k, v_v, i_a, compliance,
    /// sweep`; where known also `width_um, length_um, multiplicity`.
    Diode,
    /// C(V): as [`Kind::Diode`] with `c_f` instead of `i_a`.
    Capacitance,
}

impl Kind {
    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::IdVg => "I_D(V_G) sweeps",
            Self::StateCurrent => "state currents against dose and time",
            Self::Threshold => "threshold voltages against dose",
            Self::Ramp => "ramps of equal pulses",
            Self::Diode => "I(V) of two terminals",
            Self::Capacitance => "C(V)",
        }
    }
}

/// A row that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// File.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// What stands beside the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    /// Version of the document.
    pub schema: u32,
    /// Kind of measurement.
    pub kind: Kind,
    /// Where the data come from.
    pub origin: Origin,
    /// Rows that were not used, with the reason.
    pub dropped: Vec<Dropped>,
    /// What the files promise and do not hold.
    #[serde(default)]
    pub incomplete: Vec<String>,
    /// What was assumed because the files do not say it.
    pub assumptions: Vec<String>,
    /// What was noticed while reading.
    pub notes: Vec<String>,
    /// `key: value` lines of the files' preambles.
    pub preamble: Vec<String>,
    /// The files as they were, by digest, so that their bytes can be kept.
    #[serde(default)]
    pub raw: Vec<Raw>,
}

/// A file that was read, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raw {
    /// Name as given.
    pub file: String,
    /// Number of bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes, in hexadecimal.
    pub blake3: String,
    /// How it was written (`mho data formats`).
    pub format: String,
}

/// A measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The table in canonical columns.
    pub table: Table,
    /// What stands beside it.
    pub sidecar: Sidecar,
    /// File and line of each row, for messages; not stored.
    pub places: Vec<(String, usize)>,
}

/// Points that a sweep needs before a transistor is fitted to it.
pub const FEWEST_POINTS: usize = 8;

impl Measurement {
    /// The value of a preamble key, if a file had one.
    pub fn preamble(&self, key: &str) -> Option<&str> {
        self.sidecar.preamble.iter().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(key).then(|| value.trim())
        })
    }

    /// Names of the devices, in the order in which they appear.
    pub fn devices(&self) -> Vec<String> {
        let names = self.table.texts("device").unwrap_or_default();
        let mut seen = std::collections::BTreeSet::new();
        names.iter().filter(|name| seen.insert(name.as_str())).cloned().collect()
    }

    /// The rows of some devices, with all that stands beside them.
    #[must_use]
    pub fn of_devices(&self, wanted: &[String]) -> Self {
        let names = self.table.texts("device").unwrap_or_default();
        let keep = |row: usize| names.get(row).is_some_and(|name| wanted.contains(name));
        let places =
            self.places.iter().enumerate().filter(|(row, _)| keep(*row)).map(|(_, place)| place.clone());
        Self { table: self.table.filter(keep), sidecar: self.sidecar.clone(), places: places.collect() }
    }

    /// That every sweep has enough points for a fit.
    ///
    /// # Errors
    /// Names the first sweep that has not, with the file and line where it begins.
    pub fn check_for_fit(&self) -> Result<(), InputError> {
        if self.sidecar.kind != Kind::IdVg {
            return Ok(());
        }
        let Ok(sweeps) = self.table.floats("sweep") else { return Ok(()) };
        let mut start = 0;
        while start < sweeps.len() {
            let end = (start..sweeps.len()).find(|&row| sweeps[row] != sweeps[start]).unwrap_or(sweeps.len());
            if end - start < FEWEST_POINTS {
                let (file, line) = self.places.get(start).cloned().unwrap_or_default();
                return Err(InputError::new(
                    file,
                    format!("a sweep of {} points", end - start),
                    format!("at least {FEWEST_POINTS} points to fit a transistor to"),
                )
                .at_line(line));
            }
            start = end;
        }
        Ok(())
    }

    /// The sidecar as TOML.
    pub fn sidecar_toml(&self) -> String {
        toml::to_string(&self.sidecar).unwrap_or_default()
    }

    /// A measurement from its table (Parquet) and sidecar (TOML).
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn from_parts(table: &[u8], sidecar: &[u8], name: &str) -> Result<Self, InputError> {
        let text = String::from_utf8_lossy(sidecar);
        let sidecar = toml::from_str(&text).map_err(|error| {
            InputError::new(name, error.message().to_owned(), "the sidecar of a measurement")
        })?;
        Ok(Self { table: Table::from_parquet(table, name)?, sidecar, places: Vec::new() })
    }
}
