//! Runs as TOML: written, and read with errors that point at the line.

use super::step::{BadStep, Step};
use super::{BadRun, DEFAULT_SEED, KeptFile, Run};
use crate::fault::FaultSpec;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use glasstack_journal::WallTime;
use glasstack_sim::DEFAULT_EPOCH;
use glasstack_sim::topology::{Topology, excerpt};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml::Spanned;

/// The version of the format that is written, and the only one that is read.
pub const VERSION: i64 = 1;

/// The longest script, in steps.
pub const MOST_STEPS: usize = 10_000;

/// How many errors of one file are told: whoever has more mends these first.
const MOST_TOLD: usize = 100;

/// The run as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunFile {
    version: Spanned<i64>,
    #[serde(default)]
    seed: Option<Spanned<toml::Value>>,
    epoch: Option<Spanned<toml::value::Datetime>>,
    internet: Option<Spanned<String>>,
    client: Option<Spanned<String>>,
    #[serde(default)]
    dhcp: bool,
    #[serde(default)]
    faults: Vec<Spanned<String>>,
    #[serde(default)]
    script: Vec<Spanned<String>>,
    #[serde(default)]
    files: BTreeMap<String, Spanned<FileEntry>>,
    /// Read apart, with its own errors.
    topology: Option<Spanned<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    text: Option<Spanned<String>>,
    base64: Option<Spanned<String>>,
    modified: Option<u64>,
}

/// Where the steps and the faults of a run stand in its file: for errors that only those notice who carry
/// them out.
#[derive(Clone, Debug, Default)]
pub struct Places {
    text: String,
    steps: Vec<Range<usize>>,
    faults: Vec<Range<usize>>,
    client: Option<Range<usize>>,
}

impl Places {
    /// Something is wrong with the step of this number, from 0.
    pub fn bad_step(
        &self,
        number: usize,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) -> Option<BadRun> {
        Some(self.bad(self.steps.get(number)?, what, cure))
    }

    /// Something is wrong with the fault of this number, from 0.
    pub fn bad_fault(
        &self,
        number: usize,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) -> Option<BadRun> {
        Some(self.bad(self.faults.get(number)?, what, cure))
    }

    /// Something is wrong with what the run says of its client, if it says something.
    pub fn bad_client(&self, what: impl Into<String>, cure: impl Into<String>) -> Option<BadRun> {
        Some(self.bad(self.client.as_ref()?, what, cure))
    }

    fn bad(&self, place: &Range<usize>, what: impl Into<String>, cure: impl Into<String>) -> BadRun {
        BadRun::at(&self.text, place.clone(), what, &cure.into())
    }
}

impl Run {
    /// Reads a run. The error is the first of those that [`read`](Self::read) finds.
    pub fn parse(text: &str) -> Result<Self, BadRun> {
        match Self::read(text) {
            Ok((run, _)) => Ok(run),
            Err(errors) => {
                Err(errors.into_iter().next().unwrap_or_else(|| BadRun::at(text, 0..0, "this is no run", "")))
            }
        }
    }

    /// Reads a run, and says where its steps stand; or else all that is wrong with it.
    pub fn read(text: &str) -> Result<(Self, Places), Vec<BadRun>> {
        let file: RunFile = toml::from_str(text)
            .map_err(|error| vec![BadRun::at(text, error.span().unwrap_or_default(), error.message(), "")])?;
        Reader { text, errors: Vec::new() }.run(file)
    }

    /// Writes it so that [`parse`](Self::parse) reads the same run.
    pub fn to_toml(&self) -> String {
        let mut toml = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut toml);
        toml
    }

    fn write(&self, toml: &mut String) -> std::fmt::Result {
        writeln!(toml, "# A run of glasstack; `glasstack lab run FILE` does it again, byte for byte.")?;
        writeln!(toml, "version = {VERSION}")?;
        match i64::try_from(self.seed) {
            Ok(seed) => writeln!(toml, "seed = {seed}")?,
            // TOML has no larger numbers.
            Err(_) => writeln!(toml, "seed = \"{}\"", self.seed)?,
        }
        writeln!(toml, "epoch = {}", show_epoch(self.epoch))?;
        if self.topology.is_none() {
            writeln!(toml, "internet = {}", quoted(&super::internet_digest()))?;
        }
        if let Some(client) = &self.client {
            writeln!(toml, "client = {}", quoted(client))?;
        }
        if self.dhcp {
            writeln!(toml, "dhcp = true")?;
        }
        write_list(toml, "faults", &self.faults)?;
        write_list(toml, "script", &self.script)?;
        for (name, file) in &self.files {
            writeln!(toml, "\n[files.{}]", quoted(name))?;
            match std::str::from_utf8(&file.bytes) {
                Ok(text) => writeln!(toml, "text = {}", quoted(text))?,
                Err(_) => writeln!(toml, "base64 = \"{}\"", BASE64_STANDARD.encode(&file.bytes))?,
            }
            if let Some(modified) = file.modified {
                writeln!(toml, "modified = {modified}")?;
            }
        }
        if let Some(topology) = &self.topology {
            writeln!(toml, "\n[topology]")?;
            toml.push_str(&prefixed(&topology.to_toml()));
        }
        Ok(())
    }
}

