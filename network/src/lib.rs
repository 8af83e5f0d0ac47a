//! Networks on simulated arrays: training, mapping, converters, device effects, evaluation.
pub mod array;
mod backward;
mod calibrate;
mod cells;
pub mod convert;
pub mod effects;
pub mod evaluate;
pub mod file;
mod forward;
pub mod mapping;
pub mod model;
mod normals;
mod product;
mod program;
pub mod score;
pub mod spec;
pub mod train;
pub mod window;
