//! How single values are written in a topology: `"192.168.1.10/24"`, `"5ms"`, `"10Mbit/s"`, `"1%"`,
//! `"0.0.0.0/0 via 203.0.113.1"`. Each has one way to be read and one to be written, and what cannot
//! be read is answered with what would be right.

use glasstack_journal::event::MacAddress;
use glasstack_stack::Prefix;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

/// A value that stands in a topology as a string.
pub(super) trait Word: Sized {
    /// What it is and how it looks, as in `an address in CIDR form, as "192.168.1.10/24"`.
    const NOUN: &'static str;
    /// Reads it. The error says what is wrong with the text and what would be right.
    fn read(text: &str) -> Result<Self, String>;
    /// Writes it so that it reads the same.
    fn write(&self) -> String;
    /// Reads a number without quotes, if it makes sense.
    fn number(number: f64) -> Result<Self, String> {
        Err(format!("{number} is not {}", Self::NOUN))
    }
}

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

const DURATIONS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Word for Duration {
    const NOUN: &'static str = "a duration, as \"5ms\", \"150us\", \"1.5s\", \"3min\"";

    fn read(text: &str) -> Result<Self, String> {
        quantity(text, DURATIONS, Self::NOUN).map(Duration::from_nanos)
    }

    fn write(&self) -> String {
        with_unit(u64::try_from(self.as_nanos()).unwrap_or(u64::MAX), &DURATIONS[..4])
    }
}

/// Bits a second: `10Mbit/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(
    /// Bits a second.
    pub u64,
);

const RATES: &[(&str, u64)] = &[
    ("bit/s", 1),
    ("kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
    ("Tbit/s", 1_000_000_000_000),
];

impl Word for Rate {
    const NOUN: &'static str = "a rate, as \"56kbit/s\", \"10Mbit/s\", \"1Gbit/s\"";

    fn read(text: &str) -> Result<Self, String> {
        match quantity(text, RATES, Self::NOUN)? {
            0 => Err(format!(
                "`{text}`: at this rate no frame ever leaves; `up = false` is a cable that is not plugged in"
            )),
            rate => Ok(Self(rate)),
        }
    }

    fn write(&self) -> String {
        with_unit(self.0, RATES)
    }
}

/// A part of a whole, from 0.0 to 1.0: `1%`, or 0.01.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(
    /// From 0.0 (nothing) to 1.0 (everything).
    pub f64,
);

impl Word for Share {
    const NOUN: &'static str = "a share, as \"1%\" or 0.01";

    fn read(text: &str) -> Result<Self, String> {
        let (number, of) = match text.strip_suffix('%') {
            Some(percent) => (percent.trim(), 100.0),
            None => (text, 1.0),
        };
        let number: f64 = number.parse().map_err(|_| format!("`{text}` is not {}", Self::NOUN))?;
        Self::number(number / of)
    }

    fn write(&self) -> String {
        let percent = format!("{}%", self.0 * 100.0);
        if Self::read(&percent) == Ok(*self) { percent } else { self.0.to_string() }
    }

    fn number(number: f64) -> Result<Self, String> {
        match number {
            0.0..=1.0 => Ok(Self(number)),
            _ => Err(format!(
                "{number} is more than everything or less than nothing; a share is from 0 to 1, or 0% to 100%"
            )),
        }
    }
}

/// A number and its unit. Decimal fractions are exact down to the smallest unit.
fn quantity(text: &str, units: &[(&str, u64)], noun: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim_start());
    let not = || format!("`{text}` is not {noun}");
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let known: Vec<_> = units.iter().map(|(name, _)| *name).collect();
        return Err(match unit {
            _ if number.is_empty() => not(),
            "" => format!(
                "`{text}` has no unit; write {text}{}, for example (known: {})",
                known[known.len() / 2],
                known.join(", ")
            ),
            _ => format!("`{unit}` in `{text}` is no unit known here; known: {}", known.join(", ")),
        });
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{part}").parse().map_err(|_| not())?;
    let scale =
        u32::try_from(part.len()).ok().and_then(|places| 10_u128.checked_pow(places)).ok_or_else(not)?;
    let value = digits.checked_mul(u128::from(*factor)).ok_or_else(not)? / scale;
    u64::try_from(value).map_err(|_| format!("`{text}` is too much"))
}

/// In the largest unit that needs no fraction.
fn with_unit(value: u64, units: &[(&str, u64)]) -> String {
    let fitting = units.iter().rev().find(|(_, factor)| value != 0 && value.is_multiple_of(*factor));
    let (unit, factor) = fitting.or(units.get(units.len() / 2)).copied().unwrap_or(("", 1));
    format!("{}{unit}", value / factor)
}

/// A value in words, for serde.
struct InWords<T>(T);

impl<T: Word> Serialize for InWords<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.write())
    }
}

impl<'de, T: Word> Deserialize<'de> for InWords<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads<T>(std::marker::PhantomData<T>);
        impl<T: Word> Visitor<'_> for Reads<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::NOUN)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
                T::read(text).map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
                T::number(number).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
                T::number(number as f64).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Reads(std::marker::PhantomData)).map(Self)
    }
}

/// `#[serde(with = "words::maybe")]`: perhaps a value.
pub(super) mod maybe {
    use super::*;

    pub(in super::super) fn serialize<T: Word, S: Serializer>(
        value: &Option<T>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(InWords).serialize(s)
    }

    pub(in super::super) fn deserialize<'de, T: Word, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<T>, D::Error> {
        InWords::deserialize(d).map(|word| Some(word.0))
    }
}

/// `#[serde(with = "words::many")]`: a list of values.
pub(super) mod many {
    use super::*;

    pub(in super::super) fn serialize<T: Word, S: Serializer>(values: &[T], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(values.iter().map(InWords))
    }

    pub(in super::super) fn deserialize<'de, T: Word, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<InWords<T>>::deserialize(d)?.into_iter().map(|word| word.0).collect())
    }
}

/// Display, `parse` and serde as the words say.
macro_rules! in_words {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.write())
            }
        }

        impl FromStr for $type {
            type Err = BadWord;

            fn from_str(text: &str) -> Result<Self, BadWord> {
                Self::read(text).map_err(BadWord)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                InWords(self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                InWords::deserialize(deserializer).map(|word| word.0)
            }
        }
    )*};
}

in_words!(Cidr, HostAddress, RouteSpec, End, Rate, Share);

/// A value of a topology cannot be read; the text says why and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadWord(String);
