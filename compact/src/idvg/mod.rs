//! The EKV law fitted to every sweep of a measurement.

mod sweep;

pub use sweep::{PointUse, Sweep, SweepError, SweepFit, SweepOptions, fit_sweep};

#[cfg(test)]
mod tests;