/// Reads one file, and gathers what is wrong with it.
struct Reader<'a> {
    text: &'a str,
    errors: Vec<BadRun>,
}

impl Reader<'_> {
    fn run(mut self, file: RunFile) -> Result<(Run, Places), Vec<BadRun>> {
        if *file.version.get_ref() != VERSION {
            let version = file.version.get_ref();
            let what = format!("this is a run of version {version}, and this program reads {VERSION}");
            self.wrong(file.version.span(), what, "");
            // Nothing else of it can be judged.
            return Err(self.errors);
        }
        let texts = file.files.values().filter_map(|entry| entry.get_ref().text.as_ref());
        let lines = file.script.iter().chain(&file.faults).chain(texts).map(Spanned::span).collect();
        let topology = self.topology(file.topology, lines);
        if topology.is_none() {
            self.internet(file.internet);
        }
        if let Some(behind) = file.script.get(MOST_STEPS) {
            let what = format!("a run of {} steps, and {MOST_STEPS} is the most", file.script.len());
            self.wrong(behind.span(), what, "make two runs of it");
            return Err(self.errors);
        }
        let places_of = |lines: &[Spanned<String>]| {
            lines.iter().map(|line| inside(self.text, line.span())).collect::<Vec<_>>()
        };
        let places = Places {
            text: self.text.to_owned(),
            steps: places_of(&file.script),
            faults: places_of(&file.faults),
            client: file.client.as_ref().map(|client| inside(self.text, client.span())),
        };
        let mut script = Vec::new();
        for line in &file.script {
            match line.get_ref().parse::<Step>() {
                Ok(step) => script.push(step),
                Err(bad) => self.wrong_within(line, &bad),
            }
        }
        let mut faults = Vec::new();
        for sentence in &file.faults {
            match FaultSpec::parse(sentence.get_ref()) {
                Ok(fault) => faults.push(fault),
                Err(bad) => self.wrong_within(sentence, &BadStep::of_fault(&bad, 0..0)),
            }
        }
        let run = Run {
            seed: self.seed(file.seed),
            epoch: self.epoch(file.epoch),
            topology,
            client: file.client.map(Spanned::into_inner),
            dhcp: file.dhcp,
            faults,
            script,
            files: file.files.into_iter().map(|(name, entry)| (name, self.file(entry))).collect(),
        };
        if self.errors.is_empty() {
            return Ok((run, places));
        }
        self.errors.sort_by_key(|error| (error.line, error.column));
        Err(self.errors)
    }

    fn seed(&mut self, seed: Option<Spanned<toml::Value>>) -> u64 {
        let Some(seed) = seed else { return DEFAULT_SEED };
        let read = match seed.get_ref() {
            toml::Value::Integer(number) => u64::try_from(*number).ok(),
            toml::Value::String(digits) => digits.parse().ok(),
            _ => None,
        };
        read.unwrap_or_else(|| {
            self.wrong(seed.span(), "this is no seed", "a whole number from 0 on");
            0
        })
    }

    fn epoch(&mut self, epoch: Option<Spanned<toml::value::Datetime>>) -> WallTime {
        let Some(epoch) = epoch else { return DEFAULT_EPOCH };
        let read = OffsetDateTime::parse(&epoch.get_ref().to_string(), &Rfc3339).ok();
        let seconds = read.and_then(|time| u64::try_from(time.unix_timestamp()).ok());
        seconds.map(WallTime::from_unix_seconds).unwrap_or_else(|| {
            let cure = "a date and a time since 1970 with its offset, as 2026-06-01T12:00:00Z";
            self.wrong(epoch.span(), "the world cannot begin then", cure);
            DEFAULT_EPOCH
        })
    }

    /// Another default Internet would be another run.
    fn internet(&mut self, digest: Option<Spanned<String>>) {
        let own = super::internet_digest();
        let Some(digest) = digest.filter(|digest| *digest.get_ref() != own) else { return };
        let what = "this run was saved where the default Internet was another than this program's; here \
                    it would be another run";
        let cure = "without this line it is run all the same, in the Internet of this program";
        self.wrong(digest.span(), what, cure);
    }

    /// `strings` are of no topology, whatever stands in them.
    fn topology(
        &mut self,
        topology: Option<Spanned<toml::Value>>,
        strings: Vec<Range<usize>>,
    ) -> Option<Topology> {
        let topology = topology?;
        let Some(text) = topology_alone(&without(self.text, &strings)) else {
            let what = "a topology in a run is written as tables";
            self.wrong(topology.span(), what, "[topology.host.client] and so on, behind all other keys");
            return None;
        };
        match Topology::read(&text) {
            Ok(topology) => Some(topology),
            Err(wrong) => {
                for bad in wrong {
                    // The line as the file has it.
                    let line = self.text.lines().nth(bad.line.saturating_sub(1)).unwrap_or_default();
                    let (left_out, text) = excerpt(line, bad.column);
                    self.errors.push(BadRun { text, left_out, ..bad.into() });
                }
                None
            }
        }
    }

    fn file(&mut self, entry: Spanned<FileEntry>) -> KeptFile {
        let span = entry.span();
        let FileEntry { text, base64, modified } = entry.into_inner();
        let bytes = match (text, base64) {
            (Some(text), None) => text.into_inner().into_bytes(),
            (None, Some(coded)) => BASE64_STANDARD.decode(coded.get_ref()).unwrap_or_else(|error| {
                self.wrong(coded.span(), format!("this is no base64: {error}"), "");
                Vec::new()
            }),
            _ => {
                self.wrong(span, "a file has either `text` or `base64`", "");
                Vec::new()
            }
        };
        KeptFile { bytes, modified }
    }

    fn wrong(&mut self, span: Range<usize>, what: impl Into<String>, cure: &str) {
        if self.errors.len() >= MOST_TOLD {
            return;
        }
        self.errors.push(BadRun::at(self.text, span, what, cure));
    }

    fn wrong_within(&mut self, line: &Spanned<String>, bad: &BadStep) {
        let place = inside(self.text, line.span());
        // Escapes in the string would move the place.
        let is_plain = self.text.get(place.clone()) == Some(line.get_ref());
        let at = if is_plain { place.start + bad.at.start..place.start + bad.at.end } else { place };
        self.wrong(at, bad.what.clone(), &bad.cure);
    }
}

