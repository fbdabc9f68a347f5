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

    /// The servers in a file such as IANA's named.root: the root's NS records, and the addresses of the
    /// names there. A server without an address is of no use, and left out.
    pub fn parse(text: &str) -> Result<Self, BadRootHints> {
        let mut servers: Vec<RootServer> = Vec::new();
        let mut addresses: Vec<(DnsName, IpAddr)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split(';').next().unwrap_or_default();
            match hint(line).map_err(|cause| BadRootHints { line: index + 1, cause })? {
                None => {}
                Some(Hint::Server(name)) => servers.push(RootServer { name, addresses: Vec::new() }),
                Some(Hint::Address(name, address)) => addresses.push((name, address)),
            }
        }
        for server in &mut servers {
            let own = addresses.iter().filter(|(name, _)| *name == server.name);
            server.addresses.extend(own.map(|(_, address)| *address));
        }
        servers.retain(|server| !server.addresses.is_empty());
        if servers.is_empty() {
            let cause = "it names no server of the root with its address, as `. NS a.root.test.` and \
                         `a.root.test. A 192.0.2.1`";
            return Err(BadRootHints { line: text.lines().count().max(1), cause: cause.to_owned() });
        }
        Ok(Self { servers })
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

/// A text holds no root hints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct BadRootHints {
    /// The line, counted from 1.
    pub line: usize,
    /// What is the matter.
    pub cause: String,
}

/// What a line of root hints says.
enum Hint {
    Server(DnsName),
    Address(DnsName, IpAddr),
}

/// A line, as `. 3600000 IN NS a.root-servers.net.`: none if it says nothing.
fn hint(line: &str) -> Result<Option<Hint>, String> {
    let mut words = line.split_whitespace();
    let Some(owner) = words.next() else { return Ok(None) };
    let name = |text: &str| DnsName::parse(text).map_err(|error| format!("`{text}` is no name: {error}"));
    let owner = name(owner)?;
    let is_ttl_or_class =
        |word: &&str| word.eq_ignore_ascii_case("IN") || word.bytes().all(|byte| byte.is_ascii_digit());
    let kind = words.find(|word| !is_ttl_or_class(word)).unwrap_or_default().to_ascii_uppercase();
    let data = words.next().ok_or_else(|| format!("`{}` is no record", line.trim()))?;
    let address = || data.parse().map_err(|_| format!("`{data}` is no address"));
    match kind.as_str() {
        "NS" if owner.is_root() => Ok(Some(Hint::Server(name(data)?))),
        "NS" => Err(format!("the root's servers are meant, not those of {owner}")),
        "A" | "AAAA" => Ok(Some(Hint::Address(owner, address()?))),
        _ => Err(format!("`{kind}` is none of NS, A and AAAA")),
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
    fn hints_are_read_as_iana_writes_them() {
        let text = "; the root\n.  3600000  NS  A.ROOT-SERVERS.NET.\nA.ROOT-SERVERS.NET. 3600000 A 198.41.0.4\n\
                    A.ROOT-SERVERS.NET. 3600000 IN AAAA 2001:503:ba3e::2:30\n. NS b.root.test. ; no address\n";
        let hints = RootHints::parse(text).unwrap();
        assert_eq!(hints.servers(), &RootHints::iana().servers()[..1]);
    }

    #[test]
    fn what_is_wrong_with_hints_is_said() {
        let error = |text: &str| RootHints::parse(text).unwrap_err().to_string();
        assert_eq!(error("\n. A 192.0.2\n"), "line 2: `192.0.2` is no address");
        assert_eq!(error(". SOA a. b."), "line 1: `SOA` is none of NS, A and AAAA");
        assert_eq!(error("test. NS a.root.test."), "line 1: the root's servers are meant, not those of test");
        assert!(error(". NS a.root.test.").contains("no server of the root with its address"));
    }

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
