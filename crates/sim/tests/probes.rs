//! Probes on a way of three routers:
//!
//! ```text
//!   client 10.0.1.2 --- one 10.0.1.1, 10.0.12.1 --- two 10.0.12.2, 10.0.23.2 --- three 10.0.23.3, 10.0.3.1 --- server
//!                                                                                                     10.0.3.2
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use futures_util::future::join_all;
use glasstack_journal::Event;
use glasstack_journal::event::{Icmp, IcmpEffect, Span};
use glasstack_journal::journal::Recorder;
use glasstack_sim::{Cable, RouterConfig, SimWorld};
use glasstack_stack::{
    Addressing, Host, HostConfig, Prefix, ProbeAnswer, ProbeError, ProbeKind, ProbeOptions, ProbeReply,
    Unreachability, World,
};
use glasstack_views::{LadderOptions, Layer, ladder};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const KINDS: [ProbeKind; 3] = [ProbeKind::Udp, ProbeKind::Echo, ProbeKind::TcpSyn];

struct Way {
    world: SimWorld,
    recorder: Recorder,
    client: Host,
    server: Host,
}

fn address(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    Prefix::new(address(text), 24).unwrap()
}

fn everything() -> Prefix {
    Prefix::DEFAULT
}

impl Way {
    fn new() -> Self {
        Self::with_mtu(1_500)
    }

    /// The link between the second and the third router takes packets of `mtu` bytes.
    fn with_mtu(mtu: usize) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
        let host = |name: &str, last: u8, at: &str, gateway: &str| {
            let mac = glasstack_journal::event::MacAddress(support::mac(last));
            HostConfig::new(name, mac, at.parse().unwrap(), 24, Some(gateway.parse().unwrap())).unwrap()
        };
        let client = world.add_host(host("client", 1, "10.0.1.2", "10.0.1.1")).unwrap();
        let server = world.add_host(host("server", 2, "10.0.3.2", "10.0.3.1")).unwrap();
        let one = RouterConfig::new()
            .port(address("10.0.1.1"), 24)
            .port(address("10.0.12.1"), 24)
            .route(everything(), address("10.0.12.2"));
        let two = RouterConfig::new()
            .port(address("10.0.12.2"), 24)
            .port_with_mtu(address("10.0.23.2"), 24, mtu)
            .route(prefix("10.0.1.0"), address("10.0.12.1"))
            .route(prefix("10.0.3.0"), address("10.0.23.3"));
        let three = RouterConfig::new()
            .port(address("10.0.23.3"), 24)
            .port(address("10.0.3.1"), 24)
            .route(everything(), address("10.0.23.2"));
        let one = world.add_router("one", one).unwrap();
        let two = world.add_router("two", two).unwrap();
        let three = world.add_router("three", three).unwrap();
        world.connect(&client, (one, 0), Cable::new()).unwrap();
        world.connect((one, 1), (two, 0), Cable::new()).unwrap();
        world.connect((two, 1), (three, 0), Cable::new()).unwrap();
        world.connect((three, 1), &server, Cable::new()).unwrap();
        Self { world, recorder, client, server }
    }

    fn probe(&mut self, to: &str, options: ProbeOptions) -> Result<ProbeReply, ProbeError> {
        let client = self.client.clone();
        let to: IpAddr = to.parse().unwrap();
        self.world.run(async move { client.probe(to, &options).await }).unwrap()
    }

    /// Who answers what, hop by hop.
    fn trace(&mut self, kind: ProbeKind, port: u16) -> Vec<String> {
        let mut hops = Vec::new();
        for ttl in 1..10 {
            let options = ProbeOptions { kind, ttl, port, ..ProbeOptions::default() };
            let reply = self.probe("10.0.3.2", options).unwrap();
            hops.push(format!("{}: {}", reply.from, reply.what));
            if reply.what.is_final() {
                break;
            }
        }
        hops
    }
}

#[test]
fn every_router_on_the_way_names_itself_and_the_destination_answers_in_its_own_way() {
    let routers = ["10.0.1.1", "10.0.12.2", "10.0.23.3"].map(|at| format!("{at}: time to live exceeded"));
    for (kind, last) in KINDS.into_iter().zip(["port unreachable", "echo reply", "the port is closed"]) {
        let mut way = Way::new();
        let hops = way.trace(kind, 33_434);
        assert_eq!(hops[..3], routers);
        assert_eq!(hops[3..], [format!("10.0.3.2: {last}")]);
    }
}

