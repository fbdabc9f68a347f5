//! The address bar: what somebody typed, made into a URL before anything is sent.

use glasstack_journal::Scope;
use glasstack_journal::event::Page;
use std::net::Ipv6Addr;
use std::ops::Range;
use url::{Host, ParseError, Url};

/// Where to go, and why by this scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The absolute URL, normalised (WHATWG URL standard): host in lower case and punycode, default
    /// port left out, dots in the path resolved.
    pub url: Url,
    /// Why the scheme is what it is, in words.
    pub scheme_because: &'static str,
}

/// What was typed makes no URL that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing.
    #[error("nothing was typed: give a URL, such as http://www.example.test/")]
    Empty,
    /// White space or a control character.
    #[error("{what} after \"{before}\": a URL has none (write %20 for a space in a path)")]
    Space {
        /// Which character.
        what: String,
        /// What stands before it.
        before: String,
    },
    /// A name before an `@` and a host behind it, and nothing else: no scheme, password, port or path.
    #[error(
        "\"{typed}\" looks like an e-mail address: no web page has one (for the host {host} as the user \
         \"{user}\", type http://{typed})"
    )]
    LooksLikeEmail {
        /// What was typed.
        typed: String,
        /// What stands before the `@`.
        user: String,
        /// What stands behind it.
        host: String,
    },
    /// A scheme that is not spoken here.
    #[error("the scheme \"{scheme}\" is not supported: glasstack speaks http and https")]
    UnsupportedScheme {
        /// Which.
        scheme: String,
    },
    /// No host.
    #[error("there is no host in \"{typed}\": a URL has one after //, as in http://www.example.test/")]
    EmptyHost {
        /// What was typed.
        typed: String,
    },
    /// Not a port.
    #[error("\"{port}\" is not a port: a port is a number from 1 to 65535{hint}")]
    BadPort {
        /// What was typed.
        port: String,
        /// What may have been meant.
        hint: &'static str,
    },
    /// More than any server reads.
    #[error("a URL of {bytes} bytes: at most {limit} are sent")]
    TooLong {
        /// How long it is, written out.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A `%` in a host that no two hexadecimal digits follow (RFC 3986 2.1).
    #[error(
        "\"{escape}\" is not a percent-escape: two hexadecimal digits follow a % (write %25 for the % itself)"
    )]
    BadPercentEscape {
        /// The `%` and what follows.
        escape: String,
    },
    /// A host that no network can have.
    #[error("\"{host}\" is not a host: {why}")]
    BadHost {
        /// What was typed.
        host: String,
        /// Why not.
        why: String,
    },
    /// Anything else that the URL standard refuses.
    #[error("\"{typed}\" is not a URL: {source}")]
    Malformed {
        /// What was typed.
        typed: String,
        /// Why not.
        source: ParseError,
    },
}

/// Makes a URL of what was typed, and tells it.
pub fn read(scope: &Scope, typed: &str) -> Result<Address, AddressError> {
    let result = parse(typed);
    scope.record(|| match &result {
        Ok(address) => Page::AddressParsed {
            typed: hide_password(typed),
            url: without_password(&address.url),
            scheme_because: address.scheme_because.to_owned(),
        },
        Err(error) => Page::AddressRefused { typed: hide_password(typed), why: error.to_string() },
    });
    result
}

/// The longest URL, in bytes, written out: what no server reads is not sent.
const LONGEST: usize = 64 * 1024;

/// Makes a URL of what was typed, or says why it is none.
pub fn parse(typed: &str) -> Result<Address, AddressError> {
    let typed = typed.trim_matches(|letter: char| letter.is_ascii_whitespace());
    if typed.is_empty() {
        return Err(AddressError::Empty);
    }
    check_characters(typed)?;
    let (scheme, rest, scheme_because) = match split_scheme(typed) {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest, "the scheme was typed"),
        None => ("http".to_owned(), typed, "no scheme was typed, and http is assumed"),
    };
    if scheme != "http" && scheme != "https" {
        return Err(AddressError::UnsupportedScheme { scheme });
    }
    let has_scheme = rest.len() < typed.len();
    let rest = check_slashes(typed, rest)?;
    check_authority(typed, rest, has_scheme)?;
    let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|source| explain(typed, rest, source))?;
    check_host(&url)?;
    if url.as_str().len() > LONGEST {
        return Err(AddressError::TooLong { bytes: url.as_str().len(), limit: LONGEST });
    }
    Ok(Address { url, scheme_because })
}

