//! Update tables as CrossSim keeps them: text, one file for each direction. Row 1 is a title, row 2 the
//! conductances, row 3 the probabilities, and then follows one row of steps for each probability; all
//! separated by commas. The unit is not in the file.

use super::Steps;
use crate::table::TableError;
use flate2::read::GzDecoder;
use mho_data::InputError;
use std::fmt::Write as _;
use std::io::Read;

/// Text may be this long: forty times the largest table that is known to be around.
const MOST_BYTES: u64 = 200_000_000;
const TITLE: &str =
    "1st Row = Gbins, 2nd Row = CDF Points, 3rd row onward = dG matrix (rows = CDF, columns = Gbins)";

impl Steps {
    /// Reads such a text, also compressed by gzip.
    ///
    /// # Errors
    /// With the line, when the text is none.
    pub fn from_text(bytes: &[u8], file: &str) -> Result<Self, TableError> {
        let wrong = |found: String, expected: &str| InputError::new(file, found, expected);
        let text = if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut text = String::new();
            GzDecoder::new(bytes)
                .take(MOST_BYTES)
                .read_to_string(&mut text)
                .map_err(|error| wrong(error.to_string(), "text compressed by gzip"))?;
            text
        } else {
            String::from_utf8(bytes.to_vec()).map_err(|error| wrong(error.to_string(), "text"))?
        };
        if text.len() as u64 >= MOST_BYTES {
            return Err(wrong("a text of more than 200 MB".into(), "an update table").into());
        }
        let mut rows = Vec::new();
        for (line, row) in (1..).zip(text.lines()).skip(1).filter(|(_, row)| !row.trim().is_empty()) {
            let numbers: Result<Vec<f64>, InputError> = row
                .trim()
                .trim_end_matches(',')
                .split(',')
                .map(|word| {
                    let number = word.trim().parse::<f64>().ok().filter(|number| number.is_finite());
                    number.ok_or_else(|| wrong(format!("`{}`", word.trim()), "a number").at_line(line))
                })
                .collect();
            rows.push((line, numbers?));
        }
        let mut rows = rows.into_iter();
        let mut next = |what: &str| {
            rows.next().map(|(_, row)| row).ok_or_else(|| wrong("the end of the text".into(), what))
        };
        let conductance = next("conductances in row 2")?;
        let probability = next("probabilities in row 3")?;
        let (mut step, mut count) = (Vec::new(), 0);
        for (line, row) in rows {
            if row.len() != conductance.len() {
                let expected = format!("{} (one for each conductance)", conductance.len());
                return Err(wrong(format!("{} steps", row.len()), &expected).at_line(line).into());
            }
            step.extend(row);
            count += 1;
        }
        if count != probability.len() {
            let expected = format!("{} (one for each probability)", probability.len());
            return Err(wrong(format!("{count} rows of steps"), &expected).into());
        }
        Self::new(conductance, probability, step)
            .map_err(|found| wrong(found, "an update table: conductances, probabilities, steps").into())
    }

    /// The text that gives the same numbers back, and that CrossSim reads.
    pub fn to_text(&self) -> String {
        let mut text = format!("{TITLE}\n");
        let rows = [self.conductance(), self.probability()].into_iter();
        for row in rows.chain(self.step().chunks(self.conductance().len())) {
            for (column, number) in row.iter().enumerate() {
                // Writing to a String cannot fail; the shortest digits that give the number back.
                let _ = write!(text, "{}{number:e}", if column > 0 { "," } else { "" });
            }
            text.push('\n');
        }
        text
    }
}
