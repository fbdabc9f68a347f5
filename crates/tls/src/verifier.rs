//! How a server's certificate is judged, each check told with its evidence.
//!
//! webpki decides, and its yes is necessary: what is found here beside it explains its no, and adds
//! one check that it leaves out (key usage). Switched off by the user, the checks are still made and
//! told, as skipped.

use crate::case::Case;
use crate::certificate::CertificateInfo;
use crate::client_config::TlsClientConfig;
use crate::error::ConfigError;
use crate::evidence::{
    Finding, Path, Shown, is_about_purpose, name, named, pin, revocation, usage, validity,
};
use crate::pin::PinnedKeys;
use crate::problem::CertificateProblem;
use crate::revocation::RevocationLists;
use crate::trust::TrustStore;
use glasstack_journal::Scope;
use glasstack_journal::event::Note;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// Judges every server certificate of one client.
pub(crate) struct Judge {
    trust: TrustStore,
    /// None when nobody is trusted, and then everybody is refused.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
    revocation: Option<RevocationLists>,
    pinned: Option<PinnedKeys>,
    insecure: bool,
}

impl Judge {
    pub(crate) fn new(config: &TlsClientConfig, provider: &Arc<CryptoProvider>) -> Result<Self, ConfigError> {
        let trust = config.trust.clone();
        let mut builder =
            WebPkiServerVerifier::builder_with_provider(trust.roots().clone(), provider.clone());
        // RFC 5280 6.3.3, strictly: a list out of date says nothing.
        if let Some(lists) = &config.revocation.lists {
            let lists = lists.for_webpki(trust.roots(), provider);
            builder = builder.with_crls(lists.taken).enforce_revocation_expiration();
            if lists.left > 0 {
                builder = builder.allow_unknown_revocation_status();
            }
        }
        let webpki = match builder.build() {
            Ok(webpki) => Some(webpki),
            // The checks below say so, of every certificate.
            Err(VerifierBuilderError::NoRootAnchors) => None,
            Err(error) => return Err(ConfigError::Revocation(error)),
        };
        Ok(Self {
            trust,
            webpki,
            algorithms: provider.signature_verification_algorithms,
            revocation: config.revocation.lists.clone(),
            pinned: config.pinned.clone(),
            insecure: config.insecure,
        })
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
        if let Some(lists) = &self.revocation {
            findings.push(revocation(&path, lists, &decision, shown.now));
        }
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
        if let Some(case) = Case::current() {
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
            finding.tell(case.scope());
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
        let pinned = self.pinned.as_ref().map(|pins| pin(&shown, pins));
        let not_pinned = pinned.as_ref().and_then(|finding| finding.problem.clone());
        if let Some(case) = Case::current() {
            for certificate in &shown.chain {
                case.scope().record(|| certificate.received());
            }
            if self.insecure {
                warn_insecure(case.scope(), problem.as_ref());
                findings.into_iter().for_each(|finding| finding.not_enforced().tell(case.scope()));
            } else {
                findings.iter().for_each(|finding| finding.tell(case.scope()));
                if let Some(problem) = problem.clone() {
                    case.refuse(problem);
                }
            }
            if let Some(finding) = &pinned {
                finding.tell(case.scope());
            }
            // What else is wrong with it comes first, as in curl.
            if let Some(problem) = not_pinned.clone().filter(|_| case.problem().is_none()) {
                case.refuse(problem);
            }
        }
        if not_pinned.is_some() {
            return Err(CertificateError::ApplicationVerificationFailure.into());
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
