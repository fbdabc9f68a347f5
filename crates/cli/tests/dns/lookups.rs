//! What a resolver is asked in the tree, and what must agree in two resolvers' answers.

use super::dig::{Ask, Response};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Asked of every signed zone.
const SIGNED: &[&str] = &[
    "www A",
    "www AAAA",
    "www MX",
    "@ MX",
    "@ TXT",
    "@ SOA",
    "@ NS",
    "@ DNSKEY",
    "@ DS",
    "alias A",
    "alias CNAME",
    "abroad A",
    "nobody A",
    "x.y.nobody A",
    "a.b.c TXT",
    "b.c TXT",
    "c A",
    "any.wild TXT",
    "any.wild A",
    "any.wild MX",
    "a.b.wild TXT",
    "here.wild A",
    "here.wild TXT",
    "x.walias A",
    "tree DNAME",
    "any.tree TXT",
    "here.tree A",
    "_443._tcp.www TLSA",
    "_tcp.www A",
    "@ CAA",
    "svc HTTPS",
    "unl A",
    "upper A",
    "upper MX",
    "insecure DS",
    "insecure NS",
];

/// Asked of `plain.test`.
const PLAIN: &[&str] = &[
    "www A",
    "www AAAA",
    "www MX",
    "WwW A",
    "@ MX",
    "@ TXT",
    "@ SOA",
    "@ NS",
    "@ DS",
    "@ DNSKEY",
    "alias A",
    "longer A",
    "longer TXT",
    "secure A",
    "lost A",
    "nobody A",
    "b.c A",
    "x.wild A",
    "x.wild MX",
    "x.wild TXT",
    "here.wild MX",
    "x.tree A",
    "tree A",
    "tree DNAME",
    "www.far A",
    "nobody.far A",
    "any.wild.far TXT",
    "x.deep A",
    "big TXT",
    "many A",
    "_sip._udp SRV",
    "naptr NAPTR",
    "svc HTTPS",
    "host HINFO",
    "rp RP",
    "ssh SSHFP",
    "loc LOC",
    "odd TYPE65280",
    "upper A",
    "under_score A",
    "a\\.dot A",
    "www.sub A",
    "nobody.sub A",
    "sub NS",
    "sub SOA",
];

/// Aliases that lead nowhere.
const LOOPS: &[&str] = &["loop.plain.test A", "pool.plain.test A", "self.plain.test A", "below.plain.test A"];

const ELSEWHERE: &[&str] = &[
    ". NS",
    ". SOA",
    ". DNSKEY",
    ". TXT",
    "test DS",
    "test DNSKEY",
    "test SOA",
    "other DS",
    "other NS",
    "nobody A",
    "nobody.test A",
    "nobody.test DS",
    "nic.test A",
    "a.nic.test A",
    "www.other A",
    "secure.other A",
    "www.sub.other A",
    "nobody.sub.other A",
    "4.0.41.198.in-addr.arpa PTR",
    "5.0.41.198.in-addr.arpa PTR",
    "www.insecure.rsa.test A",
    "www.insecure.ecdsa.test A",
    "www.insecure.optout.test A",
    "nobody.insecure.optout.test A",
    "nobody.insecure.rsa.test A",
    "unknown.test DS",
    "www.unknown.test A",
    "plain.test DS",
    "a.root-servers.net A",
];

const BOGUS: &[&str] = &[
    "www.bogus.test A",
    "www.bogus.test AAAA",
    "www.bogus.test MX",
    "nobody.bogus.test A",
    "mail.bogus.test A",
    "bogus.test DNSKEY",
    "www.expired.test A",
    "expired.test SOA",
    "nobody.expired.test A",
    "www.early.test A",
    "www.mismatch.test A",
    "mismatch.test DNSKEY",
    "mismatch.test DS",
    "www.stripped.test A",
    "nobody.stripped.test A",
    "stripped.test DNSKEY",
];

