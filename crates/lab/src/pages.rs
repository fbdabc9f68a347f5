//! What the well-behaved sites answer.

use crate::sites::SITES;
use async_compression::futures::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use futures_util::FutureExt;
use futures_util::io::{AsyncRead, AsyncReadExt};
use glasstack_http::{Answer, HeaderName, HeaderValue, Received, StatusCode, header};
use percent_encoding::percent_decode_str;
use std::fmt::Write;

/// The largest body that `bytes.test` makes.
const LARGEST: usize = 16 * 1024 * 1024;

/// `www.example.test`: a page, its style, and a few files beside it.
pub fn example(request: &Received) -> Answer {
    match request.path() {
        "/" | "/index.html" => negotiated(request, HTML, INDEX.as_bytes()),
        "/style.css" => negotiated(request, "text/css; charset=utf-8", STYLE.as_bytes()),
        "/hello.txt" => Answer::ok(TEXT, "hello\n"),
        "/hello.json" => Answer::ok("application/json", "{\"hello\": [\"example\", \"test\"]}\n"),
        _ => Answer::not_found(format!("there is no {}", request.path())),
    }
}

/// `far.test` and others that are hard to reach: the page of `www.example.test`, and with `/N` as many
/// bytes as [`bytes`] sends.
pub fn distant(request: &Received) -> Answer {
    let is_number = request.path().trim_start_matches('/').parse::<usize>().is_ok();
    if is_number { bytes(request) } else { example(request) }
}

/// What a web server answers for a name that is in no list: hello, and who it is.
pub fn greeting(request: &Received) -> Answer {
    match request.path() {
        "/" | "/index.html" => {
            let host = request.host.as_deref().unwrap_or("nobody");
            Answer::ok(TEXT, format!("This is {host}.\n"))
        }
        path => Answer::not_found(format!("there is no {path}")),
    }
}

/// `codings.test`: one text in the coding that the path names.
pub fn codings(request: &Received) -> Answer {
    let text = MANY_LINES.repeat(20);
    match request.path() {
        "/" => negotiated(request, TEXT, text.as_bytes()),
        "/chunked" => {
            let chunks = text.as_bytes().chunks(100).map(<[u8]>::to_vec).map(Into::into);
            Answer::chunked(TEXT, chunks.collect())
        }
        // The smallest chunks there are.
        "/trickle" => Answer::chunked(TEXT, MANY_LINES.bytes().map(|byte| vec![byte].into()).collect()),
        path => match path.trim_start_matches('/') {
            "gzip" => coded("gzip", TEXT, text.as_bytes()),
            "deflate" => coded("deflate", TEXT, text.as_bytes()),
            "br" => coded("br", TEXT, text.as_bytes()),
            "zstd" => coded("zstd", TEXT, text.as_bytes()),
            _ => Answer::not_found(format!("{path} names no coding")),
        },
    }
}

