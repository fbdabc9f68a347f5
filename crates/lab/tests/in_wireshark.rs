//! Wireshark's view of what the lab captures: sound, decrypted, and with a comment on every frame.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_journal::event::{Alert, Event, Field, HandshakeMessage, Tls};
use glasstack_lab::Lab;
use glasstack_sim::fault;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use support::Journey;

/// A file that tshark reads.
struct Capture(PathBuf);

impl Capture {
    /// Of a journey that is over; none, and the test counts as skipped, where there is no tshark.
    fn of(journey: &mut Journey, test: &str) -> Option<Self> {
        journey.end();
        if Command::new("tshark").arg("--version").output().is_err() {
            skip(test, "needs tshark");
            return None;
        }
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.pcapng"));
        std::fs::write(&file, journey.capture()).unwrap();
        Some(Self(file))
    }

    /// The frames that pass `filter`, a line each, these fields separated by tabs.
    fn fields(&self, filter: &str, fields: &[&str]) -> Vec<String> {
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(&self.0).args(["-n", "-Y", filter, "-T", "fields"]);
        // Without it a segment that was lost hides the rest of its TLS session.
        tshark.args(["-o", "tcp.reassemble_out_of_order:TRUE"]);
        for protocol in ["ip", "udp", "tcp"] {
            tshark.arg("-o").arg(format!("{protocol}.check_checksum:TRUE"));
        }
        fields.iter().for_each(|field| {
            tshark.args(["-e", field]);
        });
        let output = tshark.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// All values of a field, in the order in which they were captured.
    fn values(&self, field: &str) -> Vec<String> {
        let frames = self.fields(field, &[field]);
        frames.iter().flat_map(|frame| frame.split(',')).map(|value| value.replace(':', "")).collect()
    }

    fn count(&self, filter: &str) -> usize {
        self.fields(filter, &["frame.number"]).len()
    }

    /// Every frame can be read, is whole, and says why it was sent.
    fn is_sound(&self) {
        // Wireshark takes the beginning of a segment that an ICMP error quotes for all of it, and finds
        // that its checksum does not fit.
        let wrong = "_ws.malformed || !frame.comment || ip.checksum.status == 0 || udp.checksum.status == 0
            || !icmp && (_ws.expert.severity == 8388608 || tcp.checksum.status == 0)
            || icmp && icmp.checksum.status == 0";
        let frames = self.fields(wrong, &["frame.number", "frame.protocols", "_ws.expert.message"]);
        assert!(frames.is_empty(), "{frames:?}");
        assert!(self.count("frame") > 0);
    }
}

/// Says that a test was skipped and why: on stderr, and in the file that `scripts/test` collects.
fn skip(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    eprint!("{line}");
    if let Some(list) = std::env::var_os("GLASSTACK_SKIPPED") {
        let mut list = OpenOptions::new().append(true).create(true).open(list).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}

#[test]
fn the_capture_of_the_journey_is_sound_and_shows_the_request_decrypted() {
    let mut journey = Journey::new(1);
    journey.get("http://www.example.test/").unwrap();
    let Some(capture) = Capture::of(&mut journey, "the_journey") else { return };
    capture.is_sound();
    assert_eq!(
        capture.fields("http", &["http.request.full_uri", "http.response.code"]),
        ["http://www.example.test/\t", "\t301", "https://www.example.test/\t", "\t200"]
    );
    for (what, times) in [
        ("arp.opcode == 1", 1),
        ("arp.opcode == 2", 1),
        ("dns.flags.response == 0 && dns.qry.name == www.example.test", 1),
        ("dns.flags.response == 1 && dns.a == 198.51.100.80", 1),
        ("tcp.flags.syn == 1 && tcp.flags.ack == 0", 2),
        ("tcp.flags.syn == 1 && tcp.flags.ack == 1", 2),
        ("tcp.flags.fin == 1 && ip.src == 192.168.1.10", 2),
        ("tcp.flags.fin == 1 && ip.dst == 192.168.1.10", 2),
        ("tcp.flags.reset == 1", 0),
        ("tls.handshake.type == 1 && tls.handshake.extensions_server_name == www.example.test", 1),
        ("tls.handshake.type == 11", 1),
        ("tcp.analysis.retransmission || tcp.analysis.lost_segment", 0),
    ] {
        assert_eq!(capture.count(what), times, "{what}");
    }
    both_fins_are_acknowledged(&capture);
}

/// A FIN takes a sequence number: who acknowledges the one behind it has seen it.
fn both_fins_are_acknowledged(capture: &Capture) {
    let fins = capture.fields("tcp.flags.fin == 1", &["tcp.stream", "ip.src", "tcp.nxtseq"]);
    assert_eq!(fins.len(), 4);
    for fin in fins {
        let [stream, from, next] = fin.split('\t').collect::<Vec<_>>()[..] else { panic!("{fin}") };
        let answer = format!("tcp.stream == {stream} && ip.src != {from} && tcp.ack == {next}");
        assert!(capture.count(&answer) > 0, "{answer}");
    }
}

#[test]
fn a_capture_under_loss_is_as_sound_and_names_what_was_sent_again() {
    let mut journey = Journey::through(Lab::builder(3).fault(fault::loss(0.05)));
    journey.get("https://bytes.test/100000").unwrap();
    let Some(capture) = Capture::of(&mut journey, "under_loss") else { return };
    capture.is_sound();
    assert_eq!(capture.count("http.response.code == 200"), 1);
    assert!(capture.count("frame.comment contains \"retransmission\"") > 0);
}

#[test]
fn captures_of_failures_are_sound() {
    for (name, url) in [
        ("refused", "http://refused.test/"),
        ("no_arp", "http://noarp.test/"),
        ("dead", "http://dead.test/"),
        ("wrong_name", "https://wrong.host.badssl.test/"),
        ("reset", "http://reset-midway.test/"),
        ("truncated", "http://truncated.test/"),
        ("no_tls", "https://plain-on-443.test/"),
    ] {
        let mut journey = Journey::new(1);
        journey.get(url).unwrap_err();
        let Some(capture) = Capture::of(&mut journey, name) else { return };
        capture.is_sound();
    }
}

#[test]
fn both_versions_of_tls_are_decrypted() {
    for (name, url) in
        [("tls_1_2", "https://tls-v1-2.badssl.test:1012/"), ("tls_1_3", "https://tls-v1-3.badssl.test:1013/")]
    {
        let mut journey = Journey::new(1);
        journey.get(url).unwrap();
        let Some(capture) = Capture::of(&mut journey, name) else { return };
        capture.is_sound();
        assert_eq!(capture.fields("http.request", &["http.request.full_uri"]), [url]);
    }
}

#[test]
fn a_small_link_shows_as_an_icmp_error_and_smaller_segments() {
    let mut journey = Journey::through(Lab::builder(1).backbone_mtu(1300, false));
    journey.post("http://echo.test/", vec![b'x'; 60_000]).unwrap();
    let Some(capture) = Capture::of(&mut journey, "small_link") else { return };
    capture.is_sound();
    assert!(capture.count("icmp.type == 3 && icmp.code == 4 && icmp.mtu == 1300") > 0);
    assert!(capture.count("tcp.len == 1260") > 10);
}

/// tshark's name of a field, and where we tell the same.
const TOLD: &[(&str, &[&str])] = &[
    ("tls.handshake.type", &["msg_type"]),
    ("tls.handshake.version", &["legacy_version"]),
    ("tls.handshake.ciphersuite", &["cipher_suite"]),
    ("tls.handshake.extension.type", &["extension_type"]),
    ("tls.handshake.extensions.supported_version", &["supported_versions/version", "selected_version"]),
    ("tls.handshake.extensions_supported_group", &["named_group_list/group"]),
    ("tls.handshake.extensions_key_share_group", &["KeyShareEntry/group", "server_share/group"]),
    ("tls.extension.psk_ke_mode", &["ke_modes/mode"]),
    (
        "tls.handshake.sig_hash_alg",
        &[
            "supported_signature_algorithms/scheme",
            "ServerKeyExchange/algorithm",
            "CertificateVerify/algorithm",
        ],
    ),
    ("tls.handshake.certificate_length", &["cert_data/length"]),
    ("tls.handshake.session_ticket_lifetime_hint", &["ticket_lifetime", "ticket_lifetime_hint"]),
    ("tls.handshake.session_ticket_age_add", &["ticket_age_add"]),
    ("tls.handshake.server_named_curve", &["namedcurve"]),
];

/// The numbers that a message tells under any of these names, in their order.
fn numbers(message: &HandshakeMessage, paths: &[&str]) -> Vec<u64> {
    let inside = |path: &&str| match path.split_once('/') {
        Some((name, field)) if name == message.name => message.all(field),
        _ => message.all(path),
    };
    let mut fields: Vec<&Field> = paths.iter().flat_map(inside).collect();
    fields.sort_by_key(|field| field.at);
    fields.into_iter().filter_map(Field::number).collect()
}

/// Decimal or hexadecimal, as tshark likes it.
fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
        None => text.parse().unwrap(),
    }
}

