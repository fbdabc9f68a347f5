//! Real servers ask ours: unbound forwards to our resolver and asks our authority, and believes of both
//! what it believes of the tree itself; named and NSD take over our zones; and ours forwards to unbound and to named.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dns;
mod support;

use dns::dig::Ask;
use dns::lookups::{self, Known};
use dns::ours::{OURS, authority, is_twin, recursor};
use dns::plan::{UNBOUND, file_of};
use dns::{Tree, dig, servers, sign, with_the_tree};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use support::{Network, with_real_peers};

/// The unbound that asks ours, or the named that ours asks.
const ASKS_OURS: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 55);
/// A server that takes over our zones.
const SECONDARY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 56);

/// What an unbound that asks ours finds, beside one that walks the tree.
fn compare(tree: &Tree<'_>, behind: &str, asks: &[Ask], known: &[Known]) {
    tree.network.add_address(ASKS_OURS);
    let _walker = tree.unbound();
    let (hints, anchor) = (tree.hints_file(), tree.anchor_file());
    let server = format!("root-hints: \"{hints}\"\n    trust-anchor-file: \"{anchor}\"");
    let _asking = servers::unbound(tree.network, "asks-ours", ASKS_OURS, &server, behind);
    let theirs = dig::ask_all(tree.network, UNBOUND, asks);
    let through_ours = dig::ask_all(tree.network, ASKS_OURS, asks);
    lookups::agree(asks, &through_ours, &theirs, known);
}

#[test]
fn unbound_finds_through_our_resolver_what_it_finds_in_the_tree() {
    with_the_tree(|tree| {
        let _ours = recursor(tree, &[]);
        let forward = format!("forward-zone:\n    name: \".\"\n    forward-addr: {OURS}\n");
        compare(tree, &forward, &lookups::sound(), &lookups::REFERS_TO_ITSELF);
    });
}

#[test]
fn unbound_believes_our_authority_of_signed_zones_and_of_others() {
    with_the_tree(|tree| {
        let names = [
            "plain.test",
            "rsa.test",
            "ecdsa.test",
            "ed25519.test",
            "optout.test",
            "bogus.test",
            "expired.test",
        ];
        let zones = names.map(|name| (name.to_owned(), tree.network.path(&file_of(name))));
        let _ours = authority(tree.network, &zones, &[]);
        let stub = |name| format!("stub-zone:\n    name: \"{name}\"\n    stub-addr: {OURS}\n");
        let stubs: String = names.into_iter().map(stub).collect();
        let asks: Vec<Ask> = lookups::all().into_iter().filter(|ask| is_below(ask, &names)).collect();
        assert!(asks.len() > 200);
        compare(tree, &stubs, &asks, &[]);
    });
}

fn is_below(ask: &Ask, zones: &[&str]) -> bool {
    let name = ask.words.split(' ').next().unwrap();
    zones.iter().any(|zone| name == *zone || name.ends_with(&format!(".{zone}")))
}

#[test]
fn our_resolver_finds_through_unbound_what_unbound_finds() {
    with_the_tree(|tree| {
        let _walker = tree.unbound();
        let _ours = recursor(tree, &["--forward", &UNBOUND.to_string()]);
        let asks = lookups::sound();
        let theirs = dig::ask_all(tree.network, UNBOUND, &asks);
        let ours = dig::ask_all(tree.network, OURS, &asks);
        lookups::agree(&asks, &ours, &theirs, &[]);
    });
}

#[test]
fn our_resolver_finds_through_named_what_named_finds() {
    with_the_tree(|tree| {
        tree.network.add_address(ASKS_OURS);
        let anchors = std::fs::read_to_string(tree.delv_anchor_file()).unwrap();
        let _walker = servers::named_resolver(tree.network, ASKS_OURS, &tree.hints_file(), &anchors);
        let asks = lookups::sound();
        let theirs = dig::ask_all(tree.network, ASKS_OURS, &asks);
        let authentic = theirs.iter().filter(|answer| answer.has("ad")).count();
        assert!(authentic > 100, "named validates: {authentic}");
        let _ours = recursor(tree, &["--forward", &ASKS_OURS.to_string()]);
        let ours = dig::ask_all(tree.network, OURS, &asks);
        lookups::agree(&asks, &ours, &theirs, &NAMED_SHOWS_LOOPS);
    });
}

/// Aliases that lead nowhere: named says SERVFAIL, too, but shows them; that one is an alias of itself is no failure
/// here.
const NAMED_SHOWS_LOOPS: [Known; 3] = [
    ("loop.plain.test", "named shows the aliases with the failure"),
    ("pool.plain.test", "named shows the aliases with the failure"),
    ("self.plain.test", "an alias of itself is all there is"),
];

/// Zones for others to take over.
const HANDED_OVER: [&str; 3] = ["plain.test", "rsa.test", "optout.test"];

#[test]
fn named_takes_over_our_zones_as_a_secondary() {
    handed_over(&["named", "nsd", "dig", "dnssec-signzone"], |network| {
        let zone = |name| {
            format!(
                "zone \"{name}\" {{ type secondary; primaries {{ {OURS}; }}; file \"{name}\"; masterfile-format text; }};\n"
            )
        };
        let zones: String = HANDED_OVER.into_iter().map(zone).collect();
        servers::start_named(network, "secondary", &format!("{SECONDARY};"), &zones)
    });
}

#[test]
fn nsd_takes_over_our_zones_as_a_secondary() {
    handed_over(&["nsd", "dig", "dnssec-signzone"], |network| {
        let zone = |name| {
            format!(
                "zone:\n  name: {name}\n  zonefile: secondary-{name}\n  request-xfr: AXFR {OURS} NOKEY\n  provide-xfr: 0.0.0.0/0 NOKEY\n"
            )
        };
        let zones: String = HANDED_OVER.into_iter().map(zone).collect();
        servers::start_nsd(network, "secondary", &[SECONDARY], &zones, || true)
    });
}

/// Starts a secondary beside ours; in the end it has the same records.
fn handed_over(
    programs: &'static [&'static str],
    secondary: impl FnOnce(&Network) -> support::Server + Send + 'static,
) {
    with_real_peers(programs, move |network| {
        network.add_address(SECONDARY);
        let zones = HANDED_OVER.map(|name| {
            let file = network.write(&file_of(name), &sign::all().texts[name]);
            (name.to_owned(), file)
        });
        let allow = ["--allow-axfr", "192.0.2.1/32"];
        let _ours = authority(network, &zones, if is_twin() { &[] } else { &allow });
        let secondary = secondary(network);
        for zone in HANDED_OVER {
            secondary.until(|| servers::is_served(SECONDARY, zone));
            let records = |server| -> BTreeSet<String> {
                dig::ask(network, server, &format!("{zone} AXFR")).answer.into_iter().collect()
            };
            let (ours, theirs) = (records(OURS), records(SECONDARY));
            assert!(ours.len() > 30, "{zone}: {ours:?}");
            assert_eq!(ours, theirs, "{zone}");
        }
    });
}
