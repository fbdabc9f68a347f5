//! Proxies: which one for which URL, and why.

mod no_proxy;
pub mod socks;
pub(crate) mod tunnel;

pub use no_proxy::NoProxy;
pub use socks::SocksError;

use crate::headers::{HeaderEdit, percent_decoded};
use futures_util::{AsyncRead, AsyncWrite};
use glasstack_tls::TlsClient;
use std::fmt;
use std::str::FromStr;
use url::Url;

/// Any stream that may be passed on.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin + ?Sized> Wire for S {}

/// One proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub scheme: ProxyScheme,
    /// Its host: a name, or an address (an IPv6 one without brackets).
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password for it.
    pub credentials: Option<(String, String)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyScheme {
    /// HTTP: absolute-form for `http`, CONNECT for `https`.
    Http,
    /// The same over TLS.
    Https,
    /// SOCKS 4, names resolved here.
    Socks4,
    /// SOCKS 4a, names resolved there.
    Socks4a,
    /// SOCKS 5 (RFC 1928), names resolved here.
    Socks5,
    /// SOCKS 5, names resolved there.
    Socks5h,
}

/// Not a proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a proxy: {why} (write [SCHEME://][USER:PASSWORD@]HOST[:PORT])")]
pub struct BadProxy {
    /// What was given, without a password.
    pub text: String,
    /// Why it is none.
    pub why: String,
}

impl ProxyScheme {
    const ALL: [(&'static str, Self); 7] = [
        ("http", Self::Http),
        ("https", Self::Https),
        ("socks4", Self::Socks4),
        ("socks", Self::Socks4),
        ("socks4a", Self::Socks4a),
        ("socks5", Self::Socks5),
        ("socks5h", Self::Socks5h),
    ];

    /// Whether it is SOCKS of any kind.
    pub fn is_socks(self) -> bool {
        !matches!(self, Self::Http | Self::Https)
    }

    /// Its name, as a URL has it.
    pub fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, scheme)| *scheme == self);
        named.map(|(name, _)| *name).unwrap_or_default()
    }
}

impl FromStr for Proxy {
    type Err = BadProxy;

    /// As curl reads it: without a scheme it is `http`, without a port 1080, and 443 for `https`.
    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let bad = |why: String| BadProxy { text: crate::address_bar::hide_password(text), why };
        let (scheme, rest) = match text.split_once("://") {
            Some((name, rest)) => {
                let known = ProxyScheme::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                let unknown = || bad(format!("no proxy speaks \"{name}\" (http, https and socks do)"));
                (known.ok_or_else(unknown)?.1, rest)
            }
            None => (ProxyScheme::Http, text),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = split_place(place).ok_or_else(|| bad("the bracket is not closed".to_owned()))?;
        if host.is_empty() || host.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(bad("there is no host in it".to_owned()));
        }
        let port = match port {
            "" if scheme == ProxyScheme::Https => 443,
            "" => 1080,
            port => match port.parse() {
                Ok(port @ 1..) => port,
                _ => return Err(bad(format!("\"{port}\" is no port"))),
            },
        };
        Ok(Self { scheme, host: ascii_host(host), port, credentials: user.map(user_and_password) })
    }
}

/// Host and port; the latter may be empty.
fn split_place(place: &str) -> Option<(&str, &str)> {
    match place.strip_prefix('[') {
        Some(inner) => {
            let (host, behind) = inner.split_once(']')?;
            Some((host, behind.strip_prefix(':').unwrap_or(behind)))
        }
        None => Some(place.split_once(':').unwrap_or((place, ""))),
    }
}

/// A name as name servers know it (punycode); what is none is left as it is, to be found out then.
fn ascii_host(host: &str) -> String {
    match url::Host::parse(host) {
        Ok(url::Host::Domain(name)) => name,
        Ok(url::Host::Ipv4(address)) => address.to_string(),
        _ => host.to_owned(),
    }
}

fn user_and_password(pair: &str) -> (String, String) {
    let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
    let decoded = |text: &str| String::from_utf8_lossy(&percent_decoded(text)).into_owned();
    (decoded(user), decoded(password))
}

/// As a URL, without user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{}://{open}{}{close}:{}", self.scheme.name(), self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// Which proxies there are, and for what.
#[derive(Clone, Default)]
pub struct ProxyRules {
    /// For every URL (curl's `-x`); wins over those below. `-x ""` is no proxy at all: none of these.
    pub every: Option<Proxy>,
    /// For `http` URLs (`http_proxy`).
    pub http: Option<Proxy>,
    /// For `https` URLs (`https_proxy`, `HTTPS_PROXY`).
    pub https: Option<Proxy>,
    /// For what the two above say nothing of (`all_proxy`, `ALL_PROXY`).
    pub all: Option<Proxy>,
    /// Hosts that are reached without (`--noproxy`, or else `no_proxy`, `NO_PROXY`).
    pub except: NoProxy,
    /// User and password for whichever it is (`--proxy-user`); they win over the proxy's own.
    pub credentials: Option<(String, String)>,
    /// What the user wants of the header fields that go to the proxy alone (`--proxy-header`).
    pub headers: Vec<HeaderEdit>,
    /// Whether `http` URLs go through a tunnel, too (`-p`).
    pub tunnel: bool,
    /// Who makes TLS sessions with `https` proxies: never the one who makes those with servers, whose trust,
    /// pinned keys and client certificate are not meant for a proxy. None: no such proxy can be used.
    pub tls: Option<TlsClient>,
}

