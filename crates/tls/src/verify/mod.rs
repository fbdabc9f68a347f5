//! The judge around webpki: decides by webpki's word, and shows each check like a line of a proof.
//!
//! ```text
//!   decide ---- webpki: a path, its signatures, dates, limits, uses; the name
//!     |             and, of each path that webpki would take, `rules` that it leaves out
//!     |
//!   yes: that is all, where nobody watches
//!   no, or somebody watches:
//!     `path` (which ways there are) -> `signature`, `dates`, `constraints`, `usage`,
//!     `name_constraints`, `names`, `rules` (each certificate, each check) -> `judgement`
//! ```
//!
//! Everything in here is a pure function of what it is given: certificates, trust, a name, a time.
//! Nothing is fetched. webpki's yes is necessary: where it says no and no check here finds why, the
//! code is `webpki`.
//!
//! ## What is refused though webpki accepts it
//!
//! - the root itself, where its certificate is known: out of its dates, no CA's, without keyCertSign in
//!   a key usage that it has, with fewer CAs below it than there are, with a critical extension that
//!   nobody understands;
//! - a CA's key usage without keyCertSign, a server's or client's own without digitalSignature, or with
//!   keyCertSign though it is no CA's;
//! - a key that TLS could not use: RSA of fewer than 2048 bits or of an odd length, DSA, curves that
//!   are not spoken;
//! - an extension twice, one of those that decide (`rules`) unreadable, a key identifier or an authority
//!   information access that is critical; no issuer, a CA without a subject; name constraints in a
//!   certificate that is no CA's, or of nothing.
//!
//! ## What is only told, unless [`Verifier::strict`]
//!
//! What private CAs get wrong every day and no browser minds: key identifiers that are missing or say
//! too much, a serial number that is zero, negative or longer than 20 bytes, basic constraints that are
//! not critical, subject alternative names that are critical beside a subject or are not without one, a
//! name constraint that begins with a dot.
//!
//! ## What webpki refuses though RFC 5280 would have it accepted
//!
//! A CA's certificate as a server's own; names that differ in case or spaces though they are the same
//! (RFC 5280 7.1); limits on directory names, mailboxes and URIs, even when they are kept; self-issued
//! certificates are not excused from path lengths and name constraints; certificate policies that are
//! critical; more than 6 CAs between; SHA-1; anyExtendedKeyUsage in place of serverAuth.

pub mod case;
mod constraints;
mod dates;
mod decide;
mod explain;
mod judgement;
mod name_constraints;
mod names;
mod path;
mod reading;
mod rules;
mod signature;
mod usage;
mod ways;

pub(crate) use decide::{Refused, Taken};
pub use judgement::{Anchor, Check, Decision, Judgement, Link, PathTried};
pub use names::Name;
pub use usage::KeyPurpose;

use crate::problem::CertificateProblem;
use crate::revocation::{Demand, Outcome, Question, RevocationConfig, ShownLists, Staple};
use crate::trust::TrustStore;
use reading::Reading;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;

/// What a certificate is shown for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A server's own, shown to a client: `serverAuth`.
    #[default]
    Server,
    /// A client's own, shown to a server: `clientAuth`.
    Client,
}

/// Judges certificates of one purpose by one trust.
#[derive(Clone)]
pub struct Verifier {
    /// Whose word counts.
    pub trust: TrustStore,
    /// What the certificates are shown for.
    pub purpose: Purpose,
    /// The signatures that can be verified.
    pub algorithms: WebPkiSupportedAlgorithms,
    /// How many certificates may stand between the first and the root. As many as webpki takes (6).
    pub max_depth: Option<usize>,
    /// How many of the certificates the peer has shown, where others are put behind them that may help:
    /// those are told as intermediates. All.
    pub shown_by_peer: Option<usize>,
    /// Enforces also what is otherwise only told (see the list above). Off.
    pub strict: bool,
    /// What is demanded of revocation, and the lists and answers that are given. What would have to be
    /// fetched is not.
    revocation: RevocationConfig,
    /// What came with the certificate.
    staple: Staple,
    any_path: bool,
    /// The lists, as webpki reads them.
    shown: Arc<ShownLists>,
    /// In place of the purpose's own: extended key usages, of which the certificate must have one
    /// unless it says nothing. None: what the purpose asks for.
    pub key_purposes: Vec<KeyPurpose>,
    /// Key usages (by the names of RFC 5280 4.2.1.3) that the certificate must have, unless it says
    /// nothing. None: digitalSignature, for TLS.
    pub key_usages: Vec<String>,
}

impl Verifier {
    /// Judges by `trust` for `purpose`, with the signature algorithms of a provider
    /// ([`crate::provider()`]).
    pub fn new(trust: TrustStore, purpose: Purpose, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self {
            trust,
            purpose,
            algorithms,
            max_depth: None,
            shown_by_peer: None,
            strict: false,
            revocation: RevocationConfig::default(),
            staple: Staple::NotAsked,
            any_path: false,
            shown: Arc::default(),
            key_purposes: Vec::new(),
            key_usages: Vec::new(),
        }
    }

