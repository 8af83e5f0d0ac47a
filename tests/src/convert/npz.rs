//! Arrays by name from `.npz` files, whose members numpy leaves uncompressed.

use std::collections::BTreeMap;
use std::path::Path;

use mho_data::InputError;
use mho_data::npy::Array;
use mho_network::graph::tensor::Tensor;

/// Arrays of a file that have not been taken yet.
pub struct Arrays {
    file: String,
    arrays: BTreeMap<String, Array>,
}

impl Arrays {
    /// Reads a file through the central directory of the archive.
    ///
    /// # Errors
    /// [`InputError`] for an unreadable or damaged file, or one with compressed members.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| InputError::new(file.as_str(), error.to_string(), "a readable file"))?;
        let arrays = members(&bytes, &file)?;
        Ok(Self { file, arrays })
    }

    /// Name of the file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether there is an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    /// Takes an array.
    ///
    /// # Errors
    /// [`InputError`] when there is none of this name.
    pub fn take(&mut self, name: &str) -> Result<Tensor, InputError> {
        let array = self
            .arrays
            .remove(name)
            .ok_or_else(|| InputError::new(self.file.as_str(), format!("no array `{name}`"), "one"))?;
        let values = array.values.iter().map(|&x| x as f32).collect();
        Tensor::new(array.shape, values).ok_or_else(|| {
            InputError::new(self.file.as_str(), format!("`{name}` with a wrong shape"), "as many values")
        })
    }

    /// Names that nobody took.
    pub fn left(&self) -> Vec<&str> {
        self.arrays.keys().map(String::as_str).collect()
    }
}

fn members(bytes: &[u8], file: &str) -> Result<BTreeMap<String, Array>, InputError> {
    let damaged = || InputError::new(file, "a damaged archive", "a whole .npz file");
    let short = |at: usize| bytes.get(at..at + 2).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    let long =
        |at: usize| bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
    let end = bytes.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or_else(damaged)?;
    let directory = short(end + 10).zip(long(end + 16));
    let (count, mut at) = directory.ok_or_else(damaged)?;
    let mut arrays = BTreeMap::new();
    for _ in 0..count {
        let entry = || {
            let name = bytes.get(at + 46..at + 46 + short(at + 28)?)?;
            let local = long(at + 42)?;
            let start = local + 30 + short(local + 26)? + short(local + 28)?;
            let next = at + 46 + short(at + 28)? + short(at + 30)? + short(at + 32)?;
            Some((
                short(at + 10)?,
                std::str::from_utf8(name).ok()?,
                bytes.get(start..start + long(at + 20)?)?,
                next,
            ))
        };
        let (method, name, data, next) = entry().ok_or_else(damaged)?;
        if method != 0 {
            return Err(InputError::new(file, format!("the compressed member {name}"), "plain members"));
        }
        arrays.insert(name.trim_end_matches(".npy").to_owned(), Array::from_npy(data, name)?);
        at = next;
    }
    Ok(arrays)
}
