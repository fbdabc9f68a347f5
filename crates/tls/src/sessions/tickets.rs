//! Tickets: a server's state, sealed, for the client to keep.
//!
//! ```text
//!   key name (16) | nonce (12) | AEAD( state )            RFC 5077 4
//! ```
//!
//! rustls brings such a thing, and its keys come from the operating system at times of its own: not
//! what a virtual world needs. This one takes them from the world's provider, and the time from its clock.

use glasstack_journal::Clock;
use rustls::crypto::CryptoProvider;
use rustls::crypto::cipher::{AeadKey, InboundOpaqueMessage, Iv, OutboundPlainMessage};
use rustls::server::ProducesTickets;
use rustls::{CipherSuite, ContentType, ProtocolVersion, Tls13CipherSuite};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const NAME: usize = 16;
const NONCE: usize = 12;
const SECRET: usize = 32;
/// RFC 8446 5.1: what a record may hold, and so what this seals at once.
const MAX_STATE: usize = 16 * 1024;
/// The header of a record (RFC 8446 5.1), which rustls' sealing writes before what is sealed.
const HEADER: usize = 5;

/// Seals with one key, and opens with it and the one before.
pub(crate) struct Tickets {
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn Clock>,
    /// Seconds.
    rotation: u32,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    current: Option<Key>,
    previous: Option<Key>,
}

#[derive(Clone)]
struct Key {
    name: [u8; NAME],
    secret: [u8; SECRET],
    /// Unix seconds.
    since: u64,
}

impl Tickets {
    pub(crate) fn new(provider: Arc<CryptoProvider>, clock: Arc<dyn Clock>, rotation: u32) -> Self {
        Self { provider, clock, rotation: rotation.max(1), keys: Mutex::default() }
    }

    /// The keys of this moment: the one in use is followed by another when its time is over.
    fn keys(&self) -> MutexGuard<'_, Keys> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.wall().unix_seconds();
        let age = |key: &Key| now.saturating_sub(key.since);
        let rotation = u64::from(self.rotation);
        if keys.current.as_ref().is_none_or(|key| age(key) >= rotation) {
            let previous = keys.current.take();
            keys.current = self.new_key(now);
            keys.previous = previous.filter(|key| age(key) < 2 * rotation);
        }
        if keys.previous.as_ref().is_some_and(|key| age(key) >= 2 * rotation) {
            keys.previous = None;
        }
        keys
    }

    /// None when there is no randomness.
    fn new_key(&self, since: u64) -> Option<Key> {
        let mut key = Key { name: [0; NAME], secret: [0; SECRET], since };
        self.provider.secure_random.fill(&mut key.name).ok()?;
        self.provider.secure_random.fill(&mut key.secret).ok()?;
        Some(key)
    }

    /// The sealing of TLS 1.3's ChaCha20-Poly1305 (RFC 8439).
    fn suite(&self) -> Option<&'static Tls13CipherSuite> {
        let suites = self.provider.cipher_suites.iter();
        let of = |suite: &&rustls::SupportedCipherSuite| {
            suite.suite() == CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
        };
        suites.filter(|suite| of(suite)).find_map(|suite| suite.tls13())
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.suite().is_some()
    }

    /// Seconds: as long as a ticket of now can be opened for sure.
    fn lifetime(&self) -> u32 {
        self.rotation
    }

    fn encrypt(&self, state: &[u8]) -> Option<Vec<u8>> {
        if state.len() > MAX_STATE {
            return None;
        }
        let key = self.keys().current.clone()?;
        let mut nonce = [0; NONCE];
        self.provider.secure_random.fill(&mut nonce).ok()?;
        let mut sealing = self.suite()?.aead_alg.encrypter(AeadKey::from(key.secret), Iv::new(nonce));
        let plain = OutboundPlainMessage {
            typ: ContentType::ApplicationData,
            version: ProtocolVersion::TLSv1_3,
            payload: state.into(),
        };
        let sealed = sealing.encrypt(plain, 0).ok()?.encode();
        Some([key.name.as_slice(), &nonce, sealed.get(HEADER..)?].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (name, rest) = ticket.split_at_checked(NAME)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let key = {
            let keys = self.keys();
            [&keys.current, &keys.previous].into_iter().flatten().find(|key| key.name == name)?.clone()
        };
        let mut opening = self.suite()?.aead_alg.decrypter(AeadKey::from(key.secret), Iv::new(*nonce));
        let mut sealed = sealed.to_vec();
        let message = InboundOpaqueMessage::new(
            ContentType::ApplicationData,
            ProtocolVersion::TLSv1_3,
            sealed.as_mut_slice(),
        );
        Some(opening.decrypt(message, 0).ok()?.payload.to_vec())
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("rotation", &self.rotation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_journal::{Instant, WallTime};
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Hand(AtomicU64);
    impl Clock for Hand {
        fn now(&self) -> Instant {
            Instant::ZERO
        }
        fn wall(&self) -> WallTime {
            WallTime::from_unix_seconds(self.0.load(Ordering::SeqCst))
        }
    }

    #[test]
    fn a_ticket_is_opened_while_its_key_or_the_next_one_is_in_use_and_never_later() {
        let clock = Arc::new(Hand(AtomicU64::new(1_000)));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tickets = Tickets::new(provider, clock.clone(), 100);
        let ticket = tickets.encrypt(b"state").unwrap();
        assert_eq!(ticket.len(), NAME + NONCE + 5 + 1 + 16);
        for (time, opens) in [(1_000, true), (1_099, true), (1_100, true), (1_199, true), (1_200, false)] {
            clock.0.store(time, Ordering::SeqCst);
            assert_eq!(tickets.decrypt(&ticket).is_some_and(|state| state == b"state"), opens, "{time}");
        }
    }

    #[test]
    fn a_ticket_that_was_changed_or_is_anothers_is_not_opened() {
        let clock: Arc<dyn Clock> = Arc::new(Hand(AtomicU64::new(1_000)));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let [one, other] = [(), ()].map(|()| Tickets::new(provider.clone(), clock.clone(), 100));
        let ticket = one.encrypt(b"state").unwrap();
        assert!(other.decrypt(&ticket).is_none());
        for index in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[index] ^= 1;
            assert!(one.decrypt(&changed).is_none(), "{index}");
            assert!(one.decrypt(&ticket[..index]).is_none());
        }
        assert!(one.encrypt(&[0; MAX_STATE + 1]).is_none());
    }
}
