//! How a server's certificate is judged, each check told with its evidence.
//!
//! webpki decides, and its yes is necessary: what is found here beside it explains its no, and adds
//! one check that it leaves out (key usage). Switched off by the user, the checks are still made and
//! told, as skipped.

use crate::certificate::{CertificateInfo, rfc3339};
use crate::error::{CertificateProblem, some_of};
use crate::trust::TrustStore;
use glasstack_journal::Scope;
use glasstack_journal::event::{Note, Tls, Verdict};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One connection's certificate before the judge: where to tell, and what was found.
pub(crate) struct Case {
    scope: Scope,
    problem: Mutex<Option<CertificateProblem>>,
}

thread_local! {
    // A client has one judge for all its connections: rustls resumes a session only under the very
    // verifier that judged it first. Judging happens inside one poll, on one thread, so the
    // connection being polled is the one being judged.
    static CURRENT: RefCell<Option<Arc<Case>>> = const { RefCell::new(None) };
}

impl Case {
    pub(crate) fn new(scope: Scope) -> Arc<Self> {
        Arc::new(Self { scope, problem: Mutex::default() })
    }

    /// Until the guard is dropped, what is judged on this thread is this case.
    pub(crate) fn open(self: &Arc<Self>) -> Opened {
        Opened { before: CURRENT.with(|current| current.replace(Some(self.clone()))) }
    }

    /// Why the certificate was refused, if it was.
    pub(crate) fn problem(&self) -> Option<CertificateProblem> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn refuse(&self, problem: CertificateProblem) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }
}

/// See [`Case::open`].
pub(crate) struct Opened {
    before: Option<Arc<Case>>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let before = self.before.take();
        CURRENT.with(|current| current.replace(before));
    }
}

/// Judges every server certificate of one client.
pub(crate) struct Judge {
    trust: TrustStore,
    /// None when nobody is trusted, and then everybody is refused.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    insecure: bool,
}

impl Judge {
    pub(crate) fn new(trust: TrustStore, provider: &Arc<CryptoProvider>, insecure: bool) -> Self {
        // It can fail for want of roots only; the checks below then say so.
        let webpki =
            WebPkiServerVerifier::builder_with_provider(trust.roots().clone(), provider.clone()).build();
        let algorithms = provider.signature_verification_algorithms;
        Self { trust, webpki: webpki.ok(), algorithms, insecure }
    }

