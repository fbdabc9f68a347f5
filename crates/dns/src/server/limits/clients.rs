//! What one client may have at a time, and how often it may ask.

use super::table::Table;
use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Clients whose rate is remembered.
const CLIENTS: usize = 10_000;

/// What the server and each client may have at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Questions of one client that wait for their answers. 256: many clients may be behind one NAT.
    pub queries_under_way: usize,
    /// Questions of all clients that do; over UDP further ones wait in the socket. 1024.
    pub queries_at_once: usize,
    /// Connections of one client. 32.
    pub connections: usize,
    /// Connections of all; further ones wait to be accepted. 128.
    pub connections_at_once: usize,
    /// Questions of one connection that wait for their answers; further ones are read later. 64.
    pub pipelined: usize,
    /// Questions a second of one client, over UDP and TCP; what is more is not answered. No limit.
    pub queries_per_second: Option<u32>,
    /// How long a connection may be unused (RFC 7766 6.2.3: "on the order of a few seconds"). 10 s, and
    /// shorter when more than half of the connections are taken.
    pub idle: Duration,
    /// How long a message may take from its first byte to its last, and an answer until the client
    /// has taken it. 10 s.
    pub message: Duration,
    /// How long a connection may last altogether. 10 minutes.
    pub connection: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            queries_under_way: 256,
            queries_at_once: 1024,
            connections: 32,
            connections_at_once: 128,
            pipelined: 64,
            queries_per_second: None,
            idle: Duration::from_secs(10),
            message: Duration::from_secs(10),
            connection: Duration::from_secs(600),
        }
    }
}

impl ClientLimits {
    /// How long a connection may be unused while `open` of them are.
    pub(crate) fn idle_with(&self, open: usize) -> Duration {
        let share = |percent| open.saturating_mul(100) > self.connections_at_once.saturating_mul(percent);
        match () {
            () if share(80) => self.idle / 10,
            () if share(50) => self.idle / 3,
            () => self.idle,
        }
    }
}

/// What each client has now.
#[derive(Debug)]
pub(crate) struct Clients {
    held: Arc<Mutex<BTreeMap<(IpAddr, Kind), usize>>>,
    rates: Mutex<Table<IpAddr, Bucket>>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Questions that wait for their answers.
    Query,
    /// Connections.
    Connection,
}

impl Default for Clients {
    fn default() -> Self {
        Self { held: Arc::default(), rates: Mutex::new(Table::new(CLIENTS)) }
    }
}

impl Clients {
    /// One more for the client, until the permit is dropped; none if it has `limit` already.
    pub(crate) fn take(&self, client: IpAddr, kind: Kind, limit: usize) -> Option<Permit> {
        let key = (client, kind);
        let mut held = lock(&self.held);
        // A client that has nothing has no entry either.
        let count = held.get(&key).map_or(0, |count| *count);
        if count >= limit {
            return None;
        }
        held.insert(key, count + 1);
        Some(Permit { held: Arc::clone(&self.held), key })
    }

    /// Whether the client may ask now, `limit` times a second.
    pub(crate) fn may_ask(&self, client: IpAddr, limit: u32, now: Instant) -> bool {
        let mut rates = lock(&self.rates);
        rates.entry(client, || Bucket::full(limit, now)).take(limit, 0, now)
    }
}

/// One thing that a client has.
#[derive(Debug)]
pub(crate) struct Permit {
    held: Arc<Mutex<BTreeMap<(IpAddr, Kind), usize>>>,
    key: (IpAddr, Kind),
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        if let Some(count) = held.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A token bucket that holds one second's worth, and can owe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// In millionths of a token.
    balance: i64,
    filled: Instant,
}

const TOKEN: i64 = 1_000_000;

impl Bucket {
    pub(super) fn full(rate: u32, now: Instant) -> Self {
        Self { balance: i64::from(rate) * TOKEN, filled: now }
    }

    /// Takes a token. Whoever takes although there is none owes up to `window` seconds' worth, and is
    /// served again once that is paid.
    pub(super) fn take(&mut self, rate: u32, window: u32, now: Instant) -> bool {
        let rate = i64::from(rate);
        // A token every second is a millionth every microsecond.
        let elapsed = i64::try_from(now.since(self.filled).as_micros()).unwrap_or(i64::MAX);
        self.filled = now;
        let most = rate * TOKEN;
        let least = -most.saturating_mul(i64::from(window));
        self.balance = self.balance.saturating_add(elapsed.saturating_mul(rate)).min(most);
        let is_enough = self.balance >= TOKEN;
        // Without a window nothing is owed.
        if is_enough || window > 0 {
            self.balance = (self.balance - TOKEN).max(least);
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_client_has_as_many_as_it_may_and_gets_another_when_one_is_done() {
        let clients = Clients::default();
        let first = clients.take(client(1), Kind::Query, 2);
        let second = clients.take(client(1), Kind::Query, 2);
        assert!(first.is_some() && second.is_some());
        assert!(clients.take(client(1), Kind::Query, 2).is_none());
        assert!(clients.take(client(1), Kind::Connection, 2).is_some(), "counted apart");
        assert!(clients.take(client(2), Kind::Query, 2).is_some(), "somebody else");
        drop(first);
        assert!(clients.take(client(1), Kind::Query, 2).is_some());
        drop(second);
        assert!(lock(&clients.held).is_empty(), "nothing is kept of who has nothing");
    }

    #[test]
    fn a_second_gives_as_many_questions_as_are_allowed_however_many_are_asked() {
        let clients = Clients::default();
        let mut allowed = 0;
        // A question a millisecond for ten seconds.
        for millis in 0..10_000 {
            allowed += u32::from(clients.may_ask(client(1), 20, Instant::from_millis(millis)));
        }
        assert_eq!(allowed, 20 + 199, "a second's worth at once, then twenty a second");
        assert!(clients.may_ask(client(2), 20, Instant::from_millis(10_000)));
    }

    #[test]
    fn who_owes_is_served_again_when_that_is_paid() {
        let mut bucket = Bucket::full(10, Instant::ZERO);
        let taken = (0..1_000).filter(|_| bucket.take(10, 5, Instant::ZERO)).count();
        assert_eq!(taken, 10);
        assert!(!bucket.take(10, 5, Instant::from_millis(4_900)), "five seconds' worth are owed");
        // That try was owed, too: five seconds and two tokens later there is one again.
        assert!(!bucket.take(10, 5, Instant::from_millis(5_100)));
        assert!(bucket.take(10, 5, Instant::from_millis(5_400)));
    }

    #[test]
    fn connections_are_unused_for_less_long_the_fewer_are_left() {
        let limits = ClientLimits { connections_at_once: 10, ..ClientLimits::default() };
        assert_eq!(limits.idle_with(5), Duration::from_secs(10));
        assert_eq!(limits.idle_with(6), Duration::from_secs(10) / 3);
        assert_eq!(limits.idle_with(10), Duration::from_secs(1));
    }
}
