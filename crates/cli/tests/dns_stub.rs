//! `glasstack resolve --dns IP` and dig, each at real resolvers: the same records, the same outcome.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dns;
mod support;

use dns::plan::UNBOUND;
use dns::{dig, with_the_tree};
use support::Network;

/// One of each type and outcome.
const ASKED: [&str; 40] = [
    "www.plain.test A",
    "www.plain.test AAAA",
    "WwW.Plain.Test A",
    "plain.test MX",
    "plain.test TXT",
    "plain.test SOA",
    "plain.test NS",
    "longer.plain.test A",
    "alias.plain.test CNAME",
    "secure.plain.test A",
    "x.wild.plain.test MX",
    "x.tree.plain.test A",
    "tree.plain.test DNAME",
    "x.deep.plain.test A",
    "big.plain.test TXT",
    "many.plain.test A",
    "_sip._udp.plain.test SRV",
    "naptr.plain.test NAPTR",
    "svc.plain.test HTTPS",
    "host.plain.test HINFO",
    "rp.plain.test RP",
    "ssh.plain.test SSHFP",
    "loc.plain.test LOC",
    "odd.plain.test TYPE65280",
    "under_score.plain.test A",
    "_443._tcp.www.rsa.test TLSA",
    "rsa.test CAA",
    "rsa.test DS",
    "rsa.test DNSKEY",
    "ed25519.test DNSKEY",
    "test NSEC3PARAM",
    "www.rsa.test NSEC",
    "4.0.41.198.in-addr.arpa PTR",
    "nobody.plain.test A",
    "www.plain.test MX",
    "b.c.plain.test TXT",
    "lost.plain.test A",
    "loop.plain.test A",
    "www.bogus.test A",
    "www.alllame.test A",
];

#[test]
fn the_stub_prints_the_records_that_dig_prints() {
    with_the_tree(|tree| {
        let _unbound = tree.unbound();
        let asks: Vec<dig::Ask> = ASKED.into_iter().map(dig::Ask::from).collect();
        let theirs = dig::ask_all(tree.network, UNBOUND, &asks);
        let differences: Vec<String> = ASKED
            .iter()
            .zip(&theirs)
            .filter_map(|(ask, theirs)| differs(&stub(tree.network, ask), ask, theirs))
            .collect();
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    });
}

/// The outcome and the sorted records, from the program.
fn stub(network: &Network, ask: &str) -> (String, Vec<String>) {
    let (name, record_type) = ask.split_once(' ').unwrap();
    let ran = network.glasstack(&["resolve", "--dns", &UNBOUND.to_string(), "-s", name, record_type]);
    let status =
        ["NXDOMAIN", "NODATA", "SERVFAIL", "ServFail"].into_iter().find(|word| ran.err.contains(word));
    let status = match (ran.code, status) {
        (Some(0), None) => "found".to_owned(),
        (Some(6), Some(word)) => word.to_uppercase(),
        _ => format!("{:?}: {}", ran.code, ran.err),
    };
    let mut records: Vec<String> =
        ran.out.lines().filter_map(dig::record).map(|(_, record)| record).collect();
    records.sort();
    (status, records)
}

fn differs(ours: &(String, Vec<String>), ask: &str, theirs: &dig::Response) -> Option<String> {
    let wanted = ask.rsplit_once(' ').unwrap().1;
    let found = theirs.answer.iter().any(|record| record.contains(&format!(" IN {wanted} ")));
    let status = match theirs.status.as_str() {
        "NOERROR" if found => "found",
        "NOERROR" => "NODATA",
        other => other,
    };
    let records = if found { theirs.answer.clone() } else { Vec::new() };
    // Keys are broken into pieces for people, which dig here is told not to do.
    let whole = |records: &[String]| -> Vec<String> {
        records.iter().map(|record| record.replace(' ', "")).collect()
    };
    let same = ours.0 == status && whole(&ours.1) == whole(&records);
    (!same).then(|| format!("{ask}\n  ours: {ours:?}\n  dig: {status} {records:?}"))
}
