//! Strange answers, and what curl 7.88.1 makes of them: each row was observed with it.

use super::wire::{Ending, World, get, say};
use crate::{DecodeLimits, Decoded, HttpError, Limits, NotReusable, Progress, Reading, Request};
use bytes::{Bytes, BytesMut};
use http::Method;

/// What a fetch comes to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// curl's exit code.
    code: u8,
    /// The heads as they came.
    heads: Bytes,
    body: Bytes,
    reusable: Option<Result<(), NotReusable>>,
}

fn fetch(wire: &'static [u8], ending: Ending) -> Outcome {
    fetch_by(get("/"), wire, ending)
}

fn fetch_by(request: Request, wire: &'static [u8], ending: Ending) -> Outcome {
    let world = World::new();
    let progress: Progress = request.progress.clone();
    let (code, body, reusable) = world.run(async {
        let mut connection = world.client(Limits::default(), |end| say(end, wire, ending)).await;
        let response = match connection.send(&world.scope, request).await {
            Ok(response) => response,
            Err(error) => return (error.curl_exit_code(), Bytes::new(), None),
        };
        let headers = response.head.headers.clone();
        let mut decoded = Decoded::by_head(response.body, &headers, DecodeLimits::default());
        let mut whole = BytesMut::new();
        loop {
            match decoded.chunk().await {
                Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
                Ok(None) => return (0, whole.freeze(), Some(connection.reusable().await)),
                Err(error) => return (error.curl_exit_code(), whole.freeze(), None),
            }
        }
    });
    Outcome { code, heads: progress.look().heads, body, reusable }
}

/// The rest of a wire behind this status line, and what comes of it when the server closes then.
fn check(rows: &[(&'static [u8], u8, &'static [u8])]) {
    for (rest, code, body) in rows {
        let wire = [b"HTTP/1.1 200 OK\r\n".as_slice(), rest].concat().leak();
        let outcome = fetch(wire, Ending::Fin);
        let shown = wire.escape_ascii();
        assert_eq!((outcome.code, outcome.body.as_ref()), (*code, *body), "{shown}");
        let kept = outcome.heads.as_ref();
        assert!(wire.starts_with(kept), "the head's bytes are not the server's: {shown}");
    }
}

