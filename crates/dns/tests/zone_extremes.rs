//! Zones that are as large, as deep or as entangled as they can be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use glasstack_dns::server::{Reply, Zones};
use glasstack_dns::{DnsName, Question, RecordType, ResponseCode};
use glasstack_dns::{Zone, ZoneFileOptions};

const TOP: &str = "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\n";

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

/// The zone example.test with these lines, or what is wrong with it.
fn zone(lines: &str) -> Result<Zone, String> {
    let origin = name("example.test");
    let read = Zone::parse(&format!("{TOP}{lines}"), &ZoneFileOptions::new(&origin, "f"));
    read.map(|(zone, _)| zone).map_err(|error| error.to_string())
}

fn ask(zone: Zone, owner: &str, record_type: RecordType) -> Reply {
    Zones::from(zone).reply(&Question::new(name(owner), record_type))
}

fn addresses(count: usize) -> String {
    (0..count).map(|n| format!("many A 10.{}.{}.{}\n", n >> 16, n >> 8 & 255, n & 255)).collect()
}

#[test]
fn a_set_as_large_as_a_message_holds_no_record_twice_and_a_larger_one_is_refused() {
    // 16 383 addresses are 65 532 bytes; each again would be as many more, so the first 8 000 come twice.
    let twice = addresses(8_000) + &addresses(8_000);
    let loaded = zone(&twice).unwrap();
    assert_eq!(loaded.rrset(&name("many.example.test"), RecordType::A).unwrap().len(), 8_000);
    assert_eq!(zone(&addresses(16_383)).unwrap().records().count(), 16_383 + 3);
    let refused = zone(&addresses(16_384)).unwrap_err();
    assert_eq!(
        refused,
        "f:16388: the A records of many.example.test have more than 65535 bytes together, which no message holds; \
         spread them over several names"
    );
}

#[test]
fn a_record_that_comes_twice_in_a_large_set_is_taken_once_with_the_sets_ttl() {
    let lines = addresses(100).replace("many A", "many 30 A") + "many 30 A 10.0.0.7\n";
    let loaded = zone(&lines).unwrap();
    let set = loaded.rrset(&name("many.example.test"), RecordType::A).unwrap();
    assert_eq!(set.len(), 100);
    assert!(set.iter().all(|record| record.ttl == 30));
}

#[test]
fn work_that_every_denial_would_cost_is_warned_of() {
    let origin = name("example.test");
    let warnings = |iterations| {
        let text = format!("{TOP}@ NSEC3PARAM 1 0 {iterations} -\n");
        Zone::parse(&text, &ZoneFileOptions::new(&origin, "f")).unwrap().1
    };
    assert!(warnings(0).is_empty());
    assert!(
        warnings(500)[0].to_string().starts_with("f:5: NSEC3 with 500 iterations"),
        "{:?}",
        warnings(500)
    );
}

#[test]
fn a_dname_that_leads_below_itself_is_in_the_answer_once() {
    let reply = ask(zone("d DNAME x.d\n").unwrap(), "www.d.example.test", RecordType::A);
    let of = |wanted| reply.answers.iter().filter(|record| record.record_type() == wanted).count();
    assert_eq!(of(RecordType::Dname), 1);
    assert!(of(RecordType::Cname) > 3 && of(RecordType::Cname) < 70, "{}", of(RecordType::Cname));
    assert_eq!(reply.code, ResponseCode::NoError);
}

#[test]
fn a_host_that_a_thousand_records_name_comes_along_once() {
    let mail: String =
        (0..1000).map(|n| format!("@ MX {n} mail\n@ MX {n} m{n}\nm{n} A 192.0.2.1\n")).collect();
    let reply = ask(
        zone(&(mail + "mail A 192.0.2.25\n AAAA 2001:db8::25\n")).unwrap(),
        "example.test",
        RecordType::Mx,
    );
    assert_eq!((reply.answers.len(), reply.additionals.len()), (2000, 1002));
}

#[test]
fn a_name_of_as_many_labels_as_there_can_be_is_found_and_what_is_beside_it_is_not() {
    let deep = "a.".repeat(118);
    let loaded = zone(&format!("{deep}www A 192.0.2.80\n*.{deep}w A 192.0.2.1\n")).unwrap();
    let code = |owner: &str| {
        let reply = ask(loaded.clone(), owner, RecordType::A);
        (reply.code, reply.answers.len())
    };
    let there = format!("{deep}www.example.test");
    assert!(name(&there).to_wire().len() > 250);
    assert_eq!(code(&there), (ResponseCode::NoError, 1));
    assert_eq!(code(&there.replacen("a.", "", 1)), (ResponseCode::NoError, 0), "an empty name between");
    assert_eq!(code(&there.replacen("a.", "b.", 1)), (ResponseCode::NxDomain, 0));
}
