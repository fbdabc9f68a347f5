//! HTTP/1 in the clear: the line that a message begins with (RFC 9112 3 and 4).

/// What a segment's data begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    Request { method: String, target: String },
    Response { status: u16 },
}

impl Beginning {
    /// None if it is neither a request's nor a response's.
    pub(super) fn of(payload: &[u8]) -> Option<Self> {
        let end = payload.iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(payload.get(..end)?).ok()?.trim_end_matches('\r');
        let mut words = line.split(' ');
        let (first, second) = (words.next()?, words.next()?);
        if first.starts_with("HTTP/1.") {
            return Some(Self::Response { status: second.parse().ok().filter(|_| second.len() == 3)? });
        }
        let is_method =
            !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        let is_one = is_method && words.next().is_some_and(|version| version.starts_with("HTTP/1."));
        is_one.then(|| Self::Request { method: first.to_owned(), target: second.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_tells_what_a_message_is() {
        let request = Beginning::Request { method: "GET".to_owned(), target: "/a?b".to_owned() };
        assert_eq!(Beginning::of(b"GET /a?b HTTP/1.1\r\nHost: a\r\n"), Some(request));
        assert_eq!(Beginning::of(b"HTTP/1.1 404 Not Found\r\n"), Some(Beginning::Response { status: 404 }));
        for other in [
            b"".as_slice(),
            b"\n",
            b"GET / \r\n",
            b"\x16\x03\x01\n",
            b"HTTP/1.1 2x4 OK\n",
            b"get / HTTP/1.1\n",
        ] {
            assert_eq!(Beginning::of(other), None, "{other:?}");
        }
    }
}
