//! What comes out of a judgement.

use crate::problem::CertificateProblem;
use glasstack_journal::event::Verdict;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use std::fmt;

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
    /// The issuer's certificate (DER), where it is known: of roots that are compiled in it is not.
    pub issuer_certificate: Option<Vec<u8>>,
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
    /// Its own last second (RFC 3339), where the whole certificate is known.
    pub not_after: Option<String>,
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

impl Judgement {
    /// Whether the certificate is taken.
    pub fn is_accepted(&self) -> bool {
        self.verdict == Decision::Accept
    }

    /// A refusal without a judgement: nothing could be judged.
    pub fn refusal(problem: CertificateProblem) -> Self {
        Self { problem: Some(problem), ..Self::default() }
    }

    /// Adds checks that were made later, as those of revocation, and refuses for what they found, unless
    /// it is refused already.
    pub fn add(&mut self, checks: Vec<Check>, problem: Option<CertificateProblem>) {
        if self.is_accepted() && problem.is_some() {
            self.verdict = Decision::Reject;
            self.problem = problem;
        }
        self.checks.extend(checks);
    }

    /// The checks of one kind together in one, in the order of the first of each; those that were
    /// skipped apart from the others. One that failed makes the whole of its kind fail, and is told
    /// first.
    pub fn by_kind(&self) -> Vec<Check> {
        let mut merged: Vec<Check> = Vec::new();
        for check in &self.checks {
            let skipped = check.verdict == Verdict::Skipped;
            let same = |other: &&mut Check| {
                other.check == check.check && skipped == (other.verdict == Verdict::Skipped)
            };
            match merged.iter_mut().find(same) {
                Some(other) if other.problem.is_none() && check.problem.is_some() => {
                    let evidence = format!("{}; {}", check.evidence, other.evidence);
                    *other = Check { evidence, ..check.clone() };
                }
                Some(other) => {
                    other.evidence.push_str("; ");
                    other.evidence.push_str(&check.evidence);
                    other.certificate = other.certificate.take().filter(|_| other.problem.is_some());
                }
                None => merged.push(check.clone()),
            }
        }
        merged
    }
}

/// `{"verdict": "accept" or "reject", "code": ..., "message": ..., "checks": [...], ...}`.
impl Serialize for Judgement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let labels: Vec<&str> = self.path.iter().map(|link| link.label.as_str()).collect();
        let mut fields = serializer.serialize_struct("Judgement", 7)?;
        fields.serialize_field("verdict", &self.verdict)?;
        fields.serialize_field("code", &self.problem.as_ref().map(CertificateProblem::code))?;
        fields.serialize_field("message", &self.problem.as_ref().map(ToString::to_string))?;
        fields.serialize_field("checks", &self.checks)?;
        fields.serialize_field("path", &labels)?;
        fields.serialize_field("anchor", &self.anchor)?;
        fields.serialize_field("paths_tried", &self.paths_tried)?;
        fields.end()
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Check", 6)?;
        fields.serialize_field("check", self.check)?;
        fields.serialize_field("certificate", &self.certificate)?;
        fields.serialize_field("verdict", &self.verdict)?;
        fields.serialize_field("evidence", &self.evidence)?;
        fields.serialize_field("rfc", self.rfc)?;
        fields.serialize_field("code", &self.problem.as_ref().map(CertificateProblem::code))?;
        fields.end()
    }
}

/// As a proof is read: the outcome, then certificate by certificate a line a check, then what concerns
/// all of them, then the other paths.
impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            None => writeln!(f, "accepted")?,
            Some(problem) => writeln!(f, "REJECTED ({}): {problem}", problem.code())?,
        }
        let mut about: Vec<&str> = Vec::new();
        for certificate in self.checks.iter().filter_map(|check| check.certificate.as_deref()) {
            if !about.contains(&certificate) {
                about.push(certificate);
            }
        }
        for certificate in about {
            writeln!(f, "\n{certificate}")?;
            let checks = self.checks.iter().filter(|check| check.certificate.as_deref() == Some(certificate));
            checks.into_iter().try_for_each(|check| line(f, check))?;
        }
        if self.checks.iter().any(|check| check.certificate.is_none()) {
            writeln!(f, "\nthe whole")?;
            let checks = self.checks.iter().filter(|check| check.certificate.is_none());
            checks.into_iter().try_for_each(|check| line(f, check))?;
        }
        if let Some(anchor) = &self.anchor {
            write!(f, "\ntrusted: {} ({})", anchor.subject, anchor.origin)?;
            if let Some(fingerprint) = &anchor.fingerprint {
                write!(f, ", SHA-256 {fingerprint}")?;
            }
            writeln!(f)?;
        }
        if self.paths_tried.len() > 1 {
            writeln!(f, "\npaths tried")?;
            for path in &self.paths_tried {
                let why = path.why_not.as_deref().unwrap_or("taken");
                writeln!(f, "  {}: {why}", path.certificates.join(" <- "))?;
            }
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, check: &Check) -> fmt::Result {
    writeln!(f, "  {:<7} {:<22} {} [{}]", check.verdict.to_string(), check.check, check.evidence, check.rfc)
}
