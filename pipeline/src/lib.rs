//! Studies, stage graph, artifact store, figures, reports; the binary mho.

pub mod analysis;
pub mod engine;
pub mod key;
pub mod stage;
pub mod stages;
pub mod store;
pub mod studies;
pub mod study;
