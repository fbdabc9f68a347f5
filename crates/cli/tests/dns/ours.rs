//! `glasstack dnsd` on the TAP.
//!
//! With `TWIN=1` NSD and unbound stand in its place, at its address: do the tests hold for them?

use super::Tree;
use super::servers::{self, answers};
use crate::support::{Network, ON_THE_TAP, PROGRAM, Server};
use std::net::Ipv4Addr;

/// Where it is asked.
pub(crate) const OURS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// `glasstack dnsd` with these words, once it answers.
#[track_caller]
pub(crate) fn dnsd(network: &Network, words: &[&str]) -> Server {
    let words: Vec<&str> = ["dnsd"].iter().chain(words).chain(&ON_THE_TAP).copied().collect();
    Server::start_until(network, "dnsd", PROGRAM, &words, || answers(OURS))
}

/// The same, with authority for zones (name and file) and with more words.
#[track_caller]
pub(crate) fn authority(network: &Network, zones: &[(String, String)], more: &[&str]) -> Server {
    if is_twin() {
        network.add_address(OURS);
        return servers::nsd(network, "twin", &[OURS], zones);
    }
    let mut words = more.to_vec();
    let zones: Vec<String> = zones.iter().map(|(name, file)| format!("{name}={file}")).collect();
    words.extend(zones.iter().flat_map(|zone| ["--zone", zone.as_str()]));
    dnsd(network, &words)
}

/// The same, as a resolver that walks the tree and believes its root's key.
#[track_caller]
pub(crate) fn recursor(tree: &Tree<'_>, more: &[&str]) -> Server {
    let (hints, anchor) = (tree.hints_file(), tree.anchor_file());
    if is_twin() {
        tree.network.add_address(OURS);
        let server = format!("root-hints: \"{hints}\"\n    trust-anchor-file: \"{anchor}\"");
        return servers::unbound(tree.network, "twin", OURS, &server, "");
    }
    let words = ["--recursive", "--root-hints", &hints, "--trust-anchor", &anchor];
    dnsd(tree.network, &[&words, more].concat())
}

pub(crate) fn is_twin() -> bool {
    std::env::var_os("TWIN").is_some()
}
