//! The head of a response, read as curl reads it: line by line, with more patience for odd servers
//! than RFC 9112 asks for, and with firm limits.
//!
//! What is forgiven: bare LF (RFC 9112 2.2), white space before a colon, obsolete folding (5.2),
//! names that are no tokens and values with control characters (they stay in the head's bytes, and
//! out of its map), a missing reason phrase, lengths that are repeated or followed by junk. What is
//! not: a NUL, a line without a colon, a length that is no number, a status beyond 100 to 999.

use crate::error::HttpError;
use crate::limits::Limits;
use crate::message::ResponseHead;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};

/// Reads heads, one after the other, from bytes as they come.
pub(crate) struct HeadReader {
    limits: Limits,
    http09: bool,
    /// The head so far, its unfinished line included.
    raw: Vec<u8>,
    /// Where the unfinished line begins.
    line: usize,
    /// Bytes of heads before this one, and the lines of this one that are complete.
    total: usize,
    status: Option<(Version, StatusCode, String)>,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What the bytes have made.
#[derive(Debug)]
pub(crate) enum Step {
    /// They are used up, and the head goes on.
    More,
    /// A head ended behind so many of them.
    Head(ResponseHead, usize),
    /// There is no head (HTTP/0.9): these bytes, and those before them, are the body.
    Body(Vec<u8>),
}

impl HeadReader {
    pub(crate) fn new(limits: Limits, http09: bool) -> Self {
        Self { limits, http09, raw: Vec::new(), line: 0, total: 0, status: None, fields: Vec::new() }
    }

    /// Takes what has come.
    pub(crate) fn on_bytes(&mut self, data: &[u8]) -> Result<Step, HttpError> {
        let mut used = 0;
        while let Some(rest) = data.get(used..).filter(|rest| !rest.is_empty()) {
            let end = rest.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let piece = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            used += piece.len();
            self.raw.extend_from_slice(piece);
            if self.status.is_none() && !self.begins_as_http() {
                return self.on_http09(data.get(used..).unwrap_or_default());
            }
            let line_length = self.raw.len() - self.line;
            if line_length > self.limits.max_line {
                return Err(HttpError::HeadLineTooLong { max_bytes: self.limits.max_line });
            }
            if end.is_some() && self.on_line()? {
                return Ok(Step::Head(self.finish()?, used));
            }
        }
        Ok(Step::More)
    }

    /// How many bytes of a head have come that is not complete.
    pub(crate) fn unfinished(&self) -> usize {
        self.raw.len()
    }

    /// Whether the status line has come.
    pub(crate) fn has_status(&self) -> bool {
        self.status.is_some()
    }

    /// The complete lines of the head so far, as they came.
    pub(crate) fn lines(&self) -> &[u8] {
        self.raw.get(..self.line).unwrap_or_default()
    }

    fn begins_as_http(&self) -> bool {
        let known = self.raw.len().min(5);
        self.raw.get(..known).unwrap_or_default().eq_ignore_ascii_case(&b"HTTP/"[..known])
    }

    fn on_http09(&mut self, rest: &[u8]) -> Result<Step, HttpError> {
        let mut body = std::mem::take(&mut self.raw);
        if self.http09 {
            body.extend_from_slice(rest);
            return Ok(Step::Body(body));
        }
        body.extend(rest.iter().take(64));
        let first_line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let beginning = first_line.iter().take(64).copied().collect::<Vec<u8>>().escape_ascii().to_string();
        Err(HttpError::NotHttp { beginning })
    }

