//! The parameters of SVCB and HTTPS records (RFC 9460 2.1).

use super::presentation::{Reader, separated, write_character};
use data_encoding::BASE64;
use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The keys that have names (RFC 9460 14.3.2, RFC 9461 5, RFC 9540 4).
const KEYS: [&str; 9] =
    ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"];

/// Appends the parameters; none where they are not what they should be.
pub(super) fn print(reader: &mut Reader<'_>, text: &mut String) -> Option<()> {
    let mut last = None;
    while !reader.rest.is_empty() {
        let (key, length) = (reader.u16()?, reader.u16()?);
        let value = reader.take(length.into())?;
        // RFC 9460 2.2: in strictly increasing order.
        if last.is_some_and(|last| last >= key) {
            return None;
        }
        if last.replace(key).is_some() {
            text.push(' ');
        }
        write!(text, "{}", Key(key)).ok()?;
        parameter(key, value, text)?;
    }
    Some(())
}

/// A key by its name, or by its number.
struct Key(u16);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KEYS.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "key{}", self.0),
        }
    }
}

fn parameter(key: u16, value: &[u8], text: &mut String) -> Option<()> {
    let (words, odd_words) = value.as_chunks::<2>();
    let (v4, odd_v4) = value.as_chunks::<4>();
    let (v6, odd_v6) = value.as_chunks::<16>();
    match key {
        // RFC 9460 8
        0 if odd_words.is_empty() && !words.is_empty() => {
            text.push('=');
            separated(text, ",", words.iter().map(|word| Key(u16::from_be_bytes(*word))))
        }
        1 => return alpn(value, text),
        2 | 8 if value.is_empty() => Ok(()),
        3 => write!(text, "={}", u16::from_be_bytes(value.try_into().ok()?)),
        4 if odd_v4.is_empty() && !v4.is_empty() => {
            text.push('=');
            separated(text, ",", v4.iter().map(|octets| Ipv4Addr::from(*octets)))
        }
        5 if !value.is_empty() => write!(text, "={}", BASE64.encode(value)),
        6 if odd_v6.is_empty() && !v6.is_empty() => {
            text.push('=');
            separated(text, ",", v6.iter().map(|octets| Ipv6Addr::from(*octets)))
        }
        0 | 2..=6 | 8 => return None,
        _ if value.is_empty() => Ok(()),
        _ => {
            text.push_str("=\"");
            value.iter().try_for_each(|byte| write_character(text, *byte)).ok()?;
            text.push('"');
            Ok(())
        }
    }
    .ok()
}

/// RFC 9460 7.1.1: protocols, commas between them; a comma inside one is escaped, and the escape again,
/// since all of it is a string (RFC 9460 A.1).
fn alpn(mut value: &[u8], text: &mut String) -> Option<()> {
    text.push_str("=\"");
    let mut first = true;
    loop {
        let (length, rest) = value.split_first()?;
        let (protocol, rest) = rest.split_at_checked(usize::from(*length))?;
        if protocol.is_empty() {
            return None;
        }
        if !std::mem::take(&mut first) {
            text.push(',');
        }
        for byte in protocol {
            match byte {
                b',' => text.push_str("\\\\,"),
                b'\\' => text.push_str("\\\\\\\\"),
                other => write_character(text, *other).ok()?,
            }
        }
        value = rest;
        if value.is_empty() {
            break;
        }
    }
    text.push('"');
    Some(())
}
