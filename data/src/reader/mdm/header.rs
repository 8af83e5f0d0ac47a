//! The header: sources with their sweeps, readings, variables.

use super::{Lines, MdmFile, wrong};
use crate::error::InputError;
use crate::reader::text;

/// A source: what is forced.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Name, as in `VG`.
    pub name: String,
    /// What it forces: V, I, F (frequency), T (time), P (parameter), U (user).
    pub mode: String,
    /// Nodes between which it lies.
    pub nodes: Vec<String>,
    /// Unit of the instrument.
    pub unit: Option<String>,
    /// Limit of the other quantity (A for a voltage source).
    pub compliance: Option<f64>,
    /// How it is swept.
    pub plan: SweepPlan,
    /// Line in the file.
    pub line: usize,
}

/// A reading: what is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Name, as in `ID`.
    pub name: String,
    /// What it is: I, V, C (capacitance), G, Q, S, Y, Z, …
    pub mode: String,
    /// Nodes between which it lies.
    pub nodes: Vec<String>,
    /// Unit of the instrument.
    pub unit: Option<String>,
    /// Line in the file.
    pub line: usize,
}

/// How a source is swept. `order` 1 is the inner sweep, 2 the next outer one.
#[derive(Debug, Clone, PartialEq)]
pub enum SweepPlan {
    /// `CON value`.
    Constant(f64),
    /// `LIN order start stop points step`.
    Linear {
        /// Order.
        order: u32,
        /// First value.
        start: f64,
        /// Last value.
        stop: f64,
        /// Number of values.
        points: usize,
    },
    /// `LOG order start stop …`: the last number is taken as the number of values.
    Logarithmic {
        /// Order.
        order: u32,
        /// First value.
        start: f64,
        /// Last value.
        stop: f64,
        /// Number of values, where it is a whole number.
        points: Option<usize>,
    },
    /// `LIST order count value…`.
    List {
        /// Order.
        order: u32,
        /// The values.
        values: Vec<f64>,
    },
    /// `SYNC ratio offset master`: ratio times the master plus offset.
    Synchronous {
        /// Ratio to the master.
        ratio: f64,
        /// Offset from the master.
        offset: f64,
        /// Name of the master.
        master: String,
    },
    /// A sweep of another kind (`HB`, `AC`, `SEG`, …), as written; its values are in the blocks.
    Other(Vec<String>),
}

impl SweepPlan {
    /// Order of the sweep; none where the source does not sweep by itself.
    pub fn order(&self) -> Option<u32> {
        match self {
            Self::Linear { order, .. } | Self::Logarithmic { order, .. } | Self::List { order, .. } => {
                Some(*order)
            }
            _ => None,
        }
    }

    /// Number of values that the header promises.
    pub fn points(&self) -> Option<usize> {
        match self {
            Self::Linear { points, .. } => Some(*points),
            Self::Logarithmic { points, .. } => *points,
            Self::List { values, .. } => Some(values.len()),
            _ => None,
        }
    }
}

/// Parts of the header.
#[derive(Clone, Copy, PartialEq)]
enum Section {
    None,
    Inputs,
    Outputs,
    Values,
    Unknown,
}

/// Words that begin a sweep.
const KINDS: [&str; 9] = ["LIN", "LOG", "LIST", "CON", "SYNC", "SEG", "HB", "AC", "TDR"];

/// Inputs and outputs that a header may have.
const MOST_NAMES: usize = 1000;

pub(super) fn read(file: &mut MdmFile, lines: &mut Lines<'_>) -> Result<(), InputError> {
    let name = file.name.clone();
    let mut section = Section::None;
    for (line, content) in lines.by_ref() {
        let words: Vec<&str> = content.split_whitespace().collect();
        section = match content {
            "END_HEADER" => return check(file, line),
            "ICCAP_INPUTS" => Section::Inputs,
            "ICCAP_OUTPUTS" => Section::Outputs,
            "ICCAP_VALUES" | "USER_INPUTS" => Section::Values,
            "BEGIN_DB" | "END_DB" | "BEGIN_HEADER" => return Err(wrong(&name, line, content, "END_HEADER")),
            // A part of the header that is not known: what is in it stays out of the way.
            other if words.len() == 1 && other.starts_with("ICCAP_") => {
                file.notes.push(format!("{name}:{line}: the part {other} was skipped"));
                Section::Unknown
            }
            _ => section,
        };
        if content.starts_with("ICCAP_") || content == "USER_INPUTS" {
            continue;
        }
        match section {
            Section::Inputs => file.inputs.push(input(&name, line, &words)?),
            Section::Outputs => file.outputs.push(output(&name, line, &words)?),
            Section::Values => file.values.push(variable(content)),
            Section::Unknown => {}
            Section::None => {
                return Err(wrong(&name, line, content, "ICCAP_INPUTS, ICCAP_OUTPUTS or ICCAP_VALUES"));
            }
        }
    }
    Err(InputError::new(name, "the end of the file within the header", "END_HEADER").at_line(lines.last))
}

