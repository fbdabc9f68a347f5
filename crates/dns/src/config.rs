//! How names are to be resolved.

use crate::cache::CacheConfig;
use crate::dnssec::{Limits, TrustAnchors};
use crate::hints::RootHints;
use crate::hosts_file::HostsFile;
use crate::iterate::IterateConfig;
pub use crate::message::DNS_PORT;
use crate::name::{DnsName, NameError};
use crate::resolv_conf::ResolvConf;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// How names are to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverConfig {
    /// The name servers, in the order in which they are asked. None: only what is known here can be
    /// resolved.
    pub servers: Vec<SocketAddr>,
    /// How long a server is given for each answer. 5 s.
    pub timeout: Duration,
    /// How often a silent server is asked. 2.
    pub attempts: u32,
    /// The hosts file.
    pub hosts: HostsFile,
    /// What the user said (`--resolve`).
    pub overrides: Vec<Override>,
    /// Domains to try behind a name with fewer dots than `ndots`.
    pub search: Vec<DnsName>,
    /// A name with at least so many dots is tried as it stands first. 1.
    pub ndots: usize,
    /// Whether EDNS(0) is offered (RFC 6891). Yes.
    pub edns: bool,
    /// Whether the servers are asked over TCP from the start. No.
    pub use_tcp: bool,
    /// How much is kept, and how long.
    pub cache: CacheConfig,
    /// Check whether answers are what the zones' owners signed, from these trust anchors on. No.
    pub validate: Option<TrustAnchors>,
    /// What that may cost.
    pub validation: Limits,
    /// Walk down from the root instead of asking `servers`. No.
    pub iterate: Option<Iterating>,
}

/// Where the walk down from the root begins, and how it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Iterating {
    /// The root's servers.
    pub hints: RootHints,
    /// How the walk goes about it.
    pub config: IterateConfig,
}

impl Default for ResolverConfig {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_secs(5),
            attempts: 2,
            hosts: HostsFile::default(),
            overrides: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            edns: true,
            use_tcp: false,
            cache: CacheConfig::default(),
            validate: None,
            validation: Limits::default(),
            iterate: None,
        }
    }
}

impl ResolverConfig {
    /// Everything as is usual, and one name server on port 53.
    pub fn with_server(server: IpAddr) -> Self {
        Self { servers: vec![SocketAddr::new(server, DNS_PORT)], ..Self::default() }
    }
}

impl From<&ResolvConf> for ResolverConfig {
    fn from(conf: &ResolvConf) -> Self {
        Self {
            servers: conf.servers.iter().map(|server| SocketAddr::new(*server, DNS_PORT)).collect(),
            timeout: conf.timeout,
            attempts: conf.attempts,
            search: conf.search.clone(),
            ndots: conf.ndots,
            use_tcp: conf.use_tcp,
            ..Self::default()
        }
    }
}

/// Addresses that the user gives a name by hand, as curl's `--resolve HOST:PORT:ADDRESS[,ADDRESS]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The name; none for all of them (`*`).
    pub name: Option<DnsName>,
    /// The port that it is about; none for every one.
    pub port: Option<u16>,
    /// The addresses.
    pub addresses: Vec<IpAddr>,
}

impl Override {
    /// Whether it is about this name and port; a lookup for no port in particular takes any.
    pub fn matches(&self, name: &DnsName, port: Option<u16>) -> bool {
        self.name.as_ref().is_none_or(|own| own == name)
            && (self.port.is_none() || port.is_none() || self.port == port)
    }
}

/// A text is not `HOST:PORT:ADDRESS[,ADDRESS]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// Something is missing.
    #[error("{0:?} is not HOST:PORT:ADDRESS[,ADDRESS...]")]
    Shape(String),
    /// Not a host.
    #[error("{0:?} is not a host name: {1}")]
    Name(String, #[source] NameError),
    /// Not a port.
    #[error("{0:?} is not a port (1 to 65535)")]
    Port(String),
    /// Not an address.
    #[error("{0:?} is not an IP address")]
    Address(String),
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        // curl's leading + lets an entry expire; ours end with the process in any case.
        let plain = text.strip_prefix('+').unwrap_or(text);
        let mut fields = plain.splitn(3, ':');
        let (Some(host), Some(port), Some(addresses)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(OverrideError::Shape(text.to_owned()));
        };
        let name = match host {
            "*" => None,
            host => Some(DnsName::host(host).map_err(|error| OverrideError::Name(host.to_owned(), error))?),
        };
        let port = match port.parse() {
            Ok(port) if port != 0 => Some(port),
            _ => return Err(OverrideError::Port(port.to_owned())),
        };
        let addresses = addresses
            .split(',')
            .map(|address| parse_address(address).ok_or_else(|| OverrideError::Address(address.to_owned())))
            .collect::<Result<_, _>>()?;
        Ok(Self { name, port, addresses })
    }
}

/// An address, an IPv6 one in brackets or not.
pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(inside) => inside.parse().ok().filter(IpAddr::is_ipv6),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_written_as_curls() {
        let one: Override = "www.Example.test:443:192.0.2.80,[2001:db8::1]".parse().unwrap();
        assert_eq!(one.name, Some(DnsName::host("www.example.test").unwrap()));
        assert_eq!(one.port, Some(443));
        assert_eq!(one.addresses, ["192.0.2.80".parse::<IpAddr>().unwrap(), "2001:db8::1".parse().unwrap()]);
        assert_eq!("+*:80:10.0.0.1".parse::<Override>().unwrap().name, None);
        assert_eq!("x:80:2001:db8::1".parse::<Override>().unwrap().addresses.len(), 1);
    }

    #[test]
    fn what_is_wrong_with_an_override_is_said() {
        let error = |text: &str| text.parse::<Override>().unwrap_err();
        assert_eq!(error("www.test"), OverrideError::Shape("www.test".into()));
        assert_eq!(error("www.test:http:10.0.0.1"), OverrideError::Port("http".into()));
        assert_eq!(error("www.test:0:10.0.0.1"), OverrideError::Port("0".into()));
        assert_eq!(error("www.test:80:"), OverrideError::Address(String::new()));
        assert_eq!(error("www.test:80:[10.0.0.1]"), OverrideError::Address("[10.0.0.1]".into()));
        assert!(matches!(error("a b:80:10.0.0.1"), OverrideError::Name(..)));
    }

    #[test]
    fn an_override_is_about_its_port_unless_no_port_is_asked_for() {
        let one: Override = "www.test:443:192.0.2.80".parse().unwrap();
        let name = DnsName::host("www.test").unwrap();
        assert!(one.matches(&name, Some(443)) && one.matches(&name, None));
        assert!(!one.matches(&name, Some(80)));
        assert!(!one.matches(&DnsName::host("test").unwrap(), Some(443)));
    }
}
