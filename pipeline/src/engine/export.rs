//! Results for people: outputs copied from the store to the results folder.

use super::{Failure, RunReport};
use crate::key::digest;
use crate::store::{Fetch, Store, io};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Writes every exported output under `out`, whole or not at all. A file that is there with the same
/// content stays untouched. Returns how many were written.
///
/// # Errors
/// When a file cannot be written, or an object cannot be read back.
pub fn export(report: &RunReport, store: &Store, out: &Path, fresh: bool) -> Result<usize, Failure> {
    let mut written = 0;
    for action in report.done.values() {
        for output in &action.outputs {
            let Some(place) = &output.export else { continue };
            let path = out.join(place);
            let same_size = fs::metadata(&path).is_ok_and(|meta| meta.len() == output.size);
            // The content and not only the size: a run with another parameter may have left its own file here.
            if same_size && !fresh && fs::read(&path).is_ok_and(|present| digest(&present) == output.digest) {
                continue;
            }
            let Fetch::Found(bytes) = store.get(&output.digest)? else {
                return Err(Failure::Integrity(format!(
                    "{place} is damaged in the store: run again to make it anew"
                )));
            };
            let folder = path.parent().unwrap_or(out);
            io(fs::create_dir_all(folder), "create", folder)?;
            let mut file = io(tempfile::NamedTempFile::new_in(folder), "create a temporary file in", folder)?;
            io(file.write_all(&bytes), "write", file.path())?;
            io(file.as_file().sync_data(), "sync", file.path())?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                io(
                    file.as_file().set_permissions(fs::Permissions::from_mode(0o644)),
                    "set permissions of",
                    file.path(),
                )?;
            }
            file.persist(&path).map_err(|error| crate::store::StoreError::Io {
                action: "rename to",
                path: path.clone(),
                source: error.error,
            })?;
            crate::store::sync_folder(folder);
            written += 1;
        }
    }
    Ok(written)
}
