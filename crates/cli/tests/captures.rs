//! Wireshark's view of what the program saves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::pki::Authority;
use support::tshark::Capture;
use support::{OURS, WEB, odd, with_real_peers};

#[test]
fn the_capture_of_a_journey_shows_every_stage_decrypted_and_sound() {
    with_real_peers(&["nginx", "unbound", "tshark"], |network| {
        let authority = Authority::new("a throw-away CA");
        let certificate = authority.for_nginx(network, "www.demo.test", 2999);
        let _nginx = network.nginx(
            &format!(
                "server {{ listen {WEB}:80; return 301 https://www.demo.test$request_uri; }}
                 server {{ listen {WEB}:443 ssl; {certificate} return 200 'hello from nginx'; }}"
            ),
            443,
        );
        let _unbound = network.unbound(
            "$ORIGIN demo.test.
@ 300 IN SOA ns.demo.test. hostmaster.demo.test. 1 3600 600 86400 60
@ 300 IN NS ns.demo.test.
www 300 IN A 198.51.100.80
",
        );
        let (cacert, file) = (authority.file(network), network.path("a.pcapng"));
        let words = [
            "get",
            "-L",
            "http://www.demo.test/",
            "--dns",
            "198.51.100.53",
            "--cacert",
            &cacert,
            "--capture",
            &file,
        ];
        assert_eq!(network.glasstack(&words).ok(), "hello from nginx");

        let capture = Capture::open(&file);
        capture.is_sound();
        capture.has("arp.opcode == 1 && arp.dst.proto_ipv4 == 192.0.2.1");
        capture.has("arp.opcode == 2 && arp.src.proto_ipv4 == 192.0.2.1");
        capture.has("dns.flags.response == 0 && dns.qry.name == www.demo.test");
        capture.has("dns.flags.response == 1 && dns.a == 198.51.100.80");
        assert_eq!(
            capture.fields("http", &["http.request.full_uri", "http.response.code"]),
            ["http://www.demo.test/\t", "\t301", "https://www.demo.test/\t", "\t200"]
        );
        for port in [80, 443] {
            let all = [
                "tcp.flags.syn == 1 && tcp.flags.ack == 0",
                "tcp.flags.syn == 1 && tcp.flags.ack == 1",
                "tcp.flags.fin == 1 && ip.src == 198.51.100.80",
                "tcp.flags.fin == 1 && ip.dst == 198.51.100.80",
            ];
            for one in all {
                assert_eq!(capture.count(&format!("tcp.port == {port} && {one}")), 1, "{port}: {one}");
            }
            assert_eq!(capture.count(&format!("tcp.port == {port} && tcp.flags.reset == 1")), 0);
            both_fins_are_acknowledged(&capture, &format!("tcp.port == {port}"));
        }
        capture.has("tls.handshake.type == 1 && tls.handshake.extensions_server_name == www.demo.test");
        capture.has("tls.handshake.type == 11");
        capture.has("tls.handshake.type == 20 && ip.src == 192.0.2.2");
    });
}

/// A FIN takes a sequence number: who acknowledges the one behind it has seen it.
fn both_fins_are_acknowledged(capture: &Capture, connection: &str) {
    for (from, to) in [(OURS, WEB), (WEB, OURS)] {
        let fin = format!("{connection} && ip.src == {from} && tcp.flags.fin == 1");
        let next = capture.fields(&fin, &["tcp.nxtseq"]);
        let next = next.first().unwrap();
        capture.has(&format!("{connection} && ip.src == {to} && tcp.ack == {next}"));
    }
}

#[test]
fn interrupted_in_a_long_download_the_connection_is_ended_and_the_capture_is_whole() {
    with_real_peers(&["tshark"], |network| {
        let server = odd::never_ends();
        let (output, file) = (network.path("body"), network.path("a.pcapng"));
        let words = ["get", &server.url(), "-o", &output, "--capture", &file];
        let program = network.glasstack_in_the_background(&words);
        support::until(|| std::fs::metadata(&output).is_ok_and(|file| file.len() > 200_000));
        program.interrupt();
        assert_eq!(program.wait(), Some(130));
        server.end();
        let capture = Capture::open(&file);
        capture.is_sound();
        capture.has("ip.src == 192.0.2.2 && (tcp.flags.fin == 1 || tcp.flags.reset == 1)");
        capture.has("http.request.method == GET");
    });
}

#[test]
fn interrupted_while_it_waits_the_capture_is_whole() {
    with_real_peers(&["tshark"], |network| {
        let server = odd::says_and_waits("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        let (output, file) = (network.path("body"), network.path("a.pcapng"));
        let words = ["get", &server.url(), "-o", &output, "--capture", &file];
        let program = network.glasstack_in_the_background(&words);
        support::until(|| std::fs::read(&output).is_ok_and(|body| body == b"half"));
        program.interrupt();
        assert_eq!(program.wait(), Some(130));
        server.end();
        let capture = Capture::open(&file);
        capture.is_sound();
        capture.has("ip.src == 192.0.2.2 && (tcp.flags.fin == 1 || tcp.flags.reset == 1)");
    });
}
