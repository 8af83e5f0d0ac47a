//! The EKV law fitted to every sweep of a measurement.
//!
//! [`fit_all`] takes the table of an I_D(V_G) measurement apart into sweeps and fits each one
//! ([`fit_sweep`]); [`IdVgFit`] puts the results, and the curves with their residuals, into tables,
//! keeps what was refused with the reason, and pools the pristine sweeps into one transistor.

mod family;
mod pooled;
mod sweep;

pub use family::{IdVgFit, SweepRecord, fit_all, fit_measurement};
pub use sweep::{PointUse, Sweep, SweepError, SweepFit, SweepOptions, fit_sweep};

#[cfg(test)]
mod tests;
