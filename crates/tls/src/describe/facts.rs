//! What is told of something, in order: the same facts are printed for people and serialised for
//! programs, so that the two cannot disagree.

use crate::hex::with_colons;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::borrow::Cow;
use std::fmt::{self, Write};

/// What one fact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// In words; and what is said beside it to people alone.
    Text(String, Option<String>),
    /// A number.
    Number(u64),
    /// Yes or no.
    Truth(bool),
    /// Several, in their order.
    List(Vec<Fact>),
    /// Several, each with a name.
    Facts(Facts),
    /// An extension of a certificate, list or answer.
    Extension(Box<Extension>),
}

/// Facts with names, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: Cow<'static, str>,
    fact: Fact,
    /// Whether it is for programs alone: people are told the same in another place.
    is_silent: bool,
}

/// An extension (RFC 5280 4.2): what it is called, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its object identifier, dotted.
    pub oid: String,
    /// Its name, where it is known.
    pub name: Option<&'static str>,
    /// Whether who does not know it must refuse the certificate.
    pub critical: bool,
    /// What it says; in hex where that is not known.
    pub value: Fact,
}

/// A line of text is not longer than this if there is another way.
const WIDE: usize = 112;

impl Fact {
    /// A text that was written here, or that is harmless.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into(), None)
    }

    /// A text, and what people are told beside it.
    pub(crate) fn aside(text: impl Into<String>, aside: impl Into<String>) -> Self {
        Self::Text(text.into(), Some(aside.into()))
    }

    /// A text that a stranger has written.
    pub(crate) fn strange(text: &str) -> Self {
        Self::text(harmless(text))
    }

    /// Bytes, in hex.
    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Self::text(with_colons(bytes))
    }

    /// A serial number (RFC 5280 4.1.2.2), without the byte that keeps it from being below 0.
    pub(crate) fn serial(content: &[u8]) -> Self {
        match content {
            [0, rest @ ..] if !rest.is_empty() => Self::bytes(rest),
            all => Self::bytes(all),
        }
    }

    /// What it is where a line has room for it.
    fn in_a_line(&self) -> Option<String> {
        match self {
            Self::Text(text, None) => Some(text.clone()),
            Self::Text(text, Some(aside)) => Some(format!("{text} ({aside})")),
            Self::Number(number) => Some(number.to_string()),
            Self::Truth(truth) => Some(if *truth { "yes" } else { "no" }.to_owned()),
            Self::List(facts) if facts.is_empty() => Some("none".to_owned()),
            Self::List(facts) => {
                let shown = facts.iter().map(Self::in_a_line).collect::<Option<Vec<_>>>()?;
                let line = shown.join(", ");
                // Blanks and commas within would make the list ambiguous where it matters.
                (line.len() <= WIDE && (facts.len() == 1 || !shown.iter().any(|one| one.contains(", "))))
                    .then_some(line)
            }
            Self::Facts(facts) => {
                let shown: Option<Vec<_>> = facts.told().map(Entry::in_a_line).collect();
                shown.map(|shown| shown.join(", ")).filter(|line| line.len() <= WIDE)
            }
            Self::Extension(_) => None,
        }
    }

    /// Prints it below its name.
    fn print(&self, indent: usize, out: &mut String) {
        if let Some(line) = self.in_a_line() {
            let _ = writeln!(out, "{:indent$}{line}", "");
            return;
        }
        match self {
            Self::List(facts) => {
                for (index, fact) in facts.iter().enumerate() {
                    match fact {
                        Self::Facts(_) if fact.in_a_line().is_none() => {
                            let _ = writeln!(out, "{:indent$}{}:", "", index + 1);
                            fact.print(indent + 2, out);
                        }
                        _ => fact.print(indent, out),
                    }
                }
            }
            Self::Facts(facts) => facts.print(indent, out),
            Self::Extension(extension) => {
                let _ = writeln!(out, "{:indent$}{}", "", extension.title());
                extension.value.print(indent + 2, out);
            }
            _ => {}
        }
    }
}

impl Facts {
    /// Adds a fact.
    pub(crate) fn push(&mut self, name: impl Into<Cow<'static, str>>, fact: Fact) {
        self.entries.push(Entry { name: name.into(), fact, is_silent: false });
    }

    /// Adds a fact that people are told elsewhere.
    pub(crate) fn push_silent(&mut self, name: impl Into<Cow<'static, str>>, fact: Fact) {
        self.entries.push(Entry { name: name.into(), fact, is_silent: true });
    }

