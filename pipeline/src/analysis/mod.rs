//! What is read off evaluations: medians with bands, and the dose at which accuracy is lost.

pub mod band;
pub mod loss;
