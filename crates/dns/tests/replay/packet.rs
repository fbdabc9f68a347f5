//! Messages as scenarios write them: flags in words, records in their presentation format. They are
//! put together as bytes, so that what reads them is the crate's own reader.

use glasstack_dns::Message;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The TTL of a record that names none, in seconds.
const DEFAULT_TTL: u32 = 3600;

/// Where a record stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Question,
    Answer,
    Authority,
    Additional,
}

/// A message that is being put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packet {
    flags: u16,
    dnssec_ok: bool,
    counts: [u16; 4],
    body: [Vec<u8>; 4],
}

impl Packet {
    /// Takes the words behind REPLY: flags, opcode and response code.
    pub(crate) fn set_flags(&mut self, words: &str) -> Result<(), String> {
        for word in words.split_whitespace() {
            match word {
                "QR" => self.flags |= 0x8000,
                "AA" => self.flags |= 0x0400,
                "TC" => self.flags |= 0x0200,
                "RD" => self.flags |= 0x0100,
                "RA" => self.flags |= 0x0080,
                "AD" => self.flags |= 0x0020,
                "CD" => self.flags |= 0x0010,
                "DO" => self.dnssec_ok = true,
                _ => match (opcode(word), code(word)) {
                    (Some(opcode), _) => self.flags = self.flags & !0x7800 | opcode << 11,
                    (None, Some(code)) => self.flags = self.flags & !0x000f | code,
                    (None, None) => return Err(format!("REPLY does not know {word:?}")),
                },
            }
        }
        Ok(())
    }

    /// Takes a line of a section.
    pub(crate) fn add(&mut self, section: Section, line: &str) -> Result<(), String> {
        let bytes = match section {
            Section::Question => question(line),
            _ => record(line),
        };
        let bytes = bytes.map_err(|why| format!("{why} in {line:?}"))?;
        self.body[section as usize].extend(bytes);
        self.counts[section as usize] += 1;
        Ok(())
    }

    /// The message.
    pub(crate) fn message(&self) -> Result<Message, String> {
        let mut counts = self.counts;
        counts[Section::Additional as usize] += u16::from(self.dnssec_ok);
        let mut bytes = vec![0, 0];
        bytes.extend(self.flags.to_be_bytes());
        counts.iter().for_each(|count| bytes.extend(count.to_be_bytes()));
        self.body.iter().for_each(|section| bytes.extend(section));
        if self.dnssec_ok {
            // OPT, 1232 bytes, version 0, DO.
            bytes.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0]);
        }
        Message::parse(&bytes).map_err(|error| error.to_string())
    }
}

fn opcode(word: &str) -> Option<u16> {
    Some(match word {
        "QUERY" => 0,
        "IQUERY" => 1,
        "STATUS" => 2,
        "NOTIFY" => 4,
        "UPDATE" => 5,
        _ => return None,
    })
}

fn code(word: &str) -> Option<u16> {
    let codes = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMPL", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
        "NOTAUTH", "NOTZONE",
    ];
    codes.iter().zip(0..).find_map(|(code, number)| (*code == word).then_some(number))
}

pub(crate) fn record_type(word: &str) -> Result<u16, String> {
    let known = [
        ("A", 1),
        ("NS", 2),
        ("CNAME", 5),
        ("SOA", 6),
        ("PTR", 12),
        ("MX", 15),
        ("TXT", 16),
        ("AAAA", 28),
        ("SRV", 33),
        ("DNAME", 39),
        ("DS", 43),
        ("RRSIG", 46),
        ("NSEC", 47),
        ("DNSKEY", 48),
        ("NSEC3", 50),
        ("SVCB", 64),
        ("HTTPS", 65),
        ("ANY", 255),
    ];
    let number = known.iter().find_map(|(name, number)| (*name == word).then_some(*number));
    number
        .or_else(|| word.strip_prefix("TYPE").and_then(|number| number.parse().ok()))
        .ok_or_else(|| format!("the type {word:?} is not known"))
}

fn class(word: &str) -> Option<u16> {
    Some(match word {
        "IN" => 1,
        "CH" => 3,
        "HS" => 4,
        "ANY" => 255,
        _ => return None,
    })
}

/// `NAME [CLASS] TYPE`
fn question(line: &str) -> Result<Vec<u8>, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (owner, class_number, type_word) = match words[..] {
        [owner, word, record_type] => {
            (owner, class(word).ok_or_else(|| format!("{word:?} is no class"))?, record_type)
        }
        [owner, record_type] => (owner, 1, record_type),
        _ => return Err("a question has a name, a class and a type".to_owned()),
    };
    let mut bytes = name(owner)?;
    bytes.extend(record_type(type_word)?.to_be_bytes());
    bytes.extend(class_number.to_be_bytes());
    Ok(bytes)
}

