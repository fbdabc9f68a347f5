//! How sessions end: in order, cut short, with an alert, with garbage, given up.

#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use futures_util::future::join;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Span, Tls};
use glasstack_journal::{Event, SpanKind};
use glasstack_tls::{
    TlsClient, TlsClientConfig, TlsError, TlsErrorKind, TlsServer, TlsServerConfig, TlsVersion, is_truncation,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::io;
use world::{Ca, World, run, server_params, wire};

const NAME: &str = "www.lab.test";

fn ends(world: &World) -> (TlsClient, TlsServer) {
    let ca = Ca::root("Lab CA", 1);
    let server = TlsServerConfig::new(vec![ca.identity(server_params(&[NAME]))]);
    (world.client(TlsClientConfig::new(ca.trust())), world.server(server))
}

#[test]
fn both_sides_say_goodbye_and_the_stream_below_is_closed() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let shaken = world.shake(&client, &server, NAME);
    let tap = shaken.tap.clone();
    let (mut near, mut far) = shaken.both();
    run(async {
        near.write_all(b"the last words").await.unwrap();
        near.close().await.unwrap();
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"the last words");
        // The other direction is open still: RFC 8446 6.1 closes each on its own.
        far.write_all(b"farewell").await.unwrap();
        far.close().await.unwrap();
        heard.clear();
        near.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"farewell");
    });
    assert!(tap.client_closed() && near.received_close_notify() && far.received_close_notify());
    let last_two = |scope| world.story(scope).split_off(world.story(scope).len() - 2);
    assert_eq!(last_two(&world.client), ["close_notify sent", "close_notify received"]);
    assert_eq!(last_two(&world.server), ["close_notify received", "close_notify sent"]);
}

#[test]
fn reading_into_nothing_is_not_the_end() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let (mut near, mut far) = world.shake(&client, &server, NAME).both();
    run(async {
        assert_eq!(near.read(&mut []).await.unwrap(), 0);
        far.write_all(b"still here").await.unwrap();
        far.close().await.unwrap();
        let mut heard = String::new();
        near.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "still here");
    });
}

#[test]
fn a_connection_cut_short_is_an_error_that_can_be_told_from_others() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let (mut near, mut far) = world.shake(&client, &server, NAME).both();
    let mut heard = Vec::new();
    let error = run(async {
        far.write_all(b"half of wh").await.unwrap();
        drop(far);
        near.read_to_end(&mut heard).await.unwrap_err()
    });
    assert_eq!(heard, b"half of wh");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(is_truncation(&error) && !near.received_close_notify());
    assert_eq!(world.story(&world.client).last().unwrap(), "truncated");
    let again = run(near.read(&mut [0; 8])).unwrap_err();
    assert!(is_truncation(&again));
    assert_eq!(world.story(&world.client).iter().filter(|fact| *fact == "truncated").count(), 1);
}

#[test]
fn a_span_holds_the_session_from_its_first_fact_to_its_end() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let (near, far) = world.shake(&client, &server, NAME).both();
    let span = near.scope().span();
    drop((near, far));
    let records = world.records.records();
    let of_span: Vec<_> = records.iter().filter(|record| record.span == span).collect();
    let kind = SpanKind::Tls { server_name: NAME.to_owned() };
    assert!(matches!(&of_span[0].event, Event::Span(Span::Opened { kind: opened, .. }) if *opened == kind));
    assert!(matches!(of_span[1].event, Event::Tls(Tls::HandshakeStarted { server: false, .. })));
    assert!(matches!(of_span[of_span.len() - 1].event, Event::Span(Span::Closed)));
}

#[test]
fn a_peer_that_leaves_in_the_middle_is_said_to_have_left() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let (near, far, _) = wire(usize::MAX);
    drop(far);
    let error = run(client.connect(&world.client, near, NAME)).err().unwrap();
    assert!(matches!(error, TlsError::CutShort), "{error}");
    let (near, far, _) = wire(usize::MAX);
    drop(near);
    let error = run(server.accept(&world.server, far)).err().unwrap();
    assert!(matches!(error, TlsError::CutShort), "{error}");
    assert_eq!(world.story(&world.server), ["started", "failed"]);
}

