//! Every reason for a segment, forced out of two hosts of ours: the capture's comments are these.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pair;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Direction, Event, Medium, Tcp};
use glasstack_stack::{ConnectOptions, Host, TcpStream};
use pair::packets::icmp_error;
use pair::{Pair, SERVER};
use std::net::SocketAddr;
use std::time::Duration;

fn web() -> SocketAddr {
    (SERVER, 80).into()
}

/// What `host` sent, in order: length and reason.
fn sent(pair: &Pair, host: &Host) -> Vec<(usize, String)> {
    let node = host.scope().node();
    let records = pair.recorder.records();
    let own = records.iter().filter(|record| record.node == node);
    own.filter_map(|record| match &record.event {
        Event::Tcp(Tcp::Segment(segment)) if segment.direction == Direction::Out => {
            Some((segment.payload, segment.why.to_string()))
        }
        _ => None,
    })
    .collect()
}

fn count(pair: &Pair, host: &Host, reason: &str) -> usize {
    sent(pair, host).iter().filter(|(_, why)| why.contains(reason)).count()
}

/// Whether a frame is a TCP segment with data from the client.
fn is_data(side: usize, bytes: &[u8]) -> bool {
    side == 0 && bytes.len() > 54 + 20
}

/// Connects, with the server's end handed to `serve`.
fn with_connection<F>(pair: &mut Pair, serve: impl FnOnce(Host, TcpStream) -> F) -> TcpStream
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = pair.server.listen(web()).unwrap();
    let client = pair.client.clone();
    let (stream, accepted) =
        pair.run(async move { futures_util::join!(client.connect(web()), listener.accept()) });
    let server = pair.server.clone();
    pair.server.spawn(serve(server, accepted));
    stream.unwrap()
}

/// Reads and throws away until the end.
async fn sink(_: Host, mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
}

#[test]
fn a_lone_segment_is_acknowledged_late() {
    let mut pair = Pair::new();
    let mut stream = with_connection(&mut pair, sink);
    pair.run(async {
        stream.write_all(b"one").await.unwrap();
    });
    pair.run_for(Duration::from_millis(100));
    assert_eq!(count(&pair, &pair.server, "delayed ACK"), 1);
}

#[test]
fn every_second_full_segment_is_acknowledged_at_once() {
    let mut pair = Pair::new();
    let mut stream = with_connection(&mut pair, sink);
    pair.run(async {
        stream.write_all(&[0; 20_000]).await.unwrap();
    });
    pair.run_for(Duration::from_millis(500));
    assert!(count(&pair, &pair.server, "acknowledges new data") >= 4);
}

#[test]
fn a_lost_segment_is_sent_again_after_a_timeout() {
    let mut pair = Pair::new();
    let mut stream = with_connection(&mut pair, sink);
    let mut first = true;
    pair.filter(move |side, bytes| !(is_data(side, bytes) && std::mem::take(&mut first)));
    pair.run(async {
        stream.write_all(&[7; 500]).await.unwrap();
    });
    pair.run_for(Duration::from_secs(3));
    let client = sent(&pair, &pair.client);
    assert_eq!(client.last().unwrap(), &(500, "retransmission: no acknowledgment for 1000 ms".to_owned()));
}

#[test]
fn a_hole_makes_duplicate_acks_and_a_fast_retransmission() {
    let mut pair = Pair::new();
    let mut stream = with_connection(&mut pair, sink);
    // Slow start first, so that enough segments follow the lost one.
    pair.run(async {
        stream.write_all(&[1; 40_000]).await.unwrap();
    });
    pair.run_for(Duration::from_secs(1));
    let mut data = 0;
    pair.filter(move |side, bytes| {
        data += usize::from(is_data(side, bytes));
        !(is_data(side, bytes) && data == 2)
    });
    pair.run(async {
        stream.write_all(&[2; 40_000]).await.unwrap();
    });
    pair.run_for(Duration::from_secs(5));
    assert!(count(&pair, &pair.server, "duplicate ACK: a segment is missing") >= 3);
    assert_eq!(count(&pair, &pair.client, "retransmission: after 3 duplicate ACKs"), 1);
    assert_eq!(count(&pair, &pair.server, "the hole is filled"), 1);
}

