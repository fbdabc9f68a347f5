//! How the end of a body is known (RFC 9112 6.3), and whether the connection outlives it (9.3).

use crate::fields::Fields;
use crate::head::length_of;
use crate::message::{Reading, ResponseHead};
use glasstack_journal::event::Framing;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use http::{Method, StatusCode, Version};

/// Why a connection cannot carry another request (RFC 9112 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReusable {
    /// It said `Connection: close`.
    #[error("the server said \"Connection: close\"")]
    ServerSaidClose,
    /// So did the request.
    #[error("the request said \"Connection: close\"")]
    ClientSaidClose,
    /// HTTP/1.0 closes unless it says `keep-alive`.
    #[error("the server speaks HTTP/1.0 and did not say \"Connection: keep-alive\"")]
    Http10,
    /// The end of the connection was the end of the body.
    #[error("the end of the body was the end of the connection")]
    UntilClose,
    /// The head's length can be read in more than one way (RFC 9112 11.2).
    #[error("the last response gave its length in more than one way")]
    Ambiguous,
    /// More came than the last response had.
    #[error("more bytes came than the last response has")]
    Excess,
    /// The last request was not sent to its end, as its answer came first.
    #[error("the last request was not sent to its end")]
    UploadStopped,
    /// The last response's body was not read to its end.
    #[error("the last response was not read to its end")]
    Unfinished,
    /// The last exchange failed.
    #[error("the last exchange failed")]
    Failed,
    /// The server has closed it since.
    #[error("the server has closed it in the meantime")]
    ClosedByServer,
}

/// How the end of a response's body is known. RFC 9112 6.3, in its order.
pub(crate) fn response_framing(method: &Method, head: &ResponseHead, reading: Reading) -> Framing {
    // 1. No body by nature, whatever the header fields say. What follows 101 is no HTTP any more.
    let status = head.status;
    if method == Method::HEAD || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        return Framing::None;
    }
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Framing::UntilClose;
    }
    // 3. and 4. Transfer-Encoding overrides Content-Length; what does not end in `chunked` lasts
    // until the connection closes.
    let codings = transfer_codings(&head.headers);
    if !codings.is_empty() {
        // As curl has it: `chunked` counts wherever it stands.
        return if codings.iter().any(|coding| coding == "chunked") {
            Framing::Chunked
        } else {
            Framing::UntilClose
        };
    }
    // 6. Content-Length. 8. Otherwise until the connection closes.
    match content_length(&head.headers) {
        Some(length) if !reading.ignore_content_length => Framing::Length(length),
        _ => Framing::UntilClose,
    }
}

/// How the end of a request's body is known: as above, but without a length there is none (7.).
pub(crate) fn request_framing(headers: &HeaderMap) -> Framing {
    if transfer_codings(headers).last().is_some_and(|last| last == "chunked") {
        return Framing::Chunked;
    }
    content_length(headers).map_or(Framing::None, Framing::Length)
}

/// The transfer codings, in the order in which they were applied, in lower case.
pub(crate) fn transfer_codings(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(TRANSFER_ENCODING)
        .iter()
        .flat_map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            value.split(',').map(|coding| coding.trim().to_owned()).collect::<Vec<String>>()
        })
        .filter(|coding| !coding.is_empty())
        .collect()
}

/// The last one, as curl has it; [`is_ambiguous`] says when there was a choice.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get_all(CONTENT_LENGTH).iter().next_back().and_then(|value| length_of(value.as_bytes())?)
}

/// RFC 9112 6.3, 3. and 5.: a length that another recipient may read otherwise.
fn is_ambiguous(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = lengths.next() else { return false };
    headers.contains_key(TRANSFER_ENCODING)
        || lengths.any(|other| other != first)
        || !first.as_bytes().iter().all(u8::is_ascii_digit)
}

/// RFC 9112 9.3: whether the connection persists after this response.
pub(crate) fn persistence(
    request_headers: &Fields,
    head: &ResponseHead,
    framing: Framing,
) -> Result<(), NotReusable> {
    // What proxies of HTTP/1.0 say (RFC 9112 C.2.2).
    const BY_PROXIES: &str = "proxy-connection";
    let said = |headers: &HeaderMap, option| {
        says(headers.get_all(CONNECTION).iter().chain(headers.get_all(BY_PROXIES).iter()), option)
    };
    if framing == Framing::UntilClose {
        Err(NotReusable::UntilClose)
    } else if said(&head.headers, "close") {
        Err(NotReusable::ServerSaidClose)
    } else if says(request_headers.get_all(&CONNECTION), "close") {
        Err(NotReusable::ClientSaidClose)
    } else if head.version == Version::HTTP_10 && !said(&head.headers, "keep-alive") {
        Err(NotReusable::Http10)
    } else if is_ambiguous(&head.headers) {
        Err(NotReusable::Ambiguous)
    } else {
        Ok(())
    }
}

/// Whether a `Connection` field has this option.
fn says<'a>(values: impl Iterator<Item = &'a http::HeaderValue>, option: &str) -> bool {
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|said| said.trim().eq_ignore_ascii_case(option))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, fields: &[(&'static str, &'static str)]) -> ResponseHead {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        ResponseHead {
            version: Version::HTTP_11,
            status: StatusCode::from_u16(status).unwrap(),
            reason: String::new(),
            headers,
            raw: Vec::new(),
        }
    }

    fn framing(method: &Method, status: u16, fields: &[(&'static str, &'static str)]) -> Framing {
        response_framing(method, &head(status, fields), Reading::default())
    }

    #[test]
    fn the_framing_of_a_response_follows_rfc_9112_section_6_3() {
        let (get, length) = (Method::GET, [("content-length", "5")]);
        let both = [("content-length", "5"), ("transfer-encoding", "gzip, chunked")];
        assert_eq!(framing(&get, 200, &length), Framing::Length(5));
        assert_eq!(framing(&Method::HEAD, 200, &length), Framing::None);
        assert_eq!(framing(&get, 304, &length), Framing::None);
        assert_eq!(framing(&get, 204, &both), Framing::None);
        assert_eq!(framing(&get, 200, &both), Framing::Chunked);
        assert_eq!(framing(&get, 200, &[("transfer-encoding", "gzip")]), Framing::UntilClose);
        assert_eq!(framing(&get, 200, &[]), Framing::UntilClose);
    }

    #[test]
    fn lengths_that_differ_are_read_as_curl_does_and_end_the_connection() {
        for (fields, length) in [
            ([("content-length", "2"), ("content-length", "3")].as_slice(), 3),
            (&[("content-length", "2, 3")], 2),
            (&[("content-length", "+2")], 2),
            (&[("content-length", "2x")], 2),
        ] {
            let head = head(200, fields);
            let framing = response_framing(&Method::GET, &head, Reading::default());
            assert_eq!(framing, Framing::Length(length));
            assert_eq!(persistence(&Fields::new(), &head, framing), Err(NotReusable::Ambiguous));
        }
        assert_eq!(
            framing(&Method::GET, 200, &[("content-length", "99999999999999999999")]),
            Framing::UntilClose
        );
    }
}
