//! One thing that a run does.

use crate::fault::quantity::{duration, show_duration};
use crate::fault::{BadFault, FaultSpec};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

/// The commands of `glasstack` that a run may hold.
pub const COMMANDS: &[&str] = &["get", "ping", "traceroute", "resolve", "route"];

/// What may begin a step, as an error tells it.
const STEPS: &str = "get, ping, traceroute, resolve, route, wait, unplug, plug in and fault are";

/// One thing that a run does, written as a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `get -L http://www.example.test/`: a command of `glasstack`, word by word; the first is one of
    /// [`COMMANDS`]. In a line words are quoted as in a shell.
    Command(Vec<String>),
    /// `wait 3s`: time passes.
    Wait(Duration),
    /// `unplug a <-> b`: the plug of this cable is pulled.
    Unplug(String),
    /// `plug in a <-> b`: it is put back.
    PlugIn(String),
    /// `fault lose client SYN-ACK 1`: from now on this goes wrong, too.
    Fault(FaultSpec),
}

impl FromStr for Step {
    type Err = BadStep;

    fn from_str(line: &str) -> Result<Self, BadStep> {
        let (first, rest) = word(line, 0);
        let said = line.get(rest.clone()).unwrap_or_default();
        match line.get(first.clone()).unwrap_or_default() {
            "" => Err(BadStep::new(0..line.len(), "a step without a word", STEPS)),
            "wait" => duration(said).map(Self::Wait).ok_or_else(|| {
                BadStep::new(rest, format!("`{said}` is no time"), "3s, 150ms or 1.5min, for example")
            }),
            "unplug" => cable(said, rest).map(Self::Unplug),
            "plug" => {
                let (second, rest) = word(line, first.end);
                if line.get(second.clone()) != Some("in") {
                    return Err(BadStep::new(second, "`plug` alone says nothing", "plug in a <-> b"));
                }
                cable(line.get(rest.clone()).unwrap_or_default(), rest).map(Self::PlugIn)
            }
            "fault" => FaultSpec::parse(said).map(Self::Fault).map_err(|bad| BadStep::of_fault(&bad, rest)),
            command if COMMANDS.contains(&command) => match shell_words::split(line) {
                Ok(words) => Ok(Self::Command(words)),
                Err(_) => Err(BadStep::new(0..line.len(), "a quote is opened and not closed", "")),
            },
            other => Err(BadStep::new(first, format!("`{other}` is no step of a run"), STEPS)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(words) => {
                f.write_str(&words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
            }
            Self::Wait(time) => write!(f, "wait {}", show_duration(*time)),
            Self::Unplug(cable) => write!(f, "unplug {cable}"),
            Self::PlugIn(cable) => write!(f, "plug in {cable}"),
            Self::Fault(fault) => write!(f, "fault {fault}"),
        }
    }
}

/// A word as a shell reads it, in quotes only where it needs some.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        Cow::Borrowed(word)
    } else {
        shell_words::quote(word)
    }
}

/// Where the next word behind `from` is, and where the rest behind it.
fn word(line: &str, from: usize) -> (Range<usize>, Range<usize>) {
    let behind = line.get(from..).unwrap_or_default();
    let begin = from + behind.len() - behind.trim_start().len();
    let length = behind.trim_start().find(char::is_whitespace).unwrap_or(behind.trim_start().len());
    let end = begin + length;
    let rest = line.get(end..).unwrap_or_default();
    let rest_begin = end + rest.len() - rest.trim_start().len();
    (begin..end, rest_begin..rest_begin.max(line.trim_end().len()))
}

/// A cable by the names of what it connects, in one spelling.
fn cable(said: &str, at: Range<usize>) -> Result<String, BadStep> {
    let ends = said.split_once("<->").map(|(one, other)| (one.trim(), other.trim()));
    match ends {
        Some((one, other)) if !one.is_empty() && !other.is_empty() => Ok(format!("{one} <-> {other}")),
        _ => Err(BadStep::new(at, format!("`{said}` is no cable"), "a <-> b: the names of what it connects")),
    }
}

/// A line is no step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct BadStep {
    /// Where in the line it is wrong, in bytes.
    pub at: Range<usize>,
    /// What is wrong.
    pub what: String,
    /// What would be right; empty if that is clear.
    pub cure: String,
}

impl BadStep {
    fn new(at: Range<usize>, what: impl Into<String>, cure: &str) -> Self {
        Self { at, what: what.into(), cure: cure.to_owned() }
    }

    /// The sentence that stands at `place` is no fault.
    pub(super) fn of_fault(bad: &BadFault, place: Range<usize>) -> Self {
        let at = bad.at();
        let cure = bad.nearest().map(|nearest| format!("did you mean {nearest}?")).unwrap_or_default();
        Self { at: place.start + at.start..place.start + at.end, what: bad.why().to_owned(), cure }
    }
}
