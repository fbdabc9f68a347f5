//! What the cache costs: lookups of names that are known, of names below one that does not exist, of names of which
//! nothing is known, and learning into a full cache.
//!
//! Prints `what<TAB>median<TAB>lowest<TAB>highest` lines, in million a second; then how much memory an answer takes
//! as the cache counts it, and as the operating system does. `--quick` for fewer repeats.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark")]

use glasstack_dns::cache::{Cache, CacheConfig, Found, Negative, Rank, RrSet};
use glasstack_dns::dnssec::Security;
use glasstack_dns::record::Soa;
use glasstack_dns::{DnsName, Record, RecordData, RecordType};
use std::time::Instant;

type Moment = glasstack_journal::Instant;

const NAMES: u32 = 100_000;

fn main() {
    let repeats = if std::env::args().any(|arg| arg == "--quick") { 3 } else { 9 };
    let names: Vec<DnsName> = (0..NAMES).map(|n| name(&format!("host{n}.site{}.test", n % 1000))).collect();
    let sets: Vec<RrSet> = names.iter().map(set).collect();
    let before = resident();
    let mut cache = Cache::new(CacheConfig { max_bytes: usize::MAX, ..CacheConfig::default() });
    for set in &sets {
        cache.put(set, Rank::AnswerAuthoritative, Moment::ZERO);
    }
    let (counted, taken) = (cache.bytes(), resident() - before);
    let denied = name("no.test");
    cache.put_negative(&denied, RecordType::A, Negative::NoName, &[soa()], Security::Insecure, Moment::ZERO);
    let below: Vec<DnsName> = (0..NAMES).map(|n| name(&format!("a{n}.b.no.test"))).collect();
    let unknown: Vec<DnsName> =
        (0..NAMES).map(|n| name(&format!("other{n}.site{}.test", n % 1000))).collect();

    for (what, names, known) in
        [("known", &names, true), ("below a denied name", &below, true), ("unknown", &unknown, false)]
    {
        report(what, repeats, || {
            for name in shuffled(names) {
                assert_eq!(answer(&mut cache, name), known);
            }
        });
    }
    let mut small = Cache::new(CacheConfig { max_bytes: counted / 4, ..CacheConfig::default() });
    report("learnt, one going for each that comes", repeats, || {
        for set in &sets {
            small.put(set, Rank::AnswerAuthoritative, Moment::ZERO);
        }
    });
    println!("bytes an answer as counted\t{}", counted / NAMES as usize);
    println!("bytes an answer as taken\t{}", taken / NAMES as usize);
}

/// As a server does it: the records with their TTLs, ready to be sent.
fn answer(cache: &mut Cache, name: &DnsName) -> bool {
    match cache.lookup(name, RecordType::A, Moment::ZERO) {
        Some(Found::Records(known)) => known.records().len() == 1,
        Some(Found::Nothing(nothing)) => nothing.soa().is_some(),
        _ => false,
    }
}

/// Each once, far from the one before.
fn shuffled(names: &[DnsName]) -> impl Iterator<Item = &DnsName> {
    let step = 61_803;
    (0..names.len()).map(move |n| &names[n * step % names.len()])
}

fn report(what: &str, repeats: usize, mut run: impl FnMut()) {
    let mut rates: Vec<f64> = (0..repeats)
        .map(|_| {
            let begun = Instant::now();
            run();
            f64::from(NAMES) / 1e6 / begun.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    println!("{what}\t{:.2}\t{:.2}\t{:.2}", rates[repeats / 2], rates[0], rates[repeats - 1]);
}

/// The memory that this process has, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn set(owner: &DnsName) -> RrSet {
    let record = Record { owner: owner.clone(), ttl: 300, data: RecordData::A([192, 0, 2, 1].into()) };
    RrSet::new(owner.clone(), RecordType::A, vec![record])
}

fn soa() -> Record {
    let host = name("ns.test");
    let soa = Soa {
        primary: host.clone(),
        mailbox: host,
        serial: 1,
        refresh: 1,
        retry: 1,
        expire: 1,
        minimum: 300,
    };
    Record { owner: name("test"), ttl: 300, data: RecordData::Soa(soa) }
}
