//! `mho crossbar`: arrays of cells.

mod complex;
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
    let (array, imaginary) = array(path, expected)?;
    if imaginary.is_some() {
        return Err(InputError::new(path.display().to_string(), "complex numbers", expected).into());
    }
    match array.shape[..] {
        [columns] if columns > 0 => Ok((1, columns, array.values)),
        [rows, columns] if rows > 0 && columns > 0 => Ok((rows, columns, array.values)),
        _ => {
            let found = format!("an array of shape {:?}", array.shape);
            Err(InputError::new(path.display().to_string(), found, expected).into())
        }
    }
}

/// An array from a file, and its imaginary part where it has one.
fn array(path: &Path, expected: &str) -> Result<(Array, Option<Array>), CliError> {
    let file = path.display().to_string();
    // FILE.npz:NAME is an array of an archive.
    let (source, member) = match file.split_once(".npz:") {
        Some((stem, member)) => (format!("{stem}.npz"), Some(member)),
        None => (file.clone(), None),
    };
    let bytes =
        std::fs::read(&source).map_err(|error| InputError::new(&source, error.to_string(), expected))?;
    Ok(match ending(Path::new(&source)) {
        "csv" => (from_csv(&bytes, &file)?, None),
        "npz" => (from_archive(&bytes, &source, member)?, None),
        _ => Array::parts_from_npy(&bytes, &file)?,
    })
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

/// Refuses a file for an array whose ending no format has.
fn check_ending(flag: &str, path: &Path) -> Result<(), CliError> {
    match ending(path) {
        "npy" | "npz" | "csv" => Ok(()),
        _ => Err(CliError::Usage(format!("{flag} {}: the ending is .npy, .npz or .csv", path.display()))),
    }
}

/// An array as `.npy`, as the only member `name` of an `.npz`, or, its last axis in lines, as `.csv`.
fn write(path: &Path, name: &str, array: &Array) -> Result<(), CliError> {
    let bytes = match ending(path) {
        "npy" => array.to_npy(),
        "npz" => {
            let members = vec![(name.to_owned(), array.clone())];
            Archive { members }.to_npz().map_err(CliError::Failed)?
        }
        _ => {
            let width = array.shape.last().copied().unwrap_or(1).max(1);
            let line = |line: &[f64]| line.iter().map(|v| format!("{v:?}")).collect::<Vec<_>>().join(",");
            let lines: Vec<String> = array.values.chunks(width).map(line).collect();
            (lines.join("\n") + "\n").into_bytes()
        }
    };
    Ok(replace_file(path, &bytes)?)
}
