//! The journal: one numbered stream of records, and those who read it.

use crate::event::{Event, FrameId, InterfaceId, Span};
use crate::span::{SpanId, SpanKind};
use crate::time::{Instant, WallTime};
use serde::Serialize;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A host, switch, router or cable that things happen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// One fact: what happened, when, where, and as part of what.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Position in the journal, from 0, without gaps.
    pub seq: u64,
    /// When, on the world's monotonic clock.
    pub at: Instant,
    /// At which node.
    pub node: NodeId,
    /// As part of which span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<SpanId>,
    /// What.
    pub event: Event,
}

/// A reader of the stream: narration, capture, ladder, a test.
pub trait Observer: Send {
    /// Called once, when attached: the wall time at [`Instant::ZERO`].
    fn begin(&mut self, _epoch: WallTime) {}
    /// Called for every record, in order. An observer reports its own I/O errors in
    /// [`finish`](Self::finish): nothing in the network depends on its being well.
    fn observe(&mut self, record: &Record);
    /// Called once, at the end: what was held back is written out.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The stream itself. Cheap to clone; all clones are the same journal.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    epoch: WallTime,
    watched: AtomicBool,
    next_frame: AtomicU64,
    next_span: AtomicU64,
    next_node: AtomicU32,
    next_interface: AtomicU32,
    stream: Mutex<Stream>,
}

#[derive(Default)]
struct Stream {
    next_seq: u64,
    observers: Vec<Box<dyn Observer>>,
}

impl Journal {
    /// A journal of a world whose clock showed `epoch` at [`Instant::ZERO`]. Until an observer is
    /// attached, recording costs one atomic load.
    pub fn new(epoch: WallTime) -> Self {
        Self {
            inner: Arc::new(Inner {
                epoch,
                watched: AtomicBool::new(false),
                next_frame: AtomicU64::new(1),
                next_span: AtomicU64::new(1),
                next_node: AtomicU32::new(1),
                next_interface: AtomicU32::new(0),
                stream: Mutex::default(),
            }),
        }
    }

    /// The wall time at [`Instant::ZERO`].
    pub fn epoch(&self) -> WallTime {
        self.inner.epoch
    }

    /// From now on `observer` sees every record. Attach before nodes are made: an observer that
    /// comes later has missed their names.
    pub fn attach(&self, mut observer: Box<dyn Observer>) {
        observer.begin(self.inner.epoch);
        self.stream().observers.push(observer);
        self.inner.watched.store(true, Ordering::Release);
    }

    /// Whether anybody observes.
    pub fn is_watched(&self) -> bool {
        self.inner.watched.load(Ordering::Acquire)
    }

    /// Appends a record; `event` is built only if somebody observes.
    pub fn record(&self, at: Instant, node: NodeId, span: Option<SpanId>, event: impl FnOnce() -> Event) {
        if !self.is_watched() {
            return;
        }
        let event = event();
        let mut stream = self.stream();
        let record = Record { seq: stream.next_seq, at, node, span, event };
        stream.next_seq += 1;
        for observer in &mut stream.observers {
            observer.observe(&record);
        }
    }

    /// Ends the journal: every observer finishes and is let go. The first error is returned, after
    /// all have had their turn.
    pub fn finish(&self) -> io::Result<()> {
        self.inner.watched.store(false, Ordering::Release);
        let observers = std::mem::take(&mut self.stream().observers);
        let mut result = Ok(());
        for mut observer in observers {
            result = result.and(observer.finish());
        }
        result
    }

    /// Introduces a node by name.
    pub fn node(&self, at: Instant, name: &str) -> NodeId {
        let node = NodeId(self.inner.next_node.fetch_add(1, Ordering::Relaxed));
        self.record(at, node, None, || Event::Node { name: name.to_owned() });
        node
    }

    /// A number for a new network interface, counted from 0.
    pub fn next_interface(&self) -> InterfaceId {
        InterfaceId(self.inner.next_interface.fetch_add(1, Ordering::Relaxed))
    }

    /// A number for a new frame. A frame keeps it along its way through a virtual network, so that
    /// what its sender and its receiver say of it can be put together.
    pub fn next_frame(&self) -> FrameId {
        FrameId(self.inner.next_frame.fetch_add(1, Ordering::Relaxed))
    }

    /// Opens a span below `parent`.
    pub fn open_span(&self, at: Instant, node: NodeId, parent: Option<SpanId>, kind: SpanKind) -> SpanId {
        let id = SpanId(self.inner.next_span.fetch_add(1, Ordering::Relaxed));
        self.record(at, node, Some(id), || Event::Span(Span::Opened { parent, kind }));
        id
    }

    /// Closes a span.
    pub fn close_span(&self, at: Instant, node: NodeId, span: SpanId) {
        self.record(at, node, Some(span), || Event::Span(Span::Closed));
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        // An observer that panicked has lost its own view; the others go on.
        self.inner.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects every record: for tests and for views that need the whole.
#[derive(Clone, Default)]
pub struct Recorder {
    records: Arc<Mutex<Vec<Record>>>,
}

impl Recorder {
    /// An empty recorder; attach a clone of it and keep one.
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been recorded so far.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Recorder {
    fn observe(&mut self, record: &Record) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Note;

    #[test]
    fn nothing_is_built_while_nobody_observes() {
        let journal = Journal::new(WallTime::default());
        journal.record(Instant::ZERO, NodeId(1), None, || panic!("built an event for nobody"));
    }

    #[test]
    fn records_are_numbered_without_gaps_and_reach_every_observer() {
        let journal = Journal::new(WallTime::default());
        let (a, b) = (Recorder::new(), Recorder::new());
        journal.attach(Box::new(a.clone()));
        journal.attach(Box::new(b.clone()));
        let node = journal.node(Instant::ZERO, "client");
        journal.record(Instant::from_millis(1), node, None, || Note::info("hello").into());
        let seqs: Vec<u64> = a.records().iter().map(|r| r.seq).collect();
        assert_eq!(seqs, [0, 1]);
        assert_eq!(b.records().len(), 2);
        journal.finish().unwrap();
        journal.record(Instant::from_millis(2), node, None, || Note::info("late").into());
        assert_eq!(a.records().len(), 2);
    }
}
