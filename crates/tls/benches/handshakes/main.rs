//! What this crate costs beside rustls alone: handshakes of both ends on one core and over memory, as
//! rustls' own benchmark (`rustls-bench`) measures them, by the same provider, certificates and versions;
//! a certificate judged; records; and what it costs to be watched.
//!
//! Prints rows of a Markdown table: ours, the other's, and the ratio, taken pair by pair. `--quick` for
//! fewer repeats; with other words, only rows with one of them in their names.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a benchmark")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(dead_code, reason = "the rows are made by what other benchmarks share")]

#[path = "../../../uplink/benches/wire/figures.rs"]
mod figures;
mod pki;
mod plain;
mod wrapped;

use figures::{Outcome, Row, Sample, Unit};
use pki::Pki;
use std::time::Instant;

/// One kind of handshake.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) tls13: bool,
    pub(crate) resumed: bool,
    pub(crate) mutual: bool,
    pub(crate) watched: bool,
}

const FULL: Kind = Kind { tls13: true, resumed: false, mutual: false, watched: false };

const HANDSHAKES: [(Kind, &str); 5] = [
    (FULL, "handshakes, TLS 1.3"),
    (Kind { mutual: true, ..FULL }, "handshakes, TLS 1.3, client certificate"),
    (Kind { resumed: true, ..FULL }, "handshakes, TLS 1.3, resumed"),
    (Kind { tls13: false, ..FULL }, "handshakes, TLS 1.2"),
    (Kind { tls13: false, resumed: true, ..FULL }, "handshakes, TLS 1.2, resumed"),
];

/// How long one sample takes, about.
const SAMPLE_SECONDS: f64 = 0.25;
const BULK: usize = 32 << 20;

fn main() {
    let repeats = if std::env::args().any(|arg| arg == "--quick") { 3 } else { 15 };
    let pki = Pki::new();
    for (kind, what) in HANDSHAKES {
        let (ours, other) = (wrapped::Ends::new(&pki, kind), plain::Ends::new(&pki, kind));
        compare(repeats, what, Unit::PerSecond, &mut || ours.shake(), &mut || other.shake());
    }
    let (verifier, webpki) = (wrapped::judge(&pki), plain::judge(&pki));
    compare(repeats, "a server's certificate judged", Unit::Microseconds, &mut || verifier(), &mut || {
        webpki()
    });
    bulk(repeats, &pki);
    for (kind, what) in [HANDSHAKES[0], HANDSHAKES[2]] {
        let watched = wrapped::Ends::new(&pki, Kind { watched: true, ..kind });
        let unwatched = wrapped::Ends::new(&pki, kind);
        let what = format!("{what}, watched, beside the same unwatched");
        compare(repeats, &what, Unit::PerSecond, &mut || watched.shake(), &mut || unwatched.shake());
    }
}

/// Both in turn, each as often as fills the time of a sample.
fn compare(repeats: usize, what: &str, unit: Unit, ours: &mut dyn FnMut(), other: &mut dyn FnMut()) {
    if !is_wanted(what) {
        return;
    }
    let times = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        for _ in 0..20 {
            work();
        }
        ((20.0 * SAMPLE_SECONDS / begun.elapsed().as_secs_f64()) as u64).max(20)
    };
    let count = times(ours).min(times(other));
    let sample = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        for _ in 0..count {
            work();
        }
        unit.of(Outcome { count, took: begun.elapsed() })
    };
    let samples = (0..repeats).map(|_| Sample { ours: sample(ours), other: sample(other) }).collect();
    println!("{}", Row { what: what.to_owned(), unit, samples });
}

fn is_wanted(what: &str) -> bool {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
    words.peek().is_none() || words.any(|word| what.contains(&word))
}

fn bulk(repeats: usize, pki: &Pki) {
    let what = "one stream of records, both ends".to_owned();
    if !is_wanted(&what) {
        return;
    }
    let sample =
        |begun: Instant| Unit::GigabitsPerSecond.of(Outcome { count: BULK as u64, took: begun.elapsed() });
    let (mut ours, mut other) = (wrapped::Open::new(pki), plain::Open::new(pki));
    let samples = (0..repeats).map(|_| {
        let begun = Instant::now();
        ours.transfer(BULK);
        let ours = sample(begun);
        let begun = Instant::now();
        other.transfer(BULK);
        Sample { ours, other: sample(begun) }
    });
    println!("{}", Row { what, unit: Unit::GigabitsPerSecond, samples: samples.collect() });
}
