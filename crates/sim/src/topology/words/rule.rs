//! What a router lets pass and where it sends it on to: filter rules, forwarded ports.

use super::Word;
use crate::router::{Action, BadRule, Filtering, Forward, Forwarded, Rule};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;

/// `allow`, `drop`, `reject`.
impl Word for Action {
    const NOUN: &'static str = "what may become of a packet, as \"allow\", \"drop\" or \"reject\"";

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|()| format!("`{text}` is not {}", Self::NOUN))
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// As RFC 4787 5 calls them.
impl Word for Filtering {
    const NOUN: &'static str = "who from outside may use a mapping, as \"endpoint-independent\", \
                                \"address-dependent\" or \"address-and-port-dependent\"";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "endpoint-independent" => Ok(Self::EndpointIndependent),
            "address-dependent" => Ok(Self::AddressDependent),
            "address-and-port-dependent" => Ok(Self::AddressAndPortDependent),
            _ => Err(format!("`{text}` is not {}", Self::NOUN)),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::EndpointIndependent => "endpoint-independent".to_owned(),
            Self::AddressDependent => "address-dependent".to_owned(),
            Self::AddressAndPortDependent => "address-and-port-dependent".to_owned(),
        }
    }
}

/// `80`, `1024-65535`.
impl Word for RangeInclusive<u16> {
    const NOUN: &'static str = "a port or a range of them, as \"80\" or \"1024-65535\"";

    fn read(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
            (Ok(first), Ok(last)) => Err(format!("`{text}` is empty; write {last}-{first}")),
            _ => Err(format!("`{text}` is not {}", Self::NOUN)),
        }
    }

    fn write(&self) -> String {
        match (self.start(), self.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        }
    }
}

/// `192.168.1.100-192.168.1.199`.
impl Word for RangeInclusive<Ipv4Addr> {
    const NOUN: &'static str = "a pool of addresses, as \"192.168.1.100-192.168.1.199\"";

    fn read(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').ok_or_else(|| format!("`{text}` is not {}", Self::NOUN))?;
        match (Ipv4Addr::read(first.trim())?, Ipv4Addr::read(last.trim())?) {
            (first, last) if first <= last => Ok(first..=last),
            (first, last) => Err(format!("`{text}` is empty; write {last}-{first}")),
        }
    }

    fn write(&self) -> String {
        format!("{}-{}", self.start(), self.end())
    }
}

/// `tcp 80 to 192.168.1.20:8080`.
impl Word for Forward {
    const NOUN: &'static str = "a forwarded port, as \"tcp 80 to 192.168.1.20:8080\"";

    fn read(text: &str) -> Result<Self, String> {
        let not = || format!("`{text}` is not {}", Self::NOUN);
        let words: Vec<_> = text.split_whitespace().collect();
        let [protocol, port, "to", to] = words.as_slice() else { return Err(not()) };
        let protocol = match *protocol {
            "tcp" => Forwarded::Tcp,
            "udp" => Forwarded::Udp,
            _ => return Err(not()),
        };
        let to: SocketAddrV4 = to.parse().map_err(|_| {
            let hint = if to.contains(':') { String::new() } else { format!("; write {to}:{port}") };
            format!("`{to}` is not an address and a port{hint}")
        })?;
        Ok(Self { protocol, port: port.parse().map_err(|_| not())?, to })
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// As [`Rule`] says it itself.
impl Word for Rule {
    const NOUN: &'static str = "a rule, as \"allow tcp from 10.0.0.0/8 to any port 80 in by 0\"";

    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|bad: BadRule| {
            let (wrong, cure) = bad.what.split_once("; ").unwrap_or((&bad.what, Self::NOUN));
            format!("{wrong} (column {} of the rule); {cure}", bad.column)
        })
    }

    fn write(&self) -> String {
        self.to_string()
    }
}
