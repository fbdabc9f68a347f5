//! Attacks that send one forged packet after the other without seeing what comes of it: off-path DNS
//! answers, blind resets, SYN floods, ICMP redirects. They differ in what they send.

use super::forge::{self, Control, Header};
use super::station::{Sent, Station};
use crate::arp::{ArpPacket, REPLY, REQUEST};
use crate::node::{Node, NodeContext, WireFrame};
use glasstack_journal::Instant;
use glasstack_journal::event::{MacAddress, TcpFlags};
use glasstack_stack::{DeviceError, Entropy};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// How often the victim's MAC address is asked for, and how often at most.
const ASKS_EVERY: Duration = Duration::from_secs(1);
const ASKS: u32 = 5;
/// The most packets of one volley: no attack is without end.
const MOST: u32 = 1_000_000;
/// ICMP redirect, for the host (RFC 792).
const REDIRECT: (u8, u8) = (5, 1);
/// RFC 6056 3.2: where ephemeral ports usually are.
const EPHEMERAL: u16 = 49_152;

/// How much is sent, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// When it begins.
    pub from: Instant,
    /// When it ends at the latest.
    pub until: Instant,
    /// Packets a second; at least 1.
    pub rate: u32,
    /// Packets in all; at most a million.
    pub count: u32,
}

/// A station that sends forged packets.
pub struct Volley {
    station: Station,
    /// Whose MAC address they go to: the victim's, or its router's.
    next_hop: Ipv4Addr,
    mac: Option<MacAddress>,
    asked: u32,
    next: Instant,
    pace: Pace,
    sent: u32,
    make: Box<dyn FnMut(Header) -> Vec<u8> + Send>,
}

impl Volley {
    /// Sends what `make` makes, at this pace, to the station on the link that has the address `next_hop`.
    pub fn new(
        mac: MacAddress,
        next_hop: Ipv4Addr,
        pace: Pace,
        make: impl FnMut(Header) -> Vec<u8> + Send + 'static,
    ) -> Self {
        Self {
            station: Station::new(mac),
            next_hop,
            mac: None,
            asked: 0,
            next: pace.from,
            pace: Pace { rate: pace.rate.max(1), count: pace.count.min(MOST), ..pace },
            sent: 0,
            make: Box::new(make),
        }
    }

    /// UDP answers of `from` to a port of `to` that has to be guessed; `payload` makes what they say.
    pub fn answers(
        mac: MacAddress,
        from: SocketAddrV4,
        to: Ipv4Addr,
        pace: Pace,
        entropy: Arc<dyn Entropy>,
        mut payload: impl FnMut(&dyn Entropy) -> Vec<u8> + Send + 'static,
    ) -> Self {
        Self::new(mac, to, pace, move |header| {
            let to = SocketAddrV4::new(to, ephemeral(&*entropy));
            forge::udp(header, from, to, &payload(&*entropy))
        })
    }

    /// RSTs of `from` to a port of `to`; the port and the sequence number have to be guessed.
    pub fn resets(
        mac: MacAddress,
        from: SocketAddrV4,
        to: Ipv4Addr,
        pace: Pace,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self::new(mac, to, pace, move |header| {
            let to = SocketAddrV4::new(to, ephemeral(&*entropy));
            let control =
                Control { seq: number(&*entropy), ack: 0, flags: TcpFlags(TcpFlags::RST), window: 0 };
            forge::tcp(header, from, to, control, &[])
        })
    }

    /// SYNs to `to` from addresses and ports that nobody has (198.18.0.0/15, RFC 2544); nothing follows
    /// them.
    pub fn syn_flood(
        mac: MacAddress,
        next_hop: Ipv4Addr,
        to: SocketAddrV4,
        pace: Pace,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self::new(mac, next_hop, pace, move |header| {
            let [a, b, c, _] = number(&*entropy).to_be_bytes();
            let from = SocketAddrV4::new(Ipv4Addr::new(198, 18 | a & 1, b, c), ephemeral(&*entropy));
            let seq = number(&*entropy);
            let control = Control { seq, ack: 0, flags: TcpFlags(TcpFlags::SYN), window: u16::MAX };
            forge::tcp(header, from, to, control, &[])
        })
    }

    /// ICMP redirects, as if from `gateway`, that tell `victim` to send what is for `destination` through
    /// `own`, the attacker (RFC 792, RFC 1122 3.2.2.2).
    pub fn redirects(
        mac: MacAddress,
        own: Ipv4Addr,
        victim: Ipv4Addr,
        gateway: Ipv4Addr,
        destination: Ipv4Addr,
        pace: Pace,
    ) -> Self {
        let mut volley = Self::new(mac, victim, pace, move |header| {
            // The header of a packet that the victim might have sent, and eight bytes of it.
            let (from, to) = (SocketAddrV4::new(victim, EPHEMERAL), SocketAddrV4::new(destination, 443));
            let control = Control { seq: 0, ack: 0, flags: TcpFlags(TcpFlags::SYN), window: 0 };
            let sent = forge::tcp(header.reversed(), from, to, control, &[]);
            let quoted = sent.get(14..14 + 20 + 8).unwrap_or_default().to_vec();
            forge::icmp(header, gateway, victim, REDIRECT, own.octets(), &quoted)
        });
        volley.station.address = Some(own);
        volley
    }

    /// Counts what it sends in `sent`.
    #[must_use]
    pub fn counted(mut self, sent: Sent) -> Self {
        self.station.sent = sent;
        self
    }

    fn is_over(&self) -> bool {
        self.sent >= self.pace.count
            || self.next >= self.pace.until
            || (self.mac.is_none() && self.asked >= ASKS)
    }
}

fn number(entropy: &dyn Entropy) -> u32 {
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes);
    u32::from_be_bytes(bytes)
}

fn ephemeral(entropy: &dyn Entropy) -> u16 {
    EPHEMERAL | number(entropy) as u16
}

impl Node for Volley {
    fn ports(&self) -> usize {
        1
    }

    fn on_frame(&mut self, _port: usize, frame: WireFrame, context: &mut NodeContext<'_>) {
        if !self.station.hears(&frame, context) {
            return;
        }
        let Some(packet) = ArpPacket::of(&frame.view()) else { return };
        if packet.operation == REPLY && packet.sender.1 == self.next_hop && self.mac.is_none() {
            self.mac = Some(packet.sender.0);
            self.next = context.now().max(self.pace.from);
        }
        if packet.operation == REQUEST && Some(packet.target.1) == self.station.address {
            let header = Header::new(self.station.mac, packet.sender.0);
            self.station.sends(forge::arp_packet(header, &packet.answer(self.station.mac)), context);
        }
    }

    fn poll(&mut self, context: &mut NodeContext<'_>) -> Result<(), DeviceError> {
        self.station.come_up(context);
        while self.next <= context.now() && !self.is_over() {
            let Some(mac) = self.mac else {
                self.station.asks_for(self.next_hop, context);
                self.asked += 1;
                self.next = context.now() + ASKS_EVERY;
                return Ok(());
            };
            let bytes = (self.make)(Header::new(self.station.mac, mac));
            self.station.harms(bytes, context);
            self.sent += 1;
            self.next = self.next + Duration::from_secs(1) / self.pace.rate;
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        (!self.is_over()).then_some(self.next)
    }

    fn is_attacker(&self) -> bool {
        true
    }
}
