//! The client: connects, and judges whom it meets.

use crate::case::{Case, SessionOffered};
use crate::client_auth::Showing;
use crate::client_config::TlsClientConfig;
use crate::ech::Ech;
use crate::error::{ConfigError, TlsError};
use crate::gather::Gather;
use crate::handshake::{Attempt, hang_up};
use crate::key_log::{ConnectionKeyLog, KeyLogSink};
use crate::late_alert;
use crate::observe::Tap;
use crate::offer::{Offer, protocol_names, protocol_versions, version_of};
use crate::problem::CertificateProblem;
use crate::provider::{WallClock, provider};
use crate::revocation::Staple;
use crate::revocation::after_handshake::{AfterHandshake, Peer, unix_seconds};
use crate::server_judge::{ServerJudge, after_handshake};
use crate::sessions::EarlyData;
use crate::sessions::client::Kept;
use crate::stream::{SessionInfo, TlsStream};
use crate::version::TlsVersion;
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::TlsConnector;
use glasstack_journal::event::{Note, Tls, Verdict};
use glasstack_journal::{Clock, Scope};
use glasstack_stack::Entropy;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};
use std::future::{Future, poll_fn};
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;

/// Makes TLS connections, and resumes its earlier sessions where the server lets it. Cheap to clone;
/// clones share their sessions.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    offer: Arc<Offer>,
    /// What of the configuration makes handshakes other than one might expect.
    special: Arc<[Note]>,
    key_log: Option<KeyLogSink>,
    sessions: Arc<Kept>,
    /// None when nothing is to be asked.
    revocation: Option<Arc<AfterHandshake>>,
}

