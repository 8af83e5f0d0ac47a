//! Trained networks: the import of ONNX and the execution against an independent runtime.
#![allow(clippy::unwrap_used, clippy::panic, clippy::type_complexity)]

mod builder;
mod files;
mod networks;
mod operators;
mod products;
mod recurrent;
mod refusals;
mod trained;
