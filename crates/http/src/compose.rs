//! The head of a request, as it goes over the wire.

use crate::error::HttpError;
use crate::fields::Fields;
use crate::message::{Request, Target};
use crate::upload::RequestBody;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Version};

/// A request made ready: its head in bytes, and how its body goes.
#[derive(Debug)]
pub(crate) struct Composed {
    pub(crate) head: Vec<u8>,
    pub(crate) fields: Fields,
    /// The body's length; none: in chunks.
    pub(crate) length: Option<u64>,
    /// Whether the body waits for `100 Continue`.
    pub(crate) waits: bool,
}

impl Request {
    /// Its head, in the bytes in which it is sent.
    pub fn head(&self) -> Result<Vec<u8>, HttpError> {
        Ok(compose(self)?.head)
    }
}

/// Writes a request's head: the caller's fields, in their order and spelling, and what frames the
/// body where they do not.
pub(crate) fn compose(request: &Request) -> Result<Composed, HttpError> {
    let version = version_of(request)?;
    let target = request.target_text();
    check_target(&target, &request.target)?;
    let mut fields = request.headers.clone();
    let length = frame(request, &mut fields)?;
    let waits = expects(request, &mut fields, length);
    let head = write_head(&request.method, &target, version, &fields);
    Ok(Composed { head, fields, length, waits })
}

/// The lines of a request's head.
pub(crate) fn write_head(method: &Method, target: &str, version: &str, fields: &Fields) -> Vec<u8> {
    // RFC 9112 3.
    let mut head = format!("{method} {target} {version}\r\n").into_bytes();
    for (name, value) in fields.iter() {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(if value.is_empty() { b":" } else { b": " });
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn version_of(request: &Request) -> Result<&'static str, HttpError> {
    match request.version {
        Version::HTTP_11 => Ok("HTTP/1.1"),
        Version::HTTP_10 => Ok("HTTP/1.0"),
        other => {
            Err(HttpError::BadRequest { why: format!("{other:?} is not spoken here: HTTP/1.1 and 1.0 are") })
        }
    }
}

/// A custom target may hold anything that cannot be taken for the end of the request line: curl
/// sends a space too.
fn check_target(target: &str, kind: &Target) -> Result<(), HttpError> {
    let is_safe = match kind {
        Target::Custom(_) => !target.is_empty() && !target.chars().any(char::is_control),
        _ => !target.chars().any(|letter| letter.is_control() || letter == ' '),
    };
    if is_safe {
        return Ok(());
    }
    let target = target.escape_debug();
    Err(HttpError::BadRequest { why: format!("\"{target}\" cannot be a request target (RFC 9112 3.2)") })
}

/// How the body is framed: its length, or none for chunks. Says so in the fields where the caller
/// did not.
fn frame(request: &Request, fields: &mut Fields) -> Result<Option<u64>, HttpError> {
    let is_http10 = request.version == Version::HTTP_10;
    let by_name = |value: &HeaderValue| {
        String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase().contains("chunked")
    };
    if fields.get_all(&TRANSFER_ENCODING).any(by_name) && !request.body.is_absent() {
        return if is_http10 { Err(HttpError::NoChunksInHttp10) } else { Ok(None) };
    }
    let said =
        fields.get(&CONTENT_LENGTH).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    match (request.body.length(), said) {
        // RFC 9110 8.6: a method that gives content a meaning says so even when there is none.
        (Some(length), None) => {
            let says = match request.body {
                // RFC 9112 6.2: never beside a Transfer-Encoding.
                RequestBody::Empty if fields.contains(&TRANSFER_ENCODING) => false,
                RequestBody::Empty => matches!(request.method, Method::POST | Method::PUT | Method::PATCH),
                _ => true,
            };
            if says {
                insert(fields, CONTENT_LENGTH, HeaderValue::from(length));
            }
            Ok(Some(length))
        }
        // What the caller says is sent as it is.
        (Some(length), Some(_)) => Ok(Some(length)),
        (None, Some(said)) => said.trim().parse().map(Some).map_err(|_| HttpError::BadRequest {
            why: format!("\"{said}\" is not a Content-Length (RFC 9110 8.6)"),
        }),
        // RFC 9112 7.1: chunks need HTTP/1.1.
        (None, None) if is_http10 => Err(HttpError::NoChunksInHttp10),
        (None, None) => {
            insert(fields, TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            Ok(None)
        }
    }
}

/// Where curl puts what frames a body: before its type, if that comes last and is not the user's own.
fn insert(fields: &mut Fields, name: http::HeaderName, value: HeaderValue) {
    fields.append_before(&CONTENT_TYPE, name, value);
}

/// RFC 9110 10.1.1: whether the body waits, and the field that says so.
fn expects(request: &Request, fields: &mut Fields, length: Option<u64>) -> bool {
    if request.expect_timeout.is_none() || request.version == Version::HTTP_10 || length == Some(0) {
        return false;
    }
    match fields.get(&EXPECT) {
        Some(said) => said.as_bytes().eq_ignore_ascii_case(b"100-continue"),
        None => {
            fields.append(EXPECT, HeaderValue::from_static("100-continue"));
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use url::Url;

    fn post(body: impl Into<RequestBody>) -> Request {
        let url = Url::parse("http://h.test/a?b#c").unwrap();
        let mut request = Request { body: body.into(), ..Request::new(Method::POST, url) };
        request.headers.append(http::header::HOST, HeaderValue::from_static("h.test"));
        request.headers.push("x-ODD", HeaderValue::from_static("1")).unwrap();
        request.headers.append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        request
    }

    fn written(request: &Request) -> String {
        String::from_utf8(compose(request).unwrap().head).unwrap()
    }

    #[test]
    fn a_head_is_written_in_the_callers_order_and_spelling_as_curl_writes_it() {
        let mut request = post("abc");
        request.expect_timeout = Some(Duration::from_secs(1));
        assert_eq!(
            written(&request),
            "POST /a?b HTTP/1.1\r\nHost: h.test\r\nx-ODD: 1\r\nContent-Length: 3\r\n\
             Content-Type: text/plain\r\nExpect: 100-continue\r\n\r\n"
        );
        request.version = Version::HTTP_10;
        assert!(written(&request).starts_with("POST /a?b HTTP/1.0\r\n"));
        assert!(!written(&request).contains("Expect"));
    }

    #[test]
    fn a_request_without_a_body_does_not_give_its_length_in_two_ways() {
        let mut request = post(RequestBody::Empty);
        assert!(written(&request).contains("\r\nContent-Length: 0\r\n"));
        request.headers.push("Transfer-Encoding", HeaderValue::from_static("chunked")).unwrap();
        assert!(!written(&request).contains("Content-Length"));
    }

    #[test]
    fn a_target_can_be_anything_but_a_second_line() {
        let mut request = post("");
        request.target = Target::Custom("/a b\"<>".to_owned());
        assert!(written(&request).starts_with("POST /a b\"<> HTTP/1.1\r\n"));
        request.target = Target::Custom("/ HTTP/1.1\r\nX: y".to_owned());
        assert!(matches!(compose(&request), Err(HttpError::BadRequest { .. })));
        request.target = Target::Absolute;
        assert!(written(&request).starts_with("POST http://h.test/a?b HTTP/1.1\r\n"));
    }
}
