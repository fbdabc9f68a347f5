//! The server, heard by a client that speaks in raw bytes, and by our own.

use super::wire::{World, get, mutations, pipe, request};
use crate::server::{Places, serve_by};
use crate::{
    Answer, AnswerBody, BodySource, Connection, Handler, HttpError, Limits, Received, RequestBody,
    ServerOptions,
};
use bytes::Bytes;
use futures_util::future::poll_fn;
use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt, stream};
use glasstack_journal::Instant;
use glasstack_journal::event::{Event, Http};
use http::{Method, StatusCode};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

fn site(request: Received) -> Answer {
    match request.path() {
        "/" => Answer::ok("text/html", "<h1>hi</h1>"),
        "/chunked" => {
            Answer::chunked("text/plain", vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")])
        }
        "/early" => Answer::ok("text/plain", format!("early: {}", request.early)),
        "/count" => Answer::ok("text/plain", format!("{} bytes", request.body.received())),
        "/moved" => Answer::redirect(StatusCode::MOVED_PERMANENTLY, "https://h.test/"),
        "/cut" => {
            let half = stream::iter([Ok(Bytes::from_static(b"half"))]);
            let failure = stream::once(async {
                pending_once().await;
                Err(io::Error::other("no more"))
            });
            let mut answer = Answer::new(StatusCode::OK, "half");
            answer.body = AnswerBody::Stream(half.chain(failure).boxed());
            answer
        }
        other => Answer::not_found(format!("no {other} here")),
    }
}

/// Gives way once, so that what has been written is sent.
async fn pending_once() {
    let mut waited = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn options() -> ServerOptions {
    ServerOptions { name: None, ..ServerOptions::default() }
}

/// What comes back for `wire` when the client then says goodbye.
fn hear(wire: &'static [u8], options: ServerOptions) -> (World, String) {
    let world = World::new();
    let (mut near, far) = pipe();
    let (executor, scope) = (world.executor.clone(), world.scope.clone());
    world.executor.spawn(async move {
        let client = "10.0.0.1:50000".parse().unwrap();
        serve_by(|t| executor.sleep(t), &scope, far, client, Arc::new(site), options).await;
    });
    let said = world.run(async {
        near.write_all(wire).await.unwrap();
        let mut said = String::new();
        near.read_to_string(&mut said).await.unwrap();
        said
    });
    (world, said)
}

fn with_client<T>(run: impl AsyncFn(&World, &mut Connection) -> T) -> T {
    let world = World::new();
    world.run(async {
        let (executor, scope) = (world.executor.clone(), world.scope.clone());
        let peer = |end| async move {
            let client = "10.0.0.1:50000".parse().unwrap();
            let handler: Arc<dyn Handler> = Arc::new(site);
            serve_by(|t| executor.sleep(t), &scope, end, client, handler, options()).await;
        };
        let mut connection = world.client(Limits::default(), peer).await;
        run(&world, &mut connection).await
    })
}

#[test]
fn an_answer_on_the_wire_has_the_worlds_date_and_a_length() {
    let (world, said) =
        hear(b"GET / HTTP/1.1\r\nHost: h.test\r\nConnection: close\r\n\r\n", ServerOptions::default());
    let expected = format!(
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: glasstack/{}\r\n\
         Content-Type: text/html\r\nConnection: close\r\nContent-Length: 11\r\n\r\n<h1>hi</h1>",
        env!("CARGO_PKG_VERSION")
    );
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_ascii_lowercase).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&said), sorted(&expected));
    let told: Vec<String> = world
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::Http(Http::Received { method, target, host, .. }) => {
                Some(format!("{method} {target} {host:?}"))
            }
            Event::Http(Http::Answered { status, body_length, .. }) => {
                Some(format!("{status} {body_length:?}"))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, ["GET / Some(\"h.test\")", "200 Some(11)"]);
}