/// `bytes.test`: as many bytes as the path says, counting from 0 to 250 over and over, so that a
/// piece in the wrong place shows; or the range of them that is asked for.
pub fn bytes(request: &Received) -> Answer {
    match request.path().trim_start_matches('/').parse::<usize>() {
        Ok(length) if length <= LARGEST => {
            let body: Vec<u8> = (0..=250).cycle().take(length).collect();
            let answer = match request.headers.get(header::RANGE).and_then(|range| range.to_str().ok()) {
                Some(range) => ranged(&body, range),
                None => Answer::ok(OCTETS, body),
            };
            answer.with_header(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"))
        }
        _ => Answer::text(
            StatusCode::BAD_REQUEST,
            "the path is no length",
            format!("a length in bytes, up to {LARGEST}, as /1000\n"),
        ),
    }
}

/// `status.test`: the status that the path names.
pub fn status(request: &Received) -> Answer {
    let code = request.path().trim_start_matches('/').parse::<u16>().ok();
    // RFC 9110 15.2: an interim answer is never the last one.
    match code.and_then(|code| StatusCode::from_u16(code).ok()).filter(|code| !code.is_informational()) {
        Some(StatusCode::NO_CONTENT) => Answer::new(StatusCode::NO_CONTENT, "asked for"),
        Some(StatusCode::NOT_MODIFIED) => Answer::new(StatusCode::NOT_MODIFIED, "asked for"),
        Some(status) => Answer::text(status, "asked for", format!("{status}\n")),
        None => Answer::text(StatusCode::BAD_REQUEST, "the path is no status", "a status, as /404\n"),
    }
}

/// `echo.test`: what it was asked, the length of the body included.
pub fn echo(request: &Received) -> Answer {
    let mut text = format!("{} {}\n", request.method, request.target);
    for (name, value) in &request.headers {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    if request.body.received() > 0 {
        let _ = writeln!(text, "\n{} bytes of body", request.body.received());
    }
    Answer::ok(TEXT, text)
}

/// `headers.test`: answers with the header fields that the query names, as `/?ETag="1"&X-A=b`; and
/// with 304 to whoever knows that `ETag` already.
pub fn headers(request: &Received) -> Answer {
    let pairs = request.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut fields = Vec::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(&percent_decode_str(value).collect::<Vec<u8>>());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Answer::text(StatusCode::BAD_REQUEST, "no header fields", "fields, as /?X-A=b&X-C=d\n");
        };
        fields.push((name, value));
    }
    let known = request.headers.get(header::IF_NONE_MATCH);
    let is_known = fields.iter().any(|(name, value)| *name == header::ETAG && Some(value) == known);
    let answer = if is_known {
        Answer::new(StatusCode::NOT_MODIFIED, "the client knows this ETag")
    } else {
        Answer::ok(TEXT, "as you like it\n")
    };
    fields.into_iter().fold(answer, |answer, (name, value)| answer.with_header(name, value))
}

/// `auth.test`: for `me` with the password `secret` (RFC 7617), and for nobody else.
pub fn auth(request: &Received) -> Answer {
    let said = request.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    match said {
        // `me:secret` in base64.
        Some(b"Basic bWU6c2VjcmV0") => Answer::ok(TEXT, "welcome\n"),
        Some(b"Bearer token") => Answer::ok(TEXT, "welcome, bearer\n"),
        _ => {
            let challenge = HeaderValue::from_static("Basic realm=\"the lab\"");
            Answer::text(StatusCode::UNAUTHORIZED, "who are you?", "who are you?\n")
                .with_header(header::WWW_AUTHENTICATE, challenge)
        }
    }
}

/// `redirects.test`: counts down, one redirect a number.
pub fn redirects(request: &Received) -> Answer {
    match request.path().trim_start_matches('/').parse::<u32>() {
        Ok(0) => Answer::ok(TEXT, "arrived\n"),
        Ok(left) => Answer::redirect(StatusCode::FOUND, &format!("/{}", left - 1)),
        Err(_) => Answer::text(StatusCode::BAD_REQUEST, "the path is no number", "a number, as /3\n"),
    }
}

/// `loop.test`: from here to there and back.
pub fn redirect_loop(request: &Received) -> Answer {
    let next = if request.path() == "/" { "/again" } else { "/" };
    Answer::redirect(StatusCode::MOVED_PERMANENTLY, next)
}

/// The sites that are about certificates; `badssl.test` lists them.
pub fn badssl(request: &Received) -> Answer {
    let host = request.host.as_deref().unwrap_or_default();
    let believed = format!("{host} was believed\n");
    if host.split(':').next() != Some("badssl.test") {
        return Answer::ok(TEXT, believed);
    }
    let mut page = format!("<!doctype html>\n<title>badssl.test</title>\n<p>{believed}<dl>\n");
    for site in SITES.iter().filter(|site| site.host.ends_with(".badssl.test")) {
        let (host, port) = (site.host, site.port().map_or(String::new(), |port| format!(":{port}")));
        let _ = writeln!(page, "<dt><a href=\"https://{host}{port}/\">{host}</a>\n<dd>{}", site.about);
    }
    Answer::ok(HTML, page + "</dl>\n")
}

