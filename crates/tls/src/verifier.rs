//! How a client judges a server's certificate while shaking hands, each check told with its evidence.
//!
//! [`Verifier`] decides, by webpki's word; the explanation is made where it is refused, or where
//! somebody watches. Switched off by the user, the checks are still made and told, as skipped.

use crate::case::Case;
use crate::certificate::CertificateInfo;
use crate::client_config::TlsClientConfig;
use crate::error::ConfigError;
use crate::pin::{PinnedKeys, hash_of};
use crate::problem::CertificateProblem;
use crate::verify::{Check, Name, Purpose, Verifier};
use glasstack_journal::Scope;
use glasstack_journal::event::{Note, Tls, Verdict};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// Judges every server certificate of one client.
pub(crate) struct Judge {
    verifier: Verifier,
    algorithms: WebPkiSupportedAlgorithms,
    pinned: Option<PinnedKeys>,
    insecure: bool,
}

impl Judge {
    pub(crate) fn new(config: &TlsClientConfig, provider: &Arc<CryptoProvider>) -> Result<Self, ConfigError> {
        let algorithms = provider.signature_verification_algorithms;
        let verifier = Verifier::new(config.trust.clone(), Purpose::Server, algorithms);
        Ok(Self {
            verifier: verifier.with_revocation(config.revocation.clone()),
            algorithms,
            pinned: config.pinned.clone(),
            insecure: config.insecure,
        })
    }

    /// Whether the chain is refused, and why; what was checked is told, if somebody listens.
    fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), CertificateProblem> {
        let names = [Name::of(name)];
        let time = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let case = Case::current();
        let scope = case.as_ref().map(|case| case.scope());
        if let Some(scope) = scope {
            for (index, der) in chain.iter().enumerate() {
                scope.record(|| CertificateInfo::read(index, der).received());
            }
        }
        let watched = scope.is_some_and(|scope| scope.journal().is_watched());
        if !watched && self.verifier.accepts(chain, &names, time) {
            return Ok(());
        }
        let judgement = self.verifier.examine(chain, &names, time);
        if let Some(scope) = scope {
            if self.insecure {
                warn_insecure(scope, judgement.problem.as_ref());
            }
            for check in judgement.by_kind() {
                tell(scope, if self.insecure { not_enforced(check) } else { check });
            }
        }
        match judgement.problem {
            Some(problem) if !self.insecure => Err(problem),
            _ => Ok(()),
        }
    }

    /// RFC 7469 2.6, for keys that the user has pinned himself.
    fn pin(&self, own: &CertificateDer<'_>) -> Result<(), CertificateProblem> {
        const CHECK: &str = "pin";
        const RFC: &str = "RFC 7469 2.6";
        let Some(pinned) = &self.pinned else {
            return Ok(());
        };
        let info = CertificateInfo::read(0, own);
        let hash = hash_of(&info.key_der);
        let check = if pinned.has(&info.key_der) {
            Check::passed(CHECK, RFC, format!("the key of {} is pinned: {hash}", info.label()))
        } else {
            let certificate = format!("the server's own certificate ({})", info.label());
            Check::failed(CHECK, RFC, CertificateProblem::NotPinned { certificate, hash })
        };
        let problem = check.problem.clone();
        if let Some(case) = Case::current() {
            tell(case.scope(), check);
        }
        problem.map_or(Ok(()), Err)
    }

    fn tell_signature(
        &self,
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        result: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        const RFC: &str = "RFC 8446 4.4.3";
        if let Some(case) = Case::current() {
            let info = CertificateInfo::read(0, certificate);
            let scheme = signed.scheme.as_str().unwrap_or("an unknown scheme");
            let check = match &result {
                Ok(_) => Check::passed(
                    "signature",
                    RFC,
                    format!("{scheme} over the handshake, by the key ({}) of {}", info.key, info.label()),
                ),
                Err(error) => Check::failed(
                    "signature",
                    RFC,
                    CertificateProblem::BadHandshakeSignature {
                        certificate: info.label(),
                        why: format!("its {scheme} signature over the handshake does not hold ({error})"),
                    },
                ),
            };
            let problem = check.problem.clone();
            tell(case.scope(), check);
            if let Some(problem) = problem {
                case.refuse(problem);
            }
        }
        result
    }
}

impl ServerCertVerifier for Judge {
    /// RFC 5280 6 (the path), RFC 9525 (the name). What is stapled is judged once the handshake is over.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(case) = Case::current() {
            case.is_stapled(ocsp_response);
        }
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
        // What else is wrong with it comes first, as in curl.
        let judged = self.judge(&chain, server_name, now);
        let pinned = self.pin(end_entity);
        match judged.and(pinned) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(problem) => {
                let error = Error::InvalidCertificate(problem.as_rustls());
                if let Some(case) = Case::current() {
                    case.refuse(problem);
                }
                Err(error)
            }
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
        f.debug_struct("Judge")
            .field("roots", &self.verifier.trust.len())
            .field("insecure", &self.insecure)
            .finish()
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

pub(crate) fn tell(scope: &Scope, check: Check) {
    scope.record(|| Tls::CertificateJudged {
        check: check.check,
        verdict: check.verdict,
        evidence: check.evidence,
    });
}

fn not_enforced(check: Check) -> Check {
    let evidence = match check.verdict {
        Verdict::Passed => format!("not enforced (--insecure); it would pass: {}", check.evidence),
        Verdict::Failed => format!("not enforced (--insecure); it would FAIL: {}", check.evidence),
        Verdict::Skipped => check.evidence,
    };
    Check { verdict: Verdict::Skipped, evidence, problem: None, ..check }
}
