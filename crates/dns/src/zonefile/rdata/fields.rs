//! The words of a record's data, read from left to right.

use super::super::tokens::Word;
use super::super::words::{self, BadEscape};
use crate::name::SpelledName;
use domain::utils::{base16, base64};
use std::str::FromStr;

/// Words are not the data of the record's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct BadData {
    /// The line, if it is a word's; else it is the record's.
    pub(in super::super) line: Option<usize>,
    /// What is the matter.
    pub(in super::super) cause: String,
}

/// The words of a record's data, as far as they have not been read.
#[derive(Clone, Debug)]
pub(in super::super) struct Fields<'e> {
    pub(super) words: &'e [Word<'e>],
    pub(super) at: usize,
    pub(super) origin: &'e SpelledName,
}

impl<'e> Fields<'e> {
    pub(in super::super) fn new(words: &'e [Word<'e>], origin: &'e SpelledName) -> Self {
        Self { words, at: 0, origin }
    }

    /// An error about the word read last.
    pub(super) fn bad(&self, cause: impl Into<String>) -> BadData {
        let word = self.words.get(self.at.saturating_sub(1)).or(self.words.last());
        BadData { line: word.map(|word| word.line), cause: cause.into() }
    }

    pub(super) fn peek(&self) -> Option<&'e Word<'e>> {
        self.words.get(self.at)
    }

    /// The next word; `what` it should be is said where there is none.
    pub(super) fn word(&mut self, what: &str) -> Result<&'e Word<'e>, BadData> {
        let word = self.peek().ok_or_else(|| self.bad(format!("{what} is missing")))?;
        self.at += 1;
        Ok(word)
    }

    /// The next word, which must not stand between quotes: only strings do.
    pub(super) fn plain_word(&mut self, what: &str) -> Result<&'e Word<'e>, BadData> {
        let word = self.word(what)?;
        if word.quoted {
            return Err(self.bad(format!("{what} must not stand between quotes")));
        }
        Ok(word)
    }

    /// What is left.
    pub(super) fn rest(&mut self) -> &'e [Word<'e>] {
        let rest = self.words.get(self.at..).unwrap_or_default();
        self.at = self.words.len();
        rest
    }

    /// That nothing is left.
    pub(super) fn end(&mut self) -> Result<(), BadData> {
        match self.peek() {
            None => Ok(()),
            Some(word) => {
                self.at += 1;
                Err(self.bad(format!("{:?} is more than the record can hold", word.text)))
            }
        }
    }

    /// RFC 3597 5: `\# LENGTH HEX...`; none if it is not this form.
    pub(super) fn generic(&mut self) -> Result<Option<Vec<u8>>, BadData> {
        // Without a number it is the text "#".
        let is_number = |word: &Word<'_>| !word.quoted && word.text.bytes().all(|byte| byte.is_ascii_digit());
        let is_generic = match self.words.get(self.at..) {
            Some([mark, length, ..]) => !mark.quoted && mark.text == r"\#" && is_number(length),
            _ => false,
        };
        if !is_generic {
            return Ok(None);
        }
        self.at += 1;
        let length: usize = self.number::<u16>("the number of bytes")?.into();
        let bytes = if self.peek().is_some() { self.hex_rest()? } else { Vec::new() };
        if bytes.len() == length {
            return Ok(Some(bytes));
        }
        Err(self.bad(format!("{length} bytes are announced and {} follow", bytes.len())))
    }

    pub(super) fn number<N: FromStr>(&mut self, what: &str) -> Result<N, BadData> {
        let word = self.word(what)?;
        let digits = !word.quoted && word.text.bytes().all(|byte| byte.is_ascii_digit());
        word.text.parse().ok().filter(|_| digits).ok_or_else(|| {
            let most = (1_u128 << (8 * size_of::<N>())) - 1;
            self.bad(format!("{:?} should be {what}: a number up to {most}", word.text))
        })
    }

    /// A time in seconds, with BIND's units or without.
    pub(super) fn time(&mut self, what: &str) -> Result<u32, BadData> {
        let word = self.word(what)?;
        words::time(word).ok_or_else(|| {
            self.bad(format!("{:?} should be {what}: seconds, or as in 1w2d3h4m5s", word.text))
        })
    }

    /// A name with its letters as they are: what becomes of them is the type's affair.
    pub(super) fn name(&mut self, what: &str) -> Result<SpelledName, BadData> {
        let word = self.plain_word(what)?;
        words::name(word.text, self.origin)
            .map_err(|error| self.bad(format!("{:?} is not a domain name: {error}", word.text)))
    }

    /// The bytes of a word.
    pub(super) fn bytes(&mut self, what: &str) -> Result<Vec<u8>, BadData> {
        let word = self.word(what)?;
        words::plain_bytes(word.text).map_err(|BadEscape| self.bad(bad_escape(word.text)))
    }

    /// A string with its length before it.
    pub(super) fn string(&mut self, what: &str) -> Result<Vec<u8>, BadData> {
        let mut bytes = self.bytes(what)?;
        let length = u8::try_from(bytes.len())
            .map_err(|_| self.bad(format!("a string of {} bytes is too long (at most 255)", bytes.len())))?;
        bytes.insert(0, length);
        Ok(bytes)
    }

    /// All words that are left, one after the other.
    fn joined(&mut self, what: &str) -> Result<String, BadData> {
        if self.peek().is_none() {
            return Err(self.bad(format!("{what} is missing")));
        }
        Ok(self.rest().iter().map(|word| word.text).collect())
    }

    pub(super) fn hex_rest(&mut self) -> Result<Vec<u8>, BadData> {
        let text = self.joined("the data in hexadecimal")?;
        base16::decode_vec(&text).map_err(|error| self.bad(format!("the hexadecimal data is bad: {error}")))
    }

    pub(super) fn base64_rest(&mut self) -> Result<Vec<u8>, BadData> {
        let text = self.joined("the data in base 64")?;
        base64::decode(&text).map_err(|error| self.bad(format!("the data in base 64 is bad: {error}")))
    }
}

/// What is wrong with a backslash.
pub(super) fn bad_escape(text: &str) -> String {
    format!("{text:?}: a backslash must be followed by a character or by three digits up to 255")
}
