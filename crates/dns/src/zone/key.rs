//! Names as bytes whose plain order is the canonical order of names (RFC 4034 6.1).
//!
//! The labels stand from the root on, each followed by a zero byte:
//!
//! ```text
//!   www.example.test   test 0 example 0 www 0
//! ```
//!
//! So what lies below a name begins with the name's own key, and an ancestor's key is a beginning of
//! its descendants'. The bytes 0 and 1 inside a label become 1 1 and 1 2, which keeps the order.

use crate::name::DnsName;
use std::ops::RangeInclusive;

const END_OF_LABEL: u8 = 0;
const ESCAPE: u8 = 1;

/// A name's key, and where in it each of its labels ends.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    bytes: Vec<u8>,
    /// `ends[n]` is the length of the key of the ancestor with `n` labels; the root's is 0.
    ends: Vec<usize>,
}

impl Path {
    pub(crate) fn of(name: &DnsName) -> Self {
        let mut path =
            Self { bytes: Vec::with_capacity(name.as_str().len() + 2), ends: Vec::with_capacity(8) };
        path.ends.push(0);
        let text = name.as_str();
        if text.contains('\\') {
            name.to_labels().iter().rev().for_each(|label| path.push(label));
        } else {
            text.rsplit('.').filter(|label| !label.is_empty()).for_each(|label| path.push(label.as_bytes()));
        }
        path
    }

    /// One label more, below the name.
    fn push(&mut self, label: &[u8]) {
        for byte in label {
            match byte {
                0 | 1 => self.bytes.extend([ESCAPE, byte + 1]),
                plain => self.bytes.push(*plain),
            }
        }
        self.bytes.push(END_OF_LABEL);
        self.ends.push(self.bytes.len());
    }

    /// The name's key.
    pub(crate) fn key(&self) -> &[u8] {
        &self.bytes
    }

    /// How many labels the name has.
    pub(crate) fn labels(&self) -> usize {
        self.ends.len() - 1
    }

    /// The key of the ancestor with so many labels; the name's own if it has no more.
    pub(crate) fn ancestor(&self, labels: usize) -> &[u8] {
        let end = self.ends.get(labels).copied().unwrap_or(self.bytes.len());
        self.bytes.get(..end).unwrap_or(&self.bytes)
    }

    /// How many labels the ancestors have that are at or below `origin`, the topmost first.
    pub(crate) fn down_from(&self, origin: usize) -> RangeInclusive<usize> {
        origin..=self.labels()
    }
}

/// The key of `*` below the name with this key (RFC 4592 2.1.1).
pub(crate) fn wildcard(below: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(below.len() + 2);
    key.extend_from_slice(below);
    key.extend([b'*', END_OF_LABEL]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::of(&DnsName::parse(text).unwrap())
    }

    #[test]
    fn keys_stand_in_the_order_of_the_rfc() {
        // RFC 4034 6.1's own example.
        let names = [
            "example",
            "a.example",
            "yljkjljk.a.example",
            "Z.a.example",
            "zABC.a.EXAMPLE",
            "z.example",
            "\\001.z.example",
            "*.z.example",
            "\\200.z.example",
        ];
        let keys: Vec<Vec<u8>> = names.iter().map(|name| path(name).key().to_vec()).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(path("a.test").key() < path(r"a\000.test").key());
        assert!(path(r"\000.test").key() < path(r"\001.test").key());
        assert!(path(r"\001.test").key() < path(r"\002.test").key());
    }

    #[test]
    fn an_ancestors_key_is_a_beginning_of_its_descendants() {
        let www = path("www.example.test");
        assert_eq!(www.labels(), 3);
        assert_eq!(www.ancestor(0), b"");
        assert_eq!(www.ancestor(2), path("example.test").key());
        assert_eq!(www.ancestor(9), www.key());
        assert_eq!(wildcard(path("example.test").key()), path("*.example.test").key());
        assert!(!path("xexample.test").key().starts_with(path("example.test").key()));
        assert_eq!(path(".").key(), b"");
    }
}