const TROUBLE: &[&str] = &[
    "www.lame.test A",
    "nobody.lame.test A",
    "www.alllame.test A",
    "www.dead.test A",
    "www.hen.test A",
    "www.egg.test A",
    "www.nowhere.test A",
    "www.insecure.p384.test A",
];

/// All of them.
pub(crate) fn all() -> Vec<Ask> {
    [sound(), each_way(TROUBLE)].concat()
}

/// All but those whose servers are in trouble.
pub(crate) fn sound() -> Vec<Ask> {
    let mut asks = Vec::new();
    for zone in ["rsa.test", "ecdsa.test", "p384.test", "ed25519.test", "optout.test"] {
        asks.extend(SIGNED.iter().map(|ask| in_zone(ask, zone)));
    }
    asks.extend(PLAIN.iter().map(|ask| in_zone(ask, "plain.test")));
    let whole = [LOOPS, ELSEWHERE, BOGUS].concat();
    asks.extend(whole.into_iter().map(str::to_owned));
    each_way(&asks)
}

/// With the proofs and without.
fn each_way<T: AsRef<str>>(asks: &[T]) -> Vec<Ask> {
    let asks = asks.iter().map(AsRef::as_ref);
    asks.flat_map(|ask| [format!("{ask} +adflag").into(), format!("{ask} +dnssec").into()]).collect()
}

fn in_zone(ask: &str, zone: &str) -> String {
    match ask.split_once(' ').unwrap() {
        ("@", record_type) => format!("{zone} {record_type}"),
        (name, record_type) => format!("{name}.{zone} {record_type}"),
    }
}

/// What must agree: the outcome, whether it is authentic, the answer's records, whose SOA record tells
/// of the absence, and with DNSSEC the proof of it.
pub(crate) fn essence(response: &Response) -> String {
    let mut text = response.status.clone();
    if response.has("ad") {
        text += " authentic";
    }
    let denial: BTreeSet<&String> = response.authority.iter().filter(|record| is_proof(record)).collect();
    for record in response.answer.iter().chain(denial) {
        write!(text, "\n    {record}").unwrap();
    }
    text
}

fn is_proof(record: &str) -> bool {
    [" IN SOA ", " IN NSEC ", " IN NSEC3 "].iter().any(|middle| record.contains(middle))
}

/// A difference that is meant: part of the question, and why.
pub(crate) type Known = (&'static str, &'static str);

/// The zone's server refers to itself, which is no answer; unbound takes it for the word that there is nothing.
pub(crate) const REFERS_TO_ITSELF: [Known; 2] = [
    ("insecure.p384.test", "its server refers to itself"),
    ("insecure.ed25519.test NS", "its server refers to itself"),
];

/// Both answered all questions alike, but for what is known; and what is known shows.
#[track_caller]
pub(crate) fn agree(asks: &[Ask], ours: &[Response], theirs: &[Response], known: &[Known]) {
    let mut report = String::new();
    let mut count = 0;
    let mut shown = BTreeSet::new();
    for ((ask, ours), theirs) in asks.iter().zip(ours).zip(theirs) {
        let (our, their) = (essence(ours), essence(theirs));
        if our == their {
            continue;
        }
        if let Some(at) = known.iter().position(|(part, _)| ask.words.contains(part)) {
            shown.insert(at);
            continue;
        }
        count += 1;
        if count <= 40 {
            let edns =
                |of: &Response| of.edns.iter().flatten().skip(1).cloned().collect::<Vec<_>>().join(" ");
            let words = &ask.words;
            writeln!(report, "{words}\n  ours: {our} {}\n  theirs: {their} {}", edns(ours), edns(theirs))
                .unwrap();
        }
    }
    assert!(count == 0, "{count} of {} answers differ:\n{report}", asks.len());
    let gone: Vec<&str> =
        known.iter().enumerate().filter(|(at, _)| !shown.contains(at)).map(|(_, k)| k.0).collect();
    assert!(gone.is_empty(), "known differences that show no more: {gone:?}");
}
