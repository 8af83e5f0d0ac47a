//! The reference data that stands beside the project for its own tests, and that no user has.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The path of `relative` in the folder of reference data, or `None`, loudly, when it is absent.
/// The folder is named by `MHO_SHARED`; without it, `shared` beside the repository is tried.
pub fn find(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MHO_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    // Not `eprintln`: of tests that pass the harness would swallow it. That nobody may hear is no failure.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: reference data `{relative}` not found (MHO_SHARED names its folder); this test did not run"
    );
    None
}
