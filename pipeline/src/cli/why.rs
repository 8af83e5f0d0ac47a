//! `mho why`: what differs between a target's key and the last one it had.

use super::session::{Session, StudyArgs};
use super::{Answer, Globals};
use crate::engine::{State, plan};
use std::fmt::Write as _;

/// Say why a target would, or would not, run again
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  mho why fit-idvg\n  mho why study.toml fit-idvg --set fit-idvg.starts=5"
)]
pub(super) struct WhyArgs {
    /// A target of the built-in study, or a study and a target of it.
    #[arg(required = true, num_args = 1..=2, value_names = ["STUDY", "TARGET"])]
    names: Vec<String>,
    /// Change a parameter first: TARGET.KEY=VALUE, or values.KEY=VALUE
    #[arg(long = "set", value_name = "TARGET.KEY=VALUE")]
    overrides: Vec<String>,
}

pub(super) fn run(args: &WhyArgs, globals: &Globals) -> Answer {
    let (study, name) = match args.names.as_slice() {
        [study, name, ..] => (study.as_str(), name),
        names => (super::session::DEFAULT_STUDY, &names[0]),
    };
    let study = StudyArgs {
        study: study.to_owned(),
        overrides: args.overrides.clone(),
        out: None,
        strict_code: false,
    };
    let loaded = Session::open(&study, globals)?;
    loaded.study.target(name)?;
    let lines = plan(&loaded.study, &loaded.stages, &loaded.store)?;
    // What this target waits for, transitively: a target listed later never feeds an earlier one.
    let mut upstream = vec![name.as_str()];
    for line in lines.iter().rev() {
        if upstream.contains(&line.target.as_str()) {
            upstream.extend(line.inputs.iter().map(String::as_str));
        }
    }
    let mut after = vec![name.as_str()];
    for line in &lines {
        if line.inputs.iter().any(|input| after.contains(&input.as_str())) {
            after.push(&line.target);
        }
    }
    let after = after.len() - 1;
    let Some(line) = lines.iter().find(|line| line.target == *name) else { return Ok(String::new()) };
    let causes: Vec<_> = lines
        .iter()
        .filter(|line| upstream.contains(&line.target.as_str()) && line.target != *name)
        .filter(|line| matches!(line.state, State::Run { .. }))
        .collect();
    if globals.json {
        let document = serde_json::json!({
            "schema": 1, "target": line, "upstream": causes, "targets_after": after,
        });
        return Ok(format!("{document:#}\n"));
    }
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match &line.state {
        State::Cached => writeln!(
            text,
            "{name} would not run: stage, parameters, seed and the content of its inputs are those of a result in \
             the store; {after} targets after it are cut off here"
        ),
        State::Run { reasons, .. } => {
            let _ = writeln!(text, "{name} would run:");
            reasons.iter().for_each(|reason| text.push_str(&format!("  {reason}\n")));
            writeln!(
                text,
                "{after} targets after it may run; those whose inputs come out identical are cut off"
            )
        }
        State::Depends { .. } => {
            writeln!(text, "{name} may run, if what it reads comes out different. Before it run:")
        }
    };
    for cause in causes {
        if let State::Run { reasons, .. } = &cause.state {
            let _ = writeln!(text, "  {}: {}", cause.target, reasons.join("; "));
        }
    }
    Ok(text)
}
