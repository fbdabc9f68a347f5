//! How a server judges the certificate that a client shows (RFC 5280 6, purpose clientAuth).

use crate::error::ConfigError;
use crate::judging::{self, refuse, tell_signature};
use crate::revocation::RevocationConfig;
use crate::revocation::after_handshake::AfterHandshake;
use crate::trust::TrustStore;
use crate::verify::{Purpose, Verifier};
use glasstack_stack::Entropy;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// Whether a server asks its clients who they are.
#[derive(Clone, Default)]
pub enum ClientAuth {
    /// It does not.
    #[default]
    None,
    /// It asks, and takes those in who show nothing. Who shows something must have it accepted.
    Optional(ClientTrust),
    /// It asks, and refuses those who show nothing.
    Required(ClientTrust),
}

/// Whom a server believes about its clients: its own matter, apart from whom it believes about servers.
#[derive(Clone)]
pub struct ClientTrust {
    /// Who vouches for clients. Their names are sent with the question.
    pub trust: TrustStore,
    /// Whether certificates were taken back: what is demanded, what is given, who fetches. Nothing is
    /// asked.
    pub revocation: RevocationConfig,
}

impl ClientTrust {
    /// Believes `trust`, and asks nobody about revocation.
    pub fn new(trust: TrustStore) -> Self {
        Self { trust, revocation: RevocationConfig::default() }
    }
}

impl ClientAuth {
    /// By whom clients are judged, if they are asked at all.
    pub(crate) fn terms(&self) -> Option<&ClientTrust> {
        match self {
            Self::None => None,
            Self::Optional(terms) | Self::Required(terms) => Some(terms),
        }
    }

    /// What is asked about a client's certificate behind the handshake.
    pub(crate) fn after_handshake(
        &self,
        provider: &CryptoProvider,
        entropy: &Arc<dyn Entropy>,
    ) -> Option<AfterHandshake> {
        let (Self::Optional(terms) | Self::Required(terms)) = self else { return None };
        let algorithms = provider.signature_verification_algorithms;
        Some(AfterHandshake {
            config: terms.revocation.clone(),
            verifier: Verifier::new(terms.trust.clone(), Purpose::Client, algorithms),
            entropy: entropy.clone(),
        })
    }

    /// As rustls wants it.
    pub(crate) fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, ConfigError> {
        let Some(terms) = self.terms() else {
            return Ok(WebPkiClientVerifier::no_client_auth());
        };
        let roots = terms.trust.roots().clone();
        let mut webpki = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
        if matches!(self, Self::Optional(_)) {
            webpki = webpki.allow_unauthenticated();
        }
        let algorithms = provider.signature_verification_algorithms;
        Ok(Arc::new(ClientJudge {
            webpki: webpki.build().map_err(|_| ConfigError::NoClientRoots)?,
            verifier: Verifier::new(terms.trust.clone(), Purpose::Client, algorithms)
                .with_revocation(terms.revocation.clone()),
        }))
    }
}

/// Judges the certificate of every client of one server: the [`Verifier`] decides, by webpki's word.
struct ClientJudge {
    /// How clients are asked, and the signature over the handshake.
    webpki: Arc<dyn ClientCertVerifier>,
    verifier: Verifier,
}

impl fmt::Debug for ClientJudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientJudge")
    }
}

impl ClientCertVerifier for ClientJudge {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.webpki.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain = judging::chain(end_entity, intermediates);
        let judged = judging::judge(&self.verifier, &chain, &[], now);
        judged.map(|()| ClientCertVerified::assertion()).map_err(refuse)
    }

    /// RFC 5246 7.4.8.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tell_signature(certificate, signed, self.webpki.verify_tls12_signature(message, certificate, signed))
    }

    /// RFC 8446 4.4.3.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        tell_signature(certificate, signed, self.webpki.verify_tls13_signature(message, certificate, signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}
