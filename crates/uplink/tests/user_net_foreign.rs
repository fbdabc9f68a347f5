//! The user-mode network and addresses that are not this machine's loopback: in a network namespace
//! with routes of all kinds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

mod support;
#[path = "support/user.rs"]
mod user;

use futures_util::AsyncReadExt;
use glasstack_journal::event::{Answer, Gateway};
use glasstack_stack::{ConnectError, ConnectOptions, PingError, PingOptions, UdpError};
use glasstack_uplink::UserNetConfig;
use glasstack_uplink::user::Limits;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;
use support::{in_a_fresh_namespace, shell};
use user::Net;

const ADDRESS_OF_THE_MACHINE: &str = "198.51.100.7";

/// Routes of all kinds, and two more hops behind the machine.
fn routes() {
    for line in [
        &format!("ip addr add {ADDRESS_OF_THE_MACHINE}/32 dev lo"),
        "ip route add unreachable 192.0.2.1",
        "ip route add prohibit 192.0.2.2",
        // A cable to somebody who takes nothing: it is not his MAC address.
        "ip link add void0 type veth peer name void1 && ip link set void0 up && ip link set void1 up",
        "ip addr add 203.0.113.1/24 dev void0 && ip neigh add 203.0.113.9 lladdr 02:00:00:00:00:09 dev void0",
    ] {
        shell(line);
    }
}

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

fn connect_error(net: &mut Net, to: SocketAddr) -> ConnectError {
    let host = net.host();
    net.run(async { host.connect(to).await.unwrap_err() })
}

#[test]
fn an_address_of_the_machine_is_reached_under_its_own_name() {
    in_a_fresh_namespace(|| {
        routes();
        let listener = TcpListener::bind((ADDRESS_OF_THE_MACHINE, 0)).unwrap();
        let to = listener.local_addr().unwrap();
        let thread = thread::spawn(move || listener.accept().unwrap().0.write_all(b"here").unwrap());
        let mut net = Net::new();
        let mut stream = net.connect(to);
        let answer = net.run(async {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        });
        assert_eq!((answer.as_str(), stream.peer_addr()), ("here", to));
        thread.join().unwrap();
        assert!(matches!(net.told().first(), Some(Gateway::Carried { onward: None, .. })));
    });
}

#[test]
fn what_the_network_says_of_a_connection_is_what_the_client_hears() {
    in_a_fresh_namespace(|| {
        routes();
        let mut net = Net::new();
        for (address, expected) in [
            ("192.0.2.1", "host unreachable"),
            ("192.0.2.2", "administratively prohibited"),
            ("8.8.8.8", "network unreachable"),
            ("0.1.2.3", "host unreachable"),
        ] {
            let to = at(address, 80);
            let error = connect_error(&mut net, to);
            let ConnectError::Unreachable { peer, from, what } = &error else { panic!("{address}: {error}") };
            assert_eq!((*peer, *from), (to, net.net.gateway()));
            assert!(what.contains(expected), "{address}: {what}");
        }
        assert_eq!(
            connect_error(&mut net, at(ADDRESS_OF_THE_MACHINE, 9)),
            ConnectError::Refused { peer: at(ADDRESS_OF_THE_MACHINE, 9) }
        );
    });
}

#[test]
fn a_host_that_keeps_silent_stays_silent() {
    in_a_fresh_namespace(|| {
        routes();
        let limits = Limits { connect: Duration::from_millis(50), ..Limits::default() };
        let mut net = Net::with(UserNetConfig { limits, ..UserNetConfig::default() });
        let (host, to) = (net.host(), at("203.0.113.9", 80));
        let options = ConnectOptions { timeout: Duration::from_millis(500), ..ConnectOptions::default() };
        let error = net.run(async { host.connect_with(to, &options).await.unwrap_err() });
        assert!(matches!(error, ConnectError::TimedOut { .. }), "{error}");
        let told = net.told();
        assert!(
            matches!(told.first(), Some(Gateway::TurnedAway { answer: Answer::Silence, .. })),
            "{told:?}"
        );
    });
}

