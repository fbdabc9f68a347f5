//! What goes wrong, and what helps.

use crate::alerts;
use crate::client_auth::Asked;
use crate::ech::retry_list;
use crate::identity_files::IdentityError;
use crate::incompatible;
use crate::problem::{CertificateProblem, some_of};
use crate::version::TlsVersion;
use std::io;

/// A TLS session could not be made, or failed later.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate can be asked for by this name.
    #[error("{name:?} is neither a host name nor an IP address: no certificate can be for it")]
    ServerName {
        /// What was given.
        name: String,
    },
    /// The peer's certificate was judged and refused.
    #[error("the certificate of {server_name} is refused: {problem}")]
    Certificate {
        /// The name asked for.
        server_name: String,
        /// Which certificate, which check, which value, what to do.
        problem: CertificateProblem,
    },
    /// The peer ended the session with an alert (RFC 8446 6.2).
    #[error("the peer sent the alert {alert}: {meaning}")]
    Alert {
        /// The alert, as the RFC names it.
        alert: String,
        /// What that means here.
        meaning: &'static str,
    },
    /// The server refused us because it wants a certificate and got none. In TLS 1.3 it says so only
    /// after the handshake, when the client reads or writes.
    #[error("the server wants a client certificate, and none was given: --cert FILE{}", taken(issuers))]
    ClientCertificateMissing {
        /// Whose it takes, as far as it says.
        issuers: Vec<String>,
    },
    /// The server refused the certificate that it was shown. In TLS 1.3 it says so only after the
    /// handshake.
    #[error(
        "the server refused the client certificate that it was shown ({subject}): {why} (alert {alert}){}",
        taken(issuers)
    )]
    ClientCertificateRefused {
        /// Which certificate.
        subject: String,
        /// What the alert says, in words.
        why: &'static str,
        /// The alert, as the RFC names it.
        alert: String,
        /// Whose it takes, as far as it says.
        issuers: Vec<String>,
    },
    /// A client that must show a certificate showed none.
    #[error("the client showed no certificate, and one is required here")]
    NoClientCertificate,
    /// Both speak TLS, but nothing that both understand.
    #[error("the two sides have nothing in common: {}", incompatible::why(.0))]
    Incompatible(#[source] rustls::Error),
    /// The peer did what the protocol forbids.
    #[error("the peer broke the TLS protocol: {0}")]
    Misbehaved(#[source] rustls::Error),
    /// What came is not TLS.
    #[error(
        "what the peer sent is not TLS ({0}): another protocol, such as plain HTTP, may be spoken on this port"
    )]
    NotTls(#[source] rustls::Error),
    /// A server has no certificate for the name that the client asks for, and shows it no other
    /// ([`crate::server::UnknownName::Refuse`]).
    #[error("no certificate here is for {name:?}, which the client asks for")]
    UnknownName {
        /// The name asked for (SNI).
        name: String,
    },
    /// A server's certificate and key, made when first asked for, could not be made.
    #[error("the certificate to show could not be made: {0}")]
    Identity(#[source] IdentityError),
    /// The server could not read the encrypted ClientHello. Nothing was said to it in the open.
    #[error("the server did not take the encrypted ClientHello (--ech): {}", match retry {
        Some(list) => format!("its key is another one now, as it says itself: --ech ecl:{list}"),
        None => "it knows nothing of it, or has turned it off".to_owned(),
    })]
    EchRefused {
        /// Its keys of today (ECHConfigList in base64), if it gave them.
        retry: Option<String>,
    },
    /// The server offered early data by a ticket, and now speaks TLS 1.2, in which there is none. Its sessions
    /// are forgotten, so that the next connection sends nothing early.
    #[error(
        "the server has taken data before the handshake was over, and now speaks TLS 1.2, which has no such thing \
         (RFC 8446 D.3): connect again, without early data"
    )]
    EarlyDataInOldVersion,
    /// The peer left in the middle of the handshake.
    #[error("the peer closed the connection before the handshake was complete, without saying why")]
    CutShort,
    /// The connection ended without close_notify (RFC 8446 6.1).
    #[error("the connection ended without close_notify: what was received may have been cut short")]
    Truncated,
    /// What carries TLS failed.
    #[error("the connection failed: {0}")]
    Transport(#[source] io::Error),
    /// Anything else.
    #[error("TLS failed: {0}")]
    Other(#[source] rustls::Error),
}

/// Which kind an error is of, as curl's exit codes tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsErrorKind {
    /// The peer's certificate was refused (curl: 60).
    Certificate,
    /// The OCSP answer that the server showed, or did not show, refuses its certificate (curl: 91).
    CertificateStatus,
    /// The peer has none of the pinned keys (curl: 90).
    PinnedKey,
    /// The handshake or the protocol failed (curl: 35).
    Handshake,
    /// The connection below failed or ended too early (curl: 35 before the session is made, 56 later).
    Transport,
}

impl TlsError {
    /// Which kind it is of.
    pub fn kind(&self) -> TlsErrorKind {
        match self {
            Self::Certificate { problem: CertificateProblem::BadHandshakeSignature { .. }, .. } => {
                TlsErrorKind::Handshake
            }
            Self::Certificate { problem: CertificateProblem::NotPinned { .. }, .. } => {
                TlsErrorKind::PinnedKey
            }
            Self::Certificate { problem: CertificateProblem::Revocation(problem), .. } if problem.stapled => {
                TlsErrorKind::CertificateStatus
            }
            Self::Certificate { .. } => TlsErrorKind::Certificate,
            Self::Transport(_) | Self::Truncated | Self::CutShort => TlsErrorKind::Transport,
            _ => TlsErrorKind::Handshake,
        }
    }

