//! `mho plan`: the stage graph, what would run and why. Writes nothing.

use super::session::{Session, StudyArgs};
use super::{Answer, Globals};
use crate::engine::{PlanLine, State, plan};
use std::fmt::Write as _;

/// Show the stage graph: what is cached, what would run, and why; writes nothing
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  mho plan\n  mho plan study.toml --set fit.trials=20\n  mho plan --dot | dot -Tsvg"
)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Prints the graph in the language of Graphviz.
    #[arg(long)]
    dot: bool,
}

pub(super) fn run(args: &PlanArgs, globals: &Globals) -> Answer {
    show(&Session::open(&args.study, globals)?, args.dot, globals)
}

/// The plan of a study.
pub(super) fn show(session: &Session, dot: bool, globals: &Globals) -> Answer {
    let Session { study, stages, store, .. } = session;
    let lines = plan(study, stages, store)?;
    if globals.json {
        return Ok(format!(
            "{:#}\n",
            serde_json::json!({ "schema": 1, "study": study.name, "targets": lines })
        ));
    }
    Ok(if dot { graph(&study.name, &lines) } else { table(&study.name, &lines) })
}

fn table(study: &str, lines: &[PlanLine]) -> String {
    let count = |f: fn(&State) -> bool| lines.iter().filter(|line| f(&line.state)).count();
    let mut text = format!(
        "{study}: {} targets, {} in the store, {} would run, {} may run\n",
        lines.len(),
        count(|s| matches!(s, State::Cached)),
        count(|s| matches!(s, State::Run { .. })),
        count(|s| matches!(s, State::Depends { .. })),
    );
    let name_width = lines.iter().map(|line| line.target.len()).max().unwrap_or(0);
    let stage_width = lines.iter().map(|line| line.stage.len()).max().unwrap_or(0);
    for line in lines {
        let (word, why) = match &line.state {
            State::Cached => ("cached", String::new()),
            State::Run { reasons, shards } => {
                let shards = match shards {
                    Some((found, of)) if *found > 0 => format!(" ({found} of {of} parts are in the store)"),
                    _ => String::new(),
                };
                ("run", format!("{}{shards}", reasons.join("; ")))
            }
            State::Depends { on } => (
                "may run",
                format!("depends on {}: runs only if an output there comes out different", on.join(", ")),
            ),
        };
        let row = format!("  {word:<8} {:name_width$}  {:stage_width$}  {why}", line.target, line.stage);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", row.trim_end());
    }
    text
}

fn graph(study: &str, lines: &[PlanLine]) -> String {
    let mut text = format!("digraph \"{study}\" {{\n  rankdir=LR; node [shape=box, style=filled];\n");
    for line in lines {
        let colour = match line.state {
            State::Cached => "white",
            State::Run { .. } => "\"#E69F00\"",
            State::Depends { .. } => "\"#F0E442\"",
        };
        let _ =
            writeln!(text, "  \"{0}\" [label=\"{0}\\n{1}\", fillcolor={colour}];", line.target, line.stage);
        for input in &line.inputs {
            let _ = writeln!(text, "  \"{input}\" -> \"{}\";", line.target);
        }
    }
    text.push_str("}\n");
    text
}
