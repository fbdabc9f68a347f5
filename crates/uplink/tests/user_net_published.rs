//! Published ports: the machine's listeners lead to a server on the stack.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

#[path = "support/user.rs"]
mod user;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Direction, Event, Gateway, Udp};
use glasstack_journal::{Observer, Record};
use glasstack_stack::{Host, PingOptions, World};
use glasstack_uplink::user::Limits;
use glasstack_uplink::{TapWorld, UserNet, UserNetConfig};
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;
use user::{Net, pattern};

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// A server on the stack that sends back what it gets, to `count` peers one after another.
async fn echo(host: &Host, port: u16, count: usize) -> Vec<SocketAddr> {
    let listener = host.listen(SocketAddr::new(host.address(), port)).unwrap();
    let mut peers = Vec::new();
    for _ in 0..count {
        let mut stream = listener.accept().await;
        peers.push(stream.peer_addr());
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream.write_all(&all).await.unwrap();
        stream.close().await.unwrap();
    }
    peers
}

#[test]
fn who_connects_to_the_machine_is_served_by_the_stack() {
    let mut net = Net::new();
    let on = net.net.publish_tcp(loopback(), 80).unwrap();
    let peer = thread::spawn(move || {
        let mut peer = TcpStream::connect(on).unwrap();
        let near = peer.local_addr().unwrap();
        peer.write_all(&pattern(3, 300_000)).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).unwrap();
        assert!(answer == pattern(3, 300_000), "{} bytes", answer.len());
        near
    });
    let host = net.host();
    let peers = net.run(echo(&host, 80, 1));
    let near = {
        net.run(async {
            while !peer.is_finished() {
                host.sleep(Duration::from_millis(1)).await;
            }
        });
        peer.join().unwrap()
    };
    // A peer on the loopback interface cannot be answered there: it is the gateway, by its port.
    assert_eq!(peers, [SocketAddr::new(net.net.gateway(), near.port())]);
    assert!(
        matches!(net.told().first(), Some(Gateway::Published { protocol: "TCP", on: told, .. }) if *told == on)
    );
}

