//! The ladder: who sent what to whom, one rung a frame, as text.
//!
//! ```text
//!  0.021000 client -> server  TCP SYN   x lost: drop_first_syn
//!  0.721000 client -> server  TCP SYN
//!  0.731000 server -> client  TCP SYN ACK
//!  0.741000 client: connected
//! ```
//!
//! A frame's record at its sender and that at its receiver carry the same number and make one rung,
//! printed at the time of sending. Seen at one end only (a real TAP), the other end is named by the
//! name it was given, or by its IP address. Same records, same text: made for snapshots.

mod local;

use crate::comment::is_elsewhere;
use crate::dissect::{Packet, What, dissect};
use crate::names::Names;
use crate::output::Output;
use crate::text::{count, printable, time};
use glasstack_journal::event::{
    Direction, Event, FrameId, Icmp, InterfaceId, Link, MacAddress, Medium, Segment, Tcp,
};
use glasstack_journal::{Instant, NodeId, Observer, Record};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::net::IpAddr;
use std::time::Duration;

/// A layer that the ladder can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// ARP.
    Arp,
    /// ICMP, and what else is neither ARP, UDP nor TCP.
    Ip,
    /// UDP, and with it DNS.
    Udp,
    /// TCP.
    Tcp,
    /// What TLS tells of itself: established, failed.
    Tls,
    /// What HTTP tells of itself: requests and responses.
    Http,
    /// What routers tell each other: RIP. There is much of it, all the time.
    Routing,
}

impl Layer {
    /// All of them, from the wire up.
    pub const ALL: &'static [Self] =
        &[Self::Arp, Self::Ip, Self::Udp, Self::Tcp, Self::Tls, Self::Http, Self::Routing];
    /// Those that a journey is told by: all but what routers tell each other.
    pub const USUAL: &'static [Self] = &[Self::Arp, Self::Ip, Self::Udp, Self::Tcp, Self::Tls, Self::Http];
}

/// What a ladder shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderOptions {
    /// Which layers. [`Layer::USUAL`].
    pub layers: Vec<Layer>,
    /// Whether a segment shows its relative sequence and acknowledgment numbers and its length.
    pub numbers: bool,
    /// Whether a segment shows why it was sent.
    pub reasons: bool,
    /// Whether what happened within a node is shown, as `client: connected`.
    pub local: bool,
    /// Names for addresses that no node of ours has.
    pub names: BTreeMap<IpAddr, String>,
}

impl Default for LadderOptions {
    fn default() -> Self {
        Self {
            layers: Layer::USUAL.to_vec(),
            numbers: false,
            reasons: false,
            local: true,
            names: BTreeMap::new(),
        }
    }
}

impl LadderOptions {
    /// Everything about `layers` and nothing else.
    pub fn only(layers: &[Layer]) -> Self {
        Self { layers: layers.to_vec(), ..Self::default() }
    }
}

