//! Addresses, networks, routes, and the ends of cables.

use super::Word;
use glasstack_journal::event::MacAddress;
use glasstack_stack::Prefix;
use std::net::Ipv4Addr;

/// An address and the length of its network's prefix: `192.168.1.10/24` (RFC 4632 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr {
    /// The address of the host itself.
    pub address: Ipv4Addr,
    /// The length of the prefix, in bits, up to 32.
    pub prefix_len: u8,
}

impl Cidr {
    /// `address/prefix_len`. Lengths above 32 are refused when the topology is checked.
    pub const fn new(address: Ipv4Addr, prefix_len: u8) -> Self {
        Self { address, prefix_len }
    }

    /// The network it is in; none if the length is above 32.
    pub fn network(self) -> Option<Prefix> {
        Prefix::new(self.address, self.prefix_len)
    }
}

impl Word for Cidr {
    const NOUN: &'static str = "an address in CIDR form, as \"192.168.1.10/24\"";

    fn read(text: &str) -> Result<Self, String> {
        let Some((address, length)) = text.split_once('/') else {
            return Err(match text.parse::<Ipv4Addr>() {
                Ok(_) => format!("`{text}` has no prefix length; write {text}/24 if its network has 24 bits"),
                Err(_) => format!("`{text}` is not {}", Self::NOUN),
            });
        };
        let address = Ipv4Addr::read(address)?;
        match length.parse() {
            Ok(prefix_len @ 0..=32) => Ok(Self { address, prefix_len }),
            _ => Err(format!("`{length}` is not the length of a prefix; it has 0 to 32 bits")),
        }
    }

    fn write(&self) -> String {
        format!("{}/{}", self.address, self.prefix_len)
    }
}

impl Word for Ipv4Addr {
    const NOUN: &'static str = "an IPv4 address, as \"192.168.1.1\"";

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("`{text}` is not {}", Self::NOUN))
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Word for MacAddress {
    const NOUN: &'static str = "a MAC address, as \"02:00:00:00:00:01\"";

    fn read(text: &str) -> Result<Self, String> {
        let not = || format!("`{text}` is not {}", Self::NOUN);
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2).ok_or_else(not)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| not())?;
        }
        match (parts.next(), Self(bytes)) {
            (Some(_), _) => Err(not()),
            (None, mac) if mac.is_multicast() => Err(format!(
                "`{text}` is the address of a group (its first byte is odd); a card has one of its own"
            )),
            (None, mac) => Ok(mac),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// Where a host has its address from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAddress {
    /// It is configured.
    Static(Cidr),
    /// It asks for one (RFC 2131).
    Dhcp,
}

impl Word for HostAddress {
    const NOUN: &'static str = "an address in CIDR form, as \"192.168.1.10/24\", or \"dhcp\"";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "dhcp" => Ok(Self::Dhcp),
            _ if text.contains('/') || text.parse::<Ipv4Addr>().is_ok() => Cidr::read(text).map(Self::Static),
            _ => Err(format!("`{text}` is not {}", Self::NOUN)),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Static(cidr) => cidr.write(),
            Self::Dhcp => "dhcp".to_owned(),
        }
    }
}

/// A row of a routing table: `0.0.0.0/0 via 203.0.113.1`, or `default via ..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// Which destinations.
    pub to: Prefix,
    /// The next router.
    pub via: Ipv4Addr,
}

impl RouteSpec {
    /// Packets to `to` go to the router `via`.
    pub const fn new(to: Prefix, via: Ipv4Addr) -> Self {
        Self { to, via }
    }

    /// Everything goes to the router `via`.
    pub const fn default_via(via: Ipv4Addr) -> Self {
        Self { to: Prefix::DEFAULT, via }
    }
}

impl Word for RouteSpec {
    const NOUN: &'static str = "a route, as \"0.0.0.0/0 via 203.0.113.1\"";

    fn read(text: &str) -> Result<Self, String> {
        let mut parts = text.split_whitespace();
        let (Some(to), Some("via"), Some(via), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("`{text}` is not {}", Self::NOUN));
        };
        let via = Ipv4Addr::read(via)?;
        let to = if to == "default" { Prefix::DEFAULT } else { Prefix::read(to)? };
        Ok(Self { to, via })
    }

    fn write(&self) -> String {
        format!("{} via {}", self.to, self.via)
    }
}

impl Word for Prefix {
    const NOUN: &'static str = "a network, as \"10.0.0.0/8\"";

    fn read(text: &str) -> Result<Self, String> {
        let cidr = Cidr::read(text)?;
        match cidr.network() {
            Some(network) if network.network() == cidr.address => Ok(network),
            Some(network) => {
                Err(format!("`{text}` is an address within a network; the network is {network}"))
            }
            None => Err(format!("`{text}` is not {}", Self::NOUN)),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// One end of a cable: a node, and perhaps which of its ports, counted from 0: `home:1`. Without a port
/// the lowest free one is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// The node's name.
    pub node: String,
    /// Its port.
    pub port: Option<usize>,
}

impl From<&str> for End {
    /// What follows the last colon is a port if it is a number.
    fn from(text: &str) -> Self {
        match text.rsplit_once(':').map(|(node, port)| (node, port.parse())) {
            Some((node, Ok(port))) => Self { node: node.to_owned(), port: Some(port) },
            _ => Self { node: text.to_owned(), port: None },
        }
    }
}

impl From<(&str, usize)> for End {
    fn from((node, port): (&str, usize)) -> Self {
        Self { node: node.to_owned(), port: Some(port) }
    }
}

impl From<String> for End {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl Word for End {
    const NOUN: &'static str = "a node or a port of it, as \"client\" or \"home:1\"";

    fn read(text: &str) -> Result<Self, String> {
        Ok(text.into())
    }

    fn write(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.node),
            None => self.node.clone(),
        }
    }
}