/// The URL as it may be shown: a password is not.
pub(crate) fn without_password(url: &Url) -> String {
    let mut shown = url.clone();
    if shown.password().is_some() {
        // Fails only where there is no host to have a user, and then there was no password.
        let _ = shown.set_password(Some("***"));
    }
    shown.into()
}

/// What was typed, fit to be shown: a password in it (RFC 3986 3.2.1) as `***`.
pub fn hide_password(typed: &str) -> String {
    let mut shown = typed.to_owned();
    if let Some(password) = password(typed) {
        shown.replace_range(password, "***");
    }
    shown
}

/// Where the password stands in what was typed, if there is one: between the first colon and the last
/// `@` of the authority. Where somebody forgot to escape a `/`, a `?` or a `#` in it, it seems to be a
/// port that is no number, and the `@` comes later.
fn password(typed: &str) -> Option<Range<usize>> {
    let is_slash = |letter: char| matches!(letter, '/' | '\\');
    // Any number of them is skipped before a host.
    let start = match typed.find(is_slash).and_then(|at| typed.split_at_checked(at)) {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => {
            typed.len() - rest.trim_start_matches(is_slash).len()
        }
        _ => 0,
    };
    let rest = typed.get(start..)?;
    let authority = rest.get(..rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
    let colon = authority.find(':')?;
    let is_port = |behind: &str| behind.bytes().all(|digit| digit.is_ascii_digit());
    let end = match authority.rfind('@') {
        Some(end) if colon < end => end,
        None if !authority.starts_with('[') && !is_port(authority.get(colon + 1..)?) => rest.rfind('@')?,
        _ => return None,
    };
    Some(start + colon + 1..start + end)
}

fn check_characters(typed: &str) -> Result<(), AddressError> {
    let Some((at, letter)) = typed.char_indices().find(|(_, c)| c.is_whitespace() || c.is_control()) else {
        return Ok(());
    };
    let what = match letter {
        ' ' => "a space".to_owned(),
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        other => format!("the character {}", other.escape_unicode()),
    };
    let mut before = typed.get(..at).unwrap_or_default().to_owned();
    if let Some(password) = password(typed).filter(|password| password.start < at) {
        before.replace_range(password.start..password.end.min(at), "***");
    }
    Err(AddressError::Space { what, before })
}

/// Schemes that stand before a colon alone; before `://` anything is a scheme. Everything else
/// before a colon is a host before a port.
const SCHEMES_WITHOUT_SLASHES: [&str; 14] = [
    "http",
    "https",
    "about",
    "blob",
    "data",
    "file",
    "ftp",
    "javascript",
    "mailto",
    "news",
    "tel",
    "urn",
    "view-source",
    "ws",
];

/// Scheme and the rest behind its colon (RFC 3986 3.1), if what was typed has one.
fn split_scheme(typed: &str) -> Option<(&str, &str)> {
    let (before, behind) = typed.split_once(':')?;
    let is_scheme = before.starts_with(|c: char| c.is_ascii_alphabetic())
        && before.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let is_meant = behind.starts_with("//")
        || SCHEMES_WITHOUT_SLASHES.iter().any(|scheme| before.eq_ignore_ascii_case(scheme));
    (is_scheme && is_meant).then_some((before, behind))
}

/// RFC 3986 2.1. In a path or a query a lone `%` is sent as it is, as the URL standard and curl have
/// it; a host with one is nobody's.
fn check_escapes(host: &str) -> Result<(), AddressError> {
    for (at, _) in host.match_indices('%') {
        let digits = host.get(at + 1..at + 3);
        if !digits.is_some_and(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            let escape = host.get(at..).unwrap_or_default().chars().take(3).collect();
            return Err(AddressError::BadPercentEscape { escape });
        }
    }
    Ok(())
}

/// The URL standard skips any number of slashes before a host. A third one is more likely a host
/// forgotten.
fn check_slashes<'a>(typed: &str, rest: &'a str) -> Result<&'a str, AddressError> {
    let host_on = rest.trim_start_matches(['/', '\\']);
    let slashes = rest.len() - host_on.len();
    if slashes > 2 || (slashes == 1 && rest.len() == typed.len()) {
        return Err(AddressError::EmptyHost { typed: hide_password(typed) });
    }
    Ok(host_on)
}

