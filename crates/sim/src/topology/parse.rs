//! From TOML to a topology and back, and errors that point at the line.
//!
//! ```text
//!   text --syntax--> tables --known keys, needed keys--> Topology --check--> Topology
//!            |                   |                          |          |
//!            +-------------------+--------------------------+----------+--> BadTopology: line, column, cure
//! ```

use super::problem::{BadTopology, Place, Problem, Step, list, nearest};
use super::vocabulary::Table;
use super::{Topology, check};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How many errors of one file are told: whoever has more mends these first.
const MOST_TOLD: usize = 100;

impl Topology {
    /// Reads a topology from TOML and checks that it can be built. The error is the first of those that
    /// [`read`](Self::read) finds.
    pub fn parse(text: &str) -> Result<Self, BadTopology> {
        Self::read(text).map_err(|bad| {
            let first = bad.into_iter().next();
            first.unwrap_or_else(|| BadTopology::at(text, 0..0, "this is no topology".into(), String::new()))
        })
    }

    /// Reads a topology from TOML and checks that it can be built; or tells all that is wrong with it, in
    /// the order of the text. What the values mean is looked at once all keys are right.
    pub fn read(text: &str) -> Result<Self, Vec<BadTopology>> {
        let tables = DeTable::parse(text).map_err(|error| vec![syntax(text, &error)])?;
        let root = tables.get_ref();
        let all = |mut found: Vec<(Problem, Range<usize>)>| {
            found.sort_by_key(|(_, span)| span.start);
            let bad = |(problem, span): (Problem, _)| BadTopology::at(text, span, problem.what, problem.cure);
            found.into_iter().take(MOST_TOLD).map(bad).collect::<Vec<_>>()
        };
        let mut keys = Vec::new();
        check_keys(root, tables.span(), &Place::default(), &mut keys);
        if !keys.is_empty() {
            return Err(all(keys));
        }
        let topology = Self::deserialize(toml::Deserializer::from(tables.clone()))
            .map_err(|error| vec![value(text, &error)])?;
        let located = check::problems(&topology).into_iter().map(|problem| {
            let span = span_of(root, &problem.place.0);
            (problem, span)
        });
        let wrong = all(located.collect());
        if wrong.is_empty() { Ok(topology) } else { Err(wrong) }
    }

    /// Writes it as TOML that [`parse`](Self::parse) reads as the same topology.
    pub fn to_toml(&self) -> String {
        // Every value is a string, a number, a truth value, a list or a table of such: all of which TOML has.
        toml::to_string(self).unwrap_or_default()
    }
}

/// What is no TOML at all.
fn syntax(text: &str, error: &toml::de::Error) -> BadTopology {
    let span = error.span().unwrap_or(0..0);
    let cure = match error.message() {
        message if message.contains("duplicate key") => {
            "it stands above already; every name and key stands once"
        }
        _ => "",
    };
    BadTopology::at(text, span, error.message().replace('\n', ", "), cure.to_owned())
}

/// What is TOML, but not what belongs there. The words' own messages say what would be right behind a
/// semicolon; those of serde speak of Rust's types.
fn value(text: &str, error: &toml::de::Error) -> BadTopology {
    const TYPES: &[(&str, &str)] = &[
        ("expected u16", "expected a whole number up to 65535"),
        ("expected u32", "expected a whole number up to 4294967295"),
        ("expected usize", "expected a whole number"),
        ("expected a boolean", "expected true or false"),
        ("invalid type: map", "invalid type: table"),
        ("expected a sequence", "expected a list, as [..]"),
        ("expected a map", "expected a table, as { .. }"),
    ];
    let mut message = error.message().to_owned();
    for (rust, words) in TYPES {
        message = message.replace(rust, words);
    }
    if let Some((before, _)) = message.split_once("expected struct ") {
        message = format!("{before}expected a table, as {{ .. }}");
    }
    let (what, cure) = match (message.split_once("; "), message.split_once(", as ")) {
        (Some((what, cure)), _) => (what, cure.to_owned()),
        (None, Some((what, example))) => (what, format!("write it as {example}")),
        (None, None) => (message.as_str(), String::new()),
    };
    BadTopology::at(text, error.span().unwrap_or(0..0), what.to_owned(), cure)
}

/// Keys that nobody knows and keys that are missing, in this table and those in it.
fn check_keys(
    table: &DeTable<'_>,
    span: Range<usize>,
    place: &Place,
    found: &mut Vec<(Problem, Range<usize>)>,
) {
    if let Some(kind) = Table::at(place) {
        let known = (kind.keys)();
        let mut unknown = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).peekable();
        // What is missing may well be there, under a name that nobody knows.
        let needs = if unknown.peek().is_some() { &[] } else { kind.needs };
        found.extend(unknown.map(|key| (unknown_key(key.get_ref(), kind, place), key.span())));
        for (needed, example) in needs.iter().filter(|(needed, _)| !table.contains_key(*needed)) {
            let what = format!("{} has no `{needed}`", in_file(place));
            found.push((Problem::new(place.clone(), what, format!("write {example}")), span.clone()));
        }
    }
    for (key, value) in table {
        let place = place.at(key.get_ref().as_ref());
        match value.get_ref() {
            DeValue::Table(inner) => check_keys(inner, header_or_value(key, value), &place, found),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        check_keys(inner, item.span(), &place.at(index), found);
                    }
                }
            }
            _ => {}
        }
    }
}

fn unknown_key(key: &str, kind: &Table, place: &Place) -> Problem {
    let known = (kind.keys)();
    let mut elsewhere: Vec<_> = Table::knowing(key).map(|table| table.noun).collect();
    elsewhere.dedup();
    let cure = match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if !elsewhere.is_empty() => {
            format!("it is a key of {}; {} has: {}", list(elsewhere), kind.noun, known.join(", "))
        }
        None => format!("{} has: {}", kind.noun, known.join(", ")),
    };
    let within = if place.0.is_empty() { String::new() } else { format!(" in {}", in_file(place)) };
    Problem::new(place.clone(), format!("unknown key `{key}`{within}"), cure)
}

/// As the file's author thinks of the place: `[host.web]`, `[[cable]]`, `router.home.nat`.
fn in_file(place: &Place) -> String {
    match place.0.as_slice() {
        [Step::Key(kind), Step::Key(name)] => format!("[{kind}.{name}]"),
        [Step::Key(kind), Step::Index(_)] => format!("[[{kind}]]"),
        _ => place.to_string(),
    }
}

/// Where a place is in the file; the last that is there, if it is not.
fn span_of(root: &DeTable<'_>, steps: &[Step]) -> Range<usize> {
    let Some((Step::Key(first), rest)) = steps.split_first() else { return 0..0 };
    let Some((key, value)) = root.get_key_value(first.as_str()) else { return 0..0 };
    let mut span = header_or_value(key, value);
    let mut value = value;
    for step in rest {
        match (value.get_ref(), step) {
            (DeValue::Table(table), Step::Key(name)) => {
                let Some((key, inner)) = table.get_key_value(name.as_str()) else { return span };
                span = header_or_value(key, inner);
                value = inner;
            }
            (DeValue::Array(items), Step::Index(index)) => {
                let Some(item) = items.get(*index) else { return span };
                span = item.span();
                value = item;
            }
            _ => return span,
        }
    }
    span
}

/// A table is pointed at by its name, anything else by itself.
fn header_or_value(key: &Spanned<std::borrow::Cow<'_, str>>, value: &Spanned<DeValue<'_>>) -> Range<usize> {
    match value.get_ref() {
        DeValue::Table(_) => key.span(),
        _ => value.span(),
    }
}