    /// With one more.
    pub(crate) fn with(mut self, name: impl Into<Cow<'static, str>>, fact: Fact) -> Self {
        self.push(name, fact);
        self
    }

    /// With all of `others` behind them.
    pub(crate) fn joined(mut self, others: Self) -> Self {
        self.entries.extend(others.entries);
        self
    }

    /// The fact of this name.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| &entry.fact)
    }

    fn told(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.is_silent)
    }

    /// Prints them, a line or more each, the short ones in a column.
    pub(crate) fn print(&self, indent: usize, out: &mut String) {
        let lines: Vec<(String, Option<String>, &Entry)> =
            self.told().map(|entry| (label(&entry.name), entry.line_of_its_own(), entry)).collect();
        let names = lines.iter().filter(|(_, line, _)| line.is_some()).map(|(name, _, _)| name.len());
        let width = names.max().unwrap_or_default();
        for (name, line, entry) in &lines {
            match line {
                Some(line) => {
                    let _ = writeln!(out, "{:indent$}{name:width$}  {line}", "");
                }
                None => {
                    let _ = writeln!(out, "{:indent$}{name}", "");
                    entry.fact.print(indent + 2, out);
                }
            }
        }
    }
}

impl Entry {
    fn in_a_line(&self) -> Option<String> {
        let line = self.fact.in_a_line()?;
        Some(format!("{} {line}", label(&self.name)))
    }

    /// What stands behind its name, if that is not several facts.
    fn line_of_its_own(&self) -> Option<String> {
        match &self.fact {
            Fact::Facts(_) | Fact::Extension(_) => None,
            Fact::List(facts) if facts.iter().any(|fact| matches!(fact, Fact::Facts(_))) => None,
            fact => fact.in_a_line(),
        }
    }
}

impl Extension {
    fn title(&self) -> String {
        let critical = if self.critical { ", critical" } else { "" };
        match self.name {
            Some(name) => format!("{}{critical}", label(name)),
            None => format!("unknown extension {}{critical}", self.oid),
        }
    }
}

/// A name as people read it: abbreviations in capitals, blanks.
fn label(name: &str) -> String {
    match name {
        "sha1" => return "SHA-1".to_owned(),
        "sha256" => return "SHA-256".to_owned(),
        _ => {}
    }
    let word = |word: &str| match word {
        "dns" | "ip" | "uri" | "oid" | "ocsp" | "ca" | "crl" | "tls" | "id" => word.to_ascii_uppercase(),
        _ => word.to_owned(),
    };
    name.split('_').map(word).collect::<Vec<_>>().join(" ")
}

/// `text` without anything that a terminal would act on: control characters, and those that turn the
/// direction of writing (UAX #9) or cannot be seen, are escaped.
pub(crate) fn harmless(text: &str) -> String {
    let is_dangerous = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_dangerous(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.print(0, &mut out);
        f.write_str(&out)
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text, _) => text.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Truth(truth) => truth.serialize(serializer),
            Self::List(facts) => facts.serialize(serializer),
            Self::Facts(facts) => facts.serialize(serializer),
            Self::Extension(extension) => extension.serialize(serializer),
        }
    }
}

impl Facts {
    /// As entries of a map that has others, too.
    pub(crate) fn serialize_into<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.entries.iter().try_for_each(|entry| map.serialize_entry(&entry.name, &entry.fact))
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        self.serialize_into(&mut map)?;
        map.end()
    }
}

impl Serialize for Extension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("oid", &self.oid)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("critical", &self.critical)?;
        map.serialize_entry("value", &self.value)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_facts_stand_in_a_column_and_long_ones_below_their_name() {
        let names =
            (0..12).map(|n| Fact::Facts(Facts::default().with("dns", Fact::text(format!("host-{n}.test")))));
        let facts = Facts::default()
            .with("sha1", Fact::bytes(&[1, 0xff]))
            .with("not_after", Fact::aside("2026-06-01T12:00:00Z", "60 days left"))
            .with("names", Fact::List(names.collect()));
        let text = facts.to_string();
        assert!(
            text.starts_with(
                "SHA-1      01:ff\nnot after  2026-06-01T12:00:00Z (60 days left)\nnames\n  DNS host-0.test\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_a_stranger_wrote_does_nothing_to_a_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{202e}c\\nd");
        assert_eq!(harmless("Zürich"), "Zürich");
    }
}
