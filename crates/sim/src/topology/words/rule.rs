//! What a router lets pass and where it sends it on to: filter rules, forwarded ports.

use super::Word;
use crate::router::{Action, Filtering, Forward, Forwarded, Protocol, Rule, Side};
use glasstack_stack::Prefix;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;

/// `allow`, `drop`, `reject`.
impl Word for Action {
    const NOUN: &'static str = "what may become of a packet, as \"allow\", \"drop\" or \"reject\"";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "allow" => Ok(Self::Allow),
            "drop" => Ok(Self::Drop),
            "reject" => Ok(Self::Reject),
            _ => Err(format!("`{text}` is not {}", Self::NOUN)),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Allow => "allow".to_owned(),
            Self::Drop => "drop".to_owned(),
            Self::Reject => "reject".to_owned(),
        }
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

/// How a rule is written.
const RULE: &str = "a rule is ACTION [established] [tcp|udp|icmp|NUMBER] [from NETWORK|any [port N]] \
                    [to NETWORK|any [port N]] [in by PORT] [out by PORT]";

/// `allow established`, `drop tcp from 10.0.0.0/8 to any port 25 out by 1`.
impl Word for Rule {
    const NOUN: &'static str = "a rule, as \"allow tcp from 10.0.0.0/8 to any port 80 in by 0\"";

    fn read(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace().peekable();
        let action = words.next().ok_or_else(|| format!("an empty rule; {RULE}"))?;
        let action = Action::read(action).map_err(|_| {
            format!("a rule begins with \"allow\", \"drop\" or \"reject\", not with `{action}`; {RULE}")
        })?;
        let mut rule = Self {
            action,
            established: false,
            protocol: None,
            from: Side::default(),
            to: Side::default(),
            in_by: None,
            out_by: None,
        };
        while let Some(word) = words.next() {
            match word {
                "established" => rule.established = true,
                "tcp" => rule.protocol = Some(Protocol::Tcp),
                "udp" => rule.protocol = Some(Protocol::Udp),
                "icmp" => rule.protocol = Some(Protocol::Icmp),
                "from" => rule.from = side(word, &mut words)?,
                "to" => rule.to = side(word, &mut words)?,
                "in" | "out" => {
                    let (by, port) = (words.next(), words.next().and_then(|port| port.parse().ok()));
                    match (word, by, port) {
                        ("in", Some("by"), Some(port)) => rule.in_by = Some(port),
                        ("out", Some("by"), Some(port)) => rule.out_by = Some(port),
                        _ => {
                            return Err(format!(
                                "`{word}` needs `by` and a port of the router, as `{word} by 0`"
                            ));
                        }
                    }
                }
                other => match other.parse() {
                    Ok(number) => rule.protocol = Some(Protocol::Number(number)),
                    Err(_) => return Err(format!("`{other}` is not understood here; {RULE}")),
                },
            }
        }
        Ok(rule)
    }

    fn write(&self) -> String {
        let Self { action, established, protocol, from, to, in_by, out_by } = self;
        let mut text = action.write();
        if *established {
            text += " established";
        }
        match protocol {
            Some(Protocol::Tcp) => text += " tcp",
            Some(Protocol::Udp) => text += " udp",
            Some(Protocol::Icmp) => text += " icmp",
            Some(Protocol::Number(number)) => text += &format!(" {number}"),
            None => {}
        }
        for (word, side) in [("from", from), ("to", to)] {
            if *side == Side::default() {
                continue;
            }
            text += &format!(" {word} {}", side.network.map_or("any".to_owned(), network));
            if let Some(ports) = &side.ports {
                text += &format!(" port {}", ports.write());
            }
        }
        for (word, port) in [("in", in_by), ("out", out_by)] {
            if let Some(port) = port {
                text += &format!(" {word} by {port}");
            }
        }
        text
    }
}

fn side<'a>(
    word: &str,
    words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
) -> Result<Side, String> {
    let mut side = Side::default();
    match words.next() {
        Some("any") => {}
        Some(text) if text.contains('/') => side.network = Some(Prefix::read(text)?),
        Some(text) => side.network = Prefix::new(Ipv4Addr::read(text)?, 32),
        None => return Err(format!("`{word}` needs a network, an address or `any`; {RULE}")),
    }
    if words.next_if_eq(&"port").is_some() {
        side.ports = Some(RangeInclusive::read(words.next().unwrap_or_default())?);
    }
    Ok(side)
}

/// A network of one address is that address.
fn network(network: Prefix) -> String {
    match network.prefix_len() {
        32 => network.network().to_string(),
        _ => network.to_string(),
    }
}
