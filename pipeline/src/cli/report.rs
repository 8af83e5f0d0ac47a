//! `mho report`.

use super::session::{Session, StudyArgs};
use super::{Answer, Globals, run as main_job};
use mho_data::InputError;

/// Make the report of a study, one self-contained page, from the store and whatever still has to run.
///
/// Example: mho report
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    study: StudyArgs,
}

pub(super) fn run(args: &ReportArgs, globals: &Globals) -> Answer {
    let session = Session::open(&args.study, globals)?;
    if !session.study.targets.iter().any(|target| target.stage == "report") {
        return Err(
            InputError::new(&session.study.file, "no target of the stage `report`", "[report]").into()
        );
    }
    main_job::execute(&session, false, globals)
}
