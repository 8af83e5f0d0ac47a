//! Tunnelling of carriers through barriers.

pub mod injection;
