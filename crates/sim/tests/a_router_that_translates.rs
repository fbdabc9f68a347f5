//! A home router with NAT, packet by packet; every checksum of every packet that comes out is checked.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

#[path = "support/home.rs"]
mod home;

use glasstack_journal::event::DropReason;
use glasstack_sim::router::{Filtering, Forward, NatConfig};
use home::{HOME, Home, echo, forwarding, icmp, tcp, translating, udp};
use std::ops::RangeInclusive;

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const FIN_ACK: u8 = 0x11;
const RST: u8 = 0x04;

#[test]
fn who_leaves_takes_the_address_outside_and_the_answer_finds_back() {
    let mut home = Home::new(translating());
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    assert_eq!(home.outside(), ["udp 203.0.113.5:5000 > 198.51.100.80:53 \"what\""]);
    home.receive(udp("198.51.100.80:53", "203.0.113.5:5000", b"that"));
    assert_eq!(home.inside(), ["udp 198.51.100.80:53 > 192.168.1.10:5000 \"that\""]);
    assert_eq!(home.told(), ["0 s: UDP 192.168.1.10:5000 is 203.0.113.5:5000"]);
    assert_eq!(home.drops(), []);
}

#[test]
fn a_mapping_is_the_same_whoever_is_written_to() {
    // RFC 4787 REQ-1.
    let mut home = Home::new(translating());
    home.send(udp("192.168.1.11:5000", "198.51.100.80:53", b"first"));
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"second"));
    home.send(udp("192.168.1.10:5000", "198.51.100.99:7", b"third"));
    let seen = home.outside();
    let port = |text: &str| text.split([':', ' ']).nth(2).unwrap().to_owned();
    assert_eq!(port(&seen[0]), "5000");
    assert_ne!(port(&seen[1]), "5000", "it is the first one's");
    assert_eq!(port(&seen[1]), port(&seen[2]));
}

#[test]
fn two_with_the_same_port_get_each_his_own_answers() {
    let mut home = Home::new(translating());
    home.send(tcp("192.168.1.10:5000", "198.51.100.80:80", SYN));
    home.send(tcp("192.168.1.11:5000", "198.51.100.80:80", SYN));
    let seen = home.outside();
    let second = seen[1].split(' ').nth(1).unwrap();
    home.receive(tcp("198.51.100.80:80", "203.0.113.5:5000", SYN_ACK));
    home.receive(tcp("198.51.100.80:80", second, SYN_ACK));
    assert_eq!(
        home.inside(),
        [
            "tcp 198.51.100.80:80 > 192.168.1.10:5000 flags 0x12",
            "tcp 198.51.100.80:80 > 192.168.1.11:5000 flags 0x12"
        ]
    );
}

#[test]
fn pings_are_told_apart_by_their_identifiers() {
    let mut home = Home::new(translating());
    home.send(echo("192.168.1.10", "198.51.100.80", 7));
    home.send(echo("192.168.1.11", "198.51.100.80", 7));
    let seen = home.outside();
    assert_eq!(seen[0], "echo 203.0.113.5 > 198.51.100.80 ident 7");
    let other: u16 = seen[1].rsplit(' ').next().unwrap().parse().unwrap();
    assert_ne!(other, 7);
    let [high, low] = other.to_be_bytes();
    home.receive(icmp("198.51.100.80", HOME, [0, 0], [high, low, 0, 1], b"ping"));
    assert_eq!(home.inside(), ["reply 198.51.100.80 > 192.168.1.11 ident 7"]);
}

#[test]
fn what_nobody_asked_for_stays_outside_and_its_sender_hears_nothing() {
    let mut home = Home::new(translating());
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    home.outside();
    home.receive(udp("198.51.100.66:53", "203.0.113.5:5000", b"a stranger"));
    home.receive(udp("198.51.100.80:53", "203.0.113.5:5001", b"another port"));
    home.receive(tcp("198.51.100.80:80", "203.0.113.5:80", SYN));
    home.receive(udp("198.51.100.80:53", "192.168.1.10:5000", b"the inside is not there"));
    home.receive(udp("198.51.100.80:53", "192.168.1.1:53", b"nor is the router's inside"));
    home.receive(icmp("198.51.100.80", HOME, [0, 0], [0, 9, 0, 1], b"a reply"));
    assert_eq!(home.drops(), [DropReason::NatUnasked; 6]);
    assert_eq!((home.inside(), home.outside()), (vec![], vec![]));
    assert!(home.last_drop().1.contains("no mapping"));
    home.receive(udp("198.51.100.80:99", "203.0.113.5:5000", b"another port of whom it wrote to"));
    assert_eq!(home.inside().len(), 1, "RFC 4787 REQ-8: filtering depends on the address");
}

