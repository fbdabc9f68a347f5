//! A scope: where a layer stands when it tells something (node, span, clock).

use crate::event::Event;
use crate::journal::{Journal, NodeId};
use crate::span::{SpanId, SpanKind};
use crate::time::{Clock, Instant, WallTime};
use std::sync::Arc;

/// A place to record from: which journal, by which clock, at which node, in which span.
#[derive(Clone)]
pub struct Scope {
    journal: Journal,
    clock: Arc<dyn Clock>,
    node: NodeId,
    span: Option<SpanId>,
}

impl Scope {
    /// A scope outside every span.
    pub fn new(journal: Journal, clock: Arc<dyn Clock>, node: NodeId) -> Self {
        Self { journal, clock, node, span: None }
    }

    /// Records a fact, now and here; built only if somebody observes.
    pub fn record<E: Into<Event>>(&self, event: impl FnOnce() -> E) {
        if self.journal.is_watched() {
            self.journal.record(self.clock.now(), self.node, self.span, || event().into());
        }
    }

    /// Opens a span below this scope's own and returns the scope inside it.
    #[must_use]
    pub fn enter(&self, kind: SpanKind) -> Self {
        let span = self.journal.open_span(self.clock.now(), self.node, self.span, kind);
        Self { span: Some(span), ..self.clone() }
    }

    /// Closes this scope's span.
    pub fn close(&self) {
        if let Some(span) = self.span {
            self.journal.close_span(self.clock.now(), self.node, span);
        }
    }

    /// The monotonic clock.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The wall clock.
    pub fn wall(&self) -> WallTime {
        self.clock.wall()
    }

    /// The clock itself.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The journal written to.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The node that speaks.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The span that this scope stands in.
    pub fn span(&self) -> Option<SpanId> {
        self.span
    }
}
