//! Datagrams, echo, fragments and ICMP errors between two hosts of ours.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pair;

use glasstack_journal::event::{DropReason, Event, Ip, Medium};
use glasstack_stack::{PingError, PingOptions, UdpError};
use pair::{CLIENT, Pair, SERVER};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[test]
fn a_datagram_arrives_with_its_senders_address() {
    for medium in [Medium::Ethernet, Medium::Ip] {
        let mut pair = Pair::with(medium, 1500, |_| {});
        let server = pair.server.udp((ANY, 53).into()).unwrap();
        let client = pair.client.udp((ANY, 0).into()).unwrap();
        let (from, sender) = pair.run(async move {
            client.send_to(b"who?", (SERVER, 53).into()).await.unwrap();
            let mut buffer = [0; 100];
            let (length, from) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..length], b"who?");
            server.send_to(b"me", from).await.unwrap();
            let answer = client.recv_from(&mut buffer).await.unwrap();
            assert_eq!(answer, (2, (SERVER, 53).into()));
            (from, client.local_addr())
        });
        assert_eq!(from, sender);
        assert_eq!(from.ip(), CLIENT);
        assert!(from.port() >= 49_152);
    }
}

#[test]
fn a_datagram_larger_than_the_mtu_is_fragmented_and_put_together_again() {
    let mut pair = Pair::new();
    let server = pair.server.udp((ANY, 9).into()).unwrap();
    let client = pair.client.udp((ANY, 0).into()).unwrap();
    let data: Vec<u8> = (0..60_000_u32).map(|n| (n % 251) as u8).collect();
    let sent = data.clone();
    let received = pair.run(async move {
        client.send_to(&sent, (SERVER, 9).into()).await.unwrap();
        let mut buffer = vec![0; 65_536];
        let (length, _) = server.recv_from(&mut buffer).await.unwrap();
        buffer.truncate(length);
        buffer
    });
    assert!(received == data);
    let story = pair.story(|event| match event {
        Event::Ip(Ip::Fragmented { frames, .. }) => Some(format!("{} fragments", frames.len())),
        Event::Ip(Ip::Reassembled { fragments, .. }) => Some(format!("{fragments} together")),
        _ => None,
    });
    assert_eq!(story, ["41 fragments", "41 together"]);
}

#[test]
fn a_port_that_nobody_has_is_reported_to_the_sender() {
    let mut pair = Pair::new();
    let client = pair.client.udp((ANY, 0).into()).unwrap();
    let to: SocketAddr = (SERVER, 9).into();
    let error = pair.run(async move {
        client.send_to(b"anybody?", to).await.unwrap();
        client.recv_from(&mut [0; 10]).await.unwrap_err()
    });
    assert_eq!(error, UdpError::Unreachable { to, from: SERVER, what: "port unreachable".into() });
    assert_eq!(pair.server.counters().dropped.get(&DropReason::NoUdpSocket), Some(&1));
}

#[test]
fn a_datagram_for_a_silent_neighbour_fails_by_name() {
    let mut pair = Pair::new();
    let client = pair.client.udp((ANY, 0).into()).unwrap();
    let nobody: SocketAddr = "10.0.0.99:53".parse().unwrap();
    let error = pair.run(async move { client.send_to(b"?", nobody).await.unwrap_err() });
    assert_eq!(error, UdpError::NoArpReply { next_hop: nobody.ip() });
}

#[test]
fn ping_measures_the_round_trip() {
    let mut pair = Pair::new();
    let client = pair.client.clone();
    let options = PingOptions { length: 4_000, seq: 7, ..PingOptions::default() };
    let reply = pair.run(async move { client.ping(SERVER, &options).await.unwrap() });
    assert_eq!((reply.from, reply.seq, reply.length, reply.ttl), (SERVER, 7, 4_000, 64));
    assert_eq!(reply.rtt, Duration::from_millis(20));
}

#[test]
fn a_ping_without_a_reply_times_out() {
    let mut pair = Pair::new();
    pair.filter(|_, bytes| bytes.get(12..14) == Some(&[0x08, 0x06]));
    let client = pair.client.clone();
    let error = pair.run(async move { client.ping(SERVER, &PingOptions::default()).await.unwrap_err() });
    assert_eq!(error, PingError::TimedOut { destination: SERVER, after: Duration::from_secs(1) });
}
