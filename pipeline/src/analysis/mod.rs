//! What evaluations start from, and what is read off them: data sets, medians with bands, the dose at
//! which accuracy is lost.

pub mod band;
pub mod loss;
pub mod sets;
