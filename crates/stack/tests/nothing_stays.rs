//! Whatever strangers do, the host answers as the RFCs say, and nothing stays behind for ever.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pair;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Direction, DropReason, Event, Link, Medium, Segment as Told, Tcp, TcpState};
use glasstack_stack::{ConnectError, ConnectOptions, Host};
use pair::forge::{ACK, FIN, RST, SYN, Segment, arp, checksum, ipv4, v4};
use pair::{CLIENT, Pair, SERVER};
use proptest::prelude::*;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn web() -> SocketAddr {
    (SERVER, 80).into()
}

fn of<T>(pair: &Pair, host: &Host, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
    let node = host.scope().node();
    let records = pair.recorder.records();
    records.iter().filter(|record| record.node == node).filter_map(|record| pick(&record.event)).collect()
}

/// The segments that `host` sent.
fn sent(pair: &Pair, host: &Host) -> Vec<Told> {
    of(pair, host, |event| match event {
        Event::Tcp(Tcp::Segment(segment)) if segment.direction == Direction::Out => Some(segment.clone()),
        _ => None,
    })
}

/// The frames that `host` sent.
fn frames(pair: &Pair, host: &Host) -> Vec<Vec<u8>> {
    of(pair, host, |event| match event {
        Event::Link(Link::Frame { direction: Direction::Out, bytes, .. }) => Some(bytes.to_vec()),
        _ => None,
    })
}

/// From the client's host only ARP reaches the cable: the rest is what the test makes up.
fn silence_the_client(pair: &Pair) {
    pair.filter(|side, bytes| side == 1 || bytes.get(12..14) == Some(&[8, 6]));
}

fn drops(host: &Host, reason: DropReason) -> u64 {
    host.counters().dropped.get(&reason).copied().unwrap_or(0)
}

#[test]
fn a_reset_ends_a_half_open_connection() {
    let mut pair = Pair::new();
    silence_the_client(&pair);
    let _listener = pair.server.listen(web()).unwrap();
    pair.inject(0, Segment::new(SYN, 100, 0).frame());
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.server.flows().len(), 1);
    pair.inject(0, Segment::new(RST, 101, 0).frame());
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.server.held_flows(), 0);
}

#[test]
fn a_syn_that_makes_no_sense_leaves_nothing_behind() {
    let mut pair = Pair::new();
    silence_the_client(&pair);
    let _listener = pair.server.listen(web()).unwrap();
    let with_fin = Segment::new(SYN | FIN, 100, 0);
    let from_port_0 = Segment { source: (v4(CLIENT), 0), ..Segment::new(SYN, 100, 0) };
    // A maximum segment size in one byte.
    let bad_option = Segment { options: vec![2, 3, 5, 0], ..Segment::new(SYN, 100, 0) };
    for segment in [with_fin, from_port_0, bad_option] {
        pair.inject(0, segment.frame());
        pair.run_for(Duration::from_millis(100));
        assert_eq!(pair.server.held_flows(), 0, "{segment:?}");
    }
    assert_eq!(drops(&pair.server, DropReason::BadTcpHeader), 3);
}

#[test]
fn a_listener_that_goes_takes_dead_connections_along() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    let client = pair.client.clone();
    pair.run(async move { client.connect(web()).await.unwrap().abort() });
    pair.run_for(Duration::from_millis(100));
    drop(listener);
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.server.held_flows(), 0);
}

#[test]
fn an_attempt_that_outlasts_its_keep_alives_is_no_success() {
    let mut pair = Pair::new();
    silence_the_client(&pair);
    let client = pair.client.clone();
    let timeout = Duration::from_secs(60);
    let options = ConnectOptions { keep_alive: Some(Duration::from_secs(1)), timeout, from: None };
    let outcome = pair.run(async move { client.connect_with(web(), &options).await.map(drop) });
    assert_eq!(outcome, Err(ConnectError::TimedOut { peer: web(), after: timeout }));
}

#[test]
fn extreme_keep_alive_intervals_do_no_harm() {
    for interval in [Duration::ZERO, Duration::MAX] {
        let mut pair = Pair::new();
        let listener = pair.server.listen(web()).unwrap();
        let client = pair.client.clone();
        let options = ConnectOptions { keep_alive: Some(interval), ..ConnectOptions::default() };
        let (stream, _accepted) = pair
            .run(async move { futures_util::join!(client.connect_with(web(), &options), listener.accept()) });
        pair.run_for(Duration::from_secs(30));
        assert_eq!(stream.unwrap().state(), TcpState::Established);
    }
}

