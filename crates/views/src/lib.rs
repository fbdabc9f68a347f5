//! What people look at.
mod comment;
mod dissect;
mod jsonl;
mod ladder;
mod names;
mod narration;
mod output;
mod pcapng;
mod spans;
#[cfg(test)]
mod testing;
mod text;

pub use jsonl::JsonLines;
pub use ladder::{Ladder, LadderOptions, Layer, ladder};
pub use narration::{Level, Narration};
pub use pcapng::{PcapngCapture, Points};
