//! The server: accepts, and shows the certificate that fits the name asked for.

use crate::error::{ConfigError, TlsError};
use crate::gather::Gather;
use crate::handshake::{Attempt, hang_up};
use crate::identity::Identity;
use crate::key_log::{ConnectionKeyLog, KeyLogSink};
use crate::observe::Tap;
use crate::offer::{Offer, group_name, protocol_names, protocol_versions, suite_name};
use crate::provider::{WallClock, provider};
use crate::server_identity::{ServerIdentity, choose};
use crate::stream::{SessionInfo, TlsStream};
use crate::trust::TrustStore;
use crate::version::TlsVersion;
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::LazyConfigAcceptor;
use glasstack_journal::event::{Note, Tls};
use glasstack_journal::{Clock, Scope};
use glasstack_stack::Entropy;
use rustls::ServerConfig;
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::sync::Arc;

/// What a server offers and shows.
#[derive(Clone)]
pub struct TlsServerConfig {
    /// Its certificates, chosen by the name that the client asks for; the first is the default.
    pub identities: Vec<ServerIdentity>,
    /// What a client gets that asks for a name no certificate is for. The first certificate.
    pub unknown_name: UnknownName,
    /// Application protocols spoken (RFC 7301), best first, as `http/1.1`. None by default, and then
    /// whatever a client offers is passed over.
    pub alpn: Vec<String>,
    /// Asks clients for a certificate that these vouch for, and refuses those without. Nobody is
    /// asked.
    pub client_trust: Option<TrustStore>,
    /// The lowest version accepted. TLS 1.2.
    pub min_version: TlsVersion,
    /// The highest version accepted. TLS 1.3.
    pub max_version: TlsVersion,
    /// Who gets the secrets beside the journal.
    pub key_log: Option<KeyLogSink>,
}

impl TlsServerConfig {
    /// Shows `identities`, and everything else as is usual.
    pub fn new<I: Into<ServerIdentity>>(identities: impl IntoIterator<Item = I>) -> Self {
        Self {
            identities: identities.into_iter().map(Into::into).collect(),
            unknown_name: UnknownName::Default,
            alpn: Vec::new(),
            client_trust: None,
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            key_log: None,
        }
    }
}

/// What a server does about a name (SNI) that none of its certificates is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownName {
    /// Shows its first certificate, and leaves it to the client.
    #[default]
    Default,
    /// Refuses with the alert `unrecognized_name` (RFC 6066 3).
    Refuse,
}

/// Accepts TLS connections, and resumes earlier sessions, whose state it keeps itself. Cheap to
/// clone; clones share their sessions.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    identities: Arc<[ServerIdentity]>,
    unknown_name: UnknownName,
    offer: Arc<Offer>,
    reproducible: bool,
    key_log: Option<KeyLogSink>,
}

impl TlsServer {
    /// A server in the world of `entropy` and `clock`.
    pub fn new(
        entropy: &Arc<dyn Entropy>,
        clock: &Arc<dyn Clock>,
        config: TlsServerConfig,
    ) -> Result<Self, ConfigError> {
        if config.identities.is_empty() {
            return Err(ConfigError::NoIdentity);
        }
        let range = (config.min_version, config.max_version);
        let provider = provider(entropy);
        let versions = protocol_versions(range, &provider)?;
        let offer = Offer::new(&provider, range, &config.alpn);
        let clients = match config.client_trust {
            None => WebPkiClientVerifier::no_client_auth(),
            Some(trust) => {
                WebPkiClientVerifier::builder_with_provider(trust.roots().clone(), provider.clone())
                    .build()
                    .map_err(|error| ConfigError::Rustls(rustls::Error::General(error.to_string())))?
            }
        };
        let mut rustls = ServerConfig::builder_with_details(provider, Arc::new(WallClock(clock.clone())))
            .with_protocol_versions(&versions)?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(Arc::new(Nothing));
        rustls.alpn_protocols = protocol_names(&config.alpn)?;
        Ok(Self {
            config: Arc::new(rustls),
            identities: config.identities.into(),
            unknown_name: config.unknown_name,
            offer: Arc::new(offer),
            reproducible: entropy.is_reproducible(),
            key_log: config.key_log,
        })
    }

