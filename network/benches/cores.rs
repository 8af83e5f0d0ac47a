//! Throughput of converters and cores.
fn main() {}