/// The ladder of `records`, each line ended by a newline.
pub fn ladder(records: &[Record], options: &LadderOptions) -> String {
    let mut climb = Climb::new(options.clone());
    let mut text = String::new();
    for record in records {
        climb.observe(record);
        for line in climb.settled(record.at) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    for line in climb.rest() {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The ladder, written while the journey goes on. A rung is written once it is known what became of
/// its frame, at the latest after a second, so lines appear a little later than things happen, in
/// the order in which they happened.
pub struct Ladder {
    climb: Climb,
    output: Output,
}

impl Ladder {
    /// Writes to `writer`, a line at a time.
    pub fn new(writer: Box<dyn Write + Send>, options: LadderOptions) -> Self {
        Self { climb: Climb::new(options), output: Output::new(writer) }
    }
}

impl Observer for Ladder {
    fn observe(&mut self, record: &Record) {
        self.climb.observe(record);
        for line in self.climb.settled(record.at) {
            self.output.line(&line);
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        for line in self.climb.rest() {
            self.output.line(&line);
        }
        self.output.finish()
    }
}

/// How long a rung waits for word of its frame.
const WAIT: Duration = Duration::from_secs(1);
/// How long a frame that has arrived may still turn out to have been discarded.
const GRACE: Duration = Duration::from_millis(5);
/// How many lines wait at most.
const WAITING: usize = 4_096;

/// The lines not yet written.
struct Climb {
    options: LadderOptions,
    names: Names,
    waiting: VecDeque<Line>,
    /// Frames whose rungs are written: what comes of them later makes no second rung.
    written: BTreeSet<FrameId>,
}

enum Line {
    Rung(Rung),
    Local { at: Instant, text: String },
}

struct Rung {
    frame: FrameId,
    at: Instant,
    from: String,
    to: String,
    layer: Layer,
    label: String,
    /// The station that the frame is for; none if it is for everybody or there are no stations.
    station: Option<MacAddress>,
    numbers: String,
    reason: Reason,
    remarks: Vec<String>,
    arrived: Option<Instant>,
}

/// Why a frame was sent: the sender knows, the receiver infers.
#[derive(Clone, Default)]
enum Reason {
    #[default]
    Unknown,
    Inferred(String),
    Known(String),
}

impl Climb {
    fn new(options: LadderOptions) -> Self {
        let mut names = Names::default();
        for (address, name) in &options.names {
            names.give(*address, name);
        }
        Self { options, names, waiting: VecDeque::new(), written: BTreeSet::new() }
    }

    fn observe(&mut self, record: &Record) {
        self.names.observe(record);
        match &record.event {
            Event::Link(link) => self.on_link(record, link),
            Event::Tcp(Tcp::Segment(segment)) => self.on_segment(segment),
            Event::Icmp(Icmp::ErrorSent { frame, what, .. } | Icmp::ErrorReceived { frame, what, .. }) => {
                if let Some(rung) = self.rung(*frame) {
                    rung.label = format!("ICMP {}", printable(what));
                }
            }
            event => {
                if let Some((layer, words)) = local::happened(event)
                    && self.options.local
                    && self.options.layers.contains(&layer)
                {
                    let text = format!("{}: {}", self.names.node(record.node), printable(&words));
                    self.waiting.push_back(Line::Local { at: record.at, text });
                }
            }
        }
    }

    fn on_link(&mut self, record: &Record, link: &Link) {
        match link {
            // A router passes a frame on under the same number: each hop is a rung.
            Link::Frame { frame, interface, direction: Direction::Out, bytes } => {
                self.on_new_frame(record, *frame, *interface, Direction::Out, bytes);
            }
            Link::Frame { frame, interface, direction: Direction::In, bytes } => {
                if self.rung(*frame).is_some() {
                    self.on_arrival(record, *frame);
                } else if !self.written.contains(frame) {
                    self.on_new_frame(record, *frame, *interface, Direction::In, bytes);
                }
            }
            Link::Injected { frame, by, bytes, .. } => {
                self.on_injected(record, *frame, bytes);
                self.remark(record, *frame, format!("+ injected: {}", printable(by)));
            }
            Link::Dropped { frame: Some(frame), reason, .. } if !is_elsewhere(*reason) => {
                self.remark(record, *frame, format!("x dropped: {reason}"));
            }
            Link::Lost { frame, by, .. } => self.remark(record, *frame, format!("x lost: {}", printable(by))),
            Link::Delayed { frame, by, for_, .. } => {
                self.remark(record, *frame, format!("~ delayed by {}: {}", time(*for_), printable(by)));
            }
            Link::Duplicated { frame, by, copies, .. } => {
                let times = count(u64::from(*copies), "more time");
                self.remark(record, *frame, format!("+ delivered {times}: {}", printable(by)));
            }
            Link::Corrupted { frame, by, bit, .. } => {
                self.remark(record, *frame, format!("! bit {bit} flipped: {}", printable(by)));
            }
            _ => {}
        }
    }

    fn on_new_frame(
        &mut self,
        record: &Record,
        frame: FrameId,
        interface: InterfaceId,
        direction: Direction,
        bytes: &[u8],
    ) {
        let packet = dissect(self.names.medium(interface), bytes);
        let layer = layer_of(&packet.what);
        if !self.options.layers.contains(&layer) {
            return;
        }
        let here = self.names.node(record.node);
        let (from, to) = match direction {
            Direction::Out => (here, self.receiver(&packet)),
            // A frame for another station is not for whoever overheard it.
            Direction::In if self.overheard(&packet, record.node) => {
                (self.sender(&packet), self.receiver(&packet))
            }
            Direction::In => (self.sender(&packet), here),
        };
        let arrived = (direction == Direction::In).then_some(record.at);
        self.push(record, frame, (from, to), &packet, arrived);
    }

    /// A frame that no host has sent: it says itself who is meant to have.
    fn on_injected(&mut self, record: &Record, frame: FrameId, bytes: &[u8]) {
        let packet = dissect(Medium::Ethernet, bytes);
        if self.options.layers.contains(&layer_of(&packet.what)) {
            let ends = (self.sender(&packet), self.receiver(&packet));
            self.push(record, frame, ends, &packet, None);
        }
    }

    /// Adds a rung. A frame that has one already has made another hop.
    fn push(
        &mut self,
        record: &Record,
        frame: FrameId,
        (from, to): (String, String),
        packet: &Packet<'_>,
        arrived: Option<Instant>,
    ) {
        let (numbers, reason) = self.rung(frame).map_or_else(Default::default, |hop| {
            hop.arrived.get_or_insert(record.at);
            (hop.numbers.clone(), hop.reason.clone())
        });
        self.waiting.push_back(Line::Rung(Rung {
            frame,
            at: record.at,
            from,
            to,
            layer: layer_of(&packet.what),
            label: packet.label(),
            station: packet.stations.map(|(_, to)| to).filter(|to| !to.is_multicast()),
            numbers,
            reason,
            remarks: Vec::new(),
            arrived,
        }));
    }

    fn on_arrival(&mut self, record: &Record, frame: FrameId) {
        let node = record.node;
        let for_this_node = match self.rung(frame).map(|rung| rung.station) {
            Some(Some(station)) => self.names.station(station).is_none_or(|known| known == node),
            _ => true,
        };
        if let Some(rung) = self.rung(frame)
            && for_this_node
        {
            rung.arrived.get_or_insert(record.at);
        }
    }

    fn on_segment(&mut self, segment: &Segment) {
        let reason = segment.why.to_string();
        let Some(rung) = self.rung(segment.frame) else { return };
        rung.numbers = numbers(segment);
        match (segment.direction, &rung.reason) {
            (Direction::Out, _) => rung.reason = Reason::Known(reason),
            (Direction::In, Reason::Unknown) => rung.reason = Reason::Inferred(reason),
            (Direction::In, _) => {}
        }
    }

    /// Says something of a frame: on its rung, or on a line of its own if that has been written.
    fn remark(&mut self, record: &Record, frame: FrameId, remark: String) {
        if let Some(rung) = self.rung(frame) {
            let over = remark.starts_with('x');
            rung.remarks.push(remark);
            if over {
                rung.arrived.get_or_insert(record.at);
            }
        }
    }

    fn rung(&mut self, frame: FrameId) -> Option<&mut Rung> {
        self.waiting.iter_mut().rev().find_map(|line| match line {
            Line::Rung(rung) if rung.frame == frame => Some(rung),
            _ => None,
        })
    }

    fn receiver(&self, packet: &Packet<'_>) -> String {
        match packet.stations {
            Some((_, to)) if to.is_multicast() => "all".to_owned(),
            Some((_, to)) if self.names.station(to).is_some() => {
                self.names.station(to).map(|node| self.names.node(node)).unwrap_or_default()
            }
            stations => match packet.hosts {
                Some((_, to)) => self.names.host(to),
                None => stations.map_or_else(|| "?".to_owned(), |(_, to)| to.to_string()),
            },
        }
    }

    fn sender(&self, packet: &Packet<'_>) -> String {
        let known = packet.stations.and_then(|(from, _)| self.names.station(from));
        match (known, packet.hosts, packet.stations) {
            (Some(node), _, _) => self.names.node(node),
            (None, Some((from, _)), _) => self.names.host(from),
            (None, None, Some((from, _))) => from.to_string(),
            (None, None, None) => "?".to_owned(),
        }
    }

    fn overheard(&self, packet: &Packet<'_>, here: NodeId) -> bool {
        let station = packet.stations.and_then(|(_, to)| self.names.station(to));
        station.is_some_and(|node| node != here)
    }

    /// The lines at the front that nothing more can be said of.
    fn settled(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(front) = self.waiting.front() {
            let done = match front {
                Line::Local { .. } => true,
                Line::Rung(Rung { arrived: Some(arrived), .. }) => now.since(*arrived) >= GRACE,
                Line::Rung(rung) => now.since(rung.at) >= WAIT,
            };
            if !done && self.waiting.len() <= WAITING {
                break;
            }
            let Some(line) = self.waiting.pop_front() else { break };
            if let Line::Rung(rung) = &line {
                if self.written.len() >= WAITING {
                    self.written.pop_first();
                }
                self.written.insert(rung.frame);
            }
            lines.push(self.text(&line));
        }
        lines
    }

    fn rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.waiting).iter().map(|line| self.text(line)).collect()
    }

    fn text(&self, line: &Line) -> String {
        match line {
            Line::Local { at, text } => format!("{:>9} {text}", at.to_string()),
            Line::Rung(rung) => {
                let (at, from, to) = (rung.at.to_string(), printable(&rung.from), printable(&rung.to));
                let mut text = format!("{at:>9} {from} -> {to}  {}", rung.label);
                if self.options.numbers && rung.layer == Layer::Tcp && !rung.numbers.is_empty() {
                    text.push_str(&format!(" {}", rung.numbers));
                }
                if let (true, Reason::Known(why) | Reason::Inferred(why)) =
                    (self.options.reasons, &rung.reason)
                {
                    text.push_str(&format!("  ({why})"));
                }
                for remark in &rung.remarks {
                    text.push_str(&format!("   {remark}"));
                }
                text
            }
        }
    }
}

/// `seq 1 ack 1 len 76`, as Wireshark says it.
fn numbers(segment: &Segment) -> String {
    let mut text = format!("seq {}", segment.relative_seq);
    if let Some(ack) = segment.relative_ack {
        text.push_str(&format!(" ack {ack}"));
    }
    if segment.payload > 0 {
        text.push_str(&format!(" len {}", segment.payload));
    }
    text
}

fn layer_of(what: &What<'_>) -> Layer {
    match what {
        What::ArpRequest { .. } | What::ArpReply { .. } => Layer::Arp,
        What::Tcp(_) => Layer::Tcp,
        // RFC 2453 4: the port of RIP.
        What::Udp { source: 520, destination: 520, .. } => Layer::Routing,
        What::Udp { .. } => Layer::Udp,
        What::Icmp { .. } | What::Fragment { .. } | What::Other { .. } => Layer::Ip,
    }
}

#[cfg(test)]
mod tests;
