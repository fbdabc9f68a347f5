//! Sockets of the operating system in the world's event queue.
//!
//! ```text
//!   future:  try the call -> EWOULDBLOCK -> leave a waker, give way
//!   loop:    epoll says that the socket is ready -> mark it, wake whoever waits -> try again
//! ```
//!
//! The kernel reports a change once (edge-triggered, epoll(7)): a socket counts as ready from the
//! report until a call on it says `EWOULDBLOCK`. Between that call and the note that the socket is
//! not ready, the loop, perhaps on another thread, may report it ready again; so every report
//! moves a counter on, and the note is only taken if the counter still stands where it stood
//! before the call.

use mio::event::{Event, Source};
use mio::{Interest, Registry, Token};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A handle to a world's event queue. Cheap to clone; usable from any thread.
#[derive(Clone)]
pub struct Reactor {
    shared: Arc<Shared>,
}

struct Shared {
    registry: Registry,
    slots: Mutex<Slots>,
}

/// The sockets registered, by number. A number is given again when its socket is gone; a report
/// meant for the old one then makes the new one try once in vain.
#[derive(Default)]
struct Slots {
    sockets: Vec<Option<Arc<Readiness>>>,
    free: Vec<usize>,
}

/// Tokens from here on are sockets'.
const FIRST_SOCKET: usize = 1 << (usize::BITS - 2);

impl Reactor {
    pub(crate) fn new(registry: &Registry) -> io::Result<Self> {
        let registry = registry.try_clone()?;
        Ok(Self { shared: Arc::new(Shared { registry, slots: Mutex::default() }) })
    }

    /// Whether a token is a socket's.
    pub(crate) fn owns(token: Token) -> bool {
        token.0 >= FIRST_SOCKET
    }

    /// The kernel reports that something has changed at a socket.
    pub(crate) fn on_event(&self, event: &Event) {
        let slot = event.token().0 - FIRST_SOCKET;
        let socket = lock(&self.shared.slots).sockets.get(slot).cloned().flatten();
        if let Some(socket) = socket {
            socket.on_event(event);
        }
    }

    /// How many sockets are registered.
    pub fn sockets(&self) -> usize {
        let slots = lock(&self.shared.slots);
        slots.sockets.len() - slots.free.len()
    }

    /// Takes a nonblocking socket into the event queue.
    pub(crate) fn register<S: Source>(&self, mut socket: S) -> io::Result<Registered<S>> {
        let readiness = Arc::new(Readiness::default());
        let slot = lock(&self.shared.slots).insert(Arc::clone(&readiness));
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.shared.registry.register(&mut socket, Token(FIRST_SOCKET + slot), interest) {
            lock(&self.shared.slots).remove(slot);
            return Err(error);
        }
        Ok(Registered { socket, slot, readiness, reactor: self.clone() })
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").field("sockets", &self.sockets()).finish()
    }
}

impl Slots {
    fn insert(&mut self, socket: Arc<Readiness>) -> usize {
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.sockets.get_mut(slot)
        {
            *place = Some(socket);
            return slot;
        }
        self.sockets.push(Some(socket));
        self.sockets.len() - 1
    }

    fn remove(&mut self, slot: usize) {
        if let Some(place) = self.sockets.get_mut(slot) {
            *place = None;
            self.free.push(slot);
        }
    }
}

/// A socket in the event queue. Dropping it takes it out and closes it.
pub(crate) struct Registered<S: Source> {
    socket: S,
    slot: usize,
    readiness: Arc<Readiness>,
    reactor: Reactor,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Something to read, an end, a connection to accept.
    Read,
    /// Room to write, a connection made or failed.
    Write,
}

impl<S: Source> Registered<S> {
    /// The socket.
    pub(crate) fn get(&self) -> &S {
        &self.socket
    }

    /// Tries `call` now, or when the socket is ready next, until it says something else than
    /// `EWOULDBLOCK`.
    pub(crate) fn poll_io<T>(
        &self,
        side: Side,
        cx: &Context<'_>,
        mut call: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let seen = match self.poll_ready(side, cx) {
                Poll::Ready(seen) => seen,
                Poll::Pending => return Poll::Pending,
            };
            match call(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.not_ready(side, seen),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// [`poll_io`](Self::poll_io) for a stream: a call that takes or gives less than the `wanted`
    /// bytes has come to the end of what there was, so the next one need not be tried in vain. (An
    /// end or an error is not reported twice, so the readiness to hear of it is never forgotten.)
    pub(crate) fn poll_transfer(
        &self,
        side: Side,
        cx: &Context<'_>,
        wanted: usize,
        mut call: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let before = lock(self.readiness.of(side)).reports;
        let outcome = self.poll_io(side, cx, &mut call);
        if let Poll::Ready(Ok(count)) = outcome
            && (1..wanted).contains(&count)
            && !lock(self.readiness.of(side)).ended
        {
            self.not_ready(side, Seen(before));
        }
        outcome
    }

    /// Whether the kernel has reported an error of the connection (`EPOLLERR`): a reset, mostly. It
    /// is told apart from readiness, for who would not read or write now and still wants to know.
    pub(crate) fn poll_fault(&self, cx: &Context<'_>) -> Poll<()> {
        let mut fault = lock(&self.readiness.fault);
        if fault.raised {
            return Poll::Ready(());
        }
        leave(&mut fault.waker, cx);
        Poll::Pending
    }

    /// Ready, and as of which report.
    fn poll_ready(&self, side: Side, cx: &Context<'_>) -> Poll<Seen> {
        let mut half = lock(self.readiness.of(side));
        if half.ready {
            return Poll::Ready(Seen(half.reports));
        }
        leave(&mut half.waker, cx);
        Poll::Pending
    }

    fn not_ready(&self, side: Side, seen: Seen) {
        let mut half = lock(self.readiness.of(side));
        if half.reports == seen.0 {
            half.ready = false;
        }
    }
}

impl<S: Source> Drop for Registered<S> {
    fn drop(&mut self) {
        // It fails only where the kernel has forgotten the socket already.
        let _ = self.reactor.shared.registry.deregister(&mut self.socket);
        lock(&self.reactor.shared.slots).remove(self.slot);
    }
}

/// How many reports there had been.
#[derive(Clone, Copy, Debug)]
struct Seen(u64);

#[derive(Default)]
struct Readiness {
    read: Mutex<Half>,
    write: Mutex<Half>,
    fault: Mutex<Fault>,
}

/// One direction of a socket. A new socket is not ready: registering it makes the kernel report
/// what it is ready for.
#[derive(Default)]
struct Half {
    ready: bool,
    ended: bool,
    reports: u64,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Fault {
    raised: bool,
    waker: Option<Waker>,
}

impl Readiness {
    fn of(&self, side: Side) -> &Mutex<Half> {
        match side {
            Side::Read => &self.read,
            Side::Write => &self.write,
        }
    }

    fn on_event(&self, event: &Event) {
        let fault = event.is_error();
        if event.is_readable() || event.is_read_closed() || fault {
            self.report(Side::Read, event.is_read_closed() || fault);
        }
        if event.is_writable() || event.is_write_closed() || fault {
            self.report(Side::Write, event.is_write_closed() || fault);
        }
        if fault {
            let waker = {
                let mut fault = lock(&self.fault);
                fault.raised = true;
                fault.waker.take()
            };
            wake(waker);
        }
    }

    fn report(&self, side: Side, ended: bool) {
        let waker = {
            let mut half = lock(self.of(side));
            half.ready = true;
            half.ended |= ended;
            half.reports += 1;
            half.waker.take()
        };
        wake(waker);
    }
}

fn leave(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
