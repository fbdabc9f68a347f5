//! Where a client's stream meets hyper: hyper minds the bodies and the connection, and this minds
//! the heads.
//!
//! ```text
//!   our head, body    <- Wire <-  hyper's head (dropped), body
//!   the server's head -> Wire ->  a plain head that means the same, body
//! ```
//!
//! hyper writes a request's head in its own spelling and order, and reads a response's more strictly
//! than curl does; it forgets the bytes of either. So heads are written and read here
//! ([`crate::head`]), and hyper is told only what it needs for its part: how the body is framed, and
//! whether the connection goes on.

use crate::desk::{Desk, Verdict};
use crate::io::{SCRATCH, Stream, Witness};
use bytes::{Buf, BytesMut};
use hyper::rt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A client's stream as hyper wants it.
pub(crate) struct Wire<S> {
    stream: S,
    desk: Arc<Desk>,
    witness: Arc<Witness>,
    scratch: Box<[u8]>,
    /// For hyper, and not yet taken.
    ready: BytesMut,
    /// From hyper, and not yet written.
    pending: BytesMut,
    /// Nothing can be written any more.
    is_deaf: bool,
}

impl<S: Stream> Wire<S> {
    pub(crate) fn new(stream: S, desk: Arc<Desk>, witness: Arc<Witness>) -> Self {
        let scratch = vec![0; SCRATCH].into_boxed_slice();
        let (ready, pending) = (BytesMut::new(), BytesMut::new());
        Self { stream, desk, witness, scratch, ready, pending, is_deaf: false }
    }

    /// The stream, once hyper is done with it. An upload that was under way will not go on.
    pub(crate) fn into_stream(self) -> S {
        self.desk.stop_upload();
        self.stream
    }

    /// Writes on. A server that does not listen may have answered: what it said is worth more than
    /// that it does not listen, so hyper is told that all is well, and the reading side finds out.
    fn write(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<usize> {
        if self.is_deaf {
            return Poll::Ready(data.len());
        }
        match ready!(Pin::new(&mut self.stream).poll_write(cx, data)) {
            Ok(count) => {
                self.witness.on_written(count);
                self.desk.on_written(count);
                Poll::Ready(count)
            }
            Err(error) => {
                self.witness.on_write_error(error);
                self.is_deaf = true;
                self.desk.stop_upload();
                Poll::Ready(data.len())
            }
        }
    }

    fn write_pending(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.pending.is_empty() {
            let pending = self.pending.split();
            match self.write(cx, &pending) {
                Poll::Ready(count) => {
                    self.pending = pending;
                    self.pending.advance(count);
                }
                Poll::Pending => {
                    self.pending = pending;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }
}

impl<S: Stream> rt::Read for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.desk.poll_open(cx));
        loop {
            if !this.ready.is_empty() {
                let count = this.ready.len().min(cursor.remaining());
                cursor.put_slice(&this.ready.split_to(count));
                return Poll::Ready(Ok(()));
            }
            let room = this.scratch.len().min(cursor.remaining());
            let Some(scratch) = this.scratch.get_mut(..room) else { return Poll::Ready(Ok(())) };
            let count = match ready!(Pin::new(&mut this.stream).poll_read(cx, scratch)) {
                Ok(count) => count,
                Err(error) => {
                    this.desk.on_end();
                    return Poll::Ready(Err(this.witness.on_error(error)));
                }
            };
            let data = scratch.get(..count).unwrap_or_default();
            this.witness.on_read(data);
            if data.is_empty() {
                this.desk.on_end();
                return Poll::Ready(Ok(()));
            }
            match this.desk.on_bytes(data) {
                Ok(Verdict::Pass(count)) => {
                    cursor.put_slice(data.get(..count).unwrap_or_default());
                    return Poll::Ready(Ok(()));
                }
                Ok(Verdict::Give(bytes)) => this.ready.extend_from_slice(&bytes),
                Ok(Verdict::Hold) => {}
                Ok(Verdict::Refuse) => {
                    return Poll::Ready(Err(io::Error::other("more came than the response has")));
                }
                Err(error) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
    }
}

impl<S: Stream> rt::Write for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.pending.is_empty() {
            ready!(this.write_pending(cx));
        }
        if let Some(ours) = this.desk.on_write(data) {
            this.pending.extend_from_slice(&ours);
            // What cannot be written now is written when hyper flushes.
            let _ = this.write_pending(cx);
            return Poll::Ready(Ok(data.len()));
        }
        this.write(cx, data).map(Ok)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.write_pending(cx));
        if this.is_deaf {
            return Poll::Ready(Ok(()));
        }
        let flushed = ready!(Pin::new(&mut this.stream).poll_flush(cx));
        if let Err(error) = flushed {
            this.witness.on_write_error(error);
            this.is_deaf = true;
            this.desk.stop_upload();
        } else {
            this.desk.on_flushed();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(cx)
    }
}
