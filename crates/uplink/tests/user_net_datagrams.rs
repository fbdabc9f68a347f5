//! Datagrams, echo requests and names over the user-mode network.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

#[path = "support/user.rs"]
mod user;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Answer, Gateway, Passage};
use glasstack_stack::{PingError, PingOptions, UdpError};
use glasstack_uplink::UserNetConfig;
use glasstack_uplink::user::Limits;
use std::net::{SocketAddr, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use user::{Net, deserted_port, server};

/// A UDP server of the kernel's that answers `count` datagrams with what `answer` makes of them.
fn udp_server(
    count: usize,
    answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static,
) -> (SocketAddr, JoinHandle<Vec<SocketAddr>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let address = socket.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        let one = |_| {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            socket.send_to(&answer(&buffer[..length]), from).unwrap();
            from
        };
        (0..count).map(one).collect()
    });
    (address, thread)
}

fn anywhere() -> SocketAddr {
    "0.0.0.0:0".parse().unwrap()
}

#[test]
fn datagrams_of_any_size_come_back_from_whom_they_were_sent_to() {
    const LENGTHS: [usize; 5] = [0, 1, 1472, 1473, 60_000];
    let (server, thread) = udp_server(LENGTHS.len(), <[u8]>::to_vec);
    let mut net = Net::new();
    let (host, to) = (net.host(), net.machine(server.port()));
    net.run(async {
        let socket = host.udp(anywhere()).unwrap();
        let mut buffer = vec![0; 65_536];
        for length in LENGTHS {
            let data = user::pattern(length, length);
            socket.send_to(&data, to).await.unwrap();
            let (count, from) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!((&buffer[..count], from), (&data[..], to));
        }
    });
    let mut peers = thread.join().unwrap();
    peers.dedup();
    assert_eq!(peers.len(), 1, "one socket for all that goes between two ends");
}

#[test]
fn a_datagram_to_a_port_that_nobody_has_comes_back_as_an_error() {
    let port = deserted_port();
    let mut net = Net::new();
    let (host, to) = (net.host(), net.machine(port));
    let error = net.run(async {
        let socket = host.udp(anywhere()).unwrap();
        socket.send_to(b"anybody?", to).await.unwrap();
        socket.recv_from(&mut [0; 10]).await.unwrap_err()
    });
    let UdpError::Unreachable { to: whom, what, .. } = &error else { panic!("{error}") };
    assert_eq!((*whom, what.as_str()), (to, "port unreachable"));
    let told = net.told();
    let Some(Gateway::TurnedAway { why, answer: Answer::Icmp("port unreachable"), .. }) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(why, "port unreachable, says 127.0.0.1");
}

#[test]
fn of_too_many_flows_the_one_idle_for_longest_gives_way() {
    let (server, thread) = udp_server(4, <[u8]>::to_vec);
    let limits = Limits { datagram_flows: 3, ..Limits::default() };
    let mut net = Net::with(UserNetConfig { limits, ..UserNetConfig::default() });
    let (host, to, carried) = (net.host(), net.machine(server.port()), net.net.clone());
    net.run(async {
        for _ in 0..4 {
            let socket = host.udp(anywhere()).unwrap();
            socket.send_to(b"x", to).await.unwrap();
            socket.recv_from(&mut [0; 10]).await.unwrap();
            assert!(carried.carried().1 <= 3);
            host.sleep(Duration::from_millis(2)).await;
        }
    });
    thread.join().unwrap();
    let mut ended = net.told().into_iter().filter_map(|fact| match fact {
        Gateway::Ended { passage: Passage::Udp { from, .. }, up: 1, down: 1, how } => Some((from, how)),
        _ => None,
    });
    let (first, how) = ended.next().unwrap();
    assert_eq!(how, "gave way to another");
    let began = net.told().into_iter().find_map(|fact| match fact {
        Gateway::Carried { passage: Passage::Udp { from, .. }, .. } => Some(from),
        _ => None,
    });
    assert_eq!(began, Some(first), "the first was idle for longest");
}

