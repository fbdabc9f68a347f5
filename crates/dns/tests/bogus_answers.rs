//! What is wrong with an answer, told by type and in words: each way to be bogus.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod dnssec;

use dnssec::{Net, Plan, address, keys, name, nsec3, options, question, without_signatures};
use glasstack_dns::dnssec::Security::{self, Bogus, Indeterminate, Insecure, Secure};
use glasstack_dns::dnssec::reason::{Check, DenialFault, SignatureFault};
use glasstack_dns::dnssec::signer::{Denial, Flaw, FlawAt, Signer};
use glasstack_dns::dnssec::{Limits, Reason, TrustAnchors, Validated, ZoneKeys};
use glasstack_dns::zone::Sign;
use glasstack_dns::{Message, Record, RecordData, RecordType, ResponseCode, Zone};
use glasstack_journal::WallTime;
use std::time::Duration;

/// `www.example.test A` where `example.test` makes a mistake with it.
fn flawed(flaw: Flaw) -> Validated {
    let at = FlawAt { flaw, name: Some(name("www.example.test")), record_type: Some(RecordType::A) };
    Net::with(Plan { flaw: Some(at), ..Plan::default() }).validate("www.example.test A")
}

/// The answer to `text` after something has been done to it on the way.
fn tampered(text: &str, denial: Denial, tamper: impl Fn(&mut Message)) -> Validated {
    let mut net = Net::with(Plan { denial, ..Plan::default() });
    let mut message = net.tree.respond(&question(text));
    tamper(&mut message);
    net.validate_this(text, message)
}

fn is(validated: &Validated, security: Security, code: Option<u16>, words: &str) {
    assert_eq!(validated.security, security, "{}", validated.reason);
    assert_eq!(validated.reason.extended_error(), code, "{}", validated.reason);
    assert!(validated.reason.to_string().contains(words), "{}", validated.reason);
}

fn fault_of(validated: &Validated) -> SignatureFault {
    match &validated.reason {
        Reason::BadSignature { fault, .. } => fault.clone(),
        other => panic!("{other}"),
    }
}

fn denial_fault_of(validated: &Validated) -> DenialFault {
    match &validated.reason {
        Reason::NotProved { fault, .. } => *fault,
        other => panic!("{other}"),
    }
}

fn is_signature(record: &Record) -> bool {
    matches!(record.data, RecordData::Rrsig(_))
}

#[test]
fn each_mistake_with_a_signature_has_its_reason() {
    is(
        &flawed(Flaw::Missing),
        Bogus,
        Some(10),
        "www.example.test A has no signature, though example.test is signed",
    );
    is(&flawed(Flaw::Forged), Bogus, Some(6), "does not fit: the records or it have been changed");
    is(&flawed(Flaw::Expired), Bogus, Some(7), "ended on");
    is(&flawed(Flaw::NotYetValid), Bogus, Some(8), "begins on");
    is(&flawed(Flaw::UnknownKey), Bogus, Some(9), "which the zone has not");
    is(&flawed(Flaw::UnknownAlgorithm), Bogus, Some(6), "algorithm 250, which cannot be checked here");
    is(&flawed(Flaw::ForeignSigner), Bogus, Some(9), "www.example.test A is not validly signed by test");
    assert!(matches!(fault_of(&flawed(Flaw::Expired)), SignatureFault::Expired { .. }));
}

#[test]
fn changed_records_are_bogus() {
    let validated = tampered("www.example.test A", Denial::Nsec, |message| {
        message.answers[0].data = address(66).into();
    });
    assert!(matches!(fault_of(&validated), SignatureFault::Mismatch { .. }));
    let validated = tampered("www.example.test A", Denial::Nsec, |message| {
        message.answers.remove(0);
    });
    assert!(matches!(fault_of(&validated), SignatureFault::Mismatch { .. }));
    // A TTL may be counted down, and not up.
    let validated = tampered("www.example.test A", Denial::Nsec, |message| {
        message.answers.iter_mut().for_each(|record| record.ttl = 100_000);
    });
    assert_eq!(validated.security, Secure);
    assert!(validated.message.answers.iter().all(|record| record.ttl == 300));
}

