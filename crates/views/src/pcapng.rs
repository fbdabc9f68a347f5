//! The capture: a pcapng file that Wireshark opens decrypted and annotated.
//!
//! ```text
//! SHB                      who wrote it
//! IDB  eth0                an interface of the node that is watched
//! NRB  10.0.0.1 client     names, as they become known
//! EPB  ARP request         every packet with its comment: what it is, why it was sent, what for
//! EPB  ...
//! DSB  CLIENT_HANDSHAKE_…  TLS secrets, before the packets that need them
//! EPB  ...
//! ```
//!
//! Two things come later than the frame that they are about: its explanation (the upper layers
//! speak after the wire has) and the TLS secrets. So frames wait in a bounded queue ([`hold`]) and
//! are written in their order. Every block is written whole and flushed: a file whose writer was
//! interrupted is a valid file with fewer packets.

mod block;
mod hold;

use crate::comment::Explainer;
use crate::names::Names;
use crate::output::Output;
use block::{InterfaceDescription, PacketInfo, Reception, Timestamp};
use glasstack_journal::event::{
    Direction, Dns, Event, FrameId, InterfaceId, Ip, Link, MacAddress, Medium, Tls,
};
use glasstack_journal::{NodeId, Observer, Record, WallTime};
use hold::{Frame, Hold};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

/// Whose frames are captured. A frame that passes two points is captured twice if both are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Points {
    /// The node whose interface comes up first.
    #[default]
    FirstNode,
    /// The nodes with these names.
    Nodes(Vec<String>),
    /// These places and no others: a node's name for all its interfaces, `NODE:INTERFACE` for one of
    /// them (`home:eth1`), or a cable's name for the capture on it (`client <-> home-switch`).
    Only(Vec<String>),
    /// Every node, and every cable that is captured.
    Everywhere,
}

/// Writes a pcapng file.
///
/// Beside the packets the file holds the TLS secrets that open them: treat it as you would treat a
/// key log.
pub struct PcapngCapture {
    output: Output,
    points: Points,
    first: Option<NodeId>,
    epoch: WallTime,
    begun: bool,
    names: Names,
    explainer: Explainer,
    hold: Hold,
    /// Interfaces that the file describes, and their numbers in it.
    described: BTreeMap<InterfaceId, u32>,
    secrets: Pending<String>,
    hosts: Pending<(IpAddr, String)>,
}

impl PcapngCapture {
    /// Captures at `points` into `writer`, which gets each block in one piece: give it an unbuffered
    /// file, so that what has been written survives whatever happens.
    pub fn new(writer: Box<dyn Write + Send>, points: Points) -> Self {
        Self {
            output: Output::new(writer),
            points,
            first: None,
            epoch: WallTime::default(),
            begun: false,
            names: Names::default(),
            explainer: Explainer::default(),
            hold: Hold::default(),
            described: BTreeMap::new(),
            secrets: Pending::default(),
            hosts: Pending::default(),
        }
    }

    fn on_link(&mut self, record: &Record, link: &Link) {
        match link {
            Link::InterfaceUp { interface, address, .. } => {
                if !address.is_unspecified() {
                    self.hosts.add((*address, self.names.node(record.node)));
                }
                if self.is_watched(record.node, *interface) {
                    self.number(*interface);
                    self.output.flush();
                }
            }
            Link::CaptureUp { interface, .. } if self.is_watched_cable(*interface) => {
                self.number(*interface);
                self.output.flush();
            }
            Link::Frame { frame, interface, direction, bytes }
                if self.is_watched(record.node, *interface) =>
            {
                self.hold.push(held(record, *frame, *interface, *direction, bytes));
            }
            Link::Captured { frame, interface, direction, bytes } if self.is_watched_cable(*interface) => {
                self.hold.push_all(held(record, *frame, *interface, *direction, bytes));
            }
            _ => {}
        }
    }

    fn is_watched(&mut self, node: NodeId, interface: InterfaceId) -> bool {
        match &self.points {
            Points::FirstNode => *self.first.get_or_insert(node) == node,
            Points::Nodes(names) => names.iter().any(|name| self.names.is_called(node, name)),
            Points::Only(places) => places.iter().any(|place| self.names.is_at(interface, place)),
            Points::Everywhere => true,
        }
    }

    fn is_watched_cable(&self, interface: InterfaceId) -> bool {
        match &self.points {
            Points::FirstNode | Points::Nodes(_) => false,
            Points::Only(places) => places.iter().any(|place| self.names.is_at(interface, place)),
            Points::Everywhere => true,
        }
    }