    /// All findings, in the order in which they are told; the first that failed is the problem.
    fn examine(&self, shown: &Shown<'_>) -> (Result<(), Error>, Vec<Finding>) {
        let decision = match &self.webpki {
            Some(webpki) => webpki
                .verify_server_cert(shown.end_entity, shown.intermediates, shown.name, &[], shown.now)
                .map(|_| ()),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let path = shown.path(&self.trust);
        let accepted = decision.is_ok();
        let mut findings = vec![
            self.chain(shown, &path, accepted),
            validity(shown, &path, accepted),
            name(shown, accepted),
            usage(shown, accepted),
        ];
        if let Err(error) = &decision
            && findings.iter().all(|finding| finding.problem.is_none())
            && let Some(first) = findings.first_mut()
        {
            *first = Finding::failed("chain", shown.explain(error));
        }
        (decision, findings)
    }

    /// Whether the chain leads to a trusted root, apart from dates and name.
    fn chain(&self, shown: &Shown<'_>, path: &Path<'_>, accepted: bool) -> Finding {
        const CHECK: &str = "chain";
        if let Some(broken) = shown.chain.iter().find(|one| one.unreadable().is_some() && one.index == 0) {
            let why = broken.unreadable().unwrap_or_default().to_owned();
            let certificate = "the server's own certificate".to_owned();
            return Finding::failed(CHECK, CertificateProblem::Malformed { certificate, why });
        }
        if accepted {
            return Finding::passed(CHECK, path.to_string());
        }
        if self.webpki.is_none() {
            return Finding::failed(CHECK, CertificateProblem::NoRoots);
        }
        let verdict = match path.common_time(shown.now) {
            Some(time) => self.anchored(shown, self.trust.roots(), time),
            None => {
                return Finding::skipped(
                    CHECK,
                    format!("{path}, but there is no time at which all are valid"),
                );
            }
        };
        match verdict {
            Ok(()) => Finding::passed(CHECK, path.to_string()),
            // webpki looks at the use before the way; the check of usage tells it. That a self-signed
            // certificate is also marked as a CA's (openssl's default) matters less than that nobody
            // vouches for it.
            Err(error) if is_about_purpose(&error, shown) => match path.certificates.first() {
                Some(own) if own.is_self_issued() && path.root.is_none() => {
                    Finding::failed(CHECK, CertificateProblem::SelfSigned { certificate: named(own) })
                }
                _ => Finding::skipped(CHECK, format!("not followed, the use being wrong: {path}")),
            },
            Err(error) => Finding::failed(CHECK, shown.explain_chain(&error, path)),
        }
    }

    fn anchored(&self, shown: &Shown<'_>, roots: &RootCertStore, time: UnixTime) -> Result<(), Error> {
        let own = ParsedCertificate::try_from(shown.end_entity)?;
        verify_server_cert_signed_by_trust_anchor(&own, roots, shown.intermediates, time, self.algorithms.all)
    }

    fn tell_signature(
        &self,
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        result: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        if let Some(case) = CURRENT.with(|current| current.borrow().clone()) {
            let info = CertificateInfo::read(0, certificate);
            let scheme = signed.scheme.as_str().unwrap_or("an unknown scheme");
            let finding = match &result {
                Ok(_) => Finding::passed(
                    "signature",
                    format!("{scheme} over the handshake, by the key ({}) of {}", info.key, info.label()),
                ),
                Err(error) => Finding::failed(
                    "signature",
                    CertificateProblem::BadHandshakeSignature {
                        certificate: info.label(),
                        why: format!("its {scheme} signature over the handshake does not hold ({error})"),
                    },
                ),
            };
            finding.tell(&case.scope);
            if let Some(problem) = finding.problem {
                case.refuse(problem);
            }
        }
        result
    }
}

impl ServerCertVerifier for Judge {
    /// RFC 5280 6 (the path), RFC 9525 (the name).
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Shown::new(end_entity, intermediates, server_name, now);
        let (decision, findings) = self.examine(&shown);
        let problem = findings.iter().find_map(|finding| finding.problem.clone());
        if let Some(case) = CURRENT.with(|current| current.borrow().clone()) {
            for certificate in &shown.chain {
                case.scope.record(|| certificate.received());
            }
            if self.insecure {
                warn_insecure(&case.scope, problem.as_ref());
                findings.into_iter().for_each(|finding| finding.not_enforced().tell(&case.scope));
            } else {
                findings.iter().for_each(|finding| finding.tell(&case.scope));
                if let Some(problem) = problem.clone() {
                    case.refuse(problem);
                }
            }
        }
        match (self.insecure, decision, problem) {
            (true, ..) => Ok(ServerCertVerified::assertion()),
            (false, Err(error), _) => Err(error),
            (false, Ok(()), Some(_)) => Err(CertificateError::InvalidPurpose.into()),
            (false, Ok(()), None) => Ok(ServerCertVerified::assertion()),
        }
    }

    /// RFC 5246 7.4.3. Made even when the certificate itself is not judged.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = verify_tls12_signature(message, certificate, signed, &self.algorithms);
        self.tell_signature(certificate, signed, result)
    }

    /// RFC 8446 4.4.3. Made even when the certificate itself is not judged.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = verify_tls13_signature(message, certificate, signed, &self.algorithms);
        self.tell_signature(certificate, signed, result)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("roots", &self.trust.len()).field("insecure", &self.insecure).finish()
    }
}

fn warn_insecure(scope: &Scope, problem: Option<&CertificateProblem>) {
    scope.record(|| {
        let would = match problem {
            Some(problem) => format!("it would be refused: {problem}"),
            None => "it would pass".to_owned(),
        };
        Note::warning(format!(
            "INSECURE: the server's certificate is not checked, as you asked (--insecure), so anyone on the way may \
             read and change everything; checked, {would}"
        ))
    });
}

/// What a server showed, to whom, and when.
struct Shown<'a> {
    end_entity: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    now: UnixTime,
    chain: Vec<CertificateInfo>,
}

