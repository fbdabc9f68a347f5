//! DER (X.690), as far as it is needed to look at what others have signed: values are taken off one
//! after another, and what is not as expected is said in words.

use glasstack_journal::{CivilTime, WallTime};

/// Tags of the universal class (X.690 8.1.2, X.680 8.4), and how context-specific ones are made.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const TELETEX_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const VISIBLE_STRING: u8 = 0x1a;
    pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[number]` around a primitive value, or in place of its tag.
    pub(crate) const fn implicit(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]` around other values.
    pub(crate) const fn explicit(number: u8) -> u8 {
        0xa0 | number
    }
}

/// What could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub(crate) struct Unreadable {
    /// The part, as the RFC names it.
    pub(crate) what: &'static str,
    pub(crate) why: String,
}

pub(crate) type Read<T> = Result<T, Unreadable>;

pub(crate) fn unreadable<T>(what: &'static str, why: impl Into<String>) -> Read<T> {
    Err(Unreadable { what, why: why.into() })
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// With tag and length.
    pub(crate) whole: &'a [u8],
}

/// Values that follow one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    rest: &'a [u8],
}

impl<'a> Values<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value's tag.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next value, whatever it is.
    pub(crate) fn any(&mut self, what: &'static str) -> Read<Value<'a>> {
        let (value, rest) = split(self.rest).map_err(|why| Unreadable { what, why: why.to_owned() })?;
        self.rest = rest;
        Ok(value)
    }

    /// The next value, which has this tag.
    pub(crate) fn take(&mut self, tag: u8, what: &'static str) -> Read<Value<'a>> {
        match self.peek() {
            Some(found) if found == tag => self.any(what),
            Some(found) => {
                unreadable(what, format!("tag 0x{tag:02x} is expected, and 0x{found:02x} is there"))
            }
            None => unreadable(what, "it is missing"),
        }
    }

    /// The next value, if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8, what: &'static str) -> Read<Option<Value<'a>>> {
        if self.peek() == Some(tag) { self.any(what).map(Some) } else { Ok(None) }
    }

    /// What is inside the next value, which is a SEQUENCE.
    pub(crate) fn sequence(&mut self, what: &'static str) -> Read<Values<'a>> {
        self.take(tag::SEQUENCE, what).map(Value::inside)
    }

    pub(crate) fn oid(&mut self, what: &'static str) -> Read<String> {
        oid(self.take(tag::OID, what)?.content)
    }

    /// Nothing may follow.
    pub(crate) fn end(&self, what: &'static str) -> Read<()> {
        if self.is_empty() {
            Ok(())
        } else {
            unreadable(what, format!("{} bytes follow it", self.rest.len()))
        }
    }
}

impl<'a> Value<'a> {
    /// `bytes` are one value and no more.
    pub(crate) fn whole(bytes: &'a [u8], what: &'static str) -> Read<Self> {
        let mut values = Values::of(bytes);
        let value = values.any(what)?;
        values.end(what).map(|()| value)
    }

    /// The values in it.
    pub(crate) fn inside(self) -> Values<'a> {
        Values::of(self.content)
    }

    /// A BIT STRING's bytes (X.690 8.6): the last `unused` bits are none.
    pub(crate) fn bits(self, what: &'static str) -> Read<(&'a [u8], u8)> {
        match self.content.split_first() {
            Some((unused @ 0..=7, bytes)) if *unused == 0 || !bytes.is_empty() => Ok((bytes, *unused)),
            _ => unreadable(what, "it is no string of bits"),
        }
    }

    /// The numbers of the bits that are set, the first being 0.
    pub(crate) fn named_bits(self, what: &'static str) -> Read<Vec<usize>> {
        let (bytes, _) = self.bits(what)?;
        let bit =
            |number: &usize| bytes.get(number / 8).is_some_and(|byte| byte & (0x80 >> (number % 8)) != 0);
        Ok((0..bytes.len().min(8) * 8).filter(bit).collect())
    }

    /// A small INTEGER or ENUMERATED (X.690 8.3).
    pub(crate) fn number(self, what: &'static str) -> Read<u64> {
        match self.content {
            [] => unreadable(what, "it is an empty number"),
            [first, ..] if first & 0x80 != 0 => unreadable(what, "it is below 0"),
            bytes if bytes.len() > 9 || (bytes.len() == 9 && bytes[0] != 0) => {
                unreadable(what, "it is too large")
            }
            bytes => Ok(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte))),
        }
    }

    /// BOOLEAN (X.690 11.1).
    pub(crate) fn truth(self, what: &'static str) -> Read<bool> {
        match self.content {
            [0] => Ok(false),
            [_] => Ok(true),
            _ => unreadable(what, "it is neither true nor false"),
        }
    }

    /// UTCTime or GeneralizedTime, as RFC 5280 4.1.2.5 has them, in seconds since the Unix epoch.
    pub(crate) fn time(self, what: &'static str) -> Read<i64> {
        time(self.tag, self.content).map_or_else(
            || {
                unreadable(
                    what,
                    format!("`{}` is no time", String::from_utf8_lossy(self.content).escape_debug()),
                )
            },
            Ok,
        )
    }

    /// A string of characters, whatever its kind (X.680 41); none if it is no string, or not of its kind.
    pub(crate) fn text(self) -> Option<String> {
        match self.tag {
            tag::UTF8_STRING => std::str::from_utf8(self.content).ok().map(str::to_owned),
            tag::PRINTABLE_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => {
                self.content.is_ascii().then(|| String::from_utf8_lossy(self.content).into_owned())
            }
            // T.61 is written as Latin-1 by everybody.
            tag::TELETEX_STRING => Some(self.content.iter().map(|byte| char::from(*byte)).collect()),
            tag::BMP_STRING => {
                let (units, []) = self.content.as_chunks::<2>() else { return None };
                String::from_utf16(&units.iter().map(|unit| u16::from_be_bytes(*unit)).collect::<Vec<_>>())
                    .ok()
            }
            tag::UNIVERSAL_STRING => {
                let (units, []) = self.content.as_chunks::<4>() else { return None };
                units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit))).collect()
            }
            _ => None,
        }
    }
}

