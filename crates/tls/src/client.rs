//! The client: connects, and judges whom it meets.

use crate::case::Case;
use crate::client_auth::Showing;
use crate::client_config::TlsClientConfig;
use crate::error::{ConfigError, TlsError};
use crate::gather::Gather;
use crate::handshake::{Attempt, hang_up};
use crate::key_log::{ConnectionKeyLog, KeyLogSink};
use crate::observe::Tap;
use crate::offer::{Offer, protocol_names, protocol_versions};
use crate::provider::{WallClock, provider};
use crate::stream::{SessionInfo, TlsStream};
use crate::verifier::Judge;
use crate::version::TlsVersion;
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::TlsConnector;
use glasstack_journal::event::{Note, Tls, Verdict};
use glasstack_journal::{Clock, Scope};
use glasstack_stack::Entropy;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

/// Makes TLS connections, and resumes its earlier sessions where the server lets it. Cheap to clone;
/// clones share their sessions.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    offer: Arc<Offer>,
    /// Suites asked for in vain.
    left_out: Arc<[String]>,
    key_log: Option<KeyLogSink>,
}

impl TlsClient {
    /// A client in the world of `entropy` and `clock`.
    pub fn new(
        entropy: &Arc<dyn Entropy>,
        clock: &Arc<dyn Clock>,
        config: TlsClientConfig,
    ) -> Result<Self, ConfigError> {
        let range = (config.min_version, config.max_version);
        let provider = narrowed(&provider(entropy), &config, range)?;
        let offer = Offer::new(&provider, range, &config.alpn);
        let versions = protocol_versions(range, &provider)?;
        let judge = Judge::new(&config, &provider)?;
        let mut rustls = ClientConfig::builder_with_details(provider, Arc::new(WallClock(clock.clone())))
            .with_protocol_versions(&versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge))
            .with_client_cert_resolver(Arc::new(Showing(config.identity)));
        rustls.alpn_protocols = protocol_names(&config.alpn)?;
        if !config.resume {
            rustls.resumption = Resumption::disabled();
        }
        let left_out = config.ciphers.left_out().to_vec();
        Ok(Self {
            config: Arc::new(rustls),
            offer: Arc::new(offer),
            left_out: left_out.into(),
            key_log: config.key_log,
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
        // RFC 6066 3: the name is sent without a trailing dot.
        let asked = server_name.strip_suffix('.').unwrap_or(server_name);
        let name = ServerName::try_from(asked.to_owned())
            .map_err(|_| TlsError::ServerName { name: server_name.to_owned() })?;
        let attempt = Attempt::begin(scope, false, Some(asked), &self.offer);
        for suite in self.left_out.iter() {
            attempt.scope().record(|| Note::warning(format!("not offered: {suite}")));
        }
        let case = Case::new(attempt.scope().clone());
        let tap = Tap::client(attempt.scope());
        let connector = TlsConnector::from(self.config_for(attempt.scope(), tap.clone()));
        let mut handshake = connector.connect(name, Gather::new(stream, tap)).into_fallible();
        let outcome = poll_fn(|cx| {
            let _judged_here = case.open();
            Pin::new(&mut handshake).poll(cx)
        })
        .await;
        match outcome {
            Ok(stream) => Ok(established(attempt, stream)),
            Err((error, stream)) => {
                hang_up(stream).await;
                Err(attempt.fail(match case.problem() {
                    Some(problem) => TlsError::Certificate { server_name: asked.to_owned(), problem },
                    None => TlsError::from_handshake(error, asked),
                }))
            }
        }
    }

    /// The shared configuration with a key log of the connection's own.
    fn config_for(&self, scope: &Scope, tap: Option<Tap>) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.config);
        config.key_log = Arc::new(ConnectionKeyLog { scope: scope.clone(), sink: self.key_log.clone(), tap });
        Arc::new(config)
    }
}

/// The provider with nothing but the suites and groups that are wanted.
fn narrowed(
    provider: &CryptoProvider,
    config: &TlsClientConfig,
    range: (TlsVersion, TlsVersion),
) -> Result<Arc<CryptoProvider>, ConfigError> {
    let cipher_suites = config.ciphers.choose(provider);
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

fn established<S>(attempt: Attempt, stream: futures_rustls::client::TlsStream<Gather<S>>) -> TlsStream<S> {
    let session = SessionInfo::of(stream.get_ref().1);
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
