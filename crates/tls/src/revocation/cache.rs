//! What was fetched, as long as it is good.
//!
//! Only what was verified is kept, and what comes out is verified again all the same, signature
//! included: a cache may come from a file that somebody else can write.

use super::crl::Crl;
use super::known::Kind;
use super::ocsp::{Asked, Response};
use crate::der::{self, Reader};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Lists and answers that were fetched. Cheap to clone; clones share what is in it.
#[derive(Clone)]
pub struct RevocationCache {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    entries: BTreeMap<Key, Entry>,
    /// The sum of all entries' lengths.
    bytes: usize,
    capacity: usize,
    stored: u64,
}

/// A list by its URL, an answer by its CertID.
type Key = (Kind, Vec<u8>);

struct Entry {
    der: Arc<[u8]>,
    /// Unix seconds.
    this_update: i64,
    /// Unix seconds.
    until: i64,
    /// When it was stored, as a number that grows.
    order: u64,
}

/// How a cache in bytes begins; the number changes with the format.
const MAGIC: &[u8] = b"glasstack revocation cache 1\n";

impl RevocationCache {
    /// How much a cache holds unless it is told otherwise, in bytes: 64 MiB.
    pub const CAPACITY: usize = 64 << 20;

    /// An empty one that holds at most this many bytes of lists and answers.
    pub fn with_capacity(bytes: usize) -> Self {
        let inner = Inner { entries: BTreeMap::new(), bytes: 0, capacity: bytes, stored: 0 };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// How many lists and answers are in it.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The list that was fetched from `url`, if it is in time (Unix seconds).
    pub(crate) fn list(&self, url: &str, now: i64) -> Option<Arc<[u8]>> {
        self.lock().get(&(Kind::Crl, url.as_bytes().to_vec()), now)
    }

    /// The answer about a certificate, if it is in time.
    pub(crate) fn answer(&self, asked: &Asked<'_>, now: i64) -> Option<Arc<[u8]>> {
        self.lock().get(&(Kind::Ocsp, asked.id().ok()?), now)
    }

    pub(crate) fn keep_list(&self, url: &str, der: &Arc<[u8]>) {
        self.lock().keep_list(url.as_bytes().to_vec(), der);
    }

    pub(crate) fn keep_answer(&self, asked: &Asked<'_>, der: &Arc<[u8]>) {
        if let Ok(id) = asked.id() {
            self.lock().keep_answer(id, asked, der);
        }
    }

    /// All of it, to be kept in a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let inner = self.lock();
        let mut out = MAGIC.to_vec();
        for ((kind, key), entry) in &inner.entries {
            let number = match kind {
                Kind::Crl => 0,
                Kind::Ocsp => 1,
            };
            let key = der::write(der::OCTET_STRING, &[key]);
            let kind = der::write(der::INTEGER, &[&[number]]);
            out.extend(der::write(der::SEQUENCE, &[&kind, &key, &entry.der]));
        }
        out
    }

    /// Adds what [`Self::to_bytes`] gave, and tells how many entries could not be used. Nothing in it
    /// is believed: what cannot be read is left out, and what is used is verified first.
    pub fn add_bytes(&self, bytes: &[u8]) -> Result<usize, BadCache> {
        let mut rest = Reader::new(bytes.strip_prefix(MAGIC).ok_or(BadCache)?);
        let mut inner = self.lock();
        let mut unusable = 0;
        while !rest.is_empty() {
            let Ok(entry) = rest.read(der::SEQUENCE, "an entry") else {
                return Ok(unusable + 1);
            };
            if inner.add(&mut entry.inside()).is_none() {
                unusable += 1;
            }
        }
        Ok(unusable)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn get(&mut self, key: &Key, now: i64) -> Option<Arc<[u8]>> {
        let entry = self.entries.get(key)?;
        if entry.until > now {
            return Some(entry.der.clone());
        }
        self.remove(&key.clone());
        None
    }

    fn add(&mut self, fields: &mut Reader<'_>) -> Option<()> {
        let kind = fields.read(der::INTEGER, "the kind").ok()?.contents;
        let key = fields.read(der::OCTET_STRING, "the key").ok()?.contents.to_vec();
        let der: Arc<[u8]> = fields.read(der::SEQUENCE, "what was fetched").ok()?.whole.into();
        fields.end("an entry").ok()?;
        match kind {
            [0] => self.keep_list(key, &der),
            [1] => {
                // The serial number and the hashes are in the key; which certificate that is, is
                // asked when it is used.
                let (this_update, until) = dates_of_all(&der)?;
                self.keep((Kind::Ocsp, key), &der, this_update, until);
            }
            _ => return None,
        }
        Some(())
    }

    fn keep_list(&mut self, url: Vec<u8>, der: &Arc<[u8]>) {
        if let Ok(list) = Crl::read(der)
            && let Some(until) = list.next_update
        {
            self.keep((Kind::Crl, url), der, list.this_update, until);
        }
    }

    fn keep_answer(&mut self, id: Vec<u8>, asked: &Asked<'_>, der: &Arc<[u8]>) {
        if let Ok(Response::Basic(basic)) = Response::read(der)
            && let Ok(Some(single)) = basic.about(asked)
        {
            self.keep((Kind::Ocsp, id), der, single.this_update, single.until());
        }
    }

    /// Keeps it, unless a later one is there; what was stored first gives way.
    fn keep(&mut self, key: Key, der: &Arc<[u8]>, this_update: i64, until: i64) {
        let weight = der.len() + key.1.len();
        let later = self.entries.get(&key).is_some_and(|entry| entry.this_update > this_update);
        if later || weight > self.capacity {
            return;
        }
        self.remove(&key);
        while self.bytes + weight > self.capacity {
            let Some(first) = self.entries.iter().min_by_key(|(_, entry)| entry.order) else { return };
            let first = first.0.clone();
            self.remove(&first);
        }
        self.stored += 1;
        self.bytes += weight;
        self.entries.insert(key, Entry { der: der.clone(), this_update, until, order: self.stored });
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.der.len() + key.1.len();
        }
    }
}