/// An OBJECT IDENTIFIER (X.690 8.19), dotted.
pub(crate) fn oid(content: &[u8]) -> Read<String> {
    const WHAT: &str = "the object identifier";
    let mut arcs: Vec<u128> = Vec::new();
    let mut arc: u128 = 0;
    let mut is_open = false;
    for byte in content {
        if arc >> 120 != 0 {
            return unreadable(WHAT, "a number in it is too large");
        }
        arc = (arc << 7) | u128::from(byte & 0x7f);
        is_open = byte & 0x80 != 0;
        if !is_open {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.extend([first, arc - first * 40]);
            } else {
                arcs.push(arc);
            }
            arc = 0;
        }
    }
    if arcs.is_empty() || is_open {
        return unreadable(WHAT, "it is cut short");
    }
    Ok(arcs.iter().map(u128::to_string).collect::<Vec<_>>().join("."))
}

/// The first value of `bytes`, and what follows it.
fn split(bytes: &[u8]) -> Result<(Value<'_>, &[u8]), &'static str> {
    let (tag, length) = match bytes {
        [] => return Err("it is missing"),
        [_] => return Err("it is cut short"),
        [tag, length, ..] => (*tag, *length),
    };
    if tag & 0x1f == 0x1f {
        return Err("it has a tag of several bytes");
    }
    let (header, length) = match length {
        0..=0x7f => (2, usize::from(length)),
        // X.690 10.1: DER has no lengths that are not said; and none here is longer than 4 GiB.
        0x81..=0x84 => {
            let header = 2 + usize::from(length & 0x7f);
            let octets = bytes.get(2..header).ok_or("it is cut short")?;
            (header, octets.iter().fold(0, |length, octet| (length << 8) | usize::from(*octet)))
        }
        _ => return Err("its length is not written as DER has it"),
    };
    let end = header.checked_add(length).ok_or("it is cut short")?;
    let whole = bytes.get(..end).ok_or("it is cut short")?;
    let content = whole.get(header..).unwrap_or_default();
    Ok((Value { tag, content, whole }, bytes.get(end..).unwrap_or_default()))
}

/// RFC 5280 4.1.2.5.1 and 4.1.2.5.2; fractions of seconds, which others write, are passed over.
fn time(kind: u8, content: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let text = text.split_once('.').map_or(text, |(whole, _)| whole);
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (kind, text.len()) {
        (tag::UTC_TIME, 10 | 12) => {
            let year: i64 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        (tag::GENERALIZED_TIME, 12 | 14) => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let two = |at: usize| rest.get(at..at + 2).map_or(Some(0), |digits| digits.parse().ok());
    let civil =
        CivilTime { year, month: two(0)?, day: two(2)?, hour: two(4)?, minute: two(6)?, second: two(8)? };
    civil.unix_seconds()
}

/// Civil time of `seconds` since the Unix epoch, as RFC 3339 writes it.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let Ok(since) = u64::try_from(seconds) else {
        return crate::certificate::rfc3339(seconds);
    };
    let CivilTime { year, month, day, hour, minute, second } = WallTime::from_unix_seconds(since).into();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_off_one_after_another() {
        let mut values = Values::of(&[0x02, 1, 5, 0x30, 3, 0x01, 1, 0xff]);
        assert_eq!(values.take(tag::INTEGER, "a").unwrap().number("a"), Ok(5));
        let mut inside = values.sequence("b").unwrap();
        assert_eq!(inside.take(tag::BOOLEAN, "c").unwrap().truth("c"), Ok(true));
        assert!(inside.end("b").is_ok() && values.is_empty());
        assert_eq!(values.take(tag::OID, "d").unwrap_err().to_string(), "d: it is missing");
    }

    #[test]
    fn what_is_cut_short_or_not_der_is_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 2, 0],
            &[0x30, 0x82, 1],
            &[0x30, 0x80, 0, 0],
            &[0x1f, 1, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(Values::of(bytes).any("it").is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn object_identifiers_are_dotted() {
        assert_eq!(oid(&[0x55, 0x1d, 0x11]).unwrap(), "2.5.29.17");
        assert_eq!(oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]).unwrap(), "1.2.840.113549.1.1.11");
        assert_eq!(oid(&[0x88, 0x37]).unwrap(), "2.999");
        assert!(oid(&[]).is_err() && oid(&[0x55, 0x9d]).is_err() && oid(&[0xff; 40]).is_err());
    }

    #[test]
    fn times_have_two_centuries_or_four_digits() {
        assert_eq!(time(tag::UTC_TIME, b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(time(tag::UTC_TIME, b"500101000000Z"), Some(-631_152_000));
        assert_eq!(time(tag::GENERALIZED_TIME, b"20260601120000Z"), Some(1_780_315_200));
        for wrong in [&b"20260601120000Z"[..], b"261301000000Z", b"260601120000", b"26060112000+Z", b""] {
            assert_eq!(time(tag::UTC_TIME, wrong), None);
        }
    }
}
