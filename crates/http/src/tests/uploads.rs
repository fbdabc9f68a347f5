//! Bodies on their way out, and servers that answer before they have arrived.

use super::wire::{End, World, read_head, request};
use crate::{BodySource, HttpError, Limits, NotReusable, Reading, Request, RequestBody, Response};
use bytes::Bytes;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::Instant;
use http::{HeaderValue, Method, Version};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

/// A body in pieces, none of which waits; an error where there is none.
struct Pieces(VecDeque<Option<&'static [u8]>>);

impl BodySource for Pieces {
    fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        Poll::Ready(self.0.pop_front().map(|piece| match piece {
            Some(piece) => Ok(Bytes::from_static(piece)),
            None => Err(io::Error::other("the disk is gone")),
        }))
    }
}

fn stream(length: Option<u64>, pieces: &[Option<&'static [u8]>]) -> RequestBody {
    RequestBody::Stream { length, source: Box::new(Pieces(pieces.iter().copied().collect())) }
}

/// A body of so many kilobytes.
fn kilobytes(count: usize) -> RequestBody {
    let piece: &'static [u8] = &[b'x'; 1024];
    stream(Some(1024 * count as u64), &vec![Some(piece); count])
}

fn post(body: RequestBody) -> Request {
    Request { body, ..request(Method::POST, "/", b"") }
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// What comes of a request to this peer: the response's body, and whether another request could
/// follow.
fn exchange<F: Future<Output = ()> + Send + 'static>(
    world: &World,
    request: Request,
    peer: impl FnOnce(End) -> F,
) -> Result<(Response, Bytes, Result<(), NotReusable>), HttpError> {
    world.run(async {
        let mut connection = world.client(Limits::default(), peer).await;
        let mut response = connection.send(&world.scope, request).await?;
        let body = response.body.read_all(u64::MAX).await?;
        let reusable = connection.reusable().await;
        Ok((response, body, reusable))
    })
}

/// Reads until so many bytes have come.
async fn read_exactly(end: &mut End, count: usize) -> Vec<u8> {
    let mut data = vec![0; count];
    end.read_exact(&mut data).await.unwrap();
    data
}

/// Answers when a request with this end has come, and tells what it was.
fn hear(request: Request, last: &'static str) -> String {
    let world = World::new();
    let (tell, told) = futures_channel::oneshot::channel();
    let peer = |mut end: End| async move {
        let mut heard = Vec::new();
        while !heard.ends_with(last.as_bytes()) {
            heard.extend(read_exactly(&mut end, 1).await);
        }
        end.write_all(OK).await.unwrap();
        let _ = tell.send(String::from_utf8(heard).unwrap());
        end.hold();
    };
    let (_, _, reusable) = exchange(&world, request, peer).unwrap();
    assert_eq!(reusable, Ok(()));
    world.run(told).unwrap()
}

#[test]
fn a_body_of_known_length_is_sent_as_it_comes() {
    let heard = hear(post(stream(Some(6), &[Some(b"one"), Some(b""), Some(b"two")])), "onetwo");
    assert_eq!(heard, "POST / HTTP/1.1\r\nHost: h.test\r\nContent-Length: 6\r\n\r\nonetwo");
}

#[test]
fn a_body_of_unknown_length_is_sent_in_chunks() {
    let heard = hear(post(stream(None, &[Some(b"one"), Some(b"three")])), "\r\n0\r\n\r\n");
    assert_eq!(
        heard,
        "POST / HTTP/1.1\r\nHost: h.test\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"
    );
}

#[test]
fn chunks_that_the_user_asks_for_are_chunks() {
    let mut request = post(Bytes::from_static(b"abc").into());
    request.headers.push("transfer-ENCODING", HeaderValue::from_static("chunked")).unwrap();
    let heard = hear(request, "\r\n0\r\n\r\n");
    assert!(heard.ends_with("\r\ntransfer-ENCODING: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "{heard}");
    assert!(!heard.contains("Content-Length"), "{heard}");
}

#[test]
fn http_1_0_has_no_chunks() {
    let mut request = post(stream(None, &[Some(b"one")]));
    request.version = Version::HTTP_10;
    let error = exchange(&World::new(), request, |end| async { drop(end) }).unwrap_err();
    assert_eq!(error.curl_exit_code(), 25, "{error}");
}

#[test]
fn a_body_that_is_not_as_long_as_promised_is_an_error_and_no_hang() {
    for body in [
        stream(Some(5), &[Some(b"one")]),
        stream(Some(2), &[Some(b"one")]),
        stream(Some(6), &[Some(b"one"), None]),
        stream(None, &[Some(b"one"), None]),
    ] {
        let peer = |mut end: End| async move {
            let _ = end.read_to_end(&mut Vec::new()).await;
        };
        let error = exchange(&World::new(), post(body), peer).unwrap_err();
        assert_eq!(error.curl_exit_code(), 26, "{error}");
    }
}

#[test]
fn a_body_waits_for_100_continue_and_its_head_is_kept() {
    let world = World::new();
    let mut request = post(kilobytes(4));
    request.expect_timeout = Some(Duration::from_secs(1));
    let progress = request.progress.clone();
    let peer = |mut end: End| async move {
        let head = read_head(&mut end).await;
        assert!(head.ends_with("Content-Length: 4096\r\nExpect: 100-continue\r\n\r\n"), "{head}");
        end.write_all(b"HTTP/1.1 100 Go on\r\nX: y\r\n\r\n").await.unwrap();
        read_exactly(&mut end, 4096).await;
        end.write_all(OK).await.unwrap();
        end.hold();
    };
    let (response, body, reusable) = exchange(&world, request, peer).unwrap();
    assert_eq!((body, reusable), (Bytes::from_static(b"hi"), Ok(())));
    assert_eq!(response.interim.len(), 1);
    assert_eq!(response.interim[0].raw, b"HTTP/1.1 100 Go on\r\nX: y\r\n\r\n");
    let so_far = progress.look();
    assert!(so_far.heads.starts_with(b"HTTP/1.1 100 Go on\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n"));
    assert_eq!((so_far.uploaded, so_far.upload_length, so_far.downloaded), (4096, Some(4096), 2));
    assert!(so_far.sent.is_some() && so_far.first_byte.is_some());
    assert_eq!(world.scope.now(), Instant::ZERO);
}

#[test]
fn a_server_that_never_says_continue_gets_the_body_after_a_second() {
    let world = World::new();
    let mut request = post(kilobytes(4));
    request.expect_timeout = Some(Duration::from_secs(1));
    let progress = request.progress.clone();
    let peer = |mut end: End| async move {
        read_head(&mut end).await;
        read_exactly(&mut end, 4096).await;
        end.write_all(OK).await.unwrap();
        end.hold();
    };
    let (_, _, reusable) = exchange(&world, request, peer).unwrap();
    assert_eq!(reusable, Ok(()));
    assert_eq!(progress.look().sent, Some(Instant::ZERO + Duration::from_secs(1)));
}

#[test]
fn a_final_answer_in_place_of_100_continue_leaves_the_body_unsent() {
    for status in ["417 Expectation Failed", "401 Unauthorized", "200 OK"] {
        let mut request = post(kilobytes(4));
        request.expect_timeout = Some(Duration::from_secs(1));
        let progress = request.progress.clone();
        let peer = |mut end: End| async move {
            read_head(&mut end).await;
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nhi");
            end.write_all(answer.as_bytes()).await.unwrap();
            end.hold();
        };
        let (_, body, reusable) = exchange(&World::new(), request, peer).unwrap();
        assert_eq!((body, reusable), (Bytes::from_static(b"hi"), Err(NotReusable::UploadStopped)));
        assert_eq!(progress.look().uploaded, 0);
    }
}

#[test]
fn an_error_that_comes_early_ends_the_upload_and_is_delivered() {
    let request = post(kilobytes(4096));
    let progress = request.progress.clone();
    let peer = |mut end: End| async move {
        read_head(&mut end).await;
        end.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").await.unwrap();
        end.hold();
    };
    let (response, body, reusable) = exchange(&World::new(), request, peer).unwrap();
    assert_eq!((response.head.status.as_u16(), body), (413, Bytes::from_static(b"big")));
    assert_eq!(reusable, Err(NotReusable::UploadStopped));
    assert!(progress.look().uploaded < 4096 * 1024);
}

#[test]
fn a_connection_whose_upload_was_stopped_says_goodbye_when_it_is_closed() {
    let world = World::new();
    let peer = |mut end: End| async move {
        read_head(&mut end).await;
        end.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig").await.unwrap();
        // Reads on until the client has said goodbye.
        end.read_to_end(&mut Vec::new()).await.unwrap();
        end.close().await.unwrap();
    };
    world.run(async {
        let mut connection = world.client(Limits::default(), peer).await;
        let mut response = connection.send(&world.scope, post(kilobytes(4096))).await.unwrap();
        response.body.read_all(u64::MAX).await.unwrap();
        assert_eq!(connection.reusable().await, Err(NotReusable::UploadStopped));
        drop(response);
        connection.close().await;
    });
}

#[test]
fn a_server_that_answers_and_breaks_off_is_heard() {
    for status in ["413 Too Large", "200 OK"] {
        let peer = |mut end: End| async move {
            read_head(&mut end).await;
            let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
            end.write_all(answer.as_bytes()).await.unwrap();
            end.break_writes();
            end.hold();
        };
        let (_, body, _) = exchange(&World::new(), post(kilobytes(4096)), peer).unwrap();
        assert_eq!(body, "big");
    }
}

#[test]
fn a_response_arrives_while_its_request_is_still_being_sent() {
    let world = World::new();
    let request = post(kilobytes(1024));
    let progress = request.progress.clone();
    // Echoes as it reads: neither side could finish if either waited for the other.
    let peer = |mut end: End| async move {
        read_head(&mut end).await;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1024 * 1024);
        end.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..1024 {
            let piece = read_exactly(&mut end, 1024).await;
            end.write_all(&piece).await.unwrap();
        }
        end.hold();
    };
    let (_, body, reusable) = exchange(&world, request, peer).unwrap();
    assert_eq!((body.len(), reusable), (1024 * 1024, Ok(())));
    assert_eq!(progress.look().uploaded, 1024 * 1024);
}

#[test]
fn a_success_that_comes_early_lets_the_upload_go_on_to_its_end() {
    for body in [kilobytes(1024), vec![b'x'; 1024 * 1024].into()] {
        let request = post(body);
        let progress = request.progress.clone();
        let peer = |mut end: End| async move {
            read_head(&mut end).await;
            end.write_all(OK).await.unwrap();
            read_exactly(&mut end, 1024 * 1024).await;
            end.hold();
        };
        let world = World::new();
        world.run(async {
            let mut connection = world.client(Limits::default(), peer).await;
            let mut response = connection.send(&world.scope, request).await.unwrap();
            assert_eq!(response.body.read_all(u64::MAX).await.unwrap(), "hi");
            assert_eq!(progress.look().uploaded, 1024 * 1024, "the body ended before its request did");
            assert_eq!(connection.reusable().await, Ok(()));
        });
    }
}

#[test]
fn an_early_answer_is_whole_though_what_comes_behind_it_ends_the_connection_and_the_upload() {
    let world = World::new();
    let sleep = world.sleep();
    let peer = |mut end: End| async move {
        read_head(&mut end).await;
        end.write_all(OK).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        end.write_all(b"!").await.unwrap();
        end.hold();
    };
    let (_, body, reusable) = exchange(&world, post(kilobytes(4096)), peer).unwrap();
    assert_eq!((body, reusable), (Bytes::from_static(b"hi"), Err(NotReusable::UploadStopped)));
}

#[test]
fn a_server_that_closes_in_the_middle_of_an_upload_is_exit_55_and_one_that_resets_56() {
    let closes = |mut end: End| async move {
        read_head(&mut end).await;
        end.close().await.unwrap();
        end.hold();
    };
    for body in [kilobytes(4096), vec![b'x'; 4 * 1024 * 1024].into()] {
        let error = exchange(&World::new(), post(body), closes).unwrap_err();
        assert_eq!(error.curl_exit_code(), 55, "{error}");
    }
    let resets = |mut end: End| async move {
        read_head(&mut end).await;
        end.reset();
        end.hold();
    };
    let error = exchange(&World::new(), post(kilobytes(4096)), resets).unwrap_err();
    assert_eq!(error.curl_exit_code(), 56, "{error}");
}

#[test]
fn a_get_may_have_a_body_and_a_post_need_not() {
    let mut get = post(Bytes::from_static(b"x").into());
    get.method = Method::GET;
    assert!(hear(get, "\r\n\r\nx").starts_with("GET / HTTP/1.1\r\n"));
    let heard = hear(post(RequestBody::Empty), "\r\n\r\n");
    assert!(heard.ends_with("Content-Length: 0\r\n\r\n"), "{heard}");
}

#[test]
fn a_raw_body_is_what_came_over_the_wire() {
    let mut request = request(Method::GET, "/", b"");
    request.reading = Reading { raw: true, ..Reading::default() };
    let wire = b"2;x=y\r\nhi\r\n0\r\nX-T: 1\r\n\r\n";
    let peer = |mut end: End| async move {
        read_head(&mut end).await;
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
        end.write_all(&[head.as_slice(), wire].concat()).await.unwrap();
        end.hold();
    };
    let (_, body, reusable) = exchange(&World::new(), request, peer).unwrap();
    assert_eq!((body.as_ref(), reusable), (wire.as_slice(), Ok(())));
}
