//! What a DHCP client needs of a host that may have no address yet (RFC 2131 4.1): broadcasts from
//! 0.0.0.0, answers to an address that is not its own so far, and whoever uses that already.

use super::core::Core;
use super::datagram::{ArpWait, send_udp};
use crate::dhcp::{CLIENT_PORT, DhcpError, Lease, SERVER_PORT};
use crate::ingress::{ArpPacket, Ipv4Packet, UdpHeader, protocol};
use glasstack_journal::event::{Direction, DropReason, FrameId, MacAddress, Medium, Udp};
use glasstack_journal::{Instant, Scope};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll, Waker};

/// Answers held for the client; it takes them at once.
const MOST_LETTERS: usize = 64;

/// The client's place in the core.
pub(crate) struct DhcpSlot {
    scope: Scope,
    /// What the host has now.
    lease: Option<Lease>,
    letters: VecDeque<Letter>,
    watched: Option<Ipv4Addr>,
    found: Option<MacAddress>,
    released: bool,
    /// The client waits for the next thing to happen.
    waker: Option<Waker>,
    /// These wait for its end.
    at_the_end: Vec<Waker>,
}

/// A datagram for the client.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) frame: FrameId,
    pub(crate) bytes: Vec<u8>,
}

/// What has happened to the client.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A datagram has come.
    Letter(Letter),
    /// Somebody uses the address that is watched.
    InUse(MacAddress),
    /// The program wants the lease given back.
    Release,
}

impl Core {
    /// Makes room for a client.
    pub(crate) fn open_dhcp(&mut self, scope: &Scope) -> Result<(), DhcpError> {
        if self.wire.medium != Medium::Ethernet {
            return Err(DhcpError::NoLink(self.wire.name.clone()));
        }
        if self.dhcp.is_some() {
            return Err(DhcpError::Running);
        }
        if !self.wire.local.is_unspecified() {
            return Err(DhcpError::HasAddress(self.wire.local.into()));
        }
        if self.udp.contains_key(&CLIENT_PORT) {
            return Err(DhcpError::PortTaken);
        }
        self.dhcp = Some(DhcpSlot {
            scope: scope.clone(),
            lease: None,
            letters: VecDeque::new(),
            watched: None,
            found: None,
            released: false,
            waker: None,
            at_the_end: Vec::new(),
        });
        Ok(())
    }

    /// The client is gone, and the address that it had with it.
    pub(crate) fn close_dhcp(&mut self, scope: &Scope, now: Instant) {
        self.unconfigure(scope, now);
        if let Some(slot) = self.dhcp.take() {
            self.wire.wakers.extend(slot.at_the_end);
        }
    }

    pub(crate) fn has_dhcp(&self) -> bool {
        self.dhcp.is_some()
    }

