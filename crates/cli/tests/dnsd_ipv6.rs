//! `glasstack dnsd --ipv6 on`: a real name server that can be asked over IPv6 alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the peers are made of the kernel's own sockets")]
#![allow(clippy::disallowed_methods, reason = "the peer is a program of this machine")]

mod support;

use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::process::Command;
use support::{Network, Server, with_real_peers};

/// The root's server.
const ROOT: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// The server of demo.test.
const DEMO: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53);

/// unbound with one zone, at an address of its own.
fn unbound(network: &Network, address: Ipv6Addr, zone: &str, text: &str) -> Server {
    let add = format!("-6 addr add {address}/128 dev lo nodad");
    assert!(Command::new("ip").args(add.split(' ')).status().unwrap().success());
    let label = format!("unbound-{}", address.segments()[7]);
    let (file, folder) = (network.write(&format!("{label}.zone"), text), network.path(""));
    let config = format!(
        "server:
    interface: {address}
    access-control: ::0/0 allow
    num-threads: 1
    username: \"\"
    chroot: \"\"
    directory: \"{folder}\"
    pidfile: \"\"
    use-syslog: no
    do-daemonize: no
    do-ip4: no
    module-config: \"iterator\"
    local-zone: \"test.\" nodefault
auth-zone:
    name: \"{zone}\"
    zonefile: \"{file}\"
    for-downstream: yes
    for-upstream: yes
remote-control:
    control-enable: no
"
    );
    let config = network.write(&format!("{label}.conf"), config);
    let is_up = || TcpStream::connect(SocketAddr::new(address.into(), 53)).is_ok();
    Server::start_until(network, &label, "unbound", &["-d", "-c", &config], is_up)
}

#[test]
fn servers_that_have_ipv6_addresses_alone_are_walked_to_where_that_is_wanted() {
    with_real_peers(&["unbound"], |network| {
        let root = format!(
            "$TTL 300\n. SOA a.root. nobody. 1 2 3 4 5\n. NS a.root.\na.root. AAAA {ROOT}\n\
             demo.test. NS ns.demo.test.\nns.demo.test. AAAA {DEMO}\n"
        );
        let demo = format!(
            "$TTL 300\n@ SOA ns nobody 1 2 3 4 5\n@ NS ns\nns AAAA {DEMO}\nwww A 192.0.2.80\n{}",
            // Over UDP it does not fit.
            (0..200).map(|last| format!("many A 198.51.100.{last}\n")).collect::<String>()
        );
        let _root = unbound(network, ROOT, ".", &root);
        let _demo = unbound(network, DEMO, "demo.test", &demo);
        let hints = network.write("hints", format!(". NS a.root.\na.root. AAAA {ROOT}\n"));
        let ask = |ipv6| {
            let words =
                ["dnsd", "--recursive", "--root-hints", &hints, "--listen", "127.0.0.1:0", "--ipv6", ipv6];
            let queries = ["--query", "www.demo.test", "--query", "many.demo.test"];
            network.glasstack_alone(&[&words[..], &queries].concat(), "40").ok()
        };
        let with = ask("on");
        // What is in the cache for a moment has a second less.
        let addresses = |name: &str| {
            let of_name = |line: &&str| line.starts_with(name) && line.contains(" IN A ");
            with.lines().filter(of_name).count()
        };
        assert_eq!((addresses("www.demo.test."), addresses("many.demo.test.")), (1, 200), "over TCP: {with}");
        let without = ask("off");
        assert_eq!(without.matches("SERVFAIL").count(), 2, "{without}");
    });
}
