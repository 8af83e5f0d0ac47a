//! `mho whence`.

use super::session::{Session, StudyArgs};
use super::{Answer, CliError, Globals};
use crate::key::digest;
use crate::store::TargetRecord;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Follow a figure, table or card back to the measured files: every step with its parameters.
///
/// Example: mho whence mho-out/sonos-tid/figures/accuracy-dose.svg
#[derive(Debug, Args)]
pub(super) struct WhenceArgs {
    /// A file that mho wrote
    file: PathBuf,
    /// A second file: show only what differs on the way to it
    #[arg(long, value_name = "FILE")]
    diff: Option<PathBuf>,
    /// The study it belongs to
    #[arg(long, default_value = "sonos-tid")]
    study: String,
}

pub(super) fn run(args: &WhenceArgs, globals: &Globals) -> Answer {
    let study = StudyArgs { study: args.study.clone(), overrides: vec![], out: None };
    let session = Session::open(&study, globals)?;
    let steps = trace(&session, &args.file)?;
    let other = args.diff.as_ref().map(|file| trace(&session, file)).transpose()?.unwrap_or_default();
    let shown: Vec<&(String, TargetRecord)> = steps.iter().filter(|step| !other.contains(step)).collect();
    if globals.json {
        let steps: Vec<_> =
            shown.iter().map(|(name, record)| json!({"target": name, "record": record})).collect();
        return Ok(format!("{:#}\n", json!({ "file": args.file, "steps": steps })));
    }
    let mut text = String::new();
    for (name, record) in shown {
        text.push_str(&format!("{name}: {}@{} key {}\n", record.stage, record.version, &record.key[..12]));
        for (key, value) in record.params.as_object().into_iter().flatten() {
            text.push_str(&format!("    {key} = {value}\n"));
        }
        for (input, digest) in &record.inputs {
            text.push_str(&format!("    from {input} ({})\n", &digest[..12]));
        }
    }
    Ok(text)
}

/// The steps that led to a file, the last one first.
fn trace(session: &Session, file: &std::path::Path) -> Result<Vec<(String, TargetRecord)>, CliError> {
    let bytes = std::fs::read(file).map_err(|error| {
        mho_data::InputError::new(file.display().to_string(), error.to_string(), "a file that mho wrote")
    })?;
    let wanted = digest(&bytes);
    let histories: Vec<(String, Vec<TargetRecord>)> = session
        .study
        .targets
        .iter()
        .map(|target| (target.name.clone(), session.store.history(&session.study.name, &target.name)))
        .collect();
    let maker = |digest: &str| {
        histories.iter().find_map(|(name, history)| {
            let record = history.iter().rev().find(|r| r.outputs.iter().any(|(_, d)| d == digest))?;
            Some((name.clone(), record.clone()))
        })
    };
    let first = maker(&wanted).ok_or_else(|| {
        CliError::Usage(format!(
            "{} is not what a target of study {} wrote into this store",
            file.display(),
            session.study.name
        ))
    })?;
    let mut steps = vec![first];
    let mut next = 0;
    while let Some((_, record)) = steps.get(next).cloned() {
        for (_, digest) in &record.inputs {
            if let Some(step) = maker(digest)
                && !steps.contains(&step)
            {
                steps.push(step);
            }
        }
        next += 1;
    }
    Ok(steps)
}
