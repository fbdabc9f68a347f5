//! What a client makes of well-formed and ill-formed responses.

use super::wire::{Ending, World, get, mutations, read_head, request};
use crate::{HttpError, Limits};
use glasstack_journal::event::{Event, Framing, Http};
use glasstack_journal::{Note, Record};
use http::{Method, StatusCode};

fn body_of(wire: &'static [u8]) -> String {
    let (_, body) = World::new().get(wire, Ending::Fin).unwrap();
    String::from_utf8(body).unwrap()
}

fn error_of(wire: &'static [u8], ending: Ending) -> HttpError {
    World::new().get(wire, ending).unwrap_err()
}

#[test]
fn the_request_on_the_wire_is_origin_form_with_fields_as_people_spell_them() {
    let world = World::new();
    world.run(async {
        let (heard, asked) = futures_channel::oneshot::channel();
        let mut connection = world
            .client(Limits::default(), |mut end| async move {
                let head = read_head(&mut end).await;
                heard.send(head).unwrap();
            })
            .await;
        let post = request(Method::POST, "/a?b=c#d", b"x=1");
        let error = connection.send(&world.scope, post).await.unwrap_err();
        assert!(matches!(error, HttpError::EmptyReply), "{error:?}");
        let head = asked.await.unwrap();
        assert_eq!(head, "POST /a?b=c HTTP/1.1\r\nHost: h.test\r\nContent-Length: 3\r\n\r\n");
    });
}

