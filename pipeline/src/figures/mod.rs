//! Figures: a plot kit, and one function a figure.
//!
//! A figure is made of tables with declared columns and nothing else, so that what is drawn can be read
//! beside it. To add one: write a function from tables to [`kit::Figure`] in a file here, and name it in
//! the stage `figures`.

pub mod axis;
pub mod device;
pub mod kit;
pub mod network;
pub mod targets;

use mho_data::table::{Table, TableError};

/// Distinct values of a text column in their order.
pub(crate) fn distinct(values: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in values {
        if !found.contains(value) {
            found.push(value.clone());
        }
    }
    found
}

/// Distinct numbers, ascending.
pub(crate) fn levels(values: &[f64]) -> Vec<f64> {
    let mut found = values.to_vec();
    found.sort_by(f64::total_cmp);
    found.dedup();
    found
}

/// The values of a column in the rows for which `keep` holds.
pub(crate) fn pick(
    table: &Table,
    column: &str,
    keep: impl Fn(usize) -> bool,
) -> Result<Vec<f64>, TableError> {
    let values = table.floats(column)?;
    Ok((0..table.len()).filter(|&row| keep(row)).map(|row| values[row]).collect())
}