#[test]
fn what_the_network_says_of_a_datagram_comes_back_to_its_sender() {
    in_a_fresh_namespace(|| {
        routes();
        let mut net = Net::new();
        let host = net.host();
        for (address, expected) in [
            ("192.0.2.1", "host unreachable"),
            ("192.0.2.2", "administratively prohibited"),
            ("8.8.8.8", "network unreachable"),
            (ADDRESS_OF_THE_MACHINE, "port unreachable"),
        ] {
            let error = net.run(async {
                let socket = host.udp("0.0.0.0:0".parse().unwrap()).unwrap();
                socket.send_to(b"anybody?", at(address, 9)).await.unwrap();
                socket.recv_from(&mut [0; 10]).await.unwrap_err()
            });
            let UdpError::Unreachable { what, .. } = &error else { panic!("{address}: {error}") };
            assert!(what.contains(expected), "{address}: {what}");
        }
    });
}

#[test]
fn the_second_hop_says_for_itself_that_it_was_the_last() {
    in_a_fresh_namespace(|| {
        // machine -- veth -- a router in a namespace of its own -- 192.0.2.0/24
        for line in [
            "ip link add near type veth peer name far",
            "ip addr add 10.0.0.1/24 dev near && ip link set near up",
            "ip route add default via 10.0.0.2",
            "echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range",
        ] {
            shell(line);
        }
        // The router lives as long as this process does.
        let mut router = std::process::Command::new("unshare")
            .args(["--net", "sh", "-c", "echo $$; read go; ip addr add 10.0.0.2/24 dev far; ip link set far up; ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward; ip route add 192.0.2.7 via 10.0.0.1; ip route add unreachable 192.0.2.8; echo up; read end"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(router.stdout.take().unwrap()));
        let pid = lines.next().unwrap().unwrap();
        shell(&format!("ip link set far netns {pid}"));
        let mut stdin = router.stdin.take().unwrap();
        stdin.write_all(b"go\n").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "up");
        let mut net = Net::new();
        let host = net.host();
        let mut hops = Vec::new();
        for (ttl, to) in [(1, "192.0.2.7"), (2, "192.0.2.7"), (3, "192.0.2.8")] {
            let to = to.parse().unwrap();
            let timeout = Duration::from_secs(20);
            let options = PingOptions { ttl, timeout, ..PingOptions::default() };
            let error = net.run(async { host.ping(to, &options).await.unwrap_err() });
            let PingError::Unreachable { what, .. } = &error else { panic!("hop {ttl}: {error}") };
            hops.push(what.clone());
        }
        drop(stdin);
        router.wait().unwrap();
        assert!(hops[0].contains("time") && hops[1].contains("time"), "{hops:?}");
        assert!(hops[2].contains("host unreachable"), "{hops:?}");
        let why = |fact: &Gateway| match fact {
            Gateway::TurnedAway { why, .. } => Some(why.clone()),
            _ => None,
        };
        let whys: Vec<_> = net.told().iter().filter_map(why).collect();
        // The first hop is the gateway's host, which says so without asking its gateway.
        let said = |what: &str| format!("{what}, says 10.0.0.2");
        assert_eq!(whys, [said("time to live exceeded"), said("host unreachable")]);
    });
}

#[test]
fn echo_requests_go_on_where_this_user_may_ping() {
    in_a_fresh_namespace(|| {
        routes();
        let mut net = Net::new();
        let host = net.host();
        let to = ADDRESS_OF_THE_MACHINE.parse().unwrap();
        // A new namespace lets nobody.
        let error = net.run(async { host.ping(to, &PingOptions::default()).await.unwrap_err() });
        let PingError::Unreachable { what, .. } = &error else { panic!("{error}") };
        assert!(what.contains("prohibited"), "{what}");
        let told = net.told();
        let Some(Gateway::TurnedAway { why, .. }) = told.first() else { panic!("{told:?}") };
        assert!(why.contains("net.ipv4.ping_group_range"), "{why}");

        shell("echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range");
        for seq in 1..=3 {
            let options = PingOptions { seq, length: 1400 * usize::from(seq), ..PingOptions::default() };
            let reply = net.run(async { host.ping(to, &options).await.unwrap() });
            assert_eq!((reply.from, reply.seq, reply.length), (to, seq, options.length));
        }
    });
}
