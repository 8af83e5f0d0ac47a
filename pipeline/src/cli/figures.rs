//! `mho figures`: figures and tables of papers, computed anew and compared with what their sources state.

use super::{Answer, CliError, Globals};
use crate::engine::Progress;
use crate::figures::targets::{self, Built, Check, Target, Wish};
use crate::key::digest;
use crate::stage::nearest;
use crate::store::replace_file;
use clap::{Args, Subcommand};
use mho_data::table::{Table, number};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Figures of papers and talks, computed anew and compared with their sources
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mho figures list && mho figures build P04")]
pub(super) struct FiguresArgs {
    #[command(subcommand)]
    command: FiguresCommand,
}

#[derive(Debug, Subcommand)]
enum FiguresCommand {
    /// List the figures: what each shows, where it comes from, what can be compared
    #[command(after_help = "Example:\n  mho figures list")]
    List,
    /// Compute figures: ID.svg, ID.csv and ID.checks.csv each, and one table of verdicts
    ///
    /// A check that misses its tolerance, or a figure that fails, ends in exit code 1; the others are
    /// computed all the same.
    #[command(after_help = "Examples:\n  mho figures build\n  mho figures build P04 P18 --out figures")]
    Build {
        /// Identifiers; all without one
        id: Vec<String>,
        /// Where the files go
        #[arg(long, value_name = "DIR", default_value = "mho-out/figures")]
        out: PathBuf,
    },
}

pub(super) fn run(args: &FiguresArgs, globals: &Globals) -> Answer {
    match &args.command {
        FiguresCommand::List => Ok(list(globals.json)),
        FiguresCommand::Build { id, out } => build(id, out, globals),
    }
}

fn list(as_json: bool) -> String {
    if as_json {
        let figures: Vec<Value> = targets::registry()
            .iter()
            .map(|target| {
                json!({ "id": target.id, "title": target.title, "source": target.source, "class": target.class })
            })
            .collect();
        return format!("{:#}\n", json!({ "schema": 1, "figures": figures }));
    }
    let mut text = String::new();
    for Target { id, title, source, class, .. } in targets::registry() {
        let class = format!("{class:?}").to_lowercase();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{id}  {title}\n     {class}; {source}");
    }
    text
}

fn build(ids: &[String], out: &Path, globals: &Globals) -> Answer {
    let chosen: Vec<&Target> = if ids.is_empty() {
        targets::registry().iter().collect()
    } else {
        ids.iter().map(|id| find(id)).collect::<Result<_, _>>()?
    };
    std::fs::create_dir_all(out).map_err(|error| CliError::Failed(format!("{}: {error}", out.display())))?;
    let mut text = String::new();
    let (mut documents, mut missed) = (Vec::new(), 0);
    for target in chosen {
        let progress = Progress::of_one(target.id, globals.quiet);
        let wish = Wish {
            seed: globals.seed.unwrap_or(0),
            progress: &|fraction| progress.reach(target.id, fraction),
        };
        let built = (target.build)(&wish);
        progress.finish();
        match built {
            Ok(built) => {
                write(target, &built, &wish, out)?;
                missed += built.checks.iter().filter(|check| !check.passes()).count();
                text.push_str(&verdicts(target, &built));
                documents.push(json!({ "id": target.id, "dataset": built.dataset, "checks": rows(&built) }));
            }
            Err(error) => {
                missed += 1;
                let _ = writeln!(text, "{}  failed: {error}", target.id);
                documents.push(json!({ "id": target.id, "failed": error.to_string() }));
            }
        }
    }
    let _ = writeln!(text, "{missed} missed; files in {}", out.display());
    let text = if globals.json {
        format!("{:#}\n", json!({ "schema": 1, "figures": documents, "missed": missed }))
    } else {
        text
    };
    if missed > 0 { Err(CliError::Told { code: 1, text }) } else { Ok(text) }
}

fn find(id: &str) -> Result<&'static Target, CliError> {
    targets::registry().iter().find(|target| target.id.eq_ignore_ascii_case(id)).ok_or_else(|| {
        let known = targets::registry().iter().map(|target| target.id);
        CliError::Usage(format!("no figure `{id}`: {}", nearest(id, known)))
    })
}

fn write(target: &Target, built: &Built, wish: &Wish<'_>, out: &Path) -> Result<(), CliError> {
    let comments = [
        format!("{}: {}", target.id, target.title),
        format!("source: {}", target.source),
        format!("data: {}; seed {}", built.dataset, wish.seed),
    ];
    let data = built.figure.csv(&comments);
    let record = json!({ "figure": target.id, "source": target.source, "data": digest(data.as_bytes()) });
    let svg = built.figure.svg(&record.to_string()).map_err(CliError::failed)?;
    let of = |part: fn(&Check) -> f64| built.checks.iter().map(part).collect::<Vec<f64>>();
    let mut checks = Table::new()
        .with_text("quantity", built.checks.iter().map(|check| check.quantity.clone()).collect())
        .with_float("source", of(|check| check.source))
        .with_float("ours", of(|check| check.ours))
        .with_float("difference", of(|check| check.ours - check.source))
        .with_float("tolerance", of(|check| check.tolerance))
        .with_text("verdict", built.checks.iter().map(|check| verdict(check).to_owned()).collect());
    checks.comments.extend(comments);
    for (ending, bytes) in
        [("svg", svg.as_bytes()), ("csv", data.as_bytes()), ("checks.csv", checks.to_csv().as_bytes())]
    {
        replace_file(&out.join(format!("{}.{ending}", target.id)), bytes)?;
    }
    Ok(())
}

fn verdict(check: &Check) -> &'static str {
    match check {
        Check { comparable: false, .. } => "not comparable",
        check if check.passes() => "met",
        _ => "MISSED",
    }
}

fn rows(built: &Built) -> Vec<Value> {
    built
        .checks
        .iter()
        .map(|check| {
            json!({
                "quantity": check.quantity, "source": check.source, "ours": check.ours,
                "difference": check.ours - check.source, "tolerance": check.tolerance,
                "verdict": verdict(check),
            })
        })
        .collect()
}

fn verdicts(target: &Target, built: &Built) -> String {
    let width = built.checks.iter().map(|check| check.quantity.chars().count()).max().unwrap_or(0);
    let mut text = format!("{}  {}\n", target.id, target.title);
    for check in &built.checks {
        let short = |value: f64| number(format!("{value:.4e}").parse().unwrap_or(value));
        let _ = writeln!(
            text,
            "  {:width$}  source {:>10}  ours {:>10}  within {:>9}  {}",
            check.quantity,
            short(check.source),
            short(check.ours),
            short(check.tolerance),
            verdict(check),
        );
    }
    text
}