#[test]
fn what_is_moved_to_another_name_is_bogus() {
    let validated = tampered("other.example.test A", Denial::Nsec, |message| {
        let mut net = Net::new();
        *message = net.validate("www.example.test A").message;
        message.answers.iter_mut().for_each(|record| record.owner = name("other.example.test"));
    });
    assert!(matches!(fault_of(&validated), SignatureFault::Mismatch { .. }));
}

#[test]
fn a_bad_signature_beside_a_good_one_does_no_harm() {
    let validated = tampered("www.example.test A", Denial::Nsec, |message| {
        let mut forged = message.answers.iter().find(|record| is_signature(record)).unwrap().clone();
        if let RecordData::Rrsig(rrsig) = &mut forged.data {
            rrsig.signature[0] ^= 1;
        }
        message.answers.insert(0, forged);
    });
    assert_eq!(validated.security, Secure);
}

#[test]
fn a_negative_answer_without_its_proof_is_bogus() {
    for denial in [Denial::Nsec, nsec3(1, false)] {
        for text in ["no.example.test A", "www.example.test MX", "x.wild.example.test MX"] {
            let stripped = |message: &mut Message| {
                message.authorities.retain(|record| {
                    let of = match &record.data {
                        RecordData::Rrsig(rrsig) => rrsig.type_covered,
                        data => data.record_type(),
                    };
                    of == RecordType::Soa
                });
            };
            let validated = tampered(text, denial.clone(), stripped);
            is(&validated, Bogus, Some(12), "there is no signed NSEC or NSEC3 record");
            let unsigned = tampered(text, denial.clone(), |m| without_signatures(&mut m.authorities));
            is(&unsigned, Bogus, Some(10), "has no signature");
            let empty = tampered(text, denial.clone(), |message| message.authorities.clear());
            is(&empty, Bogus, Some(12), "there is no signed NSEC or NSEC3 record");
        }
    }
}

#[test]
fn a_name_that_exists_cannot_be_denied() {
    for denial in [Denial::Nsec, nsec3(1, false)] {
        // The proofs for another name of the same zone.
        let validated = tampered("www.example.test A", denial.clone(), |message| {
            *message = Net::with(Plan { denial: denial.clone(), ..Plan::default() })
                .tree
                .respond(&question("no.example.test A"));
        });
        assert_eq!(validated.security, Bogus, "{}", validated.reason);
        let no_data = tampered("www.example.test A", denial.clone(), |message| {
            *message = Net::with(Plan { denial: denial.clone(), ..Plan::default() })
                .tree
                .respond(&question("www.example.test MX"));
        });
        assert_eq!(denial_fault_of(&no_data), DenialFault::TypeExists);
        let alias = tampered("alias.example.test MX", denial.clone(), |message| {
            let net = Net::with(Plan { denial: denial.clone(), ..Plan::default() });
            *message = net.tree.respond(&question("alias.example.test DS"));
            message.answers.clear();
        });
        assert_eq!(alias.security, Bogus, "{}", alias.reason);
    }
}

#[test]
fn a_wildcard_cannot_be_stretched_over_a_name_that_exists() {
    let no_proof = tampered("x.wild.example.test A", Denial::Nsec, |message| message.authorities.clear());
    assert_eq!(denial_fault_of(&no_proof), DenialFault::WildcardUnjustified);
    is(&no_proof, Bogus, Some(12), "made from a wildcard");
    for denial in [Denial::Nsec, nsec3(1, false)] {
        let stretched = tampered("host.wild.example.test A", denial.clone(), |message| {
            let net = Net::with(Plan { denial: denial.clone(), ..Plan::default() });
            *message = net.tree.respond(&question("x.wild.example.test A"));
            message.answers.iter_mut().for_each(|record| record.owner = name("host.wild.example.test"));
        });
        assert_eq!(denial_fault_of(&stretched), DenialFault::WildcardUnjustified);
    }
}