/// User, host and port (RFC 3986 3.2).
fn check_authority(typed: &str, rest: &str, has_scheme: bool) -> Result<(), AddressError> {
    let authority = authority_of(rest);
    let (user, host_and_port) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (host, port) = split_port(host_and_port)?;
    if let Some(user) = user
        && !has_scheme
        && !user.contains(':')
        && port.is_none()
        && authority == rest
    {
        return Err(AddressError::LooksLikeEmail {
            typed: rest.to_owned(),
            user: user.to_owned(),
            host: host_and_port.to_owned(),
        });
    }
    if host.is_empty() {
        return Err(AddressError::EmptyHost { typed: hide_password(typed) });
    }
    check_escapes(host)?;
    match port {
        // The standard lets a colon stand alone.
        None | Some("") => Ok(()),
        // What looks like a port may be the beginning of a password.
        Some(port) => match password(typed) {
            Some(_) if user.is_none() => Err(AddressError::BadPort {
                port: "***".to_owned(),
                hint: " (in a password / ? # are written %2F %3F %23)",
            }),
            _ => check_port(host_and_port, port),
        },
    }
}

fn authority_of(rest: &str) -> &str {
    rest.split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

fn split_port(host_and_port: &str) -> Result<(&str, Option<&str>), AddressError> {
    if !host_and_port.starts_with('[') {
        return Ok(match host_and_port.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host_and_port, None),
        });
    }
    let bad = |why: &str| AddressError::BadHost { host: host_and_port.to_owned(), why: why.to_owned() };
    let (host, behind) = host_and_port.split_once(']').ok_or_else(|| bad("the bracket is not closed"))?;
    match (behind, behind.strip_prefix(':')) {
        ("", _) => Ok((host, None)),
        (_, Some(port)) => Ok((host, Some(port))),
        _ => Err(bad("only a port can follow the closing bracket")),
    }
}

fn check_port(host_and_port: &str, port: &str) -> Result<(), AddressError> {
    if port.bytes().all(|digit| digit.is_ascii_digit()) && matches!(port.parse::<u16>(), Ok(1..)) {
        return Ok(());
    }
    let hint = if host_and_port.parse::<Ipv6Addr>().is_ok() {
        " (an IPv6 address stands in brackets: http://[::1]/)"
    } else {
        ""
    };
    Err(AddressError::BadPort { port: port.to_owned(), hint })
}

