//! What people look at: the readers of the journal.
//!
//! Each is an [`Observer`](glasstack_journal::Observer) that writes to whatever it is given; nothing
//! here opens a file, asks for the time, or changes what happens.
//!
//! ```text
//!                       Record { seq, at, node, span, event }
//!        +----------+----------+-----------+-----------+
//!   narration    ladder      pcapng      jsonl      summary     what people look at
//!        |          |          |                       |
//!        |          |       comment   (what a frame is, why it was sent, what for)
//!        +----------+----------+-----------------------+
//!           names   spans   dissect   text   output             what they share
//! ```
//!
//! Read in this order: [`registry`] (all views by name), `narration` (the story as it happens),
//! `ladder` (who sent what to whom), `summary` (a line a stage), `jsonl` (the records themselves),
//! and then the capture: `pcapng` with its blocks and the queue that holds frames back until what
//! explains and opens them is known, and `comment`, which says of each why it was sent.
//!
//! What a peer chose (names, reasons, header fields) passes through `text::printable` before it
//! reaches a terminal or a comment.

mod comment;
mod dissect;
mod jsonl;
mod ladder;
mod names;
mod narration;
mod output;
mod pcapng;
pub mod registry;
mod spans;
mod summary;
#[cfg(test)]
mod testing;
mod text;

pub use jsonl::JsonLines;
pub use ladder::{Ladder, LadderOptions, Layer, ladder};
pub use narration::{Level, Narration};
pub use pcapng::{PcapngCapture, Points};
pub use summary::{Journey, Stage, Summary, Totals, summarize};
pub use text::printable;
