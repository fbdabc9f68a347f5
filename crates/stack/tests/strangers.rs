//! What comes from others about our connections: ICMP errors, old and new SYNs, floods.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pair;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{DropReason, Event, Icmp, Medium, Tcp, TcpState};
use glasstack_stack::{ConnectError, TcpError, TcpStream};
use pair::packets::{icmp_error, segment};
use pair::{Pair, SERVER};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ROUTER: [u8; 4] = [10, 0, 0, 9];
const HOST_UNREACHABLE: (u8, u8) = (3, 1);
const SYN: u8 = 0x02;

fn web() -> SocketAddr {
    (SERVER, 80).into()
}

/// Keeps a copy of every TCP frame that host `side` sends, and lets pass what `pass` says.
fn tap(pair: &Pair, side: usize, pass: impl Fn(usize) -> bool + Send + 'static) -> Arc<Mutex<Vec<Vec<u8>>>> {
    let copies = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&copies);
    pair.filter(move |from, bytes| {
        let is_tcp = bytes.get(23) == Some(&6) && bytes.get(12..14) == Some(&[8, 0]);
        if from == side && is_tcp {
            taken.lock().unwrap().push(bytes.to_vec());
        }
        !is_tcp || pass(from)
    });
    copies
}

fn connection(pair: &mut Pair) -> (TcpStream, TcpStream) {
    let listener = pair.server.listen(web()).unwrap();
    let client = pair.client.clone();
    let (stream, accepted) =
        pair.run(async move { futures_util::join!(client.connect(web()), listener.accept()) });
    (stream.unwrap(), accepted)
}

fn effects(pair: &Pair) -> Vec<String> {
    pair.story(|event| match event {
        Event::Icmp(Icmp::ErrorReceived { effect, .. }) => Some(effect.to_string()),
        _ => None,
    })
}

#[test]
fn an_icmp_error_fails_a_connection_that_is_being_opened_at_once() {
    let mut pair = Pair::new();
    let syns = tap(&pair, 0, |_| false);
    let client = pair.client.clone();
    let opening = pair.client.clone();
    let error = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&error);
    client.spawn(async move { *slot.lock().unwrap() = opening.connect(web()).await.err() });
    pair.run_for(Duration::from_millis(100));
    let syn = syns.lock().unwrap().first().cloned().unwrap();
    pair.inject(1, icmp_error(0, ROUTER, HOST_UNREACHABLE, 0, &syn));
    pair.run_for(Duration::from_millis(1));
    let what = "host unreachable".to_owned();
    let expected = ConnectError::Unreachable { peer: web(), from: "10.0.0.9".parse().unwrap(), what };
    assert_eq!(error.lock().unwrap().take(), Some(expected));
}

#[test]
fn an_established_connection_keeps_an_icmp_error_in_mind_and_names_it_when_it_times_out() {
    let mut pair =
        Pair::with(Medium::Ethernet, 1500, |config| config.tcp.user_timeout = Duration::from_secs(20));
    let (mut stream, _accepted) = connection(&mut pair);
    let segments = tap(&pair, 0, |_| false);
    pair.run(async { stream.write_all(b"lost").await.unwrap() });
    pair.run_for(Duration::from_millis(100));
    let lost = segments.lock().unwrap().first().cloned().unwrap();
    pair.inject(1, icmp_error(0, ROUTER, HOST_UNREACHABLE, 0, &lost));
    pair.run_for(Duration::from_secs(1));
    assert_eq!(stream.state(), TcpState::Established);
    let error = pair.run(async { stream.read(&mut [0; 10]).await.unwrap_err() });
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<TcpError>()).cloned();
    let said = Some("host unreachable, says 10.0.0.9".to_owned());
    assert_eq!(cause, Some(TcpError::TimedOut { peer: web(), said }));
}

#[test]
fn an_icmp_error_that_quotes_a_number_not_in_flight_is_not_believed() {
    let mut pair = Pair::new();
    let segments = tap(&pair, 0, |_| true);
    let (mut stream, mut accepted) = connection(&mut pair);
    pair.run(async {
        stream.write_all(b"arrives").await.unwrap();
        accepted.read_exact(&mut [0; 7]).await.unwrap();
    });
    pair.run_for(Duration::from_secs(1));
    let old = segments.lock().unwrap().last().cloned().unwrap();
    pair.inject(1, icmp_error(0, ROUTER, (3, 4), 600, &old));
    pair.run_for(Duration::from_millis(1));
    assert_eq!(pair.client.counters().dropped.get(&DropReason::SuspiciousIcmp), Some(&1));
    assert!(effects(&pair).last().unwrap().starts_with("ignored"));
}

