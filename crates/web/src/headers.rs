//! What a request says of itself: curl's header fields, curl's way to change them.

use glasstack_http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_LOCATION, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING, USER_AGENT,
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

/// What decides about the header fields that are sent unasked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults<'a> {
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) compressed: bool,
    pub(crate) has_body: bool,
}

/// The header fields of a request: curl's, in curl's order, changed as the user wants.
pub(crate) fn compose(url: &Url, defaults: Defaults<'_>, edits: &[HeaderEdit]) -> Fields {
    let mut fields: Vec<(HeaderName, String)> = vec![(HOST, host_field(url))];
    if let Some(credentials) = basic_credentials(url) {
        fields.push((AUTHORIZATION, credentials));
    }
    if let Some(agent) = defaults.user_agent {
        fields.push((USER_AGENT, agent.to_owned()));
    }
    fields.push((ACCEPT, "*/*".to_owned()));
    if defaults.compressed {
        fields.push((ACCEPT_ENCODING, Coding::ACCEPTED.to_owned()));
    }
    if defaults.has_body {
        fields.push((CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned()));
    }
    let mut headers = Fields::new();
    // RFC 9110 7.2: a user agent sends Host first.
    for edit in edits.iter().filter(|edit| *edit.name() == HOST) {
        append(&mut headers, edit);
    }
    for (name, value) in fields {
        let is_edited = edits.iter().any(|edit| *edit.name() == name);
        if let (false, Ok(value)) = (is_edited, HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    for edit in edits.iter().filter(|edit| *edit.name() != HOST) {
        append(&mut headers, edit);
    }
    headers
}

fn append(headers: &mut Fields, edit: &HeaderEdit) {
    if let HeaderEdit::Set { spelt, value, .. } = edit {
        // It was a token when it was read.
        let _ = headers.push(spelt, value.clone());
    }
}

/// RFC 9110 7.2: the host, and the port unless it is the scheme's own.
fn host_field(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// RFC 7617 2: the URL's user and password.
fn basic_credentials(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair = percent_decoded(url.username());
    pair.push(b':');
    pair.extend(percent_decoded(url.password().unwrap_or_default()));
    Some(format!("Basic {}", base64(&pair)))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    bytes
}

/// RFC 4648 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let three =
            group.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let sextet = three >> (18 - 6 * place) & 0x3f;
            let letter = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            text.push(if place > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(texts: &[&str]) -> Vec<HeaderEdit> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn sent(url: &str, defaults: Defaults<'_>, texts: &[&str]) -> String {
        let headers = compose(&Url::parse(url).unwrap(), defaults, &edits(texts));
        headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect()
    }

    const PLAIN: Defaults<'_> =
        Defaults { user_agent: Some("glasstack/1"), compressed: false, has_body: false };

    #[test]
    fn a_plain_request_says_host_agent_and_accept() {
        assert_eq!(
            sent("http://h.test:80/", PLAIN, &[]),
            "Host: h.test\nUser-Agent: glasstack/1\nAccept: */*\n"
        );
        assert_eq!(
            sent("https://h.test:80/", Defaults { user_agent: None, ..PLAIN }, &[]),
            "host: h.test:80\naccept: */*\n"
        );
        assert!(sent("http://[::1]:81/", PLAIN, &[]).starts_with("host: [::1]:81\n"));
    }

    #[test]
    fn a_body_and_compression_add_their_fields() {
        let said = sent("http://h.test/", Defaults { compressed: true, has_body: true, ..PLAIN }, &[]);
        assert!(said.contains("accept-encoding: deflate, gzip, br, zstd\n"));
        assert!(said.ends_with("content-type: application/x-www-form-urlencoded\n"));
    }

    #[test]
    fn the_user_sets_replaces_empties_and_removes_fields() {
        let said = sent(
            "http://h.test/",
            PLAIN,
            &["X-A: 1", "X-A: 2", "Accept:", "user-agent: me", "X-Empty;", "Host: other.test"],
        );
        assert_eq!(said, "host: other.test\nx-a: 1\nx-a: 2\nuser-agent: me\nx-empty: \n");
        assert_eq!(sent("http://h.test/", PLAIN, &["Host:", "Accept:", "User-Agent:"]), "");
    }

    #[test]
    fn what_is_no_header_field_is_refused() {
        for text in ["no colon", ": x", "a b: c", "X: a\nInjected: 1", "X: a\0", ""] {
            assert!(text.parse::<HeaderEdit>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn user_and_password_in_the_url_become_basic_credentials() {
        // The example of RFC 7617 2.
        let said = sent("http://Aladdin:open%20sesame@h.test/", PLAIN, &[]);
        assert!(said.contains("authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n"), "{said}");
        let own = sent("http://me:x@h.test/", PLAIN, &["Authorization: Bearer t"]);
        assert!(own.contains("authorization: Bearer t\n") && !own.contains("Basic"), "{own}");
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
