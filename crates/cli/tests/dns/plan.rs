//! Which server has which zone, and where it is asked.

use super::sign::{Keys, Spoilt};
use std::net::Ipv4Addr;

/// A set of zones at addresses of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// named as seven of the root servers, and NSD as the other six.
    NamedRoot,
    NsdRoot,
    /// The registries.
    NamedTld,
    NsdTld,
    /// Everybody else.
    NamedLeaf,
    NsdLeaf,
    /// For a zone whose parent lies at `NamedLeaf` and `NsdLeaf`.
    NamedFar,
}

use Place::{NamedFar, NamedLeaf, NamedRoot, NamedTld, NsdLeaf, NsdRoot, NsdTld};

pub(crate) const NAMED: [Place; 4] = [NamedRoot, NamedTld, NamedLeaf, NamedFar];
pub(crate) const NSD: [Place; 3] = [NsdRoot, NsdTld, NsdLeaf];

const ROOTS: [Ipv4Addr; 13] = [
    Ipv4Addr::new(198, 41, 0, 4),
    Ipv4Addr::new(170, 247, 170, 2),
    Ipv4Addr::new(192, 33, 4, 12),
    Ipv4Addr::new(199, 7, 91, 13),
    Ipv4Addr::new(192, 203, 230, 10),
    Ipv4Addr::new(192, 5, 5, 241),
    Ipv4Addr::new(192, 112, 36, 4),
    Ipv4Addr::new(198, 97, 190, 53),
    Ipv4Addr::new(192, 36, 148, 17),
    Ipv4Addr::new(192, 58, 128, 30),
    Ipv4Addr::new(193, 0, 14, 129),
    Ipv4Addr::new(199, 7, 83, 42),
    Ipv4Addr::new(202, 12, 27, 33),
];

/// Where nobody answers, though somebody listens.
pub(crate) const SILENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 66);
/// Where the kernel says that nobody listens.
const CLOSED: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 67);
/// Where unbound is asked.
pub(crate) const UNBOUND: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 54);

impl Place {
    pub(crate) fn addresses(self) -> Vec<Ipv4Addr> {
        let documentation = |last| vec![Ipv4Addr::new(198, 51, 100, last)];
        match self {
            NamedRoot => ROOTS[..7].to_vec(),
            NsdRoot => ROOTS[7..].to_vec(),
            NamedTld => documentation(11),
            NsdTld => documentation(12),
            NamedLeaf => documentation(21),
            NsdLeaf => documentation(22),
            NamedFar => documentation(23),
        }
    }

    pub(crate) fn zones(self) -> impl Iterator<Item = &'static ZoneOf> {
        ZONES.iter().filter(move |zone| zone.at.contains(&self))
    }
}

/// Every address that the kernel must have.
pub(crate) fn addresses() -> Vec<Ipv4Addr> {
    let servers = NAMED.into_iter().chain(NSD).flat_map(Place::addresses);
    servers.chain([SILENT, CLOSED, UNBOUND]).collect()
}

/// The root servers as IANA's `named.root` writes them.
pub(crate) fn hints() -> String {
    let server = |(letter, address): (char, &Ipv4Addr)| {
        format!(". 3600000 NS {letter}.root-servers.net.\n{letter}.root-servers.net. 3600000 A {address}\n")
    };
    ('a'..='m').zip(&ROOTS).map(server).collect()
}

/// The name of the file that holds a zone.
pub(crate) fn file_of(zone: &str) -> String {
    format!("zones/{}", if zone == "." { "root" } else { zone })
}

/// A zone of the tree.
pub(crate) struct ZoneOf {
    pub(crate) name: &'static str,
    /// Its text, with `SERVERS` for the servers' names.
    pub(crate) text: &'static str,
    pub(crate) servers: &'static str,
    pub(crate) keys: Keys,
    /// What goes wrong with its signatures.
    pub(crate) spoilt: Spoilt,
    pub(crate) at: &'static [Place],
}

