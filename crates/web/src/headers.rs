//! What a request says of itself: curl's header fields, curl's way to change them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use glasstack_http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_LOCATION, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION, REFERER, TRANSFER_ENCODING,
    USER_AGENT,
};
use glasstack_http::{Coding, Fields, HeaderName, HeaderValue};
use std::str::FromStr;
use url::Url;

/// What the user wants of one header field, as curl's `-H` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// `Name: value` sends it, instead of one that would be sent anyway. `Name;` sends it empty.
    Set {
        /// Which field.
        name: HeaderName,
        /// Its name as the user spells it.
        spelt: String,
        /// Its value.
        value: HeaderValue,
    },
    /// `Name:` leaves it out.
    Remove(HeaderName),
}

/// Not a header field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is not a header field: {why} (write \"Name: value\" to send one, \"Name:\" to leave one out, \
     \"Name;\" to send one without a value)"
)]
pub struct BadHeader {
    /// What was given.
    pub text: String,
    /// Why it is none.
    pub why: &'static str,
}

impl FromStr for HeaderEdit {
    type Err = BadHeader;

    fn from_str(text: &str) -> Result<Self, BadHeader> {
        let bad = |why| BadHeader { text: text.escape_default().to_string(), why };
        let name = |name: &str| {
            HeaderName::from_bytes(name.trim_end().as_bytes())
                .map_err(|_| bad("its name is not a token (RFC 9110 5.1)"))
        };
        if let Some((field, value)) = text.split_once(':') {
            let value = value.trim();
            if value.is_empty() {
                return Ok(Self::Remove(name(field)?));
            }
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| bad("its value has a control character (RFC 9110 5.5)"))?;
            return Ok(Self::Set { name: name(field)?, spelt: field.trim_end().to_owned(), value });
        }
        match text.trim_end().strip_suffix(';') {
            Some(field) => Ok(Self::Set {
                name: name(field)?,
                spelt: field.trim_end().to_owned(),
                value: HeaderValue::from_static(""),
            }),
            None => Err(bad("it has no colon")),
        }
    }
}

impl HeaderEdit {
    /// Which field it is about.
    pub fn name(&self) -> &HeaderName {
        match self {
            Self::Set { name, .. } | Self::Remove(name) => name,
        }
    }

    /// Whether it must not follow a redirect to another origin: what authenticates, and what names
    /// the host (Fetch standard, "HTTP-redirect fetch", step 13).
    pub fn stays_with_origin(&self) -> bool {
        [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, HOST].contains(self.name())
    }

    /// Whether it describes the body and goes when the body goes (Fetch standard,
    /// "request-body-header name").
    pub fn describes_body(&self) -> bool {
        [
            CONTENT_ENCODING,
            CONTENT_LANGUAGE,
            CONTENT_LENGTH,
            CONTENT_LOCATION,
            CONTENT_TYPE,
            TRANSFER_ENCODING,
        ]
        .contains(self.name())
    }
}

/// What a request says unless the user wants it otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) host: String,
    pub(crate) proxy_authorization: Option<String>,
    pub(crate) authorization: Option<String>,
    /// `Range` or `Content-Range`.
    pub(crate) range: Option<(HeaderName, String)>,
    pub(crate) user_agent: Option<String>,
    pub(crate) compressed: bool,
    pub(crate) referer: Option<String>,
    /// Whether a proxy reads this and sends it on.
    pub(crate) forwarded: bool,
    /// What the jar has, and what the user said beside it.
    pub(crate) cookie: Option<String>,
    /// `If-Modified-Since` or its opposite.
    pub(crate) condition: Option<(HeaderName, String)>,
    /// `Content-Type`. How a body is framed, HTTP says itself.
    pub(crate) content_type: Option<String>,
}

/// The header fields of a request: curl's, in curl's order, changed as the user wants.
pub(crate) fn compose(said: Said, edits: &[HeaderEdit]) -> Fields {
    let is_edited = |name: &HeaderName| edits.iter().any(|edit| edit.name() == name);
    let mut fields = Fields::new();
    let add = |fields: &mut Fields, name: HeaderName, value: Option<String>| {
        let value = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
        if let (Some(value), false) = (value, is_edited(&name) && name != COOKIE) {
            fields.append(name, value);
        }
    };
    // RFC 9110 7.2: a user agent sends Host first.
    edits.iter().filter(|edit| *edit.name() == HOST).for_each(|edit| append(&mut fields, edit));
    add(&mut fields, HOST, Some(said.host));
    add(&mut fields, PROXY_AUTHORIZATION, said.proxy_authorization);
    add(&mut fields, AUTHORIZATION, said.authorization);
    if let Some((name, value)) = said.range {
        add(&mut fields, name, Some(value));
    }
    add(&mut fields, USER_AGENT, said.user_agent);
    add(&mut fields, ACCEPT, Some("*/*".to_owned()));
    add(&mut fields, ACCEPT_ENCODING, said.compressed.then(|| Coding::ACCEPTED.to_owned()));
    add(&mut fields, REFERER, said.referer);
    add(&mut fields, PROXY_CONNECTION, said.forwarded.then(|| "Keep-Alive".to_owned()));
    add(&mut fields, COOKIE, said.cookie);
    if let Some((name, value)) = said.condition {
        add(&mut fields, name, Some(value));
    }
    edits.iter().filter(|edit| *edit.name() != HOST).for_each(|edit| append(&mut fields, edit));
    add(&mut fields, CONTENT_TYPE, said.content_type);
    fields
}