/// From when and until when an answer is good in the first of its parts.
fn dates_of_all(answer: &[u8]) -> Option<(i64, i64)> {
    match Response::read(answer).ok()? {
        Response::Basic(basic) => basic.first_dates(),
        Response::Refused(..) => None,
    }
}

impl Default for RevocationCache {
    fn default() -> Self {
        Self::with_capacity(Self::CAPACITY)
    }
}

impl fmt::Debug for RevocationCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("RevocationCache")
            .field("entries", &inner.entries.len())
            .field("bytes", &inner.bytes)
            .finish()
    }
}

/// The bytes are no cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no revocation cache, or one of another version of this program")]
pub struct BadCache;

#[cfg(test)]
mod tests {
    use super::*;

    /// A list with these dates (2000-01-DD), not signed: the cache does not ask.
    fn list(from: u8, until: u8, padding: usize) -> Arc<[u8]> {
        let day = |day: u8| der::write(der::GENERALIZED_TIME, &[format!("200001{day:02}000000Z").as_bytes()]);
        let algorithm = der::write(der::SEQUENCE, &[]);
        let number = der::write(der::OCTET_STRING, &[&der::write(der::OCTET_STRING, &[&vec![0; padding]])]);
        let extension = der::write(der::SEQUENCE, &[&der::write(der::OID, &[&[0x2a, 3]]), &number]);
        let extensions = der::write(der::SEQUENCE, &[&extension]);
        let body = der::write(
            der::SEQUENCE,
            &[
                &algorithm,
                &der::write(der::SEQUENCE, &[]),
                &day(from),
                &day(until),
                &der::write(der::constructed(0), &[&extensions]),
            ],
        );
        let signature = der::write(der::BIT_STRING, &[&[0, 1]]);
        der::write(der::SEQUENCE, &[&body, &algorithm, &signature]).into()
    }

    /// Noon of 2000-01-DD.
    fn noon(day: i64) -> i64 {
        946_684_800 + (day - 1) * 86_400 + 43_200
    }

    #[test]
    fn a_list_is_kept_until_the_next_is_due_and_no_longer() {
        let cache = RevocationCache::default();
        cache.keep_list("a", &list(1, 3, 0));
        assert!(cache.list("a", noon(2)).is_some());
        assert!(cache.list("b", noon(2)).is_none());
        assert!(cache.list("a", noon(3)).is_none());
        assert!(cache.is_empty());
    }

    #[test]
    fn an_earlier_list_does_not_take_the_place_of_a_later_one() {
        let cache = RevocationCache::default();
        cache.keep_list("a", &list(2, 9, 0));
        cache.keep_list("a", &list(1, 9, 0));
        assert_eq!(cache.list("a", noon(2)), Some(list(2, 9, 0)));
        cache.keep_list("a", &list(3, 9, 0));
        assert_eq!(cache.list("a", noon(3)), Some(list(3, 9, 0)));
    }

    #[test]
    fn what_was_stored_first_gives_way_and_what_is_larger_than_all_is_not_kept() {
        let weight = list(1, 9, 1000).len() + 1;
        let cache = RevocationCache::with_capacity(2 * weight);
        for url in ["a", "b", "c"] {
            cache.keep_list(url, &list(1, 9, 1000));
        }
        cache.keep_list("d", &list(1, 9, 5000));
        let kept = ["a", "b", "c", "d"].map(|url| cache.list(url, noon(2)).is_some());
        assert_eq!(kept, [false, true, true, false]);
        assert_eq!(cache.lock().bytes, 2 * weight);
    }

    #[test]
    fn it_goes_into_bytes_and_comes_back_and_strange_bytes_do_no_harm() {
        let cache = RevocationCache::default();
        cache.keep_list("a", &list(1, 9, 0));
        cache.keep_list("b", &list(1, 9, 300));
        let bytes = cache.to_bytes();
        let other = RevocationCache::default();
        assert_eq!(other.add_bytes(&bytes), Ok(0));
        assert_eq!(other.to_bytes(), bytes);
        assert_eq!(other.add_bytes(b"something else"), Err(BadCache));
        assert_eq!(other.add_bytes(&bytes[..bytes.len() - 1]), Ok(1));
        for place in MAGIC.len()..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x81;
            let third = RevocationCache::default();
            assert!(third.add_bytes(&changed).is_ok() && third.len() <= 2);
        }
    }
}