const NS1: &str = "ns1.hoster.test.";
const NS2: &str = "ns2.hoster.test.";

const SIGNED: &str = include_str!("zones/signed.zone");
const SMALL: &str = include_str!("zones/small.zone");
const INSECURE: &str = include_str!("zones/insecure.zone");

/// A zone whose text names its servers itself, or has `servers`.
const fn zone(name: &'static str, text: &'static str, servers: &'static str, at: &'static [Place]) -> ZoneOf {
    ZoneOf { name, text, servers, keys: Keys::None, spoilt: Spoilt::Nothing, at }
}

impl ZoneOf {
    const fn signed(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    const fn spoilt(mut self, spoilt: Spoilt) -> Self {
        self.spoilt = spoilt;
        self
    }
}

/// All of them, each below its parent: a parent's text has its children's DS records.
pub(crate) const ZONES: &[ZoneOf] = &[
    zone(".", include_str!("zones/root.zone"), "", &[NamedRoot, NsdRoot]).signed(Keys::EcdsaTwo),
    zone("test", include_str!("zones/test.zone"), "", &[NamedTld, NsdTld]).signed(Keys::RsaOptOut),
    zone("other", include_str!("zones/other.zone"), "", &[NamedTld, NsdTld]),
    zone("arpa", include_str!("zones/arpa.zone"), "", &[NamedTld]),
    zone("sub.other", include_str!("zones/sub.other.zone"), "", &[NamedLeaf, NsdLeaf]),
    zone("rsa.test", SIGNED, "ns1\n NS ns2\nns1 A 198.51.100.21\nns2 A 198.51.100.22", &[NamedLeaf, NsdLeaf])
        .signed(Keys::RsaNsec),
    zone("ecdsa.test", SIGNED, "ns\nns A 198.51.100.22", &[NsdLeaf]).signed(Keys::EcdsaNsec3),
    zone("p384.test", SIGNED, NS1, &[NamedLeaf]).signed(Keys::P384Nsec),
    zone("ed25519.test", SIGNED, NS1, &[NamedLeaf]).signed(Keys::Ed25519Nsec),
    zone("optout.test", SIGNED, "ns\nns A 198.51.100.22", &[NsdLeaf]).signed(Keys::EcdsaOptOut),
    zone("insecure.rsa.test", INSECURE, "", &[NamedLeaf]),
    zone("insecure.ecdsa.test", INSECURE, "", &[NamedLeaf]),
    zone("insecure.optout.test", INSECURE, "", &[NamedLeaf]),
    zone("plain.test", include_str!("zones/plain.test.zone"), "", &[NamedLeaf, NsdLeaf]),
    zone("sub.plain.test", include_str!("zones/sub.plain.test.zone"), "", &[NamedFar]),
    zone("hoster.test", include_str!("zones/hoster.test.zone"), "", &[NamedLeaf]),
    zone("bogus.test", SIGNED, NS2, &[NsdLeaf]).signed(Keys::Ed25519Nsec).spoilt(Spoilt::Data),
    zone("expired.test", SMALL, NS1, &[NamedLeaf]).signed(Keys::EcdsaNsec).spoilt(Spoilt::Expired),
    zone("early.test", SMALL, NS1, &[NamedLeaf]).signed(Keys::EcdsaNsec).spoilt(Spoilt::NotYet),
    zone("mismatch.test", SMALL, NS1, &[NamedLeaf]).signed(Keys::Ed25519Nsec).spoilt(Spoilt::NoDs),
    zone("stripped.test", SMALL, NS2, &[NsdLeaf]),
    zone("unknown.test", SMALL, NS2, &[NsdLeaf]),
    zone("lame.test", SMALL, "ns1.hoster.test.\n NS ns2.hoster.test.", &[NamedLeaf]),
    zone("dead.test", SMALL, "ns\n NS silent\nns A 198.51.100.21\nsilent A 198.51.100.66", &[NamedLeaf]),
];
