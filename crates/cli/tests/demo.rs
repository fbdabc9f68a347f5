//! `scripts/demo`, as somebody runs it who wants to see the main job on a real network.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "real peers live in real time")]

mod support;

use std::fs;
use std::process::Command;
use support::{Network, Ran, with_real_peers};

/// Runs the demo with these words. What it makes beside its capture goes into the folder `scratch`.
fn demo(network: &Network, words: &[&str]) -> Ran {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/demo");
    fs::create_dir_all(network.path("scratch")).unwrap();
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60", script, "--capture", &network.path("demo.pcapng")]).args(words);
    command.env("GLASSTACK", env!("CARGO_BIN_EXE_glasstack")).env("TMPDIR", network.path("scratch"));
    Ran::of(command.env_remove("SUDO_USER"))
}

#[track_caller]
fn shows_the_journey(network: &Network, name_server: &str) {
    let ran = demo(network, &["--name-server", name_server]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    let page = "Hello from nginx";
    let decrypted = "GET / HTTP/1.1";
    for what in [page, decrypted, name_server] {
        assert!(ran.out.contains(what), "no `{what}` in:\n{}\n{}", ran.out, ran.err);
    }
    assert!(fs::metadata(network.path("demo.pcapng")).unwrap().len() > 1_000);
    leaves_nothing(network);
}

#[track_caller]
fn leaves_nothing(network: &Network) {
    let left: Vec<_> =
        fs::read_dir(network.path("scratch")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_demo_shows_the_journey_through_dnsmasq_and_nginx() {
    with_real_peers(&["nginx", "dnsmasq", "openssl", "tshark", "unshare"], |network| {
        shows_the_journey(network, "dnsmasq");
    });
}

#[test]
fn the_demo_shows_the_journey_through_unbound_and_nginx() {
    with_real_peers(&["nginx", "unbound", "openssl", "tshark", "unshare"], |network| {
        shows_the_journey(network, "unbound");
    });
}

#[test]
fn the_demo_ends_with_the_exit_code_of_the_journey_and_cleans_up() {
    with_real_peers(&["nginx", "dnsmasq", "openssl", "tshark", "unshare"], |network| {
        let ran = demo(network, &["--url", "http://nobody.demo.test/"]);
        assert_eq!(ran.code, Some(6), "{}\n{}", ran.out, ran.err);
        leaves_nothing(network);
    });
}