#[test]
fn nobody_can_pass_a_signed_zone_off_as_unsigned() {
    // Everything that comes is stripped of signatures and DS records.
    let strip = |_: &_, message: &mut Message| {
        without_signatures(&mut message.answers);
        message.answers.retain(|record| !matches!(record.data, RecordData::Ds(_)));
        message.authorities.retain(|record| !matches!(record.data, RecordData::Nsec(_)));
        without_signatures(&mut message.authorities);
    };
    let mut net = Net::with(Plan { tamper: Some(Box::new(strip)), ..Plan::default() });
    is(&net.validate("www.example.test A"), Bogus, Some(10), ". DNSKEY has no signature");
    // Only the DS records are missing: the zone's own record shows that they are there.
    let net = Net::new();
    let own =
        net.tree.zones.get(&name("test")).unwrap().rrset(&name("example.test"), RecordType::Nsec).unwrap();
    let signer = Signer::new(keys("test"), options(net.host.wall(), Denial::Nsec));
    let proof = [own, &signer.sign(own)].concat();
    let strip = move |question: &glasstack_dns::Question, message: &mut Message| {
        if *question == dnssec::question("example.test DS") {
            message.answers.clear();
            message.authorities.clone_from(&proof);
        }
    };
    let mut net = Net::with(Plan { tamper: Some(Box::new(strip)), ..Plan::default() });
    let validated = net.validate("www.example.test A");
    assert_eq!(denial_fault_of(&validated), DenialFault::TypeExists);
}

#[test]
fn what_cannot_be_had_is_bogus_with_the_cause() {
    let strip = |question: &glasstack_dns::Question, message: &mut Message| {
        if question.record_type == RecordType::Dnskey && question.name == name("example.test") {
            message.answers.clear();
            message.code = ResponseCode::ServFail;
        }
    };
    let mut net = Net::with(Plan { tamper: Some(Box::new(strip)), ..Plan::default() });
    is(&net.validate("www.example.test A"), Bogus, Some(9), "but the zone has none");
}

#[test]
fn without_an_anchor_nothing_can_be_said() {
    let anchors = keys("signed.opt").trust_anchor();
    let mut net = Net::with(Plan { anchors, ..Plan::default() });
    is(
        &net.validate("www.example.test A"),
        Indeterminate,
        Some(5),
        "there is no trust anchor for example.test",
    );
    assert_eq!(net.validate("www.signed.opt A").security, Secure);
    assert_eq!(net.asked(), ["signed.opt DNSKEY"]);
}

#[test]
fn an_anchor_may_be_a_key_or_one_of_several_or_unknown() {
    let anchored =
        |anchors: TrustAnchors| Net::with(Plan { anchors, ..Plan::default() }).validate("www.example.test A");
    let of_keys = TrustAnchors::new(keys(".").dnskey_records(0).into_iter().take(1));
    assert_eq!(anchored(of_keys).security, Secure);
    let two = TrustAnchors::iana().and(keys(".").trust_anchor());
    assert_eq!(anchored(two).security, Secure, "while keys change, one of them is enough");
    is(&anchored(TrustAnchors::iana()), Bogus, Some(9), "the trust anchor of . names the key 20326, 38696");
    let unknown = TrustAnchors::parse(". DS 1 250 2 00").unwrap();
    is(&anchored(unknown), Insecure, Some(1), "algorithm 250");
    let unchecked = keys(".").trust_anchor().without(name("example.test"));
    is(&anchored(unchecked), Insecure, None, "example.test is not to be checked");
}

#[test]
fn signatures_are_judged_by_the_clock_that_is_given() {
    let at = |seconds| {
        let limits = Limits { at: Some(WallTime::from_unix_seconds(seconds)), ..Limits::default() };
        Net::with(Plan { limits, ..Plan::default() }).validate("www.example.test A")
    };
    let now = Net::new().host.wall().unix_seconds();
    assert_eq!(at(now).security, Secure);
    is(&at(now - 86_400), Bogus, Some(8), ". DNSKEY is not validly signed");
    is(&at(now + 31 * 86_400), Bogus, Some(7), "ended on");
    // Times are modulo 2^32 (RFC 4034 3.1.5).
    assert_eq!(at(now + (1 << 32)).security, Secure);
}

#[test]
fn a_revoked_key_signs_nothing() {
    // The zone's only key is revoked; its parent still names it.
    let mut key = ZoneKeys::single_from_seed(&name("example.test"), &[9; 32]).dnskeys().remove(0);
    key.flags |= 0x80;
    let ds = key.to_ds(&name("example.test"), 2).unwrap();
    let tamper = move |question: &glasstack_dns::Question, message: &mut Message| {
        if *question == dnssec::question("example.test DNSKEY") {
            let records = message.answers.iter_mut().filter(|record| !is_signature(record));
            records.for_each(|record| record.data = RecordData::Dnskey(key.clone()));
        }
        if *question == dnssec::question("example.test DS") {
            // Signed anew by the zone above.
            let now = Net::new().host.wall();
            let signer = Signer::new(keys("test"), options(now, Denial::Nsec));
            let set = [Record { owner: name("example.test"), ttl: 300, data: RecordData::Ds(ds.clone()) }];
            message.answers = signer.sign(&set);
            message.answers.extend(set);
        }
    };
    let mut net = Net::with(Plan { tamper: Some(Box::new(tamper)), ..Plan::default() });
    is(&net.validate("www.example.test A"), Bogus, Some(6), "which is revoked");
}

