//! What tshark makes of the files, where it is installed.

use super::*;
use crate::testing::Brief;
use glasstack_journal::event::SegmentReason;
use std::process::{Command, Stdio};

/// The fields of each packet, one line each; none (and a word about it) where tshark is missing.
fn tshark(file: &[u8], arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r", "-"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("skipped: tshark cannot be run here ({error}); install Wireshark's command line tools");
            return None;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    let file = file.to_vec();
    stdin.write_all(&file).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tshark: {errors}");
    assert!(!errors.contains("cut short"), "tshark: {errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn fields(file: &[u8], names: &[&str], more: &[&str]) -> Option<Vec<String>> {
    let mut arguments = vec!["-T", "fields"];
    names.iter().for_each(|name| arguments.extend(["-e", name]));
    arguments.extend(more);
    tshark(file, &arguments).map(|text| text.lines().map(str::to_owned).collect())
}

#[test]
fn every_packet_has_its_comment_interface_direction_and_time() {
    let records = Story::journey().records();
    let file = capture(&records, client());
    let names = ["frame.interface_name", "frame.packet_flags_direction", "frame.time_epoch", "frame.comment"];
    let Some(lines) = fields(&file, &names, &[]) else { return };
    assert_eq!(lines.len(), frames_of(&records, NodeId(1)));
    assert!(
        lines[0].starts_with("eth0\t0x00000002\t1767225600.020000000\tARP request: who has 10.0.0.3?"),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("eth0\t0x00000001\t"), "{}", lines[1]);
    for line in lines {
        assert!(line.split('\t').nth(3).is_some_and(|comment| !comment.is_empty()), "no comment: {line:?}");
    }
}

#[test]
fn nothing_is_malformed_and_no_checksum_is_bad() {
    let file = capture(&real_session(), client());
    let strict = [
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
        "-Y",
        "_ws.malformed || _ws.expert.severity == 8388608 || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0",
    ];
    let Some(bad) = tshark(&file, &strict) else { return };
    assert_eq!(bad, "");
}

#[test]
fn names_are_resolved_from_the_file_itself() {
    let file = capture(&Story::journey().records(), client());
    let more = ["-N", "n", "-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0"];
    let Some(lines) = fields(&file, &["ip.src_host", "ip.dst_host"], &more) else { return };
    assert_eq!(lines, ["client\twww.example.test"]);
}

#[test]
fn a_file_cut_at_any_block_boundary_opens() {
    let sink = Sink::default();
    replay(&Story::journey().records(), PcapngCapture::new(sink.writer(), client()));
    let writes = sink.writes();
    // All cuts would take a minute: the first blocks, one of the middle, the last.
    for end in [2, 3, 4, writes.len() / 2, writes.len() - 1] {
        let Some(text) = tshark(&writes[..end].concat(), &[]) else { return };
        let packets = writes[..end].iter().filter(|block| word(block, 0) == EPB).count();
        assert_eq!(text.lines().count(), packets);
    }
}

/// A real TLS session over a connection of the story, its secrets told where a stack tells them: once
/// the server's first flight has arrived.
fn real_session() -> Vec<Record> {
    let mut story = Story::new();
    let actor = story.host("client", 1);
    let server = story.host("server", 2);
    let span = story.open(&actor, None, SpanKind::Connection { remote: server.at(443) });
    story.connect(&actor, &server, (span, span));
    let tls = start_handshake(&mut story, &actor);
    let session = include_str!("tls13_session.txt");
    let mut seq = [1, 1];
    let flights = session.lines().filter_map(|line| line.split_once(' '));
    for (step, (who, hex)) in flights.filter(|(who, _)| ["client", "server"].contains(who)).enumerate() {
        let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(octet).collect();
        let (from, to, ours, theirs) =
            if who == "client" { (&actor, &server, 0, 1) } else { (&server, &actor, 1, 0) };
        let ports = if who == "client" { (49152, 443) } else { (443, 49152) };
        let (flags, why) = (TcpFlags::PSH | TcpFlags::ACK, SegmentReason::NewData { acknowledges: true });
        let brief = Brief { ports, flags, seq: seq[ours], ack: seq[theirs], payload: &bytes, why };
        let frame = story.segment(from, to, span, brief);
        seq[ours] += u32::try_from(bytes.len()).unwrap();
        story.after(1_000);
        story.arrive(to, Some(span), frame);
        if step == 1 {
            let secrets = session.lines().filter_map(|line| line.strip_prefix("secret "));
            secrets.for_each(|line| story.tell(&actor, Some(tls), Tls::Secret { line: line.to_owned() }));
            let established = Tls::Established {
                server: false,
                version: "TLS 1.3".into(),
                suite: "TLS_AES_256_GCM_SHA384".into(),
                group: None,
                alpn: None,
                resumed: false,
            };
            story.tell(&actor, Some(tls), established);
        }
    }
    story.records()
}

#[test]
fn the_secrets_inside_open_the_request_and_the_response() {
    let file = capture(&real_session(), client());
    let names = ["http.request.full_uri", "http.response.code", "frame.comment"];
    let Some(lines) = fields(&file, &names, &["-Y", "http"]) else { return };
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0].starts_with("https://www.example.test/secret\t\tTCP PSH ACK 49152 -> 443"),
        "{lines:#?}"
    );
    assert!(lines[1].starts_with("\t200\tTCP PSH ACK 443 -> 49152"), "{lines:#?}");
}
