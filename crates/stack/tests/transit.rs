//! A transparent host, and what it hands to its gateway: connections, datagrams and echo requests
//! to addresses that are nobody's on this cable.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod pair;

use futures_util::future::Either;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Direction, DropReason, Event, Icmp, Medium, SegmentReason, Tcp, TcpFlags};
use glasstack_stack::{
    ConnectError, ConnectOptions, Knock, Passing, PingError, PingOptions, Prefix, Route, Transit,
    TransitError, UdpError, Unreachable,
};
use pair::forge::{self, RST, SYN, Segment};
use pair::{CLIENT, Pair, SERVER};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const FAR: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A client whose way to everywhere, loopback included, leads to a transparent host.
fn behind_a_gateway(medium: Medium) -> Pair {
    Pair::with(medium, 1500, |config| {
        config.transparent = config.name == "server";
        if config.name == "client" {
            let IpAddr::V4(via) = SERVER else { panic!("IPv4") };
            for prefix in [Prefix::DEFAULT, Prefix::new(Ipv4Addr::LOCALHOST, 8).unwrap()] {
                config.routes.push(Route { prefix, via: Some(via), metric: 0 });
            }
        }
    })
}

async fn next_knock(transit: &Transit) -> Knock {
    match transit.next().await {
        Passing::Connection(knock) => knock,
        other => panic!("{other:?} instead of a connection"),
    }
}

fn count(pair: &Pair, pick: impl Fn(&Event) -> bool) -> usize {
    pair.recorder.records().iter().filter(|record| pick(&record.event)).count()
}

#[test]
fn a_connection_to_a_foreign_address_is_accepted_in_its_name() {
    for (medium, peer) in [(Medium::Ethernet, FAR), (Medium::Ip, FAR), (Medium::Ethernet, LOOPBACK)] {
        let mut pair = behind_a_gateway(medium);
        let transit = pair.server.transit().unwrap();
        let client = pair.client.clone();
        pair.client.spawn(async move {
            let knock = next_knock(&transit).await;
            assert_eq!((knock.from().ip(), knock.to()), (CLIENT, (peer, 80).into()));
            let mut stream = knock.accept().await.unwrap();
            assert_eq!(stream.local_addr(), (peer, 80).into());
            let mut question = [0; 4];
            stream.read_exact(&mut question).await.unwrap();
            stream.write_all(&question.map(|byte| byte.to_ascii_uppercase())).await.unwrap();
            stream.close().await.unwrap();
            assert_eq!(stream.read(&mut question).await.unwrap(), 0);
        });
        let answer = pair.run(async move {
            let mut stream = client.connect((peer, 80).into()).await.unwrap();
            stream.write_all(b"who?").await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        });
        assert_eq!(answer, "WHO?");
        pair.run_for(Duration::from_secs(1));
        assert_eq!(pair.server.held_flows(), 0);
    }
}

#[test]
fn the_syn_is_answered_only_once_the_gateway_has_decided_and_its_repetitions_are_absorbed() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    let client = pair.client.clone();
    let far = (FAR, 80).into();
    pair.client.spawn(async move {
        let server = transit;
        let knock = next_knock(&server).await;
        // Meanwhile the SYN is sent twice more, at 1 s and at 3 s.
        client.sleep(Duration::from_secs(5)).await;
        let stream = knock.accept().await.unwrap();
        client.sleep(Duration::from_secs(60)).await;
        drop(stream);
    });
    let client = pair.client.clone();
    let stream = pair.run(async move { client.connect(far).await.unwrap() });
    assert!(
        pair.now() > glasstack_journal::Instant::ZERO + Duration::from_secs(5),
        "the SYN was answered at {}",
        pair.now()
    );
    let absorbed = pair.server.counters().dropped.get(&DropReason::KnockPending).copied();
    assert_eq!(absorbed, Some(2), "repetitions of the SYN");
    let opened = count(&pair, |event| matches!(event, Event::Tcp(Tcp::Opened { .. })));
    assert_eq!(opened, 2, "one connection, told by each of its ends");
    drop(stream);
}

#[test]
fn a_refused_connection_is_reset_in_the_name_of_the_address_that_was_called() {
    for peer in [FAR, LOOPBACK] {
        let mut pair = behind_a_gateway(Medium::Ethernet);
        let transit = pair.server.transit().unwrap();
        pair.client.spawn(async move { next_knock(&transit).await.refuse() });
        let (client, to) = (pair.client.clone(), SocketAddr::from((peer, 81)));
        let error = pair.run(async move { client.connect(to).await.unwrap_err() });
        assert_eq!(error, ConnectError::Refused { peer: to });
        let resets = pair.story(|event| match event {
            Event::Tcp(Tcp::Segment(segment)) if segment.flags.has(TcpFlags::RST) => {
                Some(segment.source.to_string())
            }
            _ => None,
        });
        assert_eq!(resets, [to.to_string(), to.to_string()], "sent and received");
    }
}

