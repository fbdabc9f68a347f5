//! Domain names (RFC 1034 3.1): lower-case, validated, in presentation format.

mod spelled;

pub use spelled::SpelledName;

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

/// The longest label, in bytes (RFC 1035 2.3.4).
const MAX_LABEL: usize = 63;
/// The longest name on the wire, in bytes, length bytes and the root's included (RFC 1035 2.3.4).
const MAX_WIRE: usize = 255;

/// A domain name: ASCII, in lower case (names differ in nothing else: RFC 4343), without the final
/// dot. Bytes that a host name cannot have are escaped (`\.`, `\032`, RFC 1035 5.1), so that any name
/// a server sends can be held and printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

/// Why a text is not a domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// Two dots in a row, or one at the beginning.
    #[error("it has an empty label (two dots in a row, or one at the beginning)")]
    EmptyLabel,
    /// RFC 1035 2.3.4.
    #[error("a label of {0} bytes is too long (at most 63)")]
    LabelTooLong(usize),
    /// RFC 1035 2.3.4.
    #[error("it is too long (at most 253 characters)")]
    TooLong,
    /// Names travel as punycode.
    #[error("{0:?} is not ASCII: write the name in punycode (xn--...)")]
    NotAscii(char),
    /// RFC 1123 2.1 allows letters, digits and hyphens; the underscore is tolerated.
    #[error("{0:?} cannot be in a host name (letters, digits, hyphens and dots can)")]
    Character(char),
    /// A backslash that RFC 1035 5.1 does not know.
    #[error("a backslash must be followed by a character or by three digits up to 255")]
    Escape,
}

