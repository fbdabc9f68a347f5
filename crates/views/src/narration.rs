//! The journey as a story: one line an event of interest, as it happens.
//!
//! ```text
//!  0.020000 client  address bar: "www.example.test" means http://www.example.test/ (no scheme was typed)
//!  0.021000 client  ARP request: who has 10.0.0.1? (not in the ARP cache)
//!  0.023000 client  TCP SYN to 10.0.0.2:80, seq 0: opens the connection
//! ```

mod memory;
mod palette;
mod words;

use crate::output::Output;
use crate::text::printable;
use glasstack_journal::{Observer, Record};
use memory::Memory;
use palette::Palette;
use std::io::{self, Write};

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing, not even warnings (`-s`).
    Silent,
    /// One line an event of interest, from the address bar to TIME-WAIT.
    #[default]
    Normal,
    /// Every frame and segment with its reason, header fields, spans, and every node (`-v`).
    Verbose,
}

/// Tells the journey in lines of text: seconds since the world began, who, what.
pub struct Narration {
    output: Output,
    level: Level,
    palette: Palette,
    hero: Option<String>,
    keys: bool,
    memory: Memory,
}

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
    Detail,
}

/// What is told of one event.
struct Line {
    /// From which level on.
    level: Level,
    tone: Tone,
    /// Whether it is told of other nodes too: a cable's doings concern both of its ends.
    of_all: bool,
    text: String,
    /// Lines below, as header fields; from [`Level::Verbose`] on ...
    below: Vec<String>,
    /// ... or from the line's own level on.
    open: bool,
}

impl Narration {
    /// Tells of every node, without colour.
    pub fn new(writer: Box<dyn Write + Send>, level: Level) -> Self {
        let (palette, memory) = (Palette::plain(), Memory::default());
        Self { output: Output::new(writer), level, palette, hero: None, keys: false, memory }
    }

    /// At [`Level::Normal`] tells of the node called `name` alone, and of what befell frames on the
    /// cables. [`Level::Verbose`] goes on telling of every node.
    #[must_use]
    pub fn of(mut self, name: &str) -> Self {
        self.hero = Some(name.to_owned());
        self
    }

    /// Whether TLS keys are told, with the secrets that they are made of. Who reads them can read the
    /// traffic.
    #[must_use]
    pub fn with_keys(mut self, yes: bool) -> Self {
        self.keys = yes;
        self
    }

    /// Whether to colour the lines with ANSI escape sequences.
    #[must_use]
    pub fn coloured(mut self, yes: bool) -> Self {
        self.palette = if yes { Palette::ansi() } else { Palette::plain() };
        self
    }

    fn concerns(&self, record: &Record, line: &Line) -> bool {
        let hero = self.hero.as_deref().is_none_or(|hero| self.memory.names.is_called(record.node, hero));
        self.level == Level::Verbose || hero || line.of_all
    }
}

impl Observer for Narration {
    fn observe(&mut self, record: &Record) {
        if self.level == Level::Silent {
            return;
        }
        self.memory.observe(record);
        let keys = if self.keys { words::tell_keys(record) } else { None };
        let Some(line) = keys.or_else(|| words::tell(record, &self.memory)) else { return };
        if line.level > self.level || !self.concerns(record, &line) {
            return;
        }
        let at = record.at.to_string();
        let node = self.memory.names.node(record.node);
        let head =
            self.palette.line(&format!("{at:>9}"), &printable(&node), line.tone, &printable(&line.text));
        self.output.line(&head);
        if self.level == Level::Verbose || line.open {
            for below in &line.below {
                self.output.line(&self.palette.below(&printable(below)));
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.output.finish()
    }
}

#[cfg(test)]
mod tests;
