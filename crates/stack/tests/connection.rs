//! The life of a connection between two hosts of ours.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pair;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{DropReason, Event, SegmentReason, Tcp, TcpState};
use glasstack_stack::{ConnectError, ConnectOptions, Host, PingOptions, TcpError};
use pair::{Pair, SERVER};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PORT: u16 = 80;

fn web() -> SocketAddr {
    (SERVER, PORT).into()
}

/// Serves `connections` connections: reads until the end, says it back, closes.
fn echo_server(host: &Host, connections: usize) {
    let listener = host.listen(web()).unwrap();
    host.spawn(async move {
        for _ in 0..connections {
            let mut stream = listener.accept().await;
            let mut data = Vec::new();
            if stream.read_to_end(&mut data).await.is_ok() {
                let _ = stream.write_all(&data).await;
                let _ = stream.close().await;
            }
        }
    });
}

async fn talk(client: &Host, data: &[u8]) -> Vec<u8> {
    let mut stream = client.connect(web()).await.unwrap();
    stream.write_all(data).await.unwrap();
    stream.close().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

fn states(pair: &Pair, node: &Host) -> Vec<String> {
    let node = node.scope().node();
    let records = pair.recorder.records();
    let changes = records.iter().filter(|record| record.node == node);
    changes
        .filter_map(|record| match &record.event {
            Event::Tcp(Tcp::StateChanged { to, .. }) => Some(to.to_string()),
            _ => None,
        })
        .collect()
}

#[test]
fn both_ends_walk_through_the_states_of_the_rfc() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    let server = pair.server.clone();
    pair.server.spawn(async move {
        let mut stream = listener.accept().await;
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        // Long enough for the FIN's acknowledgment to go alone.
        server.sleep(Duration::from_millis(500)).await;
        stream.write_all(b"hello").await.unwrap();
        stream.close().await.unwrap();
    });
    let client = pair.client.clone();
    let answer = pair.run(async move { talk(&client, b"hi").await });
    assert_eq!(answer, b"hello");
    pair.run_for(Duration::from_secs(61));
    let client = ["SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED"];
    assert_eq!(states(&pair, &pair.client), client);
    let server = ["SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"];
    assert_eq!(states(&pair, &pair.server), server);
    assert!(pair.client.flows().is_empty() && pair.server.flows().is_empty());
}

#[test]
fn a_megabyte_arrives_intact_both_ways() {
    let mut pair = Pair::new();
    echo_server(&pair.server, 1);
    let client = pair.client.clone();
    let data: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let listener = data.clone();
    let answer = pair.run(async move {
        let stream = client.connect(web()).await.unwrap();
        let (mut read, mut write) = stream.split();
        let mut answer = Vec::new();
        let send = async {
            write.write_all(&listener).await.unwrap();
            write.close().await.unwrap();
        };
        let (_, received) = futures_util::join!(send, read.read_to_end(&mut answer));
        received.unwrap();
        answer
    });
    assert!(answer == data);
}

#[test]
fn a_megabyte_survives_five_percent_loss_both_ways() {
    let mut pair = Pair::new();
    echo_server(&pair.server, 1);
    let mut n = 0_u64;
    pair.filter(move |_, _| {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (n >> 33) % 100 >= 5
    });
    let client = pair.client.clone();
    let data: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let sent = data.clone();
    let answer = pair.run(async move { talk(&client, &sent).await });
    assert!(answer == data);
    let retransmitted = pair.story(|event| match event {
        Event::Tcp(Tcp::Segment(segment)) => match segment.why {
            SegmentReason::Retransmission(why) => Some(why.to_string()),
            _ => None,
        },
        _ => None,
    });
    assert!(!retransmitted.is_empty());
}

