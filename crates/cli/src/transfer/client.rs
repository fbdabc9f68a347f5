//! The client that the options of a group describe: TLS, proxies, cookies, limits.

use crate::args::{GetOptions, TlsOptions};
use crate::failure::{
    BAD_CA_FILE, BAD_CERTIFICATE, BAD_CIPHER, BAD_CRL_FILE, ExitWith, FAILED_INIT, INTERFACE_FAILED, coded,
    usage,
};
use crate::files::{NETRC, entries, metadata, read_bounded};
use crate::net::Net;
use crate::watch::key_log;
use anyhow::{Context, anyhow};
use glasstack::http::{Reading, Version};
use glasstack::stack::Host;
use glasstack::tls::revocation::{Demand, RevocationConfig, RevocationPolicy};
use glasstack::tls::{
    CipherList, Ech, FileFormat, GroupList, Identity, IdentityFiles, PinnedKeys, RevocationLists, TlsClient,
    TlsClientConfig, TlsVersion, TrustStore,
};
use glasstack::web::{
    Client, ClientConfig, ConnectTo, HeaderEdit, HttpRevocationSource, KeepPost, LowSpeed, Netrc, NetrcUse,
    NoProxy, ProxyRules, Schemes, SharedJar, TcpOptions,
};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The largest file of certificates, keys or passwords, in bytes.
const LARGEST_FILE: u64 = 16 << 20;
/// curl's, in seconds.
const SPEED_TIME: Duration = Duration::from_secs(30);

/// What is read of files before anything is opened: a mistake in them is told at once.
pub(crate) struct Prepared {
    trust: Option<TrustStore>,
    proxy_trust: Option<TrustStore>,
    tls: TlsChoices,
    netrc: Option<NetrcUse>,
    proxy_headers: Vec<HeaderEdit>,
    connect_to: Vec<ConnectTo>,
    schemes: Schemes,
    redirect_schemes: Schemes,
}

struct TlsChoices {
    versions: (TlsVersion, TlsVersion),
    ciphers: CipherList,
    groups: GroupList,
    identity: Option<Identity>,
    pinned: Option<PinnedKeys>,
    revocation: RevocationConfig,
    ech: Ech,
}

impl Prepared {
    /// Reads what the options name.
    pub(crate) fn new(options: &GetOptions) -> anyhow::Result<Self> {
        let request = &options.request;
        let connect_to = options.connection.connect_to.iter().map(|text| text.parse::<ConnectTo>());
        // https is dangerous to redirect from, http is what it is redirected to; both are curl's default.
        let schemes = |text: &Option<String>, option| match text {
            None => Ok(Schemes::default()),
            Some(text) => Schemes::default().changed(text).context(option).exit_with(FAILED_INIT),
        };
        if request.max_redirs < -1 {
            return Err(usage("--max-redirs: a number from 0 on, or -1 for any number"));
        }
        Ok(Self {
            trust: trust(options.tls.cacert.as_deref(), options.tls.capath.as_deref(), "--cacert")?,
            proxy_trust: trust(options.connection.proxy_cacert.as_deref(), None, "--proxy-cacert")?,
            tls: TlsChoices::new(&options.tls)?,
            netrc: netrc(options)?,
            proxy_headers: super::request::edits(&options.connection.proxy_header)?,
            connect_to: connect_to
                .collect::<Result<_, _>>()
                .context("--connect-to")
                .exit_with(super::SETOPT_SYNTAX)?,
            schemes: schemes(&request.proto, "--proto")?,
            redirect_schemes: schemes(&request.proto_redir, "--proto-redir")?,
        })
    }