/// Keys of `zone` with the same tag, as many as are wanted among so many seeds.
fn colliding_keys(zone: &str, wanted: usize) -> Vec<Record> {
    let mut by_tag = std::collections::BTreeMap::<u16, Vec<Record>>::new();
    for seed in 0_u32.. {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&seed.to_be_bytes());
        let record = ZoneKeys::single_from_seed(&name(zone), &bytes).dnskey_records(300).remove(0);
        let RecordData::Dnskey(key) = &record.data else { panic!() };
        let alike = by_tag.entry(key.key_tag()).or_default();
        alike.push(record);
        if alike.len() == wanted {
            return std::mem::take(alike);
        }
    }
    unreachable!()
}

#[test]
fn keys_that_share_a_tag_are_all_tried() {
    let pair = colliding_keys("example.test", 2);
    let now = Net::new().host.wall();
    // The second of the two signs; the first is a stranger of the same tag.
    for order in [[0, 1], [1, 0]] {
        let set: Vec<Record> = order.iter().map(|at| pair[*at].clone()).collect();
        let tamper = move |question: &glasstack_dns::Question, message: &mut Message| {
            if *question == dnssec::question("example.test DNSKEY") {
                let real = keys("example.test");
                let signer = Signer::new(real.clone(), options(now, Denial::Nsec));
                let all: Vec<Record> = real.dnskey_records(300).into_iter().chain(set.clone()).collect();
                message.answers = signer.sign(&all);
                message.answers.extend(all);
            }
        };
        let mut net = Net::with(Plan { tamper: Some(Box::new(tamper)), ..Plan::default() });
        assert_eq!(net.validate("www.example.test A").security, Secure);
    }
}

#[test]
fn a_zone_with_many_keys_is_believed_and_its_keys_are_not_held_on_to() {
    let now = Net::new().host.wall();
    let tamper = move |question: &glasstack_dns::Question, message: &mut Message| {
        if *question == dnssec::question("example.test DNSKEY") {
            let real = keys("example.test");
            let signer = Signer::new(real.clone(), options(now, Denial::Nsec));
            let many = (0..200_u8).map(|seed| {
                ZoneKeys::single_from_seed(&name("example.test"), &[seed; 32]).dnskey_records(300)
            });
            let all: Vec<Record> = real.dnskey_records(300).into_iter().chain(many.flatten()).collect();
            message.answers = signer.sign(&all);
            message.answers.extend(all);
        }
    };
    let mut net = Net::with(Plan { tamper: Some(Box::new(tamper)), ..Plan::default() });
    for _ in 0..2 {
        net.asked();
        assert_eq!(net.validate("www.example.test A").security, Secure);
        assert_eq!(net.asked().last().unwrap(), "example.test DNSKEY");
    }
}

#[test]
fn many_keys_of_one_tag_and_many_wrong_signatures_are_given_up_soon() {
    // CVE-2023-50387 ("KeyTrap"): keys times signatures are to be tried.
    let alike = colliding_keys("example.test", 4);
    let RecordData::Dnskey(one) = &alike[0].data else { panic!() };
    let (key_tag, now) = (one.key_tag(), Net::new().host.wall());
    let tamper = move |question: &glasstack_dns::Question, message: &mut Message| {
        if *question == dnssec::question("example.test DNSKEY") {
            let real = keys("example.test");
            let signer = Signer::new(real.clone(), options(now, Denial::Nsec));
            let all: Vec<Record> = real.dnskey_records(300).into_iter().chain(alike.clone()).collect();
            message.answers = signer.sign(&all);
            message.answers.extend(all);
        }
        if *question == dnssec::question("www.example.test A") {
            let good = message.answers.iter().find(|record| is_signature(record)).unwrap().clone();
            message.answers.retain(|record| !is_signature(record));
            for number in 0..=255 {
                let mut wrong = good.clone();
                if let RecordData::Rrsig(rrsig) = &mut wrong.data {
                    rrsig.key_tag = key_tag;
                    rrsig.signature[0] = number;
                }
                message.answers.push(wrong);
            }
        }
    };
    let mut net = Net::with(Plan { tamper: Some(Box::new(tamper)), ..Plan::default() });
    let validated = net.validate("www.example.test A");
    assert_eq!(validated.reason, Reason::ChecksExceeded { what: Check::WrongSignatures, most: 16 });
    is(&validated, Bogus, Some(6), "made to cost much");
}

