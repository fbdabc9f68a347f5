//! What the narrator remembers, so that a line can name what it is about.

use crate::dissect::dissect;
use crate::names::Names;
use glasstack_journal::event::{Arp, Event, FrameId, Link, Medium};
use glasstack_journal::{Instant, NodeId, Record};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How many frames are remembered; the oldest are forgotten first.
const FRAMES: usize = 1_024;
/// So soon after the reply, that the ARP cache knows is no news.
const NO_NEWS: Duration = Duration::from_millis(1);

/// Names, the latest frames, the latest ARP reply of each node.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) names: Names,
    labels: BTreeMap<FrameId, String>,
    replies: BTreeMap<NodeId, (Ipv4Addr, Instant)>,
}

impl Memory {
    pub(super) fn observe(&mut self, record: &Record) {
        self.names.observe(record);
        match &record.event {
            Event::Link(Link::Frame { frame, interface, bytes, .. }) if !self.labels.contains_key(frame) => {
                if self.labels.len() >= FRAMES {
                    self.labels.pop_first();
                }
                let label = dissect(self.names.medium(*interface), bytes).label();
                self.labels.insert(*frame, label);
            }
            Event::Link(Link::Injected { frame, bytes, .. }) => {
                self.labels.insert(*frame, dissect(Medium::Ethernet, bytes).label());
            }
            Event::Arp(Arp::ReplyReceived { from, .. }) => {
                self.replies.insert(record.node, (*from, record.at));
            }
            _ => {}
        }
    }

    /// `TCP SYN ACK`, or `a frame` if it was not seen or is forgotten.
    pub(super) fn label(&self, frame: FrameId) -> &str {
        self.labels.get(&frame).map_or("a frame", String::as_str)
    }

    /// Whether the node has only just been told by ARP where `next_hop` is.
    pub(super) fn just_told(&self, record: &Record, next_hop: Ipv4Addr) -> bool {
        let told = self.replies.get(&record.node);
        told.is_some_and(|(from, at)| *from == next_hop && record.at.since(*at) < NO_NEWS)
    }
}