#[test]
fn who_may_use_a_mapping_is_configured() {
    for (filtering, passes) in [
        (Filtering::EndpointIndependent, [true, true]),
        (Filtering::AddressDependent, [false, true]),
        (Filtering::AddressAndPortDependent, [false, false]),
    ] {
        let mut home = Home::new(forwarding().nat(NatConfig { filtering, ..NatConfig::new(1) }));
        home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
        for (stranger, passes) in ["198.51.100.66:53", "198.51.100.80:99"].into_iter().zip(passes) {
            home.receive(udp(stranger, "203.0.113.5:5000", b"hello"));
            assert_eq!(home.inside().len() == 1, passes, "{filtering:?} {stranger}");
        }
    }
}

#[test]
fn the_router_answers_pings_from_both_sides_itself() {
    let mut home = Home::new(translating());
    home.receive(echo("198.51.100.80", HOME, 7));
    assert_eq!(home.outside(), ["reply 203.0.113.5 > 198.51.100.80 ident 7"]);
    home.send(echo("192.168.1.10", "192.168.1.1", 7));
    home.send(echo("192.168.1.10", HOME, 7));
    assert_eq!(
        home.inside(),
        ["reply 192.168.1.1 > 192.168.1.10 ident 7", "reply 203.0.113.5 > 192.168.1.10 ident 7"]
    );
}

#[test]
fn an_icmp_error_comes_in_with_what_it_quotes_as_the_sender_knows_it() {
    // RFC 5508 4.1.
    let mut home = Home::new(translating());
    home.send(udp("192.168.1.11:5000", "198.51.100.80:53", b"taken"));
    for (sent, seen_inside) in [
        (udp("192.168.1.10:5000", "198.51.100.80:53", b"what"), "192.168.1.10:5000 > 198.51.100.80:53"),
        (tcp("192.168.1.10:5000", "198.51.100.80:80", SYN), "192.168.1.10:5000 > 198.51.100.80:80"),
        (echo("192.168.1.10", "198.51.100.80", 9), "192.168.1.10 > 198.51.100.80 ident 9"),
    ] {
        home.outside();
        home.send(sent.clone());
        let translated = home.outside().remove(0);
        let mut quoted = sent;
        quoted.source = format!("{HOME}:0").parse().unwrap();
        // What left the router, as the error's sender has seen it.
        let quoted = match quoted.protocol {
            17 => {
                let from = translated.split(' ').nth(1).unwrap();
                udp(from, "198.51.100.80:53", b"what")
            }
            6 => tcp("203.0.113.5:5000", "198.51.100.80:80", SYN),
            _ => echo(HOME, "198.51.100.80", 9),
        };
        home.receive(icmp("198.18.0.1", HOME, [3, 1], [0; 4], &quoted.bytes()));
        assert_eq!(home.inside(), [format!("icmp 3/1 198.18.0.1 > 192.168.1.10 about {seen_inside}")]);
        let cut = &quoted.bytes()[..28];
        home.receive(icmp("198.18.0.1", HOME, [11, 0], [0; 4], cut));
        assert_eq!(home.inside().len(), 1, "with 8 bytes behind the header, too");
    }
    home.receive(icmp(
        "198.18.0.1",
        HOME,
        [3, 1],
        [0; 4],
        &udp("203.0.113.5:9", "198.51.100.80:9", b"").bytes(),
    ));
    assert_eq!(home.last_drop().0, DropReason::UnmatchedIcmp);
}

#[test]
fn a_redirect_from_outside_does_not_come_in() {
    let mut home = Home::new(translating());
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    let quoted = udp("203.0.113.5:5000", "198.51.100.80:53", b"what").bytes();
    home.receive(icmp("203.0.113.1", HOME, [5, 1], [203, 0, 113, 66], &quoted));
    assert_eq!(home.inside(), Vec::<String>::new());
    assert_eq!(home.last_drop().0, DropReason::UnmatchedIcmp);
}

