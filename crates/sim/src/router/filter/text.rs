//! Rules as text: read with the column of what is wrong, and written so that they read the same.

use super::{Action, Protocol, Rule, Side};
use glasstack_stack::Prefix;
use std::fmt;
use std::iter::Peekable;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What a rule looks like.
const RULE: &str = "a rule is ACTION [established] [tcp|udp|icmp|NUMBER] [from NETWORK|any [port N]] \
                    [to NETWORK|any [port N]] [in by PORT] [out by PORT]";

/// A rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of `{text}`: {what}")]
pub struct BadRule {
    /// The rule.
    pub text: String,
    /// Where it is wrong, in characters from 1.
    pub column: usize,
    /// What is wrong there, and what would be right.
    pub what: String,
}

/// A word and where it begins, in bytes.
type Word<'a> = (usize, &'a str);

/// What is wrong, and at which byte.
type Wrong = (usize, String);

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let words =
            text.split_whitespace().map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word));
        let mut reader = Reader { words: words.peekable(), end: text.trim_end().len() };
        reader.rule().map_err(|(at, what)| BadRule {
            text: text.to_owned(),
            column: text.get(..at).unwrap_or(text).chars().count() + 1,
            what,
        })
    }
}

struct Reader<'a, I: Iterator<Item = Word<'a>>> {
    words: Peekable<I>,
    /// Where something is missing at the end.
    end: usize,
}

