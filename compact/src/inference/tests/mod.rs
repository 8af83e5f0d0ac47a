//! Tests of all laws together.

mod golden;
mod laws;
mod recovery;
