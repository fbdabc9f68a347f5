//! What RFC 1812 asks of a router, packet by packet, where the comparison with Linux (in the tests of the
//! program) does not look: chance, time, and what is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

#[path = "support/home.rs"]
mod home;

use glasstack_journal::Event;
use glasstack_journal::event::{DropReason, Icmp};
use glasstack_sim::router::{RipConfig, RouterConfig};
use home::{Home, echo, forwarding, tcp, udp};
use std::net::Ipv4Addr;

#[test]
fn errors_have_a_rate_and_what_exceeds_it_is_told() {
    // RFC 1812 4.3.2.8.
    let mut home = Home::new(forwarding().errors_per_second(10, 3));
    for _ in 0..5 {
        home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what").ttl(1));
    }
    assert_eq!(home.inside().len(), 3, "three at once");
    assert_eq!(home.drops().iter().filter(|reason| **reason == DropReason::IcmpRateLimited).count(), 2);
    home.run(1_000);
    for _ in 0..5 {
        home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what").ttl(1));
    }
    assert_eq!(home.inside().len(), 3, "and no more than three after any silence");
    home.send(echo("192.168.1.10", "192.168.1.1", 7));
    assert_eq!(home.inside().len(), 1, "an echo reply is no error");
}

#[test]
fn a_router_that_may_send_no_errors_sends_none() {
    let mut home = Home::new(forwarding().errors_per_second(0, 0));
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what").ttl(1));
    assert_eq!(home.inside(), Vec::<String>::new());
}

#[test]
fn sources_from_the_wrong_side_are_discarded_where_they_are_checked() {
    // RFC 3704 2.2.
    for (config, passes) in [(forwarding(), 1), (forwarding().checks_sources(), 0)] {
        let mut home = Home::new(config);
        home.receive(udp("192.168.1.20:5000", "192.168.1.10:53", b"from outside"));
        assert_eq!(home.inside().len(), passes);
        home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"from inside"));
        assert_eq!(home.outside().len(), 1);
        assert_eq!(home.drops(), vec![DropReason::MartianSource; 1 - passes]);
    }
}

#[test]
fn who_has_no_address_yet_comes_from_nowhere_even_where_sources_are_checked() {
    let mut home = Home::new(forwarding().checks_sources());
    home.shout(udp("0.0.0.0:68", "255.255.255.255:67", b"discover"));
    assert_eq!(home.drops(), [DropReason::NotForwarded]);
}

#[test]
fn a_shorter_way_is_told_and_the_packet_goes_on() {
    // RFC 1812 5.2.7.2. 203.0.113.1 is on the link of the sender.
    let mut home = Home::new(forwarding());
    home.receive(udp("203.0.113.9:5000", "198.51.100.80:53", b"what"));
    let mut seen = home.outside();
    seen.sort();
    assert_eq!(
        seen,
        [
            "icmp 5/1 203.0.113.5 > 203.0.113.9 about 203.0.113.9:5000 > 198.51.100.80:53",
            "udp 203.0.113.9:5000 > 198.51.100.80:53 \"what\""
        ]
    );
    let redirects = home.recorder.records().into_iter().filter(|record| {
        matches!(&record.event, Event::Icmp(Icmp::ErrorSent { what, .. }) if what == "redirect to 203.0.113.1")
    });
    assert_eq!(redirects.count(), 1);
    // Who is not on the link could not use it.
    home.receive(udp("198.18.0.1:5000", "198.51.100.80:53", b"what"));
    assert_eq!(home.outside().len(), 1);
}

#[test]
fn a_port_of_the_router_where_nobody_listens_answers_a_syn_with_a_reset() {
    let mut home = Home::new(forwarding());
    home.send(tcp("192.168.1.10:5000", "192.168.1.1:80", 0x02));
    assert_eq!(home.inside(), ["tcp 192.168.1.1:80 > 192.168.1.10:5000 flags 0x14"]);
    assert_eq!(home.last_drop().0, DropReason::NoTcpSocket);
}

#[test]
fn nothing_that_all_on_a_link_have_got_is_answered_by_an_error() {
    // RFC 1812 4.3.2.7.
    let mut home = Home::new(forwarding());
    let mut strange = udp("192.168.1.10:5000", "192.168.1.1:53", b"what");
    strange.protocol = 99;
    home.send(strange.clone());
    assert_eq!(home.inside().len(), 1);
    home.shout(strange);
    home.shout(udp("192.168.1.10:5000", "192.168.1.1:53", b"what"));
    home.shout(udp("192.168.1.10:5000", "198.51.100.80:53", b"what").ttl(1));
    assert_eq!(home.inside(), Vec::<String>::new());
    assert_eq!(home.drops().len(), 4);
}

#[test]
fn a_datagram_for_the_router_whose_pieces_do_not_come_is_given_up() {
    let mut home = Home::new(forwarding());
    let [first, _] = udp("192.168.1.10:5000", "192.168.1.1:53", &[b'x'; 40]).cut(24);
    home.send(first);
    home.run(31_000);
    assert_eq!(home.last_drop().0, DropReason::ReassemblyTimeout);
}

#[test]
fn a_fragment_that_ends_behind_the_longest_packet_goes_no_further() {
    let mut home = Home::new(forwarding());
    let mut last = udp("192.168.1.10:5000", "198.51.100.80:53", &[b'x'; 40]);
    last.fragment = 0x1fff;
    home.send(last);
    assert_eq!(home.outside(), Vec::<String>::new());
    assert_eq!(home.last_drop().0, DropReason::BadFragment);
}

#[test]
fn what_a_service_says_to_all_is_cut_where_it_does_not_fit() {
    let config = RouterConfig::new()
        .port_with_mtu(Ipv4Addr::new(192, 168, 1, 1), 24, 68)
        .port(Ipv4Addr::new(203, 0, 113, 5), 24)
        .port(Ipv4Addr::new(10, 0, 0, 1), 8)
        .port(Ipv4Addr::new(172, 16, 0, 1), 16)
        .rip(RipConfig::new());
    let mut home = Home::new(config);
    home.run(40_000);
    let seen = home.inside();
    let update = ["udp 192.168.1.1:520 > 224.0.0.9:520 in pieces", "piece 192.168.1.1 > 224.0.0.9 at 48"];
    assert_eq!(seen[seen.len() - 2..], update);
}
