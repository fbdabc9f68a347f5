//! A gateway on a machine that gives it no more sockets. One test in a process of its own, since it
//! takes the sockets from the whole process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

#[path = "support/user.rs"]
mod user;

use futures_util::AsyncReadExt;
use glasstack_journal::event::{Answer, Gateway};
use glasstack_stack::ConnectError;
use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;
use user::Net;

/// From now on this process may have no descriptor of this number or above.
fn allow_descriptors_below(limit: i32) {
    let pid = std::process::id();
    let arguments = [format!("--pid={pid}"), format!("--nofile={limit}:")];
    assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
}

#[test]
fn without_sockets_the_gateway_refuses_says_why_and_recovers() {
    // All peers are the kernel's queue: nobody here accepts a connection.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sink = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut net = Net::new();
    let (host, to) = (net.host(), net.machine(port));
    // Room for three more, and no gap below.
    let gaps: Vec<_> = (0..3).map(|_| File::open("/dev/null").unwrap()).collect();
    let highest = gaps.iter().map(File::as_raw_fd).max().unwrap();
    allow_descriptors_below(highest + 1);
    drop(gaps);

    let (streams, refused) = net.run(async {
        let mut streams = Vec::new();
        loop {
            match host.connect(to).await {
                Ok(stream) => streams.push(stream),
                Err(error) => return (streams, error),
            }
        }
    });
    assert_eq!((streams.len(), refused), (3, ConnectError::Refused { peer: to }));
    let told = net.told();
    let Some(Gateway::TurnedAway { why, answer: Answer::Reset, .. }) = told.last() else {
        panic!("{told:?}")
    };
    assert!(why.contains("Too many open files"), "{why}");

    // A datagram is lost, and that is told.
    let nowhere: SocketAddr = net.machine(sink.local_addr().unwrap().port());
    net.run(async {
        let socket = host.udp("0.0.0.0:0".parse().unwrap()).unwrap();
        socket.send_to(b"x", nowhere).await.unwrap();
        let heard = host.timeout(Duration::from_millis(50), socket.recv_from(&mut [0; 1])).await;
        assert!(heard.is_err(), "no answer: {heard:?}");
    });
    let told = net.told();
    let Some(Gateway::TurnedAway { why, answer: Answer::Silence, .. }) = told.last() else {
        panic!("{told:?}")
    };
    assert!(why.contains("Too many open files"), "{why}");

    // Once there is room the same gateway serves again.
    drop(streams);
    let carried = net.net.clone();
    allow_descriptors_below(highest + 100);
    net.run(async {
        // The server closes its ends, so that the gateway's are over.
        for _ in 0..3 {
            drop(listener.accept().unwrap());
        }
        while carried.carried().0 > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
        let mut stream = host.connect(to).await.unwrap();
        listener.accept().unwrap().0.write_all(b"again").unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"again");
    });
}
