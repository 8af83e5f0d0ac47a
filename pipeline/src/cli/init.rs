//! `mho init`.

use super::{Answer, CliError, Globals};
use crate::studies::{Files, Starter, starter};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Make a folder with a commented study and measurement files to replace by your own.
///
/// Examples:
///   mho init my-device && mho run my-device/study.toml
///   mho init my-cells --device resistive
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct InitArgs {
    /// The folder to make
    dir: PathBuf,
    /// What was measured
    #[arg(long, value_enum, default_value = "charge-trap")]
    device: Starter,
}

pub(super) fn run(args: &InitArgs, globals: &Globals) -> Answer {
    let dir = &args.dir;
    if dir.join("study.toml").exists() {
        return Err(CliError::Usage(format!("{} has a study.toml already", dir.display())));
    }
    let Files { files, then } = starter(args.device, globals.seed.unwrap_or(2026))?;
    if let Some((taken, _)) = files.iter().find(|(name, _)| dir.join(name).exists()) {
        return Err(CliError::Usage(format!(
            "{} is there already and would be lost: name another folder, and copy it there afterwards",
            dir.join(taken).display()
        )));
    }
    std::fs::create_dir_all(dir).map_err(|error| CliError::Failed(format!("{}: {error}", dir.display())))?;
    for (name, text) in &files {
        let path = dir.join(name);
        std::fs::write(&path, text)
            .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))?;
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    if globals.json {
        return Ok(format!("{:#}\n", json!({ "dir": dir, "files": names, "then": then })));
    }
    Ok(format!(
        "{}: {}\nReplace the .csv files by your own measurements (same columns), then, in this folder:\n  {}\n",
        dir.display(),
        names.join(", "),
        then.join("\n  ")
    ))
}
