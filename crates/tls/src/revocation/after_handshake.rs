//! The one place that waits for revocation: behind the handshake, before the first byte of the
//! application.

use super::config::RevocationConfig;
use super::facts::{self, Facts};
use super::judge::{Missing, Question, Stapled, Subject, Weighed};
use super::known::{Found, Kind, Known, Origin, Staple};
use super::policy::Demand;
use super::problem::{Cause, RevocationProblem};
use super::source::{FetchBody, FetchError, FetchRequest};
use super::{by_list, by_ocsp};
use crate::problem::CertificateProblem;
use crate::verify::{Check, Link, Purpose, Taken, Verifier};
use glasstack_journal::event::{Note, Tls};
use glasstack_journal::{Instant, Scope};
use glasstack_stack::Entropy;
use rustls::pki_types::CertificateDer;
use rustls::{CommonState, HandshakeKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a list may be that is fetched, in bytes: 16 MiB.
const MAX_LIST: usize = 16 << 20;
/// How much may be fetched for one connection, in bytes: 48 MiB.
const MAX_FETCHED: usize = 3 * MAX_LIST;
/// How long an OCSP answer may be, in bytes: 128 KiB, certificates of the responder included.
const MAX_ANSWER: usize = 128 << 10;
/// How long one fetch may take: 10 s.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long all fetches for one connection may take together: 30 s.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many lists, and how many places for each, are tried for one certificate.
const MAX_TRIES: usize = 4;
/// RFC 9654 2.1: 32 bytes.
const NONCE: usize = 32;
/// RFC 5019 5: how long a request by GET may be, in bytes of its URL.
const MAX_GET: usize = 255;

/// What one client or server asks about each peer, once the handshake is over.
#[derive(Clone)]
pub(crate) struct AfterHandshake {
    pub(crate) config: RevocationConfig,
    /// Finds the path that was accepted.
    pub(crate) verifier: Verifier,
    /// Where nonces come from.
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl AfterHandshake {
    /// Judges the revocation of the peer of a finished handshake, fetching what is missing and may be
    /// fetched. Every check is told in `scope`. Nobody who showed nothing is judged.
    ///
    /// `remembered` is what was stapled when the session was made that is taken up. What comes back is
    /// what was stapled this time, if the certificate is worth nothing without.
    pub(crate) async fn check_peer(
        &self,
        scope: &Scope,
        peer: Peer,
        staple: Staple,
        remembered: Option<NeededStaple>,
    ) -> Result<Option<NeededStaple>, CertificateProblem> {
        let chain = peer.chain.as_slice();
        if !self.concerns(chain, &staple) {
            return Ok(None);
        }
        let now = unix_seconds(scope);
        let path = self.verifier.path(chain, peer.taken.as_ref(), now).unwrap_or_default();
        let question = Question {
            path: &path,
            purpose: self.verifier.purpose,
            policy: self.config.policy,
            algorithms: self.verifier.algorithms.all,
            now,
        };
        if path.is_empty() {
            let problem = no_path();
            let check = Check::failed("crl", "RFC 5280 6.3", problem.clone());
            tell(scope, &[check]);
            return Err(problem);
        }
        let mut known = Known { staple, ..self.config.known() };
        if known.staple == Staple::Resumed {
            self.remember(&question, &mut known, remembered);
        }
        let mut outcome = question.judge(&known);
        let is_revoked = outcome.problem.as_ref().is_some_and(RevocationProblem::is_revoked);
        if !is_revoked && !outcome.missing.is_empty() {
            let search = Search::new(self, scope, &question);
            for missing in &outcome.missing {
                search.look_for(missing, &mut known).await;
            }
            outcome = question.judge(&known);
        }
        tell(scope, &outcome.checks);
        match outcome.problem {
            Some(problem) => Err(problem.into()),
            None => Ok(self.keep_staple(&question, known.staple, outcome.stapled)),
        }
    }

    /// Whether something is demanded of every peer, whatever its certificate says: then nothing may be
    /// sent to one before it is judged.
    pub(crate) fn demands(&self) -> bool {
        let RevocationConfig { policy, lists, answers, .. } = &self.config;
        policy.crl != Demand::Off
            || policy.ocsp != Demand::Off
            || (policy.staple == Demand::Require && self.verifier.purpose == Purpose::Server)
            || lists.is_some()
            || !answers.is_empty()
    }

    /// Whether there is anything to judge at all: mostly there is not, and then it costs nothing.
    fn concerns(&self, chain: &[CertificateDer<'_>], staple: &Staple) -> bool {
        let stapled = self.verifier.purpose == Purpose::Server
            && self.config.policy.staple != Demand::Off
            && matches!(staple, Staple::Present(_));
        // RFC 7633: must-staple, and what issuers demand.
        !chain.is_empty()
            && (self.demands() || stapled || chain.iter().any(|one| facts::may_have_features(one)))
    }

    /// A resumed session brings no answer: the one of the first time is remembered while it is good.
    fn remember(&self, question: &Question<'_>, known: &mut Known, remembered: Option<NeededStaple>) {
        let cached =
            question.subject(0).and_then(|subject| self.config.cache.answer(&subject.asked(), question.now));
        for der in cached.into_iter().chain(remembered.map(|staple| staple.der)) {
            known.add(Kind::Ocsp, Found::new(der, Origin::Cached).about(0));
        }
    }

    /// Keeps an answer that was judged and is good; gives it back where it is needed.
    fn keep_staple(
        &self,
        question: &Question<'_>,
        staple: Staple,
        good: Option<Stapled>,
    ) -> Option<NeededStaple> {
        let (Staple::Present(der), Some(good)) = (staple, good) else { return None };
        let der: Arc<[u8]> = der.into();
        if let Some(subject) = question.subject(0) {
            self.config.cache.keep_answer(&subject.asked(), &der);
        }
        good.is_needed.then_some(NeededStaple { der, until: good.until })
    }
}

/// A stapled answer without which a session cannot be taken up.
#[derive(Clone, Debug)]
pub(crate) struct NeededStaple {
    pub(crate) der: Arc<[u8]>,
    /// Unix seconds.
    pub(crate) until: i64,
}

/// The world's time in Unix seconds.
pub(crate) fn unix_seconds(scope: &Scope) -> i64 {
    i64::try_from(scope.wall().unix_seconds()).unwrap_or(i64::MAX)
}

/// Whom a connection leads to, taken out of it: nothing of it is borrowed while others are asked.
pub(crate) struct Peer {
    chain: Vec<CertificateDer<'static>>,
    resumed: bool,
    /// The path that was taken, if its certificate was judged in this handshake.
    taken: Option<Taken>,
}

impl Peer {
    pub(crate) fn of(connection: &CommonState, taken: Option<Taken>) -> Self {
        let chain = connection.peer_certificates().unwrap_or_default();
        Self {
            chain: chain.iter().map(|one| one.clone().into_owned()).collect(),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
            taken,
        }
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed
    }
}

/// The search for one thing that is missing.
struct Search<'a> {
    ours: &'a AfterHandshake,
    scope: &'a Scope,
    question: &'a Question<'a>,
    deadline: Instant,
    /// How many bytes more may be fetched.
    left: AtomicUsize,
}

/// How one place did.
enum Tried {
    /// It gave what settles the matter.
    Settled,
    /// It gave something that does not.
    Useless(Found, String),
    /// It gave nothing.
    Failed(String),
}

impl<'a> Search<'a> {
    fn new(ours: &'a AfterHandshake, scope: &'a Scope, question: &'a Question<'a>) -> Self {
        Self { ours, scope, question, deadline: scope.now() + PATIENCE, left: AtomicUsize::new(MAX_FETCHED) }
    }
}

impl Search<'_> {
    /// Adds to `known` what settles the matter, or else the first thing that does not, so that the
    /// judge can say why.
    async fn look_for(&self, missing: &Missing, known: &mut Known) {
        let Some(subject) = self.question.subject(missing.index) else { return };
        let mut attempts = Vec::new();
        for places in missing.places.iter().take(MAX_TRIES) {
            if self.take_cached(&subject, missing.kind, places, known) {
                if self.is_enough(&subject, missing.kind, known) {
                    break;
                }
                continue;
            }
            let mut useless = None;
            let mut settled = false;
            for url in places.iter().take(MAX_TRIES) {
                let tried = match missing.kind {
                    Kind::Crl => self.list(&subject, url, known).await,
                    Kind::Ocsp => self.answer(&subject, url, known).await,
                };
                match tried {
                    Tried::Settled => settled = true,
                    Tried::Useless(found, why) => {
                        attempts.push(format!("{}: {why}", shown(url)));
                        useless.get_or_insert(found);
                    }
                    Tried::Failed(why) => attempts.push(format!("{}: {why}", shown(url))),
                }
                if settled {
                    break;
                }
            }
            if let (false, Some(found)) = (settled, useless) {
                known.add(missing.kind, found);
            }
            if settled && self.is_enough(&subject, missing.kind, known) {
                break;
            }
        }
        known.attempts.insert((missing.index, missing.kind), attempts);
    }

    /// Whether nothing more is needed: several lists may each be about some reasons only.
    fn is_enough(&self, subject: &Subject<'_>, kind: Kind, known: &Known) -> bool {
        let (algorithms, now) = (self.question.algorithms, self.question.now);
        match kind {
            Kind::Ocsp => true,
            Kind::Crl => matches!(
                by_list::weigh(subject, &known.lists, algorithms, now),
                Weighed::Good(_) | Weighed::Bad(Cause::RevokedByCrl { .. })
            ),
        }
    }

    /// Whether the cache settles it.
    fn take_cached(&self, subject: &Subject<'_>, kind: Kind, places: &[String], known: &mut Known) -> bool {
        let (cache, now) = (&self.ours.config.cache, self.question.now);
        let found = |der| Found::new(der, Origin::Cached).about(subject.index);
        let cached = match kind {
            Kind::Crl => places.iter().find_map(|url| cache.list(url, now)).map(found),
            Kind::Ocsp => cache.answer(&subject.asked(), now).map(found),
        };
        match cached {
            Some(found) if self.weigh(subject, kind, &found).is_ok() => {
                known.add(kind, found);
                true
            }
            _ => false,
        }
    }

    async fn list(&self, subject: &Subject<'_>, url: &str, known: &mut Known) -> Tried {
        let bytes = match self.fetch(url.to_owned(), None, MAX_LIST).await {
            Ok(bytes) => bytes,
            Err(error) => return Tried::Failed(error.to_string()),
        };
        let found = self.found(subject, url, bytes, None);
        match self.weigh(subject, Kind::Crl, &found) {
            Ok(()) => {
                self.ours.config.cache.keep_list(url, &found.der);
                known.add(Kind::Crl, found);
                Tried::Settled
            }
            Err(why) => Tried::Useless(found, why),
        }
    }

    /// RFC 5019 5: by GET, which can be answered from a cache on the way, if it is short enough and no
    /// nonce is needed; and if that gives nothing of use, by POST, with a nonce.
    async fn answer(&self, subject: &Subject<'_>, url: &str, known: &mut Known) -> Tried {
        let asked = subject.asked();
        let mut by_get = None;
        if !self.question.policy.nonce
            && let Ok(request) = asked.request(None)
            && let Some(whole) = get_url(url, &request)
        {
            match self.fetch(whole, None, MAX_ANSWER).await {
                Ok(bytes) => match self.settle(subject, self.found(subject, url, bytes, None), known) {
                    Tried::Settled => return Tried::Settled,
                    tried => by_get = Some(tried),
                },
                // Who cannot be reached cannot be reached by POST either.
                Err(error @ FetchError::Status { .. }) => by_get = Some(Tried::Failed(error.to_string())),
                Err(error) => return Tried::Failed(error.to_string()),
            }
        }
        let mut nonce = vec![0; NONCE];
        self.ours.entropy.fill(&mut nonce);
        let Ok(bytes) = asked.request(Some(&nonce)) else {
            return Tried::Failed("the issuer's key cannot be read".to_owned());
        };
        let body = FetchBody { media_type: "application/ocsp-request", bytes };
        match self.fetch(url.to_owned(), Some(body), MAX_ANSWER).await {
            Ok(bytes) => self.settle(subject, self.found(subject, url, bytes, Some(nonce)), known),
            Err(error) => match by_get {
                Some(tried @ Tried::Useless(..)) => tried,
                _ => Tried::Failed(error.to_string()),
            },
        }
    }

    fn settle(&self, subject: &Subject<'_>, found: Found, known: &mut Known) -> Tried {
        match self.weigh(subject, Kind::Ocsp, &found) {
            Ok(()) => {
                self.ours.config.cache.keep_answer(&subject.asked(), &found.der);
                known.add(Kind::Ocsp, found);
                Tried::Settled
            }
            Err(why) => Tried::Useless(found, why),
        }
    }

    /// Whether it settles the matter, one way or the other; and why not.
    fn weigh(&self, subject: &Subject<'_>, kind: Kind, found: &Found) -> Result<(), String> {
        let (algorithms, now) = (self.question.algorithms, self.question.now);
        let weighed = match kind {
            Kind::Crl => by_list::weigh_one(subject, found, algorithms, now).map(drop),
            Kind::Ocsp => {
                by_ocsp::weigh_one(subject, found, self.question.policy.nonce, algorithms, now).map(drop)
            }
        };
        match weighed {
            Ok(()) | Err(Cause::RevokedByCrl { .. } | Cause::RevokedByOcsp { .. }) => Ok(()),
            Err(cause) => Err(cause.to_string()),
        }
    }

    fn found(&self, subject: &Subject<'_>, url: &str, bytes: Vec<u8>, nonce: Option<Vec<u8>>) -> Found {
        let found = Found::new(bytes.into(), Origin::Fetched(shown(url))).about(subject.index);
        Found { nonce, ..found }
    }

    async fn fetch(
        &self,
        url: String,
        body: Option<FetchBody>,
        max_bytes: usize,
    ) -> Result<Vec<u8>, FetchError> {
        let Some(source) = &self.ours.config.source else { return Err(FetchError::Nobody) };
        let place = shown(&url);
        let timeout = TIMEOUT.min(self.deadline.since(self.scope.now()));
        let max_bytes = max_bytes.min(self.left.load(Ordering::Relaxed));
        let request = FetchRequest { url, body, max_bytes, timeout };
        let fetched = if timeout.is_zero() {
            Err(FetchError::TimedOut { limit: PATIENCE })
        } else if max_bytes == 0 {
            Err(FetchError::TooMuch { limit: MAX_FETCHED })
        } else {
            source.fetch(self.scope, request).await
        };
        if let Ok(bytes) = &fetched {
            self.left.fetch_sub(bytes.len().min(max_bytes), Ordering::Relaxed);
        }
        if let Err(error) = &fetched {
            self.scope.record(|| Note::info(format!("revocation: {place}: {error}")));
        }
        fetched
    }
}

impl Question<'_> {
    /// A certificate of the path, read.
    pub(crate) fn subject(&self, index: usize) -> Option<Subject<'_>> {
        let link: &Link = self.path.get(index)?;
        let facts = Facts::read(&link.certificate).ok()?;
        Some(Subject { index, link, facts, issuer_signs_lists: link.issuer_signs_lists() })
    }
}

