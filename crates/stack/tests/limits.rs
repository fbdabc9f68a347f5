//! What a host sends to whoever asks, it sends no more often than is good for others: anybody can put
//! another's address into a question.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pair;

use glasstack_journal::event::DropReason;
use glasstack_stack::PingOptions;
use pair::forge::{SYN, Segment, checksum, ipv4};
use pair::{CLIENT, Pair, SERVER};
use std::time::Duration;

fn echo_request(seq: u16) -> Vec<u8> {
    let mut message = vec![8, 0, 0, 0, 0, 9];
    message.extend(seq.to_be_bytes());
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ipv4(pair::forge::v4(CLIENT), 1, 0, &message)
}

fn syn(port: u16) -> Vec<u8> {
    Segment { source: (pair::forge::v4(CLIENT), port), ..Segment::new(SYN, 7, 0) }.frame()
}

#[test]
fn a_flood_of_segments_for_no_connection_is_answered_a_thousand_times_a_second() {
    let mut pair = Pair::new();
    for port in 0..3_000 {
        pair.inject(0, syn(1_000 + port));
    }
    pair.run_for(Duration::from_millis(100));
    let first = pair.server.counters().dropped;
    assert_eq!(first[&DropReason::NoTcpSocket], 1_000);
    assert_eq!(first[&DropReason::ResetRateLimited], 2_000);
    assert_eq!(pair.server.counters().frames_out, 1_000);
    // A second later there are a thousand more; a RST is never answered, and costs nothing.
    pair.run_for(Duration::from_secs(1));
    for port in 0..500 {
        pair.inject(0, Segment { flags: pair::forge::RST, ..Segment::new(SYN, 7, 0) }.frame());
        pair.inject(0, syn(5_000 + port));
    }
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.server.counters().frames_out, 1_500);
    assert_eq!(pair.server.counters().dropped[&DropReason::ResetRateLimited], 2_000);
}

#[test]
fn a_flood_of_echo_requests_is_answered_a_thousand_times_a_second() {
    let mut pair = Pair::new();
    for seq in 0..3_000 {
        pair.inject(0, echo_request(seq));
    }
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.server.counters().frames_out, 1_000);
    assert_eq!(pair.server.counters().dropped[&DropReason::EchoRateLimited], 2_000);
    // Whoever asks now and then is answered again.
    pair.run_for(Duration::from_millis(10));
    let client = pair.client.clone();
    pair.run(async move { client.ping(SERVER, &PingOptions::default()).await }).unwrap();
}

#[test]
fn what_a_host_asks_itself_is_not_counted() {
    let mut pair = Pair::new();
    let server = pair.server.clone();
    pair.run(async move {
        for _ in 0..1_500 {
            server.ping(SERVER, &PingOptions::default()).await.unwrap();
            server.connect((SERVER, 9).into()).await.err().unwrap();
        }
    });
    let dropped = pair.server.counters().dropped;
    assert_eq!(dropped.get(&DropReason::EchoRateLimited), None);
    assert_eq!(dropped.get(&DropReason::ResetRateLimited), None);
}
