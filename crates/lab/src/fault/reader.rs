//! The words of a sentence, one after the other, and what to say when one is wrong.

use super::bad_fault::BadFault;
use std::ops::Range;

/// The longest sentence, in bytes.
const LONGEST: usize = 500;
/// So many alternatives are named in a message.
const NAMED: usize = 8;

/// A sentence that is being read.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    sentence: &'a str,
    words: Vec<(Range<usize>, &'a str)>,
    next: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sentence: &'a str) -> Result<Self, BadFault> {
        let mut words = Vec::new();
        let mut begins = None;
        for (at, c) in sentence.char_indices().chain([(sentence.len(), ' ')]) {
            match (c.is_whitespace(), begins) {
                (false, None) => begins = Some(at),
                (true, Some(from)) => {
                    words.push((from..at, &sentence[from..at]));
                    begins = None;
                }
                _ => {}
            }
        }
        let reader = Self { sentence, words, next: 0 };
        if sentence.len() > LONGEST {
            return Err(reader.wrong(&format!("a sentence has at most {LONGEST} bytes")));
        }
        Ok(reader)
    }

    /// The word whose turn it is.
    pub(super) fn word(&self) -> Option<&'a str> {
        self.word_after(0)
    }

    /// The word so many further on.
    pub(super) fn word_after(&self, words: usize) -> Option<&'a str> {
        self.words.get(self.next + words).map(|(_, word)| *word)
    }

    /// Goes on to the next word.
    pub(super) fn advance(&mut self, words: usize) {
        self.next = (self.next + words).min(self.words.len());
    }

    /// Whether these words, parted by spaces, come next, in whatever case; if so, goes on behind them.
    pub(super) fn takes(&mut self, phrase: &str) -> bool {
        let comes = self.sees(phrase);
        if comes {
            self.advance(phrase.split(' ').count());
        }
        comes
    }

    /// Whether these words come next.
    pub(super) fn sees(&self, phrase: &str) -> bool {
        let mut words = phrase.split(' ').enumerate();
        words.all(|(n, word)| self.word_after(n).is_some_and(|said| said.eq_ignore_ascii_case(word)))
    }

    /// Takes these words or says that they are missing.
    pub(super) fn needs(&mut self, phrase: &str) -> Result<(), BadFault> {
        if self.takes(phrase) { Ok(()) } else { Err(self.expected(&format!("`{phrase}`"), &[phrase])) }
    }

    /// Takes the next word if `read` can make something of it, or says what is missing.
    pub(super) fn value<T>(
        &mut self,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, BadFault> {
        match self.word().and_then(read) {
            Some(value) => {
                self.advance(1);
                Ok(value)
            }
            None => Err(self.too_large().unwrap_or_else(|| self.expected(what, &[]))),
        }
    }

    /// What to say of a number that nothing here can hold, if the next word begins with one.
    pub(super) fn too_large(&self) -> Option<BadFault> {
        let word = self.word()?;
        let digits = word.split(|c: char| !c.is_ascii_digit()).next()?;
        let is_too_large = !digits.is_empty() && digits.parse::<u64>().is_err();
        is_too_large.then(|| self.wrong("the number is too large"))
    }

    /// Takes the next word if `read` can make something of it.
    pub(super) fn may<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.word().and_then(read);
        if value.is_some() {
            self.advance(1);
        }
        value
    }

    /// The word whose turn it is should be something else: `what`, perhaps one of `words`.
    pub(super) fn expected(&self, what: &str, words: &[&str]) -> BadFault {
        let mut message = format!("expected {what}");
        if words.len() > 1 {
            let more = if words.len() > NAMED { ", ..." } else { "" };
            let named: Vec<&str> = words.iter().copied().take(NAMED).collect();
            message += &format!(" ({}{more})", named.join(", "));
        }
        let mut wrong = self.wrong(&message);
        wrong.nearest = self.nearest(words);
        wrong
    }

    /// Something is wrong with the word whose turn it is.
    pub(super) fn wrong(&self, why: &str) -> BadFault {
        let end = self.sentence.trim_end().len();
        let missing = if self.words.is_empty() { 0..0 } else { end + 1..end + 1 };
        let at = self.words.get(self.next).map_or(missing, |(at, _)| at.clone());
        BadFault { sentence: self.sentence.to_owned(), at, why: why.to_owned(), nearest: None }
    }

    /// Which of `words` looks most like what stands here: one word or two of it.
    pub(super) fn nearest(&self, words: &[&str]) -> Option<String> {
        let one = self.word()?;
        let two = self.word_after(1).map(|second| format!("{one} {second}"));
        let distance = |word: &str| {
            let said = if word.contains(' ') { two.as_deref().unwrap_or(one) } else { one };
            let far = distance(&said.to_lowercase(), &word.to_lowercase());
            (far <= said.chars().count().max(3) / 3 && far > 0).then_some(far)
        };
        let by_distance = words.iter().filter_map(|word| Some((distance(word)?, *word)));
        by_distance.min_by_key(|(far, _)| *far).map(|(_, word)| word.to_owned())
    }
}

/// How many letters must be put in, left out or changed to make `b` of `a` (Levenshtein).
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut above_left = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let best = (above_left + usize::from(x != *y)).min(left + 1).min(*cell + 1);
            (above_left, left) = (*cell, best);
            *cell = best;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_counts_letters() {
        for (a, b, far) in
            [("", "", 0), ("syn", "", 3), ("", "syn", 3), ("synack", "syn-ack", 1), ("los", "lose", 1)]
        {
            assert_eq!(distance(a, b), far, "{a} {b}");
        }
    }
}
