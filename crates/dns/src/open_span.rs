//! A span that is closed when whoever works in it is done, or is dropped half-way.

use glasstack_journal::{Scope, SpanKind};
use glasstack_stack::Host;

pub(crate) struct OpenSpan {
    host: Host,
}

impl OpenSpan {
    /// Opens a span below `host`'s own.
    pub(crate) fn new(host: &Host, kind: SpanKind) -> Self {
        Self { host: host.span(kind) }
    }

    /// The host, speaking from inside the span.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn scope(&self) -> &Scope {
        self.host.scope()
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        self.host.scope().close();
    }
}