#[test]
fn a_flow_that_is_idle_for_too_long_is_over() {
    let (server, thread) = udp_server(1, <[u8]>::to_vec);
    let limits = Limits { datagram_idle: Duration::from_millis(20), ..Limits::default() };
    let mut net = Net::with(UserNetConfig { limits, ..UserNetConfig::default() });
    let (host, to, carried) = (net.host(), net.machine(server.port()), net.net.clone());
    net.run(async {
        let socket = host.udp(anywhere()).unwrap();
        socket.send_to(b"x", to).await.unwrap();
        socket.recv_from(&mut [0; 10]).await.unwrap();
        while carried.carried().1 > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    thread.join().unwrap();
    assert!(matches!(net.told().last(), Some(Gateway::Ended { how, .. }) if how == "idle"));
}

#[test]
fn the_last_hop_is_the_gateways_own() {
    let mut net = Net::new();
    let host = net.host();
    let options = PingOptions { ttl: 1, ..PingOptions::default() };
    let error = net.run(async { host.ping("192.0.2.7".parse().unwrap(), &options).await.unwrap_err() });
    let PingError::Unreachable { from, what, .. } = &error else { panic!("{error}") };
    assert_eq!(*from, net.net.gateway());
    assert!(what.contains("time"), "{what}");
}

#[test]
fn the_gateway_answers_an_echo_request_itself() {
    let mut net = Net::new();
    let (host, gateway) = (net.host(), net.net.gateway());
    let reply = net.run(async { host.ping(gateway, &PingOptions::default()).await.unwrap() });
    assert_eq!(reply.from, gateway);
    assert_eq!(net.told().len(), 0, "nobody else was asked");
}

#[test]
fn names_are_asked_of_the_machines_servers_the_silent_one_only_once() {
    let (silent, _kept) = {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        (socket.local_addr().unwrap(), socket)
    };
    let answer = |question: &[u8]| [&question[..2], b" is the answer"].concat();
    let (second, thread) = udp_server(3, answer);
    let name_servers = vec![silent, second];
    let mut net = Net::with(UserNetConfig { name_servers, ..UserNetConfig::default() });
    let (host, server) = (net.host(), net.machine(53));
    net.run(async {
        let socket = host.udp(anywhere()).unwrap();
        for id in [*b"AB", *b"CD", *b"EF"] {
            socket.send_to(&[&id[..], b"a question"].concat(), server).await.unwrap();
            let mut buffer = [0; 100];
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!((&buffer[..length], from), (&[&id[..], b" is the answer"].concat()[..], server));
        }
    });
    thread.join().unwrap();
    let asked: Vec<_> = net
        .told()
        .into_iter()
        .filter_map(|fact| match fact {
            Gateway::QuestionPassedOn { server, .. } => Some(server),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [silent, second, second, second]);
}

#[test]
fn a_name_server_that_refuses_is_passed_over_at_once_and_ipv6_will_do() {
    let refusing: SocketAddr = ([127, 0, 0, 1], deserted_port()).into();
    let Ok(socket) = UdpSocket::bind("[::1]:0") else {
        return eprintln!("skipped: this machine has no IPv6");
    };
    let six = socket.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let mut buffer = [0; 100];
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        // Somebody else's answer, or an answer to something else, is not taken for it.
        socket.send_to(b"xxwrong", from).unwrap();
        socket.send_to(&buffer[..length], from).unwrap();
    });
    let mut net = Net::with(UserNetConfig { name_servers: vec![refusing, six], ..UserNetConfig::default() });
    let (host, server) = (net.host(), net.machine(53));
    net.run(async {
        let socket = host.udp(anywhere()).unwrap();
        socket.send_to(b"IDquestion", server).await.unwrap();
        let mut buffer = [0; 100];
        let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], b"IDquestion");
    });
    thread.join().unwrap();
}

#[test]
fn long_answers_come_over_tcp_from_the_same_server() {
    use std::io::{Read, Write};
    let (port, thread) = server(1, |mut peer| {
        let mut question = [0; 8];
        peer.read_exact(&mut question).unwrap();
        peer.write_all(b"over tcp").unwrap();
    });
    let refusing: SocketAddr = ([127, 0, 0, 1], deserted_port()).into();
    let name_servers = vec![refusing, ([127, 0, 0, 1], port).into()];
    let mut net = Net::with(UserNetConfig { name_servers, ..UserNetConfig::default() });
    let mut stream = net.connect(net.machine(53));
    let answer = net.run(async {
        stream.write_all(b"question").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(answer, "over tcp");
    thread.join().unwrap();
}

#[test]
fn without_a_name_server_port_53_of_the_gateway_is_nobodys_and_not_the_machines() {
    let mut net = Net::new();
    let (host, server) = (net.host(), net.machine(53));
    let (refused, error) = net.run(async {
        let refused = host.connect(server).await.unwrap_err();
        let socket = host.udp(anywhere()).unwrap();
        socket.send_to(b"IDquestion", server).await.unwrap();
        (refused, socket.recv_from(&mut [0; 10]).await.unwrap_err())
    });
    assert_eq!(refused, glasstack_stack::ConnectError::Refused { peer: server });
    assert!(matches!(&error, UdpError::Unreachable { what, .. } if what == "port unreachable"), "{error}");
    let told = net.told();
    assert_eq!(told.len(), 2, "{told:?}");
    for fact in told {
        let Gateway::TurnedAway { why, .. } = fact else { panic!("{fact:?}") };
        assert_eq!(why, "this machine has no name server that is known of");
    }
}
