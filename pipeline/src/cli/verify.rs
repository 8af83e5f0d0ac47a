//! `mho verify`.

use super::session::{Session, StudyArgs};
use super::{Answer, CliError, Globals};
use crate::engine::{self, Progress};
use crate::lock;
use crate::store::Store;
use clap::Args;
use serde_json::json;

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
