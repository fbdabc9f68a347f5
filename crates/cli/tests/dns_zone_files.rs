//! Zone files of every kind: those that named-checkzone accepts are served with the same records, those
//! that it refuses are refused, with line and cause. Where ours judges otherwise, `KNOWN` says why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dns;
mod support;

use dns::ours::{OURS, authority, is_twin};
use dns::zone_files::{self, ZoneFile, plain};
use dns::{dig, servers};
use std::collections::BTreeSet;
use support::{Network, with_real_peers};

/// Files that ours judges otherwise than named-checkzone, with the reason.
const KNOWN: &[(&str, &str)] = &[
    (
        "names are the same in capitals",
        "names in data are kept in lower case, as NSD keeps them (RFC 4343 3)",
    ),
    (
        "there are two SOA records",
        "ours names the line of the second one, named-checkzone the line behind it",
    ),
    (
        "a parenthesis is not closed",
        "ours names the line where it opens, named-checkzone the end of the file",
    ),
];

#[test]
fn what_named_checkzone_accepts_is_served_with_the_same_records() {
    with_real_peers(&["named-checkzone", "named", "dig"], |network| {
        let files = zone_files::all(network);
        let (good, _) = judged(&files);
        assert!(good.len() > 20, "{}", good.len());
        let zones: Vec<_> = good.iter().map(|file| (file.origin.clone(), file.path.clone())).collect();
        let _ours = if is_twin() {
            network.add_address(OURS);
            servers::named_with(network, OURS, &zones)
        } else {
            authority(network, &zones, &["--allow-axfr", "192.0.2.1/32"])
        };
        unexpected(&good, |file| difference(network, file));
    });
}

/// How the records that ours serves differ from those that named-checkzone sees.
fn difference(network: &Network, file: &ZoneFile) -> Option<String> {
    let axfr = dig::ask(network, OURS, &format!("{} AXFR", file.origin));
    let ours: BTreeSet<String> = axfr.answer.iter().map(|record| plain(axfr.ttls[record], record)).collect();
    let theirs = file.judged.as_ref().unwrap();
    let lines = |sign: char, records: &mut dyn Iterator<Item = &String>| -> String {
        records.map(|record| format!("  {sign} {record}\n")).collect()
    };
    let only = lines('+', &mut ours.difference(theirs)) + &lines('-', &mut theirs.difference(&ours));
    (!only.is_empty()).then(|| format!("{} ({}, {})\n{only}", file.name, file.origin, axfr.status))
}

#[test]
fn what_named_checkzone_refuses_is_refused_with_the_line() {
    with_real_peers(&["named-checkzone"], |network| {
        if is_twin() {
            return;
        }
        let files = zone_files::all(network);
        let (_, bad) = judged(&files);
        assert!(bad.len() > 35, "{}", bad.len());
        unexpected(&bad, |file| acceptance(network, file));
    });
}

/// Why it is not refused as it should be.
fn acceptance(network: &Network, file: &ZoneFile) -> Option<String> {
    let zone = format!("{}={}", file.origin, file.path);
    let ran = network.glasstack_alone(&["dnsd", "--check", "--zone", &zone], "10");
    let theirs = file.judged.as_ref().unwrap_err();
    let place = file.wrong_line().map_or_else(|| file.path.clone(), |line| format!("{}:{line}", file.path));
    let refused = ran.code.is_some_and(|code| code != 0 && code != 124) && ran.err.contains(&place);
    (!refused).then(|| format!("{}\n  ours ({:?}): {}\n  theirs: {theirs}", file.name, ran.code, ran.err))
}

/// Those that are accepted, and those that are not.
fn judged(files: &[ZoneFile]) -> (Vec<&ZoneFile>, Vec<&ZoneFile>) {
    files.iter().partition(|file| file.judged.is_ok())
}

/// Fails where a file differs of which that is not known, and where a known difference shows no more.
#[track_caller]
fn unexpected(files: &[&ZoneFile], differs: impl Fn(&ZoneFile) -> Option<String>) {
    let mut report = Vec::new();
    for file in files {
        let known = KNOWN.iter().any(|(name, _)| *name == file.name) && !is_twin();
        match (differs(file), known) {
            (Some(difference), false) => report.push(difference),
            (None, true) => report.push(format!("{}: it is known to differ, and does not", file.name)),
            _ => {}
        }
    }
    assert!(report.is_empty(), "{} of {}:\n{}", report.len(), files.len(), report.join("\n"));
}
