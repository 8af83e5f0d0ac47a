//! Drain current of a transistor at any bias of its four terminals, from its channel charge.
//!
//! - [`charge`]: the mobile charge at one end of the channel.
//! - [`law`]: the current, with body effect, velocity saturation, mobility reduction, DIBL,
//!   channel-length modulation and series resistance.
//!
//! [`crate::ekv`] is the plainer law that cards carry; this one is not yet fitted by `mho fit`.

pub mod charge;
pub mod law;

pub use law::{Terminals, Transistor};