#[test]
fn an_orphan_whose_peer_never_opens_its_window_dies() {
    let mut pair = Pair::new();
    silence_the_client(&pair);
    let listener = pair.server.listen(web()).unwrap();
    pair.inject(0, Segment { window: 0, ..Segment::new(SYN, 100, 0) }.frame());
    pair.run_for(Duration::from_millis(100));
    let isn = sent(&pair, &pair.server)[0].seq;
    let ack = Segment { window: 0, ..Segment::new(ACK, 101, isn.wrapping_add(1)) };
    pair.inject(0, ack.frame());
    pair.run(async {
        let mut stream = listener.accept().await;
        stream.write_all(b"for nobody").await.unwrap();
    });
    for _ in 0..60 {
        pair.inject(0, ack.frame());
        pair.run_for(Duration::from_secs(5));
    }
    assert_eq!(pair.server.flows(), []);
}

#[test]
fn two_tasks_that_wait_on_one_udp_socket_are_both_served() {
    let mut pair = Pair::new();
    let socket = Arc::new(pair.server.udp((SERVER, 53).into()).unwrap());
    let served = Arc::new(AtomicUsize::new(0));
    for _ in 0..2 {
        let (socket, served) = (Arc::clone(&socket), Arc::clone(&served));
        pair.server.spawn(async move {
            socket.recv_from(&mut [0; 16]).await.unwrap();
            served.fetch_add(1, Ordering::Relaxed);
        });
    }
    let client = pair.client.udp((CLIENT, 0).into()).unwrap();
    pair.run(async {
        for _ in 0..2 {
            client.send_to(b"?", (SERVER, 53).into()).await.unwrap();
        }
    });
    pair.run_for(Duration::from_millis(100));
    assert_eq!(served.load(Ordering::Relaxed), 2);
}

#[test]
fn an_arp_probe_for_this_hosts_address_is_answered() {
    // RFC 5227 2.1.1: whoever is about to take the address must learn that it is taken.
    let mut pair = Pair::new();
    pair.inject(0, arp(1, ([2, 0, 0, 0, 0, 9], Ipv4Addr::UNSPECIFIED), v4(SERVER)));
    pair.run_for(Duration::from_millis(100));
    let replies = frames(&pair, &pair.server);
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].get(20..22), Some(&[0, 2][..]));
    assert_eq!(replies[0].get(28..32), Some(&v4(SERVER).octets()[..]));
}

#[test]
fn packets_for_one_host_in_a_broadcast_frame_are_not_answered() {
    // RFC 1122 3.3.6.
    let mut pair = Pair::new();
    let _listener = pair.server.listen(web()).unwrap();
    let mut echo = vec![8, 0, 0, 0, 0, 1, 0, 1];
    let sum = checksum(&echo);
    echo[2..4].copy_from_slice(&sum.to_be_bytes());
    for mut frame in [Segment::new(SYN, 1, 0).frame(), ipv4(v4(CLIENT), 1, 0, &echo)] {
        frame[..6].fill(0xff);
        pair.inject(0, frame);
    }
    pair.run_for(Duration::from_millis(100));
    assert_eq!(frames(&pair, &pair.server), [] as [Vec<u8>; 0]);
    assert_eq!(drops(&pair.server, DropReason::NotOurAddress), 2);
}

#[test]
fn connections_follow_a_next_hop_that_moves_to_another_station() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    let client = pair.client.clone();
    let (stream, _accepted) =
        pair.run(async move { futures_util::join!(client.connect(web()), listener.accept()) });
    let mut stream = stream.unwrap();
    let moved = [2, 0, 0, 0, 0, 7];
    pair.inject(1, arp(1, (moved, v4(SERVER)), v4(CLIENT)));
    pair.run_for(Duration::from_millis(10));
    pair.run(async { stream.write_all(b"over there").await.unwrap() });
    pair.run_for(Duration::from_millis(10));
    let frames = frames(&pair, &pair.client);
    assert_eq!(frames.last().and_then(|frame| frame.get(..6)), Some(&moved[..]));
}

#[test]
fn a_newer_syn_that_nobody_listens_for_leaves_time_wait_alone() {
    let mut pair = Pair::new();
    let listener = pair.server.listen(web()).unwrap();
    let client = pair.client.clone();
    // The server closes first: the TIME-WAIT is its.
    let local = pair.run(async move {
        let (stream, accepted) = futures_util::join!(client.connect(web()), listener.accept());
        drop(accepted);
        let mut stream = stream.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        stream.local_addr()
    });
    pair.run_for(Duration::from_secs(1));
    let state = |pair: &Pair| pair.server.flows().first().map(|flow| flow.state);
    assert_eq!(state(&pair), Some(TcpState::TimeWait));
    let newer = sent(&pair, &pair.client).last().unwrap().seq.wrapping_add(5_000);
    let source = (v4(CLIENT), local.port());
    pair.inject(0, Segment { source, ..Segment::new(SYN, newer, 0) }.frame());
    pair.run_for(Duration::from_secs(1));
    assert_eq!(state(&pair), Some(TcpState::TimeWait));
}

