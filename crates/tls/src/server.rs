//! The server: accepts, and shows the certificate that fits the name asked for.

use crate::case::Case;
use crate::client_judge::ClientAuth;
use crate::error::{ConfigError, TlsError};
use crate::gather::{Gather, LastWord};
use crate::handshake::{Attempt, hang_up};
use crate::identity::Identity;
use crate::key_log::{ConnectionKeyLog, KeyLogSink};
use crate::late_alert;
use crate::observe::Tap;
use crate::offer::{Offer, group_name, protocol_names, protocol_versions, suite_name};
use crate::problem::CertificateProblem;
use crate::provider::{WallClock, provider};
use crate::revocation::Staple;
use crate::revocation::after_handshake::{AfterHandshake, Peer};
use crate::server_identity::{ServerIdentity, choose};
use crate::sessions::ServerSessions;
use crate::stream::{SessionInfo, TlsStream};
use crate::version::TlsVersion;
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::LazyConfigAcceptor;
use glasstack_journal::event::{Note, Tls};
use glasstack_journal::{Clock, Scope};
use glasstack_stack::Entropy;
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, ServerConfig, ServerConnection};
use std::future::{Future, poll_fn};
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

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
    /// Whether clients are asked who they are. They are not.
    pub client_auth: ClientAuth,
    /// The lowest version accepted. TLS 1.2.
    pub min_version: TlsVersion,
    /// The highest version accepted. TLS 1.3.
    pub max_version: TlsVersion,
    /// How clients may take up their sessions again.
    pub sessions: ServerSessions,
    /// How many bytes of a request may come before the handshake is over (0-RTT). None: what that
    /// costs is said in [`crate::sessions::early`].
    pub early_data: u32,
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
            client_auth: ClientAuth::None,
            sessions: ServerSessions::default(),
            early_data: 0,
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
    /// None when clients are not asked who they are.
    revocation: Option<Arc<AfterHandshake>>,
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
        let clients = config.client_auth.verifier(&provider)?;
        let revocation = config.client_auth.after_handshake(&provider, entropy);
        let mut rustls = ServerConfig::builder_with_details(provider, Arc::new(WallClock(clock.clone())))
            .with_protocol_versions(&versions)?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(Arc::new(Nothing));
        rustls.alpn_protocols = protocol_names(&config.alpn)?;
        // For the one alert that may be needed after the handshake: see late_alert.
        rustls.enable_secret_extraction = true;
        config.sessions.set(&mut rustls, config.early_data, clock)?;
        Ok(Self {
            config: Arc::new(rustls),
            identities: config.identities.into(),
            unknown_name: config.unknown_name,
            offer: Arc::new(offer),
            reproducible: entropy.is_reproducible(),
            key_log: config.key_log,
            revocation: revocation.map(Arc::new),
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
        let last_word = LastWord::default();
        let below = Gather::new(stream, tap.clone()).with_last_word(last_word.clone());
        let start = match LazyConfigAcceptor::new(Acceptor::default(), below).await {
            Ok(start) => start,
            Err(error) => {
                let attempt = Attempt::begin(scope, true, None, &self.offer);
                self.heard(&attempt, tap.as_ref());
                return Err(attempt.fail(TlsError::from_handshake(error, "the client", None)));
            }
        };
        let hello = start.client_hello();
        let asked = hello.server_name().map(str::to_owned);
        // Names of everything are made only for those who read them.
        let offered = scope.journal().is_watched().then(|| self.offered_by(&hello));
        let offered = offered.as_ref().unwrap_or(&self.offer);
        let attempt = Attempt::begin(scope, true, asked.as_deref(), offered);
        self.heard(&attempt, tap.as_ref());
        let (config, refusal) = self.config_for(attempt.scope(), asked.as_deref(), tap);
        if let Some(refusal) = &refusal {
            last_word.store(u8::from(alert_for(refusal)), Ordering::Relaxed);
        }
        let case = Case::new(attempt.scope().clone());
        let mut handshake = start.into_stream(config).into_fallible();
        let outcome = poll_fn(|cx| {
            let _judged_here = case.open();
            Pin::new(&mut handshake).poll(cx)
        })
        .await;
        match outcome {
            Ok(stream) => {
                if let Some(revocation) = &self.revocation {
                    let peer = Peer::of(stream.get_ref().1, case.taken());
                    if let Err(problem) = check_client(revocation, attempt.scope(), peer).await {
                        late_alert::refuse(stream.into(), problem.alert()).await;
                        let server_name = "the client".to_owned();
                        return Err(attempt.fail(TlsError::Certificate { server_name, problem }));
                    }
                }
                let mut stream = stream;
                let early = early_data(stream.get_mut().1);
                let session = SessionInfo::of(stream.get_ref().1);
                let scope = attempt.succeed();
                scope.record(|| session.established(true));
                let mut stream = TlsStream::new(stream.into(), scope, session);
                stream.received_early(early);
                Ok(stream)
            }
            Err((error, stream)) => {
                hang_up(stream).await;
                Err(attempt.fail(match (refusal, case.problem()) {
                    (Some(refusal), _) => refusal,
                    (None, Some(problem)) => {
                        TlsError::Certificate { server_name: "the client".to_owned(), problem }
                    }
                    (None, None) => TlsError::from_handshake(error, "the client", None),
                }))
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

/// Clients staple nothing.
async fn check_client(
    revocation: &AfterHandshake,
    scope: &Scope,
    peer: Peer,
) -> Result<(), CertificateProblem> {
    revocation.check_peer(scope, peer, Staple::NotAsked, None).await.map(drop)
}

/// What a client hears for which there is no certificate.
fn alert_for(refusal: &TlsError) -> AlertDescription {
    match refusal {
        // RFC 6066 3.
        TlsError::UnknownName { .. } => AlertDescription::UnrecognisedName,
        _ => AlertDescription::InternalError,
    }
}

/// What came before the handshake was over. It is here as a whole: the client has finished, and rustls
/// keeps no more than was allowed.
fn early_data(connection: &mut ServerConnection) -> Vec<u8> {
    let mut early = Vec::new();
    if let Some(mut reader) = connection.early_data() {
        // It is read from memory.
        let _ = reader.read_to_end(&mut early);
    }
    early
}

/// Shows no certificate: what there is to show is known once the client has asked.
#[derive(Debug)]
struct Nothing;

impl ResolvesServerCert for Nothing {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