    /// Makes a TLS session with the client at the other end of `stream`, telling every step in a span
    /// below `scope`. What is told as offered is what the client offered.
    ///
    /// There is no time limit in here: drop the future to give up.
    pub async fn accept<S>(&self, scope: &Scope, stream: S) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let tap = Tap::server(scope);
        let below = Gather::new(stream, tap.clone());
        let start = match LazyConfigAcceptor::new(Acceptor::default(), below).await {
            Ok(start) => start,
            Err(error) => {
                let attempt = Attempt::begin(scope, true, None, &self.offer);
                self.heard(&attempt, tap.as_ref());
                return Err(attempt.fail(TlsError::from_handshake(error, "the client")));
            }
        };
        let hello = start.client_hello();
        let asked = hello.server_name().map(str::to_owned);
        let attempt = Attempt::begin(scope, true, asked.as_deref(), &self.offered_by(&hello));
        self.heard(&attempt, tap.as_ref());
        let (config, refusal) = self.config_for(attempt.scope(), asked.as_deref(), tap);
        match start.into_stream(config).into_fallible().await {
            Ok(stream) => {
                let session = SessionInfo::of(stream.get_ref().1);
                let scope = attempt.succeed();
                scope.record(|| session.established(true));
                Ok(TlsStream::new(stream.into(), scope, session))
            }
            Err((error, stream)) => {
                hang_up(stream).await;
                Err(attempt.fail(refusal.unwrap_or_else(|| TlsError::from_handshake(error, "the client"))))
            }
        }
    }

    /// What was heard before it was known in which span to tell it.
    fn heard(&self, attempt: &Attempt, tap: Option<&Tap>) {
        if let Some(tap) = tap {
            tap.speaks(&self.config);
            tap.tell_in(attempt.scope());
        }
    }

    /// What the client offered. Its versions are not to be had from rustls: those accepted here stand
    /// in their place.
    fn offered_by(&self, hello: &ClientHello<'_>) -> Offer {
        let groups = hello.named_groups().unwrap_or_default();
        let alpn = hello.alpn().into_iter().flatten();
        Offer {
            versions: self.offer.versions.clone(),
            suites: hello.cipher_suites().iter().map(|suite| suite_name(*suite)).collect(),
            groups: groups.iter().map(|group| group_name(*group)).collect(),
            alpn: alpn.map(|name| String::from_utf8_lossy(name).escape_default().to_string()).collect(),
        }
    }

    /// The shared configuration with the certificate for `asked` and a key log of the connection's
    /// own; and why it has no certificate, if it has none.
    fn config_for(
        &self,
        scope: &Scope,
        asked: Option<&str>,
        tap: Option<Tap>,
    ) -> (Arc<ServerConfig>, Option<TlsError>) {
        let mut config = ServerConfig::clone(&self.config);
        config.key_log = Arc::new(ConnectionKeyLog { scope: scope.clone(), sink: self.key_log.clone(), tap });
        let refusal = match self.identity_for(scope, asked) {
            Ok(identity) => {
                config.cert_resolver = Arc::new(SingleCertAndKey::from(identity.shown_now()));
                None
            }
            Err(error) => Some(error),
        };
        (Arc::new(config), refusal)
    }

    /// What is shown to a client that asks for `asked`.
    fn identity_for(&self, scope: &Scope, asked: Option<&str>) -> Result<Identity, TlsError> {
        let nothing = || TlsError::UnknownName { name: asked.unwrap_or_default().to_owned() };
        let choice = choose(&self.identities, asked).ok_or_else(nothing)?;
        if !choice.fits && self.unknown_name == UnknownName::Refuse {
            return Err(nothing());
        }
        let identity = choice.identity.get().map_err(TlsError::Identity)?;
        let subject = identity.certificate().label();
        scope.record(|| Tls::IdentityChosen {
            asked: asked.map(str::to_owned),
            subject: subject.clone(),
            why: choice.why,
        });
        if self.reproducible && !identity.signs_reproducibly() {
            scope.record(|| {
                Note::warning(format!(
                    "the key of {subject} is not Ed25519: its signatures differ from run to run, so this handshake \
                     is not the same for the same seed"
                ))
            });
        }
        Ok(identity)
    }
}

/// Shows no certificate: what there is to show is known once the client has asked.
#[derive(Debug)]
struct Nothing;

impl ResolvesServerCert for Nothing {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
