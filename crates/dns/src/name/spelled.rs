//! Names that keep their letters: in the data of some types upper and lower case are part of what is signed.

use super::{DnsName, MAX_WIRE, NameError, from_text_labels, read_text, write_text};
use std::fmt;
use std::ops::Deref;

/// A name as it was written. It is the same name as any other that differs in nothing but case (RFC 4343), and is
/// compared as [`DnsName`] is; but on the wire and in print each letter is as it was. Signatures are made over
/// that where RFC 4034 6.2 does not want lower case: NSEC's next name (RFC 6840 5.1) and all newer types.
#[derive(Clone)]
pub struct SpelledName {
    name: DnsName,
    /// In presentation format, where it is another than the name's.
    spelling: Option<Box<str>>,
}

impl SpelledName {
    /// The name without the final dot, each letter as it was; empty for the root.
    pub fn spelling(&self) -> &str {
        self.spelling.as_deref().unwrap_or(self.name.as_str())
    }

    /// The name itself, in lower case.
    pub fn into_name(self) -> DnsName {
        self.name
    }

    /// The name on the wire, each letter as it was.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.spelling().len() + 2);
        self.write_wire(&mut bytes);
        bytes
    }

    /// Appends [`SpelledName::to_wire`].
    pub(crate) fn write_wire(&self, bytes: &mut Vec<u8>) {
        write_text(self.spelling(), bytes);
    }

    /// The name at the beginning of these bytes, not compressed, and how many of them it takes.
    pub fn from_wire(bytes: &[u8]) -> Option<(Self, usize)> {
        let (text, end) = read_text(bytes, 0, false)?;
        Some((Self::of(text), end))
    }

    /// The name that begins at `at` in a message, as [`DnsName::read_compressed`] reads it.
    pub(crate) fn read_compressed(message: &[u8], at: usize) -> Option<(Self, usize)> {
        let (text, end) = read_text(message, at, true)?;
        Some((Self::of(text), end))
    }

    /// A name from its labels' bytes.
    pub(crate) fn from_labels<L: AsRef<[u8]>>(
        labels: impl IntoIterator<Item = L>,
    ) -> Result<Self, NameError> {
        from_text_labels(labels).map(Self::of)
    }

    /// The labels' bytes, the leftmost first.
    pub(crate) fn to_labels(&self) -> Vec<Vec<u8>> {
        // What is held was made by `of`, so nothing can be wrong with it.
        super::unescape(self.spelling()).unwrap_or_default()
    }

    /// The name that a valid text says.
    fn of(text: String) -> Self {
        debug_assert!(text.len() <= 4 * MAX_WIRE, "{text}");
        if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Self { name: DnsName(text), spelling: None };
        }
        Self { name: DnsName(text.to_ascii_lowercase()), spelling: Some(text.into()) }
    }
}

impl From<DnsName> for SpelledName {
    fn from(name: DnsName) -> Self {
        Self { name, spelling: None }
    }
}

impl Deref for SpelledName {
    type Target = DnsName;

    fn deref(&self) -> &DnsName {
        &self.name
    }
}

impl PartialEq for SpelledName {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for SpelledName {}

impl PartialOrd for SpelledName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SpelledName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(&other.name)
    }
}

impl fmt::Display for SpelledName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { self.spelling() })
    }
}

impl fmt::Debug for SpelledName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_keeps_its_letters_is_the_same_name() {
        let (name, length) = SpelledName::from_wire(b"\x03WwW\x02A.\x04Test\0rest").unwrap();
        assert_eq!((name.to_string().as_str(), length), (r"WwW.A\..Test", 13));
        assert_eq!(name.to_wire(), b"\x03WwW\x02A.\x04Test\0");
        assert_eq!(*name, DnsName::parse(r"www.a\..test").unwrap());
        assert_eq!(name, SpelledName::from(name.clone().into_name()));
        assert_eq!(SpelledName::from_labels(name.to_labels()).unwrap().spelling(), name.spelling());
    }
}
