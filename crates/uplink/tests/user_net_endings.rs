//! Connections over the user-mode network that end in every way that two programs can think of.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

#[path = "support/user.rs"]
mod user;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_stack::Host;
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;
use user::{Net, pattern, server};

const SERVERS: u8 = 6;
const CLIENTS: u8 = 6;
const ROUNDS: usize = 5;

/// The server's way, chosen by the first byte that it gets. Whatever it meets is fine with it.
fn serve(mut peer: TcpStream) {
    let mut way = [0; 1];
    if peer.read_exact(&mut way).is_err() {
        return;
    }
    let reset = |peer: &TcpStream| {
        setsockopt(peer, sockopt::Linger, &nix::libc::linger { l_onoff: 1, l_linger: 0 }).unwrap();
    };
    let _ = match way[0] {
        // Greets, hears all, answers, closes.
        0 => peer
            .write_all(b"welcome")
            .and_then(|()| peer.read_to_end(&mut Vec::new()))
            .and_then(|_| peer.write_all(&pattern(0, 50_000))),
        // Closes without having heard a thing.
        1 => Ok(()),
        // Stalls, then closes.
        2 => {
            thread::sleep(Duration::from_millis(20));
            peer.write_all(b"late")
        }
        // Speaks first, closes its half, hears the rest.
        3 => peer
            .write_all(&pattern(0, 300_000))
            .and_then(|()| peer.shutdown(Shutdown::Write))
            .and_then(|()| peer.read_to_end(&mut Vec::new()).map(drop)),
        // Resets in the middle of its speech.
        4 => {
            reset(&peer);
            peer.write_all(&pattern(0, 100_000))
        }
        // Resets at once.
        _ => {
            reset(&peer);
            Ok(())
        }
    };
}

/// The client's way. Whatever it meets is fine with it, too.
async fn call(host: Host, to: SocketAddr, server: u8, client: u8) {
    let mut stream = host.connect(to).await.unwrap();
    if stream.write_all(&[server]).await.is_err() {
        return;
    }
    let mut all = Vec::new();
    match client {
        // Says nothing more and hears all.
        0 => {
            let _ = stream.close().await;
            let _ = stream.read_to_end(&mut all).await;
        }
        // Speaks for long, then hears all.
        1 => {
            let _ = stream.write_all(&pattern(0, 300_000)).await;
            let _ = stream.close().await;
            let _ = stream.read_to_end(&mut all).await;
        }
        // Is gone at once.
        2 => {}
        // Resets at once.
        3 => stream.abort(),
        // Resets after the first bytes.
        4 => {
            let _ = stream.read(&mut [0; 100]).await;
            stream.abort();
        }
        // Is gone with something unread.
        _ => {
            let _ = stream.read(&mut [0; 100]).await;
        }
    }
}

#[test]
fn however_connections_end_nothing_of_them_stays() {
    const CALLS: usize = SERVERS as usize * CLIENTS as usize * ROUNDS;
    let (port, thread) = server(CALLS, serve);
    let mut net = Net::new();
    let (host, to, carried) = (net.host(), net.machine(port), net.net.clone());
    let reactor = net.world.reactor().clone();
    let ways = (0..SERVERS).flat_map(|server| (0..CLIENTS).map(move |client| (server, client)));
    let calls: Vec<_> = ways
        .flat_map(|way| std::iter::repeat_n(way, ROUNDS))
        .map(|(server, client)| call(host.clone(), to, server, client))
        .collect();
    assert_eq!(calls.len(), CALLS);
    net.run(async {
        futures_util::future::join_all(calls).await;
        while carried.carried().0 > 0 || reactor.sockets() > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
        while host.held_flows() > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    thread.join().unwrap();
}
