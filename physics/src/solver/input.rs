//! Reading of solver inputs: every complaint names file, line, what was found and what was expected.

use mho_data::InputError;
use serde::de::DeserializeOwned;
use std::ops::RangeInclusive;
use toml::de::{DeTable, DeValue};

/// An input document with its name.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The TOML text.
    pub text: &'a str,
    /// Its name, for messages.
    pub file: &'a str,
}

/// One step from a document to a value in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A key of a table.
    Key(&'a str),
    /// An element of an array, from 0.
    Index(usize),
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl Document<'_> {
    /// The document as a `T` (which should deny unknown fields).
    ///
    /// # Errors
    /// [`InputError`] with the line when it is no TOML or does not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, InputError> {
        toml::from_str(self.text).map_err(|error| {
            let message = error.message();
            let (found, expected) = match message.split_once(", expected ") {
                Some((found, expected)) => (found.to_owned(), expected.to_owned()),
                None => (message.to_owned(), "the keys that the solver's example shows".to_owned()),
            };
            let wrong = InputError::new(self.file, found, expected);
            match error.span() {
                Some(span) => wrong.at_line(self.line_at(span.start)),
                None => wrong,
            }
        })
    }

    fn line_at(&self, offset: usize) -> usize {
        self.text[..offset.min(self.text.len())].matches('\n').count() + 1
    }

    /// The line of a value, or of the innermost table on the way to it.
    #[must_use]
    pub fn line_of(&self, path: &[Step<'_>]) -> Option<usize> {
        let table = DeTable::parse(self.text).ok()?;
        let mut span = table.span();
        let mut value = DeValue::Table(table.into_inner());
        for step in path {
            let next = match (step, &value) {
                (Step::Key(key), DeValue::Table(table)) => table.get(*key).cloned(),
                (Step::Index(index), DeValue::Array(items)) => items.get(*index).cloned(),
                _ => None,
            };
            let Some(next) = next else { break };
            span = next.span();
            value = next.into_inner();
        }
        Some(self.line_at(span.start))
    }

    /// A complaint about the value at `path`.
    #[must_use]
    pub fn refuse(
        &self,
        path: &[Step<'_>],
        found: impl std::fmt::Display,
        expected: impl Into<String>,
    ) -> InputError {
        let key = path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        });
        let found = key.map_or_else(|| found.to_string(), |key| format!("{key} = {found}"));
        let wrong = InputError::new(self.file, found, expected);
        match self.line_of(path) {
            Some(line) => wrong.at_line(line),
            None => wrong,
        }
    }

    /// The value when it lies in a range.
    ///
    /// # Errors
    /// A complaint when it does not, or is not a number.
    pub fn within(
        &self,
        path: &[Step<'_>],
        value: f64,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Result<f64, InputError> {
        if range.contains(&value) {
            return Ok(value);
        }
        let (low, high) = (range.start(), range.end());
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        Err(self.refuse(path, format!("{value:?}"), format!("a value from {low:?} to {high:?}{unit}")))
    }

    /// The points of a sweep from `start` to `stop`, both included when the step leads there.
    ///
    /// # Errors
    /// A complaint about the table at `path` when the step leads nowhere or makes more than 100,000 points.
    pub fn sweep(&self, path: &[Step<'_>], start: f64, stop: f64, step: f64) -> Result<Vec<f64>, InputError> {
        let count = if start == stop { 0.0 } else { ((stop - start) / step + 1e-9).floor() };
        if !((0.0..100_000.0).contains(&count) && step.is_finite()) {
            return Err(self.refuse(
                path,
                format!("a step of {step:?} from {start:?} to {stop:?}"),
                "a step that leads from start to stop in at most 100000 points",
            ));
        }
        // Rounded to a millionth of the step: 0.15, not 0.15000000000000002.
        let tidy = |value: f64| format!("{value:.12e}").parse().unwrap_or(value);
        let unit = 1e-6 * step.abs();
        let point = |index: usize| {
            let raw = start + step * index as f64;
            if unit > 0.0 { tidy((raw / unit).round() * unit) } else { raw }
        };
        Ok((0..=count as usize).map(point).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[b]\nc = 2\n[[layer]]\nt = 1\n[[layer]]\nt = -4\n";

    #[test]
    fn places_are_found() {
        let document = Document { text: TEXT, file: "x.toml" };
        assert_eq!(document.line_of(&["b".into(), "c".into()]), Some(3));
        let error =
            document.within(&["layer".into(), 1.into(), "t".into()], -4.0, 0.0..=9.0, "nm").unwrap_err();
        assert_eq!(error.to_string(), "x.toml:7: found t = -4.0, expected a value from 0.0 to 9.0 nm");
    }

    #[test]
    fn sweeps_end_where_they_say() {
        let document = Document { text: "", file: "x" };
        let points = document.sweep(&[], -3.0, 3.0, 0.05).unwrap();
        assert_eq!((points.len(), points[0], points[63], points[120]), (121, -3.0, 0.15, 3.0));
        assert!(document.sweep(&[], 0.0, 1.0, -0.1).is_err());
        assert!(document.sweep(&[], 0.0, 1.0, 0.0).is_err());
        assert!(document.sweep(&[], 0.0, f64::NAN, 0.1).is_err());
        assert!(document.sweep(&[], 0.0, 1.0, f64::INFINITY).is_err());
        assert_eq!(document.sweep(&[], 0.3, 0.3, 0.1).unwrap(), [0.3]);
    }
}
