//! From the inner interfaces to the wire: what every connection, datagram and answer needs to get
//! out. ARP, fragmentation, loopback, numbers and records for frames.

use super::neighbours::{Answer, Neighbours};
use super::port::{ETHERNET_HEADER, Link};
use super::timers::{Owner, Timers};
use crate::config::{Checked, Counters, HostConfig, TcpConfig};
use crate::device::Frame;
use crate::environment::Entropy;
use crate::fragment::fragment;
use crate::route::{Prefix, Route, RouteDecision, RouteTable};
use glasstack_journal::event::{
    Arp, Direction, DropReason, FlowId, FrameId, InterfaceId, Ip, Link as LinkEvent, MacAddress, Medium,
    RequestReason,
};
use glasstack_journal::{Instant, Scope};
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr,
};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::task::Waker;

/// How long a lowered path MTU is believed (RFC 1191 6.3: about ten minutes).
const PATH_MTU_LIFETIME: std::time::Duration = std::time::Duration::from_secs(600);
/// Destinations whose path MTU is remembered.
const PATH_MTU_CAPACITY: usize = 256;

/// The host's one interface, and what is shared behind it.
pub(crate) struct Wire {
    pub(crate) scope: Scope,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// What the host calls itself.
    pub(crate) host: String,
    /// The interface's name.
    pub(crate) name: String,
    pub(crate) interface: InterfaceId,
    pub(crate) medium: Medium,
    pub(crate) mtu: usize,
    /// What the device takes; the link may take less.
    pub(crate) device_mtu: usize,
    pub(crate) mac: MacAddress,
    pub(crate) local: Ipv4Addr,
    pub(crate) prefix: Prefix,
    pub(crate) routes: RouteTable,
    /// Rows that come into force with whatever address this host is given.
    pub(crate) static_routes: Vec<Route>,
    pub(crate) tcp: TcpConfig,
    pub(crate) reassembly_timeout: std::time::Duration,
    /// Whether packets for other addresses are taken as well.
    pub(crate) transparent: bool,
    pub(crate) neighbours: Neighbours,
    pub(crate) timers: Timers,
    pub(crate) counters: Counters,
    /// For the device.
    pub(crate) outgoing: VecDeque<Frame>,
    /// For this host itself.
    pub(crate) loopback: VecDeque<Frame>,
    /// Woken once the lock is released.
    pub(crate) wakers: Vec<Waker>,
    path_mtu: BTreeMap<Ipv4Addr, (usize, Instant)>,
}

impl Wire {
    pub(crate) fn new(
        scope: Scope,
        entropy: Arc<dyn Entropy>,
        name: String,
        interface: InterfaceId,
        medium: Medium,
        checked: Checked,
        config: HostConfig,
    ) -> Self {
        Self {
            scope,
            entropy,
            host: config.name,
            name,
            interface,
            medium,
            mtu: checked.mtu,
            device_mtu: checked.mtu,
            mac: config.mac,
            local: checked.place.address,
            prefix: checked.place.prefix,
            routes: checked.place.routes,
            static_routes: if config.address.is_unspecified() { config.routes } else { Vec::new() },
            tcp: config.tcp,
            reassembly_timeout: config.reassembly_timeout,
            transparent: config.transparent,
            neighbours: Neighbours::new(config.arp),
            timers: Timers::default(),
            counters: Counters::default(),
            outgoing: VecDeque::new(),
            loopback: VecDeque::new(),
            wakers: Vec::new(),
            path_mtu: BTreeMap::new(),
        }
    }

    /// How an inner interface must see the link so that its packets for one destination take the
    /// way that the routing table has chosen.
    pub(crate) fn link_towards(&self, decision: &RouteDecision) -> Link {
        let local = self.local;
        match (decision.next_hop, decision.destination) {
            (IpAddr::V4(hop), IpAddr::V4(to)) if hop != to && !self.prefix.contains(to) => {
                Link { local, prefix_len: self.prefix.prefix_len(), gateway: Some(hop) }
            }
            (IpAddr::V4(hop), _) if self.prefix.contains(hop) && decision.row.via.is_none() => {
                Link { local, prefix_len: self.prefix.prefix_len(), gateway: None }
            }
            // A row says otherwise than the address does: the interface takes everything for its
            // neighbour, and its ARP requests are answered with the next hop's address.
            _ => Link { local, prefix_len: 0, gateway: None },
        }
    }

