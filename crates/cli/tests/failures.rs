//! What goes wrong with a real peer at the other end, told by curl's exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::process::Command;
use support::pki::Authority;
use support::{Network, Ran, WEB, odd, with_real_peers};

/// A get from an nginx whose certificate is made by `certificate`, believing `believed`.
fn get_from(network: &Network, certificate: &str, believed: &Authority) -> Ran {
    let server = format!("server {{ listen {WEB}:443 ssl; {certificate} return 200 ok; }}");
    let _nginx = network.nginx(&server, 443);
    let cacert = believed.file(network);
    let resolve = "www.demo.test:443:198.51.100.80";
    network.glasstack(&["get", "https://www.demo.test/", "--cacert", &cacert, "--resolve", resolve])
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    with_real_peers(&["nginx"], |network| {
        let authority = Authority::new("a throw-away CA");
        let certificate = authority.for_nginx(network, "other.demo.test", 2999);
        get_from(network, &certificate, &authority).exits(60).saying("other.demo.test");
    });
}

#[test]
fn an_expired_certificate_is_refused() {
    with_real_peers(&["nginx"], |network| {
        let authority = Authority::new("a throw-away CA");
        let certificate = authority.for_nginx(network, "www.demo.test", 2002);
        get_from(network, &certificate, &authority).exits(60).saying("2002-12-31");
    });
}

#[test]
fn a_certificate_of_an_authority_that_nobody_trusts_is_refused() {
    with_real_peers(&["nginx"], |network| {
        let certificate = Authority::new("a stranger").for_nginx(network, "www.demo.test", 2999);
        let ran = get_from(network, &certificate, &Authority::new("a throw-away CA"));
        ran.exits(60).saying("a stranger");
    });
}

#[test]
fn a_server_that_does_not_speak_tls_is_exit_35() {
    with_real_peers(&["nginx"], |network| {
        let _nginx = network.nginx(&format!("server {{ listen {WEB}:80; return 200 ok; }}"), 80);
        network.glasstack(&["get", "https://198.51.100.80:80/"]).exits(35);
    });
}

#[test]
fn a_port_where_nobody_listens_is_refused() {
    with_real_peers(&[], |network| {
        network.glasstack(&["get", "http://198.51.100.80:9/"]).exits(7).saying("refused");
    });
}

#[test]
fn a_gateway_that_does_not_answer_arp_is_named() {
    with_real_peers(&[], |network| {
        // On the link, and nobody has it.
        network.glasstack(&["get", "http://192.0.2.99/"]).exits(7).saying("no ARP reply from 192.0.2.99");
    });
}

#[test]
fn a_server_that_says_nothing_is_exit_28() {
    with_real_peers(&[], |network| {
        let silent = odd::says_and_waits("");
        network.glasstack(&["get", &silent.url(), "-m", "3"]).exits(28);
        silent.end();
    });
}

#[test]
fn a_server_that_stops_in_the_middle_is_exit_28() {
    with_real_peers(&[], |network| {
        let slow = odd::says_and_waits("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        let ran = network.glasstack(&["get", &slow.url(), "-m", "3"]).exits(28);
        assert_eq!(ran.out, "half");
        slow.end();
    });
}

#[test]
fn a_page_that_is_not_there_is_exit_22_with_f_and_its_text_without() {
    with_real_peers(&["nginx"], |network| {
        let server = format!("server {{ listen {WEB}:80; location / {{ return 404 'not here'; }} }}");
        let _nginx = network.nginx(&server, 80);
        let url = "http://198.51.100.80/x";
        assert_eq!(network.glasstack(&["get", url]).ok(), "not here");
        let ran = network.glasstack(&["get", url, "-f"]).exits(22).saying("404");
        assert_eq!(ran.out, "");
    });
}

#[test]
fn a_body_cut_short_is_exit_18_and_what_came_is_written() {
    with_real_peers(&[], |network| {
        let server = odd::says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        let ran = network.glasstack(&["get", &server.url()]).exits(18);
        assert_eq!(ran.out, "half");
        server.end();
        let server = odd::says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
        network.glasstack(&["get", &server.url()]).exits(18);
        server.end();
    });
}

#[test]
fn an_empty_reply_is_exit_52() {
    with_real_peers(&[], |network| {
        let server = odd::says("");
        network.glasstack(&["get", &server.url()]).exits(52);
        server.end();
    });
}

#[test]
fn a_reset_is_exit_56() {
    with_real_peers(&[], |network| {
        for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"] {
            let server = odd::says_and_resets(answer);
            network.glasstack(&["get", &server.url()]).exits(56).saying("reset");
            server.end();
        }
    });
}

#[test]
fn a_server_that_redirects_to_itself_is_exit_47() {
    with_real_peers(&["nginx"], |network| {
        let locations = "location / { return 302 /; } location /n { return 302 /n$request_uri; }";
        let _nginx = network.nginx(&format!("server {{ listen {WEB}:80; {locations} }}"), 80);
        network.glasstack(&["get", "-L", "http://198.51.100.80/"]).exits(47);
        network.glasstack(&["get", "-L", "--max-redirs", "3", "http://198.51.100.80/n"]).exits(47);
    });
}

#[test]
fn an_odd_answer_has_the_exit_code_that_curl_gives_it() {
    with_real_peers(&["curl"], |network| {
        for answer in [
            "",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore than said",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a length\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "HTTP/1.0 200 OK\r\n\r\nuntil it closes",
            "SSH-2.0-OpenSSH_9.2\r\n",
        ] {
            let server = odd::says(answer);
            let curl = Ran::of(Command::new("curl").args(["-s", "-m", "20", &server.url()]));
            server.end();
            let server = odd::says(answer);
            let ours = network.glasstack(&["get", "-s", &server.url()]);
            server.end();
            assert_eq!((ours.code, ours.out), (curl.code, curl.out), "{answer:?}: {}", ours.err);
        }
    });
}