    /// The line is complete; true if it ends the head.
    fn on_line(&mut self) -> Result<bool, HttpError> {
        let line = self.raw.get(self.line..).unwrap_or_default();
        let size = line.len();
        // RFC 9112 2.2: a lone LF ends a line too.
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.contains(&0) {
            return Err(malformed("a NUL in it"));
        }
        let ends = text.is_empty();
        if self.status.is_none() {
            self.status = Some(status_line(text)?);
        } else if !ends {
            let folded = matches!(text.first(), Some(b' ' | b'\t'));
            match (folded, self.fields.last_mut()) {
                // RFC 9112 5.2: obsolete folding is one or more spaces.
                (true, Some((_, value))) => {
                    value.push(b' ');
                    value.extend_from_slice(text.trim_ascii());
                }
                (true, None) => return Err(malformed("its first field begins with white space")),
                (false, _) => self.fields.push(field(text)?),
            }
        }
        self.line += size;
        self.total += size;
        if self.total > self.limits.max_head || self.fields.len() > self.limits.max_headers {
            return Err(HttpError::HeadTooLarge {
                max_bytes: self.limits.max_head,
                max_headers: self.limits.max_headers,
            });
        }
        Ok(ends)
    }

    fn finish(&mut self) -> Result<ResponseHead, HttpError> {
        let raw = std::mem::take(&mut self.raw);
        self.line = 0;
        let (version, status, reason) =
            self.status.take().ok_or_else(|| malformed("it has no status line"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in std::mem::take(&mut self.fields) {
            let (name, value) = (HeaderName::from_bytes(&name), HeaderValue::from_bytes(&value));
            // What no header map can hold stays in the head's bytes alone.
            if let (Ok(name), Ok(value)) = (name, value) {
                let _ = headers.try_append(name, value);
            }
        }
        Ok(ResponseHead { version, status, reason, headers, raw })
    }
}

/// RFC 9112 4: `HTTP/1.1 200 OK`; curl knows `HTTP/2 200` as well.
fn status_line(line: &[u8]) -> Result<(Version, StatusCode, String), HttpError> {
    let bad = |why| {
        let line = line.iter().take(64).copied().collect::<Vec<u8>>().escape_ascii().to_string();
        HttpError::BadStatusLine { line, why }
    };
    let space = line.iter().position(|byte| *byte == b' ').ok_or_else(|| bad("there is no status in it"))?;
    let (version, rest) = line.split_at(space);
    let version = match version.get(5..).unwrap_or_default() {
        b"1.1" => Version::HTTP_11,
        b"1.0" => Version::HTTP_10,
        b"2" | b"2.0" => Version::HTTP_2,
        _ => return Err(bad("HTTP/1.0, HTTP/1.1 and HTTP/2 are the versions understood")),
    };
    let rest = rest.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (code, reason) = rest.split_at(digits);
    let code = std::str::from_utf8(code).ok().and_then(|code| code.parse::<u16>().ok()).unwrap_or(0);
    // RFC 9110 15: three digits, the first of which is not 0.
    if !(100..=999).contains(&code) {
        return Err(bad("a status is a number from 100 to 999"));
    }
    let status = StatusCode::from_u16(code).map_err(|_| bad("a status is a number from 100 to 999"))?;
    Ok((version, status, String::from_utf8_lossy(reason.trim_ascii()).into_owned()))
}

fn field(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), HttpError> {
    let colon =
        line.iter().position(|byte| *byte == b':').ok_or_else(|| malformed("a line of it has no colon"))?;
    let (name, value) = line.split_at(colon);
    let name = name.trim_ascii_end().to_ascii_lowercase();
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    if name == header::CONTENT_LENGTH.as_str().as_bytes() {
        // RFC 9112 6.3, 5.
        length_of(value).ok_or_else(|| malformed("its Content-Length is not a number"))?;
    }
    Ok((name, value.to_vec()))
}

/// A length as curl reads it: digits, whatever follows them. None if there is no digit; a number
/// beyond all numbers is no length at all.
pub(crate) fn length_of(value: &[u8]) -> Option<Option<u64>> {
    let value = value.strip_prefix(b"+").unwrap_or(value);
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = std::str::from_utf8(value.get(..digits)?).ok().filter(|digits| !digits.is_empty())?;
    Some(digits.parse::<u64>().ok().filter(|length| i64::try_from(*length).is_ok()))
}

fn malformed(why: &str) -> HttpError {
    HttpError::MalformedHead { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: &[u8]) -> Result<Step, HttpError> {
        HeadReader::new(Limits::default(), false).on_bytes(wire)
    }

    fn head(wire: &[u8]) -> ResponseHead {
        match read(wire) {
            Ok(Step::Head(head, used)) => {
                assert_eq!(head.raw, wire[..used]);
                head
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_head_is_the_same_however_it_is_cut() {
        let wire = b"HTTP/1.1 200 Fine\r\nA: b\r\n  folded\r\nX-odd:\r\n\r\nbody";
        let whole = head(wire);
        assert_eq!(whole.headers["a"], "b folded");
        assert_eq!(whole.reason, "Fine");
        let mut reader = HeadReader::new(Limits::default(), false);
        let mut found = None;
        for byte in wire.iter().take(whole.raw.len()) {
            if let Step::Head(head, 1) = reader.on_bytes(&[*byte]).unwrap() {
                found = Some(head);
            }
        }
        let found = found.unwrap();
        assert_eq!((found.raw, found.headers), (whole.raw, whole.headers));
    }

    #[test]
    fn what_curl_forgives_is_forgiven() {
        assert_eq!(head(b"HTTP/1.1 200\nA : b\n\n").headers["a"], "b");
        assert_eq!(head(b"HTTP/1.0  299 x\r\n\r\n").status.as_u16(), 299);
        assert_eq!(head(b"HTTP/2 200\r\n\r\n").version, Version::HTTP_2);
        assert_eq!(head(b"HTTP/1.1 200x\r\n\r\n").reason, "x");
        let odd = head(b"HTTP/1.1 200 OK\r\n: x\r\nA b: 1\r\nX: a\x01b\r\nY: z\r\n\r\n");
        assert_eq!((odd.headers.len(), &odd.headers["y"]), (1, &HeaderValue::from_static("z")));
    }

    #[test]
    fn what_curl_refuses_is_refused_with_its_exit_code() {
        for (wire, code) in [
            (b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n".as_slice(), 8),
            (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 8),
            (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", 8),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 8),
            (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", 8),
            (b"\r\nHTTP/1.1 200 OK\r\n\r\n", 1),
            (b"ICY 200 OK\r\n\r\n", 1),
            (b"HTTP/1.1 099 x\r\n\r\n", 1),
            (b"HTTP/1.1 1000 x\r\n\r\n", 1),
            (b"HTTP/1.1 20 x\r\n\r\n", 1),
            (b"HTTP/1.1 abc x\r\n\r\n", 1),
            (b"HTTP/1.2 200 OK\r\n\r\n", 1),
            (b"HTTP/1.1\t200 OK\r\n\r\n", 1),
            (b"HTTP/1.1\r\n\r\n", 1),
        ] {
            let error = read(wire).unwrap_err();
            assert_eq!(error.curl_exit_code(), code, "{error} for {}", wire.escape_ascii());
        }
    }

    #[test]
    fn lines_and_heads_are_bounded_as_curls_are() {
        let line = |length: usize| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(length - 5));
        head(line(102_400).as_bytes());
        assert_eq!(read(line(102_401).as_bytes()).unwrap_err().curl_exit_code(), 27);
        let endless = format!("HTTP/1.1 200 OK\r\n{}", format!("X: {}\r\n", "x".repeat(990)).repeat(320));
        assert_eq!(read(endless.as_bytes()).unwrap_err().curl_exit_code(), 56);
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(6000));
        assert_eq!(head(many.as_bytes()).headers.len(), 6000);
    }

    #[test]
    fn an_answer_of_http_0_9_is_all_body_if_that_is_allowed() {
        let mut reader = HeadReader::new(Limits::default(), true);
        assert!(matches!(reader.on_bytes(b"H").unwrap(), Step::More));
        let Step::Body(body) = reader.on_bytes(b"i there\nmore\n").unwrap() else { panic!("a head") };
        assert_eq!(body, b"Hi there\nmore\n");
    }
}
