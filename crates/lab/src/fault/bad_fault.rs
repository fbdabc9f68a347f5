//! What is wrong with a sentence, and where.

use glasstack_sim::topology::{as_seen, excerpt};
use std::fmt;
use std::ops::Range;

/// A sentence says no fault. It shows the sentence, a caret under what is wrong with it, and what would
/// be right there:
///
/// ```text
/// lose client SYNACK 1
///             ^^^^^^ expected a kind of frame (SYN, SYN-ACK, DNS query, ...); did you mean SYN-ACK?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFault {
    pub(super) sentence: String,
    pub(super) at: Range<usize>,
    pub(super) why: String,
    pub(super) nearest: Option<String>,
}

impl BadFault {
    /// Where in the sentence the first wrong word stands, in bytes; behind its end if a word is missing.
    pub fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// What was expected there.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The right word that looks most like the wrong one.
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

impl std::error::Error for BadFault {}

impl fmt::Display for BadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars_before = |end: usize| {
            let within = self.sentence.char_indices().take_while(|(at, _)| *at < end).count();
            within + end.saturating_sub(self.sentence.len())
        };
        let before = chars_before(self.at.start);
        let (left_out, shown) = excerpt(&self.sentence, before + 1);
        let indent = before.saturating_sub(left_out);
        let room = shown.chars().count().saturating_sub(indent);
        let under = chars_before(self.at.end).saturating_sub(before).min(room).max(1);
        writeln!(f, "{}", as_seen(&shown))?;
        write!(f, "{}{} {}", " ".repeat(indent), "^".repeat(under), self.why)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}
