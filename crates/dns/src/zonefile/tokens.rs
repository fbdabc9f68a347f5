//! A zone file as entries of words (RFC 1035 5.1): where a word ends, what a line is, what is a comment.

/// A word of a zone file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'t> {
    /// The text between its borders, escapes and all.
    pub(super) text: &'t str,
    /// Whether it stood between quotes.
    pub(super) quoted: bool,
    /// Whether it began right where the word before ended.
    pub(super) glued: bool,
    /// The line it is on, counted from 1.
    pub(super) line: usize,
}

/// A line, or several that parentheses join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'t> {
    /// The words; at least one.
    pub(super) words: Vec<Word<'t>>,
    /// Whether it began with white space: then its owner is that of the entry before.
    pub(super) indented: bool,
}

/// What is wrong with quotes and parentheses; each with its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// A quote without its partner on the line.
    OpenQuote(usize),
    /// A parenthesis that is never closed.
    OpenParenthesis(usize),
    /// A parenthesis that was never opened.
    ClosedParenthesis(usize),
}

/// The entries of a text, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        // Some editors begin a file with a byte order mark.
        Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 }
    }

    /// The next entry that has words.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry<'t>>, TokenError> {
        while !self.rest.is_empty() {
            let indented = self.rest.starts_with([' ', '\t']);
            let words = self.entry()?;
            if !words.is_empty() {
                return Ok(Some(Entry { words, indented }));
            }
        }
        Ok(None)
    }

    /// The words up to the end of a line that no parenthesis joins with the next.
    fn entry(&mut self) -> Result<Vec<Word<'t>>, TokenError> {
        let mut words = Vec::new();
        let mut parentheses: Vec<usize> = Vec::new();
        let mut glued = false;
        while let Some(c) = self.rest.chars().next() {
            match c {
                '\n' => {
                    self.skip(1);
                    self.line += 1;
                    glued = false;
                    if parentheses.is_empty() {
                        return Ok(words);
                    }
                }
                ';' => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.skip(end);
                }
                '(' => {
                    parentheses.push(self.line);
                    self.skip(1);
                    glued = false;
                }
                ')' => {
                    parentheses.pop().ok_or(TokenError::ClosedParenthesis(self.line))?;
                    self.skip(1);
                    glued = false;
                }
                '"' => {
                    self.skip(1);
                    let end = end_of_quoted(self.rest).ok_or(TokenError::OpenQuote(self.line))?;
                    words.push(Word { text: self.head(end), quoted: true, glued, line: self.line });
                    self.skip(end + 1);
                    glued = true;
                }
                ' ' | '\t' | '\r' => {
                    self.skip(1);
                    glued = false;
                }
                _ => {
                    let end = end_of_plain(self.rest);
                    words.push(Word { text: self.head(end), quoted: false, glued, line: self.line });
                    self.skip(end);
                    glued = true;
                }
            }
        }
        match parentheses.pop() {
            Some(line) => Err(TokenError::OpenParenthesis(line)),
            None => Ok(words),
        }
    }

    fn head(&self, end: usize) -> &'t str {
        self.rest.get(..end).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// Where the closing quote is; none if the line ends before.
fn end_of_quoted(text: &str) -> Option<usize> {
    let end = end_before(text, &['"', '\n']);
    text.get(end..)?.starts_with('"').then_some(end)
}

fn end_of_plain(text: &str) -> usize {
    end_before(text, &[' ', '\t', '\r', '\n', '(', ')', ';', '"'])
}

/// Where the first of `borders` is that no backslash stands before.
fn end_before(text: &str, borders: &[char]) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == '\n' || (!escaped && borders.contains(&c)) {
            return at;
        }
        escaped = !escaped && c == '\\';
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entries, each word between bars, quoted ones with their quotes.
    fn read(text: &str) -> Vec<String> {
        let mut tokens = Tokens::new(text);
        let mut entries = Vec::new();
        loop {
            match tokens.next_entry() {
                Ok(None) => return entries,
                Ok(Some(entry)) => {
                    let word = |word: &Word<'_>| {
                        if word.quoted { format!("{:?}", word.text) } else { word.text.to_owned() }
                    };
                    let words: Vec<String> = entry.words.iter().map(word).collect();
                    let indent = if entry.indented { " |" } else { "" };
                    entries.push(format!("{}:{indent}{}", entry.words[0].line, words.join("|")));
                }
                Err(error) => {
                    entries.push(format!("{error:?}"));
                    return entries;
                }
            }
        }
    }

    #[test]
    fn a_line_is_an_entry_of_words() {
        assert_eq!(read("www  60\tA 192.0.2.1\n\n  TXT x ; y\r\n"), ["1:www|60|A|192.0.2.1", "3: |TXT|x"]);
        assert_eq!(read("; only a comment\n  \n\t; another"), Vec::<String>::new());
        assert_eq!(read("\u{feff}a b"), ["1:a|b"]);
    }

    #[test]
    fn parentheses_join_lines() {
        assert_eq!(read("a ( b ; (\n  c\n) d\ne"), ["1:a|b|c|d", "4:e"]);
        assert_eq!(read("(\na b)"), ["2:a|b"]);
        assert_eq!(read("a ( b\nc"), ["OpenParenthesis(1)"]);
        assert_eq!(read("a\nb )"), ["1:a", "ClosedParenthesis(2)"]);
    }

    #[test]
    fn quotes_hold_what_would_end_a_word() {
        assert_eq!(read(r#"a "b c;(" d"e f"g"#), [r#"1:a|"b c;("|d|"e f"|g"#]);
        assert_eq!(read(r#"a "say \"hi\"""#), [r#"1:a|"say \\\"hi\\\"""#]);
        assert_eq!(read("a \"b\nc\""), ["OpenQuote(1)"]);
        assert_eq!(read(r#"a """#), [r#"1:a|"""#]);
    }

    #[test]
    fn a_backslash_keeps_the_next_character_in_the_word() {
        assert_eq!(read(r"a\ b c\;d e\(f g\"), [r"1:a\ b|c\;d|e\(f|g\"]);
    }
}
