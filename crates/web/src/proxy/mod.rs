//! Proxies: which one for which URL, and why.

use crate::headers::HeaderEdit;
use glasstack_tls::TlsClient;
use std::fmt;
use std::str::FromStr;
use url::Url;

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

impl FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        Err(BadProxy { text: text.to_owned(), why: "not written yet".to_owned() })
    }
}

/// The scheme, the host and the port; the user, but no password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({}:{})", self.scheme, self.host, self.port)
    }
}

/// Which proxies there are, and for what.
#[derive(Clone, Default)]
pub struct ProxyRules {
    /// For every URL (curl's `-x`); wins over those below.
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
    /// Who makes TLS sessions with `https` proxies; none: the one who makes those with servers.
    pub tls: Option<TlsClient>,
}

impl ProxyRules {
    /// From environment variables as curl reads them: `http_proxy` in lower case only (in a CGI
    /// program, `HTTP_PROXY` would be whatever a client says in a `Proxy` field), the others in lower
    /// case and then in upper case.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, BadProxy> {
        let _ = variable;
        Ok(Self::default())
    }

    /// The proxy for a URL, and why it or none.
    pub fn choose(&self, url: &Url) -> (Option<&Proxy>, String) {
        let _ = url;
        (None, String::new())
    }
}

/// Hosts that are reached without a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy {
    entries: Vec<String>,
}

impl NoProxy {
    /// A list as curl's `--noproxy` takes it: hosts with their subdomains, addresses, networks
    /// (`10.0.0.0/8`), separated by commas or spaces; `*` alone: every host.
    pub fn parse(text: &str) -> Self {
        Self { entries: text.split([',', ' ']).map(str::to_owned).collect() }
    }

    /// The entry that `host` is covered by.
    pub fn covers(&self, host: &str) -> Option<&str> {
        self.entries.iter().map(String::as_str).find(|entry| *entry == host)
    }
}
