//! Two hosts of ours with a router between them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::event::{DropReason, Event, Link, Tcp};
use glasstack_sim::{Cable, RouterConfig, fault};
use glasstack_stack::{ConnectError, PingError, PingOptions, World};
use glasstack_views::Layer;
use std::io;
use std::net::Ipv4Addr;
use support::two::{Two, bytes, ip};

fn with_mtu(mtu: usize) -> RouterConfig {
    RouterConfig::new().port(Ipv4Addr::new(10, 0, 1, 1), 24).port_with_mtu(
        Ipv4Addr::new(10, 0, 2, 1),
        24,
        mtu,
    )
}

#[test]
fn a_conversation_crosses_the_router() {
    let mut two = Two::across(with_mtu(1_500));
    two.echo();
    assert_eq!(two.talk(b"hello").unwrap(), b"hello");
    two.drain();
    let ladder = two.ladder(&[Layer::Arp, Layer::Tcp]);
    let first: Vec<&str> = ladder.lines().take(8).map(str::trim).collect();
    assert_eq!(
        first,
        [
            "0.000000 client -> all  ARP who has 10.0.1.1?",
            "0.001000 router -> client  ARP 10.0.1.1 is at 06:00:00:00:00:01",
            "0.002000 client -> router  TCP SYN",
            "0.003000 router -> all  ARP who has 10.0.2.2?",
            "0.004000 server -> router  ARP 10.0.2.2 is at 02:00:00:00:00:02",
            "0.005000 router -> server  TCP SYN",
            "0.006000 server -> router  TCP SYN ACK",
            "0.007000 router -> client  TCP SYN ACK",
        ]
    );
}

#[test]
fn fragmentation_needed_lowers_the_mtu_and_everything_arrives() {
    let mut two = Two::across(with_mtu(1_300));
    two.echo();
    let data = bytes(100_000);
    assert!(two.talk(&data).unwrap() == data);
    let lowered = two.count(|event| matches!(event, Event::Tcp(Tcp::MtuLowered { to: 1_300, .. })));
    assert!(lowered >= 1);
}

#[test]
fn a_black_hole_is_suspected_after_two_timeouts_and_everything_arrives() {
    let mut two = Two::across(with_mtu(1_300).silent_when_too_big());
    two.echo();
    let data = bytes(100_000);
    assert!(two.talk(&data).unwrap() == data);
    let swallowed =
        |event: &Event| matches!(event, Event::Link(Link::Dropped { reason: DropReason::TooBig, .. }));
    assert!(two.count(swallowed) > 0);
    let suspected = |event: &Event| matches!(event, Event::Tcp(Tcp::MtuLowered { why, .. }) if why.contains("black hole"));
    assert!(two.count(suspected) > 0);
}

#[test]
fn a_black_hole_in_a_cable_is_as_black() {
    let mut two = Two::on(1, Cable::new().fault(fault::blackhole_larger_than(1_300)));
    two.echo();
    let data = bytes(100_000);
    assert!(two.talk(&data).unwrap() == data);
    let swallowed =
        |event: &Event| matches!(event, Event::Link(Link::Lost { by, .. }) if by.starts_with("blackhole"));
    assert!(two.count(swallowed) > 0);
}

#[test]
fn a_hole_that_swallows_everything_ends_in_a_timeout_and_not_in_a_hang() {
    let mut two = Two::on(1, Cable::new().fault(fault::blackhole_larger_than(100)));
    two.echo();
    let error = two.talk(&bytes(100_000)).map(drop).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
}

#[test]
fn a_ping_that_may_not_go_far_enough_is_told_where_it_ended() {
    let mut two = Two::across(with_mtu(1_500));
    let (client, server) = (two.client.clone(), two.server.address());
    let (near, far) = two
        .world
        .run(async move {
            let near = client.ping(server, &PingOptions { ttl: 1, ..PingOptions::default() }).await;
            let far = client.ping(server, &PingOptions { ttl: 2, ..PingOptions::default() }).await;
            (near, far)
        })
        .unwrap();
    let error = near.unwrap_err();
    assert!(matches!(&error, PingError::Unreachable { from, .. } if *from == ip("10.0.1.1")), "{error:?}");
    assert_eq!(far.unwrap().ttl, 63);
}

#[test]
fn a_host_that_is_off_is_unreachable_says_the_router() {
    let mut two = Two::across(with_mtu(1_500));
    let client = two.client.clone();
    let peer = (ip("10.0.2.99"), 80).into();
    let error = two.world.run(async move { client.connect(peer).await.map(drop) }).unwrap().unwrap_err();
    let ConnectError::Unreachable { from, what, .. } = error else { panic!("{error:?}") };
    assert_eq!((from, what.as_str()), (ip("10.0.1.1"), "host unreachable"));
}

#[test]
fn an_address_that_the_router_has_no_way_to_is_unreachable() {
    let mut two = Two::across(with_mtu(1_500));
    let client = two.client.clone();
    let peer = (ip("192.0.2.1"), 80).into();
    let error = two.world.run(async move { client.connect(peer).await.map(drop) }).unwrap().unwrap_err();
    let ConnectError::Unreachable { what, .. } = error else { panic!("{error:?}") };
    assert_eq!(what, "network unreachable");
}

#[test]
fn a_datagram_larger_than_the_next_link_arrives_whole() {
    let mut two = Two::across(with_mtu(576));
    let from = two.client.udp((two.client.address(), 0).into()).unwrap();
    let to = two.server.udp((two.server.address(), 9).into()).unwrap();
    let (data, address) = (bytes(5_000), to.local_addr());
    let sent = data.clone();
    let received = two
        .world
        .run(async move {
            from.send_to(&sent, address).await.unwrap();
            let mut buffer = vec![0; 9_000];
            let (length, _) = to.recv_from(&mut buffer).await.unwrap();
            buffer.truncate(length);
            buffer
        })
        .unwrap();
    assert!(received == data);
}
