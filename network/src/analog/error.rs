//! Why a graph cannot be put on arrays.

use crate::array::ConfigError;
use crate::core::CoreError;
use crate::effects::Effects;
use crate::graph::RunError;
use crate::wires::WireError;

/// Why a graph cannot be put on arrays, or an array cannot be programmed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AnalogError {
    /// The configuration makes no sense.
    #[error("array: {0}")]
    Array(#[from] ConfigError),
    /// The table has no answer.
    #[error("device table: {0}")]
    Table(#[from] mho_lut::TableError),
    /// The table does not reach the largest current of the array.
    #[error("cell.current_max_na is {asked} nA, the table ends at {available} nA")]
    CurrentRange {
        /// Current of the largest weight (nA).
        asked: f64,
        /// Largest current of the table (nA).
        available: f64,
    },
    /// A device effect without a table.
    #[error("effects {0} need a device table")]
    NoTable(Effects),
    /// Effects that a history cannot tell apart.
    #[error("effects {0}: a history knows programming, drift, dose-mean and dose-random together, on or off")]
    Together(Effects),
    /// A point that a history does not report.
    #[error("the history reports {known}, not {time_s} s and {dose_krad_si} krad(Si)")]
    NoReport {
        /// Time asked for (s).
        time_s: f64,
        /// Dose asked for (krad(Si)).
        dose_krad_si: f64,
        /// What is reported, in words.
        known: String,
    },
    /// A temperature that the table does not have.
    #[error("effects.temperature_k is {0} K; a table over time and dose is of 300 K")]
    Temperature(f64),
    /// A transpose of gated arrays.
    #[error(
        "array.topology is \"gated\": inputs open the cells of a row, and nothing drives its columns; products with the transpose need \"input-source\""
    )]
    GatedTranspose,
    /// A transpose of curved cells behind wires.
    #[error(
        "cells of the table are curved, and behind wires their currents are solved for from the rows; products with the transpose need ideal wires, or a table of one voltage"
    )]
    CurvedTranspose,
    /// Noise of the transposed direction behind wires.
    #[error(
        "read noise behind wires is known for products with the matrix, not with its transpose; expected --effects without read-noise or without wires"
    )]
    NoisyTranspose,
    /// No layer of this name.
    #[error("mapping.digital_layers: found \"{found}\", expected \"first\", \"last\" or one of {known}")]
    NoLayer {
        /// The name.
        found: String,
        /// Names of the layers.
        known: String,
    },
    /// A graph that cannot be rearranged.
    #[error("graph: {0}")]
    Graph(#[from] crate::graph::GraphError),
    /// A bias that needs more rows than an array has.
    #[error(
        "layer `{layer}`: mapping.bias is \"array\", and the largest bias is that of {needed} full weights at full \
         input; expected at most {limit}, the rows of an array (or mapping.bias = \"digital\")"
    )]
    BiasRows {
        /// Its name.
        layer: String,
        /// Rows that the bias needs.
        needed: f64,
        /// Rows that there are.
        limit: usize,
    },
    /// Nothing to calibrate with.
    #[error("no inputs to calibrate the converters with")]
    NoCalibration,
    /// The inputs for calibration do not fit the graph.
    #[error("inputs for calibration: {0}")]
    Run(#[from] RunError),
    /// A layer that cannot be a core.
    #[error("layer `{layer}`: {error}")]
    Core {
        /// Its name.
        layer: String,
        /// Why.
        error: CoreError,
    },
    /// Wires that cannot be solved.
    #[error("layer `{layer}`: wires: {error}")]
    Wires {
        /// Its name.
        layer: String,
        /// Why.
        error: WireError,
    },
}