    /// Begins the file, once.
    fn begin_file(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            let application = concat!("glasstack ", env!("CARGO_PKG_VERSION"));
            let comment = "Every packet has a comment: what it is, why it was sent, what for.";
            self.output.write(&block::section_header(application, comment));
            self.output.flush();
        }
    }

    /// The number of an interface in the file, which describes it from now on.
    fn number(&mut self, interface: InterfaceId) -> u32 {
        if let Some(number) = self.described.get(&interface) {
            return *number;
        }
        self.begin_file();
        let block = match self.names.interface(interface) {
            Some(known) => {
                let node = self.names.node(known.node);
                let description = match known.mtu {
                    Some(mtu) => format!("{} of {node}, MTU {mtu}", known.name),
                    None => format!("the cable {}; outbound is from its first end", known.name),
                };
                block::interface_description(&InterfaceDescription {
                    name: &known.name,
                    description: &description,
                    medium: known.medium,
                    address: known.mtu.is_some().then_some((known.address, known.prefix_len)),
                    mac: known.mac,
                })
            }
            None => block::interface_description(&InterfaceDescription {
                name: &format!("interface {}", interface.0),
                description: "came up before the capture began",
                medium: Medium::Ethernet,
                address: None,
                mac: None,
            }),
        };
        self.output.write(&block);
        let number = u32::try_from(self.described.len()).unwrap_or(u32::MAX);
        self.described.insert(interface, number);
        number
    }

    /// Writes the frames that need not wait any longer.
    fn release(&mut self, frames: Vec<Frame>) {
        if frames.is_empty() {
            return;
        }
        for frame in frames {
            self.write(&frame);
        }
        self.output.flush();
    }

    /// Writes a frame, behind the names and secrets that belong before it.
    fn write(&mut self, frame: &Frame) {
        let interface = self.number(frame.interface);
        self.write_pending();
        let medium = self.names.medium(frame.interface);
        let comments = self.explainer.comments(frame.id, frame.node, medium, &frame.bytes);
        let info = PacketInfo {
            interface,
            at: Timestamp::of(self.epoch, frame.at),
            direction: frame.direction,
            reception: self.reception(frame, medium),
            id: frame.id.0,
            comments: &comments,
        };
        self.output.write(&block::enhanced_packet(&info, &frame.bytes));
    }

    fn write_pending(&mut self) {
        self.begin_file();
        let names = self.hosts.take();
        if !names.is_empty() {
            self.output.write(&block::name_resolution(&names));
        }
        let secrets = self.secrets.take();
        if !secrets.is_empty() {
            let key_log: String = secrets.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
            self.output.write(&block::decryption_secrets(&key_log));
        }
    }

    fn reception(&self, frame: &Frame, medium: Medium) -> Reception {
        let own = self.names.interface(frame.interface).and_then(|interface| interface.mac);
        let destination = frame.bytes.first_chunk::<6>().map(|octets| MacAddress(*octets));
        match (medium, destination) {
            (Medium::Ip, _) | (_, None) => Reception::Unspecified,
            (Medium::Ethernet, Some(MacAddress::BROADCAST)) => Reception::Broadcast,
            (Medium::Ethernet, Some(mac)) if mac.is_multicast() => Reception::Multicast,
            (Medium::Ethernet, mac) if frame.direction == Direction::In && own.is_some() && own != mac => {
                Reception::Promiscuous
            }
            (Medium::Ethernet, _) => Reception::Unicast,
        }
    }
}

impl Observer for PcapngCapture {
    fn begin(&mut self, epoch: WallTime) {
        self.epoch = epoch;
        self.begin_file();
    }

    fn observe(&mut self, record: &Record) {
        self.names.observe(record);
        self.explainer.observe(record, &self.names);
        self.hold.observe(record);
        match &record.event {
            Event::Link(link) => self.on_link(record, link),
            Event::Ip(Ip::AddressSet { address, .. }) => {
                self.hosts.add((*address, self.names.node(record.node)));
            }
            Event::Tls(Tls::Secret { line }) => self.secrets.add(line.clone()),
            Event::Dns(Dns::Resolved { name, addresses, .. }) => {
                let name = name.trim_end_matches('.');
                // A name that is an address already tells nothing.
                if name.parse::<IpAddr>().is_err() {
                    addresses.iter().for_each(|address| self.hosts.add((*address, name.to_owned())));
                }
            }
            _ => {}
        }
        let ready = self.hold.ready(record.at);
        self.release(ready);
    }

    fn finish(&mut self) -> io::Result<()> {
        let rest = self.hold.rest();
        self.release(rest);
        self.write_pending();
        self.output.finish()
    }
}

fn held(
    record: &Record,
    id: FrameId,
    interface: InterfaceId,
    direction: Direction,
    bytes: &Arc<[u8]>,
) -> Frame {
    Frame { id, node: record.node, interface, direction, at: record.at, bytes: Arc::clone(bytes) }
}

/// How many secrets or names are remembered as written.
const REMEMBERED: usize = 16_384;

/// What is to be written once, before the next packet.
struct Pending<T> {
    seen: BTreeSet<T>,
    waiting: Vec<T>,
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self { seen: BTreeSet::new(), waiting: Vec::new() }
    }
}

impl<T: Clone + Ord> Pending<T> {
    /// Adds what has not been added before.
    fn add(&mut self, item: T) {
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        if self.seen.insert(item.clone()) {
            self.waiting.push(item);
        }
    }

    fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests;
