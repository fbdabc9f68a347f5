//! What the records say of each frame, kept as long as it may be asked for.

use super::sockets;
use crate::dissect::{Packet, What};
use crate::names::Names;
use crate::text::{count, time};
use glasstack_journal::event::{
    Arp, Dhcp, DhcpKind, Direction, Dns, DropReason, Event, FrameId, Icmp, Ip, Link, Segment, StateCause,
    Tcp, Udp,
};
use glasstack_journal::{NodeId, Record, SpanId};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

/// How many frames are remembered; the oldest are forgotten first.
const FRAMES: usize = 16_384;
/// How many remarks a frame may have.
const REMARKS: usize = 16;
/// How many DNS facts are remembered.
const QUESTIONS: usize = 1_024;

/// What one node said of a frame.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Whether it is the sender who speaks.
    sender: bool,
    /// What it is, where the record knows better than the bytes.
    pub(super) what: Option<String>,
    /// Why it was sent.
    pub(super) why: String,
}

/// All that was said of a frame.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameStory {
    said: Vec<Said>,
    pub(super) spans: Vec<(NodeId, SpanId)>,
    pub(super) remarks: Vec<String>,
    /// The encrypted handshake messages that it carries, as the first node that speaks of them has it.
    carried: Option<(NodeId, Vec<&'static str>)>,
}

impl FrameStory {
    /// What the sender said, or else whoever spoke first.
    pub(super) fn best(&self) -> Option<&Said> {
        self.said.iter().find(|said| said.sender).or_else(|| self.said.first())
    }

    /// What it carries that does not show.
    pub(super) fn carried(&self) -> Option<String> {
        let (_, messages) = self.carried.as_ref()?;
        Some(format!("carries, encrypted: TLS {}", messages.join(", ")))
    }
}

/// What was said, by frame.
#[derive(Default)]
pub(super) struct Facts {
    frames: BTreeMap<FrameId, FrameStory>,
}

impl Facts {
    pub(super) fn of(&self, frame: FrameId) -> Option<&FrameStory> {
        self.frames.get(&frame)
    }

    pub(super) fn observe(&mut self, record: &Record, names: &Names) {
        match &record.event {
            Event::Link(link) => self.on_link(record, link, names),
            Event::Arp(arp) => self.on_arp(record, arp),
            Event::Ip(ip) => self.on_ip(record, ip),
            Event::Icmp(icmp) => self.on_icmp(record, icmp),
            Event::Udp(Udp::Datagram { frame, direction, length, .. }) => {
                let why = format!("carries {}", count(*length as u64, "byte"));
                self.say(record, *frame, Said { sender: *direction == Direction::Out, what: None, why });
            }
            Event::Dhcp(dhcp) => self.on_dhcp(record, dhcp),
            Event::Tcp(Tcp::Segment(segment)) => {
                let sender = segment.direction == Direction::Out;
                let said = Said { sender, what: Some(segment_words(segment)), why: segment.why.to_string() };
                self.say(record, segment.frame, said);
            }
            Event::Tcp(Tcp::StateChanged {
                from,
                to,
                cause:
                    StateCause::SegmentReceived(frame)
                    | StateCause::SegmentSent(frame)
                    | StateCause::IcmpError(frame),
                ..
            }) => {
                let node = names.node(record.node);
                self.remark(*frame, format!("state of {node}: {from} -> {to}"));
            }
            _ => {}
        }
    }

    fn on_dhcp(&mut self, record: &Record, dhcp: &Dhcp) {
        let (frame, sender, kind, transaction, why) = match dhcp {
            Dhcp::Sent { frame, kind, transaction, attempt, .. } => {
                let why = if *attempt > 1 {
                    format!("not answered yet, attempt {attempt}")
                } else {
                    of_client(*kind).to_owned()
                };
                (*frame, true, kind, transaction, why)
            }
            Dhcp::Received { frame, kind, transaction, server, .. } => {
                (*frame, false, kind, transaction, format!("{server} answers"))
            }
            _ => return,
        };
        // That it is a datagram was said before; this says more.
        self.story(frame).said.retain(|said| said.what.is_some());
        let what = Some(format!("{kind}, transaction {transaction:08x}"));
        self.say(record, frame, Said { sender, what, why });
    }

    fn on_link(&mut self, record: &Record, link: &Link, names: &Names) {
        match link {
            Link::Frame { frame, .. } => {
                let story = self.story(*frame);
                story.spans.extend(record.span.map(|span| (record.node, span)));
            }
            Link::Dropped { frame: Some(frame), reason, detail } if !is_elsewhere(*reason) => {
                let node = names.node(record.node);
                let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
                self.remark(*frame, format!("discarded by {node}: {reason}{detail}"));
            }
            Link::Lost { frame, cable, by } => self.remark(*frame, format!("lost on {cable}: {by}")),
            Link::Delayed { frame, cable, by, for_ } => {
                self.remark(*frame, format!("delayed by {} on {cable}: {by}", time(*for_)));
            }
            Link::Duplicated { frame, cable, by, copies } => {
                let times = count(u64::from(*copies), "more time");
                self.remark(*frame, format!("delivered {times} on {cable}: {by}"));
            }
            Link::Corrupted { frame, cable, by, bit } => {
                self.remark(*frame, format!("bit {bit} flipped on {cable}: {by}"));
            }
            Link::Injected { frame, cable, by, .. } => {
                self.remark(*frame, format!("no host sent it; put on {cable}: {by}"));
            }
            _ => {}
        }
    }