#[test]
fn a_port_that_nobody_listens_on_refuses() {
    let mut pair = Pair::new();
    let client = pair.client.clone();
    let error = pair.run(async move { client.connect(web()).await.unwrap_err() });
    assert_eq!(error, ConnectError::Refused { peer: web() });
    assert_eq!(pair.server.counters().dropped.get(&DropReason::NoTcpSocket), Some(&1));
}

#[test]
fn a_neighbour_that_does_not_answer_arp_is_named() {
    let mut pair = Pair::new();
    let client = pair.client.clone();
    let nobody: SocketAddr = "10.0.0.77:80".parse().unwrap();
    let error = pair.run(async move { client.connect(nobody).await.unwrap_err() });
    assert_eq!(error, ConnectError::NoArpReply { next_hop: nobody.ip(), attempts: 3 });
    assert_eq!(pair.now().as_micros(), 3_000_000);
}

#[test]
fn a_silent_peer_times_out_when_the_caller_says_so() {
    let mut pair = Pair::new();
    pair.filter(|_, bytes| bytes.get(12..14) == Some(&[0x08, 0x06]));
    let client = pair.client.clone();
    let limit = Duration::from_secs(5);
    let options = ConnectOptions { timeout: limit, ..ConnectOptions::default() };
    let error = pair.run(async move { client.connect_with(web(), &options).await.unwrap_err() });
    assert_eq!(error, ConnectError::TimedOut { peer: web(), after: limit });
    assert!(pair.client.flows().is_empty());
}

#[test]
fn dropping_a_stream_with_unread_data_resets_the_peer() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    let server = pair.server.clone();
    pair.server.spawn(async move {
        let mut stream = listener.accept().await;
        stream.write_all(b"unread").await.unwrap();
        server.sleep(Duration::from_secs(1)).await;
        drop(stream);
    });
    let client = pair.client.clone();
    pair.run(async move {
        let stream = client.connect(web()).await.unwrap();
        client.sleep(Duration::from_millis(100)).await;
        drop(stream);
        client.sleep(Duration::from_secs(2)).await;
    });
    assert!(pair.client.flows().is_empty() && pair.server.flows().is_empty());
    assert_eq!(states(&pair, &pair.server).last().map(String::as_str), Some("CLOSED"));
}

/// RFC 9293 3.6.1: data for a program that has gone is answered by a reset. What that program wrote
/// before, such as the alert of a TLS server that refuses its client, is on its way by then.
#[test]
fn what_a_program_wrote_before_it_went_arrives_before_the_reset_that_later_data_earns() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    let client = pair.client.clone();
    let (stream, mut accepted) =
        pair.run(async move { futures_util::join!(client.connect(web()), listener.accept()) });
    let mut stream = stream.unwrap();
    let held = Arc::new(Mutex::new(None));
    let holder = held.clone();
    pair.filter(move |side, bytes| {
        let is_data = side == 0 && bytes.len() > 100;
        if is_data {
            *holder.lock().unwrap() = Some(bytes.to_vec());
        }
        !is_data
    });
    pair.run(async { stream.write_all(&[b'q'; 100]).await.unwrap() });
    pair.run_for(Duration::from_millis(10));
    // The request arrives at the very moment at which the other program goes.
    pair.run(async {
        accepted.write_all(b"farewell").await.unwrap();
        drop(accepted);
    });
    pair.inject(0, held.lock().unwrap().take().unwrap());
    let mut heard = Vec::new();
    let end = pair.run(async { stream.read_to_end(&mut heard).await });
    assert_eq!(heard, b"farewell", "{end:?}");
    assert!(pair.server.flows().is_empty(), "{:?}", pair.server.flows());
}

#[test]
fn a_reset_reaches_the_reader_as_an_error_that_names_the_peer() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    pair.server.spawn(async move {
        let stream = listener.accept().await;
        stream.abort();
    });
    let client = pair.client.clone();
    let error = pair.run(async move {
        let mut stream = client.connect(web()).await.unwrap();
        let mut buffer = [0; 10];
        stream.read(&mut buffer).await.unwrap_err()
    });
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let source = error.get_ref().and_then(|inner| inner.downcast_ref::<TcpError>());
    assert_eq!(source, Some(&TcpError::Reset { peer: web() }));
}

