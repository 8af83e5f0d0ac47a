//! EKV all-region drain current.
use crate::model::ModelInfo;

/// Metadata.
pub const INFO: ModelInfo = ModelInfo {
    name: "ekv",
    version: 1,
    title: "Drain current of the cell transistor, weak to strong inversion",
    law: "",
    parameters: &[],
    validity: "",
    references: &[],
};
