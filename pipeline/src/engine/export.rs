//! Results for people: outputs copied from the store to the results folder.

use super::{Failure, RunReport};
use crate::key::digest;
use crate::store::{Fetch, Store};
use std::fs;
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
            store.write_result(&path, &bytes)?;
            written += 1;
        }
    }
    Ok(written)
}
