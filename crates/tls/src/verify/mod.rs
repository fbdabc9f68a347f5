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

pub use judgement::{Anchor, Check, Decision, Judgement, Link, PathTried};
pub use names::Name;
pub use usage::KeyPurpose;

use crate::problem::CertificateProblem;
use crate::revocation::{
    Cause, Demand, Outcome, Question, RevocationConfig, RevocationProblem, ShownLists,
};
use crate::trust::TrustStore;
use glasstack_journal::event::Verdict;
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
    /// Enforces also what is otherwise only told (see the list above). Off.
    pub strict: bool,
    /// What is demanded of revocation, and the lists and answers that are given. What would have to be
    /// fetched is not.
    pub revocation: RevocationConfig,
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
            strict: false,
            revocation: RevocationConfig::default(),
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

    /// Judges `chain` (the peer's own certificate first) at `time` (Unix seconds), with every check
    /// explained. It must be for all of `names`; with none of them the name is not checked, and that
    /// is said.
    pub fn judge(&self, chain: &[CertificateDer<'_>], names: &[Name], time: i64) -> Judgement {
        let mut judgement = self.examine(chain, names, time);
        if judgement.is_accepted() {
            let mut revoked = self.revoked(&judgement.path, time);
            if !self.asks_about_revocation() {
                pass_over_unreadable(&mut revoked);
            }
            judgement.add(
                revoked.checks,
                revoked.problem.map(CertificateProblem::from),
            );
        }
        judgement
    }

    /// The same before revocation, but for lists that webpki has looked at.
    pub(crate) fn examine(
        &self,
        chain: &[CertificateDer<'_>],
        names: &[Name],
        time: i64,
    ) -> Judgement {
        explain::explain(
            self,
            chain,
            names,
            time,
            decide::decide(self, chain, names, time),
        )
    }

    fn asks_about_revocation(&self) -> bool {
        let RevocationConfig {
            policy,
            lists,
            answers,
            ..
        } = &self.revocation;
        policy.crl != Demand::Off
            || policy.ocsp != Demand::Off
            || lists.is_some()
            || !answers.is_empty()
    }

    /// What is known of the revocation of a path.
    fn revoked(&self, path: &[Link], now: i64) -> Outcome {
        let (policy, algorithms) = (self.revocation.policy, self.algorithms.all);
        let question = Question {
            path,
            purpose: self.purpose,
            policy,
            algorithms,
            now,
        };
        question.judge(&self.revocation.known())
    }

    /// The same decision without explanation, as cheap as webpki alone.
    pub fn accepts(&self, chain: &[CertificateDer<'_>], names: &[Name], time: i64) -> bool {
        decide::decide(self, chain, names, time).is_ok()
    }

    /// The path of a chain that is accepted: what revocation is asked about.
    pub fn links(
        &self,
        chain: &[CertificateDer<'_>],
        names: &[Name],
        time: i64,
    ) -> Option<Vec<Link>> {
        let taken = decide::decide(self, chain, names, time).ok()?;
        let shown = Reading::chain(self.purpose, chain);
        let root = self.trust.all().nth(taken.root)?;
        Some(explain::links(&shown, &taken.certificates, Some(&root)))
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

/// Where nobody asks about revocation, it does not matter that a certificate cannot say anything about
/// its own.
fn pass_over_unreadable(outcome: &mut Outcome) {
    let unreadable =
        |problem: &RevocationProblem| matches!(problem.cause, Cause::Unreadable { .. });
    outcome.problem.take_if(|problem| unreadable(problem));
    for check in &mut outcome.checks {
        if matches!(&check.problem, Some(CertificateProblem::Revocation(problem)) if unreadable(problem))
        {
            check.verdict = Verdict::Skipped;
            check.problem = None;
        }
    }
}