#[test]
fn a_client_and_a_server_of_ours_understand_each_other() {
    with_client(async |world, connection| {
        for (path, status, body) in
            [("/", 200, "<h1>hi</h1>"), ("/chunked", 200, "onetwo"), ("/nothing", 404, "not found\n")]
        {
            let mut response = connection.send(&world.scope, get(path)).await.unwrap();
            assert_eq!(response.head.status.as_u16(), status);
            assert_eq!(response.body.read_all(100).await.unwrap(), body);
        }
        let mut moved = connection.send(&world.scope, get("/moved")).await.unwrap();
        assert_eq!(moved.head.headers["location"], "https://h.test/");
        moved.body.read_all(100).await.unwrap();
        assert_eq!(connection.carried(), 4);
    });
}

#[test]
fn a_body_that_waits_for_our_server_is_asked_for_and_read_in_chunks_too() {
    struct Lines(u8);
    impl BodySource for Lines {
        fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
            self.0 = self.0.saturating_sub(1);
            Poll::Ready((self.0 > 0).then(|| Ok(Bytes::from_static(b"one more line\n"))))
        }
    }
    with_client(async |world, connection| {
        for length in [Some(14 * 99), None] {
            let source = Box::new(Lines(100));
            let mut request = request(Method::POST, "/count", b"");
            request.body = RequestBody::Stream { length, source };
            request.expect_timeout = Some(Duration::from_secs(1));
            let mut response = connection.send(&world.scope, request).await.unwrap();
            assert_eq!(response.interim.len(), 1, "the server did not say that it wants the body");
            assert_eq!(response.body.read_all(100).await.unwrap(), "1386 bytes");
            assert_eq!(connection.reusable().await, Ok(()));
        }
        assert_eq!(world.scope.now(), Instant::ZERO);
    });
}

#[test]
fn head_is_answered_with_the_length_and_without_the_body() {
    with_client(async |world, connection| {
        let mut response = connection.send(&world.scope, request(Method::HEAD, "/", b"")).await.unwrap();
        assert_eq!(response.head.headers["content-length"], "11");
        assert_eq!(response.body.read_all(100).await.unwrap(), "");
        assert_eq!(connection.reusable().await, Ok(()));
    });
}

#[test]
fn a_body_that_fails_half_way_is_cut_so_that_the_client_notices() {
    with_client(async |world, connection| {
        let mut response = connection.send(&world.scope, get("/cut")).await.unwrap();
        let error = response.body.read_all(100).await.unwrap_err();
        assert!(matches!(error, HttpError::Truncated { received: 4, expected: None }), "{error:?}");
    });
}

