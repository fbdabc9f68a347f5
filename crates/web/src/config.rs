//! How a client fetches.

use crate::cookies::SharedJar;
use crate::credentials::NetrcUse;
use crate::proxy::ProxyRules;
use glasstack_dns::Resolver;
use glasstack_http::{DecodeLimits, Limits, Reading, RedirectPolicy, Version};
use glasstack_tls::TlsClient;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// How a client fetches.
#[derive(Clone)]
pub struct ClientConfig {
    /// Who turns names into addresses.
    pub resolver: Resolver,
    /// Who makes TLS sessions; it should offer `http/1.1` by ALPN.
    pub tls: TlsClient,
    /// What is said in `User-Agent`; none: nothing. `glasstack/VERSION`.
    pub user_agent: Option<String>,
    /// Whether compressed bodies are asked for, and decoded (curl's `--compressed`). Without it a
    /// body is given as it came. Off.
    pub compressed: bool,
    /// Whether a request goes out before the TLS handshake is over (0-RTT, RFC 8446 2.3), where an
    /// earlier session with the server allows it (curl's `--tls-earlydata`). Only GET and HEAD without
    /// body and credentials do (RFC 8470): who recorded it can send it once more. Off.
    pub early_data: bool,
    /// Whether redirects are followed (curl's `-L`). Off.
    pub follow: bool,
    /// How many redirects in a row. 50.
    pub max_redirects: u32,
    /// Which redirects leave a POST a POST (`--post301` and so on). None.
    pub keep_post: KeepPost,
    /// Whether what authenticates goes along to other origins (`--location-trusted`). Off.
    pub location_trusted: bool,
    /// Whether a redirected request says in `Referer` where it comes from (`-e ";auto"`). Off.
    pub referer_auto: bool,
    /// Which schemes may be asked for (`--proto`). Both.
    pub schemes: Schemes,
    /// Which schemes a redirect may lead to (`--proto-redir`). Both.
    pub redirect_schemes: Schemes,
    /// The version that requests speak: HTTP/1.1, or HTTP/1.0 (`-0`). HTTP/1.1.
    pub version: Version,
    /// How long an announced body waits for `100 Continue` (`--expect100-timeout`). 1 s.
    pub expect_timeout: Duration,
    /// How responses are read where that is not as usual (`--raw`, `--ignore-content-length`,
    /// `--http0.9`).
    pub reading: Reading,
    /// The cookies; none: they are neither kept nor sent.
    pub cookies: Option<SharedJar>,
    /// Users and passwords by host, and which of them win.
    pub netrc: Option<NetrcUse>,
    /// Which proxies there are, and for what. None.
    pub proxy: ProxyRules,
    /// Where connections lead instead (`--connect-to`): the first that fits.
    pub connect_to: Vec<ConnectTo>,
    /// How TCP connections are made.
    pub tcp: TcpOptions,
    /// How much a server may send.
    pub limits: Limits,
    /// How long a body may be (`--max-filesize`), in bytes as transferred; what says it is longer is
    /// refused before it comes.
    pub max_filesize: Option<u64>,
    /// How slow a transfer may be (`-Y`, `-y`).
    pub low_speed: Option<LowSpeed>,
    /// How much a body may grow when it is decoded.
    pub decode: DecodeLimits,
    /// For name, TCP and TLS together. 300 s, as in curl.
    pub connect_timeout: Duration,
    /// For one fetch as a whole, redirects and body included; none: as long as it takes. None.
    pub max_time: Option<Duration>,
    /// How long a closing connection waits for its server's goodbye. 2 s.
    pub close_timeout: Duration,
}

impl ClientConfig {
    /// A client with this resolver and TLS, and everything else as is usual.
    pub fn new(resolver: Resolver, tls: TlsClient) -> Self {
        Self {
            resolver,
            tls,
            user_agent: Some(concat!("glasstack/", env!("CARGO_PKG_VERSION")).to_owned()),
            compressed: false,
            early_data: false,
            follow: false,
            max_redirects: RedirectPolicy::default().limit,
            keep_post: KeepPost::default(),
            location_trusted: false,
            referer_auto: false,
            schemes: Schemes::default(),
            redirect_schemes: Schemes::default(),
            version: Version::HTTP_11,
            expect_timeout: Duration::from_secs(1),
            reading: Reading::default(),
            cookies: None,
            netrc: None,
            proxy: ProxyRules::default(),
            connect_to: Vec::new(),
            tcp: TcpOptions::default(),
            limits: Limits::default(),
            max_filesize: None,
            low_speed: None,
            decode: DecodeLimits::default(),
            connect_timeout: Duration::from_secs(300),
            max_time: None,
            close_timeout: Duration::from_secs(2),
        }
    }
}

/// Which redirects leave a POST a POST, where browsers make it a GET.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepPost {
    /// 301 (`--post301`).
    pub on_301: bool,
    /// 302 (`--post302`).
    pub on_302: bool,
    /// 303 (`--post303`).
    pub on_303: bool,
}

/// Schemes that are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schemes {
    /// `http`.
    pub http: bool,
    /// `https`.
    pub https: bool,
}

impl Default for Schemes {
    fn default() -> Self {
        Self { http: true, https: true }
    }
}

impl Schemes {
    /// Whether a URL has one of them.
    pub fn allow(self, url: &Url) -> bool {
        match url.scheme() {
            "http" => self.http,
            "https" => self.https,
            _ => false,
        }
    }

