//! BIND's `$GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA`: records that differ in a number.
//!
//! In the owner and the data `$` is the number, `${OFFSET,WIDTH,BASE}` the number plus the offset, padded
//! with zeros, in base d, o, x or X, or as the labels of an `ip6.arpa` name (n, N); `$$` and `\$` are a
//! dollar sign.

use super::BadZoneFile;
use super::reader::Place;
use super::tokens::Word;

/// What a `$GENERATE` looks like.
pub(super) const FORM: &str = "write it like this: $GENERATE 1-100 host-$ A 192.0.2.$";
/// The most records that one directive may make.
const MAX_RECORDS: u32 = 1 << 20;

/// The numbers.
#[derive(Clone, Debug)]
pub(super) struct Range {
    next: Option<u32>,
    stop: u32,
    step: u32,
}

impl Range {
    pub(super) fn of(place: &Place, word: Option<&Word<'_>>) -> Result<Self, BadZoneFile> {
        let text = word.map_or("", |word| word.text);
        let bad = || place.bad(format!("{text:?} is not a range of numbers"), FORM);
        let (range, step) = text.split_once('/').unwrap_or((text, "1"));
        let (start, stop) = range.split_once('-').ok_or_else(bad)?;
        let number = |text: &str| text.parse::<i32>().ok().and_then(|number| u32::try_from(number).ok());
        let (Some(start), Some(stop), Some(step)) = (number(start), number(stop), number(step)) else {
            return Err(bad());
        };
        if stop < start || step == 0 {
            return Err(bad());
        }
        if (stop - start) / step >= MAX_RECORDS {
            let cause = format!("{text} are more than {MAX_RECORDS} records");
            return Err(place.bad(cause, "generate fewer"));
        }
        Ok(Self { next: Some(start), stop, step })
    }
}

impl Iterator for Range {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let this = self.next.filter(|next| *next <= self.stop)?;
        self.next = this.checked_add(self.step);
        Some(this)
    }
}

/// The text with the number in it.
pub(super) fn fill(text: &str, number: u32) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '$' => match rest.chars().next() {
                Some('$') => {
                    filled.push('$');
                    rest = rest.get(1..).unwrap_or_default();
                }
                Some('{') => {
                    let end = rest.find('}').ok_or("${ without }")?;
                    filled.push_str(&modified(rest.get(1..end).unwrap_or_default(), number)?);
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
                _ => filled.push_str(&number.to_string()),
            },
            '\\' => {
                filled.push('\\');
                if let Some(escaped) = rest.chars().next() {
                    filled.push(escaped);
                    rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                }
            }
            other => filled.push(other),
        }
    }
    Ok(filled)
}

/// `OFFSET[,WIDTH[,BASE]]`
fn modified(modifier: &str, number: u32) -> Result<String, String> {
    const MAX_WIDTH: usize = 127;
    let bad = || format!("${{{modifier}}} is not ${{OFFSET,WIDTH,BASE}}");
    let mut parts = modifier.split(',');
    let offset: i32 = parts.next().unwrap_or_default().parse().map_err(|_| bad())?;
    let width: usize = parts.next().map_or(Ok(0), str::parse).map_err(|_| bad())?;
    let base = parts.next().unwrap_or("d");
    let value = number.checked_add_signed(offset).map_or(i64::from(number) + i64::from(offset), i64::from);
    let value = i32::try_from(value).map_err(|_| format!("{number} and {offset} make too large a number"))?;
    if parts.next().is_some() || width > MAX_WIDTH {
        return Err(bad());
    }
    let unsigned = value.cast_unsigned();
    Ok(match base {
        "d" => format!("{value:0width$}"),
        "o" => format!("{unsigned:0width$o}"),
        "x" => format!("{unsigned:0width$x}"),
        "X" => format!("{unsigned:0width$X}"),
        "n" => nibbles(unsigned, width),
        "N" => nibbles(unsigned, width).to_ascii_uppercase(),
        _ => return Err(bad()),
    })
}

/// The hexadecimal digits from the last to the first, each a label, until as many characters stand there
/// as are wanted.
fn nibbles(mut value: u32, mut width: usize) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from_digit(value & 0xf, 16).unwrap_or('0'));
        value >>= 4;
        width = width.saturating_sub(1);
        if width > 0 || value != 0 {
            text.push('.');
            width = width.saturating_sub(1);
        }
        if width == 0 && value == 0 {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_sign_is_the_number() {
        assert_eq!(fill("host-$.$", 7), Ok("host-7.7".to_owned()));
        assert_eq!(fill("a$$b", 7), Ok("a$b".to_owned()));
        // An escaped dollar sign, and one behind an escaped backslash.
        assert_eq!(fill(r"a\$b\\$", 7), Ok(r"a\$b\\7".to_owned()));
    }

    #[test]
    fn the_number_can_be_written_otherwise() {
        let all =
            ["${0,3,d}", "${10,4,x}", "${1,4,X}", "${-2}", "${0,0,o}", "${0,4,n}", "${0,5,n}", "${2,1,N}"];
        let filled: Vec<String> = all.iter().filter_map(|text| fill(text, 9).ok()).collect();
        assert_eq!(filled, ["009", "0013", "000A", "7", "11", "9.0.", "9.0.0", "B"]);
        for bad in ["${", "${}", "${a}", "${1,2,q}", "${1,2,d,3}", "${0,200}"] {
            assert!(fill(bad, 9).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_range_has_steps() {
        let place = Place { file: "f".into(), line: 1 };
        let range = |text: &str| {
            let word = Word { text, quoted: false, glued: false, line: 1 };
            Range::of(&place, Some(&word)).map(Iterator::collect::<Vec<_>>)
        };
        assert_eq!(range("1-3").unwrap(), [1, 2, 3]);
        assert_eq!(range("1-10/4").unwrap(), [1, 5, 9]);
        assert_eq!(range("5-5").unwrap(), [5]);
        for bad in ["", "1", "3-1", "1-2/0", "1-2147483648", "a-b", "0-2000000"] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }
}