#[test]
fn a_published_port_without_a_server_resets_its_peer() {
    let mut net = Net::new();
    let on = net.net.publish_tcp(loopback(), 80).unwrap();
    let peer = thread::spawn(move || {
        let mut peer = TcpStream::connect(on).unwrap();
        peer.read(&mut [0; 1]).map_err(|error| error.kind())
    });
    let host = net.host();
    net.run(async {
        while !peer.is_finished() {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(peer.join().unwrap(), Err(ErrorKind::ConnectionReset));
}

#[test]
fn more_than_the_limit_are_reset_and_told() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let mut net = Net::with(UserNetConfig { limits, ..UserNetConfig::default() });
    let on = net.net.publish_tcp(loopback(), 80).unwrap();
    let first = TcpStream::connect(on).unwrap();
    let (host, carried) = (net.host(), net.net.clone());
    let listener = host.listen(SocketAddr::new(host.address(), 80)).unwrap();
    let inside = net.run(async { listener.accept().await });
    assert_eq!(carried.carried().0, 1);
    let second = thread::spawn(move || {
        TcpStream::connect(on).unwrap().read(&mut [0; 1]).map_err(|error| error.kind())
    });
    net.run(async {
        while !second.is_finished() {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(second.join().unwrap(), Err(ErrorKind::ConnectionReset));
    drop((first, inside));
    net.run(async {
        while carried.carried().0 > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    let told = net.told();
    let refused = |fact: &Gateway| matches!(fact, Gateway::TurnedAway { why, .. } if why == "1 connections are open already");
    assert!(told.iter().any(refused), "{told:?}");
}

#[test]
fn datagrams_to_the_machine_reach_the_stack_and_are_answered_each_to_its_sender() {
    let mut net = Net::new();
    let on = net.net.publish_udp(loopback(), 53).unwrap();
    let peers: Vec<_> = (0..3)
        .map(|n| {
            thread::spawn(move || {
                let socket = UdpSocket::bind(loopback()).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                for round in 0..5 {
                    let data = pattern(n * 7 + round, 500 * round);
                    socket.send_to(&data, on).unwrap();
                    let mut buffer = vec![0; 65_536];
                    let (length, from) = socket.recv_from(&mut buffer).unwrap();
                    assert_eq!((&buffer[..length], from), (&data[..], on));
                }
            })
        })
        .collect();
    let host = net.host();
    net.run(async {
        let socket = host.udp(SocketAddr::new(host.address(), 53)).unwrap();
        let mut buffer = vec![0; 65_536];
        for _ in 0..15 {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            socket.send_to(&buffer[..length], from).await.unwrap();
        }
        while !peers.iter().all(thread::JoinHandle::is_finished) {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    peers.into_iter().for_each(|peer| peer.join().unwrap());
}

#[test]
fn peers_that_look_alike_behind_the_gateway_get_each_its_own_answer() {
    let mut net = Net::new();
    let on = net.net.publish_udp(loopback(), 53).unwrap();
    // Both are the gateway, and have the same port.
    let first = UdpSocket::bind("127.0.0.2:0").unwrap();
    let port = first.local_addr().unwrap().port();
    let second = UdpSocket::bind(("127.0.0.3", port)).unwrap();
    let host = net.host();
    for socket in [&first, &second] {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    }
    for round in 0..2_u8 {
        first.send_to(&[round, 1], on).unwrap();
        second.send_to(&[round, 2], on).unwrap();
        let seen = net.run(async {
            let socket = host.udp(SocketAddr::new(host.address(), 53)).unwrap();
            let mut asked = Vec::new();
            for _ in 0..2 {
                let mut buffer = [0; 9];
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                asked.push((buffer[..length].to_vec(), from));
            }
            for (question, from) in &asked {
                socket.send_to(question, *from).await.unwrap();
            }
            host.sleep(Duration::from_millis(10)).await;
            asked
        });
        assert_ne!(seen[0].1, seen[1].1);
        for (socket, expected) in [(&first, [round, 1]), (&second, [round, 2])] {
            let mut buffer = [0; 9];
            let (length, _) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!(buffer[..length], expected);
        }
    }
}

/// How many datagrams the gateway has sent to the client.
#[derive(Clone, Default)]
struct Sent(Arc<AtomicUsize>);

impl Observer for Sent {
    fn observe(&mut self, record: &Record) {
        if matches!(record.event, Event::Udp(Udp::Datagram { direction: Direction::Out, .. })) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_flood_of_datagrams_leaves_everybody_else_a_turn() {
    const FLOOD: usize = 100;
    let (mut world, sent) = (TapWorld::new().unwrap(), Sent::default());
    world.journal().attach(Box::new(sent.clone()));
    let net = UserNet::join(&mut world, UserNetConfig::default()).unwrap();
    let on = net.publish_udp(loopback(), 53).unwrap();
    let host = net.host().clone();
    // The gateway knows the client's station, and all of the flood is there.
    world.run(async { host.ping(net.gateway(), &PingOptions::default()).await.unwrap() }).unwrap();
    let peer = UdpSocket::bind(loopback()).unwrap();
    for _ in 0..FLOOD {
        peer.send_to(b"!", on).unwrap();
    }
    let (mut before, mut at_once) = (0, 0);
    let look = poll_fn(|cx| {
        let now = sent.0.load(Ordering::Relaxed);
        (before, at_once) = (now, at_once.max(now - before));
        cx.waker().wake_by_ref();
        if now < FLOOD { Poll::Pending } else { Poll::Ready(()) }
    });
    world.run(host.timeout(Duration::from_secs(60), look)).unwrap().unwrap();
    assert!(at_once < 10, "{at_once} datagrams went by before anybody else had a turn");
}

#[test]
fn a_port_that_is_taken_is_told_so() {
    let net = Net::new();
    let on = net.net.publish_tcp(loopback(), 80).unwrap();
    let error = net.net.publish_tcp(on, 81).unwrap_err();
    assert!(error.to_string().contains("another program has this port"), "{error}");
    let nobodys = "192.0.2.200:0".parse().unwrap();
    let error = net.net.publish_udp(nobodys, 81).unwrap_err();
    assert!(error.to_string().contains("no address of this machine"), "{error}");
}
