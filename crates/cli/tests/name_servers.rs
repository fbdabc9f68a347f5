//! Our resolver against two real name servers, each with the same names.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the peers are made of the kernel's own sockets")]

mod support;

use std::net::UdpSocket;
use std::time::Duration;
use support::tshark::Capture;
use support::{NAMES, Network, Ran, Server, with_real_peers};

/// So many addresses that they do not fit into a datagram.
const MANY: u8 = 100;

fn unbound(network: &Network) -> Server {
    let many: String = (1..=MANY).map(|i| format!("many 300 IN A 198.51.100.{i}\n")).collect();
    let zone = format!(
        "$ORIGIN demo.test.
@ 300 IN SOA ns.demo.test. hostmaster.demo.test. 1 3600 600 86400 60
@ 300 IN NS ns.demo.test.
ns 300 IN A 198.51.100.53
www 300 IN A 198.51.100.80
alias 300 IN CNAME www
six 300 IN AAAA 2001:db8::80
{many}"
    );
    network.unbound(&zone)
}

fn dnsmasq(network: &Network) -> Server {
    let many: String = (1..=MANY).map(|i| format!("198.51.100.{i} many.demo.test\n")).collect();
    let hosts = format!("--addn-hosts={}", network.write("hosts", many));
    network.dnsmasq(&[
        "--host-record=www.demo.test,198.51.100.80",
        "--host-record=six.demo.test,2001:db8::80",
        "--cname=alias.demo.test,www.demo.test",
        &hosts,
    ])
}

/// The same for both.
fn each(ask: impl Fn(&Network) + Send + Copy + 'static) {
    each_with(&["unbound"], &["dnsmasq"], ask);
}

/// The same, where more programs are needed.
fn each_with(
    for_unbound: &'static [&'static str],
    for_dnsmasq: &'static [&'static str],
    ask: impl Fn(&Network) + Send + Copy + 'static,
) {
    with_real_peers(for_unbound, move |network| {
        let _server = unbound(network);
        ask(network);
    });
    with_real_peers(for_dnsmasq, move |network| {
        let _server = dnsmasq(network);
        ask(network);
    });
}

fn resolve(network: &Network, words: &[&str]) -> Ran {
    network.glasstack(&[&["resolve", "--dns", "198.51.100.53"], words].concat())
}

/// The last column of each record.
fn data(records: &str) -> Vec<&str> {
    records.lines().filter_map(|line| line.split_whitespace().last()).collect()
}

#[test]
fn an_address_is_found() {
    each(|network| {
        let answer = resolve(network, &["www.demo.test"]).ok();
        assert_eq!(data(&answer), ["198.51.100.80"]);
    });
}

#[test]
fn an_alias_leads_to_the_address() {
    each(|network| {
        let answer = resolve(network, &["alias.demo.test"]).ok();
        let data = data(&answer);
        assert_eq!(data.last(), Some(&"198.51.100.80"), "{answer}");
        assert!(answer.contains("CNAME"), "{answer}");
    });
}

#[test]
fn a_name_that_is_not_there_is_an_error_that_says_so() {
    each(|network| {
        resolve(network, &["nobody.demo.test"]).exits(6).saying("NXDOMAIN");
        let words = ["get", "http://nobody.demo.test/", "--dns", "198.51.100.53"];
        network.glasstack(&words).exits(6).saying("NXDOMAIN");
    });
}

#[test]
fn a_host_that_has_only_an_ipv6_address_is_an_error_that_says_so() {
    each(|network| {
        let words = ["get", "http://six.demo.test/", "--dns", "198.51.100.53"];
        network.glasstack(&words).exits(6).saying("IPv6");
        let answer = resolve(network, &["six.demo.test", "AAAA"]).ok();
        assert_eq!(data(&answer), ["2001:db8::80"]);
    });
}

#[test]
fn an_answer_too_large_for_a_datagram_comes_over_tcp() {
    each_with(&["unbound", "tshark"], &["dnsmasq", "tshark"], |network| {
        let file = network.path("a.pcapng");
        let answer = resolve(network, &["many.demo.test", "--capture", &file]).ok();
        assert_eq!(data(&answer).len(), usize::from(MANY), "{answer}");
        let capture = Capture::open(&file);
        capture.is_sound();
        let whole = format!("tcp && dns.flags.response == 1 && dns.count.answers == {MANY}");
        capture.has(&["udp && dns.flags.response == 1 && dns.flags.truncated == 1", &whole]);
    });
}

#[test]
fn no_name_server_at_the_address_is_an_error_that_names_it() {
    with_real_peers(&[], |network| {
        let ran = resolve(network, &["www.demo.test"]).exits(6).saying("198.51.100.53:53");
        assert_eq!(ran.out, "");
    });
}

#[test]
fn a_name_server_that_says_nothing_is_waited_for_no_longer_than_asked() {
    with_real_peers(&[], |network| {
        let silent = UdpSocket::bind((NAMES, 53)).unwrap();
        silent.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let words = ["get", "http://www.demo.test/", "--dns", "198.51.100.53", "-m", "3"];
        network.glasstack(&words).exits(28);
        let mut query = [0; 512];
        let (length, from) = silent.recv_from(&mut query).unwrap();
        assert!(length > 12 && from.port() >= 49_152, "a query came, from an ephemeral port: {from}");
    });
}
