//! What curl has and glasstack has not: refused by name, each with its reason.

/// A reason, and the options that it refuses.
pub(crate) struct Refusal {
    pub(crate) because: &'static str,
    /// Long names; behind a comma the letter.
    pub(crate) options: &'static [&'static str],
    /// What to use instead; empty if nothing.
    pub(crate) instead: &'static str,
}

const fn refusal(because: &'static str, instead: &'static str, options: &'static [&'static str]) -> Refusal {
    Refusal { because, options, instead }
}

/// All of them; docs/cli.md has the same table.
pub(crate) const REFUSED: &[Refusal] = &[
    refusal(
        "glasstack speaks HTTP/1 only",
        "",
        &["http2", "http2-prior-knowledge", "http3", "http3-only", "alt-svc", "proxy-http2"],
    ),
    refusal(
        "TLS 1.0, TLS 1.1 and SSL are broken and retired (RFC 8996, RFC 7568, RFC 6176)",
        "--tlsv1.2 and --tlsv1.3 are offered",
        &[
            "tlsv1.0",
            "tlsv1.1",
            "sslv2,2",
            "sslv3,3",
            "ssl-allow-beast",
            "proxy-ssl-allow-beast",
            "proxy-tlsv1",
        ],
    ),
    refusal("HSTS is not there yet", "write https://, or --proto =https", &["hsts"]),
    refusal(
        "NTLM, Negotiate, SASL, AWS and SRP authentication are not there",
        "-u (by Basic or --digest), --oauth2-bearer and client certificates (--cert) are",
        &[
            "ntlm",
            "ntlm-wb",
            "negotiate",
            "aws-sigv4",
            "delegation",
            "krb",
            "service-name",
            "sasl-authzid",
            "sasl-ir",
            "login-options",
            "tlsauthtype",
            "tlsuser",
            "tlspassword",
            "proxy-anyauth",
            "proxy-digest",
            "proxy-ntlm",
            "proxy-negotiate",
            "proxy-service-name",
            "proxy-tlsauthtype",
            "proxy-tlsuser",
            "proxy-tlspassword",
        ],
    ),
    refusal(
        "one proxy is the most there may be, and nothing but a password proves who asks it",
        "-x, --socks4, --socks4a, --socks5 and --socks5-hostname take it",
        &["socks5-basic", "socks5-gssapi", "socks5-gssapi-nec", "socks5-gssapi-service", "preproxy"],
    ),
    refusal(
        "of a proxy's TLS, only whom to believe can be chosen",
        "--proxy-cacert and --proxy-insecure",
        &[
            "proxy-capath",
            "proxy-cert",
            "proxy-cert-type",
            "proxy-ciphers",
            "proxy-crlfile",
            "proxy-key",
            "proxy-key-type",
            "proxy-pass",
            "proxy-pinnedpubkey",
            "proxy-ssl-auto-client-cert",
            "proxy-tls13-ciphers",
            "proxy-ca-native",
        ],
    ),
    refusal(
        "it is about FTP, and glasstack speaks HTTP",
        "",
        &[
            "append,a",
            "disable-eprt",
            "disable-epsv",
            "ftp-account",
            "ftp-alternative-to-user",
            "ftp-create-dirs",
            "ftp-method",
            "ftp-pasv",
            "ftp-port,P",
            "ftp-pret",
            "ftp-skip-pasv-ip",
            "ftp-ssl-ccc",
            "ftp-ssl-ccc-mode",
            "ftp-ssl-control",
            "list-only,l",
            "quote,Q",
            "use-ascii,B",
            "crlf",
        ],
    ),
    refusal(
        "it is about mail, telnet, TFTP, SSH or directories, and glasstack speaks HTTP",
        "",
        &[
            "mail-auth",
            "mail-from",
            "mail-rcpt",
            "mail-rcpt-allowfails",
            "upload-flags",
            "telnet-option,t",
            "tftp-blksize",
            "tftp-no-options",
            "hostpubmd5",
            "hostpubsha256",
            "pubkey",
            "compressed-ssh",
        ],
    ),
    refusal(
        "it lets a plain connection become TLS, which HTTP has not",
        "write https://, or --proto =https",
        &["ssl", "ssl-reqd", "ftp-ssl", "ftp-ssl-reqd"],
    ),
    refusal(
        "the TLS of glasstack (rustls) has no such thing",
        "",
        &[
            "ssl-auto-client-cert",
            "engine",
            "egd-file",
            "random-file",
            "false-start",
            "no-npn",
            "ca-native",
            "sigalgs",
            "dump-ca-embed",
        ],
    ),
    refusal(
        "it is about Windows, which asks about revocation unless told otherwise; here nobody is asked unless told so",
        "--crl-check and --ocsp-check",
        &["ssl-no-revoke", "ssl-revoke-best-effort"],
    ),
    refusal(
        "rustls gives no session out of its hands, so none can be written to a file",
        "sessions are resumed within one run",
        &["ssl-sessions"],
    ),
    refusal(
        "names are asked for by plain DNS",
        "--dns and --dns-servers name the servers",
        &[
            "doh-url",
            "doh-insecure",
            "doh-cert-status",
            "dns-interface",
            "dns-ipv4-addr",
            "dns-ipv6-addr",
            "happy-eyeballs-timeout-ms",
        ],
    ),
    refusal("the stack speaks IPv4 only so far", "", &["ipv6,6"]),
    refusal(
        "no coding of a transfer but chunked is spoken",
        "--compressed asks for a compressed body",
        &["tr-encoding"],
    ),
    refusal("HTTP/1.1 is spoken with proxies", "-x takes them", &["proxy1.0"]),
    refusal(
        "the stack is glasstack's own, the kernel's sockets are not used",
        "",
        &[
            "unix-socket",
            "abstract-unix-socket",
            "tcp-fastopen",
            "mptcp",
            "ip-tos",
            "vlan-priority",
            "keepalive-cnt",
            "haproxy-clientip",
            "haproxy-protocol",
        ],
    ),
    refusal(
        "glasstack tells a journey in ways of its own",
        "-v, --events FILE and --capture FILE",
        &["trace", "trace-ascii", "trace-time", "trace-ids", "trace-config", "styled-output"],
    ),
    refusal(
        "the manual of curl is curl's",
        "glasstack get --help, and docs/cli.md",
        &["manual,M", "libcurl", "metalink"],
    ),
    refusal(
        "it is not there yet",
        "",
        &["xattr", "variable", "expand-url", "out-null", "skip-existing", "follow"],
    ),
];

/// Why an option is refused, by its long name or its letter.
pub(crate) fn why(name: &str) -> Option<&'static Refusal> {
    REFUSED.iter().find(|refusal| spellings(refusal).any(|spelling| spelling == name))
}

/// The long names of all of them.
pub(crate) fn long_names() -> impl Iterator<Item = &'static str> {
    REFUSED.iter().flat_map(|refusal| refusal.options).map(|option| long_of(option))
}

fn long_of(option: &'static str) -> &'static str {
    option.split(',').next().unwrap_or(option)
}

fn spellings(refusal: &Refusal) -> impl Iterator<Item = &'static str> {
    refusal.options.iter().flat_map(|option| option.split(','))
}

impl Refusal {
    /// In words, for `option` as it was written.
    pub(crate) fn told(&self, option: &str) -> String {
        let instead = if self.instead.is_empty() { "" } else { "; " };
        format!("{option} is not offered: {}{instead}{}", self.because, self.instead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_and_letter_is_refused_once() {
        let mut seen = BTreeSet::new();
        for spelling in REFUSED.iter().flat_map(spellings) {
            assert!(seen.insert(spelling), "{spelling}");
        }
        assert!(why("http2").is_some() && why("Q").is_some() && why("output").is_none());
    }
}
