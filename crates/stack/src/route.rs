//! The routing table: longest prefix wins, and the answer says why (RFC 1122 3.3.1, RFC 1812 5.2.4.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// An IPv4 network: address and prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    network: Ipv4Addr,
    len: u8,
}

impl Prefix {
    /// Everything: `0.0.0.0/0`.
    pub const DEFAULT: Self = Self { network: Ipv4Addr::UNSPECIFIED, len: 0 };

    /// The network of one address alone.
    pub const fn host(address: Ipv4Addr) -> Self {
        Self { network: address, len: 32 }
    }

    /// The network of `len` bits that `address` lies in; none if `len` is above 32.
    pub fn new(address: Ipv4Addr, len: u8) -> Option<Self> {
        if len > 32 {
            return None;
        }
        let network = Ipv4Addr::from_bits(address.to_bits() & Self::mask_bits(len));
        Some(Self { network, len })
    }

    /// Whether `address` lies in this network.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & Self::mask_bits(self.len) == self.network.to_bits()
    }

    /// The prefix length in bits.
    pub const fn prefix_len(self) -> u8 {
        self.len
    }

    /// The network's own address.
    pub const fn network(self) -> Ipv4Addr {
        self.network
    }

    /// The directed broadcast address; none for /31 and /32 (RFC 3021).
    pub fn broadcast(self) -> Option<Ipv4Addr> {
        (self.len < 31).then(|| Ipv4Addr::from_bits(self.network.to_bits() | !Self::mask_bits(self.len)))
    }

    fn mask_bits(len: u8) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.len)
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which destinations.
    pub prefix: Prefix,
    /// Who gets their packets; none for destinations on the link itself.
    pub via: Option<Ipv4Addr>,
    /// Among rows of equal length the lowest wins.
    pub metric: u32,
}

/// The table of one host with one interface.
#[derive(Clone, Debug)]
pub struct RouteTable {
    interface: String,
    source: Ipv4Addr,
    rows: Vec<Route>,
}

/// What the table answered, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteDecision {
    /// For where.
    pub destination: IpAddr,
    /// The row that matched.
    pub row: Route,
    /// Who gets the packet next: the row's gateway, or the destination itself.
    pub next_hop: IpAddr,
    /// The interface's name.
    pub interface: String,
    /// The source address chosen.
    pub source: IpAddr,
    /// Why this row and no other, in words.
    pub why: String,
}

/// Why there is no way to a destination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// The host cannot send: it has no address.
    #[error("{destination}: this host has no address yet; ask for one by DHCP, or configure one")]
    NoAddress {
        /// For where.
        destination: IpAddr,
    },
    /// No row matches.
    #[error("no route to {destination}: no row of the routing table matches (is a gateway missing?)")]
    NoRow {
        /// For where.
        destination: IpAddr,
    },
    /// IPv6 does not work here yet.
    #[error("{destination} is an IPv6 address, and this stack speaks only IPv4 so far")]
    Ipv6 {
        /// For where.
        destination: IpAddr,
    },
    /// Not an address of one host.
    #[error("{destination} is not the address of one host ({what})")]
    NotUnicast {
        /// For where.
        destination: IpAddr,
        /// What it is instead.
        what: &'static str,
    },
}

impl RouteTable {
    /// A table with the one row that an interface's own address makes.
    pub fn new(interface: &str, source: Ipv4Addr, prefix_len: u8) -> Option<Self> {
        let prefix = Prefix::new(source, prefix_len)?;
        let rows = vec![Route { prefix, via: None, metric: 0 }];
        Some(Self { interface: interface.to_owned(), source, rows })
    }