#[test]
fn nobody_pushes_a_connection_below_the_floor_of_552_bytes() {
    let mut pair = Pair::new();
    let (mut stream, mut accepted) = connection(&mut pair);
    let segments = tap(&pair, 0, |_| false);
    pair.run(async { stream.write_all(&[1; 3_000]).await.unwrap() });
    pair.run_for(Duration::from_millis(1));
    let lost = segments.lock().unwrap().first().cloned().unwrap();
    pair.inject(1, icmp_error(0, ROUTER, (3, 4), 68, &lost));
    pair.run_for(Duration::from_millis(1));
    assert_eq!(effects(&pair), ["path MTU lowered from 1500 to 552"]);
    pair.filter(|_, _| true);
    let data = pair.run(async {
        let mut data = vec![0; 3_000];
        accepted.read_exact(&mut data).await.unwrap();
        data
    });
    assert_eq!(data, [1; 3_000]);
}

#[test]
fn a_newer_syn_takes_over_a_tuple_in_time_wait_and_an_older_one_does_not() {
    let mut pair = Pair::new();
    let (mut stream, mut accepted) = connection(&mut pair);
    let port = stream.local_addr().port();
    // The server closes first, so that it is the one in TIME-WAIT.
    pair.run(async {
        accepted.close().await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        stream.close().await.unwrap();
    });
    drop(stream);
    pair.run_for(Duration::from_secs(1));
    let in_time_wait =
        |pair: &Pair| pair.server.flows().iter().filter(|f| f.state == TcpState::TimeWait).count();
    assert_eq!(in_time_wait(&pair), 1);
    let last = pair.recorder.records().iter().rev().find_map(|record| match &record.event {
        Event::Tcp(Tcp::Segment(segment)) if segment.source.port() == port => Some(segment.seq),
        _ => None,
    });
    let rcv_nxt = last.unwrap().wrapping_add(1);
    let listener = pair.server.listen(web()).unwrap();
    // The client knows nothing of what is said in its name.
    pair.filter(|side, _| side == 0);
    pair.inject(0, segment(1, (port, 80), rcv_nxt.wrapping_sub(10_000), 0, SYN));
    pair.run_for(Duration::from_millis(1));
    assert_eq!(in_time_wait(&pair), 1);
    pair.inject(0, segment(1, (port, 80), rcv_nxt.wrapping_add(10_000), 0, SYN));
    pair.run_for(Duration::from_millis(1));
    assert_eq!(in_time_wait(&pair), 0);
    assert_eq!(pair.server.flows().first().map(|flow| flow.state), Some(TcpState::SynReceived));
    drop(listener);
}

#[test]
fn a_flood_of_syns_is_bounded_the_oldest_gives_way_and_real_clients_still_come_in() {
    let mut pair = Pair::with(Medium::Ethernet, 1500, |config| config.tcp.half_open = 8);
    let listener = pair.server.listen(web()).unwrap();
    for port in 1_000..1_100_u16 {
        pair.inject(0, segment(1, (port, 80), u32::from(port), 0, SYN));
    }
    // What answers the flood never reaches anybody.
    pair.filter(|side, bytes| side == 0 || bytes.get(12..14) == Some(&[8, 6]));
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.server.flows().len(), 8);
    assert_eq!(pair.server.counters().dropped.get(&DropReason::HalfOpenEvicted), Some(&92));
    pair.filter(|_, _| true);
    let client = pair.client.clone();
    let (stream, _accepted) =
        pair.run(async move { futures_util::join!(client.connect(web()), listener.accept()) });
    assert_eq!(stream.unwrap().state(), TcpState::Established);
    pair.run_for(Duration::from_secs(70));
    assert_eq!(pair.server.flows().len(), 1, "{:?}", pair.server.flows());
}

#[test]
fn a_reset_outside_the_window_is_not_believed() {
    let mut pair = Pair::new();
    let (stream, _accepted) = connection(&mut pair);
    let port = stream.local_addr().port();
    pair.inject(1, segment(0, (80, port), 12_345, 0, 0x04));
    pair.run_for(Duration::from_millis(10));
    assert_eq!(stream.state(), TcpState::Established);
    assert_eq!(pair.client.counters().dropped.get(&DropReason::OutOfWindow), Some(&1));
}