/// A string without its quotes.
fn inside(text: &str, span: Range<usize>) -> Range<usize> {
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let written = text.get(span.clone()).unwrap_or_default();
    let length = quotes.iter().find(|quote| written.starts_with(**quote)).map_or(0, |quote| quote.len());
    if span.len() < 2 * length { span } else { span.start + length..span.end - length }
}

/// The text with blanks in the place of these bytes; its lines stay.
fn without(text: &str, spans: &[Range<usize>]) -> String {
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| span.start);
    let mut spans = spans.into_iter().peekable();
    let blank = |(at, letter): (usize, char)| {
        while spans.next_if(|span| span.end <= at).is_some() {}
        let is_blank = letter != '\n' && spans.peek().is_some_and(|span| span.contains(&at));
        if is_blank { ' ' } else { letter }
    };
    text.char_indices().map(blank).collect()
}

/// The topology's tables alone, each at the line and column at which it stands in the run; none if
/// they are not written as tables.
fn topology_alone(text: &str) -> Option<String> {
    let mut alone = String::new();
    let mut is_topology = false;
    let mut found = false;
    for line in text.split_inclusive('\n') {
        let header = line.trim_start();
        if header.starts_with('[') {
            let name = header.trim_start_matches('[').trim_start();
            let behind = name.strip_prefix("topology").map(str::trim_start);
            is_topology = behind.is_some_and(|behind| behind.starts_with(['.', ']']));
            found |= is_topology;
            if let Some(behind) = behind.filter(|_| is_topology) {
                match behind.strip_prefix('.') {
                    Some(rest) => {
                        // `[topology.host.x]` becomes `         [host.x]`.
                        let brackets = if header.starts_with("[[") { "[[" } else { "[" };
                        let indent = line.len() - rest.len() - brackets.len();
                        alone.push_str(&" ".repeat(indent));
                        alone.push_str(brackets);
                        alone.push_str(rest);
                    }
                    None => alone.push('\n'),
                }
                continue;
            }
        }
        if is_topology { alone.push_str(line) } else { alone.push('\n') }
    }
    found.then_some(alone)
}

/// A topology as a part of a run.
fn prefixed(topology: &str) -> String {
    let mut text = String::new();
    for line in topology.split_inclusive('\n') {
        match (line.strip_prefix("[["), line.strip_prefix('[')) {
            (Some(rest), _) => text.extend(["[[topology.", rest]),
            (None, Some(rest)) => text.extend(["[topology.", rest]),
            (None, None) => text.push_str(line),
        }
    }
    text
}

/// A string on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn write_list<T: ToString>(toml: &mut String, name: &str, items: &[T]) -> std::fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(toml, "{name} = [")?;
    for item in items {
        writeln!(toml, "    {},", quoted(&item.to_string()))?;
    }
    writeln!(toml, "]")
}

fn show_epoch(epoch: WallTime) -> String {
    let time =
        i64::try_from(epoch.unix_seconds()).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}
