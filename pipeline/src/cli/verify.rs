//! `mho verify`.

use super::session::{Session, StudyArgs};
use super::{Answer, CliError, Globals};
use crate::engine::{self, Progress};
use crate::lock;
use crate::stage::tolerance;
use crate::store::{Fetch, Store};
use clap::Args;
use serde_json::json;

mod compare;

/// The verdict on an output that differs by less than its kind may.
const WITHIN: &str = "within tolerance";

/// Recompute a study in an empty store and compare every output with the lock file.
///
/// Each is identical, within the tolerance of its kind (numbers of another machine), or different.
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
    let now = lock::of_run(&session.study, &report);
    let mut rows = lock::compare(&standing, &now);
    for row in rows.iter_mut().filter(|row| row.verdict == "different") {
        let Some((target, output)) = row.output.split_once('/') else { continue };
        let digest =
            |lock: &lock::Lock| lock.get(target).and_then(|locked| locked.outputs.get(output).cloned());
        let file = report.done.get(target).and_then(|done| done.outputs.iter().find(|o| o.role == output));
        let (Some(was), Some(is), Some(file)) = (digest(&standing), digest(&now), file) else { continue };
        // What the store no longer holds cannot be compared: it stays different.
        if let (Fetch::Found(was), Fetch::Found(is)) = (session.store.get(&was)?, store.get(&is)?)
            && compare::alike(&file.file, &was, &is, tolerance(&file.file))
        {
            row.verdict = WITHIN;
        }
    }
    let within = rows.iter().filter(|row| row.verdict == WITHIN).count();
    let different = rows.iter().filter(|row| !["identical", WITHIN].contains(&row.verdict)).count();
    if globals.json {
        let rows: Vec<_> = rows.iter().map(|r| json!({"output": r.output, "verdict": r.verdict})).collect();
        return Ok(format!(
            "{:#}\n",
            json!({ "outputs": rows, "within_tolerance": within, "different": different })
        ));
    }
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.verdict != "identical") {
        text.push_str(&format!("{}: {}\n", row.output, row.verdict));
    }
    text.push_str(&format!(
        "{} outputs identical, {within} within tolerance, {different} not\n",
        rows.len() - different - within
    ));
    if different == 0 { Ok(text) } else { Err(CliError::Failed(text.trim_end().to_owned())) }
}
