//! What is wrong with a run file, and where.

use glasstack_sim::topology::{BadTopology, as_seen, excerpt};
use std::fmt;
use std::ops::Range;

/// A run file cannot be read. It shows the line, a caret under what is wrong with it, and what would be
/// right:
///
/// ```text
/// line 5, column 6: `pong` is no step of a run
/// 5 |     "pong www.example.test",
///   |      ^^^^ get, ping, traceroute, resolve, route, wait, unplug, plug in and fault are
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRun {
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

impl BadRun {
    /// Something is wrong with these bytes of `source`.
    pub(super) fn at(source: &str, span: Range<usize>, what: impl Into<String>, cure: &str) -> Self {
        let start = source.floor_char_boundary(span.start);
        let (before, behind) = source.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let whole = source.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let indent = before.get(line_start..).unwrap_or_default();
        let left_on_line = whole.len().saturating_sub(indent.len());
        let length = behind.floor_char_boundary(span.len().min(left_on_line));
        let column = indent.chars().count() + 1;
        let (left_out, text) = excerpt(whole, column);
        let room = (text.chars().count() + left_out + 1).saturating_sub(column);
        Self {
            line: before.matches('\n').count() + 1,
            column,
            what: what.into(),
            cure: cure.to_owned(),
            text,
            left_out,
            width: behind.get(..length).map_or(0, |meant| meant.chars().take(room).count()).max(1),
        }
    }
}

impl From<BadTopology> for BadRun {
    fn from(bad: BadTopology) -> Self {
        let BadTopology { line, column, what, cure, text, left_out, width } = bad;
        Self { line, column, what, cure, text, left_out, width }
    }
}

impl fmt::Display for BadRun {
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

impl std::error::Error for BadRun {}
