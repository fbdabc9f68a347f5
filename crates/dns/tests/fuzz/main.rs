//! Whatever comes in, there is an answer or an error: bytes that nobody would write, by the million.
//!
//! `scripts/fuzz` runs many cases of these; the ordinary tests a slice. What a case does follows from the
//! seed and its number alone. `FUZZ_CASES` says how many a target runs, `FUZZ_SEED` from which seed,
//! `FUZZ_FIRST` from which number on: a case that fails is told by both, and comes again so. `FUZZ_TELL=1`
//! prints what the resolver hears.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test says what fails by panicking, and prints what it did; a watch needs a clock and a thread"
)]

mod chance;
#[path = "../dnssec/mod.rs"]
mod dnssec;
mod messages;
mod resolver;
mod runs;
mod signed_answers;
mod zone_files;

use runs::fuzz;
