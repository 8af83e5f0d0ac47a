//! Synthetic measurements, labelled as such.

/// I_D(V_G) sweeps as CSV text, from a seed.
#[must_use]
pub fn idvg_csv(seed: u64) -> String {
    let _ = seed;
    String::new()
}

/// State currents against dose and time as CSV text, from a seed.
#[must_use]
pub fn state_currents_csv(seed: u64) -> String {
    let _ = seed;
    String::new()
}
