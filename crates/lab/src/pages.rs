//! What the well-behaved sites answer.

use async_compression::futures::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use futures_util::FutureExt;
use futures_util::io::{AsyncRead, AsyncReadExt};
use glasstack_http::{Answer, HeaderValue, Received, StatusCode, header};
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
/// piece in the wrong place shows.
pub fn bytes(request: &Received) -> Answer {
    match request.path().trim_start_matches('/').parse::<usize>() {
        Ok(length) if length <= LARGEST => {
            let body: Vec<u8> = (0..=250).cycle().take(length).collect();
            Answer::ok("application/octet-stream", body)
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
    Answer::ok(TEXT, text)
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

/// The sites that are about certificates.
pub fn badssl(request: &Received) -> Answer {
    let host = request.host.as_deref().unwrap_or_default();
    Answer::ok(TEXT, format!("{host} was believed\n"))
}

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
     two switches, a gateway, a name server, and the server that sent it.</p>
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
