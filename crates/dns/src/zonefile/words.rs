//! What a word says by itself: bytes, a name, a number, a time.

use super::tokens::Word;
use crate::name::{DnsName, NameError, SpelledName};

/// A backslash that RFC 1035 5.1 does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadEscape;

/// One byte of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Byte {
    pub(super) value: u8,
    /// Whether a backslash stood before it, so that it means nothing but itself.
    pub(super) escaped: bool,
}

/// RFC 1035 5.1: `\X` is the character X, `\DDD` the byte with that number. What is not ASCII stands for
/// its bytes.
pub(super) fn bytes(text: &str) -> Result<Vec<Byte>, BadEscape> {
    let mut found = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            found.push(Byte { value: *first, escaped: false });
            continue;
        }
        let (value, length) = match rest {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
                let number =
                    [a, b, c].into_iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
                (u8::try_from(number).map_err(|_| BadEscape)?, 3)
            }
            [b'0'..=b'9', ..] | [] => return Err(BadEscape),
            [other, ..] => (*other, 1),
        };
        found.push(Byte { value, escaped: true });
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(found)
}

/// The bytes, whether they were escaped or not.
pub(super) fn plain_bytes(text: &str) -> Result<Vec<u8>, BadEscape> {
    Ok(bytes(text)?.into_iter().map(|byte| byte.value).collect())
}

/// A name: complete with a final dot, below the origin without.
pub(super) fn name(text: &str, origin: &SpelledName) -> Result<SpelledName, NameError> {
    match text {
        "" => return Err(NameError::Empty),
        "@" => return Ok(origin.clone()),
        "." => return Ok(DnsName::root().into()),
        _ => {}
    }
    let mut labels = vec![Vec::new()];
    for byte in bytes(text).map_err(|BadEscape| NameError::Escape)? {
        match labels.last_mut() {
            Some(label) if byte.escaped || byte.value != b'.' => label.push(byte.value),
            _ => labels.push(Vec::new()),
        }
    }
    if labels.last().is_some_and(Vec::is_empty) {
        labels.pop();
    } else {
        labels.extend(origin.to_labels());
    }
    SpelledName::from_labels(labels)
}

/// A TTL or another time, in seconds: a number, or numbers with BIND's units (`1w2d3h4m5s`).
pub(super) fn time(word: &Word<'_>) -> Option<u32> {
    let mut total: u32 = 0;
    let mut rest = word.text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u32 = rest.get(..digits)?.parse().ok()?;
        let unit = rest.get(digits..)?.chars().next();
        let seconds = match unit.map(|c| c.to_ascii_lowercase()) {
            // A number without a unit stands alone.
            None if digits == word.text.len() => 1,
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(seconds)?)?;
        rest = rest.get(digits + usize::from(unit.is_some())..)?;
    }
    (!word.text.is_empty() && !word.quoted).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_binds_units() {
        let read = |text| time(&Word { text, quoted: false, glued: false, line: 1 });
        assert_eq!(read("300"), Some(300));
        assert_eq!(read("1h30M"), Some(5_400));
        assert_eq!(read("1w2d3h4m5s"), Some(604_800 + 2 * 86_400 + 3 * 3_600 + 4 * 60 + 5));
        assert_eq!(read("4294967295"), Some(u32::MAX));
        for bad in ["", "h", "1y", "1h30", "4294967296", "-1", "8000w", "A", "1h30 "] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_are_below_the_origin_unless_they_end_in_a_dot() {
        let origin = DnsName::parse("example.test").unwrap().into();
        let read = |text| name(text, &origin).map(|name| name.to_string());
        assert_eq!(read("www"), Ok("www.example.test".to_owned()));
        assert_eq!(read("WWW.Other."), Ok("WWW.Other".to_owned()));
        assert_eq!(read("@"), Ok("example.test".to_owned()));
        assert_eq!(read("."), Ok(".".to_owned()));
        assert_eq!(read(r"a\.b"), Ok(r"a\.b.example.test".to_owned()));
        assert_eq!(read(r"a\046"), Ok(r"a\..example.test".to_owned()));
        assert_eq!(read(r"\@"), Ok(r"\@.example.test".to_owned()));
        assert_eq!(read("ü."), Ok(r"\195\188".to_owned()));
        assert_eq!(read("a..b"), Err(NameError::EmptyLabel));
        assert_eq!(read(r"a\256"), Err(NameError::Escape));
        assert_eq!(read(r"a\"), Err(NameError::Escape));
    }
}