    /// What is left of them after a change as curl's `--proto` says it, as `=https` or `-all,http`.
    pub fn changed(self, text: &str) -> Result<Self, BadSchemes> {
        let mut schemes = self;
        for word in text.split(',') {
            let (sign, names) = match word.split_at_checked(1) {
                Some((sign @ ("+" | "-" | "="), rest)) => (sign, rest),
                _ => ("+", word),
            };
            let (http, https) = match names.to_ascii_lowercase().as_str() {
                "all" => (true, true),
                "http" => (true, false),
                "https" => (false, true),
                // curl warns and goes on; so does `=` with nothing behind it.
                _ if sign == "=" => (false, false),
                _ => continue,
            };
            schemes = match sign {
                "=" => Self { http, https },
                "-" => Self { http: schemes.http && !http, https: schemes.https && !https },
                _ => Self { http: schemes.http || http, https: schemes.https || https },
            };
        }
        if schemes.http || schemes.https { Ok(schemes) } else { Err(BadSchemes { text: text.to_owned() }) }
    }
}

/// No scheme is left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" allows neither http nor https, and nothing else is spoken here (write, say, =https)")]
pub struct BadSchemes {
    /// What was given.
    pub text: String,
}

/// How TCP connections are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpOptions {
    /// Whether small segments are sent at once (`--tcp-nodelay`, `--no-tcp-nodelay`). On.
    pub nodelay: bool,
    /// After how long an idle connection asks whether its peer still lives (`--keepalive-time`,
    /// `--no-keepalive`). 60 s.
    pub keep_alive: Option<Duration>,
    /// The address that connections must come from (`--interface`).
    pub interface: Option<IpAddr>,
    /// The ports that connections must come from (`--local-port`).
    pub local_ports: Option<RangeInclusive<u16>>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self { nodelay: true, keep_alive: Some(Duration::from_secs(60)), interface: None, local_ports: None }
    }
}

/// The slowest that a transfer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowSpeed {
    /// Bytes a second (`-Y`).
    pub speed: u64,
    /// For this long (`-y`). 30 s in curl.
    pub time: Duration,
}

/// A connection that leads elsewhere than its URL says (curl's `--connect-to`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// For this host; none: any.
    pub host: Option<String>,
    /// For this port; none: any.
    pub port: Option<u16>,
    /// To this host; none: the URL's.
    pub to_host: Option<String>,
    /// To this port; none: the URL's.
    pub to_port: Option<u16>,
}

/// Not two hosts and two ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" does not say where to connect: {why} (write HOST1:PORT1:HOST2:PORT2; each may be empty)")]
pub struct BadConnectTo {
    /// What was given.
    pub text: String,
    /// Why not.
    pub why: &'static str,
}

impl FromStr for ConnectTo {
    type Err = BadConnectTo;

    fn from_str(text: &str) -> Result<Self, BadConnectTo> {
        let bad = |why| BadConnectTo { text: text.to_owned(), why };
        let (host, rest) = split_host(text).ok_or_else(|| bad("there is no colon behind the first host"))?;
        let (port, rest) =
            rest.split_once(':').ok_or_else(|| bad("there is no colon behind the first port"))?;
        let (to_host, to_port) = split_host(rest).unwrap_or((rest, ""));
        let number = |port: &str| match port {
            "" => Ok(None),
            port => port.parse().map(Some).map_err(|_| bad("a port is a number from 0 to 65535")),
        };
        let named = |host: &str| (!host.is_empty()).then(|| host.to_ascii_lowercase());
        Ok(Self {
            host: named(host),
            port: number(port)?,
            to_host: named(to_host),
            to_port: number(to_port)?,
        })
    }
}

/// A host, which may be an IPv6 address in brackets, and what follows its colon.
fn split_host(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, rest)) => Some((address, rest.strip_prefix(':')?)),
        None => text.split_once(':'),
    }
}

impl ConnectTo {
    /// Whether it is about this host and port.
    pub fn fits(&self, host: &str, port: u16) -> bool {
        self.host.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(host))
            && self.port.is_none_or(|wanted| wanted == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_led_elsewhere_as_curl_says_it() {
        let all: ConnectTo = "A.test:80:10.0.0.2:8080".parse().unwrap();
        assert!(all.fits("a.test", 80) && !all.fits("a.test", 81) && !all.fits("b.test", 80));
        assert_eq!((all.to_host.as_deref(), all.to_port), (Some("10.0.0.2"), Some(8080)));
        let any: ConnectTo = "::[::1]:".parse().unwrap();
        assert!(any.fits("whatever", 1));
        assert_eq!((any.to_host.as_deref(), any.to_port), (Some("::1"), None));
        for text in ["", "a", "a:b", "a:b:c:d", "a:99999:b:1"] {
            assert!(text.parse::<ConnectTo>().is_err(), "{text}");
        }
    }

    #[test]
    fn schemes_are_added_and_taken_away_as_curl_does() {
        let both = Schemes::default();
        let of = |text: &str| both.changed(text).map(|left| (left.http, left.https));
        assert_eq!(of("=https"), Ok((false, true)));
        assert_eq!(of("-http"), Ok((false, true)));
        assert_eq!(of("-all,https"), Ok((false, true)));
        assert_eq!(of("-ftp"), Ok((true, true)));
        assert!(of("=ftp").is_err() && of("-all").is_err());
    }
}
