//! Our resolver against two real name servers, each with the same names.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::tshark::Capture;
use support::{Network, Ran, Server, with_real_peers};

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
    with_real_peers(&["unbound"], move |network| {
        let _server = unbound(network);
        ask(network);
    });
    with_real_peers(&["dnsmasq"], move |network| {
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
    with_real_peers(&["tshark"], |_| {});
    each(|network| {
        let capture = network.path("a.pcapng");
        let answer = resolve(network, &["many.demo.test", "--capture", &capture]).ok();
        assert_eq!(data(&answer).len(), usize::from(MANY), "{answer}");
        if support::is_there("tshark") {
            let capture = Capture::open(&capture);
            capture.has("udp && dns.flags.response == 1 && dns.flags.truncated == 1");
            capture.has(&format!("tcp && dns.flags.response == 1 && dns.count.answers == {MANY}"));
            capture.is_sound();
        }
    });
}

#[test]
fn no_name_server_at_the_address_is_an_error_that_names_it() {
    with_real_peers(&[], |network| {
        let ran = resolve(network, &["www.demo.test", "-s"]).exits(6);
        ran.saying("198.51.100.53:53").out.is_empty().then_some(()).unwrap();
    });
}
