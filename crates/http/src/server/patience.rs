//! How long a connection may take, as its server sees it.

use crate::body::{Arrival, Stage};
use crate::io::Witness;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// Requests begun, and those whose answer's head is written, on one connection.
#[derive(Default)]
pub(super) struct Activity(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    started: u64,
    answered: u64,
    /// The body of the request that was begun last.
    body: Option<Arc<Arrival>>,
}

impl Activity {
    /// A request's head is here; how many there were so far.
    pub(super) fn on_request(&self, body: Arc<Arrival>) -> u64 {
        let mut counts = self.lock();
        counts.started += 1;
        counts.body = Some(body);
        counts.started
    }

    /// Its answer's head is written.
    pub(super) fn on_answer(&self) {
        self.lock().answered += 1;
    }

    /// Whether a handler is at work, and not waiting for the client itself.
    pub(super) fn is_answering(&self) -> bool {
        let counts = self.lock();
        counts.started != counts.answered && !counts.body_is_arriving()
    }

    /// Requests begun; and whether what comes now is the head of the next one.
    fn awaits_head(&self) -> (u64, bool) {
        let counts = self.lock();
        (counts.started, counts.started == counts.answered && !counts.body_is_arriving())
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn body_is_arriving(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.stage() == Stage::Arriving)
    }
}

/// Watches that a request's head is here in time, however its bytes are spread: a client that sends
/// one now and then is not an idle one, and holds its place all the same.
pub(super) struct HeadWatch<T> {
    /// Requests begun when this was last looked at, and bytes received by then.
    begun: u64,
    seen: u64,
    timer: Option<Pin<Box<T>>>,
}

impl<T: Future<Output = ()>> HeadWatch<T> {
    pub(super) fn new() -> Self {
        Self { begun: 0, seen: 0, timer: None }
    }

    /// Ready when a head has been under way for as long as `timer` says.
    pub(super) fn poll_late(
        &mut self,
        cx: &mut Context<'_>,
        activity: &Activity,
        witness: &Witness,
        timer: impl Fn() -> T,
    ) -> Poll<()> {
        let received = witness.received();
        let (begun, awaits_head) = activity.awaits_head();
        if !awaits_head || begun != self.begun {
            (self.begun, self.seen, self.timer) = (begun, received, None);
            return Poll::Pending;
        }
        if received == self.seen {
            return Poll::Pending;
        }
        self.timer.get_or_insert_with(|| Box::pin(timer())).as_mut().poll(cx)
    }
}
