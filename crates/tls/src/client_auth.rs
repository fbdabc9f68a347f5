//! What a client shows of itself when a server asks (RFC 8446 4.3.2, RFC 5246 7.4.4), and what the
//! server's alert then means.
//!
//! In TLS 1.2 the server judges before the handshake is over. In TLS 1.3 the client is done before the
//! server has read its certificate: the refusal comes late, when the client reads or writes. So what was
//! asked and shown is remembered as long as the session.

use crate::alerts;
use crate::case::Case;
use crate::certificate::printable;
use crate::error::TlsError;
use crate::identity::Identity;
use crate::problem::some_of;
use glasstack_journal::event::{Note, Tls};
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, SignatureScheme};
use std::sync::Arc;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

/// Shows the identity, whoever asks, as curl does; and tells it.
#[derive(Debug)]
pub(crate) struct Showing(pub(crate) Option<Identity>);

impl ResolvesClientCert for Showing {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fits = |identity: &&Identity| identity.key().key.choose_scheme(schemes).is_some();
        let shown = self.0.as_ref().filter(fits);
        let asked = Asked::new(issuers, shown.map(|identity| identity.certificate().label()));
        if let Some(case) = Case::current() {
            match (&self.0, shown) {
                (None, _) => case.scope().record(|| {
                    Note::warning(format!("{asked}, and there is none to show (give one with --cert FILE)"))
                }),
                (Some(identity), None) => case.scope().record(|| {
                    Note::warning(format!(
                        "{asked}, but takes no signature that the key of {} can make: none is shown",
                        identity.certificate().label()
                    ))
                }),
                (Some(_), Some(identity)) => case.scope().record(|| Tls::ClientIdentityShown {
                    subject: identity.certificate().label(),
                    why: asked.to_string(),
                }),
            }
            case.is_asked(asked);
        }
        self.0.as_ref().map(|identity| identity.key().clone())
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// A server asked for a client's certificate.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Whose certificates it takes, as far as it says.
    issuers: Vec<String>,
    /// What it was shown.
    shown: Option<String>,
}

impl Asked {
    fn new(issuers: &[&[u8]], shown: Option<String>) -> Self {
        let named = |der: &&[u8]| X509Name::from_der(der).map(|(_, name)| printable(&name.to_string()));
        Self { issuers: issuers.iter().filter_map(|der| named(der).ok()).collect(), shown }
    }

    /// What `error` is, knowing that a certificate was asked for: that none was given, or the one that
    /// was shown is refused.
    pub(crate) fn explain(&self, error: &rustls::Error) -> Option<TlsError> {
        use AlertDescription as Alert;
        let rustls::Error::AlertReceived(alert) = *error else {
            return None;
        };
        let why = match (alert, &self.shown) {
            // RFC 8446 4.4.2.4; RFC 5246 7.4.6 has handshake_failure; others are met, too (GnuTLS sends
            // decode_error in TLS 1.2).
            (
                Alert::CertificateRequired
                | Alert::HandshakeFailure
                | Alert::DecodeError
                | Alert::BadCertificate
                | Alert::NoCertificate
                | Alert::AccessDenied,
                None,
            ) => return Some(TlsError::ClientCertificateMissing { issuers: self.issuers.clone() }),
            (_, None) => return None,
            (Alert::CertificateRevoked, _) => "it has been revoked",
            (Alert::CertificateExpired, _) => "it is outside its dates",
            (Alert::UnknownCA, _) => "the server does not trust its issuer",
            (Alert::BadCertificate, _) => "it is broken, or a signature in its chain does not hold",
            (Alert::UnsupportedCertificate, _) => "it is of a kind that the server does not take",
            (Alert::CertificateUnknown, _) => "the server does not say why",
            (Alert::BadCertificateStatusResponse, _) => "its OCSP response is missing, or not to be believed",
            (Alert::CertificateRequired, _) => "the server counts it as none",
            // RFC 8446 6.2 means a good one without access; GnuTLS sends it for one that it does not trust.
            (Alert::AccessDenied, _) => "it gives no access there",
            (Alert::DecryptError, _) => "the proof that we have its key does not hold",
            _ => return None,
        };
        let subject = self.shown.clone().unwrap_or_default();
        let (alert, issuers) = (alerts::named(alert), self.issuers.clone());
        Some(TlsError::ClientCertificateRefused { subject, why, alert, issuers })
    }
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the server asks for a client certificate")?;
        if self.issuers.is_empty() { Ok(()) } else { write!(f, " issued by {}", some_of(&self.issuers)) }
    }
}