impl TlsClient {
    /// A client in the world of `entropy` and `clock`.
    pub fn new(
        entropy: &Arc<dyn Entropy>,
        clock: &Arc<dyn Clock>,
        config: TlsClientConfig,
    ) -> Result<Self, ConfigError> {
        let range = (config.min_version, config.max_version);
        let special = special(&config, entropy.is_reproducible());
        let range = versions_for(&config.ech, range)?;
        let provider = narrowed(&provider(entropy), &config, range)?;
        let offer = Offer::new(&provider, range, &config.alpn);
        let versions = protocol_versions(range, &provider)?;
        let judge = ServerJudge::new(&config, &provider);
        let revocation = after_handshake(&config, &provider, entropy);
        let builder = ClientConfig::builder_with_details(provider, Arc::new(WallClock(clock.clone())));
        let mut rustls = match config.ech.mode()? {
            Some(mode) => builder.with_ech(mode)?,
            None => builder.with_protocol_versions(&versions)?,
        }
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(judge))
        .with_client_cert_resolver(Arc::new(Showing(config.identity)));
        rustls.alpn_protocols = protocol_names(&config.alpn)?;
        // For the one alert that may be needed after the handshake: see late_alert.
        rustls.enable_secret_extraction = true;
        let sessions = Arc::new(Kept::default());
        rustls.resumption =
            if config.resume { Resumption::store(sessions.clone()) } else { Resumption::disabled() };
        Ok(Self {
            config: Arc::new(rustls),
            offer: Arc::new(offer),
            special: special.into(),
            key_log: config.key_log,
            sessions,
            revocation: revocation.map(Arc::new),
        })
    }

    /// Makes a TLS session with `server_name` over `stream`, telling every step in a span below
    /// `scope`. The name is sent (SNI, RFC 6066 3) unless it is an IP address, and the certificate
    /// must be for it.
    ///
    /// There is no time limit in here: drop the future to give up.
    pub async fn connect<S>(
        &self,
        scope: &Scope,
        stream: S,
        server_name: &str,
    ) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        self.connect_early(scope, stream, server_name, &[]).await
    }

    /// The same, and `early` is sent at once, before the server has said a word (0-RTT, RFC 8446 2.3),
    /// if an earlier session allows it; otherwise, and when the server refuses it, as the first bytes
    /// behind the handshake. Either way it has been sent when this returns, and
    /// [`SessionInfo::early_data`] tells how.
    ///
    /// Nothing goes early where revocation must be judged before anything is sent
    /// ([`EarlyData::Withheld`]): by the policy, by lists or answers that are given.
    ///
    /// Early data may arrive twice: somebody who recorded it can play it again. Only for what does no
    /// harm then.
    pub async fn connect_early<S>(
        &self,
        scope: &Scope,
        stream: S,
        server_name: &str,
        early: &[u8],
    ) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        // RFC 6066 3: the name is sent without a trailing dot.
        let asked = server_name.strip_suffix('.').unwrap_or(server_name);
        let name = ServerName::try_from(asked.to_owned())
            .map_err(|_| TlsError::ServerName { name: server_name.to_owned() })?;
        let attempt = Attempt::begin(scope, false, Some(asked), &self.offer);
        self.tell_what_is_special(attempt.scope());
        let case = Case::new(attempt.scope().clone());
        let tap = Tap::client(attempt.scope());
        self.forget_what_cannot_pass(attempt.scope(), asked);
        let mark = self.sessions.mark();
        let early = Early { data: early, withheld: self.revocation.as_ref().is_some_and(|it| it.demands()) };
        let connector = TlsConnector::from(self.config_for(attempt.scope(), tap.clone(), early.is_to_go()));
        let mut early_at_first = EarlyData::None;
        let mut handshake = {
            let _offered_here = case.open();
            let write = |connection: &mut ClientConnection| early_at_first = early.write(connection, &case);
            connector.connect_with(name, Gather::new(stream, tap), write).into_fallible()
        };
        let outcome = poll_fn(|cx| {
            let _judged_here = case.open();
            Pin::new(&mut handshake).poll(cx)
        })
        .await;
        match outcome {
            Ok(stream) => {
                let peer = Peer::of(stream.get_ref().1, case.taken());
                let judged = self.judge_revocation(attempt.scope(), peer, case.staple(), asked).await;
                if let Err(problem) = judged {
                    self.forget_sessions(asked);
                    late_alert::refuse(stream.into(), problem.alert()).await;
                    let server_name = asked.to_owned();
                    return Err(attempt.fail(TlsError::Certificate { server_name, problem }));
                }
                let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
                if case.offered_session().is_some() && !resumed {
                    self.sessions.forget_before(asked, mark);
                    attempt.scope().record(|| Note::detail("the server did not take the session up"));
                }
                let outcome = match early_at_first {
                    EarlyData::Accepted(bytes) if !stream.get_ref().1.is_early_data_accepted() => {
                        EarlyData::Refused(bytes)
                    }
                    known => known,
                };
                let stream = established(attempt, stream, &case).with_asked(case.asked());
                early.finish(stream, outcome).await
            }
            Err((error, stream)) => {
                hang_up(stream).await;
                let error = match case.problem() {
                    Some(problem) => TlsError::Certificate { server_name: asked.to_owned(), problem },
                    None => TlsError::from_handshake(error, asked, case.asked().as_ref()),
                };
                if matches!(error, TlsError::EarlyDataInOldVersion) {
                    self.forget_sessions(asked);
                }
                Err(attempt.fail(error))
            }
        }
    }

    fn tell_what_is_special(&self, scope: &Scope) {
        for note in self.special.iter() {
            scope.record(|| note.clone());
        }
    }

    /// A session that needs a stapled answer is not offered once the answer is good no longer: it would
    /// be taken up and then refused, where a whole handshake brings another answer.
    fn forget_what_cannot_pass(&self, scope: &Scope, asked: &str) {
        if self.sessions.staple(asked).is_some_and(|staple| staple.until <= unix_seconds(scope)) {
            self.forget_sessions(asked);
            scope.record(|| {
                Note::detail(
                    "no earlier session is offered: the stapled answer that came with it is good no longer",
                )
            });
        }
    }

    async fn judge_revocation(
        &self,
        scope: &Scope,
        peer: Peer,
        staple: Option<Vec<u8>>,
        asked: &str,
    ) -> Result<(), CertificateProblem> {
        let Some(revocation) = &self.revocation else { return Ok(()) };
        let staple = match (staple, peer.is_resumed()) {
            (Some(der), _) => Staple::Present(der),
            (None, true) => Staple::Resumed,
            (None, false) => Staple::Absent,
        };
        if staple == Staple::Resumed {
            let remembered = self.sessions.staple(asked);
            return revocation.check_peer(scope, peer, staple, remembered).await.map(drop);
        }
        let needed = revocation.check_peer(scope, peer, staple, None).await?;
        self.sessions.keep_staple(asked, needed);
        Ok(())
    }

    /// Whether it has a certificate for servers that want to see one: then they know who sends early data.
    pub fn has_identity(&self) -> bool {
        self.config.client_auth_cert_resolver.has_certs()
    }

    /// Forgets the sessions with `server_name`: the next handshake is a whole one.
    pub fn forget_sessions(&self, server_name: &str) {
        self.sessions.forget(server_name.strip_suffix('.').unwrap_or(server_name));
    }

    /// The shared configuration with a key log of the connection's own.
    fn config_for(&self, scope: &Scope, tap: Option<Tap>, early: bool) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.config);
        config.enable_early_data = early;
        config.key_log = Arc::new(ConnectionKeyLog { scope: scope.clone(), sink: self.key_log.clone(), tap });
        Arc::new(config)
    }
}

