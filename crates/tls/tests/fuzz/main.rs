//! Whatever a stranger shows, there is a judgement or an error: certificates, lists, answers, files and
//! records that nobody would write, by the million.
//!
//! `scripts/fuzz` runs many cases of these; the ordinary tests a slice. What a case does follows from the
//! seed and its number alone. `FUZZ_CASES` says how many a target runs, `FUZZ_SEED` from which seed,
//! `FUZZ_FIRST` from which number on: a case that fails is told by both, and comes again so.
//!
//! Read in this order: [`tree`] (DER taken apart, changed and put together), [`signing`] (a signature that
//! costs nothing, and is counted), [`corpus`] (what good things there are to change), then the targets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test says what fails by panicking, and prints what it did; a watch needs a clock and a thread"
)]

mod certificates;
#[path = "../../../dns/tests/fuzz/chance.rs"]
mod chance;
mod corpus;
mod hostile_chains;
mod identity_files;
mod ocsp;
mod revocation_lists;
#[path = "../../../dns/tests/fuzz/runs.rs"]
mod runs;
mod signing;
mod tls_records;
mod tree;
#[path = "../world/mod.rs"]
mod world;

use runs::fuzz;

/// A text for people has nothing in it that a terminal would obey.
fn assert_harmless(text: &str) {
    let strange = text.chars().find(|one| one.is_control() && *one != '\n');
    assert!(strange.is_none(), "{strange:?} in {text:?}");
}
