//! DER (X.690) as far as revocation needs it: read in place, one element after the other, and
//! written for requests.
//!
//! Nothing is built and nothing calls itself: how deep the input is nested and how many elements it
//! has costs no memory, and each caller goes only as deep as its own grammar.

use super::DerError;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;

/// A context-specific tag, as `[0]`, of something primitive.
pub(crate) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// A context-specific tag, as `[0]`, of something constructed.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// One element: its tag, what is in it, and the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) contents: &'a [u8],
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// What is in it, element by element.
    pub(crate) fn inside(&self) -> Reader<'a> {
        Reader { rest: self.contents }
    }

    /// Of this tag, or an error.
    pub(crate) fn of(self, tag: u8, what: &'static str) -> Result<Self, DerError> {
        if self.tag == tag { Ok(self) } else { Err(DerError::Unexpected { what, tag: self.tag }) }
    }
}

/// Reads elements one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The one element that `bytes` are.
    pub(crate) fn only(bytes: &'a [u8], tag: u8, what: &'static str) -> Result<Element<'a>, DerError> {
        let mut reader = Self::new(bytes);
        let element = reader.read(tag, what)?;
        reader.end(what)?;
        Ok(element)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether the next element has this tag.
    pub(crate) fn next_is(&self, tag: u8) -> bool {
        self.rest.first() == Some(&tag)
    }

    /// The next element, of whatever tag.
    pub(crate) fn any(&mut self, what: &'static str) -> Result<Element<'a>, DerError> {
        let (element, rest) = split(self.rest).ok_or(DerError::Framing { what })?;
        self.rest = rest;
        Ok(element)
    }

    /// The next element, which must have this tag.
    pub(crate) fn read(&mut self, tag: u8, what: &'static str) -> Result<Element<'a>, DerError> {
        self.any(what)?.of(tag, what)
    }

    /// The next element, if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8, what: &'static str) -> Result<Option<Element<'a>>, DerError> {
        if self.next_is(tag) { self.any(what).map(Some) } else { Ok(None) }
    }

    /// There must be nothing more.
    pub(crate) fn end(&self, what: &'static str) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError::Trailing { what, bytes: self.rest.len() }) }
    }
}

/// The first element and what follows it. X.690 10.1: lengths are definite and as short as can be.
fn split(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    // Tag numbers above 30 occur in nothing that is read here.
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = octets.iter().fold(0usize, |sum, octet| sum << 8 | usize::from(*octet));
            let needs = if length < 0x80 { 0 } else { (length.ilog2() / 8 + 1) as usize };
            if needs != octets.len() {
                return None;
            }
            (length, rest)
        }
        _ => return None,
    };
    let (contents, after) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - after.len())?;
    Some((Element { tag, contents, whole }, after))
}

/// A BOOLEAN's value (X.690 11.1).
pub(crate) fn boolean(contents: &[u8], what: &'static str) -> Result<bool, DerError> {
    match contents {
        [0] => Ok(false),
        [0xff] => Ok(true),
        _ => Err(DerError::Value { what }),
    }
}

/// The bits of a BIT STRING that are whole octets.
pub(crate) fn octets<'a>(element: &Element<'a>, what: &'static str) -> Result<&'a [u8], DerError> {
    match element.contents.split_first() {
        Some((0, octets)) => Ok(octets),
        _ => Err(DerError::Value { what }),
    }
}

/// Named bits (X.680 22), the first of them being the lowest: 16 at most.
pub(crate) fn named_bits(contents: &[u8], what: &'static str) -> Result<u16, DerError> {
    let (unused, octets) = contents.split_first().ok_or(DerError::Value { what })?;
    if *unused > 7 || octets.len() > 2 {
        return Err(DerError::Value { what });
    }
    let both = [octets.first().copied().unwrap_or(0), octets.get(1).copied().unwrap_or(0)];
    Ok(u16::from_be_bytes(both).reverse_bits())
}

/// A small number that is not negative.
pub(crate) fn small(contents: &[u8], what: &'static str) -> Result<u32, DerError> {
    match contents {
        [0, rest @ ..] | rest if (1..=4).contains(&contents.len()) && contents[0] < 0x80 => {
            Ok(rest.iter().fold(0u32, |sum, octet| sum << 8 | u32::from(*octet)))
        }
        _ => Err(DerError::Value { what }),
    }
}

