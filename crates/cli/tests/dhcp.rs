//! `--dhcp` on a TAP: dnsmasq gives the address, the gateway and the name server, nginx the page.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::process::Command;
use support::{Network, Ran, Server, with_real_peers};

/// `glasstack` with these words and nothing but the device's name to go by.
fn glasstack(words: &[&str]) -> Ran {
    let program = env!("CARGO_BIN_EXE_glasstack");
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60", program]).args(words).args(["--net", "tap:glass0", "--dhcp"]);
    Ran::of(&mut command)
}

fn dnsmasq(network: &Network) -> Server {
    let leases = format!("--dhcp-leasefile={}", network.path("leases"));
    network.dnsmasq(&[
        "--interface=glass0",
        "--no-ping",
        "--dhcp-range=192.0.2.100,192.0.2.109,255.255.255.0,10m",
        "--dhcp-option=6,198.51.100.53",
        "--host-record=www.demo.test,198.51.100.80",
        &leases,
    ])
}

#[test]
fn a_page_needs_no_address_but_the_one_that_dhcp_gives() {
    with_real_peers(&["dnsmasq", "nginx"], |network| {
        let _names = dnsmasq(network);
        network.write("www/index.html", "hello");
        let _web = network.nginx("server { listen 198.51.100.80:80; }", 80);
        let ran = glasstack(&["get", "-v", "http://www.demo.test/"]).exits(0);
        assert_eq!(ran.out, "hello");
        for told in [
            "DHCPDISCOVER to everybody",
            "DHCPACK from 192.0.2.1 about 192.0.2.10",
            "DHCP state REQUESTING -> BOUND",
            "gateway 192.0.2.1",
            "name server 198.51.100.53",
            "DHCPRELEASE to 192.0.2.1 about 192.0.2.10",
        ] {
            assert!(ran.err.contains(told), "no `{told}` in:\n{}", ran.err);
        }
        assert_eq!(fs::read_to_string(network.path("leases")).unwrap(), "", "it was given back");
        // Whoever asks again is known again.
        let again = glasstack(&["ping", "-c", "1", "-v", "192.0.2.1"]).exits(0);
        assert!(again.err.contains("DHCPRELEASE to 192.0.2.1"), "{}", again.err);
    });
}
