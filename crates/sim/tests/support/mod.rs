//! Hand-made frames, two hosts, and the journal as lines.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod two;
pub mod wireshark;

use glasstack_journal::event::{Direction, Event, Link};
use glasstack_journal::journal::Recorder;
use glasstack_sim::FrameView;
use std::collections::BTreeMap;

/// A MAC address of the tests: `02:00:00:00:00:n`.
pub fn mac(n: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, n]
}

/// A UDP frame from station `from` to station `to` with this payload.
pub fn datagram(from: u8, to: u8, payload: &[u8]) -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ethernet2(mac(from), mac(to))
        .ipv4([10, 0, 0, from], [10, 0, 0, to], 64)
        .udp(5_000, 7);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

/// The same to everybody on the link.
pub fn broadcast(from: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = datagram(from, 255, payload);
    bytes[..6].fill(0xff);
    bytes
}

/// What is told of frames on cables, one line each: `0.001000 b: received "hello"`.
pub fn story(recorder: &Recorder) -> Vec<String> {
    let mut names = BTreeMap::new();
    let mut payloads = BTreeMap::new();
    let mut lines = Vec::new();
    for record in recorder.records() {
        let what = match record.event {
            Event::Node { name } => {
                names.insert(record.node, name);
                continue;
            }
            Event::Link(Link::Frame { frame, direction, bytes, .. }) => {
                let payload = String::from_utf8_lossy(FrameView::new(frame, &bytes).payload()).into_owned();
                let verb = if direction == Direction::Out { "sent" } else { "received" };
                let line = format!("{verb} {payload:?}");
                payloads.insert(frame, payload);
                line
            }
            Event::Link(Link::Lost { frame, by, .. }) => format!("lost {:?}: {by}", payloads[&frame]),
            Event::Link(Link::Delayed { frame, by, for_, .. }) => {
                format!("delayed {:?} by {} us: {by}", payloads[&frame], for_.as_micros())
            }
            Event::Link(Link::Duplicated { frame, by, copies, .. }) => {
                format!("{copies} more of {:?}: {by}", payloads[&frame])
            }
            Event::Link(Link::Corrupted { frame, by, bit, .. }) => {
                format!("bit {bit} of {:?} flipped: {by}", payloads[&frame])
            }
            Event::Link(Link::Learned { mac, port, before, .. }) => match before {
                Some(from) => format!("learned {mac} at port {port}, no longer {from}"),
                None => format!("learned {mac} at port {port}"),
            },
            Event::Link(Link::Flooded { why, .. }) => format!("flooded: {why}"),
            _ => continue,
        };
        lines.push(format!("{} {}: {what}", record.at, names[&record.node]));
    }
    lines
}
