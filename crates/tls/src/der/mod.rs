//! DER (X.690), read in place, one element after the other, and written for requests and keys.
//!
//! Nothing is built and nothing calls itself: how deep the input is nested and how many elements it
//! has costs no memory, and each caller goes only as deep as its own grammar.
//!
//! [`Reader`] and [`Element`] are here, what elements say (numbers, bits, times, texts) in `values`,
//! what is signed in `signed`.

mod signed;
mod values;

pub use signed::Algorithms;
pub(crate) use signed::{Held, KeyInfo, Signed};
pub(crate) use values::{dotted, hex, oid};

// Tags of the universal class (X.690 8.1.2, X.680 8.4).
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

/// A context-specific tag, as `[0]`, of something primitive.
pub(crate) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// A context-specific tag, as `[0]`, of something constructed.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// DER that is none, or not of the shape that it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// Something ends too early, or its length is not written as DER has it.
    #[error("{what} ends too early or has a length that is not DER")]
    Framing {
        /// What.
        what: &'static str,
    },
    /// Something else stands in its place.
    #[error("in the place of {what} stands an element with the tag 0x{tag:02x}")]
    Unexpected {
        /// What should stand there.
        what: &'static str,
        /// The tag found.
        tag: u8,
    },
    /// Something follows that should not.
    #[error("{bytes} bytes follow {what}")]
    Trailing {
        /// What they follow.
        what: &'static str,
        /// How many they are.
        bytes: usize,
    },
    /// It has a value that it cannot have.
    #[error("{what} has a value that it cannot have")]
    Value {
        /// What.
        what: &'static str,
    },
}

/// How strictly it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// As X.690 10 and 11 and RFC 5280 4.1.2.5 have it: what something is decided by.
    Strict,
    /// Also what is not as short as can be, true that is not 0xff, and times with fractions of seconds
    /// or without seconds: what is only looked at.
    Lenient,
}

/// One element: its tag, what is in it, and the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) contents: &'a [u8],
    /// With tag and length.
    pub(crate) whole: &'a [u8],
    rules: Rules,
}

impl<'a> Element<'a> {
    /// What is in it, element by element.
    pub(crate) fn inside(&self) -> Reader<'a> {
        Reader { rest: self.contents, rules: self.rules }
    }

    /// What it is where an implicit tag stands in the place of its own (X.690 8.14).
    pub(crate) fn implicitly(self, tag: u8) -> Self {
        Self { tag, ..self }
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
    rules: Rules,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, rules: Rules::Strict }
    }

    /// For looking only.
    pub(crate) fn lenient(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, rules: Rules::Lenient }
    }

    /// The one element that `bytes` are.
    pub(crate) fn only(bytes: &'a [u8], tag: u8, what: &'static str) -> Result<Element<'a>, DerError> {
        Self::new(bytes).whole(what)?.of(tag, what)
    }

    /// The one element that all of it is.
    pub(crate) fn whole(mut self, what: &'static str) -> Result<Element<'a>, DerError> {
        let element = self.any(what)?;
        self.end(what)?;
        Ok(element)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element's tag.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Whether the next element has this tag.
    pub(crate) fn next_is(&self, tag: u8) -> bool {
        self.peek() == Some(tag)
    }

    /// The next element, of whatever tag.
    pub(crate) fn any(&mut self, what: &'static str) -> Result<Element<'a>, DerError> {
        let (element, rest) = split(self.rest, self.rules).ok_or(DerError::Framing { what })?;
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

    /// What is inside the next element, which must be a SEQUENCE.
    pub(crate) fn sequence(&mut self, what: &'static str) -> Result<Self, DerError> {
        Ok(self.read(SEQUENCE, what)?.inside())
    }

    /// There must be nothing more.
    pub(crate) fn end(&self, what: &'static str) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError::Trailing { what, bytes: self.rest.len() }) }
    }
}

/// The first element and what follows it. X.690 10.1: lengths are definite and as short as can be.
fn split(bytes: &[u8], rules: Rules) -> Option<(Element<'_>, &[u8])> {
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
            if needs != octets.len() && rules == Rules::Strict {
                return None;
            }
            (length, rest)
        }
        _ => return None,
    };
    let (contents, after) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - after.len())?;
    Some((Element { tag, contents, whole, rules }, after))
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

    #[test]
    fn elements_are_read_one_after_another() {
        let mut reader = Reader::new(&[0x02, 1, 5, 0x30, 3, 0x01, 1, 0xff]);
        assert_eq!(reader.read(INTEGER, "a").unwrap().number("a"), Ok(5));
        let mut inside = reader.sequence("b").unwrap();
        assert_eq!(inside.read(BOOLEAN, "c").unwrap().truth("c"), Ok(true));
        assert!(inside.end("b").is_ok() && reader.is_empty());
        assert_eq!(reader.read(OID, "d"), Err(DerError::Framing { what: "d" }));
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
            &[0x3f, 0x01, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(Reader::lenient(bytes).any("it").is_err(), "{bytes:02x?}");
            assert!(Reader::new(bytes).any("it").is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn a_length_is_as_short_as_can_be_or_it_is_not_der() {
        for bytes in [[0x30, 0x81, 0x01, 0].as_slice(), &[0x30, 0x82, 0, 1, 0]] {
            assert!(Reader::new(bytes).any("it").is_err(), "{bytes:02x?}");
            assert!(Reader::lenient(bytes).whole("it").is_ok(), "{bytes:02x?}");
        }
        let long = write(OCTET_STRING, &[&[7; 300]]);
        assert_eq!(Reader::new(&long).whole("it").map(|element| element.contents.len()), Ok(300));
    }
}
