//! Whole processes, from start to end, turn by turn.

use crate::figures::{Outcome, Row, Sample, Unit};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs both once to warm up, then both in turn; what each takes is compared.
pub(crate) fn compare(repeats: usize, what: &str, ours: &[&str], other: &[&str]) -> Row {
    run(ours);
    run(other);
    let samples = (0..repeats).map(|_| Sample { ours: run(ours), other: run(other) }).collect();
    Row { what: what.to_owned(), unit: Unit::Milliseconds, samples }
}

/// Runs both once to warm up, then both in turn; the rates that they print are compared. Each is a `dnsperf` or an
/// `openssl s_time`, towards our server or towards another.
pub(crate) fn compare_rates(repeats: usize, what: &str, ours: &[&str], other: &[&str]) -> Row {
    rate(ours);
    rate(other);
    let samples = (0..repeats).map(|_| Sample { ours: rate(ours), other: rate(other) }).collect();
    Row { what: what.to_owned(), unit: Unit::PerSecond, samples }
}

fn run(words: &[&str]) -> f64 {
    let (took, _) = output_of(words);
    Unit::Milliseconds.of(Outcome { count: 1, took })
}

fn rate(words: &[&str]) -> f64 {
    let (took, printed) = output_of(words);
    if words.contains(&"s_time") { handshakes(words, took, &printed) } else { questions(&printed) }
}

/// What `openssl s_time` counted, in the time that it took, since it tells whole seconds only. It prints a mark
/// for each handshake, `r` for a resumed one: they have to be what was asked for.
fn handshakes(words: &[&str], took: Duration, printed: &str) -> f64 {
    let counted = printed.lines().find_map(|line| line.split_once(" connections in ")?.0.parse().ok());
    let count: u64 = counted.unwrap_or_else(|| panic!("no number of connections:\n{printed}"));
    let mark = if words.contains(&"-reuse") { 'r' } else { '*' };
    let marked = printed.lines().map(|line| line.matches(mark).count() as u64).max().unwrap_or(0);
    assert!(
        count > 0 && marked * 100 >= count * 99,
        "{marked} of {count} handshakes are `{mark}`:\n{printed}"
    );
    Unit::PerSecond.of(Outcome { count, took })
}

/// What dnsperf says; a server that loses more than one question in a hundred has no rate.
fn questions(printed: &str) -> f64 {
    let figure = |label: &str| -> f64 {
        let line = printed.lines().find_map(|line| line.trim().strip_prefix(label));
        let value = line.and_then(|rest| rest.split_whitespace().next()).and_then(|word| word.parse().ok());
        value.unwrap_or_else(|| panic!("`{label}` is not in what dnsperf printed:\n{printed}"))
    };
    let (sent, lost) = (figure("Queries sent:"), figure("Queries lost:"));
    assert!(lost * 100.0 <= sent, "{lost} of {sent} questions were lost:\n{printed}");
    figure("Queries per second:")
}

fn output_of(words: &[&str]) -> (Duration, String) {
    let (program, arguments) = words.split_first().unwrap();
    let begun = Instant::now();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{said}", words.join(" "), output.status);
    (took, String::from_utf8_lossy(&output.stdout).into_owned())
}
