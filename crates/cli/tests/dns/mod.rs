//! A tree of zones on real name servers, in a network namespace of its own: for our resolver to walk,
//! and for real resolvers and clients to see that it is as it should be.
//!
//! ```text
//!    .                  named, NSD     at the thirteen addresses of the Internet's root servers
//!    |- test            named, NSD     signed with RSA, NSEC3 with opt-out
//!    |   |- rsa, ecdsa, p384, ed25519, optout      signed, each in its own way
//!    |   |- plain, hoster                          not signed
//!    |   |- bogus, expired, early, mismatch ...    wrong, each in its own way
//!    |   '- lame, dead, closed, hen, egg ...       servers in trouble
//!    |- other           named, NSD     not signed, servers with names elsewhere
//!    '- arpa            named
//! ```
//!
//! [`plan`] says which server has which zone, [`sign`] makes their files from `zones/`, [`servers`]
//! starts them, and [`dig`] asks questions by the hundred and takes the answers apart.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the peers are made of the kernel's own sockets")]
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod compare;
pub(crate) mod dig;
pub(crate) mod lookups;
pub(crate) mod ours;
pub(crate) mod plan;
pub(crate) mod questions;
pub(crate) mod servers;
pub(crate) mod sign;
pub(crate) mod zone_files;

use crate::support::{Network, Server, with_real_peers};
use sign::Signed;
use std::net::UdpSocket;

/// What every test with the tree needs.
const PROGRAMS: &[&str] = &["named", "nsd", "unbound", "dig", "dnssec-keygen", "dnssec-signzone", "unshare"];

/// Runs `body` in a fresh namespace with the whole tree, once all its servers answer.
pub(crate) fn with_the_tree(body: impl FnOnce(&Tree<'_>) + Send + 'static) {
    with_real_peers(PROGRAMS, move |network| body(&Tree::grow(network)));
}

/// The tree. Its servers end with it.
pub(crate) struct Tree<'a> {
    pub(crate) network: &'a Network,
    pub(crate) zones: &'static Signed,
    _servers: Vec<Server>,
    /// Takes what is sent to it, and says nothing.
    _silent: UdpSocket,
}

impl<'a> Tree<'a> {
    fn grow(network: &'a Network) -> Self {
        for address in plan::addresses() {
            network.add_address(address);
        }
        let silent = UdpSocket::bind((plan::SILENT, 53)).unwrap();
        let zones = sign::all();
        for (name, text) in &zones.texts {
            network.write(&plan::file_of(name), text);
        }
        network.write("root.hints", plan::hints());
        network.write("root.key", &zones.anchor);
        let _servers = servers::start(network);
        Self { network, zones, _servers, _silent: silent }
    }

    /// Where the root's key lies, as a DNSKEY record.
    pub(crate) fn anchor_file(&self) -> String {
        self.network.path("root.key")
    }

    /// The same for `delv -a`.
    pub(crate) fn delv_anchor_file(&self) -> String {
        let key = self.zones.anchor.lines().find(|line| !line.starts_with(';')).unwrap();
        let (_, data) = key.split_once("DNSKEY ").unwrap();
        let fields: Vec<&str> = data.split_whitespace().collect();
        let key = format!("{} \"{}\"", fields[..3].join(" "), fields[3..].concat());
        self.network.write("delv.anchor", format!("trust-anchors {{ . static-key {key}; }};"))
    }

    /// Where the root hints lie, as `named.root` is written.
    pub(crate) fn hints_file(&self) -> String {
        self.network.path("root.hints")
    }

    /// unbound as a validating resolver that walks the tree, at [`plan::UNBOUND`].
    pub(crate) fn unbound(&self) -> Server {
        let (hints, anchor) = (self.hints_file(), self.anchor_file());
        let server = format!("root-hints: \"{hints}\"\n    trust-anchor-file: \"{anchor}\"");
        servers::unbound(self.network, "walker", plan::UNBOUND, &server, "")
    }
}
