//! Wireshark's view of what the program saves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::pki::Authority;
use support::tshark::Capture;
use support::{WEB, odd, with_real_peers};

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
        capture.has(&[
            "arp.opcode == 1 && arp.dst.proto_ipv4 == 192.0.2.1",
            "arp.opcode == 2 && arp.src.proto_ipv4 == 192.0.2.1",
            "dns.flags.response == 0 && dns.qry.name == www.demo.test",
            "dns.flags.response == 1 && dns.a == 198.51.100.80",
            "tls.handshake.type == 1 && tls.handshake.extensions_server_name == www.demo.test",
            // Certificate and Finished: encrypted in TLS 1.3.
            "tls.handshake.type == 11 && ip.src == 198.51.100.80",
            "tls.handshake.type == 20 && ip.src == 192.0.2.2",
        ]);
        assert_eq!(
            capture.fields("http", &["http.request.full_uri", "http.response.code"]),
            ["http://www.demo.test/\t", "\t301", "https://www.demo.test/\t", "\t200"]
        );
        for port in [80, 443] {
            opens_and_closes_in_order(&capture, &format!("tcp.port == {port}"));
        }
    });
}

/// SYN, SYN ACK, a FIN each way, both acknowledged, no RST.
fn opens_and_closes_in_order(capture: &Capture, connection: &str) {
    let once = [
        "tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.src == 192.0.2.2",
        "tcp.flags.syn == 1 && tcp.flags.ack == 1 && ip.dst == 192.0.2.2",
        "tcp.flags.fin == 1 && ip.src == 192.0.2.2",
        "tcp.flags.fin == 1 && ip.dst == 192.0.2.2",
        "tcp.flags.reset == 1",
    ];
    let once = once.map(|filter| format!("{connection} && {filter}"));
    assert_eq!(capture.counts(&once), [1, 1, 1, 1, 0], "{connection}");
    // A FIN takes a sequence number: who acknowledges the one behind it has seen it.
    let fin = format!("{connection} && tcp.flags.fin == 1");
    let acknowledged: Vec<String> = capture
        .fields(&fin, &["ip.src", "tcp.nxtseq"])
        .iter()
        .filter_map(|fin| fin.split_once('\t'))
        .map(|(from, next)| format!("{connection} && ip.dst == {from} && tcp.ack == {next}"))
        .collect();
    assert_eq!(acknowledged.len(), 2);
    capture.has(&acknowledged.iter().map(String::as_str).collect::<Vec<_>>());
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
        let ended = "ip.src == 192.0.2.2 && (tcp.flags.fin == 1 || tcp.flags.reset == 1)";
        capture.has(&[ended, "http.request.method == GET"]);
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
        capture.has(&["ip.src == 192.0.2.2 && (tcp.flags.fin == 1 || tcp.flags.reset == 1)"]);
    });
}
