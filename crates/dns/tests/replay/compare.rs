//! Whether a message is the one that an entry describes, and where it is not (unbound's
//! `testcode/testpkts.c`, `find_match`).

use crate::scenario::Entry;
use glasstack_dns::{DnsName, Message, Record};
use glasstack_journal::event::Transport;

/// The first of `entries` that fits.
pub(crate) fn find<'a>(entries: &'a [Entry], message: &Message, transport: Transport) -> Option<&'a Entry> {
    entries.iter().find(|entry| difference(entry, message, transport).is_none())
}

/// The first thing about `message` that `entry` does not allow.
pub(crate) fn difference(entry: &Entry, message: &Message, transport: Transport) -> Option<String> {
    let (matches, wanted) = (&entry.matches, &entry.message);
    let name = |message: &Message| message.question.as_ref().map(|question| question.name.clone());
    let record_type = |message: &Message| message.question.as_ref().map(|question| question.record_type);
    let checks: [(bool, &dyn Fn() -> Option<String>); 11] = [
        (matches.opcode, &|| unequal("opcode", &wanted.opcode, &message.opcode)),
        (matches.qtype, &|| unequal("type asked for", &record_type(wanted), &record_type(message))),
        (matches.qname, &|| unequal("name asked for", &name(wanted), &name(message))),
        (matches.rcode, &|| unequal("code", &wanted.code, &message.code)),
        (matches.question, &|| unequal("question", &wanted.question, &message.question)),
        (matches.answer, &|| section("answer", &wanted.answers, &message.answers, matches.ttl)),
        (matches.subdomain, &|| below(name(message)?, name(wanted)?)),
        (matches.dnssec_ok, &|| (!dnssec_ok(message)).then(|| "DO is not set".to_owned())),
        (matches.no_edns, &|| message.edns.as_ref().map(|_| "there is an OPT record".to_owned())),
        (matches.udp, &|| unequal("transport", &Transport::Udp, &transport)),
        (matches.tcp, &|| unequal("transport", &Transport::Tcp, &transport)),
    ];
    let part = checks.iter().filter(|(counts, _)| *counts).find_map(|(_, check)| check());
    part.or_else(|| if matches.all { whole(wanted, message, matches.ttl) } else { None })
}

/// Every bit of it counts, the order of the records included; the TTLs if they do.
fn whole(wanted: &Message, message: &Message, ttl: bool) -> Option<String> {
    unequal("id", &wanted.id, &message.id)
        .or_else(|| unequal("opcode", &wanted.opcode, &message.opcode))
        .or_else(|| unequal("code", &wanted.code, &message.code))
        .or_else(|| unequal("flags", &flags(wanted), &flags(message)))
        .or_else(|| unequal("question", &wanted.question, &message.question))
        .or_else(|| section("answer", &wanted.answers, &message.answers, ttl))
        .or_else(|| section("authority", &wanted.authorities, &message.authorities, ttl))
        .or_else(|| section("additional", &wanted.additionals, &message.additionals, ttl))
        .or_else(|| unequal("EDNS", &wanted.edns, &message.edns))
}

fn unequal<T: PartialEq + std::fmt::Debug>(what: &str, wanted: &T, found: &T) -> Option<String> {
    (wanted != found).then(|| format!("{what}: wanted {wanted:?}, found {found:?}"))
}

fn section(what: &str, wanted: &[Record], found: &[Record], ttl: bool) -> Option<String> {
    let lines = |records: &[Record]| -> Vec<String> {
        let line = |record: &Record| {
            if ttl { record.to_string() } else { Record { ttl: 0, ..record.clone() }.to_string() }
        };
        records.iter().map(line).collect()
    };
    let (wanted, found) = (lines(wanted), lines(found));
    (wanted != found).then(|| {
        let list = |lines: &[String]| if lines.is_empty() { "nothing".to_owned() } else { lines.join(" | ") };
        format!("{what} section: wanted {}; found {}", list(&wanted), list(&found))
    })
}

fn below(name: DnsName, zone: DnsName) -> Option<String> {
    (!name.is_within(&zone)).then(|| format!("name asked for: wanted one within {zone}, found {name}"))
}

fn dnssec_ok(message: &Message) -> bool {
    message.edns.as_ref().is_some_and(|edns| edns.dnssec_ok)
}

fn flags(message: &Message) -> Vec<&'static str> {
    let flags = [
        ("QR", message.is_response),
        ("AA", message.authoritative),
        ("TC", message.truncated),
        ("RD", message.recursion_desired),
        ("RA", message.recursion_available),
        ("AD", message.authentic_data),
        ("CD", message.checking_disabled),
    ];
    flags.into_iter().filter_map(|(name, set)| set.then_some(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Packet, Section};
    use crate::scenario::Matches;

    fn entry(matches: Matches, lines: &[&str]) -> Entry {
        Entry { line: 1, matches, copy_id: false, copy_query: false, message: message(lines) }
    }

    fn message(lines: &[&str]) -> Message {
        let mut packet = Packet::default();
        packet.set_flags("QR RD RA").unwrap();
        packet.add(Section::Question, "www.a.test. IN A").unwrap();
        lines.iter().for_each(|line| packet.add(Section::Answer, line).unwrap());
        packet.message().unwrap()
    }

    #[test]
    fn all_means_records_in_their_order_and_ttls_only_if_they_count() {
        let (one, two) = ("www.a.test. 5 IN A 192.0.2.1", "www.a.test. 5 IN A 192.0.2.2");
        let all = entry(Matches { all: true, ..Matches::default() }, &[one, two]);
        let differs = |entry: &Entry, lines: &[&str]| difference(entry, &message(lines), Transport::Udp);
        assert_eq!(differs(&all, &[one, two]), None);
        assert_eq!(differs(&all, &["WWW.a.test. 9 IN A 192.0.2.1", two]), None);
        assert_eq!(
            differs(&all, &[two]).unwrap(),
            "answer section: wanted www.a.test. 0 IN A 192.0.2.1 | www.a.test. 0 IN A 192.0.2.2; \
             found www.a.test. 0 IN A 192.0.2.2"
        );
        assert!(differs(&all, &[two, one]).is_some());
        let with_ttl = entry(Matches { all: true, ttl: true, ..Matches::default() }, &[one]);
        assert!(differs(&with_ttl, &["www.a.test. 9 IN A 192.0.2.1"]).is_some());
    }

    #[test]
    fn what_is_not_named_does_not_count() {
        let name = entry(Matches { qname: true, opcode: true, ..Matches::default() }, &[]);
        assert_eq!(difference(&name, &message(&["www.a.test. IN A 192.0.2.1"]), Transport::Udp), None);
        let tcp = entry(Matches { tcp: true, ..Matches::default() }, &[]);
        assert!(find(std::slice::from_ref(&tcp), &message(&[]), Transport::Udp).is_none());
        assert!(find(&[tcp], &message(&[]), Transport::Tcp).is_some());
    }
}