#[test]
fn a_body_ends_by_length_by_the_last_chunk_or_with_the_connection() {
    assert_eq!(body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "hi");
    assert_eq!(
        body_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n"),
        "hi"
    );
    assert_eq!(body_of(b"HTTP/1.1 200 OK\r\n\r\nhi"), "hi");
    assert_eq!(body_of(b"HTTP/1.0 200 OK\r\n\r\nhi"), "hi");
    assert_eq!(body_of(b"HTTP/1.1 204 No Content\r\n\r\n"), "");
    assert_eq!(body_of(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"), "");
}

#[test]
fn trailers_are_kept() {
    let wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n2\r\nhi\r\n0\r\nSum: 42\r\n\r\n";
    let (response, body) = World::new().get(wire, Ending::Silence).unwrap();
    assert_eq!(body, b"hi");
    assert_eq!(response.body.trailers().unwrap()["sum"], "42");
    assert_eq!(response.body.trailer_lines(), b"Sum: 42\r\n");
}

#[test]
fn the_answer_to_head_has_a_length_and_no_body() {
    let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
    let head = request(Method::HEAD, "/", b"");
    let (response, body) = World::new().ask(head, wire, Ending::Silence, Limits::default()).unwrap();
    assert_eq!((response.body.framing(), body.len()), (Framing::None, 0));
    assert_eq!(response.head.headers["content-length"], "5000");
}

#[test]
fn interim_responses_are_told_and_passed_over() {
    let world = World::new();
    let wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 Fine\r\nX-Odd-CASE: 1\r\nContent-Length: 2\r\n\r\nhi";
    let (response, body) = world.get(wire, Ending::Silence).unwrap();
    assert_eq!((response.head.status, body.as_slice()), (StatusCode::OK, b"hi".as_slice()));
    assert_eq!(response.head.reason, "Fine");
    assert_eq!(response.head.raw, b"HTTP/1.1 200 Fine\r\nX-Odd-CASE: 1\r\nContent-Length: 2\r\n\r\n");
    let interim = |record: &&Record| matches!(&record.event, Event::Note(Note { text, .. }) if text.contains("interim"));
    assert_eq!(world.records().iter().filter(interim).count(), 2);
    let spelt = world.records().iter().any(|record| {
        matches!(&record.event, Event::Http(Http::ResponseReceived { headers, .. })
            if headers[0] == ("X-Odd-CASE".to_owned(), "1".to_owned()))
    });
    assert!(spelt, "the journal keeps the spelling of the wire");
}

#[test]
fn a_connection_that_ends_without_a_word_is_an_empty_reply() {
    let error = error_of(b"", Ending::Fin);
    assert!(matches!(error, HttpError::EmptyReply), "{error:?}");
}

#[test]
fn a_head_that_breaks_off_is_told_with_its_length() {
    let error = error_of(b"HTTP/1.1 200 OK\r\nContent-Le", Ending::Fin);
    assert!(matches!(error, HttpError::HeadTruncated { received: 27, has_status: true }), "{error:?}");
}

#[test]
fn a_body_cut_short_is_told_with_what_came_and_what_should_have() {
    let error = error_of(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhi", Ending::Fin);
    assert!(matches!(error, HttpError::Truncated { received: 2, expected: Some(50) }), "{error:?}");
    let error = error_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", Ending::Fin);
    assert!(matches!(error, HttpError::Truncated { received: 2, expected: None }), "{error:?}");
}

#[test]
fn a_reset_is_a_reset_wherever_it_comes() {
    let error = error_of(b"", Ending::Reset);
    assert!(matches!(error, HttpError::Reset { received: 0, .. }), "{error:?}");
    let error = error_of(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhi", Ending::Reset);
    assert!(matches!(error, HttpError::Reset { received: 2, .. }), "{error:?}");
    let error = error_of(b"HTTP/1.1 200 OK\r\n\r\nhi", Ending::Reset);
    assert!(matches!(error, HttpError::Reset { .. }), "{error:?}");
    assert!(error.tcp_error().is_some());
}

#[test]
fn what_is_not_http_1_is_told_with_its_beginning() {
    let error = error_of(b"SSH-2.0-OpenSSH_9\r\n", Ending::Silence);
    assert_eq!(error.to_string(), r#"not an HTTP/1 response: it begins with "SSH-2.0-OpenSSH_9\r""#);
    let error = error_of(b"HTTP/1.1 abc OK\r\n\r\n", Ending::Silence);
    assert!(matches!(error, HttpError::BadStatusLine { .. }), "{error:?}");
    let error = error_of(b"HTTP/3.0 200 OK\r\n\r\n", Ending::Silence);
    assert!(matches!(error, HttpError::BadStatusLine { .. }), "{error:?}");
}

#[test]
fn heads_that_break_the_rules_are_malformed() {
    for wire in [
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    ] {
        let error = error_of(wire, Ending::Silence);
        assert!(matches!(error, HttpError::MalformedHead { .. }), "{error:?}");
    }
}

#[test]
fn a_chunk_that_is_none_is_malformed() {
    let error =
        error_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n", Ending::Silence);
    assert!(matches!(error, HttpError::MalformedBody { received: 0, .. }), "{error:?}");
}

#[test]
fn heads_and_bodies_are_bounded() {
    let limits = Limits { max_head: 512, max_line: 512, max_headers: 4, max_body: Some(3) };
    let ask = |wire| World::new().ask(get("/"), wire, Ending::Silence, limits.clone()).unwrap_err();
    let long: &'static [u8] = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(600)).leak().as_bytes();
    assert!(matches!(ask(long), HttpError::HeadLineTooLong { max_bytes: 512 }));
    let many = b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n\r\n";
    assert!(matches!(ask(many), HttpError::HeadTooLarge { max_headers: 4, .. }));
    let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";
    assert!(matches!(ask(announced), HttpError::BodyTooLarge { limit: 3 }));
    let streamed = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
    assert!(matches!(ask(streamed), HttpError::BodyTooLarge { limit: 3 }));
}

#[test]
fn a_storm_of_interim_responses_ends_at_the_limit_of_a_head() {
    let interim = "HTTP/1.1 102 Processing\r\n\r\n";
    let storm: &'static [u8] = interim.repeat(15_000).leak().as_bytes();
    let error = error_of(storm, Ending::Silence);
    assert!(matches!(error, HttpError::HeadTooLarge { max_bytes: 307_200, .. }), "{error:?}");
    let many = format!("{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", interim.repeat(1000)).leak();
    let (response, body) = World::new().get(many.as_bytes(), Ending::Silence).unwrap();
    assert_eq!((response.interim.len(), body.as_slice()), (1000, b"hi".as_slice()));
}

#[test]
fn what_follows_a_switch_of_protocols_is_a_body_as_in_curl() {
    let wire = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\nfoo";
    let (response, body) = World::new().get(wire, Ending::Fin).unwrap();
    assert_eq!((response.head.status.as_u16(), body.as_slice()), (101, b"foo".as_slice()));
}

#[test]
fn any_bytes_make_an_error_or_a_response_but_never_a_panic_or_a_hang() {
    let seed =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for wire in mutations(seed, 0x2545_f491_4f6c_dd1d) {
        let _ = World::new().get(wire, Ending::Fin);
    }
}

#[test]
fn a_server_that_says_nothing_waits_for_the_callers_patience() {
    let world = World::new();
    world.run(async {
        let mut connection = world
            .client(Limits::default(), |mut end| async move {
                read_head(&mut end).await;
                end.hold();
            })
            .await;
        let request = get("/");
        let answer = std::pin::pin!(connection.send(&world.scope, request));
        let patience = world.executor.sleep(std::time::Duration::from_secs(5));
        let which = futures_util::future::select(patience, answer).await;
        assert!(matches!(which, futures_util::future::Either::Left(_)));
    });
}

#[test]
fn a_length_that_the_user_makes_up_is_sent_or_refused_but_never_a_panic() {
    for length in ["7", "1", "abc", "-1"] {
        for body in [b"".as_slice(), b"x=1"] {
            let mut post = request(Method::POST, "/", body);
            post.headers.append(http::header::CONTENT_LENGTH, length.parse().unwrap());
            let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            let _ = World::new().ask(post, wire, Ending::Fin, Limits::default());
        }
    }
}