#[test]
fn a_connection_that_leads_nowhere_fails_with_what_the_gateway_says() {
    let words = [
        (Unreachable::Network, "network unreachable"),
        (Unreachable::Host, "host unreachable"),
        (Unreachable::Prohibited, "administratively prohibited"),
    ];
    for (why, what) in words {
        let mut pair = behind_a_gateway(Medium::Ethernet);
        let transit = pair.server.transit().unwrap();
        pair.client.spawn(async move { next_knock(&transit).await.unreachable(why) });
        let (client, to) = (pair.client.clone(), SocketAddr::from((FAR, 80)));
        let error = pair.run(async move { client.connect(to).await.unwrap_err() });
        assert_eq!(error, ConnectError::Unreachable { peer: to, from: SERVER, what: what.into() });
    }
}

#[test]
fn silence_is_passed_on_as_silence_and_the_next_syn_knocks_again() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    let client = pair.client.clone();
    let knocks = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = knocks.clone();
    pair.client.spawn(async move {
        loop {
            drop(next_knock(&transit).await);
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let options = ConnectOptions { timeout: Duration::from_secs(5), ..ConnectOptions::default() };
    let error = pair.run(async move { client.connect_with((FAR, 80).into(), &options).await.unwrap_err() });
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error}");
    assert_eq!(knocks.load(std::sync::atomic::Ordering::Relaxed), 3, "at 0, 1 and 3 s");
}

#[test]
fn only_so_many_may_wait_for_a_decision() {
    let mut pair = Pair::with(Medium::Ethernet, 1500, |config| {
        config.transparent = config.name == "server";
        config.tcp.half_open = 2;
        let IpAddr::V4(via) = SERVER else { panic!("IPv4") };
        if config.name == "client" {
            config.routes.push(Route { prefix: Prefix::DEFAULT, via: Some(via), metric: 0 });
        }
    });
    let _transit = pair.server.transit().unwrap();
    let client = pair.client.clone();
    pair.run(async move {
        let options = ConnectOptions { timeout: Duration::from_millis(500), ..ConnectOptions::default() };
        let attempts = (1..=3).map(|port| client.connect_with((FAR, port).into(), &options));
        let (a, b, c) = {
            let mut attempts: Vec<_> = attempts.map(Box::pin).collect();
            let third = attempts.pop().unwrap();
            let second = attempts.pop().unwrap();
            futures_util::join!(attempts.pop().unwrap(), second, third)
        };
        assert!(a.is_err() && b.is_err() && c.is_err());
    });
    assert_eq!(pair.server.counters().dropped.get(&DropReason::TransitFull), Some(&1));
}

#[test]
fn the_hosts_own_sockets_keep_what_is_theirs_and_only_that() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    let listener = pair.server.listen((ANY, 53).into()).unwrap();
    let client = pair.client.clone();
    pair.client.spawn(async move {
        // To the gateway's own address, but to no port of its own.
        next_knock(&transit).await.refuse();
        // To a port of its own, but at another address.
        let knock = next_knock(&transit).await;
        assert_eq!(knock.to(), (FAR, 53).into());
        knock.refuse();
        transit.next().await;
    });
    pair.run(async move {
        let (own, accepted) = futures_util::join!(client.connect((SERVER, 53).into()), listener.accept());
        assert_eq!(own.unwrap().peer_addr(), accepted.local_addr());
        assert!(matches!(client.connect((SERVER, 54).into()).await, Err(ConnectError::Refused { .. })));
        assert!(matches!(client.connect((FAR, 53).into()).await, Err(ConnectError::Refused { .. })));
        drop(accepted);
    });
}

#[test]
fn datagrams_pass_and_are_answered_in_the_name_of_whom_they_were_for() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    let socket = pair.client.udp((ANY, 0).into()).unwrap();
    pair.client.spawn(async move {
        let Passing::Datagram(datagram) = transit.next().await else { panic!("no datagram") };
        assert_eq!((datagram.to, datagram.payload.as_slice()), ((FAR, 53).into(), &b"who?"[..]));
        transit.send_datagram(datagram.to, datagram.from, &vec![7; 4000]).await.unwrap();
        let Passing::Datagram(datagram) = transit.next().await else { panic!("no datagram") };
        transit.unreachable(&datagram, Unreachable::Port);
        transit.next().await;
    });
    pair.run(async move {
        let mut buffer = vec![0; 5000];
        socket.send_to(b"who?", (FAR, 53).into()).await.unwrap();
        assert_eq!(socket.recv_from(&mut buffer).await.unwrap(), (4000, (FAR, 53).into()));
        let to = (FAR, 54).into();
        socket.send_to(b"and you?", to).await.unwrap();
        let error = socket.recv_from(&mut buffer).await.unwrap_err();
        assert_eq!(error, UdpError::Unreachable { to, from: SERVER, what: "port unreachable".into() });
    });
}