#[test]
fn an_open_tcp_port_answers_and_what_would_be_a_connection_is_reset() {
    let mut way = Way::new();
    let _listener = way.server.listen("10.0.3.2:80".parse().unwrap()).unwrap();
    assert_eq!(way.trace(ProbeKind::TcpSyn, 80)[3], "10.0.3.2: the port is open");
    way.world.run_for(Duration::from_secs(5)).unwrap();
    let tcp = LadderOptions { local: false, ..LadderOptions::only(&[Layer::Tcp]) };
    let told = ladder(&way.recorder.records(), &tcp);
    let ends: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("three -> server") || line.contains("server ->"))
        .filter_map(|line| line.trim().split_once(' ').map(|(_, what)| what))
        .collect();
    assert_eq!(
        ends,
        ["three -> server  TCP SYN", "server -> three  TCP SYN ACK", "three -> server  TCP RST"]
    );
    assert!(way.client.flows().is_empty() && way.server.flows().is_empty());
}

#[test]
fn an_open_udp_port_may_answer_with_a_datagram_or_not_at_all() {
    let mut way = Way::new();
    let socket = way.server.udp("10.0.3.2:53".parse().unwrap()).unwrap();
    let options = ProbeOptions { port: 53, timeout: Duration::from_secs(2), ..ProbeOptions::default() };
    let silence = way.probe("10.0.3.2", options.clone()).unwrap_err();
    assert!(matches!(silence, ProbeError::TimedOut { .. }), "{silence}");
    way.server.spawn(async move {
        let mut buffer = [0; 100];
        // The first datagram is that of the probe that nobody waits for any more.
        while let Ok((_, from)) = socket.recv_from(&mut buffer).await {
            let _ = socket.send_to(b"hello", from).await;
        }
    });
    assert_eq!(way.probe("10.0.3.2", options).unwrap().what, ProbeAnswer::Datagram(5));
}

#[test]
fn the_answers_ttl_tells_how_far_it_came() {
    let mut way = Way::new();
    let options = ProbeOptions { kind: ProbeKind::Echo, ..ProbeOptions::default() };
    assert_eq!(way.probe("10.0.3.2", options).unwrap().ttl, 61);
}

#[test]
fn a_probe_is_as_long_as_it_is_said() {
    for (kind, length) in [(ProbeKind::Udp, 60), (ProbeKind::Udp, 1_400), (ProbeKind::Echo, 28)] {
        let mut way = Way::new();
        let options = ProbeOptions { kind, length, ..ProbeOptions::default() };
        way.probe("10.0.3.2", options).unwrap();
        let sent = way.recorder.records().into_iter().find_map(|record| match record.event {
            Event::Link(glasstack_journal::event::Link::Frame { bytes, .. }) if bytes[12..14] == [8, 0] => {
                Some(bytes.len() - 14)
            }
            _ => None,
        });
        assert_eq!(sent, Some(usize::from(length)));
    }
}

#[test]
fn a_link_that_is_too_small_says_how_much_it_takes_if_fragments_are_forbidden() {
    let mut way = Way::with_mtu(1_400);
    let options = ProbeOptions { length: 1_500, dont_fragment: true, ..ProbeOptions::default() };
    let reply = way.probe("10.0.3.2", options.clone()).unwrap();
    let expected = ProbeAnswer::Unreachable(Unreachability::FragmentationNeeded { mtu: 1_400 });
    assert_eq!((reply.from.to_string().as_str(), reply.what), ("10.0.12.2", expected));
    let whole = ProbeOptions { dont_fragment: false, ..options.clone() };
    assert_eq!(way.probe("10.0.3.2", whole).unwrap().what, ProbeAnswer::PortUnreachable);
    let error = way.probe("10.0.3.2", ProbeOptions { length: 1_501, ..options }).unwrap_err();
    assert_eq!(error, ProbeError::TooLarge { length: 1_501, mtu: 1_500 });
}

#[test]
fn who_is_not_there_and_where_no_way_leads_is_told_by_the_router() {
    let mut way = Way::new();
    let reply = way.probe("10.0.3.99", ProbeOptions::default()).unwrap();
    assert_eq!(reply.what, ProbeAnswer::Unreachable(Unreachability::Host));
    assert_eq!(reply.from.to_string(), "10.0.23.3");
    let reply = way.probe("192.0.2.1", ProbeOptions::default()).unwrap();
    assert!(matches!(reply.what, ProbeAnswer::Unreachable(_)), "{:?}", reply.what);
    assert_eq!(reply.from.to_string(), "10.0.12.2");
}

