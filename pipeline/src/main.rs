//! The binary `mho`.
fn main() {}
