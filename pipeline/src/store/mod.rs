//! The artifact store: plain files that remember every action and what came out of it.
//!
//! ```text
//! FORMAT            version of the layout
//! cas/ab/DIGEST     immutable objects, verified on every read
//! ac/ab/KEY         action entries, self-checksummed
//! targets/NAME      the keys that a named target had, for `mho why`
//! runs/ID           one record per execution
//! leases/KEY        who works on it now: an optimisation, never needed for correctness
//! pins/DIGEST       users' files, which nothing can make again
//! quarantine/       objects that did not match their digest
//! tmp/              being written
//! ```
//! Everything is written under `tmp`, synced, and renamed; an action entry follows all of its objects.

mod entry;
mod gc;
mod object;

pub use entry::{Action, OutputRef, TargetRecord};
pub use gc::{Garbage, Keep};
pub use object::Fetch;

use crate::key::Digest;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Version of the store's layout.
const FORMAT: &str = "mho store 1\n";

/// Why the store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system said no.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A layout that this version does not know.
    #[error("{path} is a store of another format ({found}); this version reads `{expected}`", path = path.display())]
    Format {
        /// The store.
        path: PathBuf,
        /// What its FORMAT says.
        found: String,
        /// What is known.
        expected: String,
    },
}

/// Turns an I/O error into one that says what was tried on which path.
pub(crate) fn io<T>(result: std::io::Result<T>, action: &'static str, path: &Path) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Io { action, path: path.to_path_buf(), source })
}

/// Makes a rename durable. File systems that cannot sync a folder make it so by themselves.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Writes a file for people, whole or not at all; replaces what stands there.
///
/// # Errors
/// When its folder cannot be written.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let folder = folder_of(path);
    io(fs::create_dir_all(folder), "create", folder)?;
    let mut file = io(tempfile::NamedTempFile::new_in(folder), "create a temporary file in", folder)?;
    io(file.write_all(bytes), "write", file.path())?;
    make_readable(file.as_file(), 0o644, file.path())?;
    io(file.as_file().sync_data(), "sync", file.path())?;
    file.persist(path).map_err(|error| StoreError::Io {
        action: "rename to",
        path: path.to_path_buf(),
        source: error.error,
    })?;
    sync_folder(folder);
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Temporary files are private by default; results and stores may serve several users.
fn make_readable(file: &fs::File, mode: u32, path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        io(file.set_permissions(fs::Permissions::from_mode(mode)), "set the permissions of", path)?;
    }
    #[cfg(not(unix))]
    let _ = (file, mode, path);
    Ok(())
}

/// A store in a folder. Opening one writes nothing.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store in `root`, which need not exist yet.
    ///
    /// # Errors
    /// When the folder holds a store of another format.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        match fs::read_to_string(root.join("FORMAT")) {
            Ok(found) if found != FORMAT => Err(StoreError::Format {
                path: root,
                found: found.trim().to_owned(),
                expected: FORMAT.trim().to_owned(),
            }),
            Ok(_) => Ok(Self { root }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self { root }),
            Err(source) => Err(StoreError::Io { action: "read", path: root.join("FORMAT"), source }),
        }
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the folders, once before the first write.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn prepare(&self) -> Result<(), StoreError> {
        for folder in ["cas", "ac", "targets", "runs", "leases", "tmp"] {
            let path = self.root.join(folder);
            io(fs::create_dir_all(&path), "create the store's folder", &path)?;
        }
        if !self.root.join("FORMAT").exists() {
            self.write_atomically(&self.root.join("FORMAT"), FORMAT.as_bytes())?;
        }
        Ok(())
    }

    /// Writes a file so that it is there whole or not at all, even after a power cut; replaces what stands.
    pub(crate) fn write_atomically(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let file = self.written(bytes, 0o644)?;
        let folder = self.folder_of(path)?;
        file.persist(path).map_err(|error| StoreError::Io {
            action: "rename to",
            path: path.to_path_buf(),
            source: error.error,
        })?;
        sync_folder(folder);
        Ok(())
    }

    /// Writes a read-only file, whole or not at all, unless one stands there. Returns whether it was written.
    pub(crate) fn write_new(&self, path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
        let file = self.written(bytes, 0o444)?;
        let folder = self.folder_of(path)?;
        match file.persist_noclobber(path) {
            Ok(_) => {
                sync_folder(folder);
                Ok(true)
            }
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => {
                Err(StoreError::Io { action: "rename to", path: path.to_path_buf(), source: error.error })
            }
        }
    }

    /// A synced temporary file with these bytes.
    fn written(&self, bytes: &[u8], mode: u32) -> Result<tempfile::NamedTempFile, StoreError> {
        let tmp = self.root.join("tmp");
        io(fs::create_dir_all(&tmp), "create", &tmp)?;
        let mut file = io(tempfile::NamedTempFile::new_in(&tmp), "create a temporary file in", &tmp)?;
        io(file.write_all(bytes), "write", file.path())?;
        make_readable(file.as_file(), mode, file.path())?;
        io(file.as_file().sync_data(), "sync", file.path())?;
        Ok(file)
    }

    fn folder_of<'a>(&'a self, path: &'a Path) -> Result<&'a Path, StoreError> {
        let folder = path.parent().unwrap_or(&self.root);
        io(fs::create_dir_all(folder), "create", folder)?;
        Ok(folder)
    }

    /// Writes a file for people, whole or not at all, by way of the store's `tmp`, so that a killed run leaves
    /// nothing in the folder of the results; where that is another file system, or the store cannot be
    /// written, beside its place.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn write_result(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let by_store = self.written(bytes, 0o644).ok().and_then(|file| {
            fs::create_dir_all(folder_of(path)).ok()?;
            file.persist(path).ok()
        });
        match by_store {
            Some(_) => {
                sync_folder(folder_of(path));
                Ok(())
            }
            None => replace_file(path, bytes),
        }
    }

    /// Removes what killed runs left in `tmp` more than a day ago; returns how many files.
    pub fn sweep(&self) -> usize {
        let day = std::time::Duration::from_secs(86_400);
        let old = |entry: &fs::DirEntry| {
            let age =
                entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
            age.is_some_and(|age| age > day)
        };
        let entries = fs::read_dir(self.root.join("tmp")).into_iter().flatten().flatten();
        entries.filter(old).filter(|entry| fs::remove_file(entry.path()).is_ok()).count()
    }

    /// Keeps the record of one execution.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn record_run(&self, id: &str, text: &str) -> Result<(), StoreError> {
        self.write_atomically(&self.root.join("runs").join(format!("{id}.json")), text.as_bytes())
    }

    /// Takes the lease of a key: waits until no other process holds it. Where the file system has no
    /// locks the lease is not exclusive, which costs work twice and nothing else.
    pub fn lease(&self, key: &str) -> Option<Lease> {
        let path = self.root.join("leases").join(key);
        let file = fs::File::create(&path).ok()?;
        let _ = file.lock();
        Some(Lease { _file: file, path })
    }

    fn sharded(&self, folder: &str, name: &Digest) -> PathBuf {
        self.root.join(folder).join(name.get(..2).unwrap_or("__")).join(name)
    }
}

/// A held lease; dropping it gives it back.
#[derive(Debug)]
pub struct Lease {
    _file: fs::File,
    path: PathBuf,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
