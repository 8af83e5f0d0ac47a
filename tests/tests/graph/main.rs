//! Trained networks: the import of ONNX and the execution against an independent runtime.
#![allow(clippy::unwrap_used)]

mod builder;
mod operators;
mod recurrent;
mod refusals;
