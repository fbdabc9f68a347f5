//! Records' data as text: as in a zone file, and to the letter as `dig` prints it.

use super::fields::{CERTIFICATES, Field, layout};
use super::{RecordData, RecordType, svcb};
use crate::name::{DnsName, SpelledName};
use data_encoding::{BASE32HEX_NOPAD, BASE64, HEXUPPER};
use glasstack_journal::{CivilTime, WallTime};
use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

/// How long a word of hexadecimal or base64 may be; `dig` puts a space after so many characters.
const WORD: usize = 56;

impl fmt::Display for RecordData {
    /// As in a zone file. What has no format of its own, or is not what it should be, is printed as
    /// bytes (RFC 3597 5).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => write!(f, "{address}"),
            Self::Aaaa(address) => write!(f, "{address}"),
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) | Self::Dname(name) => {
                write!(f, "{}", Absolute(name))
            }
            Self::Mx { preference, exchange } => write!(f, "{preference} {}", Absolute(exchange)),
            Self::Txt(strings) => separated(f, " ", strings.iter().map(|string| Quoted(string))),
            Self::Soa(soa) => write!(
                f,
                "{} {} {} {} {} {} {}",
                Absolute(&soa.primary),
                Absolute(&soa.mailbox),
                soa.serial,
                soa.refresh,
                soa.retry,
                soa.expire,
                soa.minimum
            ),
            Self::Srv { priority, weight, port, target } => {
                write!(f, "{priority} {weight} {port} {}", Absolute(target))
            }
            Self::Ds(ds) => {
                write!(f, "{} {} {} {}", ds.key_tag, ds.algorithm, ds.digest_type, Hex(&ds.digest))
            }
            Self::Dnskey(key) => {
                write!(f, "{} {} {} {}", key.flags, key.protocol, key.algorithm, Base64(&key.public_key))
            }
            Self::Rrsig(rrsig) => write!(
                f,
                "{} {} {} {} {} {} {} {} {}",
                rrsig.type_covered,
                rrsig.algorithm,
                rrsig.labels,
                rrsig.original_ttl,
                Time(rrsig.expiration),
                Time(rrsig.inception),
                rrsig.key_tag,
                Absolute(&rrsig.signer),
                Base64(&rrsig.signature)
            ),
            Self::Nsec(nsec) => write!(f, "{}{}", Spelled(&nsec.next), Types(&nsec.types)),
            Self::Nsec3(nsec3) => {
                let hashing = Salt(nsec3.hash_algorithm, nsec3.flags, nsec3.iterations, &nsec3.salt);
                let next = BASE32HEX_NOPAD.encode(&nsec3.next_hashed);
                write!(f, "{hashing} {next}{}", Types(&nsec3.types))
            }
            Self::Nsec3Param(param) => {
                write!(f, "{}", Salt(param.hash_algorithm, param.flags, param.iterations, &param.salt))
            }
            Self::Other { number, bytes } => match known(*number, bytes) {
                Some(text) => f.write_str(&text),
                // RFC 3597 5
                None if bytes.is_empty() => f.write_str("\\# 0"),
                None => write!(f, "\\# {} {}", bytes.len(), Hex(bytes)),
            },
        }
    }
}

/// The text of data whose fields are known; none where the bytes are not such fields.
fn known(number: u16, bytes: &[u8]) -> Option<String> {
    let mut reader = Reader { rest: bytes };
    let mut text = String::new();
    for field in layout(number)? {
        let before = text.len();
        if !text.is_empty() {
            text.push(' ');
        }
        let start = text.len();
        reader.print(*field, &mut text)?;
        // A field may be empty, as the gateway of a key without one.
        if text.len() == start {
            text.truncate(before);
        }
    }
    reader.rest.is_empty().then_some(text)
}