    /// The client, on `host`.
    pub(crate) fn client(
        self,
        options: &GetOptions,
        net: &Net,
        host: &Host,
        jar: Option<SharedJar>,
    ) -> anyhow::Result<Client> {
        let trust = match self.trust {
            Some(trust) => trust,
            None => net.trust()?,
        };
        let (request, limits) = (&options.request, &options.limits);
        // curl's plus sign lets an entry grow old, for which no run of this program is long enough.
        let overrides = options.connection.resolve.iter();
        let overrides: Vec<String> =
            overrides.map(|text| text.strip_prefix('+').unwrap_or(text).to_owned()).collect();
        let resolver = net.resolver(&overrides).exit_with(super::SETOPT_SYNTAX)?;
        let proxy = proxy_rules(options, net, host, self.proxy_trust, self.proxy_headers)?;
        let config = TlsClientConfig {
            alpn: if options.tls.no_alpn { Vec::new() } else { vec!["http/1.1".to_owned()] },
            resume: !options.tls.no_sessionid,
            insecure: options.tls.insecure,
            key_log: key_log()?,
            min_version: self.tls.versions.0,
            max_version: self.tls.versions.1,
            ciphers: self.tls.ciphers,
            groups: self.tls.groups,
            identity: self.tls.identity,
            pinned: self.tls.pinned,
            revocation: RevocationConfig {
                cache: net.revocation_cache(options.tls.revocation_cache.as_deref())?,
                source: Some(HttpRevocationSource::through(proxy.clone(), host, &resolver)),
                ..self.tls.revocation
            },
            ech: self.tls.ech,
            ..TlsClientConfig::new(trust)
        };
        let tls = TlsClient::new(host.entropy(), host.scope().clock(), config)?;
        let usual = ClientConfig::new(resolver, tls);
        let config = ClientConfig {
            // Said to be nothing, it is left out, as curl does.
            user_agent: request
                .user_agent
                .clone()
                .or(usual.user_agent.clone())
                .filter(|name| !name.is_empty()),
            compressed: request.compressed,
            early_data: options.tls.tls_earlydata,
            follow: request.location || request.location_trusted,
            max_redirects: u32::try_from(request.max_redirs).unwrap_or(u32::MAX),
            keep_post: KeepPost { on_301: request.post301, on_302: request.post302, on_303: request.post303 },
            location_trusted: request.location_trusted,
            referer_auto: request.referer.as_ref().is_some_and(|referer| referer.contains(";auto")),
            schemes: self.schemes,
            redirect_schemes: self.redirect_schemes,
            version: if request.http10 && !request.http11 { Version::HTTP_10 } else { Version::HTTP_11 },
            expect_timeout: request.expect100_timeout.unwrap_or(usual.expect_timeout),
            reading: Reading {
                raw: request.raw,
                ignore_content_length: request.ignore_content_length,
                http09: request.http09,
            },
            cookies: jar,
            netrc: self.netrc,
            proxy,
            connect_to: self.connect_to,
            tcp: tcp(options, host)?,
            max_filesize: limits.max_filesize.filter(|limit| *limit > 0),
            low_speed: low_speed(options),
            connect_timeout: limit(limits.connect_timeout).unwrap_or(usual.connect_timeout),
            max_time: limit(limits.max_time),
            ..usual
        };
        Ok(Client::new(host, config))
    }
}

impl TlsChoices {
    fn new(options: &TlsOptions) -> anyhow::Result<Self> {
        let lowest = if options.tls13 { TlsVersion::Tls13 } else { TlsVersion::Tls12 };
        let highest = match &options.tls_max {
            Some(text) => TlsVersion::at_most(text).context("--tls-max").exit_with(FAILED_INIT)?,
            None => TlsVersion::Tls13,
        };
        if lowest > highest {
            let error = anyhow!("--tlsv1.3 with --tls-max: no version lies between {lowest} and {highest}");
            return Err(coded(super::SSL_CONNECT_ERROR, error));
        }
        let ciphers = CipherList::parse(options.ciphers.as_deref(), options.tls13_ciphers.as_deref());
        let groups = options.curves.as_deref().map(GroupList::parse).transpose().context("--curves");
        Ok(Self {
            versions: (lowest, highest),
            ciphers: ciphers.exit_with(BAD_CIPHER)?,
            groups: groups.exit_with(BAD_CIPHER)?.unwrap_or_default(),
            identity: identity(options)?,
            pinned: options.pinnedpubkey.as_deref().map(pinned).transpose()?,
            revocation: revocation(options)?,
            ech: ech(options)?,
        })
    }
}

/// A limit of 0 is none, as in curl.
pub(crate) fn limit(seconds: Option<Duration>) -> Option<Duration> {
    seconds.filter(|limit| !limit.is_zero())
}

/// The authorities in a file, in a folder, or in both.
pub(crate) fn trust(
    file: Option<&Path>,
    folder: Option<&Path>,
    option: &str,
) -> anyhow::Result<Option<TrustStore>> {
    if file.is_none() && folder.is_none() {
        return Ok(None);
    }
    let mut trust = TrustStore::empty();
    if let Some(path) = file {
        read_bounded(path, LARGEST_FILE)
            .and_then(|pem| trust.add_pem(&pem).with_context(|| format!("{option} {}", path.display())))
            .exit_with(BAD_CA_FILE)?;
    }
    if let Some(folder) = folder {
        let cannot = || format!("--capath {}", folder.display());
        let paths = entries(folder).with_context(cannot).exit_with(BAD_CA_FILE)?;
        // Other files may lie there, too.
        for path in paths.iter().filter(|path| metadata(path).is_ok_and(|about| about.is_file())) {
            if let Ok(pem) = read_bounded(path, LARGEST_FILE) {
                let _ = trust.add_pem(&pem);
            }
        }
        if trust.is_empty() {
            let error = anyhow!("--capath {}: there is no certificate (PEM) in it", folder.display());
            return Err(coded(BAD_CA_FILE, error));
        }
    }
    Ok(Some(trust))
}