/// RFC 6960 A.1: the request in base64 behind the URL, everything that a path cannot hold escaped.
fn get_url(url: &str, request: &[u8]) -> Option<String> {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(request);
    let text = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let whole = format!("{}/{text}", url.strip_suffix('/').unwrap_or(url));
    (whole.len() <= MAX_GET && !url.contains(['?', '#'])).then_some(whole)
}

/// A URL as it is told: a stranger wrote it.
fn shown(url: &str) -> String {
    const SHOWN: usize = 200;
    let short: String = url.chars().take(SHOWN).collect();
    short.escape_default().to_string()
}

fn no_path() -> CertificateProblem {
    CertificateProblem::from(RevocationProblem {
        certificate: "the chain".to_owned(),
        cause: Cause::Unreadable {
            why:
                "it leads to no trusted root any more (was a session resumed whose certificate has expired?)"
                    .to_owned(),
        },
        stapled: false,
    })
}

fn tell(scope: &Scope, checks: &[Check]) {
    for check in checks {
        scope.record(|| Tls::CertificateJudged {
            check: check.check,
            verdict: check.verdict,
            evidence: match &check.certificate {
                Some(certificate) if check.problem.is_none() => format!("{certificate}: {}", check.evidence),
                _ => check.evidence.clone(),
            },
        });
    }
}
