//! What the commands on studies share: which study, which store, which results folder.

use super::{CliError, Globals};
use crate::stage::Stage;
use crate::store::Store;
use crate::studies::{BUILTIN, builtin};
use crate::study::{Origin, Study};
use clap::Args;
use mho_data::InputError;
use std::path::{Path, PathBuf};

/// The study that runs when none is named.
pub(super) const DEFAULT_STUDY: &str = "sonos-tid";

/// The study that a command is about.
#[derive(Debug, Clone, Args)]
pub(super) struct StudyArgs {
    /// A study file, or the name of a built-in study
    #[arg(default_value = DEFAULT_STUDY)]
    pub(super) study: String,
    /// Change a parameter: TARGET.KEY=VALUE, or values.KEY=VALUE
    #[arg(long = "set", value_name = "TARGET.KEY=VALUE")]
    pub(super) overrides: Vec<String>,
    /// Folder for figures and report [default: mho-out/STUDY]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Take results of this very build of mho alone, for the final run of a paper
    #[arg(long)]
    pub(super) strict_code: bool,
}

/// A checked study with its store and results folder.
pub(super) struct Session {
    pub(super) study: Study,
    pub(super) stages: Vec<Box<dyn Stage>>,
    pub(super) store: Store,
    pub(super) out: PathBuf,
    /// Where the study's lock file stands.
    pub(super) lock: PathBuf,
}

impl Session {
    pub(super) fn open(args: &StudyArgs, globals: &Globals) -> Result<Self, CliError> {
        let stages = crate::stages::registry();
        let path = Path::new(&args.study);
        let (text, file, folder) = match builtin(&args.study) {
            Some(text) if !path.is_file() => {
                (text.to_owned(), format!("{}.toml", args.study), PathBuf::from("."))
            }
            _ => {
                let names: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
                let text = std::fs::read_to_string(path).map_err(|error| {
                    InputError::new(
                        args.study.clone(),
                        error.to_string(),
                        format!("a study file, or a built-in study: {}", names.join(", ")),
                    )
                })?;
                let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
                (text, args.study.clone(), folder.to_path_buf())
            }
        };
        let origin = Origin { file: &file, folder: &folder };
        let mut study = Study::parse(&text, origin, &args.overrides, globals.seed, &stages)?;
        study.code = args.strict_code.then(build_identity).transpose()?;
        let store = globals
            .store
            .clone()
            .or_else(|| std::env::var_os("MHO_STORE").map(PathBuf::from))
            .unwrap_or_else(|| folder.join(".mho/store"));
        let out = args.out.clone().unwrap_or_else(|| folder.join("mho-out").join(&study.name));
        let lock = if builtin(&args.study).is_some() && !path.is_file() {
            out.join("study.lock")
        } else {
            folder.join("study.lock")
        };
        Ok(Self { study, stages, store: Store::open(store)?, out, lock })
    }
}

/// The digest of this program.
fn build_identity() -> Result<String, CliError> {
    let program = std::env::current_exe().and_then(std::fs::read).map_err(CliError::failed)?;
    Ok(crate::key::digest(&program))
}
