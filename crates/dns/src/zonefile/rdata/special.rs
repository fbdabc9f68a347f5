//! Types that are more than a row of fields: positions, address prefixes, keys with mnemonics.

use super::fields::{BadData, Fields};
use crate::record::RecordType;
use std::net::IpAddr;

const NSAP: u16 = 22;
const LOC: u16 = 29;
const CERT: u16 = 37;
const APL: u16 = 42;
const HIP: u16 = 55;
const CSYNC: u16 = 62;
const AMTRELAY: u16 = 260;

/// The bytes of the data, if the type is one of these.
pub(super) fn parse(record_type: RecordType, fields: &mut Fields<'_>) -> Result<Option<Vec<u8>>, BadData> {
    Ok(Some(match record_type.number() {
        NSAP => nsap(fields)?,
        LOC => loc(fields)?,
        CERT => cert(fields)?,
        APL => apl(fields)?,
        HIP => hip(fields)?,
        CSYNC => csync(fields)?,
        AMTRELAY => amtrelay(fields)?,
        _ => return Ok(None),
    }))
}

/// RFC 1706 5: hexadecimal after `0x`, with dots anywhere.
fn nsap(fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    let word = fields.word("an address that begins with 0x")?;
    let digits = word.text.strip_prefix("0x").or(word.text.strip_prefix("0X"));
    let digits: String = digits.unwrap_or_default().chars().filter(|c| *c != '.').collect();
    let bad = || fields.bad(format!("{:?} is not hexadecimal after 0x", word.text));
    let bytes = domain::utils::base16::decode_vec(&digits).map_err(|_| bad())?;
    if bytes.is_empty() { Err(bad()) } else { Ok(bytes) }
}

/// RFC 4398 2.1: the type and the algorithm may be mnemonics.
fn cert(fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    const TYPES: [(&str, u16); 10] = [
        ("PKIX", 1),
        ("SPKI", 2),
        ("PGP", 3),
        ("IPKIX", 4),
        ("ISPKI", 5),
        ("IPGP", 6),
        ("ACPKIX", 7),
        ("IACPKIX", 8),
        ("URI", 253),
        ("OID", 254),
    ];
    let mut bytes = fields.number_or("the type", &TYPES)?.to_be_bytes().to_vec();
    bytes.extend(fields.number::<u16>("the key tag")?.to_be_bytes());
    bytes.push(fields.algorithm()?);
    bytes.extend(fields.base64_rest()?);
    Ok(bytes)
}

/// RFC 3123 5: `!1:192.0.2.0/24`.
fn apl(fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    let mut bytes = Vec::new();
    for word in fields.rest() {
        let item = apl_item(word.text);
        bytes.extend(item.ok_or_else(|| {
            fields.bad(format!(
                "{:?} is not an address prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32",
                word.text
            ))
        })?);
    }
    Ok(bytes)
}

fn apl_item(text: &str) -> Option<Vec<u8>> {
    let (negated, text) = text.strip_prefix('!').map_or((0, text), |text| (0x80, text));
    let (family, prefix) = text.split_once(':')?;
    let (address, length) = prefix.split_once('/')?;
    let (family, address, most): (u16, Vec<u8>, u8) = match (family, address.parse().ok()?) {
        ("1", IpAddr::V4(address)) => (1, address.octets().to_vec(), 32),
        ("2", IpAddr::V6(address)) => (2, address.octets().to_vec(), 128),
        _ => return None,
    };
    let length: u8 = length.parse().ok().filter(|length| *length <= most)?;
    // RFC 3123 4: trailing zero bytes are left out.
    let used = address.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut bytes = family.to_be_bytes().to_vec();
    bytes.extend([length, negated | u8::try_from(used).ok()?]);
    bytes.extend(address.get(..used)?);
    Some(bytes)
}

/// RFC 8005 6: the identity in hexadecimal, the key in base 64, rendezvous servers.
fn hip(fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    let algorithm: u8 = fields.number("the algorithm")?;
    let identity = fields.word("the identity")?;
    let identity = domain::utils::base16::decode_vec(identity.text)
        .map_err(|error| fields.bad(format!("the identity is bad: {error}")))?;
    let key = fields.word("the key")?;
    let key: Vec<u8> = domain::utils::base64::decode(key.text)
        .map_err(|error| fields.bad(format!("the key is bad: {error}")))?;
    let too_long = |_| fields.bad("it is too long");
    let mut bytes = vec![u8::try_from(identity.len()).map_err(too_long)?, algorithm];
    bytes.extend(u16::try_from(key.len()).map_err(too_long)?.to_be_bytes());
    bytes.extend(identity);
    bytes.extend(key);
    while fields.peek().is_some() {
        bytes.extend(fields.name("a rendezvous server")?.to_wire());
    }
    Ok(bytes)
}

/// RFC 7477 2.1.1: the serial number, flags, and a type bitmap.
fn csync(fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    let mut bytes = fields.number::<u32>("the serial number")?.to_be_bytes().to_vec();
    bytes.extend(fields.number::<u16>("the flags")?.to_be_bytes());
    let bitmap = domain::rdata::dnssec::RtypeBitmap::scan(fields)?;
    bytes.extend_from_slice(bitmap.as_slice());
    Ok(bytes)
}