#[test]
fn an_icmp_error_goes_out_with_what_it_quotes_as_the_world_knows_it() {
    let mut home = Home::new(translating().forward(Forward::udp(53, "192.168.1.20:5353".parse().unwrap())));
    home.receive(udp("198.51.100.80:4000", "203.0.113.5:53", b"what"));
    assert_eq!(home.inside(), ["udp 198.51.100.80:4000 > 192.168.1.20:5353 \"what\""]);
    let quoted = udp("198.51.100.80:4000", "192.168.1.20:5353", b"what").bytes();
    home.send(icmp("192.168.1.20", "198.51.100.80", [3, 3], [0; 4], &quoted));
    let about = "about 198.51.100.80:4000 > 203.0.113.5:53";
    assert_eq!(home.outside(), [format!("icmp 3/3 203.0.113.5 > 198.51.100.80 {about}")]);
    // A router inside has an address of the inside.
    home.send(icmp("192.168.1.254", "198.51.100.80", [11, 0], [0; 4], &quoted));
    assert_eq!(home.outside(), [format!("icmp 11/0 203.0.113.5 > 198.51.100.80 {about}")]);
}

#[test]
fn the_routers_own_errors_quote_what_their_reader_has_sent() {
    let config = translating().forward(Forward::udp(53, "192.168.1.77:53".parse().unwrap()));
    let mut home = Home::new(config);
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what").ttl(1));
    let about = "about 192.168.1.10:5000 > 198.51.100.80:53";
    assert_eq!(home.inside(), [format!("icmp 11/0 192.168.1.1 > 192.168.1.10 {about}")]);
    home.receive(udp("198.51.100.80:4000", "203.0.113.5:53", b"what").ttl(1));
    let about = "about 198.51.100.80:4000 > 203.0.113.5:53";
    assert_eq!(home.outside(), [format!("icmp 11/0 203.0.113.5 > 198.51.100.80 {about}")]);
    // Host 77 is off: what waited for it had been translated.
    home.receive(udp("198.51.100.80:4000", "203.0.113.5:53", b"what"));
    home.run(5_000);
    assert_eq!(home.outside(), [format!("icmp 3/1 203.0.113.5 > 198.51.100.80 {about}")]);
    home.send(udp("192.168.1.10:5000", "203.0.113.77:53", b"what"));
    home.run(5_000);
    let about = "about 192.168.1.10:5000 > 203.0.113.77:53";
    assert_eq!(home.inside(), [format!("icmp 3/1 192.168.1.1 > 192.168.1.10 {about}")]);
}

#[test]
fn a_forwarded_port_leads_inside_and_back() {
    let mut home = Home::new(translating().forward(Forward::tcp(80, "192.168.1.20:8080".parse().unwrap())));
    home.receive(tcp("198.51.100.80:4000", "203.0.113.5:80", SYN));
    assert_eq!(home.inside(), ["tcp 198.51.100.80:4000 > 192.168.1.20:8080 flags 0x02"]);
    home.send(tcp("192.168.1.20:8080", "198.51.100.80:4000", SYN_ACK));
    assert_eq!(home.outside(), ["tcp 203.0.113.5:80 > 198.51.100.80:4000 flags 0x12"]);
    home.run(300_000);
    home.receive(tcp("198.51.100.80:4001", "203.0.113.5:80", SYN));
    assert_eq!(home.inside().len(), 1, "the port does not go with its connection");
}

#[test]
fn who_calls_the_outside_from_inside_comes_from_outside() {
    // RFC 4787 REQ-9: hairpinning.
    let mut home = Home::new(translating().forward(Forward::tcp(80, "192.168.1.20:8080".parse().unwrap())));
    home.send(tcp("192.168.1.10:5000", "203.0.113.5:80", SYN));
    assert_eq!(home.inside(), ["tcp 203.0.113.5:5000 > 192.168.1.20:8080 flags 0x02"]);
    home.send(tcp("192.168.1.20:8080", "203.0.113.5:5000", SYN_ACK));
    assert_eq!(home.inside(), ["tcp 203.0.113.5:80 > 192.168.1.10:5000 flags 0x12"]);
    assert_eq!(home.outside(), Vec::<String>::new());
}