/// What is left of the data.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Bytes with their number before them.
    fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(length.into())
    }

    pub(super) fn name(&mut self) -> Option<SpelledName> {
        let (name, length) = SpelledName::from_wire(self.rest)?;
        self.take(length)?;
        Some(name)
    }

    fn v4(&mut self) -> Option<Ipv4Addr> {
        Some(<[u8; 4]>::try_from(self.take(4)?).ok()?.into())
    }

    fn v6(&mut self) -> Option<Ipv6Addr> {
        Some(<[u8; 16]>::try_from(self.take(16)?).ok()?.into())
    }

    /// Appends the text of one field.
    fn print(&mut self, field: Field, text: &mut String) -> Option<()> {
        match field {
            Field::U8 => write!(text, "{}", self.u8()?),
            Field::U16 => write!(text, "{}", self.u16()?),
            Field::U32 => write!(text, "{}", self.u32()?),
            Field::Time => write!(text, "{}", Time(self.u32()?)),
            Field::Type => write!(text, "{}", RecordType::from_number(self.u16()?)),
            Field::Name => write!(text, "{}", Spelled(&self.name()?)),
            Field::V4 => write!(text, "{}", self.v4()?),
            Field::Text => write!(text, "{}", Quoted(self.short()?)),
            Field::Texts => {
                let mut strings = vec![Quoted(self.short()?)];
                while !self.rest.is_empty() {
                    strings.push(Quoted(self.short()?));
                }
                separated(text, " ", strings)
            }
            Field::RestText => write!(text, "{}", Quoted(self.rest())),
            Field::Tag => {
                let tag = self.short()?;
                // RFC 8659 4.1: letters and digits.
                if tag.is_empty() || !tag.iter().all(u8::is_ascii_alphanumeric) {
                    return None;
                }
                tag.iter().for_each(|byte| text.push(char::from(*byte)));
                Ok(())
            }
            Field::Hex if self.rest.is_empty() => return None,
            Field::Hex => write!(text, "{}", Hex(self.rest())),
            Field::LongHex => write!(text, "0x{}", data_encoding::HEXLOWER.encode(self.rest())),
            Field::Base64 => write!(text, "{}", Base64(self.rest())),
            Field::Dashed(length) => {
                let bytes = self.take(length)?;
                separated(text, "-", bytes.iter().map(|byte| format!("{byte:02x}")))
            }
            Field::Locator => {
                let words = [self.u16()?, self.u16()?, self.u16()?, self.u16()?];
                separated(text, ":", words.iter().map(|word| format!("{word:x}")))
            }
            Field::Types => {
                let types = super::data::read_types(self.rest())?;
                // The field before it has left a space.
                write!(text, "{}", Types(&types).to_string().trim_start())
            }
            Field::Certificate => {
                match CERTIFICATES.iter().find(|(number, _)| self.rest.starts_with(&number.to_be_bytes())) {
                    Some((_, name)) => self.u16().map(|_| text.push_str(name)).ok_or(fmt::Error),
                    None => write!(text, "{}", self.u16()?),
                }
            }
            Field::Algorithm => {
                let number = self.u8()?;
                match super::fields::algorithm(number) {
                    Some(name) => write!(text, "{name}"),
                    None => write!(text, "{number}"),
                }
            }
            Field::Location => return self.location(text),
            Field::Prefixes => return self.prefixes(text),
            Field::Gateway => return self.gateway(text),
            Field::HostIdentity => return self.host_identity(text),
            Field::Parameters => return svcb::print(self, text),
        }
        .ok()
    }

    /// RFC 1876 2.
    fn location(&mut self, text: &mut String) -> Option<()> {
        let version = self.u8()?;
        let sizes = [self.u8()?, self.u8()?, self.u8()?];
        let (latitude, longitude, altitude) = (self.u32()?, self.u32()?, self.u32()?);
        if version != 0 || sizes.iter().any(|size| size >> 4 > 9 || size & 0xf > 9) {
            return None;
        }
        let angle = |raw: u32, positive: char, negative: char, most: u32| {
            let offset = i64::from(raw) - (1 << 31);
            let thousandths = offset.unsigned_abs();
            let degrees = thousandths / 3_600_000;
            let (minutes, seconds) = (thousandths / 60_000 % 60, thousandths % 60_000);
            let side = if offset < 0 { negative } else { positive };
            (thousandths <= u64::from(most) * 3_600_000)
                .then(|| format!("{degrees} {minutes} {}.{:03} {side}", seconds / 1000, seconds % 1000))
        };
        let centimetres = i64::from(altitude) - 10_000_000;
        let sign = if centimetres < 0 { "-" } else { "" };
        let metres = centimetres.unsigned_abs();
        write!(
            text,
            "{} {} {sign}{}.{:02}m",
            angle(latitude, 'N', 'S', 90)?,
            angle(longitude, 'E', 'W', 180)?,
            metres / 100,
            metres % 100
        )
        .ok()?;
        sizes
            .iter()
            .try_for_each(|size| {
                // The first digit times a power of ten, in centimetres.
                let centimetres = u64::from(size >> 4) * 10_u64.pow(u32::from(size & 0xf));
                if size & 0xf > 1 || centimetres >= 100 && centimetres % 100 == 0 {
                    write!(text, " {}m", centimetres / 100)
                } else {
                    write!(text, " {}.{:02}m", centimetres / 100, centimetres % 100)
                }
            })
            .ok()
    }

    /// RFC 3123 4.
    fn prefixes(&mut self, text: &mut String) -> Option<()> {
        while !self.rest.is_empty() {
            let (family, length, size) = (self.u16()?, self.u8()?, self.u8()?);
            let (negated, bytes) = (size & 0x80 != 0, self.take(usize::from(size & 0x7f))?);
            let mut octets = [0; 16];
            octets.get_mut(..bytes.len())?.copy_from_slice(bytes);
            let [a, b, c, d, rest @ ..] = octets;
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(if negated { "!" } else { "" });
            match family {
                1 if length <= 32 && rest == [0; 12] => {
                    write!(text, "1:{}/{length}", Ipv4Addr::new(a, b, c, d))
                }
                2 if length <= 128 => write!(text, "2:{}/{length}", Ipv6Addr::from(octets)),
                _ => return None,
            }
            .ok()?;
        }
        Some(())
    }

    /// RFC 4025 2: the kind of gateway stands before the algorithm, the gateway after it.
    fn gateway(&mut self, text: &mut String) -> Option<()> {
        let (kind, algorithm) = (self.u8()?, self.u8()?);
        write!(text, "{kind} {algorithm} ").ok()?;
        match kind {
            0 => write!(text, "."),
            1 => write!(text, "{}", self.v4()?),
            2 => write!(text, "{}", self.v6()?),
            3 => write!(text, "{}", Spelled(&self.name()?)),
            _ => return None,
        }
        .ok()
    }

    /// RFC 8005 5.
    fn host_identity(&mut self, text: &mut String) -> Option<()> {
        let (tag, algorithm, key) = (self.u8()?, self.u8()?, self.u16()?);
        let (tag, key) = (self.take(tag.into())?, self.take(key.into())?);
        write!(text, "{algorithm} {} {}", HEXUPPER.encode(tag), BASE64.encode(key)).ok()?;
        while !self.rest.is_empty() {
            write!(text, " {}", Spelled(&self.name()?)).ok()?;
        }
        Some(())
    }
}

