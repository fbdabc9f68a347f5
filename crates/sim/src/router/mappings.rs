//! Which port outside is whose inside: endpoint-independent mappings (RFC 4787 4.1, RFC 5382 4.1,
//! RFC 5508 3.1). Whoever sends from one address and port inside has one port outside, whoever he sends to.

use super::conntrack::OutsidePort;
use super::nat::{Forward, Forwarded, NatConfig};
use super::packet::{ICMP, TCP, UDP};
use crate::entropy::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;

/// Ports that are tried by chance before they are tried in order.
const GUESSES: usize = 16;
/// RFC 4787 REQ-3a: who has a system port inside gets one outside.
const SYSTEM_PORTS: RangeInclusive<u16> = 1..=1_023;

/// The mappings of a router.
#[derive(Debug)]
pub(super) struct Mappings {
    pub(super) config: NatConfig,
    /// The address that all share.
    pub(super) address: Ipv4Addr,
    by_inside: BTreeMap<(u8, SocketAddrV4), u16>,
    by_outside: BTreeMap<OutsidePort, Mapping>,
    /// Ports of the router's own.
    reserved: BTreeSet<OutsidePort>,
}

#[derive(Debug)]
struct Mapping {
    inside: SocketAddrV4,
    /// Connections that use it.
    uses: usize,
    /// It is configured, and never goes away.
    is_forwarded: bool,
}

/// A port outside for somebody inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) port: u16,
    /// Why this one, if it is new.
    pub(super) why: Option<&'static str>,
}

/// Who has a port outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) inside: SocketAddrV4,
    pub(super) is_forwarded: bool,
}

impl Mappings {
    /// None yet but those of `forwards`. The error says what is wrong with them.
    pub(super) fn new(
        config: NatConfig,
        address: Ipv4Addr,
        forwards: &[Forward],
        reserved: BTreeSet<OutsidePort>,
    ) -> Result<Self, String> {
        if config.ports.is_empty() {
            let (first, last) = (config.ports.start(), config.ports.end());
            return Err(format!("a NAT with the ports {first}-{last}, which are none"));
        }
        let (by_inside, by_outside) = (BTreeMap::new(), BTreeMap::new());
        let mut mappings = Self { config, address, by_inside, by_outside, reserved };
        for forward in forwards {
            let protocol = match forward.protocol {
                Forwarded::Tcp => TCP,
                Forwarded::Udp => UDP,
            };
            let key = (protocol, forward.port);
            let mapping = Mapping { inside: forward.to, uses: 0, is_forwarded: true };
            if mappings.reserved.contains(&key) {
                return Err(format!("`{forward}`: the port is the router's own"));
            }
            if mappings.by_outside.insert(key, mapping).is_some() {
                return Err(format!("`{forward}`: the port leads elsewhere already"));
            }
            mappings.by_inside.entry((protocol, forward.to)).or_insert(forward.port);
        }
        Ok(mappings)
    }

    /// Who has this port outside.
    pub(super) fn holder(&self, key: OutsidePort) -> Option<Holder> {
        let mapping = self.by_outside.get(&key)?;
        Some(Holder { inside: mapping.inside, is_forwarded: mapping.is_forwarded })
    }

    /// The port outside of `inside`, its own or a new one; none if there is no room.
    pub(super) fn map(&mut self, protocol: u8, inside: SocketAddrV4, rng: &mut Rng) -> Option<Mapped> {
        if let Some(port) = self.by_inside.get(&(protocol, inside)) {
            return Some(Mapped { port: *port, why: None });
        }
        if self.by_outside.len() >= self.config.most {
            return None;
        }
        let (port, why) = match inside.port() {
            same if self.is_free((protocol, same)) => (same, "the same port is free"),
            taken => (self.another(protocol, taken, rng)?, "the same port is taken; drawn by lot"),
        };
        self.by_inside.insert((protocol, inside), port);
        self.by_outside.insert((protocol, port), Mapping { inside, uses: 0, is_forwarded: false });
        Some(Mapped { port, why: Some(why) })
    }

    /// One connection more uses the mapping.
    pub(super) fn hold(&mut self, key: OutsidePort) {
        if let Some(mapping) = self.by_outside.get_mut(&key) {
            mapping.uses += 1;
        }
    }

    /// One connection less does. Whose the port was, if it was the last.
    pub(super) fn release(&mut self, key: OutsidePort) -> Option<SocketAddrV4> {
        let mapping = self.by_outside.get_mut(&key)?;
        mapping.uses = mapping.uses.saturating_sub(1);
        if mapping.uses > 0 || mapping.is_forwarded {
            return None;
        }
        let inside = mapping.inside;
        self.by_outside.remove(&key);
        self.by_inside.remove(&(key.0, inside));
        Some(inside)
    }

