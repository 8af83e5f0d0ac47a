//! On which line of a study each key stands.

use mho_data::InputError;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Lines of keys, by dotted path.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(BTreeMap<String, usize>);

impl Lines {
    pub(super) fn of(text: &str, file: &str) -> Result<Self, InputError> {
        let line_at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
        let tree = DeTable::parse(text).map_err(|error| {
            let wrong = InputError::new(file, error.message().to_owned(), "a TOML document");
            match error.span() {
                Some(span) => wrong.at_line(line_at(span.start)),
                None => wrong,
            }
        })?;
        finite(&DeValue::Table(tree.get_ref().clone()), tree.span(), file, &line_at)?;
        let mut lines = BTreeMap::new();
        walk("", &tree, &line_at, &mut lines);
        Ok(Self(lines))
    }

    pub(super) fn of_path(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            path = path.rsplit_once('.')?.0;
        }
    }
}

/// A key is made from finite numbers only; `nan` and `inf` have none.
fn finite(
    value: &DeValue<'_>,
    span: std::ops::Range<usize>,
    file: &str,
    line_at: &impl Fn(usize) -> usize,
) -> Result<(), InputError> {
    match value {
        DeValue::Float(number) if number.as_str().contains("nan") || number.as_str().contains("inf") => {
            Err(InputError::new(file, number.as_str(), "a finite number").at_line(line_at(span.start)))
        }
        DeValue::Array(items) => {
            items.iter().try_for_each(|item| finite(item.get_ref(), item.span(), file, line_at))
        }
        DeValue::Table(table) => {
            table.values().try_for_each(|item| finite(item.get_ref(), item.span(), file, line_at))
        }
        _ => Ok(()),
    }
}

fn walk(
    prefix: &str,
    table: &Spanned<DeTable<'_>>,
    line_at: &impl Fn(usize) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    for (key, value) in table.get_ref() {
        let path =
            if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        lines.insert(path.clone(), line_at(key.span().start));
        nested(&path, value.get_ref(), line_at, lines);
    }
}

fn nested(
    path: &str,
    value: &DeValue<'_>,
    line_at: &impl Fn(usize) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    if let DeValue::Table(table) = value {
        for (key, value) in table {
            let path = format!("{path}.{}", key.get_ref());
            lines.insert(path.clone(), line_at(key.span().start));
            nested(&path, value.get_ref(), line_at, lines);
        }
    }
}