impl<'a, I: Iterator<Item = Word<'a>>> Reader<'a, I> {
    fn rule(&mut self) -> Result<Rule, Wrong> {
        let Some((at, word)) = self.words.next() else { return Err((0, format!("nothing here; {RULE}"))) };
        let action = word.parse().map_err(|()| {
            (at, format!("a rule begins with `allow`, `drop` or `reject`, not with `{word}`; {RULE}"))
        })?;
        let mut rule = Rule::new(action);
        let mut said = Vec::new();
        while let Some((at, word)) = self.words.next() {
            let about = match word {
                "tcp" | "udp" | "icmp" => "the protocol",
                word if word.parse::<u8>().is_ok() => "the protocol",
                word => word,
            };
            if said.contains(&about) {
                return Err((at, format!("{about} is said twice; make two rules of it")));
            }
            said.push(about);
            match word {
                "established" => rule.established = true,
                "tcp" => rule.protocol = Some(Protocol::Tcp),
                "udp" => rule.protocol = Some(Protocol::Udp),
                "icmp" => rule.protocol = Some(Protocol::Icmp),
                "from" => rule.from = self.side(word)?,
                "to" => rule.to = self.side(word)?,
                "in" => rule.in_by = Some(self.router_port(word)?),
                "out" => rule.out_by = Some(self.router_port(word)?),
                number => match number.parse() {
                    Ok(number) => rule.protocol = Some(Protocol::Number(number)),
                    Err(_) => return Err((at, format!("`{word}` is not understood here; {RULE}"))),
                },
            }
            self.check_ports(&rule, at)?;
        }
        Ok(rule)
    }

    /// `any`, an address or a network, and perhaps ports.
    fn side(&mut self, word: &str) -> Result<Side, Wrong> {
        let needs = || format!("`{word}` needs a network, an address or `any`, as `{word} 192.168.1.0/24`");
        let (at, place) = self.words.next().ok_or((self.end, needs()))?;
        let network = match place {
            "any" => None,
            place => Some(network(place).ok_or((at, format!("`{place}` is no network; {}", needs())))?),
        };
        let mut side = Side { network, ports: None };
        if self.words.next_if(|(_, word)| *word == "port").is_some() {
            let needs = "`port` needs a number or two, as `port 443` or `port 1024-65535`";
            let (at, text) = self.words.next().ok_or((self.end, needs.to_owned()))?;
            side.ports = Some(ports(text).ok_or((at, format!("`{text}` is no port; {needs}")))?);
        }
        Ok(side)
    }

    /// `by N`, a port of the router.
    fn router_port(&mut self, word: &str) -> Result<usize, Wrong> {
        let needs = || format!("`{word}` needs `by` and a port of the router, as `{word} by 0`");
        let (at, by) = self.words.next().ok_or((self.end, needs()))?;
        if by != "by" {
            return Err((at, needs()));
        }
        let (at, port) = self.words.next().ok_or((self.end, needs()))?;
        port.parse().map_err(|_| (at, needs()))
    }

    fn check_ports(&self, rule: &Rule, at: usize) -> Result<(), Wrong> {
        let has_ports = rule.from.ports.is_some() || rule.to.ports.is_some();
        match rule.protocol {
            Some(Protocol::Icmp | Protocol::Number(_)) if has_ports => {
                Err((at, "only tcp and udp have ports".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

fn network(text: &str) -> Option<Prefix> {
    let (address, len) = text.split_once('/').unwrap_or((text, "32"));
    Prefix::new(address.parse::<Ipv4Addr>().ok()?, len.parse().ok()?)
}

fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..=last)
}

impl FromStr for Action {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "allow" => Ok(Self::Allow),
            "drop" => Ok(Self::Drop),
            "reject" => Ok(Self::Reject),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Drop => "drop",
            Self::Reject => "reject",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.action)?;
        if self.established {
            f.write_str(" established")?;
        }
        if let Some(protocol) = self.protocol {
            write!(f, " {protocol}")?;
        }
        for (word, side) in [("from", &self.from), ("to", &self.to)] {
            if *side != Side::default() {
                write!(f, " {word} {side}")?;
            }
        }
        for (word, port) in [("in", self.in_by), ("out", self.out_by)] {
            if let Some(port) = port {
                write!(f, " {word} by {port}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("tcp"),
            Self::Udp => f.write_str("udp"),
            Self::Icmp => f.write_str("icmp"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            None => f.write_str("any")?,
            Some(network) if network.prefix_len() == 32 => write!(f, "{}", network.network())?,
            Some(network) => write!(f, "{network}")?,
        }
        match &self.ports {
            None => Ok(()),
            Some(ports) if ports.start() == ports.end() => write!(f, " port {}", ports.start()),
            Some(ports) => write!(f, " port {}-{}", ports.start(), ports.end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_written_as_it_was_read() {
        for text in [
            "allow",
            "drop icmp",
            "allow established",
            "reject udp to any port 53",
            "allow tcp from 192.168.1.0/24 to any port 443",
            "drop 47 from 10.0.0.1 to 10.0.2.0/23 in by 0 out by 1",
            "allow established tcp from any port 1024-65535",
        ] {
            assert_eq!(text.parse::<Rule>().map(|rule| rule.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("drop icmp from any".parse::<Rule>().unwrap().to_string(), "drop icmp");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_column_and_what_would_be_right() {
        let cases = [
            ("", 1, "nothing here"),
            ("permit tcp", 1, "not with `permit`"),
            ("allow tpc from any", 7, "`tpc` is not understood here"),
            ("allow tcp form any", 11, "`form` is not understood here"),
            ("allow tcp from", 15, "`from` needs a network, an address or `any`"),
            ("allow tcp from 192.168.1.0/33", 16, "`192.168.1.0/33` is no network"),
            ("allow tcp to any port http", 23, "`http` is no port"),
            ("allow tcp to any port 9-3", 23, "`9-3` is no port"),
            ("allow tcp to any port", 22, "`port` needs a number or two"),
            ("allow in eth0", 10, "`in` needs `by` and a port of the router"),
            ("allow tcp udp", 11, "the protocol is said twice"),
            ("drop icmp to any port 7", 11, "only tcp and udp have ports"),
            ("allow  tcp  to  \u{e4}ny", 17, "`\u{e4}ny` is no network"),
        ];
        for (text, column, what) in cases {
            let bad = text.parse::<Rule>().unwrap_err();
            assert_eq!(bad.column, column, "{bad}");
            assert!(bad.what.starts_with(what) || bad.what.contains(what), "{bad}");
        }
    }
}