fn identity(options: &TlsOptions) -> anyhow::Result<Option<Identity>> {
    let Some(cert) = &options.cert else { return Ok(None) };
    let (path, own_password) = split_password(cert);
    let made = (|| {
        let format = |text: &Option<String>| match text {
            Some(text) => text.parse::<FileFormat>(),
            None => Ok(FileFormat::Pem),
        };
        let certificate = read_bounded(Path::new(path.as_str()), LARGEST_FILE)?;
        let key = options.key.as_deref().map(|path| read_bounded(path, LARGEST_FILE)).transpose()?;
        let identity = Identity::from_files(&IdentityFiles {
            certificate: &certificate,
            certificate_format: format(&options.cert_type).context("--cert-type")?,
            key: key.as_deref(),
            key_format: format(&options.key_type).context("--key-type")?,
            password: options.pass.as_deref().or(own_password.as_deref()),
        })?;
        anyhow::Ok(identity)
    })();
    made.with_context(|| format!("--cert {path}")).exit_with(BAD_CERTIFICATE).map(Some)
}

/// `file:password`; `\:` is a colon of the file's name.
fn split_password(text: &str) -> (String, Option<String>) {
    let mut path = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.clone().next() {
                Some(escaped @ (':' | '\\')) => {
                    path.push(escaped);
                    letters.next();
                }
                _ => path.push('\\'),
            },
            ':' => return (path, Some(letters.collect())),
            other => path.push(other),
        }
    }
    (path, None)
}

fn pinned(text: &str) -> anyhow::Result<PinnedKeys> {
    if PinnedKeys::is_hashes(text) {
        return PinnedKeys::from_hashes(text).context("--pinnedpubkey").exit_with(super::PINNED_KEY);
    }
    read_bounded(Path::new(text), LARGEST_FILE)
        .and_then(|bytes| Ok(PinnedKeys::from_file(&bytes)?))
        .with_context(|| format!("--pinnedpubkey {text}"))
        .exit_with(super::PINNED_KEY)
}

/// What is demanded of revocation, and the lists that are given.
fn revocation(options: &TlsOptions) -> anyhow::Result<RevocationConfig> {
    let staple = if options.cert_status { Demand::Require } else { Demand::Try };
    let policy = RevocationPolicy {
        crl: options.crl_check.into(),
        ocsp: options.ocsp_check.into(),
        staple,
        ..RevocationPolicy::default()
    };
    let read = |path: &PathBuf| {
        read_bounded(path, LARGEST_FILE)
            .and_then(|bytes| Ok(RevocationLists::from_file(&bytes)?))
            .with_context(|| format!("--crlfile {}", path.display()))
            .exit_with(BAD_CRL_FILE)
    };
    let lists = options.crlfile.as_ref().map(read).transpose()?;
    Ok(RevocationConfig { policy, lists, ..RevocationConfig::default() })
}

fn ech(options: &TlsOptions) -> anyhow::Result<Ech> {
    let said = options.ech.as_deref().map(str::parse::<Ech>).transpose();
    Ok(said.context("--ech").exit_with(FAILED_INIT)?.unwrap_or_default())
}

/// Who we are, by the file that the options name.
fn netrc(options: &GetOptions) -> anyhow::Result<Option<NetrcUse>> {
    let identity = &options.identity;
    let is_asked = identity.netrc || identity.netrc_optional || identity.netrc_file.is_some();
    if !is_asked {
        return Ok(None);
    }
    let path = identity.netrc_file.clone().unwrap_or_else(|| NETRC.into());
    let optional = identity.netrc_optional && !identity.netrc;
    let netrc = match read_bounded(&path, LARGEST_FILE) {
        Ok(text) => Netrc::parse(&String::from_utf8_lossy(&text))
            .with_context(|| path.display().to_string())
            .exit_with(super::LOGIN_FILE)?,
        // curl: who is in no file is nobody.
        Err(_) if optional || identity.netrc_file.is_none() => Netrc::default(),
        Err(error) => return Err(coded(super::LOGIN_FILE, error)),
    };
    Ok(Some(NetrcUse { netrc, optional }))
}

