//! The stack under programs that block: two hosts on a wire, and a host against the kernel.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the kernel's side is made of its own sockets")]
#![allow(clippy::disallowed_methods, reason = "blocking programs have threads, and deadlines in real time")]

mod support;

use glasstack_stack::{ConnectError, HostConfig, TcpError};
use glasstack_uplink::addressing::stack_mac;
use glasstack_uplink::blocking::{Host, World};
use glasstack_uplink::{TapConfig, TapWorld, UserNetConfig};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::time::{Duration, Instant};
use support::a_fresh_namespace;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(20);
/// Long enough that a wait is a wait.
const SHORT: Duration = Duration::from_millis(50);

/// Two hosts, joined by a wire.
fn two_hosts() -> (World, Host, Host) {
    let mut world = TapWorld::new().unwrap();
    let (left, right) = world.wire("wire", 1500);
    let config = |name, address: Ipv4Addr| {
        HostConfig::new(name, stack_mac(address.into()), address.into(), 24, None).unwrap()
    };
    let a = world.add_host_on_wire(config("a", A), left).unwrap();
    let b = world.add_host_on_wire(config("b", B), right).unwrap();
    let world = World::start(world).unwrap();
    let (a, b) = (world.host(&a), world.host(&b));
    (world, a, b)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect()
}

#[test]
fn a_blocking_client_and_a_blocking_server_talk_over_a_wire_and_close_in_order() {
    let (world, a, b) = two_hosts();
    let listener = b.listen((B, 80)).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, peer) = listener.accept().unwrap();
        assert_eq!(peer, stream.peer_addr().unwrap());
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(line.to_uppercase().as_bytes()).unwrap();
    });
    let mut stream = a.connect((B, 80)).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), SocketAddr::from((B, 80)));
    assert_eq!(stream.local_addr().unwrap().ip(), IpAddr::from(A));
    stream.write_all(b"hello\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "HELLO\n");
    server.join().unwrap();
    drop(stream);
    assert!(world.shutdown(LIMIT).unwrap(), "every FIN is acknowledged");
}

#[test]
fn one_thread_writes_while_another_reads_the_same_connection() {
    let (_world, a, b) = two_hosts();
    let listener = b.listen((B, 7)).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        std::io::copy(&mut &stream, &mut &stream).unwrap();
    });
    let stream = a.connect((B, 7)).unwrap();
    let sent = pattern(2_000_000);
    let mut echo = Vec::new();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (&stream).write_all(&sent).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        });
        (&stream).read_to_end(&mut echo).unwrap();
        writer.join().unwrap();
    });
    assert!(echo == sent, "{} bytes came back", echo.len());
}

#[test]
fn many_threads_share_a_host_and_a_listener() {
    let (world, a, b) = two_hosts();
    let listener = b.listen((B, 80)).unwrap();
    const THREADS: usize = 8;
    const EACH: usize = 10;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for stream in listener.incoming().take(THREADS * EACH / 2) {
                    let mut stream = stream.unwrap();
                    let mut request = [0; 4];
                    stream.read_exact(&mut request).unwrap();
                    stream.write_all(&request).unwrap();
                }
            });
        }
        for thread in 0..THREADS {
            let a = a.clone();
            scope.spawn(move || {
                for turn in 0..EACH {
                    let request = [u8::try_from(thread).unwrap(), u8::try_from(turn).unwrap(), 0, 0];
                    let mut stream = a.connect((B, 80)).unwrap();
                    stream.write_all(&request).unwrap();
                    let mut answer = Vec::new();
                    stream.read_to_end(&mut answer).unwrap();
                    assert_eq!(answer, request);
                }
            });
        }
    });
    drop(listener);
    assert!(world.shutdown(LIMIT).unwrap());
}

#[test]
fn a_read_that_nothing_answers_times_out_and_the_connection_goes_on() {
    let (_world, a, b) = two_hosts();
    let listener = b.listen((B, 80)).unwrap();
    let mut stream = a.connect((B, 80)).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    assert_eq!(stream.read_timeout().unwrap(), None);
    assert_eq!(stream.set_read_timeout(Some(Duration::ZERO)).unwrap_err().kind(), ErrorKind::InvalidInput);
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let begun = Instant::now();
    assert_eq!(stream.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(begun.elapsed() >= SHORT);
    peer.write_all(b"late").unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"late");
}

