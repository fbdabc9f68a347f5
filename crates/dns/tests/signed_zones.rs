//! Zones that we sign, judged by others' programs: `ldns-verify-zone` (NLnet Labs) and `dnssec-verify`
//! (BIND). A program that is not installed is passed over with a message.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that runs other programs, by the real clock"
)]

use glasstack_dns::dnssec::signer::{Denial, Flaw, FlawAt, Nsec3Settings, SignOptions, Signer, ZoneKeys};
use glasstack_dns::{DnsName, RecordData, Zone};
use glasstack_journal::WallTime;
use std::net::IpAddr;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

/// A bit of everything: a wildcard, empty names, delegations with and without DS, glue, a DNAME.
fn zone() -> Zone {
    let address = |last: u8| IpAddr::from([192, 0, 2, last]);
    let child = ZoneKeys::from_seed(&name("signed.example.test"), &[2; 32]);
    let mut zone = Zone::new("example.test")
        .and_then(|zone| zone.with("@", RecordData::Ns(name("ns.example.test"))))
        .and_then(|zone| {
            zone.with("@", RecordData::Mx { preference: 10, exchange: name("www.example.test") })
        })
        .and_then(|zone| zone.with("ns", address(53)))
        .and_then(|zone| zone.with("www", address(80)))
        .and_then(|zone| zone.with("www", address(81)))
        .and_then(|zone| zone.with("alias", RecordData::Cname(name("www.example.test"))))
        .and_then(|zone| zone.with("renamed", RecordData::Dname(name("example.org"))))
        .and_then(|zone| zone.with("*.wild", RecordData::text("any")))
        .and_then(|zone| zone.with("a.b.c", address(1)))
        .and_then(|zone| zone.with("text", RecordData::text("some words")))
        .and_then(|zone| zone.delegating("signed", &[("ns.signed.example.test", Some(address(54)))]))
        .and_then(|zone| zone.delegating("plain", &[("ns.plain.example.test", Some(address(55)))]))
        .and_then(|zone| zone.delegating("far.away", &[("ns.example.org", None)]))
        .unwrap();
    zone.add_record(child.ds_record(300).unwrap()).unwrap();
    zone
}

fn options(denial: Denial) -> SignOptions {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let day = Duration::from_secs(24 * 3600);
    SignOptions { denial, ..SignOptions::from(WallTime::from_unix_seconds(now), 30 * day) }
}

fn keys() -> ZoneKeys {
    ZoneKeys::from_seed(&name("example.test"), &[1; 32])
}

fn nsec3(iterations: u16, salt: &[u8], opt_out: bool) -> Denial {
    Denial::Nsec3(Nsec3Settings { iterations, salt: salt.to_vec(), opt_out })
}

/// What a program says of a zone; none if there is no such program.
fn judged(program: &str, label: &str, text: &str) -> Option<Result<(), String>> {
    let file = std::env::temp_dir().join(format!("glasstack-{}-{program}-{label}.zone", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    if program == "dnssec-verify" {
        command.args(["-o", "example.test", "-q"]);
    }
    let output = command.arg(&file).output();
    std::fs::remove_file(&file).unwrap();
    let Ok(output) = output else {
        eprintln!("{program} is not installed: passed over");
        return None;
    };
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some(if output.status.success() { Ok(()) } else { Err(said) })
}

const PROGRAMS: [&str; 2] = ["ldns-verify-zone", "dnssec-verify"];

fn all_accept(label: &str, text: &str) {
    for program in PROGRAMS {
        if let Some(Err(said)) = judged(program, label, text) {
            panic!("{program} refuses {label}: {said}\n{text}");
        }
    }
}

fn all_refuse(label: &str, text: &str) {
    for program in PROGRAMS {
        if let Some(Ok(())) = judged(program, label, text) {
            panic!("{program} accepts {label}:\n{text}");
        }
    }
}

#[test]
fn a_zone_signed_with_nsec_is_accepted() {
    let signer = Signer::new(keys(), options(Denial::Nsec));
    all_accept("nsec", &signer.signed_text(zone()).unwrap());
}

#[test]
fn a_zone_signed_with_one_key_is_accepted() {
    let keys = ZoneKeys::single_from_seed(&name("example.test"), &[1; 32]);
    let signer = Signer::new(keys, options(Denial::Nsec));
    // BIND wants a second key unless told otherwise.
    if let Some(result) = judged("ldns-verify-zone", "single", &signer.signed_text(zone()).unwrap()) {
        result.unwrap();
    }
}

#[test]
fn a_zone_signed_with_nsec3_is_accepted() {
    for (label, denial) in [
        ("nsec3", nsec3(0, &[], false)),
        ("nsec3-salted", nsec3(5, &[0xab, 0xcd], false)),
        ("nsec3-opt-out", nsec3(0, &[], true)),
    ] {
        let signer = Signer::new(keys(), options(denial));
        all_accept(label, &signer.signed_text(zone()).unwrap());
    }
}

#[test]
fn mistakes_made_on_purpose_are_found() {
    for flaw in [Flaw::Missing, Flaw::Forged, Flaw::Expired, Flaw::NotYetValid, Flaw::UnknownKey] {
        let at = FlawAt { flaw, name: Some(name("www.example.test")), record_type: None };
        let signer = Signer::new(keys(), options(Denial::Nsec)).with_flaw(at);
        all_refuse(&format!("{flaw:?}"), &signer.signed_text(zone()).unwrap());
    }
}

#[test]
fn the_same_seed_signs_the_same_zone_alike() {
    let options = options(Denial::Nsec);
    let text = || Signer::new(keys(), options.clone()).signed_text(zone()).unwrap();
    assert_eq!(text(), text());
}
