//! How a server's certificate is judged, each check told with its evidence.
//!
//! webpki decides, and its yes is necessary: what is found here beside it explains its no, and adds
//! one check that it leaves out (key usage). Switched off by the user, the checks are still made and
//! told, as skipped.

use crate::certificate::CertificateInfo;
use crate::error::CertificateProblem;
use crate::evidence::{Finding, Path, Shown, is_about_purpose, name, named, usage, validity};
use crate::trust::TrustStore;
use glasstack_journal::Scope;
use glasstack_journal::event::Note;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

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
        if accepted {
            return Finding::passed(CHECK, path.to_string());
        }
        if let Some(broken) = shown.chain.iter().find(|one| one.unreadable().is_some() && one.index == 0) {
            let why = broken.unreadable().unwrap_or_default().to_owned();
            let certificate = "the server's own certificate".to_owned();
            return Finding::failed(CHECK, CertificateProblem::Malformed { certificate, why });
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
