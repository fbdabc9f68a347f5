//! Our client against a real nginx.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::pki::Authority;
use support::tshark::Capture;
use support::{Network, WEB, with_real_peers};

/// nginx that redirects to HTTPS; what it serves there is `locations`.
fn site(network: &Network, authority: &Authority, locations: &str) -> support::Server {
    let certificate = authority.for_nginx(network, "www.demo.test", 2999);
    network.nginx(
        &format!(
            "server {{ listen {WEB}:80; return 301 https://www.demo.test$request_uri; }}
            server {{
                listen {WEB}:443 ssl;
                server_name www.demo.test;
                {certificate}
                gzip on; gzip_min_length 1; gzip_types text/plain;
                {locations}
            }}
            server {{
                listen {WEB}:8443 ssl;
                server_name www.demo.test;
                {certificate}
                ssl_protocols TLSv1.2;
                location / {{ return 200 \"$ssl_protocol $ssl_cipher\"; }}
            }}"
        ),
        443,
    )
}

const RESOLVE: [&str; 6] = [
    "--resolve",
    "www.demo.test:80:198.51.100.80",
    "--resolve",
    "www.demo.test:443:198.51.100.80",
    "--resolve",
    "www.demo.test:8443:198.51.100.80",
];

fn get(network: &Network, authority: &Authority, words: &[&str]) -> support::Ran {
    let cacert = authority.file(network);
    network.glasstack(&[&["get", "--cacert", &cacert], words, &RESOLVE].concat())
}

#[test]
fn a_redirect_to_https_is_followed_with_l_and_only_shown_without() {
    with_real_peers(&["nginx"], |network| {
        let authority = Authority::new("a throw-away CA");
        let _nginx =
            site(network, &authority, "location / { return 200 \"$scheme $host $request_uri\\n\"; }");
        let url = "http://www.demo.test/a?b=c#d";
        assert_eq!(get(network, &authority, &[url, "-L"]).ok(), "https www.demo.test /a?b=c\n");
        let shown = get(network, &authority, &[url, "-I"]).ok();
        assert!(shown.starts_with("HTTP/1.1 301 "), "{shown}");
        assert!(shown.contains("Location: https://www.demo.test/a?b=c\r\n"), "{shown}");
    });
}

#[test]
fn both_versions_of_tls_work() {
    with_real_peers(&["nginx"], |network| {
        let authority = Authority::new("a throw-away CA");
        let _nginx = site(network, &authority, "location / { return 200 $ssl_protocol; }");
        assert_eq!(get(network, &authority, &["https://www.demo.test/"]).ok(), "TLSv1.3");
        let old = get(network, &authority, &["https://www.demo.test:8443/"]).ok();
        assert!(old.starts_with("TLSv1.2 ECDHE-ECDSA-"), "{old}");
    });
}

#[test]
fn a_compressed_body_without_a_length_arrives_whole() {
    with_real_peers(&["nginx", "tshark"], |network| {
        let authority = Authority::new("a throw-away CA");
        let text: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
        network.write("www/long.txt", &text);
        let _nginx = site(network, &authority, "");
        let capture = network.path("a.pcapng");
        let url = "https://www.demo.test/long.txt";
        let plain = get(network, &authority, &[url]).ok();
        assert!(plain == text, "{} bytes", plain.len());
        let unpacked = get(network, &authority, &[url, "--compressed", "--capture", &capture]).ok();
        assert!(unpacked == text, "{} bytes", unpacked.len());
        // On the wire it was compressed and chunked, and the capture's own secrets show it.
        let fields = ["http.content_encoding", "http.transfer_encoding"];
        assert_eq!(Capture::open(&capture).fields("http.response", &fields), ["gzip\tchunked"]);
    });
}

#[test]
fn the_next_request_of_a_command_goes_over_the_same_connection() {
    with_real_peers(&["nginx"], |network| {
        let authority = Authority::new("a throw-away CA");
        let locations = "location /first { return 302 /second; }
            location /second { return 200 \"request $connection_requests of this connection\"; }";
        let _nginx = site(network, &authority, locations);
        let answer = get(network, &authority, &["-L", "https://www.demo.test/first"]).ok();
        assert_eq!(answer, "request 2 of this connection");
    });
}

#[test]
fn the_request_is_as_the_options_say() {
    with_real_peers(&["nginx"], |network| {
        let authority = Authority::new("a throw-away CA");
        let locations = "location / {
            return 200 \"$request_method|$content_type|$content_length|$http_user_agent|$http_x_y\";
        }";
        let _nginx = site(network, &authority, locations);
        let words = ["https://www.demo.test/", "-d", "a=b", "-d", "c=d", "-A", "me/1", "-H", "X-Y: z"];
        let answer = get(network, &authority, &words).ok();
        assert_eq!(answer, "POST|application/x-www-form-urlencoded|7|me/1|z");
        let output = network.path("body");
        get(network, &authority, &["https://www.demo.test/", "-X", "DELETE", "-s", "-o", &output]).ok();
        assert!(std::fs::read_to_string(&output).unwrap().starts_with("DELETE|||"));
    });
}

#[test]
fn a_large_download_arrives_as_it_was() {
    with_real_peers(&["nginx"], |network| {
        let authority = Authority::new("a throw-away CA");
        let body: Vec<u8> = (0..20_000_000_u32).map(|i| (i % 251).to_le_bytes()[0]).collect();
        network.write("www/large.bin", &body);
        let _nginx = site(network, &authority, "");
        let output = network.path("copy");
        let ran = get(network, &authority, &["https://www.demo.test/large.bin", "-s", "-o", &output]);
        assert_eq!(ran.ok(), "");
        assert!(std::fs::read(&output).unwrap() == body);
    });
}