/// `NAME [TTL] [CLASS] TYPE DATA...`, TTL and class in any order.
fn record(line: &str) -> Result<Vec<u8>, String> {
    let mut words = words(line);
    let owner = words.next().ok_or("there is no name")?;
    let (mut ttl, mut class_number) = (DEFAULT_TTL, 1);
    let type_word = loop {
        let word = words.next().ok_or("there is no type")?;
        if let Ok(number) = word.parse() {
            ttl = number;
        } else if let Some(number) = class(&word) {
            class_number = number;
        } else {
            break word;
        }
    };
    let words: Vec<String> = words.collect();
    let data = data(&type_word, &words)?;
    let mut bytes = name(&owner)?;
    bytes.extend(record_type(&type_word)?.to_be_bytes());
    bytes.extend(class_number.to_be_bytes());
    bytes.extend(ttl.to_be_bytes());
    bytes.extend(u16::try_from(data.len()).map_err(|_| "too much data")?.to_be_bytes());
    bytes.extend(data);
    Ok(bytes)
}

/// The words of a record; one between quotation marks may hold spaces.
fn words(line: &str) -> impl Iterator<Item = String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with(';') {
        let (word, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let end = rest.find(|c: char| c.is_whitespace() || c == ';').unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    words.into_iter()
}

fn data(record_type_word: &str, words: &[String]) -> Result<Vec<u8>, String> {
    let word = |at: usize| words.get(at).map(String::as_str).ok_or_else(|| format!("word {at} is missing"));
    let number = |at: usize| -> Result<u64, String> {
        let word = word(at)?;
        word.parse().map_err(|_| format!("{word:?} is no number"))
    };
    let rest = |at: usize| words.get(at..).unwrap_or_default().concat();
    let mut bytes = Vec::new();
    match record_type_word {
        "A" => bytes.extend(address::<Ipv4Addr>(word(0)?)?.octets()),
        "AAAA" => bytes.extend(address::<Ipv6Addr>(word(0)?)?.octets()),
        "NS" | "CNAME" | "DNAME" | "PTR" => bytes = name(word(0)?)?,
        "MX" => {
            put(&mut bytes, number(0)?, 2);
            bytes.extend(name(word(1)?)?);
        }
        "TXT" => {
            for text in words {
                put(&mut bytes, text.len() as u64, 1);
                bytes.extend(text.bytes());
            }
        }
        "SOA" => {
            bytes = name(word(0)?)?;
            bytes.extend(name(word(1)?)?);
            for at in 2..7 {
                put(&mut bytes, number(at)?, 4);
            }
        }
        "SRV" => {
            for at in 0..3 {
                put(&mut bytes, number(at)?, 2);
            }
            bytes.extend(name(word(3)?)?);
        }
        "DS" => {
            put(&mut bytes, number(0)?, 2);
            put(&mut bytes, algorithm(word(1)?)?, 1);
            put(&mut bytes, number(2)?, 1);
            bytes.extend(hexadecimal(&rest(3))?);
        }
        "DNSKEY" => {
            put(&mut bytes, number(0)?, 2);
            put(&mut bytes, number(1)?, 1);
            put(&mut bytes, algorithm(word(2)?)?, 1);
            bytes.extend(base64(&rest(3))?);
        }
        "RRSIG" => {
            put(&mut bytes, record_type(word(0)?)?.into(), 2);
            put(&mut bytes, algorithm(word(1)?)?, 1);
            put(&mut bytes, number(2)?, 1);
            put(&mut bytes, number(3)?, 4);
            put(&mut bytes, date(word(4)?)?, 4);
            put(&mut bytes, date(word(5)?)?, 4);
            put(&mut bytes, number(6)?, 2);
            bytes.extend(name(word(7)?)?);
            bytes.extend(base64(&rest(8))?);
        }
        "SVCB" | "HTTPS" => {
            put(&mut bytes, number(0)?, 2);
            bytes.extend(name(word(1)?)?);
            for parameter in &words[2..] {
                bytes.extend(service_parameter(parameter)?);
            }
        }
        other => return Err(format!("records of type {other:?} are not read here")),
    }
    Ok(bytes)
}

/// An algorithm of DNSSEC, by number or mnemonic (RFC 4034 A.1).
fn algorithm(word: &str) -> Result<u64, String> {
    Ok(match word {
        "DSA" => 3,
        "RSASHA1" => 5,
        "RSASHA256" => 8,
        _ => return word.parse().map_err(|_| format!("the algorithm {word:?} is not read here")),
    })
}

/// RFC 9460 2.1, as far as scenarios use it.
fn service_parameter(word: &str) -> Result<Vec<u8>, String> {
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    let (key, addresses): (u16, Result<Vec<IpAddr>, _>) = match key {
        "ipv4hint" => (4, value.split(',').map(str::parse).collect()),
        "ipv6hint" => (6, value.split(',').map(str::parse).collect()),
        _ => return Err(format!("the parameter {key:?} is not read here")),
    };
    let mut value = Vec::new();
    for address in addresses.map_err(|_| format!("{word:?} has no addresses"))? {
        match address {
            IpAddr::V4(address) => value.extend(address.octets()),
            IpAddr::V6(address) => value.extend(address.octets()),
        }
    }
    let mut bytes = key.to_be_bytes().to_vec();
    put(&mut bytes, value.len() as u64, 2);
    bytes.extend(value);
    Ok(bytes)
}

/// A name on the wire; it is absolute with or without its last dot.
fn name(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for label in text.strip_suffix('.').unwrap_or(text).split('.').filter(|label| !label.is_empty()) {
        if label.contains('\\') || label.len() > 63 {
            return Err(format!("the name {text:?} is not read here"));
        }
        put(&mut bytes, label.len() as u64, 1);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    Ok(bytes)
}

fn put(bytes: &mut Vec<u8>, number: u64, width: usize) {
    bytes.extend(&number.to_be_bytes()[8 - width..]);
}

fn address<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word:?} is no address"))
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.ok_or("there is a digit that is not hexadecimal")?;
    Ok(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// RFC 4648 4.
fn base64(text: &str) -> Result<Vec<u8>, String> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for c in text.bytes().filter(|c| *c != b'=') {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(format!("{:?} is not in the alphabet of base64", char::from(c))),
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    Ok(bytes)
}

/// `YYYYMMDDHHMMSS` as seconds since 1970 (RFC 4034 3.2).
pub(crate) fn date(word: &str) -> Result<u64, String> {
    let bad = || format!("{word:?} is no date");
    if word.len() != 14 {
        return word.parse().map_err(|_| bad());
    }
    let part = |from: usize, to: usize| word[from..to].parse::<u64>().map_err(|_| bad());
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let february = if leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let days = before + months.iter().take(month.saturating_sub(1) as usize).sum::<u64>() + day - 1;
    Ok(days * 86_400 + part(8, 10)? * 3600 + part(10, 12)? * 60 + part(12, 14)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_dns::{RecordData, ResponseCode};

    fn packet(flags: &str, lines: &[(Section, &str)]) -> Message {
        let mut packet = Packet::default();
        packet.set_flags(flags).unwrap();
        lines.iter().for_each(|(section, line)| packet.add(*section, line).unwrap());
        packet.message().unwrap()
    }

    #[test]
    fn flags_and_codes_are_words() {
        let message = packet("QR RD RA AA NXDOMAIN", &[(Section::Question, "www.Example.com. IN A")]);
        assert!(message.is_response && message.recursion_desired && message.recursion_available);
        assert!(message.authoritative && !message.truncated && message.edns.is_none());
        assert_eq!(message.code, ResponseCode::NxDomain);
        assert_eq!(message.question.unwrap().to_string(), "www.example.com A");
        assert!(packet("RD DO", &[]).edns.unwrap().dnssec_ok);
        assert!(Packet::default().set_flags("QR MAYBE").is_err());
    }

    #[test]
    fn records_may_leave_out_ttl_and_class() {
        let lines =
            ["a.test. IN A 192.0.2.1", "a.test 86400 IN A 192.0.2.2", "a.test. IN 5 A 192.0.2.3 ; why"];
        let message = packet("QR", &lines.map(|line| (Section::Answer, line)));
        let ttls: Vec<u32> = message.answers.iter().map(|record| record.ttl).collect();
        assert_eq!(ttls, [3600, 86400, 5]);
    }

    #[test]
    fn texts_may_hold_spaces_and_keys_may_be_cut_into_pieces() {
        let message = packet("QR", &[(Section::Answer, "a.test. IN TXT \"two words\" one")]);
        let RecordData::Txt(texts) = &message.answers[0].data else { panic!("{message:?}") };
        assert_eq!(*texts, [b"two words".to_vec(), b"one".to_vec()]);
        assert_eq!(base64("Zm9v YmE=".replace(' ', "").as_str()).unwrap(), b"fooba");
        assert_eq!(hexadecimal("46e4fF").unwrap(), [0x46, 0xe4, 0xff]);
    }

    #[test]
    fn dates_are_seconds() {
        assert_eq!(date("20070916134226").unwrap(), 1_189_950_146);
        assert_eq!(date("19700101000000").unwrap(), 0);
        assert_eq!(date("20240229000001").unwrap(), 1_709_164_801);
    }
}