/// A number of any size, in hex: serial numbers, the numbers of lists.
pub(crate) fn hex(contents: &[u8]) -> String {
    let shown = match contents {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let mut text: String = shown.iter().take(32).map(|octet| format!("{octet:02x}")).collect();
    if shown.len() > 32 {
        text.push_str("...");
    }
    text
}

/// UTCTime or GeneralizedTime, as RFC 5280 4.1.2.5 has them (to the second, in UTC), in Unix seconds.
pub(crate) fn time(element: &Element<'_>, what: &'static str) -> Result<i64, DerError> {
    let bad = || DerError::Value { what };
    let text = element.contents.strip_suffix(b"Z").ok_or_else(bad)?;
    if !text.iter().all(u8::is_ascii_digit) {
        return Err(bad());
    }
    let number = |digits: &[u8]| digits.iter().fold(0i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let (year, rest) = match (element.tag, text.len()) {
        (UTC_TIME, 12) => {
            let year = number(&text[..2]);
            (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
        }
        (GENERALIZED_TIME, 14) => (number(&text[..4]), &text[4..]),
        _ => return Err(bad()),
    };
    let (month, day) = (number(&rest[..2]), number(&rest[2..4]));
    let (hour, minute, second) = (number(&rest[4..6]), number(&rest[6..8]), number(&rest[8..10]));
    if !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) {
        return Err(bad());
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(bad());
    }
    Ok(days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01: the years are counted from March, so that February's end is the year's.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// An object identifier as people write it, `2.5.29.20`.
pub(crate) fn dotted(oid: &[u8]) -> String {
    const SHOWN: usize = 32;
    let mut text = String::new();
    let mut number: u64 = 0;
    for octet in oid.iter().take(SHOWN) {
        number = number.saturating_mul(128).saturating_add(u64::from(octet & 0x7f));
        if octet & 0x80 == 0 {
            if text.is_empty() {
                let first = (number / 40).min(2);
                text = format!("{first}.{}", number - 40 * first);
            } else {
                text.push_str(&format!(".{number}"));
            }
            number = 0;
        }
    }
    text
}

/// One element of `tag` around `parts`.
pub(crate) fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        out.push(0x80 | (octets.len() - zeros) as u8);
        out.extend_from_slice(&octets[zeros..]);
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(tag: u8, text: &str) -> Result<i64, DerError> {
        time(&Element { tag, contents: text.as_bytes(), whole: &[] }, "a time")
    }

    #[test]
    fn times_are_read_as_rfc_5280_writes_them() {
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Ok(0));
        assert_eq!(seconds(UTC_TIME, "260921141320Z"), Ok(1_790_000_000));
        assert_eq!(seconds(GENERALIZED_TIME, "20260921141320Z"), Ok(1_790_000_000));
        assert_eq!(seconds(GENERALIZED_TIME, "20240229000000Z"), Ok(1_709_164_800));
        assert_eq!(seconds(UTC_TIME, "491231235959Z"), Ok(2_524_607_999));
        assert_eq!(seconds(UTC_TIME, "500101000000Z"), Ok(-631_152_000));
        for bad in ["", "Z", "260921141320", "2609211413Z", "260229000000Z", "261301000000Z", "26092114132xZ"]
        {
            assert!(seconds(UTC_TIME, bad).is_err(), "{bad}");
        }
        assert!(seconds(GENERALIZED_TIME, "20260921141320.5Z").is_err());
    }

    #[test]
    fn a_length_is_as_short_as_can_be_or_it_is_not_der() {
        assert!(split(&[0x30, 0x81, 0x7f]).is_none());
        assert!(split(&[0x30, 0x80, 0, 0]).is_none());
        assert!(split(&[0x30, 0x82, 0, 0x80]).is_none());
        assert!(split(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).is_none());
        assert!(split(&[0x3f, 0x01, 0]).is_none());
        let long = write(OCTET_STRING, &[&[7; 300]]);
        assert_eq!(split(&long).map(|(element, rest)| (element.contents.len(), rest.len())), Some((300, 0)));
    }

    #[test]
    fn bits_numbers_and_identifiers_are_read() {
        // RFC 5280 5.2.5: keyCompromise is bit 1, aACompromise bit 8.
        assert_eq!(named_bits(&[6, 0x40], "reasons"), Ok(1 << 1));
        assert_eq!(named_bits(&[7, 0, 0x80], "reasons"), Ok(1 << 8));
        assert!(named_bits(&[], "reasons").is_err());
        assert_eq!(small(&[0, 0x80], "n"), Ok(128));
        assert!(small(&[0x80], "n").is_err() && small(&[], "n").is_err() && small(&[1; 5], "n").is_err());
        assert_eq!(dotted(&[0x55, 0x1d, 0x14]), "2.5.29.20");
        assert_eq!(dotted(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2]), "1.3.6.1.5.5.7.48.1.2");
        assert_eq!((hex(&[0, 0x8f]), hex(&[0])), ("8f".to_owned(), "00".to_owned()));
    }
}