impl DnsName {
    /// The root: the name without a label.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// Any domain name in presentation format, with or without the final dot.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text == "." {
            return Ok(Self::root());
        }
        Self::from_labels(unescape(text)?)
    }

    /// The name that stands for an address, of whose PTR records the address's names are made: that of
    /// 192.0.2.80 is `80.2.0.192.in-addr.arpa` (RFC 1035 3.5), that of 2001:db8:: ends in
    /// `8.b.d.0.1.0.0.2.ip6.arpa` (RFC 3596 2.5).
    pub fn reverse(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                Self(format!("{d}.{c}.{b}.{a}.in-addr.arpa"))
            }
            IpAddr::V6(address) => {
                let nibbles = address.octets().into_iter().rev().flat_map(|byte| [byte & 0xf, byte >> 4]);
                let text: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
                Self(text + "ip6.arpa")
            }
        }
    }

    /// The name of a host (RFC 1123 2.1), with or without the final dot: letters, digits and hyphens.
    /// The underscore is tolerated, as resolvers do.
    pub fn host(text: &str) -> Result<Self, NameError> {
        for c in text.chars() {
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => {}
                c if c.is_ascii() => return Err(NameError::Character(c)),
                c => return Err(NameError::NotAscii(c)),
            }
        }
        match Self::parse(text)? {
            root if root.is_root() => Err(NameError::EmptyLabel),
            name => Ok(name),
        }
    }

    /// A name from its labels' bytes.
    pub(crate) fn from_labels<L: AsRef<[u8]>>(
        labels: impl IntoIterator<Item = L>,
    ) -> Result<Self, NameError> {
        from_text_labels(labels).map(Self::of)
    }

    /// The name that a valid text says.
    fn of(mut text: String) -> Self {
        text.make_ascii_lowercase();
        Self(text)
    }

    /// The labels' bytes, the leftmost first.
    pub(crate) fn to_labels(&self) -> Vec<Vec<u8>> {
        // What is held was made by `from_labels`, so nothing can be wrong with it.
        unescape(&self.0).unwrap_or_default()
    }

    /// The name without the final dot; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// How many labels it has.
    pub fn label_count(&self) -> usize {
        self.suffixes().count()
    }

    /// The name without its leftmost label; none for the root.
    pub fn parent(&self) -> Option<Self> {
        self.split_first().map(|(_, rest)| Self(rest.to_owned()))
    }

    /// Whether it is `zone` or below it (RFC 8499: a subdomain).
    pub fn is_within(&self, zone: &Self) -> bool {
        let Some(before) = self.0.strip_suffix(zone.as_str()) else { return false };
        // What is before it ends at the border of a label: at a dot, but not an escaped one.
        zone.is_root()
            || before.is_empty()
            || before.strip_suffix('.').is_some_and(|before| !ends_escaped(before))
    }

    /// This name below `origin`.
    pub fn below(&self, origin: &Self) -> Result<Self, NameError> {
        let mut labels = self.to_labels();
        labels.extend(origin.to_labels());
        Self::from_labels(labels)
    }

    /// What the name is called once `above`, which it is below, is called `target` (RFC 6672 2.2); none where that
    /// is too long, or where it is not below.
    pub fn substitute(&self, above: &Self, target: &Self) -> Option<Self> {
        if self == above || !self.is_within(above) {
            return None;
        }
        let mut labels = self.to_labels();
        labels.truncate(labels.len().checked_sub(above.label_count())?);
        labels.extend(target.to_labels());
        Self::from_labels(labels).ok()
    }

    /// How this name and another are ordered in a zone (RFC 4034 6.1): label by label from the right, a
    /// label's bytes as numbers, the shorter first.
    pub fn canonical_cmp(&self, other: &Self) -> Ordering {
        if self.0.contains('\\') || other.0.contains('\\') {
            let (ours, theirs) = (self.to_labels(), other.to_labels());
            return ours.iter().rev().cmp(theirs.iter().rev());
        }
        self.0
            .rsplit('.')
            .filter(|label| !label.is_empty())
            .cmp(other.0.rsplit('.').filter(|label| !label.is_empty()))
    }

    /// The name on the wire, in full: each label with its length before it, and the root's zero (RFC
    /// 1035 3.1). In lower case, so this is its canonical form too (RFC 4034 6.2).
    pub fn to_wire(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() + 2);
        self.write_wire(&mut bytes);
        bytes
    }

    /// The name at the beginning of these bytes, not compressed, and how many of them it takes.
    pub fn from_wire(bytes: &[u8]) -> Option<(Self, usize)> {
        let (text, end) = read_text(bytes, 0, false)?;
        Some((Self::of(text), end))
    }

    /// The name that begins at `at` in a message, and where what follows it begins. It may end in a
    /// pointer to a name further ahead (RFC 1035 4.1.4).
    pub(crate) fn read_compressed(message: &[u8], at: usize) -> Option<(Self, usize)> {
        let (text, end) = read_text(message, at, true)?;
        Some((Self::of(text), end))
    }

    /// Appends [`DnsName::to_wire`].
    pub(crate) fn write_wire(&self, bytes: &mut Vec<u8>) {
        write_text(&self.0, bytes);
    }

    /// `*` below this name (RFC 4592); none where that would be too long.
    pub fn wildcard(&self) -> Option<Self> {
        Self(String::from("*")).below(self).ok()
    }

    /// Whether its leftmost label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0 == "*" || self.0.starts_with("*.")
    }

    /// The leftmost label and the rest.
    fn split_first(&self) -> Option<(&str, &str)> {
        split_first(&self.0)
    }

    /// The name, its parent, and so on, down to a single label.
    pub(crate) fn suffixes(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let this = rest;
            rest = split_first(this)?.1;
            Some(this)
        })
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for DnsName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

/// Whether an escaped name ends in a backslash that takes the meaning from what follows.
fn ends_escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// The first label of an escaped name and the rest of it.
fn split_first(text: &str) -> Option<(&str, &str)> {
    if text.is_empty() {
        return None;
    }
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '.' => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => {}
        }
    }
    Some((text, ""))
}

/// A name in presentation format, each letter as it is, from its labels' bytes.
fn from_text_labels<L: AsRef<[u8]>>(labels: impl IntoIterator<Item = L>) -> Result<String, NameError> {
    let mut text = String::new();
    let mut wire = 1;
    for label in labels {
        let label = label.as_ref();
        match label.len() {
            0 => return Err(NameError::EmptyLabel),
            length if length > MAX_LABEL => return Err(NameError::LabelTooLong(length)),
            length => wire += 1 + length,
        }
        if wire > MAX_WIRE {
            return Err(NameError::TooLong);
        }
        if !text.is_empty() {
            text.push('.');
        }
        label.iter().for_each(|byte| push_escaped(&mut text, *byte));
    }
    Ok(text)
}