/// RFC 8777 4.3.1: precedence, discovery, type and relay.
fn amtrelay(fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    let precedence: u8 = fields.number("the precedence")?;
    let discovery: u8 = fields.number("whether the relay is to be discovered")?;
    let kind: u8 = fields.number("the type of the relay")?;
    if discovery > 1 || kind > 3 {
        return Err(fields.bad("discovery is 0 or 1, and the type of the relay 0 to 3"));
    }
    let mut bytes = vec![precedence, discovery << 7 | kind];
    match kind {
        0 => {
            // The root stands for no relay.
            if fields.peek().is_some_and(|word| word.text == ".") {
                fields.word("the relay")?;
            }
        }
        1 => bytes.extend(fields.ipv4()?.octets()),
        2 => {
            let word = fields.word("an IPv6 address")?;
            let address: std::net::Ipv6Addr = word
                .text
                .parse()
                .map_err(|_| fields.bad(format!("{:?} is not an IPv6 address", word.text)))?;
            bytes.extend(address.octets());
        }
        _ => bytes.extend(fields.name("the relay")?.to_wire()),
    }
    Ok(bytes)
}

/// RFC 1876 3: `d1 [m1 [s1]] N|S d2 [m2 [s2]] E|W alt[m] [size[m] [horizontal[m] [vertical[m]]]]`.
fn loc(fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    let latitude = angle(fields, 90, ["N", "S"])?;
    let longitude = angle(fields, 180, ["E", "W"])?;
    // RFC 1876 2: centimetres above 100 000 m below the ellipsoid.
    let altitude = fields.word("the altitude")?;
    let altitude = centimetres(altitude.text)
        .and_then(|above| u32::try_from(above + 10_000_000).ok())
        .ok_or_else(|| fields.bad(format!("{:?} is not an altitude in metres", altitude.text)))?;
    let mut precisions = [0x12, 0x16, 0x13];
    for (precision, what) in precisions.iter_mut().zip(["size", "horizontal precision", "vertical precision"])
    {
        let Some(word) = fields.peek() else { break };
        fields.at += 1;
        *precision = centimetres(word.text)
            .and_then(as_power)
            .ok_or_else(|| fields.bad(format!("{:?} is not a {what} in metres", word.text)))?;
    }
    let mut bytes = vec![0];
    bytes.extend(precisions);
    [latitude, longitude, altitude].into_iter().for_each(|number| bytes.extend(number.to_be_bytes()));
    Ok(bytes)
}

/// Thousandths of a second of arc, counted from 2^31.
fn angle(fields: &mut Fields<'_>, most: u64, sides: [&str; 2]) -> Result<u32, BadData> {
    let mut parts = Vec::new();
    loop {
        let word = fields.word(&format!("{} or {}", sides[0], sides[1]))?;
        if let Some(side) = sides.iter().position(|side| side.eq_ignore_ascii_case(word.text)) {
            let arc = in_thousandths(&parts).filter(|arc| !parts.is_empty() && *arc <= most * 3_600_000);
            let arc = arc.and_then(|arc| u32::try_from(arc).ok());
            let arc = arc.ok_or_else(|| {
                fields.bad(format!("{} is not an angle up to {most} degrees", parts.join(" ")))
            })?;
            return Ok(if side == 0 { (1 << 31) + arc } else { (1 << 31) - arc });
        }
        parts.push(word.text);
    }
}

fn in_thousandths(parts: &[&str]) -> Option<u64> {
    let whole = |text: &str, limit: u64| text.parse::<u64>().ok().filter(|number| *number < limit);
    match parts {
        [degrees] => Some(whole(degrees, 181)? * 3_600_000),
        [degrees, minutes] => Some(whole(degrees, 181)? * 3_600_000 + whole(minutes, 60)? * 60_000),
        [degrees, minutes, seconds] => {
            let seconds =
                u64::try_from(fixed(seconds, 3)?).ok().filter(|thousandths| *thousandths < 60_000)?;
            Some(whole(degrees, 181)? * 3_600_000 + whole(minutes, 60)? * 60_000 + seconds)
        }
        _ => None,
    }
}

/// Metres with at most two decimals, in centimetres.
fn centimetres(text: &str) -> Option<i64> {
    fixed(text.strip_suffix(['m', 'M']).unwrap_or(text), 2)
}

/// A decimal number times ten to the power of `decimals`.
fn fixed(text: &str, decimals: usize) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > decimals || !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(decimals).ok()?);
    let fraction = format!("{fraction:0<decimals$}");
    Some(sign * whole.parse::<i64>().ok()?.checked_mul(scale)?.checked_add(fraction.parse().unwrap_or(0))?)
}

/// RFC 1876 2: a digit and a power of ten, four bits each.
fn as_power(centimetres: i64) -> Option<u8> {
    let (mut mantissa, mut exponent) = (u64::try_from(centimetres).ok()?, 0_u8);
    while mantissa > 9 {
        mantissa /= 10;
        exponent += 1;
    }
    (exponent <= 9).then_some(u8::try_from(mantissa).ok()? << 4 | exponent)
}

impl Fields<'_> {
    /// A number, or a word that stands for one.
    pub(super) fn number_or<N: std::str::FromStr + Copy>(
        &mut self,
        what: &str,
        words: &[(&str, N)],
    ) -> Result<N, BadData> {
        let known =
            self.peek().and_then(|word| words.iter().find(|(text, _)| text.eq_ignore_ascii_case(word.text)));
        match known {
            Some((_, number)) => {
                self.at += 1;
                Ok(*number)
            }
            None => self.number(what),
        }
    }
}
