//! A relay: bytes from one connection into another, both ways, until both have ended.
//!
//! ```text
//!    inside (the stack's)                                  outside (the kernel's)
//!        read --> [ up:   64 KiB ] --> write      FIN  ==>  shutdown(SHUT_WR)
//!       write <-- [ down: 64 KiB ] <-- read       FIN  <==  end of file
//!                                                 RST  <=>  RST
//! ```
//!
//! Back-pressure needs no code of its own. A direction reads again only when all that it has read
//! is written; who does not read lets the buffers behind him fill, one after the other, until the
//! window that his peer sees is closed.
//!
//! Most connections are idle most of the time, so a direction that waits holds no buffer: it takes
//! one when there is something to read, and gives it back when all of that is written ([`Buffers`]).
//!
//! A reset overtakes what is under way in a network, but what had arrived before it had arrived: a
//! server that answers "413 Content Too Large" and closes with unread data (RFC 9112 9.6 tells of
//! that) has its answer read. So what the kernel still holds of a broken connection is carried
//! across, for as long as it is accepted, before the reset is.

use super::flows::lock;
use crate::os::tcp::OsTcpStream;
use futures_io::{AsyncRead, AsyncWrite};
use glasstack_stack::{Host, Sleep, TcpStream};
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

/// What one direction holds, in bytes.
const BUFFER: usize = 64 * 1024;
/// How often one direction may move on before others get their turn.
const ROUNDS: usize = 16;
/// How long the inside may take nothing before a reset from outside is carried across although
/// something is left.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a relay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Both sides have said that they are done.
    Closed,
    /// The stack's side broke: a reset, as a rule.
    InsideBroke,
    /// The machine's side broke.
    OutsideBroke,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed by both",
            Self::InsideBroke => "reset on the network's side",
            Self::OutsideBroke => "reset on this machine's side",
        })
    }
}

/// What a relay did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// How it ended.
    pub(super) ending: Ending,
    /// Bytes from the stack to the machine's side.
    pub(super) up: u64,
    /// Bytes the other way.
    pub(super) down: u64,
}

/// Buffers that no direction needs now.
#[derive(Default)]
pub(super) struct Buffers {
    spare: Mutex<Vec<Vec<u8>>>,
}

/// How many are kept for the next ones.
const SPARE: usize = 32;

impl Buffers {
    fn take(&self) -> Vec<u8> {
        lock(&self.spare).pop().unwrap_or_else(|| vec![0; BUFFER])
    }

    fn give_back(&self, buffer: Vec<u8>) {
        let mut spare = lock(&self.spare);
        if buffer.len() == BUFFER && spare.len() < SPARE {
            spare.push(buffer);
        }
    }
}

/// Joins two connections until both are over.
pub(super) async fn relay(
    host: &Host,
    buffers: &Buffers,
    inside: TcpStream,
    outside: OsTcpStream,
) -> Outcome {
    // What comes from the machine has been waiting for company long enough.
    inside.set_nodelay(true);
    let (up, down) = (Pump::default(), Pump::default());
    let mut relay = Relay { host, buffers, inside, outside, up, down, patience: None };
    let ending = std::future::poll_fn(|cx| relay.poll(cx)).await;
    let Relay { inside, outside, up, down, .. } = relay;
    match ending {
        Ending::Closed => {}
        Ending::InsideBroke => outside.reset(),
        Ending::OutsideBroke => inside.abort(),
    }
    Outcome { ending, up: up.moved, down: down.moved }
}

struct Relay<'a> {
    host: &'a Host,
    buffers: &'a Buffers,
    inside: TcpStream,
    outside: OsTcpStream,
    up: Pump,
    down: Pump,
    /// Set once the outside is broken: until when the inside may take nothing, and how much it had
    /// taken by then.
    patience: Option<(Pin<Box<Sleep>>, u64)>,
}