#[test]
fn what_is_told_of_a_handshake_is_what_wireshark_reads_in_it() {
    for (name, url) in [
        ("told_1_2", "https://tls-v1-2.badssl.test:1012/"),
        ("told_1_3", "https://tls-v1-3.badssl.test:1013/"),
    ] {
        let mut journey = Journey::new(1);
        journey.get(url).unwrap();
        let Some(capture) = Capture::of(&mut journey, name) else { return };
        let node = journey.lab.client.scope().node();
        let (mut messages, mut alerts) = (Vec::new(), Vec::new());
        for record in journey.records().into_iter().filter(|record| record.node == node) {
            match record.event {
                Event::Tls(Tls::Message(message)) if message.name != "ChangeCipherSpec" => {
                    messages.push(message)
                }
                Event::Tls(Tls::Alert(Alert { code, .. })) => alerts.push(u64::from(code)),
                _ => {}
            }
        }
        assert!(messages.len() >= 8, "{messages:?}");
        for (field, paths) in TOLD {
            let told: Vec<u64> = messages.iter().flat_map(|message| numbers(message, paths)).collect();
            let read: Vec<u64> = capture.values(field).iter().map(|value| number(value)).collect();
            assert_eq!(told, read, "{url}: {field}");
        }
        let hex = |path: &str| {
            let slices = messages.iter().filter_map(|message| message.slice(path));
            slices
                .map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
                .collect::<Vec<String>>()
        };
        // What does not show is in the comments, once a frame.
        let flight = "carries, encrypted: TLS EncryptedExtensions, Certificate, CertificateVerify, Finished";
        let expected = usize::from(name == "told_1_3");
        assert_eq!(capture.count(&format!("frame.comment == \"{flight}\"")), expected);
        assert_eq!(hex("random"), capture.values("tls.handshake.random"));
        assert_eq!(
            hex("key_share/key_exchange/bytes"),
            capture.values("tls.handshake.extensions_key_share_key_exchange")
        );
        assert_eq!(
            alerts,
            capture.values("tls.alert_message.desc").iter().map(|one| number(one)).collect::<Vec<_>>()
        );
    }
}
