//! What a user brings is read before anything runs or is written: a bad file in a long study is told at
//! once, and leaves no trace.

use super::{PlanLine, State, read_files, stage_of};
use crate::stage::{Context, Stage, StageError};
use crate::study::Study;
use mho_data::InputError;
use std::sync::Mutex;

/// Checks what the targets that would run take from outside: their files, by reading them as the stage
/// will, and whatever else the stage finds in the user's folders.
///
/// # Errors
/// The first input that is bad.
pub fn preflight(study: &Study, stages: &[Box<dyn Stage>], plan: &[PlanLine]) -> Result<(), InputError> {
    for target in study.targets.iter().filter(|target| target.inputs.is_empty()) {
        let runs =
            plan.iter().any(|line| line.target == target.name && matches!(line.state, State::Run { .. }));
        let Some(stage) = stage_of(stages, target).filter(|_| runs) else { continue };
        stage.check(&target.params)?;
        if target.files.is_empty() {
            continue;
        }
        let context = Context {
            target: target.name.clone(),
            stage: stage.name().to_owned(),
            key: String::new(),
            params: target.params.clone(),
            artifacts: read_files(target)?,
            seed: study.seed,
            progress: &|_| (),
            warnings: Mutex::default(),
        };
        // Anything but bad input is told where it belongs, when the target runs.
        if let Err(StageError::Input(error)) = stage.run(&context) {
            return Err(error);
        }
    }
    Ok(())
}
