//! The summary: one line a stage of the journey, with times taken from the packets, and the totals.
//!
//! ```text
//! the journey to www.example.test
//!   address bar              http://www.example.test/ (no scheme was typed)
//!   fetch http://www.example.test/
//!     DNS           2.000 ms www.example.test is 10.0.0.2, from name server
//!     TCP           2.000 ms connected to 10.0.0.2:80
//!     first byte    2.500 ms 301 Moved Permanently
//!   ...
//! 12 packets sent (1 234 bytes), 11 received (5 678 bytes), 0 segments sent again
//! ```

mod dhcp;
mod flow;
mod gather;

use crate::output::Output;
use crate::text::{count, printable, thousands, time};
use gather::Gather;
use glasstack_journal::event::DropReason;
use glasstack_journal::{Instant, Observer, Record};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

/// Writes the summary of one node's journey when the journal ends.
pub struct Summary {
    gather: Gather,
    output: Output,
}

impl Summary {
    /// Writes to `writer`. Tells of the first node that sets out on something (a journey, a fetch, a
    /// name, a ping).
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { gather: Gather::new(None), output: Output::new(writer) }
    }

    /// Tells of the node called `name`.
    #[must_use]
    pub fn of(mut self, name: &str) -> Self {
        self.gather = Gather::new(Some(name.to_owned()));
        self
    }
}

impl Observer for Summary {
    fn observe(&mut self, record: &Record) {
        self.gather.observe(record);
    }

    fn finish(&mut self) -> io::Result<()> {
        let summary = self.gather.journey().to_string();
        self.output.write(summary.as_bytes());
        self.output.finish()
    }
}

/// The summary of `records` as data: of the node called `of`, or of the first that sets out on
/// something.
pub fn summarize(records: &[Record], of: Option<&str>) -> Journey {
    let mut gather = Gather::new(of.map(str::to_owned));
    records.iter().for_each(|record| gather.observe(record));
    gather.journey()
}

/// A journey, summed up. Prints as the text of this module's example.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Journey {
    /// What the user typed, where a journey was told of.
    pub typed: Option<String>,
    /// The stages in the order in which they began.
    pub stages: Vec<Stage>,
    /// The packets.
    pub totals: Totals,
}

/// One stage of a journey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Its name, as `DNS` or `first byte`.
    pub name: &'static str,
    /// The fetch that it belongs to, by URL.
    pub fetch: Option<String>,
    /// When it began: its first packet, or the record itself where no packet was needed.
    pub at: Instant,
    /// How long it took, from packet to packet; none where no packet was needed.
    pub took: Option<Duration>,
    /// What came of it.
    pub outcome: String,
    /// Whether it failed.
    pub failed: bool,
}

/// What the node sent, received and discarded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Frames sent.
    pub packets_sent: u64,
    /// Their length, in bytes.
    pub bytes_sent: u64,
    /// Frames received.
    pub packets_received: u64,
    /// Their length, in bytes.
    pub bytes_received: u64,
    /// Segments sent again.
    pub retransmissions: u64,
    /// Packets discarded by the node, by reason.
    #[serde(serialize_with = "by_name")]
    pub discarded: BTreeMap<DropReason, u64>,
    /// Frames that cables lost, the node's own or others'.
    pub lost: u64,
    /// From the first packet to the last.
    pub lasted: Duration,
}

fn by_name<S: serde::Serializer>(counts: &BTreeMap<DropReason, u64>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(counts.iter().map(|(reason, n)| (reason.to_string(), n)))
}

impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(typed) = &self.typed {
            writeln!(f, "the journey to {}", printable(typed))?;
        }
        let mut fetch: Option<&str> = None;
        for stage in &self.stages {
            if stage.fetch.as_deref() != fetch {
                fetch = stage.fetch.as_deref();
                if let Some(url) = fetch {
                    writeln!(f, "  fetch {}", printable(url))?;
                }
            }
            let indent = if fetch.is_some() { 4 } else { 2 };
            let width = 16 - indent;
            let took = stage.took.map(time).unwrap_or_default();
            let failed = if stage.failed { "FAILED: " } else { "" };
            let outcome = printable(&stage.outcome);
            writeln!(f, "{:indent$}{:width$}{took:>11} {failed}{outcome}", "", stage.name)?;
        }
        write!(f, "{}", self.totals)
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sent ({}), ", count(self.packets_sent, "packet"), count(self.bytes_sent, "byte"))?;
        write!(
            f,
            "{} received ({}), ",
            thousands(self.packets_received),
            count(self.bytes_received, "byte")
        )?;
        write!(f, "{} sent again", count(self.retransmissions, "segment"))?;
        if self.lost > 0 {
            write!(f, ", {} lost on cables", count(self.lost, "frame"))?;
        }
        writeln!(f, ", {} from the first to the last", time(self.lasted))?;
        if !self.discarded.is_empty() {
            let reasons = self.discarded.iter().map(|(reason, n)| format!("{} {reason}", thousands(*n)));
            writeln!(f, "discarded: {}", reasons.collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
