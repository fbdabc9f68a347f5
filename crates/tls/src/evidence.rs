//! What speaks for a server's certificate and against it: the chain it showed, and the checks that
//! explain webpki's decision.

use crate::certificate::{CertificateInfo, contents, rfc3339};
use crate::pin::{PinnedKeys, hash_of};
use crate::problem::{CertificateProblem, some_of};
use crate::revocation::{Entry, RevocationLists};
use crate::trust::TrustStore;
use glasstack_journal::Scope;
use glasstack_journal::event::{Tls, Verdict};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use std::fmt;
use std::time::Duration;

/// What a server showed, to whom, and when.
pub(crate) struct Shown<'a> {
    pub(crate) end_entity: &'a CertificateDer<'a>,
    pub(crate) intermediates: &'a [CertificateDer<'a>],
    pub(crate) name: &'a ServerName<'a>,
    pub(crate) now: UnixTime,
    pub(crate) chain: Vec<CertificateInfo>,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(
        end_entity: &'a CertificateDer<'a>,
        intermediates: &'a [CertificateDer<'a>],
        name: &'a ServerName<'a>,
        now: UnixTime,
    ) -> Self {
        let all = std::iter::once(end_entity).chain(intermediates);
        let chain = all.enumerate().map(|(index, der)| CertificateInfo::read(index, der)).collect();
        Self { end_entity, intermediates, name, now, chain }
    }

    /// The way from the server's certificate up by the issuers' names to one that is trusted, or,
    /// where none is, as far as it goes. Certificates sent beside it don't matter.
    pub(crate) fn path(&self, trust: &TrustStore) -> Path<'_> {
        let Some(own) = self.chain.first() else {
            return Path { certificates: Vec::new(), root: None };
        };
        // Depth first, each certificate once: a cross-signed one may have two issuers of one name.
        let mut seen = vec![own.index];
        let mut certificates = vec![own];
        let mut farthest = certificates.clone();
        while let Some(last) = certificates.last() {
            if trust.all().any(|root| root.anchor.subject.as_ref() == contents(&last.issuer_der)) {
                let root = Some(last.issuer.clone());
                return Path { certificates, root };
            }
            let issuer = self.chain.iter().find(|one| {
                one.unreadable().is_none() && one.subject_der == last.issuer_der && !seen.contains(&one.index)
            });
            match issuer {
                Some(issuer) => {
                    seen.push(issuer.index);
                    certificates.push(issuer);
                    if certificates.len() > farthest.len() {
                        farthest = certificates.clone();
                    }
                }
                None => drop(certificates.pop()),
            }
        }
        Path { certificates: farthest, root: None }
    }

    fn asked(&self) -> String {
        self.name.to_str().into_owned()
    }

    pub(crate) fn explain_chain(&self, error: &Error, path: &Path<'_>) -> CertificateProblem {
        let Some(last) = path.certificates.last() else {
            return self.explain(error);
        };
        let certificate = named(last);
        match error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer)
                if last.is_self_issued() && last.index == 0 =>
            {
                CertificateProblem::SelfSigned { certificate }
            }
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                let issuer = last.issuer.clone();
                if last.is_self_issued() {
                    CertificateProblem::UntrustedRoot { certificate, issuer }
                } else {
                    CertificateProblem::UnknownIssuer { certificate, issuer }
                }
            }
            Error::InvalidCertificate(CertificateError::BadSignature) => self.forged(path),
            _ => self.explain(error),
        }
    }

    /// Which signature is bad: webpki doesn't say, but a chain of two has only one.
    fn forged(&self, path: &Path<'_>) -> CertificateProblem {
        match path.certificates.as_slice() {
            [own] => CertificateProblem::BadSignature { certificate: named(own), issuer: own.issuer.clone() },
            all => CertificateProblem::BadSignature {
                certificate: format!(
                    "one of {}",
                    all.iter().map(|one| one.label()).collect::<Vec<_>>().join(", ")
                ),
                issuer: "its issuer".to_owned(),
            },
        }
    }

    pub(crate) fn explain(&self, error: &Error) -> CertificateProblem {
        match error {
            Error::InvalidCertificate(why) => CertificateProblem::webpki(why),
            other => CertificateProblem::webpki(other),
        }
    }
}

/// From the server's certificate towards a root.
pub(crate) struct Path<'a> {
    pub(crate) certificates: Vec<&'a CertificateInfo>,
    /// The trusted root it ends at, by name.
    pub(crate) root: Option<String>,
}

