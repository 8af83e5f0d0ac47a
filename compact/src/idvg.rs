//! The EKV law fitted to every sweep of a measurement.
