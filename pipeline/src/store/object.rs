//! Objects: immutable bytes under their digest.

use super::{Store, StoreError, io};
use crate::key::{Digest, digest};
use std::fs;

/// What a read of an object found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// The bytes, which match the digest.
    Found(Vec<u8>),
    /// No such object.
    Missing,
    /// The bytes did not match; they were put into quarantine.
    Corrupt,
}

impl Store {
    /// Stores bytes and returns their digest. An object that is there already is not written again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let name = digest(bytes);
        let path = self.sharded("cas", &name);
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64) {
            return Ok(name);
        }
        if !self.write_new(&path, bytes)? && !self.has(&name, bytes.len() as u64) {
            // Truncated by a fault of the file system; another size can never be this object.
            self.write_atomically(&path, bytes)?;
        }
        Ok(name)
    }

    /// Reads and verifies an object.
    ///
    /// # Errors
    /// When it is there and cannot be read, or cannot be moved to quarantine.
    pub fn get(&self, name: &Digest) -> Result<Fetch, StoreError> {
        let path = self.sharded("cas", name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Fetch::Missing),
            Err(source) => return Err(StoreError::Io { action: "read", path, source }),
        };
        if digest(&bytes) == *name {
            return Ok(Fetch::Found(bytes));
        }
        let quarantine = self.root.join("quarantine");
        io(fs::create_dir_all(&quarantine), "create", &quarantine)?;
        io(fs::rename(&path, quarantine.join(name)), "move to quarantine", &path)?;
        Ok(Fetch::Corrupt)
    }

    /// Whether an object of this size is there (without reading it).
    pub fn has(&self, name: &Digest, size: u64) -> bool {
        fs::metadata(self.sharded("cas", name)).is_ok_and(|meta| meta.len() == size)
    }

    /// Every object's digest and size, sorted.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn objects(&self) -> Result<Vec<(Digest, u64)>, StoreError> {
        self.listed("cas")
    }

    /// Removes an object; what needs it becomes a miss.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn remove_object(&self, name: &Digest) -> Result<(), StoreError> {
        let path = self.sharded("cas", name);
        io(fs::remove_file(&path), "remove", &path)
    }

    pub(super) fn listed(&self, folder: &str) -> Result<Vec<(Digest, u64)>, StoreError> {
        let root = self.root.join(folder);
        let mut found = Vec::new();
        if !root.exists() {
            return Ok(found);
        }
        for shard in io(fs::read_dir(&root), "list", &root)? {
            let shard = io(shard, "list", &root)?.path();
            if !shard.is_dir() {
                continue;
            }
            for file in io(fs::read_dir(&shard), "list", &shard)? {
                let file = io(file, "list", &shard)?;
                let size = io(file.metadata(), "look at", &file.path())?.len();
                found.push((file.file_name().to_string_lossy().into_owned(), size));
            }
        }
        found.sort();
        Ok(found)
    }
}