/// The name that begins at `at`, in presentation format with each letter as it is, and where what follows it
/// begins.
fn read_text(bytes: &[u8], mut at: usize, may_point: bool) -> Option<(String, usize)> {
    let mut text = String::with_capacity(32);
    let mut wire = 1;
    let mut end = None;
    // A pointer leads to "a prior occurrence", before where the last one has led: so there is an end.
    let mut before = at;
    loop {
        let length = *bytes.get(at)?;
        match length {
            0 => return Some((text, end.unwrap_or(at + 1))),
            1..=63 => {
                let label = bytes.get(at + 1..)?.get(..usize::from(length))?;
                at += 1 + label.len();
                wire += 1 + label.len();
                if wire > MAX_WIRE {
                    return None;
                }
                if !text.is_empty() {
                    text.push('.');
                }
                label.iter().for_each(|byte| push_escaped(&mut text, *byte));
            }
            0xc0.. if may_point => {
                let low = *bytes.get(at + 1)?;
                end = end.or(Some(at + 2));
                at = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                if at >= before {
                    return None;
                }
                before = at;
            }
            _ => return None,
        }
    }
}

/// Appends the name on the wire that a valid text says.
fn write_text(text: &str, bytes: &mut Vec<u8>) {
    let mut chars = text.bytes();
    let mut start = bytes.len();
    bytes.push(0);
    // What is held was made by `from_text_labels`, so lengths fit and escapes are whole.
    let close = |bytes: &mut Vec<u8>, start: usize| {
        let length = u8::try_from(bytes.len() - start - 1).unwrap_or(u8::MAX);
        if let Some(place) = bytes.get_mut(start) {
            *place = length;
        }
    };
    if text.is_empty() {
        return;
    }
    while let Some(byte) = chars.next() {
        match byte {
            b'.' => {
                close(bytes, start);
                start = bytes.len();
                bytes.push(0);
            }
            b'\\' => match chars.next().unwrap_or(b'\\') {
                digit @ b'0'..=b'9' => {
                    let mut number = digit - b'0';
                    for digit in chars.by_ref().take(2) {
                        number = number.wrapping_mul(10).wrapping_add(digit.wrapping_sub(b'0'));
                    }
                    bytes.push(number);
                }
                other => bytes.push(other),
            },
            plain => bytes.push(plain),
        }
    }
    close(bytes, start);
    bytes.push(0);
}

/// RFC 1035 5.1: `\X` is the character X, `\DDD` the byte with that number. One final dot is allowed.
fn unescape(text: &str) -> Result<Vec<Vec<u8>>, NameError> {
    let mut labels = Vec::new();
    let mut label = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '.' if label.is_empty() => return Err(NameError::EmptyLabel),
            '.' => labels.push(std::mem::take(&mut label)),
            '\\' => label.push(escape_sequence(&mut chars)?),
            c => label.push(ascii(c)?),
        }
    }
    if !label.is_empty() {
        labels.push(label);
    }
    Ok(labels)
}

fn escape_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<u8, NameError> {
    let first = chars.next().ok_or(NameError::Escape)?;
    let Some(mut number) = first.to_digit(10) else { return ascii(first) };
    for _ in 0..2 {
        let digit = chars.next().and_then(|c| c.to_digit(10)).ok_or(NameError::Escape)?;
        number = number * 10 + digit;
    }
    u8::try_from(number).map_err(|_| NameError::Escape)
}

fn ascii(c: char) -> Result<u8, NameError> {
    if c.is_ascii() {
        u8::try_from(c).map_err(|_| NameError::NotAscii(c))
    } else {
        Err(NameError::NotAscii(c))
    }
}

