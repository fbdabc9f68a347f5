//! The same zones on NSD, on named and on ours, asked the same questions: the same answers. Where ours
//! answers as neither of the two, `KNOWN` says why.
//!
//! ```sh
//! TWIN=1 cargo test -p glasstack-cli --test dns_authorities -- --nocapture      # NSD in our place
//! BETWEEN=1 cargo test -p glasstack-cli --test dns_authorities -- --nocapture   # where NSD and named differ
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dns;
mod support;

use dns::compare::{self, Known};
use dns::dig::{self, Ask};
use dns::ours::{OURS, authority};
use dns::plan::file_of;
use dns::{questions, servers, sign, zone_files};
use std::net::Ipv4Addr;
use support::{Network, with_real_peers};

const NSD: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 31);
const NAMED: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 32);

/// So many questions are enough.
const MOST: usize = 3200;

/// Zones that are served together: parents and children, signed and not.
const TOGETHER: [&str; 9] = [
    "test",
    "other",
    "plain.test",
    "rsa.test",
    "insecure.rsa.test",
    "ecdsa.test",
    "ed25519.test",
    "optout.test",
    "bogus.test",
];

/// Where ours answers as neither, and should.
const KNOWN: &[Known] = &[
    Known {
        ask: "rsa.test. ANY*",
        part: "a*",
        because: "one set stands for all (RFC 8482 4.1), with what comes along with it; NSD takes another one",
    },
    Known { ask: "nobody.far.plain.test. DS*+dnssec", part: "authority", because: BEYOND_A_DNAME },
    Known { ask: "x.y.far.plain.test. A*+dnssec", part: "authority", because: BEYOND_A_DNAME },
];

const BEYOND_A_DNAME: &str = "a DNAME leads into another zone: NSD proves only that there is no wildcard, and not \
     that there is no such name; named does not follow it";

#[test]
fn ours_answers_as_nsd_or_named_do() {
    with_real_peers(&["named", "nsd", "dig", "dnssec-signzone"], |network| {
        let zones = files(network, &TOGETHER);
        asked_of_all(network, &zones, &zones, KNOWN);
    });
}

#[test]
fn a_root_server_of_ours_answers_as_nsd_or_named_do() {
    with_real_peers(&["named", "nsd", "dig", "dnssec-signzone"], |network| {
        let zones = files(network, &["."]);
        asked_of_all(network, &zones, &zones, &[]);
    });
}

#[test]
fn zone_files_of_every_kind_are_answered_from_as_nsd_or_named_do() {
    with_real_peers(&["named", "nsd", "dig", "named-checkzone"], |network| {
        let files = zone_files::all(network).into_iter().chain(zone_files::of_the_library(network));
        let good: Vec<_> = files.filter(|file| file.judged.is_ok()).collect();
        assert!(good.len() > 70, "{}", good.len());
        let zones: Vec<_> = good.iter().map(|file| (file.origin.clone(), file.path.clone())).collect();
        // NSD knows no $GENERATE.
        let written: Vec<_> = good.iter().map(|file| (file.origin.clone(), file.written())).collect();
        asked_of_all(network, &zones, &written, &[]);
    });
}

/// The names of zones of the tree, and their files.
fn files(network: &Network, names: &[&str]) -> Vec<(String, String)> {
    let file = |name: &&str| {
        let file = network.write(&file_of(name), &sign::all().texts[name]);
        ((*name).to_owned(), file)
    };
    names.iter().map(file).collect()
}

/// Asks about `zones`, of which NSD gets the files `for_nsd`.
fn asked_of_all(
    network: &Network,
    zones: &[(String, String)],
    for_nsd: &[(String, String)],
    known: &[Known],
) {
    network.add_address(NSD);
    network.add_address(NAMED);
    // It does not load all that named loads, and is not waited for in vain.
    let clauses: String = for_nsd.iter().map(servers::zone_of_nsd).collect();
    let _nsd = servers::start_nsd(network, "nsd-alone", &[NSD], &clauses, || servers::answers(NSD));
    let _named = servers::named_with(network, NAMED, zones);
    let asks: Vec<Ask> = zones.iter().flat_map(|(zone, _)| questions_for(network, zone)).collect();
    // A sample, where there are very many: every so manyth.
    let asks: Vec<Ask> = asks.iter().step_by(asks.len().div_ceil(MOST)).cloned().collect();
    let [nsd, named] = [NSD, NAMED].map(|server| dig::ask_all(network, server, &asks));
    let _ours = authority(network, zones, &[]);
    let ours = dig::ask_all(network, OURS, &asks);
    compare::all(&asks, &ours, &nsd, &named, known);
}

fn questions_for(network: &Network, zone: &str) -> Vec<Ask> {
    let all = dig::ask(network, NAMED, &format!("{zone} AXFR"));
    assert!(all.answer.len() > 2, "{zone}: {all}");
    questions::for_zone(&format!("{}.", zone.trim_matches('.')), &all.answer)
}
