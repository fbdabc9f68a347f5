//! Cables that lose frames, and links that carry only small packets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{DropReason, SegmentReason, TcpFlags};
use glasstack_lab::Lab;
use glasstack_sim::{Pick, fault};
use glasstack_stack::World;
use std::net::SocketAddr;
use std::time::Duration;
use support::{Journey, counting};

/// More than any initial window, and than many a retransmission.
const LENGTH: usize = 300_000;

/// Our own program at the web server's: it takes what comes until the client is done, and says how
/// much it was.
const SINK_PORT: u16 = 9;

/// Sends `body` from the client to the web server. What arrived.
fn upload(journey: &mut Journey, body: &[u8]) -> Vec<u8> {
    let (client, web) = (journey.lab.client.clone(), journey.lab.host("web").unwrap().clone());
    let sink = SocketAddr::new(web.address(), SINK_PORT);
    let listener = web.listen(sink).unwrap();
    let received = journey.lab.world.run(async {
        let receive = async {
            let mut stream = listener.accept().await;
            let mut received = Vec::new();
            stream.read_to_end(&mut received).await.unwrap();
            stream.close().await.unwrap();
            received
        };
        let send = async {
            let mut stream = client.connect(sink).await.unwrap();
            stream.write_all(body).await.unwrap();
            stream.close().await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        };
        let both = async { futures_util::join!(receive, send).0 };
        client.timeout(support::PATIENCE, both).await.unwrap()
    });
    received.unwrap()
}

#[test]
fn a_long_body_arrives_intact_over_a_cable_that_loses_one_frame_in_twenty_both_ways() {
    for seed in 1..=6 {
        let mut journey = Journey::through(Lab::builder(seed).fault(fault::loss(0.05)));
        let page = journey.get("http://bytes.test/300000").unwrap();
        assert!(page.body == counting(LENGTH), "seed {seed}: {} bytes", page.body.len());
        journey.end();
        assert!(journey.lost() > 5, "seed {seed}: {} frames lost", journey.lost());
        let again = journey.retransmissions(journey.lab.host("web").unwrap().scope().node());
        assert!(again > 2, "seed {seed}: {again} segments sent again");
    }
}

#[test]
fn so_it_does_in_the_other_direction() {
    for seed in 1..=6 {
        let mut journey = Journey::through(Lab::builder(seed).fault(fault::loss(0.05)));
        let body = counting(LENGTH);
        assert!(upload(&mut journey, &body) == body, "seed {seed}");
        journey.end();
        assert!(journey.lost() > 5, "seed {seed}: {} frames lost", journey.lost());
        let again = journey.sent(|segment| matches!(segment.why, SegmentReason::Retransmission(_)));
        assert!(again > 5, "seed {seed}: {again} segments sent again");
    }
}

#[test]
fn the_whole_journey_survives_loss_with_redirect_and_tls() {
    for seed in 1..=10 {
        let mut journey = Journey::through(Lab::builder(seed).fault(fault::loss(0.05)));
        let page = journey.get("http://www.example.test/").unwrap();
        assert_eq!((page.status, page.url.as_str()), (200, "https://www.example.test/"), "seed {seed}");
        let body = journey.get("https://bytes.test/100000").unwrap().body;
        assert!(body == counting(100_000), "seed {seed}");
    }
}

#[test]
fn a_page_arrives_whatever_a_cable_does_to_its_frames() {
    for seed in 1..=4 {
        let builder = Lab::builder(seed)
            .fault(fault::loss(0.02))
            .fault(fault::duplicate(Pick::by_chance(0.05), 1))
            .fault(fault::corrupt(Pick::by_chance(0.02)))
            .fault(fault::reorder(Pick::by_chance(0.05), Duration::from_millis(20)));
        let mut journey = Journey::through(builder);
        let body = journey.get("https://bytes.test/100000").unwrap().body;
        assert!(body == counting(100_000), "seed {seed}");
    }
}

// ---- links that carry only small packets

/// Packets on the links of the data centre's router are no longer than this, in bytes.
const SMALL: usize = 1300;

fn through_a_small_link(says_so: bool) -> Journey {
    Journey::through(Lab::builder(1).backbone_mtu(SMALL as u16, !says_so))
}

/// Of what is longer than the small link, nothing came through it.
fn only_small_packets_arrived(journey: &Journey) {
    let too_long = journey.received(|segment| segment.payload + 40 > SMALL);
    assert_eq!(too_long, 0);
}

#[test]
fn a_download_heeds_the_router_that_says_fragmentation_needed() {
    let mut journey = through_a_small_link(true);
    assert!(journey.get("http://bytes.test/300000").unwrap().body == counting(LENGTH));
    journey.end();
    let lowered = journey.lowered(journey.lab.host("web").unwrap().scope().node());
    assert_eq!(lowered, [(SMALL, "fragmentation needed, says 198.51.100.1".to_owned())]);
    assert!(!journey.dropped(DropReason::TooBig).is_empty());
    only_small_packets_arrived(&journey);
}

#[test]
fn an_upload_heeds_the_router_that_says_fragmentation_needed() {
    let mut journey = through_a_small_link(true);
    let body = counting(LENGTH);
    assert!(upload(&mut journey, &body) == body);
    let lowered = journey.lowered(journey.lab.client.scope().node());
    assert_eq!(lowered, [(SMALL, "fragmentation needed, says 198.19.1.20".to_owned())]);
    journey.has_told(&["ICMP fragmentation needed, next-hop MTU 1300", "path MTU lowered from 1500 to 1300"]);
    let largest = journey.segments_of_client().iter().map(|segment| segment.payload).max();
    assert_eq!(largest, Some(1460));
    let after = journey.segments_of_client();
    let full = after.iter().filter(|segment| segment.payload == SMALL - 40).count();
    assert!(full > LENGTH / SMALL / 2, "{full} full segments of the small link");
}

#[test]
fn a_download_finds_its_way_through_a_black_hole() {
    let mut journey = through_a_small_link(false);
    assert!(journey.get("http://bytes.test/300000").unwrap().body == counting(LENGTH));
    let lowered = journey.lowered(journey.lab.host("web").unwrap().scope().node());
    let [(mtu, why)] = lowered.as_slice() else { panic!("{lowered:?}") };
    assert!(*mtu <= SMALL && why.contains("black hole"), "{mtu}: {why}");
    only_small_packets_arrived(&journey);
}

#[test]
fn an_upload_finds_its_way_through_a_black_hole() {
    let mut journey = through_a_small_link(false);
    let body = counting(LENGTH);
    assert!(upload(&mut journey, &body) == body);
    let lowered = journey.lowered(journey.lab.client.scope().node());
    let [(mtu, why)] = lowered.as_slice() else { panic!("{lowered:?}") };
    assert!(*mtu <= SMALL && why.contains("black hole"), "{mtu}: {why}");
    journey.has_told(&["a black hole"]);
}

#[test]
fn a_post_and_the_whole_journey_get_through_small_links_as_well() {
    for says_so in [true, false] {
        let mut journey = through_a_small_link(says_so);
        let page = journey.post("https://echo.test/", counting(60_000)).unwrap();
        assert!(page.text().contains("content-length: 60000"), "{}", page.text());
        let mut journey = through_a_small_link(says_so);
        assert_eq!(journey.get("http://www.example.test/").unwrap().status, 200);
        let resets = journey.sent(|segment| segment.flags.has(TcpFlags::RST));
        assert_eq!(resets, 0);
    }
}
