//! Data before the handshake is over (0-RTT), through the program in its lab: when it goes, what is told,
//! and what Wireshark sees.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::process::Command;
use support::tshark::Capture;
use support::{PROGRAM, Ran, is_there, skip};

/// It takes early data, but for /too-early.
const SITE: &str = "https://tls-v1-3.badssl.test:1013/";
/// A session is for another connection, so the first one has to end.
const EARLY: [&str; 3] = ["--tls-earlydata", "-H", "Connection: close"];

const BELIEVED: &str = "tls-v1-3.badssl.test:1013 was believed\n";
const BELIEVED_EARLY: &str = "tls-v1-3.badssl.test:1013 was believed, before the handshake was over\n";

fn get(words: &[&str]) -> Ran {
    Ran::of(Command::new(PROGRAM).args(["get", "--net", "lab", "-v"]).args(words))
}

fn get_early(words: &[&str]) -> Ran {
    get(&[&EARLY, words].concat())
}

/// How often a line of the narration has all of these words.
fn count(ran: &Ran, words: &[&str]) -> usize {
    ran.err.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

#[test]
fn the_second_connection_sends_its_request_early_and_says_what_that_means() {
    let ran = get_early(&[SITE, SITE]).exits(0);
    assert_eq!(ran.out, format!("{BELIEVED}{BELIEVED_EARLY}"));
    let story = [
        "early data could not be sent (there is no earlier session of TLS 1.3 with this server)",
        "112 bytes are sent before the handshake is over (0-RTT). Whoever records them can send them once more",
        "TLS EncryptedExtensions received: the server accepts the early data",
        "the server took the 112 bytes of early data",
        "web  112 bytes of early data came before the handshake was over",
    ];
    let mut rest = ran.err.as_str();
    for line in story {
        let at = rest.find(line).unwrap_or_else(|| panic!("no `{line}` in:\n{rest}"));
        rest = &rest[at + line.len()..];
    }
    assert_eq!(count(&ran, &["web  HTTP request from"]), 2);
}

#[test]
fn nothing_goes_early_unless_it_is_asked_for_and_a_connection_that_is_kept_needs_none() {
    let ran = get(&["-H", "Connection: close", SITE, SITE]).exits(0);
    assert_eq!((ran.out.as_str(), count(&ran, &["0-RTT"])), (BELIEVED.repeat(2).as_str(), 0));
    let ran = get(&["--tls-earlydata", SITE, SITE]).exits(0);
    assert_eq!((ran.out.as_str(), count(&ran, &["0-RTT"])), (BELIEVED.repeat(2).as_str(), 0));
    assert_eq!(count(&ran, &["it is open, at rest, and leads to"]), 1);
    // A server that closes by itself, as HTTP/1.0 has it, will do as well.
    let ran = get(&["--tls-earlydata", "--http1.0", SITE, SITE]).exits(0);
    assert_eq!(ran.out, format!("{BELIEVED}{BELIEVED_EARLY}"));
}

#[test]
fn a_ticket_that_allows_none_is_told_as_such() {
    let site = "https://www.example.test/hello.txt";
    let ran = get_early(&[site, site]).exits(0);
    assert_eq!(count(&ran, &["early data could not be sent (this server's ticket allows none)"]), 1);
}

#[test]
fn what_was_too_early_is_asked_again_behind_the_handshake() {
    let too_early = format!("{SITE}too-early");
    let write = ["-w", "%{http_code} %{num_connects}\n"];
    let ran = get_early(&[&write[..], &[SITE, &too_early]].concat()).exits(0);
    assert!(ran.out.ends_with(&format!("{BELIEVED}200 2\n")), "{}", ran.out);
    assert_eq!(count(&ran, &["HTTP response: 425 Too Early"]), 1);
    assert_eq!(
        count(&ran, &["425: what was sent early was too early, and is sent once more behind the handshake"]),
        1
    );
    assert_eq!(count(&ran, &["nothing is sent early, since the server has said that it is too early"]), 1);
}

#[test]
fn what_may_not_arrive_twice_and_what_says_who_asks_waits() {
    for (words, why) in [
        (&["-d", "a=b"][..], "POST is neither GET nor HEAD"),
        (&["-X", "DELETE"], "DELETE is neither GET nor HEAD"),
        (&["-X", "GET", "-d", "a=b"], "the request has a body"),
        (&["-u", "alice:secret"], "Authorization says who asks"),
        (&["-b", "session=1"], "Cookie says who asks"),
    ] {
        let ran = get_early(&[words, &[SITE, SITE]].concat()).exits(0);
        assert_eq!(ran.out, BELIEVED.repeat(2), "{words:?}");
        assert_eq!(count(&ran, &[&format!("nothing is sent early, since {why}")]), 2, "{}", ran.err);
    }
}

#[test]
fn nothing_goes_early_where_revocation_is_judged_first() {
    for words in [&["--crl-check", "try"][..], &["--crl-check", "require"], &["--ocsp-check", "require"]] {
        let ran = get_early(&[words, &[SITE, SITE]].concat()).exits(0);
        assert_eq!(ran.out, BELIEVED.repeat(2), "{words:?}");
        let why = "early data was not sent early, since revocation is to be judged before anything is";
        assert_eq!(count(&ran, &[why]), 2, "{}", ran.err);
    }
}

#[test]
fn wireshark_reads_the_request_in_the_frame_of_the_client_hello() {
    if !is_there("tshark") {
        let test = "wireshark_reads_the_request_in_the_frame_of_the_client_hello";
        return skip(test, "needs tshark");
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("early_data.pcapng");
    let path = path.to_str().unwrap();
    get_early(&["--capture", path, SITE, SITE]).exits(0);
    let capture = Capture::open(path);
    capture.is_sound();
    let early = "tls.handshake.type == 1 && http.request.uri == \"/\" && tls.handshake.extension.type == 42";
    let end = "tls.handshake.type == 5 && tls.handshake.type == 20 && !http";
    let counts = [early, end, "http.request", "http.response.code == 200"].map(str::to_owned);
    assert_eq!(capture.counts(&counts), [1, 1, 2, 2]);
}