/// The proxies of the options and, but for the lab, which they do not lead to, of the environment.
fn proxy_rules(
    options: &GetOptions,
    net: &Net,
    host: &Host,
    trust: Option<TrustStore>,
    headers: Vec<HeaderEdit>,
) -> anyhow::Result<ProxyRules> {
    let connection = &options.connection;
    let is_virtual = host.entropy().is_reproducible();
    let variable = |name: &str| std::env::var(name).ok().filter(|_| !is_virtual);
    let said = [
        ("", &connection.proxy),
        ("socks4://", &connection.socks4),
        ("socks4a://", &connection.socks4a),
        ("socks5://", &connection.socks5),
        ("socks5h://", &connection.socks5_hostname),
    ];
    let said = said.into_iter().find_map(|(scheme, proxy)| proxy.as_ref().map(|proxy| (scheme, proxy)));
    let mut rules = match said {
        None => ProxyRules::from_environment(variable).exit_with(super::BAD_PROXY)?,
        Some((_, proxy)) if proxy.is_empty() => ProxyRules::default(),
        Some((scheme, proxy)) => {
            let every = format!("{scheme}{proxy}").parse().context("-x").exit_with(super::BAD_PROXY)?;
            let except = variable("no_proxy").or_else(|| variable("NO_PROXY"));
            let except = except.map(|hosts| NoProxy::parse(&hosts)).unwrap_or_default();
            ProxyRules { every: Some(every), except, ..ProxyRules::default() }
        }
    };
    if let Some(hosts) = &connection.noproxy {
        rules.except = NoProxy::parse(hosts);
    }
    if let Some(pair) = &connection.proxy_user {
        let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
        rules.credentials = Some((user.to_owned(), password.to_owned()));
    }
    rules.headers = headers;
    rules.tunnel = connection.proxytunnel;
    // As curl: what -k, --cacert, --cert, --pinnedpubkey and the like say is of the server alone.
    if rules.is_any_over_tls() {
        let trust = match trust {
            Some(trust) => trust,
            None => net.trust()?,
        };
        let config = TlsClientConfig {
            insecure: connection.proxy_insecure,
            key_log: key_log()?,
            ..TlsClientConfig::new(trust)
        };
        rules.tls = Some(TlsClient::new(host.entropy(), host.scope().clock(), config)?);
    }
    Ok(rules)
}

fn tcp(options: &GetOptions, host: &Host) -> anyhow::Result<TcpOptions> {
    let connection = &options.connection;
    let usual = TcpOptions::default();
    let keep_alive = connection.keepalive_time.or(usual.keep_alive);
    let interface = connection.interface.as_deref().map(|text| own_address(host, text)).transpose()?;
    Ok(TcpOptions {
        nodelay: !connection.no_tcp_nodelay,
        keep_alive: keep_alive.filter(|_| !connection.no_keepalive),
        interface,
        local_ports: connection.local_port.map(|(low, high)| low..=high),
    })
}

/// The stack has one address; `if!NAME`, `host!ADDRESS` and plain names are curl's spellings.
fn own_address(host: &Host, text: &str) -> anyhow::Result<IpAddr> {
    let name = text.strip_prefix("if!").or_else(|| text.strip_prefix("host!")).unwrap_or(text);
    let own = host.address();
    let own_name = host.route(own).map(|route| route.interface).unwrap_or_default();
    if name.parse() == Ok(own) || name == own_name {
        return Ok(own);
    }
    let error = anyhow!("--interface {text}: the stack has the address {own} on {own_name}, and no other");
    Err(coded(INTERFACE_FAILED, error))
}

fn low_speed(options: &GetOptions) -> Option<LowSpeed> {
    let (speed, time) = (options.limits.speed_limit, options.limits.speed_time);
    // curl: each has its own usual value once the other is said; a time of 0 is no limit.
    let time = match (speed, time) {
        (None, None) => return None,
        (_, time) => time.unwrap_or(SPEED_TIME),
    };
    let speed = speed.unwrap_or(1);
    (speed > 0 && !time.is_zero()).then_some(LowSpeed { speed, time })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stands_behind_a_colon_that_is_not_escaped() {
        let split = |text: &str| split_password(text);
        assert_eq!(split("a.pem"), ("a.pem".into(), None));
        assert_eq!(split("a.pem:se:cret"), ("a.pem".into(), Some("se:cret".into())));
        assert_eq!(split(r"C\:\\a\b.pem:x"), (r"C:\a\b.pem".into(), Some("x".into())));
    }
}
