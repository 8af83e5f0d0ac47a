//! `mho run`: the main job.

use super::session::{Session, StudyArgs};
use super::{Answer, CliError, Globals, plan};
use crate::engine::{self, Failure, Progress, RunReport, State};
use crate::lock::{self, Lock};
use crate::store::Fetch;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Run a study: the main job
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  mho run\n  mho run study.toml --out results\n  \
                        mho run --set idvg.files=a.csv,b.csv --set values.trials=4\n\n\
                        An interrupted run is resumed by the same command.")]
pub(super) struct RunArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Shows what would run and why, and stops.
    #[arg(long)]
    dry_run: bool,
    /// Fails, before anything runs, if a key differs from the lock file.
    #[arg(long)]
    locked: bool,
    /// Where the work is done.
    #[arg(long, default_value = "local", value_parser = ["local"])]
    executor: String,
}

pub(super) fn run(args: &RunArgs, globals: &Globals) -> Answer {
    let session = Session::open(&args.study, globals)?;
    if args.dry_run {
        return plan::show(&session, false, globals);
    }
    execute(&session, args.locked, globals)
}

/// Runs a study and says what came out.
pub(super) fn execute(loaded: &Session, locked: bool, globals: &Globals) -> Answer {
    let started = Instant::now();
    let Session { study, stages, store, out, lock: lock_path } = loaded;
    let lines = engine::plan(study, stages, store)?;
    if locked {
        let lock = read_lock(lock_path)?;
        let known = lines.iter().filter_map(|line| Some((line.target.as_str(), line.key.as_ref()?)));
        check_lock(&lock, known, lock_path)?;
    }
    let expected: BTreeMap<String, f64> = lines
        .iter()
        .filter(|line| line.state != State::Cached)
        .map(|line| (line.target.clone(), line.seconds))
        .collect();
    let waiting = expected.len();
    if waiting > 0 && !globals.quiet {
        let total: f64 = expected.values().sum();
        let count = lines.len();
        eprintln!(
            "mho: {}: {waiting} of {count} targets to run, about {}",
            study.name,
            engine::duration(total)
        );
    }
    engine::preflight(study, stages, &lines)?;
    let progress = Progress::new(expected, globals.quiet);
    let mut report = engine::run(study, stages, store, &progress);
    let mut exported = engine::export(&report, store, out, false);
    if let Err(Failure::Integrity(_)) = exported {
        // What was damaged is in quarantine now: its producer runs again.
        report = engine::run(study, stages, store, &progress);
        exported = engine::export(&report, store, out, false);
    }
    let warnings = progress.finish();
    let written = exported?;
    let lock = lock::of_run(study, &report);
    if locked {
        check_lock(&read_lock(lock_path)?, lock.iter().map(|(n, l)| (n.as_str(), &l.key)), lock_path)?;
    } else if report.failures.is_empty() && !lock.is_empty() {
        let text = lock::render(&lock);
        if std::fs::read_to_string(lock_path).ok().as_deref() != Some(&text) {
            store.write_result(lock_path, text.as_bytes())?;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    if report.executed > 0 || !report.failures.is_empty() {
        record(loaded, &report, seconds)?;
    }
    let page = report_page(&report, out);
    let headline = headline(loaded, &report);
    if !globals.quiet && !globals.json {
        if globals.verbose {
            warnings.iter().for_each(|(target, text)| eprintln!("mho: {target}: {text}"));
        } else if !warnings.is_empty() && report.executed > 0 {
            eprintln!("mho: {} notes (`-v` shows them; they are in the report)", warnings.len());
        }
        eprintln!("{}", summary(loaded, &report, seconds));
    }
    let text = if globals.json {
        let document = serde_json::json!({
            "schema": 1,
            "study": study.name,
            "targets": study.targets.len(),
            "executed": report.executed,
            "ran": report.ran,
            "written": written,
            "failures": report.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "warnings": warnings.iter().map(|(t, w)| format!("{t}: {w}")).collect::<Vec<_>>(),
            "headline": headline,
            "out": out,
            "report": page,
            "seconds": seconds,
        });
        format!("{document:#}\n")
    } else {
        let mut text = headline.unwrap_or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&match page {
            Some(page) => format!("report: {}\n", page.display()),
            None => format!("results: {}\n", out.display()),
        });
        text
    };
    // Each failure was told when it happened.
    match report.failures.iter().map(CliError::code_of).max() {
        None => Ok(text),
        Some(code) => Err(CliError::Told { code, text: if globals.json { text } else { String::new() } }),
    }
}

fn summary(loaded: &Session, report: &RunReport, seconds: f64) -> String {
    let all = loaded.study.targets.len();
    let name = &loaded.study.name;
    let failed = report.failures.len();
    if failed > 0 {
        let direct = report.failures.iter().filter(|f| !matches!(f, Failure::Upstream { .. })).count();
        let after = failed - direct;
        format!(
            "mho: {name}: {direct} failed, {after} after them did not run, {} of {all} targets are done",
            report.done.len()
        )
    } else if report.executed == 0 {
        format!("mho: {name}: nothing to do, all {all} targets are in the store ({seconds:.3} s)")
    } else {
        let ran = report.ran.len();
        format!(
            "mho: {name}: ran {ran} targets, {} were in the store, {seconds:.1} s",
            all.saturating_sub(ran)
        )
    }
}

/// The text of the target that the study names as its headline.
fn headline(loaded: &Session, report: &RunReport) -> Option<String> {
    let (target, role) = loaded.study.headline.as_deref()?.split_once('/')?;
    let output = report.done.get(target)?.outputs.iter().find(|output| output.role == role)?;
    match loaded.store.get(&output.digest) {
        Ok(Fetch::Found(bytes)) => String::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// Where the report is, when the study makes one.
fn report_page(report: &RunReport, out: &Path) -> Option<PathBuf> {
    let mut exports = report.done.values().flat_map(|a| &a.outputs).filter_map(|o| o.export.as_deref());
    exports.find(|place| *place == "report.html").map(|place| out.join(place))
}

fn read_lock(path: &Path) -> Result<Lock, CliError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        mho_data::InputError::new(&file, error.to_string(), "a lock file, which `mho run` writes")
    })?;
    Ok(lock::parse(&text, &file)?)
}

fn check_lock<'a>(
    lock: &Lock,
    mut keys: impl Iterator<Item = (&'a str, &'a String)>,
    path: &Path,
) -> Result<(), CliError> {
    let other = keys.find(|(name, key)| lock.get(*name).is_none_or(|locked| locked.key != **key));
    match other {
        None => Ok(()),
        Some((name, _)) => Err(CliError::Failed(format!(
            "--locked: target `{name}` has another key than in {}",
            path.display()
        ))),
    }
}

/// One record per execution, failures too: times and threads stand here and in no artifact.
fn record(loaded: &Session, report: &RunReport, seconds: f64) -> Result<(), CliError> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let record = serde_json::json!({
        "schema": 1,
        "study": loaded.study.name,
        "started_unix_s": now.as_secs_f64() - seconds,
        "seconds": seconds,
        "threads": rayon::current_num_threads(),
        "version": env!("CARGO_PKG_VERSION"),
        "ran": report.ran,
        "executed": report.executed,
        "keys": report.keys,
        "failures": report.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    let id = format!("{:013}-{}", now.as_millis(), std::process::id());
    match loaded.store.record_run(&id, &format!("{record:#}\n")) {
        // A store that cannot be written has been named as the failure already.
        Err(error) if report.failures.is_empty() => Err(error.into()),
        _ => Ok(()),
    }
}
