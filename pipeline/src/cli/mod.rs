//! The command line: one file per command. A command gives the text for standard output, or an error
//! that says with which code the process ends.

mod alone;
mod crossbar;
mod data;
mod evaluate;
mod export;
mod figures;
mod fit;
mod init;
mod models;
mod physics;
mod plan;
mod report;
mod run;
mod session;
mod simulate;
mod store;
mod table;
mod train;
mod verify;
mod whence;
mod why;

use crate::engine::Failure;
use crate::store::StoreError;
use clap::{Args, Parser, Subcommand};
use mho_data::InputError;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Heading of the options that every command takes, which stand behind its own.
const GENERAL: &str = "Options of every command";

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Globals {
    /// Number of threads, all cores by default; results do not depend on it
    #[arg(long, global = true, help_heading = GENERAL, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Root seed of every random number (default: that of the study, else 0)
    #[arg(long, global = true, help_heading = GENERAL, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Say less on standard error
    #[arg(short, long, global = true, help_heading = GENERAL, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more on standard error
    #[arg(short, long, global = true, help_heading = GENERAL)]
    pub(crate) verbose: bool,
    /// Folder of the store (default: MHO_STORE, else .mho/store beside the study file)
    #[arg(long, global = true, help_heading = GENERAL, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Print one JSON document instead of text for people
    #[arg(long, global = true, help_heading = GENERAL)]
    pub(crate) json: bool,
}

/// The text for standard output.
pub(crate) type Answer = Result<String, CliError>;

/// Why a command gives no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Wrong use of the command.
    #[error("{0}")]
    Usage(String),
    /// The input is bad.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The computation failed.
    #[error("{0}")]
    Failed(String),
    /// The store's content cannot be trusted.
    #[error("{0}")]
    Integrity(String),
    /// What went wrong has been said; `text` still goes to standard output.
    #[error("{text}")]
    Told {
        /// Exit code.
        code: u8,
        /// For standard output.
        text: String,
    },
}

impl CliError {
    /// A failed computation, from any error.
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// The exit code that scripts rely on.
    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Input(_) => 3,
            Self::Integrity(_) => 4,
            Self::Told { code, .. } => *code,
        }
    }

    /// The exit code of a run in which a target failed in this way.
    pub(crate) fn code_of(failure: &Failure) -> u8 {
        match failure {
            Failure::Input(_) => 3,
            Failure::Integrity(_) | Failure::Store(StoreError::Format { .. }) => 4,
            _ => 1,
        }
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Input(error) => Self::Input(error),
            Failure::Integrity(text) => Self::Integrity(text),
            Failure::Store(error) => error.into(),
            other => Self::failed(other),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Format { .. } => Self::Integrity(error.to_string()),
            StoreError::Io { .. } => Self::failed(error),
        }
    }
}

impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(own) => return own,
            Err(other) => other,
        };
        match error.chain().find_map(|cause| cause.downcast_ref::<InputError>()) {
            Some(input) => Self::Input(input.clone()),
            None => Self::Failed(format!("{error:#}")),
        }
    }
}

/// From measurements of analog memory devices to the accuracy of networks under dose and drift
#[derive(Debug, Parser)]
#[command(name = "mho", version, arg_required_else_help = true)]
#[command(
    after_help = "Examples:\n  mho run                                  the built-in study, to a report\n  \
                        mho init my-device --device transistor   a study and files to replace by your own\n  \
                        mho data inspect sweeps.csv              what is in a file of measurements\n  \
                        mho fit transistor sweeps.csv --out card.toml\n\n\
                        Exit codes: 0 done, 1 the computation failed, 2 wrong use, 3 bad input, 4 broken store"
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Plan(plan::PlanArgs),
    Why(why::WhyArgs),
    Whence(whence::WhenceArgs),
    Verify(verify::VerifyArgs),
    Init(init::InitArgs),
    Report(report::ReportArgs),
    Store(store::StoreArgs),
    Data(data::DataArgs),
    /// List the device models, or show one: parameters, units, bounds, sources, validity
    Models(models::Models),
    Crossbar(crossbar::CrossbarArgs),
    Figures(figures::FiguresArgs),
    Physics(physics::PhysicsArgs),
    Fit(fit::FitArgs),
    Simulate(simulate::SimulateArgs),
    Export(export::ExportArgs),
    Table(table::TableArgs),
    /// Train a network digitally
    Train(train::Train),
    /// Evaluate a network on simulated arrays: trials, times, doses, ablation by effect
    Evaluate(evaluate::Evaluate),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let Cli { globals, command } = Cli::parse();
    if let Some(threads) = globals.threads {
        // Fails only when a pool is there already, which then serves as well.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    }
    let answer = match &command {
        Command::Run(args) => run::run(args, &globals),
        Command::Plan(args) => plan::run(args, &globals),
        Command::Why(args) => why::run(args, &globals),
        Command::Whence(args) => whence::run(args, &globals),
        Command::Verify(args) => verify::run(args, &globals),
        Command::Init(args) => init::run(args, &globals),
        Command::Report(args) => report::run(args, &globals),
        Command::Store(args) => store::run(args, &globals),
        Command::Data(args) => data::run(args, &globals),
        Command::Models(args) => alone::models(args, &globals),
        Command::Crossbar(args) => crossbar::run(args, &globals),
        Command::Figures(args) => figures::run(args, &globals),
        Command::Physics(args) => physics::run(args, &globals),
        Command::Fit(args) => fit::run(args, &globals),
        Command::Simulate(args) => simulate::run(args, &globals),
        Command::Export(args) => export::run(args, &globals),
        Command::Table(args) => table::run(args, &globals),
        Command::Train(args) => alone::train(args, &globals),
        Command::Evaluate(args) => evaluate::run(args, &globals),
    };
    match answer {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            match &error {
                CliError::Told { text, .. } => print(text),
                other => eprintln!("mho: {other}"),
            }
            ExitCode::from(error.code())
        }
    }
}

/// Prints a result. A reader that has gone away (`mho plan | head`) is no error.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
