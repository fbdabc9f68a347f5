//! Whole processes, from start to end, turn by turn.

use crate::figures::{Outcome, Row, Sample, Unit};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs both once to warm up, then both in turn; what each takes is compared.
pub(crate) fn compare(repeats: usize, what: &str, ours: &[&str], other: &[&str]) -> Row {
    run(ours);
    run(other);
    let samples = (0..repeats).map(|_| Sample { ours: run(ours), other: run(other) }).collect();
    Row { what: what.to_owned(), unit: Unit::Milliseconds, samples }
}

fn run(words: &[&str]) -> f64 {
    let (program, arguments) = words.split_first().unwrap();
    let begun = Instant::now();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{said}", words.join(" "), output.status);
    Unit::Milliseconds.of(Outcome { count: 1, took })
}
