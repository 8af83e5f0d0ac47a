//! Studies, stage graph, artifact store, figures, reports; the binary mho.

pub mod analysis;
pub mod cli;
pub mod energy;
pub mod engine;
pub mod figures;
pub mod key;
pub mod lock;
pub mod report;
pub mod stage;
pub mod stages;
pub mod store;
pub mod studies;
pub mod study;
