//! TCP over the user-mode network: what the client sees is what the machine's own socket saw.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

#[path = "support/user.rs"]
mod user;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Answer, Gateway, Passage};
use glasstack_stack::ConnectError;
use glasstack_uplink::UserNetConfig;
use glasstack_uplink::user::Limits;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::mpsc;
use std::time::Duration;
use user::{Net, Sum, deserted_port, pattern, server};

#[test]
fn a_question_and_its_answer_cross_the_gateway_and_both_ends_close() {
    let (port, thread) = server(1, |mut peer| {
        let mut question = String::new();
        peer.read_to_string(&mut question).unwrap();
        peer.write_all(format!("you said {question}").as_bytes()).unwrap();
    });
    let mut net = Net::new();
    let mut stream = net.connect(net.machine(port));
    let answer = net.run(async {
        stream.write_all(b"hello").await.unwrap();
        // The half-close is carried across: only now has the question an end.
        stream.close().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(answer, "you said hello");
    thread.join().unwrap();
    drop(stream);
    assert!(glasstack_stack::World::drain(&mut net.world, Duration::from_secs(10)).unwrap());
    let told = net.told();
    let [
        Gateway::Carried { onward: Some(onward), via: Some(via), .. },
        Gateway::Ended { up: 5, down: 14, how, .. },
    ] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(onward.to_string(), format!("127.0.0.1:{port}"));
    assert!(via.ip().is_loopback());
    assert_eq!(how, "closed by both");
}

#[test]
fn loopback_addresses_are_the_machines() {
    let listener = std::net::TcpListener::bind("127.53.0.9:0").unwrap();
    let to = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"localhost").unwrap());
    let mut net = Net::new();
    let mut stream = net.connect(to);
    let answer = net.run(async {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    assert_eq!((answer.as_str(), stream.peer_addr()), ("localhost", to));
    thread.join().unwrap();
}

#[test]
fn a_server_that_has_taken_only_the_ipv6_half_of_localhost_is_found() {
    let Ok(listener) = std::net::TcpListener::bind("[::1]:0") else {
        return eprintln!("this machine has no IPv6: nothing to find");
    };
    let onward = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"six").unwrap());
    let mut net = Net::new();
    let mut stream = net.connect(([127, 0, 0, 1], onward.port()).into());
    let answer = net.run(async {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    thread.join().unwrap();
    assert_eq!(answer, "six");
    let told = net.told();
    let carried = |fact: &Gateway| matches!(fact, Gateway::Carried { onward: Some(to), .. } if *to == onward);
    assert!(told.iter().any(carried), "{told:?}");
}

#[test]
fn the_server_may_end_first_and_still_listen() {
    let (port, thread) = server(1, |mut peer| {
        peer.write_all(b"speak after me").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, pattern(0, 200_000));
    });
    let mut net = Net::new();
    let mut stream = net.connect(net.machine(port));
    net.run(async {
        let mut greeting = String::new();
        stream.read_to_string(&mut greeting).await.unwrap();
        assert_eq!(greeting, "speak after me");
        stream.write_all(&pattern(0, 200_000)).await.unwrap();
        stream.close().await.unwrap();
    });
    let host = net.host();
    net.run(async {
        while !thread.is_finished() {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    thread.join().unwrap();
}

#[test]
fn a_port_without_a_listener_refuses_the_client_at_once() {
    let port = deserted_port();
    let mut net = Net::new();
    let (host, to) = (net.host(), net.machine(port));
    let error = net.run(async { host.connect(to).await.unwrap_err() });
    assert_eq!(error, ConnectError::Refused { peer: to });
    let told = net.told();
    let [Gateway::TurnedAway { passage: Passage::Tcp { to: whom, .. }, why, answer: Answer::Reset }] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(*whom, to);
    assert!(why.contains("Connection refused"), "{why}");
}

#[test]
fn a_servers_reset_reaches_the_client_behind_what_was_said_before() {
    let (port, thread) = server(1, |mut peer| {
        // What is never read makes close(2) a reset (RFC 1122 4.2.2.13).
        let mut first = [0; 1];
        peer.read_exact(&mut first).unwrap();
        peer.write_all(b"413 too much").unwrap();
    });
    let mut net = Net::new();
    let mut stream = net.connect(net.machine(port));
    let (answer, error) = net.run(async {
        stream.write_all(&[7; 1000]).await.unwrap();
        let (mut answer, mut buffer) = (Vec::new(), [0; 100]);
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => panic!("a reset is no end"),
                Ok(length) => answer.extend_from_slice(&buffer[..length]),
                Err(error) => return (answer, error),
            }
        }
    });
    assert_eq!(answer, b"413 too much");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    thread.join().unwrap();
}

#[test]
fn a_servers_reset_reaches_a_client_that_takes_nothing() {
    let (told, hear) = mpsc::channel();
    let (port, thread) = server(1, move |mut peer| {
        // Until nothing more goes out, and then the end with what the client sent unread.
        peer.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        while peer.write(&[1; 65_536]).is_ok() {}
        told.send(()).unwrap();
    });
    let mut net = Net::new();
    let mut stream = net.connect(net.machine(port));
    net.run(async {
        stream.write_all(b"never read").await.unwrap();
        std::future::poll_fn(|cx| stream.poll_broken(cx)).await;
    });
    hear.recv().unwrap();
    thread.join().unwrap();
}

#[test]
fn a_clients_reset_reaches_the_server_even_one_that_reads_nothing() {
    let (told, hear) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Arc::new(std::sync::Mutex::new(gone));
    let (port, thread) = server(1, move |mut peer| {
        gone.lock().unwrap().recv().unwrap();
        // What had arrived before the reset may still be read; then there is no end, but an error.
        let mut buffer = vec![0; 1 << 20];
        let error = loop {
            match peer.read(&mut buffer) {
                Ok(0) => panic!("a reset is no end"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        told.send(error.kind()).unwrap();
    });
    let mut net = Net::new();
    let mut stream = net.connect(net.machine(port));
    let (host, carried) = (net.host(), net.net.clone());
    net.run(async {
        // Until every buffer on the way is full.
        while host.timeout(Duration::from_millis(300), stream.write_all(&[2; 65_536])).await.is_ok() {}
        stream.abort();
        while carried.carried().0 > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    go.send(()).unwrap();
    assert_eq!(hear.recv().unwrap(), io::ErrorKind::ConnectionReset);
    thread.join().unwrap();
}

#[test]
fn a_client_that_gives_up_before_the_answer_leaves_nothing_behind() {
    let mut net = Net::new();
    let (port, _thread) = server(0, |_| {});
    let (host, to, carried) = (net.host(), net.machine(port), net.net.clone());
    net.run(async {
        for _ in 0..50 {
            let _ = host.timeout(Duration::ZERO, host.connect(to)).await;
        }
        while carried.carried().0 > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn a_server_that_stalls_stops_the_sender_within_the_buffers_on_the_way() {
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Arc::new(std::sync::Mutex::new(gone));
    let (port, thread) = server(1, move |mut peer| {
        gone.lock().unwrap().recv().unwrap();
        let (mut sum, mut length, mut buffer) = (Sum::new(), 0, vec![0; 1 << 16]);
        loop {
            match peer.read(&mut buffer).unwrap() {
                0 => break,
                n => {
                    sum.add(&buffer[..n]);
                    length += n;
                }
            }
        }
        let mut expected = Sum::new();
        expected.add(&pattern(0, length));
        assert_eq!(sum, expected, "{length} bytes");
        peer.write_all(&length.to_be_bytes()).unwrap();
    });
    let mut net = Net::new();
    let mut stream = net.connect(net.machine(port));
    let host = net.host();
    let (stuck_at, total) = net.run(async {
        let mut sent = 0;
        loop {
            let piece = pattern(sent, 65_536);
            match host.timeout(Duration::from_millis(500), stream.write(&piece)).await {
                Ok(written) => sent += written.unwrap(),
                Err(_) => break,
            }
        }
        let stuck_at = sent;
        go.send(()).unwrap();
        stream.write_all(&pattern(sent, 100_000)).await.unwrap();
        stream.close().await.unwrap();
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await.unwrap();
        (stuck_at, usize::from_be_bytes(answer))
    });
    thread.join().unwrap();
    assert_eq!(total, stuck_at + 100_000, "nothing is lost");
    // The kernel's two buffers grow to some 10 MB on loopback; ours do not grow.
    assert!(stuck_at < 32 << 20, "{stuck_at} bytes went out to nobody");
}

#[test]
fn two_hundred_connections_at_once_are_carried_each_with_its_own_bytes() {
    const FLOWS: usize = 200;
    let (port, thread) = server(FLOWS, |mut peer| {
        let mut seed = [0; 8];
        peer.read_exact(&mut seed).unwrap();
        let seed = usize::from_be_bytes(seed);
        let mut expected = vec![0; 100_000];
        peer.read_exact(&mut expected).unwrap();
        assert_eq!(expected, pattern(seed, 100_000));
        peer.write_all(&pattern(seed + 1, 100_000)).unwrap();
    });
    let mut net = Net::new();
    let (host, to) = (net.host(), net.machine(port));
    let flow = |seed: usize| {
        let host = host.clone();
        async move {
            let mut stream = host.connect(to).await.unwrap();
            stream.write_all(&seed.to_be_bytes()).await.unwrap();
            stream.write_all(&pattern(seed, 100_000)).await.unwrap();
            let mut answer = vec![0; 100_000];
            stream.read_exact(&mut answer).await.unwrap();
            assert!(answer == pattern(seed + 1, 100_000), "flow {seed}");
            assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "flow {seed}");
        }
    };
    net.run(futures_util::future::join_all((0..FLOWS).map(|n| flow(n * 1_000_003))));
    thread.join().unwrap();
}

#[test]
fn a_hundred_megabytes_arrive_intact() {
    const LENGTH: usize = 100 << 20;
    let (port, thread) = server(1, |mut peer| {
        let piece = pattern(0, 1 << 20);
        for _ in 0..LENGTH >> 20 {
            peer.write_all(&piece).unwrap();
        }
    });
    let mut net = Net::new();
    let mut stream = net.connect(net.machine(port));
    // The same megabyte over and over; twice, so that every read lies within.
    let twice = [pattern(0, 1 << 20), pattern(0, 1 << 20)].concat();
    let length = net.run(async {
        let (mut buffer, mut length) = (vec![0; 1 << 16], 0);
        loop {
            let count = stream.read(&mut buffer).await.unwrap();
            if count == 0 {
                return length;
            }
            let at = length & 0xf_ffff;
            assert!(buffer[..count] == twice[at..at + count], "after {length} bytes");
            length += count;
        }
    });
    assert_eq!(length, LENGTH);
    thread.join().unwrap();
}

#[test]
fn more_connections_than_the_limit_are_refused_and_told_and_room_comes_back() {
    let (port, _thread) = server(2, |mut peer| {
        let _ = peer.read_to_end(&mut Vec::new());
    });
    let limits = Limits { connections: 1, ..Limits::default() };
    let mut net = Net::with(UserNetConfig { limits, ..UserNetConfig::default() });
    let (host, to, carried) = (net.host(), net.machine(port), net.net.clone());
    let first = net.connect(to);
    let refused = net.run(async { host.connect(to).await.unwrap_err() });
    assert_eq!(refused, ConnectError::Refused { peer: to });
    let told = net.told();
    let Some(Gateway::TurnedAway { why, answer: Answer::Reset, .. }) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(why, "1 connections are open already");
    drop(first);
    net.run(async {
        while carried.carried().0 > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
        host.connect(to).await.unwrap();
    });
}