impl Relay<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        if self.patience.is_some() {
            return self.poll_rest(cx);
        }
        let buffers = self.buffers;
        let up = self.up.poll(cx, buffers, &mut self.inside, &mut self.outside);
        let down = self.down.poll(cx, buffers, &mut self.outside, &mut self.inside);
        match (up, down) {
            (Progress::Broken(Side::Source), _) | (_, Progress::Broken(Side::Sink)) => {
                return Poll::Ready(Ending::InsideBroke);
            }
            (Progress::Broken(Side::Sink), _) | (_, Progress::Broken(Side::Source)) => {
                return self.outside_broke(cx);
            }
            (Progress::Done, Progress::Done) => return Poll::Ready(Ending::Closed),
            _ => {}
        }
        // Who does not read from a connection does not hear by reading that it broke.
        if up != Progress::WaitsForSource && self.inside.poll_broken(cx).is_ready() {
            return Poll::Ready(Ending::InsideBroke);
        }
        if down != Progress::WaitsForSource && self.outside.poll_fault(cx).is_ready() {
            return self.outside_broke(cx);
        }
        Poll::Pending
    }

    fn outside_broke(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        self.patience = Some((Box::pin(self.host.sleep(PATIENCE)), self.down.moved));
        self.poll_rest(cx)
    }

    /// The outside is broken: what is left of what it said goes to the inside, and when the inside
    /// has acknowledged it, or takes no more, the reset follows.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        match self.down.carry(cx, self.buffers, &mut self.outside, &mut self.inside) {
            Progress::Broken(Side::Sink) => return Poll::Ready(Ending::InsideBroke),
            Progress::Broken(Side::Source) | Progress::Done => {
                if self.inside.poll_acknowledged(cx).is_ready() {
                    return Poll::Ready(Ending::OutsideBroke);
                }
            }
            Progress::WaitsForSource | Progress::WaitsForSink | Progress::GivesWay => {}
        }
        let Some((patience, taken)) = &mut self.patience else { return Poll::Pending };
        if self.down.moved != *taken {
            *taken = self.down.moved;
            *patience = Box::pin(self.host.sleep(PATIENCE));
        }
        patience.as_mut().poll(cx).map(|()| Ending::OutsideBroke)
    }
}

/// One direction: what it has read and not yet written.
#[derive(Default)]
struct Pump {
    /// Empty while there is nothing in it.
    buffer: Vec<u8>,
    /// What of the buffer is still to be written.
    rest: std::ops::Range<usize>,
    /// The source has ended.
    ended: bool,
    /// The end was passed on.
    done: bool,
    /// Bytes written so far.
    moved: u64,
}

/// Which end of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// That is read from.
    Source,
    /// That is written to.
    Sink,
}

/// Why a direction does not move on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    WaitsForSource,
    WaitsForSink,
    /// It has moved a lot; it will be woken at once.
    GivesWay,
    /// The end is passed on.
    Done,
    Broken(Side),
}

impl Pump {
    /// Moves what can be moved; passes the end on as well.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
        source: &mut (impl AsyncRead + Unpin),
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Progress {
        if self.done {
            return Progress::Done;
        }
        let progress = self.carry(cx, buffers, source, sink);
        if progress != Progress::Done {
            return progress;
        }
        match Pin::new(sink).poll_close(cx) {
            Poll::Ready(Ok(())) => {
                self.done = true;
                Progress::Done
            }
            Poll::Ready(Err(_)) => Progress::Broken(Side::Sink),
            Poll::Pending => Progress::WaitsForSink,
        }
    }

    /// Moves what can be moved; done when all that the source had to say is written.
    fn carry(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
        source: &mut (impl AsyncRead + Unpin),
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Progress {
        for _ in 0..ROUNDS {
            if !self.rest.is_empty() {
                let data = self.buffer.get(self.rest.clone()).unwrap_or_default();
                match Pin::new(&mut *sink).poll_write(cx, data) {
                    Poll::Ready(Ok(written)) => {
                        self.rest.start += written;
                        self.moved += written as u64;
                    }
                    Poll::Ready(Err(_)) => return Progress::Broken(Side::Sink),
                    Poll::Pending => return Progress::WaitsForSink,
                }
                continue;
            }
            if self.ended {
                return Progress::Done;
            }
            if self.buffer.is_empty() {
                self.buffer = buffers.take();
            }
            let stop = match Pin::new(&mut *source).poll_read(cx, &mut self.buffer) {
                Poll::Ready(Ok(length)) if length > 0 => {
                    self.rest = 0..length;
                    continue;
                }
                Poll::Ready(Ok(_)) => {
                    self.ended = true;
                    Progress::Done
                }
                Poll::Ready(Err(_)) => Progress::Broken(Side::Source),
                Poll::Pending => Progress::WaitsForSource,
            };
            buffers.give_back(std::mem::take(&mut self.buffer));
            return stop;
        }
        cx.waker().wake_by_ref();
        Progress::GivesWay
    }
}
