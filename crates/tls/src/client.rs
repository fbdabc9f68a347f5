//! The client: connects, and judges whom it meets.

use crate::error::{ConfigError, TlsError};
use crate::gather::Gather;
use crate::handshake::{Attempt, hang_up};
use crate::key_log::{ConnectionKeyLog, KeyLogSink};
use crate::offer::{Offer, TlsVersion, protocol_names, protocol_versions};
use crate::provider::{WallClock, provider};
use crate::stream::{SessionInfo, TlsStream};
use crate::trust::TrustStore;
use crate::verifier::{Case, Judge};
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::TlsConnector;
use glasstack_journal::event::{Tls, Verdict};
use glasstack_journal::{Clock, Scope};
use glasstack_stack::Entropy;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

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
    /// Accepts any certificate, and says loudly that it does. Off.
    pub insecure: bool,
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
            insecure: false,
            key_log: None,
        }
    }
}

/// Makes TLS connections, and resumes its earlier sessions where the server lets it. Cheap to clone;
/// clones share their sessions.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    offer: Arc<Offer>,
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
        let versions = protocol_versions(range)?;
        let provider = provider(entropy);
        let offer = Offer::new(&provider, range, &config.alpn);
        let judge = Judge::new(config.trust, &provider, config.insecure);
        let mut rustls = ClientConfig::builder_with_details(provider, Arc::new(WallClock(clock.clone())))
            .with_protocol_versions(&versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge))
            .with_no_client_auth();
        rustls.alpn_protocols = protocol_names(&config.alpn)?;
        Ok(Self { config: Arc::new(rustls), offer: Arc::new(offer), key_log: config.key_log })
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
        let case = Case::new(attempt.scope().clone());
        let connector = TlsConnector::from(self.config_for(attempt.scope()));
        let mut handshake = connector.connect(name, Gather { stream }).into_fallible();
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
    fn config_for(&self, scope: &Scope) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.config);
        config.key_log = Arc::new(ConnectionKeyLog { scope: scope.clone(), sink: self.key_log.clone() });
        Arc::new(config)
    }
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
