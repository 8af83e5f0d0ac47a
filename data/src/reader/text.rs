//! Bytes to lines to cells.

use super::OVERFLOW;
use crate::error::InputError;

pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

/// UTF-8, or Latin-1 with a note; anything else is refused by name.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<Decoded, InputError> {
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(InputError::new(name, "an empty file", "a table with a header and rows"));
    }
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if utf16 || bytes.iter().take(2000).filter(|byte| **byte == 0).count() * 4 > bytes.len().min(2000) {
        return Err(InputError::new(name, "UTF-16 text", "UTF-8 (save the file as CSV UTF-8)").at_line(1));
    }
    if let Some(position) = bytes.iter().position(|byte| *byte == 0) {
        let line = bytes[..position].iter().filter(|byte| **byte == b'\n').count() + 1;
        return Err(InputError::new(name, "a zero byte", "a text file").at_line(line));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Decoded { text: text.to_owned(), notes: vec![] }),
        Err(_) => Ok(Decoded {
            text: bytes.iter().map(|byte| char::from(*byte)).collect(),
            notes: vec![format!("{name}: not UTF-8, read as Latin-1")],
        }),
    }
}

/// The character between cells: the one that the header has most of; spaces where it has none.
pub(super) fn delimiter(header: &str) -> char {
    let count = |c: char| header.matches(c).count();
    if [';', '\t', ','].into_iter().all(|c| count(c) == 0) && header.trim().contains(' ') {
        return ' ';
    }
    [';', '\t', ','].into_iter().max_by_key(|c| (count(*c), *c == ',')).unwrap_or(',')
}

/// Cells between runs of spaces; a unit in brackets belongs to the name before it.
fn split_at_spaces(line: &str) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        match cells.last_mut() {
            Some(last) if word.starts_with(['(', '[']) => *last = format!("{last} {word}"),
            _ => cells.push(word.to_owned()),
        }
    }
    cells
}

/// Cells of a line; double quotes keep delimiters.
pub(super) fn split(line: &str, delimiter: char) -> Vec<String> {
    if delimiter == ' ' {
        return split_at_spaces(line);
    }
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c == delimiter && !quoted => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            c => cell.push(c),
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

/// A number, with a decimal comma where asked; infinities and NaN are none.
pub(super) fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    let cell = cell.trim();
    let cell = if decimal_comma { cell.replace(',', ".") } else { cell.to_owned() };
    cell.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Whether some cells are numbers with a comma and none with a point.
pub(super) fn has_decimal_commas<'a>(lines: impl Iterator<Item = &'a str>, delimiter: char) -> bool {
    let mut commas = false;
    for line in lines.take(200) {
        for cell in split(line, delimiter) {
            // Overflow readings come with a point in any language.
            if cell.contains('.') && number(&cell, false).is_some_and(|value| value.abs() < OVERFLOW) {
                return false;
            }
            commas |= cell.contains(',') && number(&cell, true).is_some();
        }
    }
    commas
}

/// Whether an instrument's flag says yes.
pub(super) fn is_yes(cell: &str) -> bool {
    ["c", "y", "yes", "true", "compliance", "limit"].contains(&cell.to_ascii_lowercase().as_str())
}
