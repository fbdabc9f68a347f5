//! What every attacker has: a card on the link, whose frames are told as any other's, and a count.

use super::forge::{self, Header};
use crate::arp::ArpPacket;
use crate::node::{NodeContext, WireFrame};
use glasstack_journal::event::{Direction, InterfaceId, Link, MacAddress, Medium};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
        let probe = ArpPacket::request((self.mac, Ipv4Addr::UNSPECIFIED), address);
        self.sends(forge::arp_packet(header, &probe), context);
    }

    fn told(&self, frame: &WireFrame, direction: Direction, context: &NodeContext<'_>) {
        let Some(interface) = self.interface else { return };
        let bytes = frame.bytes.as_slice();
        context.record(|| Link::Frame { frame: frame.id, interface, direction, bytes: bytes.into() });
    }
}