    /// The error of this crate inside an I/O error that a [`crate::TlsStream`] returned.
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Sorts what rustls reports. A certificate's problem is named by the verifier, which knows more;
    /// what it says here is for the case that it could not.
    pub(crate) fn from_rustls(error: rustls::Error, server_name: &str) -> Self {
        use rustls::Error;
        match error {
            Error::InvalidCertificate(why) => Self::Certificate {
                server_name: server_name.to_owned(),
                problem: CertificateProblem::webpki(&why),
            },
            Error::AlertReceived(alert) => {
                Self::Alert { alert: alerts::named(alert), meaning: alerts::to_receiver(alert) }
            }
            error if retry_list(&error).is_some() => Self::EchRefused { retry: retry_list(&error).flatten() },
            Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Self::Incompatible(error),
            Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)
            | Error::InvalidMessage(rustls::InvalidMessage::UnknownProtocolVersion) => Self::NotTls(error),
            Error::NoCertificatesPresented => Self::NoClientCertificate,
            Error::PeerMisbehaved(rustls::PeerMisbehaved::OfferedEarlyDataWithOldProtocolVersion) => {
                Self::EarlyDataInOldVersion
            }
            Error::PeerMisbehaved(_)
            | Error::InvalidMessage(_)
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerSentOversizedRecord
            | Error::DecryptError => Self::Misbehaved(error),
            _ => Self::Other(error),
        }
    }

    /// Sorts what the asynchronous wrapper around rustls reports during a handshake.
    /// `asked`: how the server asked for a client's certificate, if it did.
    pub(crate) fn from_handshake(error: io::Error, server_name: &str, asked: Option<&Asked>) -> Self {
        match rustls_within(error) {
            Ok(error) => match asked.and_then(|asked| asked.explain(&error)) {
                Some(explained) => explained,
                None => Self::from_rustls(error, server_name),
            },
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::CutShort,
            Err(error) => Self::Transport(error),
        }
    }
}

/// Whose certificates a server takes, at the end of a sentence.
fn taken(issuers: &[String]) -> String {
    if issuers.is_empty() {
        String::new()
    } else {
        format!(" (it takes those issued by {})", some_of(issuers))
    }
}

/// Whether an I/O error says that the peer ended the connection without close_notify: harmless where
/// the data tells its own end (a satisfied Content-Length), an attack or an accident elsewhere. Its
/// kind is `UnexpectedEof`.
pub fn is_truncation(error: &io::Error) -> bool {
    matches!(TlsError::within(error), Some(TlsError::Truncated))
}

/// What rustls said, if it was rustls that said it.
pub(crate) fn rustls_within(error: io::Error) -> Result<rustls::Error, io::Error> {
    error.downcast::<rustls::Error>()
}

/// A client or server cannot be made as configured.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The versions leave nothing.
    #[error("no version lies between {min} (lowest) and {max} (highest)")]
    Versions {
        /// The lowest allowed.
        min: TlsVersion,
        /// The highest allowed.
        max: TlsVersion,
    },
    /// RFC 7301 3.1.
    #[error("an application protocol's name (ALPN) has 1 to 255 bytes, not {length}")]
    Alpn {
        /// How long it is.
        length: usize,
    },
    /// A server without a certificate.
    #[error("a TLS server needs at least one certificate")]
    NoIdentity,
    /// The cipher suites leave no version.
    #[error("no cipher suite that was chosen belongs to a version from {min} to {max}")]
    NoSuite {
        /// The lowest version allowed.
        min: TlsVersion,
        /// The highest version allowed.
        max: TlsVersion,
    },
    /// The key exchange groups leave nothing.
    #[error("no key exchange group that was chosen is spoken in this world (a virtual one has X25519 alone)")]
    NoGroup,
    /// Early data with sessions that the clients keep, or with none.
    #[error(
        "a server that takes early data must keep its sessions itself, so that each is taken up once (RFC 8446 8.1)"
    )]
    EarlyDataUntracked,
    /// A key for Encrypted ClientHello that cannot be used.
    #[error("Encrypted ClientHello (--ech) cannot be done with what was given: {}", ech_fault(.0))]
    Ech(#[source] rustls::Error),
    /// RFC 9849: Encrypted ClientHello is TLS 1.3's.
    #[error("Encrypted ClientHello (--ech) needs TLS 1.3, which is not to be offered (--tls-max)")]
    EchNeedsTls13,
    /// A server that asks its clients who they are and believes nobody about them.
    #[error("a server that asks for client certificates needs at least one root certificate for them")]
    NoClientRoots,
    /// Anything else.
    #[error("TLS cannot be set up: {0}")]
    Rustls(#[from] rustls::Error),
}

/// What is wrong with keys for Encrypted ClientHello (RFC 9849 4), in words.
fn ech_fault(error: &rustls::Error) -> String {
    use rustls::EncryptedClientHelloError as Fault;
    match error {
        rustls::Error::InvalidEncryptedClientHello(Fault::InvalidConfigList) => {
            "it is no list of keys as RFC 9849 4 has it (ECHConfigList)".to_owned()
        }
        rustls::Error::InvalidEncryptedClientHello(Fault::NoCompatibleConfig) => {
            "no key in it is of a version and kind that is used here (ask the server's owner for one of X25519 with \
             AES-GCM)"
                .to_owned()
        }
        other => other.to_string(),
    }
}