#[test]
fn a_closed_window_is_probed_and_its_opening_is_told() {
    let mut pair = Pair::with(Medium::Ethernet, 1500, |config| config.tcp.receive_buffer = 4_000);
    let mut stream = with_connection(&mut pair, |host, stream| async move {
        host.sleep(Duration::from_secs(10)).await;
        sink(host, stream).await;
    });
    pair.run(async {
        stream.write_all(&[3; 10_000]).await.unwrap();
    });
    pair.run_for(Duration::from_secs(20));
    assert!(count(&pair, &pair.client, "zero-window probe") >= 2);
    assert!(count(&pair, &pair.server, "answers the peer's probe") >= 2);
    assert!(count(&pair, &pair.server, "window update") >= 1);
}

#[test]
fn an_idle_connection_is_kept_alive_and_a_vanished_peer_is_noticed() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    let client = pair.client.clone();
    let options = ConnectOptions { keep_alive: Some(Duration::from_secs(10)), ..ConnectOptions::default() };
    let (stream, _accepted) =
        pair.run(async move { futures_util::join!(client.connect_with(web(), &options), listener.accept()) });
    let mut stream = stream.unwrap();
    pair.run_for(Duration::from_secs(25));
    assert_eq!(count(&pair, &pair.client, "keep-alive"), 2);
    assert_eq!(count(&pair, &pair.server, "answers the peer's probe"), 2);
    pair.filter(|_, _| false);
    let error = pair.run(async { stream.read(&mut [0; 10]).await.unwrap_err() });
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn a_duplicated_segment_is_acknowledged_as_seen_before() {
    let mut pair = Pair::new();
    let mut stream = with_connection(&mut pair, sink);
    let copies = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let taken = std::sync::Arc::clone(&copies);
    pair.filter(move |side, bytes| {
        if is_data(side, bytes) {
            taken.lock().unwrap().push(bytes.to_vec());
        }
        true
    });
    pair.run(async {
        stream.write_all(&[4; 100]).await.unwrap();
    });
    pair.run_for(Duration::from_millis(200));
    let copy = copies.lock().unwrap().pop().unwrap();
    pair.inject(0, copy);
    pair.run_for(Duration::from_millis(200));
    assert_eq!(count(&pair, &pair.server, "acknowledges data that had been received before"), 1);
}

#[test]
fn a_fin_answers_a_fin() {
    let mut pair = Pair::new();
    let mut stream = with_connection(&mut pair, |_, mut stream| async move {
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        stream.close().await.unwrap();
    });
    pair.run(async {
        stream.close().await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    });
    pair.run_for(Duration::from_secs(1));
    assert_eq!(count(&pair, &pair.client, "FIN: no more data from this side"), 1);
    assert_eq!(count(&pair, &pair.server, "FIN: no more data from this side, answering the peer's FIN"), 1);
    assert_eq!(count(&pair, &pair.client, "acknowledges the peer's FIN"), 1);
}

#[test]
fn a_smaller_path_mtu_cuts_the_same_bytes_smaller() {
    let mut pair = Pair::new();
    let mut stream = with_connection(&mut pair, sink);
    // A router on the way that takes no more than 1000 bytes says so (RFC 1191).
    let answers = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let taken = std::sync::Arc::clone(&answers);
    pair.filter(move |side, bytes| {
        let too_big = side == 0 && bytes.len() > 14 + 1000;
        if too_big {
            taken.lock().unwrap().push(icmp_error(0, [10, 0, 0, 2], (3, 4), 1000, bytes));
        }
        !too_big
    });
    pair.run(async {
        stream.write_all(&[5; 5_000]).await.unwrap();
    });
    pair.run_for(Duration::from_millis(5));
    for answer in answers.lock().unwrap().drain(..).collect::<Vec<_>>() {
        pair.inject(1, answer);
    }
    pair.run_for(Duration::from_secs(5));
    assert!(count(&pair, &pair.client, "the path's MTU is 1000 now") >= 1);
    let largest = sent(&pair, &pair.client).iter().rev().take(4).map(|(length, _)| *length).max();
    assert_eq!(largest, Some(960));
    let told = pair.story(|event| match event {
        Event::Tcp(Tcp::MtuLowered { from, to, .. }) => Some(format!("{from} -> {to}")),
        _ => None,
    });
    assert_eq!(told, ["1500 -> 1000"]);
}

#[test]
fn a_black_hole_is_found_by_smaller_segments() {
    let mut pair = Pair::new();
    let mut stream = with_connection(&mut pair, sink);
    pair.filter(|side, bytes| side == 1 || bytes.len() <= 14 + 1300);
    pair.run(async {
        stream.write_all(&[6; 5_000]).await.unwrap();
    });
    pair.run_for(Duration::from_secs(30));
    assert!(count(&pair, &pair.client, "the path's MTU is 1280 now") >= 1);
    pair.run(async {
        stream.close().await.unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    });
}
