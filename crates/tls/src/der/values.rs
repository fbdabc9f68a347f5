//! What elements say: numbers, bits, times, texts, object identifiers.

use super::{DerError, Element, GENERALIZED_TIME, OID, Reader, Rules, UTC_TIME};
use glasstack_journal::CivilTime;

impl<'a> Element<'a> {
    /// A BOOLEAN (X.690 8.2; 11.1: true is 0xff).
    pub(crate) fn truth(&self, what: &'static str) -> Result<bool, DerError> {
        match self.contents {
            [0] => Ok(false),
            [0xff] => Ok(true),
            [_] if self.rules == Rules::Lenient => Ok(true),
            _ => Err(DerError::Value { what }),
        }
    }

    /// A BIT STRING's bytes (X.690 8.6), and how many of the last bits are none.
    pub(crate) fn bits(&self, what: &'static str) -> Result<(&'a [u8], u8), DerError> {
        match self.contents.split_first() {
            Some((unused @ 0..=7, bytes)) if *unused == 0 || !bytes.is_empty() => Ok((bytes, *unused)),
            _ => Err(DerError::Value { what }),
        }
    }

    /// An INTEGER or ENUMERATED (X.690 8.3) that is not below 0 and has 64 bits at most.
    pub(crate) fn number(&self, what: &'static str) -> Result<u64, DerError> {
        match self.contents {
            [first, ..] if first & 0x80 != 0 => Err(DerError::Value { what }),
            [0, rest @ ..] | rest if (1..=8).contains(&rest.len()) => Ok(number_of(rest)),
            [0] => Ok(0),
            _ => Err(DerError::Value { what }),
        }
    }

    /// The same with 32 bits at most.
    pub(crate) fn small(&self, what: &'static str) -> Result<u32, DerError> {
        u32::try_from(self.number(what)?).map_err(|_| DerError::Value { what })
    }

    /// A string of characters, whatever its kind (X.680 41); none if it is no string, or not of its kind.
    pub(crate) fn text(&self) -> Option<String> {
        match self.tag {
            super::UTF8_STRING => std::str::from_utf8(self.contents).ok().map(str::to_owned),
            super::PRINTABLE_STRING | super::IA5_STRING | super::VISIBLE_STRING => {
                self.contents.is_ascii().then(|| String::from_utf8_lossy(self.contents).into_owned())
            }
            // T.61 is written as Latin-1 by everybody.
            super::TELETEX_STRING => Some(self.contents.iter().map(|byte| char::from(*byte)).collect()),
            super::BMP_STRING => {
                let (units, []) = self.contents.as_chunks::<2>() else { return None };
                String::from_utf16(&units.iter().map(|unit| u16::from_be_bytes(*unit)).collect::<Vec<_>>())
                    .ok()
            }
            super::UNIVERSAL_STRING => {
                let (units, []) = self.contents.as_chunks::<4>() else { return None };
                units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit))).collect()
            }
            _ => None,
        }
    }
}

impl Reader<'_> {
    /// The next element, an OBJECT IDENTIFIER, dotted.
    pub(crate) fn oid(&mut self, what: &'static str) -> Result<String, DerError> {
        oid(self.read(OID, what)?.contents)
    }
}