#[test]
fn echo_requests_pass_and_the_last_hop_is_told_where_it_ends() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    let client = pair.client.clone();
    pair.client.spawn(async move {
        let Passing::Echo(echo) = transit.next().await else { panic!("no echo request") };
        assert_eq!((echo.to, echo.payload.len()), (FAR, 56));
        transit.reply_echo(&echo);
        let Passing::Echo(echo) = transit.next().await else { panic!("no echo request") };
        transit.unreachable(&echo, Unreachable::Host);
        transit.next().await;
    });
    pair.run(async move {
        let options = PingOptions { length: 56, ..PingOptions::default() };
        assert_eq!(client.ping(FAR, &options).await.unwrap().from, FAR);
        let error = client.ping(FAR, &options).await.unwrap_err();
        assert_eq!(
            error,
            PingError::Unreachable { destination: FAR, from: SERVER, what: "host unreachable".into() }
        );
        // RFC 1812 5.3.1: the first hop is the gateway itself.
        let short = PingOptions { ttl: 1, ..options };
        let error = client.ping(FAR, &short).await.unwrap_err();
        let what = "time to live exceeded".into();
        assert_eq!(error, PingError::Unreachable { destination: FAR, from: SERVER, what });
    });
}

#[test]
fn without_a_gateway_a_transparent_host_refuses_what_passes() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let socket = pair.client.udp((ANY, 0).into()).unwrap();
    drop(pair.server.transit().unwrap());
    let client = pair.client.clone();
    pair.run(async move {
        let error = client.connect((FAR, 80).into()).await.unwrap_err();
        assert_eq!(error, ConnectError::Refused { peer: (FAR, 80).into() });
        socket.send_to(b"?", (FAR, 53).into()).await.unwrap();
        assert!(matches!(socket.recv_from(&mut [0; 9]).await, Err(UdpError::Unreachable { .. })));
        let error = client.ping(FAR, &PingOptions::default()).await.unwrap_err();
        assert!(matches!(error, PingError::Unreachable { .. }), "{error}");
    });
}

#[test]
fn one_gateway_at_a_time_and_only_where_the_host_is_transparent() {
    let pair = behind_a_gateway(Medium::Ethernet);
    assert_eq!(pair.client.transit().unwrap_err(), TransitError::NotTransparent);
    let first = pair.server.transit().unwrap();
    assert_eq!(pair.server.transit().unwrap_err(), TransitError::Taken);
    drop(first);
    assert!(pair.server.transit().is_ok());
}

#[test]
fn a_transparent_host_connects_in_the_name_of_others_and_nobody_else_does() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let listener = pair.client.listen((ANY, 80).into()).unwrap();
    let (server, client) = (pair.server.clone(), pair.client.clone());
    pair.run(async move {
        for from in [SocketAddr::from((FAR, 4711)), SocketAddr::from((LOOPBACK, 4712))] {
            let options = ConnectOptions { from: Some(from), ..ConnectOptions::default() };
            let to = (CLIENT, 80).into();
            let (stream, accepted) =
                futures_util::join!(server.connect_with(to, &options), listener.accept());
            let mut stream = stream.unwrap();
            assert_eq!((stream.local_addr(), accepted.peer_addr()), (from, from));
            let again = server.connect_with(to, &options).await.unwrap_err();
            assert_eq!(again, ConnectError::PortTaken { peer: to, port: from.port() });
            stream.write_all(b"!").await.unwrap();
            let mut accepted = accepted;
            accepted.read_exact(&mut [0]).await.unwrap();
            let error = client.connect_with((SERVER, 80).into(), &options).await.unwrap_err();
            assert_eq!(error, ConnectError::NotOurs { peer: (SERVER, 80).into(), from: from.ip() });
        }
    });
}

#[test]
fn a_reset_takes_a_knock_back() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    let client = pair.client.clone();
    let accepted = pair.run(async move {
        let mut attempt = Box::pin(client.connect((FAR, 80).into()));
        let knock = match futures_util::future::select(&mut attempt, Box::pin(next_knock(&transit))).await {
            Either::Right((knock, _)) => knock,
            Either::Left(_) => panic!("nobody has answered"),
        };
        // RFC 9293 3.10.4: in SYN-SENT a closing caller says nothing, so the SYN-ACK comes as a
        // surprise, and is answered by a reset.
        drop(attempt);
        knock.accept().await.map(|_| ())
    });
    assert!(accepted.is_err(), "the caller was gone");
    let resets = count(
        &pair,
        |event| matches!(event, Event::Tcp(Tcp::Segment(segment)) if matches!(segment.why, SegmentReason::Reset(_))),
    );
    assert_eq!(resets, 2, "sent and received");
    assert_eq!(pair.server.held_flows(), 0);
}

