//! ARP spoofing: whoever answers is believed (RFC 826 knows no proof), so an attacker answers, too.

use super::forge::{self, Header};
use super::station::{Sent, Station};
use crate::arp::{ArpPacket, REPLY, REQUEST};
use crate::node::{Node, NodeContext, WireFrame};
use glasstack_journal::Instant;
use glasstack_journal::event::MacAddress;
use glasstack_stack::DeviceError;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// How long the second answer waits, so that the right one is there first.
const AFTER_THE_RIGHT_ONE: Duration = Duration::from_millis(5);
/// How often an address is claimed, and how often in all.
const CLAIMS_EVERY: Duration = Duration::from_millis(500);
const CLAIMS: u32 = 120;

/// A station that claims addresses of others. Man on the side, or, forwarding, man in the middle.
pub struct ArpSpoofer {
    station: Station,
    /// The addresses it claims; all, if none is said.
    claims: Vec<Ipv4Addr>,
    from: Instant,
    until: Instant,
    /// It claims without being asked, next then, and so many times more.
    unasked: Option<(Instant, u32)>,
    forwards: bool,
    /// Who really has which address.
    owners: BTreeMap<Ipv4Addr, MacAddress>,
    /// Answers that wait for the right one to be there.
    answers: VecDeque<(Instant, ArpPacket)>,
}

impl ArpSpoofer {
    /// Answers every request that it hears a second time, right behind the right answer.
    pub fn second_answer(mac: MacAddress) -> Self {
        Self {
            station: Station::new(mac),
            claims: Vec::new(),
            from: Instant::ZERO,
            until: Instant::MAX,
            unasked: None,
            forwards: false,
            owners: BTreeMap::new(),
            answers: VecDeque::new(),
        }
    }

    /// Claims these addresses, asked and unasked: every half second, for a minute.
    pub fn claiming(mac: MacAddress, addresses: impl IntoIterator<Item = Ipv4Addr>) -> Self {
        let claims = addresses.into_iter().collect();
        Self { claims, unasked: Some((Instant::ZERO, CLAIMS)), ..Self::second_answer(mac) }
    }

    /// Sends what comes on to whom it belongs, so that nobody notices.
    #[must_use]
    pub fn forwarding(mut self) -> Self {
        self.forwards = true;
        self
    }

    /// Does so only from `from` on and before `until`.
    #[must_use]
    pub fn between(mut self, from: Instant, until: Instant) -> Self {
        (self.from, self.until) = (from, until);
        self.unasked = self.unasked.map(|(_, count)| (from, count));
        self
    }

    /// Counts what it sends in `sent`.
    #[must_use]
    pub fn counted(mut self, sent: Sent) -> Self {
        self.station.sent = sent;
        self
    }

    /// Says that `address` is here: to who has asked, or to everybody (RFC 5227 3: a gratuitous reply).
    fn lie(&mut self, address: Ipv4Addr, to: Option<(MacAddress, Ipv4Addr)>, context: &mut NodeContext<'_>) {
        let destination = to.map_or(MacAddress::BROADCAST, |(mac, _)| mac);
        let target = to.unwrap_or((MacAddress([0; 6]), address));
        let header = Header::new(self.station.mac, destination);
        let reply = forge::arp(header, REPLY, (self.station.mac, address), target);
        self.station.harms(reply, context);
    }

    fn on_arp(&mut self, packet: ArpPacket, now: Instant) {
        let (mac, address) = packet.sender;
        if self.claims.contains(&address) && mac != self.station.mac {
            self.owners.insert(address, mac);
        }
        let is_ours = self.claims.is_empty() || self.claims.contains(&packet.target.1);
        // RFC 5227: who asks for its own address, or asks as nobody, wants to know whether it is free.
        let is_question = address != packet.target.1 && !address.is_unspecified();
        let is_time = self.from <= now && now < self.until;
        if packet.operation == REQUEST && is_ours && is_question && is_time {
            self.answers.push_back((now + AFTER_THE_RIGHT_ONE, packet));
        }
    }

    /// To the owner of the address that it is for, or, if it goes further than this link, to the first
    /// whose address was claimed: the gateway.
    fn forward(&mut self, frame: WireFrame, context: &mut NodeContext<'_>) {
        let Some(IpAddr::V4(to)) = frame.view().destination_ip() else { return };
        let gateway = self.claims.first().and_then(|first| self.owners.get(first));
        let Some(owner) = self.owners.get(&to).or(gateway).copied() else { return };
        let mut bytes = frame.bytes;
        for (place, mac) in [(0, owner), (6, self.station.mac)] {
            if let Some(six) = bytes.get_mut(place..place + 6) {
                six.copy_from_slice(&mac.0);
            }
        }
        self.station.passes_on(WireFrame { id: frame.id, bytes }, context);
    }
}

impl Node for ArpSpoofer {
    fn ports(&self) -> usize {
        1
    }

    fn on_frame(&mut self, _port: usize, frame: WireFrame, context: &mut NodeContext<'_>) {
        if !self.station.hears(&frame, context) {
            return;
        }
        if let Some(packet) = ArpPacket::of(&frame.view()) {
            return self.on_arp(packet, context.now());
        }
        if self.forwards && frame.view().destination_mac() == Some(self.station.mac) {
            self.forward(frame, context);
        }
    }

    fn poll(&mut self, context: &mut NodeContext<'_>) -> Result<(), DeviceError> {
        self.station.come_up(context);
        let now = context.now();
        while let Some((_, asked)) = self.answers.front().copied().filter(|(at, _)| *at <= now) {
            self.answers.pop_front();
            self.lie(asked.target.1, Some(asked.sender), context);
        }
        if let Some((next, left)) = self.unasked.filter(|(next, _)| *next <= now) {
            for address in self.claims.clone() {
                if self.forwards && !self.owners.contains_key(&address) {
                    self.station.asks_for(address, context);
                } else {
                    self.lie(address, None, context);
                }
            }
            let again = left > 1 && now + CLAIMS_EVERY < self.until;
            self.unasked = again.then(|| (next.max(now) + CLAIMS_EVERY, left - 1));
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        let answer = self.answers.front().map(|(at, _)| *at);
        answer.into_iter().chain(self.unasked.map(|(at, _)| at)).min()
    }

    fn is_attacker(&self) -> bool {
        true
    }
}