fn number_of(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

impl Element<'_> {
    /// Named bits (X.680 22), the first of them being the lowest: those after the 64th are passed over.
    pub(crate) fn named_bits(&self, what: &'static str) -> Result<u64, DerError> {
        let (bytes, _) = self.bits(what)?;
        let mut first = [0; 8];
        first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(u64::from_be_bytes(first).reverse_bits())
    }

    /// UTCTime or GeneralizedTime, as RFC 5280 4.1.2.5 has them (to the second, in UTC), in Unix
    /// seconds.
    pub(crate) fn time(&self, what: &'static str) -> Result<i64, DerError> {
        let text = std::str::from_utf8(self.contents).ok().and_then(|text| text.strip_suffix('Z'));
        text.and_then(|text| self.seconds(text)).ok_or(DerError::Value { what })
    }

    fn seconds(&self, text: &str) -> Option<i64> {
        let text = match (text.split_once('.'), self.rules) {
            (None, _) => text,
            (Some((whole, _)), Rules::Lenient) => whole,
            (Some(_), Rules::Strict) => return None,
        };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (year, rest) = match self.tag {
            UTC_TIME => {
                let year: i64 = text.get(..2)?.parse().ok()?;
                (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
            }
            GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
            _ => return None,
        };
        let two = |at: usize| rest.get(at..at + 2).unwrap_or("0").parse().ok();
        let civil =
            CivilTime { year, month: two(0)?, day: two(2)?, hour: two(4)?, minute: two(6)?, second: two(8)? };
        let is_whole = match self.rules {
            Rules::Strict => rest.len() == 10 && civil.second < 60,
            Rules::Lenient => matches!(rest.len(), 8 | 10),
        };
        civil.unix_seconds().filter(|_| is_whole)
    }
}

/// An OBJECT IDENTIFIER (X.690 8.19) as people write it, `2.5.29.20`.
pub(crate) fn oid(contents: &[u8]) -> Result<String, DerError> {
    const BAD: DerError = DerError::Value { what: "the object identifier" };
    let mut arcs: Vec<u128> = Vec::new();
    let mut arc: u128 = 0;
    let mut is_open = false;
    for byte in contents {
        if arc >> 120 != 0 {
            return Err(BAD);
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
        return Err(BAD);
    }
    Ok(arcs.iter().map(u128::to_string).collect::<Vec<_>>().join("."))
}

/// The same for a message, which is not longer than the identifiers that are in use; in hex where it is
/// none.
pub(crate) fn dotted(contents: &[u8]) -> String {
    const LONGEST: usize = 32;
    let short = Some(contents).filter(|contents| contents.len() <= LONGEST);
    short.and_then(|contents| oid(contents).ok()).unwrap_or_else(|| hex(contents))
}

/// A number of any size, in hex, for a message: serial numbers, the numbers of lists.
pub(crate) fn hex(contents: &[u8]) -> String {
    let shown = match contents {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    match shown.split_at_checked(32) {
        Some((first, [_, ..])) => crate::hex::hex(first) + "...",
        _ => crate::hex::hex(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::{self, INTEGER, write};

    fn seconds(tag: u8, text: &str) -> Result<i64, DerError> {
        Reader::new(&write(tag, &[text.as_bytes()])).any("a time")?.time("a time")
    }

    #[test]
    fn times_are_read_as_rfc_5280_writes_them() {
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Ok(0));
        assert_eq!(seconds(UTC_TIME, "260921141320Z"), Ok(1_790_000_000));
        assert_eq!(seconds(GENERALIZED_TIME, "20260921141320Z"), Ok(1_790_000_000));
        assert_eq!(seconds(GENERALIZED_TIME, "20240229000000Z"), Ok(1_709_164_800));
        assert_eq!(seconds(UTC_TIME, "491231235959Z"), Ok(2_524_607_999));
        assert_eq!(seconds(UTC_TIME, "500101000000Z"), Ok(-631_152_000));
        for bad in [
            "",
            "Z",
            "260921141320",
            "2609211413Z",
            "260229000000Z",
            "261301000000Z",
            "26092114132xZ",
            "20260601120000Z",
            "260601120060Z",
        ] {
            assert!(seconds(UTC_TIME, bad).is_err(), "{bad}");
        }
        assert!(seconds(GENERALIZED_TIME, "20260921141320.5Z").is_err());
    }

    #[test]
    fn times_as_others_write_them_are_only_looked_at() {
        let lenient = |tag, text: &str| {
            Reader::lenient(&write(tag, &[text.as_bytes()]))
                .any("a time")
                .and_then(|time| time.time("a time"))
        };
        assert_eq!(lenient(GENERALIZED_TIME, "20260921141320.5Z"), Ok(1_790_000_000));
        assert_eq!(lenient(UTC_TIME, "2606011200Z"), Ok(1_780_315_200));
        for bad in ["20260601120000Z", "261301000000Z", "260601120000", "26060112000+Z", "26060112000Z", ""] {
            assert!(lenient(UTC_TIME, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bits_and_numbers_are_read() {
        let bits = |contents: &[u8]| {
            Reader::new(&write(der::BIT_STRING, &[contents])).any("it").and_then(|bits| bits.named_bits("it"))
        };
        // RFC 5280 5.2.5: keyCompromise is bit 1, aACompromise bit 8.
        assert_eq!(bits(&[6, 0x40]), Ok(1 << 1));
        assert_eq!(bits(&[7, 0, 0x80]), Ok(1 << 8));
        assert!(bits(&[]).is_err() && bits(&[8, 1]).is_err());
        let number =
            |contents: &[u8]| Reader::new(&write(INTEGER, &[contents])).any("n").and_then(|n| n.number("n"));
        assert_eq!((number(&[0, 0x80]), number(&[0])), (Ok(128), Ok(0)));
        assert_eq!(number(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Ok(u64::MAX));
        assert!(number(&[0x80]).is_err() && number(&[]).is_err() && number(&[1; 9]).is_err());
        assert_eq!((hex(&[0, 0x8f]), hex(&[0])), ("8f".to_owned(), "00".to_owned()));
    }

    #[test]
    fn object_identifiers_are_dotted() {
        assert_eq!(oid(&[0x55, 0x1d, 0x11]).unwrap(), "2.5.29.17");
        assert_eq!(oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]).unwrap(), "1.2.840.113549.1.1.11");
        assert_eq!(oid(&[0x88, 0x37]).unwrap(), "2.999");
        assert!(oid(&[]).is_err() && oid(&[0x55, 0x9d]).is_err() && oid(&[0xff; 40]).is_err());
        assert_eq!(dotted(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2]), "1.3.6.1.5.5.7.48.1.2");
        assert_eq!(dotted(&[0x55, 0x9d]), "559d");
    }
}