    /// The largest packet for `to`, in bytes (RFC 1191).
    pub(crate) fn mtu_towards(&mut self, to: Ipv4Addr, now: Instant) -> usize {
        match self.path_mtu.get(&to) {
            Some((mtu, until)) if now < *until => *mtu,
            Some(_) => {
                self.path_mtu.remove(&to);
                self.mtu
            }
            None => self.mtu,
        }
    }

    /// Remembers that packets for `to` must not be larger.
    pub(crate) fn lower_mtu_towards(&mut self, to: Ipv4Addr, mtu: usize, now: Instant) {
        if self.path_mtu.len() >= PATH_MTU_CAPACITY {
            self.path_mtu.pop_first();
        }
        self.path_mtu.insert(to, (mtu, now + PATH_MTU_LIFETIME));
    }

    /// The next hop's MAC address, if it is known; otherwise it is asked for, and `waiter` is told.
    pub(crate) fn resolve(
        &mut self,
        scope: &Scope,
        next_hop: Ipv4Addr,
        waiter: Option<FlowId>,
        now: Instant,
    ) -> Option<MacAddress> {
        if next_hop == self.local {
            return Some(self.mac);
        }
        if next_hop.is_broadcast() || Some(next_hop) == self.prefix.broadcast() {
            return Some(MacAddress::BROADCAST);
        }
        match self.neighbours.ask(next_hop, waiter, now) {
            Answer::Known { mac, age } => {
                scope.record(|| Arp::CacheHit { next_hop, mac, age });
                Some(mac)
            }
            Answer::Ask(why) => {
                self.request(scope, next_hop, why);
                None
            }
            Answer::Asked => None,
        }
    }

    /// Sends an ARP request (RFC 826).
    pub(crate) fn request(&mut self, scope: &Scope, next_hop: Ipv4Addr, why: RequestReason) {
        self.send_request(scope, self.local, next_hop, why);
        self.timers.set(Owner::Neighbours, self.neighbours.next_deadline());
    }

    /// Asks if anybody has `address`, without claiming it (RFC 5227 2.1.1).
    pub(crate) fn probe(&mut self, scope: &Scope, address: Ipv4Addr) {
        self.send_request(scope, Ipv4Addr::UNSPECIFIED, address, RequestReason::Probe);
    }

    /// Tells everybody on the link whose its address is (RFC 5227 2.3).
    pub(crate) fn announce(&mut self, scope: &Scope) {
        if self.medium == Medium::Ethernet {
            self.send_request(scope, self.local, self.local, RequestReason::Announcement);
        }
    }

