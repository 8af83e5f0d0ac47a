//! The files that a fit is made from: read once, named on the card with their digests, and kept in the store.

use crate::cli::data::inspect;
use crate::cli::{CliError, Globals};
use crate::key::digest;
use crate::store::Store;
use mho_compact::card::DeviceCard;
use mho_data::measurement::Measurement;
use mho_data::{InputError, reader};
use std::path::{Path, PathBuf};

/// What stands between a file's name and its digest on a card.
pub(in crate::cli) const DIGEST: &str = " blake3:";

/// Files with their bytes.
#[derive(Clone)]
pub(super) struct Sources(Vec<(String, Vec<u8>)>);

impl Sources {
    /// Reads files, the sidecars that stand beside them, and one for all of them (`--map`).
    pub(super) fn read(files: &[String], map: Option<&str>) -> Result<Self, CliError> {
        let read = |file: &str| match std::fs::read(file) {
            Ok(bytes) => Ok((file.to_owned(), bytes)),
            Err(error) => Err(InputError::new(file, error.to_string(), "a readable file")),
        };
        let mut all = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
        for file in files {
            for beside in inspect::sidecars_of(file)? {
                if all.iter().all(|(known, _)| *known != beside.0) {
                    all.push(beside);
                }
            }
        }
        if let Some(map) = map {
            if !map.ends_with(".toml") {
                return Err(CliError::Usage(format!("--map {map}: a file in TOML that ends in .toml")));
            }
            all.push(read(map)?);
        }
        Ok(Self(all))
    }

    /// As readers take them.
    pub(super) fn files(&self) -> Vec<reader::File<'_>> {
        self.0.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
    }

    /// Names of the files that were measured.
    pub(super) fn measured(&self) -> String {
        let names = self.0.iter().map(|(name, _)| name.as_str()).filter(|name| !name.ends_with(".toml"));
        names.collect::<Vec<_>>().join(", ")
    }

    /// As a card names them: each with the digest of its bytes.
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.iter().map(|(name, bytes)| format!("{name}{DIGEST}{}", digest(bytes))).collect()
    }

    /// Keeps the bytes in the store of the study that the card belongs to; `None` where there is none.
    pub(super) fn archive(&self, out: &Path, globals: &Globals) -> Result<Option<PathBuf>, CliError> {
        let Some(place) = store_of(out, globals) else { return Ok(None) };
        let store = Store::open(&place)?;
        for (_, bytes) in &self.0 {
            store.archive(bytes)?;
        }
        Ok(Some(place))
    }
}

/// The store that was asked for, else that of the study at or above a file's folder.
pub(in crate::cli) fn store_of(file: &Path, globals: &Globals) -> Option<PathBuf> {
    let asked = globals.store.clone().or_else(|| std::env::var_os("MHO_STORE").map(PathBuf::from));
    asked.or_else(|| {
        let whole = std::path::absolute(file).ok()?;
        let study = whole.ancestors().skip(1).find(|folder| folder.join("study.toml").is_file())?;
        Some(study.join(".mho/store"))
    })
}

/// Writes into a card to which dose and time its data reach.
pub(super) fn reach(card: &mut DeviceCard, measurement: &Measurement) {
    for key in ["dose_krad_si", "time_s"] {
        let Ok(values) = measurement.table.floats(key) else { continue };
        let largest = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        card.validity.insert(key.into(), format!("0 to {largest}"));
    }
}