#[test]
fn two_inside_meet_by_their_outside_addresses_once_both_have_written() {
    let mut home = Home::new(translating());
    home.send(udp("192.168.1.10:5000", "198.51.100.80:3478", b"who am I"));
    home.send(udp("192.168.1.11:6000", "198.51.100.80:3478", b"who am I"));
    home.send(udp("192.168.1.10:5000", "203.0.113.5:6000", b"punch"));
    assert_eq!(home.last_drop().0, DropReason::NatUnasked);
    let config = NatConfig { filtering: Filtering::EndpointIndependent, ..NatConfig::new(1) };
    let mut home = Home::new(forwarding().nat(config));
    home.send(udp("192.168.1.10:5000", "198.51.100.80:3478", b"who am I"));
    home.send(udp("192.168.1.11:6000", "198.51.100.80:3478", b"who am I"));
    home.send(udp("192.168.1.10:5000", "203.0.113.5:6000", b"punch"));
    home.send(udp("192.168.1.11:6000", "203.0.113.5:5000", b"counter"));
    assert_eq!(
        home.inside(),
        [
            "udp 203.0.113.5:5000 > 192.168.1.11:6000 \"punch\"",
            "udp 203.0.113.5:6000 > 192.168.1.10:5000 \"counter\""
        ]
    );
}

#[test]
fn fragments_follow_their_first_even_if_they_come_before_it() {
    // RFC 4787 REQ-14.
    let mut home = Home::new(translating());
    let [first, last] = udp("192.168.1.10:5000", "198.51.100.80:53", &[b'x'; 40]).cut(24);
    home.send(last.clone());
    assert_eq!(home.outside(), Vec::<String>::new());
    home.send(first.clone());
    let pieces =
        ["udp 203.0.113.5:5000 > 198.51.100.80:53 in pieces", "piece 203.0.113.5 > 198.51.100.80 at 24"];
    assert_eq!(home.outside(), pieces);
    home.send(last.clone());
    assert_eq!(home.outside(), &pieces[1..]);
    let mut orphan = last;
    orphan.identification = 8;
    home.send(orphan);
    home.run(31_000);
    assert_eq!(home.last_drop().0, DropReason::ReassemblyTimeout);
    assert_eq!(home.outside(), Vec::<String>::new());
}

#[test]
fn silence_ends_a_mapping_and_only_what_leaves_keeps_one_of_udp_alive() {
    let mut home = Home::new(translating());
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    for _ in 0..3 {
        home.run(50_000);
        home.receive(udp("198.51.100.80:53", "203.0.113.5:5000", b"still there?"));
    }
    assert_eq!(
        home.told(),
        [
            "0 s: UDP 192.168.1.10:5000 is 203.0.113.5:5000",
            "120 s: UDP 192.168.1.10:5000 is 203.0.113.5:5000 no more"
        ]
    );
    assert_eq!((home.inside().len(), home.last_drop().0), (2, DropReason::NatUnasked));
}

#[test]
fn a_connection_that_is_open_lasts_for_hours_and_one_that_is_closed_for_minutes() {
    // RFC 5382 REQ-5.
    let mut home = Home::new(translating());
    let (client, server, outside) = ("192.168.1.10:5000", "198.51.100.80:80", "203.0.113.5:5000");
    home.send(tcp(client, server, SYN));
    home.receive(tcp(server, outside, SYN_ACK));
    home.send(tcp(client, server, ACK));
    home.run(7_400_000);
    home.receive(tcp(server, outside, ACK));
    assert_eq!(home.drops(), []);
    home.receive(tcp(server, outside, FIN_ACK));
    home.receive(tcp(server, outside, FIN_ACK));
    home.run(1_000_000);
    home.send(tcp(client, server, FIN_ACK));
    home.receive(tcp(server, outside, ACK));
    assert_eq!(home.drops(), []);
    home.run(240_000);
    assert_eq!(home.told().len(), 2, "the mapping is gone: {:?}", home.told());
    home.receive(tcp(server, outside, ACK));
    assert_eq!(home.last_drop().0, DropReason::NatUnasked);
    home.send(tcp(client, server, ACK));
    assert_eq!(home.last_drop().0, DropReason::NoConnection);
}