    fn send_request(&mut self, scope: &Scope, sender: Ipv4Addr, next_hop: Ipv4Addr, why: RequestReason) {
        let bytes = arp_frame(&ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr: EthernetAddress(self.mac.0),
            source_protocol_addr: sender,
            target_hardware_addr: EthernetAddress([0; 6]),
            target_protocol_addr: next_hop,
        });
        let frame = self.emit(scope, bytes);
        scope.record(|| Arp::RequestSent { frame, next_hop, why });
    }

    /// Another address may mean another link: who was where, and how much fits, is known no longer.
    pub(crate) fn forget_the_link(&mut self) {
        self.wakers.append(&mut self.neighbours.forget_all());
        self.timers.set(Owner::Neighbours, None);
        self.path_mtu.clear();
    }

    /// Answers the ARP request of `to`, at `mac` (RFC 826).
    pub(crate) fn reply(&mut self, scope: &Scope, to: Ipv4Addr, mac: MacAddress) -> FrameId {
        let bytes = arp_frame(&ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Reply,
            source_hardware_addr: EthernetAddress(self.mac.0),
            source_protocol_addr: self.local,
            target_hardware_addr: EthernetAddress(mac.0),
            target_protocol_addr: to,
        });
        self.emit(scope, bytes)
    }

    /// An ARP reply that tells an inner interface, which is `inner`, where `ip` lives.
    pub(crate) fn reply_to_inner(&self, inner: Ipv4Addr, ip: Ipv4Addr, mac: MacAddress) -> Vec<u8> {
        arp_frame(&ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Reply,
            source_hardware_addr: EthernetAddress(mac.0),
            source_protocol_addr: ip,
            target_hardware_addr: EthernetAddress(self.mac.0),
            target_protocol_addr: inner,
        })
    }

    /// The link header of `frame` and the IP packet behind it.
    pub(crate) fn split<'a>(&self, frame: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        match self.medium {
            Medium::Ethernet => frame.split_at_checked(ETHERNET_HEADER).unwrap_or((frame, &[])),
            Medium::Ip => frame.split_at(0),
        }
    }

    /// Sends a frame that holds an IP packet, in fragments if it is larger than the MTU. Returns
    /// the number of the first.
    pub(crate) fn emit_packet(&mut self, scope: &Scope, frame: Vec<u8>) -> FrameId {
        let (link_header, packet) = self.split(&frame);
        if packet.len() <= self.mtu {
            return self.emit(scope, frame);
        }
        let identification = self.entropy.u16();
        let (length, mtu) = (packet.len(), self.mtu);
        match fragment(packet, mtu, identification) {
            Ok(pieces) => {
                let link_header = link_header.to_vec();
                let frames: Vec<FrameId> = pieces
                    .into_iter()
                    .map(|piece| self.emit(scope, [link_header.as_slice(), &piece].concat()))
                    .collect();
                let first = frames.first().copied();
                scope.record(|| Ip::Fragmented { frames, length, mtu, identification });
                first.unwrap_or_else(|| scope.journal().next_frame())
            }
            Err(discard) => {
                self.discard(scope, None, discard.reason, discard.detail);
                scope.journal().next_frame()
            }
        }
    }

    /// Sends one frame as it is.
    pub(crate) fn emit(&mut self, scope: &Scope, bytes: Vec<u8>) -> FrameId {
        let frame = scope.journal().next_frame();
        let interface = self.interface;
        self.counters.frames_out += 1;
        scope.record(|| LinkEvent::Frame {
            frame,
            interface,
            direction: Direction::Out,
            bytes: bytes.as_slice().into(),
        });
        let (_, packet) = self.split(&bytes);
        let for_this_host = packet.get(16..20) == Some(&self.local.octets()) && !is_arp(self.medium, &bytes);
        let queue = if for_this_host { &mut self.loopback } else { &mut self.outgoing };
        queue.push_back(Frame { id: Some(frame), bytes });
        frame
    }

    /// Counts and tells a discarded packet.
    pub(crate) fn discard(
        &mut self,
        scope: &Scope,
        frame: Option<FrameId>,
        reason: DropReason,
        detail: impl Into<String>,
    ) {
        *self.counters.dropped.entry(reason).or_insert(0) += 1;
        scope.record(|| LinkEvent::Dropped { frame, reason, detail: detail.into() });
    }
}

/// Whether a frame is ARP's.
pub(crate) fn is_arp(medium: Medium, frame: &[u8]) -> bool {
    medium == Medium::Ethernet && frame.get(12..14) == Some(&[0x08, 0x06])
}

/// The address that an ARP request asks for.
pub(crate) fn arp_target(frame: &[u8]) -> Option<Ipv4Addr> {
    let target: [u8; 4] = frame.get(38..42)?.try_into().ok()?;
    Some(target.into())
}

fn arp_frame(arp: &ArpRepr) -> Vec<u8> {
    let ArpRepr::EthernetIpv4 { operation, source_hardware_addr, target_hardware_addr, .. } = *arp else {
        return Vec::new();
    };
    let ethernet = EthernetRepr {
        src_addr: source_hardware_addr,
        dst_addr: if operation == ArpOperation::Request {
            EthernetAddress::BROADCAST
        } else {
            target_hardware_addr
        },
        ethertype: EthernetProtocol::Arp,
    };
    let mut bytes = vec![0; ethernet.buffer_len() + arp.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    ethernet.emit(&mut frame);
    arp.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    bytes
}
