//! One connection for several requests, and how it ends.

use super::wire::{End, Ending, World, get, read_head, request, say};
use crate::{HttpError, Limits, NotReusable};
use futures_util::future::{Either, select};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Answers every request with the same bytes until the client closes.
async fn repeat(mut end: End, wire: &'static [u8]) {
    while !read_head(&mut end).await.is_empty() {
        end.write_all(wire).await.unwrap();
    }
}

fn reusable_after(wire: &'static [u8], ending: Ending) -> Result<(), NotReusable> {
    let world = World::new();
    world.run(async {
        let mut connection = world.client(Limits::default(), |end| say(end, wire, ending)).await;
        let mut response = connection.send(&world.scope, get("/")).await.unwrap();
        response.body.read_all(u64::MAX).await.unwrap();
        // What the peer does next has time to arrive.
        world.executor.sleep(Duration::from_millis(1)).await;
        connection.reusable().await
    })
}

#[test]
fn one_connection_carries_several_requests() {
    let world = World::new();
    world.run(async {
        let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        let mut connection = world.client(Limits::default(), |end| repeat(end, wire)).await;
        for _ in 0..3 {
            let mut response = connection.send(&world.scope, get("/")).await.unwrap();
            assert_eq!(response.body.read_all(10).await.unwrap(), "hi");
            assert_eq!(connection.reusable().await, Ok(()));
        }
        assert_eq!(connection.carried(), 3);
    });
}

#[test]
fn a_request_that_was_given_up_is_the_connections_last() {
    for answer in [b"".as_slice(), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"] {
        let world = World::new();
        let (sleep, second) = (world.sleep(), Duration::from_secs(1));
        let peer = |mut end: End| async move {
            read_head(&mut end).await;
            sleep(3 * second).await;
            let _ = end.write_all(answer).await;
            end.hold();
        };
        world.run(async {
            let mut connection = world.client(Limits::default(), peer).await;
            let request = Box::pin(connection.send(&world.scope, get("/")));
            let given_up = select(request, world.executor.sleep(second)).await;
            assert!(matches!(given_up, Either::Right(_)));
            drop(given_up);
            let again = select(Box::pin(connection.reusable()), world.executor.sleep(second)).await;
            let Either::Left((again, _)) = again else { panic!("it is still waited for") };
            assert_eq!(again, Err(NotReusable::Unfinished));
        });
    }
}

#[test]
fn why_a_connection_cannot_be_used_again_is_known() {
    let after = |wire| reusable_after(wire, Ending::Silence);
    assert_eq!(after(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), Ok(()));
    assert_eq!(after(b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi"), Ok(()));
    assert_eq!(
        after(b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nhi"),
        Err(NotReusable::ServerSaidClose)
    );
    assert_eq!(after(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"), Err(NotReusable::Http10));
    let until_close = reusable_after(b"HTTP/1.1 200 OK\r\n\r\nhi", Ending::Fin);
    assert_eq!(until_close, Err(NotReusable::UntilClose));
    let closed = reusable_after(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Ending::Fin);
    assert_eq!(closed, Err(NotReusable::ClosedByServer));
}

#[test]
fn a_body_not_read_to_its_end_makes_its_connection_useless() {
    let world = World::new();
    world.run(async {
        let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhi";
        let mut connection = world.client(Limits::default(), |end| say(end, wire, Ending::Silence)).await;
        let response = connection.send(&world.scope, get("/")).await.unwrap();
        assert_eq!(connection.reusable().await, Err(NotReusable::Unfinished));
        drop(response);
        assert_eq!(connection.reusable().await, Err(NotReusable::Unfinished));
        let error = connection.send(&world.scope, get("/")).await.unwrap_err();
        assert!(matches!(error, HttpError::Closed), "{error:?}");
    });
}

#[test]
fn a_request_on_a_connection_that_the_server_closed_meanwhile_fails_as_stale() {
    let world = World::new();
    world.run(async {
        let peer = |mut end: End| async move {
            read_head(&mut end).await;
            end.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            read_head(&mut end).await;
            end.close().await.unwrap();
        };
        let mut connection = world.client(Limits::default(), peer).await;
        let mut response = connection.send(&world.scope, get("/")).await.unwrap();
        response.body.read_all(0).await.unwrap();
        let error = connection.send(&world.scope, get("/")).await.unwrap_err();
        assert!(error.is_stale_connection(), "{error:?}");
    });
}

#[test]
fn closing_says_goodbye_and_waits_for_the_peers() {
    let world = World::new();
    let step = Arc::new(AtomicU32::new(0));
    world.run(async {
        let (executor, at) = (world.executor.clone(), Arc::clone(&step));
        let peer = move |mut end: End| async move {
            assert_eq!(end.read(&mut [0; 16]).await.unwrap(), 0, "the goodbye");
            executor.sleep(std::time::Duration::from_secs(3)).await;
            at.store(1, Ordering::Relaxed);
            end.write_all(b"last words").await.unwrap();
            end.close().await.unwrap();
        };
        world.client(Limits::default(), peer).await.close().await;
        assert_eq!(step.load(Ordering::Relaxed), 1, "close came back before the peer had closed");
    });
}

#[test]
fn a_peer_that_never_closes_holds_nobody_who_stops_waiting() {
    let world = World::new();
    world.run(async {
        let (tell, told) = futures_channel::oneshot::channel();
        let peer = |mut end: End| async move {
            assert_eq!(end.read(&mut [0; 16]).await.unwrap(), 0, "the goodbye");
            tell.send(end).ok();
        };
        let connection = world.client(Limits::default(), peer).await;
        let close = std::pin::pin!(connection.close());
        let patience = world.executor.sleep(std::time::Duration::from_secs(2));
        futures_util::future::select(patience, close).await;
        assert!(told.await.unwrap().is_closed_by_peer());
    });
    // The driver has let go of the stream, although its peer has not.
    world.run(world.executor.sleep(std::time::Duration::from_secs(1)));
    assert_eq!(world.executor.live_tasks(), 0);
}

#[test]
fn a_peer_that_reads_nothing_holds_nobody_who_stops_waiting() {
    let world = World::new();
    world.run(async {
        let deaf = |end: End| async move { end.hold() };
        let mut connection = world.client(Limits::default(), deaf).await;
        let large = request(Method::POST, "/", &[b'x'; 200_000]);
        let patience = || world.executor.sleep(std::time::Duration::from_secs(2));
        let sent = select(patience(), Box::pin(connection.send(&world.scope, large))).await;
        assert!(matches!(sent, Either::Left(_)));
        drop(sent);
        select(patience(), Box::pin(connection.close())).await;
    });
    world.run(world.executor.sleep(std::time::Duration::from_secs(1)));
    assert_eq!(world.executor.live_tasks(), 0);
}

#[test]
fn a_body_arrives_although_its_connection_has_been_dropped() {
    let world = World::new();
    world.run(async {
        let executor = world.executor.clone();
        let peer = |mut end: End| async move {
            read_head(&mut end).await;
            end.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf").await.unwrap();
            executor.sleep(std::time::Duration::from_secs(1)).await;
            end.write_all(b"full").await.unwrap();
        };
        let mut connection = world.client(Limits::default(), peer).await;
        let mut response = connection.send(&world.scope, get("/")).await.unwrap();
        drop(connection);
        assert_eq!(response.body.read_all(10).await.unwrap(), "halffull");
    });
}
