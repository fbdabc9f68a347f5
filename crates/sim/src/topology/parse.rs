//! From TOML to a topology and back, and errors that point at the line.

use super::Topology;
use std::fmt;
use std::ops::Range;

impl Topology {
    /// Reads a topology from TOML and checks that it can be built.
    pub fn parse(text: &str) -> Result<Self, BadTopology> {
        toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            BadTopology::at(text, span, error.message().to_owned(), String::new())
        })
    }

    /// Writes it as TOML that [`parse`](Self::parse) reads as the same topology.
    pub fn to_toml(&self) -> String {
        // Every value is a string, a number, a truth value, a list or a table of such: all of which TOML has.
        toml::to_string(self).unwrap_or_default()
    }
}

/// A topology cannot be read: where, why, and what would be right.
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
    /// The line itself.
    pub text: String,
    /// How many characters of it are meant.
    pub width: usize,
}

impl BadTopology {
    pub(super) fn at(source: &str, span: Range<usize>, what: String, cure: String) -> Self {
        let start = source.floor_char_boundary(span.start);
        let before = &source[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let text = source[line_start..].lines().next().unwrap_or_default().to_owned();
        let column = before[line_start..].chars().count() + 1;
        let end = source.floor_char_boundary(span.end).clamp(start, (line_start + text.len()).max(start));
        let width = source[start..end].chars().count().max(1);
        Self { line: before.matches('\n').count() + 1, column, what, cure, text, width }
    }
}

impl fmt::Display for BadTopology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, what, cure, text, width } = self;
        let gutter = line.to_string().len();
        writeln!(f, "line {line}, column {column}: {what}")?;
        writeln!(f, "{line} | {text}")?;
        write!(f, "{:gutter$} | {:indent$}{}", "", "", "^".repeat(*width), indent = column - 1)?;
        if !cure.is_empty() {
            write!(f, " {cure}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadTopology {}
