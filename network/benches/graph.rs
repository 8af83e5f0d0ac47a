//! Images per second.
fn main() {}