    fn on_arp(&mut self, record: &Record, arp: &Arp) {
        let (frame, sender, why) = match arp {
            Arp::RequestSent { frame, why, .. } => (*frame, true, why.to_string()),
            Arp::ReplySent { frame, to } => (*frame, true, format!("answers {to}")),
            Arp::ReplyReceived { frame, after: Some(after), .. } => {
                (*frame, false, format!("answers the request of {} ago", time(*after)))
            }
            Arp::ReplyReceived { frame, after: None, .. } => (*frame, false, "nobody had asked".to_owned()),
            Arp::RequestReceived { frame, from, ours: true, .. } => {
                (*frame, false, format!("{from} wants to send to this node"))
            }
            Arp::RequestReceived { frame, from, ours: false, .. } => {
                (*frame, false, format!("{from} wants to send to another node"))
            }
            _ => return,
        };
        self.say(record, frame, Said { sender, what: None, why });
    }

    fn on_ip(&mut self, record: &Record, ip: &Ip) {
        match ip {
            Ip::Fragmented { frames, length, mtu, .. } => {
                for (index, frame) in frames.iter().enumerate() {
                    let (nth, all) = (index + 1, frames.len());
                    self.story(*frame).spans.extend(record.span.map(|span| (record.node, span)));
                    let why = format!("fragment {nth} of {all}: {length} bytes exceed the MTU of {mtu}");
                    self.remark(*frame, why);
                }
            }
            Ip::Reassembled { frame, fragments, .. } => {
                self.remark(*frame, format!("completes a datagram of {fragments} fragments"));
            }
            _ => {}
        }
    }

    fn on_icmp(&mut self, record: &Record, icmp: &Icmp) {
        let (frame, sender, why) = match icmp {
            Icmp::EchoRequest { frame, direction, peer, .. } => match direction {
                Direction::Out => (*frame, true, format!("asks whether {peer} can be reached")),
                Direction::In => (*frame, false, format!("{peer} asks whether this node can be reached")),
            },
            Icmp::EchoReply { frame, direction, peer, rtt, .. } => match (direction, rtt) {
                (Direction::Out, _) => (*frame, true, format!("answers the echo request of {peer}")),
                (Direction::In, Some(rtt)) => (*frame, false, format!("{peer} answers after {}", time(*rtt))),
                (Direction::In, None) => (*frame, false, format!("{peer} answers")),
            },
            Icmp::ErrorReceived { frame, source, destination, effect, .. } => {
                (*frame, false, format!("about {source} -> {destination}: {effect}"))
            }
            Icmp::ErrorSent { frame, to, .. } => {
                (*frame, true, format!("tells {to} what became of its packet"))
            }
        };
        self.say(record, frame, Said { sender, what: None, why });
    }

    fn say(&mut self, record: &Record, frame: FrameId, said: Said) {
        let story = self.story(frame);
        // A broadcast is spoken of by everybody who hears it.
        if story.said.len() < REMARKS {
            story.said.push(said);
            story.spans.extend(record.span.map(|span| (record.node, span)));
        }
    }

    /// The frame carries an encrypted handshake message. Both ends say so: one of them is enough.
    pub(super) fn carries(&mut self, frame: FrameId, node: NodeId, message: &'static str) {
        let (by, messages) = self.story(frame).carried.get_or_insert((node, Vec::new()));
        if *by == node && messages.len() < REMARKS {
            messages.push(message);
        }
    }

    /// Says something more of a frame.
    pub(super) fn remark(&mut self, frame: FrameId, remark: String) {
        let story = self.story(frame);
        if story.remarks.len() < REMARKS {
            story.remarks.push(remark);
        }
    }

    fn story(&mut self, frame: FrameId) -> &mut FrameStory {
        if self.frames.len() >= FRAMES && !self.frames.contains_key(&frame) {
            self.frames.pop_first();
        }
        self.frames.entry(frame).or_default()
    }
}

/// Why a client sends a message for the first time.
fn of_client(kind: DhcpKind) -> &'static str {
    match kind {
        DhcpKind::Discover => "who has an address for this host?",
        DhcpKind::Request => "asks to have the address, or to keep it",
        DhcpKind::Decline => "somebody uses the address already",
        DhcpKind::Release => "gives the address back",
        _ => "asks for what belongs to its address",
    }
}