#[test]
fn icmp_errors_about_datagrams_never_sent_are_not_believed() {
    let mut pair = Pair::new();
    let socket = pair.server.udp((SERVER, 5_353).into()).unwrap();
    // Port unreachable, quoting a datagram from our port to 10.0.0.9:53.
    let mut quoted = ipv4(v4(SERVER), 17, 0, &[0x14, 0xe9, 0, 53, 0, 8, 0, 0])[14..].to_vec();
    quoted[16..20].copy_from_slice(&[10, 0, 0, 9]);
    let mut error = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &quoted].concat();
    let sum = checksum(&error);
    error[2..4].copy_from_slice(&sum.to_be_bytes());
    pair.inject(0, ipv4(v4(CLIENT), 1, 0, &error));
    pair.run_for(Duration::from_millis(10));
    let client = pair.client.udp((CLIENT, 0).into()).unwrap();
    let received = pair.run(async {
        client.send_to(b"hello", (SERVER, 5_353).into()).await.unwrap();
        socket.recv_from(&mut [0; 16]).await
    });
    assert_eq!(received.unwrap().0, 5);
    assert_eq!(drops(&pair.server, DropReason::UnmatchedIcmp), 1);
}

/// What a peer says: flags, how far its numbers are off, window, options, payload.
type Said = (u8, i16, i16, u16, Vec<u8>, Vec<u8>);

/// A server that says something, reads something, and closes; everything that it hears is made up.
fn converse(medium: Medium, said: &[Said]) {
    let mut pair = Pair::with(medium, 1500, |_| {});
    let listener = pair.server.listen(web()).unwrap();
    let host = pair.server.clone();
    pair.server.spawn(async move {
        loop {
            let mut stream = listener.accept().await;
            let waiter = host.clone();
            host.spawn(async move {
                let mut buffer = [0; 100];
                let _ = stream.write_all(&[1; 3_000]).await;
                let _ = waiter.timeout(Duration::from_secs(3), stream.read(&mut buffer)).await;
                let _ = stream.close().await;
                let _ = waiter.timeout(Duration::from_secs(30), stream.read(&mut buffer)).await;
            });
        }
    });
    let link = if medium == Medium::Ip { 14 } else { 0 };
    if medium == Medium::Ip {
        pair.filter(|side, _| side == 1);
    } else {
        silence_the_client(&pair);
    }
    pair.inject(0, Segment::new(SYN, 1_000, 0).frame()[link..].to_vec());
    for (flags, seq, ack, window, options, payload) in said {
        pair.run_for(Duration::from_millis(30));
        let Some(last) = sent(&pair, &pair.server).pop() else { continue };
        let next = last.seq.wrapping_add(u32::try_from(last.payload).unwrap());
        let next = next.wrapping_add(u32::from(last.flags.0 & (SYN | FIN) != 0));
        let mut options = options.clone();
        options.resize(options.len().next_multiple_of(4), 1);
        let seq = last.ack.unwrap_or(1_001).wrapping_add_signed((*seq).into());
        let segment = Segment {
            window: *window,
            options,
            payload: payload.clone(),
            ..Segment::new(*flags, seq, next.wrapping_add_signed((*ack).into()))
        };
        pair.inject(0, segment.frame()[link..].to_vec());
    }
    pair.run_for(Duration::from_secs(600));
    assert_eq!(pair.server.flows(), [], "nothing outlives its peer");
    assert_eq!(pair.server.held_flows(), 0, "nothing outlives its program");
}

/// Mostly numbers that fit, now and then others.
fn offset() -> impl Strategy<Value = i16> {
    prop_oneof![4 => Just(0_i16), 2 => -3_i16..3, 1 => any::<i16>()]
}

fn said() -> impl Strategy<Value = Said> {
    let flags = prop_oneof![4 => Just(ACK), 1 => Just(ACK | FIN), 2 => any::<u8>()];
    let window = prop_oneof![2 => any::<u16>(), 1 => Just(0_u16)];
    let options = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(any::<u8>(), 0..40)];
    let payload = prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(any::<u8>(), 0..1_400)];
    (flags, offset(), offset(), window, options, payload)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_a_peer_says_its_connection_comes_to_an_end(
        said in prop::collection::vec(said(), 1..30), ethernet in any::<bool>(),
    ) {
        converse(if ethernet { Medium::Ethernet } else { Medium::Ip }, &said);
    }
}
