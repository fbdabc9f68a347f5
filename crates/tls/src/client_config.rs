//! What a client is told to offer, and whom to believe.

use crate::ciphers::CipherList;
use crate::ech::Ech;
use crate::identity::Identity;
use crate::key_log::KeyLogSink;
use crate::offer::GroupList;
use crate::pin::PinnedKeys;
use crate::revocation::RevocationConfig;
use crate::trust::TrustStore;
use crate::version::TlsVersion;

/// What a client offers and whom it believes.
#[derive(Clone)]
pub struct TlsClientConfig {
    /// Whose word counts.
    pub trust: TrustStore,
    /// Application protocols offered (RFC 7301), best first, as `http/1.1`. None by default.
    pub alpn: Vec<String>,
    /// The lowest version offered. TLS 1.2.
    pub min_version: TlsVersion,
    /// The highest version offered. TLS 1.3.
    pub max_version: TlsVersion,
    /// The cipher suites offered. All that are spoken here.
    pub ciphers: CipherList,
    /// The key exchange groups offered. All that are spoken here; a virtual world has X25519 alone.
    pub groups: GroupList,
    /// Shown to a server that asks for a client's certificate. None.
    pub identity: Option<Identity>,
    /// The server must have one of these keys, besides everything else, and even when its certificate
    /// is not checked. Any key.
    pub pinned: Option<PinnedKeys>,
    /// Whether certificates were taken back: what is demanded, what is given, who fetches. What is
    /// stapled is judged, and nobody is asked.
    pub revocation: RevocationConfig,
    /// Encrypted ClientHello: off. With it, TLS 1.3 alone is offered.
    pub ech: Ech,
    /// Whether earlier sessions are resumed. They are.
    pub resume: bool,
    /// Accepts any certificate, and says loudly that it does. Off.
    pub insecure: bool,
    /// Accepts any certificate, because it is only to be looked at: what would be refused is told, and
    /// nothing of the application may be sent or believed. Off.
    pub only_look: bool,
    /// Who gets the secrets beside the journal.
    pub key_log: Option<KeyLogSink>,
}

impl TlsClientConfig {
    /// Believes `trust`, and everything else as is usual.
    pub fn new(trust: TrustStore) -> Self {
        Self {
            trust,
            alpn: Vec::new(),
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            ciphers: CipherList::default(),
            groups: GroupList::default(),
            identity: None,
            pinned: None,
            revocation: RevocationConfig::default(),
            ech: Ech::Off,
            resume: true,
            insecure: false,
            only_look: false,
            key_log: None,
        }
    }
}
