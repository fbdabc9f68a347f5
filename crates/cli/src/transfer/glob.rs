//! URLs that stand for several: `{a,b}`, `[1-9:2]`, `[a-z]`, as curl reads them; and `#1` in a file's
//! name, which stands for what the first of them chose.

use glasstack::web::address_bar;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A URL with sets and ranges in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Set(Vec<String>),
    Letters { first: u8, last: u8, step: u64 },
    Numbers { first: u64, last: u64, step: u64, width: usize },
}

/// One of the URLs that a pattern stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// What each set and range chose.
    pub(crate) chosen: Vec<String>,
}

/// The text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why} at position {at} of {text} (-g takes braces and brackets as they are)")]
pub(crate) struct BadPattern {
    why: &'static str,
    /// In bytes, from 1 on.
    at: usize,
    text: String,
}

impl Pattern {
    /// A URL that stands for itself alone.
    pub(crate) fn literal(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())] }
    }

    /// Reads the sets and ranges.
    pub(crate) fn parse(text: &str) -> Result<Self, BadPattern> {
        let mut reader = Reader { text, at: 0 };
        let mut parts = Vec::new();
        while !reader.rest().is_empty() {
            let literal = reader.literal()?;
            if !literal.is_empty() {
                parts.push(Part::Text(literal));
            }
            match reader.rest().as_bytes().first() {
                Some(b'{') => parts.push(reader.set()?),
                Some(b'[') => parts.push(reader.range()?),
                _ => {}
            }
        }
        let pattern = Self { parts };
        // curl: "range overflow".
        pattern.checked_count().ok_or_else(|| reader.bad("too many URLs", 0))?;
        Ok(pattern)
    }

    /// How many URLs it stands for.
    pub(crate) fn count(&self) -> u64 {
        self.checked_count().unwrap_or(u64::MAX)
    }

    fn checked_count(&self) -> Option<u64> {
        self.parts.iter().try_fold(1_u64, |count, part| count.checked_mul(part.count()))
    }

    /// The URL of this number, from 0 on; the last set or range changes fastest.
    pub(crate) fn expand(&self, number: u64) -> Expanded {
        let mut left = number;
        let mut pieces: Vec<(String, bool)> = Vec::new();
        for part in self.parts.iter().rev() {
            let count = part.count().max(1);
            pieces.push((part.choice(left % count), !matches!(part, Part::Text(_))));
            left /= count;
        }
        pieces.reverse();
        let text = pieces.iter().map(|(piece, _)| piece.as_str()).collect();
        let chosen = pieces.into_iter().filter(|(_, is_chosen)| *is_chosen).map(|(piece, _)| piece).collect();
        Expanded { text, chosen }
    }
}

impl Part {
    fn count(&self) -> u64 {
        match self {
            Self::Text(_) => 1,
            Self::Set(items) => items.len() as u64,
            Self::Letters { first, last, step } => u64::from(last - first) / step + 1,
            Self::Numbers { first, last, step, .. } => ((last - first) / step).saturating_add(1),
        }
    }

