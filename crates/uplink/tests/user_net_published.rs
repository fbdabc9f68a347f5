//! Published ports: the machine's listeners lead to a server on the stack.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

#[path = "support/user.rs"]
mod user;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::Gateway;
use glasstack_stack::Host;
use glasstack_uplink::UserNetConfig;
use glasstack_uplink::user::Limits;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
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
fn a_port_that_is_taken_is_told_so() {
    let net = Net::new();
    let on = net.net.publish_tcp(loopback(), 80).unwrap();
    let error = net.net.publish_tcp(on, 81).unwrap_err();
    assert!(error.to_string().contains("another program has this port"), "{error}");
    let nobodys = "192.0.2.200:0".parse().unwrap();
    let error = net.net.publish_udp(nobodys, 81).unwrap_err();
    assert!(error.to_string().contains("no address of this machine"), "{error}");
}