impl Path<'_> {
    /// The moment nearest to `now` at which all of them are valid: to judge the chain apart from the
    /// dates, which are judged on their own.
    pub(crate) fn common_time(&self, now: UnixTime) -> Option<UnixTime> {
        let from = self.certificates.iter().map(|one| one.not_before).max()?.max(0);
        let until = self.certificates.iter().map(|one| one.not_after).min()?;
        if from > until {
            return None;
        }
        let time = seconds(now).clamp(from, until);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time).ok()?)))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, certificate) in self.certificates.iter().enumerate() {
            write!(f, "{}{}", if step == 0 { "" } else { ", issued by " }, certificate.label())?;
        }
        match (&self.root, self.certificates.last()) {
            (Some(root), _) => write!(f, ", issued by the trusted root {root}"),
            (None, Some(last)) => write!(f, ", issued by {} (not trusted)", last.issuer),
            (None, None) => f.write_str("no certificate"),
        }
    }
}

/// RFC 5280 4.1.2.5.
pub(crate) fn validity(shown: &Shown<'_>, path: &Path<'_>, accepted: bool) -> Finding {
    const CHECK: &str = "validity";
    let now = seconds(shown.now);
    if !accepted {
        for one in path.certificates.iter().filter(|one| one.unreadable().is_none()) {
            let certificate = named(one);
            if now > one.not_after {
                let not_after = one.not_after;
                return Finding::failed(CHECK, CertificateProblem::Expired { certificate, not_after, now });
            }
            if now < one.not_before {
                let not_before = one.not_before;
                return Finding::failed(
                    CHECK,
                    CertificateProblem::NotYetValid { certificate, not_before, now },
                );
            }
        }
    }
    let Some(own) = path.certificates.first().filter(|own| own.unreadable().is_none()) else {
        return Finding::skipped(CHECK, "no dates to be read");
    };
    let others = match path.certificates.len() {
        0 | 1 => String::new(),
        2 => ", and so is the one above it".to_owned(),
        more => format!(", and so are the {} above it", more - 1),
    };
    let evidence = format!(
        "{} is valid from {} to {}, and it is now {}{others}",
        own.label(),
        own.valid_from(),
        own.valid_until(),
        rfc3339(now)
    );
    Finding::passed(CHECK, evidence)
}

/// RFC 9525 6: by the subject alternative names only, never by the common name.
pub(crate) fn name(shown: &Shown<'_>, accepted: bool) -> Finding {
    const CHECK: &str = "name";
    let own = shown.chain.first();
    let valid_for = own.map(|own| own.names.clone()).unwrap_or_default();
    let holds = accepted
        || ParsedCertificate::try_from(shown.end_entity)
            .and_then(|own| verify_server_name(&own, shown.name))
            .is_ok();
    if holds {
        let evidence = format!("{} is among the names {}", shown.asked(), some_of(&valid_for));
        return Finding::passed(CHECK, evidence);
    }
    if own.is_some_and(|own| own.unreadable().is_some()) {
        return Finding::skipped(CHECK, "no names to be read");
    }
    let asked = shown.asked();
    Finding::failed(
        CHECK,
        if valid_for.is_empty() {
            CertificateProblem::NoNames { asked, common_name: None }
        } else {
            CertificateProblem::WrongName { asked, valid_for }
        },
    )
}

/// RFC 5280 4.2.1.3, 4.2.1.9, 4.2.1.12.
pub(crate) fn usage(shown: &Shown<'_>, accepted: bool) -> Finding {
    const CHECK: &str = "usage";
    let Some(own) = shown.chain.first().filter(|own| own.unreadable().is_none()) else {
        return Finding::skipped(CHECK, "no uses to be read");
    };
    let wrong = |why: String| {
        Finding::failed(CHECK, CertificateProblem::WrongPurpose { certificate: named(own), why })
    };
    // RFC 8446 4.4.2.2, and for ECDHE in TLS 1.2 RFC 5246 7.4.2: "the digitalSignature bit MUST be
    // set if the Key Usage extension is present". webpki does not look.
    if own.usage.digital_signature == Some(false) {
        return wrong("its key usage lacks digitalSignature".to_owned());
    }
    if !accepted {
        if let Some((false, purposes)) = &own.usage.purposes {
            return wrong(format!("its extended key usage is {purposes}, without serverAuth"));
        }
        // RFC 5280 4.2.1.9 marks who may sign others; `openssl req -x509` marks every certificate.
        if own.usage.ca && own.is_self_issued() {
            return wrong(
                "it is marked as a CA's own (basic constraints: CA), as openssl's `req -x509` does unless it is told \
                 `-addext basicConstraints=critical,CA:FALSE`"
                    .to_owned(),
            );
        }
        if own.usage.ca {
            return wrong("it is a CA's own (basic constraints: CA)".to_owned());
        }
    }
    let key_usage = match own.usage.digital_signature {
        Some(_) => "digitalSignature",
        None => "any key usage",
    };
    let purposes = match &own.usage.purposes {
        Some((_, purposes)) => purposes,
        None => "any purpose",
    };
    Finding::passed(CHECK, format!("{} is good for {key_usage}, {purposes}", own.label()))
}