fn check(file: &MdmFile, line: usize) -> Result<(), InputError> {
    if file.inputs.is_empty() {
        return Err(
            InputError::new(&file.name, "no inputs", "ICCAP_INPUTS with a source each line").at_line(line)
        );
    }
    // Every block looks names up in these lists: a list without end would take time without end.
    if file.inputs.len() + file.outputs.len() > MOST_NAMES {
        let found = format!("{} inputs and {} outputs", file.inputs.len(), file.outputs.len());
        return Err(InputError::new(&file.name, found, format!("at most {MOST_NAMES}")).at_line(line));
    }
    let names = file.inputs.iter().map(|input| (&input.name, input.line));
    let names = names.chain(file.outputs.iter().map(|output| (&output.name, output.line)));
    let mut seen = std::collections::BTreeSet::new();
    for (name, line) in names {
        if !seen.insert(name.to_ascii_uppercase()) {
            return Err(wrong(&file.name, line, name, "one input or output of each name"));
        }
    }
    Ok(())
}

fn number(name: &str, line: usize, word: Option<&&str>, what: &str) -> Result<f64, InputError> {
    let word = word.ok_or_else(|| InputError::new(name, "too few words", what).at_line(line))?;
    text::number(word, false).ok_or_else(|| wrong(name, line, word, what))
}

/// A whole number from 0, small enough to count something with.
fn count(name: &str, line: usize, word: Option<&&str>, what: &str) -> Result<u32, InputError> {
    let word = word.ok_or_else(|| InputError::new(name, "too few words", what).at_line(line))?;
    word.parse().map_err(|_| wrong(name, line, word, what))
}

fn input(file: &str, line: usize, words: &[&str]) -> Result<Input, InputError> {
    let kind_at = words.iter().skip(2).position(|word| KINDS.contains(word)).map(|at| at + 2);
    let Some(at) = kind_at else {
        let expected = "an input: name, mode, nodes, unit, compliance, then LIN, LOG, LIST, CON or SYNC";
        return Err(wrong(file, line, &words.join(" "), expected));
    };
    // Between mode and sweep: two nodes, unit and compliance for a V or I source, less for the others.
    let middle = &words[2..at];
    let compliance = middle.last().and_then(|word| text::number(word, false));
    let named = if compliance.is_some() { &middle[..middle.len() - 1] } else { middle };
    let (nodes, unit) = match named {
        [nodes @ .., unit] if named.len() > 2 => (nodes, Some(*unit)),
        _ => (named, None),
    };
    let rest = &words[at + 1..];
    let order = |what| count(file, line, rest.first(), what);
    let plan = match words[at] {
        "CON" => SweepPlan::Constant(number(file, line, rest.first(), "CON and its value")?),
        "LIN" => {
            let what = "LIN order start stop points step";
            SweepPlan::Linear {
                order: order(what)?,
                start: number(file, line, rest.get(1), what)?,
                stop: number(file, line, rest.get(2), what)?,
                points: count(file, line, rest.get(3), what)? as usize,
            }
        }
        "LOG" => {
            let what = "LOG order start stop points";
            SweepPlan::Logarithmic {
                order: order(what)?,
                start: number(file, line, rest.get(1), what)?,
                stop: number(file, line, rest.get(2), what)?,
                points: rest.get(3..).and_then(<[_]>::last).and_then(|word| word.parse().ok()),
            }
        }
        "LIST" => {
            let what = "LIST order count and as many values";
            let (order, points) = (order(what)?, count(file, line, rest.get(1), what)? as usize);
            let values: Vec<f64> = rest
                .iter()
                .skip(2)
                .map(|word| number(file, line, Some(word), what))
                .collect::<Result<_, _>>()?;
            if values.len() != points {
                return Err(InputError::new(
                    file,
                    format!("a list of {} values", values.len()),
                    format!("{points}, as its count says"),
                )
                .at_line(line));
            }
            SweepPlan::List { order, values }
        }
        "SYNC" => {
            let what = "SYNC ratio offset master";
            SweepPlan::Synchronous {
                ratio: number(file, line, rest.first(), what)?,
                offset: number(file, line, rest.get(1), what)?,
                master: rest
                    .get(2)
                    .map(|word| (*word).to_owned())
                    .ok_or_else(|| InputError::new(file, "no master", what).at_line(line))?,
            }
        }
        _ => SweepPlan::Other(words[at..].iter().map(|word| (*word).to_owned()).collect()),
    };
    Ok(Input {
        name: words[0].to_owned(),
        mode: words[1].to_ascii_uppercase(),
        nodes: nodes.iter().map(|word| (*word).to_owned()).collect(),
        unit: unit.map(str::to_owned),
        compliance,
        plan,
        line,
    })
}

fn output(file: &str, line: usize, words: &[&str]) -> Result<Output, InputError> {
    if words.len() < 2 {
        return Err(wrong(file, line, &words.join(" "), "an output: name, mode, nodes, unit, type"));
    }
    // The last word is the type (M measured, S simulated, B both), the one before it the unit.
    let named = match &words[2..] {
        [named @ .., "M" | "S" | "B"] => named,
        named => named,
    };
    let (nodes, unit) = match named {
        [nodes @ .., unit] if named.len() > 2 => (nodes, Some(*unit)),
        _ => (named, None),
    };
    Ok(Output {
        name: words[0].to_owned(),
        mode: words[1].to_ascii_uppercase(),
        nodes: nodes.iter().map(|word| (*word).to_owned()).collect(),
        unit: unit.map(str::to_owned),
        line,
    })
}

/// `NAME "value"`, also where the blank between them is missing.
fn variable(content: &str) -> (String, String) {
    let end = content.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(content.len());
    let value = content[end..].trim().trim_matches('"').trim();
    (content[..end].to_owned(), value.to_owned())
}