#[test]
fn many_probes_at_once_each_get_their_own_answer() {
    let mut way = Way::new();
    let client = way.client.clone();
    let to: IpAddr = "10.0.3.2".parse().unwrap();
    let probes = (0..24_u8).map(|n| {
        let kind = KINDS[usize::from(n) % 3];
        let options =
            ProbeOptions { kind, ttl: n % 4 + 1, port: 40_000 + u16::from(n), ..Default::default() };
        let client = &client;
        async move { client.probe(to, &options).await.unwrap().from.to_string() }
    });
    let from = way.world.run(join_all(probes)).unwrap();
    for (n, from) in from.iter().enumerate() {
        assert_eq!(from, ["10.0.1.1", "10.0.12.2", "10.0.23.3", "10.0.3.2"][n % 4], "probe {n}");
    }
}

#[test]
fn an_answer_that_comes_too_late_is_nobodys() {
    let mut way = Way::new();
    let options = ProbeOptions { timeout: Duration::from_millis(1), ..ProbeOptions::default() };
    // The way to the first router is known by now.
    way.probe("10.0.1.1", ProbeOptions::default()).unwrap();
    let error = way.probe("10.0.3.2", options).unwrap_err();
    assert!(error.to_string().contains("within 1 ms"), "{error}");
    way.world.run_for(Duration::from_secs(1)).unwrap();
    let effects: Vec<IcmpEffect> = way
        .recorder
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Icmp(Icmp::ErrorReceived { effect, .. }) => Some(effect),
            _ => None,
        })
        .collect();
    assert!(matches!(&effects[..], [IcmpEffect::ProbeAnswered, IcmpEffect::Ignored { .. }]), "{effects:?}");
}

#[test]
fn every_probe_has_a_span_of_its_own_that_is_closed() {
    let mut way = Way::new();
    way.trace(ProbeKind::Udp, 33_434);
    let records = way.recorder.records();
    let opened = records.iter().filter(|record| {
        matches!(&record.event, Event::Span(Span::Opened { kind, .. }) if kind.to_string().starts_with("probe"))
    });
    let closed = records.iter().filter(|record| matches!(record.event, Event::Span(Span::Closed)));
    assert_eq!((opened.count(), closed.count()), (4, 4));
}

#[test]
fn a_probe_to_oneself_and_to_a_silent_neighbour_come_to_an_end() {
    let mut way = Way::new();
    let reply = way.probe("10.0.1.2", ProbeOptions::default()).unwrap();
    assert_eq!((reply.what, reply.from.to_string().as_str()), (ProbeAnswer::PortUnreachable, "10.0.1.2"));
    let error = way.probe("10.0.1.77", ProbeOptions::default()).unwrap_err();
    assert!(matches!(error, ProbeError::NoArpReply { .. }), "{error}");
    let error = way.probe("2001:db8::1", ProbeOptions::default()).unwrap_err();
    assert!(matches!(error, ProbeError::NoRoute(_)), "{error}");
}

#[test]
fn a_probe_ends_with_the_address_that_it_was_sent_from() {
    let mut way = Way::new();
    let _silent = way.server.udp("10.0.3.2:53".parse().unwrap()).unwrap();
    let client = way.client.clone();
    let moved = async move {
        let options = ProbeOptions { port: 53, ..ProbeOptions::default() };
        let probe = client.probe("10.0.3.2".parse().unwrap(), &options);
        let elsewhere = Addressing { address: address("10.0.1.3"), prefix_len: 24, gateway: None, mtu: None };
        let move_away = async {
            client.sleep(Duration::from_secs(1)).await;
            client.configure(&elsewhere).unwrap();
        };
        futures_util::future::join(probe, move_away).await.0
    };
    let lost = way.world.run(moved).unwrap();
    assert!(matches!(lost, Err(ProbeError::AddressLost { .. })), "{lost:?}");
}

#[test]
fn a_sockets_error_is_not_taken_for_a_probes() {
    let mut way = Way::new();
    let client = way.client.clone();
    let other: SocketAddr = "10.0.3.2:9".parse().unwrap();
    let (first, second) = way
        .world
        .run(async move {
            let socket = client.udp("10.0.1.2:0".parse().unwrap()).unwrap();
            let options = ProbeOptions { ttl: 2, ..ProbeOptions::default() };
            let probe = client.probe("10.0.3.2".parse().unwrap(), &options);
            let told = async {
                socket.send_to(b"x", other).await.unwrap();
                socket.recv_from(&mut [0; 10]).await.unwrap_err().to_string()
            };
            futures_util::future::join(probe, told).await
        })
        .unwrap();
    assert_eq!(first.unwrap().from.to_string(), "10.0.12.2");
    assert!(second.contains("port unreachable"), "a socket's error is the socket's: {second}");
}

