//! What a frame is and why it was sent, in a line: the comment that the capture carries.
//!
//! ```text
//! TCP SYN 49152 -> 80, seq 0: opens the connection (for connection to 10.0.0.2:80, fetch http://…)
//! ARP request: who has 10.0.0.1? not in the ARP cache (for query to 10.0.0.3:53, …)
//! ```
//!
//! The records that carry the frame's number explain it. The sender's reason is the truth; what the
//! receiver infers serves where the sender is not one of ours; the bytes alone serve where nobody
//! said anything. The spans say what for.

mod exchange;
mod facts;

use crate::dissect::payload::contents;
use crate::dissect::{Packet, What, dissect};
use crate::names::Names;
use crate::spans::Spans;
use crate::text::{count, printable};
use exchange::Exchanges;
pub(crate) use facts::is_elsewhere;
use facts::{Facts, FrameStory, Questions};
use glasstack_journal::event::{FrameId, Medium};
use glasstack_journal::{NodeId, Record, SpanId};
use std::net::SocketAddr;

/// Gathers what the records say of frames.
#[derive(Default)]
pub(crate) struct Explainer {
    spans: Spans,
    facts: Facts,
    questions: Questions,
    exchanges: Exchanges,
}

impl Explainer {
    /// `names` must have seen the record.
    pub(crate) fn observe(&mut self, record: &Record, names: &Names) {
        self.spans.observe(record);
        self.facts.observe(record, names);
        self.questions.observe(record);
        self.exchanges.observe(record, names, &self.spans, &mut self.facts);
    }

    /// The comments on a frame as `node` saw it: first what it is, why it was sent and what for; then
    /// what else befell it.
    pub(crate) fn comments(&self, frame: FrameId, node: NodeId, medium: Medium, bytes: &[u8]) -> Vec<String> {
        let packet = dissect(medium, bytes);
        let story = self.facts.of(frame);
        let said = story.and_then(|story| story.best());
        let answer = self.questions.about(&packet);
        let what = answer.what.or_else(|| said.and_then(|said| said.what.clone()));
        let mut comment = what.unwrap_or_else(|| describe(&packet));
        if let What::Tcp(segment) = &packet.what
            && let Some(contents) = contents(segment.payload)
        {
            comment.push_str(&format!(", {contents}"));
        }
        let why = answer.why.or_else(|| said.map(|said| said.why.clone()));
        let why = why.unwrap_or_else(|| packet.likely_reason().to_owned());
        // A question already ends what an ARP request is.
        comment.push_str(if comment.ends_with('?') { " " } else { ": " });
        comment.push_str(&why);
        if let Some(purpose) = self.purpose(story.map_or(&[], |story| &story.spans), node) {
            comment.push_str(&format!(" (for {purpose})"));
        }
        let mut comments = vec![printable(&comment).into_owned()];
        comments.extend(answer.remark.iter().map(|remark| printable(remark).into_owned()));
        comments.extend(story.and_then(FrameStory::carried));
        let remarks = story.map_or(&[][..], |story| &story.remarks);
        comments.extend(remarks.iter().map(|remark| printable(remark).into_owned()));
        comments
    }

    /// What for: as this node sees it, or else as anybody does.
    fn purpose(&self, spans: &[(NodeId, SpanId)], node: NodeId) -> Option<String> {
        let own = spans.iter().filter(|(at, _)| *at == node);
        let others = spans.iter().filter(|(at, _)| *at != node);
        own.chain(others).find_map(|(_, span)| self.spans.purpose(Some(*span)))
    }
}

/// What the bytes alone tell.
fn describe(packet: &Packet<'_>) -> String {
    match &packet.what {
        What::ArpRequest { target } => format!("ARP request: who has {target}?"),
        What::ArpReply { sender, mac } => format!("ARP reply: {sender} is at {mac}"),
        What::Tcp(segment) => {
            let mut text = format!("TCP {} {} -> {}", segment.flags, segment.source, segment.destination);
            text.push_str(&format!(", seq {}", segment.seq));
            if let Some(ack) = segment.ack {
                text.push_str(&format!(", ack {ack}"));
            }
            if !segment.payload.is_empty() {
                text.push_str(&format!(", {}", count(segment.payload.len() as u64, "byte")));
            }
            text
        }
        What::Udp { .. } if packet.rip().is_some() => packet.label(),
        What::Udp { source, destination, payload } => {
            format!("UDP {source} -> {destination}, {}", count(payload.len() as u64, "byte"))
        }
        What::Fragment { protocol, offset, more } => {
            let rest = if *more { "more follow" } else { "the last one" };
            format!("IPv4 fragment of {protocol} at byte {offset}, {rest}")
        }
        What::Icmp { .. } | What::Other { .. } => packet.label(),
    }
}

/// Source and destination of a datagram or segment.
fn sockets(packet: &Packet<'_>) -> Option<(SocketAddr, SocketAddr)> {
    let (from, to) = packet.hosts?;
    let (source, destination) = match &packet.what {
        What::Udp { source, destination, .. } => (*source, *destination),
        What::Tcp(segment) => (segment.source, segment.destination),
        _ => return None,
    };
    Some((SocketAddr::new(from, source), SocketAddr::new(to, destination)))
}

#[cfg(test)]
mod tests;