/// RFC 5280 6.3: webpki has looked at the lists; here it is found out what it saw.
pub(crate) fn revocation(
    path: &Path<'_>,
    lists: &RevocationLists,
    decision: &Result<(), Error>,
    now: UnixTime,
) -> Finding {
    const CHECK: &str = "revocation";
    use CertificateError as Cause;
    let unknown = |certificate: String, why: String| {
        Finding::failed(CHECK, CertificateProblem::RevocationUnknown { certificate, why })
    };
    match decision {
        Ok(()) => {
            let count = path.certificates.len();
            let evidence =
                format!("{count} of {count} certificates below the root are on no list of their issuers");
            return Finding::passed(CHECK, evidence);
        }
        Err(Error::InvalidCertificate(
            Cause::Revoked
            | Cause::UnknownRevocationStatus
            | Cause::ExpiredRevocationList
            | Cause::ExpiredRevocationListContext { .. },
        )) => {}
        Err(Error::InvalidCertRevocationList(why)) => {
            return unknown("the chain".to_owned(), format!("a revocation list cannot be used ({why:?})"));
        }
        Err(_) => return Finding::skipped(CHECK, "not looked at, the certificate being refused otherwise"),
    }
    for one in &path.certificates {
        match lists.entry(&one.issuer_der, &one.serial) {
            Some(Entry { revoked: Some(since), .. }) => {
                let (certificate, issuer) = (named(one), one.issuer.clone());
                return Finding::failed(CHECK, CertificateProblem::Revoked { certificate, issuer, since });
            }
            None => return unknown(named(one), format!("no revocation list is by {}", one.issuer)),
            Some(Entry { next_update: Some(due), .. }) if due < seconds(now) => {
                let why = format!("the revocation list of {} was good until {}", one.issuer, rfc3339(due));
                return unknown(named(one), why);
            }
            Some(_) => {}
        }
    }
    unknown("the chain".to_owned(), "the revocation lists do not cover it".to_owned())
}

/// RFC 7469 2.6, for keys that the user has pinned himself.
pub(crate) fn pin(shown: &Shown<'_>, pinned: &PinnedKeys) -> Finding {
    const CHECK: &str = "pin";
    let Some(own) = shown.chain.first() else {
        return Finding::skipped(CHECK, "no certificate");
    };
    let hash = hash_of(&own.key_der);
    if pinned.has(&own.key_der) {
        return Finding::passed(CHECK, format!("the key of {} is pinned: {hash}", own.label()));
    }
    Finding::failed(CHECK, CertificateProblem::NotPinned { certificate: named(own), hash })
}

/// How one check came out.
pub(crate) struct Finding {
    check: &'static str,
    verdict: Verdict,
    evidence: String,
    pub(crate) problem: Option<CertificateProblem>,
}

impl Finding {
    pub(crate) fn passed(check: &'static str, evidence: String) -> Self {
        Self { check, verdict: Verdict::Passed, evidence, problem: None }
    }

    pub(crate) fn skipped(check: &'static str, evidence: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, evidence: evidence.into(), problem: None }
    }

    pub(crate) fn failed(check: &'static str, problem: CertificateProblem) -> Self {
        Self { check, verdict: Verdict::Failed, evidence: problem.to_string(), problem: Some(problem) }
    }

    pub(crate) fn not_enforced(self) -> Self {
        let evidence = match self.verdict {
            Verdict::Passed => format!("not enforced (--insecure); it would pass: {}", self.evidence),
            Verdict::Failed => format!("not enforced (--insecure); it would FAIL: {}", self.evidence),
            Verdict::Skipped => self.evidence,
        };
        Self::skipped(self.check, evidence)
    }

    pub(crate) fn tell(&self, scope: &Scope) {
        scope.record(|| Tls::CertificateJudged {
            check: self.check,
            verdict: self.verdict,
            evidence: self.evidence.clone(),
        });
    }
}

pub(crate) fn is_about_purpose(error: &Error, shown: &Shown<'_>) -> bool {
    match error {
        Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        ) => true,
        // A CA's certificate used as a server's own has no name of its own in rustls.
        Error::InvalidCertificate(CertificateError::Other(_)) => {
            shown.chain.first().is_some_and(|own| own.usage.ca)
        }
        _ => false,
    }
}

/// A certificate by its place and name.
pub(crate) fn named(certificate: &CertificateInfo) -> String {
    match certificate.index {
        0 => format!("the server's own certificate ({})", certificate.label()),
        index => format!("certificate {index} of the chain ({})", certificate.label()),
    }
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