/// Not in the registry, but sent by curl and understood by old proxies.
pub(crate) const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Does what the user wants of one field.
pub(crate) fn append(fields: &mut Fields, edit: &HeaderEdit) {
    if let HeaderEdit::Set { spelt, value, .. } = edit {
        // It was a token when it was read.
        let _ = fields.push(spelt, value.clone());
    }
}

/// RFC 9110 7.2: the host, and the port unless it is the scheme's own.
pub(crate) fn host_field(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// RFC 7617 2.
pub(crate) fn basic(user: &[u8], password: &[u8]) -> String {
    format!("Basic {}", base64(&[user, b":", password].concat()))
}

/// A text with its percent-escapes undone (RFC 3986 2.1).
pub(crate) fn percent_decoded(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

/// RFC 4648 4.
fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(texts: &[&str]) -> Vec<HeaderEdit> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn sent(said: Said, texts: &[&str]) -> String {
        let fields = compose(said, &edits(texts));
        fields.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect()
    }

    fn plain() -> Said {
        Said { host: "h.test".to_owned(), user_agent: Some("glasstack/1".to_owned()), ..Said::default() }
    }

    #[test]
    fn a_plain_request_says_host_agent_and_accept() {
        assert_eq!(sent(plain(), &[]), "Host: h.test\nUser-Agent: glasstack/1\nAccept: */*\n");
        assert_eq!(sent(Said { user_agent: None, ..plain() }, &[]), "Host: h.test\nAccept: */*\n");
        let host = |url| host_field(&Url::parse(url).unwrap());
        assert_eq!(host("http://h.test:80/"), "h.test");
        assert_eq!(host("https://h.test:80/"), "h.test:80");
        assert_eq!(host("http://[::1]:81/"), "[::1]:81");
    }

    #[test]
    fn everything_that_can_be_said_is_said_in_curls_order() {
        let some = |text: &str| Some(text.to_owned());
        let said = Said {
            proxy_authorization: some("Basic cDpw"),
            authorization: some("Basic dTpw"),
            range: Some((glasstack_http::header::RANGE, "bytes=0-4".to_owned())),
            compressed: true,
            referer: some("http://from.test/"),
            forwarded: true,
            cookie: some("a=1"),
            condition: Some((glasstack_http::header::IF_MODIFIED_SINCE, "then".to_owned())),
            content_type: some("text/plain"),
            ..plain()
        };
        let expected = "Host: h.test\nProxy-Authorization: Basic cDpw\nAuthorization: Basic dTpw\nRange: \
            bytes=0-4\nUser-Agent: glasstack/1\nAccept: */*\nAccept-Encoding: deflate, gzip, br, zstd\nReferer: \
            http://from.test/\nProxy-Connection: Keep-Alive\nCookie: a=1\nIf-Modified-Since: then\nx-OWN: \
            1\nContent-Type: text/plain\n";
        assert_eq!(sent(said, &["x-OWN: 1"]), expected);
    }

    #[test]
    fn the_user_sets_replaces_empties_and_removes_fields() {
        let said =
            sent(plain(), &["X-A: 1", "X-A: 2", "Accept:", "user-agent: me", "X-Empty;", "Host: other.test"]);
        assert_eq!(said, "Host: other.test\nX-A: 1\nX-A: 2\nuser-agent: me\nX-Empty: \n");
        assert_eq!(sent(plain(), &["Host:", "Accept:", "User-Agent:"]), "");
    }

    #[test]
    fn what_is_no_header_field_is_refused() {
        for text in ["no colon", ": x", "a b: c", "X: a\nInjected: 1", "X: a\0", ""] {
            assert!(text.parse::<HeaderEdit>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn user_and_password_become_basic_credentials() {
        // The example of RFC 7617 2.
        assert_eq!(basic(b"Aladdin", b"open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let own =
            sent(Said { authorization: Some("Basic x".to_owned()), ..plain() }, &["Authorization: Bearer t"]);
        assert!(own.contains("Authorization: Bearer t\n") && !own.contains("Basic"), "{own}");
    }

    #[test]
    fn only_two_hexadecimal_digits_are_an_escape() {
        assert_eq!(percent_decoded("a%2Fb%c3%a4"), "a/b\u{e4}".as_bytes());
        for kept in ["%", "%4", "%g0", "%+f", "100%"] {
            assert_eq!(percent_decoded(kept), kept.as_bytes(), "{kept}");
        }
    }

    #[test]
    fn base64_is_rfc_4648s() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
