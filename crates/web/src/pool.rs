//! Connections kept for the next request that takes the same way (RFC 9112 9.3).

use crate::connector::Connected;
use futures_channel::oneshot;
use glasstack_journal::Note;
use glasstack_stack::Host;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The connections of one client, at rest.
pub(crate) struct Pool {
    host: Host,
    /// How long a closing connection may wait for its peer's goodbye.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those used last at the end.
    idle: Vec<Lease>,
    closing: Vec<oneshot::Receiver<()>>,
}

/// A connection that is in use, and what it is good for.
pub(crate) struct Lease {
    pub(crate) key: String,
    pub(crate) connection: Connected,
}

/// How many connections are kept at most: many hosts asked one after the other must not use up the
/// ports.
const MOST_IDLE: usize = 100;

/// What the pool had.
pub(crate) enum Found {
    /// A connection at rest.
    Reusable(Box<Connected>),
    /// None; and why not, in words.
    None(String),
}

impl Pool {
    pub(crate) fn new(host: Host, patience: Duration) -> Self {
        Self { host, patience, state: Mutex::default() }
    }

    /// Keeps a connection, and closes the one used longest ago where there are too many. Whether it can
    /// be used again is asked when it is needed; one whose request was not sent to its end cannot, and
    /// its server may wait for the rest of it.
    pub(crate) fn put(&self, lease: Lease) {
        if let Some(reason) = lease.connection.http.cut_short() {
            let remote = lease.connection.remote;
            self.host
                .scope()
                .record(|| Note::info(format!("the connection to {remote} is given up: {reason}")));
            return self.retire(lease.connection, Duration::ZERO);
        }
        let mut state = self.lock();
        state.idle.push(lease);
        let surplus = (state.idle.len() > MOST_IDLE).then(|| state.idle.remove(0));
        drop(state);
        if let Some(surplus) = surplus {
            self.retire(surplus.connection, self.patience);
        }
    }

    /// Takes the connection good for `key` that was used last; those that cannot be used again are
    /// closed.
    pub(crate) async fn take(&self, key: &str) -> Found {
        let mut why = format!("there is none to {key} yet");
        loop {
            let Some(mut connection) = self.last_of(key) else { return Found::None(why) };
            let reason = match self.host.timeout(self.patience, connection.http.reusable()).await {
                Ok(Ok(())) => return Found::Reusable(Box::new(connection)),
                Ok(Err(reason)) => reason.to_string(),
                Err(_) => "it is still busy with the last request".to_owned(),
            };
            why = format!("the one to {} is of no use any more: {reason}", connection.remote);
            self.retire(connection, self.patience);
        }
    }

    fn last_of(&self, key: &str) -> Option<Connected> {
        let mut state = self.lock();
        let at = state.idle.iter().rposition(|lease| lease.key == key)?;
        Some(state.idle.remove(at).connection)
    }

    /// Closes a connection in order, in the background, and waits so long for the peer's goodbye.
    fn retire(&self, connection: Connected, patience: Duration) {
        let (done, closed) = oneshot::channel();
        let host = self.host.clone();
        self.host.spawn(async move {
            // A server that does not close its side is left to TCP's own patience.
            let _ = host.timeout(patience, connection.http.close()).await;
            let _ = done.send(());
        });
        let mut state = self.lock();
        state.closing.retain_mut(|closed| matches!(closed.try_recv(), Ok(None)));
        state.closing.push(closed);
    }

    /// Closes everything, and waits until all are closed.
    pub(crate) async fn close(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        for lease in idle {
            self.retire(lease.connection, self.patience);
        }
        let closing = std::mem::take(&mut self.lock().closing);
        for closed in closing {
            let _ = closed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
