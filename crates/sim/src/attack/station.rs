//! What every attacker has: a card on the link, whose frames are told as any other's, and a count.

use super::forge::{self, Header};
use crate::node::{NodeContext, WireFrame};
use crate::view::FrameView;
use glasstack_journal::event::{Direction, InterfaceId, Link, MacAddress, Medium};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// ARP operations (RFC 826).
pub(super) const REQUEST: u16 = 1;
pub(super) const REPLY: u16 = 2;
/// Of an Ethernet card, in bytes.
const MTU: usize = 1_500;

/// How many harmful frames an attacker has sent so far. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sent(Arc<AtomicU64>);

impl Sent {
    /// A count that is kept elsewhere.
    pub fn into(counter: Arc<AtomicU64>) -> Self {
        Self(counter)
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A card.
pub(super) struct Station {
    pub(super) mac: MacAddress,
    /// Its own address, if it has one.
    pub(super) address: Option<Ipv4Addr>,
    pub(super) sent: Sent,
    interface: Option<InterfaceId>,
}

impl Station {
    pub(super) fn new(mac: MacAddress) -> Self {
        Self { mac, address: None, sent: Sent::default(), interface: None }
    }

    /// Tells of the card, the first time.
    pub(super) fn come_up(&mut self, context: &NodeContext<'_>) {
        if self.interface.is_some() {
            return;
        }
        let interface = context.scope().journal().next_interface();
        self.interface = Some(interface);
        context.record(|| Link::InterfaceUp {
            interface,
            name: "eth0".to_owned(),
            medium: Medium::Ethernet,
            mtu: MTU,
            mac: Some(self.mac),
            address: IpAddr::V4(self.address.unwrap_or(Ipv4Addr::UNSPECIFIED)),
            prefix_len: 0,
        });
    }

    /// Takes a frame in; false if it is for another station.
    pub(super) fn hears(&mut self, frame: &WireFrame, context: &NodeContext<'_>) -> bool {
        self.come_up(context);
        let view = frame.view();
        if view.destination_mac() != Some(self.mac) && !view.is_broadcast() {
            return false;
        }
        self.told(frame, Direction::In, context);
        true
    }

    /// Sends what does harm.
    pub(super) fn harms(&mut self, bytes: Vec<u8>, context: &mut NodeContext<'_>) {
        self.sent.add_one();
        self.sends(bytes, context);
    }

    /// Sends.
    pub(super) fn sends(&mut self, bytes: Vec<u8>, context: &mut NodeContext<'_>) {
        self.come_up(context);
        let frame = context.new_frame(bytes);
        self.passes_on(frame, context);
    }

    /// Sends a frame that exists already.
    pub(super) fn passes_on(&mut self, frame: WireFrame, context: &mut NodeContext<'_>) {
        self.told(&frame, Direction::Out, context);
        context.send(0, frame);
    }

    /// Asks who has an address, as nobody: an ARP Probe (RFC 5227 2.1.1).
    pub(super) fn asks_for(&mut self, address: Ipv4Addr, context: &mut NodeContext<'_>) {
        let header = Header::new(self.mac, MacAddress::BROADCAST);
        let sender = (self.mac, Ipv4Addr::UNSPECIFIED);
        let nobody = MacAddress([0; 6]);
        self.sends(forge::arp(header, REQUEST, sender, (nobody, address)), context);
    }

    fn told(&self, frame: &WireFrame, direction: Direction, context: &NodeContext<'_>) {
        let Some(interface) = self.interface else { return };
        let bytes = frame.bytes.as_slice();
        context.record(|| Link::Frame { frame: frame.id, interface, direction, bytes: bytes.into() });
    }
}

/// An ARP packet for IPv4 on Ethernet, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ArpPacket {
    pub(super) operation: u16,
    pub(super) sender: (MacAddress, Ipv4Addr),
    pub(super) target: Ipv4Addr,
}

impl ArpPacket {
    /// None if the frame is none.
    pub(super) fn of(frame: &FrameView<'_>) -> Option<Self> {
        let operation = match (frame.is_arp_request(), frame.is_arp_reply()) {
            (true, _) => REQUEST,
            (_, true) => REPLY,
            _ => return None,
        };
        let header = if frame.vlan().is_some() { 18 } else { 14 };
        let packet: &[u8; 28] = frame.bytes().get(header..)?.first_chunk()?;
        let mac = |at: usize| packet.get(at..at + 6)?.try_into().ok().map(MacAddress);
        let address =
            |at: usize| packet.get(at..at + 4)?.try_into().ok().map(|four: [u8; 4]| Ipv4Addr::from(four));
        Some(Self { operation, sender: (mac(8)?, address(14)?), target: address(24)? })
    }
}