impl ProxyRules {
    /// From environment variables as curl reads them: `http_proxy` in lower case only (in a CGI
    /// program, `HTTP_PROXY` would be whatever a client says in a `Proxy` field), the others in lower
    /// case and then in upper case. An empty one is none.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, BadProxy> {
        let said =
            |names: &[&str]| names.iter().find_map(|name| variable(name).filter(|text| !text.is_empty()));
        let proxy = |names: &[&str]| said(names).map(|text| text.parse()).transpose();
        Ok(Self {
            http: proxy(&["http_proxy"])?,
            https: proxy(&["https_proxy", "HTTPS_PROXY"])?,
            all: proxy(&["all_proxy", "ALL_PROXY"])?,
            except: NoProxy::parse(&said(&["no_proxy", "NO_PROXY"]).unwrap_or_default()),
            ..Self::default()
        })
    }

    /// Whether there is any proxy at all.
    pub fn is_empty(&self) -> bool {
        [&self.every, &self.http, &self.https, &self.all].iter().all(|proxy| proxy.is_none())
    }

    /// Whether one of them is spoken to over TLS, for which [`Self::tls`] is needed.
    pub fn is_any_over_tls(&self) -> bool {
        let all = [&self.every, &self.http, &self.https, &self.all].into_iter().flatten();
        all.into_iter().any(|proxy| proxy.scheme == ProxyScheme::Https)
    }

    /// The proxy for a URL, and why it or none.
    pub fn choose(&self, url: &Url) -> (Option<&Proxy>, String) {
        let host = url.host_str().unwrap_or_default();
        if let (false, Some(entry)) = (self.is_empty(), self.except.covers(host)) {
            return (
                None,
                format!("{host} is reached without a proxy: the list of exceptions says \"{entry}\""),
            );
        }
        let scheme = url.scheme();
        let by_scheme = if scheme == "https" { &self.https } else { &self.http };
        let places = [
            (&self.every, "it is for every URL".to_owned()),
            (by_scheme, format!("the environment says {scheme}_proxy")),
            (&self.all, "the environment says all_proxy".to_owned()),
        ];
        let chosen = places.into_iter().find_map(|(proxy, why)| Some((proxy.as_ref()?, why)));
        match chosen {
            Some((proxy, why)) => (Some(proxy), why),
            None => (None, format!("there is no proxy for {scheme}")),
        }
    }

    /// User and password for `proxy`.
    pub(crate) fn credentials_for<'a>(&'a self, proxy: &'a Proxy) -> Option<&'a (String, String)> {
        self.credentials.as_ref().or(proxy.credentials.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Proxy>().unwrap().to_string()
    }

    #[test]
    fn a_proxy_is_read_as_curl_reads_it() {
        assert_eq!(shown("p.test"), "http://p.test:1080");
        assert_eq!(shown("http://P.test:3128/"), "http://p.test:3128");
        assert_eq!(shown("https://p.test"), "https://p.test:443");
        assert_eq!(shown("SOCKS5H://10.0.0.1:9050"), "socks5h://10.0.0.1:9050");
        assert_eq!(shown("socks://p.test"), "socks4://p.test:1080");
        assert_eq!(shown("[::1]:8080"), "http://[::1]:8080");
        assert_eq!(shown("b\u{fc}cher.test"), "http://xn--bcher-kva.test:1080");
        let proxy: Proxy = "http://me:se%40cret@p.test:1".parse().unwrap();
        assert_eq!(proxy.credentials, Some(("me".to_owned(), "se@cret".to_owned())));
        assert!(!format!("{proxy:?}").contains("cret"));
    }

    #[test]
    fn what_is_no_proxy_is_refused_and_no_password_shown() {
        for text in ["", "ftp://p.test", "http://", "p.test:0", "p.test:99999", "[::1", "p test", ":80"] {
            assert!(text.parse::<Proxy>().is_err(), "{text}");
        }
        let error = "ftp://me:secret@p.test".parse::<Proxy>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let rules = |variables: &'static [(&str, &str)]| {
            let variable = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            ProxyRules::from_environment(variable).unwrap()
        };
        let for_url = |rules: &ProxyRules, url: &str| {
            rules.choose(&Url::parse(url).unwrap()).0.map(Proxy::to_string).unwrap_or_default()
        };
        let all = rules(&[
            ("http_proxy", "a.test:1"),
            ("HTTPS_PROXY", "b.test:2"),
            ("ALL_PROXY", "c.test:3"),
            ("no_proxy", "d.test"),
            ("NO_PROXY", "e.test"),
        ]);
        assert_eq!(for_url(&all, "http://h.test/"), "http://a.test:1");
        assert_eq!(for_url(&all, "https://h.test/"), "http://b.test:2");
        assert_eq!(for_url(&all, "https://www.d.test/"), "");
        assert_eq!(for_url(&all, "https://e.test/"), "http://b.test:2");
        let upper = rules(&[("HTTP_PROXY", "evil.test:1"), ("https_proxy", ""), ("HTTPS_PROXY", "b.test:2")]);
        assert_eq!(for_url(&upper, "http://h.test/"), "");
        assert_eq!(for_url(&upper, "https://h.test/"), "http://b.test:2");
        let only_all = rules(&[("all_proxy", "socks5://c.test:3")]);
        assert_eq!(for_url(&only_all, "http://h.test/"), "socks5://c.test:3");
    }

    #[test]
    fn the_reason_for_a_proxy_is_told() {
        let mut rules = ProxyRules { every: Some("p.test:1".parse().unwrap()), ..ProxyRules::default() };
        let url = Url::parse("http://h.test/").unwrap();
        assert_eq!(rules.choose(&url).1, "it is for every URL");
        rules.except = NoProxy::parse("test");
        let (proxy, why) = rules.choose(&url);
        assert!(proxy.is_none());
        assert_eq!(why, "h.test is reached without a proxy: the list of exceptions says \"test\"");
    }
}
