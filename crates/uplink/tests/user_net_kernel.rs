//! A real kernel behind the gateway, in a namespace that has nothing but a TAP: it gets its address
//! by DHCP, and its programs reach this machine's servers, as behind slirp4netns or passt.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]

mod support;

use glasstack_journal::event::{Dhcp, DhcpKind, Event};
use glasstack_journal::journal::Recorder;
use glasstack_uplink::user::UserNet;
use glasstack_uplink::{NetNs, TapConfig, TapWorld, UserNetConfig, WorldThread};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::thread;
use support::{a_fresh_namespace, skip};

/// What udhcpc has for a script: it takes the lease as it is.
const LEASE_SCRIPT: &str = r#"#!/bin/sh
[ "$1" = bound ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
ip link set "$interface" mtu "$mtu"
ip route add default via "$router"
echo "lease $ip/$mask via $router dns $dns mtu $mtu for $lease" >&2
"#;

#[test]
fn a_kernel_behind_the_gateway_gets_an_address_and_reaches_this_machines_servers() {
    let Some(ns) = a_fresh_namespace() else { return };
    if Command::new("udhcpc").arg("--help").output().is_err() {
        return skip("user_net_kernel", "needs udhcpc (apt-get install udhcpc)");
    }
    // The world, and so the gateway's sockets, stay outside; only the TAP is inside.
    let device = ns.tap(&TapConfig::default()).unwrap();
    let mut world = TapWorld::new().unwrap();
    let told = Recorder::new();
    world.journal().attach(Box::new(told.clone()));
    UserNet::serve_on(&mut world, UserNetConfig::default(), device).unwrap();
    let world = WorldThread::start(world).unwrap();

    let lease = lease(&ns);
    assert!(lease.contains("lease 10.71.84.2/24 via 10.71.84.1"), "{lease}");
    assert!(lease.contains("mtu 1500 for 86400"), "{lease}");

    // A megabyte up and down, over the kernel's own TCP, and its end both ways.
    let echo = echo_server();
    let sum = shell(&ns, &talk_tcp(echo));
    assert_eq!(sum.trim(), "1000000 bytes came back, and the end");

    let refused = shell(&ns, &format!("curl -s http://10.71.84.1:{} ; echo $?", closed_port()));
    assert_eq!(refused.trim(), "7", "curl: could not connect");
    let nobody = shell(&ns, "curl -s --connect-timeout 20 http://240.0.0.1/ ; echo $?");
    assert_eq!(nobody.trim(), "7", "curl: no way there");

    let question = shell(&ns, &ask_udp(udp_echo_server()));
    assert_eq!(question.trim(), "who is there?");
    world.stop().unwrap();

    let served = told.records().into_iter().filter_map(|record| match record.event {
        Event::Dhcp(Dhcp::Served { asked, answered, .. }) => Some((asked, answered)),
        _ => None,
    });
    let expected = [(DhcpKind::Discover, Some(DhcpKind::Offer)), (DhcpKind::Request, Some(DhcpKind::Ack))];
    assert_eq!(served.collect::<Vec<_>>(), expected);
}

fn lease(ns: &NetNs) -> String {
    let script = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("lease.sh");
    std::fs::write(&script, LEASE_SCRIPT).unwrap();
    shell(ns, &format!("chmod +x {0} && udhcpc -i glass0 -n -q -f -t 5 -T 2 -s {0} 2>&1", script.display()))
}

fn shell(ns: &NetNs, line: &str) -> String {
    let output = ns.output(Command::new("sh").arg("-c").arg(line)).unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "`{line}`: {}\n{out}{err}", output.status);
    out.into_owned()
}

/// Says everything again, and its end too.
fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut everything = Vec::new();
        stream.read_to_end(&mut everything).unwrap();
        stream.write_all(&everything).unwrap();
    });
    address
}

fn talk_tcp(to: SocketAddr) -> String {
    format!(
        r#"python3 -c '
import os, socket
said = os.urandom(1000000)
peer = socket.create_connection(("10.71.84.1", {}), 30)
peer.sendall(said)
peer.shutdown(socket.SHUT_WR)
heard = b""
while True:
    more = peer.recv(65536)
    if not more: break
    heard += more
assert heard == said
print(len(heard), "bytes came back, and the end")'"#,
        to.port()
    )
}

fn udp_echo_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        socket.send_to(&buffer[..length], from).unwrap();
    });
    address
}

fn ask_udp(to: SocketAddr) -> String {
    format!(
        r#"python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(30)
s.connect(("10.71.84.1", {}))
s.send(b"who is there?")
print(s.recv(1500).decode())'"#,
        to.port()
    )
}

fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
