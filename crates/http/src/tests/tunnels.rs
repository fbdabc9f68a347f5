//! Tunnels through a proxy, and proxies that open none.

use super::wire::{End, World, pipe, read_head};
use crate::{Connect, Fields, HttpError, Limits, Tunnel, Tunnelled, tunnel};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use http::{HeaderValue, Version, header};
use std::future::Future;

fn connect() -> Connect {
    let mut headers = Fields::new();
    headers.append(header::HOST, HeaderValue::from_static("h.test:443"));
    headers.push("Proxy-Connection", HeaderValue::from_static("Keep-Alive")).unwrap();
    Connect {
        authority: "h.test:443".to_owned(),
        headers,
        version: Version::HTTP_11,
        limits: Limits::default(),
    }
}

/// What a proxy that says this makes of a request for a tunnel.
fn ask(wire: &'static [u8]) -> (World, Result<Tunnel<End>, HttpError>) {
    let world = World::new();
    let (near, mut far) = pipe();
    world.executor.spawn(async move {
        let head = read_head(&mut far).await;
        assert_eq!(
            head,
            "CONNECT h.test:443 HTTP/1.1\r\nHost: h.test:443\r\nProxy-Connection: Keep-Alive\r\n\r\n"
        );
        far.write_all(wire).await.unwrap();
        far.close().await.unwrap();
        far.hold();
    });
    let tunnel = world.run(tunnel::connect(&world.scope, near, &connect()));
    (world, tunnel)
}

fn read<F: Future<Output = String>>(world: &World, run: impl FnOnce() -> F) -> String {
    world.run(run())
}

async fn everything(mut stream: Tunnelled<End>) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[test]
fn an_open_tunnel_loses_not_a_byte_behind_the_proxys_answer() {
    for wire in [
        b"HTTP/1.1 200 Fine\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n220 hello".as_slice(),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204 Fine\r\n\r\n220 hello",
    ] {
        let (world, tunnel) = ask(wire);
        let Ok(Tunnel::Open { head, stream }) = tunnel else { panic!("{tunnel:?}") };
        assert!(head.status.is_success());
        assert_eq!(read(&world, || everything(stream)), "220 hello");
    }
}

#[test]
fn a_refusal_is_told_and_the_stream_can_be_asked_again_where_the_proxy_keeps_it() {
    let (world, tunnel) =
        ask(b"HTTP/1.1 407 Who are you\r\nContent-Length: 3\r\nProxy-Authenticate: Basic\r\n\r\nno!HTTP/");
    let Ok(Tunnel::Refused { head, stream: Some(stream) }) = tunnel else { panic!("{tunnel:?}") };
    assert_eq!(head.status.as_u16(), 407);
    assert_eq!(read(&world, || everything(stream)), "HTTP/");
    for wire in [
        b"HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno!".as_slice(),
        b"HTTP/1.0 403 No\r\nContent-Length: 3\r\n\r\nno!",
        b"HTTP/1.1 403 No\r\n\r\nno!",
    ] {
        let (_, tunnel) = ask(wire);
        assert!(matches!(tunnel, Ok(Tunnel::Refused { stream: None, .. })), "{tunnel:?}");
    }
}

#[test]
fn a_proxy_that_closes_or_babbles_is_exit_56() {
    for wire in [b"".as_slice(), b"HTTP/1.1 200 Fi", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n"] {
        let (_, tunnel) = ask(wire);
        let error = tunnel.unwrap_err();
        assert_eq!(error.curl_exit_code(), 56, "{error}");
    }
}
