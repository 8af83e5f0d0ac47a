//! What no single stage can test: the command line, crashes, determinism, bad input.
//!
//! The tests run the binary `mho` of the same build profile; it is brought up to date first.

pub mod convert;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The binary `mho`, built once for all tests of a process.
///
/// # Panics
/// When it cannot be built: then there is nothing to test.
pub fn mho() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().unwrap_or_default();
        // target/PROFILE/deps/TEST
        let folder = test.ancestors().nth(2).unwrap_or(Path::new("target/release")).to_path_buf();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "mho-pipeline", "--manifest-path"]);
        build.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let built = build.status().is_ok_and(|status| status.success());
        let binary = folder.join("mho");
        assert!(built && binary.is_file(), "the binary mho could not be built");
        binary
    })
}

/// The command `mho` in a folder, without what the environment may add.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(mho());
    command.current_dir(folder).env_remove("MHO_STORE").env_remove("MHO_DATA").stdin(Stdio::null());
    command
}

/// Runs `mho` with arguments in a folder.
///
/// # Panics
/// When the process cannot be started.
#[allow(clippy::expect_used)]
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder).args(arguments).output().expect("the binary starts")
}

/// The reduced study, which has every kind of stage.
pub fn reduced_study() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("studies/reduced.toml")
}

/// Every file under a folder with its bytes, by relative name.
pub fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                found.insert(name, std::fs::read(&path).unwrap_or_default());
            }
        }
    }
    found
}
