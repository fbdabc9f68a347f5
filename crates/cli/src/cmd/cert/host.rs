//! A host is asked for its certificates: by a handshake that succeeds whatever they are worth, so that
//! they can be looked at; what they are worth is told behind them.

use super::print_pem;
use crate::args::ShowOptions;
use crate::cmd::verify;
use crate::failure::{ExitWith, MALFORMED_URL, usage};
use crate::net::Net;
use crate::transfer::client::trust;
use crate::watch::key_log;
use crate::{names, output};
use anyhow::anyhow;
use futures_util::AsyncWriteExt;
use glasstack::dns::Resolver;
use glasstack::stack::{Host, TcpStream};
use glasstack::tls::describe::{Described, describe_certificate};
use glasstack::tls::verify::{Judgement, Name, Purpose, Verifier};
use glasstack::tls::{SessionInfo, TlsClient, TlsClientConfig, TlsError, provider};
use glasstack::web::{ConnectFailure, WebError, address_bar};
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;

/// For name, TCP and TLS together.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the connection may take to close.
const GOODBYE: Duration = Duration::from_secs(1);

/// Who is asked, and for whose certificate.
pub(super) struct Asked {
    pub(super) host: String,
    port: u16,
    name: String,
}

impl Asked {
    /// `HOST`, `HOST:PORT`, or a URL.
    pub(super) fn of(what: &str, name: Option<&str>) -> anyhow::Result<Self> {
        let text = if what.contains("://") { what.to_owned() } else { format!("https://{what}") };
        let address = address_bar::parse(&text).map_err(WebError::from).exit_with(MALFORMED_URL)?;
        let url = address.url;
        if url.scheme() != "https" {
            return Err(usage(format!(
                "{what}: certificates are shown by TLS, and {} is without",
                url.scheme()
            )));
        }
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = name.map_or_else(|| Ok(host.clone()), names::in_ascii)?;
        Ok(Self { host, port: url.port_or_known_default().unwrap_or(443), name })
    }
}

/// What a host showed.
struct Shown {
    peer: SocketAddr,
    session: SessionInfo,
}

pub(super) fn show(options: &ShowOptions, asked: &Asked, net: &mut Net) -> anyhow::Result<()> {
    let believed = match &options.cacert {
        Some(path) => trust(Some(path), None, "--cacert")?,
        None => None,
    };
    let believed = believed.map_or_else(|| net.trust(), Ok)?;
    let config = TlsClientConfig {
        only_look: true,
        resume: false,
        key_log: key_log()?,
        ..TlsClientConfig::new(believed.clone())
    };
    let host = net.host.clone();
    let client = TlsClient::new(host.entropy(), host.scope().clock(), config)?;
    let resolver = net.resolver(&[])?;
    let shown = net.run(async {
        match host.timeout(PATIENCE, handshake(&host, &resolver, &client, asked)).await {
            Ok(shown) => shown,
            Err(elapsed) => {
                Err(WebError::ConnectTimedOut { host: asked.host.clone(), limit: elapsed.limit }.into())
            }
        }
    });
    let settled = net.settle(GOODBYE);
    let shown = shown??;
    settled?;
    let now = options.time.unwrap_or_else(|| net.host.wall());
    let described: Vec<Described> =
        shown.session.peer_certificates.iter().map(|one| describe_certificate(&one.der, now)).collect();
    if described.is_empty() {
        return Err(anyhow!("{} showed no certificate", asked.host));
    }
    let chain: Vec<_> = described.iter().map(|one| one.der.as_slice().into()).collect();
    let verifier = Verifier::new(believed, Purpose::Server, provider::signature_algorithms())
        .with_staple(shown.session.staple.clone());
    let seconds = i64::try_from(now.unix_seconds()).unwrap_or(i64::MAX);
    let judgement = match Name::parse(&asked.name) {
        Ok(name) => verifier.judge(&chain, &[name], seconds),
        Err(problem) => Judgement::refusal(problem),
    };
    print(options, asked, &shown, &described, &judgement)
}

async fn handshake(
    host: &Host,
    resolver: &Resolver,
    client: &TlsClient,
    asked: &Asked,
) -> anyhow::Result<Shown> {
    let tcp = dial(host, resolver, asked).await?;
    let peer = tcp.peer_addr();
    let scope = tcp.scope().clone();
    let connected: Result<_, TlsError> = client.connect(&scope, tcp, &asked.name).await;
    let mut stream = connected.map_err(WebError::from)?;
    let session = stream.session().clone();
    // What was wanted has come: how the connection ends is told in the journal.
    let _ = stream.close().await;
    Ok(Shown { peer, session })
}

async fn dial(host: &Host, resolver: &Resolver, asked: &Asked) -> Result<TcpStream, WebError> {
    let lookup = resolver.resolve_port(&asked.host, asked.port).await?;
    let mut attempts = Vec::new();
    for address in lookup.addresses.iter().map(|address| SocketAddr::new(*address, asked.port)) {
        match host.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => attempts.push((address, error)),
        }
    }
    Err(ConnectFailure { host: asked.host.clone(), attempts }.into())
}

/// A host as programs read it.
#[derive(Serialize)]
struct ToldHost<'a> {
    host: &'a str,
    name: &'a str,
    address: String,
    version: &'a str,
    suite: &'a str,
    group: Option<&'a str>,
    certificates: &'a [Described],
    judgement: &'a Judgement,
}

fn print(
    options: &ShowOptions,
    asked: &Asked,
    shown: &Shown,
    described: &[Described],
    judgement: &Judgement,
) -> anyhow::Result<()> {
    if options.pem {
        return print_pem(&asked.host, described);
    }
    let Shown { peer, session } = shown;
    if options.json {
        let told = ToldHost {
            host: &asked.host,
            name: &asked.name,
            address: peer.to_string(),
            version: &session.version,
            suite: &session.suite,
            group: session.group.as_deref(),
            certificates: described,
            judgement,
        };
        return output::line(serde_json::to_string_pretty(&told)?);
    }
    let name = if asked.name == asked.host { String::new() } else { format!(", asked for {}", asked.name) };
    let group = session.group.as_ref().map(|group| format!(", {group}")).unwrap_or_default();
    let (version, suite) = (&session.version, &session.suite);
    output::line(format_args!("{} at {peer}{name}: {version}, {suite}{group}", asked.host))?;
    let many = described.len();
    for (index, one) in described.iter().enumerate() {
        let place = index + 1;
        if index == 0 || options.chain {
            output::line(format_args!("\n{place} of {many}: {}", one.to_string().trim_end()))?;
        } else if let Some(certificate) = session.peer_certificates.get(index) {
            let (label, issuer, until) =
                (certificate.label(), &certificate.issuer, certificate.valid_until());
            output::line(format_args!(
                "\n{place} of {many}: {label}, issued by {issuer}, until {until} (--chain shows it)"
            ))?;
        }
    }
    output::line("")?;
    verify::print(judgement)
}
