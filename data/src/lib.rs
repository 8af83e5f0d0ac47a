//! Measured tables, instrument readers, data sets and published reference values of mho.

pub mod dataset;
pub mod error;
pub mod measurement;
pub mod memory;
pub mod npy;
pub mod provenance;
pub mod published;
pub mod random;
pub mod reader;
pub mod shared;
pub mod survey;
pub mod table;

pub use error::InputError;
pub use table::Table;
