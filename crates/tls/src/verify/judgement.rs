//! What comes out of a judgement.

use crate::problem::CertificateProblem;
use glasstack_journal::event::Verdict;
use serde::Serialize;

/// Whether a certificate is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is.
    Accept,
    /// It is not.
    #[default]
    Reject,
}

/// A judgement with everything that was looked at.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Whether the certificate is taken.
    pub verdict: Decision,
    /// Why not: the first check that failed.
    pub problem: Option<CertificateProblem>,
    /// Every check, in the order in which they are told.
    pub checks: Vec<Check>,
    /// The path that was judged: the peer's own certificate first, the anchor not among them. Of a
    /// certificate that is refused, the one that came farthest.
    pub path: Vec<Link>,
    /// All paths that were tried, the one that was taken included.
    pub paths_tried: Vec<PathTried>,
    /// The trust anchor at which the path ends.
    pub anchor: Option<Anchor>,
}

/// One check of one certificate, or of all of them.
#[derive(Clone, Debug)]
pub struct Check {
    /// Which, as `chain`, `signature`, `validity`, `name`.
    pub check: &'static str,
    /// Which certificate, if it is about one.
    pub certificate: Option<String>,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen, in words.
    pub evidence: String,
    /// What demands it, as `RFC 5280 4.1.2.5`.
    pub rfc: &'static str,
    /// Why it failed.
    pub problem: Option<CertificateProblem>,
}

/// A certificate and who vouches for it: all that revocation needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What to call it.
    pub label: String,
    /// The certificate (DER).
    pub certificate: Vec<u8>,
    /// The issuer's name (DER, the whole `SEQUENCE`).
    pub issuer: Vec<u8>,
    /// The issuer's key (DER, the whole SubjectPublicKeyInfo).
    pub issuer_key: Vec<u8>,
}

/// One path, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathTried {
    /// Its certificates, the peer's own first, and the anchor, if it came to one.
    pub certificates: Vec<String>,
    /// Why it does not hold; nothing when it is the one that was taken.
    pub why_not: Option<String>,
}

/// Who is believed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anchor {
    /// The subject.
    pub subject: String,
    /// Where it came from, as `--cacert lab.pem`.
    pub origin: String,
    /// SHA-256 of the certificate in hex, where the whole certificate is known.
    pub fingerprint: Option<String>,
}

impl Check {
    /// A check that holds.
    pub fn passed(check: &'static str, rfc: &'static str, evidence: impl Into<String>) -> Self {
        Self {
            check,
            certificate: None,
            verdict: Verdict::Passed,
            evidence: evidence.into(),
            rfc,
            problem: None,
        }
    }

    /// A check that was not made.
    pub fn skipped(check: &'static str, rfc: &'static str, why: impl Into<String>) -> Self {
        Self { check, certificate: None, verdict: Verdict::Skipped, evidence: why.into(), rfc, problem: None }
    }

    /// A check that failed.
    pub fn failed(check: &'static str, rfc: &'static str, problem: CertificateProblem) -> Self {
        let evidence = problem.to_string();
        Self { check, certificate: None, verdict: Verdict::Failed, evidence, rfc, problem: Some(problem) }
    }

    /// The same, of one certificate.
    pub fn of(self, certificate: impl Into<String>) -> Self {
        Self { certificate: Some(certificate.into()), ..self }
    }
}