#[test]
fn simultaneous_close_passes_through_closing() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    let server = pair.server.clone();
    pair.server.spawn(async move {
        let mut stream = listener.accept().await;
        server.sleep(Duration::from_millis(90)).await;
        stream.close().await.unwrap();
        server.sleep(Duration::from_secs(1)).await;
    });
    let client = pair.client.clone();
    pair.run(async move {
        let mut stream = client.connect(web()).await.unwrap();
        client.sleep(Duration::from_millis(100)).await;
        stream.close().await.unwrap();
        client.sleep(Duration::from_secs(2)).await;
    });
    for host in [&pair.client, &pair.server] {
        let states = states(&pair, host);
        assert!(states.ends_with(&["FIN-WAIT-1".into(), "CLOSING".into(), "TIME-WAIT".into()]), "{states:?}");
    }
}

#[test]
fn the_last_ack_is_said_again_out_of_time_wait() {
    let mut pair = Pair::new();
    echo_server(&pair.server, 1);
    // The client's last ACK is lost: an ACK without data after the server's FIN.
    let mut server_fin = false;
    let mut lost = false;
    pair.filter(move |side, bytes| {
        let flags = bytes.get(47).copied().unwrap_or(0);
        if side == 1 && flags & 1 == 1 {
            server_fin = true;
        }
        let last_ack = side == 0 && server_fin && flags == 0x10;
        if last_ack && !lost {
            lost = true;
            return false;
        }
        true
    });
    let client = pair.client.clone();
    pair.run(async move { talk(&client, b"hello").await });
    pair.run_for(Duration::from_secs(5));
    let said_again = pair.story(|event| match event {
        Event::Tcp(Tcp::Segment(segment)) => {
            let why = segment.why.to_string();
            why.contains("missed the last ACK").then_some(why)
        }
        _ => None,
    });
    assert_eq!(said_again.len(), 1);
    assert_eq!(states(&pair, &pair.server).last().map(String::as_str), Some("CLOSED"));
    let infos = pair.client.flows();
    assert!(infos.iter().all(|info| info.state == TcpState::TimeWait) && infos.len() == 1);
}

#[test]
fn beyond_the_backlog_syns_are_dropped_and_counted_and_nobody_is_reset() {
    let mut pair =
        Pair::with(glasstack_journal::event::Medium::Ethernet, 1500, |config| config.tcp.backlog = 2);
    let listener = pair.server.listen(web()).unwrap();
    let client = pair.client.clone();
    let opened = pair.run(async move {
        let options = ConnectOptions { timeout: Duration::from_millis(500), ..ConnectOptions::default() };
        let mut streams = Vec::new();
        let mut errors = Vec::new();
        for _ in 0..4 {
            match client.connect_with(web(), &options).await {
                Ok(stream) => streams.push(stream),
                Err(error) => errors.push(error),
            }
        }
        (streams, errors)
    });
    assert_eq!(opened.0.len(), 2);
    assert!(opened.1.iter().all(|error| matches!(error, ConnectError::TimedOut { .. })), "{:?}", opened.1);
    assert_eq!(pair.server.counters().dropped.get(&DropReason::BacklogFull), Some(&2));
    drop(listener);
}

#[test]
fn a_host_can_talk_to_itself() {
    let mut pair = Pair::new();
    echo_server(&pair.server, 1);
    let server = pair.server.clone();
    let answer = pair.run(async move { talk(&server, b"me").await });
    assert_eq!(answer, b"me");
    let server = pair.server.clone();
    let reply = pair.run(async move { server.ping(SERVER, &PingOptions::default()).await });
    assert_eq!(reply.unwrap().from, SERVER);
}
