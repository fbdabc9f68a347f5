//! The walk from the trust anchor to the answer.

use crate::dnssec::chain::Job;
use crate::dnssec::checks::Checks;
use crate::dnssec::good_signatures::GoodSignatures;
use crate::dnssec::remembered::Remembered;
use crate::dnssec::sets::Section;
use crate::dnssec::{Link, Reason, Security, TrustAnchors};
use crate::error::ResolveError;
use crate::message::{Message, Question};
use crate::name::DnsName;
use crate::record::RecordType;
use futures_util::future::BoxFuture;
use glasstack_journal::WallTime;
use glasstack_stack::Host;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where the validator gets DS and DNSKEY records from.
pub trait Fetch: Send + Sync {
    /// The response to a question, its signatures and proofs included (DO and CD set), unvalidated.
    /// DS is asked of the parent's servers (RFC 4035 3.1.4.1).
    fn fetch<'a>(
        &'a self,
        host: &'a Host,
        question: &'a Question,
    ) -> BoxFuture<'a, Result<Message, ResolveError>>;

    /// The same from a server that has not been asked yet, as what came last did not hold: whoever keeps
    /// answers must not give that one again. None if there is nobody else to ask.
    fn fetch_elsewhere<'a>(
        &'a self,
        _host: &'a Host,
        _question: &'a Question,
    ) -> BoxFuture<'a, Option<Result<Message, ResolveError>>> {
        Box::pin(std::future::ready(None))
    }
}

/// What one question may cost, and what else bounds validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many signatures may be checked. 256.
    pub signatures: u32,
    /// How many may turn out wrong. 16.
    pub wrong_signatures: u32,
    /// How many comparisons of keys with DS records. 64.
    pub digests: u32,
    /// How many rounds of hashing for NSEC3. 10 000.
    pub hash_rounds: u32,
    /// How many questions for DS and DNSKEY records. 128.
    pub fetches: u32,
    /// The most additional iterations of NSEC3; a zone with more is insecure. 100 (RFC 9276 3.2).
    pub iterations: u16,
    /// How many zones' keys are remembered, and how many signatures that were good. 10 000.
    pub capacity: usize,
    /// How long keys are remembered at most. A day.
    pub longest: Duration,
    /// How long a zone whose keys could not be checked is left alone. 60 s.
    pub bogus_ttl: Duration,
    /// The time that signatures are judged by; that of the world's wall clock if none is given.
    pub at: Option<WallTime>,
    /// Algorithms whose signatures are taken for good without a look. None: where there is one, nothing it
    /// signs is validated. It is for playing recorded scenarios that were signed with DSA or with short
    /// RSA keys, which nobody checks any more (unbound's tests do the same, `fake-sha1`).
    pub taken_on_trust: BTreeSet<u8>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            signatures: 256,
            wrong_signatures: 16,
            digests: 64,
            hash_rounds: 10_000,
            fetches: 128,
            iterations: 100,
            capacity: 10_000,
            longest: Duration::from_secs(24 * 3600),
            bogus_ttl: Duration::from_secs(60),
            at: None,
            taken_on_trust: BTreeSet::new(),
        }
    }
}

/// An answer that has been looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validated {
    /// What came of it.
    pub security: Security,
    /// Why.
    pub reason: Reason,
    /// What came of each set of records that was looked at.
    pub sets: Vec<SetJudged>,
    /// The name that an alias in the answer leads to, if the answer says nothing of it: it has to be asked
    /// for by itself, and what is secure is the alias alone.
    pub open: Option<DnsName>,
    /// The steps, from the trust anchor to the answer.
    pub chain: Vec<Link>,
    /// The answer, with times to live no longer than the signatures allow (RFC 4035 5.3.3).
    pub message: Message,
}

/// What came of a set of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetJudged {
    /// Where they stand.
    pub section: Section,
    /// Whose.
    pub name: DnsName,
    /// Of which type.
    pub record_type: RecordType,
    /// What came of it.
    pub security: Security,
}

/// Traces answers to a trust anchor, and remembers the keys on the way.
#[derive(Debug)]
pub struct Validator {
    anchors: TrustAnchors,
    limits: Limits,
    remembered: Mutex<Remembered>,
    good: Arc<Mutex<GoodSignatures>>,
}

impl Validator {
    /// One that begins at `anchors`.
    pub fn new(anchors: TrustAnchors, limits: Limits) -> Self {
        let remembered = Mutex::new(Remembered::new(limits.capacity));
        let good = Arc::new(Mutex::new(GoodSignatures::new(limits.capacity)));
        Self { anchors, limits, remembered, good }
    }

    /// The anchors that it begins at.
    pub fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// What bounds it.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Forgets the keys of all zones.
    pub fn forget(&self) {
        self.remembered().clear();
        self.good.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether the answer to `question` is what the zone's owner signed. Keys that are not known are
    /// fetched through `fetch`.
    pub async fn validate(
        &self,
        host: &Host,
        fetch: &dyn Fetch,
        question: &Question,
        message: Message,
    ) -> Validated {
        let mut job = Job {
            validator: self,
            host,
            fetch,
            now: self.seconds(host),
            checks: Checks::remembering(&self.limits, Arc::clone(&self.good)),
            chain: Vec::new(),
            zones: Vec::new(),
        };
        let judgement = job.judge(question, &message).await;
        let security = judgement.reason.security();
        let message = message.after(&judgement.sets, security);
        let sets = judgement.sets.into_iter().map(|(set, _)| set).collect();
        Validated {
            security,
            reason: judgement.reason,
            sets,
            open: judgement.open,
            chain: job.chain,
            message,
        }
    }

    pub(crate) fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time by which signatures are judged, modulo 2^32 (RFC 4034 3.1.5).
    fn seconds(&self, host: &Host) -> u32 {
        let seconds = self.limits.at.unwrap_or_else(|| host.wall()).unix_seconds();
        u32::try_from(seconds & u64::from(u32::MAX)).unwrap_or(u32::MAX)
    }
}
