//! The blocks of values.

use super::{Lines, MdmFile, Sweep, short, wrong};
use crate::error::InputError;
use crate::measurement::Dropped;
use crate::reader::{OVERFLOW, text};

/// What is counted over the blocks of a file.
#[derive(Default)]
pub(super) struct Blocks {
    /// The file ended inside a block.
    cut: bool,
}

impl Blocks {
    pub(super) fn read(
        &mut self,
        file: &mut MdmFile,
        begins: usize,
        lines: &mut Lines<'_>,
    ) -> Result<(), InputError> {
        let name = file.name.clone();
        let mut sweep = Sweep { line: begins, ..Sweep::default() };
        let mut keys = std::collections::BTreeSet::new();
        loop {
            let Some((line, content)) = lines.next() else {
                file.incomplete.push(format!("{name}:{begins}: the file ends within this block"));
                self.cut = true;
                break;
            };
            if content == "END_DB" {
                break;
            }
            if let Some(names) = content.strip_prefix('#') {
                if !sweep.names.is_empty() {
                    return Err(wrong(&name, line, content, "one line of column names in a block"));
                }
                sweep.names = names.split_whitespace().map(str::to_owned).collect();
                sweep.columns = vec![Vec::new(); sweep.names.len()];
                columns_are_known(file, &sweep, line)?;
            } else if let Some(variable) = content.strip_prefix("ICCAP_VAR ") {
                let mut words = variable.split_whitespace();
                let (Some(key), Some(value), None) = (words.next(), words.next(), words.next()) else {
                    return Err(wrong(&name, line, content, "ICCAP_VAR name value"));
                };
                let value = text::number(value, false)
                    .ok_or_else(|| wrong(&name, line, content, "ICCAP_VAR name and a number"))?;
                if !keys.insert(key.to_ascii_uppercase()) {
                    return Err(wrong(&name, line, content, "one ICCAP_VAR of each name in a block"));
                }
                sweep.fixed.push((key.to_owned(), value));
            } else if content == "BEGIN_DB" || content == "BEGIN_HEADER" {
                return Err(wrong(&name, line, content, "END_DB"));
            } else if sweep.names.is_empty() {
                return Err(wrong(&name, line, content, "ICCAP_VAR, or column names behind `#`"));
            } else if let Err(reason) = row(&mut sweep, line, content) {
                file.dropped.push(Dropped { file: name.clone(), line, reason });
            }
        }
        if sweep.names.is_empty() && !self.cut {
            return Err(InputError::new(name, "a block without column names", "a line of names behind `#`")
                .at_line(begins));
        }
        if sweep.is_empty() {
            file.incomplete.push(format!("{name}:{begins}: no values in this block"));
        }
        file.sweeps.push(sweep);
        Ok(())
    }

    /// What the header promises and the blocks do not hold.
    pub(super) fn compare_with_plan(&self, file: &mut MdmFile) {
        let mut found = Vec::new();
        let mut inner = None;
        let mut blocks = Some(1_usize);
        for input in &file.inputs {
            match (input.plan.order(), input.plan.points()) {
                (Some(1), points) => inner = points.map(|points| (input.name.clone(), points)),
                (Some(_), points) => {
                    blocks = blocks.zip(points).and_then(|(blocks, points)| blocks.checked_mul(points));
                }
                (None, _) => {}
            }
        }
        if let Some(blocks) = blocks
            && blocks != file.sweeps.len()
        {
            found.push(format!("{} of {blocks} blocks that the header promises", file.sweeps.len()));
        }
        if let Some((name, points)) = inner {
            let dropped = |sweep: &Sweep, next: usize| {
                file.dropped.iter().filter(|row| row.line > sweep.line && row.line < next).count()
            };
            let mut odd = 0_usize;
            let mut first = None;
            for (index, sweep) in file.sweeps.iter().enumerate() {
                if sweep.len() != points {
                    odd += 1;
                    let next = file.sweeps.get(index + 1).map_or(usize::MAX, |sweep| sweep.line);
                    first = first.or_else(|| Some((sweep.line, sweep.len(), dropped(sweep, next))));
                }
            }
            if let Some((line, rows, dropped)) = first {
                found.push(format!(
                    "{odd} blocks without the {points} values of {name} that the header promises: the one in line {line} has {rows}, {dropped} dropped"
                ));
            }
        }
        file.incomplete.extend(found.into_iter().map(|what| format!("{}: {what}", file.name)));
    }
}

/// Columns without two of a name; the first is a source.
fn columns_are_known(file: &MdmFile, sweep: &Sweep, line: usize) -> Result<(), InputError> {
    let mut seen = std::collections::BTreeSet::new();
    for column in &sweep.names {
        if !seen.insert(column.to_ascii_uppercase()) {
            return Err(wrong(&file.name, line, column, "one column of each name"));
        }
    }
    match sweep.names.first() {
        Some(first) if file.input(first).is_some() => Ok(()),
        Some(first) => {
            let inputs: Vec<&str> = file.inputs.iter().map(|input| input.name.as_str()).collect();
            let expected = format!("the inner sweep in the first column, one of {}", inputs.join(", "));
            Err(wrong(&file.name, line, first, &expected))
        }
        None => Err(wrong(&file.name, line, "#", "names of columns")),
    }
}

fn row(sweep: &mut Sweep, line: usize, content: &str) -> Result<(), String> {
    let width = sweep.names.len();
    let found = content.split_whitespace().count();
    if found != width {
        return Err(format!("{found} cells instead of {width} in `{}`", short(content)));
    }
    let mut values = Vec::with_capacity(width);
    for (cell, column) in content.split_whitespace().zip(&sweep.names) {
        match text::number(cell, false) {
            Some(value) if value.abs() >= OVERFLOW => {
                return Err(format!("overflow reading `{}` in `{column}`", short(cell)));
            }
            Some(value) => values.push(value),
            None => return Err(format!("`{}` in `{column}`", short(cell))),
        }
    }
    for (column, value) in sweep.columns.iter_mut().zip(values) {
        column.push(value);
    }
    sweep.lines.push(line);
    Ok(())
}