/// Things with something between them.
pub(super) fn separated<T: fmt::Display>(
    out: &mut impl Write,
    between: &str,
    things: impl IntoIterator<Item = T>,
) -> fmt::Result {
    things
        .into_iter()
        .enumerate()
        .try_for_each(|(at, thing)| write!(out, "{}{thing}", if at == 0 { "" } else { between }))
}

/// A name with its final dot.
pub(super) struct Absolute<'a>(pub(super) &'a DnsName);

impl fmt::Display for Absolute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.0.as_str())
    }
}

/// The same, each letter as it was written.
struct Spelled<'a>(&'a SpelledName);

impl fmt::Display for Spelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.0.spelling())
    }
}

/// A character string between quotes (RFC 1035 5.1).
struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.0.iter().try_for_each(|byte| write_character(f, *byte))?;
        f.write_str("\"")
    }
}

/// A character inside quotes.
pub(super) fn write_character(out: &mut impl Write, byte: u8) -> fmt::Result {
    match byte {
        b'"' | b'\\' => write!(out, "\\{}", char::from(byte)),
        0x20..=0x7e => out.write_char(char::from(byte)),
        other => write!(out, "\\{other:03}"),
    }
}

/// Words of hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, " ", self.0.chunks(WORD / 2).map(|word| HEXUPPER.encode(word)))
    }
}

/// Words of base64.
struct Base64<'a>(&'a [u8]);

impl fmt::Display for Base64<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, " ", self.0.chunks(WORD / 4 * 3).map(|word| BASE64.encode(word)))
    }
}

/// How names are hashed (RFC 5155 3.3).
struct Salt<'a>(u8, u8, u16, &'a [u8]);

impl fmt::Display for Salt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(algorithm, flags, iterations, salt) = self;
        let salt = if salt.is_empty() { "-".to_owned() } else { HEXUPPER.encode(salt) };
        write!(f, "{algorithm} {flags} {iterations} {salt}")
    }
}

/// Types, each with a space before it.
struct Types<'a>(&'a BTreeSet<RecordType>);

impl fmt::Display for Types<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|record_type| write!(f, " {record_type}"))
    }
}

/// A time as in a signature: `YYYYMMDDHHmmSS` (RFC 4034 3.2).
struct Time(u32);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = CivilTime::from(WallTime::from_unix_seconds(self.0.into()));
        let CivilTime { year, month, day, hour, minute, second } = date;
        write!(f, "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }
}