    fn is_free(&self, key: OutsidePort) -> bool {
        !self.by_outside.contains_key(&key) && !self.reserved.contains(&key)
    }

    /// A port that nobody can foresee (RFC 6056 3.3.1, algorithm 2): by chance, and if too many are taken
    /// the next free one behind a chance one.
    fn another(&self, protocol: u8, like: u16, rng: &mut Rng) -> Option<u16> {
        let range = match protocol {
            ICMP => 0..=u16::MAX,
            _ if SYSTEM_PORTS.contains(&like) => SYSTEM_PORTS,
            _ => self.config.ports.clone(),
        };
        let (first, count) =
            (*range.start(), u64::from(*range.end()).checked_sub(u64::from(*range.start()))? + 1);
        let nth = |n: u64| first + u16::try_from(n % count).unwrap_or(0);
        let guesses = std::iter::repeat_with(|| nth(rng.below(count))).take(GUESSES);
        let free = |port: &u16| self.is_free((protocol, *port));
        let guessed = guesses.into_iter().find(free);
        guessed.or_else(|| {
            let start = rng.below(count);
            (0..count).map(|n| nth(start + n)).find(free)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);

    fn mappings(config: NatConfig, forwards: &[Forward]) -> Mappings {
        Mappings::new(config, ADDRESS, forwards, BTreeSet::from([(UDP, 520)])).unwrap()
    }

    fn inside(host: u8, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, host), port)
    }

    #[test]
    fn a_port_is_kept_if_it_is_free_and_drawn_by_lot_from_its_kind_otherwise() {
        let mut mappings = mappings(NatConfig::new(1), &[]);
        let mut rng = Rng::new(1, "router home");
        let mut map = |host, port| mappings.map(UDP, inside(host, port), &mut rng).unwrap().port;
        assert_eq!(map(10, 5_000), 5_000);
        assert_eq!(map(10, 5_000), 5_000, "the same mapping, whoever is written to");
        let second = map(11, 5_000);
        let third = map(12, 5_000);
        assert!(second != 5_000 && third != 5_000 && second != third);
        assert!(second >= 1_024);
        assert_eq!(map(10, 123), 123);
        assert!((1..=1_023).contains(&map(11, 123)), "RFC 4787 REQ-3a");
        assert_ne!(map(10, 520), 520, "the router's own");
    }

    #[test]
    fn the_last_free_port_is_found_and_then_there_is_none() {
        let config = NatConfig { ports: 40_000..=40_099, ..NatConfig::new(1) };
        let mut mappings = mappings(config, &[]);
        let mut rng = Rng::new(1, "router home");
        let mut ports = BTreeSet::new();
        mappings.map(TCP, inside(1, 7), &mut rng).unwrap();
        for host in 0..100 {
            ports.insert(mappings.another(TCP, 2_000, &mut rng).unwrap());
            let port = *ports.last().unwrap();
            mappings.map(TCP, inside(host, 39_999), &mut rng);
            assert!((40_000..=40_099).contains(&port));
        }
        assert!(mappings.map(TCP, inside(101, 39_999), &mut rng).is_some(), "99 of 100 are taken");
        assert_eq!(mappings.map(TCP, inside(102, 39_999), &mut rng), None);
    }

    #[test]
    fn a_table_of_two_has_room_for_two() {
        let mut mappings = mappings(NatConfig { most: 2, ..NatConfig::new(1) }, &[]);
        let mut rng = Rng::new(1, "router home");
        let first = mappings.map(UDP, inside(1, 1_111), &mut rng).unwrap();
        mappings.hold((UDP, first.port));
        assert!(mappings.map(UDP, inside(2, 2_222), &mut rng).is_some());
        assert_eq!(mappings.map(UDP, inside(3, 3_333), &mut rng), None);
        assert_eq!(mappings.release((UDP, first.port)), Some(inside(1, 1_111)));
        assert!(mappings.map(UDP, inside(3, 3_333), &mut rng).is_some());
    }

    #[test]
    fn a_forwarded_port_is_its_hosts_outwards_too() {
        let forward = Forward::tcp(80, inside(20, 8_080));
        let mut mappings = mappings(NatConfig::new(1), &[forward]);
        let mut rng = Rng::new(1, "router home");
        assert_eq!(mappings.map(TCP, inside(20, 8_080), &mut rng), Some(Mapped { port: 80, why: None }));
        assert_eq!(
            mappings.holder((TCP, 80)),
            Some(Holder { inside: inside(20, 8_080), is_forwarded: true })
        );
        let twice = Mappings::new(NatConfig::new(1), ADDRESS, &[forward, forward], BTreeSet::new());
        assert_eq!(twice.unwrap_err(), "`tcp 80 to 192.168.1.20:8080`: the port leads elsewhere already");
    }
}
