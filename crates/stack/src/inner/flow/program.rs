//! What a program does with its connection.

use super::{Failure, Flow, Waiting};
use crate::error::TcpError;
use crate::inner::engine::Engine;
use glasstack_journal::Instant;
use glasstack_journal::event::{ResetReason, StateCause};
use std::task::Context;

impl Flow {
    /// A program reads.
    pub(crate) fn read(&mut self, cx: &Context<'_>, buffer: &mut [u8]) -> Option<Result<usize, TcpError>> {
        if buffer.is_empty() {
            return Some(Ok(0));
        }
        if !self.leftover.is_empty() {
            let count = buffer.len().min(self.leftover.len());
            for (slot, byte) in buffer.iter_mut().zip(self.leftover.drain(..count)) {
                *slot = byte;
            }
            return Some(Ok(count));
        }
        match &mut self.engine {
            Some(engine) if engine.can_recv() => Some(Ok(engine.recv(buffer))),
            Some(engine) if engine.may_recv() => {
                self.wakers.read = Some(cx.waker().clone());
                None
            }
            _ => Some(self.established_failure().map_or(Ok(0), Err)),
        }
    }

    /// A program writes.
    pub(crate) fn write(&mut self, cx: &Context<'_>, data: &[u8]) -> Option<Result<usize, TcpError>> {
        if let Some(error) = self.established_failure() {
            return Some(Err(error));
        }
        match &mut self.engine {
            _ if self.write_closed => Some(Err(TcpError::Closed)),
            _ if data.is_empty() => Some(Ok(0)),
            Some(engine) if engine.can_send() => Some(Ok(engine.send(data))),
            Some(engine) if engine.may_send() => {
                self.wakers.write = Some(cx.waker().clone());
                None
            }
            _ => Some(Err(TcpError::Closed)),
        }
    }

    /// A program that neither reads nor writes now wants to know if the connection breaks.
    pub(crate) fn broken(&mut self, cx: &Context<'_>) -> Option<TcpError> {
        let failure = self.established_failure();
        if failure.is_none() {
            self.wakers.broken = Some(cx.waker().clone());
        }
        failure
    }

    /// A program waits until the peer has everything. Whether that is so, or will never be.
    pub(crate) fn acknowledged(&mut self, cx: &Context<'_>) -> bool {
        let done = self.failure.is_some() || self.unacknowledged() == 0;
        if !done {
            self.wakers.acknowledged = Some(cx.waker().clone());
        }
        done
    }

    /// Bytes written that the peer has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.engine.as_ref().map_or(0, Engine::unacknowledged)
    }

    /// A program has no more to say: a FIN follows what is queued.
    pub(crate) fn close(&mut self, now: Instant) {
        self.write_closed = true;
        if let Some(engine) = &mut self.engine {
            engine.close();
        }
        self.note_state(StateCause::Application, now);
    }

    /// The connection ends with a RST.
    pub(crate) fn abort(&mut self, because: ResetReason, now: Instant) {
        self.reset_because = Some(because);
        if self.failure.is_none() {
            self.failure = Some(Failure::Established(TcpError::Aborted));
        }
        if let Some(engine) = &mut self.engine {
            engine.abort();
        }
        self.note_state(StateCause::Application, now);
    }

    /// A program lets go of the connection, as close(2) does: FIN, or RST if data is unread
    /// (RFC 1122 4.2.2.13).
    pub(crate) fn release(&mut self, now: Instant) {
        self.wakers = Waiting::default();
        let unread = self.engine.as_ref().map_or(0, Engine::unread);
        if unread > 0 {
            self.abort(ResetReason::Aborted, now);
        } else {
            self.close(now);
        }
    }

    fn established_failure(&self) -> Option<TcpError> {
        match &self.failure {
            Some(Failure::Established(error)) => Some(error.clone()),
            Some(Failure::Connect(_)) => Some(TcpError::Reset { peer: self.tuple.remote_addr() }),
            None => None,
        }
    }
}