impl<'a> Shown<'a> {
    fn new(
        end_entity: &'a CertificateDer<'a>,
        intermediates: &'a [CertificateDer<'a>],
        name: &'a ServerName<'a>,
        now: UnixTime,
    ) -> Self {
        let all = std::iter::once(end_entity).chain(intermediates);
        let chain = all.enumerate().map(|(index, der)| CertificateInfo::read(index, der)).collect();
        Self { end_entity, intermediates, name, now, chain }
    }

    /// The way from the server's certificate up by the issuers' names, to the first that is trusted
    /// or the last that was sent. Certificates sent beside it don't matter.
    fn path(&self, trust: &TrustStore) -> Path<'_> {
        let mut certificates: Vec<&CertificateInfo> = self.chain.first().into_iter().collect();
        let mut root = None;
        while let Some(last) = certificates.last() {
            if trust.knows(contents(&last.issuer_der)) {
                root = Some(last.issuer.clone());
                break;
            }
            let next = self.chain.iter().find(|one| {
                one.unreadable().is_none()
                    && one.subject_der == last.issuer_der
                    && !certificates.iter().any(|seen| seen.index == one.index)
            });
            match next {
                Some(next) if !last.is_self_issued() => certificates.push(next),
                _ => break,
            }
        }
        Path { certificates, root }
    }

    fn asked(&self) -> String {
        self.name.to_str().into_owned()
    }

    fn explain_chain(&self, error: &Error, path: &Path<'_>) -> CertificateProblem {
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
                CertificateProblem::UntrustedRoot { certificate, issuer: last.issuer.clone() }
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

    fn explain(&self, error: &Error) -> CertificateProblem {
        match error {
            Error::InvalidCertificate(why) => CertificateProblem::other(why),
            other => CertificateProblem::Other { why: other.to_string() },
        }
    }
}

/// From the server's certificate towards a root.
struct Path<'a> {
    certificates: Vec<&'a CertificateInfo>,
    /// The trusted root it ends at, by name.
    root: Option<String>,
}

impl Path<'_> {
    /// The moment nearest to `now` at which all of them are valid: to judge the chain apart from the
    /// dates, which are judged on their own.
    fn common_time(&self, now: UnixTime) -> Option<UnixTime> {
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
fn validity(shown: &Shown<'_>, path: &Path<'_>, accepted: bool) -> Finding {
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
fn name(shown: &Shown<'_>, accepted: bool) -> Finding {
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
    Finding::failed(CHECK, CertificateProblem::WrongName { asked: shown.asked(), valid_for })
}

/// RFC 5280 4.2.1.3, 4.2.1.9, 4.2.1.12.
fn usage(shown: &Shown<'_>, accepted: bool) -> Finding {
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

/// How one check came out.
struct Finding {
    check: &'static str,
    verdict: Verdict,
    evidence: String,
    problem: Option<CertificateProblem>,
}

impl Finding {
    fn passed(check: &'static str, evidence: String) -> Self {
        Self { check, verdict: Verdict::Passed, evidence, problem: None }
    }

    fn skipped(check: &'static str, evidence: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, evidence: evidence.into(), problem: None }
    }

    fn failed(check: &'static str, problem: CertificateProblem) -> Self {
        Self { check, verdict: Verdict::Failed, evidence: problem.to_string(), problem: Some(problem) }
    }

    fn not_enforced(self) -> Self {
        let evidence = match self.verdict {
            Verdict::Passed => format!("not enforced (--insecure); it would pass: {}", self.evidence),
            Verdict::Failed => format!("not enforced (--insecure); it would FAIL: {}", self.evidence),
            Verdict::Skipped => self.evidence,
        };
        Self::skipped(self.check, evidence)
    }

    fn tell(&self, scope: &Scope) {
        scope.record(|| Tls::CertificateJudged {
            check: self.check,
            verdict: self.verdict,
            evidence: self.evidence.clone(),
        });
    }
}

fn is_about_purpose(error: &Error, shown: &Shown<'_>) -> bool {
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
fn named(certificate: &CertificateInfo) -> String {
    match certificate.index {
        0 => format!("the server's own certificate ({})", certificate.label()),
        index => format!("certificate {index} of the chain ({})", certificate.label()),
    }
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// A DER element without its tag and length: the form in which roots keep their names.
fn contents(der: &[u8]) -> &[u8] {
    let header = match der.get(1) {
        Some(length) if *length < 0x80 => 2,
        Some(length) => 2 + usize::from(length & 0x7f),
        None => 0,
    };
    der.get(header..).unwrap_or_default()
}
