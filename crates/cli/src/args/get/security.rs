//! Who we are, and whom we believe.

use crate::args::CheckChoice;
use clap::Args;
use std::path::PathBuf;

/// Credentials and cookies.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Who we are")]
pub(crate) struct IdentityOptions {
    /// User and password
    #[arg(short = 'u', long, value_name = "USER[:PASSWORD]")]
    pub(crate) user: Option<String>,
    /// Say who we are by Basic, as is done anyway
    #[arg(long)]
    pub(crate) basic: bool,
    /// Say who we are by Digest (RFC 7616)
    #[arg(long)]
    pub(crate) digest: bool,
    /// Say who we are in the way that the server asks for: Basic or Digest
    #[arg(long)]
    pub(crate) anyauth: bool,
    /// A bearer token (RFC 6750)
    #[arg(long, value_name = "TOKEN")]
    pub(crate) oauth2_bearer: Option<String>,
    /// Take user and password from ~/.netrc
    #[arg(short = 'n', long)]
    pub(crate) netrc: bool,
    /// Take user and password from FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) netrc_file: Option<PathBuf>,
    /// Take user and password from ~/.netrc where the URL has none
    #[arg(long)]
    pub(crate) netrc_optional: bool,
    /// Cookies, as "a=1; b=2", or a file of them
    #[arg(short = 'b', long, value_name = "DATA|FILE")]
    pub(crate) cookie: Vec<String>,
    /// Write the cookies to FILE in the end; to stdout with `-`
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) cookie_jar: Option<PathBuf>,
    /// Leave the cookies of the last session out of a file of them
    #[arg(short = 'j', long)]
    pub(crate) junk_session_cookies: bool,
}

/// TLS.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsOptions {
    /// Accept any certificate
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// Believe the certificate authorities in FILE (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Believe the certificate authorities in FOLDER (PEM) instead of the system's
    #[arg(long, value_name = "FOLDER")]
    pub(crate) capath: Option<PathBuf>,
    /// Refuse the certificates that the lists in FILE (PEM) revoke
    #[arg(long, value_name = "FILE")]
    pub(crate) crlfile: Option<PathBuf>,
    /// Whether revocation lists are fetched from where certificates name them, and decide: off, try (who is
    /// known to be revoked is refused), require (who is not known to be good is refused)
    #[arg(long, value_name = "POLICY", default_value = "off")]
    pub(crate) crl_check: CheckChoice,
    /// The same of OCSP: whether the responders that certificates name are asked
    #[arg(long, value_name = "POLICY", default_value = "off")]
    pub(crate) ocsp_check: CheckChoice,
    /// Demand that the server shows an OCSP answer with its certificate (stapled)
    #[arg(long)]
    pub(crate) cert_status: bool,
    /// Keep fetched lists and OCSP answers in FILE for as long as they are good
    #[arg(long, value_name = "FILE")]
    pub(crate) revocation_cache: Option<PathBuf>,
    /// Believe this key alone: a file, or sha256//BASE64, several with semicolons
    #[arg(long, value_name = "FILE|HASHES")]
    pub(crate) pinnedpubkey: Option<String>,
    /// TLS 1.2 or newer, as is done anyway
    #[arg(long = "tlsv1.2")]
    pub(crate) tls12: bool,
    /// TLS 1.3 or newer
    #[arg(long = "tlsv1.3")]
    pub(crate) tls13: bool,
    /// TLS 1.2 or newer, as is done anyway
    #[arg(short = '1', long = "tlsv1")]
    pub(crate) tls1: bool,
    /// The newest TLS: 1.2, 1.3 or default
    #[arg(long, value_name = "VERSION")]
    pub(crate) tls_max: Option<String>,
    /// The cipher suites of TLS 1.2, by their names, with colons
    #[arg(long, value_name = "LIST")]
    pub(crate) ciphers: Option<String>,
    /// The cipher suites of TLS 1.3, by their names, with colons
    #[arg(long, value_name = "LIST")]
    pub(crate) tls13_ciphers: Option<String>,
    /// The groups of the key exchange, by their names, with colons
    #[arg(long, value_name = "LIST")]
    pub(crate) curves: Option<String>,
    /// Our own certificate, in FILE
    #[arg(short = 'E', long, value_name = "FILE[:PASSWORD]")]
    pub(crate) cert: Option<String>,
    /// How our certificate is written: PEM, DER or P12
    #[arg(long, value_name = "TYPE")]
    pub(crate) cert_type: Option<String>,
    /// Our private key, in FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// How our private key is written: PEM or DER
    #[arg(long, value_name = "TYPE")]
    pub(crate) key_type: Option<String>,
    /// The passphrase of our private key
    #[arg(long, value_name = "PHRASE")]
    pub(crate) pass: Option<String>,
    /// Encrypt the ClientHello, and with it the name (ECH): ecl:BASE64, grease or false
    #[arg(long, value_name = "CONFIG")]
    pub(crate) ech: Option<String>,
    /// Do not say by ALPN that HTTP/1.1 is meant
    #[arg(long = "no-alpn")]
    pub(crate) no_alpn: bool,
    /// Send a GET before the TLS handshake is over, where an earlier session allows it (0-RTT)
    #[arg(long = "tls-earlydata")]
    pub(crate) tls_earlydata: bool,
    /// Do not resume earlier TLS sessions
    #[arg(long = "no-sessionid")]
    pub(crate) no_sessionid: bool,
}
