//! What is wrong with an input, in words that say where, what was found and what was expected.

use std::fmt;

/// Bad input: the file, the place in it, what stands there and what should. Commands that meet one
/// exit with code 3 and write nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// File name as the user gave it.
    pub file: String,
    /// Line, counted from 1.
    pub line: Option<usize>,
    /// Column by its name.
    pub column: Option<String>,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl InputError {
    /// An error about the file as a whole.
    pub fn new(file: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, column: None, found: found.into(), expected: expected.into() }
    }

    /// The same error at a line (counted from 1).
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// The same error in a named column.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": found {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for InputError {}