/// Whether a frame that is discarded for this reason goes on elsewhere: each station of a shared link
/// discards what is for others.
pub(crate) fn is_elsewhere(reason: DropReason) -> bool {
    matches!(reason, DropReason::NotOurMac | DropReason::SameSide | DropReason::NobodyListens)
}

/// `TCP SYN ACK 80 -> 49152, seq 0, ack 1, 76 bytes`, with relative numbers.
fn segment_words(segment: &Segment) -> String {
    let (source, destination) = (segment.source.port(), segment.destination.port());
    let mut text = format!("TCP {} {source} -> {destination}, seq {}", segment.flags, segment.relative_seq);
    if let Some(ack) = segment.relative_ack {
        text.push_str(&format!(", ack {ack}"));
    }
    if segment.payload > 0 {
        text.push_str(&format!(", {}", count(segment.payload as u64, "byte")));
    }
    text
}

/// What the records said of questions and answers; they carry no frame's number, so they are found
/// again by what the message says.
#[derive(Default)]
pub(super) struct Questions {
    facts: VecDeque<Dns>,
}

/// What is known of a DNS message.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) what: Option<String>,
    pub(super) why: Option<String>,
    pub(super) remark: Option<String>,
}

impl Questions {
    pub(super) fn observe(&mut self, record: &Record) {
        let Event::Dns(dns) = &record.event else { return };
        let of_messages = matches!(
            dns,
            Dns::QuerySent { .. }
                | Dns::ResponseReceived { .. }
                | Dns::Served { .. }
                | Dns::ResponseIgnored { .. }
        );
        if of_messages {
            if self.facts.len() >= QUESTIONS {
                self.facts.pop_front();
            }
            self.facts.push_back(dns.clone());
        }
    }

    /// What was said of the DNS message in `packet`. Over TCP the segment has a reason of its own,
    /// so there it becomes a remark.
    pub(super) fn about(&self, packet: &Packet<'_>) -> Answer {
        let (Some(message), Some((source, destination))) = (packet.dns(), sockets(packet)) else {
            return Answer::default();
        };
        let question = (message.id, message.name.as_str(), message.record_type.as_str());
        let mut what = format!("{}, id 0x{:04x}", message.label(), message.id);
        let why = if message.response {
            if message.truncated {
                what.push_str(", cut short");
            }
            if let Some(answers) = self.answers(question, source) {
                what.push_str(&format!(", {answers}"));
            }
            self.why_this_answer(question, source, destination)
        } else {
            self.why_this_question(question, destination)
        };
        let why = why.unwrap_or_else(|| packet.likely_reason().to_owned());
        match packet.what {
            What::Tcp(_) => Answer { remark: Some(format!("{what}: {why}")), ..Answer::default() },
            _ => Answer { what: Some(what), why: Some(why), remark: None },
        }
    }

    fn why_this_question(&self, question: (u16, &str, &str), to: SocketAddr) -> Option<String> {
        self.facts.iter().rev().find_map(|fact| match fact {
            Dns::QuerySent { id, name, record_type, server, why, .. }
                if *server == to && same(question, (*id, name, record_type)) =>
            {
                Some(why.to_string())
            }
            _ => None,
        })
    }

    fn answers(&self, question: (u16, &str, &str), from: SocketAddr) -> Option<String> {
        self.facts.iter().rev().find_map(|fact| match fact {
            Dns::ResponseReceived { id, name, record_type, server, answers, .. }
                if *server == from && same(question, (*id, name, record_type)) && !answers.is_empty() =>
            {
                Some(answers.join("; "))
            }
            _ => None,
        })
    }

    /// The server's reason if it is one of ours, or else how the client took the answer.
    fn why_this_answer(
        &self,
        question: (u16, &str, &str),
        from: SocketAddr,
        to: SocketAddr,
    ) -> Option<String> {
        let served = self.facts.iter().rev().find_map(|fact| match fact {
            Dns::Served { client, name, record_type, why, .. }
                if *client == to && same(question, (question.0, name, record_type)) =>
            {
                Some(format!("answers the query: {why}"))
            }
            _ => None,
        });
        let taken = || {
            self.facts.iter().rev().find_map(|fact| match fact {
                Dns::ResponseReceived { id, name, record_type, server, rtt, .. }
                    if *server == from && same(question, (*id, name, record_type)) =>
                {
                    Some(format!("answers the query after {}", time(*rtt)))
                }
                Dns::ResponseIgnored { from: ignored, why } if *ignored == from => {
                    Some(format!("ignored: {why}"))
                }
                _ => None,
            })
        };
        served.or_else(taken)
    }
}

/// Names are the same whatever their case (RFC 1035 2.3.3), with or without the root's dot.
fn same(asked: (u16, &str, &str), told: (u16, &str, &str)) -> bool {
    let bare = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    asked.0 == told.0 && asked.2 == told.2 && bare(asked.1) == bare(told.1)
}