    /// The table of an interface without an address: there is no way anywhere.
    pub fn nowhere(interface: &str) -> Self {
        Self { interface: interface.to_owned(), source: Ipv4Addr::UNSPECIFIED, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn add(&mut self, route: Route) {
        self.rows.push(route);
    }

    /// Whether a row of its own leads loopback addresses over the wire. RFC 1122 3.2.1.3 forbids it
    /// between hosts; to a gateway that stands for the very machine that this host runs on, it is
    /// the way to that machine's loopback.
    pub fn carries_loopback(&self) -> bool {
        self.rows.iter().any(|row| row.prefix.network().is_loopback())
    }

    /// The rows, in the order in which they were added.
    pub fn rows(&self) -> &[Route] {
        &self.rows
    }

    /// A row as people write it: `0.0.0.0/0 via 10.0.0.1 dev eth0`.
    pub fn describe(&self, row: &Route) -> String {
        let interface = &self.interface;
        match row.via {
            Some(gateway) => format!("{} via {gateway} dev {interface}", row.prefix),
            None => format!("{} dev {interface}", row.prefix),
        }
    }

    /// Where packets for `destination` go. The longest prefix wins, then the lowest metric, then
    /// the row that was there first.
    pub fn lookup(&self, destination: IpAddr) -> Result<RouteDecision, NoRoute> {
        let IpAddr::V4(address) = destination else {
            return Err(NoRoute::Ipv6 { destination });
        };
        if self.source.is_unspecified() {
            return Err(NoRoute::NoAddress { destination });
        }
        if address.is_unspecified() {
            return Err(NoRoute::NotUnicast { destination, what: "the unspecified address" });
        }
        if address.is_multicast() {
            return Err(NoRoute::NotUnicast { destination, what: "a multicast group" });
        }
        if address.is_loopback() && !self.carries_loopback() {
            return Err(NoRoute::NotUnicast {
                destination,
                what: "a loopback address: it never leaves its own host",
            });
        }
        let mut on_link = self.rows.iter().filter(|row| row.via.is_none());
        if address.is_broadcast() || on_link.any(|row| row.prefix.broadcast() == Some(address)) {
            return Err(NoRoute::NotUnicast { destination, what: "a broadcast address" });
        }
        let matching = || self.rows.iter().filter(|row| row.prefix.contains(address));
        let Some(best) = matching().min_by_key(|row| (32 - row.prefix.prefix_len(), row.metric)) else {
            return Err(NoRoute::NoRow { destination });
        };
        let equals = matching().filter(|row| row.prefix == best.prefix).count();
        let why = reason(best, matching().count(), equals);
        Ok(RouteDecision {
            destination,
            row: *best,
            next_hop: best.via.unwrap_or(address).into(),
            interface: self.interface.clone(),
            source: self.source.into(),
            why,
        })
    }
}

/// Why `best` of `matching` rows, `equals` of which are as long.
fn reason(best: &Route, matching: usize, equals: usize) -> String {
    let len = best.prefix.prefix_len();
    match (matching, equals) {
        (1, _) => "the only row that matches".to_owned(),
        (_, 1) => format!("longest prefix of {matching} rows that match (/{len})"),
        _ => format!("lowest metric ({}) of {equals} rows for /{len}", best.metric),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Ipv4Addr {
        text.parse().expect("an IPv4 address")
    }

    fn prefix(text: &str) -> Prefix {
        let (network, len) = text.split_once('/').expect("address/length");
        Prefix::new(address(network), len.parse().expect("a number")).expect("a prefix")
    }

    fn via(network: &str, gateway: &str, metric: u32) -> Route {
        Route { prefix: prefix(network), via: Some(address(gateway)), metric }
    }

    /// 10.0.0.2/24 with a default route.
    fn table() -> RouteTable {
        let mut table = RouteTable::new("eth0", address("10.0.0.2"), 24).expect("a prefix");
        table.add(via("0.0.0.0/0", "10.0.0.1", 0));
        table
    }

    fn ask(table: &RouteTable, destination: &str) -> Result<RouteDecision, NoRoute> {
        table.lookup(destination.parse().expect("an address"))
    }

    #[track_caller]
    fn assert_goes(table: &RouteTable, destination: &str, next_hop: &str, row: &str) {
        let decision = ask(table, destination).expect("a route");
        assert_eq!(decision.next_hop.to_string(), next_hop);
        assert_eq!(table.describe(&decision.row), row);
    }

    #[test]
    fn what_is_on_the_link_is_its_own_next_hop() {
        let decision = ask(&table(), "10.0.0.77").expect("a route");
        assert_eq!(decision.next_hop, decision.destination);
        assert_eq!(decision.interface, "eth0");
        assert_eq!(decision.source, IpAddr::V4(address("10.0.0.2")));
        assert_eq!(decision.row.via, None);
        assert_goes(&table(), "10.0.0.77", "10.0.0.77", "10.0.0.0/24 dev eth0");
    }

    #[test]
    fn everything_else_goes_to_the_gateway() {
        assert_goes(&table(), "192.0.2.1", "10.0.0.1", "0.0.0.0/0 via 10.0.0.1 dev eth0");
    }

    #[test]
    fn the_longest_prefix_wins_whatever_the_order_and_the_metric() {
        let mut table = table();
        table.add(via("192.0.2.128/25", "10.0.0.5", 900));
        table.add(via("192.0.2.0/24", "10.0.0.4", 0));
        assert_goes(&table, "192.0.2.200", "10.0.0.5", "192.0.2.128/25 via 10.0.0.5 dev eth0");
        assert_goes(&table, "192.0.2.100", "10.0.0.4", "192.0.2.0/24 via 10.0.0.4 dev eth0");
        assert_goes(&table, "192.0.3.1", "10.0.0.1", "0.0.0.0/0 via 10.0.0.1 dev eth0");
    }

    #[test]
    fn of_equal_prefixes_the_lowest_metric_wins_then_the_first() {
        let mut table = table();
        table.add(via("192.0.2.0/24", "10.0.0.4", 20));
        table.add(via("192.0.2.0/24", "10.0.0.5", 10));
        table.add(via("192.0.2.0/24", "10.0.0.6", 10));
        assert_goes(&table, "192.0.2.1", "10.0.0.5", "192.0.2.0/24 via 10.0.0.5 dev eth0");
    }

    #[test]
    fn the_reason_says_how_many_rows_matched_and_what_decided() {
        let mut table = table();
        assert_eq!(ask(&table, "192.0.2.1").expect("a route").why, "the only row that matches");
        table.add(via("192.0.2.0/24", "10.0.0.4", 0));
        let why = ask(&table, "192.0.2.1").expect("a route").why;
        assert_eq!(why, "longest prefix of 2 rows that match (/24)");
        table.add(via("192.0.2.0/24", "10.0.0.5", 7));
        let why = ask(&table, "192.0.2.1").expect("a route").why;
        assert_eq!(why, "lowest metric (0) of 2 rows for /24");
    }

    #[test]
    fn without_a_default_route_the_error_asks_for_a_gateway() {
        let table = RouteTable::new("eth0", address("10.0.0.2"), 24).expect("a prefix");
        let error = ask(&table, "192.0.2.1").expect_err("no row matches");
        assert_eq!(error, NoRoute::NoRow { destination: IpAddr::V4(address("192.0.2.1")) });
        assert!(error.to_string().contains("gateway"));
    }

    #[test]
    fn ipv6_and_what_is_no_single_host_are_refused() {
        let table = table();
        assert!(matches!(ask(&table, "2001:db8::1"), Err(NoRoute::Ipv6 { .. })));
        for destination in ["0.0.0.0", "224.0.0.1", "127.0.0.1", "255.255.255.255", "10.0.0.255"] {
            assert!(matches!(ask(&table, destination), Err(NoRoute::NotUnicast { .. })), "{destination}");
        }
    }

    #[test]
    fn a_link_of_two_has_no_broadcast_address() {
        let table = RouteTable::new("tun0", address("10.0.0.0"), 31).expect("a prefix");
        assert_goes(&table, "10.0.0.1", "10.0.0.1", "10.0.0.0/31 dev tun0");
        assert!(ask(&table, "10.0.0.2").is_err());
        assert_eq!(prefix("10.0.0.0/31").broadcast(), None);
    }

    #[test]
    fn a_host_route_is_for_one_address_alone() {
        let mut table = table();
        table.add(via("192.0.2.1/32", "10.0.0.9", 0));
        assert_goes(&table, "192.0.2.1", "10.0.0.9", "192.0.2.1/32 via 10.0.0.9 dev eth0");
        assert_goes(&table, "192.0.2.2", "10.0.0.1", "0.0.0.0/0 via 10.0.0.1 dev eth0");
        assert_eq!(prefix("192.0.2.1/32").broadcast(), None);
    }

    #[test]
    fn a_prefix_forgets_the_host_bits_and_knows_its_broadcast() {
        assert_eq!(prefix("10.1.2.3/20").to_string(), "10.1.0.0/20");
        assert_eq!(prefix("10.1.2.3/20").broadcast(), Some(address("10.1.15.255")));
        assert!(Prefix::DEFAULT.contains(address("203.0.113.9")));
        assert_eq!(Prefix::new(address("10.0.0.0"), 33), None);
    }
}
