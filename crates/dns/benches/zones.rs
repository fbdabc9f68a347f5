//! What an authority costs: reading a zone file, and answering from a zone of 100 000 names, before the answer is a
//! message.
//!
//! Prints `what<TAB>median<TAB>lowest<TAB>highest` lines: nanoseconds an answer, and nanoseconds a record read.
//! `--quick` for fewer repeats.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark")]

use glasstack_dns::dnssec::signer::{Denial, Nsec3Settings};
use glasstack_dns::dnssec::{SignOptions, Signer, ZoneKeys};
use glasstack_dns::server::{Asked, Zones};
use glasstack_dns::{DnsName, Question, RecordType};
use glasstack_dns::{Zone, ZoneFileOptions};
use glasstack_journal::WallTime;
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

const NAMES: u32 = 100_000;
/// Of each kind.
const QUESTIONS: u32 = 1_000;

/// The name of the question with this number.
type Name = fn(u32) -> String;

fn main() {
    let repeats = if std::env::args().any(|arg| arg == "--quick") { 3 } else { 15 };
    let text = text();
    let origin = DnsName::parse("example.test").unwrap();
    let options = ZoneFileOptions::new(&origin, "bench");
    let (zone, _) = Zone::parse(&text, &options).unwrap();
    let records = zone.records().count();
    report("read a zone file, a record", repeats.min(5), records, || {
        black_box(Zone::parse(black_box(&text), &options).unwrap());
    });
    answers("unsigned", &zone.clone().into(), false, repeats);
    let nsec3 = Denial::Nsec3(Nsec3Settings::default());
    for (what, denial) in [("NSEC", Denial::Nsec), ("NSEC3", nsec3)] {
        answers(what, &signed(zone.clone(), denial).into(), true, repeats);
    }
}

fn answers(what: &str, zones: &Zones, dnssec_ok: bool, repeats: usize) {
    let kinds: [(&str, Name, RecordType); 6] = [
        ("an address", |n| format!("host{n}.example.test"), RecordType::A),
        ("no data", |n| format!("host{n}.example.test"), RecordType::Txt),
        ("no name", |n| format!("no{n}.example.test"), RecordType::A),
        ("a referral", |n| format!("www.sub{}.example.test", n % 1000), RecordType::A),
        ("a wildcard", |n| format!("x{n}.wild.example.test"), RecordType::A),
        ("an alias", |n| format!("alias{}.example.test", n % 1000), RecordType::A),
    ];
    for (kind, name, record_type) in kinds {
        // Far from each other, so that no cache holds them all.
        let names = (0..QUESTIONS).map(|n| name(n * 7919 % NAMES));
        let asked: Vec<Asked> = names
            .map(|name| Question::new(DnsName::parse(&name).unwrap(), record_type))
            .map(|question| Asked { dnssec_ok, ..Asked::new(question) })
            .collect();
        report(&format!("{what}: {kind}"), repeats, asked.len(), || {
            asked.iter().for_each(|asked| drop(black_box(zones.reply_to(black_box(asked)))));
        });
    }
}

fn report(what: &str, repeats: usize, of: usize, mut run: impl FnMut()) {
    run();
    let mut took: Vec<f64> = (0..repeats)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64() * 1e9 / of as f64
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!("{what}\t{:.0}\t{:.0}\t{:.0}", took[took.len() / 2], took[0], took[took.len() - 1]);
}

fn text() -> String {
    let mut text =
        "$TTL 300\n@ SOA ns hostmaster 1 2h 1h 2w 60\n@ NS ns\nns A 192.0.2.53\n*.wild A 192.0.2.1\n"
            .to_owned();
    for n in 0..NAMES {
        writeln!(text, "host{n} A 10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255).unwrap();
    }
    for n in 0..1000 {
        writeln!(text, "sub{n} NS ns.sub{n}\nns.sub{n} A 192.0.2.1\nalias{n} CNAME host{n}").unwrap();
    }
    text
}

fn signed(zone: Zone, denial: Denial) -> Zone {
    let keys = ZoneKeys::single_from_seed(zone.origin(), &[7; 32]);
    let now = WallTime::from_unix_seconds(1_800_000_000);
    let options = SignOptions { denial, ..SignOptions::from(now, Duration::from_secs(86_400)) };
    Signer::new(keys, options).sign_zone(zone).unwrap()
}