    /// Judges revocation, too. Lists that are given must cover the whole path; webpki looks at them
    /// itself, as far as it takes them.
    #[must_use]
    pub fn with_revocation(mut self, revocation: RevocationConfig) -> Self {
        self.shown = Arc::new(ShownLists::new(revocation.lists.as_ref()));
        self.revocation = revocation;
        self
    }

    /// Judges with what the server stapled to its certificate in the handshake in which the chain was
    /// shown ([`crate::SessionInfo::staple`]), or that it stapled nothing.
    #[must_use]
    pub fn with_staple(self, staple: Staple) -> Self {
        Self { staple, ..self }
    }

    /// Judges `chain` (the peer's own certificate first) at `time` (Unix seconds), with every check
    /// explained. It must be for all of `names`; with none of them the name is not checked, and that
    /// is said.
    pub fn judge(&self, chain: &[CertificateDer<'_>], names: &[Name], time: i64) -> Judgement {
        self.judge_stapled(chain, names, time, &self.staple)
    }

    pub(crate) fn judge_stapled(
        &self,
        chain: &[CertificateDer<'_>],
        names: &[Name],
        time: i64,
        staple: &Staple,
    ) -> Judgement {
        let mut judgement = self.examine(chain, names, time);
        if judgement.is_accepted() {
            let revoked = self.revoked(&judgement.path, time, staple);
            judgement.add(revoked.checks, revoked.problem.map(CertificateProblem::from));
        }
        judgement
    }

    /// The same before revocation, but for lists that webpki has looked at.
    fn examine(&self, chain: &[CertificateDer<'_>], names: &[Name], time: i64) -> Judgement {
        self.explain(chain, names, time, self.decide(chain, names, time))
    }

    /// The decision before revocation, but for lists that webpki has looked at: webpki's, and little more
    /// work than its own.
    pub(crate) fn decide(
        &self,
        chain: &[CertificateDer<'_>],
        names: &[Name],
        time: i64,
    ) -> Result<Taken, Refused> {
        decide::decide(self, chain, names, time)
    }

    /// A decision, explained.
    pub(crate) fn explain(
        &self,
        chain: &[CertificateDer<'_>],
        names: &[Name],
        time: i64,
        decision: Result<Taken, Refused>,
    ) -> Judgement {
        explain::explain(self, chain, names, time, decision)
    }

    fn asks_about_revocation(&self) -> bool {
        let RevocationConfig { policy, lists, answers, .. } = &self.revocation;
        policy.crl != Demand::Off || policy.ocsp != Demand::Off || lists.is_some() || !answers.is_empty()
    }

    /// What is known of the revocation of a path.
    fn revoked(&self, path: &[Link], now: i64, staple: &Staple) -> Outcome {
        let (policy, algorithms) = (self.revocation.policy, self.algorithms.all);
        let question = Question { path, purpose: self.purpose, policy, algorithms, now };
        question.judge(&self.revocation.known().stapled(staple.clone()))
    }

    /// The decision without explanation, nearly as cheap as webpki alone, and without what
    /// [`Verifier::judge`] asks about revocation: given lists count as far as webpki takes them, and
    /// nothing else of it does.
    pub fn accepts_but_for_revocation(
        &self,
        chain: &[CertificateDer<'_>],
        names: &[Name],
        time: i64,
    ) -> bool {
        self.decide(chain, names, time).is_ok()
    }

    /// What revocation is asked about: the path that was taken, or else one that is found now.
    pub(crate) fn path(
        &self,
        chain: &[CertificateDer<'_>],
        taken: Option<&Taken>,
        time: i64,
    ) -> Option<Vec<Link>> {
        match taken.cloned().map_or_else(|| self.decide(chain, &[], time), Ok) {
            Ok(taken) => {
                let shown = Reading::chain(self, chain);
                let root = self.trust.all().nth(taken.root)?;
                Some(explain::links(&shown, &taken.certificates, Some(&root)))
            }
            Err(refused) if self.any_path => {
                let judgement = self.explain(chain, &[], time, Err(refused));
                judgement.anchor.is_some().then_some(judgement.path)
            }
            Err(_) => None,
        }
    }

    /// Revocation is asked about any path that leads to a root, even of a chain that is refused.
    pub(crate) fn with_any_path(self) -> Self {
        Self { any_path: true, ..self }
    }

    fn purposes(&self) -> Vec<KeyPurpose> {
        if self.key_purposes.is_empty() {
            vec![KeyPurpose::of(self.purpose)]
        } else {
            self.key_purposes.clone()
        }
    }

    /// What the key of the peer's own certificate is used for: in TLS, to sign.
    fn key_usage(&self) -> Vec<String> {
        let tls = [KeyPurpose::SERVER_AUTH, KeyPurpose::CLIENT_AUTH];
        let mut wanted = self.key_usages.clone();
        if self.purposes().iter().any(|purpose| tls.contains(purpose)) {
            wanted.push("digitalSignature".to_owned());
        }
        wanted
    }
}