fn explain(typed: &str, rest: &str, source: ParseError) -> AddressError {
    let typed = hide_password(typed);
    let authority = authority_of(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned();
    match source {
        ParseError::EmptyHost => AddressError::EmptyHost { typed },
        ParseError::InvalidPort => AddressError::BadPort { port: host, hint: "" },
        ParseError::IdnaError
        | ParseError::InvalidDomainCharacter
        | ParseError::InvalidIpv4Address
        | ParseError::InvalidIpv6Address => AddressError::BadHost { host, why: source.to_string() },
        _ => AddressError::Malformed { typed, source },
    }
}

/// RFC 1035 2.3.4: what no name server could ever answer is not asked.
fn check_host(url: &Url) -> Result<(), AddressError> {
    let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
    let bad = |why: &str| Err(AddressError::BadHost { host: name.to_owned(), why: why.to_owned() });
    let labels = name.strip_suffix('.').unwrap_or(name);
    if labels.split('.').any(str::is_empty) {
        return bad("there is nothing between two of its dots");
    }
    if labels.split('.').any(|label| label.len() > 63) {
        return bad("a part between two dots is longer than 63 letters");
    }
    if labels.len() > 253 {
        return bad("a name has at most 253 letters");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(typed: &str) -> String {
        parse(typed).unwrap().url.into()
    }

    fn refusal(typed: &str) -> AddressError {
        parse(typed).unwrap_err()
    }

    #[test]
    fn no_refusal_shows_a_password() {
        for typed in [
            "http://me:secret@/",
            "http:///me:secret@h.test/",
            "me:secret@h.test:99999/x",
            "me:secret@",
            "me:sec ret@h.test",
            "http://me:secret@h.test/a b",
            "http://me:sec/ret@h.test/",
            "me:sec#ret@h.test",
            "me:sec?ret@h.test:81/a",
            "me:sec\\ret@h.test",
            "http://me:secret@h.test:99999/",
            "http://me:sec%20ret@[::x]/",
            "ftp://me:secret@h.test/",
        ] {
            let refusal = refusal(typed);
            assert!(!format!("{refusal} {refusal:?}").contains("sec"), "{refusal:?}");
        }
    }

    #[test]
    fn a_host_alone_makes_an_http_url_and_the_reason_is_told() {
        let address = parse("www.example.test").unwrap();
        assert_eq!(address.url.as_str(), "http://www.example.test/");
        assert_eq!(address.scheme_because, "no scheme was typed, and http is assumed");
        assert_eq!(url("localhost:8080/a"), "http://localhost:8080/a");
        assert_eq!(url("10.0.0.1"), "http://10.0.0.1/");
        assert_eq!(url("[::1]:81"), "http://[::1]:81/");
        assert_eq!(url("h.test?q=a@b"), "http://h.test/?q=a@b");
        assert_eq!(url("h.test/mail@home"), "http://h.test/mail@home");
        assert_eq!(parse("HTTPS://h.test").unwrap().scheme_because, "the scheme was typed");
    }

    #[test]
    fn urls_are_normalised_as_the_url_standard_says() {
        assert_eq!(url("HTTP://WWW.Example.TEST:80/a/../b"), "http://www.example.test/b");
        assert_eq!(url("https://h.test:443"), "https://h.test/");
        assert_eq!(url("http://bücher.test/ä"), "http://xn--bcher-kva.test/%C3%A4");
        assert_eq!(url("http://0x7f.1/"), "http://127.0.0.1/");
        assert_eq!(url("http:h.test"), "http://h.test/");
        assert_eq!(url("//h.test/a"), "http://h.test/a");
        assert_eq!(url("http://h.test:/"), "http://h.test/");
        assert_eq!(url("  http://h.test\n"), "http://h.test/");
        assert_eq!(url("http://me:secret@h.test/"), "http://me:secret@h.test/");
    }

    #[test]
    fn a_space_is_refused_and_the_place_named() {
        let error = refusal("idle leo.com");
        assert_eq!(error, AddressError::Space { what: "a space".into(), before: "idle".into() });
        assert!(matches!(refusal("http://h.test/a b"), AddressError::Space { .. }));
        assert!(matches!(refusal("http://h.te\tst/"), AddressError::Space { .. }));
        assert!(matches!(refusal("http://h.test/\u{a0}"), AddressError::Space { .. }));
        assert!(matches!(refusal("http://h.test/\0"), AddressError::Space { .. }));
    }

    #[test]
    fn what_looks_like_an_e_mail_address_is_refused_without_a_scheme_and_taken_with_one() {
        let error = refusal("idle@leo.com1");
        assert!(
            matches!(&error, AddressError::LooksLikeEmail { user, host, .. } if user == "idle" && host == "leo.com1")
        );
        assert!(error.to_string().contains("type http://idle@leo.com1)"), "{error}");
        assert!(matches!(refusal("idle@[::1]"), AddressError::LooksLikeEmail { .. }));
        assert_eq!(url("http://idle@leo.com1"), "http://idle@leo.com1/");
    }

    #[test]
    fn a_user_with_a_password_a_port_or_a_path_is_no_e_mail_address() {
        assert_eq!(url("u:pw@127.0.0.1:8801/auth"), "http://u:pw@127.0.0.1:8801/auth");
        assert_eq!(url("me:secret@h.test"), "http://me:secret@h.test/");
        assert_eq!(url("me@h.test:81"), "http://me@h.test:81/");
        assert_eq!(url("me@[::1]:81"), "http://me@[::1]:81/");
        assert_eq!(url("me@h.test/a"), "http://me@h.test/a");
        assert_eq!(url("me@h.test?a"), "http://me@h.test/?a");
    }

    #[test]
    fn a_password_that_looks_like_a_port_is_not_shown_and_its_cure_is() {
        let error = refusal("me:sec/ret@h.test");
        assert!(error.to_string().starts_with("\"***\" is not a port"), "{error}");
        assert!(error.to_string().contains("%2F"), "{error}");
        assert!(refusal("h.test:abc/x").to_string().starts_with("\"abc\" is not a port"));
    }

    #[test]
    fn ports_are_numbers_from_1_to_65535() {
        for typed in
            ["h.test:99999", "h.test:abc", "h.test:0", "http://h.test:-1/", "http://h.test:+80/", "foo:bar"]
        {
            assert!(matches!(refusal(typed), AddressError::BadPort { .. }), "{typed}");
        }
        assert!(refusal("http://::1/").to_string().contains("no host"));
        assert!(refusal("http://2001:db8::1/").to_string().contains("brackets"));
        assert_eq!(url("h.test:65535"), "http://h.test:65535/");
    }

    #[test]
    fn a_bad_percent_escape_is_refused_in_a_host_and_sent_as_it_is_elsewhere() {
        for typed in ["http://%zz/", "http://a%4.test/", "h%é0.test/"] {
            assert!(matches!(refusal(typed), AddressError::BadPercentEscape { .. }), "{typed}");
        }
        for typed in
            ["http://h.test/%zz", "http://h.test/%4", "http://h.test/?a=100%", "http://h.test/%41#100%"]
        {
            assert_eq!(url(typed), typed);
        }
    }

    #[test]
    fn a_url_that_no_server_reads_is_refused() {
        let long = |letters: usize| format!("http://h.test/{}", "a".repeat(letters));
        assert!(parse(&long(LONGEST - 14)).is_ok());
        assert!(matches!(refusal(&long(LONGEST - 13)), AddressError::TooLong { limit: LONGEST, .. }));
    }

    #[test]
    fn schemes_that_are_not_spoken_are_refused() {
        for typed in
            ["ftp://h.test/", "gopher://h.test", "mailto:a@b.test", "javascript:alert(1)", "FILE:///etc"]
        {
            assert!(matches!(refusal(typed), AddressError::UnsupportedScheme { .. }), "{typed}");
        }
    }

    #[test]
    fn a_url_without_a_host_is_refused() {
        assert_eq!(refusal(""), AddressError::Empty);
        assert_eq!(refusal("  "), AddressError::Empty);
        for typed in [
            "http://",
            "http:///path",
            "http://:80/",
            "https://?q",
            "http://me@/",
            "/path",
            "?q",
            "#x",
            ":80",
        ] {
            assert!(matches!(refusal(typed), AddressError::EmptyHost { .. }), "{typed}");
        }
    }

    #[test]
    fn hosts_that_no_network_can_have_are_refused() {
        let long = format!("http://{}.test/", "a".repeat(64));
        for typed in [
            "http://a..test/",
            "http://.test/",
            "http://[::1/",
            "http://[::g]/",
            "http://[::1]x/",
            "http://a<b/",
            "http://1.2.3.256/",
            &long,
        ] {
            assert!(matches!(refusal(typed), AddressError::BadHost { .. }), "{typed}: {:?}", refusal(typed));
        }
        assert_eq!(url("http://h.test./"), "http://h.test./");
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(
            without_password(&parse("http://me:secret@h.test/").unwrap().url),
            "http://me:***@h.test/"
        );
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(hide_password("http://me:a:b@h.test/x?y@z"), "http://me:***@h.test/x?y@z");
        assert_eq!(hide_password("me:secret@h.test"), "me:***@h.test");
        assert_eq!(hide_password("http://h.test:80/a:b@c"), "http://h.test:80/a:b@c");
        assert_eq!(hide_password("http://me@h.test/"), "http://me@h.test/");
    }

    #[test]
    fn whatever_is_typed_there_is_an_answer() {
        let pieces =
            ["http", ":", "/", "//", "@", "[", "]", "%", "%4", "\\", "é", "#", "?", "1", ".", "::", "h.test"];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        if let Ok(address) = parse(&format!("{a}{b}{c}{d}")) {
                            assert!(address.url.has_host(), "{a}{b}{c}{d}");
                        }
                    }
                }
            }
        }
    }
}
