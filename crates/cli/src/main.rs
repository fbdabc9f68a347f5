//! The `glasstack` program.
fn main() {}