fn push_escaped(text: &mut String, byte: u8) {
    match byte {
        usual @ (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_') => text.push(char::from(usual)),
        special @ (b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$') => {
            text.push('\\');
            text.push(char::from(special));
        }
        plain @ 0x21..=0x7e => text.push(char::from(plain)),
        other => {
            text.push('\\');
            [other / 100, other / 10 % 10, other % 10]
                .into_iter()
                .for_each(|digit| text.push(char::from(b'0' + digit)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_the_final_dot_make_no_difference() {
        assert_eq!(DnsName::host("WWW.Example.Test.").unwrap(), DnsName::host("www.example.test").unwrap());
        assert_eq!(DnsName::host("www.example.test.").unwrap().to_string(), "www.example.test");
        assert_eq!(DnsName::parse(".").unwrap().to_string(), ".");
    }

    #[test]
    fn what_cannot_be_a_host_is_refused_with_the_reason() {
        assert_eq!(DnsName::host("idle leo.com"), Err(NameError::Character(' ')));
        assert_eq!(DnsName::host("bücher.test"), Err(NameError::NotAscii('ü')));
        assert_eq!(DnsName::host(""), Err(NameError::Empty));
        assert_eq!(DnsName::host("."), Err(NameError::EmptyLabel));
        assert_eq!(DnsName::host("a..b"), Err(NameError::EmptyLabel));
        assert_eq!(DnsName::host(".a"), Err(NameError::EmptyLabel));
        assert_eq!(DnsName::host(&"a".repeat(64)), Err(NameError::LabelTooLong(64)));
    }

    #[test]
    fn a_name_may_have_255_bytes_on_the_wire_and_no_more() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(longest.len(), 253);
        assert!(DnsName::host(&longest).is_ok());
        assert_eq!(DnsName::host(&format!("{longest}a")), Err(NameError::TooLong));
    }

    #[test]
    fn a_dot_inside_a_label_is_not_a_border() {
        let name = DnsName::parse(r"first\.last.example.test").unwrap();
        assert_eq!(name.label_count(), 3);
        assert_eq!(name.to_labels()[0], b"first.last");
        assert_eq!(name.parent().unwrap().to_string(), "example.test");
        assert!(!name.is_within(&DnsName::parse("last.example.test").unwrap()));
        assert_eq!(DnsName::parse(r"a\032b\255").unwrap().to_string(), r"a\032b\255");
        assert_eq!(DnsName::parse(r"\065").unwrap().to_string(), "a");
        assert_eq!(DnsName::parse(r"a\"), Err(NameError::Escape));
        assert_eq!(DnsName::parse(r"a\999"), Err(NameError::Escape));
    }

    #[test]
    fn an_address_has_a_name_with_its_last_part_first() {
        let reverse = |text: &str| DnsName::reverse(text.parse().unwrap());
        assert_eq!(reverse("192.0.2.80").as_str(), "80.2.0.192.in-addr.arpa");
        // RFC 3596 2.5's own example.
        assert_eq!(
            reverse("4321:0:1:2:3:4:567:89ab").as_str(),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"
        );
    }

    #[test]
    fn what_is_below_a_name_that_is_called_otherwise_is_below_that() {
        let name = |text: &str| DnsName::parse(text).unwrap();
        let renamed = |text: &str, above, target| name(text).substitute(&name(above), &name(target));
        assert_eq!(renamed("a.b.x.test", "x.test", "y"), Some(name("a.b.y")));
        assert_eq!(renamed("a.x.test", "x.test", "."), Some(name("a")));
        assert_eq!(renamed("x.test", "x.test", "y"), None);
        assert_eq!(renamed("a.xx.test", "x.test", "y"), None);
        let long = format!("{0}.{0}.{0}", "a".repeat(63));
        assert_eq!(renamed(&format!("{long}.test"), "test", &"b".repeat(63)), None);
    }

    #[test]
    fn within_means_at_a_label_border() {
        let zone = DnsName::host("example.test").unwrap();
        assert!(DnsName::host("www.example.test").unwrap().is_within(&zone));
        assert!(zone.is_within(&zone));
        assert!(!DnsName::host("badexample.test").unwrap().is_within(&zone));
        assert!(!DnsName::host("test").unwrap().is_within(&zone));
        assert!(zone.is_within(&DnsName::root()));
        // The dot before it is one inside a label, and the second time a border behind a backslash.
        assert!(!DnsName::parse(r"bad\.example.test").unwrap().is_within(&zone));
        assert!(DnsName::parse(r"good\\.example.test").unwrap().is_within(&zone));
    }
}
