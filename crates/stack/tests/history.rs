//! The history that explains segments against what really happened, whatever the cable loses.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod pair;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::NodeId;
use glasstack_journal::event::{Direction, Event, Retransmission, Segment, SegmentReason, Tcp, TcpFlags};
use pair::{Pair, SERVER};
use std::net::SocketAddr;
use std::time::Duration;

const UP: usize = 60_000;
const DOWN: usize = 90_000;

/// Sends `UP` bytes to the server and `DOWN` bytes back, with one frame of `one_in` lost.
fn exchange(seed: u64, one_in: u64) -> Pair {
    let web: SocketAddr = (SERVER, 80).into();
    let mut pair = Pair::new();
    let mut state = seed;
    pair.filter(move |_, bytes| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let is_arp = bytes.get(12..14) == Some(&[0x08, 0x06]);
        is_arp || !(state >> 33).is_multiple_of(one_in)
    });
    let listener = pair.server.listen(web).unwrap();
    pair.server.spawn(async move {
        let mut stream = listener.accept().await;
        let mut request = vec![0; UP];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(&vec![7; DOWN]).await.unwrap();
        stream.close().await.unwrap();
        stream.read_to_end(&mut request).await.unwrap();
    });
    let client = pair.client.clone();
    pair.run(async move {
        let mut stream = client.connect(web).await.unwrap();
        stream.write_all(&[3; UP]).await.unwrap();
        stream.close().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.len(), DOWN);
    });
    pair.run_for(Duration::from_secs(400));
    pair
}

fn segments(pair: &Pair, node: NodeId, direction: Direction) -> Vec<Segment> {
    let records = pair.recorder.records();
    let own = records.iter().filter(|record| record.node == node);
    own.filter_map(|record| match &record.event {
        Event::Tcp(Tcp::Segment(segment)) if segment.direction == direction && segment.flow.is_some() => {
            Some(segment.clone())
        }
        _ => None,
    })
    .collect()
}

/// Where a segment begins and ends in its stream.
fn ends(segment: &Segment) -> (u64, u64) {
    let control = u64::from(segment.flags.has(TcpFlags::SYN)) + u64::from(segment.flags.has(TcpFlags::FIN));
    let start = u64::from(segment.relative_seq);
    (start, start + segment.payload as u64 + control)
}

fn closed(pair: &Pair, node: NodeId) -> (u64, u64, u64) {
    let records = pair.recorder.records();
    let mut own = records.iter().filter(|record| record.node == node);
    own.find_map(|record| match &record.event {
        Event::Tcp(Tcp::Closed { bytes_sent, bytes_received, retransmissions, .. }) => {
            Some((*bytes_sent, *bytes_received, *retransmissions))
        }
        _ => None,
    })
    .unwrap()
}

#[test]
fn the_figures_are_right_whatever_is_lost() {
    for seed in 0..12 {
        for one_in in [8, 20, 1_000_000] {
            let pair = exchange(seed, one_in);
            let (up, down) = (UP as u64, DOWN as u64);
            for (host, expected) in [(&pair.client, (up, down)), (&pair.server, (down, up))] {
                let node = host.scope().node();
                let (bytes_sent, bytes_received, retransmissions) = closed(&pair, node);
                assert_eq!((bytes_sent, bytes_received), expected, "seed {seed}, one in {one_in}");
                let mut highest = 0;
                let mut again = 0;
                for segment in segments(&pair, node, Direction::Out) {
                    let (start, end) = ends(&segment);
                    again += u64::from(end > start && start < highest);
                    highest = highest.max(end);
                }
                assert!(again > 0 || one_in > 8, "the cable lost nothing with seed {seed}");
                assert_eq!(retransmissions, again, "seed {seed}, one in {one_in}");
            }
        }
    }
}

#[test]
fn what_is_told_of_data_is_true_whatever_is_lost() {
    for seed in 0..12 {
        let pair = exchange(seed, 10);
        for host in [&pair.client, &pair.server] {
            let node = host.scope().node();
            let mut highest = 0;
            for segment in segments(&pair, node, Direction::Out) {
                let (start, end) = ends(&segment);
                let told_again = matches!(segment.why, SegmentReason::Retransmission(_));
                assert_eq!(told_again, end > start && start < highest, "seed {seed}: {segment:?}");
                highest = highest.max(end);
            }
            let mut come = Vec::<(u64, u64)>::new();
            for segment in segments(&pair, node, Direction::In) {
                let (start, end) = ends(&segment);
                let new =
                    (start..end).filter(|at| !come.iter().any(|(from, to)| from <= at && at < to)).count();
                if let SegmentReason::Retransmission(Retransmission::SeenBefore) = segment.why {
                    assert_eq!(new, 0, "seed {seed}: {segment:?}");
                }
                if let SegmentReason::NewData { .. } = segment.why {
                    assert!(new > 0, "seed {seed}: {segment:?}");
                }
                come.push((start, end));
            }
        }
    }
}
