//! The gateway opens nothing to the network by itself. One test in a process of its own, since it
//! looks at what the process has open.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

#[path = "support/user.rs"]
mod user;

use futures_util::AsyncReadExt;
use glasstack_uplink::{TapWorld, UserNet, UserNetConfig};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;
use user::{Net, server};

/// The sockets that this process has open.
fn sockets() -> BTreeSet<String> {
    let links =
        fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    links.map(|link| link.display().to_string()).filter(|link| link.starts_with("socket:")).collect()
}

/// Those of `sockets` that take what nobody here has asked for: listening TCP sockets (state 0A of
/// /proc/net/tcp) and UDP sockets without a peer.
fn open_to_all(sockets: &BTreeSet<String>) -> Vec<String> {
    let mut open = Vec::new();
    for (table, state) in [("tcp", Some("0A")), ("tcp6", Some("0A")), ("udp", None), ("udp6", None)] {
        let Ok(text) = fs::read_to_string(format!("/proc/self/net/{table}")) else { continue };
        for line in text.lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            let inode = format!("socket:[{}]", fields[9]);
            let accepts = match state {
                Some(listening) => fields[3] == listening,
                None => fields[2].ends_with(":0000"),
            };
            if sockets.contains(&inode) && accepts {
                open.push(line.to_owned());
            }
        }
    }
    open
}

#[test]
fn a_gateway_has_a_socket_for_each_flow_that_was_asked_for_and_no_other() {
    let before = sockets();
    // A world with a gateway and name servers: nothing.
    let mut world = TapWorld::new().unwrap();
    let name_servers = vec!["127.0.0.1:9".parse().unwrap()];
    let idle = UserNet::join(&mut world, UserNetConfig { name_servers, ..UserNetConfig::default() }).unwrap();
    assert_eq!(sockets(), before);

    // One connection and one UDP flow: one socket each (and the server's two).
    let (port, thread) = server(1, |mut peer| {
        std::io::Write::write_all(&mut peer, b"!").unwrap();
        let _ = std::io::Read::read(&mut peer, &mut [0; 1]);
    });
    let with_server = sockets();
    let mut net = Net::new();
    let mut stream = net.connect(net.machine(port));
    // The server has taken the connection.
    net.run(async { stream.read_exact(&mut [0; 1]).await.unwrap() });
    let host = net.host();
    let to = net.machine(user::deserted_port());
    net.run(async {
        let socket = host.udp("0.0.0.0:0".parse().unwrap()).unwrap();
        socket.send_to(b"x", to).await.unwrap();
        let _ = socket.recv_from(&mut [0; 1]).await;
    });
    let now = sockets();
    let new: BTreeSet<_> = now.difference(&with_server).cloned().collect();
    assert_eq!(net.net.carried(), (1, 1));
    // The gateway's two, and the server's end of the connection.
    assert_eq!(new.len(), 3, "{new:?}");
    assert_eq!(open_to_all(&new), Vec::<String>::new());

    // A published port is the one thing that listens.
    let on = net.net.publish_tcp("127.0.0.1:0".parse().unwrap(), 80).unwrap();
    let published: BTreeSet<_> = sockets().difference(&now).cloned().collect();
    assert_eq!((published.len(), open_to_all(&published).len()), (1, 1), "{on}");

    // Over is over.
    drop(stream);
    let carried = net.net.clone();
    net.run(async {
        while carried.carried().0 > 0 {
            host.sleep(Duration::from_millis(1)).await;
        }
    });
    thread.join().unwrap();
    drop((net, world, idle, carried, host));
    let after = sockets();
    assert!(after.is_subset(&before), "{after:?} were {before:?}");
}