#[test]
fn a_reset_that_was_not_believed_ends_nothing() {
    let mut home = Home::new(translating());
    let (client, server, outside) = ("192.168.1.10:5000", "198.51.100.80:80", "203.0.113.5:5000");
    for heading in [true, false] {
        home.send(tcp(client, server, SYN));
        home.receive(tcp(server, outside, SYN_ACK));
        home.send(tcp(client, server, ACK));
        home.receive(tcp(server, outside, RST));
        if heading {
            home.send(tcp(client, server, ACK));
        }
        home.run(600_000);
        assert_eq!(home.told().len(), if heading { 1 } else { 2 });
    }
}

#[test]
fn a_connection_that_is_over_makes_way_for_one_with_the_same_ports() {
    for over in [RST, FIN_ACK] {
        let mut home = Home::new(translating());
        let (client, server, outside) = ("192.168.1.10:5000", "198.51.100.80:80", "203.0.113.5:5000");
        let open = |home: &mut Home| {
            home.send(tcp(client, server, SYN));
            home.receive(tcp(server, outside, SYN_ACK));
            home.send(tcp(client, server, ACK));
        };
        open(&mut home);
        home.receive(tcp(server, outside, over));
        home.send(tcp(client, server, over));
        open(&mut home);
        home.run(600_000);
        home.receive(tcp(server, outside, ACK));
        assert_eq!(home.drops(), [], "it lasts as any that is open");
        home.receive(tcp(server, outside, over));
        home.send(tcp(client, server, over));
        home.send(tcp(client, server, SYN));
        home.run(241_000);
        assert_eq!(home.told().len(), 2, "nobody answers, so it ends");
    }
}

#[test]
fn fragments_whose_first_does_not_come_wait_in_a_bounded_number() {
    let mut home = Home::new(translating());
    for identification in 0..65 {
        let [_, mut last] = udp("192.168.1.10:5000", "198.51.100.80:53", &[b'x'; 40]).cut(24);
        last.identification = identification;
        home.send(last);
    }
    assert_eq!(home.drops(), [DropReason::ReassemblyFull]);
}

#[test]
fn a_full_table_and_what_has_no_ports_are_told_as_such() {
    let mut home = Home::new(forwarding().nat(NatConfig { most: 1, ..NatConfig::new(1) }));
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    home.send(udp("192.168.1.10:5001", "198.51.100.80:53", b"what"));
    assert_eq!(home.last_drop().0, DropReason::NatFull);
    home.run(130_000);
    home.send(udp("192.168.1.10:5001", "198.51.100.80:53", b"now there is room"));
    assert_eq!(home.outside().len(), 2);
    let mut tunnel = udp("192.168.1.10:0", "198.51.100.80:0", b"");
    tunnel.protocol = 47;
    home.send(tunnel);
    assert_eq!(
        home.last_drop(),
        (DropReason::NatUntranslatable, "protocol 47 192.168.1.10 -> 198.51.100.80".into())
    );
}

#[test]
fn the_same_seed_draws_the_same_ports_and_another_draws_others() {
    let ports = |seed: u64| {
        let mut home = Home::with_seed(seed, translating());
        (10..20).for_each(|host| home.send(udp(&format!("192.168.1.{host}:5000"), "198.51.100.80:53", b"")));
        home.outside()
    };
    assert_eq!(ports(1), ports(1));
    assert_ne!(ports(1), ports(2));
}

#[test]
fn a_nat_that_cannot_be_is_refused_with_its_reason() {
    let forward = Forward::tcp(80, "192.168.1.20:80".parse().unwrap());
    for (config, why) in [
        (forwarding().forward(forward), "router home: `tcp 80 to 192.168.1.20:80` needs a NAT"),
        (forwarding().nat(NatConfig::new(2)), "router home: a NAT to port 2 of 2"),
        (
            forwarding().nat(NatConfig { ports: RangeInclusive::new(9, 8), ..NatConfig::new(1) }),
            "router home: a NAT with the ports 9-8, which are none",
        ),
        (
            translating().forward(forward).forward(forward),
            "router home: `tcp 80 to 192.168.1.20:80`: the port leads elsewhere already",
        ),
    ] {
        let mut world = glasstack_sim::SimWorld::new(1);
        assert_eq!(world.add_router("home", config).unwrap_err().to_string(), why);
    }
}
