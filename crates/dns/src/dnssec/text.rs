//! DS and DNSKEY records as text (RFC 4034 2.2, 5.3), as trust anchors are written.

use crate::name::DnsName;
use crate::record::{Dnskey, Ds, Record, RecordData};

/// One record, as `example.test. 3600 IN DS 2854 13 2 46e4...`: TTL and class may be missing, digests
/// and keys have blanks in them. Says what is wrong if it is none.
pub(crate) fn record(text: &str) -> Result<Record, String> {
    let mut words = text.split_whitespace();
    let owner = words.next().ok_or("it is empty")?;
    let owner = DnsName::parse(owner).map_err(|error| format!("{owner:?} is not a name: {error}"))?;
    let mut ttl = 0;
    let data = loop {
        match words.next().ok_or("neither DS nor DNSKEY stands in it")? {
            word if word.eq_ignore_ascii_case("IN") => {}
            word if word.eq_ignore_ascii_case("DS") => break RecordData::Ds(ds(&mut words)?),
            word if word.eq_ignore_ascii_case("DNSKEY") => break RecordData::Dnskey(dnskey(&mut words)?),
            word => {
                ttl = word.parse().map_err(|_| format!("{word:?} is neither DS nor DNSKEY nor a TTL"))?;
            }
        }
    };
    Ok(Record { owner, ttl, data })
}

fn ds<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Ds, String> {
    Ok(Ds {
        key_tag: number(words, "a key tag")?,
        algorithm: number(words, "an algorithm's number")?,
        digest_type: number(words, "a digest type's number")?,
        digest: from_hex(&rest(words)).ok_or("the digest is not hexadecimal")?,
    })
}

fn dnskey<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Dnskey, String> {
    Ok(Dnskey {
        flags: number(words, "flags")?,
        protocol: number(words, "a protocol")?,
        algorithm: number(words, "an algorithm's number")?,
        public_key: from_base64(&rest(words)).ok_or("the key is not base 64")?,
    })
}

fn number<'a, T: std::str::FromStr>(
    words: &mut impl Iterator<Item = &'a str>,
    what: &str,
) -> Result<T, String> {
    let word = words.next().ok_or_else(|| format!("{what} is missing"))?;
    word.parse().map_err(|_| format!("{word:?} is not {what}"))
}

fn rest<'a>(words: &mut impl Iterator<Item = &'a str>) -> String {
    words.collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::try_from(pair.first()? << 4 | pair.get(1)?).ok()).collect()
}

/// RFC 4648 4; blanks are passed over.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for letter in text.get(..end)? {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    (!bytes.is_empty()).then_some(bytes)
}