#[test]
fn a_write_that_nobody_reads_times_out_when_all_buffers_are_full() {
    let (_world, a, b) = two_hosts();
    let listener = b.listen((B, 80)).unwrap();
    let mut stream = a.connect((B, 80)).unwrap();
    let _peer = listener.accept().unwrap();
    stream.set_write_timeout(Some(SHORT)).unwrap();
    let error = stream.write_all(&pattern(4_000_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn errors_are_of_the_kinds_that_the_kernels_sockets_give_and_keep_this_stacks_reason() {
    let (_world, a, b) = two_hosts();
    let refused = a.connect((B, 9)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let reason = refused.get_ref().and_then(|inner| inner.downcast_ref::<ConnectError>());
    assert_eq!(reason, Some(&ConnectError::Refused { peer: (B, 9).into() }));
    let far = a.connect((Ipv4Addr::new(192, 0, 2, 1), 80)).unwrap_err();
    assert_eq!(far.kind(), ErrorKind::NetworkUnreachable, "{far}");
    let nobody = Ipv4Addr::new(10, 0, 0, 77);
    assert_eq!(a.connect_timeout((nobody, 80), SHORT).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(a.connect((B, 0)).unwrap_err().kind(), ErrorKind::InvalidInput);

    let _first = b.listen((B, 80)).unwrap();
    assert_eq!(b.listen((B, 80)).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(b.listen((A, 81)).unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    let _first = b.udp((B, 53)).unwrap();
    assert_eq!(b.udp((B, 53)).unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_connection_reset_by_its_peer_says_so_and_one_shut_for_writing_is_a_broken_pipe() {
    let (_world, a, b) = two_hosts();
    let listener = b.listen((B, 80)).unwrap();
    let mut stream = a.connect((B, 80)).unwrap();
    let (peer, _) = listener.accept().unwrap();
    stream.write_all(b"never read").unwrap();
    // It has come; what of it is unread when the last handle goes makes that a reset.
    (&peer).read_exact(&mut [0; 1]).unwrap();
    drop(peer);
    let error = stream.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<TcpError>());
    assert_eq!(reason, Some(&TcpError::Reset { peer: (B, 80).into() }));

    let mut stream = a.connect((B, 80)).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    assert_eq!(stream.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_listener_on_port_zero_gets_a_free_one() {
    let (_world, a, b) = two_hosts();
    let listeners = [b.listen((B, 0)).unwrap(), b.listen((Ipv4Addr::UNSPECIFIED, 0)).unwrap()];
    let ports = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
    assert_ne!(ports[0], ports[1]);
    for port in ports {
        assert!(port >= 49_152);
        a.connect((B, port)).unwrap();
    }
}

#[test]
fn datagrams_go_both_ways_and_an_unreachable_port_is_told() {
    let (_world, a, b) = two_hosts();
    let (ours, theirs) = (a.udp((A, 0)).unwrap(), b.udp((B, 53)).unwrap());
    assert_eq!(ours.send_to(b"ping", (B, 53)).unwrap(), 4);
    let mut buffer = [0; 2];
    let (length, from) = theirs.recv_from(&mut buffer).unwrap();
    assert_eq!((length, &buffer, from), (2, b"pi", ours.local_addr().unwrap()));
    theirs.send_to(b"pong", from).unwrap();
    let mut buffer = [0; 100];
    assert_eq!(ours.recv_from(&mut buffer).unwrap(), (4, SocketAddr::from((B, 53))));

    ours.set_read_timeout(Some(SHORT)).unwrap();
    assert_eq!(ours.recv_from(&mut buffer).unwrap_err().kind(), ErrorKind::TimedOut);
    ours.set_read_timeout(Some(LIMIT)).unwrap();
    ours.send_to(b"anybody?", (B, 99)).unwrap();
    assert_eq!(ours.recv_from(&mut buffer).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(ours.send_to(&[0; 65_508], (B, 53)).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_ping_is_answered_and_one_into_the_void_is_host_unreachable() {
    let (_world, a, _b) = two_hosts();
    assert_eq!(a.ping(B).unwrap().from, IpAddr::from(B));
    assert_eq!(a.ping(Ipv4Addr::new(192, 0, 2, 9)).unwrap_err().kind(), ErrorKind::NetworkUnreachable);
}

#[test]
fn who_waits_for_a_world_that_ends_is_told_that_the_network_is_down() {
    let (world, a, b) = two_hosts();
    let listener = b.listen((B, 80)).unwrap();
    let mut stream = a.connect((B, 80)).unwrap();
    let _peer = listener.accept().unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || stream.read(&mut [0; 8]).unwrap_err().kind());
        let acceptor = scope.spawn(|| listener.accept().unwrap_err().kind());
        assert!(!world.shutdown(SHORT).unwrap(), "connections are still open");
        assert_eq!(reader.join().unwrap(), ErrorKind::NetworkDown);
        assert_eq!(acceptor.join().unwrap(), ErrorKind::NetworkDown);
    });
    assert_eq!(a.connect((B, 80)).unwrap_err().kind(), ErrorKind::NetworkDown);
}

#[test]
fn a_blocking_program_reaches_the_machines_loopback_over_the_user_network() {
    let (_world, host) = World::on_user_net(UserNetConfig::default()).unwrap();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = server.local_addr().unwrap();
    let serving = std::thread::spawn(move || server.accept().unwrap().0.write_all(b"welcome").unwrap());
    let mut stream = host.connect(to).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "welcome");
    serving.join().unwrap();
    assert_eq!(host.connect(to).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_blocking_program_talks_to_a_kernel_server_over_a_tap_and_dropping_the_world_says_goodbye() {
    let Some(ns) = a_fresh_namespace() else { return };
    let (world, host) = World::on_device(ns.tap(&TapConfig::default()).unwrap()).unwrap();
    let server = ns.run(|| std::net::TcpListener::bind("10.71.83.1:0")).unwrap().unwrap();
    let to = server.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.read(&mut [0; 8]).unwrap()
    });
    let mut stream = host.connect(to).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(b"marco\n").unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert_eq!(line, "marco\n");
    drop(stream);
    drop(world);
    assert_eq!(serving.join().unwrap(), 0, "a FIN came");
}