/// Somebody on the link: ARP is answered as by 10.0.0.9, every IP packet by what `answer` makes of it.
fn world_with_a_liar(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> (SimWorld, Host) {
    let mut world = SimWorld::new(1);
    let mac = glasstack_journal::event::MacAddress(support::mac(1));
    let config = HostConfig::new("client", mac, "10.0.0.1".parse().unwrap(), 24, None).unwrap();
    let client = world.add_host(config).unwrap();
    let liar = world.add_probe("liar").unwrap();
    world.connect(&client, &liar, Cable::new()).unwrap();
    liar.respond(move |frame, _| {
        let bytes = frame.bytes();
        if frame.is_arp_request() {
            let reply = [&[0, 1, 8, 0, 6, 4, 0, 2][..], &support::mac(9), &[10, 0, 0, 9], &bytes[22..32]];
            return vec![[&support::mac(1)[..], &support::mac(9), &[8, 6], &reply.concat()].concat()];
        }
        vec![answer(&bytes[14..])]
    });
    (world, client)
}

/// The beginning of a packet to the client.
fn from_the_liar() -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
    etherparse::PacketBuilder::ethernet2(support::mac(9), support::mac(1)).ipv4(
        [10, 0, 0, 9],
        [10, 0, 0, 1],
        64,
    )
}

/// Time exceeded about a packet, as `quote` has changed it.
fn time_exceeded(packet: &[u8], quote: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut packet = packet[..28].to_vec();
    quote(&mut packet);
    let code = etherparse::icmpv4::TimeExceededCode::TtlExceededInTransit;
    let mut error = Vec::new();
    let builder = from_the_liar().icmpv4(etherparse::Icmpv4Type::TimeExceeded(code));
    builder.write(&mut error, &packet).unwrap();
    error
}

/// The destination's answer to a probe; with `off` it is `off` from the right port, sequence number or
/// acknowledgment number.
fn answer_of_the_destination(packet: &[u8], off: u16) -> Vec<u8> {
    let at = |index: usize| u16::from_be_bytes([packet[index], packet[index + 1]]);
    let mut frame = Vec::new();
    match packet[9] {
        1 => from_the_liar().icmpv4_echo_reply(at(24), at(26) + off).write(&mut frame, &[]),
        6 => {
            let seq = u32::from_be_bytes(packet[24..28].try_into().unwrap());
            let ack = seq.wrapping_add(1 + u32::from(off));
            from_the_liar().tcp(at(22), at(20), 0, 0).rst().ack(ack).write(&mut frame, &[])
        }
        _ => from_the_liar().udp(at(22) + off, at(20)).write(&mut frame, b"x"),
    }
    .unwrap();
    frame
}

#[test]
fn an_answer_is_believed_only_if_it_is_the_destinations_and_to_the_probe() {
    for kind in KINDS {
        let answer = |off| {
            let (mut world, client) = world_with_a_liar(move |packet| answer_of_the_destination(packet, off));
            let options = ProbeOptions { kind, ..ProbeOptions::default() };
            world.run(async move { client.probe("10.0.0.9".parse().unwrap(), &options).await }).unwrap()
        };
        let right = answer(0).unwrap().what;
        let expected = match kind {
            ProbeKind::Udp => ProbeAnswer::Datagram(1),
            ProbeKind::Echo => ProbeAnswer::EchoReply,
            ProbeKind::TcpSyn => ProbeAnswer::Reset,
        };
        assert_eq!(right, expected);
        let wrong = answer(1);
        assert!(matches!(wrong, Err(ProbeError::TimedOut { .. })), "{kind:?}: {wrong:?}");
    }
}

#[test]
fn an_error_is_believed_only_if_it_quotes_the_probe() {
    let answer = |kind, at: usize| {
        let (mut world, client) =
            world_with_a_liar(move |packet| time_exceeded(packet, |quote| quote[at] ^= 1));
        let options = ProbeOptions { kind, ..ProbeOptions::default() };
        let to: IpAddr = "10.0.0.9".parse().unwrap();
        world.run(async move { client.probe(to, &options).await }).unwrap()
    };
    for kind in KINDS {
        // The TTL on arrival is nobody's secret.
        assert_eq!(answer(kind, 8).unwrap().what, ProbeAnswer::TimeExceeded);
        // The protocol, the source, the destination; ports and lengths, or identifier and sequence number, or
        // ports and sequence number.
        let told_by = match kind {
            ProbeKind::Udp => [9, 12, 19, 21, 23],
            ProbeKind::Echo => [9, 12, 19, 25, 27],
            ProbeKind::TcpSyn => [9, 12, 19, 23, 27],
        };
        for at in told_by {
            let outcome = answer(kind, at);
            assert!(matches!(outcome, Err(ProbeError::TimedOut { .. })), "{kind:?}, byte {at}: {outcome:?}");
        }
    }
}