#[test]
fn a_request_without_a_host_and_one_that_is_no_request_are_refused() {
    let (_, said) = hear(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", options());
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    let (_, said) = hear(b"GET / HTTP/1.0\r\n\r\n", options());
    assert!(said.starts_with("HTTP/1.0 200 "), "{said}");
    let (_, said) = hear(b"\x16\x03\x01\x02\x00 this is TLS\r\n\r\n", options());
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
}

#[test]
fn a_head_that_is_too_large_is_answered_431() {
    let mut options = options();
    options.limits.max_head = 1000;
    let wire = format!("GET / HTTP/1.1\r\nHost: h.test\r\nX: {}\r\n\r\n", "a".repeat(2000)).leak();
    let (_, said) = hear(wire.as_bytes(), options);
    assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
}

#[test]
fn a_client_that_sends_half_a_request_is_not_waited_for_forever() {
    let (world, said) = hear(b"GET / HTTP/1.1\r\nHost: h.te", options());
    assert_eq!(said, "");
    assert_eq!(world.scope.now(), Instant::ZERO + options().head_patience);
}

#[test]
fn a_head_that_drips_is_not_waited_for_longer_than_one_that_stands_still() {
    let world = World::new();
    let (mut near, far) = pipe();
    let (executor, scope) = (world.executor.clone(), world.scope.clone());
    world.executor.spawn(async move {
        let client = "10.0.0.1:50000".parse().unwrap();
        serve_by(|t| executor.sleep(t), &scope, far, client, Arc::new(site), options()).await;
    });
    let executor = world.executor.clone();
    world.run(async {
        // A whole request first: the watch begins anew with every head.
        executor.sleep(Duration::from_secs(20)).await;
        near.write_all(b"GET / HTTP/1.1\r\nHost: h.test\r\n\r\n").await.unwrap();
        executor.sleep(Duration::from_secs(20)).await;
        near.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        while !near.is_closed_by_peer() {
            near.write_all(b"x").await.unwrap();
            executor.sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(world.scope.now(), Instant::ZERO + Duration::from_secs(40) + options().head_patience);
}

#[test]
fn a_body_is_read_before_its_request_is_answered_and_one_that_is_too_large_is_413() {
    let mut options = options();
    options.limits.max_body = Some(5);
    for (body, status) in
        [("Content-Length: 5\r\n\r\n12345", 200), ("Content-Length: 6\r\n\r\n", 413), (CHUNKS, 413)]
    {
        let wire = format!("POST / HTTP/1.1\r\nHost: h.test\r\n{body}").leak();
        let (_, said) = hear(wire.as_bytes(), options.clone());
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
    }
}

const CHUNKS: &str = "Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\n3\r\n456\r\n0\r\n\r\n";

#[test]
fn when_all_places_are_taken_the_next_connection_waits() {
    let mut places = Places::new(1);
    let world = World::new();
    let first = world.run(places.take());
    assert!(places.take().now_or_never().is_none());
    drop(first);
    assert!(places.take().now_or_never().is_some());
}

#[test]
fn a_client_that_sends_half_a_body_is_not_waited_for_forever() {
    let (world, said) = hear(b"POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 9\r\n\r\nhalf", options());
    assert_eq!(said, "");
    assert_eq!(world.scope.now(), Instant::ZERO + 3 * options().idle);
}

#[test]
fn an_idle_connection_is_closed_after_a_while() {
    let (world, said) = hear(b"GET / HTTP/1.1\r\nHost: h.test\r\n\r\n", options());
    assert!(said.ends_with("<h1>hi</h1>"), "{said}");
    assert_eq!(world.scope.now(), Instant::ZERO + 2 * options().idle);
}

#[test]
fn after_so_many_requests_the_connection_is_closed() {
    let twice = b"GET / HTTP/1.1\r\nHost: h.test\r\n\r\nGET / HTTP/1.1\r\nHost: h.test\r\n\r\n";
    let (_, said) = hear(twice, ServerOptions { max_requests: Some(2), ..options() });
    assert_eq!(said.matches("HTTP/1.1 200").count(), 2);
    assert_eq!(said.to_ascii_lowercase().matches("connection: close").count(), 1);
}

#[test]
fn any_bytes_make_an_answer_or_a_goodbye_but_never_a_panic_or_a_hang() {
    let seed =
        b"POST /chunked HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nx=1\r\n0\r\n\r\n";
    for wire in mutations(seed, 0x9e37_79b9_7f4a_7c15) {
        let _ = hear(wire, options());
    }
}

#[test]
fn what_changes_something_and_was_forwarded_from_early_data_is_too_early() {
    // RFC 8470 5.1: whatever it says, and however often.
    for field in ["Early-Data: 1", "early-data: 0", "Early-Data: 1\r\nEarly-Data: 1"] {
        for (line, status) in
            [("GET /early", "200"), ("OPTIONS /", "200"), ("POST /", "425"), ("PUT /", "425")]
        {
            let wire = format!("{line} HTTP/1.1\r\nHost: h\r\n{field}\r\nConnection: close\r\n\r\n");
            let (_, said) = hear(wire.leak().as_bytes(), options());
            assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{line} {field}: {said}");
            assert_eq!(said.contains("early: true"), line == "GET /early", "{said}");
        }
    }
    let (_, said) = hear(b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", options());
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[test]
fn the_first_request_is_marked_where_early_data_came_and_may_change_something() {
    let wire =
        b"GET /early HTTP/1.1\r\nHost: h\r\n\r\nGET /early HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let (_, said) = hear(wire, ServerOptions { early: true, ..options() });
    let marks: Vec<&str> = said.matches("early: true").chain(said.matches("early: false")).collect();
    assert_eq!(marks, ["early: true", "early: false"], "{said}");
    let wire = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let (_, said) = hear(wire, ServerOptions { early: true, ..options() });
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}
