//! What can be wrong with a topology: where (a place in the data, a line of the file), what, and what
//! would be right.

use std::fmt;
use std::ops::Range;

/// Something wrong with a topology: where in the data, what, and what would be right. Display: `host.web.gateway:
/// 10.0.0.1 is on no link of web, whose network is 10.1.0.0/24; routers here: 10.1.0.1 (home:0)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(super) place: Place,
    /// What is wrong.
    pub what: String,
    /// What would be right; empty if that is clear.
    pub cure: String,
}

impl Problem {
    pub(super) fn new(place: Place, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { place, what: what.into(), cure: cure.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if self.cure.is_empty() { Ok(()) } else { write!(f, "; {}", self.cure) }
    }
}

impl std::error::Error for Problem {}

/// Where in a topology: the keys and indices that lead there from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place(pub(super) Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Place {
    /// One step further.
    pub(super) fn at(&self, step: impl Into<Step>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    pub(super) fn top(key: &str) -> Self {
        Self::default().at(key)
    }
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// `router.home.ports[1].address`, as in the file, indices from 0.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if n == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A file is not a topology: the line, why, and what would be right.
///
/// ```text
/// line 2, column 1: unknown key `adress` in [host.client]
/// 2 | adress = "192.168.1.10/24"
///   | ^^^^^^ did you mean `address`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTopology {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What would be right; empty if that is clear.
    pub cure: String,
    /// The line itself, or of a long line what is around the column.
    pub text: String,
    /// How many characters of the line are left out before `text`.
    pub left_out: usize,
    /// How many characters of `text` are meant.
    pub width: usize,
}

impl BadTopology {
    /// Something wrong with these bytes of `source`.
    pub(super) fn at(source: &str, span: Range<usize>, what: String, cure: String) -> Self {
        let start = source.floor_char_boundary(span.start);
        let before = &source[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = source[line_start..].lines().next().unwrap_or_default();
        let column = before[line_start..].chars().count() + 1;
        let end = source.floor_char_boundary(span.end).min(line_start + line.len()).max(start);
        let (left_out, text) = excerpt(line, column);
        let room = (text.chars().count() + left_out + 1).saturating_sub(column);
        let width = source[start..end].chars().take(room).count().max(1);
        Self { line: before.matches('\n').count() + 1, column, what, cure, text, left_out, width }
    }
}

/// The longest part of a line that is shown, in characters.
const SHOWN: usize = 200;

/// What is shown of a line: all of it, or of a long one the part around a column (from 1); and how many
/// characters are left out before that.
pub fn excerpt(line: &str, column: usize) -> (usize, String) {
    if line.len() <= SHOWN {
        return (0, line.to_owned());
    }
    // A long line is full where its end is shown, too.
    let last = line.chars().count().saturating_sub(SHOWN);
    let left_out = column.saturating_sub(SHOWN / 2).min(last);
    (left_out, line.chars().skip(left_out).take(SHOWN).collect())
}

impl fmt::Display for BadTopology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, what, cure, text, left_out, width } = self;
        let gutter = line.to_string().len();
        let indent = (column - 1).saturating_sub(*left_out);
        writeln!(f, "line {line}, column {column}: {what}")?;
        writeln!(f, "{line} | {}", as_seen(text))?;
        write!(f, "{:gutter$} | {:indent$}{}", "", "", "^".repeat(*width))?;
        if cure.is_empty() { Ok(()) } else { write!(f, " {cure}") }
    }
}

/// A line in which every character is as wide as the one it stands for: what cannot be seen, or does
/// something to a terminal, would move the carets below it.
pub fn as_seen(line: &str) -> String {
    let seen = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    line.chars().map(seen).collect()
}

impl std::error::Error for BadTopology {}

/// The word that was probably meant: one slip in three letters at most.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips = |other: &&str| distance(&word.to_lowercase(), &other.to_lowercase());
    let near = known.into_iter().map(|other| (slips(&other), other)).min_by_key(|(slips, _)| *slips);
    near.filter(|(slips, other)| *slips <= (word.len().max(other.len()) / 3).max(1)).map(|(_, other)| other)
}

/// How many letters must be put in, left out, replaced or exchanged with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// A list for people, cut where it gets long: `a, b, c and 4 more`.
pub(super) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 12;
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    match items.len() {
        0..=SHOWN => items.join(", "),
        many => format!("{} and {} more", items[..SHOWN].join(", "), many - SHOWN),
    }
}
