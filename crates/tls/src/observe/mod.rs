//! Reads along: what goes over the wire, message by message, field by field, decrypted with the
//! connection's own secrets.
//!
//! ```text
//!            rustls                                    journal
//!   bytes  |        | secrets (key log)                   ^
//!     v    |        |     |                               | Message, Alert, KeysDerived,
//!   Gather ---------------+--> Tap                        | RecordsCounted
//!     |                         |                         |
//!     |    records -> protection -> assembly -> messages -+
//!     v                  ^             |        (extensions, tree, names)
//!   the stream below   schedule <- conversation -> why
//!                        ^
//!                   primitives (ring)
//! ```
//!
//! Read in this order: `conversation` (what is known of a connection, and what follows from each
//! message), `schedule` (from secrets to keys: RFC 8446 7, RFC 5246 6.3), `protection` (how a record
//! is opened), `records` and `assembly` (from bytes to messages), `messages` and `extensions` on `tree`
//! (from a message to its fields), `names` (what the numbers are called), `why` (what made a server
//! choose), `transcript`, `primitives`.
//!
//! It only listens: nothing here can change what the connection does, and where it does not
//! understand it says so once and is silent from then on. While nobody watches the journal there is
//! no tap.

mod assembly;
mod conversation;
mod extensions;
mod messages;
mod names;
mod primitives;
mod protection;
mod records;
#[cfg(test)]
mod rfc8448;
mod schedule;
mod transcript;
mod tree;
mod why;

use conversation::Conversation;
use glasstack_journal::Scope;
use glasstack_journal::event::Party;
use rustls::ServerConfig;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use why::Spoken;

/// Listens to one connection. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Tap(Arc<Mutex<Conversation>>);

impl Tap {
    /// For a client, which tells in `scope`; none while nobody watches.
    pub(crate) fn client(scope: &Scope) -> Option<Self> {
        let tap = Self::new(scope, Party::Client)?;
        tap.tell_in(scope);
        Some(tap)
    }

    /// For a server; none while nobody watches. What is heard before [`Self::tell_in`] is told then.
    pub(crate) fn server(scope: &Scope) -> Option<Self> {
        Self::new(scope, Party::Server)
    }

    fn new(scope: &Scope, us: Party) -> Option<Self> {
        let watched = scope.journal().is_watched();
        watched.then(|| Self(Arc::new(Mutex::new(Conversation::new(us)))))
    }

    /// Tells in `scope` from now on.
    pub(crate) fn tell_in(&self, scope: &Scope) {
        self.conversation().tell_in(scope.clone());
    }

    /// The server is one of ours, and this is what it speaks.
    pub(crate) fn speaks(&self, config: &ServerConfig) {
        let suites = config.crypto_provider().cipher_suites.iter();
        let suites = suites.map(|suite| u16::from(suite.suite())).collect();
        self.conversation().speaks(Spoken { suites });
    }

    /// The peer sent these bytes.
    pub(crate) fn received(&self, bytes: &[u8]) {
        let mut conversation = self.conversation();
        let from = conversation.them();
        conversation.on_bytes(from, bytes);
    }

    /// We sent these bytes.
    pub(crate) fn sent(&self, bytes: &[u8]) {
        let mut conversation = self.conversation();
        let from = conversation.us();
        conversation.on_bytes(from, bytes);
    }

    /// Whether the secret of this label protects anything.
    pub(crate) fn needs(&self, label: &str) -> bool {
        self.conversation().is_of_use(label)
    }

    /// A secret is known, under its label in the key log.
    pub(crate) fn secret(&self, label: &str, secret: &[u8]) {
        self.conversation().on_secret(label, secret);
    }

    /// The connection is over: tells, once, how many records there were.
    pub(crate) fn finish(&self) {
        self.conversation().finish();
    }

    fn conversation(&self) -> MutexGuard<'_, Conversation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads `data` as what two ends might send, in portions and with secrets that it chooses itself: for
/// fuzzing. Gives the number of events told.
#[doc(hidden)]
pub fn any_bytes(data: &[u8]) -> usize {
    let Some((first, mut rest)) = data.split_first() else { return 0 };
    let us = if first & 1 == 0 { Party::Client } else { Party::Server };
    let mut conversation = Conversation::new(us);
    while let [step, high, low, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (bytes, after) = behind.split_at(length);
        let from = if step & 1 == 0 { Party::Client } else { Party::Server };
        match step >> 1 & 7 {
            0..=3 => conversation.on_bytes(from, bytes),
            4 => conversation.on_secret(conversation::LABELS[usize::from(step >> 4) % 6], bytes),
            // What a record would contain that could be opened.
            _ => conversation.on_opened(from, 20 + (step >> 4 & 3), bytes),
        }
        rest = after;
    }
    conversation.finish();
    conversation.told()
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_journal::{Clock, Instant, Journal, WallTime};

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Instant {
            Instant::ZERO
        }
        fn wall(&self) -> WallTime {
            WallTime::default()
        }
    }

    #[test]
    fn nobody_listens_while_nobody_watches() {
        let journal = Journal::new(WallTime::default());
        let node = journal.node(Instant::ZERO, "client");
        let scope = Scope::new(journal, Arc::new(Still), node);
        assert!(Tap::client(&scope).is_none() && Tap::server(&scope).is_none());
    }
}
