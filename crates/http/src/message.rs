//! Requests and responses.

use crate::fields::Fields;
use crate::progress::Progress;
use crate::upload::RequestBody;
use glasstack_journal::event::Headers;
use http::{HeaderMap, Method, StatusCode, Version};
use std::time::Duration;
use url::Url;

/// A request, as a client sends it.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL. Its path and query make the request target (RFC 9112 3.2.1); its fragment
    /// and user information are never sent.
    pub url: Url,
    /// The header fields, in the order and spelling of the wire. Where they do not frame the body
    /// themselves, `Content-Length` or `Transfer-Encoding` is added for it.
    pub headers: Fields,
    /// The body.
    pub body: RequestBody,
    /// What the request line says.
    pub target: Target,
    /// `HTTP_11` or `HTTP_10`; anything else is refused.
    pub version: Version,
    /// Whether the body waits until the server says that it wants it (`Expect: 100-continue`,
    /// RFC 9110 10.1.1), and how long it waits at most before it is sent all the same. None: it is
    /// sent at once. It is ignored where there is no body, and in HTTP/1.0.
    pub expect_timeout: Option<Duration>,
    /// How the response is read.
    pub reading: Reading,
    /// Where to look for how far it has come.
    pub progress: Progress,
}

/// What a request line says (RFC 9112 3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Path and query of the URL.
    #[default]
    Origin,
    /// The whole URL, as a proxy wants it (RFC 9112 3.2.2).
    Absolute,
    /// Anything else, sent as it is, spaces included; one that is empty or has a control character is
    /// refused.
    Custom(String),
}

/// How a response is read, where that is not as RFC 9112 has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The body is given as it comes over the wire, with no transfer coding undone (curl's
    /// `--raw`).
    pub raw: bool,
    /// `Content-Length` is not believed: the body lasts until the connection closes (curl's
    /// `--ignore-content-length`).
    pub ignore_content_length: bool,
    /// What does not begin with a status line is an answer of HTTP/0.9, all body (curl's
    /// `--http0.9`); without it that is an error.
    pub http09: bool,
}

impl Request {
    /// A GET without header fields.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A request of any method, without header fields and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Fields::new(),
            body: RequestBody::Empty,
            target: Target::Origin,
            version: Version::HTTP_11,
            expect_timeout: None,
            reading: Reading::default(),
            progress: Progress::new(),
        }
    }

    /// What the request line says (RFC 9112 3.2).
    pub fn target_text(&self) -> String {
        match &self.target {
            Target::Custom(text) => text.clone(),
            Target::Absolute => as_sent(&self.url).into(),
            Target::Origin => match self.url.query() {
                Some(query) => format!("{}?{query}", self.url.path()),
                None => self.url.path().to_owned(),
            },
        }
    }
}

/// The URL without what is never sent with it: fragment, user, password.
pub(crate) fn as_sent(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    // These fail only for URLs that have no host, and so no user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// The head of a response.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// The protocol version.
    pub version: Version,
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase as sent, often empty.
    pub reason: String,
    /// The header fields.
    pub headers: HeaderMap,
    /// The head as it came over the wire, up to and including the empty line.
    pub raw: Vec<u8>,
}

impl ResponseHead {
    /// The header fields in the order and spelling of the wire.
    pub fn headers_as_sent(&self) -> Headers {
        let text = String::from_utf8_lossy(&self.raw);
        text.lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim_end().to_owned(), value.trim().to_owned()))
            .collect()
    }

    /// The version as it is written, as `HTTP/1.1`.
    pub fn version_text(&self) -> &'static str {
        version_text(self.version)
    }
}

/// The header fields as the journal keeps them.
pub(crate) fn as_pairs(fields: &Fields) -> Headers {
    fields
        .iter()
        .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// A version as it is written, as `HTTP/1.1`.
pub(crate) fn version_text(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_target_has_the_query_but_neither_fragment_nor_password() {
        let request = Request::get(Url::parse("http://me:secret@h.test/a%20b?c=d#e").unwrap());
        assert_eq!(request.target_text(), "/a%20b?c=d");
        let absolute = Request { target: Target::Absolute, ..request };
        assert_eq!(absolute.target_text(), "http://h.test/a%20b?c=d");
    }
}
