//! Semiconductors in one dimension: electrostatics, transport, capacitance, transients.