/// A site of `badssl.test` that takes early data: what came early is told, and refused at `/too-early`.
pub fn early_data(request: &Received) -> Answer {
    match (request.path(), request.early) {
        // RFC 8470 5.2.
        ("/too-early", true) => Answer::text(
            StatusCode::TOO_EARLY,
            "it came before the handshake was over",
            "too early: ask again behind the handshake\n",
        ),
        (_, true) => {
            let host = request.host.as_deref().unwrap_or_default();
            Answer::ok(TEXT, format!("{host} was believed, before the handshake was over\n"))
        }
        _ => badssl(request),
    }
}

/// One range of bytes (RFC 9110 14.2); what is none of those here is answered by 416.
fn ranged(body: &[u8], range: &str) -> Answer {
    let length = body.len();
    let ends = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let (first, last) = match ends.map(|(first, last)| (first.parse::<usize>(), last.parse::<usize>())) {
        Some((Ok(first), Ok(last))) => (first, last.min(length.saturating_sub(1))),
        Some((Ok(first), Err(_))) => (first, length.saturating_sub(1)),
        // The last so many.
        Some((Err(_), Ok(count))) => (length.saturating_sub(count), length.saturating_sub(1)),
        _ => (1, 0),
    };
    let (status, part, content_range) = match body.get(first..=last).filter(|part| !part.is_empty()) {
        Some(part) => (StatusCode::PARTIAL_CONTENT, part.to_vec(), format!("bytes {first}-{last}/{length}")),
        None => (StatusCode::RANGE_NOT_SATISFIABLE, Vec::new(), format!("bytes */{length}")),
    };
    let answer = Answer::new(status, format!("{range} was asked for")).with_body(OCTETS, part);
    match HeaderValue::try_from(content_range) {
        Ok(value) => answer.with_header(header::CONTENT_RANGE, value),
        Err(_) => answer,
    }
}

const OCTETS: &str = "application/octet-stream";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

const INDEX: &str = r#"<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>An example of the lab</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <h1>It works</h1>
  <p>Every byte of this page crossed a network that exists only inside one process:
     three switches, routers, a name server, and the server that sent it.</p>
  <p>Also here: <a href="/hello.txt">a text</a>, <a href="/hello.json">some JSON</a>.</p>
</body>
</html>
"#;

const STYLE: &str = "body { max-width: 40em; margin: 2em auto; font-family: sans-serif }\n";

const MANY_LINES: &str = "A text that says the same thing again and again is one that compresses well.\n";

/// Coded by gzip if the client says that it understands it (RFC 9110 12.5.3).
fn negotiated(request: &Received, media_type: &'static str, body: &[u8]) -> Answer {
    let wanted = |accepted: &str| accepted.split(',').any(|coding| coding.trim() == "gzip");
    let accepted = request.headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let answer = match accepted {
        Some(accepted) if wanted(accepted) => coded("gzip", media_type, body),
        _ => Answer::ok(media_type, body.to_vec()),
    };
    answer.with_header(header::VARY, HeaderValue::from_static("accept-encoding"))
}

/// Coded, whether the client wants it or not.
fn coded(coding: &'static str, media_type: &'static str, body: &[u8]) -> Answer {
    let coded = match coding {
        "gzip" => drained(GzipEncoder::new(body)),
        "deflate" => drained(ZlibEncoder::new(body)),
        "br" => drained(BrotliEncoder::new(body)),
        "zstd" => drained(ZstdEncoder::new(body)),
        _ => None,
    };
    match coded {
        Some(coded) => Answer::ok(media_type, coded)
            .with_header(header::CONTENT_ENCODING, HeaderValue::from_static(coding)),
        None => Answer::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{coding} failed")),
    }
}

/// All that a reader in memory gives: it never waits, so its future is done when polled once.
fn drained(mut reader: impl AsyncRead + Unpin) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    reader.read_to_end(&mut all).now_or_never()?.ok()?;
    Some(all)
}
