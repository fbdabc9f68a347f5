//! Where every walk begins: the servers of the root zone (RFC 1034 5.3.2: the "safety belt").

use crate::name::{DnsName, NameError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IANA's root hints (<https://www.internic.net/domain/named.root>): letter, IPv4 and IPv6 address.
const IANA: [(char, Ipv4Addr, Ipv6Addr); 13] = [
    ('a', Ipv4Addr::new(198, 41, 0, 4), Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)),
    ('b', Ipv4Addr::new(170, 247, 170, 2), Ipv6Addr::new(0x2801, 0x1b8, 0x10, 0, 0, 0, 0, 0xb)),
    ('c', Ipv4Addr::new(192, 33, 4, 12), Ipv6Addr::new(0x2001, 0x500, 0x2, 0, 0, 0, 0, 0xc)),
    ('d', Ipv4Addr::new(199, 7, 91, 13), Ipv6Addr::new(0x2001, 0x500, 0x2d, 0, 0, 0, 0, 0xd)),
    ('e', Ipv4Addr::new(192, 203, 230, 10), Ipv6Addr::new(0x2001, 0x500, 0xa8, 0, 0, 0, 0, 0xe)),
    ('f', Ipv4Addr::new(192, 5, 5, 241), Ipv6Addr::new(0x2001, 0x500, 0x2f, 0, 0, 0, 0, 0xf)),
    ('g', Ipv4Addr::new(192, 112, 36, 4), Ipv6Addr::new(0x2001, 0x500, 0x12, 0, 0, 0, 0, 0xd0d)),
    ('h', Ipv4Addr::new(198, 97, 190, 53), Ipv6Addr::new(0x2001, 0x500, 0x1, 0, 0, 0, 0, 0x53)),
    ('i', Ipv4Addr::new(192, 36, 148, 17), Ipv6Addr::new(0x2001, 0x7fe, 0, 0, 0, 0, 0, 0x53)),
    ('j', Ipv4Addr::new(192, 58, 128, 30), Ipv6Addr::new(0x2001, 0x503, 0xc27, 0, 0, 0, 2, 0x30)),
    ('k', Ipv4Addr::new(193, 0, 14, 129), Ipv6Addr::new(0x2001, 0x7fd, 0, 0, 0, 0, 0, 0x1)),
    ('l', Ipv4Addr::new(199, 7, 83, 42), Ipv6Addr::new(0x2001, 0x500, 0x9f, 0, 0, 0, 0, 0x42)),
    ('m', Ipv4Addr::new(202, 12, 27, 33), Ipv6Addr::new(0x2001, 0xdc3, 0, 0, 0, 0, 0, 0x35)),
];

/// The servers of the root zone, by name and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootHints {
    servers: Vec<RootServer>,
}

/// A server of the root zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootServer {
    /// Its name, as `a.root-servers.net`.
    pub name: DnsName,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

impl RootHints {
    /// The thirteen of the Internet, `a.root-servers.net` to `m.root-servers.net`.
    pub fn iana() -> Self {
        let server = |(letter, v4, v6): &(char, Ipv4Addr, Ipv6Addr)| {
            let name = DnsName::host(&format!("{letter}.root-servers.net")).ok()?;
            Some(RootServer { name, addresses: vec![(*v4).into(), (*v6).into()] })
        };
        Self { servers: IANA.iter().filter_map(server).collect() }
    }

    /// The servers of a root zone of one's own, as `("a.root.test", "192.0.2.1".parse()?)`.
    pub fn new<'a>(servers: impl IntoIterator<Item = (&'a str, IpAddr)>) -> Result<Self, NameError> {
        let server =
            |(name, address)| Ok(RootServer { name: DnsName::host(name)?, addresses: vec![address] });
        Ok(Self { servers: servers.into_iter().map(server).collect::<Result<_, _>>()? })
    }

    /// Servers of a root zone that are known by their addresses alone.
    pub(crate) fn at(addresses: impl Iterator<Item = IpAddr>) -> Self {
        let server =
            |address: IpAddr| RootServer { name: DnsName::reverse(address), addresses: vec![address] };
        Self { servers: addresses.map(server).collect() }
    }

    /// The servers, in the order in which they were named.
    pub fn servers(&self) -> &[RootServer] {
        &self.servers
    }
}

impl Default for RootHints {
    fn default() -> Self {
        Self::iana()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thirteen_and_each_has_its_own_addresses() {
        let hints = RootHints::iana();
        assert_eq!(hints.servers().len(), 13);
        let addresses: std::collections::BTreeSet<IpAddr> =
            hints.servers().iter().flat_map(|server| server.addresses.clone()).collect();
        assert_eq!(addresses.len(), 26);
        let k = &hints.servers()[10];
        assert_eq!(
            (k.name.as_str(), k.addresses[0].to_string()),
            ("k.root-servers.net", "193.0.14.129".into())
        );
    }
}
