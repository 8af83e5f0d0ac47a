//! `mho whence`.

use super::fit::sources::DIGEST;
use super::session::{DEFAULT_STUDY, Session, StudyArgs};
use super::{Answer, CliError, Globals};
use crate::key::digest;
use crate::store::{Fetch, TargetRecord};
use clap::Args;
use mho_compact::card::DeviceCard;
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Follow a figure, table or card back to the measured files: every step with its parameters.
///
/// Of a card too: the files that it was fitted to, with their digests, and whether the store keeps their bytes.
///
/// Example: mho whence mho-out/sonos-tid/figures/accuracy-dose.svg
#[derive(Debug, Args)]
pub(super) struct WhenceArgs {
    /// A file that mho wrote
    file: PathBuf,
    /// A second file: show only what differs on the way to it
    #[arg(long, value_name = "FILE")]
    diff: Option<PathBuf>,
    /// The study it belongs to [default: study.toml in a folder at or above the file, else sonos-tid]
    #[arg(long)]
    study: Option<String>,
}

pub(super) fn run(args: &WhenceArgs, globals: &Globals) -> Answer {
    let named = args.study.clone().or_else(|| study_of(&args.file)).unwrap_or(DEFAULT_STUDY.into());
    let study = StudyArgs { study: named, overrides: vec![], out: None, strict_code: false };
    let session = Session::open(&study, globals)?;
    let steps = match trace(&session, &args.file) {
        // A card that no study has read yet still knows what it was fitted to.
        Err(CliError::Usage(_)) if read_card(&args.file).is_some() => Vec::new(),
        steps => steps?,
    };
    let other = args.diff.as_ref().map(|file| trace(&session, file)).transpose()?.unwrap_or_default();
    let shown: Vec<&(String, TargetRecord)> = steps.iter().filter(|step| !other.contains(step)).collect();
    let sources = sources(&session, &args.file, &steps)?;
    if globals.json {
        let steps: Vec<_> =
            shown.iter().map(|(name, record)| json!({"target": name, "record": record})).collect();
        return Ok(format!("{:#}\n", json!({ "file": args.file, "steps": steps, "measurements": sources })));
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
    for source in &sources {
        let kept = if source.kept { "kept in the store" } else { "not in the store" };
        text.push_str(&format!("measured file {} (BLAKE3 {}): {kept}\n", source.file, source.blake3));
    }
    Ok(text)
}

/// A file that something was measured into.
#[derive(Debug, PartialEq, Serialize)]
struct Source {
    file: String,
    blake3: String,
    /// Whether the store has its bytes.
    kept: bool,
}

/// The study file at or above a file.
fn study_of(file: &Path) -> Option<String> {
    let whole = std::path::absolute(file).ok()?;
    let found =
        whole.ancestors().skip(1).map(|folder| folder.join("study.toml")).find(|path| path.is_file())?;
    Some(found.display().to_string())
}

fn read_card(file: &Path) -> Option<DeviceCard> {
    let text = std::fs::read_to_string(file).ok()?;
    DeviceCard::from_toml(&text, &file.display().to_string()).ok()
}

/// The measured files behind a file: those that its targets read, and those that cards on the way were fitted to.
fn sources(
    session: &Session,
    file: &Path,
    steps: &[(String, TargetRecord)],
) -> Result<Vec<Source>, CliError> {
    let kept = |digest: &String| -> Result<bool, CliError> {
        Ok(matches!(session.store.get(digest)?, Fetch::Found(_)))
    };
    let mut cards: Vec<DeviceCard> = read_card(file).into_iter().collect();
    let mut found = Vec::new();
    for (input, digest) in steps.iter().flat_map(|(_, record)| &record.inputs) {
        let Some(name) = input.strip_prefix("file = file/") else { continue };
        let bytes = session.store.get(digest)?;
        let read = match &bytes {
            Fetch::Found(bytes) => DeviceCard::from_toml(&String::from_utf8_lossy(bytes), name).ok(),
            _ => None,
        };
        match read {
            Some(card) => cards.push(card),
            None => found.push(Source { file: name.to_owned(), blake3: digest.clone(), kept: kept(digest)? }),
        }
    }
    for line in cards.iter().flat_map(|card| &card.provenance.data) {
        let Some((name, digest)) = line.split_once(DIGEST) else { continue };
        let source =
            Source { file: name.to_owned(), blake3: digest.to_owned(), kept: kept(&digest.to_owned())? };
        if !found.contains(&source) {
            found.push(source);
        }
    }
    Ok(found)
}

/// The steps that led to a file, the last one first.
fn trace(session: &Session, file: &Path) -> Result<Vec<(String, TargetRecord)>, CliError> {
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
