//! Drain current of a transistor at any bias of its four terminals, from its channel charge.
//!
//! - [`charge`]: the mobile charge at one end of the channel.
//! - [`law`]: the current, with body effect, velocity saturation, mobility reduction, DIBL,
//!   channel-length modulation, series resistances and a leakage floor.
//! - [`info`]: its parameters.
//! - [`readings`]: sweeps with the voltages of all terminals.
//! - [`extraction`]: thresholds, swing and transconductance without the law.
//! - [`gradient`]: the current with its derivatives.
//! - [`fitting`]: from I_D(V_G) and I_D(V_D) at any biases to the parameters, by extraction and least squares.

pub mod charge;
mod circuit;
mod disturbance;
pub mod extraction;
pub mod fitting;
mod freedom;
pub mod gradient;
pub mod info;
pub mod law;
mod priors;
pub mod readings;
mod selection;
mod start;

pub use info::INFO;
pub use law::{Terminals, Transistor};

use crate::model::{Entry, Simulation};
use mho_data::measurement::Kind;

/// The law as commands find it.
pub const ENTRIES: &[Entry] = &[Entry {
    info: &INFO,
    kinds: &[Kind::IdVg],
    fitting: Some(fitting::regression),
    simulation: Simulation::new(&["temperature_k", "vb_v", "vd_v", "vg_v"], &["id_a"], |card| {
        let values = card.values(&INFO);
        Box::new(move |at| {
            let terminals = Terminals { gate_v: at[3], drain_v: at[2], source_v: 0.0, body_v: at[1] };
            vec![Transistor::from_values(&values, at[0]).current_a(terminals)]
        })
    }),
    circuit: Some(circuit::circuit),
}];

#[cfg(test)]
mod coverage_tests;
#[cfg(test)]
mod hard_tests;