#[test]
fn an_attempt_that_is_given_up_is_told_as_failed() {
    let world = World::new(1);
    let (client, _) = ends(&world);
    let (near, _far, _) = wire(usize::MAX);
    {
        let attempt = client.connect(&world.client, near, NAME);
        let mut attempt = std::pin::pin!(attempt);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(attempt.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(world.story(&world.client), ["started", "failed"]);
}

#[test]
fn plain_http_where_tls_was_expected_is_recognised_on_either_side() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let (near, mut far, _) = wire(usize::MAX);
    let answer = async {
        far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    };
    let (error, ()) = run(join(client.connect(&world.client, near, NAME), answer));
    let error = error.err().unwrap();
    assert!(matches!(error, TlsError::NotTls(_)), "{error:?}");
    assert_eq!(error.kind(), TlsErrorKind::Handshake);
    assert!(error.to_string().contains("plain HTTP"), "{error}");

    let (mut near, far, _) = wire(usize::MAX);
    let ask = async {
        near.write_all(b"GET / HTTP/1.1\r\nHost: www.lab.test\r\n\r\n").await.unwrap();
    };
    let (error, ()) = run(join(server.accept(&world.server, far), ask));
    assert!(matches!(error.err().unwrap(), TlsError::NotTls(_)));
}

#[test]
fn an_alert_is_named_and_explained() {
    let world = World::new(1);
    let (client, _) = ends(&world);
    let (near, mut far, _) = wire(usize::MAX);
    // RFC 8446 5.1 and 6: a record of type alert(21), level fatal(2), handshake_failure(40).
    let refuse = async { far.write_all(&[21, 3, 3, 0, 2, 2, 40]).await.unwrap() };
    let (error, ()) = run(join(client.connect(&world.client, near, NAME), refuse));
    let error = error.err().unwrap();
    assert!(matches!(&error, TlsError::Alert { alert, .. } if alert == "handshake_failure"), "{error:?}");
    assert_eq!(error.kind(), TlsErrorKind::Handshake);
    assert!(error.to_string().contains("RSA key transport is not offered"), "{error}");
}

#[test]
fn a_name_that_no_certificate_can_have_is_refused_before_a_byte_is_sent() {
    let world = World::new(1);
    let (client, _) = ends(&world);
    for name in ["", ".", "a b", "ex\0ample", "-", "a..b", &"x".repeat(300), "[::1]"] {
        let (near, _far, tap) = wire(usize::MAX);
        let error = run(client.connect(&world.client, near, name)).err().unwrap();
        assert!(matches!(error, TlsError::ServerName { .. }), "{name:?}: {error}");
        assert!(tap.client_sent().is_empty());
    }
}

#[test]
fn no_garbage_from_a_peer_makes_either_side_panic_or_wait_for_ever() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for round in 0..300_usize {
        let mut garbage = vec![0; round * 7];
        rng.fill_bytes(&mut garbage);
        // Half of them look like TLS at first: the header of a handshake record.
        if round % 2 == 0 && garbage.len() > 5 {
            let length = u16::try_from(garbage.len() - 5).unwrap().to_be_bytes();
            garbage[..5].copy_from_slice(&[22, 3, 3, length[0], length[1]]);
        }
        let (near, mut far, _) = wire(usize::MAX);
        let noise = async {
            far.write_all(&garbage).await.unwrap();
            far.close().await.unwrap();
        };
        assert!(run(join(client.connect(&world.client, near, NAME), noise)).0.is_err());
        let (mut near, far, _) = wire(usize::MAX);
        let noise = async {
            near.write_all(&garbage).await.unwrap();
            near.close().await.unwrap();
        };
        assert!(run(join(server.accept(&world.server, far), noise)).0.is_err());
    }
}

#[test]
fn no_single_flipped_byte_in_a_servers_answer_gets_through() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let answer = |world: &World| {
            let ca = Ca::root("Lab CA", 1);
            let mut config = TlsClientConfig::new(ca.trust());
            config.max_version = version;
            let server = TlsServerConfig::new(vec![ca.identity(server_params(&[NAME]))]);
            (world.client(config), world.server(server))
        };
        let world = World::new(1);
        let (client, server) = answer(&world);
        let shaken = world.shake(&client, &server, NAME);
        let recorded = shaken.tap.server_sent();
        assert!(shaken.client.is_ok());
        for position in (0..recorded.len()).step_by(5) {
            let mut changed = recorded.clone();
            changed[position] ^= 0x41;
            // The same seed sends the same ClientHello, so that only the change is wrong.
            let world = World::new(1);
            let (client, _) = answer(&world);
            let (near, mut far, _) = wire(usize::MAX);
            let replay = async {
                far.write_all(&changed).await.unwrap();
                far.close().await.unwrap();
            };
            let (result, ()) = run(join(client.connect(&world.client, near, NAME), replay));
            // TLS 1.3 sends its tickets after the handshake; what is wrong there is found by reading.
            if let Ok(mut session) = result {
                assert!(run(session.read(&mut [0; 1])).is_err(), "{version}: byte {position}");
            }
        }
    }
}

#[test]
fn a_record_that_was_not_made_with_the_key_is_told_and_read_as_an_error() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let shaken = world.shake(&client, &server, NAME);
    let tap = shaken.tap.clone();
    let (mut near, far) = shaken.both();
    // RFC 8446 5.2: a record of type application_data(23), with twenty bytes that no key made.
    tap.inject_from_server(&[
        23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
    ]);
    let mut heard = Vec::new();
    let error = run(near.read_to_end(&mut heard)).unwrap_err();
    assert!(heard.is_empty());
    assert!(matches!(TlsError::within(&error), Some(TlsError::Misbehaved(_))), "{error:?}");
    assert!(!is_truncation(&error));
    assert_eq!(world.story(&world.client).last().unwrap(), "failed");
    drop(far);
}

#[test]
fn nonsense_behind_our_own_goodbye_is_an_error_and_no_panic() {
    let world = World::new(1);
    let (client, server) = ends(&world);
    let shaken = world.shake(&client, &server, NAME);
    let tap = shaken.tap.clone();
    let (mut near, _far) = shaken.both();
    run(near.close()).unwrap();
    // RFC 8446 6.1: the peer may go on sending; this is no record at all.
    tap.inject_from_server(&[99, 9, 9, 0, 1, 0]);
    let error = run(near.read_to_end(&mut Vec::new())).unwrap_err();
    assert!(TlsError::within(&error).is_some(), "{error:?}");
}