#[test]
fn lengths() {
    check(&[
        (b"\r\nhello", 0, b"hello"),
        (b"Content-Length: 50\r\n\r\nhi", 18, b"hi"),
        (b"Content-Length: 2\r\n\r\nhi more", 0, b"hi"),
        (b"Connection: close\r\nContent-Length: 2\r\n\r\nhi more", 0, b"hi"),
        (b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 0, b"hi"),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", 0, b"hi!"),
        (b"Content-Length: 2, 3\r\n\r\nhi!", 0, b"hi"),
        (b"Content-Length: +2\r\n\r\nhi", 0, b"hi"),
        (b"Content-Length: 2x\r\n\r\nhi", 0, b"hi"),
        (b"Content-Length:\t2  \r\n\r\nhi", 0, b"hi"),
        (b"Content-Length: 99999999999999999999999\r\n\r\nhi", 0, b"hi"),
        (b"Content-Length: abc\r\n\r\nhi", 8, b""),
        (b"Content-Length: -1\r\n\r\nhi", 8, b""),
        (b"Content-Length:\r\n\r\nhi", 8, b""),
        (b"Content-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 0, b"hi"),
        (b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi more", 0, b"hi more"),
    ]);
}

#[test]
fn chunks() {
    let row = |rest: &'static str| {
        let wire = format!("Transfer-Encoding: chunked\r\n\r\n{rest}").leak();
        wire.as_bytes() as &'static [u8]
    };
    check(&[
        (row("zz\r\nhi\r\n"), 56, b""),
        (row("5\r\nhel"), 18, b"hel"),
        (row("2\r\nhi\r\n"), 18, b"hi"),
        (row("2\r\nhi\r\n0\r\n"), 18, b"hi"),
        (row("2\r\nhiXX0\r\n\r\n"), 56, b"hi"),
        (row("2;a=b\r\nhi\r\n0\r\n\r\n"), 0, b"hi"),
        (row("2  \r\nhi\r\n0\r\n\r\n"), 0, b"hi"),
        (row("0002\r\nhi\r\n0\r\n\r\n"), 0, b"hi"),
        (row("fffffffffffffffff\r\nhi\r\n0\r\n\r\n"), 56, b""),
        (row("2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n"), 0, b"hi"),
    ]);
}

#[test]
fn heads() {
    check(&[
        (b"X: a\r\n  folded\r\nContent-Length: 2\r\n\r\nhi", 0, b"hi"),
        (b"Content-Length : 2\r\nX : y\r\n\r\nhi", 0, b"hi"),
        (b": no name\r\nContent-Length: 2\r\n\r\nhi", 0, b"hi"),
        (b"X(y): 1\r\nA b: 2\r\nContent-Length: 2\r\n\r\nhi", 0, b"hi"),
        (b"X: a\x01b\r\nContent-Length: 2\r\n\r\nhi", 0, b"hi"),
        (b"X: a\rb\r\nContent-Length: 2\r\n\r\nhi", 0, b"hi"),
        (b"A: b\nContent-Length: 2\n\nhi", 0, b"hi"),
        (b"X: a\0b\r\nContent-Length: 2\r\n\r\nhi", 8, b""),
        (b"no colon here\r\nContent-Length: 2\r\n\r\nhi", 8, b""),
    ]);
    // What curl -i shows of a head that breaks the rules: its lines up to there.
    let broken = fetch(b"HTTP/1.1 200 OK\r\nA: b\r\nno colon\r\n\r\n", Ending::Silence);
    assert_eq!(broken.heads, "HTTP/1.1 200 OK\r\nA: b\r\n");
}

#[test]
fn status_lines() {
    let code = |line: &str| {
        let wire = format!("{line}\r\nContent-Length: 2\r\n\r\nhi").leak();
        fetch(wire.as_bytes(), Ending::Fin).code
    };
    for line in [
        "HTTP/1.1 200",
        "HTTP/1.1 200 ",
        "HTTP/1.1 999 x",
        "HTTP/1.1 200x",
        "HTTP/1.1  200 OK",
        "HTTP/2 200 OK",
        "HTTP/2.0 200 OK",
        "http/1.1 200 OK",
    ] {
        assert_eq!(code(line), 0, "{line}");
    }
    for line in [
        "HTTP/1.1 099 x",
        "HTTP/1.1 000 x",
        "HTTP/1.1 1000 x",
        "HTTP/1.1 20 x",
        "HTTP/1.1 abc x",
        "HTTP/1.2 200 OK",
        "HTTP/3 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/1.11 200 OK",
        "HTTP/1.1\t200 OK",
        "\r\nHTTP/1.1 200 OK",
        "ICY 200 OK",
        "RTSP/1.0 200 OK",
        "SSH-2.0-OpenSSH_9",
    ] {
        assert_eq!(code(line), 1, "{line}");
    }
    for wire in [b"".as_slice(), b"HT", b"HTTP/1.1 200 OK"] {
        assert_eq!(fetch(wire, Ending::Fin).code, 52, "{}", wire.escape_ascii());
    }
}

#[test]
fn responses_that_have_no_body_have_none() {
    for (status, body) in [(204, ""), (304, ""), (205, "hi")] {
        let wire = format!("HTTP/1.1 {status} x\r\nContent-Length: 2\r\n\r\nhi").leak();
        let outcome = fetch(wire.as_bytes(), Ending::Silence);
        assert_eq!((outcome.code, outcome.body.as_ref()), (0, body.as_bytes()), "{status}");
        let excess = if status == 205 { Ok(()) } else { Err(NotReusable::Excess) };
        assert_eq!(outcome.reusable, Some(excess), "{status}");
    }
    let head = Request { method: Method::HEAD, ..get("/") };
    let outcome = fetch_by(head, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Ending::Silence);
    assert_eq!((outcome.code, outcome.body.as_ref()), (0, b"".as_slice()));
}

/// `hello` in gzip, its sum and its length included.
const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";

fn coded(fields: &str, body: &[u8]) -> &'static [u8] {
    let mut wire = format!("{fields}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    wire.extend_from_slice(body);
    wire.leak()
}

#[test]
fn content_codings() {
    let gzip = "Content-Encoding: gzip\r\n";
    let mut wrong_sum = GZIP.to_vec();
    wrong_sum[GZIP.len() - 8] ^= 1;
    check(&[
        (coded(gzip, GZIP), 0, b"hello"),
        (coded("Content-Encoding: x-gzip\r\n", GZIP), 0, b"hello"),
        (coded(gzip, b""), 0, b""),
        (coded(gzip, b"this is not gzip at all"), 61, b""),
        (coded(gzip, &wrong_sum), 61, b"hello"),
        (coded(gzip, &[GZIP, b"garbage"].concat()), 23, b"hello"),
        (coded(gzip, &[GZIP, b"\0\0"].concat()), 23, b"hello"),
        (coded("Content-Encoding: foo\r\n", b"hi"), 61, b""),
        (coded("Content-Encoding: none\r\n", b"hi"), 0, b"hi"),
        (coded("Content-Encoding: gzip,gzip,gzip,gzip,gzip,gzip\r\n", b"x"), 61, b""),
        (coded("Content-Encoding: br\r\n", b"this is not br"), 61, b""),
        (coded("Content-Encoding: zstd\r\n", b"this is not zstd"), 61, b""),
        // Two differences: curl is content with data cut short, and refuses a second member
        // (RFC 1952 2.2).
        (coded(gzip, GZIP.get(..GZIP.len() - 4).unwrap()), 61, b"hello"),
        (coded(gzip, &[GZIP, GZIP].concat()), 0, b"hellohello"),
    ]);
}

#[test]
fn transfer_codings() {
    let chunked = |codings: &str| {
        let mut wire = format!("Transfer-Encoding: {codings}\r\n\r\n{:x}\r\n", GZIP.len()).into_bytes();
        wire.extend_from_slice(GZIP);
        wire.extend_from_slice(b"\r\n0\r\n\r\n");
        wire.leak() as &'static [u8]
    };
    let until_close = [b"Transfer-Encoding: gzip\r\n\r\n".as_slice(), GZIP].concat().leak();
    check(&[
        (chunked("gzip, chunked"), 0, b"hello"),
        (chunked("gzip\r\nTransfer-Encoding: chunked"), 0, b"hello"),
        (until_close, 0, b"hello"),
        (b"Transfer-Encoding: foo\r\n\r\nhi", 61, b""),
        (b"Transfer-Encoding: foo, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 61, b""),
        (b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 61, b""),
        (b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 0, b"hi"),
    ]);
}

#[test]
fn readings_that_the_user_asks_for() {
    let by = |reading| Request { reading, ..get("/") };
    let ignore = by(Reading { ignore_content_length: true, ..Reading::default() });
    let outcome = fetch_by(ignore, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", Ending::Fin);
    assert_eq!((outcome.code, outcome.body.as_ref()), (0, b"hello".as_slice()));
    let old = by(Reading { http09: true, ..Reading::default() });
    let outcome = fetch_by(old, b"<html>\r\n\r\nhello", Ending::Fin);
    assert_eq!((outcome.code, outcome.body.as_ref()), (0, b"<html>\r\n\r\nhello".as_slice()));
    assert_eq!(outcome.heads, "");
}

#[test]
fn a_head_cut_short_is_an_error_where_curl_is_content_with_it() {
    let outcome = fetch(b"HTTP/1.1 200 OK\r\nX: a\r\nContent-Le", Ending::Fin);
    assert_eq!((outcome.code, outcome.heads.as_ref()), (18, b"HTTP/1.1 200 OK\r\nX: a\r\n".as_slice()));
}

#[test]
fn a_body_that_drips_arrives() {
    let world = World::new();
    let body = world.run(async {
        let executor = world.executor.clone();
        let peer = |mut end: super::wire::End| async move {
            use futures_util::AsyncWriteExt;
            super::wire::read_head(&mut end).await;
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" {
                end.write_all(&[*byte]).await.unwrap();
                executor.sleep(std::time::Duration::from_secs(1)).await;
            }
            end.hold();
        };
        let mut connection = world.client(Limits::default(), peer).await;
        let mut response = connection.send(&world.scope, get("/")).await?;
        response.body.read_all(100).await
    });
    assert_eq!(body.map_err(|error: HttpError| error.to_string()), Ok(Bytes::from_static(b"hello")));
}