    fn choice(&self, number: u64) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Set(items) => {
                usize::try_from(number).ok().and_then(|number| items.get(number)).cloned().unwrap_or_default()
            }
            Self::Letters { first, step, .. } => {
                let letter = u64::from(*first).saturating_add(number.saturating_mul(*step));
                u8::try_from(letter).map(|letter| char::from(letter).to_string()).unwrap_or_default()
            }
            Self::Numbers { first, step, width, .. } => {
                format!("{:0width$}", first.saturating_add(number.saturating_mul(*step)))
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn bad(&self, why: &'static str, at: usize) -> BadPattern {
        BadPattern { why, at: at + 1, text: address_bar::hide_password(self.text) }
    }

    /// Text up to the next set or range; a backslash in front of a brace or bracket makes it text.
    fn literal(&mut self) -> Result<String, BadPattern> {
        let mut literal = String::new();
        while let Some(letter) = self.rest().chars().next() {
            match letter {
                '{' => break,
                '[' => match ipv6_literal(self.rest()) {
                    Some(address) => {
                        literal.push_str(address);
                        self.at += address.len();
                        continue;
                    }
                    None => break,
                },
                '}' | ']' => return Err(self.bad("a brace or bracket that closes nothing", self.at)),
                '\\' => {
                    let next = self.rest().chars().nth(1);
                    if let Some(escaped @ ('{' | '[' | '}' | ']')) = next {
                        literal.push(escaped);
                        self.at += 2;
                        continue;
                    }
                }
                _ => {}
            }
            literal.push(letter);
            self.at += letter.len_utf8();
        }
        Ok(literal)
    }

    /// `{a,b}`.
    fn set(&mut self) -> Result<Part, BadPattern> {
        let begun = self.at;
        self.at += 1;
        let (mut items, mut item, mut is_empty) = (Vec::new(), String::new(), true);
        while let Some(letter) = self.rest().chars().next() {
            self.at += letter.len_utf8();
            match letter {
                '}' if is_empty => return Err(self.bad("nothing within braces", self.at - 1)),
                '}' => {
                    items.push(item);
                    return Ok(Part::Set(items));
                }
                ',' => items.push(std::mem::take(&mut item)),
                '{' | '[' => return Err(self.bad("a brace or bracket within braces", self.at - 1)),
                ']' => return Err(self.bad("a bracket that closes nothing", self.at - 1)),
                '\\' => {
                    let escaped = self.rest().chars().next();
                    item.push(escaped.unwrap_or('\\'));
                    self.at += escaped.map_or(0, char::len_utf8);
                }
                other => item.push(other),
            }
            is_empty = false;
        }
        Err(self.bad("a brace that is never closed", begun))
    }

    /// `[1-9]`, `[01-10:3]`, `[a-z:2]`.
    fn range(&mut self) -> Result<Part, BadPattern> {
        let bad = self.bad("a range that is none, as [1-9], [001-100:3] or [a-z]", self.at);
        let Some((inside, _)) = self.rest().get(1..).and_then(|rest| rest.split_once(']')) else {
            return Err(bad);
        };
        self.at += inside.len() + 2;
        let (ends, step) = inside.split_once(':').unwrap_or((inside, "1"));
        let (first, last) = ends.split_once('-').ok_or_else(|| bad.clone())?;
        let step: u64 = step.parse().ok().filter(|step| *step > 0).ok_or_else(|| bad.clone())?;
        // A step that leads beyond the end is no step; nor may there be one where there is no way.
        let fits = |first: u64, last: u64| {
            first <= last && if first == last { step == 1 } else { step <= last - first }
        };
        match (first.as_bytes(), last.as_bytes()) {
            (&[first], &[last]) if first.is_ascii_alphabetic() && last.is_ascii_alphabetic() => {
                let range = Part::Letters { first, last, step };
                if fits(first.into(), last.into()) { Ok(range) } else { Err(bad) }
            }
            _ if first.bytes().chain(last.bytes()).all(|digit| digit.is_ascii_digit()) => {
                let width = if first.starts_with('0') { first.len() } else { 0 };
                let number = |text: &str| text.parse::<u64>().map_err(|_| bad.clone());
                let (first, last) = (number(first)?, number(last)?);
                let range = Part::Numbers { first, last, step, width };
                if fits(first, last) { Ok(range) } else { Err(bad) }
            }
            _ => Err(bad),
        }
    }
}

/// `[::1]` or `[fe80::1%25eth0]`, which is no range; and `[]`, which is nothing.
fn ipv6_literal(text: &str) -> Option<&str> {
    let literal = text.get(..=text.find(']')?)?;
    let inside = literal.trim_start_matches('[').trim_end_matches(']');
    let address = inside.split('%').next().unwrap_or_default();
    let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
    (inside.is_empty() || is_address).then_some(literal)
}

/// A file's name, where `#1` stands for what the first set or range chose.
pub(crate) fn name_for(template: &OsStr, chosen: &[String]) -> OsString {
    let mut name = Vec::new();
    let mut rest = template.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.iter().take_while(|digit| digit.is_ascii_digit()).count();
        let number = behind.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok());
        let choice = number
            .filter(|_| *first == b'#')
            .and_then(|number| number.parse::<usize>().ok()?.checked_sub(1))
            .and_then(|index| chosen.get(index));
        match choice {
            Some(choice) => {
                name.extend(choice.as_bytes());
                rest = behind.get(digits..).unwrap_or_default();
            }
            None => {
                name.push(*first);
                rest = behind;
            }
        }
    }
    OsString::from_vec(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let pattern = Pattern::parse(text).unwrap();
        (0..pattern.count()).map(|number| pattern.expand(number).text).collect()
    }

    #[test]
    fn a_set_stands_for_its_members() {
        assert_eq!(all("h/{a,bc,}.txt"), ["h/a.txt", "h/bc.txt", "h/.txt"]);
        assert_eq!(all("{one}"), ["one"]);
        assert_eq!(all(r"{a\,b,c}"), ["a,b", "c"]);
    }

    #[test]
    fn a_range_stands_for_its_numbers_or_letters() {
        assert_eq!(all("h/[1-3]"), ["h/1", "h/2", "h/3"]);
        assert_eq!(all("[1-9:4]"), ["1", "5", "9"]);
        assert_eq!(all("[08-10]"), ["08", "09", "10"]);
        assert_eq!(all("[a-c]"), ["a", "b", "c"]);
        assert_eq!(all("[a-e:2]"), ["a", "c", "e"]);
        assert_eq!(all("[7-7]"), ["7"]);
    }

    #[test]
    fn the_last_one_changes_fastest() {
        assert_eq!(all("{a,b}[1-2]"), ["a1", "a2", "b1", "b2"]);
        let third = Pattern::parse("x{a,b}y[1-2]").unwrap().expand(2);
        assert_eq!(third.chosen, ["b", "1"]);
    }

    #[test]
    fn an_ipv6_address_and_what_is_escaped_stay_as_they_are() {
        assert_eq!(all("http://[::1]:80/[1-2]"), ["http://[::1]:80/1", "http://[::1]:80/2"]);
        assert_eq!(all("http://[fe80::1%25lo]/"), ["http://[fe80::1%25lo]/"]);
        assert_eq!(all("h/[]"), ["h/[]"]);
        assert_eq!(all(r"h/\{a\}\[\\"), [r"h/{a}[\\"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused_where_it_goes_wrong() {
        for text in [
            "{a",
            "{}",
            "{a{b}}",
            "a}",
            "a]",
            "{a]",
            "[1-",
            "[5-1]",
            "[1-2:0]",
            "[1-2:5]",
            "[a-1]",
            "[1]",
            "[-]",
            "[a-zz]",
            "[1-99999999999999999999]",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
        let error = Pattern::parse("http://h/{a,b").unwrap_err();
        assert!(error.to_string().contains("at position 10"), "{error}");
        let error = Pattern::parse("http://me:secret@h/{a,b").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(Pattern::parse("[0-9999999999][0-9999999999][0-9999999999]").is_err());
    }

    #[test]
    fn a_number_behind_a_hash_names_a_choice() {
        let chosen = ["a".to_owned(), "7".to_owned()];
        let name = |template: &str| name_for(OsStr::new(template), &chosen).into_string().unwrap();
        assert_eq!(name("#1_#2.txt"), "a_7.txt");
        assert_eq!(name("#3#0#x##1"), "#3#0#x#a");
        assert_eq!(name("plain"), "plain");
    }
}
