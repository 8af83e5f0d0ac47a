//! `mho crossbar`: arrays of cells.

mod mvm;
mod solve;

use super::{Answer, CliError, Globals};
use crate::store::replace_file;
use clap::{Args, Subcommand};
use mho_data::InputError;
use mho_data::npy::{Archive, Array};
use std::path::Path;

/// Arrays of cells with resistive wires
#[derive(Debug, Args)]
pub(super) struct CrossbarArgs {
    #[command(subcommand)]
    command: CrossbarCommand,
}

#[derive(Debug, Subcommand)]
enum CrossbarCommand {
    Solve(solve::SolveArgs),
    Mvm(mvm::MvmArgs),
}

pub(super) fn run(args: &CrossbarArgs, globals: &Globals) -> Answer {
    match &args.command {
        CrossbarCommand::Solve(args) => solve::run(args, globals),
        CrossbarCommand::Mvm(args) => mvm::run(args, globals),
    }
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or("")
}

/// Rows, columns and values of a matrix from a file; a single line of numbers is a matrix of one row.
fn matrix(path: &Path, expected: &str) -> Result<(usize, usize, Vec<f64>), CliError> {
    let file = path.display().to_string();
    // FILE.npz:NAME is an array of an archive.
    let (source, member) = match file.split_once(".npz:") {
        Some((stem, member)) => (format!("{stem}.npz"), Some(member)),
        None => (file.clone(), None),
    };
    let bytes =
        std::fs::read(&source).map_err(|error| InputError::new(&source, error.to_string(), expected))?;
    let array = match ending(Path::new(&source)) {
        "csv" => from_csv(&bytes, &file)?,
        "npz" => from_archive(&bytes, &source, member)?,
        _ => Array::from_npy(&bytes, &file)?,
    };
    match array.shape[..] {
        [columns] if columns > 0 => Ok((1, columns, array.values)),
        [rows, columns] if rows > 0 && columns > 0 => Ok((rows, columns, array.values)),
        _ => Err(InputError::new(file, format!("an array of shape {:?}", array.shape), expected).into()),
    }
}

/// The array of this name in an archive, or its only one.
fn from_archive(bytes: &[u8], file: &str, member: Option<&str>) -> Result<Array, InputError> {
    let mut archive = Archive::from_npz(bytes, file)?;
    let names: Vec<&str> = archive.members.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    let index = match member {
        Some(member) => archive.members.iter().position(|(name, _)| name == member),
        None => (archive.members.len() == 1).then_some(0),
    };
    match index {
        Some(index) => Ok(archive.members.swap_remove(index).1),
        None => {
            let found = member.map_or_else(|| "several arrays".to_owned(), |member| format!("no `{member}`"));
            Err(InputError::new(file, found, format!("{file}:NAME with one of {names}")))
        }
    }
}

/// Lines of numbers with commas between; lines that begin with `#` are comments.
fn from_csv(bytes: &[u8], file: &str) -> Result<Array, InputError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| InputError::new(file, "bytes that are no UTF-8", "lines of numbers"))?;
    let (mut values, mut rows, mut columns) = (Vec::new(), 0, None);
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let before = values.len();
        for part in line.split(',') {
            let value = part.trim().parse::<f64>().map_err(|_| {
                InputError::new(file, format!("`{}`", part.trim()), "a number").at_line(index + 1)
            })?;
            values.push(value);
        }
        let count = values.len() - before;
        if *columns.get_or_insert(count) != count {
            let expected = format!("{} as in the lines before", columns.unwrap_or(0));
            return Err(InputError::new(file, format!("{count} numbers"), expected).at_line(index + 1));
        }
        rows += 1;
    }
    Ok(Array { shape: vec![rows, columns.unwrap_or(0)], values })
}

/// An array of two axes as `.npy` or as lines of numbers.
fn write(path: &Path, array: &Array) -> Result<(), CliError> {
    if ending(path) == "npy" {
        return Ok(replace_file(path, &array.to_npy())?);
    }
    let width = array.shape.last().copied().unwrap_or(1).max(1);
    let lines: Vec<String> = array
        .values
        .chunks(width)
        .map(|line| line.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(","))
        .collect();
    Ok(replace_file(path, (lines.join("\n") + "\n").as_bytes())?)
}