    /// What the client has now. If that is something, its address is probed for no longer.
    pub(crate) fn set_lease(&mut self, lease: Option<Lease>) {
        if let Some(slot) = &mut self.dhcp {
            (slot.lease, slot.watched, slot.found) = (lease, None, None);
        }
    }

    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.dhcp.as_ref()?.lease.as_ref()
    }

    /// Asks the client to give its lease back.
    pub(crate) fn release_dhcp(&mut self) {
        if let Some(slot) = &mut self.dhcp {
            slot.released = true;
            self.wire.wakers.extend(slot.waker.take());
        }
    }

    /// Waits until the client is gone.
    pub(crate) fn poll_dhcp_gone(&mut self, cx: &Context<'_>) -> Poll<()> {
        match &mut self.dhcp {
            None => Poll::Ready(()),
            Some(slot) => {
                if !slot.at_the_end.iter().any(|known| known.will_wake(cx.waker())) {
                    slot.at_the_end.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// The next thing that happens to the client.
    pub(crate) fn poll_dhcp(&mut self, cx: &Context<'_>) -> Poll<Happening> {
        let Some(slot) = &mut self.dhcp else { return Poll::Pending };
        if slot.released {
            return Poll::Ready(Happening::Release);
        }
        if let Some(by) = slot.found.take() {
            return Poll::Ready(Happening::InUse(by));
        }
        match slot.letters.pop_front() {
            Some(letter) => Poll::Ready(Happening::Letter(letter)),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Sends a message to everybody on the link, without an address of its own (RFC 2131 4.1).
    pub(crate) fn broadcast_dhcp(&mut self, scope: &Scope, message: &[u8]) -> FrameId {
        let to = SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT);
        self.send_udp_to(scope, CLIENT_PORT, MacAddress::BROADCAST, to, message)
    }

    /// Sends a message to one server once the next hop is known; none if that keeps silent, or if
    /// there is no way to it.
    pub(crate) fn poll_send_dhcp(
        &mut self,
        scope: &Scope,
        server: Ipv4Addr,
        message: &[u8],
        wait: &mut Option<ArpWait>,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Option<FrameId>> {
        let Ok(next_hop) = self.begin_wait(scope, server.into(), wait) else { return Poll::Ready(None) };
        self.poll_next_hop(scope, next_hop, wait, cx, now).map(|mac| {
            let to = SocketAddrV4::new(server, SERVER_PORT);
            mac.map(|mac| self.send_udp_to(scope, CLIENT_PORT, mac, to, message))
        })
    }

    /// Sends a datagram to a station that is known, whatever ARP would say.
    pub(crate) fn send_udp_to(
        &mut self,
        scope: &Scope,
        port: u16,
        station: MacAddress,
        to: SocketAddrV4,
        data: &[u8],
    ) -> FrameId {
        let from = SocketAddrV4::new(self.wire.local, port);
        let frame = send_udp(&mut self.wire, scope, station, from, to, data);
        scope.record(|| Udp::Datagram {
            frame,
            direction: Direction::Out,
            local: from.into(),
            remote: SocketAddr::V4(to),
            length: data.len(),
        });
        frame
    }

    /// Sends an ARP probe, and watches out for whoever has the address from now on.
    pub(crate) fn probe_dhcp(&mut self, scope: &Scope, address: Ipv4Addr) {
        if let Some(slot) = &mut self.dhcp {
            if slot.watched != Some(address) {
                (slot.watched, slot.found) = (Some(address), None);
            }
            self.wire.probe(scope, address);
        }
    }

    /// RFC 5227 2.1.1: whoever sends from a watched address has it, and whoever probes for it wants
    /// it just as much.
    pub(super) fn watch_arp(&mut self, arp: &ArpPacket) {
        let Some(slot) = &mut self.dhcp else { return };
        let rival = arp.request && arp.sender_ip.is_unspecified() && Some(arp.target_ip) == slot.watched;
        if arp.sender_mac != self.wire.mac && (rival || Some(arp.sender_ip) == slot.watched) {
            slot.found = Some(arp.sender_mac);
            self.wire.wakers.extend(slot.waker.take());
        }
    }

    /// RFC 2131 4.1: a server may answer to the very address that the client does not have yet.
    pub(super) fn is_for_dhcp(&self, packet: &Ipv4Packet<'_>) -> bool {
        self.dhcp.is_some()
            && self.wire.local.is_unspecified()
            && packet.protocol == protocol::UDP
            && !packet.is_fragment()
            && packet.payload.get(2..4) == Some(&CLIENT_PORT.to_be_bytes())
    }

    /// A datagram for the client's port has come. Whether there is a client.
    pub(super) fn on_dhcp(&mut self, frame: FrameId, datagram: &UdpHeader<'_>) -> bool {
        let Some(slot) = &mut self.dhcp else { return false };
        let scope = slot.scope.clone();
        let (local, remote) = (datagram.destination.into(), datagram.source.into());
        let length = datagram.payload.len();
        scope.record(|| Udp::Datagram { frame, direction: Direction::In, local, remote, length });
        if slot.letters.len() >= MOST_LETTERS {
            self.drop_packet(&scope, frame, DropReason::UdpBufferFull, format!("from {remote}"));
        } else {
            slot.letters.push_back(Letter { frame, bytes: datagram.payload.to_vec() });
            self.wire.wakers.extend(slot.waker.take());
        }
        true
    }
}
