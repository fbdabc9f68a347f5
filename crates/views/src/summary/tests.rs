use super::*;
use crate::testing::{Brief, Sink, Story, replay};
use glasstack_journal::SpanKind;
use glasstack_journal::event::{
    Arp, FlowId, Link, RequestReason, Retransmission, Role, SegmentReason, Tcp, TcpFlags,
};

#[test]
fn a_journey_is_one_line_a_stage_with_times_from_the_packets() {
    let expected = concat!(
        "the journey to www.example.test\n",
        "  address bar               https://www.example.test/ (the host is known to want HTTPS)\n",
        "  fetch https://www.example.test/\n",
        "    route                   to 10.0.0.3 directly on eth0 from 10.0.0.1\n",
        "    ARP            2.000 ms 10.0.0.3 is at 02:00:00:00:00:03\n",
        "    DNS            2.000 ms www.example.test is 10.0.0.2, from name server\n",
        "    TCP            2.000 ms connected to 10.0.0.2:443\n",
        "    TLS            2.000 ms TLS 1.3, TLS_AES_128_GCM_SHA256\n",
        "    first byte     2.500 ms 200 OK\n",
        "    body           1.000 ms 5 bytes\n",
        "  close            2.000 ms 10.0.0.2:443, from the first FIN to the last ACK; TIME-WAIT of 60 s\n",
        "  arrived                   https://www.example.test/, status 200, 5 bytes\n",
        "9 packets sent (519 bytes), 7 received (427 bytes), 0 segments sent again, ",
        "15.500 ms from the first to the last\n",
    );
    let records = Story::journey().records();
    assert_eq!(summarize(&records, None).to_string(), expected);
    assert_eq!(summarize(&records, Some("client")).to_string(), expected);
    let sink = Sink::default();
    replay(&records, Summary::new(sink.writer()).of("client"));
    assert_eq!(sink.text(), expected);
}

#[test]
fn what_fails_is_told_as_the_last_stage() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    let journey = story.open(&client, None, SpanKind::Journey { typed: "10.0.0.9".into() });
    let frame = story.send(&client, Some(journey), crate::testing::frames::arp_request(1, 9));
    let (next_hop, why) = ("10.0.0.9".parse().unwrap(), RequestReason::Unknown);
    story.tell(&client, Some(journey), Arp::RequestSent { frame, next_hop, why });
    story.after(3_000_000);
    story.tell(&client, None, Arp::Failed { next_hop, attempts: 3 });
    let summary = summarize(&story.records(), None);
    let last = summary.stages.last().unwrap();
    assert_eq!((last.name, last.failed), ("ARP", true));
    assert!(
        summary
            .to_string()
            .contains("  ARP                   3 s FAILED: no reply from 10.0.0.9 to 3 requests\n")
    );
}

#[test]
fn retransmissions_losses_and_discards_are_counted() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    let server = story.host("server", 2);
    let span = story.open(&client, None, SpanKind::Ping { destination: server.ip() });
    let (local, remote) = (client.at(49152), server.at(80));
    story.tell(&client, Some(span), Tcp::Opened { flow: FlowId(1), local, remote, role: Role::Active });
    let syn = |why| Brief { ports: (49152, 80), flags: TcpFlags::SYN, seq: 0, ack: 0, payload: b"", why };
    let frame = story.segment(&client, &server, span, syn(SegmentReason::Open));
    story.tell(&server, None, Link::Lost { frame, cable: "c".into(), by: "loss".into() });
    story.after(1_000_000);
    let again = Retransmission::Timeout { after: Duration::from_secs(1), attempt: 1 };
    let frame = story.segment(&client, &server, span, syn(SegmentReason::Retransmission(again)));
    let (reason, detail) = (DropReason::BadTcpChecksum, String::new());
    story.tell(&client, None, Link::Dropped { frame: Some(frame), reason, detail });
    let totals = summarize(&story.records(), None).totals;
    assert_eq!((totals.packets_sent, totals.retransmissions, totals.lost), (2, 1, 1));
    assert_eq!(totals.discarded, BTreeMap::from([(DropReason::BadTcpChecksum, 1)]));
    let text = totals.to_string();
    assert!(text.contains("1 segment sent again, 1 frame lost on cables, 1 s from"), "{text}");
    assert!(text.ends_with("discarded: 1 bad TCP checksum\n"), "{text}");
}

#[test]
fn the_summary_is_data_as_well() {
    let journey = summarize(&Story::journey().records(), None);
    let json = serde_json::to_value(&journey).unwrap();
    assert_eq!(json["typed"], "www.example.test");
    assert_eq!(json["stages"][0]["name"], "address bar");
    assert_eq!(json["totals"]["packets_sent"], journey.totals.packets_sent);
}

#[test]
fn a_journey_without_packets_is_no_trouble() {
    assert_eq!(summarize(&[], None).stages, []);
}

#[test]
fn an_address_that_comes_and_goes_is_a_stage_each_time() {
    use glasstack_journal::event::{Dhcp, DhcpKind};
    let mut story = Story::new();
    let client = story.host("client", 1);
    let span = Some(story.open(&client, None, SpanKind::Dhcp { interface: "eth0".to_owned() }));
    let (address, server) = ("10.0.0.9".parse().unwrap(), "10.0.0.2".parse().unwrap());
    let leased = |again| Dhcp::Leased {
        address,
        prefix_len: 24,
        router: None,
        name_servers: vec![],
        domain: None,
        server,
        seconds: 3600,
        renew_after: 1800,
        rebind_after: 3150,
        again,
    };
    let frame = story.send(&client, span, crate::testing::frames::udp(1, 255, (68, 67), b"discover"));
    let (kind, transaction, to, about) = (DhcpKind::Discover, 7, "255.255.255.255".parse().unwrap(), None);
    story.tell(&client, span, Dhcp::Sent { frame, kind, transaction, to, about, attempt: 1 });
    story.after(754_000);
    story.tell(&client, span, leased(false));
    story.after(1_800_000_000);
    story.tell(&client, span, leased(true));
    story.tell(&client, span, Dhcp::Lost { address, why: "10.0.0.2 refuses it".to_owned() });
    story.tell(&client, span, Dhcp::Failed { why: "no DHCP server answered".to_owned() });
    let stages = summarize(&story.records(), None).stages;
    let told: Vec<_> = stages.iter().map(|stage| (stage.outcome.as_str(), stage.failed)).collect();
    assert_eq!(
        told,
        [
            ("10.0.0.9/24 from 10.0.0.2, for 3600 s", false),
            ("10.0.0.9/24 still from 10.0.0.2, for 3600 s", false),
            ("10.0.0.9 is lost: 10.0.0.2 refuses it", true),
            ("no DHCP server answered", true),
        ]
    );
    assert_eq!(stages[0].took, Some(Duration::from_millis(754)));
}
