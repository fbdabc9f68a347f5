//! The vocabulary of what happened.
//!
//! Every layer of the stack tells what it did, and why, as past-tense facts; everything that people
//! look at (narration, ladder, capture comments, JSON lines) reads that one stream and therefore
//! cannot disagree.
//!
//! ```text
//!   stack  dns  tls  http  web        (they record, through a Scope)
//!      \    |    |    |    /
//!       +---+----+----+---+
//!                |  Record { seq, at, node, span, event }
//!             Journal
//!       +--------+--------+
//!   narration  pcapng   ladder        (they observe)
//! ```
//!
//! Read in this order: [`time`] (instants are inputs, never asked of the operating system here), [`civil`] (dates),
//! [`span`] (the tree page -> fetch -> query or connection -> segment), [`event`] (one file a
//! protocol), [`journal`] (the stream), [`scope`] (how a layer writes to it).
//!
//! Events only report: nothing is controlled by them. They are built in closures, only when
//! somebody observes.

pub mod civil;
pub mod event;
pub mod journal;
pub mod scope;
pub mod span;
pub mod time;

pub use civil::CivilTime;
pub use event::{Event, Note};
pub use journal::{Journal, NodeId, Observer, Record};
pub use scope::Scope;
pub use span::{SpanId, SpanKind};
pub use time::{Clock, Instant, WallTime};