#[test]
fn names_of_many_labels_are_not_hashed_without_end() {
    // CVE-2023-50868: each label of the name is hashed, and each hash takes many rounds.
    let long = "a.".repeat(110) + "example.test";
    let mut net = Net::with(Plan { denial: nsec3(100, false), ..Plan::default() });
    let validated = net.validate(&format!("{long} A"));
    assert_eq!(validated.reason, Reason::ChecksExceeded { what: Check::HashRounds, most: 10_000 });
    let mut net = Net::with(Plan { denial: nsec3(0, false), ..Plan::default() });
    assert_eq!(net.validate(&format!("{long} A")).security, Secure);
}

#[test]
fn what_one_question_could_not_afford_the_next_one_may() {
    let limits = Limits { fetches: 4, ..Limits::default() };
    let mut net = Net::with(Plan { limits, ..Plan::default() });
    let validated = net.validate("www.example.test A");
    assert_eq!(validated.reason, Reason::ChecksExceeded { what: Check::Fetches, most: 4 });
    assert_eq!(net.validate("www.example.test A").security, Secure, "the keys above are known by now");
}

#[test]
fn a_zone_with_wrong_keys_is_asked_again_only_after_a_while() {
    let mut net = Net::new();
    assert_eq!(net.validate("www.wrong-ds.test A").security, Bogus);
    net.asked();
    assert_eq!(net.validate("www.wrong-ds.test AAAA").security, Bogus);
    assert!(net.asked().is_empty());
    net.world.run_for(Duration::from_secs(61)).unwrap();
    assert_eq!(net.validate("www.wrong-ds.test A").security, Bogus);
    assert_eq!(net.asked()[..2], ["wrong-ds.test DS", "wrong-ds.test DNSKEY"]);
}

#[test]
fn a_zone_below_a_bogus_one_is_bogus_too() {
    let child = Zone::new("below.wrong-ds.test").and_then(|zone| zone.with("www", address(1))).unwrap();
    let mut net = Net::with(Plan { more: vec![child], ..Plan::default() });
    is(&net.validate("www.below.wrong-ds.test A"), Bogus, Some(9), "the DS record of wrong-ds.test");
}

#[test]
fn another_server_is_asked_for_keys_that_do_not_hold() {
    for record_type in [RecordType::Dnskey, RecordType::Ds] {
        let spoil = move |question: &glasstack_dns::Question, message: &mut Message| {
            if question.name == name("example.test") && question.record_type == record_type {
                without_signatures(&mut message.answers);
            }
        };
        let plan = |elsewhere: dnssec::Tamper| Plan {
            tamper: Some(Box::new(spoil)),
            elsewhere: Some(elsewhere),
            ..Plan::default()
        };
        let mut net = Net::with(plan(Box::new(|_, _| {})));
        assert_eq!(net.validate("www.example.test A").security, Secure);
        let again = format!("example.test {record_type} elsewhere");
        assert_eq!(net.asked().iter().filter(|asked| **asked == again).count(), 1);
        // All of them are wrong.
        let mut net = Net::with(plan(Box::new(spoil)));
        is(&net.validate("www.example.test A"), Bogus, Some(10), "has no signature");
        assert_eq!(net.asked().iter().filter(|asked| **asked == again).count(), 3);
    }
}

#[test]
fn only_who_says_so_takes_signatures_on_trust() {
    let at = FlawAt { flaw: Flaw::Forged, name: None, record_type: Some(RecordType::A) };
    let forged = |limits| {
        let plan = Plan { flaw: Some(at.clone()), limits, ..Plan::default() };
        Net::with(plan).validate("www.example.test A").security
    };
    assert_eq!(forged(Limits::default()), Bogus);
    assert_eq!(forged(Limits { taken_on_trust: [15].into(), ..Limits::default() }), Secure);
}
