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
    reason = "a test says what fails by panicking, and prints what it did"
)]

mod chance;
mod messages;
mod resolver;
mod zone_files;

use chance::Chance;

/// Runs `case` with a chance of its own as often as is wished, and prints what came of it.
fn fuzz<T: Default + std::fmt::Debug>(target: &str, slice: u64, mut case: impl FnMut(&mut Chance, &mut T)) {
    let number = |variable: &str, usual: u64| match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text}: a number is needed")),
        Err(_) => usual,
    };
    let (cases, seed) = (number("FUZZ_CASES", slice), number("FUZZ_SEED", 1));
    let first = number("FUZZ_FIRST", 0);
    let mut tally = T::default();
    for number in first..first + cases {
        let told = OnFailure { target, seed, number };
        case(&mut Chance::of(seed, number), &mut tally);
        drop(told);
    }
    eprintln!("{target}: {cases} cases from seed {seed}: {tally:?}");
}

/// Says which case it was.
struct OnFailure<'a> {
    target: &'a str,
    seed: u64,
    number: u64,
}

impl Drop for OnFailure<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { target, seed, number } = self;
            eprintln!("this was {target}: FUZZ_SEED={seed} FUZZ_FIRST={number} FUZZ_CASES=1");
        }
    }
}