/// SYNs and resets of one caller, from port 40 000 to port 80 of a host without listeners.
fn knocks(pair: &mut Pair, steps: impl IntoIterator<Item = (u8, u32)>) {
    for (flags, seq) in steps {
        pair.inject(0, Segment::new(flags, seq, 0).frame());
    }
    pair.run_for(Duration::from_millis(20));
}

/// From now on the two know each other's stations.
fn acquaint(pair: &mut Pair) {
    let client = pair.client.clone();
    pair.run(async move { client.ping(SERVER, &PingOptions::default()).await.unwrap() });
}

#[test]
fn who_knocks_and_takes_it_back_for_ever_has_knocked_once() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    let steps = (0..300).flat_map(|n| [(SYN, n * 10), (RST, n * 10 + 1)]);
    knocks(&mut pair, steps.chain([(SYN, 9000)]));
    let server = pair.server.clone();
    let second = pair.run(async move {
        let _first = next_knock(&transit).await;
        server.timeout(Duration::from_secs(1), transit.next()).await.map(|passing| format!("{passing:?}"))
    });
    assert!(second.is_err(), "{second:?}");
}

#[test]
fn what_is_decided_about_a_knock_that_was_taken_back_is_not_decided_about_the_next_one() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    acquaint(&mut pair);
    let mut stale = Vec::new();
    for seq in [100, 200, 300] {
        knocks(&mut pair, [(SYN, seq)]);
        stale.push(pair.run(next_knock(&transit)));
        knocks(&mut pair, [(RST, seq + 1)]);
    }
    knocks(&mut pair, [(SYN, 400)]);
    let knock = pair.run(next_knock(&transit));
    drop(stale.pop());
    stale.pop().unwrap().refuse();
    let accepted = pair.run(stale.pop().unwrap().accept()).map(|_| ());
    assert_eq!(accepted, Err(ConnectError::GivenUp { peer: (CLIENT, 40_000).into() }));
    let segments_sent = |pair: &Pair| {
        count(
            pair,
            |event| matches!(event, Event::Tcp(Tcp::Segment(segment)) if segment.direction == Direction::Out),
        )
    };
    assert_eq!(segments_sent(&pair), 0, "neither a reset nor an answer");
    knock.refuse();
    assert_eq!(segments_sent(&pair), 1);
}

#[test]
fn a_caller_who_never_confirms_is_no_connection() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    let transit = pair.server.transit().unwrap();
    knocks(&mut pair, [(SYN, 100)]);
    // The SYN-ACKs are lost.
    pair.filter(|side, bytes| side == 0 || bytes.get(23) != Some(&6));
    let accepted = pair.run(async move { next_knock(&transit).await.accept().await.map(|_| ()) });
    assert!(accepted.is_err(), "{accepted:?}");
    assert_eq!(pair.server.held_flows(), 0);
}

#[test]
fn an_error_or_a_later_fragment_that_has_no_hops_left_is_dropped_without_a_word() {
    let mut pair = behind_a_gateway(Medium::Ethernet);
    acquaint(&mut pair);
    let (echo_request, port_unreachable) = ([8, 0, 0xf7, 0xff], [3, 3, 0xfc, 0xfc]);
    let last_hop = |flags_and_offset, message: [u8; 4]| {
        let to = [192, 0, 2, 7];
        let mut frame =
            forge::ipv4(forge::v4(CLIENT), 1, flags_and_offset, &[&message[..], &[0; 40]].concat());
        frame[14 + 8] = 1;
        frame[14 + 16..14 + 20].copy_from_slice(&to);
        frame[14 + 10..14 + 12].fill(0);
        let sum = forge::checksum(&frame[14..34]);
        frame[14 + 10..14 + 12].copy_from_slice(&sum.to_be_bytes());
        frame
    };
    let told = |pair: &Pair| count(pair, |event| matches!(event, Event::Icmp(Icmp::ErrorSent { .. })));
    // RFC 1122 3.2.2: never about an ICMP error, nor about a fragment that is not the first.
    for frame in [last_hop(0, port_unreachable), last_hop(5, echo_request)] {
        pair.inject(0, frame);
        pair.run_for(Duration::from_secs(1));
        assert_eq!(told(&pair), 0);
    }
    pair.inject(0, last_hop(0, echo_request));
    pair.run_for(Duration::from_secs(1));
    assert_eq!(told(&pair), 1);
}
