//! `mho verify` and `mho init`.

use super::session::{Session, StudyArgs};
use super::{Answer, CliError, Globals};
use crate::engine::{self, Progress};
use crate::lock;
use crate::store::Store;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Recompute a study in an empty store and compare every output with the lock file.
///
/// Example: mho verify
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    study: StudyArgs,
}

pub(super) fn run(args: &VerifyArgs, globals: &Globals) -> Answer {
    let session = Session::open(&args.study, globals)?;
    let standing = std::fs::read_to_string(&session.lock).map_err(|error| {
        CliError::Usage(format!("{}: {error}; `mho run` writes the lock file", session.lock.display()))
    })?;
    let standing = lock::parse(&standing, &session.lock.display().to_string())?;
    let scratch = tempfile::tempdir().map_err(CliError::failed)?;
    let store = Store::open(scratch.path())?;
    let progress = Progress::silent();
    let mut report = engine::run(&session.study, &session.stages, &store, &progress);
    if let Some(failure) = report.failures.pop() {
        return Err(failure.into());
    }
    let rows = lock::compare(&standing, &lock::of_run(&session.study, &report));
    let different = rows.iter().filter(|row| row.verdict != "identical").count();
    if globals.json {
        let rows: Vec<_> = rows.iter().map(|r| json!({"output": r.output, "verdict": r.verdict})).collect();
        return Ok(format!("{:#}\n", json!({ "outputs": rows, "different": different })));
    }
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.verdict != "identical") {
        text.push_str(&format!("{}: {}\n", row.output, row.verdict));
    }
    text.push_str(&format!("{} outputs identical, {different} not\n", rows.len() - different));
    if different == 0 { Ok(text) } else { Err(CliError::Failed(text.trim_end().to_owned())) }
}

/// Make a folder with a commented study and measurement files to replace by your own.
///
/// Example: mho init my-device && mho run my-device/study.toml
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The folder to make
    dir: PathBuf,
}

pub(super) fn init(args: &InitArgs, globals: &Globals) -> Answer {
    let dir = &args.dir;
    if dir.join("study.toml").exists() {
        return Err(CliError::Usage(format!("{} has a study.toml already", dir.display())));
    }
    let files = crate::studies::starter(globals.seed.unwrap_or(2026));
    std::fs::create_dir_all(dir).map_err(|error| CliError::Failed(format!("{}: {error}", dir.display())))?;
    for (name, text) in &files {
        let path = dir.join(name);
        std::fs::write(&path, text)
            .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))?;
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    if globals.json {
        return Ok(format!("{:#}\n", json!({ "dir": dir, "files": names })));
    }
    Ok(format!(
        "{}: {}\nReplace the .csv files by your own measurements (same columns), then: mho run {}\n",
        dir.display(),
        names.join(", "),
        dir.join("study.toml").display()
    ))
}