/// The provider with nothing but the suites and groups that are wanted: rustls offers all suites that it
/// is given, also those of versions that it does not offer.
fn narrowed(
    provider: &CryptoProvider,
    config: &TlsClientConfig,
    range: (TlsVersion, TlsVersion),
) -> Result<Arc<CryptoProvider>, ConfigError> {
    let mut cipher_suites = config.ciphers.choose(provider);
    cipher_suites.retain(|suite| (range.0..=range.1).contains(&version_of(suite)));
    let mut kx_groups = provider.kx_groups.clone();
    kx_groups.retain(|group| config.groups.place(group.name()).is_some());
    kx_groups.sort_by_key(|group| config.groups.place(group.name()));
    if kx_groups.is_empty() {
        return Err(ConfigError::NoGroup);
    }
    let narrowed = CryptoProvider { cipher_suites, kx_groups, ..provider.clone() };
    if protocol_versions(range, &narrowed)?.is_empty() {
        return Err(ConfigError::NoSuite { min: range.0, max: range.1 });
    }
    Ok(Arc::new(narrowed))
}

fn established<S>(
    attempt: Attempt,
    stream: futures_rustls::client::TlsStream<Gather<S>>,
    case: &Case,
) -> TlsStream<S> {
    let session = SessionInfo::of(stream.get_ref().1).with_staple(case.staple());
    let scope = attempt.succeed();
    if session.resumed {
        scope.record(|| Tls::CertificateJudged {
            check: "chain",
            verdict: Verdict::Skipped,
            evidence: "not shown again: this resumes a session whose certificate was judged when it was made"
                .to_owned(),
        });
    }
    scope.record(|| session.established(false));
    TlsStream::new(stream.into(), scope, session)
}

/// RFC 9849: Encrypted ClientHello is with TLS 1.3 alone.
fn versions_for(
    ech: &Ech,
    (min, max): (TlsVersion, TlsVersion),
) -> Result<(TlsVersion, TlsVersion), ConfigError> {
    match ech {
        Ech::Off => Ok((min, max)),
        _ if max < TlsVersion::Tls13 => Err(ConfigError::EchNeedsTls13),
        _ => Ok((TlsVersion::Tls13, max)),
    }
}

/// What is told at each handshake of such a client.
fn special(config: &TlsClientConfig, reproducible: bool) -> Vec<Note> {
    let left_out = config.ciphers.left_out().iter();
    let mut notes: Vec<_> = left_out.map(|suite| Note::warning(format!("not offered: {suite}"))).collect();
    if config.ech != Ech::Off && config.min_version < TlsVersion::Tls13 {
        notes.push(Note::info(
            "TLS 1.2 is not offered: Encrypted ClientHello (--ech) is with TLS 1.3 alone (RFC 9849)",
        ));
    }
    // HPKE (RFC 9180) is aws-lc's, whose keys come from the operating system.
    if config.ech != Ech::Off && reproducible {
        notes.push(Note::warning(
            "Encrypted ClientHello takes its keys from the operating system: this handshake is not the same for the \
             same seed",
        ));
    }
    notes
}

/// What the caller would have sent early.
struct Early<'a> {
    data: &'a [u8],
    /// Whether it must wait for revocation to be judged.
    withheld: bool,
}

impl Early<'_> {
    fn is_to_go(&self) -> bool {
        !self.data.is_empty() && !self.withheld
    }

    /// RFC 8446 4.2.10: all of it goes early, or nothing. What becomes of it unless the server refuses it.
    fn write(&self, connection: &mut ClientConnection, case: &Case) -> EarlyData {
        let bytes = self.data.len();
        if bytes == 0 {
            return EarlyData::None;
        }
        if self.withheld {
            return EarlyData::Withheld;
        }
        let Some(mut writer) = connection.early_data() else {
            return match case.offered_session() {
                Some(SessionOffered { version: TlsVersion::Tls13, early_data: 0 }) => EarlyData::NotAllowed,
                _ => EarlyData::NoSession,
            };
        };
        let allowed = writer.bytes_left();
        if allowed < bytes || writer.write_all(self.data).is_err() {
            return EarlyData::TooMuch { bytes, allowed };
        }
        case.scope().record(|| {
            Note::info(format!(
                "{bytes} bytes are sent before the handshake is over (0-RTT). Whoever records them can send them once \
                 more, and only the server can notice (RFC 8446 8)"
            ))
        });
        EarlyData::Accepted(bytes)
    }

    /// Sends what did not arrive early, and tells what became of it.
    async fn finish<S>(&self, mut stream: TlsStream<S>, outcome: EarlyData) -> Result<TlsStream<S>, TlsError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        if outcome == EarlyData::None {
            return Ok(stream);
        }
        stream.set_early_data(outcome);
        if !matches!(outcome, EarlyData::Accepted(_)) {
            let mut rest = self.data;
            while !rest.is_empty() {
                let written = poll_fn(|cx| Pin::new(&mut stream).poll_write(cx, rest)).await;
                rest = rest.get(written.map_err(TlsError::Transport)?..).unwrap_or_default();
            }
            poll_fn(|cx| Pin::new(&mut stream).poll_flush(cx)).await.map_err(TlsError::Transport)?;
        }
        Ok(stream)
    }
}
